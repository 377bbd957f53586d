"""``weft search``: words of subjects and authors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.factories import mail


def found(home: Home, *arguments: str) -> set[str]:
    return {one["id"] for one in json.loads(home.weft("search", "--json", *arguments).out)}


def test_the_table_has_a_line_for_each_message(story: Home) -> None:
    ran = story.weft("search", "boilerplate", "--format", "table")
    assert (ran.code, ran.err) == (0, [])
    head, *rows = ran.text.splitlines()
    assert head.split() == ["handle", "date", "from", "list", "subject"]
    assert len(rows) == 2
    assert all("boilerplate" in row and row.startswith("~") for row in rows)


def test_where_stdout_is_no_terminal_ids_are_printed_which_other_commands_take(story: Home) -> None:
    ran = story.weft("search", "boilerplate")
    assert ran.text.splitlines() == [f"<{one}>" for one in ids(story, "boilerplate")]
    assert story.weft("search", "boilerplate", "--ids").out == ran.out
    shown = story.weft("show", "-", stdin=ran.out)
    assert shown.code == 0
    assert shown.text.count("boilerplate") == 1


@pytest.mark.parametrize(("name", "between"), [("csv", ","), ("tsv", "\t")])
def test_rows_are_for_spreadsheets_too(story: Home, name: str, between: str) -> None:
    head, *rows = story.weft("search", "boilerplate", "--format", name).text.splitlines()
    assert head.split(between) == ["id", "root", "list", "date", "from", "subject", "variants"]
    assert [row.split(between)[0] for row in rows] == ids(story, "boilerplate")
    lines = story.weft("search", "boilerplate", "--format", "jsonl").text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids(story, "boilerplate")


def test_json_is_an_array_of_objects_with_the_root_of_the_thread(story: Home) -> None:
    [one] = json.loads(story.weft("search", "--json", "across").out)
    assert one["id"] == "87k7g6yu5e.fsf@okafor.example.net"
    assert one["format"] == 1
    assert one["root"] == ROOT
    assert one["date"] == "2003-02-11T14:26:37+00:00"
    assert one["from"] == "Bruno Okafor <bruno@okafor.example.net>"
    assert one["list"] in ("drafts", "smtp-ops")
    assert "the thread that runs across" in one["subject"]


def ids(home: Home, *arguments: str) -> list[str]:
    """The ids of what is found, in order."""
    return [one["id"] for one in json.loads(home.weft("search", "--json", *arguments).out)]


def dated(home: Home, tmp_path: Path, **dates: str) -> Home:
    """A home with a message for each date, the name its id and a word of its subject."""
    mails = (
        mail(f"{name}@x.example", subject=f"all {name}", headers=[f"Date: {date}"] if date else [])
        for name, date in dates.items()
    )
    (tmp_path / "l.mbox").write_bytes(b"".join(mails))
    assert home.weft("ingest", tmp_path / "l.mbox").code == 0
    return home


def test_the_newest_comes_first_and_what_has_no_date_or_one_in_the_future_last(home: Home, tmp_path: Path) -> None:
    dated(
        home, tmp_path, b="Mon, 10 Feb 2003 10:00:00 +0000", none="", c="Mon, 10 Feb 2003 06:00:00 -0500",
        future="Mon, 10 Feb 2103 10:00:00 +0000", a="Sun, 9 Feb 2003 10:00:00 +0000",
    )  # fmt: skip
    assert ids(home, "all")[:3] == ["c@x.example", "b@x.example", "a@x.example"]
    assert set(ids(home, "all")[3:]) == {"none@x.example", "future@x.example"}


def test_the_pages_of_a_search_are_all_of_it_in_order(home: Home, tmp_path: Path) -> None:
    days = [f"Mon, {day} Feb 2003 10:00:00 +0000" for day in (3, 1, 2)] + [""]
    dated(home, tmp_path, **{f"m{number}": days[number % 4] for number in range(17)})
    whole = ids(home, "all", "--limit", "100")
    assert len(whole) == 17
    pages, page = [], ids(home, "all", "--limit", "4")
    while page:
        pages += page
        page = ids(home, "all", "--limit", "4", "--after", page[-1])
    assert pages == whole
    ran = home.weft("search", "all", "--after", whole[-1])
    assert (ran.code, ran.err) == (1, ["weft: no more messages have all of these words"])
    assert home.weft("search", "all", "--after", "nobody@x.example").code == 1


def test_since_leaves_out_what_is_older_or_has_no_date(home: Home, tmp_path: Path) -> None:
    dated(
        home, tmp_path, old="Mon, 10 Feb 2003 09:59:59 +0000", new="Mon, 10 Feb 2003 10:00:00 +0000", none="",
        future="Mon, 10 Feb 2103 10:00:00 +0000",
    )  # fmt: skip
    assert ids(home, "all", "--since", "2003-02-10T10:00:00Z") == ["new@x.example"]
    assert ids(home, "all", "--since", "2003-02-11") == []
    assert home.weft("search", "all", "--since", "yesterday").code == 2


def test_of_a_list_only_its_copies_are_found(story: Home) -> None:
    both = json.loads(story.weft("search", "--json", "--limit", "99", "thread").out)
    for name in ("drafts", "smtp-ops"):
        found = json.loads(story.weft("search", "--json", "--limit", "99", "--list", name, "thread").out)
        assert {one["list"] for one in found} == {name}
        assert {one["id"] for one in found} < {one["id"] for one in both}
    ran = story.weft("search", "--list", "none", "thread")
    assert (ran.code, len(ran.err)) == (1, 1)
    assert "weft lists" in ran.err[0]


def test_each_message_is_found_once_however_many_copies_it_has(story: Home) -> None:
    whole = ids(story, "--limit", "99", "introduction")
    assert len(whole) == len(set(whole)) == 16


def test_quoted_words_follow_each_other(home: Home, tmp_path: Path) -> None:
    subjects = ("The Thread-Index of old", "index of the thread", "a thr\u00e9ad   index", "threads index")
    mails = (mail(f"{name}@x.example", subject=subject) for name, subject in zip("abcd", subjects, strict=True))
    (tmp_path / "l.mbox").write_bytes(b"".join(mails))
    home.weft("ingest", tmp_path / "l.mbox")
    assert found(home, "thread", "index") == {"a@x.example", "b@x.example", "c@x.example"}
    assert found(home, "thread index") == found(home, "thread", "index"), "the shell's quotes are not ours"
    assert found(home, '"thread index"') == {"a@x.example", "c@x.example"}
    assert found(home, '"thread index"', "old") == {"a@x.example"}
    assert found(home, 'subject:"thread index"') == {"a@x.example", "c@x.example"}
    assert found(home, 'from:"thread index"') == set()
    assert found(home, '"of old', "index") == {"a@x.example"}, "a quote that is not closed is none"


def test_a_word_can_be_asked_for_in_the_subject_or_the_sender_only(home: Home, tmp_path: Path) -> None:
    first = mail("a@x.example", subject="ask carol", headers=["From: Bruno <bruno@y.example>"])
    second = mail("b@x.example", subject="ask bruno", headers=["From: Carol <carol@y.example>"])
    (tmp_path / "l.mbox").write_bytes(first + second)
    home.weft("ingest", tmp_path / "l.mbox")
    assert found(home, "bruno") == {"a@x.example", "b@x.example"}
    assert found(home, "from:bruno") == found(home, "FROM:Bruno", "ask") == {"a@x.example"}
    assert found(home, "subject:bruno") == {"b@x.example"}
    assert found(home, "from:carol", "subject:carol") == set()
    assert found(home, "from:bruno@y.example") == {"a@x.example"}, "all words of the address"


def test_words_are_whole_and_an_underscore_is_no_letter(home: Home, tmp_path: Path) -> None:
    (tmp_path / "l.mbox").write_bytes(mail("a@x.example", subject="rename old_name everywhere"))
    home.weft("ingest", tmp_path / "l.mbox")
    assert found(home, "old_name") == found(home, "name") == {"a@x.example"}
    assert found(home, "every") == set()
    assert found(home, "every*") == {"a@x.example"}


def test_letters_that_are_newer_than_those_of_sqlite_are_one_line_that_does_not_blame_the_index(story: Home) -> None:
    ran = story.weft("search", "x\u19b0y")
    assert (ran.code in (1, 2), ran.out, len(ran.err)) == (True, b"", 1)
    assert "words have" in ran.err[0]


def test_hundreds_of_words_are_asked_for(story: Home) -> None:
    assert story.weft("search", *(f"word{number}" for number in range(600))).code == 1
    assert story.weft("search", *(f"a{number} OR -b{number} c" for number in range(400))).code in {1, 2}


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
    assert (ran.code, ran.out, ran.err) == (1, b"", ["weft: no message has all of these words"])
    assert story.weft("search", "--json", "xylophone").out == b"[]\n"


def test_no_more_than_asked_for_and_it_says_how_to_go_on(story: Home) -> None:
    ran = story.weft("search", "--limit", "2", "thread")
    assert len(ran.text.splitlines()) == 2
    [said] = ran.err
    assert said.startswith("weft: there are more; go on with: --after ~")
    following = story.weft("search", "--limit", "2", "thread", "--after", said.split()[-1])
    assert ran.text + following.text == story.weft("search", "--limit", "4", "thread").text
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
    for form in ("table", "ids", "csv", "tsv"):
        text = home.weft("search", "hello", "--format", form).text
        assert text.count("\n") == (1 if form == "ids" else 2)
        assert not set("\x1b\u202e\x07") & set(text)
    assert home.weft("show", "-", stdin=home.weft("search", "hello").out).code == 0, "an id that cannot be shown too"


def test_no_word_is_an_error_of_usage(story: Home) -> None:
    assert story.weft("search").code == 2
