"""The whole report as one self-contained page: findings in words, pictures, and tables of all numbers.

Theory of operation
-------------------
The page needs nothing from anywhere and runs nothing: no script, no link but within itself, and a policy that forbids
all else, with the hash of the one style sheet.  Pictures are inline SVG whose colours follow the browser, light or
dark; each has a table with the same numbers (`weft.analysis.report_tables`), or says the same in words.  The thread
over lanes is the section that `weft.render.html` makes of a thread.  Nothing from mail is on the page but names of
lists and what that section shows; all of it is cleaned and escaped.

The page says what it found, also when that is little.  It holds no date of its own: equal mail gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from weft.analysis import report_tables as tables
from weft.analysis.arrival_order import Arrival
from weft.analysis.authority_models import Models
from weft.analysis.chart import RULES, Chart, inline
from weft.analysis.corpus import Corpus
from weft.analysis.crossposts import Crossposts
from weft.analysis.figures import Figures
from weft.model import Thread
from weft.render.html import PAGE_END, page_start, section
from weft.render.lanes.marks import escape
from weft.render.lanes.style import PAGE
from weft.render.lanes.svg import Shown
from weft.render.picture_labels import count, tidy

STYLE = (
    PAGE + RULES + "th{font-weight:600}th.num{text-align:right}table.n{width:auto}table.n td{text-align:right}"
    "table.n th[scope=row]{white-space:nowrap;font-weight:normal}table.n th[scope=colgroup]{text-align:center}"
    "tr.sum td,tr.sum th{border-top:2px solid currentColor}ul.found{padding-left:1.2rem;max-width:70em}"
    "p,li{overflow-wrap:anywhere}summary{cursor:pointer}main{max-width:90rem;margin:0 auto}"
    "h3{font-size:1rem;margin:1.5rem 0 .25rem}"
)
_WIDE = 10_000
_MANY = 40
"""So many lists are named in a sentence; the tables name all."""
_TITLE = "What each list alone would show"


def write_page(
    corpus: Corpus, crossposts: Crossposts, models: Models, arrival: Arrival, figures: Figures, file: BinaryIO
) -> None:
    """Write the page in UTF-8; ``figures`` are drawn from the same corpus."""
    parts = (
        page_start(_TITLE, STYLE),
        f"<h1>{_TITLE}</h1>\n",
        *_findings(crossposts),
        *_section(figures.origin, tables.origins(figures.origins)),
        *_section(figures.lacks, tables.lacks(crossposts)),
        *_section(figures.map, tables.pairs(corpus.names, figures.pairs)),
        *_one_thread(figures.thread),
        *_models(corpus, models),
        *_arrival(arrival),
        *_counts(crossposts),
        PAGE_END,
    )
    file.writelines(part.encode() for part in parts)


def _findings(crossposts: Crossposts) -> Iterator[str]:
    names = [f"<bdi>{escape(tidy(name))}</bdi>" for name in crossposts.lists]
    named = f": {', '.join(names)}" if 0 < len(names) <= _MANY else ""
    yield (
        "<p>Each list is taken as a server of its own, which has its own mail and nothing else, and compared with all "
        f"of them together. {count(len(names), 'list')}{named}.</p>\n"
    )
    yield from _bullets(crossposts.lines(_WIDE))


def _bullets(lines: Iterable[str]) -> Iterator[str]:
    """The sentences among the lines of a report for people; its tables are left out."""
    sentences = spoken(lines)
    if sentences:
        yield '<ul class="found">\n' + "".join(f"<li>{escape(one)}</li>\n" for one in sentences) + "</ul>\n"


def spoken(lines: Iterable[str]) -> list[str]:
    """The sentences of a report: its blocks (between empty lines) that begin as a list of such does."""
    found: list[str] = []
    block = before = False
    for line in lines:
        if line and not before:
            block = line.startswith("* ")
        if line and block:
            if line.startswith("* "):
                found.append(line.removeprefix("* "))
            else:
                found[-1] += f" {line.strip()}"
        before = bool(line)
    return found


def _section(chart: Chart, table: str) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(chart.title)}</h2>\n"
    yield from map(_paragraph, chart.said)
    yield f'<div class="wide">{inline(chart)}</div>\n'
    yield f"<details>\n<summary>The same in numbers</summary>\n{table}</details>\n" if table else ""
    yield "</section>\n"


def _one_thread(thread: Thread | None) -> Iterator[str]:
    yield "<section>\n<h2>One thread over lanes of lists</h2>\n"
    if thread is None:
        yield _paragraph("There is no message.") + "</section>\n"
        return
    yield _paragraph(
        "Who posted where, where a sub-thread left a list, and which replies each list could not see. Each list is a "
        "lane, each message a row."
    )
    yield from section(thread, 3, Shown(), {})
    yield "</section>\n"


def _models(corpus: Corpus, models: Models) -> Iterator[str]:
    if len(corpus.names) < 2:
        return
    yield "<section>\n<h2>If one server kept the thread</h2>\n" + _paragraph(
        "Messages that a server would know, threads that it would have whole, and parents that it would show right, if "
        "one list alone were asked; if a master kept the thread, which is the list of its root; and after Weft's "
        "exchange. Weft's row is computed from what the exchange promises."
    )
    yield tables.models(models)
    yield from _bullets(models.lines(_WIDE))
    yield "</section>\n"


def _arrival(arrival: Arrival) -> Iterator[str]:
    yield "<section>\n<h2>The same mail in other orders of arrival</h2>\n" + _paragraph(
        f"The same copies linked in {count(arrival.runs, 'order')}: as the textbook says (JWZ, RFC 5256), and by Weft."
    )
    yield tables.arrival(arrival)
    yield from _bullets(arrival.lines(_WIDE))
    yield "</section>\n"


def _counts(crossposts: Crossposts) -> Iterator[str]:
    yield "<section>\n<h2>All counts</h2>\n" + _paragraph(
        "Of each list: of the threads of which it holds a message. Together: the sum where it is counted what lists "
        "lack, else each thread and each reply once. Components are ids connected by any reference at all."
    )
    yield from tables.counts(crossposts)
    yield "</section>\n"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>\n"
