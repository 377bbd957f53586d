"""What pictures and pages say about a message, in clean words that are not yet escaped.

Addresses are left out, so that a picture can be shown to others: of an author there is a name, or what stands before
the ``@``.  What a message says in one line and what its details say are here once, for the picture and for the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from weft._text import noun
from weft.model import Copy, Message, Thread
from weft.render.labels import (
    NO_NAME,
    NO_SUBJECT,
    alias_words,
    author_of,
    cut_words,
    in_utc,
    reply_words,
    rival_words,
    variant_words,
    with_at,
)
from weft.render.lanes.layout import Lane, LaneRow, Lanes
from weft.render.sanitize import clean, shorten

LONGEST = 400
"""No text takes more columns."""
_MINUTE = 16


def tidy(text: str, columns: int = LONGEST) -> str:
    """Text from mail, clean, without the space around it, and not endless."""
    return shorten(clean(text).strip(" "), columns)


def author_name(author: str, columns: int = LONGEST) -> str:
    """Who wrote it, by name and never by address: ``Ann``; ``ann@…`` if there is no name."""
    name = author_of(author)
    start, at, _ = with_at(name).partition("@")
    return tidy(f"{start.rstrip()}@…" if at else name, columns) or NO_NAME


def minute(message: Message | Copy) -> str:
    """The date to the minute, in UTC, or as it stands, if nobody can read it."""
    if message.date is not None:
        return tidy(in_utc(message.date).replace("T", " "), _MINUTE + 1)[:_MINUTE]
    return tidy(message.stated_date if isinstance(message, Message) else "", _MINUTE) or "no date"


def count(number: int, one: str, more: str = "") -> str:
    """As `weft._text.count`, with thousands apart."""
    return f"{number:,} {noun(number, one, more)}"


def heading(thread: Thread) -> str:
    """The subject of the first message that was seen."""
    return next((tidy(message.subject) for message in thread.messages if not message.ghost), "") or NO_SUBJECT


def totals(lanes: Lanes) -> str:
    """How much there is, and from when to when."""
    days = sorted(in_utc(date)[:10] for row in lanes.rows if (date := row.message.date))
    parts = [f"{count(lanes.messages, 'message')} on {count(len(lanes.lanes), 'list')}"]
    parts += [f"{lanes.unseen:,} not seen here"] if lanes.unseen else []
    muted = sum(row.message.ghost and row.message.muted for row in lanes.rows)
    parts += [f"{muted:,} muted"] if muted else []
    parts += [" to ".join(dict.fromkeys((tidy(days[0]), tidy(days[-1]))))] if days else []
    return ", ".join(parts)


def summary(lane: Lane, lanes: Lanes) -> str:
    """``has 11 of 16 messages, lacks 5; sees 8 of 15 reply edges``."""
    text = f"has {lane.has:,} of {count(lanes.messages, 'message')}, lacks {lane.lacks:,}"
    if not lane.lacks:
        text = f"has {'it' if lanes.messages == 1 else 'all'} ({count(lanes.messages, 'message')})"
    if lanes.replies and (lane.lacks or lane.seen < lanes.replies):
        text += f"; sees {lane.seen:,} of {count(lanes.replies, 'reply edge')}"
    return text


def ghost_line(message: Message) -> str:
    """What is known of a message that nobody here has seen."""
    if message.joined:
        return f"[same subject] {tidy(message.subject, 60)}"
    return f"{'muted' if message.muted else 'not seen'} here <{tidy(message.id, 44)}>{_naming(message)}"


def _naming(message: Message) -> str:
    where = f", named in {count(message.named, 'copy', 'copies')}" if message.named else ""
    return where + (f" on {tidy(' '.join(message.named_on), 80)}" if message.named_on else "")


def details(row: LaneRow, lanes: Lanes) -> Iterator[str]:
    """All that is to be said of a message, a line each, the id first."""
    message = row.message
    yield f"<{tidy(message.id)}>"
    if message.ghost:
        yield ghost_line(message)
    for copy in message.copies:
        subject = tidy(copy.subject, 120) or NO_SUBJECT
        yield f"on {tidy(copy.list)}: {minute(copy)}, {author_name(copy.author, 60)}, {subject}"
    yield from remarks(row, lanes)


def remarks(row: LaneRow, lanes: Lanes) -> Iterator[str]:
    """What lists lack of this message and of its edge, and what is unusual about it."""
    message = row.message
    parent = lanes.rows[row.parent] if row.parent is not None else None
    if row.left:
        yield f"left {_names(row.left, lanes)}, which has what it answers"
    if row.named and not message.ghost:
        yield f"only named by a reply on {_names(row.named, lanes)}"
    if parent is not None and not message.joined and not message.ghost:
        if parent.message.ghost:
            yield f"what it answers {'is muted' if parent.message.muted else 'was not seen'} here"
        elif lacking := [lane for lane in row.held if lane not in parent.held]:
            yield f"what it answers is not on {_names(lacking, lanes)}"
    if message.hearsay:
        yield "its place is hearsay: only References of other messages put it below another one"
    yield from reply_words(message, tidy)
    if message.contested:
        yield f"contested; {rival_words(message, tidy)}"
    if message.cut is not None:
        yield cut_words(message.cut, tidy)
    if message.variants > 1:
        yield f"{message.variants} different contents under this id"
        if message.copies and (others := variant_words(message, lambda text: tidy(text, 120))):
            yield others
    if message.joined and not message.ghost:
        yield "joined by an equal subject only"
    if message.aliases:
        yield alias_words(message, tidy)
    if message.implausible_date:
        yield "its date is in the future" if message.ahead else "its date is before 1970, and orders nothing"
    if message.guessed:
        yield "the charset of its subject or author is a guess"


def absent(row: LaneRow, lanes: Lanes) -> str:
    """The lists that lack it."""
    return _names([lane for lane in range(len(lanes.lanes)) if lane not in row.held], lanes)


def present(row: LaneRow, lanes: Lanes) -> str:
    """The lists that have it."""
    return _names(row.held, lanes)


def _names(numbers: Iterable[int], lanes: Lanes) -> str:
    return ", ".join(tidy(lanes.lanes[lane].name) for lane in numbers)
