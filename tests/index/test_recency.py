"""The newest threads of a list, and of all, are those that a look at every message finds, whenever it is asked."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.index.factories import mail, open_index, write
from tests.index.test_view_properties import IDS, LISTS, Operation, folder, operations
from weft import Index
from weft.core.cycle_cutting import WITNESS_RANK
from weft.index.listing import Listing

DAY = 86400
START = 1_000_000_000
UNDATED = -(1 << 62)
SOME = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Letter:
    """One message on its way to a list; ``day``: its date, counted from `START`."""

    list: str
    own: str
    references: tuple[str, ...]
    day: float | None

    @property
    def data(self) -> bytes:
        headers = [] if self.day is None else [f"Date: {formatdate(START + self.day * DAY)}"]
        return mail(self.own, self.references, headers=headers, body=f"{self.day}")


letters = st.builds(
    Letter,
    st.sampled_from(LISTS),
    st.sampled_from(IDS),
    st.lists(st.sampled_from(IDS), max_size=2, unique=True).map(tuple),
    st.sampled_from([None, -3, -2, 0.5, 1.5, 4, 9]),
)
"""From few ids, so that trees join, fall apart and meet again."""
steps = st.tuples(st.one_of(st.none(), operations), st.lists(letters, max_size=3), st.sampled_from([0, 0, 1, 3]))


def plain_order(index: Index, now: float, name: str | None) -> list[tuple[tuple[int, int], int]]:
    """((date, node) of its newest message, root) of each thread of a list, in the plainest way, newest first."""
    columns = "SELECT node, rank, parent, date FROM nodes"
    rows = {node: row for node, *row in index.store.connection.execute(columns)}
    trees: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for node, (rank, _, date) in rows.items():
        root = node
        while rows[root][1] >= 0:
            root = rows[root][1]
        if rank < WITNESS_RANK:
            trees[root].append((UNDATED, -node) if date is None or date > now + DAY else (date, node))
    lists = {thread.root: thread.lists for thread in index.all_threads()}
    chosen = [root for root in trees if name is None or name in lists[index.store.ids_of([root])[0].decode()]]
    return sorted(((max(trees[root]), root) for root in chosen), reverse=True)


def assert_listed(index: Index, now: int) -> None:
    listing = Listing(index.store.connection, index._view.reader, now)
    for name in (None, *LISTS, "nowhere"):
        wanted = plain_order(index, now, name)
        roots = [root for _, root in wanted]
        assert list(listing.newest_roots(None, None, name)) == roots
        for place, root in enumerate(roots):
            assert list(listing.newest_roots(None, root, name)) == roots[place + 1 :]
        for since in (START - 2 * DAY, START, START + 4 * DAY):
            assert list(listing.newest_roots(since, None, name)) == [root for key, root in wanted if key[0] >= since]


@given(st.lists(letters, max_size=10), st.lists(steps, max_size=5), st.sampled_from([0, 1, 5, 20]))
@SOME
def test_threads_are_listed_as_a_look_at_every_message_finds_them(
    mails: list[Letter], steps: list[tuple[Operation | None, list[Letter], int]], later: int
) -> None:
    now = START
    with folder() as path, open_index(path) as index, patch.object(time, "time", lambda: now):
        for number, (operation, more, days) in enumerate([(None, mails, 0), *steps]):
            now += days * DAY
            policy = operation(index, index.policy) if operation else index.policy
            if policy != index.policy:
                index.set_policy(policy)
            for name in LISTS:
                file = path / f"{name}.{number}.mbox"
                index.ingest(name, write(file, *(letter.data for letter in more if letter.list == name)))
            assert list(index.check()) == []
            assert_listed(index, now)
        assert_listed(index, now + later * DAY)


@given(st.lists(letters, max_size=8))
@SOME
def test_a_list_shows_the_threads_with_a_copy_on_it(mails: list[Letter]) -> None:
    with folder() as path, open_index(path) as index:
        for name in LISTS:
            index.ingest(name, write(path / f"{name}.mbox", *(letter.data for letter in mails if letter.list == name)))
        every = list(index.threads())
        for name in LISTS:
            assert list(index.threads(list_name=name)) == [thread for thread in every if name in thread.lists]


def test_a_tree_that_hangs_on_another_through_witnesses_alone_is_listed_with_it(tmp_path: Path) -> None:
    old = [Letter("one", "p@x", (), -1.5), Letter("one", "d@x", ("f@x", "e@x"), -2)]
    contested = [Letter("one", "c@x", ("p@x", "f@x"), -1), Letter("one", "c@x", ("q@x",), -1)]
    with open_index(tmp_path) as index:
        index.ingest("one", write(tmp_path / "old.mbox", *(letter.data for letter in old)))
        assert [thread.root for thread in index.threads()] == ["p@x", "f@x"]
        index.ingest("one", write(tmp_path / "new.mbox", *(letter.data for letter in contested)))
        assert [thread.root for thread in index.threads()] == ["c@x", "p@x"]
        assert list(index.check()) == []
