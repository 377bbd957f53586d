"""Rights and quotas where they are asked: each check alone keeps what it is for, though others would too."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from tests.exchange.session_harness import ALL, KEY, Side, held, policy, put, side, talk
from tests.store.factories import Origin, mail
from weft.core.feed import Feed, FeedSet, Lists
from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Agreement
from weft.exchange.configuration import Configuration
from weft.exchange.events import Answer, Committed, FindMissing, QuotaUsed, Request
from weft.exchange.session import Session
from weft.exchange.store_backend import StoreBackend
from weft.policy.feed_ranges import FeedRanges, admitted, served
from weft.policy.rows import Peer
from weft.policy.rules import Policy
from weft.testing import MemoryStore

A, B = Origin("a"), Origin("b")
PUBLIC, PRIVATE = Feed(A.public, b"public"), Feed(A.public, b"private")
THEIRS, REFUSED = Feed(B.public, b"public"), Feed(B.public, b"private")
ROW = Peer(mode="mirror", may_feed=FeedSet(feeds=frozenset([THEIRS])), may_read=FeedSet(feeds=frozenset([PUBLIC])))
EVERYTHING = Peer(mode="mirror", may_feed=ALL, may_read=ALL)


def agreed() -> Session:
    """A's session with B, which may read and feed one list each, after both hellos."""
    ours = side(MemoryStore(), Configuration(policy(A, {B: ROW}, [B]), B.public, True, KEY))
    theirs = side(MemoryStore(), Configuration(policy(B, {A: EVERYTHING}, [A]), A.public, False, KEY))
    talk(ours, theirs)
    return ours.session


def test_what_a_session_gives_and_takes_is_what_the_policy_and_the_agreement_both_say() -> None:
    session = agreed()
    assert [session._gives(feed) for feed in (PUBLIC, PRIVATE)] == [True, False]
    assert [session._takes(feed) for feed in (THEIRS, REFUSED)] == [True, False]


def test_the_policy_alone_keeps_what_the_agreement_would_let_go() -> None:
    session = agreed()
    with patch.object(Agreement, "sends", lambda *_: True), patch.object(Agreement, "takes", lambda *_: True):
        assert [session._gives(feed) for feed in (PUBLIC, PRIVATE)] == [True, False]
        assert [session._takes(feed) for feed in (THEIRS, REFUSED)] == [True, False]


def test_the_agreement_alone_keeps_what_the_policy_would_let_go() -> None:
    session = agreed()
    with patch.object(Policy, "may_read", lambda *_: True), patch.object(Policy, "may_feed", lambda *_: True):
        assert [session._gives(feed) for feed in (PUBLIC, PRIVATE)] == [True, False]
        assert [session._takes(feed) for feed in (THEIRS, REFUSED)] == [True, False]


def test_by_offering_ids_nobody_finds_out_what_is_held_of_other_feeds() -> None:
    store = MemoryStore()
    put(store, A, "public", mail("p"))
    put(store, A, "private", mail("s"))
    elements = sorted(identity[:16] for identity in held(store))
    private = [identity[:16] for identity in held(store, PRIVATE)]
    assert (
        StoreBackend(store).answer(FindMissing(elements, FeedRanges({A.public: Lists(frozenset([b"public"]))})))
        == private
    )


def two(row: Peer, used: dict[Feed, QuotaUsed] | None = None) -> tuple[Side, Side]:
    """A, which has nothing, and B with two lists of ten mails of about 100 bytes each."""
    store = MemoryStore()
    for name in ("git", "dev"):
        put(store, B, name, *(mail(f"{n}@{name}", subject="s" * 50) for n in range(10)))
    ours = side(MemoryStore(), Configuration(policy(A, {B: row}, [B]), B.public, True, KEY, used=used or {}))
    return ours, side(store, Configuration(policy(B, {A: EVERYTHING}, [A]), A.public, False, KEY))


@pytest.mark.parametrize("limit", ["claims_per_day", "bytes_per_day"])
def test_a_feed_that_reaches_its_quota_ends_the_session(limit: str) -> None:
    ours, theirs = two(replace(EVERYTHING, **{limit: 3}))  # type: ignore[arg-type]
    talk(ours, theirs)
    assert ours.ended is not None
    assert isinstance(ours.ended.error, RemoteProtocolError)
    assert ours.ended.error.limit == limit


@pytest.mark.parametrize("limit", ["claims_per_day", "bytes_per_day"])
def test_what_was_handed_over_before_counts(limit: str) -> None:
    row = replace(EVERYTHING, **{limit: 5000})  # type: ignore[arg-type]
    ours, theirs = two(row, {Feed(B.public, b"git"): QuotaUsed(4999, 4999)})
    talk(ours, theirs)
    assert ours.ended is not None
    assert isinstance(ours.ended.error, RemoteProtocolError)
    assert ours.ended.error.limit == limit


@pytest.mark.parametrize("limit", ["claims_per_day", "bytes_per_day"])
def test_a_feed_that_is_over_its_quota_is_left_out_and_the_others_go_on(limit: str) -> None:
    row = replace(EVERYTHING, **{limit: 5000})  # type: ignore[arg-type]
    ours, theirs = two(row, {Feed(B.public, b"git"): QuotaUsed(5000, 5000)})
    talk(ours, theirs)
    assert ours.ended is not None
    assert ours.ended.error is None
    assert held(ours.store) == held(theirs.store, Feed(B.public, b"dev"))


@pytest.mark.parametrize("limit", ["claims_per_day", "bytes_per_day"])
def test_what_other_sessions_of_the_peer_take_meanwhile_counts(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = StoreBackend.answer

    def shared(self: StoreBackend, request: Request) -> Answer:
        found = answer(self, request)
        if isinstance(found, Committed):
            return found._replace(used={Feed(B.public, b"dev"): QuotaUsed(5000, 5000)})
        return found

    monkeypatch.setattr(StoreBackend, "answer", shared)
    ours, theirs = two(replace(EVERYTHING, **{limit: 5000}))  # type: ignore[arg-type]
    talk(ours, theirs)
    assert ours.ended is not None
    assert isinstance(ours.ended.error, RemoteProtocolError)
    assert ours.ended.error.limit == limit


def test_what_is_served_and_admitted_depends_on_the_row() -> None:
    ours = policy(A, {B: ROW}, [B])
    assert [feed in served(ours, B.public) for feed in (PUBLIC, PRIVATE)] == [True, False]
    assert [feed in admitted(ours, B.public) for feed in (THEIRS, REFUSED)] == [True, False]
