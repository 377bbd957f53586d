"""Damage of each kind is found, named and mended, and what was lost comes back from a peer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.factories import Origin, identities, mail, some
from weft.core.feed import ALL_LISTS, Feed
from weft.core.signing import short_fingerprint
from weft.errors import StoreError
from weft.store.interface import VerifiedPart
from weft.store.sqlite import SqliteStore

A, B = Origin("a"), Origin("b")
NAMES = [f"m{n}" for n in range(8)]
WHOLE = A.batch("l", *[mail(name, "root", *NAMES[:n][-2:]) for n, name in enumerate(NAMES)])
PARTIAL = some(B.batch("k", *[mail(name, subject="k") for name in NAMES]), [1, 2, 5])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "index.db") as made:
        put(made, WHOLE, PARTIAL)
        assert list(made.check()) == []
        yield made


def put(store: SqliteStore, *parts: VerifiedPart) -> list[int]:
    with store.transaction():
        return [stored.position for stored in store.put(parts)]


def found(store: SqliteStore) -> str:
    return "\n".join(map(str, store.check()))


def flip(store: SqliteStore, position: int) -> None:
    """Change one byte of a claim, at its end: in the last id of its References."""
    [(data,)] = store.connection.execute("SELECT octets FROM claims WHERE position = ?", (position,)).fetchall()
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    store.connection.execute("UPDATE claims SET octets = ? WHERE position = ?", (damaged, position))


def answers(store: SqliteStore) -> tuple[object, ...]:
    referring, about = store.claims_referring_to([b"root", b"m0"]), store.claims_about([b"m0"])
    return store.log(), store.feeds(), referring, about, [store.log_of({one.public: ALL_LISTS}) for one in (A, B)]


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("DELETE FROM refs WHERE position = 3", "claim 3: that it refers to m0 is not noted"),
        ("INSERT INTO refs VALUES (1, 99), (500, 2)", "references are noted"),
        ("DROP TABLE refs; CREATE TABLE refs (target, position)", "claim 2: that it refers to m0 is not noted"),
        ("DELETE FROM claim_keys WHERE position = 2", "claim 2: its bytes do not fit the key of its id"),
        ("INSERT INTO claim_keys VALUES (5, 5)", "12 keys of 11 claims"),
        ("UPDATE id_keys SET key = key + 1 WHERE node = 2", "message id m0 does not fit its key"),
        ("INSERT INTO id_keys VALUES (5, 5)", "keys of"),
        ("UPDATE claims SET node = 1 WHERE position = 4", "claim 4: the node of its message id is wrong"),
        ("UPDATE ids SET id = CAST('nonsense' AS BLOB) WHERE node = 2", "claim 1: the node of its message id is wrong"),
        ("UPDATE feeds SET claims = 7", "is said to have 7 claims"),
        ("DELETE FROM runs WHERE batch = 2", "3 claims are in no batch"),
        ("DELETE FROM feed_runs WHERE feed = 2", "claim 9: it is not noted to be of its feed"),
        ("UPDATE feed_runs SET count = 2 WHERE feed = 2", "claim 11: it is not noted to be of its feed"),
        ("INSERT INTO feed_runs VALUES (2, 3, 1)", "12 claims are noted to be of some feed, 11 are held"),
        ("DROP TABLE feed_runs", "no such table: feed_runs"),
    ],
)  # fmt: skip
def test_what_is_derived_is_found_wrong_and_made_again(store: SqliteStore, damage: str, named: str) -> None:
    before = answers(store)
    store.connection.executescript(damage)
    store._nodes.forget()
    assert named in found(store)
    assert store.repair() == []
    assert found(store) == ""
    assert answers(store) == before


def test_the_reverse_references_can_be_thrown_away(store: SqliteStore) -> None:
    before = store.claims_referring_to([b"root"])
    with store.transaction():
        store.rebuild_refs()
    assert store.claims_referring_to([b"root"]) == before != []
    assert found(store) == ""


def test_a_flipped_bit_is_found_in_its_claim_and_in_its_batch(store: SqliteStore) -> None:
    flip(store, 3)
    problems = list(store.check())
    assert [problem.position for problem in problems if "do not fit the key" in problem.what] == [3]
    feed = f"{short_fingerprint(A.public)}/l"
    assert f"batch 1 of {feed}: its claims do not lead to the root that was signed" in map(str, problems)
    with pytest.raises(StoreError, match="check --repair"):
        store.prove(1, [0])
    assert store.holds(identities([WHOLE])) == set(identities([WHOLE])) - {WHOLE.claims[2].identity}


def test_a_damaged_claim_is_taken_out_and_the_rest_of_its_batch_waits_to_be_proved(store: SqliteStore) -> None:
    flip(store, 3)
    losses = store.repair()
    assert [(loss.batch, loss.position) for loss in losses] == [(1, 3), (1, None)]
    assert str(losses[0]).startswith(f"claim 3: of {short_fingerprint(A.public)}/l: damaged")
    assert [one.position for one in store.log()] == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert store.feeds() == {Feed(A.public, b"l"): 7, Feed(B.public, b"k"): 3}
    assert store.holds(identities([WHOLE, PARTIAL])) == set(identities([PARTIAL]))
    assert [one.position for one in store.unproved()] == [1, 2, 4, 5, 6, 7, 8]
    [(data,)] = store.connection.execute("SELECT octets FROM lost").fetchall()
    assert data[:-1] == WHOLE.claims[2].data[:-1]
    assert "7 claims wait to come again" in found(store)


def test_what_was_lost_comes_again_and_all_is_proved(store: SqliteStore) -> None:
    flip(store, 3)
    store.repair()
    assert put(store, some(WHOLE, [2, 4])) == [12]
    assert store.holds(identities([WHOLE])) == {WHOLE.claims[2].identity, WHOLE.claims[4].identity}
    assert put(store, WHOLE) == []
    ids = identities([WHOLE])
    assert store.holds(ids) == set(ids)
    [batch] = {one.batch for one in store.get(ids)}
    store.prove(batch, list(range(8))).verify(8, ids, WHOLE.signed.root)
    assert store.feeds() == {Feed(A.public, b"l"): 8, Feed(B.public, b"k"): 3}
    assert store.repair() == []
    assert (found(store), list(store.unproved())) == ("", [])


def test_claims_that_wait_can_be_signed_anew_in_another_batch(store: SqliteStore) -> None:
    flip(store, 8)
    store.repair()
    waiting = {one.identity for one in store.unproved()}
    anew = A.batch("l", *[claim.parsed for claim in WHOLE.claims if claim.identity in waiting])
    assert len(anew.claims) == 7
    assert put(store, anew) == []
    assert store.holds(list(waiting)) == waiting
    [batch] = {one.batch for one in store.get(list(waiting))}
    assert store.signed(batch) == (anew.signed, anew.tree)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE batches SET signature = zeroblob(64) WHERE batch = 2", "did not sign it"),
        ("UPDATE batches SET root = zeroblob(32) WHERE batch = 2", "did not sign it"),
        ("UPDATE batches SET proof = NULL WHERE batch = 2", "do not lead to the root"),
        ("UPDATE batches SET proof = x'0a0126' WHERE batch = 2", "do not lead to the root"),
        ("UPDATE batches SET proof = x'ff' WHERE batch = 2", "do not lead to the root"),
    ],
)
def test_a_batch_whose_proof_is_damaged_keeps_its_claims_until_they_come_again(
    store: SqliteStore, damage: str, named: str
) -> None:
    before = store.log()
    store.connection.execute(damage)
    assert named in found(store)
    [loss] = store.repair()
    assert "3 claims are kept" in loss.what
    assert store.log() == before
    assert store.holds(identities([PARTIAL])) == set()
    assert put(store, PARTIAL) == []
    assert store.holds(identities([PARTIAL])) == set(identities([PARTIAL]))
    assert store.repair() == []
    assert found(store) == ""


def test_a_damaged_claim_that_comes_again_before_a_repair_is_kept_beside_the_damaged_one(store: SqliteStore) -> None:
    flip(store, 3)
    lone = A.batch("l", mail("m2", "root", "m0", "m1"))
    assert lone.claims[0].identity == WHOLE.claims[2].identity
    assert put(store, lone) == [12]
    assert store.get([lone.claims[0].identity])[0].data == lone.claims[0].data
    assert "claim 3: its bytes do not fit" in found(store)
    assert [loss.position for loss in store.repair()] == [3, None]
    assert [one.position for one in store.claims_about([b"m2"])] == [10, 12]
