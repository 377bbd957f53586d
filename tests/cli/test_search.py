"""``weft search``: words of subjects and authors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.archives import mail
from tests.cli.homes import Home
from tests.cli.running import ROOT


def found(home: Home, *arguments: str) -> set[str]:
    return {one["id"] for one in json.loads(home.weft("search", "--json", *arguments).out)}


def test_the_table_has_a_line_for_each_message(story: Home) -> None:
    ran = story.weft("search", "boilerplate")
    assert (ran.code, ran.err) == (0, [])
    head, *rows = ran.text.splitlines()
    assert head.split() == ["date", "from", "list", "subject", "id"]
    assert len(rows) == 2
    assert all("boilerplate" in row and row.endswith(">") for row in rows)


def test_json_is_an_array_of_objects_with_the_root_of_the_thread(story: Home) -> None:
    [one] = json.loads(story.weft("search", "--json", "across").out)
    assert one["id"] == "87k7g6yu5e.fsf@okafor.example.net"
    assert one["format"] == 1
    assert one["root"] == ROOT
    assert one["date"] == "2003-02-11T14:26:37+00:00"
    assert one["from"] == "Bruno Okafor <bruno@okafor.example.net>"
    assert one["list"] in ("drafts", "smtp-ops")
    assert "the thread that runs across" in one["subject"]


def test_all_of_the_words_must_be_there_in_subject_or_author(story: Home) -> None:
    assert len(found(story, "okafor")) == 3
    assert found(story, "okafor", "boilerplate") < found(story, "okafor")
    assert found(story, "okafor", "boilerplate")
    assert found(story, "OKAFOR") == found(story, "okafor")


def test_letters_of_any_script_are_found(home: Home, tmp_path: Path) -> None:
    (tmp_path / "l.mbox").write_bytes(mail("a@x.example", subject="=?utf-8?B?5pel5pys6Kqe?= Grüße"))
    home.weft("ingest", tmp_path / "l.mbox")
    assert found(home, "grüße") == {"a@x.example"}
    assert found(home, "日本語") == {"a@x.example"}


def test_nothing_found_is_exit_1_and_said(story: Home) -> None:
    ran = story.weft("search", "xylophone")
    assert (ran.code, ran.out, ran.err) == (1, b"", ["weft: no subject or author has all of these words"])
    assert story.weft("search", "--json", "xylophone").out == b"[]\n"


def test_no_more_than_asked_for_and_it_says_so(story: Home) -> None:
    ran = story.weft("search", "--limit", "2", "thread")
    assert len(ran.text.splitlines()) == 3
    assert ran.err == ["weft: these are the first 2; --limit gives more"]
    assert story.weft("search", "--limit", "2", "boilerplate").err == [], "there are just two"


@pytest.mark.parametrize(
    "words",
    ['"', "'", "*", "a*", "(", "NEAR(", "subject:x", "AND", "OR", "NOT x", "-x", "^", "{", "\x00", "\udce4", ";--"],
)
def test_no_words_break_the_query(story: Home, words: str) -> None:
    ran = story.weft("search", "--", words)
    assert ran.code in (0, 1, 2)
    assert len(ran.err) <= 1
    assert "defect" not in "".join(ran.err)


def test_what_mail_says_is_cleaned(home: Home, tmp_path: Path) -> None:
    (tmp_path / "l.mbox").write_bytes(mail("a\x07@x.example", subject="hello \x1b[2J\u202e"))
    home.weft("ingest", tmp_path / "l.mbox")
    text = home.weft("search", "hello").text
    assert text.count("\n") == 2
    assert not set("\x1b\u202e\x07") & set(text)


def test_no_word_is_an_error_of_usage(story: Home) -> None:
    assert story.weft("search").code == 2
