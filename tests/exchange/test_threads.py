"""Threads mode: who asks gets the rest of its own threads, and nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import permutations
from random import Random

import pytest

from tests.exchange.meeting_harness import Server, all_know, held_by, meet
from tests.exchange.session_harness import ALL, Side, flow, put, side
from tests.exchange.simulation.mail import threads_mail
from tests.store.factories import Origin, mail
from weft.core.claim import Claim, Withdrawal, parse
from weft.core.feed import ALL_LISTS, Feed, FeedSet, Lists
from weft.core.id_digest import id_digest
from weft.exchange import claim_receiver, claim_sender, store_backend, thread_responder
from weft.exchange.agreement import Agreement
from weft.exchange.claim_receiver import WantQueue
from weft.exchange.configuration import Configuration
from weft.exchange.events import Ask, FindConcerned, FindMissing, Send
from weft.exchange.handshake import Handshake
from weft.exchange.limits import Limits
from weft.exchange.outbox import Outbox
from weft.exchange.refusing import Refused
from weft.exchange.store_backend import StoreBackend
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rows import Peer
from weft.testing import MemoryStore
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


def test_in_sync_takes_few_bytes_after_the_hello() -> None:
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


def test_a_log_that_was_restored_behind_the_position_is_another_one_as_well() -> None:
    one, other = two()
    one.sees(mail("root"), mail("a", "root"), mail("b", "root"))
    other.sees(mail("mine", "root"))
    meet(one, other)
    assert other.ids() == {"mine", "root", "a", "b"}
    other.store = type(other.store)()
    other.sees(mail("mine", "root"))  # as when that session began
    other.sees(mail("reply", "a"), mail("reply to b", "b"), mail("deep", "reply"))  # where those from ``one`` stood
    meet(one, other)
    assert one.ids() == {"root", "a", "b", "mine", "reply", "reply to b", "deep"}


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


def test_a_peer_sees_the_same_bytes_with_and_without_a_feed_that_it_may_not_read() -> None:
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


def test_an_id_that_news_names_again_and_that_has_too_many_claims_is_named() -> None:
    one, other = two()
    one.sees(mail("root"), mail("mid", "root"))
    limits = Limits(frame_ids=16, open_wants=16, tree_claims=30)
    meet(one, other, limits=limits)
    other.sees(*(mail(f"r{n}", "mid") for n in range(100)))
    caller, _ = meet(one, other, limits=limits)
    assert caller.session.report.cut == {b"root": None}


def test_what_was_cut_is_named_in_later_sessions_too() -> None:
    one, other = two()
    one.sees(mail("root"))
    other.sees(*(mail(f"r{n}", "root") for n in range(100)))
    for _ in range(3):
        caller, _ = meet(one, other, limits=Limits(tree_ids=20))
        assert caller.covered[-1].cut == (b"root",)
    caller, _ = meet(one, other)
    assert caller.covered[-1].cut == ()
    assert len(one.ids()) == 101


@pytest.mark.parametrize("root", ["claimed", "ghost"])
def test_a_bomb_costs_no_more_than_one_answer_beyond_the_limit(root: str) -> None:
    one, other = two()
    one.sees(mail("claimed"), mail("mine", "ghost"), mail("small"))
    other.sees(*(mail(f"r{n}", root) for n in range(500)), mail("reply", "small"))
    caller, _ = meet(one, other, limits=Limits(frame_ids=16, open_wants=32, tree_claims=40))
    assert caller.session.report.cut == {root.encode(): None}
    assert len(one.ids()) < 80
    assert "reply" in one.ids()


def test_one_claim_of_another_origin_does_not_end_what_is_asked_about() -> None:
    victim, honest, evil = all_know([Server("victim"), Server("honest"), Server("evil")])
    victim.sees(mail("p"))
    honest.sees(mail("m", reply_to=["p"]), mail("k", reply_to=["m"]))
    meet(victim, honest)
    evil.sees(mail("m"))  # "it has no parent"
    meet(victim, evil)
    for new, parent in (("q", "k"), ("r", "q"), ("s", "r"), ("t", "s")):
        honest.sees(mail(new, reply_to=[parent]))
        meet(victim, honest)
        assert new in victim.ids()


def test_in_which_pieces_a_store_is_asked_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for small in (False, True):
        if small:
            monkeypatch.setattr(store_backend, "_SLICE", 1)
            monkeypatch.setattr(store_backend, "PAGE", 3)
            for module in (thread_responder, claim_receiver, claim_sender):
                monkeypatch.setattr(module, "AT_A_TIME", 3)
        random = Random(5)
        one, other = two()
        one.sees(*threads_mail(random, 40, ["a", "b"], 20, 0.1))
        other.sees(*threads_mail(random, 120, ["a", "b", "c"], 20, 0.1))
        other.sees(*threads_mail(random, 60, ["a"], 20, 0.0), on="private")
        other.rows[one] = Peer(may_feed=ALL, may_read=FeedSet(feeds=frozenset([Feed(other.key, b"list")])))
        frames = []
        for _ in range(2):
            frames += [at.frames for at in meet(one, other, limits=Limits(frame_ids=16, open_wants=64))]
        seen.append(frames)
    assert seen[0] == seen[1]


def test_news_goes_on_behind_claims_that_were_expunged() -> None:
    one, other = two()
    one.sees(mail("root"))
    meet(one, other)
    other.sees(*(mail(f"spam {n}", "spam") for n in range(1100)))
    with other.store.transaction():
        other.store.expunge(list(held_by(other)))
    other.sees(mail("reply", "root"))
    meet(one, other)
    assert "reply" in one.ids()


def test_a_right_to_read_that_leaves_the_agreement_as_it_is_counts_as_well() -> None:
    one, other = two()
    other.admits = ()
    one.sees(mail("public root"), on="public")
    one.sees(mail("root"), on="later")
    other.sees(mail("reply", "root"), mail("public reply", "public root"))
    one.rows[other] = Peer(may_feed=ALL, may_read=FeedSet(feeds=frozenset([Feed(one.key, b"public")])))
    meet(one, other)
    assert one.ids() == {"root", "public root", "public reply"}
    one.rows[other] = Peer(may_feed=ALL, may_read=ALL)
    meet(one, other)
    assert one.ids() == {"root", "public root", "public reply", "reply"}


def test_a_withdrawal_that_lets_a_message_into_our_thread_is_found() -> None:
    one, other = two()
    one.sees(mail("root"))
    elsewhere = mail("disputed", "root", "elsewhere", reply_to=["elsewhere"])
    other.sees(mail("disputed", "root"), elsewhere)
    meet(one, other)
    assert {"root", "disputed"} == one.ids()
    other.sees(other.origin.withdrawal("list", elsewhere))
    meet(one, other)
    assert held_by(one) == held_by(other) | {*held_by(one)}
    assert len(held_by(one)) == 4


def test_a_store_that_never_stops_growing_does_not_keep_a_session_from_its_end() -> None:
    one, other = two()
    one.sees(mail("root"))
    other.sees(mail("reply", "root"))
    sides = [
        side(server.store, Configuration(server.policy(peer), peer.key, server is one, bytes([server is one]) * 32))
        for server, peer in ((one, other), (other, one))
    ]
    roads = [deque(at.take(at.session.start())) for at in sides]
    for step in range(200):
        if all(at.ended for at in sides):
            break
        one.sees(mail(f"more {step}", "root"))
        roads[0].extend(sides[0].take(sides[0].session.grew()))
        for at in (0, 1):
            if roads[at]:
                roads[1 - at].extend(sides[1 - at].take(sides[1 - at].session.receive(roads[at].popleft())))
    assert all(at.synced for at in sides)


def test_the_same_claims_come_whatever_the_route_if_one_on_the_way_refuses_some() -> None:
    found = []
    for order in permutations(range(4)):
        x, narrow, wide, z = servers = [Server(name) for name in ("x", "narrow", "wide", "z")]
        for server in (x, wide, z):
            server.admits = servers
        narrow.admits = (x, wide)
        x.sees(mail("root"))
        narrow.sees(mail("b", "root"))
        wide.sees(mail("c", "a"))
        z.sees(mail("a", "root"), mail("d", "b"))
        pairs = [(x, narrow), (x, wide), (narrow, z), (wide, z)]
        until_quiet(servers, lambda pairs=pairs, order=order: [meet(*pairs[at]) for at in order])  # type: ignore[misc]
        assert not any(claim.origin == z.key for claim in claims_of(narrow))
        found.append(held_by(x))
    assert all(one == found[0] for one in found)
    assert len(found[0]) == 5


def claims_of(server: Server) -> list[Claim | Withdrawal]:
    return [parse(one.data) for one in server.store.log()]


def test_a_question_without_an_answer_counts_as_asked_while_both_are_live() -> None:
    one, other = two()
    one.sees(mail("root"))
    sides = started(one, other, live=True)
    flow_until_quiet(sides, [])
    one.sees(mail("reply", "root"))
    from_one = deque(sides[0].take(sides[0].session.grew()))
    flow(sides[0], sides[1], from_one, deque())
    assert [len(covered.asked or ()) for covered in sides[0].covered] == [1, 2]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_in_any_world_a_private_feed_changes_no_byte_for_who_may_not_read_it(
    seed: int, live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.exchange.claim_sender.PAGE", 7)
    seen = [frames_with(seed, live, private) for private in (False, True)]
    assert seen[0] == seen[1]
    assert len(seen[0]) > 8


def frames_with(seed: int, live: bool, private: bool) -> list[bytes]:
    """All that the two say to each other, in some sessions between which mail arrives."""
    random, hidden = Random(seed), Random(seed)
    one, other = two()
    one.rows[other] = Peer(may_feed=ALL, may_read=FeedSet(feeds=frozenset([Feed(one.key, b"public")])))
    frames: list[bytes] = []

    def arrives(count: int) -> None:
        for _ in range(3):
            for server, name in ((one, "public"), (other, "list")):
                server.sees(*threads_mail(random, random.randint(1, count), ["a", "b"], 30, 0.1), on=name)
            secret = threads_mail(hidden, hidden.randint(1, 3 * count), ["a", "b", "c"], 30, 0.3)
            if private:
                one.sees(*secret, on="private")

    for _ in range(3):
        arrives(12)
        sides = started(one, other, live)
        flow_until_quiet(sides, frames)
        if live:
            for server in (one, other):
                assert sides[server is other].synced
            arrives(30)
            for at in sides:
                frames += at.take(at.session.grew())
        for server, peer, at in ((one, other, sides[0]), (other, one, sides[1])):
            server.kept[peer] = at.kept
    return frames


def started(one: Server, other: Server, live: bool) -> list[Side]:
    sides = []
    for server, peer in ((one, other), (other, one)):
        server.sessions += 1
        key = bytes([server is one, server.sessions]) * 16
        setup = Configuration(
            server.policy(peer), peer.key, server is one, key, server.kept.get(peer, b""), live=live,
            limits=Limits(frame_ids=16, open_wants=16),
        )  # fmt: skip
        sides.append(side(server.store, setup))
    return sides


def flow_until_quiet(sides: list[Side], frames: list[bytes]) -> None:
    roads = [deque(at.take(at.session.start())) for at in sides]
    while any(roads):
        for at in (0, 1):
            if roads[at]:
                frames.append(frame := roads[at].popleft())
                roads[1 - at].extend(sides[1 - at].take(sides[1 - at].session.receive(frame)))


def test_a_claim_of_a_feed_that_the_peer_may_not_read_is_no_place_to_go_on_from() -> None:
    origin = Origin("one")
    store = MemoryStore()
    put(store, origin, "public", *(mail(f"r{n}", "root") for n in range(5)))
    put(store, origin, "private", mail("secret", "root"))
    put(store, origin, "public", mail("late", "root"))
    feeds = FeedRanges({origin.public: Lists(frozenset([b"public"]))})
    hidden = store.log(5, 1)[0].identity[:16]
    answers = [
        StoreBackend(store).answer(FindConcerned(feeds, [id_digest(b"root")], at, 16))
        for at in (hidden, bytes(16), b"")
    ]
    assert answers[0] == answers[1] == answers[2]


def test_offering_an_id_does_not_tell_whether_it_is_held_in_a_feed_that_is_not_taken() -> None:
    origin = Origin("one")
    store = MemoryStore()
    put(store, origin, "public", mail("a"))
    put(store, origin, "private", mail("b"))
    elements = [one.identity[:16] for one in store.log()]
    taken = FeedRanges({origin.public: Lists(frozenset([b"public"]))})
    assert StoreBackend(store).answer(FindMissing(elements, taken)) == elements[1:]


def hostile(*frames: Callable[[Agreement], wire.Frame], holds: int = 0, limits: Limits | None = None) -> str:
    """Why a server ends its session with a caller that says these after the agreement."""
    one, other = two()
    other.sees(mail("root"), *(mail(f"r{n}", "root") for n in range(holds)))
    setup = Configuration(one.policy(other), other.key, True, bytes(32), limits=limits or Limits())
    liar = Handshake(setup, b"", None, ())
    at = side(other.store, Configuration(other.policy(one), one.key, False, bytes(32), limits=limits or Limits()))
    [hello] = at.take(at.session.start())
    at.take(at.session.receive(wire.Frame(hello=liar.hello()).SerializeToString()))
    agreement, _ = liar.read(wire.Frame.FromString(hello).hello)
    at.take(at.session.receive(wire.Frame(agreement=liar.propose()[0]).SerializeToString()))
    for frame in frames:
        at.take(at.session.receive(frame(agreement).SerializeToString()))
    assert at.ended is not None
    return str(at.ended.error)


def ask(*names: str, after: bytes = b"") -> Callable[[Agreement], wire.Frame]:
    ids = b"".join(id_digest(name.encode()) for name in names)
    return lambda agreement: wire.Frame(ask=wire.Ask(ids=ids, after=after))


def test_who_asks_on_without_taking_answers_is_stopped() -> None:
    reason = hostile(*[ask("root")] * 6, holds=20, limits=Limits(frame_ids=16, open_offers=4))
    assert "one question at a time" in reason


def test_who_asks_about_an_id_twice_at_once_is_stopped() -> None:
    assert "twice" in hostile(ask("root", "root"))


def test_who_offers_to_one_that_asks_is_stopped() -> None:
    reason = hostile(lambda agreement: wire.Frame(offer=wire.Offer(ids=bytes(16))))
    assert "takes what it asks for" in reason


def test_offers_are_answered_in_order_whatever_the_order_of_the_store() -> None:
    line = Outbox(Limits(frame_ids=16, open_wants=16, open_offers=4))
    wants = WantQueue(line, Refused({}), FeedRanges)
    for start in (0, 16, 32, 48):
        wants.offered([bytes([n]) * 16 for n in range(start, start + 8)])
    questions = {one.number: one.request for one in line.outputs() if isinstance(one, Ask)}
    for number in (1, 3, 2, 4):
        request = questions[number]
        assert isinstance(request, FindMissing)
        line.answer(number, list(request.elements))
    wants.gone(list(wants.open))
    wants.gone(list(wants.open))
    sent = [wire.Frame.FromString(one.data).want.offer for one in line.outputs() if isinstance(one, Send)]
    assert sent == [1, 2, 3, 4]


def test_a_frame_of_ids_is_never_larger_than_the_peer_takes() -> None:
    ours = Limits().both(Limits(frame_octets=1 << 16).to_message())
    assert ours.frame_ids * 32 <= ours.frame_octets
    assert Limits().both(Limits().to_message()) == Limits()


def answered(side: Side) -> set[bytes]:
    """What it offered in answers."""
    data = b"".join(frame.answer.ids for frame in map(wire.Frame.FromString, side.frames))
    return {data[at : at + 16] for at in range(0, len(data), 16)}


def handed_over() -> tuple[Server, Server]:
    """A server that has handed 51 claims to a hub, and has asked it about them."""
    one, hub = two()
    hub.rows[one] = Peer(mode="mirror", may_feed=ALL, may_read=ALL)
    one.sees(mail("root"), *(mail(f"r{n}", "root") for n in range(50)))
    meet(one, hub)
    hub.sees(mail("reply", "r7"))
    return one, hub


def test_what_a_peer_handed_over_is_not_offered_to_it_again() -> None:
    one, hub = handed_over()
    hub.sees(*(mail(f"else {n}", "else") for n in range(2000)))
    caller, answerer = meet(one, hub)
    assert caller.session.report.asked > 50, "so much is new that all was asked anew"
    assert "reply" in one.ids()
    assert len(answered(answerer)) == 1


def test_who_remembers_nothing_may_have_lost_what_it_handed_over() -> None:
    one, hub = handed_over()
    one.kept.clear()
    _, answerer = meet(one, hub)
    assert len(answered(answerer)) == 52


def test_a_server_that_lost_its_log_gets_back_what_it_had_handed_over() -> None:
    one, other = two()
    other.rows[one] = Peer(mode="mirror", may_feed=ALL, may_read=ALL)
    one.sees(mail("root"), mail("a", "root"), mail("b", "root"))
    meet(one, other)
    meet(one, other)
    one.store = type(one.store)()
    one.sees(mail("root"), mail("c", "root"))  # what it kept of its peer is of another log
    meet(one, other)
    assert one.ids() == {"root", "a", "b", "c"}


def test_it_gets_that_back_also_if_it_had_nothing_to_ask_when_it_lost_it() -> None:
    one, other = two()
    other.rows[one] = Peer(mode="mirror", may_feed=ALL, may_read=ALL)
    one.sees(mail("root"), mail("a", "root"), mail("b", "root"))
    meet(one, other)
    one.store = type(one.store)()
    meet(one, other)
    one.sees(mail("c", "root"))
    meet(one, other)
    assert one.ids() == {"root", "a", "b", "c"}


def test_only_what_a_peer_says_that_it_carries_whole_is_covered() -> None:
    one, hub = two()
    one.sees(mail("root"))
    meet(one, hub)
    assert one.covered[hub].feeds == FeedRanges({hub.key: ALL_LISTS})
    hub.carries = FeedRanges({hub.key: ALL_LISTS, one.key: ALL_LISTS})
    meet(one, hub)
    assert one.covered[hub].feeds == hub.carries
