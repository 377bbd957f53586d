"""The log as far as some feeds go: what it costs, and that it is made for an index of an older version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.store.factories import Origin, mail
from weft.core.feed import ALL_LISTS, Lists
from weft.store import feed_runs
from weft.store.interface import VerifiedPart
from weft.store.sqlite import SqliteStore

A, B, C = Origin("a"), Origin("b"), Origin("c")
FEEDS = {A.public: ALL_LISTS, B.public: Lists(frozenset([b"l", b"not here"]))}


def put(store: SqliteStore, parts: Sequence[VerifiedPart]) -> None:
    with store.transaction():
        store.put(parts)


def taking_turns(rounds: int, origins: Sequence[Origin]) -> list[VerifiedPart]:
    return [origin.batch("l", mail(f"{n}@x")) for n in range(rounds) for origin in origins]


def read(store: SqliteStore, limit: int = 100) -> list[int]:
    """The positions of what is held of `FEEDS`, page by page."""
    found: list[int] = []
    before, end = -1, 0
    while before < end:
        before, (claims, end) = end, store.log_of(FEEDS, end, None, limit)
        assert len(claims) <= limit
        found += [one.position for one in claims]
    return found


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_feeds_that_take_turns_are_read_in_the_order_of_the_log(tmp_path: Path, limit: int) -> None:
    with SqliteStore(tmp_path / "index.db") as store:
        put(store, taking_turns(10, [A, C, B]))
        put(store, [B.batch("k", mail("k@x"))])
        assert read(store, limit) == [n for n in range(1, 31) if n % 3 != 2]


def test_of_more_feeds_than_can_be_merged_the_log_is_read_and_sorted_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_runs, "MOST_FEEDS", 2)
    with SqliteStore(tmp_path / "index.db") as store:
        put(store, [A.batch(f"l{n}", mail(f"{n}@x")) for n in range(5)])
        put(store, taking_turns(5, [C, B]))
        for limit in (1, 3, 100):
            assert read(store, limit) == [1, 2, 3, 4, 5, 7, 9, 11, 13, 15]


def test_what_others_hold_costs_nothing(tmp_path: Path) -> None:
    def steps(foreign: int) -> int:
        """Instructions of SQLite that a page takes."""
        with SqliteStore(tmp_path / f"{foreign}.db") as store:
            put(store, taking_turns(20, [A, B]))
            put(store, taking_turns(foreign, [C]) + [C.batch(f"{n}", mail(f"{n}@x")) for n in range(foreign)])
            put(store, taking_turns(20, [B, A]))
            counted = [0]

            def count() -> None:
                counted[0] += 1

            store.connection.set_progress_handler(count, 1)
            assert len(read(store)) == 40
            return counted[0]

    assert steps(2000) < steps(20) + 200


def test_positions_that_follow_each_other_are_one_row(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "index.db") as store:
        for n in range(5):
            put(store, [A.batch("l", *(mail(f"{n}.{m}@x") for m in range(4))) for n in range(n * 3, n * 3 + 3)])
        assert store.connection.execute("SELECT feed, position, count FROM feed_runs").fetchall() == [(1, 1, 60)]
        assert list(store.check()) == []


def test_an_index_of_an_older_version_gets_the_table_when_it_is_opened_to_write(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with SqliteStore(path) as store:
        put(store, taking_turns(10, [A, C, B]))
        put(store, taking_turns(12, [B]))
        rows = store.connection.execute("SELECT * FROM feed_runs").fetchall()
        store.connection.execute("DROP TABLE feed_runs")
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE '006%'")
    with SqliteStore(path) as again:
        assert again.connection.execute("SELECT * FROM feed_runs").fetchall() == rows
        assert list(again.check()) == []
