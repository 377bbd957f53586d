"""``weft scan``: what would be read, on which list, and what would not be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.command_runner import weft
from tests.sources.test_containers import tar_of


def message(name: str, date: str = "Tue, 11 Feb 2003 10:00:00 +0000") -> bytes:
    return f"From: ann@example.org\nDate: {date}\nMessage-ID: <{name}@example.org>\nSubject: S\n\ntext\n".encode()


def mbox(*messages: bytes) -> bytes:
    return b"".join(b"From ann@example.org Tue Feb 11 10:00:00 2003\n" + one + b"\n" for one in messages)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, data in {
        "dev/2003-January.txt": mbox(message("a", "Wed, 1 Jan 2003 23:00:00 -0500"), message("b")),
        "dev/2003-February.txt.gz": gzip.compress(mbox(message("c", "Fri, 28 Feb 2003 00:00:00 +0000"))),
        "dev/index.html": b"<html>",
        "mails/1.eml": message("d", "no date"),
        "mails/2.eml": message("e", "no date"),
        "more.tar": tar_of({"users.mbox": mbox(message("f")), "x.pst": b"!BDN"}),
        "old.pst": b"!BDN",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_a_table_of_lists_and_what_is_refused_on_stderr(tree: Path) -> None:
    ran = weft("scan", tree)
    assert ran.code == 3
    assert [line.split() for line in ran.text.splitlines()] == [
        ["list", "form", "files", "messages", "oldest", "newest"],
        ["dev", "mbox", "2", "3", "2003-01-02", "2003-02-28"],
        ["mails", "messages", "2", "2"],
        ["more.users", "tar", "1", "1", "2003-02-11", "2003-02-11"],
    ]
    assert len(ran.err) == 2
    assert all("readpst" in line for line in ran.err)
    assert (weft("scan", tree / "dev").code, weft("scan", tree / "dev").err) == (0, [])


def test_the_same_for_programs(tree: Path) -> None:
    ran = weft("scan", "--json", tree)
    found = json.loads(ran.text)
    assert (ran.code, ran.err, found["format"]) == (3, [], 1)
    assert found["lists"][0] == {
        "list": "dev", "form": "mbox", "files": 2, "messages": 3,
        "oldest": "2003-01-02T04:00:00+00:00", "newest": "2003-02-28T00:00:00+00:00",
    }  # fmt: skip
    assert found["lists"][1]["oldest"] is None
    assert [one["path"] for one in found["refused"]] == [f"{tree}/old.pst", f"{tree}/more.tar: x.pst"]
    assert {one["skipped"] for one in found["refused"]} == {1}


def test_nothing_is_an_empty_table(tmp_path: Path) -> None:
    ran = weft("scan", tmp_path)
    assert (ran.code, ran.text) == (0, "")
    assert "no mail" in ran.err[0]
