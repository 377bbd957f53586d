"""What two servers agree on, from two policies."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.session_harness import ALL, policy
from tests.store.factories import Origin
from weft.core.feed import ALL_LISTS, Feed, FeedSet, Lists
from weft.exchange.agreement import Agreement, Scope, StatedFeeds, agree
from weft.exchange.configuration import Configuration
from weft.exchange.handshake import Handshake
from weft.policy.feed_ranges import FeedRanges, admitted, carried_by, read_feed_ranges, served
from weft.policy.rows import Origin as OriginRow
from weft.policy.rows import Peer
from weft.policy.rules import Policy

NAMES = (b"a", b"b", b"c", b"d")
A, B, C = Origin("a"), Origin("b"), Origin("c")
lists = st.builds(Lists, st.frozensets(st.sampled_from(NAMES[:3])), st.booleans())
feed_maps = st.dictionaries(st.sampled_from([A.public, B.public]), lists.filter(bool)).map(FeedRanges)


@given(lists, lists)
def test_lists_are_sets(one: Lists, other: Lists) -> None:
    for name in NAMES:
        assert (name in one & other) == (name in one and name in other)
        assert (name in one - other) == (name in one and name not in other)
    assert bool(one) == any(name in one for name in NAMES)


@given(feed_maps, feed_maps)
def test_feeds_are_sets_and_travel_unharmed(one: FeedRanges, other: FeedRanges) -> None:
    for origin, name in product((A.public, B.public, C.public), NAMES):
        feed = Feed(origin, name)
        assert (feed in one & other) == (feed in one and feed in other)
        assert (feed in one - other) == (feed in one and feed not in other)
        assert feed not in one.without([feed])
    assert read_feed_ranges(one.to_message()) == one
    assert (one.digest() == other.digest()) == (one == other)


@given(feed_maps, feed_maps, feed_maps, feed_maps)
def test_both_sides_see_the_same_agreement_from_two_ends(
    a: FeedRanges, b: FeedRanges, c: FeedRanges, d: FeedRanges
) -> None:
    caller, answerer = (
        agree(True, StatedFeeds(a, b), StatedFeeds(c, d)),
        agree(False, StatedFeeds(c, d), StatedFeeds(a, b)),
    )
    assert caller.digest == answerer.digest
    assert caller.feeds == answerer.feeds
    for origin, name in product((A.public, B.public), NAMES):
        feed = Feed(origin, name)
        assert caller.sends(feed) == answerer.takes(feed) == (feed in a and feed in d)
        assert caller.takes(feed) == answerer.sends(feed) == (feed in c and feed in b)
    assert all(caller.encodes(scope) is not answerer.encodes(scope) for scope in Scope)


def feeds_of(own: Policy, peer: Origin) -> StatedFeeds:
    return StatedFeeds(served(own, peer.public), admitted(own, peer.public))


EVERYTHING = FeedRanges({origin.public: ALL_LISTS for origin in (A, B, C)})


def test_feeds_that_one_side_refuses_are_in_no_scope() -> None:
    ours = policy(A, {B: Peer(may_feed=ALL, may_read=ALL)}, [B])
    theirs = policy(B, {A: Peer(may_feed=ALL, may_read=ALL)}, [A, C])
    agreed = agree(True, feeds_of(ours, B), feeds_of(theirs, A))
    assert agreed.feeds == {Scope.BOTH: FeedRanges({A.public: ALL_LISTS, B.public: ALL_LISTS})}
    assert agreed.set_of(Feed(C.public, b"git")) is None


def test_a_feed_over_its_quota_drops_out_alone() -> None:
    ours = policy(A, {B: Peer(may_feed=ALL, may_read=ALL)}, [B])
    feeds = admitted(ours, B.public, [Feed(B.public, b"git")])
    assert Feed(B.public, b"git") not in feeds
    assert Feed(B.public, b"dev") in feeds


def test_our_own_feeds_are_taken_back_from_any_feeding_peer_and_no_other() -> None:
    some = FeedSet(origins=frozenset([B.public]))
    ours = policy(A, {B: Peer(may_feed=some), C: Peer(may_read=ALL)}, [B, C])
    assert set(admitted(ours, B.public).lists) == {A.public, B.public}
    assert not admitted(ours, C.public)


def test_what_is_served_and_admitted_is_what_the_policy_says_of_each_feed() -> None:
    some = FeedSet(origins=frozenset([C.public]), feeds=frozenset([Feed(B.public, b"a")]))
    rows = {B.public: OriginRow(1, frozenset([b"a", b"b"])), C.public: OriginRow(2, frozenset([b"c"]))}
    ours = Policy(A.public, rows, {B.public: Peer(may_feed=some, may_read=some)})
    for origin, name in product((A, B, C, Origin("d")), NAMES):
        feed = Feed(origin.public, name)
        assert (feed in served(ours, B.public)) == ours.may_read(B.public, feed)
        hidden = feed == Feed(C.public, b"c") and not ours.may_read(B.public, feed)
        assert (feed in admitted(ours, B.public)) == (ours.may_feed(B.public, feed) and not hidden)


def test_no_hello_names_a_list_that_the_peer_may_not_know() -> None:
    private, public = Feed(C.public, b"private"), Feed(C.public, b"public")
    rows = {C.public: OriginRow(1, frozenset([private.list, public.list])), B.public: OriginRow(1, frozenset([b"own"]))}
    readable = FeedSet(feeds=frozenset([public]))

    def told(row: Peer) -> set[bytes]:
        setup = Configuration(Policy(A.public, rows, {B.public: row}), B.public, True, bytes(32), carries=EVERYTHING)
        hello = Handshake(setup, b"", None, ()).hello()
        ranges = [*hello.admits.ranges, *hello.serves.ranges, *hello.carries.ranges]
        return {name for some in ranges for name in some.lists}

    assert told(Peer(may_feed=ALL, may_read=readable)) == {b"own", b"public"}
    assert told(Peer(may_feed=FeedSet(origins=frozenset([B.public, C.public])))) == {b"own"}
    assert told(Peer(may_feed=FeedSet(feeds=frozenset([private])))) == {b"private"}, "the row says it of this list"
    assert told(Peer(may_feed=ALL, may_read=ALL)) == {b"own", b"public", b"private"}


def test_who_is_believed_to_carry_a_feed_whole_is_its_origin_and_whom_the_row_says_so_of() -> None:
    rows = {B: Peer(mirror_of=FeedSet(feeds=frozenset([Feed(C.public, b"git")]))), C: Peer()}
    ours = policy(A, rows, [B, C])
    feeds = [Feed(B.public, b"x"), Feed(C.public, b"git"), Feed(C.public, b"x"), Feed(A.public, b"x")]
    assert [feed in carried_by(ours, B.public) for feed in feeds] == [True, True, False, False]
    assert [feed in carried_by(ours, C.public) for feed in feeds] == [False, True, True, False]


def test_an_empty_agreement_has_a_digest_too() -> None:
    assert Agreement(True, {}).digest == Agreement(False, {}).digest
