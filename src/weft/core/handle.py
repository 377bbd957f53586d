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
from base64 import b32encode
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import sha1

MARK = "~"
LEAST = 5
LETTERS = 32
"""A whole hash."""
NUMBERED = 9
"""So many letters are told apart by `handle_number`."""
_BITS = 48
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
    """The handles of ids that are all in memory."""

    def __init__(self, ids: Iterable[bytes]) -> None:
        """It costs a hash of each id, and the sorting of these."""
        self._numbered = sorted((handle_number(data), data) for data in ids)

    def handle(self, message_id: bytes) -> str:
        """The handle of one of the ids, with as many letters as tell it from the others."""
        place = bisect_left(self._numbered, (handle_number(message_id), message_id))
        near = [data for _, data in self._numbered[max(0, place - 1) : place + 2]]
        return MARK + unique_letters(message_id, near)

    def ids(self, letters: str) -> list[bytes]:
        """The ids whose handle begins with some letters, sorted."""
        first, last = number_range(letters)
        start, end = bisect_left(self._numbered, (first, b"")), bisect_left(self._numbered, (last + 1, b""))
        return sorted(data for _, data in self._numbered[start:end] if handle_letters(data).startswith(letters))
