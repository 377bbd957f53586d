from __future__ import annotations

import re
from datetime import UTC, datetime
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.samples import chain, ghost, hostile, message, odd, star, thread, threads, written
from weft.model import Thread
from weft.render.sanitize import clean, width
from weft.render.text import MIN_COLUMNS, draw_thread


def drawn(one: Thread, columns: int = 100) -> str:
    return "".join(f"{line}\n" for line in draw_thread(one, columns=columns))


def test_a_cross_posted_thread_with_a_ghost_is_drawn_as_a_tree() -> None:
    one = thread(
        message("a@x", None, 0, "ietf", "ietf-822", subject="Introduction and query"),
        message("b@x", "a@x", 1, "ietf", subject="Re: Introduction and query"),
        ghost("x@y", "b@x", 2, "ietf-822", named=2),
        message("c@x", "x@y", 3, "ietf-822", subject="Re: Introduction and query"),
        message("d@x", "b@x", 2, "ietf", subject="Re: Introduction and query"),
        message("e@x", "a@x", 1, "ietf", subject="AMDP"),
        message("f@x", "e@x", 2, "ietf", subject=""),
    )
    assert drawn(one, 90) == dedent("""\
        ietf, ietf-822                                        6 messages, 2 lists, 1 not seen here
          Introduction and query                        Ann Other        2003-02-10  ietf ietf-822
          ├─ Ann Other                                                   2003-02-10  ietf
          │  ├─ [not seen here, hearsay] <x@y>          named in 2 copies on ietf-822
          │  │  └─ Ann Other                                             2003-02-10  ietf-822
          │  └─ Ann Other                                                2003-02-10  ietf
          └─ AMDP                                       Ann Other        2003-02-10  ietf
             └─ (no subject)                            Ann Other        2003-02-10  ietf
        """)


def test_whatever_is_unusual_about_a_message_is_marked() -> None:
    assert drawn(odd(), 99) == dedent("""\
        git, ietf                                                      6 messages, 2 lists, 1 not seen here
          [not seen here] <lost@x>                                   named in 2 copies on git ietf
          ├─ Tabs                                                    Ann Other         2003-02-10  git ietf
          │  └─ [3 variants] Ann Other                                                 2003-02-10  git
          │     │  its copies have 3 different texts
          │     └─ [joined by subject] Ann Other                                       2003-02-10  git
          └─ [contested] [joined by subject] Re: tabs                Ann Other         2003-02-10  git
             │  rival parents: <a@x> or no parent
             └─ [cycle cut] Ann Other                                                  2003-02-10  git
                │  cut to end a cycle; its parent was <f@x>
                └─ Ann Other                                                           Yesterday   git
        """)


def test_a_node_made_up_for_equal_subjects_is_not_called_unseen() -> None:
    made_up = ghost("subject:tabs", named=0)._replace(joined=True, subject="tabs")
    text = drawn(thread(made_up, message("a@x", "subject:tabs", 1)._replace(joined=True)))
    assert text.splitlines()[1] == "  [same subject] tabs"
    assert "not seen" not in text
    assert "1 message, 1 list\n" in text


def test_of_many_rivals_some_are_shown_and_the_rest_counted() -> None:
    one = message("a@x")._replace(contested=True, rivals=tuple(f"{n}@x" for n in range(5000)))
    assert drawn(thread(one)).splitlines()[2].split("rival parents: ")[1] == (
        "<0@x> or <1@x> or <2@x> or <3@x> or <4@x> and 4995 more"
    )


@pytest.mark.parametrize(
    ("date", "day"),
    [
        ("1970-01-01T00:00:00+00:00", "1970-01-01 00:00"),
        ("2003-02-09T22:52:25-05:00", "2003-02-10 03:52"),
        ("2003-02-10T02:00:00+03:00", "2003-02-09 23:00"),
        ("2003-02-10T02:00:00+02:00", "2003-02-10 00:00"),
        ("9999-12-30T23:00:00-12:00", "9999-12-31 11:00"),
        ("0001-01-03T00:00:00-00:00", "0001-01-03 00:00"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01 00:00"),
        ("not a date at all", "not a date at al"),
    ],
)
def test_a_date_is_the_minute_in_utc_and_as_it_stands_where_utc_has_no_such_year(date: str, day: str) -> None:
    assert f"  {day}  git" in drawn(thread(message("a@x")._replace(date=date))).splitlines()[1]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "now"), (59, "now"), (60, "1 min ago"), (7199, "1 h ago"), (86400, "1 d ago"), (604799, "6 d ago"),
     (604800, "2003-02-10 03:52"), (-1, "2003-02-10 03:52")],
)  # fmt: skip
def test_the_last_week_is_told_as_how_long_ago(seconds: int, shown: str) -> None:
    one = thread(message("a@x")._replace(date="2003-02-10T03:52:25+00:00"))
    now = int(datetime(2003, 2, 10, 3, 52, 25, tzinfo=UTC).timestamp()) + seconds
    assert f"  {shown}  " in list(draw_thread(one, now=now))[1]


