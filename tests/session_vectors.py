"""Whole small sessions as test vectors: what each side holds, and every frame in the order in which it was sent.

The claims are in the frames.  Of each group:

``mirror``   nothing was kept before the first session, so ids are listed; the second, with the key of the first, finds
             the difference by coded symbols
``threads``  each side asks for its threads: about all at first; the second session begins with news behind the cursor
             of the first, and asks only because of that and of what is new in its trees
``anew``     as ``threads``, but the answerer has lost what it remembered: it says so, and all is asked again
``all``      as ``threads``, but the caller's log was restored from a backup: it asks for what it had handed over, too
``gone``     a listed claim was expunged, and a want for it is answered so
``partial``  the caller takes 16 ids a frame: an answer ends in the middle of an id, and goes on ``after`` a claim
``refused``  a claim that its origin signed and that no claim may be: it alone is refused
``live``     mirrored; each side gets a claim once both are done, and offers it
``news``     the same where each side asks for its threads
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tests.exchange.session_harness import ALL, KEY, Side, held, mirroring, policy, put, side
from tests.store.factories import Origin, mail
from weft.exchange.agreement import StatedFeeds, agree
from weft.exchange.configuration import Configuration
from weft.exchange.limits import Limits
from weft.policy.feed_ranges import admitted, served
from weft.policy.rows import Peer
from weft.policy.rules import Policy
from weft.testing import MemoryStore

CALLER, ANSWERER = Origin("caller"), Origin("answerer")
DEFAULT = Limits()

Policies = Callable[[Origin, Origin], Policy]
"""The policy of the one of two servers for the other."""


@dataclass(slots=True)
class Recorded:
    """A session as it is talked through."""

    caller: Side
    answerer: Side
    frames: list[dict[str, str]] = field(default_factory=list)
    before: tuple[set[bytes], set[bytes]] = (set(), set())
    after: tuple[set[bytes], set[bytes]] = (set(), set())

    @property
    def held(self) -> tuple[set[bytes], set[bytes]]:
        """What each side holds now."""
        return held(self.caller.store), held(self.answerer.store)

    def grew(self, name: str) -> None:
        """One side has new claims, and says so."""
        one = self.caller if name == "caller" else self.answerer
        self.deliver((name, frame) for frame in one.take(one.session.grew()))

    def deliver(self, sent: Iterable[tuple[str, bytes]]) -> None:
        """Deliver frames, and write down who sent what, until there are no more."""
        road = deque(sent)
        while road:
            sender, frame = road.popleft()
            self.frames.append({"from": sender, "frame": frame.hex()})
            name, receiver = ("answerer", self.answerer) if sender == "caller" else ("caller", self.caller)
            road.extend((name, reply) for reply in receiver.take(receiver.session.receive(frame)))
        self.after = self.held


def record(caller: Side, answerer: Side) -> Recorded:
    """Talk a session through."""
    one = Recorded(caller, answerer)
    one.before = one.held
    road = [("caller", frame) for frame in caller.take(caller.session.start())]
    one.deliver([*road, *(("answerer", frame) for frame in answerer.take(answerer.session.start()))])
    return one


def begin(
    policies: Policies, ours: MemoryStore, theirs: MemoryStore, *, live: bool = False, limits: Limits = DEFAULT
) -> Recorded:
    """The first session of a pair; ``limits`` are those of the caller."""
    setup = Configuration(policies(CALLER, ANSWERER), ANSWERER.public, True, KEY, live=live, limits=limits)
    other = Configuration(policies(ANSWERER, CALLER), CALLER.public, False, bytes(32), live=live)
    return record(side(ours, setup), side(theirs, other))


def resume(first: Recorded, ours: MemoryStore, theirs: MemoryStore, *, answerer_kept: bool = True) -> Recorded:
    """The next one."""
    caller = side(ours, replace(first.caller.setup, kept=first.caller.kept, key=KEY[::-1]))
    kept = first.answerer.kept if answerer_kept else b""
    return record(caller, side(theirs, replace(first.answerer.setup, kept=kept, key=bytes(range(32)))))


def mirrored() -> list[Recorded]:
    """The first session of a pair, which lists, and the next."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(ours, CALLER, "git", *(mail(f"{n}@caller.example", "root@example.org") for n in range(3)))
    put(theirs, ANSWERER, "git", *(mail(f"{n}@answerer.example", "root@example.org") for n in range(45)))
    first = begin(mirroring, ours, theirs)
    put(ours, CALLER, "dev", mail("later@caller.example", "0@answerer.example"))
    put(theirs, ANSWERER, "git", mail("later@answerer.example", "later@caller.example"))
    return [first, resume(first, ours, theirs)]


