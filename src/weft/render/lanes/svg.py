"""Threads over lanes of lists, as SVG.

Theory of operation.  `weft.render.lanes.layout` says what is to be seen, `weft.render.lanes.geometry` where.  A thread
is a heading, the legend, a line of words for each list, from which its lane hangs down, and one row a message: lanes,
date, and the tree with authors and, where they change, subjects.  Each text is drawn from a place of its own, so that
wide or right-to-left writing moves nothing else.  Rows are low enough that 800 of them can be read by scrolling, and
the numbers of the lanes come again every `RULER` rows.  Where the tree is deeper than is drawn, a row says by how much.

Several threads stand below each other in one document.  Its size stands at its beginning, so the whole of it is in
memory at once.  There is no script and no link; ids of elements are hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import BinaryIO

from weft.model import Thread
from weft.render.labels import NO_SUBJECT, tags
from weft.render.lanes.geometry import BULGE, COLUMN, HEAD, LABEL, MARGIN, MIN_STEP, RULER, SMALL, Places, columns
from weft.render.lanes.layout import EdgeKind, LaneRow, Lanes, Rail, lay_out
from weft.render.lanes.legend import Legend, legend
from weft.render.lanes.marks import DOT, cross, dot, escape, number, rail, ring, text
from weft.render.lanes.style import ALONE
from weft.render.picture_labels import author_name, details, ghost_line, heading, minute, summary, tidy, totals

SUBJECT_COLUMNS = 100
AUTHOR_COLUMNS = 28


@dataclass(frozen=True, slots=True)
class Picture:
    """One thread as SVG elements, its top at 0, and their size in pixels."""

    elements: str
    width: int
    height: int


@dataclass(slots=True)
class Shown:
    """What a document has shown so far, so that it says everything once and gives each list one colour."""

    signs: set[str] = field(default_factory=set)
    """Those that a legend has explained."""
    colors: dict[str, int] = field(default_factory=dict)
    """The colour of each list, in the order in which they came."""


def write_svg(threads: Iterable[Thread], file: BinaryIO) -> None:
    """Write ``threads`` below each other as one SVG document in UTF-8."""
    shown = Shown()
    pictures = [draw(thread, shown) for thread in threads]
    wide = max((picture.width for picture in pictures), default=1)
    high = sum(picture.height for picture in pictures) or 1
    file.write(f'{open_svg(wide, high)}<rect class="paper" width="{wide}" height="{high}"/>'.encode())
    if pictures:
        file.write(f"<style>{ALONE}</style>\n".encode())
    top = 0
    for picture in pictures:
        file.write(f'<g transform="translate(0 {top})">\n{picture.elements}</g>\n'.encode())
        top += picture.height
    file.write(b"</svg>\n")


def open_svg(wide: int, high: int, attributes: str = "") -> str:
    """The start tag of a document or of a picture in a page."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}"{attributes}>'
    )


def anchor(message_id: str) -> str:
    """The name of a message in documents: a hash, as nothing that mail can choose may become one."""
    return "m-" + sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def draw(thread: Thread, shown: Shown, *, link: bool = False, head: bool = True, lanes: Lanes | None = None) -> Picture:
    """One thread.

    ``shown``      what the document has shown; this adds to it
    ``link``       rows lead to anchors elsewhere in the document, instead of being these anchors
    ``head``       with its subject and totals on top
    ``lanes``      the thread laid out, if it is already
    """
    lanes = lanes or lay_out(thread)
    signs = legend(lanes, shown.signs)
    shown.signs.update(signs.signs)
    place = Places.of(lanes, signs, shown.colors, head=head)
    parts = [
        *(_heading(thread, lanes) if head else ()),
        *signs.draw(MARGIN, place.legend),
        *_labels(lanes, place),
        *_tracks(lanes, place),
        *_rails(lanes, place),
        *_tree(lanes, place),
        *_rulers(lanes, place),
    ]
    widest = 0.0
    for line, row in enumerate(lanes.rows):
        drawn, end = _row(row, line, lanes, place, link)
        parts.append(drawn)
        widest = max(widest, end)
    widest = max(widest, *_widths(thread, lanes, signs, place, head))
    return Picture("\n".join(parts) + "\n", int(widest) + MARGIN, int(place.bottom) + 2 * MARGIN)


