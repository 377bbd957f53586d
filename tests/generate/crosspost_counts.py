"""What a report of cross-posts has to find, counted from the records of the generator.

A thread is on several lists if its messages are; not the same on all if one of these lacks a message of it; whole on
none if each of them does.  A list lacks messages of its own threads; it can name those that its messages refer to.  A
thread is in pieces on a list whose own messages do not connect what it holds of the thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar


@dataclass(slots=True)
class Spread:
    """Threads, by the lists on which their messages are."""

    threads: int = 0
    on_several_lists: int = 0
    not_the_same_on_all: int = 0
    whole_on_none: int = 0


@dataclass(slots=True)
class Lacks:
    """Threads of which a list lacks messages, those that are in pieces there, the messages, those that it can name."""

    threads: int = 0
    in_pieces: int = 0
    messages: int = 0
    named: int = 0


@dataclass(slots=True)
class Threads:
    """Threads of all lists together, the threads of each list, and what it lacks of them."""

    together: Spread
    lists: dict[str, Spread]
    lacks: dict[str, Lacks]


@dataclass(slots=True)
class Dangling:
    """What the messages of a list refer to and it does not hold: in all, on another list, on none."""

    dangling: int = 0
    found_elsewhere: int = 0
    held_by_nobody: int = 0


@dataclass(slots=True)
class Replies:
    """Replies to messages that a list holds: in all, to several lists, that leave this one out; and that join it."""

    replies: int = 0
    to_several_lists: int = 0
    drop_a_list: int = 0
    drop_one_of_several: int = 0
    add_a_list: int = 0


_Row = TypeVar("_Row", Spread, Lacks, Dangling, Replies)


@dataclass(frozen=True, slots=True)
class Counting:
    """The messages that somebody has: ``lists`` that hold each, the ids that its headers name, its stated parent."""

    lists: Mapping[str, tuple[str, ...]]
    names: Mapping[str, set[str]]
    stated: Mapping[str, str | None]

    def threads(self, groups: Mapping[str, str]) -> Threads:
        """Count threads: ``groups`` says of each id in which thread it is."""
        found = Threads(Spread(), self._rows(Spread), self._rows(Lacks))
        named, pieces = self._named(), self._pieces()
        members: dict[str, list[str]] = defaultdict(list)
        for name in self.lists:
            members[groups[name]].append(name)
        for thread in members.values():
            lacking: dict[str, list[str]] = {where: [] for name in thread for where in self.lists[name]}
            for name in thread if len(lacking) > 1 else ():
                for where in lacking.keys() - self.lists[name]:
                    lacking[where].append(name)
            facts = (True, len(lacking) > 1, any(lacking.values()), all(lacking.values()))
            for row in (found.together, *map(found.lists.__getitem__, lacking)):
                _count(row, facts)
            for where, lacked in lacking.items():
                parts = {pieces[where][name] for name in thread if where in self.lists[name]}
                known = sum(name in named[where] for name in lacked)
                _count(found.lacks[where], (bool(lacked), len(parts) > 1, len(lacked), known))
        return found

    def references(self) -> dict[str, Dangling]:
        """References and In-Reply-To to what a list does not hold."""
        return self._dangling((name, other) for name, others in self.names.items() for other in others)

    def parents(self) -> dict[str, Dangling]:
        """Parents that a list does not hold."""
        return self._dangling((name, parent) for name, parent in self.stated.items() if parent is not None)

    def replies(self) -> dict[str, Replies]:
        """Whether replies go where their parents went, for each list, and under "" for all together."""
        rows = {**self._rows(Replies), "": Replies()}
        for name, parent in self.stated.items():
            above = set(self.lists.get(parent, ())) if parent else set()
            if not above:
                continue
            here, several = set(self.lists[name]), len(above) > 1
            for where in (*above, ""):
                drops = where not in here if where else bool(above - here)
                _count(rows[where], (True, several, drops, drops and several))
            for where in (*(here - above), *([""] if here - above else [])):
                rows[where].add_a_list += 1
        return rows

    def _dangling(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Dangling]:
        rows = self._rows(Dangling)
        for name, other in pairs:
            holders = self.lists.get(other, ())
            for where in self.lists[name]:
                if where not in holders:
                    _count(rows[where], (True, bool(holders), not holders))
        return rows

    def _rows(self, kind: type[_Row]) -> dict[str, _Row]:
        return {where: kind() for where in sorted({where for holders in self.lists.values() for where in holders})}

    def _named(self) -> dict[str, set[str]]:
        """The ids that the messages of each list name."""
        named: dict[str, set[str]] = defaultdict(set)
        for name, others in self.names.items():
            for where in self.lists[name]:
                named[where] |= others
        return named

    def _pieces(self) -> dict[str, dict[str, str]]:
        """For each list what its own messages connect."""
        own: dict[str, dict[str, set[str]]] = defaultdict(dict)
        for name, others in self.names.items():
            for where in self.lists[name]:
                own[where][name] = others
        return {where: connected(names) for where, names in own.items()}


def connected(names: Mapping[str, set[str]]) -> dict[str, str]:
    """The least id of the component of each id, where ``names`` says which ids the headers of each message name."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for name, others in names.items():
        neighbours[name] |= others
        for other in others:
            neighbours[other].add(name)
    components: dict[str, str] = {}
    for start in sorted(neighbours):
        for name in _reached(start, neighbours, components):
            components[name] = start
    return components


def _reached(start: str, neighbours: Mapping[str, set[str]], known: Mapping[str, str]) -> Iterator[str]:
    """All that can be reached and is not ``known``; whoever asks for the next has made the last one known."""
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in known:
            yield name
            waiting += neighbours[name]


def _count(row: _Row, facts: tuple[int, ...]) -> None:
    """Add to the fields of a row, in their order."""
    for field, fact in zip(fields(row), facts, strict=False):
        setattr(row, field.name, getattr(row, field.name) + fact)
