"""Lines with quotes, and paragraphs that flow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from weft.mail_text.text_lines import TextLine, cut_lines, flowed_lines, plain_lines
from weft.render.sanitize import clean

ODD = st.text(st.sampled_from("ab >\t\n\r -\x1b\u202e\x00é漢\ud800"), max_size=80)


def flowed(text: str, *, delete_space: bool = False) -> list[tuple[int, str]]:
    return [(line.depth, line.text) for line in flowed_lines(text, delete_space=delete_space)]


def test_quotes_are_told_from_text_as_they_are_written() -> None:
    assert list(plain_lines("a\n> b\n>> c\n> > d\n>e\n\n  > f\n")) == [
        TextLine("a"),
        TextLine("b", "> ", 1),
        TextLine("c", ">> ", 2),
        TextLine("d", "> > ", 2),
        TextLine("e", ">", 1),
        TextLine(""),
        TextLine("  > f"),
    ]


def test_the_paragraphs_of_rfc_3676_are_joined() -> None:
    assert flowed("`Take some more tea,' the March Hare \nsaid to Alice, very earnestly.\n\n-- \nA. \nB") == [
        (0, "`Take some more tea,' the March Hare said to Alice, very earnestly."),
        (0, ""),
        (0, "--"),
        (0, "A. B"),
    ]
    assert flowed(">> a \n>> b\n> c \nd\n>>e") == [(2, "a b"), (1, "c"), (0, "d"), (2, "e")]
    assert flowed(" >not a quote\n  two spaces") == [(0, ">not a quote"), (0, " two spaces")]
    assert flowed("x \n-- \ny") == [(0, "x"), (0, "--"), (0, "y")]


def test_a_space_that_is_only_a_mark_is_deleted_where_that_is_said() -> None:
    assert flowed("漢 \n字", delete_space=True) == [(0, "漢字")]


@given(ODD)
def test_every_line_can_be_shown(text: str) -> None:
    for line in [*plain_lines(text), *flowed_lines(text, delete_space=False)]:
        assert clean(line.text) == line.text
        assert clean(line.marks) == line.marks
        assert line.marks.count(">") >= line.depth > -1
        assert bool(line.marks) == bool(line.depth)


@given(ODD.filter(lambda text: "\r" not in text))
def test_nothing_of_plain_text_is_lost(text: str) -> None:
    shown = [line.marks + line.text for line in plain_lines(text)]
    assert len(shown) == (len(text.rstrip("\n").split("\n")) if text.strip("\n") else 0)
    for line, raw in zip(shown, text.rstrip("\n").split("\n"), strict=False):
        assert line.rstrip(" ") == "".join(map(clean, raw.expandtabs(8))).rstrip(" ")


@given(ODD, st.integers(0, 5), st.integers(0, 40))
def test_a_text_is_cut_at_both_limits(text: str, most_lines: int, most_characters: int) -> None:
    lines = list(plain_lines(text))
    kept, cut = cut_lines(lines, most_lines, most_characters)
    assert len(kept) <= most_lines
    assert sum(len(line.text) for line in kept) <= most_characters
    assert cut or kept == lines
