r"""Threads as Graphviz DOT: one digraph, a cluster for each thread.

Theory of operation.  Everything is a double-quoted string: unquoted, ``<a@x>`` would be HTML.  In such a string only
``"`` ends it and only ``\`` escapes, so both are escaped; what cannot stand in a file of text has been made visible
before (`weft.render.node_names` for ids, so that two ids stay two nodes; `weft.render.sanitize` for the rest).  Labels
are also searched for HTML entities by Graphviz, so ``&`` is one.

Ghosts are dashed, contested messages red with a double line, edges that come from equal subjects dashed, those that
rest on hearsay dotted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from weft.model import Message, Thread
from weft.render.labels import NO_SUBJECT
from weft.render.node_names import node_name
from weft.render.sanitize import clean, shorten

LABEL_COLUMNS = 60
"""A line of a label is cut at so many columns."""


def write_dot(threads: Iterable[Thread], file: BinaryIO) -> None:
    """Write ``threads`` as one digraph in UTF-8."""
    file.write(b'digraph weft {\n  rankdir=LR;\n  node [shape=box, fontname="sans-serif"];\n')
    for number, thread in enumerate(threads):
        file.write("".join(_cluster(thread, number)).encode())
    file.write(b"}\n")


def _cluster(thread: Thread, number: int) -> Iterator[str]:
    yield f"  subgraph cluster_{number} {{\n    label={_label(', '.join(thread.lists) or 'no list')};\n"
    for message in thread.messages:
        yield f"    {_name(message.id)} [{', '.join(_attributes(message))}];\n"
    for message in thread.messages:
        if message.parent is not None:
            style = ' [style="dashed"]' if message.joined else ' [style="dotted"]' if message.hearsay else ""
            yield f"    {_name(message.parent)} -> {_name(message.id)}{style};\n"
    yield "  }\n"


def _attributes(message: Message) -> Iterator[str]:
    yield f"label={_label(*_lines(message))}"
    if message.ghost:
        yield 'style="dashed"'
    if message.contested:
        yield 'color="red", peripheries=2'


def _lines(message: Message) -> Iterator[str]:
    """The lines of a node's label."""
    if message.ghost:
        yield "[same subject]" if message.joined else f"[{'muted' if message.muted else 'not seen'} here]"
        yield message.subject if message.joined else f"<{message.id}>"
        return
    yield message.subject or NO_SUBJECT
    yield message.author
    yield (message.date or message.stated_date or "no date")[:LABEL_COLUMNS]
    if message.contested:
        yield f"[contested: {len(message.rivals)} rival parents]"
    if message.cut is not None:
        yield f"[cycle cut at <{message.cut}>]"
    if message.variants > 1:
        yield f"[{message.variants} variants]"


def _label(*lines: str) -> str:
    escaped = [_escape(shorten(clean(line), LABEL_COLUMNS)).replace("&", "&amp;") for line in lines]
    return '"' + "\\n".join(escaped) + '"'


def _name(message_id: str) -> str:
    return f'"{_escape(node_name(message_id))}"'


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
