"""A message on a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.mail_text.test_message_text import MIXED
from tests.mail_text.test_mime_parts import TREES
from weft.mail_text.message_text import read_message
from weft.mail_text.terminal_lines import terminal_lines
from weft.render.sanitize import clean, width


def test_all_of_a_message_is_there() -> None:
    assert list(terminal_lines(read_message(MIXED))) == [
        "From: André <andre@example.org>",
        "To: a@example.org, b@example.org",
        "Subject: two  lines <U+001B>[31m",
        "",
        "Привет",
        "> a quote",
        "",
        "[file: fix.diff]",
        "-a",
        "+       b",
        "",
        "[a message within this message]",
        "From: c@example.org",
        "Subject: within",
        "",
        "inner text",
        "",
        "[attachment: ../x<U+0007>.pdf, application/pdf, 5 bytes]",
    ]


def test_quotes_are_dim_and_names_of_fields_bold() -> None:
    lines = list(terminal_lines(read_message(MIXED), color=True))
    assert lines[0].startswith("\x1b[1mFrom:\x1b[0m ")
    assert "\x1b[2m> a quote\x1b[0m" in lines


def test_paragraphs_that_flow_are_broken_and_others_are_not() -> None:
    text = b"word " * 40
    flowed = read_message(b"Content-Type: text/plain; format=flowed\n\n>" + text.rstrip() + b"\n")
    lines = list(terminal_lines(flowed, columns=40))
    assert max(map(width, lines)) <= 40
    assert all(line.startswith("> word") for line in lines[1:])
    assert " ".join(line.removeprefix("> ") for line in lines[1:]) == text.decode().strip()
    fixed = list(terminal_lines(read_message(b"\n" + text), columns=40))
    assert fixed[1:] == [text.decode().strip()]


@given(TREES, st.integers(1, 100))
def test_nothing_but_our_colours_controls_the_terminal(raw: bytes, columns: int) -> None:
    message = read_message(raw)
    plain = list(terminal_lines(message, columns=columns))
    assert [line for line in plain if clean(line) != line] == []
    assert len(list(terminal_lines(message, columns=columns, color=True))) == len(plain)
