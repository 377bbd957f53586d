"""Short names of messages, which people read, say and type: ``~`` and the first letters of a hash of the id.

Theory of operation
-------------------
The hash is the Message-ID-Hash of Mailman 3: base32 (RFC 4648) of SHA-1 of the id without its angle brackets.  So a
handle is a function of the id alone, everybody has the same, and the address of a page of HyperKitty holds all of it.
It is shown in small letters and with as many of them as tell the messages of an index apart, at least `LEAST`; the same
letters may name further messages in an index that has more, or has grown.

An index finds them by their first 48 bits (`handle_number`), which are in the order of the letters.

Who can lie: whoever writes an id.  2^24 tries make one whose handle begins like that of another message; then both are
shown with more letters, and fewer are refused with the list of what they may mean.
"""

from __future__ import annotations

import re
from array import array
from base64 import b32encode
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha1
from itertools import pairwise

MARK = "~"
LEAST = 5
LETTERS = 32
"""A whole hash."""
NUMBERED = 9
"""So many letters are told apart by `handle_number`."""
_BITS = 48
_BEYOND_LEAST = _BITS - 5 * LEAST
"""The bits of a number behind those of the least letters."""
_WRITTEN = re.compile(rf"~?([a-z2-7]{{{LEAST},{LETTERS}}})", re.IGNORECASE)
_VALUES = {letter: value for value, letter in enumerate("abcdefghijklmnopqrstuvwxyz234567")}


def handle_letters(message_id: bytes) -> str:
    """All letters of the handle of an id, without the mark."""
    return b32encode(sha1(message_id, usedforsecurity=False).digest()).decode("ascii").lower()


def handle_number(message_id: bytes) -> int:
    """The first 48 bits of the hash of an id, signed as SQLite has integers."""
    return int.from_bytes(sha1(message_id, usedforsecurity=False).digest()[: _BITS // 8], "big", signed=True)


def parse_handle(text: str) -> str | None:
    """The letters of a handle as somebody wrote it, with the mark or without; None if it is none."""
    found = _WRITTEN.fullmatch(text)
    return found[1].lower() if found else None


def number_range(letters: str) -> tuple[int, int]:
    """The smallest and the greatest number of ids whose handle begins with some letters."""
    value = 0
    letters = letters[:NUMBERED]
    for letter in letters:
        value = value << 5 | _VALUES[letter]
    free = _BITS - 5 * len(letters)
    first = value << free
    if first >> (_BITS - 1):
        first -= 1 << _BITS
    return first, first + (1 << free) - 1


def unique_letters(message_id: bytes, others: Sequence[bytes]) -> str:
    """The letters that tell an id from the ``others``, at least `LEAST`."""
    own = handle_letters(message_id)
    size = LEAST
    for other in others:
        letters = handle_letters(other)
        while other != message_id and size < LETTERS and letters.startswith(own[:size]):
            size += 1
    return own[:size]


class HandleSet:
    """The handles of ids that are all in memory: eight bytes of each beside them."""

    def __init__(self, ids: Sequence[bytes]) -> None:
        """``ids``, each once; it costs a hash of each."""
        self._ids = ids
        self._numbers = array("q", map(handle_number, ids))
        self._pairs = [first + second for first in _VALUES for second in _VALUES]
        """What ten bits are as two letters."""
        self._alike: set[int] = set()
        """The least letters, as a number, that several begin with."""
        fronts = {number >> _BEYOND_LEAST for number in self._numbers}
        if len(fronts) < len(ids):
            in_order = sorted(number >> _BEYOND_LEAST for number in self._numbers)
            self._alike = {front for front, following in pairwise(in_order) if front == following}

    def handle(self, place: int) -> str:
        """The handle of the id at a place, with as many letters as tell it from the others."""
        front = self._numbers[place] >> _BEYOND_LEAST
        if front in self._alike:
            return MARK + self._longer(place, front)
        pairs = self._pairs
        return MARK + pairs[front >> 15 & 1023] + pairs[front >> 5 & 1023] + pairs[front & 31][1]

    def _longer(self, place: int, front: int) -> str:
        """The letters of an id beside others whose handles begin like it."""
        return unique_letters(self._ids[place], self._beginning[front])

    @cached_property
    def _beginning(self) -> dict[int, list[bytes]]:
        """The ids whose handles begin alike, by their least letters as a number."""
        found: dict[int, list[bytes]] = defaultdict(list)
        for data, number in zip(self._ids, self._numbers, strict=True):
            if number >> _BEYOND_LEAST in self._alike:
                found[number >> _BEYOND_LEAST].append(data)
        return found

    def ids(self, letters: str) -> list[bytes]:
        """The ids whose handle begins with some letters, sorted; it looks at all of them."""
        return sorted(data for data in self._ids if handle_letters(data).startswith(letters))
