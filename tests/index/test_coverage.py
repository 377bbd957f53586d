"""Coverage: what is said of each admitted feed is what the exchanges, looked at one by one, come to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.factories import Origin
from weft.core.feed import NO_FEEDS, Feed, FeedSet, Lists, read_feeds
from weft.core.id_digest import id_digest
from weft.core.signing import fingerprint
from weft.index.coverage import CoverageReader
from weft.index.sync_history import DigestSet, SyncRecord, sorted_digests
from weft.model import AskedFeed, Coverage
from weft.policy.rules import Origin as Row
from weft.policy.rules import Peer, Policy

OWN, BOB, CAROL, HUB = (Origin(name).public for name in ("own", "bob", "carol", "hub"))
IDS = [b"a@x", b"b@x", b"c@x", b"d@x"]
EVERYTHING = {BOB: Lists(frozenset(), True), CAROL: Lists(frozenset(), True)}


def digests(ids: Sequence[bytes]) -> DigestSet:
    return DigestSet(sorted_digests({id_digest(name) for name in ids}))


def exchange(
    peer: bytes,
    asked: Sequence[bytes] | None = IDS,
    *,
    lists: dict[bytes, Lists] = EVERYTHING,
    cut: Sequence[bytes] = (),
    time: int = 1_795_000_000,
) -> SyncRecord:
    return SyncRecord(peer, time, lists, None if asked is None else digests(asked), digests(cut))


def policy(
    *origins: tuple[bytes, Sequence[bytes] | None],
    peers: Sequence[bytes] = (BOB, CAROL, HUB),
    mirror: FeedSet = NO_FEEDS,
) -> Policy:
    """``mirror``: what the hub is believed to carry whole."""
    rows = {origin: Row(1, None if lists is None else frozenset(lists)) for origin, lists in origins}
    return Policy(OWN, rows, {peer: Peer(mirror_of=mirror if peer == HUB else NO_FEEDS) for peer in peers})


def covered(policy: Policy, *exchanges: SyncRecord, held: Sequence[Feed] = (), ids: Sequence[bytes] = IDS) -> Coverage:
    newest_first = sorted(exchanges, key=lambda one: -one.time)
    return CoverageReader(policy, held, newest_first).of(ids, lambda: ["ghost@x"])


def name(origin: bytes, lists: str = "*") -> str:
    return f"{fingerprint(origin)}/{lists}"


def at(second: int) -> str:
    return f"2026-11-18T11:06:{40 + second}Z"


def test_without_others_all_is_carried_and_what_is_not_here_is_on_no_admitted_list() -> None:
    found = covered(Policy(OWN), held=[Feed(OWN, b"git")])
    assert found == Coverage((name(OWN, "git"),), (), (), nobody_holds=("ghost@x",))
    assert found.complete


def test_an_origin_that_was_asked_about_every_id_is_asked_up_to_then() -> None:
    found = covered(policy((BOB, None)), exchange(BOB), held=[Feed(BOB, b"git")])
    assert found.asked == (AskedFeed(name(BOB), (fingerprint(BOB),), at(0)),)
    assert (found.partly, found.never_asked, found.complete, found.nobody_holds) == ((), (), True, ("ghost@x",))


@pytest.mark.parametrize("held", [[], [Feed(BOB, b"git")]])
def test_one_id_that_was_not_asked_about_leaves_the_feed_open(held: list[Feed]) -> None:
    found = covered(policy((BOB, [b"git"])), exchange(BOB, IDS[1:]), held=held)
    assert (found.partly, found.never_asked, found.asked) == ((name(BOB, "git"),), (), ())
    assert (found.complete, found.nobody_holds) == (False, ())


def test_ids_that_nobody_was_asked_about_make_a_feed_partly_held_or_never_asked() -> None:
    found = covered(policy((BOB, [b"git", b"ietf"])), exchange(BOB, [b"other@x"]), held=[Feed(BOB, b"git")])
    assert (found.partly, found.never_asked) == ((name(BOB, "git"),), (name(BOB, "ietf"),))


def test_a_feed_that_is_mirrored_is_asked_about_every_id_whatever_it_is() -> None:
    assert covered(policy((BOB, None)), exchange(BOB, None), ids=[b"new@x"]).complete


def test_a_peer_is_believed_about_the_feeds_of_others_only_where_its_row_says_so() -> None:
    hub, both = exchange(HUB), ((BOB, None), (CAROL, None))
    assert covered(policy(*both), hub).never_asked == tuple(sorted([name(BOB), name(CAROL)]))
    one = covered(policy(*both, mirror=FeedSet(origins=frozenset([BOB]))), hub)
    assert (one.asked, one.never_asked) == ((AskedFeed(name(BOB), (fingerprint(HUB),), at(0)),), (name(CAROL),))
    assert covered(policy(*both, mirror=FeedSet(everything=True)), hub).complete


def test_a_peer_without_a_row_is_not_believed_any_more_even_about_its_own_feeds() -> None:
    assert covered(policy((BOB, None), peers=[CAROL]), exchange(BOB)).never_asked == (name(BOB),)


def test_all_lists_are_covered_only_by_an_exchange_for_all_lists() -> None:
    git = {BOB: Lists(frozenset([b"git"]), False)}
    found = covered(policy((BOB, None)), exchange(BOB, lists=git))
    assert ([one.feed for one in found.asked], found.never_asked) == ([name(BOB, "git")], (name(BOB),))
    secret = {BOB: Lists(frozenset([b"secret"]), True)}
    found = covered(policy((BOB, None)), exchange(BOB, lists=secret), held=[Feed(BOB, b"git")])
    assert [one.feed for one in found.asked] == sorted([name(BOB), name(BOB, "git")])
    assert (found.never_asked, found.complete) == ((name(BOB, "secret"),), False)


def test_a_mirror_of_some_lists_does_not_stand_for_all_of_them() -> None:
    some = read_feeds([name(BOB, "git")], OWN)
    found = covered(policy((BOB, None), mirror=some), exchange(HUB), held=[Feed(BOB, b"git")])
    assert ([one.feed for one in found.asked], found.never_asked) == ([name(BOB, "git")], (name(BOB),))


def test_two_peers_that_were_asked_about_all_ids_only_together_suffice_and_the_older_one_says_up_to_when() -> None:
    believed = policy((BOB, None), mirror=FeedSet(everything=True))
    first, second = exchange(BOB, IDS[:3], time=1_795_000_005), exchange(HUB, IDS[2:])
    found = covered(believed, first, second)
    assert found.asked == (AskedFeed(name(BOB), tuple(sorted(map(fingerprint, (BOB, HUB)))), at(0)),)
    assert not covered(policy((BOB, None)), first, second).complete


def test_an_older_answer_that_is_not_needed_is_not_named() -> None:
    believed = policy((BOB, None), mirror=FeedSet(everything=True))
    found = covered(believed, exchange(BOB, time=1_795_000_005), exchange(HUB, None))
    assert found.asked == (AskedFeed(name(BOB), (fingerprint(BOB),), at(5)),)


@pytest.mark.parametrize("root", [b"a@x", b"d@x", b""], ids=["its root", "an id in it", "nobody knows which"])
def test_a_tree_that_was_cut_was_not_asked_about_to_its_end(root: bytes) -> None:
    found = covered(policy((BOB, None)), exchange(BOB, cut=[root]))
    assert (found.cut, found.asked, found.complete) == ((fingerprint(BOB),), (), False)
    assert (found.partly, found.never_asked) == ((name(BOB),), ())
    assert covered(policy((BOB, None)), exchange(BOB, [], cut=[root])).never_asked == (name(BOB),)
    whole = covered(policy((BOB, None), mirror=FeedSet(everything=True)), exchange(BOB, cut=[root]), exchange(HUB))
    assert (whole.cut, whole.asked[0].of, whole.complete) == ((fingerprint(BOB),), (fingerprint(HUB),), True)


def test_the_cut_of_another_tree_says_nothing_about_this_one() -> None:
    assert covered(policy((BOB, None)), exchange(BOB, cut=[b"other@x"])).cut == ()


def test_what_one_thread_comes_to_is_not_told_of_another() -> None:
    coverage_reader = CoverageReader(policy((BOB, None)), [], [exchange(BOB, IDS[:2], cut=[b"z@x"])])
    for _ in range(2):
        assert coverage_reader.of(IDS[:2], list).complete
        assert not coverage_reader.of(IDS, list).complete
        assert coverage_reader.of([b"z@x"], list).cut == (fingerprint(BOB),)


def test_a_list_for_which_a_peer_is_believed_is_told_of_by_its_name() -> None:
    believed = policy((BOB, None), mirror=read_feeds([name(BOB, "git")], OWN))
    found = covered(believed, exchange(HUB, lists={BOB: Lists(all_but=True)}))
    assert [one.feed for one in found.asked] == [name(BOB, "git")]
    assert found.never_asked == (name(BOB),)


NAMES = [b"git", b"ietf", b"mm"]
some_lists = st.builds(Lists, st.frozensets(st.sampled_from(NAMES)), st.booleans())
patterns = st.lists(st.sampled_from([fingerprint(BOB), name(BOB, "git"), name(CAROL, "git"), fingerprint(CAROL)]))
exchanges = st.builds(
    exchange,
    st.sampled_from([BOB, CAROL, HUB]),
    st.none() | st.lists(st.sampled_from(IDS)) | st.just(IDS),
    lists=st.dictionaries(st.sampled_from([BOB, CAROL]), some_lists),
    cut=st.lists(st.sampled_from([*IDS, b"other@x"]), max_size=1),
    time=st.integers(1_795_000_000, 1_795_000_005),
)
policies = st.builds(
    lambda rows, peers, mirror: policy(*rows.items(), peers=peers, mirror=read_feeds(mirror, OWN)),
    st.dictionaries(st.sampled_from([BOB, CAROL]), st.none() | st.lists(st.sampled_from(NAMES), unique=True)),
    st.lists(st.sampled_from([BOB, CAROL, HUB]), unique=True),
    patterns | st.just(["*"]),
)


@given(
    policies,
    st.lists(exchanges, unique_by=lambda one: one.peer),
    st.sets(st.builds(Feed, st.sampled_from([OWN, BOB, CAROL]), st.sampled_from(NAMES))),
    st.lists(st.sampled_from(IDS), min_size=1, unique=True),
)
def test_every_feed_is_told_of_as_each_of_its_ids_and_exchanges_say(
    policy: Policy, exchanges: list[SyncRecord], held: set[Feed], ids: list[bytes]
) -> None:
    found = covered(policy, *exchanges, held=sorted(held), ids=ids)
    told = dict.fromkeys(found.partly, "partly") | dict.fromkeys(found.never_asked, "never")
    told |= {one.feed: one.upto for one in found.asked}
    assert len(told) == len(found.partly) + len(found.never_asked) + len(found.asked)
    every = True
    for origin, lists in product(policy.origins, [*NAMES, b"some list of which nobody has heard"]):
        feed = Feed(origin, lists)
        if policy.admits(feed):
            expected = plainly(policy, exchanges, feed, ids, feed in held)
            every = every and expected not in ("partly", "never")
            assert told.get(name(origin, lists.decode()), told.get(name(origin))) == expected
    assert found.complete == every
    assert bool(found.nobody_holds) == every


def plainly(policy: Policy, exchanges: list[SyncRecord], feed: Feed, ids: list[bytes], held: bool) -> str:
    """What one feed comes to: the latest answer about each id, and of these the oldest."""
    answers: list[int] = []
    begun = False
    for literal in ids:
        number = int.from_bytes(id_digest(literal), "big")
        told = [
            one
            for one in exchanges
            if one.covers(feed) and policy.carries_whole(one.peer, feed) and (one.asked is None or number in one.asked)
        ]
        cut = [one for one in told if any(int.from_bytes(id_digest(root), "big") in one.cut for root in ids)]
        times = [one.time for one in told if one not in cut]
        begun = begun or bool(told)
        answers += [max(times)] if times else []
    if len(answers) == len(ids):
        return at(min(answers) - 1_795_000_000)
    return "partly" if held or begun else "never"
