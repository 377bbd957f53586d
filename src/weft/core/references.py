"""What References and In-Reply-To name: ids, and tokens that may be ids (*weak* references).

Theory of operation
-------------------
The tokens are those of `weft.core.message_id`, several fields of one name are concatenated, and the message's own id is
dropped.  References name each id once, at its last occurrence, then at most the first and the last 99; In-Reply-To each
once, at most 16, the best first.  With prose beside its tokens (more than white space, commas, semicolons and comments)
In-Reply-To means one id: with prose before the first token the last, else the first.  Old clients wrote ``Message from
NAME <address> of "date" <id>``, others ``<id> from NAME <address>``.

An id in doubt is **weak**: it counts only where some claim is about it; elsewhere it is as if it were not there.  These
are weak:

- ``<x>`` without an ``@``;
- ``<x@y`` that is not closed;
- a bare ``x@y`` in a field without any angle bracket;
- an id that appears only after whole encoded words (RFC 2047) are decoded, or in a field without any angle bracket
  after those are read that are written as in HTML (``&lt;``) or in URLs (``%3C``), as some links to archives are;
- an id that equals (ASCII case aside) an address of the mail, but only as the one id of an In-Reply-To that holds
  nothing else, or as the last of References; in any other place it is none;
- in an In-Reply-To with prose, all ids but the one that is meant.

`Marked.weak` is a bit mask: id i is weak if bit i % 8 (0 = least) of byte i / 8 is set; the last byte is not zero.
Nearly all fields hold clean ids only; these are read by one regular expression, and the others here from the start.
Linear in the length of the fields, iterative.  Who can lie: the author, about every byte.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from weft.core.byte_search import find
from weft.core.message_id import (
    CLEAN_TOKENS,
    MAX_ID_BYTES,
    MAX_IN_REPLY_TO,
    MAX_REFERENCES,
    ONE_CLEAN_TOKEN,
    WHITE_SPACE,
    addresses_in,
    key,
    marked,
    unfold,
)

T = TypeVar("T")

BETWEEN = WHITE_SPACE + b",;"
"""What may stand between ids and is no prose."""
_FEW = 16
"""More ids than this are compared with the set of all addresses, so that many of both stay linear."""
_PAREN, _QUOTE, _AT = b'("@'
_new = tuple.__new__  # the named tuple's own constructor takes three times as long
_WORD = re.compile(rb"=\?([^?\s]++)\?([bBqQ])\?([^?\s]*+)\?=")
_BETWEEN_WORDS = re.compile(rb"(?<=\?=)[ \t\r\n]++(?==\?[^?\s]++\?[bBqQ]\?)")
_ESCAPED_BRACKET = re.compile(rb"&lt;|%3C", re.IGNORECASE)
_ESCAPES = re.compile(rb"&[lg]t;|%([0-9A-Fa-f]{2})")
_PLACES = re.compile(rb"<>|<([^<>\s,;]++)")
_IN_BARE = rb'[^\s<>,;:()"\[\]@]'
_BARE = re.compile(rb"(?<!%s)%s++@%s++" % (_IN_BARE, _IN_BARE, _IN_BARE))
"""It begins nowhere inside a word, or a long one without ``@`` would be read from each of its characters on."""


class Marked(NamedTuple):
    """Ids in their order, and the bit mask of those that are weak."""

    ids: tuple[bytes, ...]
    weak: bytes

    def counting(self, counts: Callable[[bytes], bool]) -> list[bytes]:
        """The ids that are not weak, and those that ``counts`` says some claim is about."""
        return counting(self.ids, self.weak, counts)

    @property
    def weak_ones(self) -> list[bytes]:
        """The weak ids."""
        return [name for place, name in enumerate(self.ids) if is_weak(self.weak, place)]


NO_IDS = Marked((), b"")


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


def is_mask(mask: bytes, count: int) -> bool:
    """Whether bytes are a bit mask of so many ids, as short as it can be."""
    return not mask or (mask[-1] != 0 and int.from_bytes(mask, "little").bit_length() <= count)


def counting(ids: Sequence[T], mask: bytes, counts: Callable[[T], bool]) -> list[T]:
    """The ids that count: those that are not weak, and those that ``counts`` says some claim is about."""
    if not mask:
        return list(ids)
    return [name for place, name in enumerate(ids) if not is_weak(mask, place) or counts(name)]


def parse_references(values: Sequence[bytes], own: bytes, people: bytes) -> Marked:
    """The ids of the References headers ``values`` (raw, in order): oldest first, each once, at its last occurrence.

    ``people`` holds the raw values of the fields with addresses in lower case, joined by commas.
    """
    value = values[0] if len(values) == 1 else b" ".join(values)
    ids = CLEAN_TOKENS.findall(value)
    if (
        len(ids) != value.count(b"<")
        or _PAREN in value
        or _QUOTE in value
        or value.find(b"=?") >= 0
        or not (ids or _AT not in value)
        or (len(value) > MAX_ID_BYTES and max(map(len, ids), default=0) > MAX_ID_BYTES)
        or _any_address(ids, people)
    ):
        return _read_references(value, own, people)
    if len(ids) > 1 and len(set(ids)) != len(ids):
        ids = list(dict.fromkeys(reversed(ids)))
        ids.reverse()
    if own in ids:
        ids.remove(own)
    if len(ids) > MAX_REFERENCES:
        ids = [ids[0], *ids[1 - MAX_REFERENCES :]]
    return _new(Marked, (tuple(ids), b""))


def parse_in_reply_to(values: Sequence[bytes], own: bytes, people: bytes) -> tuple[Marked, bool]:
    """The ids of the In-Reply-To headers, best first, and whether they are *sane*: one id and no more but comments."""
    value = values[0] if len(values) == 1 else b" ".join(values)
    found = ONE_CLEAN_TOKEN.fullmatch(value)
    if (
        found
        and len(token := found[1]) <= MAX_ID_BYTES
        and token != own
        and find(people, token.lower(), 0, len(people)) < 0
    ):
        return _new(Marked, ((token,), b"")), True
    return _read_in_reply_to(value, own, people)


def _any_address(ids: Sequence[bytes], people: bytes) -> bool:
    """Whether one of the ids may be somebody's address."""
    if len(ids) <= _FEW:
        end = len(people)
        for name in b" ".join(ids).lower().split():  # noqa: SIM110 - no generator: nearly all mail passes here
            if find(people, name, 0, end) >= 0:
                return True
        return False
    addresses = addresses_in(people)
    return any(name.lower() in addresses for name in ids)


