"""Streams of the members of archives: bounded all together, and looked at before they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

from weft.errors import BombError
from weft.sources.compressed import FREE, MAX_OUTPUT
from weft.sources.forms import HEAD


class RawStream(NamedTuple):
    """What `weft.sources.compressed.wrap` reads from: a stream that cannot go back."""

    readinto: Callable[[memoryview], int]

    def seekable(self) -> bool:
        """It cannot."""
        return False

    def seek(self, offset: int, /) -> int:
        """`OSError`."""
        raise OSError(offset)

    def tell(self) -> int:
        """`OSError`."""
        raise OSError

    def close(self) -> None:
        """The archive stays open."""


class NoBytes:
    """A member that is not read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # noqa: ARG002
        """Nothing."""
        return 0


class Budget:
    """How much may come out of an archive, all its members together."""

    def __init__(self, size: int, max_ratio: int) -> None:
        self._left = min(max(FREE, size * max_ratio), MAX_OUTPUT)

    def take(self, count: int) -> None:
        """Count what came out.  `BombError` if it is too much."""
        self._left -= count
        if self._left < 0:
            raise BombError("a bomb? what is in it unfolds to more than --max-ratio allows")


class PeekedStream:
    """The stream of a member whose front was looked at, counted against the budget."""

    def __init__(self, readinto: Callable[[memoryview], int], name: str, budget: Budget) -> None:
        self.name = name
        self._readinto = readinto
        self._budget = budget
        self._front = memoryview(b"")
        self._looked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """The archive stays open."""

    def head(self) -> bytes:
        """The first `HEAD` bytes, which will be read again."""
        buffer, filled = bytearray(HEAD), 0
        with memoryview(buffer) as view:
            while filled < HEAD and (got := self._readinto(view[filled:])):
                filled += got
        self._budget.take(filled)
        self._front = memoryview(bytes(buffer[:filled]))
        return bytes(self._front)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill ``buffer`` from its front; 0 at the end.  `BombError` beyond the budget."""
        if self._front:
            got = min(len(self._front), len(buffer))
            buffer[:got] = self._front[:got]
            self._front = self._front[got:]
            return got
        with memoryview(buffer) as view:
            got = self._readinto(view)
        self._budget.take(got)
        return got

    def read(self, most: int) -> bytes:
        """Up to so many bytes, fewer at the end."""
        pieces, block = [], bytearray(min(most, 1 << 16))
        while most and (got := self.readinto(memoryview(block)[: min(most, len(block))])):
            pieces.append(bytes(block[:got]))
            most -= got
        return b"".join(pieces)
