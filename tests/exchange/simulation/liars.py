"""The zoo: peers that have a row in everybody's policy, speak the protocol, and lie.

A liar runs the real machine over a store of its own, where forged claims lie as well, and then changes what the machine
sends.  So its lies come at the right moment and in the right form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from random import Random

from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.links import End
from tests.exchange.simulation.threads_liars import ThreadsLiar
from tests.store.factories import Origin, mail
from weft.exchange.session import SessionState
from weft.store.interface import VerifiedPart
from weft.v1 import claim_pb2 as claim_wire
from weft.v1 import exchange_pb2 as wire

Twist = Callable[[bytes], list[bytes]]


def forged(part: VerifiedPart) -> VerifiedPart:
    """A batch under a signature that its origin did not make."""
    signature = bytes([part.signed.signature[0] ^ 1]) + part.signed.signature[1:]
    return part._replace(signed=replace(part.signed, signature=signature))


class Liar:
    """One way to lie."""

    def __init__(self, kind: str, random: Random, host: Host, known: Collection[VerifiedPart]) -> None:
        """``known``: batches of others that it can show, as they are."""
        self._random = random
        self._host = host
        self._known = known
        ways = {
            **ThreadsLiar(random, host).ways,
            "forged signature": self._honestly,
            "altered claim": lambda end: self._claims(self._altered),
            "unwanted claim": lambda end: self._claims(self._unwanted),
            "foreign feed": self._foreign,
            "never decodes": lambda end: self._each("symbols", self._garbled),
            "endless": lambda end: self._endless,
            "withholds": lambda end: self._each("claims", lambda frame: []),
            "says gone": lambda end: self._claims(self._gone),
            "squats": lambda end: self._claims(self._altered),
            "huge frames": lambda end: self._sometimes(bytes(1 << 17)),
            "tiny frames": lambda end: self._sometimes(b""),
            "noise": lambda end: self._noise,
            "two stories": self._honestly,
            "true witness": self._honestly,
            "plants refusals": self._honestly,
            "cuts trees": self._honestly,
        }
        self._make = ways[kind]

    def join(self, end: End) -> None:
        """Lie in a session."""
        end.twist = self._make(end)

    def _honestly(self, end: End) -> Twist:
        return lambda data: [data]

    def _each(self, kind: str, act: Callable[[wire.Frame], list[wire.Frame]]) -> Twist:
        """Change all frames of one kind."""

        def twist(data: bytes) -> list[bytes]:
            frame = wire.Frame.FromString(data)
            if frame.WhichOneof("kind") != kind:
                return [data]
            return [changed.SerializeToString() for changed in act(frame)]

        return twist

    def _claims(self, act: Callable[[wire.Frame], list[wire.Frame]]) -> Twist:
        return self._each("claims", act)

    def _altered(self, frame: wire.Frame) -> list[wire.Frame]:
        parts = [claim_wire.BatchPart.FromString(part) for part in frame.claims.parts]
        some = self._random.choice(parts)
        at = self._random.randrange(len(some.claims))
        claim = claim_wire.AnyClaim.FromString(some.claims[at])
        claim.mail.subject = b"altered"
        some.claims[at] = claim.SerializeToString()
        return [wire.Frame(claims=wire.Claims(parts=[part.SerializeToString() for part in parts]))]

    def _unwanted(self, frame: wire.Frame) -> list[wire.Frame]:
        """True claims, nicely proved, that nobody asked for."""
        part = self._random.choice(list(self._known))
        message = claim_wire.BatchPart(
            batch=part.signed.to_message(),
            proof=part.tree.prove(part.tree.leaves).to_message(),
            claims=[claim.data for claim in part.claims],
        )
        more = wire.Frame(claims=wire.Claims(parts=[*frame.claims.parts, message.SerializeToString()]))
        return [more]

    def _gone(self, frame: wire.Frame) -> list[wire.Frame]:
        """Says that it has not what it offered, and something that nobody asked about."""
        return [wire.Frame(gone=wire.Gone(ids=self._random.randbytes(16)))]

    def _garbled(self, frame: wire.Frame) -> list[wire.Frame]:
        data = bytearray(frame.symbols.symbols)
        at = self._random.randrange(len(data))
        if at % 25 != 24:
            data[at] ^= 1 << self._random.randrange(8)
        frame.symbols.symbols = bytes(data)
        return [frame]

    def _foreign(self, end: End) -> Twist:
        """Offers claims of a feed that is not agreed on, and sends them if they are wanted."""
        stranger = Origin("stranger")
        part = stranger.batch("git", *(mail(f"{n}@stranger", "0@x") for n in range(3)))
        self._host.put(part)
        session = end.session
        offered = False

        def twist(data: bytes) -> list[bytes]:
            nonlocal offered
            if session.state is SessionState.SYNCING and not offered:
                offered = True
                session._claim_sender._gives = lambda feed: True
                session._offer_queue._queue.extend(claim.identity[:16] for claim in part.claims)
            return [data]

        return twist

    def _endless(self, data: bytes) -> list[bytes]:
        """Goes on offering what nobody has."""
        more = wire.Frame(offer=wire.Offer(ids=self._random.randbytes(16 * self._random.randint(1, 16))))
        frame = wire.Frame.FromString(data)
        if frame.WhichOneof("kind") in ("hello", "agreement"):
            return [data]
        if frame.WhichOneof("kind") == "done":
            return [more.SerializeToString()]
        return [data, more.SerializeToString()]

    def _sometimes(self, data: bytes) -> Twist:
        return lambda frame: [data] if self._random.random() < 0.2 else [frame]

    def _noise(self, data: bytes) -> list[bytes]:
        """Frames that are cut, changed, or of the wrong moment."""
        if self._random.random() < 0.7:
            return [data]
        changed = bytearray(data)
        if changed:
            changed[self._random.randrange(len(changed))] = self._random.randrange(256)
        return [self._random.choice((bytes(changed), data[: len(data) // 2], data + data))]


LATER_KINDS = ("plants refusals", "cuts trees")
"""Drawn apart from the others, so that the histories of worlds without them stay as they were."""
KINDS = (
    "forged signature", "altered claim", "unwanted claim", "foreign feed", "never decodes", "endless", "withholds",
    "says gone", "squats", "huge frames", "tiny frames", "noise", "two stories", "true witness",
)  # fmt: skip
