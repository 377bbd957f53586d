"""An index under another policy: what is seen is what that policy shows, and the view that is there stays as it is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import FIXTURES
from tests.index.factories import open_index, placed
from tests.index.test_view_properties import (
    SOME,
    Letter,
    Operation,
    assert_right,
    counting_as,
    folder,
    ingest,
    letters,
    muting,
    operations,
)
from weft import Index
from weft.errors import StoreError
from weft.index.schema import TABLES
from weft.policy.rules import Mute, Policy

ROOT = "20030210035225.GA1107@aldgate.example.com"


def rows(path: Path) -> dict[str, list[object]]:
    """All rows of the view of an index, and of the ids that it has numbered."""
    with closing(sqlite3.connect(path)) as connection:
        names = sorted(TABLES - {"search"} | {"ids", "search_data"})
        return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


def shown(index: Index) -> object:
    """All that can be seen of an index."""
    threads = list(index.all_threads())
    return (
        placed(threads),
        [(thread.root, thread.digest, thread.coverage) for thread in threads],
        [(found.message_id, found.root, found.variants) for found in index.search("s")],
        [repr(index.explain(message.id)) for thread in threads for message in thread.messages],
        index.lists(),
    )


@given(st.lists(letters, max_size=10), st.lists(operations, max_size=3), st.lists(operations, min_size=1, max_size=3))
@SOME
def test_an_index_under_another_policy_is_as_if_it_had_that_one(
    mails: list[Letter], before: list[Operation], change: list[Operation]
) -> None:
    with folder() as path:
        with open_index(path) as index:
            ingest(index, path, mails, 0)
            for operate in (*before, *change):
                policy = operate(index, index.policy)
                index.set_policy(policy)
            other = index.policy
            index.set_policy(open_policy(index))
            index.search("s")
        untouched = rows(path / "index.db")
        for suffix in ("", ".key"):
            shutil.copy(path / f"index.db{suffix}", path / f"copy.db{suffix}")
        with open_index(path, other, "copy.db") as copied:
            expected = shown(copied)
            assert_right(copied)
        with Index.under(path / "index.db", other) as seen:
            assert shown(seen) == expected
        assert rows(path / "index.db") == untouched


def open_policy(index: Index) -> Policy:
    return Policy(index.origin)


@pytest.fixture
def story(tmp_path: Path) -> Path:
    with open_index(tmp_path) as index:
        for name in ("drafts", "smtp-ops"):
            index.ingest(name, FIXTURES / "story" / f"{name}.mbox")
    return tmp_path / "index.db"


def test_nothing_is_made_where_the_view_is_of_that_policy_already(story: Path) -> None:
    with open_index(story.parent) as index:
        policy = index.policy
    with Index.under(story, policy) as seen:
        temporary = seen.store.connection.execute("SELECT count(*) FROM sqlite_temp_master").fetchone()
        assert temporary == (0,)
        assert len(seen.thread(ROOT).messages) == 18


def test_what_others_write_meanwhile_is_not_seen(story: Path, tmp_path: Path) -> None:
    with open_index(story.parent) as index:
        other = muting(Mute(authors=frozenset([b"bruno@okafor.example.net"])))(index, index.policy)
        with Index.under(story, other) as seen:
            before = shown(seen)
            assert index.retract([ROOT])
            assert shown(seen) == before
        assert list(index.check()) == []


def test_an_index_without_a_view_can_be_seen(story: Path) -> None:
    with closing(sqlite3.connect(story)) as connection:
        connection.execute("DROP TABLE view")
        connection.execute("DROP TABLE nodes")
    with Index.under(story, story.with_name("config.toml")) as seen:
        assert len(seen.thread(ROOT).messages) == 18
        with pytest.raises(StoreError, match="read only"):
            seen.retract([ROOT])
    with closing(sqlite3.connect(story)) as connection:
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'nodes'").fetchall()


def test_rules_about_ids_that_no_claim_names_number_none(story: Path) -> None:
    before = rows(story)
    with open_index(story.parent) as index:
        policy = counting_as({"nowhere@x": "neither@x", ROOT: "other@x"})(index, index.policy)
    with Index.under(story, policy) as seen:
        assert list(seen.all_threads())
    assert rows(story) == before
