"""A whole small session as a test vector: what each side holds, and every frame in the order in which it was sent.

Nothing was kept before the first session, so ids are listed; the second, with the key of the first, finds the
difference by coded symbols.  The claims are in the frames.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from tests.exchange.driving import KEY, Side, held, mirroring, put, side
from tests.store.making import Origin, mail
from weft.exchange.agreement import Stated, agree
from weft.exchange.feeds import admitted, served
from weft.exchange.setup import Setup
from weft.store.memory import MemoryStore

CALLER, ANSWERER = Origin("caller"), Origin("answerer")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A session that was talked through."""

    caller: Side
    answerer: Side
    frames: list[dict[str, str]]
    before: tuple[set[bytes], set[bytes]]


def record(caller: Side, answerer: Side) -> Recorded:
    """Talk a session through, and write down who sent what."""
    before = (held(caller.store), held(answerer.store))
    frames: list[dict[str, str]] = []
    road = deque(("caller", frame) for frame in caller.take(caller.session.start()))
    road.extend(("answerer", frame) for frame in answerer.take(answerer.session.start()))
    while road:
        sender, frame = road.popleft()
        frames.append({"from": sender, "frame": frame.hex()})
        name, receiver = ("answerer", answerer) if sender == "caller" else ("caller", caller)
        road.extend((name, reply) for reply in receiver.take(receiver.session.receive(frame)))
    return Recorded(caller, answerer, frames, before)


def sessions() -> tuple[Recorded, Recorded]:
    """The first session of a pair, which lists, and the next."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(ours, CALLER, "git", *(mail(f"{n}@caller.example", "root@example.org") for n in range(3)))
    put(theirs, ANSWERER, "git", *(mail(f"{n}@answerer.example", "root@example.org") for n in range(45)))
    caller = side(ours, Setup(mirroring(CALLER, ANSWERER), ANSWERER.public, True, KEY))
    answerer = side(theirs, Setup(mirroring(ANSWERER, CALLER), CALLER.public, False, bytes(32)))
    first = record(caller, answerer)
    put(ours, CALLER, "dev", mail("later@caller.example", "0@answerer.example"))
    put(theirs, ANSWERER, "git", mail("later@answerer.example", "later@caller.example"))
    caller = side(ours, replace(caller.setup, kept=caller.kept))
    answerer = side(theirs, replace(answerer.setup, kept=answerer.kept))
    return first, record(caller, answerer)


def content() -> object:
    """The contents of ``session.json``."""
    own, peer = mirroring(CALLER, ANSWERER), mirroring(ANSWERER, CALLER)
    ours = Stated(served(own, ANSWERER.public), admitted(own, ANSWERER.public))
    theirs = Stated(served(peer, CALLER.public), admitted(peer, CALLER.public))
    return {
        "caller": CALLER.public.hex(),
        "answerer": ANSWERER.public.hex(),
        "agreement": agree(True, ours, theirs).digest.hex(),
        "key": KEY.hex(),
        "sessions": [
            {
                "caller_holds": sorted(identity.hex() for identity in one.before[0]),
                "answerer_holds": sorted(identity.hex() for identity in one.before[1]),
                "frames": one.frames,
                "both_hold": sorted(identity.hex() for identity in held(one.caller.store)),
            }
            for one in sessions()
        ],
    }
