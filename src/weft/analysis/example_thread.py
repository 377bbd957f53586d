"""One thread of a corpus as people see it, and which thread to draw if nobody says which.

Theory of operation
-------------------
The thread that is drawn unasked is the one that tells most and can still be taken in at one look.  In this order:

* it stands on several lists; on no list whole, or at least not the same on all of them;
* it has `FEW` to `MANY` messages; where no thread has, the one that is nearest to that;
* the list that holds most of it lacks the most messages; then, the most of its replies are on a list that lacks the
  message answered.

Equal ones go by root id, so that equal mail gives equal pictures.

A corpus keeps of each Date the second and not the zone, so the dates of such a thread are in UTC; and it keeps no
bodies, so unrelated contents under one id are not told apart.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from weft.analysis.components import refers
from weft.analysis.corpus import Corpus, members, several
from weft.analysis.crossposts import holders_of_groups
from weft.core.author import decode_author
from weft.core.date import MISSING, format_date
from weft.core.display_order import DisplayOrder
from weft.core.edge_digest import digest_of_edges
from weft.core.forest import NONE, root_of_each
from weft.core.message_id import keys_of
from weft.core.subject import decode_text
from weft.errors import NotFoundError
from weft.model import Copy, Message, Thread

FEW, MANY = 8, 60
"""So many messages read well in one picture."""


def thread_with(corpus: Corpus, message_id: str) -> Thread:
    """The thread in which an id stands; `NotFoundError` if no message has or names it."""
    names = keys_of(message_id)
    node = next((node for node, name in enumerate(corpus.forest.ids) if name in names), NONE)
    if node == NONE:
        raise NotFoundError(f"no message has or names the id {message_id!r}; look for it in other archives")
    roots = root_of_each(corpus.forest.parents)
    return _thread(corpus, roots, roots[node])


def choose_thread(corpus: Corpus) -> Thread | None:
    """The thread that tells most; None if nobody holds any message."""
    roots = root_of_each(corpus.forest.parents)
    sizes = Counter(root for root, lists in zip(roots, corpus.holders, strict=True) if lists)
    if not sizes:
        return None
    spread = holders_of_groups(corpus, roots)
    best, unseen = _best_lists(corpus, roots), _unseen_edges(corpus, roots)
    ids = corpus.forest.ids

    def rank(root: int) -> tuple[int, int, int, int, int, bytes]:
        some, every = spread[root]
        tells = 0 if not several(some) else 1 if some == every else 2 if every else 3
        return -tells, _distance(sizes[root]), best[root] - sizes[root], -unseen[root], -sizes[root], ids[root]

    return _thread(corpus, roots, min(sizes, key=rank))


def _distance(size: int) -> int:
    """How far a thread is from a size that reads well."""
    return max(FEW - size, size - MANY, 0)


def _best_lists(corpus: Corpus, roots: Sequence[int]) -> dict[int, int]:
    """Of each tree the number of messages on the list that holds most of it."""
    held: Counter[tuple[int, int]] = Counter()
    for root, lists in zip(roots, corpus.holders, strict=True):
        held.update((root, number) for number in members(lists))
    best: dict[int, int] = {}
    for (root, _), messages in held.items():
        best[root] = max(best.get(root, 0), messages)
    return best


def _unseen_edges(corpus: Corpus, roots: Sequence[int]) -> Counter[int]:
    """Of each tree: pairs of a list and a reply on it to a message that only other lists hold."""
    found: Counter[int] = Counter()
    for node, (lists, parent) in enumerate(zip(corpus.holders, corpus.forest.parents, strict=True)):
        if lists and parent != NONE and corpus.holders[parent]:
            found[roots[node]] += (lists & ~corpus.holders[parent]).bit_count()
    return found


def _thread(corpus: Corpus, roots: Sequence[int], root: int) -> Thread:
    """The tree below ``root`` as a thread."""
    nodes = [node for node, top in enumerate(roots) if top == root]
    places = {node: place for place, node in enumerate(nodes)}
    forest, copies = corpus.forest, _copies(corpus, places)
    ids = [forest.ids[node] for node in nodes]
    parents = array("i", (places.get(forest.parents[node], NONE) for node in nodes))
    dates = [min((seconds for seconds, _ in copies[node] if seconds != MISSING), default=MISSING) for node in nodes]
    layout = DisplayOrder(ids, parents, bytearray(not copies[node] for node in nodes), dates)
    shown = layout.held if any(layout.held) else bytes([1]) * len(nodes)
    naming = _naming(corpus, {node for node in nodes if not copies[node]})
    messages = [
        _message(corpus, nodes[place], depth, [copy for _, copy in copies[nodes[place]]], naming)
        for place, depth in layout.tree(places[root])
        if shown[place]
    ]
    return Thread(tuple(messages), _digest(messages))


def _copies(corpus: Corpus, wanted: Mapping[int, int]) -> dict[int, list[tuple[int, Copy]]]:
    """The copies of each wanted node with the seconds of their dates, the one to be shown first."""
    found: dict[int, list[tuple[int, Copy]]] = {node: [] for node in wanted}
    for copy, node in enumerate(corpus.nodes):
        if node in found:
            seconds = corpus.seconds[copy]
            subject, author = decode_text(corpus.subjects[copy]), decode_author(corpus.authors[copy])
            name = corpus.names[corpus.lists[copy]]
            found[node].append((seconds, Copy(name, subject, author, format_date(seconds, 0))))
    for copies in found.values():
        copies.sort(key=lambda one: (one[1].list, one[0], one[1].subject, one[1].author))
    return found


def _naming(corpus: Corpus, ghosts: set[int]) -> dict[int, list[int]]:
    """For each ghost the lists of the copies that name it, one entry a copy."""
    found: dict[int, list[int]] = defaultdict(list)
    for copy, number in enumerate(corpus.lists if ghosts else ()):
        for other in refers(corpus, copy) & ghosts:
            found[other].append(number)
    return found


def _message(
    corpus: Corpus, node: int, depth: int, copies: Sequence[Copy], naming: Mapping[int, Sequence[int]]
) -> Message:
    forest, named = corpus.forest, naming.get(node, ())
    parent, first = forest.parents[node], copies[0] if copies else Copy("", "", "", None)
    return Message(
        _text(corpus, node),
        None if parent == NONE else _text(corpus, parent),
        depth,
        not copies,
        node in forest.contested,
        min(1, len(copies)),
        min((copy.date for copy in copies if copy.date is not None), default=None),
        first.author,
        first.subject,
        tuple(copies),
        rivals=tuple(None if one == NONE else _text(corpus, one) for one in forest.contested.get(node, ())),
        cut=_text(corpus, forest.cuts[node]) if node in forest.cuts else None,
        named=len(named),
        named_on=tuple(corpus.names[number] for number in sorted(set(named))),
    )


def _text(corpus: Corpus, node: int) -> str:
    return corpus.forest.ids[node].decode("utf-8", "surrogateescape")


def _digest(messages: Iterable[Message]) -> str:
    """As `weft.model.Thread` has it: over ids and edges."""

    def label(name: str | None) -> bytes:
        data = b"" if name is None else name.encode("utf-8", "surrogateescape")
        return bytes([len(data)]) + data

    return digest_of_edges([label(message.id) + label(message.parent) for message in messages])
