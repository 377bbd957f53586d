"""What peers were asked is kept beside the claims, and shown with every thread, as the policy of the moment has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.index.factories import mail, open_index, write
from tests.store.factories import Origin
from tests.store.factories import mail as claim
from weft import Index
from weft.core.feed import ALL_LISTS, FeedSet
from weft.core.id_digest import id_digest
from weft.core.signing import fingerprint
from weft.errors import StoreError
from weft.index.sync_history import DigestSet, sorted_digests
from weft.model import Coverage
from weft.policy.rules import Mute, Peer, Policy
from weft.policy.rules import Origin as Row

BOB, CAROL = Origin("bob"), Origin("carol")
WHEN = 1_795_000_000
THREAD = ["root@x", "ghost@x", "leaf@x"]


def digests(ids: Sequence[str]) -> list[bytes]:
    return [id_digest(name.encode()) for name in ids]


def believing(index: Index, *others: bytes, hub: bytes | None = None) -> None:
    """Use a policy that admits all lists of some origins, each a peer; ``hub`` is believed to mirror everything."""
    peers = {other: Peer() for other in others} | ({} if hub is None else {hub: Peer(mirror_of=FeedSet(True))})
    index.set_policy(Policy(index.origin, {other: Row(1, None) for other in others}, peers))


def record(
    index: Index,
    peer: bytes,
    *origins: bytes,
    asked: Sequence[str] | None = THREAD,
    cut: Sequence[str] = (),
    when: int = WHEN,
) -> None:
    """Record an exchange for all lists of some origins; of the peer itself if none is named."""
    lists = dict.fromkeys(origins or (peer,), ALL_LISTS)
    about = None if asked is None else digests(asked)
    index.record_covered(peer, lists, about, [root.encode() for root in cut], when)


def coverage(index: Index, name: str = "leaf@x") -> Coverage:
    found = index.thread(name).coverage
    assert found is not None
    assert found == index.explain(name).coverage
    return found


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path) as made:
        leaf = mail("leaf@x", ["root@x", "ghost@x"])
        made.ingest("ours", write(tmp_path / "ours.mbox", mail("root@x"), leaf, mail("other@x")))
        believing(made, BOB.public)
        yield made


def test_an_exchange_is_remembered_and_the_next_one_with_the_same_peer_replaces_it(index: Index) -> None:
    assert coverage(index).never_asked == (f"{fingerprint(BOB.public)}/*",)
    record(index, BOB.public)
    assert (coverage(index).complete, coverage(index).nobody_holds) == (True, ("ghost@x",))
    assert coverage(index).asked[0].upto == "2026-11-18T11:06:40Z"
    assert not coverage(index, "other@x").complete
    record(index, BOB.public, asked=["other@x"])
    assert not coverage(index).complete
    assert coverage(index, "other@x").complete


def test_what_is_remembered_is_there_when_the_index_is_opened_again(index: Index, tmp_path: Path) -> None:
    record(index, BOB.public, asked=None, cut=["x@x"])
    with Index.open(tmp_path / "index.db", policy=index.policy, read_only=True) as again:
        assert coverage(again) == coverage(index)
        with pytest.raises(StoreError, match="read only"):
            record(again, BOB.public)


def test_what_another_process_has_asked_is_seen_by_the_next_thread(index: Index, tmp_path: Path) -> None:
    with Index.open(tmp_path / "index.db", policy=index.policy) as other:
        for asked in (THREAD, ["other@x"], None, ["leaf@x"]):  # all in one second
            record(index, BOB.public, asked=asked)
            assert coverage(other) == coverage(index)
            assert coverage(other).complete == (asked in (THREAD, None))


def test_a_new_message_in_the_thread_must_be_asked_about_too(index: Index, tmp_path: Path) -> None:
    record(index, BOB.public)
    index.ingest("ours", write(tmp_path / "more.mbox", mail("new@x", ["leaf@x"])))
    assert coverage(index).partly == (f"{fingerprint(BOB.public)}/*",)
    record(index, BOB.public, asked=[*THREAD, "new@x"])
    assert coverage(index).complete


def test_claims_that_are_held_make_a_feed_partly_held_beside_all_the_others(index: Index) -> None:
    index.admit([BOB.batch("git", claim("far@x", "root@x"))])
    name = fingerprint(BOB.public)
    assert (coverage(index).partly, coverage(index).never_asked) == ((f"{name}/git",), (f"{name}/*",))
    record(index, BOB.public, asked=[*THREAD, "far@x"])
    assert [one.feed for one in coverage(index).asked] == [f"{name}/*"]


def test_another_policy_shows_the_same_exchanges_in_its_own_way(index: Index) -> None:
    record(index, BOB.public, BOB.public, CAROL.public)
    believing(index, BOB.public, CAROL.public)
    assert coverage(index).never_asked == (f"{fingerprint(CAROL.public)}/*",)
    believing(index, CAROL.public, hub=BOB.public)
    assert coverage(index).complete
    index.set_policy(Policy(index.origin, {BOB.public: Row(1, None)}))
    assert not coverage(index).complete
    index.set_policy(Policy(index.origin))
    assert (coverage(index).complete, coverage(index).asked) == (True, ())


def test_an_id_of_which_a_claim_is_here_is_not_one_that_nobody_holds(index: Index) -> None:
    record(index, BOB.public, asked=None)
    index.retract(["root@x"])
    assert coverage(index).nobody_holds == ("ghost@x",)
    index.admit([BOB.batch("git", claim("ghost@x", "root@x"))])
    assert coverage(index).nobody_holds == ()
    policy = index.policy
    index.set_policy(Policy(policy.own, policy.origins, policy.peers, mute=Mute(ids=frozenset([b"ghost@x"]))))
    assert [message.ghost for message in index.thread("leaf@x").messages] == [True, True, False]
    assert coverage(index).nobody_holds == ()


def test_a_ghost_that_is_not_shown_is_not_named(index: Index, tmp_path: Path) -> None:
    record(index, BOB.public, asked=None)
    some = mail("a@x"), mail("b@x", ["a@x", "hidden@x", "c@x"]), mail("c@x", ["a@x"])
    index.ingest("ours", write(tmp_path / "some.mbox", *some))
    shown = [len(index.thread("b@x", hidden=hidden).messages) for hidden in (True, False)]
    assert shown == [4, 3]
    for hidden in (True, False):
        for thread in index.all_threads(hidden=hidden):
            assert thread.coverage is not None
            assert set(thread.coverage.nobody_holds) == {one.id for one in thread.messages if one.ghost}


def test_a_row_that_is_damaged_counts_as_never_asked_and_repair_takes_it_out(index: Index) -> None:
    record(index, BOB.public)
    assert coverage(index).complete
    connection = index.store.connection
    for column, damage in (("feeds", "{"), ("asked", b"12345"), ("time", 1 << 60), ("cut", b"1"), ("feeds", "[1]")):
        record(index, BOB.public)
        connection.execute(f"UPDATE exchanges SET {column} = ?, revision = revision + 1", (damage,))
        assert coverage(index).asked == ()
        [problem] = index.check()
        assert (problem.derived, problem.what[:11]) == (True, "exchanges: ")
    connection.execute("UPDATE exchanges SET feeds = '{}', time = 1, asked = x'000000000002000000000001', cut = x''")
    assert len(list(index.check())) == 1, "it is not in order, so that not all is found"
    assert index.repair() == []
    assert list(index.check()) == []
    assert connection.execute("SELECT count(*) FROM exchanges").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("peer", "asked", "when"),
    [(b"short", None, WHEN), (BOB.public, [b"12345"], WHEN), (BOB.public, [], -1), (BOB.public, [], 1 << 60)],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_remembered(
    index: Index, peer: bytes, asked: list[bytes] | None, when: int
) -> None:
    with pytest.raises(ValueError, match=r"peer|digest|time"):
        index.record_covered(peer, {BOB.public: ALL_LISTS}, asked, [], when)
    assert coverage(index).never_asked


@given(st.sets(st.binary(min_size=6, max_size=6)), st.sets(st.binary(min_size=6, max_size=6)))
def test_a_set_of_digests_holds_what_was_put_there_and_nothing_else(put: set[bytes], others: set[bytes]) -> None:
    found = DigestSet(sorted_digests(put))
    assert len(found) == len(put)
    assert found.is_sorted()
    assert {one for one in put | others if int.from_bytes(one, "big") in found} == put


SERVERS = {"x": "vaq", "y1": "pt", "y2": "qw", "z": "vbp"}
"""Who refers to which ids: x and y2 share q, x and z share v, y1 and z share p."""


class Net:
    """Four servers with one list each, which admit each other's; whoever is linked asks about its own threads."""

    def __init__(self, folder: Path, *, hub: bool = False) -> None:
        self.indexes = {name: open_index(folder, name=f"{name}.db") for name in SERVERS}
        self.keys = {name: index.origin for name, index in self.indexes.items()}
        self.hub = Origin("hub").public if hub else None
        for name, index in self.indexes.items():
            index.ingest(name, write(folder / f"{name}.mbox", mail(f"{name}@m", [f"{ref}@m" for ref in SERVERS[name]])))
            believing(index, *(key for other, key in self.keys.items() if other != name), hub=self.hub)

    def ask(self, name: str, peer: bytes, about: Sequence[str]) -> None:
        """``name`` asks a peer for all lists of everybody else about the ids in its thread."""
        others = [key for other, key in self.keys.items() if other != name]
        record(self.indexes[name], peer, *others, asked=about)

    def coverage(self, name: str) -> Coverage:
        return coverage(self.indexes[name], f"{name}@m")

    def never(self, name: str) -> set[str]:
        """Of whom ``name`` says that they were never asked."""
        names = {f"{fingerprint(key)}/*": other for other, key in self.keys.items()}
        found = self.coverage(name)
        assert found.partly == ()
        return {names[feed] for feed in found.never_asked}

    def ids(self, name: str) -> list[str]:
        return [message.id for message in self.indexes[name].thread(f"{name}@m").messages]


