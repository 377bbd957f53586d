"""What somebody searches for: each form, and every line that somebody may write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.factories import mail
from tests.index.factories import open_index, write
from weft.core.moment import parse_period
from weft.errors import UsageError, WeftError
from weft.index.index import Index
from weft.index.schema import SEARCH
from weft.index.search_query import OPERATORS, SearchQuery

NOW = 1_700_000_000


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2024", (at(2024, 1, 1), at(2025, 1, 1))),
        ("2024-01", (at(2024, 1, 1), at(2024, 2, 1))),
        ("2024-12", (at(2024, 12, 1), at(2025, 1, 1))),
        ("2024-01-05", (at(2024, 1, 5), at(2024, 1, 6))),
        ("2024-01..2024-06", (at(2024, 1, 1), at(2024, 7, 1))),
        ("2024-01-05T12:00:00Z..", (at(2024, 1, 5, 12), None)),
        ("..2023", (None, at(2024, 1, 1))),
        ("7d..", (NOW - 7 * 86400, None)),
    ],
)
def test_periods(text: str, period: tuple[int | None, int | None]) -> None:
    assert parse_period(text, NOW) == period


@pytest.mark.parametrize(
    "text", ["..", "2024-13", "0000", "2024..2023", "never", "", "2024-02-30", "9999-12", "1..2..3"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_period(text, NOW)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("search")

    def one(name: str, subject: str, author: str, day: str, *references: str) -> bytes:
        headers = [f"From: {author} <{author}@x.example>", f"Date: {day} 2024 12:00:00 +0000"]
        return mail(f"{name}@x", [f"{one}@x" for one in references], subject=subject, headers=headers)

    git = write(
        folder / "git.mbox",
        one("a", "threads of mail", "ada", "1 Jan"),
        one("b", "Re: threads of mail", "bruno", "2 Feb", "a"),
        one("c", "threading the mail", "carol", "3 Mar", "ghost"),
    )
    ietf = write(folder / "ietf.mbox", one("d", "mail of threads", "ada", "4 Apr"), one("e", "other", "emi", "5 May"))
    with open_index(folder) as made:
        made.ingest("git", git)
        made.ingest("ietf", ietf)
        yield made


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("threads", "dba"),
        ("thread*", "dcba"),
        ("thr* mail", "dcba"),
        ("threads -re", "da"),
        ("mail -threads", "c"),
        ("mail NOT threads", "c"),
        ('mail -"of mail"', "dc"),
        ("other OR threading", "ec"),
        ("threads from:bruno OR other", "eb"),
        ('"of mail" OR other', "eba"),
        ('"of threads" OR threading', "dc"),
        ("threads OR other -emi", "dba"),
        ("threads AND mail", "dba"),
        ("subject:thread* from:ada", "da"),
        ("from:ad*", "da"),
        ("-from:ada threads", "b"),
        ("mail list:git", "cba"),
        ("mail date:2024-02..2024-03", "cb"),
        ("mail date:2024-01", "a"),
        ("mail since:2024-03-01", "dc"),
        ("mail until:2024-02-02", "a"),
        ("mail thread:b@x", "ba"),
        ("mail thread:<a@x>", "ba"),
        ("mail id:c@x", "c"),
        ("mail has:missing", "c"),
        ("mail list:git since:2024-02-01 -threads", "c"),
        ("Re: threads", "b"),
    ],
)
def test_each_form_finds_what_it_says(index: Index, words: str, found: str) -> None:
    assert "".join(one.message_id[0] for one in index.search(words)) == found


def test_a_thread_and_a_message_can_be_named_by_their_handles(index: Index) -> None:
    handles = index.handles(["b@x", "c@x"])
    assert [one.message_id for one in index.search(f"mail thread:{handles['b@x']}")] == ["b@x", "a@x"]
    assert [one.message_id for one in index.search(f"mail id:{handles['c@x']}")] == ["c@x"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("form:ada mail", "there is no operator form:"),
        ("net:x", "subject:, from:, list:, date:"),
        ("-mail", "nothing to search for"),
        ("list:git", "nothing to search for"),
        ("mail OR", "one side of OR"),
        ("OR", "one side of OR"),
        ("*", "nothing to search for"),
        ("mail has:attachment", "has:missing"),
        ("mail date:soon", "not a date"),
        ("mail -list:git", "may stand before words"),
        ("mail list:git list:ietf", "twice"),
        ("mail id:nobody@x", "no message here"),
        ("x " * 3000, "more than 2000"),
    ],
)
def test_what_is_not_understood_is_said(index: Index, words: str, said: str) -> None:
    with pytest.raises(WeftError, match=said.replace("*", r"\*")):
        index.search(words)


LINES = st.lists(
    st.sampled_from(
        [*(f"{one}:" for one in OPERATORS), "OR", "AND", "NOT", "-", '"', "*", "a", "b*", "é", "漢字", "2024", "..",
         "~abcde",
         " ", "(", ")", "^", "{", "NEAR", "+", ":", "'", "\x00", "\udce4"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(LINES)
@example('"漢 a" OR -b')
def test_every_line_is_a_query_or_refused(text: str) -> None:
    try:
        asked = SearchQuery.read(text, NOW)
    except UsageError:
        return
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(SEARCH)
        connection.execute("SELECT rowid FROM search WHERE search MATCH ?", (asked.query,)).fetchall()
    assert asked.holds("a subject", "an author") in {True, False}


WORD = st.sampled_from(["alpha", "beta", "gamma", "delta"])
TEXTS = st.lists(WORD, max_size=4).map(" ".join)


@given(st.lists(st.tuples(st.lists(WORD, min_size=1, max_size=2), st.lists(WORD, max_size=1)), min_size=1, max_size=3),
       st.lists(TEXTS, max_size=6))  # fmt: skip
def test_alternatives_of_words_are_what_they_say_in_plain_python(
    alternatives: list[tuple[list[str], list[str]]], subjects: list[str]
) -> None:
    line = " OR ".join(" ".join([*wanted, *(f"-{word}" for word in no)]) for wanted, no in alternatives)
    asked = SearchQuery.read(line)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(SEARCH)
        connection.executemany(
            "INSERT INTO search (rowid, subject, author) VALUES (?, ?, '')", list(enumerate(subjects, 1))
        )
        rows = connection.execute("SELECT rowid FROM search WHERE search MATCH ? ORDER BY 1", (asked.query,)).fetchall()
    expected = [
        number
        for number, subject in enumerate(subjects, 1)
        if any(
            set(wanted) <= set(subject.split()) and not set(no) & set(subject.split()) for wanted, no in alternatives
        )
    ]
    assert [row[0] for row in rows] == expected
    assert all(asked.holds(subjects[number - 1], "") for number in expected)
