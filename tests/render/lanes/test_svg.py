"""The picture, read back as XML: what stands in it, and that nothing in mail can make anything else of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given

from tests.factories import FIXTURES, rebuild
from tests.render.samples import HOSTILE, chain, ghost, hostile, message, odd, star, thread, threads, written
from weft.model import Thread
from weft.render.lanes.style import COLORS, DARK, LIGHT
from weft.render.lanes.svg import anchor
from weft.render.picture_labels import author_name
from weft.render.sanitize import clean

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "style", "g", "title", "rect", "path", "circle", "polygon", "text"}
WORD = r"[a-z0-9 ]+"
NUMBERS = r"[-MVHCQLZ0-9., ]*"
ATTRIBUTES = {
    "class": WORD, "id": r"m-[0-9a-f]{20}", "d": NUMBERS, "points": NUMBERS, "viewBox": NUMBERS,
    "transform": r"translate\(0 \d+\)", "width": r"[0-9.]+|100%",
    **dict.fromkeys(("x", "y", "cx", "cy", "r", "height"), r"-?[0-9.]+"),
}  # fmt: skip


def parsed(document: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(document)


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def rows(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [group for group in root.iter(f"{SVG}g") if group.get("class") == "row"]


def looks(root: ElementTree.Element) -> Counter[str]:
    """How often each class is set."""
    return Counter(name for element in root.iter() for name in element.get("class", "").split())


@given(threads(), threads())
def test_no_element_and_no_attribute_comes_from_mail(one: Thread, other: Thread) -> None:
    for element in parsed(written("svg", one, other)).iter():
        assert element.tag.removeprefix(SVG) in ELEMENTS
        for name, value in element.attrib.items():
            assert re.fullmatch(ATTRIBUTES[name], value), (name, value)
        assert not element.text or clean(element.text.replace("\n", "")) == element.text.replace("\n", "")


@given(threads())
def test_every_message_is_a_row_under_a_name_that_is_a_hash(one: Thread) -> None:
    root = parsed(written("svg", one))
    assert [row.get("id") for row in rows(root)] == [anchor(message.id) for message in one.messages]


def test_hostile_text_is_shown_and_means_nothing() -> None:
    root = parsed(written("svg", hostile()))
    shown = "\n".join(texts(root))
    assert "<html>&amp;&lt;]]><![CDATA[@x" in shown
    assert "right<U+202E>to<U+2066>left@x" in shown
    assert "raw bytes \\xFF\\x80@x" in shown
    assert len({anchor(one) for one in HOSTILE}) == len(HOSTILE)


def test_two_messages_are_two_rows_and_a_legend_of_what_is_there() -> None:
    root = parsed(written("svg", thread(message("a@x", subject="Tabs"), message("b@x", "a@x", 1, subject="Re: Tabs"))))
    shown = texts(root)
    assert shown.count("Tabs") == 2, "as heading and once as subject; the reply has the same"
    assert "Re: Tabs" not in shown
    assert "has all (2 messages)" in shown
    assert [line for line in shown if "list" in line][1:] == [
        "a copy was posted to this list; where there is no shade, the list lacks the message",
        "a reply edge that the list sees: it has both ends",
    ]


def test_what_a_list_lacks_is_said_in_words_and_drawn() -> None:
    archive = rebuild({name: FIXTURES / "story" / f"{name}.mbox" for name in ("drafts", "smtp-ops")})
    root = parsed(written("svg", archive.thread("20030210035225.GA1107@aldgate.example.com")))
    shown = texts(root)
    assert "has 11 of 16 messages, lacks 5; sees 7 of 15 reply edges" in shown
    assert "has 11 of 16 messages, lacks 5; sees 8 of 15 reply edges" in shown
    assert "not seen here: 2 that others name" in shown
    found = looks(root)
    assert found["x"] == 4, "in the legend; and sub-threads left three times"
    assert found["ring"] == 2 + 1 + 4 + 4 + 2, "legend, label, drafts, smtp-ops, and twice not seen"
    assert found["dot"] == 6 + 2 + 22, "legend, labels, copies"


def test_the_name_of_an_author_is_there_and_no_address() -> None:
    one = thread(
        message("a@x")._replace(author="Ann Other <ann@secret.example>"),
        message("b@x", "a@x", 1)._replace(author="ben@secret.example"),
    )
    document = written("svg", one)
    assert b"Ann Other" in document
    assert "ben@…" in document.decode()
    assert b"secret.example" not in document


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Ann <ann@x.example>", "Ann"),
        ('"Ann, Other" <ann@x.example>', "Ann, Other"),
        ("ann@x.example", "ann@…"),
        ("<ann@x.example>", "ann@…"),
        ('"ann@x.example" <ann@x.example>', "ann@…"),
        ("ann@x.example (Ann Other)", "Ann Other"),
        ("ann at x.example (Ann Other)", "Ann Other"),
        ("ann at x.example (ann at x.example)", "ann@…"),
        ("ann at x.example", "ann@…"),
        ("Ann (work) <ann@x.example>", "Ann (work)"),
        ("Ann (at work)", "Ann (at work)"),
        ("", "(no name)"),
        ("@", "@…"),
    ],
)
def test_an_author_is_named_and_never_addressed(author: str, name: str) -> None:
    assert author_name(author) == name


def test_one_of_each_is_marked() -> None:
    root = parsed(written("svg", odd()))
    shown = texts(root)
    assert {"[3 variants]", "[contested] [joined by subject]", "[cycle cut]", "Yesterday"} <= set(shown)
    assert "not seen here <lost@x>, named in 2 copies on git ietf" in shown
    assert looks(root)["joined"] >= 3, "legend, lane, tree"


def test_dates_are_in_utc_and_a_document_says_so_once() -> None:
    one = thread(message("a@x")._replace(date="2003-02-09T22:52:25-05:00"))
    shown = texts(parsed(written("svg", one, one)))
    assert shown.count("2003-02-10 03:52") == 2
    assert shown.count("dates are in UTC") == 1
    undated = texts(parsed(written("svg", thread(message("a@x")._replace(date=None)))))
    assert "dates are in UTC" not in undated


def test_a_subject_stands_again_only_where_it_changes() -> None:
    other = message("c@x", "b@x", 2, subject="Spaces (was: Tabs)")
    document = written(
        "svg", thread(message("a@x", subject="Tabs"), message("b@x", "a@x", 1, subject="RE: tabs"), other)
    )
    shown = texts(parsed(document))
    assert shown.count("Tabs") == 2
    assert shown.count("Spaces (was: Tabs)") == 1


def test_several_threads_stand_below_each_other_and_a_list_keeps_its_colour() -> None:
    first = thread(message("a@x", None, 0, "git"), message("b@x", "a@x", 1, "git", "ietf"))
    second = thread(message("c@x", None, 0, "ietf"))
    root = parsed(written("svg", first, second))
    places = [part.get("transform") for part in root if part.tag == f"{SVG}g"]
    assert places[0] == "translate(0 0)"
    assert len(set(places)) == 2
    [last] = [row for row in rows(root) if row.get("id") == anchor("c@x")]
    assert looks(last)["c1"] == 1, "the second colour, as in the first thread"
    alone, together = (texts(parsed(written("svg", *some))) for some in ([second], [first, second]))
    assert sum("a copy was posted" in line for line in together) == 1
    assert len(together) < len(texts(parsed(written("svg", first)))) + len(alone), "the legend says everything once"


def test_no_text_reaches_beyond_the_picture_and_none_into_the_next() -> None:
    """By columns of 7.2 pixels, which a monospaced font of 12 pixels has."""
    wide = thread(
        message("a@x", None, 0, "git", "漢字" * 20, subject="漢字" * 200)._replace(author="A" * 300),
        ghost("g" * 250, "a@x", 1, *(f"list-{number}" for number in range(40))),
        message("b@x", "g" * 250, 2, subject="W" * 300)._replace(author="漢" * 90, contested=True),
    )
    root = parsed(written("svg", wide, chain(400)))
    limit = float(root.get("width", "0"))
    for row in rows(root):
        end = 0.0
        for one in row.findall(f"{SVG}text"):
            content = "".join(one.itertext())
            start = float(one.get("x", "0"))
            assert start >= end, content
            end = start + 7.2 * sum(2 if character > "\u2fff" else 1 for character in content)
            assert end <= limit, content


def test_in_a_long_thread_the_lanes_say_again_which_they_are() -> None:
    root = parsed(written("svg", chain(100)))
    assert looks(root)["n"] == 2
    assert looks(parsed(written("svg", chain(40))))["n"] == 0


def test_beyond_the_room_for_the_tree_a_row_says_how_deep_it_is() -> None:
    shown = texts(parsed(written("svg", chain(200))))
    assert "(+119) Ann Other" in shown
    assert sum(line.startswith("(+") for line in shown) == 119


@pytest.mark.parametrize("depth", range(1, 81))
def test_no_level_that_is_drawn_is_said_to_be_deeper(depth: int) -> None:
    assert not any(line.startswith("(+") for line in texts(parsed(written("svg", chain(depth + 1)))))


def test_more_lists_than_colours_have_other_dots() -> None:
    names = [f"list-{number:02}" for number in range(2 * COLORS + 1)]
    root = parsed(written("svg", thread(message("a@x", None, 0, *names))))
    [row] = rows(root)
    dots = [
        (dot.tag, dot.get("class"), len(dot.get("points", "").split())) for dot in row if "dot" in dot.get("class", "")
    ]
    squares = {tuple(map(float, dot.get("points", "").split()[0].split(","))) for dot in row.iter(f"{SVG}polygon")}
    assert len(dots) == len(names)
    assert [tag for tag, _, _ in dots].count(f"{SVG}circle") == COLORS
    assert len(squares) == COLORS + 1


def test_light_and_dark_have_a_colour_for_each_lane() -> None:
    style = parsed(written("svg", chain(1))).findtext(f"{SVG}style") or ""
    light, _, dark = style.partition("@media(prefers-color-scheme:dark)")
    assert all(f".c{number}{{color:{color}}}" in light for number, color in enumerate(LIGHT))
    assert all(f".c{number}{{color:{color}}}" in dark for number, color in enumerate(DARK))
    assert len(set(LIGHT)) == len(set(DARK)) == COLORS


def test_a_thread_of_ghosts_only_has_no_lane() -> None:
    shown = texts(parsed(written("svg", thread(ghost("a@x"), ghost("b@x", "a@x", 1)))))
    assert "0 messages on 0 lists, 2 not seen here" in shown


@pytest.mark.parametrize("big", [chain, star], ids=["deep", "broad"])
def test_its_size_is_linear(big: Callable[[int], Thread]) -> None:
    small, large = (len(written("svg", big(number))) for number in (1000, 10_000))
    assert large < 11 * small
