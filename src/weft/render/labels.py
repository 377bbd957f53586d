"""What text, pictures, pages and commands say alike, of messages and of numbers.

``show`` makes what was in mail clean, and as short as whoever asks wants it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from weft._text import some_of
from weft.model import Message

NO_SUBJECT = "(no subject)"
NO_NAME = "(no name)"
_MAX_RIVALS = _MAX_VARIANTS = 5
"""So many rival parents are shown of a contested message, and so many other copies of one with variants."""


def author_of(author: str) -> str:
    """Who wrote it, not yet clean: the name, or the address where there is no name; empty if there is neither.

    ``Ann <ann@x.org>``, ``ann@x.org (Ann)`` and, as Pipermail has it, ``ann at x.org (Ann)`` are all ``Ann``.
    """
    address, _, comment = author.partition("(")
    if "@" in with_at(address) and len(with_at(address).split()) == 1:
        return comment.rpartition(")")[0].strip() or address.strip(" <>")
    name, _, address = author.partition("<")
    return name.strip().strip('"').strip() or address.strip(" >")


def with_at(address: str) -> str:
    """An address that an archive wrote as ``ann at x.org`` as what it is; whatever else it is as it stands."""
    words = address.split()
    if len(words) == 3 and words[1].strip("()").lower() == "at" and "." in words[2]:
        return f"{words[0]}@{words[2]}"
    return address


def in_utc(date: str) -> str:
    """An RFC 3339 date in UTC, as all dates are that people read; as it stands, if it is none."""
    if date.endswith(("Z", "+00:00", "-00:00")):
        return date
    try:
        moment = datetime.fromisoformat(date)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
    except (ValueError, OverflowError):
        return date


_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86400, 7 * 86400


def time_of(message: Message, now: int | None = None, *, minutes: bool = True) -> str:
    """When a message was written, not yet clean: the time in UTC, to the minute or the day; as stated, if unreadable.

    ``now``: with it, the last seven days before that second are told as how long ago they are.
    """
    if message.date is None:
        return message.stated_date or "no date"
    if now is not None and (ago := _ago(message.date, now)):
        return ago
    return in_utc(message.date)[: 16 if minutes else 10].replace("T", " ")


def _ago(date: str, now: int) -> str:
    try:
        moment = datetime.fromisoformat(date)
        seconds = now - (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return ""
    if not 0 <= seconds < _WEEK:
        return ""
    if seconds < _MINUTE:
        return "now"
    size, unit = next(one for one in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")) if seconds >= one[0])
    return f"{int(seconds // size)} {unit} ago"


def tags(message: Message) -> str:
    """What is unusual about a message, as marks that end in a space."""
    marks = [
        "[contested] " if message.contested else "",
        variant_tag(message.variants),
        "[cycle cut] " if message.cut is not None else "",
        "[joined by subject] " if message.joined and not message.ghost else "",
        "[date in the future] " if message.ahead else "[date before 1970] " if message.implausible_date else "",
        "[charset guessed] " if message.guessed else "",
    ]
    return "".join(marks)


def variant_tag(variants: int) -> str:
    """The mark of a message with so many contents, which ends in a space; empty of one."""
    return f"[{variants} variants] " if variants > 1 else ""


def rival_words(message: Message, show: Callable[[str], str]) -> str:
    """The parents that the copies of a contested message state."""

    def parent(rival: str | None) -> str:
        return "no parent" if rival is None else f"<{show(rival)}>"

    return f"rival parents: {some_of(message.rivals, _MAX_RIVALS, parent, ' or ')}"


def variant_words(message: Message, show: Callable[[str], str]) -> str:
    """The other contents under the id of a message: who wrote them, of what subject, on which list.

    Empty if all copies have the same author and subject.
    """
    first, *others = message.copies
    written = dict.fromkeys(
        f"{show(author_of(one.author)) or NO_NAME}, {show(one.subject) or NO_SUBJECT} ({show(one.list)})"
        for one in others
        if (one.author, one.subject) != (first.author, first.subject)
    )
    if not written:
        return ""
    more = len(written) - _MAX_VARIANTS
    shown = "; ".join(list(written)[:_MAX_VARIANTS])
    return f"other copies under this id: {shown}" + (f"; and {more} more" if more > 0 else "")


def ghost_tag(message: Message) -> str:
    """What stands before the id of a ghost: whether it was not seen or is muted, and if its place is hearsay."""
    return ("muted here" if message.muted else "not seen here") + (", hearsay" if message.hearsay else "")


def reply_words(message: Message, show: Callable[[str], str]) -> Iterator[str]:
    """The contested messages that would stand below this one, a line each."""
    for reply in message.rival_replies[:_MAX_RIVALS]:
        yield f"contested: <{show(reply)}> may answer this, and stands as a thread of its own"
    if len(message.rival_replies) > _MAX_RIVALS:
        yield f"contested: {len(message.rival_replies) - _MAX_RIVALS} more messages may answer this"


def alias_words(message: Message, show: Callable[[str], str]) -> str:
    """The other ids that count as that of a message; empty if there is none."""
    if not message.aliases:
        return ""
    return f"also counts as {some_of(message.aliases, _MAX_RIVALS, lambda alias: f'<{show(alias)}>')}"


def cut_words(parent: str, show: Callable[[str], str]) -> str:
    """Of a message whose edge was cut."""
    return f"cut to end a cycle; its parent was <{show(parent)}>"
