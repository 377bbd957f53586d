"""Tables for people."""

from __future__ import annotations

from weft.cli._tables import draw_table
from weft.render.sanitize import width

HEADS = ("day", "number", "subject", "id")
ROWS = [("2003-02-10", 5, "a very long subject that goes on and on and on", "<a@x>"), ("", 500, "日本語", "<b@x>")]


def test_the_elastic_column_takes_the_room_that_is_left() -> None:
    for columns in (60, 65, 70):
        lines = list(draw_table(HEADS, ROWS, elastic=2, columns=columns))
        assert max(map(width, lines)) == columns


def test_no_column_is_wider_than_what_stands_in_it() -> None:
    assert list(draw_table(HEADS, [("x", 1, "y", "z")], elastic=2, columns=200)) == [
        "day  number  subject  id",
        "x         1  y        z",
    ]


def test_numbers_stand_at_the_right_and_columns_in_line_whatever_the_script() -> None:
    first, second = list(draw_table(HEADS, ROWS, elastic=2, columns=70))[1:]
    assert first[: first.index("5") + 1].endswith("     5")
    assert width(first[: first.index("<a@x>")]) == width(second[: second.index("<b@x>")])


def test_the_last_column_is_never_cut() -> None:
    name = "<" + "a" * 100 + "@x>"
    assert list(draw_table(HEADS, [("d", 1, "s" * 90, name)], elastic=2, columns=40))[1].endswith(name)


def test_nothing_of_mail_reaches_the_terminal_uncleaned() -> None:
    lines = list(draw_table(HEADS, [("\x1b[2J", 1, "a\nb\u202e", "<\x07>")], elastic=2, columns=80))
    assert len(lines) == 2
    assert not set("\x1b\n\u202e\x07") & set("".join(lines))
