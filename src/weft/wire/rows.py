"""Threads as rows: a `ThreadMessage` for each message (``weft/v1/threads.proto``).

For clients that want to read a thread in few lines.  What belongs to one message has a limit here, and is marked where
it was cut, so that a row always fits into a page; columns (`weft.wire.threads`) have all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weft.model import Copy, Message
from weft.v1 import threads_pb2 as wire
from weft.wire.limits import ROW_ENTRIES
from weft.wire.stated_time import to_stated_time
from weft.wire.threads import to_bytes, to_string


def fill_rows(
    out: wire.GetThreadResponse,
    messages: Sequence[Message],
    muted: Mapping[str, Sequence[str]],
    start: int,
    room: int,
    most: int,
) -> tuple[int, int]:
    """Add messages from ``start`` on, at most ``most``: where the next page begins, and the bytes left of ``room``.

    ``muted``: for a message, the parents that do not count because these edges are muted.
    """
    place = start
    for message in messages[start : start + most]:
        if room <= 0:
            break
        row = to_row(message, muted.get(message.id, ()))
        out.messages.append(row)
        room -= row.ByteSize()
        place += 1
    return place, room


def to_row(message: Message, muted_parents: Sequence[str] = ()) -> wire.ThreadMessage:
    """A message; ``muted_parents`` as in `fill_rows`."""
    try:
        return _row(message, muted_parents)
    except UnicodeEncodeError:  # not from a server, where all that is decoded is UTF-8
        return _row(_cleaned(message), muted_parents)


def _cleaned(message: Message) -> Message:
    """The message with marks for lone surrogates in its texts."""
    copies = (
        copy._replace(list=to_string(copy.list), subject=to_string(copy.subject), author=to_string(copy.author))
        for copy in message.copies
    )
    return message._replace(
        author=to_string(message.author),
        subject=to_string(message.subject),
        stated_date=to_string(message.stated_date),
        named_on=tuple(map(to_string, message.named_on)),
        copies=tuple(copies),
    )


def _row(message: Message, muted_parents: Sequence[str]) -> wire.ThreadMessage:
    most = ROW_ENTRIES
    lists = (message.copies, message.named_on, message.rivals, muted_parents, message.rival_replies, message.aliases)
    return wire.ThreadMessage(
        message_id=to_bytes(message.id),
        parent_id=None if message.parent is None else to_bytes(message.parent),
        depth=message.depth,
        ghost=message.ghost,
        contested=message.contested,
        date=to_stated_time(message.date),
        author=message.author,
        subject=message.subject,
        guessed_text=message.guessed,
        date_ahead=message.ahead,
        copies=map(_copy, message.copies[:most]),
        variant_count=message.variants,
        naming_count=message.named,
        naming_lists=message.named_on[:most],
        muted=message.muted,
        rivals=map(stated_parent, message.rivals[:most]),
        cut_parent_id=None if message.cut is None else to_bytes(message.cut),
        muted_parent_ids=map(to_bytes, muted_parents[:most]),
        rival_reply_ids=map(to_bytes, message.rival_replies[:most]),
        alias_ids=map(to_bytes, message.aliases[:most]),
        unreadable_date=message.stated_date,
        truncated=any(len(one) > most for one in lists),
    )


def stated_parent(parent: str | None) -> wire.StatedParent:
    """A parent that is stated; None: that there is none."""
    return wire.StatedParent(message_id=None if parent is None else to_bytes(parent))


def _copy(copy: Copy) -> wire.MessageCopy:
    return wire.MessageCopy(
        list=copy.list,
        subject=copy.subject,
        author=copy.author,
        date=to_stated_time(copy.date),
        origin_fingerprint=copy.origin or "",
    )
