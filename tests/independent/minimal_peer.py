"""Section 12: the smallest peer that mirrors, as caller or answerer.

It lists ids and knows no coded symbols, asks for nothing, keeps nothing between sessions and does not go live.  Each of
its claims is in a batch of its own, so its proofs have no hashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from tests.independent.agreement import Feeds, agree, read_hello
from tests.independent.claims import claim_id, read_part
from tests.independent.messages import field, last, message, need, written

HELLO, AGREEMENT, LISTING, SETTLED, OFFER, WANT, CLAIMS, GONE, ACK, DONE = 1, 2, 5, 6, 7, 8, 9, 10, 11, 12
SCOPES = ("BOTH", "TO_CALLER", "TO_ANSWERER")
FRAME_IDS = 200


def number(name: int, value: int) -> bytes:
    """A field of a number; nothing for 0."""
    return written(name << 3) + written(value) if value else b""


def elements(data: bytes) -> list[bytes]:
    """Ids one after the other."""
    need(len(data) % 16 == 0)
    return [data[at : at + 16] for at in range(0, len(data), 16)]


class MinimalPeer:
    """One side of a session with ``peer``: frames in, frames out."""

    def __init__(self, own: bytes, peer: bytes, parts: Iterable[bytes], *, caller: bool) -> None:
        """``parts``: what it holds, a claim each, as the bytes of a `BatchPart`."""
        self._caller = caller
        self.parts = {claim_id(message(part)[3][0])[:16]: part for part in parts}
        self.received: dict[bytes, bytes] = {}
        """Parts that came, by the id of each claim in them that was kept."""
        self._feeds: Feeds = {origin: (True, frozenset()) for origin in sorted((own, peer))}
        limits = b"".join(number(n, value) for n, value in enumerate((1 << 20, FRAME_IDS, 4, 4, 1 << 18), 1))
        feeds = field(3, field(1, b"".join(self._feeds)))
        self._hello = number(1, 1) + field(2, limits) + feeds + number(5, 1) + field(9, os.urandom(16))
        self._told, self._sought = ("TO_ANSWERER", "TO_CALLER") if caller else ("TO_CALLER", "TO_ANSWERER")
        self._unsettled: set[str] = set()
        self._offers: list[list[bytes]] = []
        """Ids of our frames that offer, without an answer, the oldest first."""
        self._waiting: list[tuple[int, list[bytes], bytes]] = []
        """Frames that offer and wait for their turn: kind, ids, and what else is in them."""
        self._answered = self._taken = self._unacked = 0
        self._open: set[bytes] = set()
        self._listed: set[bytes] = set()
        self._agreed = self._done = self.over = False

    def start(self) -> list[bytes]:
        """The first frame."""
        return [field(HELLO, self._hello)]

    def receive(self, frame: bytes) -> list[bytes]:
        """What follows from a frame."""
        [(kind, [data])] = message(frame).items()
        sent = [*self._handle(kind, data)]
        if self._agreed and not self._done and not (
            self._unsettled or self._offers or self._waiting or self._open or self._unacked
        ):  # fmt: skip
            self._done = True
            sent.append(field(DONE, b""))
        return sent

    def _handle(self, kind: int, data: bytes) -> Iterator[bytes]:
        fields = message(data)
        if kind == HELLO:
            hellos = (self._hello, data) if self._caller else (data, self._hello)
            self._scopes, self._digest = agree(*map(read_hello, hellos))
            if self._caller:
                agreement = field(1, self._digest[:16]) + field(2, os.urandom(32)) + number(3, 1)
                yield field(AGREEMENT, agreement)
                yield from self._begin()
        elif kind == AGREEMENT:
            need(last(fields[1]) == self._digest[:16] and last(fields[3], 0) == 1)
            yield from self._begin()
        elif kind in (LISTING, OFFER):
            yield from self._offered(kind, fields)
        elif kind == WANT:
            yield from self._wanted(fields)
        elif kind == CLAIMS:
            yield from self._claims(fields[1])
        elif kind == GONE:
            gone = {*elements(last(fields[1]))}
            need(gone <= self._open)
            self._open -= gone
        elif kind == ACK:
            self._unacked -= last(fields[1], 0)
            need(self._unacked >= 0)
        elif kind == SETTLED:
            self._unsettled.discard(SCOPES[last(fields[1], 0)])
        else:
            need(kind == DONE)
            self.over = True

    def _begin(self) -> Iterator[bytes]:
        """List the sets that this side tells; all scopes are mirrored."""
        self._agreed = True
        self._unsettled = {*self._scopes}
        for name in self._scopes:
            if name == self._told or (name == "BOTH" and not self._caller):
                ids = [*self.parts]
                cuts = [ids[at : at + FRAME_IDS] for at in range(0, len(ids), FRAME_IDS)] or [[]]
                for cut in cuts:
                    more = number(1, SCOPES.index(name)) + number(3, cut is cuts[-1])
                    self._waiting.append((LISTING, cut, more))
        yield from self._offer()

    def _offer(self) -> Iterator[bytes]:
        while self._waiting and len(self._offers) < 4:
            kind, ids, more = self._waiting.pop(0)
            self._offers.append(ids)
            data = field(2 if kind == LISTING else 1, b"".join(ids)) if ids else b""
            yield field(kind, more + data)

    def _offered(self, kind: int, fields: dict[int, list[bytes]]) -> Iterator[bytes]:
        ids = elements(last(fields[2] if kind == LISTING else fields[1]))
        bits = 0
        for place, element in enumerate(ids):
            if element not in self.parts and element not in self.received and element not in self._open:
                bits |= 1 << place
                self._open.add(element)
        self._taken += 1
        data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
        yield field(WANT, number(1, self._taken) + (field(2, data) if data else b""))
        if kind == LISTING:
            need(not self._listed & {*ids} and len({*ids}) == len(ids))
            self._listed |= {*ids}
        if kind == LISTING and last(fields[3], 0):
            scope = last(fields[1], 0)
            ours = [element for element in self.parts if element not in self._listed]
            if SCOPES[scope] == "BOTH" and ours:
                self._waiting += [(OFFER, ours[at : at + FRAME_IDS], b"") for at in range(0, len(ours), FRAME_IDS)]
                yield from self._offer()
            yield field(SETTLED, number(1, scope))
            self._unsettled.discard(SCOPES[scope])

    def _wanted(self, fields: dict[int, list[bytes]]) -> Iterator[bytes]:
        self._answered += 1
        need(last(fields[1], 0) == self._answered and not fields[3])
        bits = int.from_bytes(last(fields[2]), "little")
        ids = [element for place, element in enumerate(self._offers.pop(0)) if bits >> place & 1]
        if ids:
            self._unacked += 1
            yield field(CLAIMS, b"".join(field(1, self.parts[element]) for element in ids))
        yield from self._offer()

    def _claims(self, parts: list[bytes]) -> Iterator[bytes]:
        refused: list[bytes] = []
        for part in parts:
            _, kept, odd = read_part(part)
            ids = {name[:16] for name in (*kept, *odd)}
            need(ids <= self._open and last(message(last(message(part)[1]))[1]) in self._feeds)
            self._open -= ids
            self.received |= dict.fromkeys((name[:16] for name in kept), part)
            refused += (name[:16] for name in odd)
        yield field(ACK, number(1, 1) + (field(2, b"".join(refused)) if refused else b""))
