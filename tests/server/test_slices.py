"""What one question to the store costs before others have their turn, however much there is about what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.store.factories import Origin, mail
from weft.core.feed import ALL_LISTS, Feed
from weft.core.id_digest import id_digest
from weft.exchange import store_backend
from weft.exchange.events import FindConcerned, FoundClaims
from weft.policy.feed_ranges import FeedRanges
from weft.store.interface import StoredClaim
from weft.store.sqlite import SqliteStore
from weft.testing import MemoryStore

OPEN, CLOSED = Origin("open"), Origin("closed")
CLAIMS = 400


class CountingStore(MemoryStore):
    """Counts the claims that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def at(self, positions: Sequence[int]) -> list[StoredClaim]:
        """Counted."""
        self.read += len(positions)
        return super().at(positions)


def filled(origin: Origin) -> CountingStore:
    store = CountingStore()
    with store.transaction():
        for start in range(0, CLAIMS, 200):
            store.put([origin.batch("git", *(mail(f"{n}@x", "root@x") for n in range(start, start + 200)))])
    return store


def ask(asked: store_backend.StoreBackend, beyond: int = 0, found: Sequence[bytes] = ()) -> FoundClaims:
    feeds = FeedRanges({OPEN.public: ALL_LISTS})
    answer = asked.answer(FindConcerned(feeds, [id_digest(b"root@x")], b"", 1000, (), beyond, found))
    assert isinstance(answer, FoundClaims)
    return answer


def test_an_id_with_many_claims_is_answered_in_slices_that_go_on_where_the_last_one_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_backend, "PAGE", 50)
    monkeypatch.setattr(store_backend, "_SLICE", 600)
    store = filled(OPEN)
    asked = store_backend.StoreBackend(store)
    answer, slices = ask(asked), 1
    while answer.beyond is not None:
        assert store.read <= 150
        store.read = 0
        answer, slices = ask(asked, answer.beyond, answer.elements), slices + 1
    assert (len(answer.elements), answer.done) == (CLAIMS, 1)
    assert slices >= 4


def test_claims_that_the_asker_may_not_read_are_not_read_for_it() -> None:
    store = filled(CLOSED)
    assert ask(store_backend.StoreBackend(store)) == FoundClaims([], 1, b"")
    assert store.read == 0
    assert store.feed(1) == Feed(CLOSED.public, b"git")


def test_ids_that_are_new_become_known_to_questions_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_backend, "_DIGESTED", 30)
    with SqliteStore(tmp_path / "index.db") as store:
        with store.transaction():
            store.put([OPEN.batch("git", *(mail(f"{n}@x", "root@x") for n in range(100)))])
        asked = store_backend.StoreBackend(store)
        answer, slices = ask(asked), 1
        while answer.beyond is not None:
            answer, slices = ask(asked, answer.beyond, answer.elements), slices + 1
        assert (len(answer.elements), answer.done, slices) == (100, 1, 4)
        assert ask(asked).beyond is None
        assert list(store.check()) == []
