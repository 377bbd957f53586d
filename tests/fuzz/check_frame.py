"""The check of what a peer sends in a session: one frame of an honest one is replaced, and the others follow.

The first byte of an input chooses one of the recorded sessions and the side that is looked at, the second one the frame
that is replaced; the others are the frame that comes instead.  ``python -m tests.fuzz.check_frame`` writes one seed for
each kind of frame anew, if the frames have changed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from tests.exchange.session_harness import Side, side
from tests.fuzz.seeds import SEEDS
from tests.session_vectors import Recorded, asked, mirrored
from weft.core.claim import parse
from weft.exchange.configuration import Configuration
from weft.exchange.session import SessionState
from weft.store.interface import StoredClaim, VerifiedClaim, VerifiedPart
from weft.testing import MemoryStore
from weft.v1 import exchange_pb2 as wire

_ALL = 1 << 30
_MOST_SENT = 1 << 16
"""Bytes that one of these sessions, of 50 small claims, can have reason to send."""


class Scene(NamedTuple):
    """One side of a session, before it begins."""

    name: str
    setup: Configuration
    parts: tuple[VerifiedPart, ...]
    """What it holds."""
    theirs: frozenset[bytes]
    """The ids that the peer holds."""
    frames: tuple[bytes, ...]
    """What the peer sends."""

    def begin(self) -> Side:
        """The side, with a store of its own."""
        store = MemoryStore()
        with store.transaction():
            store.put(self.parts)
        return side(store, self.setup)


@lru_cache
def scenes() -> tuple[Scene, ...]:
    """All sides of all recorded sessions."""
    sessions = [*zip(("mirror", "mirror-again"), mirrored()), *zip(("threads", "threads-again"), asked())]  # noqa: B905
    return tuple(_scene(name, number, one) for name, one in sessions for number in range(2))


def _scene(name: str, number: int, one: Recorded) -> Scene:
    side_name, peer_name = ("caller", "answerer")[:: 1 - 2 * number]
    this = (one.caller, one.answerer)[number]
    frames = tuple(bytes.fromhex(frame["frame"]) for frame in one.frames if frame["from"] == peer_name)
    parts = _parts(this.store, one.before[number])
    return Scene(f"{name}-{side_name}", this.setup, parts, frozenset(one.before[1 - number]), frames)


def _parts(store: MemoryStore, ids: set[bytes]) -> tuple[VerifiedPart, ...]:
    """Of what a store holds that which it held before, in the same order."""
    log = [one for one in store.log(0, store.position()) if one.identity in ids]
    runs = [(batch, list(some)) for batch, some in groupby(log, key=lambda one: one.batch)]
    return tuple(VerifiedPart(*store.signed(batch), list(map(_verified, some))) for batch, some in runs)


def _verified(held_one: StoredClaim) -> VerifiedClaim:
    return VerifiedClaim(held_one.leaf, held_one.identity, held_one.data, parse(held_one.data))


def check_frame(raw: bytes) -> None:
    """It ends once or goes on; what is stored came from the origins, nothing is lost, and little is sent."""
    if len(raw) < 2:
        return
    scene = scenes()[raw[0] % len(scenes())]
    this = play(scene, raw[1] % len(scene.frames), raw[2:])
    before = {claim.identity for part in scene.parts for claim in part.claims}
    assert before <= {one.identity for one in this.store.log(0, _ALL)} <= before | scene.theirs
    assert not this.refusals
    assert sum(map(len, this.frames)) <= _MOST_SENT
    assert None not in [wire.Frame.FromString(frame).WhichOneof("kind") for frame in this.frames]
    assert (this.ended is not None) == (this.session.state is SessionState.ENDED)
    this.take(this.session.cut())
    assert this.ended is not None
    assert not this.session.receive(raw[2:])


def play(scene: Scene, place: int, frame: bytes) -> Side:
    """A session in which the peer sends ``frame`` instead of the one at ``place``."""
    this = scene.begin()
    this.take(this.session.start())
    for data in (*scene.frames[:place], frame, *scene.frames[place + 1 :]):
        ended = this.ended
        sent = this.take(this.session.receive(data))
        assert not ended or (not sent and this.ended is ended), "it goes on after its end"
    return this


def out_of_turn(seeds: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Frames of seeds in other sessions and places than their own, the same each time."""
    draw = random.Random(count)
    for _ in range(count):
        yield draw.randbytes(2) + draw.choice(seeds)[2:]


def write_seeds() -> None:
    """One for each kind of frame, of each mode and side; of those that depend on earlier sessions, two."""
    written = set()
    for number, scene in enumerate(scenes()):
        for place, frame in enumerate(scene.frames):
            kind = str(wire.Frame.FromString(frame).WhichOneof("kind"))
            what = (scene.name if kind in ("hello", "agreement") else scene.name.replace("-again", ""), kind)
            if what not in written:
                written.add(what)
                (SEEDS / "frame" / f"{scene.name}-{kind}").write_bytes(bytes((number, place)) + frame)


if __name__ == "__main__":
    write_seeds()
