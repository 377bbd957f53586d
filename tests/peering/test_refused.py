"""An origin that signs a batch over the claims which another one will make hides none of them from an index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests import factories
from tests.exchange.meeting_harness import Server
from tests.exchange.session_harness import ALL, KEY, talk
from tests.exchange.session_harness import Side as MemorySide
from tests.exchange.session_harness import side as memory_side
from tests.peering.index_meetings import Server as IndexServer
from tests.peering.index_meetings import Side
from tests.store.factories import mail
from weft import Index
from weft.core.feed import ALL_LISTS, FeedSet
from weft.errors import RemoteProtocolError
from weft.exchange.configuration import Configuration
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rows import Origin, Peer
from weft.policy.rules import Policy

EVIL, HONEST = Server("evil"), Server("honest")


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    """Of a server with one mail, which admits a list of the one and all of the other."""
    (tmp_path / "own.mbox").write_bytes(factories.mail("root@x"))
    path = tmp_path / "index.db"
    with Index.open(path, policy=Policy()) as index:
        index.ingest("mine", tmp_path / "own.mbox")
        own = index.origin
    rows = {
        server.key: Peer(server.name, may_feed=FeedSet(origins=frozenset([server.key])), may_read=ALL)
        for server in (EVIL, HONEST)
    }
    return Policy(own, {EVIL.key: Origin(2, frozenset([b"spam"])), HONEST.key: Origin(1, None)}, rows)


def exchange(path: Path, policy: Policy, server: Server) -> Side:
    """One session of the index with a server, and what the index then knows is on its disk."""
    opened = IndexServer.open("victim", path, policy)
    try:
        other = IndexServer(server.name, replace(policy, own=server.key), opened.backend, opened.reader)
        caller = Side.of(opened, other, 1, caller=True)
        assert policy.own is not None
        theirs = Policy(server.key, {policy.own: Origin(1, None)}, {policy.own: Peer(may_feed=ALL, may_read=ALL)})
        carries = FeedRanges({server.key: ALL_LISTS})
        answerer: MemorySide = memory_side(server.store, Configuration(theirs, policy.own, False, KEY, carries=carries))
        talk(caller, answerer)  # type: ignore[arg-type]
        return caller
    finally:
        opened.backend.close()


def is_complete(path: Path, policy: Policy) -> bool:
    with Index.open(path, policy=policy) as index:
        coverage = index.thread("root@x").coverage
        return coverage is not None and coverage.complete


def test_a_planted_refusal_ends_the_session_and_hides_nothing(tmp_path: Path, policy: Policy) -> None:
    path, reply = tmp_path / "index.db", mail("reply@x", reply_to=["root@x"])
    EVIL.plants(HONEST, reply, on="spam")
    HONEST.sees(reply)
    ended = exchange(path, policy, EVIL).ended
    assert ended is not None
    assert isinstance(ended.error, RemoteProtocolError)
    assert not is_complete(path, policy)
    exchange(path, policy, HONEST).check()
    with Index.open(path, policy=policy) as index:
        assert [message.id for message in index.thread("root@x").messages] == ["root@x", "reply@x"]


def test_coverage_is_not_complete_where_a_claim_was_refused(tmp_path: Path, policy: Policy) -> None:
    path = tmp_path / "index.db"
    server, only = Server("honest"), {HONEST.key: Origin(1, None)}
    policy = replace(policy, origins=only)
    exchange(path, policy, server).check()
    assert is_complete(path, policy)
    server.sees(mail("odd@x", *["root@x"] * 2))
    for _ in range(2):
        exchange(path, policy, server).check()
        assert not is_complete(path, policy)
