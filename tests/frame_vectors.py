"""Frames that end a session, as test vectors: what a side is and holds, and what it was sent; the last breaks a rule.

The frames before the last one are good in that state.  A limit stands beside the rule where the `Error` names one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.exchange.session_harness import KEY, Side, kept_section, mirroring, put, side
from tests.part_vectors import part
from tests.session_vectors import asking
from tests.store.factories import Origin, mail
from weft.core.id_digest import id_digest
from weft.errors import RemoteProtocolError
from weft.exchange.agreement import StatedFeeds, agree
from weft.exchange.configuration import Configuration
from weft.exchange.limits import Limits
from weft.exchange.resumption import KeptSketches, RequesterCursor, StateSection
from weft.exchange.riblt.codec import encode_symbols
from weft.exchange.riblt.sketch import encode_range
from weft.policy.feed_ranges import admitted, served
from weft.policy.rules import Policy
from weft.testing import MemoryStore
from weft.v1 import exchange_pb2 as wire

NARROW = Limits(frame_octets=1 << 16, frame_ids=16, open_offers=2, open_claims=1, open_wants=16)
HELD = [mail(f"{n}@held.example", "root@held.example") for n in range(40)]
NEW = Origin("peer").batch("git", mail("new@peer.example"), mail("other@peer.example"))
SELF, PEER = Origin("self"), Origin("peer")


@dataclass(frozen=True, slots=True)
class Setting:
    """A side of a session: whether it called, whether both ask for threads, and what it kept of sessions before."""

    caller: bool
    threads: bool
    kept: bytes = b""

    def rules(self, own: Origin, peer: Origin) -> Policy:
        """The policy of one of two servers for the other."""
        return asking(own, peer) if self.threads else mirroring(own, peer)

    def side(self) -> Side:
        """The side, as it is when it has said hello."""
        store = MemoryStore()
        put(store, SELF, "git", *HELD)
        setup = Configuration(self.rules(SELF, PEER), PEER.public, self.caller, KEY, kept=self.kept, limits=NARROW)
        one = side(store, setup)
        one.take(one.session.start())
        return one

    def hello(self, **changes: object) -> wire.Frame:
        """That of its peer."""
        rules = self.rules(PEER, SELF)
        hello = wire.Hello(
            version=1,
            limits=NARROW.to_message(),
            serves=served(rules, SELF.public).to_message(),
            admits=admitted(rules, SELF.public).to_message(),
            takes=wire.Mode.MODE_THREADS if self.threads else wire.Mode.MODE_MIRROR,
            kept=KeptSketches(self.digest, KEY).mark,
            next=bytes(16),
        )
        for name, value in changes.items():
            if isinstance(value, (wire.Limits, wire.Feeds)):
                getattr(hello, name).CopyFrom(value)
            else:
                setattr(hello, name, value)
        return wire.Frame(hello=hello)

    @property
    def digest(self) -> bytes:
        """Of the agreement."""
        ours, theirs = (
            StatedFeeds(served(rules, peer.public), admitted(rules, peer.public), self.threads)
            for rules, peer in ((self.rules(SELF, PEER), PEER), (self.rules(PEER, SELF), SELF))
        )
        return agree(self.caller, ours, theirs).digest

    def agreement(self, **changes: object) -> wire.Frame:
        """What its peer states, if that called."""
        message = wire.Agreement(digest=self.digest[:16], key=b"" if self.threads else KEY)
        for name, value in changes.items():
            setattr(message, name, value)
        return wire.Frame(agreement=message)


ANSWERER, CALLER = Setting(False, False), Setting(True, False)
COMPARER = Setting(True, False, kept_section(StateSection.SKETCHES, KeptSketches(CALLER.digest, KEY).dump()))
RESPONDER, REQUESTER = Setting(False, True), Setting(True, True)
_CURSOR = RequesterCursor(bytes(range(16)), bytes(32), 0, 0, bytes(32), frozenset())
RESUMING = Setting(True, True, kept_section(StateSection.ASKED, _CURSOR.dump()))
SETTINGS = {
    "answers, mirrors": ANSWERER,
    "calls, mirrors": CALLER,
    "calls, mirrors, has kept the key": COMPARER,
    "answers, asks": RESPONDER,
    "calls, asks": REQUESTER,
    "calls, asks, has a cursor": RESUMING,
}

Frames = list[wire.Frame | bytes]
Case = tuple[str, Frames]
"""The rule, and frames of which the last one breaks it."""


def ids(count: int, start: int = 0) -> bytes:
    """Elements of nothing."""
    return b"".join(n.to_bytes(16, "big") for n in range(start + 1, start + count + 1))


def digests(count: int) -> bytes:
    """Digests of message ids."""
    return b"".join(id_digest(b"%d@held.example" % n) for n in range(count))


def _offer(count: int) -> wire.Frame:
    return wire.Frame(offer=wire.Offer(ids=ids(count)))


def _want(number: int, bits: bytes = b"") -> wire.Frame:
    return wire.Frame(want=wire.Want(offer=number, bits=bits))


def _need(count: int) -> wire.Frame:
    return wire.Frame(need=wire.Need(count=count))


def _listing(data: bytes, *, last: bool = False) -> wire.Frame:
    return wire.Frame(listing=wire.Listing(ids=data, last=last))


def _ask(data: bytes, after: bytes = b"") -> wire.Frame:
    return wire.Frame(ask=wire.Ask(ids=data, after=after))


def _news(data: bytes, *, last: bool = False, anew: bool = False) -> wire.Frame:
    return wire.Frame(news=wire.News(ids=data, last=last, anew=anew))


def _claims(*parts: bytes) -> wire.Frame:
    return wire.Frame(claims=wire.Claims(parts=parts))


def _symbols(size: int, first: int = 0, count: int = 1, stated: int | None = None) -> wire.Frame:
    """Of a set of ``size`` elements that nobody has."""
    data = ids(size)
    elements = [data[at : at + 16] for at in range(0, len(data), 16)]
    symbols = encode_symbols(encode_range(KEY, elements, first, count), first, size)
    stated = (0 if first else size) if stated is None else stated
    return wire.Frame(symbols=wire.Symbols(first=first, size=stated, symbols=symbols))


SETTLED, DONE = wire.Frame(settled=wire.Settled()), wire.Frame(done=wire.Done())
ASKED_BY_CALLER = wire.Frame(settled=wire.Settled(scope=wire.Scope.SCOPE_TO_CALLER))
_NEW = part(NEW, (0, 1)).SerializeToString(deterministic=True)
_OFFERED = wire.Frame(offer=wire.Offer(ids=b"".join(claim.identity[:16] for claim in NEW.claims)))


def _hellos(setting: Setting) -> Iterator[Case]:
    """About the hello, and what must not stand before it or the agreement."""
    hello = setting.hello()
    yield "frame: no message of the schema", [b"\xff\xff"]
    yield "frame: no kind", [b""]
    yield "frame: a kind that is not known", [b"\xba\x3e\x03abc"]
    yield "frame: before the hello", [_offer(1)]
    yield "hello: a second one", [hello, hello]
    yield "hello: version 2", [setting.hello(version=2)]
    yield "hello: no mode", [setting.hello(takes=0)]
    yield "hello: a mode that is not known", [setting.hello(takes=3)]
    yield "hello: next has 15 bytes", [setting.hello(next=bytes(15))]
    yield "hello: cursor has 15 bytes", [setting.hello(cursor=bytes(15))]
    yield "hello: kept has 15 bytes", [setting.hello(kept=bytes(15))]
    for name, least in {"frame_octets": 1 << 16, "frame_ids": 16, "open_offers": 1, "open_claims": 1}.items():
        limits = NARROW.to_message()
        setattr(limits, name, least - 1)
        yield f"hello: {name} is {least - 1}", [setting.hello(limits=limits)]
    limits = NARROW.to_message()
    limits.frame_ids = 17
    yield "hello: open_wants is less than frame_ids", [setting.hello(limits=limits)]
    yield "frame: before the agreement", [hello, _offer(1)]
    yield "agreement: another digest", [hello, setting.agreement(digest=bytes(16))]
    yield "agreement: a key of 31 bytes", [hello, setting.agreement(key=bytes(31))]
    yield "agreement: no key, and none was kept", [hello, setting.agreement(key=b"")]


def _answering(setting: Setting) -> Iterator[Case]:
    """Of one that tells its set, and takes offers."""
    start: Frames = [setting.hello(), setting.agreement()]
    cases: dict[str, Frames] = {
        "offer: 17 ids": [_offer(17)],
        "offer: no ids": [_offer(0)],
        "offer: half an id": [wire.Frame(offer=wire.Offer(ids=bytes(24)))],
        "need: more symbols than are tried for a set of 40": [_need(1), _need(37)],
        "need: after the list was asked for": [_need(0), _need(1)],
        "need: of a scope without feeds": [wire.Frame(need=wire.Need(scope=wire.Scope.SCOPE_TO_CALLER, count=1))],
        "symbols: of a scope that the receiver tells": [_symbols(3)],
        "listing: of a scope that the receiver tells": [_listing(b"", last=True)],
        "ask: the scope is mirrored": [_ask(digests(1))],
        "want: an offer that was not made": [_want(1)],
        "want: ids beyond the sizes of the sets": [
            wire.Frame(want=wire.Want(ids=ids(16, at))) for at in range(0, 48, 16)
        ],
        "want: bits beyond the ids of the list": [_need(0), _want(1, b"\x00\x00\x01")],
        "want: the last byte of its bits is zero": [_need(0), _want(1, b"\x01\x00")],
        "want: not the oldest offer": [_need(0), _want(2)],
        "want: an id twice": [wire.Frame(want=wire.Want(ids=ids(1) * 2))],
        "gone: an id that was not wanted": [wire.Frame(gone=wire.Gone(ids=ids(1)))],
        "gone: an id twice": [_offer(1), wire.Frame(gone=wire.Gone(ids=ids(1) * 2))],
        "ack: nothing is open": [wire.Frame(ack=wire.Ack(frames=1))],
        "ack: 0 frames": [wire.Frame(ack=wire.Ack())],
        "claims: no part": [_claims()],
        "claims: not wanted": [_claims(_NEW)],
        "claims: a second time": [_OFFERED, _claims(_NEW), _claims(_NEW)],
        "claims: one batch twice": [
            _OFFERED, _claims(*(part(NEW, (leaf,)).SerializeToString(deterministic=True) for leaf in (0, 1)))
        ],
        "done: the sender owes claims": [_offer(1), SETTLED, DONE],
        "done: before the scope is settled, and a frame behind it": [DONE, _offer(1)],
        "frame: behind its settled, when both have settled": [SETTLED, _offer(1)],
        "settled: of a scope without feeds": [ASKED_BY_CALLER],
    }  # fmt: skip
    yield from ((rule, [*start, *frames]) for rule, frames in cases.items())


def _comparing(setting: Setting) -> Iterator[Case]:
    """Of one that was told the first symbol of a set, or is about to be."""
    hello, few = setting.hello(), _symbols(4)
    cases: dict[str, Frames] = {
        "symbols: cut": [wire.Frame(symbols=wire.Symbols(size=3, symbols=bytes(24)))],
        "symbols: two in place of the first one": [_symbols(3, count=2)],
        "symbols: not the first one": [_symbols(40, first=1)],
        "symbols: not asked for": [_symbols(40), _symbols(40, first=1)],
        "listing: not asked for": [_listing(ids(1), last=True)],
        "listing: it does not explain symbol 0": [few, _listing(ids(3), last=True)],
        "listing: another id than in symbol 0": [few, _listing(ids(4, 1), last=True)],
        "listing: more ids than the set has": [few, _listing(ids(5))],
    }
    yield from ((rule, [hello, *frames]) for rule, frames in cases.items())


def _listing_cases(setting: Setting) -> Iterator[Case]:
    """Of one that reads a list."""
    hello = setting.hello()
    cases: dict[str, Frames] = {
        "agreement: from the answerer": [setting.agreement()],
        "listing: an id twice in a frame": [_listing(ids(1) * 2, last=True)],
        "listing: an id twice in two frames": [_listing(ids(2)), _listing(ids(1), last=True)],
        "listing: an empty frame that is not the last": [_listing(b"")],
        "listing: a frame behind the last one": [_listing(ids(1), last=True), _listing(ids(1, 1), last=True)],
        "symbols: the list was agreed on": [_symbols(3)],
    }
    yield from ((rule, [hello, *frames]) for rule, frames in cases.items())


def _responding(setting: Setting) -> Iterator[Case]:
    """Of one that is asked."""
    start: Frames = [setting.hello(), setting.agreement()]
    cases: dict[str, Frames] = {
        "ask: no ids": [_ask(b"")],
        "ask: half a digest": [_ask(bytes(9))],
        "ask: 17 ids": [_ask(digests(17))],
        "ask: an id twice": [_ask(digests(1) * 2)],
        "ask: after has 15 bytes": [_ask(digests(1), after=bytes(15))],
        "offer: to one that asks": [_offer(1)],
        "symbols: nothing is mirrored": [_symbols(3)],
        "settled: of the scope in which the sender answers": [
            wire.Frame(settled=wire.Settled(scope=wire.Scope.SCOPE_TO_ANSWERER))
        ],
        "ask: after settled": [ASKED_BY_CALLER, _ask(digests(1))],
        "settled: twice": [ASKED_BY_CALLER, ASKED_BY_CALLER],
    }
    yield from ((rule, [*start, *frames]) for rule, frames in cases.items())
    yield "agreement: a key, and nothing is mirrored", [setting.hello(), setting.agreement(key=KEY)]
    yield "agreement: a list, and nothing is mirrored", [setting.hello(), setting.agreement(listing=True)]


def _requesting(setting: Setting) -> Iterator[Case]:
    """Of one that has asked about 16 ids."""
    hello = setting.hello()
    cases: dict[str, wire.Answer] = {
        "answer: more done than was asked": wire.Answer(ids=ids(1), done=17),
        "answer: nothing, and not complete": wire.Answer(done=15),
        "answer: after has 15 bytes": wire.Answer(ids=ids(1), done=15, after=bytes(15)),
        "answer: an id twice": wire.Answer(ids=ids(1) * 2, done=16),
        "answer: 17 ids": wire.Answer(ids=ids(17), done=16),
    }
    for rule, answer in cases.items():
        yield rule, [hello, wire.Frame(answer=answer)]
    yield "news: no cursor was shown", [hello, _news(digests(1), last=True)]


def _resuming(setting: Setting) -> Iterator[Case]:
    """Of one that showed a cursor, and has asked nothing yet."""
    hello = setting.hello()
    low, high = sorted((digests(1), digests(2)[6:]))
    cases: dict[str, Frames] = {
        "news: half a digest": [_news(bytes(9), last=True)],
        "news: not ascending": [_news(high + low, last=True)],
        "news: an id twice": [_news(low * 2, last=True)],
        "news: anew with ids": [_news(low, last=True, anew=True)],
        "news: anew behind news": [_news(low), _news(b"", last=True, anew=True)],
        "news: behind the last ones": [_news(low, last=True), _news(high, last=True)],
        "answer: nothing was asked": [wire.Frame(answer=wire.Answer(done=1))],
    }
    yield from ((rule, [hello, *frames]) for rule, frames in cases.items())


def cases() -> Iterator[tuple[str, str, list[bytes]]]:
    """(name of the setting, rule, frames)."""
    made = [
        ("answers, mirrors", [*_hellos(ANSWERER), *_answering(ANSWERER)]),
        ("calls, mirrors", [*_listing_cases(CALLER)]),
        ("calls, mirrors, has kept the key", [*_comparing(COMPARER)]),
        ("answers, asks", [*_responding(RESPONDER)]),
        ("calls, asks", [*_requesting(REQUESTER)]),
        ("calls, asks, has a cursor", [*_resuming(RESUMING)]),
    ]
    for name, some in made:
        for rule, frames in some:
            yield (
                name,
                rule,
                [one if isinstance(one, bytes) else one.SerializeToString(deterministic=True) for one in frames],
            )


def ended(name: str, frames: list[bytes]) -> tuple[int, str, str]:
    """How many frames a side takes of these, and the reason and limit with which it ends the session."""
    one = SETTINGS[name].side()
    for number, frame in enumerate(frames):
        one.take(one.session.receive(frame))
        if one.ended is not None:
            error = one.ended.error
            assert isinstance(error, RemoteProtocolError), f"{name}: the session ended well"
            return number, str(error), error.limit
    raise AssertionError(f"{name}: {frames[-1].hex()} was taken")


def content() -> object:
    """The contents of ``frames.json``."""
    found = []
    for name, rule, frames in cases():
        taken, _, limit = ended(name, frames)
        assert taken == len(frames) - 1, f"{rule}: a frame before the last one ends the session"
        found.append({"side": name, "rule": rule, "limit": limit, "frames": [frame.hex() for frame in frames]})
    return {
        "self": SELF.public.hex(),
        "peer": PEER.public.hex(),
        "key": KEY.hex(),
        "held": part(SELF.batch("git", *HELD), range(len(HELD))).SerializeToString(deterministic=True).hex(),
        "sides": {
            name: {
                "calls": one.caller,
                "takes": "THREADS" if one.threads else "MIRROR",
                "sent": [frame.hex() for frame in one.side().frames],
            }
            for name, one in SETTINGS.items()
        },
        "cases": found,
    }