def test_handles_stand_before_the_tree_and_take_their_room_from_subjects() -> None:
    one = thread(message("a@x", subject="Tabs"), message("b@x", "a@x", 1))
    lines = list(draw_thread(one, columns=80, handles={"a@x": "~abcde", "b@x": "~abcdefg"}))
    assert [line[:14] for line in lines[1:]] == ["~abcde    Tabs", "~abcdefg  └─ A"]
    assert max(map(width, lines)) <= 80
    assert "~" not in "".join(draw_thread(one, columns=39, handles={"a@x": "~abcde"}))


def test_a_wide_terminal_has_no_gaps_that_are_wider_than_subjects_need() -> None:
    lines = list(draw_thread(thread(message("a@x"), message("b@x", "a@x", 1)), columns=240))
    assert max(map(width, lines)) <= 110


def test_rows_in_the_order_of_their_dates_look_sorted_whatever_zones_they_were_written_in() -> None:
    dates = ["2003-02-11T00:30:00+09:00", "2003-02-10T23:50:00+00:00", "2003-02-10T19:30:00-08:00"]
    one = thread(message("r@x"), *(message(date, "r@x", 1)._replace(date=date) for date in dates))
    assert [line.split()[-2] for line in drawn(one, 90).splitlines()[2:]] == ["2003-02-10", "2003-02-10", "2003-02-11"]


@pytest.mark.parametrize(
    ("author", "shown"),
    [
        ("ann at x.example (Ann Óther)", "Ann Óther"),
        ("ann@x.example (Ann Other)", "Ann Other"),
        ("Ann <ann@x.example>", "Ann"),
        ("ann at x.example", "ann at x.example"),
        ("<ann@x.example>", "ann@x.example"),
        ("", "(no name)"),
    ],
)
def test_an_author_is_a_name_or_where_there_is_none_an_address(author: str, shown: str) -> None:
    one = thread(message("a@x", subject="Tabs"), message("b@x", "a@x", 1, subject="Re: Tabs")._replace(author=author))
    assert drawn(one, 120).splitlines()[2].startswith(f"  └─ {shown}   ")


def test_a_subject_stands_again_only_where_it_changes_and_the_author_stands_there_elsewhere() -> None:
    one = thread(
        message("a@x", subject="[list] Tabs"),
        message("b@x", "a@x", 1, subject="RE: [list] Re:  tabs"),
        message("c@x", "b@x", 2, subject="Spaces (was: Tabs)"),
        message("d@x", "c@x", 3, subject="Re: Spaces (was: Tabs)"),
        message("e@x", "b@x", 2, subject="Re: Tabs"),
    )
    lines = drawn(one, 80).splitlines()[1:]
    assert [re.split("  +", line.lstrip("└├│─ "))[:2] for line in lines] == [
        ["[list] Tabs", "Ann Other"],
        ["Ann Other", "2003-02-10"],
        ["Spaces (was: Tabs)", "Ann Other"],
        ["Ann Other", "2003-02-10"],
        ["Ann Other", "2003-02-10"],
    ]
    assert len({line.index("2003-02-10") for line in lines}) == 1


def test_an_author_has_the_room_of_the_subject_too() -> None:
    name = "Somebody With a Name of Forty Characters"
    one = thread(message("a@x"), message("b@x", "a@x", 1)._replace(author=name))
    assert name in drawn(one, 80)


def test_who_answers_is_to_be_read_where_there_is_no_room_for_a_column_of_authors() -> None:
    assert drawn(chain(2), 40).splitlines()[2].startswith("  └─ Ann Other ")


def test_a_missing_and_an_unreadable_date_are_not_the_same() -> None:
    missing = message("a@x")._replace(date=None)
    text = drawn(thread(missing, missing._replace(id="b@x", parent="a@x", depth=1, stated_date="Tomorrow!")), 90)
    assert "  no date     git" in text
    assert "  Tomorrow!   git" in text


def test_the_id_of_a_ghost_has_all_the_room_that_there_is() -> None:
    own = "a-very-long-id-of-sixty-characters-in-all-so-that-people-look@x.example"
    assert drawn(thread(ghost(own, None, 0, "git"), message("a@x", own, 1))).splitlines()[1:3] == [
        f"  [not seen here] <{own}>",
        "  │  named in 1 copy on git",
    ]


