"""Coverage: how complete a thread can be, relative to the policy, from whom we asked what (`weft.index.sync_history`).

Theory of operation
-------------------
A feed of another server can hold more of a thread than is here.  Nobody can prove that it does not; but who carries
the feed whole, by our policy, can be asked about every id of the thread (`weft.policy.rules.Policy.carries_whole`).  So
each feed that the policy admits is one of these:

* **carried**: our own;
* **asked**: about each id of the thread, some peer that carries the feed whole was asked, as far as the time of the
  oldest answer that is needed.  One may have been asked about some ids, and another about the others;
* **partly**: claims are held, or some ids were asked about, but that is not so of every id;
* **never asked**: none of that.

``*`` stands for all lists of an origin that are not named beside it, also for those of which we have never heard.  It
was asked about only if the exchange was for all of them, whatever their names.

A tree that grew beyond our limits was not asked about to its end (``cut``): what that peer said of it does not count.
If nothing is left, a ghost of which no claim is here is one that **nobody holds**, of those who may speak, then.

What does not depend on the thread is worked out once for each state of the index.  Feeds about which the same peers
can speak are one group; a thread is looked up once for each peer, and what its groups come to is remembered, because
most threads come to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from weft.core.feed import Feed
from weft.core.signing import fingerprint
from weft.index.sync_history import ANY_LIST, SyncRecord, digest_number
from weft.model import AskedFeed, Coverage
from weft.policy.rules import Policy

_REMEMBERED = 256
_Carriers = tuple[int, ...]
"""Places of exchanges, the newest first."""


class _Part(NamedTuple):
    """A list of an origin, or all of its others."""

    name: str
    """``ORIGIN/LIST``, or ``ORIGIN/*``."""
    held: bool
    """Claims of it are here."""
    group: int


class _Outcome(NamedTuple):
    """What a thread comes to in one group."""

    complete: bool
    begun: bool
    """At least one id was asked about."""
    used: _Carriers
    """Whose answers are needed, the newest first."""


class CoverageReader:
    """Tells the coverage of threads, in one state of an index."""

    def __init__(self, policy: Policy, held: Iterable[Feed], exchanges: Sequence[SyncRecord]) -> None:
        """``held``: the feeds of which claims stand here; ``exchanges``: the newest first."""
        self._policy, self._exchanges = policy, exchanges
        feeds = set(held)
        self._carried = tuple(sorted(_name(*feed) for feed in feeds if feed.origin == policy.own))
        self._groups: dict[_Carriers, int] = {}
        self._origins = [list(self._parts(origin, feeds)) for origin in sorted(policy.origins)]
        self._needed = sorted({place for carriers in self._groups for place in carriers})
        self._known: dict[tuple[tuple[_Outcome, ...], tuple[str, ...]], Coverage] = {}

    def of(self, ids: Sequence[bytes], missing: Callable[[], Iterable[str]]) -> Coverage:
        """The coverage of a thread of ``ids``; ``missing`` gives those of them about which no claim is here."""
        numbers = list(map(digest_number, ids)) if self._needed else []
        cut = {place for place in self._needed if self._exchanges[place].is_cut(numbers)}
        lacking = {place: self._lacking(place, numbers) for place in self._needed}
        outcomes = tuple(_outcome(carriers, lacking, cut, len(ids)) for carriers in self._groups)
        key = outcomes, tuple(fingerprint(self._exchanges[place].peer) for place in sorted(cut))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._assembled(*key)
        unheld = tuple(missing()) if found.complete else ()
        return replace(found, nobody_holds=unheld) if unheld else found

    def _parts(self, origin: bytes, held: set[Feed]) -> Iterator[_Part]:
        """The lists of an origin that the policy admits; its others, if it admits all, stand last."""
        row = self._policy.origins[origin]
        lists = row.lists
        if lists is None:
            named = (one.lists[origin].names for one in self._exchanges if origin in one.lists)
            believed = (feed for peer in self._policy.peers.values() for feed in peer.mirror_of.feeds)
            known = {feed.list for feed in (*held, *believed) if feed.origin == origin}
            lists = frozenset(known.union(*named))
        for name in sorted(lists):
            yield self._part(Feed(origin, name), Feed(origin, name) in held)
        if row.lists is None:
            yield self._part(Feed(origin, ANY_LIST), False)

    def _part(self, feed: Feed, held: bool) -> _Part:
        believed = self._policy.carries_whole
        carriers = tuple(
            place for place, one in enumerate(self._exchanges) if one.covers(feed) and believed(one.peer, feed)
        )
        return _Part(_name(*feed), held, self._groups.setdefault(carriers, len(self._groups)))

    def _lacking(self, place: int, numbers: Sequence[int]) -> frozenset[int]:
        """The ids, by their places in the thread, that a peer was not asked about."""
        asked = self._exchanges[place].asked
        if asked is None:
            return frozenset()
        return frozenset([at for at, number in enumerate(numbers) if number not in asked])

    def _assembled(self, outcomes: Sequence[_Outcome], cut: tuple[str, ...]) -> Coverage:
        asked: list[AskedFeed] = []
        partly: list[str] = []
        never: list[str] = []
        for parts in self._origins:
            found = {outcomes[part.group] for part in parts}
            if len(found) == 1 and parts[-1].name.endswith("/*") and next(iter(found)).complete:
                parts = parts[-1:]  # all lists alike
            for part in parts:
                outcome = outcomes[part.group]
                if outcome.complete:
                    asked.append(self._asked(part.name, outcome.used))
                else:
                    (partly if part.held or outcome.begun else never).append(part.name)
        return Coverage(
            self._carried, tuple(sorted(partly)), tuple(sorted(never)), tuple(sorted(asked)), tuple(sorted(cut))
        )

    def _asked(self, feed: str, used: _Carriers) -> AskedFeed:
        peers = sorted(fingerprint(self._exchanges[place].peer) for place in used)
        return AskedFeed(feed, tuple(peers), self._exchanges[used[-1]].upto)


def _outcome(carriers: _Carriers, lacking: dict[int, frozenset[int]], cut: set[int], count: int) -> _Outcome:
    """Take the newest answer for each id; those who told nothing that is needed are left out, and who was ``cut``."""
    rest = frozenset(range(count)) if carriers else frozenset()
    used = []
    for place in carriers:
        left = rest if place in cut else rest & lacking[place]
        if len(left) < len(rest):
            used.append(place)
        rest = left
        if not rest:
            break
    begun = any(len(lacking[place]) < count for place in carriers)
    return _Outcome(bool(carriers) and not rest, begun, tuple(used))


def _name(origin: bytes, name: bytes) -> str:
    """``ORIGIN/LIST``."""
    return f"{fingerprint(origin)}/{'*' if name == ANY_LIST else name.decode()}"
