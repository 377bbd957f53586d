"""Sessions between two honest sides."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.exchange.session_harness import ALL, KEY, Side, flow, held, mirroring, policy, put, side, talk
from tests.store.factories import Origin, mail
from weft.core.feed import Feed, FeedSet, Lists
from weft.errors import LocalProtocolError, RemoteProtocolError
from weft.exchange.configuration import Configuration
from weft.exchange.events import QuotaUsed
from weft.exchange.limits import Limits
from weft.exchange.session import SessionState
from weft.policy.rows import Mode, Peer
from weft.store.interface import PAGE, LogSlice, StoredClaim
from weft.testing import MemoryStore

A, B, C = Origin("a"), Origin("b"), Origin("c")


def pair(
    ours: MemoryStore, theirs: MemoryStore, *, limits: Limits | None = None, live: bool = False
) -> tuple[Side, Side]:
    chosen = limits or Limits()
    one = Configuration(mirroring(A, B, C), B.public, True, KEY, limits=chosen, live=live)
    other = Configuration(mirroring(B, A, C), A.public, False, KEY[::-1], limits=chosen, live=live)
    return side(ours, one), side(theirs, other)


def again(one: Side, other: Side) -> tuple[Side, Side]:
    return side(one.store, replace(one.setup, kept=one.kept)), side(other.store, replace(other.setup, kept=other.kept))


def filled(origin: Origin, start: int, stop: int, batch: int = 64) -> MemoryStore:
    store = MemoryStore()
    fill(store, origin, start, stop, batch)
    return store


def fill(store: MemoryStore, origin: Origin, start: int, stop: int, batch: int = 64) -> None:
    for first in range(start, stop, batch):
        put(store, origin, "git", *(mail(f"{n}@x", "root@x") for n in range(first, min(first + batch, stop))))


def assert_equal(one: Side, other: Side) -> None:
    for at in (one, other):
        assert at.ended is not None
        assert at.ended.error is None
        assert at.synced
    assert held(one.store) == held(other.store)


@pytest.mark.parametrize(("ours", "theirs"), [(0, 0), (0, 5), (5, 0), (1, 1), (3, 200), (1500, 1100)])
def test_a_first_session_lists_and_makes_both_equal(ours: int, theirs: int) -> None:
    one, other = pair(filled(A, 0, ours), filled(C, 0, theirs))
    talk(one, other)
    assert_equal(one, other)
    assert len(held(one.store)) == ours + theirs
    assert one.session.report.listed
    assert one.session.report.claims_received == theirs
    assert other.session.report.claims_received == ours


@pytest.mark.parametrize(("ours", "theirs"), [(0, 0), (0, 1), (1, 0), (30, 20), (200, 60)])
def test_later_sessions_find_the_difference_by_symbols(ours: int, theirs: int) -> None:
    one, other = pair(filled(A, 0, 1300), filled(C, 0, 50))
    talk(one, other)
    one, other = again(one, other)
    fill(one.store, A, 5000, 5000 + ours)
    fill(other.store, C, 5000, 5000 + theirs)
    talk(one, other)
    assert_equal(one, other)
    assert not one.session.report.listed
    assert one.session.report.rounds >= 1


def test_in_sync_takes_one_round_trip_and_200_bytes_after_the_hello() -> None:
    one, other = pair(filled(A, 0, 500), filled(C, 0, 20))
    talk(one, other)
    one, other = again(one, other)
    talk(one, other)
    assert one.kinds == ["hello", "agreement", "settled", "done"]
    assert other.kinds == ["hello", "symbols", "done"]
    assert sum(map(len, one.frames[1:] + other.frames[1:])) <= 200


def test_symbols_beyond_the_kept_ones_come_from_a_scan() -> None:
    one, other = pair(filled(A, 0, 1000), MemoryStore(), limits=Limits(kept_symbols=64))
    talk(one, other)
    one, other = again(one, other)
    fill(one.store, A, 2000, 2200)
    talk(one, other)
    assert_equal(one, other)
    assert not one.session.report.listed


def test_small_windows_and_frames_change_nothing_but_the_number_of_frames() -> None:
    narrow = Limits(frame_octets=1 << 16, frame_ids=16, open_offers=1, open_claims=1, open_wants=16)
    one, other = pair(filled(A, 0, 500), filled(C, 0, 300), limits=narrow)
    talk(one, other)
    assert_equal(one, other)
    one, other = again(one, other)
    fill(one.store, A, 600, 700)
    fill(other.store, C, 600, 700)
    talk(one, other)
    assert_equal(one, other)
    assert not one.session.report.listed


def test_a_new_key_without_a_list_when_it_is_time() -> None:
    one, other = pair(filled(A, 0, 500), filled(C, 0, 20))
    talk(one, other)
    one, other = again(one, other)
    fresh = replace(one.setup, renew=True, key=bytes(32))
    one = side(one.store, fresh)
    before = other.kept
    talk(one, other)
    assert_equal(one, other)
    assert not one.session.report.listed
    assert other.kept != before


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, -1), (1, None)])
def test_what_was_kept_can_be_lost_or_damaged(start: int, stop: int | None) -> None:
    one, other = pair(filled(A, 0, 100), filled(C, 0, 20))
    talk(one, other)
    one.kept = one.kept[start:stop]
    one, other = again(one, other)
    talk(one, other)
    assert_equal(one, other)


def test_a_damaged_sketch_is_found_out_and_made_anew() -> None:
    one, other = pair(filled(A, 0, 1000), filled(C, 0, 20))
    talk(one, other)
    at = len(one.kept) - (24 + 8) * 4096 + 24 * 3
    one.kept = one.kept[:at] + bytes([one.kept[at] ^ 1]) + one.kept[at + 1 :]
    fill(other.store, C, 100, 140)
    one, other = again(one, other)
    talk(one, other)
    assert_equal(one, other)
    assert one.session.report.listed
    assert one.kept == b""


def test_a_restored_backup_is_noticed_by_the_log() -> None:
    one, other = pair(filled(A, 0, 100), filled(C, 0, 200))
    talk(one, other)
    one = replace(one, store=filled(A, 0, 150))
    one, other = again(one, other)
    talk(one, other)
    assert_equal(one, other)


def test_news_is_offered_when_both_are_done() -> None:
    one, other = pair(filled(A, 0, 100), filled(C, 0, 20), live=True)
    talk(one, other)
    assert one.synced
    assert other.synced
    assert one.session.state is SessionState.LIVE
    fill(one.store, A, 200, 230)
    fill(other.store, C, 200, 210)
    flow(one, other, deque(one.take(one.session.grew())), deque(other.take(other.session.grew())))
    assert held(one.store) == held(other.store)
    assert one.session.state is SessionState.LIVE
    assert "offer" not in one.kinds[one.kinds.index("done") + 2 :], "what came from the peer is not offered back"


def test_a_feed_that_one_side_refuses_is_in_neither_set() -> None:
    d = Origin("d")
    one, other = pair(filled(A, 0, 100), filled(d, 0, 1000))
    other = side(other.store, replace(other.setup, policy=mirroring(B, A, C, d)))
    talk(one, other)
    one, other = again(one, other)
    talk(one, other)
    assert_equal_but(one, other, Feed(d.public, b"git"))
    assert sum(map(len, one.frames[1:] + other.frames[1:])) <= 200


def assert_equal_but(one: Side, other: Side, feed: Feed) -> None:
    for at in (one, other):
        assert at.ended is not None
        assert at.ended.error is None
    assert held(one.store) - held(one.store, feed) == held(other.store) - held(other.store, feed)


def test_a_feed_that_goes_one_way_reaches_the_reader_and_nothing_comes_back() -> None:
    store, reader = filled(A, 0, 300), filled(A, 1000, 1010)
    one = side(store, Configuration(mirroring(A, B, row=Peer(mode="mirror", may_read=ALL)), B.public, True, KEY))
    other = side(reader, Configuration(mirroring(B, A, row=Peer(mode="mirror", may_feed=ALL)), A.public, False, KEY))
    talk(one, other)
    one, other = again(one, other)
    fill(store, A, 400, 410)
    talk(one, other)
    assert one.ended is not None
    assert one.ended.error is None
    assert held(reader) - held(store) == held(filled(A, 1000, 1010))
    assert held(store) <= held(reader)
    assert not other.session.report.listed


def test_claims_that_may_not_be_read_are_gone_and_not_counted() -> None:
    secret = FeedSet(feeds=frozenset([Feed(B.public, b"open")]))
    store = filled(B, 0, 10)
    put(store, B, "open", mail("public@x"))
    one = side(MemoryStore(), Configuration(mirroring(A, B), B.public, True, KEY))
    row = Peer(mode="mirror", may_feed=ALL, may_read=secret)
    other = side(store, Configuration(mirroring(B, A, row=row), A.public, False, KEY))
    talk(one, other)
    assert held(one.store) == held(store, Feed(B.public, b"open"))
    assert len(other.frames) < 12


def test_an_expunged_claim_is_gone_and_the_session_ends_well() -> None:
    store = filled(C, 0, 20)
    with store.transaction():
        store.expunge([store.log(3, 1)[0].identity])
    one, other = pair(filled(A, 0, 10), store)
    talk(one, other)
    assert one.ended is not None
    assert one.ended.error is None
    assert one.session.report.gone == 1
    assert len(held(other.store) - held(one.store)) == 1


def test_after_a_restore_our_own_claims_come_back_from_any_feeding_peer() -> None:
    one, other = pair(MemoryStore(), filled(A, 0, 50))
    row = Peer(mode="mirror", may_feed=FeedSet(origins=frozenset([B.public])), may_read=ALL)
    one = side(one.store, replace(one.setup, policy=mirroring(A, B, row=row)))
    talk(one, other)
    assert held(one.store) == held(other.store)


def test_a_feed_over_its_quota_ends_the_session_and_drops_out_of_the_next() -> None:
    one, other = pair(filled(A, 0, 10), filled(C, 0, 100))
    row = Peer(mode="mirror", may_feed=ALL, may_read=ALL, claims_per_day=60)
    narrow = Limits(frame_octets=1 << 16)
    setup = replace(one.setup, policy=mirroring(A, B, C, row=row), limits=narrow)
    one = side(one.store, setup)
    talk(one, other)
    assert one.ended is not None
    assert isinstance(one.ended.error, RemoteProtocolError)
    assert one.ended.error.limit == "claims_per_day"
    feed = Feed(C.public, b"git")
    used = {feed: QuotaUsed(len(held(one.store, feed)), 0)}
    assert used[feed].claims >= 60
    put(other.store, B, "git", mail("other@x"))
    one, other = again(one, other)
    one = side(one.store, replace(one.setup, used=used))
    talk(one, other)
    assert_equal_but(one, other, feed)


def test_a_peer_without_a_row_gets_no_session() -> None:
    with pytest.raises(LocalProtocolError, match="row"):
        side(MemoryStore(), Configuration(mirroring(A, B), C.public, True, KEY))


def test_an_answer_that_nobody_asked_for_is_the_shells_mistake() -> None:
    one, _ = pair(MemoryStore(), MemoryStore())
    with pytest.raises(LocalProtocolError, match="no question 7"):
        one.session.answer(7, None)


def test_a_silent_peer_loses_its_session_by_a_limit_with_a_name() -> None:
    one, _ = pair(MemoryStore(), MemoryStore())
    one.take(one.session.start())
    assert not one.session.tick(299)
    one.take(one.session.tick(300))
    assert one.ended is not None
    assert isinstance(one.ended.error, RemoteProtocolError)
    assert one.ended.error.limit == "idle_seconds"
    assert one.kinds == ["hello", "error"]
    assert not one.session.receive(b"")


def test_a_live_peer_that_has_little_to_say_is_not_slow_as_long_as_it_answers() -> None:
    one, other = pair(filled(A, 0, 3), MemoryStore(), live=True)
    talk(one, other)
    for step in range(1, 40):
        fill(one.store, A, 1000 + step, 1001 + step)
        offered = deque(one.take(one.session.grew()))
        assert offered
        assert not one.session.tick(step * 50.0), "each time that somebody looks, the peer owes something"
        flow(one, other, offered, deque())
    assert len(held(other.store)) == 42
    fill(one.store, A, 2000, 2001)
    assert one.take(one.session.grew())
    one.take(one.session.tick(2000.0))
    one.take(one.session.tick(2301.0))
    assert one.ended is not None
    assert isinstance(one.ended.error, RemoteProtocolError)
    assert one.ended.error.limit == "idle_seconds"


class CountingStore(MemoryStore):
    """Counts the claims that are read in the order of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.read: Counter[Feed] = Counter()

    def log(self, after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Counted."""
        return self._count(super().log(after, limit))

    def log_of(
        self, feeds: Mapping[bytes, Lists], after: int = 0, upto: int | None = None, limit: int = PAGE
    ) -> LogSlice:
        """Counted as it comes, however it is found."""
        counted, self.read = self.read, Counter()
        found = super().log_of(feeds, after, upto, limit)
        self.read = counted
        self._count(found.claims)
        return found

    def _count(self, claims: list[StoredClaim]) -> list[StoredClaim]:
        self.read.update(self.feed(held.batch) for held in claims)
        return claims


@pytest.mark.parametrize(("mode", "most"), [("mirror", 2), ("threads", 600)])
def test_a_session_reads_what_is_agreed_on_whatever_else_there_is(mode: Mode, most: int) -> None:
    d = Origin("d")
    store = CountingStore()
    fill(store, A, 0, 50)
    fill(store, d, 0, 1000)
    fill(store, A, 50, 60)
    row = Peer(mode=mode, may_feed=ALL, may_read=FeedSet(origins=frozenset([A.public, B.public])))
    one = side(store, Configuration(policy(A, {B: row}, [B, d]), B.public, False, KEY, live=True))
    theirs = Peer(mode=mode, may_feed=ALL, may_read=ALL)
    other = side(filled(B, 0, 40), Configuration(policy(B, {A: theirs}, [A]), A.public, True, KEY[::-1], live=True))
    talk(other, one)
    assert one.synced
    fill(store, d, 2000, 2100)
    fill(store, A, 60, 70)
    flow(one, other, deque(one.take(one.session.grew())), deque())
    ours, others = store.read[Feed(A.public, b"git")], store.read[Feed(d.public, b"git")]
    assert ours >= 60
    assert others <= most
    assert held(other.store) >= held(store, Feed(A.public, b"git"))


def test_what_a_damaged_table_says_is_of_an_agreed_feed_does_not_leave() -> None:
    class Damaged(MemoryStore):
        def log_of(
            self, feeds: Mapping[bytes, Lists], after: int = 0, upto: int | None = None, limit: int = PAGE
        ) -> LogSlice:
            claims = self.log(after, limit)
            return LogSlice(claims, claims[-1].position if claims else after)

    store = Damaged()
    fill(store, A, 0, 50)
    fill(store, C, 0, 50)
    row = Peer(mode="mirror", may_read=FeedSet(origins=frozenset([A.public])))
    one = side(store, Configuration(mirroring(A, B, C, row=row), B.public, False, KEY))
    other = side(MemoryStore(), Configuration(mirroring(B, A, C), A.public, True, KEY[::-1]))
    talk(other, one)
    assert held(other.store) == held(store, Feed(A.public, b"git"))
    shown = b"".join(one.frames)
    assert not any(identity[:16] in shown for identity in held(store, Feed(C.public, b"git")))