def _read_references(value: bytes, own: bytes, people: bytes) -> Marked:
    found = _without(_read(value).ids, own)
    found.reverse()
    kept = _once(found)
    kept.reverse()
    addresses = addresses_in(people)
    last = len(kept) - 1
    kept = [
        (name, weak or name.lower() in addresses)
        for place, (name, weak) in enumerate(kept)
        if place == last or name.lower() not in addresses
    ]
    if len(kept) > MAX_REFERENCES:
        kept = [kept[0], *kept[1 - MAX_REFERENCES :]]
    return _marked(kept)


def _read_in_reply_to(value: bytes, own: bytes, people: bytes) -> tuple[Marked, bool]:
    found = _read(value)
    alone = len(found.ids) == 1 and not found.rest.strip(WHITE_SPACE)
    addresses = addresses_in(people)
    kept = _once(_without(found.ids, own))
    if alone:
        kept = [(name, weak or name.lower() in addresses) for name, weak in kept]
    else:
        kept = [(name, weak) for name, weak in kept if name.lower() not in addresses]
    if found.rest.strip(BETWEEN):
        if found.before.strip(BETWEEN):
            kept.reverse()
        meant = next((name for name, weak in kept if not weak), None)
        kept = sorted(((name, name != meant) for name, _ in kept), key=lambda one: one[1])
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


def _read(value: bytes) -> _Found:
    value = unfold(value)
    if b"<" not in value and _ESCAPED_BRACKET.search(value):
        escaped = _read_text(_ESCAPES.sub(_unescaped, value))
        return escaped._replace(ids=[(name, True) for name, _ in escaped.ids])
    if b"=?" not in value:
        return _read_text(value)
    plain = _read_text(value)
    known = {name for name, weak in plain.ids if not weak}
    decoded = _read_text(decode_id_words(value))
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


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode()) if escape[1] else b"<" if escape[0] == b"&lt;" else b">"


def decode_id_words(value: bytes) -> bytes:
    """An unfolded field of ids with its whole encoded words decoded."""
    return _WORD.sub(_decoded, _BETWEEN_WORDS.sub(b"", value))


def _decoded(word: re.Match[bytes]) -> bytes:
    """The bytes of an encoded word, in its own charset: ids are ASCII, and then nearly every charset agrees."""
    text = word[3]
    try:
        return a2b_qp(text, header=True) if word[2] in b"qQ" else a2b_base64(text + b"=" * (-len(text) % 4))
    except Error:
        return word[0]
