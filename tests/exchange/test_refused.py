"""Refused claims: what is remembered of them, of whom, and what coverage says then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.exchange.meeting_harness import Server, all_know, clash, meet
from tests.exchange.session_harness import ALL
from tests.store.factories import mail
from weft.core.feed import Feed, FeedSet
from weft.core.id_digest import id_digest
from weft.errors import RemoteProtocolError
from weft.exchange.limits import Limits
from weft.exchange.resumption import RequesterCursor, load_requester_cursor
from weft.policy.rows import Mode, Peer

MODES: list[Mode] = ["mirror", "threads"]
ODD = ["r@x"] * 2
"""References that no claim may have."""


def three(mode: Mode) -> list[Server]:
    """The first takes from the two others what is their own."""
    servers = all_know([Server("victim"), Server("evil"), Server("honest")])
    for one in servers:
        for other in servers:
            own = FeedSet(origins=frozenset([other.key]))
            one.rows[other] = Peer(mode=mode, may_feed=own, may_read=ALL)
    return servers


def list_of(server: Server) -> Feed:
    return Feed(server.key, b"list")


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_over_the_future_claims_of_another_origin_ends_the_session_and_hides_nothing(mode: Mode) -> None:
    victim, evil, honest = three(mode)
    victim.sees(mail("root"))
    reply = mail("reply", reply_to=["root"])
    evil.plants(honest, reply)
    for at in clash(victim, evil):
        assert at.ended is not None
        assert isinstance(at.ended.error, RemoteProtocolError)
        assert "of another feed than its batch" in str(at.ended.error)
    assert not any(victim.refused.values())
    assert evil not in victim.covered, "nothing is known of what it holds"
    honest.sees(reply)
    meet(victim, honest)
    assert victim.ids() == {"root", "reply"}


@pytest.mark.parametrize("mode", MODES)
def test_what_one_peer_hands_over_and_no_claim_may_be_says_nothing_of_another_peer(mode: Mode) -> None:
    victim, evil, honest = three(mode)
    victim.sees(mail("root"))
    evil.sees(mail("odd", *ODD, "root"), mail("reply to root", "root"))
    meet(victim, evil)
    assert victim.refused[evil] == {refused: list_of(evil) for refused in victim.refused[evil]}
    assert len(victim.refused[evil]) == 1
    honest.sees(mail("reply", "root"))
    meet(victim, honest)
    assert victim.ids() == {"root", "reply to root", "reply"}
    assert list_of(honest) in victim.covered[honest].feeds


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("forgetful", ["nothing", "memory", "kept"])
def test_a_feed_of_which_a_claim_was_refused_is_never_covered(mode: Mode, forgetful: str) -> None:
    victim, _, honest = three(mode)
    victim.sees(mail("root"))
    honest.sees(mail("odd", *ODD, "root"), on="list")
    honest.sees(mail("reply", "root"), on="dev")
    for _ in range(3):
        meet(victim, honest)
        covered = victim.covered[honest].feeds
        assert list_of(honest) not in covered
        assert Feed(honest.key, b"dev") in covered
        if forgetful == "memory":
            victim.refused.clear()
        elif forgetful == "kept":
            victim.kept.clear()


def test_an_id_of_which_not_all_claims_were_read_is_not_covered() -> None:
    one, other = all_know([Server("one"), Server("other")])
    one.sees(mail("root"), mail("mid", "root"))
    other.sees(*(mail(f"r{n}", "mid") for n in range(100)))
    limits = Limits(frame_ids=16, open_wants=16, tree_claims=30)
    for _ in range(2):
        meet(one, other, limits=limits)
        asked = one.covered[other].asked
        assert asked is not None
        assert id_digest(b"mid") not in asked
        assert id_digest(b"root") in asked
        other.sees(mail("more", "root"))


def test_refused_claims_use_up_the_quota_of_who_hands_them_over() -> None:
    victim, evil, _ = three("mirror")
    victim.rows[evil] = replace(victim.rows[evil], claims_per_day=5)
    evil.sees(*(mail(f"odd {n}", *ODD) for n in range(8)))
    at, _ = clash(victim, evil)
    assert at.ended is not None
    assert isinstance(at.ended.error, RemoteProtocolError)
    assert at.ended.error.limit == "claims_per_day"


def test_what_was_asked_outlives_a_session_with_what_was_not_read_and_refused() -> None:
    ids, unread = frozenset([b"abcdef", b"ghijkl"]), frozenset([b"ghijkl"])
    feeds = (Feed(bytes(32), b"dev"), Feed(bytes(32), b"git"))
    asked = RequesterCursor(bytes(16), bytes(32), 5, 7, bytes(16), ids, unread, (b"root", b""), feeds)
    assert load_requester_cursor(asked.dump()) == asked
    assert load_requester_cursor(asked.dump()[:-1]) is None
    assert load_requester_cursor(replace(asked, refused=()).dump() + b"\0\0") is None
