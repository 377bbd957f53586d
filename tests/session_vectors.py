"""Whole small sessions as test vectors: what each side holds, and every frame in the order in which it was sent.

Two sessions mirror.  Nothing was kept before the first one, so ids are listed; the second, with the key of the first,
finds the difference by coded symbols.  In two others each side asks for its threads: the first asks about all, the
second begins with news behind the cursor of the first, and asks only because of that and of what is new in its trees.
The claims are in the frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.exchange.session_harness import ALL, KEY, Side, held, mirroring, policy, put, side
from tests.store.factories import Origin, mail
from weft.exchange.agreement import StatedFeeds, agree
from weft.exchange.configuration import Configuration
from weft.policy.feed_ranges import admitted, served
from weft.policy.rows import Peer
from weft.policy.rules import Policy
from weft.testing import MemoryStore

CALLER, ANSWERER = Origin("caller"), Origin("answerer")

Policies = Callable[[Origin, Origin], Policy]
"""The policy of the one of two servers for the other."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A session that was talked through."""

    caller: Side
    answerer: Side
    frames: list[dict[str, str]]
    before: tuple[set[bytes], set[bytes]]
    after: tuple[set[bytes], set[bytes]]


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
    return Recorded(caller, answerer, frames, before, (held(caller.store), held(answerer.store)))


def _two(policies: Policies, ours: MemoryStore, theirs: MemoryStore, between: Callable[[], None]) -> list[Recorded]:
    """Two sessions of a pair, and what happens between them."""
    caller = side(ours, Configuration(policies(CALLER, ANSWERER), ANSWERER.public, True, KEY))
    answerer = side(theirs, Configuration(policies(ANSWERER, CALLER), CALLER.public, False, bytes(32)))
    first = record(caller, answerer)
    between()
    caller = side(ours, replace(caller.setup, kept=caller.kept, key=KEY[::-1]))
    answerer = side(theirs, replace(answerer.setup, kept=answerer.kept, key=bytes(range(32))))
    return [first, record(caller, answerer)]


def mirrored() -> list[Recorded]:
    """The first session of a pair, which lists, and the next."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(ours, CALLER, "git", *(mail(f"{n}@caller.example", "root@example.org") for n in range(3)))
    put(theirs, ANSWERER, "git", *(mail(f"{n}@answerer.example", "root@example.org") for n in range(45)))

    def between() -> None:
        put(ours, CALLER, "dev", mail("later@caller.example", "0@answerer.example"))
        put(theirs, ANSWERER, "git", mail("later@answerer.example", "later@caller.example"))

    return _two(mirroring, ours, theirs, between)


def asking(own: Origin, peer: Origin) -> Policy:
    """Asks a peer for its threads, and lets it read everything."""
    return policy(own, {peer: Peer(mode="threads", may_feed=ALL, may_read=ALL)}, [peer])


def asked() -> list[Recorded]:
    """The first session of a pair, which asks about everything, and the next, which goes on from there."""
    ours, theirs = MemoryStore(), MemoryStore()
    root, reply = "root@example.org", "1@answerer.example"
    put(ours, CALLER, "git", mail(root), mail("1@caller.example", root))
    others = (mail(f"{n}@other.example", "other@example.org") for n in range(3))
    put(theirs, ANSWERER, "dev", mail(reply, root), mail("2@answerer.example", root, reply), *others)

    def between() -> None:
        put(ours, CALLER, "git", mail("2@caller.example", root, "2@answerer.example"))
        put(
            theirs, ANSWERER, "dev", mail("3@answerer.example", root, reply), mail("4@other.example", "0@other.example")
        )

    return _two(asking, ours, theirs, between)


def _shown(sessions: list[Recorded]) -> list[object]:
    return [
        {
            "caller_holds": _ids(one.before[0]),
            "answerer_holds": _ids(one.before[1]),
            "frames": one.frames,
            "caller_holds_then": _ids(one.after[0]),
            "answerer_holds_then": _ids(one.after[1]),
        }
        for one in sessions
    ]


def _ids(identities: set[bytes]) -> list[str]:
    return sorted(identity.hex() for identity in identities)


def _agreement(policies: Policies) -> str:
    ours, theirs = (
        StatedFeeds(
            served(rules, peer.public), admitted(rules, peer.public), rules.peers[peer.public].mode == "threads"
        )
        for rules, peer in ((policies(CALLER, ANSWERER), ANSWERER), (policies(ANSWERER, CALLER), CALLER))
    )
    return agree(True, ours, theirs).digest.hex()


def content() -> object:
    """The contents of ``session.json``."""
    return {
        "caller": CALLER.public.hex(),
        "answerer": ANSWERER.public.hex(),
        "mirror": {"agreement": _agreement(mirroring), "key": KEY.hex(), "sessions": _shown(mirrored())},
        "threads": {"agreement": _agreement(asking), "sessions": _shown(asked())},
    }
