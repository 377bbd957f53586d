"""``weft export``: all threads, in every format."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT
from tests.cli.foreign_claims import claim, receive
from tests.cli.server_home import Home
from tests.factories import mail


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


def test_mail_that_came_from_peers_is_counted_on_one_line_and_named_if_there_is_little_of_it(story: Home) -> None:
    whole = story.weft("export", "--format", "mboxrd").out
    receive(story, claim("p0@x.example"))
    ran = story.weft("export", "--format", "mboxrd")
    assert (ran.code, ran.out) == (3, whole)
    assert ran.err == ["weft: 1 message is not in this mail, because it came from a peer: <p0@x.example>"]
    receive(story, *(claim(f"p{number}@x.example") for number in range(1, 40)))
    ran = story.weft("export", "--format", "mboxrd")
    assert (ran.code, ran.out) == (3, whole)
    assert ran.err == ["weft: 40 messages are not in this mail, because they came from peers (--debug names them)"]
    [line] = story.weft("export", "--format", "mboxrd", "--debug").err
    assert all(f"<p{number}@x.example>" in line for number in range(40))


def test_threads_counts_what_came_from_peers_too(story: Home) -> None:
    receive(story, *(claim(f"p{number}@x.example") for number in range(8)))
    ran = story.weft("threads", "--format", "mboxrd", "--list", "git")
    assert (ran.code, ran.out, len(ran.err)) == (3, b"", 1)
    assert "8 messages are not in this mail" in ran.err[0]


def test_mail_that_is_gone_is_named_beside_the_count_of_what_came_from_peers(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(b"".join(mail(f"m{number}@x.example") for number in range(5)))
    home.weft("ingest", path)
    receive(home, *(claim(f"p{number}@x.example") for number in range(9)))
    path.unlink()
    ran = home.weft("export", "--format", "mboxrd")
    assert ran.code == 3
    assert [line for line in ran.err if "its file is gone" in line] == [
        f"weft: m{number}@x.example: the mail is not here: its file is gone" for number in range(5)
    ]
    assert len(ran.err) == 6


def test_mail_of_stdin_did_not_come_from_a_peer(home: Home) -> None:
    home.weft("ingest", "drafts=-", stdin=DRAFTS.read_bytes())
    ran = home.weft("export", "--format", "mboxrd")
    assert (ran.code, ran.out, len(ran.err)) == (3, b"", 1)
    assert "13 messages are not in this mail, because no file of" in ran.err[0]
    assert "peer" not in ran.err[0]
    home.weft("ingest", DRAFTS)
    assert home.weft("export", "--format", "mboxrd").code == 0, "what the line says to do helps"


def test_a_full_disk_is_one_line_and_leaves_no_file(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drafts.mbox.gz").write_bytes(gzip.compress(DRAFTS.read_bytes()))
    home.weft("ingest", tmp_path / "drafts.mbox.gz")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    ran = home.weft("export", "--format", "mboxrd", "-o", tmp_path / "out")
    assert (ran.code, len(ran.err)) == (1, 1)
    assert "set TMPDIR to a folder with more room" in ran.err[0]
    assert not (tmp_path / "out").exists()


def test_a_file_that_was_ingested_although_it_unfolds_far_is_exported_the_same_way(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox.gz"
    path.write_bytes(gzip.compress(mail("a@x.example", body="x" * (17 << 20)) + mail("b@x.example")))
    home.weft("ingest", "--max-ratio", "2000", path)
    ran = home.weft("export", "--format", "mboxrd", "--thread", "b@x.example")
    assert (ran.code, ran.out, len(ran.err)) == (3, b"", 1)
    assert "--max-ratio allows 200" in ran.err[0]
    ran = home.weft("export", "--format", "mboxrd", "--thread", "b@x.example", "--max-ratio", "2000")
    assert (ran.code, ran.out.count(b"Message-ID: <b@x.example>")) == (0, 1)
