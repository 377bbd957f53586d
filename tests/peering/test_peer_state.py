"""What a peer may do again and again: calls, quotas of the day, refused claims, and how long a key lives."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from tests.cli.server_home import Home
from tests.factories import FIXTURES
from tests.peering.peer_harness import STORY, admit, calling, count, fingerprint, running, sync
from weft.core.feed import Feed
from weft.core.signing import parse_fingerprint
from weft.errors import OverloadedError
from weft.exchange.events import QuotaUsed, Refusal
from weft.peering import peer_state
from weft.peering.admission_limits import AT_ONCE, SECONDS, CallRate
from weft.peering.admission_limits import KEY_SECONDS as KEY_RATE
from weft.peering.index_backend import KEY_SECONDS, IndexBackend
from weft.peering.peer_state import PeerState
from weft.policy.rules import Policy
from weft.tls.identity import load_or_make_identity
from weft.tls.transport import introduced

PEER, OTHER = bytes(range(32)), bytes(32)
FEED = Feed(PEER, b"git")


@contextmanager
def memory(home: Path) -> Iterator[PeerState]:
    remembered = PeerState(home / "index.db.kept")
    try:
        yield remembered
    finally:
        remembered.close()


def test_refused_claims_outlive_the_process_and_are_of_one_peer(tmp_path: Path) -> None:
    with memory(tmp_path) as one, memory(tmp_path) as two:
        one.refuse(PEER, {b"e" * 16: FEED})
        two.refuse(PEER, {b"f" * 16: FEED, b"g" * 16: Feed(PEER, b"x")})
    with memory(tmp_path) as again:
        assert again.refused(PEER) == {b"e" * 16: FEED, b"f" * 16: FEED, b"g" * 16: Feed(PEER, b"x")}
        assert again.refused(OTHER) == {}


def test_what_cannot_be_remembered_is_told_and_none_of_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with memory(tmp_path) as one:
        one.refuse(PEER, {b"e" * 16: FEED, b"f" * 16: Feed(PEER, [])})  # type: ignore[arg-type]
        assert "cannot be remembered" in caplog.text
        one.refuse(PEER, {b"g" * 16: FEED})
    with memory(tmp_path) as again:
        assert again.refused(PEER) == {b"g" * 16: FEED}


def test_another_version_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with memory(tmp_path) as one:
        one.refuse(PEER, {b"e" * 16: FEED})
    monkeypatch.setattr(peer_state, "__version__", "another")
    with memory(tmp_path) as later:
        assert later.refused(PEER) == {}


def test_the_refused_claims_of_each_peer_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_state, "REFUSED", 3)
    with memory(tmp_path) as one:
        one.refuse(OTHER, {b"o" * 16: FEED})
        for number in range(4):
            one.refuse(PEER, {bytes([number]) * 16: FEED})
        assert one.refused(PEER) == {bytes([3]) * 16: FEED}
        one.refuse(PEER, {bytes([number]) * 16: FEED for number in range(10, 20)})
        assert len(one.refused(PEER)) == 3
    with memory(tmp_path) as again:
        assert again.refused(PEER) == {bytes([number]) * 16: FEED for number in (10, 11, 12)}
        assert again.refused(OTHER) == {b"o" * 16: FEED}, "what one hands over makes us forget nothing of another"


def test_a_lost_memory_gives_no_peer_a_fresh_quota(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as server:
        admit(near, far, "--address", server.peers)
        sync(near, server.peers)
        for file in near.index.with_name("index.db.kept").glob("memory.db*"):
            file.write_bytes(b"\xff" * 8192)
        limited = near.config.read_text().replace('mode = "mirror"', 'mode = "mirror"\nclaims_per_day = 5')
        near.config.write_text(limited)
        far.weft("ingest", "-q", f"smtp-ops={FIXTURES / 'story-continued' / 'keepers.mbox'}")
        again = sync(near, server.peers)
        assert again["claims_in"] == 0


def test_what_is_remembered_of_a_claim_is_its_element(home: Home) -> None:
    backend = IndexBackend(home.index, Policy(parse_fingerprint(fingerprint(home))))
    backend.refuse(PEER, [Refusal(bytes(range(32)), "a reason", FEED, 300)])
    assert backend.refused(PEER) == {bytes(range(16)): FEED}
    assert backend.used(PEER) == {FEED: QuotaUsed(1, 300)}, "it counts against the quota of who handed it over"
    assert backend.used(OTHER) == {}
    backend.close()
    for file in home.index.with_name("index.db.kept").glob("memory.db*"):
        file.write_bytes(b"\xff" * 8192)
    again = IndexBackend(home.index, Policy(parse_fingerprint(fingerprint(home))))
    assert again.refused(PEER) == {}
    assert again.used(PEER) == {FEED: QuotaUsed(1, 300)}, "also where what is remembered of it is lost"
    again.close()


def test_one_sync_after_the_other_counts_against_the_same_quota(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as server:
        admit(near, far, "--address", server.peers)
        limited = near.config.read_text().replace('mode = "mirror"', 'mode = "mirror"\nclaims_per_day = 5')
        near.config.write_text(limited)
        ran = near.process("sync", server.peers)
        assert ran.code == 1
        assert "quota of the day" in ran.err[-1]
        held = count(near)
        assert held > STORY
        again = sync(near, server.peers)
        assert (again["error"], again["claims_in"]) == (None, 0), "the feed is left out for the day"


def test_a_bucket_gives_some_calls_at_once_and_then_one_now_and_then() -> None:
    rate = CallRate()
    for _ in range(AT_ONCE):
        rate.take(PEER, 100.0)
    for now in (100.0, 100.0 + SECONDS / 2):
        with pytest.raises(OverloadedError, match="calls: 10 at once, then one every 10 seconds"):
            rate.take(PEER, now)
    rate.take(OTHER, 100.0)
    rate.take(PEER, 100.0 + SECONDS)
    with pytest.raises(OverloadedError):
        rate.take(PEER, 100.0 + SECONDS)
    for _ in range(AT_ONCE):
        rate.take(PEER, 100.0 + 1000 * SECONDS)
    with pytest.raises(OverloadedError):
        rate.take(PEER, 100.0 + 1000 * SECONDS)


def test_new_keys_are_counted_for_each_peer() -> None:
    keys = CallRate(KEY_RATE)
    for _ in range(AT_ONCE):
        assert keys.may(PEER, 0.0)
        keys.take(PEER, 0.0)
    assert not keys.may(PEER, KEY_RATE - 1)
    assert keys.may(OTHER, 0.0)
    assert keys.may(PEER, KEY_RATE)


async def _open(address: str, server: Home, caller: Home, times: int) -> list[grpc.StatusCode]:
    """Begin sessions and leave them open; how each ends that does."""
    codes = []
    async with calling(address, server, introduced(load_or_make_identity(caller.index))) as session:
        open_ones = [session(timeout=10) for _ in range(times)]
        for stream in open_ones:
            try:
                await stream.read()
            except grpc.aio.AioRpcError as error:
                codes.append(error.code())
        for stream in open_ones:
            stream.cancel()
    return codes


def test_who_has_as_many_sessions_as_its_row_says_gets_no_more(near: Home, far: Home) -> None:
    admit(far, near)
    far.config.write_text(far.config.read_text().replace('mode = "mirror"', 'mode = "mirror"\nstreams = 2'))
    with running(far) as server:
        codes = asyncio.run(_open(server.peers, far, near, 4))
    assert codes == [grpc.StatusCode.RESOURCE_EXHAUSTED] * 2


async def _call(address: str, server: Home, caller: Home, times: int) -> list[grpc.StatusCode]:
    codes = []
    async with calling(address, server, introduced(load_or_make_identity(caller.index))) as session:
        for _ in range(times):
            stream = session(iter([b"\xff"]), timeout=10)
            try:
                while isinstance(await stream.read(), bytes):
                    pass
                codes.append(await stream.code())
            except grpc.aio.AioRpcError as error:
                codes.append(error.code())
    return codes


def test_who_calls_too_often_is_told_the_limit(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as server:
        codes = asyncio.run(_call(server.peers, far, near, AT_ONCE + 1))
        assert codes == [grpc.StatusCode.OK] * AT_ONCE + [grpc.StatusCode.RESOURCE_EXHAUSTED]
        admit(near, far, "--address", server.peers)
        ran = near.process("sync", server.peers)
        assert ran.code == 1
        assert "calls: 10 at once, then one every 10 seconds" in ran.err[-1]


def test_the_caller_takes_a_new_key_when_the_old_one_is_a_week_old(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as server:
        admit(near, far, "--address", server.peers)
        sync(near, server.peers)
        first = key(near)
        assert key(far)[0] == first[0], "both keep the same"
        sync(near, server.peers)
        assert key(near) == first
        for home in (near, far):
            make_older(home)
        assert sync(near, server.peers)["listed"] is False
        second = key(near)
        assert second[0] != first[0]
        assert second[1] > first[1]
        assert key(far)[0] == second[0]
        sync(near, server.peers)
        assert key(near) == second


def test_the_answerer_asks_for_no_new_key(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as server:
        admit(near, far, "--address", server.peers)
        sync(near, server.peers)
        first = key(near)
        make_older(far)
        sync(near, server.peers)
        assert key(near) == first


def key(home: Home) -> tuple[bytes, float]:
    """The mark and the birth of the one key that is kept."""
    rows = sqlite3.connect(home.index.with_name("index.db.kept") / "memory.db")
    [(mark, born)] = rows.execute("SELECT mark, born FROM keys").fetchall()
    rows.close()
    return mark, born


def make_older(home: Home) -> None:
    rows = sqlite3.connect(home.index.with_name("index.db.kept") / "memory.db")
    with rows:
        rows.execute("UPDATE keys SET born = born - ?", (KEY_SECONDS + 60,))
    rows.close()
