"""Rows say of each message what the model says, up to their limits."""

from __future__ import annotations

from hypothesis import given, settings

from tests.wire.test_threads import threads
from weft.model import Copy, Message, Thread
from weft.v1 import threads_pb2 as wire
from weft.wire.limits import ANSWER_BYTES, PAGE_BYTES, ROW_ENTRIES
from weft.wire.rows import fill_rows, to_row
from weft.wire.stated_time import from_stated_time
from weft.wire.threads import to_string, to_text


def rows(thread: Thread, room: int, most: int) -> list[list[wire.ThreadMessage]]:
    """The rows of each page."""
    place, found = 0, []
    while place < len(thread.messages):
        page = wire.GetThreadResponse()
        reached, _ = fill_rows(page, thread.messages, {}, place, room, most)
        assert reached > place
        place = reached
        found.append(list(wire.GetThreadResponse.FromString(page.SerializeToString()).messages))
    return found


def read(row: wire.ThreadMessage) -> Message:
    """A message as a row has it."""
    return Message(
        to_text(row.message_id),
        to_text(row.parent_id) if row.depth else None,
        row.depth,
        row.ghost,
        row.contested,
        row.variant_count,
        from_stated_time(row.date),
        row.author,
        row.subject,
        tuple(
            Copy(one.list, one.subject, one.author, from_stated_time(one.date), one.origin_fingerprint or None)
            for one in row.copies
        ),
        rivals=tuple(to_text(one.message_id) if one.HasField("message_id") else None for one in row.rivals),
        cut=to_text(row.cut_parent_id) or None,
        named=row.naming_count,
        named_on=tuple(row.naming_lists),
        stated_date=row.unreadable_date,
    )


def plain(message: Message) -> Message:
    """A message with its texts as strings of the wire are, and without what no index has."""
    return message._replace(
        author=to_string(message.author),
        subject=to_string(message.subject),
        stated_date=to_string(message.stated_date),
        named_on=tuple(map(to_string, message.named_on)),
        copies=tuple(
            Copy(to_string(one.list), to_string(one.subject), to_string(one.author), one.date, one.origin)
            for one in message.copies
        ),
        joined=False,
    )


@settings(deadline=None)
@given(threads())
def test_rows_are_the_messages_in_order(thread: Thread) -> None:
    for room, most in ((1, 100), (10**6, 2), (10**6, 100)):
        pages = rows(thread, room, most)
        assert all(len(page) <= most for page in pages)
        assert [read(row) for page in pages for row in page] == list(map(plain, thread.messages))


def test_what_belongs_to_one_message_is_cut_and_marked() -> None:
    text = "\u20ac" * 4096
    copies = tuple(Copy(f"list{number}", text, text[:1536], None, "o") for number in range(2000))
    rivals = tuple(f"{number:0250}" for number in range(2000))
    message = Message("m", None, 0, False, True, 1, None, "a", "s", copies, rivals=rivals, rival_replies=rivals[1:])
    row = to_row(message, list(rivals[2:]))
    assert row.truncated
    assert len(row.copies) == len(row.rivals) == len(row.muted_parent_ids) == ROW_ENTRIES
    assert row.ByteSize() + PAGE_BYTES < ANSWER_BYTES
    assert not to_row(message._replace(copies=copies[:100], rivals=(), rival_replies=())).truncated
