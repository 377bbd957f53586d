"""A session between two servers: the machine that takes frames and answers, and gives frames and questions.

Theory of operation
-------------------
=========  =============================================================================================
state      what happens
=========  =============================================================================================
HELLO      each side sends its hello, and waits for the other's
AGREEING   both know the agreement; the answerer waits for the key of the sketches
SYNCING    differences are found, offered, wanted and sent (`weft.exchange.mirror`), and who wants its threads asks
           for them (`weft.exchange.asking`)
LIVE       both are done; what arrives from now on is offered
ENDED      nothing more
=========  =============================================================================================

There is no input or output, no clock and no randomness: the shell says what arrived, what the store answered and what
time it is, and does what is asked of it.  Each call returns what is to be done because of it, in order.  A session can
be cut anywhere: what was committed stays, and the next session goes on from there.

Whatever a peer does wrong ends its session with a `RemoteProtocolError`, after a last frame that says why.  What the
shell does wrong raises `LocalProtocolError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from google.protobuf.message import DecodeError

from weft.core.feed import Feed
from weft.errors import LocalProtocolError, RemoteProtocolError, StoreError, WeftError
from weft.exchange.agreement import Agreement
from weft.exchange.answering import Answerer
from weft.exchange.asking import Asker
from weft.exchange.clock import Clock
from weft.exchange.cursors import load_asked
from weft.exchange.events import Answer, Covered, Ended, Output, Report, Synced
from weft.exchange.feeds import NO_FEEDS, Feeds, readable
from weft.exchange.giving import Giver
from weft.exchange.handshake import Handshake
from weft.exchange.keeping import Keeping, Section
from weft.exchange.kept import Kept
from weft.exchange.limits import MAX_REASON
from weft.exchange.line import Line, split_ids
from weft.exchange.mirror import Mirror
from weft.exchange.news import News
from weft.exchange.offering import Offers
from weft.exchange.proofs import Verifier
from weft.exchange.refusing import Refused
from weft.exchange.setup import Setup
from weft.exchange.taking import Quota, Taker
from weft.exchange.wanting import Wants
from weft.v1 import exchange_pb2 as wire


class State(Enum):
    """How far a session is."""

    HELLO = "hello"
    AGREEING = "agreeing"
    SYNCING = "syncing"
    LIVE = "live"
    ENDED = "ended"


class Session:
    """One side of a session."""

    def __init__(self, setup: Setup, now: float) -> None:
        row = setup.policy.peers.get(setup.peer)
        if row is None:
            raise LocalProtocolError("the policy has no row for this peer, so there is no session with it")
        self._setup = setup
        self._line = Line(setup.limits)
        self._clock = Clock(setup.limits, now)
        self._state = State.HELLO
        self._refused = Refused(setup.refused)
        self._wants = Wants(self._line, self._refused, self._taken)
        self._keeping = Keeping(self._line, setup.kept)
        self._kept_asked = load_asked(self._keeping.get(Section.ASKED))
        self._quota = Quota(row.claims_per_day, row.bytes_per_day, setup.used)
        self._handshake = Handshake(
            setup,
            self._keeping.get(Section.SKETCHES),
            self._kept_asked,
            self._quota.spent(),
        )
        self._giver = Giver(self._line, self._gives)
        self._offers = Offers(self._line, self._giver.want)
        self._taker = Taker(self._line, self._wants, Verifier(self._takes), self._quota, self._refused, self._learned)
        self._agreement: Agreement | None = None
        self._carried = NO_FEEDS
        """What the peer says that it carries whole."""
        self._news: News | None = None
        self._mirror: Mirror | None = None
        self._asker: Asker | None = None
        self._answerer: Answerer | None = None
        self._goes_live = False
        self._done = self._they_are_done = False
        self._rested = False
        """All was live and nobody owed anything, at some time since the last tick."""
        self._handlers: Mapping[str, Callable[[wire.Frame, int], None]] = {
            "hello": lambda frame, _: self._on_hello(frame.hello),
            "agreement": lambda frame, _: self._on_agreement(frame.agreement),
            "symbols": lambda frame, _: self._syncing().symbols(frame.symbols),
            "need": lambda frame, _: self._syncing().need(frame.need),
            "listing": lambda frame, _: self._syncing().listing(frame.listing),
            "settled": lambda frame, _: self._on_settled(frame.settled),
            "ask": lambda frame, _: self._on_ask(frame.ask),
            "answer": lambda frame, _: self._asking().answer(frame.answer),
            "news": lambda frame, _: self._asking().news(frame.news),
            "offer": lambda frame, _: self._on_offer(frame.offer),
            "want": lambda frame, _: self._on_want(frame.want),
            "claims": lambda frame, octets: self._on_claims(frame.claims, octets),
            "gone": lambda frame, _: self._on_gone(frame.gone),
            "ack": lambda frame, _: self._giver.acknowledged(frame.ack.frames),
            "done": lambda _, __: self._on_done(),
            "error": lambda frame, _: self._on_error(frame.error),
        }

    @property
    def state(self) -> State:
        """How far it is."""
        return self._state

    @property
    def report(self) -> Report:
        """What it did so far."""
        return self._line.report

    @property
    def agreement(self) -> Agreement | None:
        """What it is about, once both hellos are here."""
        return self._agreement

    def start(self) -> list[Output]:
        """Say hello."""
        hello = self._handshake.hello()
        return self._step(lambda: self._line.send(wire.Frame(hello=hello)))

    def receive(self, octets: bytes) -> list[Output]:
        """A frame arrived."""
        return self._step(lambda: self._receive(octets))

    def answer(self, number: int, answer: Answer) -> list[Output]:
        """The store answered a question."""
        return self._step(lambda: self._line.answer(number, answer))

    def grew(self) -> list[Output]:
        """There are new claims in the store."""
        return self._step(self._grew)

    def tick(self, now: float) -> list[Output]:
        """Time has passed; called every some seconds."""
        return self._step(lambda: self._tick(now))

    def fail(self, error: StoreError) -> list[Output]:
        """The store could not answer; the peer is told that it is not to blame."""
        return self._step(lambda: self._end(error, "the store failed"))

    def stop(self) -> list[Output]:
        """This server stops."""
        return self._step(lambda: self._end(None, "the server stops"))

    def cut(self) -> list[Output]:
        """The stream is gone."""
        return self._step(self._cut)

    def _grew(self) -> None:
        if self._news is not None:
            self._news.grew()
        if self._asker is not None:
            self._asker.grew(learned=False)

    def _cut(self) -> None:
        lost = None if self._done and self._they_are_done else RemoteProtocolError("the stream was cut")
        self._end(lost)

    def _step(self, act: Callable[[], object]) -> list[Output]:
        if self._state is not State.ENDED:
            try:
                act()
                self._pump()
            except RemoteProtocolError as error:
                self._end(error, str(error), error.limit)
            self._rested = self._rested or self._rests()
        return self._line.outputs()

    def _pump(self) -> None:
        """What can be done because of what happened."""
        if self._state is State.ENDED or self._mirror is None:
            return
        self._mirror.pump()
        if self._news is not None:
            self._news.pump()
        if self._asker is not None:
            self._asker.pump(self._state is State.LIVE, lambda: self._wants.idle and self._taker.idle)
        if self._state is State.SYNCING:
            if not self._done and self._settled() and self._idle() and self._knows_its_log():
                self._done = True
                self._line.send(wire.Frame(done=wire.Done()))
            if self._done and self._they_are_done and self._knows_what_came():
                self._synced()

    def _settled(self) -> bool:
        """All that is to be said is said, on both sides."""
        parts = (self._mirror, self._asker, self._answerer)
        return all(part.settled for part in parts if part is not None)

    def _knows_its_log(self) -> bool:
        """Who asks would see in the next session whether our log has lost something that we have handed over."""
        return self._asker is None or self._asker.is_up_to_date()

    def _knows_what_came(self) -> bool:
        """What came from the peer is remembered to have come from it, now that the peer knows its log.

        If the session goes on, that is done meanwhile: the peer does not wait.
        """
        return self._answerer is None or self._answerer.is_up_to_date() or self._goes_live

    def _idle(self) -> bool:
        asked = self._asker is not None and not self._asker.idle
        return not asked and self._wants.idle and self._taker.idle and self._giver.idle and self._offers.idle

    def _synced(self) -> None:
        assert self._mirror is not None
        assert self._news is not None
        assert self._agreement is not None
        self._state = State.LIVE
        if self._asker is None and self._agreement.taken:
            whole = self._agreement.taken & self._carried
            self._line.put(Covered(whole.without(self._refused.feeds), None))
        self._line.put(Synced(self._line.report))
        if self._goes_live:
            self._news.start(self._answerer.position if self._answerer else self._mirror.position)
        else:
            self._end(None)

    def _end(self, error: WeftError | None, reason: str = "", limit: str = "") -> None:
        if reason:
            message = wire.Error(reason=reason.encode()[:MAX_REASON], limit=limit.encode())
            self._line.send(wire.Frame(error=message))
        self._state = State.ENDED
        self._line.put(Ended(self._line.report, error))

    def _rests(self) -> bool:
        return self._state is State.LIVE and self._idle()

    def _tick(self, now: float) -> None:
        if self._line.asking or self._rested:
            self._clock.rest(now)
        self._rested = self._rests()
        self._clock.check(now, self._state is State.LIVE)

    def _receive(self, octets: bytes) -> None:
        limits, report = self._setup.limits, self._line.report
        if len(octets) > limits.frame_octets:
            raise RemoteProtocolError(f"frame: {len(octets)} octets are too many", "frame_octets")
        report.frames_received += 1
        report.octets_received += len(octets)
        if report.octets_received > limits.session_octets:
            raise RemoteProtocolError("frame: too many octets for one session", "session_octets")
        self._clock.heard(len(octets))
        try:
            frame = wire.Frame.FromString(octets)
        except DecodeError:
            raise RemoteProtocolError("frame: its octets are not a message of the schema") from None
        kind = frame.WhichOneof("kind")
        if kind is None:
            raise RemoteProtocolError("frame: it is of a kind that is not known here")
        if self._state is State.HELLO and kind not in ("hello", "error"):
            raise RemoteProtocolError("frame: the first one must be a hello")
        if self._done and self._state is State.SYNCING and kind not in ("done", "error"):
            raise RemoteProtocolError("frame: nothing is left but to be done")
        self._handlers[kind](frame, len(octets))

    # Agreement

    def _on_hello(self, hello: wire.Hello) -> None:
        if self._state is not State.HELLO:
            raise RemoteProtocolError("hello: there was one already")
        self._agreement, self._carried = self._handshake.read(hello)
        self._line.limits = self._setup.limits.both(hello.limits)
        named = self._agreement.outward in self._agreement.threads
        self._news = News(self._line, self._agreement.sends, self._offers, named=named)
        self._divide(self._agreement, hello)
        self._goes_live = hello.live and self._setup.live
        self._state = State.AGREEING
        if self._setup.caller:
            message, kept = self._handshake.propose()
            self._line.send(wire.Frame(agreement=message))
            self._begin(self._agreement, kept, message.listing)

    def _divide(self, agreement: Agreement, hello: wire.Hello) -> None:
        """Who asks and who answers, each way."""
        assert self._news is not None
        scope = agreement.inward
        if scope in agreement.threads:
            policy = self._setup.policy
            self._asker = Asker(
                self._line, self._wants, self._keeping, self._refused,
                readable=readable(policy, self._setup.peer), taken=agreement.feeds[scope] & self._carried,
                policy=policy, scope=scope,
                digest=agreement.digest, following=hello.next, kept=self._kept_asked,
            )  # fmt: skip
        scope = agreement.outward
        if scope in agreement.threads:
            self._answerer = Answerer(
                self._line, self._offers, self._news, self._keeping,
                feeds=agreement.feeds[scope], digest=agreement.digest, cursor=hello.cursor,
                following=self._handshake.next,
            )  # fmt: skip

    def _on_agreement(self, message: wire.Agreement) -> None:
        if self._state is not State.AGREEING or self._setup.caller or self._agreement is None:
            raise RemoteProtocolError("agreement: it is not the peer's turn")
        kept = self._handshake.accept(message)
        self._line.report.new_key = bool(message.key)
        self._begin(self._agreement, kept, message.listing)

    def _begin(self, agreement: Agreement, kept: Kept, listing: bool) -> None:
        self._state = State.SYNCING
        self._mirror = Mirror(
            self._line, agreement, self._offers, self._wants, self._giver, self._keeping, kept, listing
        )
        self._mirror.start()
        if self._asker is not None:
            self._asker.start()
        if self._answerer is not None:
            self._answerer.start()

    def _gives(self, feed: Feed) -> bool:
        return (
            self._agreement is not None
            and self._agreement.sends(feed)
            and self._setup.policy.may_read(self._setup.peer, feed)
        )

    def _taken(self) -> Feeds:
        return self._agreement.taken if self._agreement is not None else NO_FEEDS

    def _takes(self, feed: Feed) -> bool:
        return (
            self._agreement is not None
            and self._agreement.takes(feed)
            and self._setup.policy.may_feed(self._setup.peer, feed)
        )

    def _learned(self, positions: range) -> None:
        if self._news is not None:
            self._news.learn(positions)
        if self._asker is not None:  # also if they came from elsewhere a moment before
            self._asker.grew(learned=True)

    # Claims

    def _syncing(self) -> Mirror:
        """The sets, while they are compared."""
        if self._mirror is None or self._they_are_done or self._state is not State.SYNCING:
            raise RemoteProtocolError("frame: there is nothing to compare now")
        return self._mirror

    def _agreed(self) -> None:
        """What is said of claims comes after the agreement, and from one who is done only as news."""
        if self._state is not State.LIVE and (self._mirror is None or self._they_are_done):
            raise RemoteProtocolError("frame: it is not the peer's turn")

    def _asking(self) -> Asker:
        """Our questions, and what comes of them."""
        self._agreed()
        if self._asker is None:
            raise RemoteProtocolError("frame: this side does not ask for threads")
        return self._asker

    def _answering(self) -> Answerer:
        """The peer's questions."""
        self._agreed()
        if self._answerer is None:
            raise RemoteProtocolError("frame: this is not agreed on as threads")
        return self._answerer

    def _on_ask(self, ask: wire.Ask) -> None:
        if self._answering().settled and self._state is not State.LIVE:
            raise RemoteProtocolError("ask: the peer has settled")
        self._answering().ask(ask)

    def _on_settled(self, settled: wire.Settled) -> None:
        assert self._news is not None
        if self._agreement is not None and settled.scope in [scope.value for scope in self._agreement.threads]:
            self._syncing()
            if settled.scope != self._agreement.outward.value:
                raise RemoteProtocolError("settled: the peer does not ask in this scope")
            self._answering().settle(settled)
        else:
            self._syncing().settle(settled)

    def _on_offer(self, offer: wire.Offer) -> None:
        self._agreed()
        if self._asker is not None:
            raise RemoteProtocolError("offer: this side takes what it asks for, and news of that")
        self._wants.offered(split_ids(offer.ids, self._line.limits.frame_ids))

    def _on_want(self, want: wire.Want) -> None:
        self._agreed()
        if want.offer:
            self._offers.wanted(want.offer, want.bits)
        else:
            self._giver.want_ids(split_ids(want.ids, self._line.limits.frame_ids))

    def _on_claims(self, claims: wire.Claims, octets: int) -> None:
        self._agreed()
        self._taker.claims(claims, octets)

    def _on_gone(self, gone: wire.Gone) -> None:
        self._agreed()
        self._wants.gone(split_ids(gone.ids, self._line.limits.frame_ids))

    def _on_done(self) -> None:
        self._syncing()
        self._they_are_done = True
        if not (self._wants.idle and self._offers.idle and self._giver.idle):
            raise RemoteProtocolError("done: the peer owes something")

    def _on_error(self, error: wire.Error) -> None:
        reason = error.reason[:MAX_REASON].decode("utf-8", "replace")
        self._end(
            RemoteProtocolError(f"the peer ended the session: {reason}", error.limit[:50].decode("utf-8", "replace"))
        )
