"""Two sessions talked through in one thread: `talk(side(...), side(...))`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from tests.store.factories import Origin
from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed, FeedSet
from weft.exchange.configuration import Configuration
from weft.exchange.events import Answer, Ask, CoverageGained, Ended, KeepState, Output, Refusal, Request, Send, Synced
from weft.exchange.limits import Limits
from weft.exchange.outbox import Outbox
from weft.exchange.resumption import ResumptionState, StateSection
from weft.exchange.session import Session
from weft.exchange.store_backend import StoreBackend
from weft.policy.rows import Origin as OriginRow
from weft.policy.rows import Peer
from weft.policy.rules import Policy
from weft.testing import MemoryStore
from weft.v1 import exchange_pb2 as wire

ALL = FeedSet(everything=True)
KEY = sha256(b"key").digest()


def policy(own: Origin, peers: Mapping[Origin, Peer], origins: Collection[Origin]) -> Policy:
    """One that admits all lists of ``origins``."""
    rows = {origin.public: OriginRow(1, None) for origin in origins if origin is not own}
    return Policy(own.public, rows, {peer.public: row for peer, row in peers.items()})


def mirroring(own: Origin, peer: Origin, *others: Origin, row: Peer | None = None) -> Policy:
    """Takes everything of known origins from one peer, and gives it everything."""
    return policy(own, {peer: row or Peer(mode="mirror", may_feed=ALL, may_read=ALL)}, [peer, *others])


@dataclass(slots=True)
class Side:
    """A server with one session, as a test sees it."""

    store: MemoryStore
    setup: Configuration
    session: Session
    kept: bytes = b""
    frames: list[bytes] = field(default_factory=list)
    """What it sent."""
    refusals: list[Refusal] = field(default_factory=list)
    covered: list[CoverageGained] = field(default_factory=list)
    synced: bool = False
    ended: Ended | None = None

    @property
    def kinds(self) -> list[str]:
        """Of the frames that it sent."""
        return [str(wire.Frame.FromString(frame).WhichOneof("kind")) for frame in self.frames]

    def take(self, outputs: list[Output]) -> list[bytes]:
        """Do what the session asks for; the frames to deliver."""
        sent = frames_to_send(self.session, outputs, self._answer, self._tell)
        self.frames += sent
        return sent

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, KeepState):
            self.kept = request.data
        return StoreBackend(self.store).answer(request)

    def _tell(self, output: Output) -> None:
        match output:
            case Refusal() as refusal:
                self.refusals.append(refusal)
            case CoverageGained() as covered:
                self.covered.append(covered)
            case Synced():
                self.synced = True
            case Ended() as ended:
                self.ended = ended


def frames_to_send(
    session: Session,
    outputs: Iterable[Output],
    answer: Callable[[Request], Answer],
    tell: Callable[[Output], None] = lambda _: None,
) -> list[bytes]:
    """Answer all that a session asks for, and tell what it says besides; the frames that it sends."""
    sent: list[bytes] = []
    todo = deque(outputs)
    while todo:
        match todo.popleft():
            case Send(data):
                sent.append(data)
            case Ask(number, request):
                todo.extend(session.answer(number, answer(request)))
            case output:
                tell(output)
    return sent


def side(store: MemoryStore, setup: Configuration) -> Side:
    """A side with a session of its own."""
    return Side(store, setup, Session(setup, 0.0), setup.kept)


def talk(caller: Side, answerer: Side) -> None:
    """Start both, and deliver frames until nobody sends any."""
    roads = (deque(caller.take(caller.session.start())), deque(answerer.take(answerer.session.start())))
    flow(caller, answerer, *roads)


def flow(one: Side, other: Side, from_one: deque[bytes], from_other: deque[bytes]) -> None:
    """Deliver frames until nobody sends any."""
    while from_one or from_other:
        if from_one:
            from_other.extend(other.take(other.session.receive(from_one.popleft())))
        if from_other:
            from_one.extend(one.take(one.session.receive(from_other.popleft())))


def put(store: MemoryStore, origin: Origin, list_name: str, *claims: Claim | Withdrawal) -> None:
    """Sign claims in one batch, and store them."""
    with store.transaction():
        store.put([origin.batch(list_name, *claims)])


def held(store: MemoryStore, feed: Feed | None = None) -> set[bytes]:
    """The ids of the claims of a feed, or of all."""
    found = set()
    for one in store.log(0, store.position()):
        signed = store.signed(one.batch)[0]
        if feed in (None, Feed(signed.origin, signed.list)):
            found.add(one.identity)
    return found


def kept_section(section: StateSection, data: bytes) -> bytes:
    """What a session would keep for its peer if it kept one section alone."""
    outbox = Outbox(Limits())
    ResumptionState(outbox, b"").set(section, data)
    [question] = outbox.outputs()
    assert isinstance(question, Ask)
    assert isinstance(question.request, KeepState)
    return question.request.data
