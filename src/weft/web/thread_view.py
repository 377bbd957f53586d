"""A page of a thread as its template shows it: lists, coverage in words, and message after message.

Theory of operation
-------------------
A thread of up to `WHOLE` messages is one page, with a picture; a longer one is pages of `PART` messages, each read
without the others (`weft.index.large_thread`).  The order is that of all other formats.  How deep a message stands is
shown by a margin, and said by a link to what it answers, on whatever page that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from weft.core.subject import base_subject
from weft.errors import NotFoundError
from weft.index.index import Index
from weft.index.large_thread import LargeThread
from weft.model import Coverage, Message, Thread, ThreadSummary
from weft.render.coverage import sentence
from weft.render.labels import NO_SUBJECT
from weft.render.lanes.layout import LaneRow, Lanes, lay_out
from weft.render.lanes.style import COLORS
from weft.render.lanes.svg import Shown, anchor, draw, open_svg
from weft.render.picture_labels import author_name, count, heading, minute, remarks, summary, tidy, totals
from weft.web.links import Links
from weft.web.mail_view import CopyView, MailTexts

WHOLE = 200
"""Messages up to which a thread is one page."""
PART = 100
"""Messages of a page of a longer one."""
_DEEPEST = 12

_ADMITTED = "Every list that this server admits"


@dataclass(frozen=True, slots=True)
class ThreadPart:
    """What one page shows of a thread."""

    thread: Thread
    """The messages of the page; the digest is empty if that is not all."""
    root: str
    total: int
    start: int
    version: str
    """Another one when the thread is, however it is."""
    summary: ThreadSummary | None = None
    """Of the whole thread, if the page is only a part of it."""
    places: Mapping[str, int] | None = None
    """Where each id of the whole thread stands, if the page is only a part of it."""

    def page_of(self, message_id: str) -> int | None:
        """The page on which an id of this thread stands; None for any other id."""
        if self.places is None:
            return 1 if any(one.id == message_id for one in self.thread.messages) else None
        place = self.places.get(message_id)
        return None if place is None else place // PART + 1

    @property
    def page(self) -> int:
        """Its number, from 1 on."""
        return self.start // PART + 1

    @property
    def pages(self) -> int:
        """How many there are."""
        return 1 if self.summary is None else (self.total + PART - 1) // PART


def read_part(index: Index, wanted: str, page: int | None) -> ThreadPart:
    """The page of a thread: the one that is asked for, or that on which an id stands.

    `NotFoundError` for an id that nobody names, and for a page that is not there.
    """
    with index.snapshot():
        parts = index.large_thread(wanted, hidden=False)
        if parts.size <= WHOLE:
            if page not in (None, 1):
                raise NotFoundError(f"the thread has one page, and not {page}")
            thread = index.thread(wanted, hidden=not parts.size)
            return ThreadPart(thread, thread.root, len(thread.messages), 0, thread.digest)
        start = parts.places.get(wanted.strip("<>"), 0) // PART * PART if page is None else (page - 1) * PART
        if not 0 <= start < parts.size:
            raise NotFoundError(f"the thread has {(parts.size + PART - 1) // PART} pages, and not {page}")
        return _part_of(parts, start, index.coverage(parts), index.summary(wanted))


def read_parts(index: Index, short: ThreadSummary) -> Iterator[ThreadPart]:
    """All pages of a thread of which there is a summary, within the snapshot of that."""
    if short.messages + short.ghosts <= WHOLE:
        thread = index.thread(short.root, hidden=False)
        yield ThreadPart(thread, thread.root, len(thread.messages), 0, thread.digest)
        return
    parts = index.large_thread(short.root, hidden=False)
    coverage = index.coverage(parts)
    for start in range(0, parts.size, PART):
        yield _part_of(parts, start, coverage, short)


def _part_of(parts: LargeThread, start: int, coverage: Coverage, summary: ThreadSummary) -> ThreadPart:
    thread = Thread(tuple(parts.part(start, PART)), "", coverage)
    return ThreadPart(thread, parts.root, parts.size, start, parts.version.hex(), summary, parts.places)


@dataclass(frozen=True, slots=True)
class LaneView:
    """A list of the thread."""

    name: str
    color: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class RivalView:
    """What a copy of a disputed message states as its parent."""

    id: str
    href: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message on a page; texts are clean, ids are not."""

    id: str
    anchor: str
    level: int
    ghost: bool
    hearsay: bool
    author: str
    minute: str
    stamp: str
    lists: tuple[LaneView, ...]
    subject: str
    remarks: list[str]
    disputed: bool
    rivals: list[RivalView]
    variants: int
    permalink: str
    parent_href: str
    parent_name: str
    ghost_title: str
    naming: str
    known: str
    copies: list[CopyView]
    lost: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of a long thread."""

    number: int
    text: str
    href: str


def thread_values(
    part: ThreadPart, texts: MailTexts, names: Mapping[str, str], links: Links, title: str
) -> dict[str, object]:
    """What the template of a thread needs."""
    lanes = lay_out(part.thread)
    coverage = part.thread.coverage
    shown = title_of(part)
    pages = _page_links(part, links)
    return {
        "heading": shown,
        "title": f"{shown} - {title}",
        "root": part.root,
        "canonical": links.thread(part.root, part.page if part.pages > 1 else None),
        "totals": _totals(part, lanes),
        "coverage": sentence(coverage, names, _ADMITTED) if coverage else "",
        "complete": coverage is None or coverage.complete,
        "lanes": [
            LaneView(lane.name, place % COLORS, summary(lane, lanes) if part.summary is None else "")
            for place, lane in enumerate(lanes.lanes)
        ],
        "svg": _picture(part.thread, lanes) if part.summary is None and len(part.thread.messages) > 1 else "",
        "messages": _messages(part, lanes, texts, links),
        "pages": pages,
        "page": part.page,
        "newer": next((one.href for one in pages if one.number == part.page - 1), ""),
        "older": next((one.href for one in pages if one.number == part.page + 1), ""),
        "digest": part.thread.digest,
    }


def title_of(part: ThreadPart) -> str:
    """The subject of the first message of the thread that was seen."""
    if part.summary is None:
        return heading(part.thread)
    return tidy(part.summary.subject) or NO_SUBJECT


def _totals(part: ThreadPart, lanes: Lanes) -> str:
    whole = part.summary
    if whole is None:
        return totals(lanes)
    words = f"{count(whole.messages, 'message')} on {count(len(whole.lists), 'list')}"
    missing = f", {whole.ghosts:,} not seen here" if whole.ghosts else ""
    newest = f", newest {whole.newest[:10]}" if whole.newest else ""
    return words + missing + newest


def _picture(thread: Thread, lanes: Lanes) -> Markup:
    picture = draw(thread, Shown(), link=True, head=False, lanes=lanes)
    label = f"{totals(lanes)}, drawn over a lane for each list; the messages below say the same in words"
    attributes = Markup(' role="group" aria-label="{}"').format(label)
    return Markup(f"{open_svg(picture.width, picture.height, attributes)}\n{picture.elements}</svg>")  # noqa: S704


def _page_links(part: ThreadPart, links: Links) -> list[PageLink]:
    return [
        PageLink(
            number,
            f"{(number - 1) * PART + 1:,} to {min(number * PART, part.total):,}",
            links.thread(part.root, number),
        )
        for number in range(1, part.pages + 1)
    ]


def _messages(part: ThreadPart, lanes: Lanes, texts: MailTexts, links: Links) -> list[MessageView]:
    here = {row.message.id: row.message for row in lanes.rows}
    colors = [LaneView(lane.name, place % COLORS) for place, lane in enumerate(lanes.lanes)]
    shown = title_of(part)
    return [_message(row, part.thread.coverage, here, colors, lanes, texts, links, shown) for row in lanes.rows]


def _message(
    row: LaneRow,
    coverage: Coverage | None,
    here: Mapping[str, Message],
    colors: list[LaneView],
    lanes: Lanes,
    texts: MailTexts,
    links: Links,
    heading: str,
) -> MessageView:
    message = row.message
    parent = None if message.parent is None else here.get(message.parent)
    return MessageView(
        id=message.id,
        anchor=anchor(message.id),
        level=min(message.depth, _DEEPEST),
        ghost=message.ghost,
        hearsay=message.hearsay,
        author="" if message.ghost else author_name(message.author, 80),
        minute="" if message.ghost else minute(message),
        stamp=message.date or "",
        lists=tuple(colors[lane] for lane in row.held),
        subject=_new_subject(row, heading),
        remarks=[one for one in remarks(row, lanes) if not one.startswith("contested; ")],
        disputed=message.contested,
        rivals=[_rival(one, here, links) for one in message.rivals],
        variants=message.variants,
        permalink=links.thread(message.id, anchor=anchor(message.id)),
        parent_href="" if message.parent is None else _place(message.parent, here, links),
        parent_name=_parent_name(parent),
        ghost_title=("Muted here" if message.muted else "Not seen here") if message.ghost else "",
        naming=_naming(message),
        known=_known(message, coverage) if message.ghost else "",
        copies=texts.copies(message.id),
        lost=texts.lost(message.id),
    )


def _new_subject(row: LaneRow, heading: str) -> str:
    """The subject of a message, where it is another one than that above it, which may be on an earlier page."""
    message = row.message
    if message.ghost or not row.new_subject:
        return ""
    subject = tidy(message.subject) or NO_SUBJECT
    above_is_elsewhere = message.parent is not None and row.parent is None
    return "" if above_is_elsewhere and base_subject(subject)[0] == base_subject(heading)[0] else subject


def _parent_name(parent: Message | None) -> str:
    if parent is None:
        return "an earlier message"
    return "a message that is not here" if parent.ghost else author_name(parent.author, 40)


def _place(message_id: str, here: Mapping[str, Message], links: Links) -> str:
    """Where a message stands: on this page, or wherever its thread has it."""
    name = anchor(message_id)
    return f"#{name}" if message_id in here else links.thread(message_id, anchor=name)


def _rival(rival: str | None, here: Mapping[str, Message], links: Links) -> RivalView:
    return RivalView("", "") if rival is None else RivalView(rival, _place(rival, here, links))


def _naming(message: Message) -> str:
    if not message.named:
        return ""
    where = ", ".join(map(tidy, message.named_on))
    return f"Named in {count(message.named, 'copy', 'copies')} of other messages on {where}."


def _known(message: Message, coverage: Coverage | None) -> str:
    """What is known of a message that nobody here has seen."""
    if message.muted:
        return "Copies of it are here, and the policy of this server mutes them."
    if coverage is None:
        return ""
    if message.id in coverage.nobody_holds:
        return "Nobody who was asked holds it." if coverage.asked else "It is on none of the lists here."
    return "What is here of it does not count." if coverage.complete else "Not everybody was asked about it."
