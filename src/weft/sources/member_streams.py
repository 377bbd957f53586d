"""Streams of the members of archives: bounded all together, and looked at before they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

from weft.errors import BombError
from weft.sources.compressed import FREE, MAX_OUTPUT
from weft.sources.forms import HEAD

_STEP = 1 << 16


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

    def first(self) -> tuple[bytes, bool]:
        """Nothing, and that is all."""
        return b"", True

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


def _nothing() -> tuple[bytes, bool]:
    return b"", False


class PeekedStream:
    """The stream of a member whose front was looked at, counted against the budget."""

    def __init__(
        self,
        readinto: Callable[[memoryview], int],
        name: str,
        budget: Budget,
        first: Callable[[], tuple[bytes, bool]] = _nothing,
    ) -> None:
        """``first`` gives those bytes before the ones of ``readinto`` that are at hand, and whether they are all."""
        self.name = name
        self._readinto = readinto
        self._first = first
        self._budget = budget
        self._front = b""
        self._at = 0  # how much of the front was read
        self._at_end = False  # nothing comes behind the front

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """The archive stays open."""

    def head(self) -> bytes:
        """The first `HEAD` bytes, which will be read again."""
        front, self._at_end = self._first()
        if len(front) < HEAD and not self._at_end:
            front += self._more(HEAD - len(front))
        self._budget.take(len(front))
        self._front, self._at = front, 0
        return front[:HEAD]

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill ``buffer`` from its front; 0 at the end.  `BombError` beyond the budget."""
        if self._at < len(self._front):
            piece = self._front[self._at : self._at + len(buffer)]
            buffer[: len(piece)] = piece
            self._at += len(piece)
            return len(piece)
        if self._at_end:
            return 0
        with memoryview(buffer) as view:
            got = self._readinto(view)
        self._budget.take(got)
        return got

    def read(self, most: int) -> bytes:
        """Up to so many bytes, fewer at the end."""
        front = self._front[self._at : self._at + most]
        self._at += len(front)
        if self._at_end:
            return front
        pieces, size, most = [front], HEAD, most - len(front)
        while most and (piece := self._more(min(most, size))):
            self._budget.take(len(piece))
            pieces.append(piece)
            most, size = most - len(piece), _STEP
        return b"".join(pieces)

    def _more(self, most: int) -> bytes:
        """Up to so many bytes of what does not belong to the front, fewer at the end."""
        buffer, filled = bytearray(most), 0
        with memoryview(buffer) as view:
            while filled < most and (got := self._readinto(view[filled:])):
                filled += got
        return bytes(buffer[:filled])