def _heading(thread: Thread, lanes: Lanes) -> Iterator[str]:
    yield text(MARGIN, 26, tidy(heading(thread), SUBJECT_COLUMNS), "ink head")
    yield text(MARGIN, 46, totals(lanes), "dim")


def _widths(thread: Thread, lanes: Lanes, signs: Legend, place: Places, head: bool) -> Iterator[float]:
    """How far to the right the words above the rows go."""
    yield MARGIN + 40 + signs.columns * SMALL
    yield MARGIN + max(columns(tidy(heading(thread), SUBJECT_COLUMNS)) * HEAD, len(totals(lanes)) * COLUMN) * head
    for lane in lanes.lanes:
        yield place.date + (8 + columns(tidy(lane.name)) + len(summary(lane, lanes))) * COLUMN


def _labels(lanes: Lanes, place: Places) -> Iterator[str]:
    """A line for each lane, which hangs from it; the last lane's is the lowest, so that they do not cross."""
    for lane, one in enumerate(lanes.lanes):
        x, y = place.xs[lane], place.labels + lane * LABEL
        yield _lead(x, y, place, place.color(lane)) + dot(place.date, y, place.colors[lane])
        name = (f"{lane + 1} " if place.rows > RULER else "") + tidy(one.name)
        yield text(place.date + 12, y, name, "ink b")
        yield text(place.date + 12 + (columns(name) + 1) * COLUMN, y, summary(one, lanes), "dim")
    if len(place.xs) > len(lanes.lanes):
        y = place.labels + len(lanes.lanes) * LABEL
        yield _lead(place.xs[-1], y, place, "dim") + ring(place.date, y, "ghost ink")
        yield text(place.date + 12, y, f"not seen here: {lanes.unseen:,} that others name", "dim")


def _lead(x: float, y: float, place: Places, look: str) -> str:
    end = number(place.first - place.row / 2)
    return (
        f'<path class="lead {look}" d="M{number(place.date)} {number(y)}H{number(x + 6)}'
        f'Q{number(x)} {number(y)} {number(x)} {number(y + 6)}V{end}"/>'
    )


def _tracks(lanes: Lanes, place: Places) -> Iterator[str]:
    """Each lane, and in it the stretches of rows that the list has."""
    runs: list[list[list[int]]] = [[] for _ in lanes.lanes]
    for line, row in enumerate(lanes.rows):
        for lane in row.held:
            if runs[lane] and runs[lane][-1][1] == line - 1:
                runs[lane][-1][1] = line
            else:
                runs[lane].append([line, line])
    for lane, stretches in enumerate(runs):
        yield _box("track dim", lane, 0, place.rows - 1, place)
        yield from (_box(f"band {place.color(lane)}", lane, first, last, place) for first, last in stretches)


def _box(look: str, lane: int, first: int, last: int, place: Places) -> str:
    top = place.y(first) - place.row / 2
    high = place.y(last) - place.y(first) + place.row
    left = place.xs[lane] - place.rails[lane][1] - 3
    wide = place.xs[lane] + 2 * DOT - left
    return f'<rect class="{look}" x="{number(left)}" y="{number(top)}" width="{number(wide)}" height="{number(high)}"/>'


def _rails(lanes: Lanes, place: Places) -> Iterator[str]:
    """All edges of one kind in one lane are one path."""
    paths: dict[tuple[int, EdgeKind], list[str]] = {}
    for one in lanes.rails:
        paths.setdefault((one.lane, one.kind), []).append(_rail(one, place))
    for (lane, kind), data in paths.items():
        look = "" if kind is EdgeKind.SEEN else f" {kind.value}"
        yield f'<path class="e {place.color(lane)}{look}" d="{"".join(data)}"/>'


def _rail(one: Rail, place: Places) -> str:
    x, top = place.xs[one.lane], place.y(one.parent)
    data = "" if one.straight is None else f"M{number(x)} {number(top)}V{number(place.y(one.straight))}"
    if one.bent:
        bulge = BULGE + (one.level - 1) * place.rails[one.lane][0]
        data += rail(x, bulge, top, [place.y(line) for line in one.bent], place.row * 0.9)
    return data


