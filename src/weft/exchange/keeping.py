"""What is kept of a peer between sessions, as one string of octets: up to three things that are kept apart in it.

All of it can be lost at any time, and costs one exchange from the start.  What cannot be read is as good as lost.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum

from weft.exchange.events import Keep
from weft.exchange.line import Line

_HEAD = struct.Struct("<BI")


class Section(IntEnum):
    """What is kept."""

    SKETCHES = 1
    ASKED = 2
    TOLD = 3


class Keeping:
    """What is kept, and how it changes in a session."""

    def __init__(self, line: Line, octets: bytes) -> None:
        self._line = line
        self._sections = _split(octets)

    def get(self, section: Section) -> bytes:
        """What is kept; empty if nothing is."""
        return self._sections.get(section, b"")

    def set(self, section: Section, octets: bytes, then: Callable[[], None] = lambda: None) -> None:
        """Keep something else (empty: nothing), and go on when that is done."""
        self._sections[section] = octets
        kept = (
            part
            for name, some in sorted(self._sections.items())
            if some
            for part in (_HEAD.pack(name, len(some)), some)
        )
        self._line.ask(Keep(b"".join(kept)), lambda _: then())


def _split(octets: bytes) -> dict[Section, bytes]:
    sections: dict[Section, bytes] = {}
    start = 0
    while start + _HEAD.size <= len(octets):
        name, length = _HEAD.unpack_from(octets, start)
        start += _HEAD.size
        if name not in set(Section) or start + length > len(octets):
            break
        sections[Section(name)] = octets[start : start + length]
        start += length
    return sections
