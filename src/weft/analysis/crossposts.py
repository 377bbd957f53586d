"""What each list alone would show, against what all of them together show.

Theory of operation
-------------------
Each list is taken as a server of its own that has its own archive and nothing else.  Which lists hold a message is one
integer, a bit a list, so that a question about a thread is a union or an intersection over its messages:

* on **several lists**: the union of what holds its messages has two bits or more;
* **not the same on all**: of the lists that hold any message of it, not all hold the same ones: the intersection is not
  the union.  One of them may still hold all of it;
* **whole on none**: no list holds all the messages that any list holds: the intersection is empty.

A list **lacks** a message of its own threads if it holds another one of the same thread.  Some of these it can
**name**: they stand in References or In-Reply-To of a copy that it holds, and are ghosts to it.  Of the others it does
not know that there is anything to ask for.  A thread that lacks messages is still one thread on the list, unless the
list's own copies do not connect what it holds of it: then it is **in pieces**.

A reference or a parent **dangles** on a list that holds the message and not what it refers to: (list, message,
reference), each once, however many copies there are.

Threads are counted twice: as trees of the forest of all lists together, and as components
(`weft.analysis.components`).  Only threads of which some list holds a message count, and only messages that some list
holds: what nobody holds is in the forest, and is lacked by all alike.

"Together" is the sum over lists where it counts what lists lack; a thread or a reply counts there once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from weft.analysis.components import components, pieces, refers
from weft.analysis.corpus import Corpus, members, several
from weft.core.forest import NONE, root_of_each


@dataclass(frozen=True, slots=True)
class ThreadSpread:
    """Threads, those on several lists, those not the same on all of their lists, those that are whole on no list.

    Of one list: of the threads of which it holds a message.
    """

    threads: int
    on_several_lists: int
    not_the_same_on_all: int
    whole_on_none: int


@dataclass(frozen=True, slots=True)
class Lacks:
    """What a list lacks of its own threads.

    ``threads``    threads of which it holds some messages and lacks others
    ``in_pieces``  threads that fall apart there: its own copies do not connect what it holds of them.  Nearly all of
                   these lack messages; a ghost that only other lists can place is enough, too
    ``messages``   messages that it lacks of them
    ``named``      those of the messages that it can name; ``not_named`` the others
    """

    threads: int
    in_pieces: int
    messages: int
    named: int
    not_named: int


@dataclass(frozen=True, slots=True)
class Dangling:
    """References, or parents, that a list does not hold: in all, held by another list, held by nobody."""

    dangling: int
    found_elsewhere: int
    held_by_nobody: int


@dataclass(frozen=True, slots=True)
class Replies:
    """Replies, and how their lists differ from those of the message they answer, where somebody holds that.

    ``replies``           of one list: replies, wherever they are, to messages that it holds
    ``to_several_lists``  those whose parent is on several lists
    ``drop_a_list``       those of `replies` that are not on all lists of the parent; of one list: not on this one
    ``drop_one_of_several``  the same of ``to_several_lists``
    ``add_a_list``        replies on a list that the parent is not on; of one list: on this one
    """

    replies: int
    to_several_lists: int
    drop_a_list: int
    drop_one_of_several: int
    add_a_list: int


@dataclass(frozen=True, slots=True)
class CrosspostCounts:
    """All that is counted of one list, or of all together."""

    messages: int
    copies: int
    trees: ThreadSpread
    components: ThreadSpread
    lacks: Lacks
    lacks_of_components: Lacks
    references: Dangling
    parents: Dangling
    replies: Replies

    def as_json(self) -> dict[str, object]:
        """Plain values; the four numbers of trees stand beside the rest."""
        plain = asdict(self)
        return {**plain.pop("trees"), **plain}


@dataclass(frozen=True, slots=True)
class Crossposts:
    """The report: ``lists`` by name, sorted, and ``together``; ``ghosts`` are ids that are named and nobody holds."""

    lists: Mapping[str, CrosspostCounts]
    together: CrosspostCounts
    ghosts: int

    def as_json(self) -> dict[str, object]:
        """Plain values, for `json.dumps`; see the README."""
        lists = {name: counts.as_json() for name, counts in self.lists.items()}
        return {"lists": lists, **self.together.as_json(), "ghosts": self.ghosts}

    def lines(self, columns: int) -> Iterator[str]:
        """Text for people, not wider than ``columns`` where names of lists leave room."""
        from weft.analysis.crossposts_text import lines

        return lines(self, columns)


def report(corpus: Corpus) -> Crossposts:
    """Count all of it."""
    named = naming(corpus)
    by_tree, by_component = root_of_each(corpus.forest.parents), components(corpus)
    broken = _in_pieces(corpus, (by_tree, by_component))
    rows = zip(
        _messages(corpus),
        _copies(corpus),
        _spreads(corpus, by_tree),
        _spreads(corpus, by_component),
        _lacks(corpus, by_tree, named, broken[0]),
        _lacks(corpus, by_component, named, broken[1]),
        _references(corpus),
        _parents(corpus),
        _replies(corpus),
        strict=True,
    )
    *lists, together = [CrosspostCounts(*row) for row in rows]
    ghosts = sum(not held for held in corpus.holders)
    return Crossposts(dict(zip(corpus.names, lists, strict=True)), together, ghosts)


def naming(corpus: Corpus) -> list[int]:
    """For each node the set of lists that hold a copy which names it in References or In-Reply-To."""
    named = [0] * len(corpus.forest.ids)
    for copy, number in enumerate(corpus.lists):
        bit = 1 << number
        for other in refers(corpus, copy):
            named[other] |= bit
    return named


def holders_of_groups(corpus: Corpus, groups: Sequence[int]) -> dict[int, tuple[int, int]]:
    """For each group of nodes with a held one: (lists that hold any message of it, lists that hold all)."""
    found: dict[int, tuple[int, int]] = {}
    for group, lists in zip(groups, corpus.holders, strict=True):
        if lists:
            some, every = found.get(group, (0, -1))
            found[group] = some | lists, every & lists
    return found


def _rows(corpus: Corpus, width: int) -> list[list[int]]:
    """Counters for each list, and behind them for all together."""
    return [[0] * width for _ in range(len(corpus.names) + 1)]


def _messages(corpus: Corpus) -> list[int]:
    rows = _rows(corpus, 1)
    for lists in corpus.holders:
        for number in members(lists):
            rows[number][0] += 1
        rows[-1][0] += lists != 0
    return [row[0] for row in rows]


def _copies(corpus: Corpus) -> list[int]:
    counts = Counter(corpus.lists)
    return [*(counts[number] for number in range(len(corpus.names))), len(corpus.lists)]


def _spreads(corpus: Corpus, groups: Sequence[int]) -> list[ThreadSpread]:
    rows = _rows(corpus, 4)
    for some, every in holders_of_groups(corpus, groups).values():
        facts = (True, several(some), some != every, not every)
        for number in (*members(some), -1):
            row = rows[number]
            for place, fact in enumerate(facts):
                row[place] += fact
    return [ThreadSpread(*row) for row in rows]


def _lacks(corpus: Corpus, groups: Sequence[int], named: Sequence[int], broken: Sequence[int]) -> list[Lacks]:
    rows = _rows(corpus, 3)
    held = holders_of_groups(corpus, groups)
    for some, every in held.values():
        for number in members(some & ~every):
            rows[number][0] += 1
    for node, lists in enumerate(corpus.holders):
        missing = held[groups[node]][0] & ~lists if lists else 0
        for number in members(missing):
            rows[number][1] += 1
            rows[number][2] += named[node] >> number & 1
    rows[-1] = [sum(column) for column in zip(*rows, strict=True)]
    return [
        Lacks(threads, pieces, messages, known, messages - known)
        for (threads, messages, known), pieces in zip(rows, (*broken, sum(broken)), strict=True)
    ]


def _in_pieces(corpus: Corpus, groupings: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each way to group nodes, the number of groups that each list has in pieces."""
    counts = [[0] * len(corpus.names) for _ in groupings]
    for number, found in pieces(corpus):
        for groups, row in zip(groupings, counts, strict=True):
            pairs = {(groups[node], piece) for node, piece in found.items()}
            row[number] = sum(times > 1 for times in Counter(group for group, _ in pairs).values())
    return counts


