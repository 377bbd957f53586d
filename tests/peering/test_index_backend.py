"""The desk in front of an index: what a commit answers, what is counted, and what is kept of a peer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cli.server_home import Home
from tests.exchange.session_harness import ALL
from tests.store.factories import Origin, mail, some
from weft.core.feed import ALL_LISTS, Feed, FeedSet
from weft.errors import StoreError
from weft.exchange.events import (
    CommitParts,
    Committed,
    CoverageGained,
    KeepState,
    QuotaUsed,
    Refusal,
)
from weft.index.index import Index
from weft.peering.index_backend import IndexBackend
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rows import Origin as Row
from weft.policy.rows import Peer
from weft.policy.rules import Policy
from weft.store.interface import VerifiedPart

PEER = bytes(range(32))
FAR = Origin("far")
HELD = 26
"""Our own claims, of the story."""


def policy(home: Home) -> Policy:
    with Index.open(home.index) as index:
        return replace(index.policy, origins={FAR.public: Row(2, frozenset([b"git"]))})


@pytest.fixture
def backend(home: Home) -> Iterator[IndexBackend]:
    backend = IndexBackend(home.index, policy(home))
    yield backend
    backend.close()


def commit(*parts: VerifiedPart) -> CommitParts:
    return CommitParts(parts)


def committed(backend: IndexBackend, *parts: VerifiedPart) -> range:
    answer = backend.answer(PEER, commit(*parts))
    assert isinstance(answer, Committed)
    return answer.positions


def test_a_commit_answers_the_positions_of_what_is_new_and_the_view_has_it(home: Home, backend: IndexBackend) -> None:
    batch = FAR.batch("git", mail("a@x"), mail("b@x", "a@x"), mail("c@x", "b@x"), mail("d@x"), mail("e@x"))
    assert committed(backend, some(batch, [1, 3])) == range(HELD + 1, HELD + 3)
    assert committed(backend, some(batch, [0, 1, 2]), FAR.batch("git", mail("f@x"))) == range(HELD + 3, HELD + 6)
    assert committed(backend, some(batch, [0, 1, 2, 3])) == range(0)
    with Index.open(home.index, policy=policy(home)) as index:
        assert [message.id for message in index.thread("b@x").messages] == ["a@x", "b@x", "c@x"]
    claims = 2 + 4 + 4
    assert {feed: used.claims for feed, used in backend.used(PEER).items()} == {Feed(FAR.public, b"git"): claims}
    assert backend.used(FAR.public) == {}


def test_what_the_policy_does_not_admit_is_not_stored_even_if_the_machine_let_it_pass(backend: IndexBackend) -> None:
    good, bad = FAR.batch("git", mail("a@x")), FAR.batch("private", mail("b@x"))
    with pytest.raises(StoreError, match="the index refuses"):
        backend.answer(PEER, commit(good, bad))
    assert committed(backend, good) == range(HELD + 1, HELD + 2), "nothing of the refused commits was kept"


def test_what_is_kept_of_a_peer_outlives_the_process_and_is_of_one_peer(home: Home, backend: IndexBackend) -> None:
    assert backend.kept(PEER) == b""
    assert backend.answer(PEER, KeepState(b"sketch")) is None
    again = IndexBackend(home.index, policy(home))
    assert (again.kept(PEER), again.kept(FAR.public)) == (b"sketch", b"")
    again.answer(PEER, KeepState(b""))
    assert backend.kept(PEER) == b""
    again.close()


def test_what_a_peer_said_that_it_has_whole_is_carried_if_it_is_believed(home: Home) -> None:
    other, third = Origin("other"), Origin("third")
    rows = {FAR.public: Row(1, None), other.public: Row(1, None), third.public: Row(1, None)}
    peer = Peer(mode="mirror", may_feed=ALL, mirror_of=FeedSet(origins=frozenset([other.public])))
    some = replace(policy(home), origins=rows, peers={FAR.public: peer})
    backend = IndexBackend(home.index, some)
    backend.cover(FAR.public, CoverageGained(FeedRanges(dict.fromkeys(rows, ALL_LISTS)), None))
    carried = backend.carried()
    assert [Feed(key, b"git") in carried for key in (FAR.public, other.public, third.public)] == [True, True, False]
    backend.close()


def test_a_refused_claim_is_remembered_by_its_element(backend: IndexBackend) -> None:
    feed = Feed(FAR.public, b"git")
    backend.refuse(PEER, [Refusal(bytes(range(32)), "a reason", feed, 100)])
    assert backend.refused(PEER) == {bytes(range(16)): feed}
    assert backend.refused(FAR.public) == {}


def test_what_all_sessions_of_a_peer_handed_over_is_told_with_each_commit(home: Home, backend: IndexBackend) -> None:
    """So several at once have no more than one, also where another process takes something from the peer."""
    feed, odd = Feed(FAR.public, b"git"), Feed(FAR.public, b"odd")
    first, second = FAR.batch("git", mail("a@x"), mail("b@x")), FAR.batch("git", mail("c@x"))
    size = sum(len(claim.data) for part in (first, second) for claim in part.claims)
    other = IndexBackend(home.index, policy(home))
    assert committed(other, first)
    other.refuse(PEER, [Refusal(bytes([n]) * 32, "a reason", odd, 100) for n in range(3)])
    other.close()
    answer = backend.answer(PEER, replace(commit(second), refused=frozenset([odd])))
    assert isinstance(answer, Committed)
    assert answer.used == {feed: QuotaUsed(3, size), odd: QuotaUsed(3, 300)}
    assert backend.used(PEER) == answer.used
    again = backend.answer(PEER, commit(second))
    assert isinstance(again, Committed)
    assert odd not in again.used, "no more is read than what is of interest"
