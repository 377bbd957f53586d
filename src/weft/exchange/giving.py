"""Giving claims: from what the peer wants to frames of claims with their proofs.

Theory of operation
-------------------
What is wanted is first located, then fetched in the order of batches, so that one proof serves many claims.  Where a
claim stands tells its feed, and what this peer may not read is answered like what is not here: gone.  So a peer that
asks for ids learns nothing that its rights do not give it.

Claims are fetched page by page, and at most ``open_claims`` frames are without an acknowledgement, so a slow peer costs
a page and some frames.  A peer may have ``open_wants`` ids open, and want by id no more of them than the sets have that
it was shown symbols of: nobody is sent the same again and again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from weft.core.feed import Feed
from weft.errors import RemoteProtocolError
from weft.exchange.events import Fetch, Locate, Piece, Whereabouts
from weft.exchange.line import Line
from weft.exchange.proofs import pack
from weft.exchange.reading import AT_A_TIME
from weft.v1 import exchange_pb2 as wire

FETCHED = 512
"""Claims that are read at a time: 20 MiB at worst."""


class Giver:
    """What we owe."""

    def __init__(self, line: Line, gives: Callable[[Feed], bool]) -> None:
        """``gives``: whether the peer may have claims of a feed."""
        self._line = line
        self._gives = gives
        self._wanted: dict[bytes, None] = {}
        self._located: deque[Whereabouts] = deque()
        self._frames: deque[tuple[list[bytes], int]] = deque()
        self._busy = False
        self._unacked = 0
        self._owed = 0
        self._budget = 0

    @property
    def idle(self) -> bool:
        """Nothing is owed, and all that was sent is on the peer's disk."""
        return not self._owed and not self._unacked and not self._busy

    def allow(self, count: int) -> None:
        """So many more may be wanted by id."""
        self._budget += count

    def want_ids(self, elements: list[bytes]) -> None:
        """What the peer wants because it was decoded."""
        self._budget -= len(elements)
        if self._budget < 0:
            raise RemoteProtocolError("want: more ids than the sets have that symbols were sent of", "wants")
        self.want(elements)

    def want(self, elements: list[bytes]) -> None:
        """What the peer wants."""
        self._owed += len(elements)
        if self._owed > self._line.limits.open_wants:
            raise RemoteProtocolError("want: too many ids are open", "open_wants")
        before = len(self._wanted)
        self._wanted.update(dict.fromkeys(elements))
        if len(self._wanted) != before + len(elements):
            raise RemoteProtocolError("want: an id is wanted twice")
        self.pump()

    def pump(self) -> None:
        """Send frames that are ready, else make some ready."""
        self._flush()
        if self._busy or self._frames:
            return
        if self._located:
            page = list(islice(self._located, FETCHED))
            for _ in page:
                self._located.popleft()
            self._busy = True
            self._line.ask(Fetch(page), lambda pieces: self._fetched(page, pieces))
        elif self._wanted:
            elements, self._wanted = list(self._wanted), {}
            self._busy = True
            self._locate(elements, 0, {})

    def _locate(self, elements: Sequence[bytes], start: int, ours: dict[bytes, Whereabouts]) -> None:
        """Ask the store where claims stand, piece by piece, and put them into the order of batches."""
        some = elements[start : start + AT_A_TIME]
        if some:
            self._line.ask(Locate(some), lambda found: self._found(elements, start + AT_A_TIME, ours, found))
            return
        self._busy = False
        self._gone([element for element in elements if element not in ours])
        self._located.extend(sorted(ours.values(), key=lambda where: where[:2]))
        self.pump()

    def _found(
        self, elements: Sequence[bytes], start: int, ours: dict[bytes, Whereabouts], found: Sequence[Whereabouts]
    ) -> None:
        ours.update((where.element, where) for where in found if self._gives(where.feed))
        self._locate(elements, start, ours)

    def _fetched(self, page: Sequence[Whereabouts], pieces: Sequence[Piece]) -> None:
        self._busy = False
        found = {(piece.batch, leaf) for piece in pieces for leaf, _ in piece.claims}
        self._gone([where.element for where in page if where[:2] not in found])  # expunged since they were located
        self._owed -= len(found)
        self._frames.extend(pack(pieces, self._line.limits.frame_octets))
        self.pump()

    def _gone(self, elements: Sequence[bytes]) -> None:
        self._owed -= len(elements)
        for start in range(0, len(elements), self._line.limits.frame_ids):
            some = elements[start : start + self._line.limits.frame_ids]
            self._line.send(wire.Frame(gone=wire.Gone(ids=b"".join(some))))

    def _flush(self) -> None:
        while self._frames and self._unacked < self._line.limits.open_claims:
            parts, count = self._frames.popleft()
            octets = self._line.send(wire.Frame(claims=wire.Claims(parts=parts)))
            self._unacked += 1
            self._line.report.claims_sent += count
            self._line.report.claim_octets_sent += octets

    def acknowledged(self, frames: int) -> None:
        """The oldest frames are on the peer's disk."""
        if not 0 < frames <= self._unacked:
            raise RemoteProtocolError(f"ack: {frames} frames, but {self._unacked} are open")
        self._unacked -= frames
        self.pump()