def _references(corpus: Corpus) -> list[Dangling]:
    dangling = {
        (number, node, other)
        for copy, (number, node) in enumerate(zip(corpus.lists, corpus.nodes, strict=True))
        for other in refers(corpus, copy)
        if not corpus.holders[other] >> number & 1
    }
    return _dangling(corpus, ((number, other) for number, _, other in dangling))


def _parents(corpus: Corpus) -> list[Dangling]:
    holders = corpus.holders
    return _dangling(
        corpus,
        (
            (number, parent)
            for lists, parent in zip(holders, corpus.forest.parents, strict=True)
            if lists and parent != NONE
            for number in members(lists & ~holders[parent])
        ),
    )


def _dangling(corpus: Corpus, pairs: Iterator[tuple[int, int]]) -> list[Dangling]:
    """From (list, what it lacks)."""
    rows = _rows(corpus, 2)
    for number, node in pairs:
        rows[number][0] += 1
        rows[number][1] += corpus.holders[node] != 0
    rows[-1] = [sum(column) for column in zip(*rows, strict=True)]
    return [Dangling(all_of_them, found, all_of_them - found) for all_of_them, found in rows]


def _replies(corpus: Corpus) -> list[Replies]:
    rows = _rows(corpus, 5)
    for lists, parent in zip(corpus.holders, corpus.forest.parents, strict=True):
        above = corpus.holders[parent] if parent != NONE else 0
        if not lists or not above:
            continue
        to_several, dropped, added = several(above), above & ~lists, lists & ~above
        for number in (*members(above), -1):
            drops = dropped >> number & 1 if number >= 0 else dropped != 0
            for place, fact in enumerate((True, to_several, drops, drops and to_several)):
                rows[number][place] += fact
        for number in members(added):
            rows[number][4] += 1
        rows[-1][4] += added != 0
    return [Replies(*row) for row in rows]
