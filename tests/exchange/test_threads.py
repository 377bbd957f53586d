"""Threads mode: who asks gets the rest of its own threads, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from tests.exchange.driving import ALL
from tests.exchange.neighbours import Server, all_know, held_by, meet
from tests.store.making import mail
from weft.core.feed import Feed, FeedSet
from weft.core.id_digest import id_digest
from weft.core.policy_rows import Peer
from weft.exchange.limits import Limits
from weft.v1 import exchange_pb2 as wire


def two() -> tuple[Server, Server]:
    one, other = all_know([Server("one"), Server("other")])
    return one, other


def test_what_nobody_named_is_found_and_other_threads_are_left() -> None:
    one, other = two()
    one.sees(mail("root"), mail("r1", "root"))
    other.sees(mail("r2", "root"), mail("r3", "root", "r2"), mail("else"), mail("re else", "else"))
    meet(one, other)
    assert one.ids() == {"root", "r1", "r2", "r3"}
    assert other.ids() == {"root", "r1", "r2", "r3", "else", "re else"}


def test_a_thread_is_followed_over_many_hops() -> None:
    one, other = two()
    one.sees(mail("0"))
    other.sees(*(mail(f"{n}", f"{n - 1}") for n in range(1, 10)))
    caller, _ = meet(one, other)
    assert one.ids() == {f"{n}" for n in range(10)}
    assert caller.session.report.rounds >= 9


def test_parents_that_are_ghosts_here_are_asked_for() -> None:
    one, other = two()
    one.sees(mail("leaf", "root", "middle"))
    other.sees(mail("root"), mail("middle", "root"), mail("aunt", "root"))
    meet(one, other)
    assert one.ids() == {"leaf", "root", "middle", "aunt"}


def test_a_later_session_asks_only_what_is_new_and_finds_what_came_since() -> None:
    one, other = two()
    one.sees(mail("root"), *(mail(f"r{n}", "root") for n in range(50)))
    meet(one, other)
    other.sees(mail("late", "r7"), mail("far"))
    one.sees(mail("own"))
    caller, answerer = meet(one, other)
    assert one.ids() == {"root", "late", "own", *(f"r{n}" for n in range(50))}
    assert caller.session.report.asked == 2  # late and own
    caller, answerer = meet(other, one)
    assert caller.session.report.asked == 0
    assert answerer.session.report.asked == 0


def test_in_sync_takes_few_octets_after_the_hello() -> None:
    one, other = two()
    one.sees(mail("root"), *(mail(f"r{n}", "root") for n in range(200)))
    other.sees(mail("r", "root"), *(mail(f"else {n}", "else") for n in range(200)))
    meet(one, other)
    meet(one, other)
    caller, answerer = meet(one, other)
    assert sum(map(len, caller.frames[1:] + answerer.frames[1:])) <= 200


def test_a_reply_that_comes_after_the_first_ask_is_found() -> None:
    one, other = two()
    one.sees(mail("root"))
    meet(one, other)
    for n in range(5):
        other.sees(mail(f"reply {n}", "root"))
        meet(one, other)
        assert f"reply {n}" in one.ids()


@pytest.mark.parametrize("lost", ["one", "other", "both"])
def test_a_server_that_lost_what_it_kept_asks_all_anew(lost: str) -> None:
    one, other = two()
    one.sees(mail("root"))
    other.sees(mail("reply", "root"))
    meet(one, other)
    other.sees(mail("late", "root"))
    for server in (one, other):
        if lost in (server.name, "both"):
            server.kept.clear()
    meet(one, other)
    assert one.ids() == {"root", "reply", "late"}


def test_a_log_that_was_restored_is_another_one() -> None:
    one, other = two()
    one.sees(mail("root"))
    other.sees(mail("a"), mail("b"))
    backup = other.store
    meet(one, other)
    other.store = type(backup)()
    other.sees(mail("reply", "root"), mail("b"))  # as many as before
    meet(one, other)
    assert one.ids() == {"root", "reply"}


def test_what_was_fetched_and_lost_with_a_backup_is_fetched_again() -> None:
    one, other = two()
    other.sees(mail("reply", "root"))
    one.sees(mail("root"))
    meet(one, other)
    one.store = type(one.store)()
    one.sees(mail("root"))
    meet(one, other)
    assert one.ids() == {"root", "reply"}


def four() -> list[Server]:
    x, y1, y2, z = servers = all_know([Server(name) for name in ("x", "y1", "y2", "z")])
    x.sees(mail("a", "v"), mail("q", "v", "a"))
    y1.sees(mail("t", "p"))
    y2.sees(mail("w", "q"))
    z.sees(mail("b", "v"), mail("p", "v", "b"))
    return servers


def until_quiet(servers: list[Server], round_of_meetings: Callable[[], object]) -> None:
    before: list[set[bytes]] = []
    while before != [held_by(server) for server in servers]:
        before = [held_by(server) for server in servers]
        round_of_meetings()


def test_a_path_does_not_complete_a_thread() -> None:
    x, y1, y2, z = servers = four()
    until_quiet(servers, lambda: [meet(one, other) for one, other in ((x, y1), (y1, y2), (y2, z))])
    assert x.ids() == {"a", "q"}
    asked = x.covered[y1].asked
    assert asked is not None
    assert {id_digest(name) for name in (b"v", b"a", b"q")} == asked
    assert set(x.covered) == {y1}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_mesh_completes_a_thread_in_any_order(order: tuple[int, ...]) -> None:
    servers = four()
    until_quiet(servers, lambda: [meet(servers[i], servers[j]) for i in order for j in order if i != j])
    assert all(server.ids() == {"a", "q", "t", "w", "b", "p"} for server in servers)


def test_a_hub_completes_a_thread() -> None:
    servers = four()
    hub = Server("hub", admits=servers)
    for server in servers:
        server.rows[hub] = Peer(mode="threads", may_feed=ALL, may_read=ALL)
        hub.rows[server] = Peer(mode="mirror", may_feed=FeedSet(origins=frozenset([server.key])), may_read=ALL)
    until_quiet([*servers, hub], lambda: [meet(server, hub) for server in servers])
    assert all(server.ids() == {"a", "q", "t", "w", "b", "p"} for server in servers)
    assert hub.ids() == {"a", "q", "t", "w", "b", "p"}


def test_a_long_answer_comes_in_pages() -> None:
    one, other = two()
    one.sees(mail("root"), *(mail(f"own {n}", "root") for n in range(30)))
    other.sees(*(mail(f"r{n}", "root", f"own {n % 30}") for n in range(200)))
    caller, _ = meet(one, other, limits=Limits(frame_ids=16, open_wants=16))
    assert len(one.ids()) == 231
    assert caller.kinds.count("ask") > 10


@pytest.mark.parametrize("limits", [Limits(tree_ids=20), Limits(frame_ids=16, open_wants=16, tree_claims=30)])
def test_a_thread_that_grows_too_large_is_cut_and_named(limits: Limits) -> None:
    one, other = two()
    one.sees(mail("root"), mail("small"))
    other.sees(*(mail(f"r{n}", "root") for n in range(100)), *(mail(f"d{n}", f"r{n}") for n in range(100)))
    other.sees(mail("reply", "small"))
    caller, _ = meet(one, other, limits=limits)
    assert caller.session.report.cut == {b"root": None}
    assert "reply" in one.ids()
    assert len(one.ids()) < 150
    assert caller.covered[-1].cut == (b"root",)


def test_questions_come_only_of_claims_that_the_peer_may_read() -> None:
    one, other = two()
    one.sees(mail("secret", "hidden"), on="private")
    one.sees(mail("root"), on="public")
    one.rows[other] = Peer(may_feed=ALL, may_read=FeedSet(feeds=frozenset([Feed(one.key, b"public")])))
    other.sees(mail("reply", "root"), mail("other reply", "hidden"))
    caller, _ = meet(one, other)
    asked = [frame.ask.ids for frame in map(wire.Frame.FromString, caller.frames) if frame.WhichOneof("kind") == "ask"]
    assert b"".join(asked) == id_digest(b"root") + id_digest(b"reply")
    assert one.ids() == {"secret", "root", "reply"}
    assert other.ids() == {"root", "reply", "other reply"}


def test_a_peer_sees_the_same_octets_with_and_without_a_feed_that_it_may_not_read() -> None:
    seen = []
    for private in (False, True):
        one, other = two()
        one.rows[other] = Peer(may_feed=ALL, may_read=FeedSet(feeds=frozenset([Feed(one.key, b"public")])))
        frames = []
        for step in range(3):
            if private:
                one.sees(*(mail(f"p{step} {n}", "root", f"ghost {n}") for n in range(1200)), on="private")
            one.sees(*(mail(f"{step} {n}", "root") for n in range(7)), on="public")
            if private:
                one.sees(*(mail(f"q{step} {n}", f"{step} {n % 7}") for n in range(30)), on="private")
            other.sees(*(mail(f"o{step} {n}", "root") for n in range(5)))
            frames += meet(one, other)[0].frames
        seen.append(frames)
    assert seen[0] == seen[1]


def test_withdrawals_are_fetched_with_what_they_are_about() -> None:
    one, other = two()
    one.sees(mail("root"))
    claim = mail("reply", "root")
    other.sees(claim, mail("deep", "reply"))
    meet(one, other)
    other.sees(other.origin.withdrawal("list", claim))
    meet(one, other)
    assert held_by(one) == held_by(other)


def test_a_right_that_is_granted_later_starts_over() -> None:
    one, other = two()
    other.sees(mail("open reply", "root"), on="open")
    other.sees(mail("closed reply", "root"), on="closed")
    one.sees(mail("root"))
    other.rows[one] = Peer(may_feed=ALL, may_read=FeedSet(feeds=frozenset([Feed(other.key, b"open")])))
    meet(one, other)
    assert one.ids() == {"root", "open reply"}
    other.rows[one] = Peer(may_feed=ALL, may_read=ALL)
    meet(one, other)
    assert one.ids() == {"root", "open reply", "closed reply"}


def test_part_of_a_batch_is_relayed_onward_with_its_proof() -> None:
    a, b, c = all_know([Server("a"), Server("b"), Server("c")])
    a.sees(*(mail(f"r{n}", "root") if n % 2 else mail(f"else{n}") for n in range(20)))
    b.sees(mail("root"))
    c.sees(mail("mine", "r3"))
    meet(b, a)
    meet(c, b)
    meet(c, b)
    assert c.ids() == {"root", "mine", *(f"r{n}" for n in range(1, 20, 2))}


def test_one_side_may_mirror_what_the_other_asks_for() -> None:
    one, other = two()
    one.sees(mail("root"), mail("alone"))
    other.sees(mail("reply", "root"), mail("else"))
    meet(one, other, ("threads", "mirror"))
    assert one.ids() == {"root", "alone", "reply"}
    assert other.ids() == {"root", "alone", "reply", "else"}
    assert one.covered[other].asked is not None
    assert other.covered[one].asked is None
