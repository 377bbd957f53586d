"""Sets of feeds as two servers can compare them: for each origin which lists, or all but which.

Theory of operation
-------------------
A policy names origins and lists, and may say "all lists" of an origin.  So the feeds that one side serves or admits are
a finite map from origin to a set of names that is finite, or all but finitely many.  These sets are closed under
intersection and difference, so two servers compute the same agreement from two hellos, about feeds that neither has
seen yet as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from hashlib import sha256
from itertools import pairwise
from operator import or_

from weft.core.claim import ORIGIN_BYTES
from weft.core.feed import ALL_LISTS, Feed, FeedSet, Lists
from weft.core.feed import NO_FEEDS as NO_FEED_SET
from weft.core.list_name import check_list_bytes
from weft.errors import RemoteProtocolError
from weft.policy.rules import Policy
from weft.v1 import exchange_pb2 as wire

MAX_FEEDS = 65_536
"""Origins and lists that a hello may name, all together."""


@dataclass(frozen=True, slots=True)
class FeedRanges:
    """Feeds by origin; as a container of `Feed`.  No origin stands there without a list."""

    lists: Mapping[bytes, Lists] = field(default_factory=dict)

    def __contains__(self, feed: Feed) -> bool:
        lists = self.lists.get(feed.origin)
        return lists is not None and feed.list in lists

    def __bool__(self) -> bool:
        return bool(self.lists)

    def __and__(self, other: FeedRanges) -> FeedRanges:
        return _feeds((origin, lists & other.lists.get(origin, Lists())) for origin, lists in self.lists.items())

    def __sub__(self, other: FeedRanges) -> FeedRanges:
        return _feeds((origin, lists - other.lists.get(origin, Lists())) for origin, lists in self.lists.items())

    def __or__(self, other: FeedRanges) -> FeedRanges:
        lists = dict(self.lists)
        for origin, some in other.lists.items():
            lists[origin] = lists.get(origin, Lists()) | some
        return _feeds(lists.items())

    def without(self, feeds: Iterable[Feed]) -> FeedRanges:
        """The same but for some feeds."""
        lists = dict(self.lists)
        for origin, name in feeds:
            if origin in lists:
                lists[origin] -= Lists(frozenset((name,)))
        return _feeds(lists.items())

    def to_message(self) -> wire.Feeds:
        """For the wire."""
        origins = (origin for origin, lists in sorted(self.lists.items()) if lists == ALL_LISTS)
        ranges = (message for message in self.ranges() if message.lists or not message.all_but)
        return wire.Feeds(origins=b"".join(origins), ranges=ranges)

    def ranges(self) -> list[wire.FeedRange]:
        """All of them as ranges, by origin."""
        return [
            wire.FeedRange(origin=origin, lists=sorted(lists.names), all_but=lists.all_but)
            for origin, lists in sorted(self.lists.items())
        ]

    def digest(self) -> bytes:
        """32 bytes that are equal for equal sets."""
        return sha256(b"".join(map(_range_bytes, self.ranges()))).digest()


NO_FEEDS = FeedRanges()


def union(some: Iterable[FeedRanges]) -> FeedRanges:
    """The feeds that stand in any of some sets."""
    return reduce(or_, some, NO_FEEDS)


def served(policy: Policy, peer: bytes) -> FeedRanges:
    """What the policy lets ``peer`` read."""
    row = policy.peers[peer]
    return _admitted(policy) & _named(row.may_read, policy)


def own_feeds(policy: Policy) -> FeedRanges:
    """All feeds of our own origin."""
    return NO_FEEDS if policy.own is None else FeedRanges({policy.own: ALL_LISTS})


def readable(policy: Policy, peer: bytes) -> FeedRanges:
    """Of what questions to ``peer`` may be made: what it may read, and what it has signed itself."""
    own = _admitted(policy).lists.get(peer)
    return served(policy, peer) | (FeedRanges({peer: own}) if own else NO_FEEDS)


def carried_by(policy: Policy, peer: bytes) -> FeedRanges:
    """The feeds of which ``peer`` is believed when it says that it carries them whole."""
    row = policy.peers.get(peer)
    if row is None:
        return NO_FEEDS
    return FeedRanges({peer: ALL_LISTS}) | _named(row.mirror_of, policy)


def admitted(policy: Policy, peer: bytes, spent: Iterable[Feed] = ()) -> FeedRanges:
    """What the policy takes from ``peer``, but for the feeds of which it handed us enough for today.

    The hello says it, so a list stands there by its name only if the peer may know the name: because it is the peer's
    own, because it may read the list, or because its row says that it may hand us this very list.  Others are not taken
    from it, however much else it may hand us.
    """
    row = policy.peers[peer]
    taken = _admitted(policy) & _named(row.may_feed, policy)
    lists = {origin: _tellable(policy, peer, origin, some) for origin, some in taken.lists.items()}
    if policy.own is not None and row.may_feed:
        lists[policy.own] = _admitted(policy).lists.get(policy.own, Lists())
    return _feeds(lists.items()).without(spent)


def _tellable(policy: Policy, peer: bytes, origin: bytes, lists: Lists) -> Lists:
    """Those of some admitted lists of an origin whose names a peer may know."""
    if lists.all_but or origin == peer or policy.public is not None:
        return lists
    named = policy.peers[peer].may_feed.feeds
    feeds = (Feed(origin, name) for name in lists.names)
    return Lists(frozenset(feed.list for feed in feeds if feed in named or policy.may_read(peer, feed)))


def read_feed_ranges(message: wire.Feeds) -> FeedRanges:
    """The feeds in a hello; `RemoteProtocolError` if they are not as `FeedRanges.to_message` writes them."""
    count, rest = divmod(len(message.origins), ORIGIN_BYTES)
    if count + sum(1 + len(some.lists) for some in message.ranges) > MAX_FEEDS:
        raise RemoteProtocolError(f"hello: it names more than {MAX_FEEDS} origins and lists", "feeds")
    places = range(0, count * ORIGIN_BYTES, ORIGIN_BYTES)
    whole = [message.origins[at : at + ORIGIN_BYTES] for at in places]
    ranged = [some.origin for some in message.ranges]
    if rest or any(len(origin) != ORIGIN_BYTES for origin in ranged) or not (_ascend(whole) and _ascend(ranged)):
        raise RemoteProtocolError("hello: its origins are not keys in ascending order")
    if not set(whole).isdisjoint(ranged):
        raise RemoteProtocolError("hello: an origin stands in it twice")
    lists = dict.fromkeys(whole, ALL_LISTS)
    lists.update((some.origin, _read_lists(some)) for some in message.ranges)
    return _feeds(lists.items())


def _ascend(data: Sequence[bytes]) -> bool:
    return all(before < after for before, after in pairwise(data))


def _read_lists(message: wire.FeedRange) -> Lists:
    names = list(message.lists)
    if any(before >= after for before, after in pairwise(names)):
        raise RemoteProtocolError("hello: its lists are not in ascending order")
    try:
        for name in names:
            check_list_bytes(name)
    except ValueError as error:
        raise RemoteProtocolError(f"hello: a list's name is refused: {error}") from None
    return Lists(frozenset(names), message.all_but)


def undeclared(policy: Policy, own_lists: Iterable[bytes]) -> FeedRanges:
    """The feeds that a policy's rows, and the index, whose own lists these are, have, and ``public`` does not name."""
    public = _named(policy.public or NO_FEED_SET, policy)
    held = FeedRanges() if policy.own is None else _feeds([(policy.own, Lists(frozenset(own_lists)))])
    rows = FeedRanges({key: lists for key, lists in _in_rows(policy).lists.items() if key != policy.own})
    return (held | rows) - public


