"""Threads mode, the side that answers: one hop, page by page, and nothing remembered of what was asked.

Theory of operation
-------------------
An answer is a function of the question and of what is held in the agreed feeds.  One question is open at a time, and
what it costs is bounded by its size and by what there is about the ids in it.  The store is asked piece by piece, so
that other sessions have their turn in between; how it is cut does not show.  What lies between two of the peer's
sessions is told as news: the ids in it, so that the peer can tell what it has to ask about again.  Where that is more
than it is worth, the peer asks all anew.  Which position its cursor stands for is remembered here
(`weft.exchange.resumption.ResponderCursor`).

What the peer itself handed over, now or up to its cursor, it has, and is not answered with it, unless it says that it
may have lost it.

Nothing here depends on feeds that the peer may not read: neither which bytes are sent, nor how they are cut into
frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from weft.errors import RemoteProtocolError
from weft.exchange.claim_sender import LogFollower, OfferQueue
from weft.exchange.events import FindConcerned, FoundClaims, GetPosition
from weft.exchange.log_reader import AT_A_TIME
from weft.exchange.outbox import Outbox, split_digests
from weft.exchange.resumption import (
    ResponderCursor,
    ResumptionState,
    StateSection,
    load_responder_cursor,
    longest,
    read_tail,
)
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.policy.feed_ranges import FeedRanges
from weft.v1 import exchange_pb2 as wire

_DEARER = 4
"""So many ids of news cost the peer less than to ask about one id again, with the answer to it."""
_LITTLE = 1000
"""Ids of news that are told in any case."""


@dataclass(slots=True)
class _Question:
    """What the peer asks, and what was found so far."""

    digests: Sequence[bytes]
    most: int
    without: tuple[range, ...]
    done: int = 0
    elements: list[bytes] = field(default_factory=list)


class ThreadResponder:
    """Answers one peer."""

    def __init__(
        self,
        outbox: Outbox,
        offers: OfferQueue,
        news: LogFollower,
        resumption: ResumptionState,
        *,
        feeds: FeedRanges,
        digest: bytes,
        cursor: bytes,
        following: bytes,
    ) -> None:
        """``cursor``: the one that the peer shows, or none; ``following``: what it may show next time."""
        self._outbox, self._offer_queue, self._log_follower, self._resumption = outbox, offers, news, resumption
        self._feeds, self._digest, self._following = feeds, digest, following
        self._cursor = cursor
        self._remembered: tuple[range, ...] = ()
        self._before: ResponderCursor | None = None
        """What the cursor stands for, if it still holds."""
        self._working = self._remembering = False
        self._asked = 0
        self._early: list[Callable[[], None]] | None = []
        """What the peer said before our snapshot was taken, and the news told; None: that is done."""
        self.position = 0
        """The snapshot: what came later is news."""
        self.settled = False

    def start(self) -> None:
        """Take the snapshot, then tell what came since the cursor."""
        self._outbox.ask(GetPosition(), self._positioned)

    def _positioned(self, position: int) -> None:
        self.position = position
        if not self._cursor:
            self._ready()
            return
        for told in self._told():
            if told.cursor == self._cursor and told.digest == self._digest and told.upto <= position:
                read_tail(self._outbox, told.upto, lambda tail, told=told: self._check(told, tail))  # type: ignore[misc]
                return
        self._refuse()

    def _check(self, told: ResponderCursor, tail: bytes) -> None:
        if tail == told.tail:
            self._before = told
            most = max(_LITTLE, _DEARER * told.asked)
            self._log_follower.catch_up(told.position, self.position, told.learned, most, self._told_it)
        else:
            self._refuse()

    def _told_it(self, told: bool) -> None:
        if told:
            self._ready()
        else:
            self._refuse()

    def _refuse(self) -> None:
        self._offer_queue.add_news([], last=True, anew=True)
        self._ready()

    def _ready(self) -> None:
        early, self._early = self._early or [], None
        for handle in early:
            handle()

    def _when_ready(self, handle: Callable[[], None]) -> None:
        if self._early is None:
            handle()
        elif self._early:
            raise RemoteProtocolError("ask: one question at a time")
        else:
            self._early.append(handle)

    def _told(self) -> list[ResponderCursor]:
        return load_responder_cursor(self._resumption.get(StateSection.TOLD))

    def ask(self, message: wire.Ask) -> None:
        """The peer asks."""
        self._when_ready(lambda: self._ask(message))

    def _ask(self, message: wire.Ask) -> None:
        if self._working or self._offer_queue.has_unanswered:
            raise RemoteProtocolError("ask: one question at a time")
        data, most = message.ids, self._outbox.limits.frame_ids
        if not data or len(message.after) not in (0, ELEMENT_BYTES):
            raise RemoteProtocolError("ask: it is about nothing, or goes on from what is not a claim id")
        digests = split_digests(data, most)
        self._asked += len(digests)
        if self._asked > self._outbox.limits.asked_ids:
            raise RemoteProtocolError("ask: too many ids for one session", "asked_ids")
        if len(set(digests)) < len(digests):
            raise RemoteProtocolError("ask: an id is asked about twice")
        self._working = True
        self._forget(message.all)
        question = _Question(digests, most, self._given())
        self._look(question, message.after)

    def _look(self, question: _Question, after: bytes, beyond: int = 0) -> None:
        """Ask the store about the next few ids, or for more about the next one."""
        some = question.digests[question.done : question.done + AT_A_TIME]
        request = FindConcerned(self._feeds, some, after, question.most, question.without, beyond, question.elements)
        self._outbox.ask(request, lambda found: self._found(question, len(some), found))

    def _found(self, question: _Question, asked: int, found: FoundClaims) -> None:
        question.elements = found.elements
        question.done += found.done
        if found.beyond is not None:
            self._look(question, found.after, found.beyond)
        elif found.done == asked and question.done < len(question.digests):
            self._look(question, b"")
        else:
            self._working = False
            self._offer_queue.add_answer(found.elements, question.done, found.after)

    def _forget(self, all_lost: bool) -> None:
        """The peer may have lost what came from it before: that is not only so today, or of what it asks about."""
        if all_lost:
            self._before = None

    def _given(self) -> tuple[range, ...]:
        """Where the claims stand that came from the peer, as far as it must still have them."""
        before = self._before.learned if self._before is not None else ()
        return longest((*before, *self._log_follower.learned))

    def settle(self, message: wire.Settled) -> None:
        """The peer has asked all."""
        self._when_ready(lambda: self._settle(message))

    def _settle(self, message: wire.Settled) -> None:
        if self.settled or self._working or self._remembering:
            raise RemoteProtocolError("settled: it is not the peer's turn in this scope")
        self._forget(message.all)
        self._remember()

    def is_up_to_date(self) -> bool:
        """Whether it is remembered that all came from the peer which did; if not, soon it will be."""
        if self._remembered == self._given():
            return not self._remembering
        if not self._remembering:
            self._remember()
        return False

    def _remember(self) -> None:
        self._remembering = True
        self._remembered = self._given()
        asked = self._asked + (self._before.asked if self._before else 0)
        told = ResponderCursor(self._following, self._digest, self.position, b"", self._remembered, asked)
        read_tail(self._outbox, told.upto, lambda tail: self._keep(replace(told, tail=tail)))

    def _keep(self, told: ResponderCursor) -> None:
        before = [one for one in self._told() if one.digest == self._digest and one.cursor != told.cursor][:1]
        self._resumption.set(StateSection.TOLD, b"".join(one.dump() for one in (told, *before)), self._kept)

    def _kept(self) -> None:
        self._remembering = False
        self.settled = True
