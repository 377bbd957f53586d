"""A change of the policy while a server answers: by the view that is there, until that of the new policy is made."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.index.factories import mail, open_index, write
from tests.store.factories import Origin
from tests.store.factories import mail as claim
from weft.index.index import Index
from weft.policy.rows import Mute, Peer
from weft.policy.rows import Origin as Row
from weft.policy.rules import Policy
from weft.server.reader_pool import IndexReader, ReaderPool

OTHER = Origin("other")


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """One mail of its own, which another origin saw as an answer."""
    made = open_index(tmp_path)
    made.ingest("ours", write(tmp_path / "ours.mbox", mail("root@x"), mail("leaf@x", ["root@x"])))
    made.set_policy(replace(made.policy, origins={OTHER.public: Row(1, None)}))
    made.admit([OTHER.batch("theirs", claim("new@y", "root@x"))])
    return made


def ids(reader: IndexReader) -> set[str]:
    return {message.id for thread in reader.index.all_threads() for message in thread.messages}


def asked(path: Path, policy: Policy, *steps: Callable[[ReaderPool], object]) -> list[set[str]]:
    """What a pool of one thread answers before, between and after some steps."""

    async def ask() -> list[set[str]]:
        pool = ReaderPool(path, policy, 1, "test")
        found = [await pool.call(ids, 10)]
        for step in steps:
            step(pool)
            found.append(await pool.call(ids, 10))
        pool.close()
        return found

    return asyncio.run(ask())


def view_state(path: Path) -> bytes:
    with sqlite3.connect(path) as connection:
        [(state,)] = connection.execute("SELECT value FROM view WHERE key = 'state'").fetchall()
    connection.close()
    return bytes(state)


@pytest.mark.parametrize("tiers", [True, False])
def test_calls_are_answered_by_the_old_view_until_the_new_one_is_made(
    index: Index, monkeypatch: pytest.MonkeyPatch, tiers: bool
) -> None:
    path, old = index.store.path, index.policy
    new = replace(old, origins={}) if tiers else replace(old, mute=Mute(ids=frozenset([b"new@y"])))
    index.close()
    made: list[Policy] = []
    prepare = Index.prepare.__func__  # type: ignore[attr-defined]

    def noted(kind: type[Index], path: Path, policy: Policy) -> None:
        made.append(policy)
        prepare(kind, path, policy)

    monkeypatch.setattr(Index, "prepare", classmethod(noted))
    found = asked(path, old, lambda pool: pool.use(new), lambda _: Index.prepare(path, new), lambda _: None)
    assert ["new@y" in some for some in found] == [True, True, False, False]
    assert made == [new], "nobody makes the old view again"


def test_what_is_said_of_peers_counts_at_once_and_makes_no_view(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    path, old = index.store.path, index.policy
    index.close()
    new = replace(old, peers={OTHER.public: Peer()})
    monkeypatch.setattr(Index, "prepare", classmethod(lambda *_: pytest.fail("a view was made")))

    async def ask() -> Policy:
        pool = ReaderPool(path, old, 1, "test")
        await pool.call(ids, 10)
        pool.use(new)
        used = await pool.call(lambda reader: reader.index.policy, 10)
        pool.close()
        return used

    assert asyncio.run(ask()) is new


def test_two_changes_one_after_the_other_end_at_the_last(index: Index) -> None:
    path, old = index.store.path, index.policy
    index.close()
    one, two = replace(old, origins={}), replace(old, mute=Mute(ids=frozenset([b"leaf@x"])))

    def go_on(pool: ReaderPool) -> None:
        Index.prepare(path, one)
        pool.use(two)

    found = asked(path, old, lambda pool: pool.use(one), go_on, lambda _: None)
    assert "new@y" in found[0]
    assert "leaf@x" not in found[-1]
    assert "new@y" in found[-1]
    state = view_state(path)
    with Index.open(path, policy=two):
        assert view_state(path) == state