def _tree(lanes: Lanes, place: Places) -> Iterator[str]:
    """The lines of the tree: one path for ordinary edges, one for those that come from equal subjects."""
    last = {row.parent: line for line, row in enumerate(lanes.rows) if row.parent is not None}
    paths: dict[str, list[str]] = {"": [], " joined": []}
    for line, row in enumerate(lanes.rows):
        if row.parent is None or row.message.depth > place.depth:
            continue
        x, y = place.text(row.message.depth - 1) + min(4, place.step - MIN_STEP), place.y(line)
        end = place.text(row.message.depth) - min(4, place.step - 2)
        paths[" joined" if row.message.joined else ""].append(f"M{number(x)} {number(y)}H{number(end)}")
        if last[row.parent] == line:
            paths[""].append(f"M{number(x)} {number(place.y(row.parent) + 8)}V{number(y)}")
    for look, data in paths.items():
        if data:
            yield f'<path class="t dim{look}" d="{"".join(data)}"/>'


def _rulers(lanes: Lanes, place: Places) -> Iterator[str]:
    for line in range(RULER, place.rows, RULER):
        y = place.y(line) - place.row
        for lane in range(len(lanes.lanes)):
            x = number(place.xs[lane])
            yield f'<circle class="paper" cx="{x}" cy="{number(y)}" r="8"/>'
            yield text(place.xs[lane], y - 0.5, str(lane + 1), f"n {place.color(lane)}")


def _row(row: LaneRow, line: int, lanes: Lanes, place: Places, link: bool) -> tuple[str, float]:
    """A row, and where its text ends."""
    y, x = place.y(line), place.text(row.message.depth)
    words, end = _ghost_words(row, x, y, place) if row.message.ghost else _words(row, x, y, place)
    name = anchor(row.message.id)
    parts = [
        f'<a href="#{name}" tabindex="-1"><g class="row">' if link else f'<g class="row" id="{name}">',
        f"<title>{escape(chr(10).join(details(row, lanes)))}</title>",
        f'<rect class="hit ink" x="0" y="{number(y - place.row / 2)}" width="100%" height="{place.row}"/>',
        *_signs(row, y, place),
        *words,
        "</g></a>" if link else "</g>",
    ]
    return "".join(parts), end


def _signs(row: LaneRow, y: float, place: Places) -> Iterator[str]:
    """What stands in the lanes."""
    at = [*row.held, *row.named, *([len(place.xs) - 1] if row.message.ghost else ())]
    if len(at) > len(row.held) and len(at) > 1:
        yield f'<path class="j named dim" d="M{number(place.xs[min(at)])} {number(y)}H{number(place.xs[max(at)])}"/>'
    if len(row.held) > 1:
        yield f'<path class="j ink" d="M{number(place.xs[row.held[0]])} {number(y)}H{number(place.xs[row.held[-1]])}"/>'
    if at:  # a line may pass where the list has nothing: it stops around the cross
        yield from (cross(place.xs[lane], y, "halo") for lane in row.left if min(at) < lane < max(at))
    yield from (dot(place.xs[lane], y, place.colors[lane]) for lane in row.held)
    yield from (ring(place.xs[lane], y, place.color(lane)) for lane in row.named)
    yield from (cross(place.xs[lane], y, place.color(lane)) for lane in row.left)
    if row.message.ghost:
        yield ring(place.xs[-1], y, "ghost ink")


def _words(row: LaneRow, x: float, y: float, place: Places) -> tuple[list[str], float]:
    message = row.message
    author = _deeper(row, place) + author_name(message.author, AUTHOR_COLUMNS)
    marks = tags(message).rstrip()
    subject = (tidy(message.subject, SUBJECT_COLUMNS) or NO_SUBJECT) if row.new_subject else ""
    parts = [text(place.date, y, minute(message), "dim")]
    for content, look in ((author, "ink"), (marks, "warn"), (subject, "ink b")):
        parts.append(text(x, y, content, look))
        x += (columns(content) + 2) * COLUMN if content else 0
    return parts, x


def _ghost_words(row: LaneRow, x: float, y: float, place: Places) -> tuple[list[str], float]:
    line = _deeper(row, place) + ghost_line(row.message)
    return [text(x, y, line, "dim")], x + columns(line) * COLUMN


def _deeper(row: LaneRow, place: Places) -> str:
    """How many levels deeper a row stands than it is drawn."""
    more = row.message.depth - place.depth
    return f"(+{more:,}) " if more > 0 else ""
