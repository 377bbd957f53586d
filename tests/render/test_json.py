from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.samples import chain, ghost, hostile, message, messages, odd, star, thread, written
from weft.model import Copy, Message, Thread
from weft.render.json import CHUNK, encode_thread, write_json, write_jsonl

if TYPE_CHECKING:
    from typing_extensions import Buffer

Pairs = list[tuple[str, Any]]


def reference_copy(copy: Copy, of: Message) -> Pairs:
    pairs: Pairs = [("list", copy.list)]
    if copy.origin is not None:
        pairs.append(("origin", copy.origin))
    for key, its, own in [
        ("from", copy.author, of.author),
        ("subject", copy.subject, of.subject),
        ("date", copy.date, of.date),
    ]:
        if its != own:
            pairs.append((key, its))
    return pairs


def reference(one: Message) -> Pairs:
    """The format's definition, word by word."""
    pairs: Pairs = [
        ("id", one.id),
        ("parent", one.parent),
        ("depth", one.depth),
        ("ghost", one.ghost),
        ("contested", one.contested),
        ("variants", one.variants),
        ("date", one.date),
        ("from", one.author),
        ("subject", one.subject),
        ("lists", sorted({copy.list for copy in one.copies})),
        ("copies", [reference_copy(copy, one) for copy in one.copies]),
    ]
    optional: list[tuple[bool, str, Any]] = [
        (one.contested, "rivals", list(one.rivals)),
        (one.cut is not None, "cut", one.cut),
        (one.joined, "joined", True),
        (one.stated_date != "", "date_raw", one.stated_date),
        (one.rival_replies != (), "rival_replies", list(one.rival_replies)),
        (one.aliases != (), "aliases", list(one.aliases)),
        (one.guessed, "charset_guessed", True),
        (one.ahead or (one.date is not None and one.date < "1970"), "date_implausible", True),
        (one.ghost, "named", one.named),
        (one.ghost, "named_on", list(one.named_on)),
        (one.ghost and one.parent is not None and not one.joined, "hearsay", True),
        (one.ghost and one.muted, "muted", True),
    ]
    return pairs + [(key, value) for applies, key, value in optional if applies]


def in_order(text: str) -> object:
    """JSON with objects as lists of pairs, so that order and repeated keys count."""
    return json.loads(text, object_pairs_hook=lambda pairs: pairs)


@given(st.lists(messages, min_size=1, max_size=4))
def test_a_thread_is_what_the_definition_of_the_format_says(some: list[Message]) -> None:
    text = encode_thread(Thread(tuple(some), "ab" * 32))
    assert in_order(text) == [
        ("format", 1),
        ("root", some[0].id),
        ("digest", "ab" * 32),
        ("messages", [reference(one) for one in some]),
    ]
    assert text.isascii()
    assert text.isprintable()


def test_an_ordinary_message_reads_like_this() -> None:
    one = message("a@x", subject="Grüße\udcff")
    assert encode_thread(thread(one)) == (
        '{"format":1,"root":"a@x","digest":"' + "ab" * 32 + '","messages":[{"id":"a@x","parent":null,"depth":0,'
        '"ghost":false,"contested":false,"variants":1,"date":"2003-02-09T22:52:25-05:00","from":"Ann Other",'
        '"subject":"Gr\\u00fc\\u00dfe\\udcff","lists":["git"],"copies":[{"list":"git"}]}]}'
    )


def test_a_copy_says_only_what_is_different_about_it() -> None:
    date = "2003-02-09T22:52:25-05:00"
    one = message("a@x")._replace(
        copies=(
            Copy("a", "Re: tabs", "Ann Other", date),
            Copy("b", "[b] Re: tabs", "Ann via b", None),
            Copy("b", "Re: tabs", "Ann Other", date, "f00d"),
        )
    )
    (written_one,) = json.loads(encode_thread(thread(one)))["messages"]
    assert written_one["lists"] == ["a", "b"]
    assert written_one["copies"] == [
        {"list": "a"},
        {"list": "b", "from": "Ann via b", "subject": "[b] Re: tabs", "date": None},
        {"list": "b", "origin": "f00d"},
    ]


def test_a_single_copy_with_an_origin_keeps_it() -> None:
    one = message("a@x")
    one = one._replace(copies=(one.copies[0]._replace(origin="f00d"),))
    assert json.loads(encode_thread(thread(one)))["messages"][0]["copies"] == [{"list": "git", "origin": "f00d"}]


@pytest.mark.parametrize("name", ["json", "jsonl"])
@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_array_and_lines_hold_the_same_threads_in_the_same_order(name: str, number: int) -> None:
    some = [odd(), hostile(), thread(ghost("g@x")), chain(3), star(3)][:number]
    text = written(name, *some).decode("ascii")
    read = json.loads(text) if name == "json" else [json.loads(line) for line in text.splitlines()]
    assert read == [json.loads(encode_thread(one)) for one in some]
    assert text.endswith("\n") or (name == "jsonl" and not number)


def test_no_threads_are_an_empty_array_or_no_lines() -> None:
    assert written("json") == b"[]\n"
    assert written("jsonl") == b""


def test_ids_that_are_not_utf8_come_back_as_the_bytes_they_were() -> None:
    data = bytes(range(128, 256)) + b"@x"
    (read,) = json.loads(written("json", thread(message(data.decode("utf-8", "surrogateescape")))))
    assert read["root"].encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize("big", [chain(50_000), star(50_000)], ids=["deep", "broad"])
def test_fifty_thousand_messages_in_one_thread_are_all_there(big: Thread) -> None:
    (read,) = json.loads(written("json", big))
    assert [one["id"] for one in read["messages"]] == [one.id for one in big.messages]
    assert read["messages"][-1]["depth"] == big.messages[-1].depth


class Watched(BytesIO):
    """A file that knows how many threads were taken before each of its writes."""

    taken = 0

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[int, int]] = []

    def write(self, data: Buffer) -> int:
        size = super().write(data)
        self.writes.append((self.taken, size))
        return size


@pytest.mark.parametrize("write", [write_json, write_jsonl])
def test_threads_are_written_while_they_come_and_in_large_pieces(
    write: Callable[[Iterator[Thread], BinaryIO], None],
) -> None:
    file = Watched()

    def some() -> Iterator[Thread]:
        for _ in range(5000):
            file.taken += 1
            yield star(3)

    write(some(), file)
    pieces = [(taken, size) for taken, size in file.writes if size > 3]
    assert pieces[0][0] < 1000
    assert all(CHUNK <= size < CHUNK * 1.1 for _, size in pieces[:-1])
    assert len(pieces) == len(file.getvalue()) // CHUNK + 1
