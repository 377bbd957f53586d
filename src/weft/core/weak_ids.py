"""Ids that are written in a broken but readable way, and may be ids or not: *weak* references.

Theory of operation
-------------------
`weft.core.message_id` reads what the grammar says.  Where a field holds more, or less, than clean ids, this module reads
it instead, and gives the ids in their place with a mark on those that are in doubt.  A weak id counts only where some
claim is about it; elsewhere it is as if it were not there.  Weak are:

- ``<x>`` without an ``@``;
- ``<x@y`` that is not closed;
- a bare ``x@y`` in a field without any angle bracket;
- an id that appears only after whole encoded words (RFC 2047) are decoded;
- an id that equals (ASCII case aside) an address of the mail, but only as the one id of an In-Reply-To that holds
  nothing else, or as the last of References; out of prose, or in another place, it is none;
- in an In-Reply-To with prose beside its tokens, all ids but the one that the rule chooses.

`Marked.weak` is a bit mask: id i is weak if bit i % 8 (0 = least) of byte i / 8 is set; the last byte is not zero.
Linear in the length of the fields, iterative.  Who can lie: the author, about every byte.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from weft.core.message_id import BETWEEN, MAX_IN_REPLY_TO, MAX_REFERENCES, WHITE_SPACE, addresses_in, key, marked, unfold

T = TypeVar("T")

_WORD = re.compile(rb"=\?([^?\s]++)\?([bBqQ])\?([^?\s]*+)\?=")
_BETWEEN_WORDS = re.compile(rb"(?<=\?=)[ \t\r\n]++(?==\?[^?\s]++\?[bBqQ]\?)")
_PLACES = re.compile(rb"<>|<([^<>\s,;]++)")
_BARE = re.compile(rb'[^\s<>,;:()"\[\]@]++@[^\s<>,;:()"\[\]@]++')


class Marked(NamedTuple):
    """Ids in their order, and the bit mask of those that are weak."""

    ids: tuple[bytes, ...]
    weak: bytes


class _Found(NamedTuple):
    """What a field holds: (id, whether it is weak) in order; the text beside them, and that before the first."""

    ids: list[tuple[bytes, bool]]
    rest: bytes
    before: bytes


def mask_of(marks: Iterable[bool]) -> bytes:
    """The bit mask of marks, as short as it can be."""
    number = sum(1 << place for place, mark in enumerate(marks) if mark)
    return number.to_bytes((number.bit_length() + 7) // 8, "little")


def is_weak(mask: bytes, place: int) -> bool:
    """Whether the id at a place is weak."""
    return place >> 3 < len(mask) and bool(mask[place >> 3] >> (place & 7) & 1)


def counting(ids: Sequence[T], mask: bytes, counts: Callable[[T], bool]) -> list[T]:
    """The ids that count: those that are not weak, and those that ``counts`` says some claim is about."""
    return [name for place, name in enumerate(ids) if not is_weak(mask, place) or counts(name)]


def read_references(values: Sequence[bytes], own: bytes, people: bytes) -> Marked:
    """The ids of the References headers ``values``, oldest first, each once, at its last occurrence."""
    found = _without(_read(values).ids, own)
    found.reverse()
    kept = _once(found)
    kept.reverse()
    people_of = addresses_in(people)
    last = len(kept) - 1
    kept = [
        (name, weak or name.lower() in people_of)
        for place, (name, weak) in enumerate(kept)
        if place == last or name.lower() not in people_of
    ]
    if len(kept) > MAX_REFERENCES:
        kept = [kept[0], *kept[1 - MAX_REFERENCES :]]
    return _marked(kept)


def read_in_reply_to(values: Sequence[bytes], own: bytes, people: bytes) -> tuple[Marked, bool]:
    """The ids of the In-Reply-To headers, best first, and whether they are sane: one id, and nothing else."""
    found = _read(values)
    prose = bool(found.rest.strip(BETWEEN))
    alone = len(found.ids) == 1 and not found.rest.strip(WHITE_SPACE)
    people_of = addresses_in(people)
    kept = _once(_without(found.ids, own))
    if alone:
        kept = [(name, weak or name.lower() in people_of) for name, weak in kept]
    else:
        kept = [(name, weak) for name, weak in kept if name.lower() not in people_of]
    if prose:
        if found.before.strip(BETWEEN):
            kept.reverse()
        chosen = next((name for name, weak in kept if not weak), None)
        kept = [(name, name != chosen) for name, _ in kept]
        kept.sort(key=lambda one: one[1])
    return _marked(kept[:MAX_IN_REPLY_TO]), alone and len(kept) == 1


def _marked(found: list[tuple[bytes, bool]]) -> Marked:
    return Marked(tuple(name for name, _ in found), mask_of(weak for _, weak in found))


def _once(found: Iterable[tuple[bytes, bool]]) -> list[tuple[bytes, bool]]:
    """Each id once, at its first place; weak only if it is weak at all of them."""
    kept: dict[bytes, bool] = {}
    for name, weak in found:
        kept[name] = kept.get(name, True) and weak
    return list(kept.items())


def _without(found: list[tuple[bytes, bool]], own: bytes) -> list[tuple[bytes, bool]]:
    return [(name, weak) for name, weak in found if name != own]


def _read(values: Sequence[bytes]) -> _Found:
    value = unfold(b" ".join(values))
    if b"=?" not in value:
        return _read_text(value)
    plain = _read_text(value)
    known = {name for name, weak in plain.ids if not weak}
    decoded = _read_text(_WORD.sub(_decoded, _BETWEEN_WORDS.sub(b"", value)))
    found = [(name, weak or name not in known) for name, weak in decoded.ids]
    seen = {name for name, _ in found}
    return _Found([(name, weak) for name, weak in plain.ids if name not in seen and not weak] + found, *decoded[1:])


def _read_text(value: bytes) -> _Found:
    tokens, outside = marked(value)
    if not tokens and b"<" not in outside and b">" not in outside:
        bare = [(key(name), True) for name in _BARE.findall(outside)]
        pieces = _BARE.split(outside)
        return _Found(bare, b"".join(pieces), pieces[0])
    ids: list[tuple[bytes, bool]] = []
    rest: list[bytes] = []
    position = 0
    taken = iter(tokens)
    for place in _PLACES.finditer(outside):
        token = next(taken) if place[1] is None else place[1]
        if token:
            ids.append((key(token), place[1] is not None or b"@" not in token))
        rest.append(outside[position : place.start()])
        position = place.end()
    rest.append(outside[position:])
    return _Found(ids, b"".join(rest), rest[0])


def _decoded(word: re.Match[bytes]) -> bytes:
    """The bytes of an encoded word, in its own charset: ids are ASCII, and then nearly every charset agrees."""
    text = word[3]
    try:
        return a2b_qp(text, header=True) if word[2] in b"qQ" else a2b_base64(text + b"=" * (-len(text) % 4))
    except Error:
        return word[0]
