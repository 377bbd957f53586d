"""Sources whose mail belongs to several lists, and the lists of any sources."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from weft.sources.interface import Note, Notes, Record, RecordMaker, Source, T, make_record


class SeveralLists(ABC):
    """What a source whose mail belongs to several lists has beside the methods of a `weft.sources.interface.Source`."""

    @property
    @abstractmethod
    def named_by_place(self) -> bool:
        """The lists are called by where the mail lies, so that two archives may have one name without meaning it."""

    @abstractmethod
    def scan_lists(self, notes: Notes, make: RecordMaker[T]) -> Iterator[tuple[str, T]]:
        """(list, what ``make`` makes) of all messages, in file order."""

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same without the lists."""
        return (made for _, made in self.scan_lists(notes, make))

    def records(self, notes: Notes) -> Iterator[Record]:
        """The same with `make_record`."""
        return self.scan(notes, make_record)


def lists_of(sources: Iterable[Source]) -> list[str]:
    """The lists that sources belong to as far as it is known before they are read, sorted."""
    return sorted({source.list for source in sources if not isinstance(source, SeveralLists)})


def refuse_shared_lists(
    batches: Iterable[tuple[int, str, list[T]]], sources: Sequence[Source], notes: Notes
) -> Iterator[tuple[int, str, list[T]]]:
    """The batches without those of a list that an earlier source found in itself too, which is noted once."""
    owners: dict[str, int] = {}
    refused: set[tuple[str, int]] = set()
    for index, name, batch in batches:
        source = sources[index]
        if not (isinstance(source, SeveralLists) and source.named_by_place):
            yield index, name, batch
            continue
        owner = owners.setdefault(name, index)
        if owner == index:
            yield index, name, batch
        elif (name, index) not in refused:
            refused.add((name, index))
            why = f"holds the list {name}, as {sources[owner].path} does; not read: give LIST={source.path}"
            notes(Note(source.path, None, why, 1))
