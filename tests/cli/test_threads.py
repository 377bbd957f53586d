"""``weft threads``: the newest first, a page at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_runner import ROOT, Ran
from tests.cli.server_home import Home
from tests.factories import mail


def roots(ran: Ran) -> list[str]:
    """The roots in a ``--json`` output."""
    assert ran.code == 0, ran.err
    return [thread["root"] for thread in json.loads(ran.out)]


def cells(ran: Ran) -> list[list[str]]:
    """The words of the lines of a table, without its head."""
    return [line.split() for line in ran.text.splitlines()[1:]]


@pytest.fixture
def seven(home: Home, tmp_path: Path) -> Home:
    """Seven threads of one mail each: ``0@x.example`` of 1 January 2003, and so on."""
    dated = (mail(f"{day}@x.example", headers=[f"Date: {day + 1} Jan 2003 12:00:00 +0000"]) for day in range(7))
    (tmp_path / "l.mbox").write_bytes(b"".join(dated))
    home.weft("ingest", tmp_path / "l.mbox")
    return home


def test_the_table_has_a_line_for_each_thread_and_says_what_it_lacks(story: Home) -> None:
    ran = story.weft("threads")
    assert ran.text.splitlines()[0].split() == ["handle", "newest", "messages", "not", "seen", "lists", "subject"]
    rows = cells(ran)
    assert len(rows) == 3
    assert rows[0][:6] == ["~n4s3p", "2003-02-11", "16", "2", "drafts", "smtp-ops"]
    assert story.weft("show", rows[0][0]).out == story.weft("show", ROOT).out
    assert ran.err == []


def test_the_one_with_the_newest_message_is_first(seven: Home) -> None:
    assert roots(seven.weft("threads", "--json")) == [f"{day}@x.example" for day in range(6, -1, -1)]


def test_pages_follow_each_other_and_say_so(seven: Home) -> None:
    found: list[str] = []
    after: list[str] = []
    for more in (True, True, False):
        ran = seven.weft("threads", "--json", "--limit", "3", *after)
        found += roots(ran)
        assert len(ran.err) == more
        after = ran.err[0].split(": ")[-1].split() if more else []
    assert found == roots(seven.weft("threads", "--json"))


def test_a_page_that_is_just_full_says_nothing_of_more(seven: Home) -> None:
    assert seven.weft("threads", "--limit", "7").err == []
    assert seven.weft("threads", "-q", "--limit", "6").err == []


@pytest.mark.parametrize("limit", ["9223372036854775807", "9" * 30])
def test_a_limit_may_be_as_large_as_anybody_likes(seven: Home, limit: str) -> None:
    assert seven.weft("threads", "--limit", limit) == seven.weft("threads")


def test_only_those_of_a_list(story: Home) -> None:
    assert len(roots(story.weft("threads", "--json"))) == 3
    for name in ("drafts", "smtp-ops"):
        found = roots(story.weft("threads", "--json", "--list", name))
        assert len(found) == 2
        assert ROOT in found


@pytest.mark.parametrize(("since", "number"), [("2003-01-05", 3), ("2003-01-05T12:00:00Z", 3), ("7d", 0), ("100y", 7)])
def test_only_those_with_a_message_since_then(seven: Home, since: str, number: int) -> None:
    assert len(roots(seven.weft("threads", "--json", "--since", since))) == number


def test_only_those_that_lack_a_message_which_others_answer(story: Home, home: Home, tmp_path: Path) -> None:
    assert roots(story.weft("threads", "--json", "--missing")) == [ROOT]
    leaf = mail("b@x.example", headers=["In-Reply-To: <a@x.example> <ghost@x.example>"])
    (tmp_path / "l.mbox").write_bytes(mail("a@x.example") + leaf)
    home.weft("ingest", tmp_path / "l.mbox")
    assert roots(home.weft("threads", "--json", "--missing")) == []


def test_no_thread_is_said_and_no_failure(story: Home) -> None:
    ran = story.weft("threads", "--since", "7d")
    assert (ran.code, ran.out, ran.err) == (0, b"", ["weft: no thread"])
    assert json.loads(story.weft("threads", "--json", "--since", "7d").out) == []


@pytest.mark.parametrize("name", ["jsonl", "dot", "graphml", "mboxrd"])
def test_the_other_formats_hold_whole_threads(story: Home, name: str) -> None:
    ran = story.process("threads", "--format", name)
    assert (ran.code, ran.err) == (0, [])
    assert ROOT in ran.text


def test_a_list_that_is_not_there_and_an_id_that_nobody_names_are_one_line(story: Home) -> None:
    for option in (("--list", "none"), ("--after", "nobody@x.example")):
        ran = story.weft("threads", *option)
        assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)


@pytest.mark.parametrize("option", [("--since", "never"), ("--limit", "0"), ("--after", "")], ids=" ".join)
def test_what_cannot_be_meant_is_one_line_and_exit_2(story: Home, option: tuple[str, str]) -> None:
    ran = story.weft("threads", *option)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)


def test_an_output_file_has_the_table(story: Home, tmp_path: Path) -> None:
    assert story.weft("threads", "-o", tmp_path / "out").out == b""
    assert "~n4s3p" in (tmp_path / "out").read_text()


def test_a_thread_whose_dates_cannot_be_read_is_last(home: Home, tmp_path: Path) -> None:
    undated: dict[str, Any] = {"headers": ["Date: yesterday"]}
    (tmp_path / "l.mbox").write_bytes(
        mail("a@x.example", **undated) + mail("b@x.example", headers=["Date: 1 Jan 1971 00:00:00 +0000"])
    )
    home.weft("ingest", tmp_path / "l.mbox")
    ran = home.weft("threads")
    assert roots(home.weft("threads", "--json")) == ["b@x.example", "a@x.example"]
    assert cells(ran)[1][1:3] == ["no", "date"]
