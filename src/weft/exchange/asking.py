"""Threads mode, the side that asks: the rest of the threads that hold its own messages, and nothing else.

Theory of operation
-------------------
A tree is our own if it holds a message of one of our own feeds.  The peer is asked about every id in our own trees,
held ids and ghosts alike: most of what a list lacks of its own threads it cannot name, and only "who refers to this?"
finds it.  What comes back may make the trees grow; then the ids that are new in them are asked about, and so on until
an answer brings nothing new.  So the closure is made here: the peer answers one hop at a time, remembers nothing, and
cannot be made to work for it; and what a liar says takes us no further than the trees that its claims stand in.

The trees are those of the common view over the claims that this peer may read, or has signed itself: a question tells
what its answer would.

What was asked before (`Asked`) is not asked again; the peer begins with what came later (`News`), and of that we want
what names an id that was asked about.  A tree that grows beyond ``tree_ids``, or an id beyond ``tree_claims``, is not
followed further, and is named in the report: cut, never silently short.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from weft.core.id_digest import ID_DIGEST_OCTETS
from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Scope
from weft.exchange.cursors import Asked, read_tail
from weft.exchange.events import Covered, FindTrees, Trees
from weft.exchange.feeds import Feeds
from weft.exchange.keeping import Keeping, Section
from weft.exchange.line import Line, split_ids
from weft.exchange.symbol import ELEMENT_OCTETS
from weft.exchange.wanting import Wants
from weft.v1 import exchange_pb2 as wire

_MOST_NAMES = 4096
"""Digests of one claim in news; a claim has fewer."""


class Asker:
    """Asks one peer."""

    def __init__(
        self,
        line: Line,
        wants: Wants,
        keeping: Keeping,
        *,
        readable: Feeds,
        taken: Feeds,
        own: bytes | None,
        scope: Scope,
        digest: bytes,
        following: bytes,
        kept: Asked | None,
    ) -> None:
        """``readable``: of what questions are made; ``taken``: what it is asked for; ``kept``: its cursor was shown.

        ``following``: the cursor for the next session; ``digest``: of the agreement.
        """
        self._line, self._wants, self._keeping = line, wants, keeping
        self._readable, self._taken, self._own, self._scope = readable, taken, own, scope
        self._digest, self._following = digest, following
        self._kept = kept
        self._early: list[wire.News] | None = []
        """News that came before we knew whether our own log is the one that was asked from; None: we know."""
        self._news_over = kept is None
        self._asked: set[bytes] = set()
        self._queue: deque[bytes] = deque()
        self._roots: dict[bytes, bytes] = {}
        """The root of the tree of each id in the queue or in the open question."""
        self._open: list[bytes] = []
        self._after = b""
        self._paged = 0
        self._position = 0
        self._grown = True
        """There may be more in our trees than we have looked at."""
        self._looking = self._settling = False
        self.settled = False

    @property
    def idle(self) -> bool:
        """Nothing is asked."""
        return not self._open

    def start(self) -> None:
        """See whether what we remember still holds."""
        kept = self._kept
        if kept is None or kept.digest != self._digest:
            self._ready(False)
        else:
            read_tail(self._line, kept.position, lambda tail: self._ready(tail == kept.tail))

    def _ready(self, fits: bool) -> None:
        if fits and self._kept is not None:
            self._asked, self._position = set(self._kept.ids), self._kept.position
        early, self._early = self._early or [], None
        for message in early:
            self.news(message)

    def news(self, message: wire.News) -> None:
        """What came later than the cursor, or, when all is live, than the snapshot."""
        if self._early is not None:
            if len(self._early) >= self._line.limits.open_offers:
                raise RemoteProtocolError("news: too much without an answer", "open_offers")
            self._early.append(message)
            return
        if message.anew and (self._news_over or message.claims):
            raise RemoteProtocolError("news: a cursor is refused before anything else, and once")
        if self._news_over and not self.settled:
            raise RemoteProtocolError("news: there can be none now")
        if message.anew:
            self._asked, self._position = set(), 0
        self._news_over = self._news_over or message.last or message.anew
        elements, matter = self._read(message.claims)
        self._wants.offered(elements, matter)

    def _read(self, claims: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
        """The elements in news, and those that concern what was asked."""
        if len(claims) > self._line.limits.frame_ids:
            raise RemoteProtocolError("news: too many claims in a frame", "frame_ids")
        elements, matter = [], []
        for claim in claims:
            count, rest = divmod(len(claim) - ELEMENT_OCTETS, ID_DIGEST_OCTETS)
            if rest or not 0 < count <= _MOST_NAMES:
                raise RemoteProtocolError(f"news: {len(claim)} octets are not an id and the digests of some")
            element = claim[:ELEMENT_OCTETS]
            elements.append(element)
            places = range(ELEMENT_OCTETS, len(claim), ID_DIGEST_OCTETS)
            if any(claim[at : at + ID_DIGEST_OCTETS] in self._asked for at in places):
                matter.append(element)
        return elements, matter

    def answer(self, message: wire.Answer) -> None:
        """The answer to the open question."""
        if not self._open or self._looking:
            raise RemoteProtocolError("answer: nothing was asked")
        elements = split_ids(message.ids, self._line.limits.frame_ids) if message.ids else []
        done = message.done
        if done > len(self._open) or len(message.after) not in (0, ELEMENT_OCTETS):
            raise RemoteProtocolError("answer: it is not one to what was asked")
        if done < len(self._open) and not elements:
            raise RemoteProtocolError("answer: it says nothing, and is not complete")
        self._wants.offered(elements)
        self._go_on(done, message.after, len(elements))

    def _go_on(self, done: int, after: bytes, count: int) -> None:
        """Take what was answered from the open question."""
        for digest in self._open[:done]:
            self._roots.pop(digest, None)
        self._open = self._open[done:]
        self._after = after if self._open else b""
        self._paged = 0 if done else self._paged + count
        if self._open and self._paged > self._line.limits.tree_claims:
            self._line.report.cut[self._roots.pop(self._open.pop(0), b"")] = None
            self._after, self._paged = b"", 0
        if self._open:
            self._queue.extendleft(reversed(self._open))
            self._open = []

    def grew(self) -> None:
        """There are new claims in our store."""
        self._grown = True

    def pump(self, live: bool, quiet: Callable[[], bool]) -> None:
        """Ask what is next; ``quiet``: whether all that was wanted so far is on disk."""
        if self._early is not None or not self._news_over or self._open or self._looking or self._settling:
            return
        if self.settled and not live:
            return
        if self._queue:
            if self._wants.all_sent:
                self._ask()
        elif quiet():
            if self._grown:
                self._look()
            elif not self.settled:
                self._settle()

    def _ask(self) -> None:
        count = min(len(self._queue), self._line.limits.frame_ids)
        self._open = [self._queue.popleft() for _ in range(count)]
        self._line.send(wire.Frame(ask=wire.Ask(ids=b"".join(self._open), after=self._after)))

    def _look(self) -> None:
        self._looking, self._grown = True, False
        request = FindTrees(self._readable, self._own, self._position, self._line.limits.tree_ids)
        self._line.ask(request, self._looked)

    def _looked(self, found: Trees) -> None:
        self._looking = False
        self._position = found.position
        for tree in found.trees:
            if tree.digests is None:
                self._line.report.cut[tree.root] = None
                continue
            fresh = [digest for digest in tree.digests if digest not in self._asked]
            self._asked.update(fresh)
            self._queue.extend(fresh)
            self._roots.update(dict.fromkeys(fresh, tree.root))
        if self._queue:
            self._line.report.rounds += 1
            self._line.report.asked += len(self._queue)
        elif self.settled:
            self._cover()

    def _settle(self) -> None:
        """All is asked: remember it, then say so."""
        self._settling = True
        read_tail(self._line, self._position, self._keep)

    def _keep(self, tail: bytes) -> None:
        asked = Asked(self._following, self._digest, self._position, tail, frozenset(self._asked))
        self._keeping.set(Section.ASKED, asked.dump(), self._kept_it)

    def _kept_it(self) -> None:
        self._settling = False
        self.settled = True
        self._cover()
        self._line.send(wire.Frame(settled=wire.Settled(scope=self._scope.value)))

    def _cover(self) -> None:
        self._line.put(Covered(self._taken, frozenset(self._asked), tuple(self._line.report.cut)))
