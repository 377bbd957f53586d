"""``weft export``: all threads, in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.homes import Home
from tests.cli.running import DRAFTS, OPS, ROOT


@pytest.mark.parametrize("name", ["text", "mboxrd", "dot", "graphml"])
def test_each_format_holds_what_a_rebuild_of_the_same_mail_does(story: Home, name: str) -> None:
    ran = story.process("export", "--format", name)
    assert (ran.code, ran.err) == (0, [])
    assert ran.out == story.process("rebuild", "--format", name, DRAFTS, OPS).out


def test_json_has_the_threads_of_a_rebuild_in_their_order(story: Home) -> None:
    ours, rebuilt = (json.loads(story.weft(*line, "--json").out) for line in (("export",), ("rebuild", DRAFTS, OPS)))
    assert [thread["root"] for thread in ours] == [thread["root"] for thread in rebuilt]
    for thread, other in zip(ours, rebuilt, strict=True):
        for message in thread["messages"]:
            for copy in message["copies"]:
                del copy["origin"]
        assert thread["messages"] == other["messages"]
    lines = story.weft("export", "--format", "jsonl").text.splitlines()
    assert [json.loads(line)["root"] for line in lines] == [thread["root"] for thread in ours]


def test_one_thread_or_those_of_a_list(story: Home) -> None:
    def roots(*arguments: str) -> list[str]:
        return [thread["root"] for thread in json.loads(story.weft("export", "--json", *arguments).out)]

    assert roots("--thread", ROOT, "--thread", "87smuvyw1c.fsf@okafor.example.net") == [ROOT]
    assert len(roots()) == 3
    assert len(roots("--list", "drafts")) == 2
    assert roots("--list", "drafts", "--thread", ROOT) == [ROOT]


def test_an_output_file_holds_what_stdout_would_and_nothing_is_overwritten(story: Home, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    ran = story.weft("export", "--json", "-o", out)
    assert (ran.code, ran.out, ran.err) == (0, b"", [])
    assert out.read_bytes() == story.weft("export", "--json").out
    assert story.weft("export", "-o", out).code == 2
    assert json.loads(out.read_bytes())


def test_a_failed_export_leaves_no_file(story: Home, tmp_path: Path) -> None:
    assert story.weft("export", "--thread", "nobody@x.example", "-o", tmp_path / "out").code == 1
    assert not (tmp_path / "out").exists()


def test_a_list_that_is_not_there_is_one_line_and_exit_1(story: Home) -> None:
    ran = story.weft("export", "--list", "none")
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert "weft lists" in ran.err[0]


def test_mail_that_is_gone_is_named_and_exit_3(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "drafts.mbox"
    path.write_bytes(DRAFTS.read_bytes())
    home.weft("ingest", path, OPS)
    path.unlink()
    ran = home.process("export", "--format", "mboxrd", "-o", tmp_path / "out")
    assert ran.code == 3
    assert len(ran.err) == 7, "six of the thirteen are on the other list too"
    assert (tmp_path / "out").read_bytes().count(b"\nMessage-ID: ") == 13


def test_an_empty_index_exports_nothing(home: Home, tmp_path: Path) -> None:
    (tmp_path / "l.mbox").touch()
    home.weft("ingest", tmp_path / "l.mbox")
    assert (home.weft("export").code, home.weft("export").out) == (0, b"")
    assert json.loads(home.weft("export", "--json").out) == []
