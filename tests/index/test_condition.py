"""The condition of an index: what of it follows the log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import FIXTURES
from weft.errors import StoreError
from weft.index.condition import ConditionReader, IndexCondition, LagClock, last_ingest, wal_bytes
from weft.index.index import Index
from weft.policy.rules import Policy

DRAFTS = FIXTURES / "story" / "drafts.mbox"


def test_the_condition_says_how_far_view_and_search_are(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with Index.open(path, policy=Policy(None)) as index:
        policy = index.policy
        assert last_ingest(path) is None
        index.ingest("drafts", DRAFTS)
        assert last_ingest(path)
        assert wal_bytes(path) > 0
        reader = ConditionReader(path)
        assert reader.read([policy]) == IndexCondition(13, 13, 0, is_view_usable=True)
        index.search("introduction")
        assert reader.read([policy]).search_position == 13
        assert not reader.read([Policy(b"x" * 32)]).is_view_usable
        assert reader.read([Policy(b"x" * 32), policy]).is_view_usable
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE view")
    assert reader.read([policy]) == IndexCondition(13, 0, 0, is_view_usable=False)
    path.rename(tmp_path / "away.db")
    with pytest.raises(StoreError, match="No such file"):
        reader.read([policy])
    path.write_bytes((tmp_path / "away.db").read_bytes())
    with pytest.raises(StoreError, match="another file"):
        reader.read([policy])
    reader.close()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_a_lag_is_never_longer_than_it_is(steps: list[tuple[int, int]]) -> None:
    """Each second the log grows, and what follows it goes on, by so much."""
    clock, end, reached, ends = LagClock(), 0, 0, [0]
    for now, (more, further) in enumerate(steps):
        end += more
        reached = min(end, reached + further)
        ends.append(end)
        lag = clock.seconds(reached, end, now)
        assert (lag == 0) or reached < end
        first_missed = next((second for second, one in enumerate(ends[1:]) if one > reached), now)
        assert lag <= now - first_missed


def test_what_stands_still_lags_by_all_that_time() -> None:
    clock = LagClock()
    assert [clock.seconds(5, 5, 0), clock.seconds(5, 9, 1), clock.seconds(5, 99, 11)] == [0, 0, 10]
    assert clock.seconds(9, 99, 12) == 0, "the goal of then is reached; another one is set"
    assert clock.seconds(99, 99, 20) == 0
