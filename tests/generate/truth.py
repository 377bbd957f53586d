"""The truth about generated mail: whom each message really answers, what its headers tell of it, and what is lacking.

Theory of operation
-------------------
Three things are kept apart.  The *conversation* is what happened: each message and its true parent.  A *tree* is what
remains of it in headers: some replies name no one, and the parent of a message that nobody has (a ghost) is known only
from the References of those who answer it.  A *component* is all ids that are connected by any reference.

All of it is read from the records of the generator, never from bytes, and by rules that are written here a second
time: a message is where its In-Reply-To says, else its last reference; a ghost is below whom the nearest references
put it, if they agree; of a cycle one edge goes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from tests.generate.conversations import Mail
from tests.generate.crosspost_counts import Counting, Dangling, Replies, Threads, connected
from tests.generate.message_bytes import list_name

_LONGEST = 250
_LAST = 99


@dataclass(frozen=True, slots=True)
class Message:
    """The truth about one id.

    ``parent``        the message that it answers; ``conversation``: the one that began it all
    ``stated``        the parent that the headers of all lists together tell; ``tree``: the root that this leads to
    ``component``     the least of the ids that it is connected with
    ``lists``         the lists that hold it; none: a ghost

    A ghost that nobody names has neither a tree nor a component.
    """

    parent: str | None
    conversation: str
    stated: str | None
    tree: str | None
    component: str | None
    lists: tuple[str, ...]
    ghost: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth about all messages, by their ids as an index knows them (see `key`), and what a report has to count.

    ``trees components conversations``  threads, counted in three ways
    ``references parents``              for each list, how many it does not hold
    ``replies``                         for each list, and for all together under the name ""
    """

    messages: dict[str, Message]
    trees: Threads
    components: Threads
    conversations: Threads
    references: dict[str, Dangling]
    parents: dict[str, Dangling]
    replies: dict[str, Replies]

    @classmethod
    def of(cls, mails: Iterable[Mail]) -> Truth:
        """The truth about all messages that were generated (those that nobody has come as parents of others)."""
        held = list(mails)
        everything = {key(mail.id): mail for mail in _with_ancestors(held)}
        said = {key(mail.id): _Said.by(mail) for mail in held}
        stated = _cut(_stated(said), said)
        parents = {name: key(mail.parent.id) if mail.parent else None for name, mail in everything.items()}
        names = {name: one.names for name, one in said.items()}
        trees, components, conversations = _roots(stated), connected(names), _roots(parents)
        messages = {
            name: Message(
                parents[name],
                conversations[name],
                stated.get(name),
                trees.get(name),
                components.get(name),
                tuple(map(list_name, mail.lists)),
                not mail.lists,
            )
            for name, mail in everything.items()
        }
        lists = {name: messages[name].lists for name in said}
        counting = Counting(lists, names, {name: stated[name] for name in said})
        return cls(
            messages,
            counting.threads(trees),
            counting.threads(components),
            counting.threads(conversations),
            counting.references(),
            counting.parents(),
            counting.replies(),
        )


def key(message_id: str) -> str:
    """An id as an index knows it: itself, or a digest if it is too long."""
    return message_id if len(message_id) <= _LONGEST else f"sha256:{sha256(message_id.encode()).hexdigest()}"


def write_truth(truth: Truth, path: Path) -> None:
    """Write it as JSON: the counts, and then the messages, one in each line."""
    plain = {field.name: getattr(truth, field.name) for field in fields(truth) if field.name != "messages"}
    lines = (f"{json.dumps(name)}: {json.dumps(asdict(message))}" for name, message in truth.messages.items())
    head = json.dumps({"format": 1, **plain}, indent=1, default=asdict).removesuffix("\n}")
    path.write_text(head + ',\n "messages": {\n' + ",\n".join(lines) + "\n}}\n")


@dataclass(frozen=True, slots=True)
class _Said:
    """What one message's headers say, read as a threading program does: ``References`` of at most 100 ids."""

    parent: str | None
    references: tuple[str, ...]
    witness: bool

    @classmethod
    def by(cls, mail: Mail) -> _Said:
        # Each id once, where it stands last.
        found = [key(name) for name in dict.fromkeys(reversed(mail.references))][::-1]
        references = tuple(found if len(found) <= _LAST + 1 else [found[0], *found[-_LAST:]])
        last = references[-1] if references else None
        replied = key(mail.in_reply_to) if mail.in_reply_to else None
        return cls(replied or last, references, replied in (None, last))

    @property
    def names(self) -> set[str]:
        return {*self.references, *([self.parent] if self.parent else [])}


def _with_ancestors(held: list[Mail]) -> Iterable[Mail]:
    """Those that somebody has, and those that nobody has and these answer."""
    seen = {mail.number for mail in held}
    for mail in held:
        above: Mail | None = mail
        while above is not None and (above is mail or above.number not in seen):
            seen.add(above.number)
            yield above
            above = above.parent


def _stated(said: Mapping[str, _Said]) -> dict[str, tuple[str | None, int]]:
    """(parent, distance from who says so) of each id that somebody has or names."""
    stated = {name: (one.parent, 0) for name, one in said.items()}
    witnesses: dict[str, dict[int, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    for one in said.values():
        for name in one.names:
            if name not in said:
                witnesses[name]
        chain = (None, *one.references) if one.witness else ()
        for gap, (above, below) in enumerate(reversed(list(pairwise(chain)))):
            if below is not None and below not in said:
                witnesses[below][gap].add(above)
    for name, by_gap in witnesses.items():
        nearest = min(by_gap, default=0)
        parents = by_gap.get(nearest, {None})
        stated[name] = (next(iter(parents)) if len(parents) == 1 else None, nearest)
    return stated


def _cut(stated: Mapping[str, tuple[str | None, int]], said: Mapping[str, _Said]) -> dict[str, str | None]:
    """The stated parents, without one edge of each cycle: a ghost's first, the most distant, that of the least id."""
    edges = {name: parent for name, (parent, _) in stated.items()}
    visited: dict[str, str] = {}
    for start in stated:
        name: str | None = start
        while name is not None and name not in visited:
            visited[name] = start
            name = edges[name]
        if name is not None and visited[name] == start:
            cycle, above = [name], edges[name]
            while above != name:
                assert above is not None
                cycle.append(above)
                above = edges[above]
            edges[min(cycle, key=lambda one: (one in said, -stated[one][1], one))] = None
    return edges


def _roots(parents: Mapping[str, str | None]) -> dict[str, str]:
    """The root of each id."""
    roots: dict[str, str] = {}
    for start in parents:
        path, name = [start], parents[start]
        while name is not None and name not in roots:
            path.append(name)
            name = parents[name]
        root = roots[name] if name is not None else path[-1]
        roots.update(dict.fromkeys(path, root))
    return roots
