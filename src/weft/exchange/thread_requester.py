"""Threads mode, the side that asks: the rest of the threads that hold its own messages, and nothing else.

Theory of operation
-------------------
A tree is our own if it holds a message of one of our own feeds.  The peer is asked about every id in our own trees,
held ids and ghosts alike: most of what a list lacks of its own threads it cannot name, and only "who refers to this?"
finds it.  What comes back may make the trees grow; then the ids that are new in them are asked about, and so on until
an answer brings nothing new.  So the closure is made here: the peer answers one hop at a time, remembers nothing, and
cannot be made to work for it; and what a liar says takes us no further than the trees that its claims stand in.

The trees are those of the common view and of the own view, over the claims that this peer may read, or has signed
itself: a question tells what its answer would.  Whatever a claim puts into one of them and another claim elsewhere is
asked about too, with all below it; or one claim of any origin that is admitted would end our questions there.

What was asked before (`RequesterCursor`) is not asked again; the peer begins with the ids in what came later (`News`),
and those of them that were asked about are asked about again.  All is asked anew when something else decides what is
asked:
another agreement, other feeds that the peer may read, other limits, ranks or rules of claims.  A tree that grows beyond
``tree_ids``, or an id beyond ``tree_claims``, is not followed further, and is named in the report, of later sessions
too: cut, never silently short.  What we say that the peer was asked (`CoverageGained`) holds neither such an id nor a
feed of which a claim was refused.

What arrives from elsewhere in the meantime waits until the peer's answers are complete, or a busy server would never
come to an end.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from itertools import islice, pairwise

from weft.core.claim import CLAIM_RULES
from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Scope
from weft.exchange.claim_receiver import WantQueue
from weft.exchange.events import CoverageGained, FindTrees, GetPosition, OwnTrees
from weft.exchange.outbox import Outbox, split_digests, split_ids
from weft.exchange.refusing import Refused
from weft.exchange.resumption import RequesterCursor, ResumptionState, StateSection, read_tail
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rules import Policy
from weft.v1 import exchange_pb2 as wire


class ThreadRequester:
    """Asks one peer."""

    def __init__(
        self,
        outbox: Outbox,
        wants: WantQueue,
        resumption: ResumptionState,
        refused: Refused,
        *,
        readable: FeedRanges,
        taken: FeedRanges,
        policy: Policy,
        scope: Scope,
        digest: bytes,
        following: bytes,
        kept: RequesterCursor | None,
    ) -> None:
        """``readable``: of what questions are made; ``taken``: what is asked for, as far as the peer carries it whole.

        ``kept``: its cursor was shown; ``following``: the cursor for the next session; ``digest``: of the agreement.
        """
        self._outbox, self._want_queue, self._resumption, self._refused = outbox, wants, resumption, refused
        self._readable, self._taken, self._policy, self._scope = readable, taken, policy, scope
        self._digest, self._following = _decided(digest, readable, policy, outbox), following
        self._kept = kept
        self._early: list[wire.News] | None = []
        """News that came before we knew whether our own log is the one that was asked from; None: we know."""
        self._news_over = kept is None
        self._news_begun = False
        self._asked: set[bytes] = set()
        self._queue: dict[bytes, None] = {}
        self._rest: list[bytes] = []
        """What a question held that was answered in part; it is asked before the queue."""
        self._over: set[bytes] = set()
        """Ids that have too many claims, until the trees are named in which they stand."""
        self._unread: set[bytes] = set()
        """All ids that have too many claims, so that not all about them was read."""
        self._open: list[bytes] = []
        self._after = b""
        self._paged = 0
        self._position = 0
        self._grown = True
        """There may be more in our trees than we have looked at."""
        self._later = False
        """The same, but what there is did not come from this peer."""
        self._lost = False
        """Our log is not the one that was asked from: we may lack what we handed over."""
        self._handed_over = 0
        """Claims that we had sent when our log was last remembered."""
        self._looking = self._settling = False
        self._untold = False
        """More was asked about, since all was, than we have said (`CoverageGained`)."""
        self.settled = False

    @property
    def idle(self) -> bool:
        """Nothing is asked."""
        return not self._open

    def start(self) -> None:
        """See whether what we remember still holds."""
        kept = self._kept
        if kept is None:
            self._ready()
        else:
            read_tail(self._outbox, kept.upto, lambda tail: self._check(kept, tail))

    def _check(self, kept: RequesterCursor, tail: bytes) -> None:
        self._lost = tail != kept.tail
        if not self._lost and kept.digest == self._digest:
            self._asked, self._unread, self._position = set(kept.ids), set(kept.unread), kept.position
            self._refused.feeds.update(kept.refused)
            self._outbox.report.cut.update(dict.fromkeys(kept.cut))
        self._ready()

    def _ready(self) -> None:
        early, self._early = self._early or [], None
        for message in early:
            self.news(message)

    def news(self, message: wire.News) -> None:
        """What came later than the cursor, or, when all is live, than the snapshot."""
        if self._early is not None:
            if len(self._early) >= self._outbox.limits.open_offers:
                raise RemoteProtocolError("news: too much without an answer", "open_offers")
            self._early.append(message)
            return
        if message.anew and (self._news_over or self._news_begun or message.ids):
            raise RemoteProtocolError("news: a cursor is refused before anything else, and once")
        if self._news_over and not self.settled:
            raise RemoteProtocolError("news: there can be none now")
        self._news_begun = True
        if message.anew:
            self._asked, self._unread, self._position = set(), set(), 0
            self._outbox.report.cut.clear()
        self._news_over = self._news_over or message.last or message.anew
        digests = split_digests(message.ids, self._outbox.limits.frame_ids)
        if any(before >= after for before, after in pairwise(digests)):
            raise RemoteProtocolError("news: its ids are not in ascending order")
        self._queue.update(dict.fromkeys(digest for digest in digests if digest in self._asked))
        self._want_queue.offered((), weight=len(digests))

    def answer(self, message: wire.Answer) -> None:
        """The answer to the open question."""
        if not self._open or self._looking:
            raise RemoteProtocolError("answer: nothing was asked")
        elements = split_ids(message.ids, self._outbox.limits.frame_ids) if message.ids else []
        done = message.done
        if done > len(self._open) or len(message.after) not in (0, ELEMENT_BYTES):
            raise RemoteProtocolError("answer: it is not one to what was asked")
        if done < len(self._open) and not elements:
            raise RemoteProtocolError("answer: it says nothing, and is not complete")
        if len(set(elements)) < len(elements):
            raise RemoteProtocolError("answer: an id stands in it twice")
        self._want_queue.offered(elements)
        self._go_on(done, message.after, len(elements))

    def _go_on(self, done: int, after: bytes, count: int) -> None:
        """Take what was answered from the open question."""
        self._open = self._open[done:]
        self._after = after if self._open else b""
        self._paged = 0 if done else self._paged + count
        if self._open and self._paged > self._outbox.limits.tree_claims:
            self._over.add(self._open[0])
            self._unread.add(self._open.pop(0))
            self._after, self._paged = b"", 0
        if self._open:
            self._rest, self._open = self._open, []

    def grew(self, *, learned: bool) -> None:
        """There are new claims in our store, ``learned`` from this peer or not."""
        if learned or self.settled:
            self._grown = True
        else:
            self._later = True

    def pump(self, live: bool, quiet: Callable[[], bool]) -> None:
        """Ask what is next; ``quiet``: whether all that was wanted so far is on disk."""
        if self._early is not None or not self._news_over or self._open or self._looking or self._settling:
            return
        if self.settled and not live:
            return
        if self._rest or self._queue:
            if self._want_queue.all_sent:
                self._ask()
        elif quiet():
            if self._grown:
                self._look()
            elif self._over:
                self._name()
            elif not self.settled:
                self._remember()
            elif self._untold:  # the answers brought nothing new, so nobody will tell us to look again
                self._cover()

    def _ask(self) -> None:
        self._open, self._rest = self._rest, []
        if not self._open:
            self._open = list(islice(self._queue, self._outbox.limits.frame_ids))
            for digest in self._open:
                del self._queue[digest]
        self._outbox.send(wire.Frame(ask=wire.Ask(ids=b"".join(self._open), after=self._after, all=self._lost)))

    def _look(self) -> None:
        self._looking, self._grown = True, False
        request = FindTrees(self._readable, self._policy, self._position, self._outbox.limits.tree_ids)
        self._outbox.ask(request, self._looked)

    def _looked(self, found: OwnTrees) -> None:
        self._looking = False
        self._position = found.position
        for tree in found.trees:
            if not tree.whole:
                self._outbox.report.cut[tree.root] = None
            fresh = [digest for digest in tree.digests if digest not in self._asked]
            self._asked.update(fresh)
            self._queue.update(dict.fromkeys(fresh))
        if self._queue:
            self._outbox.report.rounds += 1
            self._outbox.report.asked += len(self._queue)
            self._untold = True
        elif self.settled:
            self._cover()

    def _name(self) -> None:
        self._looking = True
        self._outbox.ask(FindTrees(self._readable, self._policy, 0, self._outbox.limits.tree_ids), self._named)

    def _named(self, found: OwnTrees) -> None:
        """These are all our trees: name those that hold an id with too many claims."""
        self._looking = False
        cut = [tree.root for tree in found.trees if not tree.whole or not self._over.isdisjoint(tree.digests)]
        self._outbox.report.cut.update(dict.fromkeys(cut))
        self._over.clear()
        if self.settled:
            self._cover()

    def is_up_to_date(self) -> bool:
        """Whether it is remembered what our log was when claims of it were handed over; if not, soon it will be."""
        if self._handed_over == self._outbox.report.claims_sent:
            return not self._settling
        if not self._settling:
            self._remember()
        return False

    def _remember(self) -> None:
        """Remember what was asked, and what our log is; when all is asked for the first time, then say so."""
        self._settling = True
        self._handed_over = self._outbox.report.claims_sent
        self._outbox.ask(GetPosition(), lambda upto: read_tail(self._outbox, upto, lambda tail: self._keep(upto, tail)))

    def _keep(self, upto: int, tail: bytes) -> None:
        asked = RequesterCursor(
            self._following, self._digest, self._position, upto, tail,
            frozenset(self._asked), frozenset(self._unread), tuple(self._outbox.report.cut),
            tuple(sorted(self._refused.feeds)),
        )  # fmt: skip
        self._resumption.set(StateSection.ASKED, asked.dump(), self._kept_it)

    def _kept_it(self) -> None:
        self._settling = False
        if not self.is_up_to_date() or self.settled:
            return
        self.settled = True
        self._grown = self._grown or self._later
        self._cover()
        self._outbox.send(wire.Frame(settled=wire.Settled(scope=self._scope.value, all=self._lost)))

    def _cover(self) -> None:
        self._untold = False
        whole = self._taken.without(self._refused.feeds)
        self._outbox.put(CoverageGained(whole, frozenset(self._asked - self._unread), tuple(self._outbox.report.cut)))


def _decided(agreement: bytes, readable: FeedRanges, policy: Policy, outbox: Outbox) -> bytes:
    """32 bytes of all that decides what is asked, but for what we hold."""
    limits = outbox.limits
    numbers = b"%d %d %d" % (limits.tree_ids, limits.tree_claims, CLAIM_RULES)
    ranks = b"".join(origin + bytes((row.tier,)) for origin, row in sorted(policy.origins.items()))
    return sha256(agreement + readable.digest() + numbers + ranks + policy.view.profile.encode()).digest()
