"""Threads as a person reads them: a tree with subjects, authors, days and lists.

Theory of operation.  Each thread is a header line and one line a message, in display order, with the handle of the
message (`weft.core.handle`) in front where threads come out of an index; everything from mail goes
through `weft.render.sanitize`, and columns are those of the terminal, so that wide characters stay in line.  A line
costs the same at any depth: only so many levels are drawn as the width has room for, and what lies deeper says how much
(``(+49970)``).  A subject stands where it changes.  In all other rows the author stands in its place, at the branch:
the tree then says who answers whom, which an author on the other side of an empty column would not, and a terminal
too narrow for a column of authors has them all the same.  What is unusual about a message is a mark before that, and,
where there is more to say, a line below it.  Below a thread out of an index stands who was asked for more of it.

This is for people and may change; programs read `weft.render.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from weft._text import count
from weft.model import Message, Thread
from weft.render.coverage import clauses, fold
from weft.render.labels import (
    NO_NAME,
    NO_SUBJECT,
    alias_words,
    author_of,
    cut_words,
    ghost_tag,
    reply_words,
    rival_words,
    tags,
    time_of,
    variant_words,
)
from weft.render.sanitize import clean, fit, shorten, width
from weft.render.subject_changes import new_subjects

MAX_LEVELS = 30
"""So many levels are drawn, if the width has room for them."""
MIN_COLUMNS = 20
_SUBJECT = 12
"""The columns that the subject of the deepest level that is drawn has at least."""
_LEVEL = 3
_DAY, _MINUTE = 10, 16
"""The columns of a date, and of one with the time of the day."""
_MOST_SUBJECT = 80
"""The columns that subjects have at most, so that what stands behind them is not far away."""
_WIDE = 100
"""With so many columns there is room for the time of the day."""
_GAP = "  "

_BOLD, _DIM, _YELLOW, _CYAN, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[36m", "\x1b[0m"


def write_text(
    threads: Iterable[Thread],
    file: BinaryIO,
    *,
    columns: int = 100,
    color: bool = False,
    names: Mapping[str, str] = {},
    handles: Callable[[Iterable[str]], Mapping[str, str]] = lambda _ids: {},
    now: int | None = None,
) -> None:
    """Write ``threads`` as trees in UTF-8, no line wider than ``columns`` (at least `MIN_COLUMNS`).

    ``names``: what the reader calls origins and peers, by fingerprint.  ``handles`` gives those of ids, which stand
    before their rows; ``now``: times of the week before it are told as how long ago they are.
    """
    between = b""
    for thread in threads:
        found = handles(message.id for message in thread.messages)
        lines = draw_thread(thread, columns=columns, color=color, names=names, handles=found, now=now)
        file.write(between + "".join(f"{line}\n" for line in lines).encode())
        between = b"\n"


def draw_thread(
    thread: Thread,
    *,
    columns: int = 100,
    color: bool = False,
    names: Mapping[str, str] = {},
    handles: Mapping[str, str] = {},
    now: int | None = None,
) -> Iterator[str]:
    """The lines of one thread, without line ends; ``names``, ``handles`` (by id) and ``now`` as in `write_text`."""
    layout = _layout(thread, max(columns, MIN_COLUMNS), color, handles, now)
    yield _header(thread, layout)
    new = new_subjects(thread.messages)
    for (message, stem, below), new_subject in zip(stems(thread.messages, layout.levels), new, strict=True):
        line, remarks = _row(message, stem, layout, new_subject=new_subject)
        yield line
        for remark in remarks:
            text = shorten(remark, layout.columns - layout.left - len(below))
            yield f"{'':{layout.left}}{layout.paint(_DIM, below)}{layout.paint(_YELLOW, text)}"
    for text in fold(_said(thread, names), layout.columns - 2):
        yield f"  {layout.paint(_DIM, text)}"


def stems(messages: Sequence[Message], levels: int = MAX_LEVELS) -> Iterator[tuple[Message, str, str]]:
    """Each message with the branches before it, and those before a line below it; so many ``levels`` are drawn."""
    last_child = {message.parent: message.id for message in messages}
    bars: list[str] = []
    for message in messages:
        depth = message.depth
        last = last_child[message.parent] == message.id
        del bars[max(0, depth - 1) :]
        stem = "".join(bars)
        if 0 < depth <= levels:
            stem += "└─ " if last else "├─ "
            bars.append("   " if last else "│  ")
        elif depth:
            stem += f"(+{depth - levels}) "
        yield message, stem, "".join(bars) + ("│  " if message.id in last_child and depth < levels else "   ")


def _said(thread: Thread, names: Mapping[str, str]) -> Iterator[str]:
    """Who was asked for more of a thread."""
    coverage = thread.coverage
    if coverage is None:
        return
    yield from clauses(coverage, names)
    if coverage.asked and coverage.nobody_holds:
        ghosts = {message.id for message in thread.messages if message.ghost}
        some = len(ghosts.intersection(coverage.nobody_holds))
        which = "what is not seen here" if some == len(ghosts) else f"{some} of the {len(ghosts)} not seen here"
        yield f"nobody holds {which}"


@dataclass(frozen=True, slots=True)
class _Layout:
    """The widths of one thread's columns; 0 for a column that there is no room for."""

    columns: int
    left: int
    """What stands before the tree: the handles, and a gap."""
    subject: int
    author: int
    time: int
    lists: int
    levels: int
    """How many levels are drawn."""
    color: bool
    handles: Mapping[str, str]
    now: int | None

    def paint(self, style: str, text: str) -> str:
        """``text`` in a style, if colours are wanted."""
        return f"{style}{text}{_PLAIN}" if self.color and text else text


