"""Absence is shown as absence: hearsay, what is muted, and contested messages that stand elsewhere."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest

import weft
from tests.factories import mail
from tests.index.factories import open_index, write
from weft import Index
from weft.model import Thread
from weft.policy.rows import Mute
from weft.policy.rules import Policy
from weft.render.dot import write_dot
from weft.render.html import write_html
from weft.render.json import encode_thread
from weft.render.text import write_text

BUDGET = [mail(f"r{number}@x", subject="Re: budget", headers=["In-Reply-To: <ghost@x>"]) for number in range(3)]
CAPTURE = [mail("evil@x", subject="BUY NOW"), mail("e2@x", ["evil@x", "ghost@x"], subject="Re: BUY NOW")]


def texts(thread: Thread) -> tuple[str, str, str]:
    """The thread as text, HTML and DOT."""
    found = []
    for write_threads in (write_text, write_html, write_dot):
        file = BytesIO()
        write_threads([thread], file)
        found.append(file.getvalue().decode())
    text, html, dot = found
    return text, html, dot


def message(thread: Thread, own: str) -> dict[str, object]:
    """One message of the thread's JSON."""
    [found] = [one for one in json.loads(encode_thread(thread))["messages"] if one["id"] == own]
    assert isinstance(found, dict)
    return found


# Hearsay


def test_the_place_of_a_message_that_only_others_references_state_is_marked_as_hearsay(tmp_path: Path) -> None:
    path = write(tmp_path / "l.mbox", *BUDGET, *CAPTURE)
    with open_index(tmp_path) as index:
        index.ingest("l", path)
        for thread in (weft.rebuild({"l": path}).thread("ghost@x"), index.thread("ghost@x")):
            assert thread.root == "evil@x"
            text, html, dot = texts(thread)
            assert "[not seen here, hearsay] <ghost@x>" in text
            assert "its place is hearsay" in html
            assert '"evil@x" -> "ghost@x" [style="dotted"]' in dot
            assert message(thread, "ghost@x")["hearsay"] is True
            assert "hearsay" not in message(thread, "r0@x")
            assert thread.graph.edges["evil@x", "ghost@x"]["hearsay"]


def test_a_ghost_that_is_a_root_has_no_place_to_doubt(tmp_path: Path) -> None:
    thread = weft.rebuild({"l": write(tmp_path / "l.mbox", *BUDGET)}).thread("ghost@x")
    assert "hearsay" not in texts(thread)[0]
    assert "hearsay" not in message(thread, "ghost@x")


# What is muted


@pytest.mark.parametrize(
    "mute", [Mute(ids=frozenset([b"spam@x"])), Mute(authors=frozenset([b"m@evil.example"]))], ids=["id", "author"]
)
def test_a_muted_message_is_shown_as_muted_and_not_as_not_seen(tmp_path: Path, mute: Mute) -> None:
    mails = [
        mail("root@x"), mail("spam@x", ["root@x"], headers=["From: m@evil.example"]),
        mail("reply@x", ["root@x", "spam@x"]), mail("other@x", ["root@x", "never@x"]),
    ]  # fmt: skip
    with open_index(tmp_path) as index:
        index.ingest("l", write(tmp_path / "l.mbox", *mails))
        index.set_policy(Policy(index.origin, mute=mute))
        thread = index.thread("root@x")
        text, html, dot = texts(thread)
        assert "[muted here, hearsay] <spam@x>" in text
        assert "[not seen here, hearsay] <never@x>" in text
        assert "1 not seen here, 1 muted" in text
        assert "muted here &lt;spam@x&gt;" in html
        assert "what it answers is muted here" in html
        assert "[muted here]" in dot
        assert message(thread, "spam@x")["muted"] is True
        assert "muted" not in message(thread, "never@x")
        index.set_policy(Policy(index.origin))
        assert "muted" not in texts(index.thread("root@x"))[0]


# Contested messages


TORN = [mail("p@x"), mail("m@x", ["p@x"], subject="answer"), mail("m@x", subject="answer")]


def pointers(index: Index, root: str) -> dict[str, tuple[str, ...]]:
    return {one.id: one.rival_replies for one in index.thread(root).messages if one.rival_replies}


def test_below_a_rival_parent_stands_a_line_that_points_to_the_contested_message_and_it_points_back(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "l.mbox", *TORN)
    archive = weft.rebuild({"l": path})
    with open_index(tmp_path) as index:
        index.ingest("l", path)
        for above, torn in (
            (archive.thread("p@x"), archive.thread("m@x")),
            (index.thread("p@x"), index.thread("m@x")),
        ):
            assert (above.root, torn.root) == ("p@x", "m@x"), "a forged copy attaches nothing"
            text, html, _ = texts(above)
            assert "contested: <m@x> may answer this, and stands as a thread of its own" in text
            assert "contested: &lt;m@x&gt; may answer this" in html
            assert message(above, "p@x")["rival_replies"] == ["m@x"]
            text, html, _ = texts(torn)
            assert "rival parents: no parent or <p@x>" in text
            assert "no parent or &lt;p@x&gt;" in html
            assert message(torn, "m@x")["rivals"] == [None, "p@x"]
        assert not list(index.check())


def test_the_index_keeps_them_right_while_claims_come_and_go(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("l", write(tmp_path / "1.mbox", *TORN[:2]))
        assert pointers(index, "p@x") == {}
        index.ingest("l", write(tmp_path / "2.mbox", TORN[2]))
        assert pointers(index, "p@x") == {"p@x": ("m@x",)}
        index.ingest("l", write(tmp_path / "3.mbox", mail("q@x"), mail("m@x", ["q@x"], subject="another answer")))
        assert pointers(index, "p@x") == {"p@x": ("m@x",)}
        assert pointers(index, "q@x") == {"q@x": ("m@x",)}
        assert not list(index.check())
        index.set_policy(Policy(index.origin, mute=Mute(edges=frozenset([(b"m@x", b"q@x")]))))
        assert pointers(index, "q@x") == {}
        assert pointers(index, "p@x") == {"p@x": ("m@x",)}
        index.set_policy(Policy(index.origin))
        index.retract(["m@x"])
        assert pointers(index, "p@x") == pointers(index, "q@x") == {}
        assert not list(index.check())


def test_check_finds_a_row_of_them_that_is_wrong(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("l", write(tmp_path / "l.mbox", *TORN))
        index.store.connection.execute("DELETE FROM rivals")
        assert [problem.derived for problem in index.check()] == [True]
        index.repair()
        assert pointers(index, "p@x") == {"p@x": ("m@x",)}
        assert not list(index.check())
