from __future__ import annotations

import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import given

from tests.render.samples import HOSTILE, chain, ghost, hostile, message, odd, star, thread, threads, written
from weft.model import Thread
from weft.render.node_names import node_name
from weft.render.sanitize import clean

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")

QUOTED = r'"(?:[^"\\]|\\.)*"'
LINES = re.compile(
    rf'digraph weft {{|  rankdir=LR;|  node \[shape=box, fontname="sans-serif"\];|  subgraph cluster_\d+ {{'
    rf"|    label={QUOTED};|    {QUOTED} \[[a-z]+=.*\];"
    rf"|    {QUOTED} -> {QUOTED}(?: \[style=\"(?:dashed|dotted)\"\])?;|  }}|}}"
)


def graphviz(form: str, document: bytes) -> bytes:
    result = subprocess.run(["dot", f"-T{form}"], input=document, capture_output=True, check=True, timeout=60)
    assert result.stderr == b""
    return result.stdout


@given(threads())
def test_every_line_is_one_statement_whatever_the_mail_says(one: Thread) -> None:
    lines = written("dot", one).decode().split("\n")
    assert lines.pop() == ""
    for line in lines:
        assert LINES.fullmatch(line), line
        assert clean(line) == line


def test_one_of_each_is_drawn_as_what_it_is() -> None:
    text = written("dot", odd()).decode()
    assert '"lost@x" [label="[not seen here]\\n<lost@x>", style="dashed"];' in text
    assert '[contested: 2 rival parents]", color="red", peripheries=2];' in text
    assert '"lost@x" -> "d@x" [style="dashed"];' in text
    assert '"lost@x" -> "a@x";' in text
    assert "[cycle cut at <f@x>]" in text
    assert "[3 variants]" in text
    assert "Yesterday" in text


def test_a_label_is_subject_author_and_date() -> None:
    text = written("dot", thread(message("a@x", subject='"C:\\n" & <b>')))
    assert b'"a@x" [label="\\"C:\\\\n\\" &amp; <b>\\nAnn Other\\n2003-02-09T22:52:25-05:00"];' in text


@needs_dot
def test_graphviz_reads_back_every_hostile_id_as_one_node() -> None:
    read = json.loads(graphviz("dot_json", written("dot", hostile())))
    names = [node["name"] for node in read["objects"] if not node["name"].startswith("cluster_")]
    # In a quoted string Graphviz leaves two backslashes as they are.
    assert sorted(names) == sorted(node_name(one).replace("\\", "\\\\") for one in HOSTILE)
    assert len(read["edges"]) == len(HOSTILE) - 1


@needs_dot
def test_graphviz_draws_threads_as_clusters_with_their_text_as_it_was() -> None:
    other = thread(message("other@x", subject="&lt;not \\G an escape&gt;"))
    svg = ElementTree.fromstring(graphviz("svg", written("dot", odd(), hostile(), other)))
    classes = [element.get("class") for element in svg.iter("{http://www.w3.org/2000/svg}g")]
    assert classes.count("cluster") == 3
    assert classes.count("node") == len(odd().messages) + len(HOSTILE) + 1
    texts = {"".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"&lt;not \\G an escape&gt;", 'quote"s@x', "back\\slash@x", "ends in a backslash\\"} <= texts


@needs_dot
def test_no_threads_are_an_empty_graph() -> None:
    assert "objects" not in json.loads(graphviz("dot_json", written("dot")))


@pytest.mark.parametrize("big", [chain(50_000), star(50_000)], ids=["deep", "broad"])
def test_fifty_thousand_messages_are_as_many_nodes_and_edges(big: Thread) -> None:
    text = written("dot", big)
    assert text.count(b"[label=") == 50_000 + (big.messages[0].id == "root@x")
    assert text.count(b" -> ") == len(big.messages) - 1


def test_a_made_up_node_is_not_called_unseen() -> None:
    made_up = ghost("subject:tabs", named=0)._replace(joined=True, subject="tabs")
    assert b'label="[same subject]\\ntabs"' in written("dot", thread(made_up))
