"""Search in text without spaces: any part of it is found, and nothing that is not there."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.index.schema import SEARCH
from weft.index.search_query import SearchQuery
from weft.index.unspaced import pairs, spaced


def found(texts: list[str], words: str) -> list[int]:
    """Which of the texts hold the words, as the search of an index finds them."""
    connection = sqlite3.connect(":memory:")
    connection.execute(SEARCH)
    connection.executemany(
        "INSERT INTO search (rowid, subject, author) VALUES (?, ?, '')", enumerate(map(spaced, texts))
    )
    asked = SearchQuery.read(words)
    rows = [row for (row,) in connection.execute("SELECT rowid FROM search WHERE search MATCH ?", (asked.query,))]
    connection.close()
    return [row for row in rows if asked.holds(texts[row], "")]


TEXTS = [
    "全体会议的通知",
    "会議の件について",
    "오늘 게임을 했다",
    "ประชุมวันนี้ที่บ้าน",
    "ﾃｽﾄ Python入門 v2",
    "议会",
    "plain words",
    "က္ခဏာ",
]


@pytest.mark.parametrize(
    ("words", "rows"),
    [("会议", [0]), ("会議", [1]), ("게임", [2]), ("วันนี้", [3]), ("วันนื้", []), ("テスト", [4]),
     ("python 入門", [4]), ("Python入門", [4]), ("会", [0, 1, 5]), ("议", [0, 5]), ("知", [0]), ("会议 通知", [0]),
     ('"会议的通知"', [0]), ('"会议通知"', []), ("议会", [5]),
     ("subject:会议", [0]), ("from:会议", []), ("plain", [6]), ('"python入門 v2"', [4]), ("入门", [])],
)  # fmt: skip
def test_words_of_text_without_spaces_are_found(words: str, rows: list[int]) -> None:
    assert found(TEXTS, words) == rows


letters = st.text(st.sampled_from("会议全体あいアガ가나กที่้ab1é "), max_size=12)


@given(st.lists(letters, min_size=1, max_size=4), st.integers(0, 12), st.integers(1, 6))
@settings(max_examples=examples(300), deadline=None)
def test_every_part_of_a_run_is_found_where_it_stands_and_nowhere_else(texts: list[str], start: int, size: int) -> None:
    part = texts[0][start : start + size]
    if not part or not pairs(part) or any(one in "ab1é " for one in part):
        return
    assert found(texts, part) == [row for row, text in enumerate(texts) if part in text]


def test_ascii_goes_into_the_table_as_it_is() -> None:
    text = "Re: plain words"
    assert spaced(text) is text
