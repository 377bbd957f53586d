"""Threads as one self-contained page: the picture over lanes of lists, and below it the same in a table.

Theory of operation.  The page needs nothing from anywhere and runs nothing: no script, no link but to its own rows,
and a policy that forbids all else, with the hash of the one style sheet.  Everything from mail is cleaned
(`weft.render.picture_labels`) and then escaped; names of elements are hashes.  The table says in words what the picture
says in signs, in the same order, for whoever cannot see or does not want the picture.  Threads are written one by one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import BinaryIO

from weft.model import Thread
from weft.render.coverage import sentence
from weft.render.labels import NO_SUBJECT
from weft.render.lanes.layout import LaneRow, Lanes, lay_out
from weft.render.lanes.marks import escape
from weft.render.lanes.style import PAGE
from weft.render.lanes.svg import Shown, anchor, draw, open_svg
from weft.render.picture_labels import (
    absent,
    author_name,
    details,
    ghost_line,
    heading,
    minute,
    present,
    remarks,
    summary,
    tidy,
    totals,
)

PAGE_END = "</main>\n</body>\n</html>\n"
_HEADS = ("No.", "Date (UTC)", "Author and subject", "Answers", "Posted to", "Not on", "Remarks")

_ADMITTED = "Every list that the policy of this server admits"


def write_html(threads: Iterable[Thread], file: BinaryIO, *, names: Mapping[str, str] = {}) -> None:
    """Write ``threads`` as one page in UTF-8.  ``names``: what the reader calls origins and peers, by fingerprint."""
    shown = Shown()
    level = 1
    for thread in threads:
        if level == 1:
            file.write(page_start(heading(thread), PAGE).encode())
        file.write("".join(section(thread, level, shown, names)).encode())
        level = 2
    file.write((page_start("No thread", "") + "<p>No thread.</p>\n" if level == 1 else "").encode())
    file.write(PAGE_END.encode())


def page_start(title: str, style: str) -> str:
    """A page before its first element, with a policy that allows this style sheet and nothing else."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
    )


def section(thread: Thread, level: int, shown: Shown, names: Mapping[str, str]) -> Iterator[str]:
    """A thread as an element of a page, its heading of some level; ``shown`` is what stands on the page before it."""
    lanes = lay_out(thread)
    picture = draw(thread, shown, link=True, head=False)
    title = escape(heading(thread))
    yield f'<section>\n<h{level} dir="auto">{title}</h{level}>\n<p>{escape(totals(lanes))}</p>\n'
    yield f"<p>{escape(sentence(thread.coverage, names, _ADMITTED))}</p>\n" if thread.coverage else ""
    label = escape(f"{totals(lanes)}, drawn over a lane for each list; the table below says the same in words")
    attributes = f' role="img" aria-label="{label}"'
    yield f'<div class="wide">{open_svg(picture.width, picture.height, attributes)}\n{picture.elements}</svg></div>\n'
    yield from _lists(lanes)
    yield from _table(lanes)
    yield "</section>\n"


def _lists(lanes: Lanes) -> Iterator[str]:
    yield '<ul class="said">\n'
    for lane in lanes.lanes:
        yield f"<li><b>{escape(tidy(lane.name))}</b> {escape(summary(lane, lanes))}</li>\n"
    yield "</ul>\n"


def _table(lanes: Lanes) -> Iterator[str]:
    yield '<div class="wide"><table>\n<caption>The same in words, in the order of the picture</caption>\n<thead><tr>'
    yield "".join(f'<th scope="col">{head}</th>' for head in _HEADS) + "</tr></thead>\n<tbody>\n"
    for line, row in enumerate(lanes.rows):
        yield _line(row, line, lanes)
    yield "</tbody>\n</table></div>\n"


def _line(row: LaneRow, line: int, lanes: Lanes) -> str:
    message = row.message
    unseen = ' class="unseen"' if message.ghost else ""
    title = escape("\n".join(details(row, lanes)))
    cells = [
        f'<td class="num">{line + 1}</td><td class="when">{"" if message.ghost else escape(minute(message))}</td>',
        f'<td title="{title}">{_who(row)}</td><td class="num">{_answers(row, lanes)}</td>',
        f"<td>{escape(present(row, lanes))}</td><td>{escape(absent(row, lanes))}</td>",
        f"<td>{escape('; '.join(remarks(row, lanes)))}</td>",
    ]
    return f'<tr id="{anchor(message.id)}"{unseen}>{"".join(cells)}</tr>\n'


def _who(row: LaneRow) -> str:
    message = row.message
    if message.ghost:
        return f"<bdi>{escape(ghost_line(message))}</bdi>"
    subject = escape(tidy(message.subject) or NO_SUBJECT)
    own = escape(f"<{tidy(message.id)}>")
    return f"<bdi>{escape(author_name(message.author))}</bdi><small><bdi>{subject}</bdi></small><small>{own}</small>"


def _answers(row: LaneRow, lanes: Lanes) -> str:
    """A link to the row of the parent."""
    if row.parent is None:
        return ""
    return f'<a href="#{anchor(lanes.rows[row.parent].message.id)}">{row.parent + 1}</a>'
