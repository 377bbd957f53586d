"""One thread over lanes of lists: who has what, and which replies each list could not see.  Only what, not where.

Theory of operation.  Each list is a lane, each message a row, in display order.  What a lane shows in a row is a
function of the message, of its parent and of its replies:

* ``held``: a copy was posted to the list;
* ``named``: the list has no copy, but mail on it says that the message exists: a reply there names it as its parent.
  For a ghost also References there;
* ``left``: the list has the parent and not this message, so that here a sub-thread left the list.

A message can be named and have left at once: that is a hole in the list's own conversation.  Where a lane shows
nothing, the list knows nothing of the message.  An edge stands in every lane that has the child or, if the child is
a ghost, names it; it is *seen* where the list has both ends.  So an edge that a list could not see is one that is not
*seen* in its lane, and an edge that crosses lanes is one whose parent is *named* in the lane of the child.

Edges that leave one parent in one lane share a `Rail`.  In display order rails of one lane are nested or apart, never
crossing, so each needs only a ``level``, by which it keeps clear of those within it.  All of it is iterative, and
linear in copies and edges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from weft.model import Message, Thread
from weft.render.subject_changes import new_subjects


class EdgeKind(Enum):
    """How a list knows an edge."""

    SEEN = "seen"
    """It has both ends."""
    NAMED = "named"
    """One end is only named there."""
    JOINED = "joined"
    """It comes from equal subjects, and from nobody's headers."""


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A message and the lanes (by number, ascending) in which something is to be drawn of it."""

    message: Message
    parent: int | None
    """The row of its parent."""
    held: tuple[int, ...]
    named: tuple[int, ...]
    left: tuple[int, ...]
    new_subject: bool
    """Its subject is not the one shown above it (`weft.render.subject_changes`)."""


@dataclass(frozen=True, slots=True)
class Rail:
    """The edges of one kind that leave one parent in one lane."""

    lane: int
    parent: int
    kind: EdgeKind
    straight: int | None
    """The child to which a straight line leads, because nothing of this lane stands between."""
    bent: tuple[int, ...]
    """The other children, ascending."""
    level: int
    """0 without bent children, else one more than any rail that lies within this one in its lane."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One list, and how much of the thread it has."""

    name: str
    has: int
    lacks: int
    seen: int
    """Of how many replies it has both ends."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """A thread laid out; lanes stand in the order in which the lists come into the conversation."""

    lanes: tuple[Lane, ...]
    rows: tuple[LaneRow, ...]
    rails: tuple[Rail, ...]
    messages: int
    """How many are no ghosts."""
    replies: int
    """How many messages have a parent that headers state, seen or not."""
    unseen: int
    """How many ghosts others name that are not muted."""


def lay_out(thread: Thread) -> Lanes:
    """The lanes, rows and rails of a thread."""
    names = _order(thread.messages)
    number = {name: place for place, name in enumerate(names)}
    parents = _parents(thread.messages)
    held = [tuple(sorted(number[name] for name in message.lists)) for message in thread.messages]
    named = _named(thread.messages, parents, held, number)
    changes = new_subjects(thread.messages)
    rows = tuple(
        LaneRow(message, parent, own, tuple(sorted(others)), _left(message, parent, own, held), change)
        for message, parent, own, others, change in zip(thread.messages, parents, held, named, changes, strict=True)
    )
    return Lanes(
        lanes=_count(names, rows),
        rows=rows,
        rails=_rails(rows),
        messages=sum(not row.message.ghost for row in rows),
        replies=sum(_is_reply(row) for row in rows),
        unseen=sum(row.message.ghost and not row.message.joined and not row.message.muted for row in rows),
    )


def _order(messages: Iterable[Message]) -> list[str]:
    """The lists: by the first row that they have, then the one with most messages first, then by name."""
    counts = Counter(name for message in messages for name in message.lists)
    first: dict[str, int] = {}
    for place, message in enumerate(messages):
        for name in message.lists:
            first.setdefault(name, place)
    return sorted(counts, key=lambda name: (first[name], -counts[name], name))


def _parents(messages: Iterable[Message]) -> list[int | None]:
    """The row of each parent."""
    place: dict[str, int] = {}
    parents = []
    for row, message in enumerate(messages):
        parents.append(None if message.parent is None else place.get(message.parent))
        place[message.id] = row
    return parents


def _named(
    messages: Sequence[Message], parents: Sequence[int | None], held: Sequence[tuple[int, ...]], number: dict[str, int]
) -> list[set[int]]:
    """For each row the lanes that name its message without having it; from below, as ghosts pass it on."""
    named: list[set[int]] = [{number[name] for name in message.named_on if name in number} for message in messages]
    for row in range(len(messages) - 1, -1, -1):
        named[row].difference_update(held[row])
        parent = parents[row]
        if parent is not None and not messages[row].joined:
            known = {*held[row], *named[row]} if messages[row].ghost else held[row]
            named[parent].update(known)
    return named


def _left(
    message: Message, parent: int | None, own: tuple[int, ...], held: Sequence[tuple[int, ...]]
) -> tuple[int, ...]:
    """The lanes that have the parent and not the message; nobody can say where a ghost was posted."""
    if message.ghost or parent is None:
        return ()
    return held[parent] if not own else tuple(lane for lane in held[parent] if lane not in own)


def _is_reply(row: LaneRow) -> bool:
    return row.parent is not None and not row.message.ghost and not row.message.joined


def _count(names: Iterable[str], rows: Sequence[LaneRow]) -> tuple[Lane, ...]:
    messages = sum(not row.message.ghost for row in rows)
    has = Counter(lane for row in rows for lane in row.held)
    seen: Counter[int] = Counter()
    for row in rows:
        if row.parent is not None and _is_reply(row):
            above = set(rows[row.parent].held)
            seen.update(lane for lane in row.held if lane in above)
    return tuple(Lane(name, has[lane], messages - has[lane], seen[lane]) for lane, name in enumerate(names))


def _rails(rows: Sequence[LaneRow]) -> tuple[Rail, ...]:
    """All rails, by parent."""
    straight: dict[tuple[int, int, EdgeKind], int] = {}
    bent: dict[tuple[int, int, EdgeKind], list[int]] = {}
    before: dict[int, int] = {}  # the last row so far that shows anything in a lane
    for place, row in enumerate(rows):
        if row.parent is not None:
            for lane, kind in _edges(row, rows[row.parent]):
                key = (row.parent, lane, kind)
                if before.get(lane) == row.parent:
                    straight[key] = place
                else:
                    bent.setdefault(key, []).append(place)
        for lane in (*row.held, *row.named, *row.left):
            before[lane] = place
    levels = _levels(bent)
    keys = sorted({*straight, *bent}, key=lambda key: (key[0], key[1], key[2].value))
    return tuple(
        Rail(key[1], key[0], key[2], straight.get(key), tuple(bent.get(key, ())), levels.get(key, 0)) for key in keys
    )


def _edges(row: LaneRow, parent: LaneRow) -> Iterable[tuple[int, EdgeKind]]:
    """The lanes in which the edge above a row stands."""
    if row.message.joined:
        return [(lane, EdgeKind.JOINED) for lane in row.held if lane in parent.held]
    edges = [(lane, EdgeKind.SEEN if lane in parent.held else EdgeKind.NAMED) for lane in row.held]
    return edges + [(lane, EdgeKind.NAMED) for lane in row.named] if row.message.ghost else edges


def _levels(bent: dict[tuple[int, int, EdgeKind], list[int]]) -> dict[tuple[int, int, EdgeKind], int]:
    """The level of each rail: inner ones begin later, and of those that begin together the shorter is the inner."""
    levels: dict[tuple[int, int, EdgeKind], int] = {}
    apart: dict[int, list[tuple[int, int]]] = {}  # of each lane: (parent, level) of rails that nothing encloses yet
    for key in sorted(bent, key=lambda key: (-key[0], bent[key][-1], key[2].value)):
        parent, lane, _ = key
        last, level, outer = bent[key][-1], 0, apart.setdefault(lane, [])
        while outer and outer[-1][0] < last:
            level = max(level, outer.pop()[1])
        levels[key] = level + 1
        outer.append((parent, level + 1))
    return levels
