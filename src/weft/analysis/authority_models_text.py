"""`weft.analysis.authority_models` for people: one table of all models, and in sentences what a master would have lived
through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple

from weft.analysis.authority_models import Model, Models, ThreadCounts
from weft.analysis.bullets import bullet
from weft.analysis.number_tables import draw
from weft.render.picture_labels import count

NAMES = {
    "list": "{} alone",
    "master_worst": "master: the root's list, at worst",
    "master_mean": "master: the root's list, on average",
    "master_best": "master: the root's list, at best",
    "master_or_first": "  root unseen: the first list",
    "master_told_by_mail": "  told by servers that share mail",
    "master_told_by_id": "  told by servers that share an id",
    "best_list": "one list a thread, best in hindsight",
    "weft": "Weft: any list with mail of the thread",
}
_HEADS = (
    ("in", "messages", "known"),
    ("all", "threads", "whole"),
    ("threads", "parents", "right"),
    ("on", "messages", "known"),
    ("several", "threads", "whole"),
    ("lists", "parents", "right"),
)


def lines(report: Models, columns: int) -> Iterator[str]:
    """The whole report."""
    total = (*_total(report.all), *_total(report.on_several_lists))
    yield from draw(_HEADS, [("all there is", total), *map(_row, report.models)], columns, whole=True)
    yield ""
    unseen = report.all.root_unseen
    if unseen:
        yield from bullet(
            f"Nobody holds the root of {count(unseen, 'thread')} "
            f"({count(report.all.messages_root_unseen, 'message')}), "
            f"{report.on_several_lists.root_unseen:,} of them on several lists: there is no master to ask.",
            columns,
        )
    if report.root_on_several_lists:
        several = count(report.root_on_several_lists, "thread")
        yield from bullet(f"The root of {several} is on several lists: each could be the master.", columns)
    yield from report.replay.lines(columns)


def _total(counted: ThreadCounts) -> tuple[float, float, float]:
    return counted.messages, counted.threads, counted.messages


def _row(model: Model) -> tuple[str, tuple[float, ...]]:
    return NAMES[model.model].format(model.list), (*astuple(model.all), *astuple(model.on_several_lists))
