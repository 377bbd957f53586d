"""The tables of the page: every number of the report, in tables that a screen reader can walk through.

Each has a caption, heads that say for which columns or row they are, and a name in the first cell of each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple

from weft.analysis.arrival_order import Arrival
from weft.analysis.authority_models import Models
from weft.analysis.authority_models_text import NAMES
from weft.analysis.crossposts import CrosspostCounts, Crossposts
from weft.analysis.shared_threads import TENTHS, ListPair, Origins
from weft.render.lanes.marks import escape
from weft.render.picture_labels import count, tidy

MOST_PAIRS = 30
"""Of more pairs of lists only those that share most are named."""

Row = tuple[str, Sequence[object]]
Group = tuple[str, Sequence[str]]
"""A head over several columns, or nothing, and their heads."""


def origins(found: Origins) -> str:
    """Threads by what the server where they began holds of them."""
    rows: list[Row] = [("all messages", [found.whole])]
    rows += [
        (f"{tenth * 10} % to under {tenth * 10 + 10} %", [found.tenths[tenth]]) for tenth in range(TENTHS - 1, -1, -1)
    ]
    rows += [("nothing: root not seen here", [found.root_unseen]), ("together", [found.threads])]
    return (
        _table("Threads on several lists", "it holds", [("", ["threads"])], rows, total=True) if found.threads else ""
    )


def lacks(report: Crossposts) -> str:
    """What each list lacks, as `weft.analysis.crossposts.Lacks` has it."""
    heads = ["messages it holds", "messages it lacks", "that it can name", "that none of its mail names"]
    return _by_list(
        report,
        "Messages of its own threads",
        [("", heads)],
        lambda one: [one.messages, one.lacks.messages, one.lacks.named, one.lacks.not_named],
    )


def pairs(names: Sequence[str], shared: Sequence[ListPair]) -> str:
    """The pairs of lists that share most threads."""
    if not shared:
        return ""
    rows: list[Row] = [
        (f"{tidy(names[pair.one])} and {tidy(names[pair.other])}", [pair.threads]) for pair in shared[:MOST_PAIRS]
    ]
    more = len(shared) - len(rows)
    caption = "Pairs of lists that share threads" + (f" ({count(more, 'more pair')} not named)" if more > 0 else "")
    return _table(caption, "lists", [("", ["threads on both"])], rows)


def models(report: Models) -> str:
    """Each model: what is known in all threads, and in those on several lists."""
    heads = ("messages known", "threads whole", "parents right")
    one, other = report.all, report.on_several_lists
    rows: list[Row] = [
        ("all there is", [one.messages, one.threads, one.messages, other.messages, other.threads, other.messages])
    ]
    for model in report.models:
        name = NAMES[model.model].format("" if model.list is None else tidy(model.list))
        name = f"master, {name.strip()}" if name.startswith("  ") else name  # text says by its indent whose row it is
        rows.append((name, [*astuple(model.all), *astuple(model.on_several_lists)]))
    groups = [("in all threads", heads), ("in threads on several lists", heads)]
    return _table("What one server would know", "model", groups, rows)


def arrival(report: Arrival) -> str:
    """What depends on the order of arrival."""
    textbook, weft = report.textbook, report.weft
    rows: list[Row] = [
        ("all there is", [report.messages, report.ghosts, textbook.of_threads, ""]),
        ("textbook (JWZ, RFC 5256)", [textbook.messages, textbook.ghosts, textbook.threads, report.refused_words]),
        ("Weft", [weft.messages, weft.ghosts, weft.threads, ""]),
    ]
    heads = [
        "messages with another parent", "unseen ids with another parent", "threads with other messages",
        "links refused to avoid a loop",
    ]  # fmt: skip
    return _table("What depends on the order", "linked by", [("", heads)], rows)


def counts(report: Crossposts) -> Iterator[str]:
    """All that was counted of each list, and of all together."""
    yield _by_list(
        report,
        "Threads",
        [("", ["messages", "copies"]), ("threads (trees)", _SPREAD), ("components", _SPREAD)],
        lambda one: [one.messages, one.copies, *astuple(one.trees), *astuple(one.components)],
    )
    yield _by_list(
        report,
        "What the list lacks of its own threads",
        [("threads (trees)", _LACKS), ("components", _LACKS)],
        lambda one: [*astuple(one.lacks), *astuple(one.lacks_of_components)],
    )
    yield _by_list(
        report,
        "What its messages refer to and it does not hold",
        [("references", _DANGLING), ("parents", _DANGLING)],
        lambda one: [*astuple(one.references), *astuple(one.parents)],
    )
    yield _by_list(
        report,
        "Replies to its messages, and replies on it to messages that are only elsewhere",
        [("", ["replies", "to several lists", "drop a list", "drop one of several", "add a list"])],
        lambda one: astuple(one.replies),
    )


# Heads of what `weft.analysis.crossposts` counts, in the order of its fields.
_SPREAD = ("all", "on several lists", "not the same on all", "whole on none")
_LACKS = ("that lack some", "in pieces", "messages lacked", "it can name", "it cannot name")
_DANGLING = ("all", "on another list", "held by nobody")


def _by_list(
    report: Crossposts, caption: str, groups: Sequence[Group], numbers: Callable[[CrosspostCounts], Sequence[int]]
) -> str:
    rows: list[Row] = [(tidy(name), numbers(counts)) for name, counts in report.lists.items()]
    several = len(rows) > 1
    rows += [("together", numbers(report.together))] if several else []
    return _table(caption, "list", groups, rows, total=several) if rows else ""


def _table(caption: str, first: str, groups: Sequence[Group], rows: Iterable[Row], *, total: bool = False) -> str:
    """A table; ``total``: its last row is the sum of the others."""
    body = list(rows)
    parts = [
        f'<div class="wide"><table class="n">\n<caption>{escape(caption)}</caption>\n<thead>{_heads(first, groups)}'
    ]
    parts.append("</thead>\n<tbody>\n")
    for place, (name, values) in enumerate(body):
        mark = ' class="sum"' if total and place == len(body) - 1 else ""
        cells = "".join(f"<td>{escape(_cell(value))}</td>" for value in values)
        parts.append(f'<tr{mark}><th scope="row"><bdi>{escape(name)}</bdi></th>{cells}</tr>\n')
    return "".join(parts) + "</tbody>\n</table></div>\n"


def _heads(first: str, groups: Sequence[Group]) -> str:
    """One line of heads, or two where columns stand in groups with names."""
    grouped = any(name for name, _ in groups)
    rows = ' rowspan="2"' if grouped else ""
    line = f'<tr><th scope="col"{rows}>{escape(first)}</th>'
    below = ""
    for name, heads in groups:
        cells = "".join(f'<th class="num" scope="col"{"" if name else rows}>{escape(head)}</th>' for head in heads)
        line += f'<th scope="colgroup" colspan="{len(heads)}">{escape(name)}</th>' if name else cells
        below += cells if name else ""
    return line + "</tr>" + (f"<tr>{below}</tr>" if grouped else "")


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
