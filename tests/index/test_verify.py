"""`Index.check` finds every flipped bit; `Index.repair` makes again what is derived, and names what is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.index.factories import expected, mail, open_index, parents, placed, write
from tests.store.factories import Origin
from tests.store.factories import mail as claim
from weft import Index
from weft.errors import StoreError
from weft.model import Problem
from weft.policy.rules import Origin as Row

PEER = Origin("peer")
MAILS = [mail(f"m{number}@x", [f"m{number // 2}@x"] if number else [], subject=f"word{number}") for number in range(40)]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An index with claims of our own and of a peer, withdrawals that count and one that waits, and words."""
    with open_index(tmp_path) as made:
        made.ingest("git", write(tmp_path / "git.mbox", *MAILS))
        made.set_policy(replace(made.policy, origins={PEER.public: Row(1, None)}))
        waits = PEER.withdrawal("list", claim("never@y"))
        made.admit([PEER.batch("list", claim("p@y", "m0@x"), claim("q@y"), waits)])
        made.retract(["m9@x"])
        made.search("word1")
        assert list(made.check()) == []
        yield made


def tamper(index: Index, statement: str, values: Sequence[object] = ()) -> None:
    """Change the file behind the back of the index."""
    other = sqlite3.connect(index.store.path, isolation_level=None)
    changed = other.execute(statement, values).rowcount
    other.close()
    assert changed != 0


def found(index: Index) -> list[Problem]:
    return list(index.check())


DERIVED = {
    "a parent": "UPDATE nodes SET parent = 1, said = 1 WHERE node = 5",
    "a parent alone": "UPDATE nodes SET parent = -1 WHERE node = 5",
    "a parent that makes a cycle": "UPDATE nodes SET parent = 12 WHERE node = 6",
    "a rank": "UPDATE nodes SET rank = 1 WHERE node = 5",
    "a mark": "UPDATE nodes SET loop = 1 WHERE node = 5",
    "a date": "UPDATE nodes SET date = 77 WHERE node = 5",
    "a row that is gone": "DELETE FROM nodes WHERE node = 5",
    "a row too many": "INSERT INTO nodes VALUES (9999, 1073741824, -3, -1, 0, NULL)",
    "a thread that is not listed": "DELETE FROM recent WHERE list = 0",
    "a thread that is not listed on a list": "DELETE FROM recent WHERE list = 1",
    "a thread on a list too many": "INSERT INTO recent SELECT root, 9, date, node FROM recent WHERE list = 0",
    "a newest message": "UPDATE recent SET date = 77, node = 3",
    "a message in the future": "INSERT INTO recent VALUES (3, -1, 77777777777, 3)",
    "the name of a list": "UPDATE lists SET name = CAST('other' AS BLOB) WHERE list = 1",
    "a withdrawal that is gone": "DELETE FROM withdrawals WHERE valid = 1",
    "a withdrawal that does not count": "UPDATE withdrawals SET valid = 1 WHERE valid = 0",
    "a withdrawal that counts": "UPDATE withdrawals SET valid = 0 WHERE valid = 1",
    "a target": "UPDATE withdrawals SET target = zeroblob(32) WHERE valid = 0",
    "words": "INSERT INTO search (rowid, subject, author) VALUES (9999, 'more', 'words')",
    "words that are gone": "INSERT INTO search (search, rowid, subject, author) VALUES ('delete', 3, 'word2', '')",
    "how far it was searched": "UPDATE view SET value = '10' WHERE key = 'searched'",
}


@pytest.mark.parametrize("what", DERIVED)
def test_a_derived_row_that_is_wrong_is_found_and_mended(index: Index, what: str) -> None:
    before = parents(index)
    tamper(index, DERIVED[what])
    problems = found(index)
    assert problems
    assert all(problem.derived for problem in problems)
    assert index.repair() == []
    assert found(index) == []
    assert parents(index) == before
    assert placed(index.all_threads()) == expected(index)
    assert [one.message_id for one in index.search("word7")] == ["m7@x"]


@pytest.mark.parametrize("state", ["x", "", "\0"])
def test_a_view_whose_state_is_damaged_is_made_again_when_it_is_met(index: Index, state: str) -> None:
    before = parents(index)
    for key in ("state", "position"):
        tamper(index, "UPDATE view SET value = ? WHERE key = ?", (state, key))
        assert parents(index) == before
        assert found(index) == []


@pytest.mark.parametrize("table", ["nodes", "recent", "lists", "withdrawals", "search", "view"])
def test_a_derived_table_that_is_gone_is_made_again_when_the_index_is_opened(index: Index, table: str) -> None:
    before, folder, policy = parents(index), index.store.path.parent, index.policy
    index.close()
    with sqlite3.connect(folder / "index.db") as other:
        other.execute(f"DROP TABLE {table}")
    other.close()
    with open_index(folder, policy) as again:
        assert parents(again) == before
        assert [one.message_id for one in again.search("word7")] == ["m7@x"]
        assert found(again) == []