def test_columns_stay_in_line_under_wide_and_combining_characters() -> None:
    subjects = ["plain", "漢字漢字", "漢" * 60, "e\u0301" * 5, "😀" * 40, "x" * 200, "z" + "\u0335" * 500]
    one = thread(message("r@x"), *(message(s, "r@x", 1, subject=s)._replace(author=s) for s in subjects))
    lines = drawn(one).splitlines()[1:]
    assert len({width(line.split("2003-02-10")[0]) for line in lines}) == 1
    assert len({width(line.split(subject[0], 1)[0]) for line, subject in zip(lines[1:], subjects, strict=True)}) == 1


@given(threads(), st.integers(0, 200))
def test_no_line_is_wider_than_the_terminal_or_holds_what_cannot_be_seen(one: Thread, columns: int) -> None:
    for line in draw_thread(one, columns=columns):
        assert width(line) <= max(columns, MIN_COLUMNS)
        assert clean(line) == line


@given(threads(), st.integers(20, 200))
def test_each_message_has_one_line_at_the_place_of_its_depth(one: Thread, columns: int) -> None:
    without_remarks = thread(
        *(
            message._replace(
                contested=False, cut=None, variants=1, named=0, named_on=(), rival_replies=(), aliases=(), guessed=False
            )
            for message in one.messages
        )
    )
    lines = list(draw_thread(without_remarks, columns=columns))[1:]
    assert len(lines) == len(one.messages)
    for line, message_of_it in zip(lines, one.messages, strict=True):
        stem = re.match(r"  ((?:│  |   )*)(?:([├└]─ )|\(\+(\d+)\) )?", line)
        assert stem
        if stem[2]:
            assert len(stem[1]) // 3 + 1 == message_of_it.depth


@given(threads(), st.integers(20, 200))
def test_colours_change_nothing_but_colour(one: Thread, columns: int) -> None:
    painted = written("text", one, columns=columns, color=True).decode()
    assert "\x1b[" in painted
    plain = re.sub(r"\x1b\[\d*m", "", painted)
    assert "\x1b" not in plain
    assert re.sub(" +\n", "\n", plain) == re.sub(" +\n", "\n", written("text", one, columns=columns).decode())


def test_nothing_but_the_colours_asked_for_can_move_the_cursor() -> None:
    assert b"\x1b" not in written("text", hostile())
    assert set(re.findall(rb"\x1b(?!\[\d*m)", written("text", hostile(), color=True))) == set()


def test_a_chain_of_fifty_thousand_has_short_lines_that_say_how_deep_they_are() -> None:
    lines = written("text", chain(50_000), columns=200).decode().splitlines()
    assert len(lines) == 50_001
    assert max(map(width, lines)) <= 200
    assert "(+49969) Ann Other" in lines[-1]
    assert lines[31].index("└─") == 2 + 29 * 3


def test_of_fifty_thousand_children_only_the_last_ends_the_branch() -> None:
    lines = written("text", star(50_000)).decode().splitlines()
    assert [line[2] for line in lines[2:]] == ["├"] * 49_999 + ["└"]


def test_threads_are_apart_by_a_blank_line_and_none_print_nothing() -> None:
    assert written("text") == b""
    one = written("text", thread(message("a@x")))
    assert written("text", thread(message("a@x")), thread(message("a@x"))) == one + b"\n" + one


def test_a_thread_that_nobody_saw_any_of_is_drawn_too() -> None:
    assert drawn(thread(ghost("g@x", named=0))).splitlines()[1] == "  [not seen here] <g@x>"


@pytest.mark.parametrize("columns", [1, 20, 39, 40, 50, 60, 80])
def test_a_narrow_terminal_leaves_out_columns_before_the_subject(columns: int) -> None:
    line = drawn(thread(message("a@x", subject="A subject"), message("b@x", "a@x", 1)), columns).splitlines()[1]
    assert line.startswith("  A subject")
    assert ("2003-02-10" in line, "Ann Other" in line, "git" in line) == (columns >= 50, columns >= 60, columns >= 40)


def test_what_is_said_below_a_message_stands_on_the_branch_to_its_children_if_that_is_drawn() -> None:
    one = thread(*(message._replace(cut="c@x") for message in chain(7).messages))
    below = [line.split("cut to")[0] for line in drawn(one, 30).splitlines() if "cut to" in line]
    levels = next(line for line in drawn(one, 30).splitlines() if "(+1)" in line).index("(") // 3
    assert below == ["  " + "   " * min(n, levels) + ("│  " if n < levels else "   ") for n in range(7)]