def test_along_a_path_each_server_names_those_that_it_never_asked(tmp_path: Path) -> None:
    net = Net(tmp_path)
    for one, other in (("x", "y1"), ("y1", "y2"), ("y2", "z")):
        net.ask(one, net.keys[other], net.ids(one))
        net.ask(other, net.keys[one], net.ids(other))
    assert {name: net.never(name) for name in SERVERS} == {
        "x": {"y2", "z"}, "y1": {"z"}, "y2": {"x"}, "z": {"x", "y1"},
    }  # fmt: skip
    assert not any(net.coverage(name).complete or net.coverage(name).nobody_holds for name in SERVERS)


def test_in_a_mesh_and_through_a_hub_that_is_believed_everybody_was_asked(tmp_path: Path) -> None:
    for hub in (False, True):
        folder = tmp_path / str(hub)
        folder.mkdir()
        net = Net(folder, hub=hub)
        for name in SERVERS:
            for peer in [net.hub] if net.hub else [key for other, key in net.keys.items() if other != name]:
                net.ask(name, peer, net.ids(name))
            assert (net.coverage(name).complete, net.never(name)) == (True, set())
            assert set(net.coverage(name).nobody_holds) == {f"{ref}@m" for ref in SERVERS[name]}


def test_through_a_hub_that_is_not_believed_nobody_was_asked(tmp_path: Path) -> None:
    net = Net(tmp_path)
    stranger = Origin("hub").public
    net.ask("x", stranger, net.ids("x"))
    assert net.never("x") == {"y1", "y2", "z"}


