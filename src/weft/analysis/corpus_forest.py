"""The threads of a body of mail, and the parents that a part of it would give.

Theory of operation
-------------------
What a server would show that has some of the copies and no others is what `weft.core.forest` makes of those copies.
All copies count alike here, as in the common view, so that servers can be compared.  Node numbers stay those of the
corpus, so parents compare as integers.  `NONE` alone says little of a part: a node may be a root in it, or never heard
of.  So each weaving also says which nodes it heard of: those that it holds, and those that its copies name.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from weft.analysis.corpus import Corpus, several
from weft.core.forest import NONE, ForestBuilder, root_of_each


@dataclass(frozen=True, slots=True)
class CorpusForest:
    """The forest of some copies: ``parents`` of all nodes, the nodes ``held`` by them, and those ``named`` or held."""

    parents: array[int]
    held: set[int]
    named: set[int]


def named_in(corpus: Corpus, copy: int) -> tuple[array[int], array[int]]:
    """The In-Reply-To and the References of a copy, as nodes."""
    starts, chains = corpus.reply_starts, corpus.reference_starts
    return (
        corpus.replies[starts[copy] : starts[copy + 1]],
        corpus.references[chains[copy] : chains[copy + 1]],
    )


def build_forest(corpus: Corpus, copies: Iterable[int]) -> CorpusForest:
    """The forest of ``copies`` and of nothing else; their order does not matter."""
    builder = ForestBuilder()
    builder.nodes([corpus.forest.ids])
    held: set[int] = set()
    named: set[int] = set()
    nodes, sane = corpus.nodes, corpus.sane
    for copy in copies:
        node = nodes[copy]
        replies, references = named_in(corpus, copy)
        builder.add(node, replies, bool(sane[copy]), references)
        held.add(node)
        named.update(replies)
        named.update(references)
    return CorpusForest(builder.forest().parents, held, named | held)


@dataclass(frozen=True, slots=True)
class CorpusThreads:
    """The trees in which somebody holds a message, numbered in the order of their first nodes.

    ``parents``   of all nodes, woven from all copies
    ``numbers``   the thread of each node; `NONE` in a tree of ghosts only
    ``roots``     the root of each thread
    ``messages``  how many messages of it are held by anybody
    ``lists``     the set of lists that hold any of them
    """

    parents: array[int]
    numbers: array[int]
    roots: array[int]
    messages: array[int]
    lists: list[int]

    def several(self, thread: int) -> bool:
        """Whether it stands on two lists or more."""
        return several(self.lists[thread])


def threads(corpus: Corpus) -> CorpusThreads:
    """The threads of all copies."""
    parents = build_forest(corpus, range(len(corpus.nodes))).parents
    top = root_of_each(parents)
    number_of = array("i", [NONE]) * len(parents)
    roots, messages = array("i"), array("i")
    lists: list[int] = []
    for node, holders in enumerate(corpus.holders):
        if not holders:
            continue
        root = top[node]
        if number_of[root] == NONE:
            number_of[root] = len(roots)
            roots.append(root)
            messages.append(0)
            lists.append(0)
        messages[number_of[root]] += 1
        lists[number_of[root]] |= holders
    numbers = array("i", map(number_of.__getitem__, top))
    return CorpusThreads(parents, numbers, roots, messages, lists)
