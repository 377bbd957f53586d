"""Threads become columns and threads again, in pages of any size; columns that mean nothing are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.errors import AnswerError
from weft.model import Copy, Message, Thread
from weft.v1 import threads_pb2 as wire
from weft.wire.threads import ColumnOffsets, PageJoiner, ThreadColumns, to_bytes, to_text

TEXTS = st.binary(max_size=12).map(lambda data: data.decode("utf-8", "surrogateescape"))
DATES = st.sampled_from([None, "2003-02-09T22:52:25-05:00"])
COPIES = st.lists(st.builds(Copy, TEXTS, TEXTS, TEXTS, DATES, st.none() | st.just("f" * 56)), max_size=3).map(tuple)


@st.composite
def threads(draw: st.DrawFn) -> Thread:
    """Any thread that columns can hold."""
    ids = draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=8, unique=True))
    depths = [0]
    above = [0]
    for place in range(1, len(ids)):
        above.append(draw(st.integers(0, place - 1)))
        depths.append(depths[above[place]] + 1)
    messages = []
    for place, name in enumerate(ids):
        ghost = draw(st.booleans())
        messages.append(
            Message(
                name,
                ids[above[place]] if place else None,
                depths[place],
                ghost,
                draw(st.booleans()),
                0 if ghost else draw(st.integers(1, 300)),
                draw(DATES),
                draw(TEXTS),
                draw(TEXTS),
                draw(COPIES),
                rivals=draw(st.lists(st.none() | TEXTS.filter(bool), max_size=3).map(tuple)),
                cut=draw(st.none() | TEXTS.filter(bool)),
                named=draw(st.integers(0, 9)) if ghost else 0,
                named_on=draw(st.lists(TEXTS.filter(bool), max_size=2).map(tuple)),
                joined=draw(st.booleans()),
                stated_date=draw(TEXTS),
            )
        )
    return Thread(tuple(messages), "ab" * 32)


def pages(thread: Thread, room: int, most: int = 1 << 30) -> list[wire.ThreadColumns]:
    """All pages of a thread."""
    flat, place, found = ThreadColumns.of(thread.messages), ColumnOffsets(), []
    while True:
        page = wire.ThreadColumns()
        place, _ = flat.page(page, place, room, most)
        found.append(wire.ThreadColumns.FromString(page.SerializeToString()))
        if place == flat.end:
            return found


def joined(parts: list[wire.ThreadColumns]) -> Thread:
    """The thread that pages make."""
    joiner = PageJoiner()
    for part in parts:
        joiner.add(part)
    return joiner.thread(b"\xab" * 32)


@settings(deadline=None)
@given(threads(), st.sampled_from([1, 60, 200, 10**6]), st.integers(1, 9))
def test_a_thread_comes_back_as_it_was_whatever_the_size_of_its_pages(thread: Thread, room: int, most: int) -> None:
    parts = pages(thread, room, most)
    assert joined(parts) == thread
    given = 0
    for part in parts:
        given += len(part.messages.message_ids)
        assert len(part.messages.message_ids) <= most
        assert all(place < given for place in (*part.copies.places, *part.facts.places))


def test_a_message_with_many_copies_and_rivals_fits_into_small_pages() -> None:
    copies = tuple(Copy(f"list{number}", "s" * 500, "a", None, "o") for number in range(2000))
    rivals = tuple(f"rival{number}@example.org" for number in range(2000))
    thread = Thread((Message("m", None, 0, False, True, 1, None, "a", "s", copies, rivals=rivals),), "ab" * 32)
    parts = pages(thread, 10_000)
    assert max(part.ByteSize() for part in parts) < 12_000
    assert joined(parts) == thread


def test_fifty_thousand_messages_below_each_other_are_converted_in_time_and_without_recursion() -> None:
    size = 50_000
    messages = [
        Message(f"m{place}", f"m{place - 1}" if place else None, place, False, False, 1, None, "a", "s", ())
        for place in range(size)
    ]
    thread = Thread(tuple(messages), "ab" * 32)
    assert joined(pages(thread, 1 << 20)) == thread


@pytest.mark.parametrize("text", ["\ud800", "a\udfff\ud8ffb", "\udcff\ud800"])
def test_lone_surrogates_that_no_bytes_were_become_marks(text: str) -> None:
    assert "\ufffd" in to_text(to_bytes(text))


def test_bytes_that_were_no_utf8_travel_as_they_were() -> None:
    assert to_bytes(b"a\xff\xfe".decode("utf-8", "surrogateescape")) == b"a\xff\xfe"


def _sound() -> wire.ThreadColumns:
    messages = (
        Message("a", None, 0, False, False, 1, None, "x", "y", (Copy("l", "s", "a", None),)),
        Message("b", "a", 1, True, False, 0, None, "", "", (), named=1),
    )
    [page] = pages(Thread(messages, "ab" * 32), 10**6)
    return page


def _set(path: str, values: list[int]) -> Callable[[wire.ThreadColumns], None]:
    def change(page: wire.ThreadColumns) -> None:
        part, column = path.split(".")
        field = getattr(getattr(page, part), column)
        del field[:]
        field.extend(values)

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(_set("messages.parent_distances", up) for up in ([0, 2], [0, 0], [1, 1], [0])),
        _set("messages.subjects", [0, 2**32 - 1]), _set("copies.places", [2]), _set("copies.lists", []),
        _set("copies.origin_fingerprints", [99]), lambda page: page.facts.texts.append(0),
        lambda page: page.ClearField("strings"),
        lambda page: page.ClearField("messages"), lambda page: page.strings.__setitem__(0, b"x"),
    ],
)  # fmt: skip
def test_columns_that_mean_nothing_are_refused(change: Callable[[wire.ThreadColumns], None]) -> None:
    page = _sound()
    joined([page])
    change(page)
    with pytest.raises(AnswerError):
        joined([page])


@pytest.mark.parametrize("digest", [b"", b"\1" * 31])
def test_a_thread_without_a_digest_is_none(digest: bytes) -> None:
    joiner = PageJoiner()
    joiner.add(_sound())
    with pytest.raises(AnswerError, match="digest"):
        joiner.thread(digest)