def test_a_thread_of_many_ids_and_a_peer_that_was_asked_about_many_more(index: Index) -> None:
    random = Random(7)
    record(index, BOB.public)
    about = [*digests(THREAD), *(random.randbytes(6) for _ in range(27_000))]
    index.record_covered(BOB.public, {BOB.public: ALL_LISTS}, about, [], WHEN)
    assert coverage(index).complete
    index.record_covered(BOB.public, {BOB.public: ALL_LISTS}, about[1:], [], WHEN)
    assert not coverage(index).complete


def test_how_many_claims_stand_is_counted_anew_after_each_kind_of_write(index: Index, tmp_path: Path) -> None:
    def claims() -> int:
        counted = sum(one.claims for one in index.lists())
        with Index.open(tmp_path / "index.db", policy=index.policy) as other:
            assert sum(one.claims for one in other.lists()) == counted
        return counted

    assert claims() == 3
    index.retract(["other@x"])
    assert claims() == 2
    index.expunge(["root@x"])
    assert claims() == 2
    index.ingest("ours", write(tmp_path / "more.mbox", mail("new@x")))
    assert claims() == 3
    index.admit([BOB.batch("git", claim("far@x"))])
    assert claims() == 4

    def fail() -> None:
        with index._view.transaction():
            index._view.add(index.store.put([BOB.batch("git", claim("further@x"))]))
            assert sum(index._view.standing().values()) == 5
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert claims() == 4
