"""More of the zoo: what can be done to who asks for its threads, and to who answers.

Each makes other frames out of one that the real machine sends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.links import End
from tests.exchange.simulation.trees import names
from weft.core.id_digest import ID_DIGEST_BYTES, id_digest
from weft.exchange.session import SessionState
from weft.v1 import exchange_pb2 as wire

Twist = Callable[[bytes], list[bytes]]


class ThreadsLiar:
    """One way to lie about threads."""

    def __init__(self, random: Random, host: Host) -> None:
        self._random, self._host = random, host
        self.ways: Mapping[str, Callable[[End], Twist]] = {
            "claimed bomb": self._honestly,
            "ghost bomb": self._honestly,
            "bridges": self._honestly,
            "enumerates": lambda end: self._change(self._everything),
            "asks for ever": lambda end: self._more("want", self._again),
            "asks at once": lambda end: self._more("ask", lambda ask: [ask, ask]),
            "asks twice": lambda end: self._change(self._twice),
            "bogus after": lambda end: self._change(self._bogus_after),
            "off topic": lambda end: self._change(self._off_topic),
            "never complete": lambda end: self._change(self._never_complete),
            "wrong done": lambda end: self._change(self._wrong_done),
            "answers unasked": lambda end: self._more("want", self._unasked),
            "news for nothing": lambda end: self._more("want", self._news),
            "news after last": lambda end: self._more("news", lambda news: [news]),
            "anew twice": lambda end: self._more("news", self._anew),
            "false cursor": lambda end: self._change(self._false_cursor),
            "settles early": self._settles_early,
        }

    def _honestly(self, end: End) -> Twist:
        return lambda data: [data]

    def _change(self, act: Callable[[wire.Frame], object]) -> Twist:
        """Change each frame."""

        def twist(data: bytes) -> list[bytes]:
            frame = wire.Frame.FromString(data)
            act(frame)
            return [frame.SerializeToString()]

        return twist

    def _more(self, kind: str, act: Callable[[wire.Frame], list[wire.Frame]]) -> Twist:
        """Send more behind each frame of one kind."""

        def twist(data: bytes) -> list[bytes]:
            frame = wire.Frame.FromString(data)
            more = act(frame) if frame.WhichOneof("kind") == kind else []
            return [data, *(one.SerializeToString() for one in more)]

        return twist

    def _digests(self, count: int) -> bytes:
        return self._random.randbytes(ID_DIGEST_BYTES * count)

    def _known(self) -> list[bytes]:
        """Digests of all ids that it has met."""
        met = {id_digest(name): None for _, _, claim in self._host.claims() for name in sorted(names(claim))}
        return list(met)

    def _everything(self, frame: wire.Frame) -> None:
        """Asks about all ids that it can think of."""
        if frame.HasField("ask"):
            known = self._known()
            some = self._random.sample(known, min(len(known), 12))
            frame.ask.ids = b"".join(some) + self._digests(4)

    def _again(self, frame: wire.Frame) -> list[wire.Frame]:
        known = self._known()[:16]
        return [wire.Frame(ask=wire.Ask(ids=b"".join(known)))] if known else []

    def _twice(self, frame: wire.Frame) -> None:
        if frame.HasField("ask"):
            frame.ask.ids = frame.ask.ids[:ID_DIGEST_BYTES] * 2

    def _bogus_after(self, frame: wire.Frame) -> None:
        if frame.HasField("ask"):
            held = [one.identity[:16] for one in self._host.log()]
            frame.ask.after = self._random.choice([self._random.randbytes(16), *held[:20]])

    def _off_topic(self, frame: wire.Frame) -> None:
        """Answers with claims that concern nothing that was asked."""
        if frame.HasField("answer"):
            held = [one.identity[:16] for one in self._host.log()]
            frame.answer.ids = b"".join(self._random.sample(held, min(len(held), len(frame.answer.ids) // 16)))

    def _never_complete(self, frame: wire.Frame) -> None:
        if frame.HasField("answer"):
            frame.answer.ids = frame.answer.ids or self._random.randbytes(16 * 16)
            frame.answer.done, frame.answer.after = 0, frame.answer.ids[-16:]

    def _wrong_done(self, frame: wire.Frame) -> None:
        if frame.HasField("answer"):
            frame.answer.done = self._random.randrange(40)
            frame.answer.after = self._random.randbytes(self._random.choice((0, 3, 16)))

    def _unasked(self, frame: wire.Frame) -> list[wire.Frame]:
        return [wire.Frame(answer=wire.Answer(ids=self._random.randbytes(16), done=1))]

    def _news(self, frame: wire.Frame) -> list[wire.Frame]:
        return [wire.Frame(news=wire.News(ids=self._digests(self._random.randint(0, 16))))]

    def _anew(self, frame: wire.Frame) -> list[wire.Frame]:
        return [wire.Frame(news=wire.News(anew=True, last=True))]

    def _false_cursor(self, frame: wire.Frame) -> None:
        if frame.HasField("hello"):
            frame.hello.cursor = self._random.randbytes(16)

    def _settles_early(self, end: End) -> Twist:
        """Says that it has asked for all, and asks on."""
        said = False

        def twist(data: bytes) -> list[bytes]:
            nonlocal said
            agreement = end.session.agreement
            if said or agreement is None or end.session.state is not SessionState.SYNCING:
                return [data]
            said = True
            return [data, wire.Frame(settled=wire.Settled(scope=agreement.inward.value)).SerializeToString()]

        return twist


THREADS_KINDS = (
    "claimed bomb", "ghost bomb", "bridges", "enumerates", "asks for ever", "asks at once", "asks twice", "bogus after",
    "off topic", "never complete", "wrong done", "answers unasked", "news for nothing", "news after last", "anew twice",
    "false cursor", "settles early",
)  # fmt: skip
