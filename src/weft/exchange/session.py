"""A session between two servers: the machine that takes frames and answers, and gives frames and questions.

Theory of operation
-------------------
=========  =============================================================================================
state      what happens
=========  =============================================================================================
HELLO      each side sends its hello, and waits for the other's
AGREEING   both know the agreement; the answerer waits for the key of the sketches
SYNCING    differences are found, offered, wanted and sent (`weft.exchange.mirror`), and who wants its threads asks
           for them (`weft.exchange.thread_requester`)
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
from weft.exchange.claim_proofs import PartVerifier
from weft.exchange.claim_receiver import ClaimReceiver, Quota, WantQueue
from weft.exchange.claim_sender import ClaimSender, LogFollower, OfferQueue
from weft.exchange.configuration import Configuration
from weft.exchange.events import Answer, CoverageGained, Delivered, Ended, Output, SessionReport, Synced
from weft.exchange.handshake import Handshake
from weft.exchange.limits import MAX_REASON
from weft.exchange.mirror import Mirror
from weft.exchange.outbox import Outbox, split_ids
from weft.exchange.refusing import Refused
from weft.exchange.resumption import KeptSketches, ResumptionState, StateSection, load_requester_cursor
from weft.exchange.thread_requester import ThreadRequester
from weft.exchange.thread_responder import ThreadResponder
from weft.exchange.timeouts import Timeouts
from weft.policy.feed_ranges import NO_FEEDS, FeedRanges, readable
from weft.v1 import exchange_pb2 as wire


class SessionState(Enum):
    """How far a session is."""

    HELLO = "hello"
    AGREEING = "agreeing"
    SYNCING = "syncing"
    LIVE = "live"
    ENDED = "ended"


class Session:
    """One side of a session."""

    def __init__(self, configuration: Configuration, now: float) -> None:
        row = configuration.policy.peers.get(configuration.peer)
        if row is None:
            raise LocalProtocolError("the policy has no row for this peer, so there is no session with it")
        self._configuration = configuration
        self._outbox = Outbox(configuration.limits)
        self._timeouts = Timeouts(configuration.limits, now)
        self._state = SessionState.HELLO
        self._refused = Refused(configuration.refused)
        self._want_queue = WantQueue(self._outbox, self._refused, self._taken)
        self._resumption = ResumptionState(self._outbox, configuration.kept)
        self._kept_asked = load_requester_cursor(self._resumption.get(StateSection.ASKED))
        self._quota = Quota(row.claims_per_day, row.bytes_per_day, configuration.used)
        self._handshake = Handshake(
            configuration,
            self._resumption.get(StateSection.SKETCHES),
            self._kept_asked,
            self._quota.spent(),
        )
        self._claim_sender = ClaimSender(self._outbox, self._gives)
        self._offer_queue = OfferQueue(self._outbox, self._claim_sender.want)
        self._claim_receiver = ClaimReceiver(
            self._outbox, self._want_queue, PartVerifier(self._takes), self._quota, self._refused, self._learned
        )
        self._agreement: Agreement | None = None
        self._carried = NO_FEEDS
        """What the peer says that it carries whole."""
        self._log_follower: LogFollower | None = None
        self._mirror: Mirror | None = None
        self._requester: ThreadRequester | None = None
        self._responder: ThreadResponder | None = None
        self._goes_live = False
        self._done = self._they_are_done = False
        self._rested = False
        """All was live and nobody owed anything, at some time since the last tick."""
        self._delivered = -1
        """The position up to which the peer has our log, as far as that was said."""
        self._handlers: Mapping[str, Callable[[wire.Frame, int], None]] = {
            "hello": lambda frame, _: self._on_hello(frame.hello),
            "agreement": lambda frame, _: self._on_agreement(frame.agreement),
            "symbols": lambda frame, _: self._syncing().symbols(frame.symbols),
            "need": lambda frame, _: self._syncing().need(frame.need),
            "listing": lambda frame, _: self._syncing().listing(frame.listing),
            "settled": lambda frame, _: self._on_settled(frame.settled),
            "ask": lambda frame, _: self._on_ask(frame.ask),
            "answer": lambda frame, _: self._requesting().answer(frame.answer),
            "news": lambda frame, _: self._requesting().news(frame.news),
            "offer": lambda frame, _: self._on_offer(frame.offer),
            "want": lambda frame, _: self._on_want(frame.want),
            "claims": lambda frame, data: self._on_claims(frame.claims, data),
            "gone": lambda frame, _: self._on_gone(frame.gone),
            "ack": lambda frame, _: self._claim_sender.acknowledged(frame.ack.frames),
            "done": lambda _, __: self._on_done(),
            "error": lambda frame, _: self._on_error(frame.error),
        }

    @property
    def state(self) -> SessionState:
        """How far it is."""
        return self._state

    @property
    def report(self) -> SessionReport:
        """What it did so far."""
        return self._outbox.report

    @property
    def agreement(self) -> Agreement | None:
        """What it is about, once both hellos are here."""
        return self._agreement

    def start(self) -> list[Output]:
        """Say hello."""
        hello = self._handshake.hello()
        return self._step(lambda: self._outbox.send(wire.Frame(hello=hello)))

    def receive(self, data: bytes) -> list[Output]:
        """A frame arrived."""
        return self._step(lambda: self._receive(data))

    def answer(self, number: int, answer: Answer) -> list[Output]:
        """The store answered a question."""
        return self._step(lambda: self._outbox.answer(number, answer))

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
        if self._log_follower is not None:
            self._log_follower.grew()
        if self._requester is not None:
            self._requester.grew(learned=False)

    def _cut(self) -> None:
        lost = None if self._done and self._they_are_done else RemoteProtocolError("the stream was cut")
        self._end(lost)

    def _step(self, act: Callable[[], object]) -> list[Output]:
        if self._state is not SessionState.ENDED:
            try:
                act()
                self._pump()
            except RemoteProtocolError as error:
                self._end(error, str(error), error.limit)
            self._rested = self._rested or self._rests()
            if self._responder is None and self._log_follower and self._log_follower.read > self._delivered:
                self._say_delivered(self._log_follower)
        return self._outbox.outputs()

    def _pump(self) -> None:
        """What can be done because of what happened."""
        if self._state is SessionState.ENDED or self._mirror is None:
            return
        self._mirror.pump()
        if self._log_follower is not None:
            self._log_follower.pump()
        if self._requester is not None:
            self._requester.pump(
                self._state is SessionState.LIVE, lambda: self._want_queue.idle and self._claim_receiver.idle
            )
        if self._state is SessionState.SYNCING:
            if not self._done and self._settled() and self._idle() and self._knows_its_log():
                self._done = True
                self._outbox.send(wire.Frame(done=wire.Done()))
            if self._done and self._they_are_done and self._knows_what_came():
                self._synced()

    def _settled(self) -> bool:
        """All that is to be said is said, on both sides."""
        parts = (self._mirror, self._requester, self._responder)
        return all(part.settled for part in parts if part is not None)

    def _knows_its_log(self) -> bool:
        """Who asks would see in the next session whether our log has lost something that we have handed over."""
        return self._requester is None or self._requester.is_up_to_date()

    def _knows_what_came(self) -> bool:
        """What came from the peer is remembered to have come from it, now that the peer knows its log.

        If the session goes on, that is done meanwhile: the peer does not wait.
        """
        return self._responder is None or self._responder.is_up_to_date() or self._goes_live

    def _idle(self) -> bool:
        asked = self._requester is not None and not self._requester.idle
        return (
            not asked
            and self._want_queue.idle
            and self._claim_receiver.idle
            and self._claim_sender.idle
            and self._offer_queue.idle
        )

    def _synced(self) -> None:
        assert self._mirror is not None
        assert self._log_follower is not None
        assert self._agreement is not None
        self._state = SessionState.LIVE
        if self._requester is None and self._agreement.taken and not self._configuration.recovers:
            whole = self._agreement.taken & self._carried
            self._outbox.put(CoverageGained(whole.without(self._refused.feeds), None))
        position = self._responder.position if self._responder else self._mirror.position
        self._deliver(self._agreement, position)
        self._outbox.put(Synced(self._outbox.report))
        if self._goes_live:
            self._log_follower.start(position)
        else:
            self._end(None)

    def _say_delivered(self, follower: LogFollower) -> None:
        """Of news the peer has what it has acknowledged, or told us that it does not lack."""
        rests = self._state is SessionState.LIVE and follower.idle
        if rests and self._offer_queue.idle and self._claim_sender.idle and self._agreement is not None:
            self._deliver(self._agreement, follower.read)

    def _deliver(self, agreement: Agreement, position: int) -> None:
        self._delivered = position
        if agreement.given:
            self._outbox.put(Delivered(agreement.given, position))

    def _end(self, error: WeftError | None, reason: str = "", limit: str = "") -> None:
        if reason:
            message = wire.Error(reason=reason.encode()[:MAX_REASON], limit=limit.encode())
            self._outbox.send(wire.Frame(error=message))
        self._state = SessionState.ENDED
        self._outbox.put(Ended(self._outbox.report, error))

    def _rests(self) -> bool:
        return self._state is SessionState.LIVE and self._idle()

    def _tick(self, now: float) -> None:
        if self._outbox.has_questions or self._rested:
            self._timeouts.rest(now)
        self._rested = self._rests()
        self._timeouts.check(now, self._state is SessionState.LIVE)

    def _receive(self, data: bytes) -> None:
        limits, report = self._configuration.limits, self._outbox.report
        if len(data) > limits.frame_octets:
            raise RemoteProtocolError(f"frame: {len(data)} bytes are too many", "frame_octets")
        report.frames_received += 1
        report.bytes_received += len(data)
        if report.bytes_received > limits.session_octets:
            raise RemoteProtocolError("frame: too many bytes for one session", "session_octets")
        self._timeouts.heard(len(data))
        try:
            frame = wire.Frame.FromString(data)
        except DecodeError:
            raise RemoteProtocolError("frame: its bytes are not a message of the schema") from None
        kind = frame.WhichOneof("kind")
        if kind is None:
            raise RemoteProtocolError("frame: it is of a kind that is not known here")
        if self._state is SessionState.HELLO and kind not in ("hello", "error"):
            raise RemoteProtocolError("frame: the first one must be a hello")
        if self._done and self._state is SessionState.SYNCING and kind not in ("done", "error"):
            raise RemoteProtocolError("frame: nothing is left but to be done")
        self._handlers[kind](frame, len(data))

    # Agreement

    def _on_hello(self, hello: wire.Hello) -> None:
        if self._state is not SessionState.HELLO:
            raise RemoteProtocolError("hello: there was one already")
        self._agreement, self._carried = self._handshake.read(hello)
        self._outbox.limits = self._configuration.limits.both(hello.limits)
        named = self._agreement.outward in self._agreement.threads
        self._log_follower = LogFollower(self._outbox, self._agreement.given, self._offer_queue, named=named)
        self._divide(self._agreement, hello)
        self._goes_live = hello.live and self._configuration.live
        self._state = SessionState.AGREEING
        if self._configuration.caller:
            message, kept = self._handshake.propose()
            self._outbox.send(wire.Frame(agreement=message))
            self._begin(self._agreement, kept, message.listing)

    def _divide(self, agreement: Agreement, hello: wire.Hello) -> None:
        """Who asks and who answers, each way."""
        assert self._log_follower is not None
        scope = agreement.inward
        if scope in agreement.threads:
            policy = self._configuration.policy
            self._requester = ThreadRequester(
                self._outbox, self._want_queue, self._resumption, self._refused,
                readable=readable(policy, self._configuration.peer), taken=agreement.feeds[scope] & self._carried,
                policy=policy, scope=scope,
                digest=agreement.digest, following=hello.next, kept=self._kept_asked,
            )  # fmt: skip
        scope = agreement.outward
        if scope in agreement.threads:
            self._responder = ThreadResponder(
                self._outbox, self._offer_queue, self._log_follower, self._resumption,
                feeds=agreement.feeds[scope], digest=agreement.digest, cursor=hello.cursor,
                following=self._handshake.next,
            )  # fmt: skip

    def _on_agreement(self, message: wire.Agreement) -> None:
        if self._state is not SessionState.AGREEING or self._configuration.caller or self._agreement is None:
            raise RemoteProtocolError("agreement: it is not the peer's turn")
        kept = self._handshake.accept(message)
        self._outbox.report.new_key = bool(message.key)
        self._begin(self._agreement, kept, message.listing)

    def _begin(self, agreement: Agreement, kept: KeptSketches, listing: bool) -> None:
        self._state = SessionState.SYNCING
        self._mirror = Mirror(
            self._outbox,
            agreement,
            self._offer_queue,
            self._want_queue,
            self._claim_sender,
            self._resumption,
            kept,
            listing,
        )
        self._mirror.start()
        if self._requester is not None:
            self._requester.start()
        if self._responder is not None:
            self._responder.start()

    def _gives(self, feed: Feed) -> bool:
        return (
            self._agreement is not None
            and self._agreement.sends(feed)
            and self._configuration.policy.may_read(self._configuration.peer, feed)
        )

    def _taken(self) -> FeedRanges:
        return self._agreement.taken if self._agreement is not None else NO_FEEDS

    def _takes(self, feed: Feed) -> bool:
        return (
            self._agreement is not None
            and self._agreement.takes(feed)
            and self._configuration.policy.may_feed(self._configuration.peer, feed)
        )

    def _learned(self, positions: range) -> None:
        if self._log_follower is not None:
            self._log_follower.learn(positions)
        if self._requester is not None:  # also if they came from elsewhere a moment before
            self._requester.grew(learned=True)

    # Claims

    def _syncing(self) -> Mirror:
        """The sets, while they are compared."""
        if self._mirror is None or self._they_are_done or self._state is not SessionState.SYNCING:
            raise RemoteProtocolError("frame: there is nothing to compare now")
        return self._mirror

    def _agreed(self) -> None:
        """What is said of claims comes after the agreement, and from one who is done only as news."""
        if self._state is not SessionState.LIVE and (self._mirror is None or self._they_are_done):
            raise RemoteProtocolError("frame: it is not the peer's turn")

    def _requesting(self) -> ThreadRequester:
        """Our questions, and what comes of them."""
        self._agreed()
        if self._requester is None:
            raise RemoteProtocolError("frame: this side does not ask for threads")
        return self._requester

    def _responding(self) -> ThreadResponder:
        """The peer's questions."""
        self._agreed()
        if self._responder is None:
            raise RemoteProtocolError("frame: this is not agreed on as threads")
        return self._responder

    def _on_ask(self, ask: wire.Ask) -> None:
        if self._responding().settled and self._state is not SessionState.LIVE:
            raise RemoteProtocolError("ask: the peer has settled")
        self._responding().ask(ask)

    def _on_settled(self, settled: wire.Settled) -> None:
        assert self._log_follower is not None
        if self._agreement is not None and settled.scope in [scope.value for scope in self._agreement.threads]:
            self._syncing()
            if settled.scope != self._agreement.outward.value:
                raise RemoteProtocolError("settled: the peer does not ask in this scope")
            self._responding().settle(settled)
        else:
            self._syncing().settle(settled)

    def _on_offer(self, offer: wire.Offer) -> None:
        self._agreed()
        if self._requester is not None:
            raise RemoteProtocolError("offer: this side takes what it asks for, and news of that")
        self._want_queue.offered(split_ids(offer.ids, self._outbox.limits.frame_ids))

    def _on_want(self, want: wire.Want) -> None:
        self._agreed()
        if want.offer:
            self._offer_queue.wanted(want.offer, want.bits)
        else:
            self._claim_sender.want_ids(split_ids(want.ids, self._outbox.limits.frame_ids))

    def _on_claims(self, claims: wire.Claims, data: int) -> None:
        self._agreed()
        self._claim_receiver.claims(claims, data)

    def _on_gone(self, gone: wire.Gone) -> None:
        self._agreed()
        self._want_queue.gone(split_ids(gone.ids, self._outbox.limits.frame_ids))

    def _on_done(self) -> None:
        self._syncing()
        self._they_are_done = True
        if not (self._want_queue.idle and self._offer_queue.idle and self._claim_sender.idle):
            raise RemoteProtocolError("done: the peer owes something")

    def _on_error(self, error: wire.Error) -> None:
        reason = error.reason[:MAX_REASON].decode("utf-8", "replace")
        self._end(
            RemoteProtocolError(f"the peer ended the session: {reason}", error.limit[:50].decode("utf-8", "replace"))
        )