def asking(own: Origin, peer: Origin) -> Policy:
    """Asks a peer for its threads, and lets it read everything."""
    return policy(own, {peer: Peer(mode="threads", may_feed=ALL, may_read=ALL)}, [peer])


ROOT, REPLY = "root@example.org", "1@answerer.example"


def _of_one_thread() -> tuple[MemoryStore, MemoryStore]:
    """What each side holds of a thread, and the answerer of others."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(ours, CALLER, "git", mail(ROOT), mail("1@caller.example", ROOT))
    others = (mail(f"{n}@other.example", "other@example.org") for n in range(3))
    put(theirs, ANSWERER, "dev", mail(REPLY, ROOT), mail("2@answerer.example", ROOT, REPLY), *others)
    return ours, theirs


def _goes_on(ours: MemoryStore, theirs: MemoryStore) -> None:
    """More of that thread."""
    put(ours, CALLER, "git", mail("2@caller.example", ROOT, "2@answerer.example"))
    put(theirs, ANSWERER, "dev", mail("3@answerer.example", ROOT, REPLY), mail("4@other.example", "0@other.example"))


def asked() -> list[Recorded]:
    """The first session of a pair, which asks about everything, and the next, which goes on from there."""
    ours, theirs = _of_one_thread()
    first = begin(asking, ours, theirs)
    _goes_on(ours, theirs)
    return [first, resume(first, ours, theirs)]


def asked_anew() -> list[Recorded]:
    """The answerer has forgotten the cursor."""
    ours, theirs = _of_one_thread()
    first = begin(asking, ours, theirs)
    _goes_on(ours, theirs)
    return [first, resume(first, ours, theirs, answerer_kept=False)]


def asked_for_all() -> list[Recorded]:
    """The caller has gone back to a log without what it handed over."""
    ours, theirs = _of_one_thread()
    first = begin(asking, ours, theirs)
    restored = MemoryStore()
    put(restored, CALLER, "git", mail(ROOT))
    return [first, resume(first, restored, theirs)]


def gone() -> list[Recorded]:
    """One of the listed claims is there by its id only."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(theirs, ANSWERER, "git", *(mail(f"{n}@answerer.example") for n in range(3)))
    with theirs.transaction():
        theirs.expunge([theirs.log()[1].identity])
    return [begin(mirroring, ours, theirs)]


def answered_in_parts() -> list[Recorded]:
    """There is more about an id than fits into a frame."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(ours, CALLER, "git", mail(ROOT))
    put(theirs, ANSWERER, "dev", *(mail(f"{n}@answerer.example", ROOT) for n in range(40)))
    narrow = Limits(frame_octets=1 << 16, frame_ids=16, open_offers=1, open_claims=1, open_wants=16)
    return [begin(asking, ours, theirs, limits=narrow)]


def refused() -> list[Recorded]:
    """A claim names an id twice, and its origin signed it."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(theirs, ANSWERER, "git", mail("odd@answerer.example", ROOT, ROOT), mail("good@answerer.example"))
    return [begin(mirroring, ours, theirs)]


def alive(policies: Policies) -> list[Recorded]:
    """Both go on when they are done; then each gets something new."""
    ours, theirs = MemoryStore(), MemoryStore()
    put(ours, CALLER, "git", mail(ROOT))
    put(theirs, ANSWERER, "dev", mail(REPLY, ROOT))
    one = begin(policies, ours, theirs, live=True)
    put(ours, CALLER, "git", mail("live@caller.example", REPLY))
    one.grew("caller")
    put(theirs, ANSWERER, "dev", mail("live@answerer.example", "live@caller.example"))
    one.grew("answerer")
    return [one]


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
    groups: dict[str, tuple[Policies, list[Recorded]]] = {
        "mirror": (mirroring, mirrored()),
        "threads": (asking, asked()),
        "anew": (asking, asked_anew()),
        "all": (asking, asked_for_all()),
        "partial": (asking, answered_in_parts()),
        "news": (asking, alive(asking)),
        "gone": (mirroring, gone()),
        "refused": (mirroring, refused()),
        "live": (mirroring, alive(mirroring)),
    }
    return {
        "caller": CALLER.public.hex(),
        "answerer": ANSWERER.public.hex(),
        **{name: _group(*group) for name, group in groups.items()},
    }


def _group(policies: Policies, sessions: list[Recorded]) -> object:
    key = {} if policies is asking else {"key": KEY.hex()}
    return {"agreement": _agreement(policies), **key, "sessions": _shown(sessions)}