def _layout(thread: Thread, columns: int, color: bool, handles: Mapping[str, str], now: int | None) -> _Layout:
    combinations = {message.lists for message in thread.messages}
    widest = max(width(clean(" ".join(names))) for names in combinations)
    lists = min(widest, columns // 4) if columns >= 40 else 0
    author = min(columns // 6, 24) if columns >= 60 else 0
    time = 0 if columns < 50 else _DAY if columns < _WIDE else _MINUTE
    left = 2 + (max(map(len, handles.values())) if handles and columns >= 40 else 0)
    subject = columns - left - sum(len(_GAP) + size for size in (author, time, lists) if size)
    if columns > _WIDE:  # no wider than what stands in it, or than where there are fewer columns
        subject = min(subject, max(_needed(thread), subject - (columns - _WIDE)))
        columns = left + subject + sum(len(_GAP) + size for size in (author, time, lists) if size)
    levels = max(1, min(MAX_LEVELS, (subject - _SUBJECT) // _LEVEL))
    return _Layout(columns, left, subject, author, time, lists, levels, color, handles if left > 2 else {}, now)


def _needed(thread: Thread) -> int:
    """The columns that no branch goes beyond, and hardly a subject."""
    return max(
        _LEVEL * min(message.depth, MAX_LEVELS)
        + max(_SUBJECT, min(_MOST_SUBJECT, len(tags(message)) + width(clean(message.subject))))
        for message in thread.messages
    )


def _header(thread: Thread, layout: _Layout) -> str:
    messages = sum(not message.ghost for message in thread.messages)
    muted = sum(message.ghost and message.muted for message in thread.messages)
    unseen = sum(message.ghost and not message.joined and not message.muted for message in thread.messages)
    lists = thread.lists
    counts = [count(messages, "message"), count(len(lists), "list")]
    if unseen:
        counts.append(f"{unseen} not seen here")
    if muted:
        counts.append(f"{muted} muted")
    right = shorten(", ".join(counts), layout.columns)
    left = fit(clean(", ".join(lists) or "no list"), layout.columns - len(right) - len(_GAP))
    if layout.color:
        left, right = layout.paint(_BOLD, left), layout.paint(_DIM, right)
    return left + _GAP * bool(left) + right


def _row(message: Message, stem: str, layout: _Layout, *, new_subject: bool) -> tuple[str, list[str]]:
    """The line of one message, and what is to be said on lines below it."""
    if message.ghost:
        cells, remarks = _ghost_cells(message, len(stem), layout)
    else:
        cells, remarks = _cells(message, len(stem), layout, new_subject=new_subject), []
    handle = layout.handles.get(message.id, "").ljust(layout.left) if layout.handles else "  "
    if layout.color:
        stem, handle = layout.paint(_DIM, stem), layout.paint(_CYAN, handle)
        cells = [(style, layout.paint(style, text) if style else text) for style, text in cells]
    text = f"{handle}{stem}{_GAP.join([text for _, text in cells])}".rstrip(" ")
    return text, [*remarks, *_remarks(message)]


def _cells(message: Message, stem: int, layout: _Layout, *, new_subject: bool) -> list[tuple[str, str]]:
    """What stands in each column of a message, with its style."""
    marks, author = tags(message), clean(author_of(message.author)) or NO_NAME
    if new_subject:
        subject = clean(message.subject) or NO_SUBJECT
        cells = [(_YELLOW if marks else _BOLD, fit(marks + subject, layout.subject - stem))]
        cells += [("", fit(author, layout.author))] if layout.author else []
    else:  # the author has the room of both
        room = layout.subject + (len(_GAP) + layout.author if layout.author else 0)
        cells = [(_YELLOW if marks else "", fit(marks + author, room - stem))]
    if layout.time:
        when = time_of(message, layout.now, minutes=layout.time == _MINUTE)
        cells.append((_CYAN, fit(clean(when), layout.time)))
    if layout.lists:
        cells.append((_DIM, shorten(clean(" ".join(message.lists)), layout.lists)))
    return cells


def _ghost_cells(message: Message, stem: int, layout: _Layout) -> tuple[list[tuple[str, str]], list[str]]:
    """A ghost's id may take the whole line, and push what is said of it to the next: people look it up elsewhere."""
    room = layout.columns - layout.left - stem
    if message.joined:
        return [(_DIM, shorten(f"[same subject] {clean(message.subject)}", room))], []
    text = f"[{ghost_tag(message)}] <{clean(message.id)}>"
    where = f"named in {count(message.named, 'copy', 'copies')}" if message.named else ""
    if message.named_on:
        where += f" on {clean(' '.join(message.named_on))}"
    left = max(layout.subject - stem, width(text))
    if where and left + len(_GAP) + width(where) <= room:
        return [(_DIM, fit(text, left)), (_DIM, where)], []
    return [(_DIM, shorten(text, room))], [where] if where else []


def _remarks(message: Message) -> Iterator[str]:
    """What is to be said on lines below a message."""
    if message.contested:
        yield rival_words(message, clean)
    if message.cut is not None:
        yield cut_words(message.cut, clean)
    yield from reply_words(message, clean)
    if message.aliases:
        yield alias_words(message, clean)
    if message.variants > 1 and message.copies:
        yield variant_words(message, clean) or f"its copies have {message.variants} different texts"
