"""What was withdrawn can be stated again: each operation has its opposite, and what remains decides the view."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import methodcaller
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.index.factories import mail, open_index, write
from tests.index.test_view_properties import folder
from weft import Index
from weft.core.claim import MAX_EDITION, Claim, claim_id, encode
from weft.index.editions import ListNames, current_edition
from weft.model import Message

NAMES = ["one", "two", "three"]
IDS = ["a@x", "b@x", "c@x", "d@x"]
MAILS = {name: mail(name, IDS[:place], subject=f"about {name}") for place, name in enumerate(IDS)}
CLAIM = Claim(b"o", b"l", b"m", (), False, (), b"", b"", b"", b"", b"")


@dataclass
class ListModel:
    """One of our lists: its name now, and which mail of it stands, was retracted by hand, or went with it."""

    name: str
    standing: set[str] = field(default_factory=set)
    retracted: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)


@dataclass
class World:
    """An index, and what is to be in it."""

    index: Index
    path: Path
    lists: tuple[ListModel, ListModel] = field(default_factory=lambda: (ListModel("one"), ListModel("two")))

    def ingest(self, place: int) -> None:
        one = self.lists[place]
        # A file of its own each time: what was read is not read again.
        file = write(self.path / f"{len(list(self.path.glob('*.mbox')))}.mbox", *MAILS.values())
        self.index.ingest(one.name, file)
        one.standing |= set(IDS) - one.retracted
        one.removed.clear()

    def remove(self, place: int) -> None:
        one = self.lists[place]
        assert self.index.remove_list(one.name) == len(one.standing)
        one.removed |= one.standing
        one.standing.clear()

    def undo_removal(self, place: int) -> None:
        one = self.lists[place]
        assert self.index.restore_list(one.name) == len(one.removed)
        one.standing |= one.removed
        one.removed.clear()

    def retract(self, place: int, mail_id: str) -> None:
        one = self.lists[place]
        if mail_id in one.standing:
            assert self.index.retract([mail_id], list_name=one.name) == 1
            one.standing.remove(mail_id)
            one.retracted.add(mail_id)

    def undo(self, mail_id: str) -> None:
        back = [one for one in self.lists if mail_id in one.retracted]
        if back:
            assert self.index.restate([mail_id]) == (len(back), 0)
            for one in back:
                one.retracted.remove(mail_id)
                one.standing.add(mail_id)

    def rename(self, place: int, name: str) -> None:
        one = self.lists[place]
        if one.standing and name not in {other.name for other in self.lists}:
            assert self.index.rename_list(one.name, name) == len(one.standing)
            one.name = name


Operation = Callable[[World], None]
places, ids = st.integers(0, 1), st.sampled_from(IDS)


def operation(name: str, *values: st.SearchStrategy[object]) -> st.SearchStrategy[Operation]:
    return st.tuples(*values).map(lambda found: methodcaller(name, *found))


operations = st.one_of(
    operation("ingest", places),
    operation("remove", places),
    operation("undo_removal", places),
    operation("retract", places, ids),
    operation("undo", ids),
    operation("rename", places, st.sampled_from(NAMES)),
)
SOME = settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shown(index: Index) -> tuple[list[tuple[Message, ...]], dict[str, int]]:
    """The messages of each thread, and how many claims stand on each list."""
    return [thread.messages for thread in index.all_threads()], {info.list: info.claims for info in index.lists()}


def fresh(world: World, path: Path) -> tuple[list[tuple[Message, ...]], dict[str, int]]:
    """The same of a new index of the same origin, into which what is to stand is ingested once."""
    path.mkdir()
    shutil.copy(world.path / "index.db.key", path)
    with open_index(path) as index:
        for one in world.lists:
            if one.standing:
                mails = [data for name, data in MAILS.items() if name in one.standing]
                index.ingest(one.name, write(path / "mails", *mails))
        return shown(index)


@SOME
@given(st.lists(operations, max_size=12))
def test_whatever_is_done_and_undone_the_view_is_that_of_what_remains(history: list[Operation]) -> None:
    with folder() as path, open_index(path) as index:
        world = World(index, path)
        for operate in history:
            operate(world)
        assert shown(index) == fresh(world, path / "fresh")
        assert list(index.check()) == []


@given(st.sets(st.integers(0, 20)))
def test_the_current_edition_is_the_least_that_is_not_withdrawn(numbers: set[int]) -> None:
    ids = {number: claim_id(encode(CLAIM._replace(edition=number))) for number in range(22)}
    edition = current_edition(CLAIM, {ids[number] for number in numbers})
    assert edition is not None
    least = min(set(range(22)) - numbers)
    assert (edition.claim, edition.identity) == (CLAIM._replace(edition=least), ids[least])
    assert edition.data == encode(edition.claim)
    assert edition.before == ids.get(least - 1)


def test_after_the_last_edition_there_is_none() -> None:
    class All(set[bytes]):
        def __contains__(self, _: object) -> bool:
            return True

    assert current_edition(CLAIM, All()) is None
    assert current_edition(CLAIM._replace(edition=MAX_EDITION), set()) is not None


def test_names_of_a_list_are_followed_in_time() -> None:
    names = ListNames([(10, b"a", b"b"), (20, b"b", b"c"), (30, b"x", b"a"), (40, b"c", b"a")])
    assert [names.now(b"a", at) for at in (5, 15, 35)] == [b"a", b"a", b"a"]
    assert [names.now(b"b", at) for at in (5, 15, 25)] == [b"a", b"a", b"b"]
    assert names.earlier(b"a") == [(b"c", 40), (b"b", 20), (b"a", 10)]
    assert names.earlier(b"z") == []
