"""Policies: what is not named is refused, every mistake names its key, and tables say all there is."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import PLAIN, WITHDRAWAL
from weft.core.claim import claim_id, encode
from weft.core.feed import Feed, FeedSet
from weft.core.signing import fingerprint
from weft.errors import PolicyError
from weft.policy.rules import Mute, Origin, Peer, Policy, ViewOptions, parse_policy, thread_digest, view_id

OWN, ONE, TWO, NOBODY = (bytes((n,)) * 32 for n in range(4))
F_OWN, F_ONE, F_TWO = map(fingerprint, (OWN, ONE, TWO))
TEXT = f"""
[origin.{F_ONE}]
name = "one"
tier = 1
lists = ["git", "größe"]
[origin."{F_TWO}"]
tier = "known"
lists = "*"

[peer.{F_ONE}]
name = "one"
address = "one.example.org:7430"
mode = "mirror"
may_feed = ["{F_ONE}", "{F_TWO}/linux"]
may_read = ["own/git", "{F_TWO}"]
mirror_of = ["{F_TWO}/linux"]
claims_per_day = 0
streams = 1
[peer.{F_TWO}]
may_read = "*"

[view]
subject_join = true

[mute]
claims = ["{"ab" * 32}"]
authors = ["Spam@Example.org"]
ids = ["bad@example.org", "hex:ff40"]
edges = [["child@x", "parent@x"]]
feeds = ["{F_TWO}/noise"]
"""
POLICY = parse_policy(tomllib.loads(TEXT), OWN)


def test_a_feed_that_no_row_names_is_refused_and_our_own_come_first() -> None:
    assert POLICY.tier(Feed(OWN, b"anything")) == 0
    assert POLICY.tier(Feed(ONE, b"git")) == 1
    assert POLICY.tier(Feed(ONE, "größe".encode())) == 1
    assert POLICY.tier(Feed(ONE, b"linux")) is None
    assert POLICY.tier(Feed(TWO, b"linux")) == 2
    assert POLICY.tier(Feed(NOBODY, b"git")) is None
    assert POLICY.admits(Feed(TWO, b"git"))
    assert not POLICY.admits(Feed(NOBODY, b"git"))


def test_an_empty_policy_admits_our_own_feeds_and_nothing_else() -> None:
    policy = parse_policy({}, OWN)
    assert policy == Policy(OWN)
    assert policy.admits(Feed(OWN, b"git"))
    assert not policy.admits(Feed(ONE, b"git"))
    assert not policy.may_feed(ONE, Feed(OWN, b"git"))
    assert not policy.may_read(ONE, Feed(OWN, b"git"))
    assert not Policy().admits(Feed(OWN, b"git"))


def test_a_peer_feeds_only_what_its_row_names_and_the_policy_admits() -> None:
    assert POLICY.may_feed(ONE, Feed(ONE, b"git"))
    assert not POLICY.may_feed(ONE, Feed(ONE, b"linux"))
    assert POLICY.may_feed(ONE, Feed(TWO, b"linux"))
    assert not POLICY.may_feed(ONE, Feed(TWO, b"git"))
    assert not POLICY.may_feed(TWO, Feed(TWO, b"git"))
    assert not POLICY.may_feed(NOBODY, Feed(TWO, b"git"))


def test_our_own_claims_come_back_from_any_peer_that_may_feed_at_all() -> None:
    assert POLICY.may_feed(ONE, Feed(OWN, b"lost"))
    assert not POLICY.may_feed(TWO, Feed(OWN, b"lost"))


def test_a_peer_reads_only_what_its_row_names() -> None:
    assert POLICY.may_read(ONE, Feed(OWN, b"git"))
    assert not POLICY.may_read(ONE, Feed(OWN, b"private"))
    assert POLICY.may_read(ONE, Feed(TWO, b"any"))
    assert POLICY.may_read(TWO, Feed(OWN, b"private"))
    assert not POLICY.may_read(TWO, Feed(NOBODY, b"git"))
    assert not POLICY.may_read(NOBODY, Feed(OWN, b"git"))


def test_only_an_origin_and_its_stated_mirrors_are_believed_to_carry_a_feed_whole() -> None:
    assert POLICY.carries_whole(ONE, Feed(ONE, b"git"))
    assert POLICY.carries_whole(ONE, Feed(TWO, b"linux"))
    assert not POLICY.carries_whole(ONE, Feed(TWO, b"git"))
    assert not POLICY.carries_whole(NOBODY, Feed(NOBODY, b"git"))


def test_quotas_have_defaults_where_a_row_is_silent() -> None:
    assert (POLICY.peers[ONE].claims_per_day, POLICY.peers[ONE].streams) == (0, 1)
    assert POLICY.peers[TWO] == Peer(may_read=FeedSet(everything=True))
    assert POLICY.peers[TWO].claims_per_day > 0


def muting(**kinds: object) -> Policy:
    return parse_policy({"mute": kinds}, OWN)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (muting(claims=[claim_id(encode(PLAIN)).hex()]), "the claim is muted"),
        (muting(ids=["b@example.org"]), "the message id is muted"),
        (muting(ids=["hex:" + b"b@example.org".hex()]), "the message id is muted"),
        (muting(authors=["WEAVER@example.org"]), "the author is muted"),
        (muting(feeds=[f"{fingerprint(PLAIN.origin)}/git"]), "the feed is muted"),
        (muting(feeds=[fingerprint(PLAIN.origin)]), "the feed is muted"),
        (muting(feeds="*"), "the feed is muted"),
        (muting(authors=["eaver@example.org"], ids=["a@example.org"], feeds=["own"]), None),
        (muting(edges=[["b@example.org", "a@example.org"]]), None),
        (muting(), None),
    ],
)
def test_a_muted_claim_has_a_reason(policy: Policy, reason: str | None) -> None:
    assert policy.muted(claim_id(encode(PLAIN)), PLAIN) == reason


def test_a_withdrawal_is_muted_with_its_message_but_has_no_author() -> None:
    identity = claim_id(encode(WITHDRAWAL))
    assert muting(ids=["b@example.org"]).muted(identity, WITHDRAWAL) == "the message id is muted"
    assert muting(authors=["weaver@example.org"]).muted(identity, WITHDRAWAL) is None


def test_muting_an_edge_hides_that_edge_in_that_direction() -> None:
    assert POLICY.muted_edge(b"child@x", b"parent@x") == "the edge is muted"
    assert POLICY.muted_edge(b"parent@x", b"child@x") is None


def test_without_an_origin_its_feeds_are_refused_and_nothing_else_changes() -> None:
    policy = POLICY.without(ONE)
    assert not policy.admits(Feed(ONE, b"git"))
    assert policy.tier(Feed(TWO, b"git")) == 2
    assert policy.mute == POLICY.mute
    assert POLICY.admits(Feed(ONE, b"git"))
    assert not POLICY.without(OWN).admits(Feed(OWN, b"git"))
    assert POLICY.without(NOBODY) == POLICY


def test_the_common_view_ranks_all_that_is_admitted_alike_and_hides_nothing() -> None:
    common = POLICY.common()
    feeds = [Feed(OWN, b"git"), Feed(ONE, b"git"), Feed(TWO, b"git")]
    assert len({common.tier(feed) for feed in feeds}) == 1
    assert common.tier(Feed(ONE, b"linux")) is None
    assert common.mute == Mute()
    assert common.view == ViewOptions()


def test_a_policy_is_the_same_after_its_tables_were_written() -> None:
    tables = POLICY.to_tables()
    assert parse_policy(json.loads(json.dumps(tables)), OWN) == POLICY
    assert "own/git" in str(tables)


KEYS = st.binary(min_size=32, max_size=32).filter(lambda key: key != OWN)
NAMES = st.sampled_from([b"git", "größe".encode(), b"a b", b"own"])
FEED_SETS = st.just(FeedSet(everything=True)) | st.builds(
    FeedSet,
    st.just(False),
    st.frozensets(KEYS | st.just(OWN), max_size=2),
    st.frozensets(st.builds(Feed, KEYS | st.just(OWN), NAMES), max_size=2),
)
IDS = st.binary(min_size=1, max_size=250) | st.sampled_from([b"hex:00", b"a@b", b"a\nb"])
POLICIES = st.builds(
    Policy,
    st.just(OWN),
    st.dictionaries(KEYS, st.builds(Origin, st.integers(1, 2), st.none() | st.frozensets(NAMES)), max_size=2),
    st.dictionaries(
        KEYS,
        st.builds(
            Peer,
            st.just(""),
            st.sampled_from(["", "[::1]:7430", "host:1"]),
            st.sampled_from(["mirror", "threads"]),
            *[FEED_SETS] * 3,
            *[st.integers(0, 1 << 62)] * 2,
            st.integers(1, 16),
        ),
        max_size=2,
    ),
    st.builds(ViewOptions, st.booleans(), st.sampled_from(["weft", "rfc5256"])),
    st.builds(
        Mute,
        st.frozensets(st.binary(min_size=32, max_size=32), max_size=2),
        st.frozensets(st.sampled_from([b"a@b", "ü@b".encode()])),
        st.frozensets(IDS, max_size=3),
        st.frozensets(st.tuples(IDS, IDS), max_size=3),
        FEED_SETS,
    ),
)


@given(POLICIES)
def test_every_policy_can_be_written_and_read_back(policy: Policy) -> None:
    assert parse_policy(policy.to_tables(), OWN) == policy


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[orgin.x]", "orgin: unknown; known here: public, origin, peer, view, mute"),
        ("origin = 1", "origin: must be a table, not 1"),
        ("[origin]\nx = 1", "origin.x: must be a table, not 1"),
        ('[origin."a b"]', 'origin."a b": a fingerprint is 56 characters a-z and 2-7'),
        (f"[origin.{F_ONE}x]", f"origin.{F_ONE}x: a fingerprint is 56 characters"),
        (f"[origin.{'b' + F_ONE[1:]}]", f"origin.{'b' + F_ONE[1:]}: the fingerprint is mistyped"),
        (f"[origin.{F_OWN}]\ntier = 1\nlists = '*'", f"origin.{F_OWN}: this is our own key"),
        (f"[peer.{F_OWN}]", f"peer.{F_OWN}: this is our own key"),
        (f"[origin.{F_ONE}]\nlists = '*'", f"origin.{F_ONE}.tier: must be 1"),
        (f"[origin.{F_ONE}]\ntier = 0\nlists = '*'", f"origin.{F_ONE}.tier: must be 1"),
        (f"[origin.{F_ONE}]\ntier = 3\nlists = '*'", f"origin.{F_ONE}.tier: must be 1"),
        (f"[origin.{F_ONE}]\ntier = true\nlists = '*'", f"origin.{F_ONE}.tier: must be 1"),
        (f"[origin.{F_ONE}]\ntier = 1.0\nlists = '*'", f"origin.{F_ONE}.tier: must be 1"),
        (f"[origin.{F_ONE}]\ntier = 'best'\nlists = '*'", f"origin.{F_ONE}.tier: must be 1"),
        (f"[origin.{F_ONE}]\ntier = 1", f"origin.{F_ONE}.lists: must name the lists"),
        (f"[origin.{F_ONE}]\ntier = 1\nlists = 7", f"origin.{F_ONE}.lists: must be a list of texts, not 7"),
        (f"[origin.{F_ONE}]\ntier = 1\nlists = ['a/b']", f"origin.{F_ONE}.lists: it holds a slash"),
        (f"[origin.{F_ONE}]\ntier = 1\nlists = ['*', 'a']", f'origin.{F_ONE}.lists: "*" stands alone'),
        (f"[origin.{F_ONE}]\ntier = 1\nlists = '*'\ntrust = 1", f"origin.{F_ONE}.trust: unknown; known here: name,"),
        (f"[origin.{F_ONE}]\ntier = 1\nlists = '*'\nname = 1", f"origin.{F_ONE}.name: must be a text, not 1"),
        (f'[peer.{F_ONE}]\nname = "x\\u202e"', f"peer.{F_ONE}.name: it holds U+202E"),
        (f"[peer.{F_ONE}]\nname = 'x'\n[peer.{F_TWO}]\nname = 'x'", f"peer.{F_TWO}.name: another key has this name"),
        (
            f"[origin.{F_ONE}]\nname = 'x'\ntier = 1\nlists = '*'\n[peer.{F_TWO}]\nname = 'x'",
            f"peer.{F_TWO}.name: another key has this name",
        ),
        (f"[peer.{F_ONE}]\nmode = 'both'", f'peer.{F_ONE}.mode: must be "mirror" or "threads", not "both"'),
        (f"[peer.{F_ONE}]\nmode = []", f'peer.{F_ONE}.mode: must be "mirror" or "threads", not []'),
        (f"[peer.{F_ONE}]\naddress = 'host'", f"peer.{F_ONE}.address: must be HOST:PORT"),
        (f"[peer.{F_ONE}]\naddress = ':1'", f"peer.{F_ONE}.address: must be HOST:PORT"),
        (f"[peer.{F_ONE}]\nmay_feed = true", f"peer.{F_ONE}.may_feed: must be a list of texts, not true"),
        (f"[peer.{F_ONE}]\nmay_feed = ['git']", f"peer.{F_ONE}.may_feed: a fingerprint is 56 characters"),
        (f"[peer.{F_ONE}]\nmay_read = ['own/a/b']", f"peer.{F_ONE}.may_read: it holds a slash"),
        (f"[peer.{F_ONE}]\nmay_read = ['own/']", f"peer.{F_ONE}.may_read: it must have 1 to 200 bytes"),
        (f"[peer.{F_ONE}]\nmay_read = ['*', 'own']", f'peer.{F_ONE}.may_read: "*" stands alone'),
        (f"[peer.{F_ONE}]\nclaims_per_day = -1", f"peer.{F_ONE}.claims_per_day: must be 0 to 9223372036854775807"),
        (f"[peer.{F_ONE}]\nclaims_per_day = true", f"peer.{F_ONE}.claims_per_day: must be a whole number, not true"),
        (f"[peer.{F_ONE}]\nbytes_per_day = 1e9", f"peer.{F_ONE}.bytes_per_day: must be a whole number"),
        (f"[peer.{F_ONE}]\nstreams = 17", f"peer.{F_ONE}.streams: must be 1 to 16, not 17"),
        ("[view]\nsubject_join = 1", "view.subject_join: must be true or false, not 1"),
        ("[view]\nprofile = 'jwz'", 'view.profile: must be "weft" or "rfc5256", not "jwz"'),
        ("[view]\nwhen = 1979-05-27\n", "view.when: unknown; known here: subject_join, profile"),
        ("[mute]\nclaims = ['abc']", "mute.claims: a claim id is 64 characters 0-9 and a-f"),
        ("[mute]\nauthors = ['Some Name']", "mute.authors: an author is muted by one address"),
        ("[mute]\nauthors = ['a@b, c@d']", "mute.authors: an author is muted by one address"),
        ("[mute]\nids = ['']", "mute.ids: an id has 1 to 250 bytes"),
        ("[mute]\nids = ['hex:0']", "mute.ids: after hex: an id is written in hexadecimal digits"),
        (f"[mute]\nids = ['{'x' * 251}']", "mute.ids: an id has 1 to 250 bytes"),
        ("[mute]\nedges = [['a']]", 'mute.edges: each must be a pair of texts, not ["a"]'),
        ("[mute]\nedges = 'a'", 'mute.edges: must be a list, not "a"'),
        ("[mute]\nfeeds = ['x']", "mute.feeds: a fingerprint is 56 characters"),
        ("[mute.sub]\nx = 1", "mute.sub: unknown"),
    ],
)
def test_a_mistake_is_one_line_that_begins_with_its_key(text: str, error: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(tomllib.loads(text), OWN)
    assert str(caught.value).startswith(error)
    assert "\n" not in str(caught.value)


def test_own_cannot_be_meant_without_a_key() -> None:
    with pytest.raises(PolicyError, match=r"mute.feeds: \"own\" is invalid"):
        parse_policy({"mute": {"feeds": ["own/git"]}}, None)


RANKED = [(0, b"a" * 32), (0, b"b" * 32), (1, b"a" * 32)]


def test_a_view_id_depends_on_claims_tiers_options_and_mutes_and_on_nothing_else() -> None:
    changed: list[Callable[[], bytes]] = [
        lambda: view_id(ViewOptions(), Mute(), RANKED),
        lambda: view_id(ViewOptions(), Mute(), RANKED[:2]),
        lambda: view_id(ViewOptions(), Mute(), [(0, b"a" * 32), (1, b"a" * 32), (1, b"b" * 32)]),
        lambda: view_id(ViewOptions(subject_join=True), Mute(), RANKED),
        lambda: view_id(ViewOptions(profile="rfc5256"), Mute(), RANKED),
        lambda: view_id(ViewOptions(), Mute(claims=frozenset([b"x"])), RANKED),
        lambda: view_id(ViewOptions(), Mute(authors=frozenset([b"x"])), RANKED),
        lambda: view_id(ViewOptions(), Mute(ids=frozenset([b"x"])), RANKED),
        lambda: view_id(ViewOptions(), Mute(ids=frozenset([b"x", b"y"])), RANKED),
        lambda: view_id(ViewOptions(), Mute(edges=frozenset([(b"x", b"y")])), RANKED),
        lambda: view_id(ViewOptions(), Mute(edges=frozenset([(b"y", b"x")])), RANKED),
        lambda: view_id(ViewOptions(), Mute(feeds=FeedSet(everything=True)), RANKED),
        lambda: view_id(ViewOptions(), Mute(feeds=FeedSet(origins=frozenset([b"x"]))), RANKED),
        lambda: view_id(ViewOptions(), Mute(feeds=FeedSet(feeds=frozenset([Feed(b"x", b"y")]))), RANKED),
    ]
    assert len({view() for view in changed}) == len(changed)
    assert view_id(ViewOptions(), Mute(), iter(RANKED)) == changed[0]()
    names = POLICY.origins[ONE]
    renamed = replace(POLICY, origins={**POLICY.origins, ONE: replace(names, name="uno")})
    assert view_id(renamed.view, renamed.mute, RANKED) == view_id(POLICY.view, POLICY.mute, RANKED)


@pytest.mark.parametrize("ranked", [RANKED[::-1], [RANKED[0], RANKED[0]]])
def test_a_view_id_takes_claims_in_order_and_once(ranked: list[tuple[int, bytes]]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        view_id(ViewOptions(), Mute(), ranked)


@given(st.lists(st.binary(max_size=4)), st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4))))
def test_a_thread_digest_is_of_sets(claims: list[bytes], edges: list[tuple[bytes, bytes]]) -> None:
    assert thread_digest(claims, edges) == thread_digest(claims[::-1] + claims, edges[::-1] + edges)


def test_thread_digests_of_different_trees_differ() -> None:
    trees: list[tuple[list[bytes], list[tuple[bytes, bytes]]]] = [
        ([], []),
        ([b"a"], []),
        ([b"a", b"b"], []),
        ([b"ab"], []),
        ([], [(b"a", b"b")]),
        ([], [(b"b", b"a")]),
        ([], [(b"a", b"b"), (b"c", b"d")]),
        ([], [(b"a", b"d"), (b"c", b"b")]),
        ([b"a", b"b"], [(b"a", b"b")]),
    ]
    assert len({thread_digest(*tree) for tree in trees}) == len(trees)


def test_what_is_public_is_all_that_is_admitted_and_comes_back_as_it_was_written() -> None:
    own, other = OWN, ONE
    tables = {
        "public": ["own/a", f"{fingerprint(other)}/b"],
        "origin": {fingerprint(other): {"tier": 1, "lists": ["b", "c"]}},
    }
    policy = parse_policy(tables, own)
    admitted = {(own, b"a"): True, (own, b"x"): False, (other, b"b"): True, (other, b"c"): False}
    for view in (policy, policy.common(), parse_policy(policy.to_tables(), own)):
        assert {feed: view.admits(Feed(*feed)) for feed in admitted} == admitted
    assert parse_policy({"origin": tables["origin"]}, own).admits(Feed(own, b"x"))
    assert not parse_policy({"public": []}, own).admits(Feed(own, b"x"))
