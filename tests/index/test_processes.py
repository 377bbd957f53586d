"""Several processes with one index open: each sees what the others wrote, and none breaks what another made.

Two `Index` objects on one file are to SQLite what two processes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.index.factories import expected, mail, open_index, parents, placed, write
from weft import Index
from weft.errors import NotFoundError, StoreError
from weft.policy.rules import Mute

Pair = tuple[Index, Index]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with open_index(tmp_path) as first, open_index(tmp_path) as second:
        yield first, second


def assert_right(*indexes: Index) -> None:
    for index in indexes:
        assert placed(index.all_threads()) == expected(index)
        assert list(index.check()) == []


def test_two_that_write_in_turn_keep_one_view(pair: Pair, tmp_path: Path) -> None:
    """Each remembers rows; what the other wrote since must not be written over."""
    for number in range(6):
        chain = [f"m{other}@x" for other in range(number + 2) if other != number][::-1]
        file = write(tmp_path / f"{number}.mbox", mail(f"m{number}@x", chain))
        pair[number % 2].ingest("git", file)
        assert_right(*pair)
    pair[0].retract(["m1@x"])
    assert "m1@x" in parents(pair[1])
    assert pair[1].thread("m1@x").messages == pair[0].thread("m1@x").messages
    pair[1].retract(["m2@x"])
    assert_right(*pair)


def test_a_withdrawal_that_another_process_took_in_is_seen_at_once(pair: Pair, tmp_path: Path) -> None:
    first, second = pair
    first.ingest("git", write(tmp_path / "git.mbox", mail("a@x"), mail("b@x", ["a@x"])))
    assert len(second.thread("a@x").messages) == 2
    first.retract(["b@x"])
    assert len(second.thread("a@x").messages) == 1
    assert second.retract(["b@x"]) == 0
    with pytest.raises(NotFoundError):
        second.thread("b@x")


def test_a_message_that_is_expunged_while_threads_are_listed_is_left_out(pair: Pair, tmp_path: Path) -> None:
    first, second = pair
    first.ingest("git", write(tmp_path / "git.mbox", *(mail(f"m{number}@x") for number in range(9))))
    seen = set()
    for number, thread in enumerate(second.all_threads()):
        seen.add(thread.root)
        if number == 3:
            first.expunge([f"m{other}@x" for other in range(9)])
    assert seen == {f"m{number}@x" for number in range(4)}
    assert parents(second) == {}


def test_one_that_looks_under_another_policy_makes_the_view_again_and_the_other_notices(
    pair: Pair, tmp_path: Path
) -> None:
    first, second = pair
    first.ingest("git", write(tmp_path / "git.mbox", mail("a@x"), mail("b@x", ["a@x"])))
    second.set_policy(replace(second.policy, mute=Mute(ids=frozenset([b"b@x"]))))
    assert parents(second) == {"a@x": None}
    assert parents(first) == {"a@x": None, "b@x": "a@x"}
    first.ingest("git", write(tmp_path / "more.mbox", mail("c@x", ["a@x", "b@x"])))
    assert_right(first)
    assert_right(second)
    second.ingest("git", write(tmp_path / "last.mbox", mail("d@x", ["a@x", "b@x"])))
    assert_right(second)
    assert_right(first)


def test_one_that_may_only_read_says_that_the_view_is_of_another_policy(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("git", write(tmp_path / "git.mbox", mail("a@x"), mail("b@x", ["a@x"])))
        other = replace(index.policy, mute=Mute(ids=frozenset([b"b@x"])))
        said = pytest.raises(StoreError, match="another policy or version; open it once to write")
        with Index.open(tmp_path / "index.db", policy=other, read_only=True) as reader, said:
            reader.thread("a@x")
        with Index.open(tmp_path / "index.db", policy=index.policy, read_only=True) as reader:
            assert [thread.root for thread in reader.all_threads()] == ["a@x"]
            assert [found.message_id for found in reader.search("subject")] == []
            index.ingest("git", write(tmp_path / "more.mbox", mail("c@x", ["a@x"])))
            assert len(reader.thread("a@x").messages) == 3
            assert list(reader.check()) == []
            with pytest.raises(StoreError, match="opened to read only"):
                reader.retract(["a@x"])


def test_what_fails_in_its_middle_leaves_the_view_as_it_was(pair: Pair, tmp_path: Path) -> None:
    first, _ = pair
    first.ingest("git", write(tmp_path / "git.mbox", mail("a@x"), mail("b@x", ["a@x"])))
    before = parents(first)
    failing = patch.object(first.store, "rename_files", side_effect=ZeroDivisionError)
    with failing, pytest.raises(ZeroDivisionError):
        first.rename_list("git", "other")
    assert parents(first) == before
    first.ingest("git", write(tmp_path / "more.mbox", mail("c@x", ["a@x"])))
    assert_right(*pair)


def test_the_search_table_never_falls_behind_what_another_process_has_put_into_it(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    first.ingest("git", write(tmp_path / "git.mbox", mail("a@x")))
    first.ingest("git", write(tmp_path / "more.mbox", mail("b@x")))
    assert len(first.search("subject")) == 2
    # What a process does that has counted the claims before the other one put more of them into the table.
    counted = iter([3])
    with monkeypatch.context() as patched:
        patched.setattr(second.store, "position", lambda: next(counted, 1))
        second._view.fill_search()
    assert first._view._number("searched") == 2
    assert len(first.search("subject")) == 2
    assert list(second.check()) == list(first.check()) == []