def flip(index: Index, table: str, column: str, key: str, place: int) -> None:
    """Flip one bit of a byte string."""
    other = sqlite3.connect(index.store.path, isolation_level=None)
    [(data,)] = other.execute(f"SELECT {column} FROM {table} WHERE {key}").fetchall()
    place %= len(data)
    flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    other.execute(f"UPDATE {table} SET {column} = ? WHERE {key}", (flipped,))
    other.close()


@pytest.mark.parametrize("place", [0, 3, 40, 77, -1])
def test_a_flipped_bit_in_a_claim_of_our_own_is_found_and_the_mail_gives_it_again(index: Index, place: int) -> None:
    before = parents(index)
    flip(index, "claims", "octets", "position = 7", place)
    assert not all(problem.derived for problem in found(index))
    lost = index.repair()
    assert lost
    assert not any(problem.derived for problem in lost)
    assert found(index) == []
    index.ingest("git", index.store.path.parent / "git.mbox")
    assert parents(index) == before
    assert placed(index.all_threads()) == expected(index)
    assert found(index) == []
    assert list(index.store.unproved()) == []


def test_a_flipped_bit_in_a_claim_of_a_peer_is_named_until_the_peer_gives_it_again(index: Index) -> None:
    before = parents(index)
    flip(index, "claims", "octets", "position = 41", 60)
    assert found(index)
    assert any("taken out" in problem.what for problem in index.repair())
    waits = PEER.withdrawal("list", claim("never@y"))
    assert all("wait to come again" in problem.what for problem in found(index))
    index.admit([PEER.batch("list", claim("p@y", "m0@x"), claim("q@y"), waits)])
    assert found(index) == []
    assert parents(index) == before


@pytest.mark.parametrize("column", ["signature", "root"])
def test_a_flipped_bit_in_a_signature_is_found_and_what_is_ours_is_signed_anew(index: Index, column: str) -> None:
    before = parents(index)
    flip(index, "batches", column, "batch = 1", 5)
    assert found(index)
    index.repair()
    assert found(index) == []
    assert parents(index) == before
    index.store.signed(index.store.log()[0].batch)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM refs WHERE position = 7",
        "UPDATE claim_keys SET key = key + 1 WHERE position = 7",
        "UPDATE id_keys SET key = key + 1 WHERE node = 7",
        "UPDATE feeds SET claims = claims + 1",
        "UPDATE claims SET node = 1 WHERE position = 7",
        "DELETE FROM runs WHERE batch = 1",
    ],
)
def test_a_table_of_the_store_that_is_wrong_is_found_and_mended(index: Index, statement: str) -> None:
    before = parents(index)
    tamper(index, statement)
    assert found(index)
    index.repair()
    assert found(index) == []
    assert parents(index) == before


def test_what_was_expunged_is_nowhere_in_the_file(index: Index) -> None:
    path = index.store.path
    index.ingest("git", write(path.parent / "more.mbox", mail("secret@y", ["m0@x"], subject="xylophone zebra")))
    assert [one.message_id for one in index.search("xylophone")] == ["secret@y"]
    assert b"xylophone" in everything(path)
    assert index.expunge(["secret@y"]) == 1
    assert index.search("xylophone") == []
    assert found(index) == []
    index.close()
    assert b"xylophone" not in everything(path)
    assert b"ylophone" not in everything(path)


def everything(path: Path) -> bytes:
    """All bytes of the index and of its log of writes."""
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*") if file.is_file())


def test_a_withdrawal_is_not_expunged_so_that_peers_learn_of_it(index: Index) -> None:
    withdrawal = index.store.log()[-1].identity.hex()
    assert index.expunge([withdrawal]) == 0
    index._view.remake()
    assert "m9@x" in parents(index)
    assert {one.hidden for one in index.explain("m9@x").statements} == {"withdrawn by its origin"}
    assert index.expunge(["m9@x"]) == 1
    assert [held.identity.hex() for held in index.store.log() if held.data][-1] == withdrawal
    index._view.remake()
    assert found(index) == []
    assert placed(index.all_threads()) == expected(index)


def test_copies_are_explained_without_the_trees_of_their_batches_which_may_be_damaged(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = index.explain("m8@x")
    [position] = [one.position for one in whole.statements]
    [batch] = index.store.batches_at([position]).values()
    tamper(index, "UPDATE claims SET octets = x'00' WHERE batch = ? AND position <> ?", (batch, position))
    with pytest.raises(StoreError, match="damaged"):
        index.store.signed(batch)
    assert index.explain("m8@x").statements == whole.statements
    monkeypatch.setattr("weft.store.claims.load_tree", None)
    assert index.explain("m8@x").statements == whole.statements
    [damaged] = index.explain("m7@x").statements
    assert (damaged.batch, damaged.list) == (whole.statements[0].batch, whole.statements[0].list)
    assert "damaged" in damaged.hidden