def _admitted(policy: Policy) -> FeedRanges:
    """All feeds that the policy admits."""
    feeds = _in_rows(policy)
    return feeds if policy.public is None else feeds & _named(policy.public, policy)


def _in_rows(policy: Policy) -> FeedRanges:
    """All of which its rows say that they may be spoken of, and our own."""
    rows = policy.origins.items()
    lists = {origin: ALL_LISTS if row.lists is None else Lists(row.lists) for origin, row in rows}
    if policy.own is not None:
        lists[policy.own] = ALL_LISTS
    return _feeds(lists.items())


def _named(feeds: FeedSet, policy: Policy) -> FeedRanges:
    """A policy's set of feeds, as far as it is about origins that the policy knows."""
    origins = [*policy.origins, *filter(None, [policy.own])]
    names: dict[bytes, set[bytes]] = {}
    for origin, name in feeds.feeds:
        names.setdefault(origin, set()).add(name)
    return _feeds(
        (
            origin,
            ALL_LISTS if feeds.everything or origin in feeds.origins else Lists(frozenset(names.get(origin, ()))),
        )
        for origin in origins
    )


def _feeds(lists: Iterable[tuple[bytes, Lists]]) -> FeedRanges:
    return FeedRanges({origin: some for origin, some in lists if some})


def _range_bytes(message: wire.FeedRange) -> bytes:
    """An origin's lists so that no other lists have the same bytes; numbers are big endian."""
    head = message.origin + bytes((message.all_but,)) + len(message.lists).to_bytes(4, "big")
    return head + b"".join(len(name).to_bytes(2, "big") + name for name in message.lists)
