"""`weft.analysis.crossposts` for people: the findings in words, then a table for each question.

It says "lacks messages" and not "falls apart": what a list has of a thread it nearly always shows as one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap

from weft.analysis.bullets import bullet
from weft.analysis.crossposts import CrosspostCounts, Crossposts, Lacks
from weft.analysis.number_tables import draw, number, share
from weft.render.picture_labels import count

Numbers = Callable[[CrosspostCounts], Sequence[int]]

_TABLES: tuple[tuple[str, tuple[tuple[str, str], ...], Numbers], ...] = (
    (
        "Threads of which the list holds a message:",
        (("", "messages"), ("", "threads"), ("on several", "lists"), ("not the same", "on all"), ("whole on", "none")),
        lambda one: (
            one.messages, one.trees.threads, one.trees.on_several_lists, one.trees.not_the_same_on_all,
            one.trees.whole_on_none,
        ),
    ),
    (
        "What the list lacks of its own threads:",
        (
            ("threads that", "lack some"), ("threads", "in pieces"), ("messages", "it lacks"), ("that it", "can name"),
            ("that it", "cannot name"),
        ),
        lambda one: (
            one.lacks.threads, one.lacks.in_pieces, one.lacks.messages, one.lacks.named, one.lacks.not_named,
        ),
    ),
    (
        "What its messages refer to and it does not hold:",
        (
            ("", "references"), ("on another", "list"), ("held by", "nobody"),
            ("", "parents"), ("on another", "list"), ("held by", "nobody"),
        ),
        lambda one: (
            one.references.dangling, one.references.found_elsewhere, one.references.held_by_nobody,
            one.parents.dangling, one.parents.found_elsewhere, one.parents.held_by_nobody,
        ),
    ),
    (
        "Replies to its messages, and replies on it to messages that are only elsewhere (add the list):",
        (("", "replies"), ("to several", "lists"), ("drop", "the list"), ("add", "the list")),
        lambda one: (
            one.replies.replies, one.replies.to_several_lists, one.replies.drop_a_list, one.replies.add_a_list,
        ),
    ),
)  # fmt: skip


def lines(report: Crossposts, columns: int) -> Iterator[str]:
    """The whole report."""
    for sentence in _sentences(report):
        yield from bullet(sentence, columns)
    rows = [*report.lists.items()] + ([("together", report.together)] if len(report.lists) > 1 else [])
    for title, heads, numbers in _TABLES if rows else ():
        yield ""
        yield from wrap(title, columns)
        yield from draw(heads, [(name, numbers(counts)) for name, counts in rows], columns, sums=True)


def _sentences(report: Crossposts) -> Iterator[str]:
    counts, replies = report.together, report.together.replies
    yield (
        f"{count(len(report.lists), 'list')} with {count(counts.copies, 'copy', 'copies')} of "
        f"{count(counts.messages, 'message')}. {count(report.ghosts, 'more id')} "
        f"{'is' if report.ghosts == 1 else 'are'} named, and held by nobody."
    )
    if len(report.lists) < 2:
        yield "With one list there is nothing to compare; give two or more."
        return
    yield from _threads(counts)
    yield from _lacks(counts)
    if replies.to_several_lists:
        yield (
            f"Of {count(replies.to_several_lists, 'reply', 'replies')} to messages on two lists or more, "
            f"{share(replies.drop_one_of_several, replies.to_several_lists)} dropped a list."
        )
    if replies.add_a_list:
        yield f"{count(replies.add_a_list, 'reply', 'replies')} went to a list that the message answered is not on."


def _threads(counts: CrosspostCounts) -> Iterator[str]:
    trees, parts = counts.trees, counts.components
    text = f"{count(trees.threads, 'thread')}; on two lists or more: {share(trees.on_several_lists, trees.threads)}."
    if trees.on_several_lists and not trees.not_the_same_on_all:
        text += " Each of these is the same on all of its lists."
    elif trees.on_several_lists:
        text += (
            f" Of these, not the same on all of their lists: "
            f"{share(trees.not_the_same_on_all, trees.on_several_lists)}; whole on no list: "
            f"{share(trees.whole_on_none, trees.on_several_lists)}."
        )
    if parts != trees:
        text += (
            f" Counted as components, which are ids connected by any reference at all: {number(parts.threads)}, "
            f"{number(parts.on_several_lists)}, {number(parts.not_the_same_on_all)} and {number(parts.whole_on_none)}."
        )
    yield text


def _lacks(counts: CrosspostCounts) -> Iterator[str]:
    lacks, parents = counts.lacks, counts.parents
    if lacks.messages:
        yield (
            f"{count(lacks.threads, 'time')} a list lacks messages of a thread of its own, "
            f"{count(lacks.messages, 'message')} in all. It could ask for {share(lacks.named, lacks.messages)} by "
            f"name; nothing that it holds says that the others exist. {_pieces(lacks)}"
        )
    if parents.dangling:
        yield (
            f"{count(parents.dangling, 'time')} a list holds a reply but not the message that it answers. "
            f"On another list: {share(parents.found_elsewhere, parents.dangling)}; on none: "
            f"{share(parents.held_by_nobody, parents.dangling)}."
        )


def _pieces(lacks: Lacks) -> str:
    if not lacks.in_pieces:
        return "No thread falls apart by that: the list's own references connect what it holds of it."
    return (
        f"{count(lacks.in_pieces, 'time')} a thread falls apart on a list: "
        "the list's own references do not connect what it holds of it."
    )
