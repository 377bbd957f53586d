"""Evidence: all that a claim needs of a message, where a rebuild needs less (`weft.sources.interface.Record`)."""

from __future__ import annotations

from weft.core.body import MAX_RAW_BODY, body_digest
from weft.core.byte_search import find
from weft.core.date import parse_date
from weft.core.header import minted, scan
from weft.sources.newest_year import MBOXRD_LENGTH, RECEIVED, NewestYear
from weft.sources.separators import MBOXRD

Evidence = tuple[
    int, int, bytes, tuple[bytes, ...], bool, tuple[bytes, ...], bytes, bytes, bytes, bytes, bytes, bytes, bytes,
    tuple[bytes, ...],
]  # fmt: skip
"""0 ``offset``, 1 ``length`` (as in a record), 2 ``message_id``, 3 ``in_reply_to``, 4 ``sane``, 5 ``references``,
6 ``date`` as stated, 7 ``subject``, 8 ``author``, 9 ``archived_at``, 10 ``body``: the digest of the canonical body,
11 ``weak_in_reply_to``, 12 ``weak_references``: which ids are weak (`weft.core.references`); 13 ``aliases``: other ids
that the mail states for itself (`weft.core.alias`)."""


def make_evidence(
    buffer: bytes | bytearray,
    start: int,
    header_end: int,
    body: tuple[int, int],
    place: tuple[int, int],
    *,
    mbox: bool,
    again: bool = False,  # noqa: ARG001
    newest: NewestYear | None = None,
) -> Evidence:
    """Scan one message, as `weft.sources.interface.make_record` does."""
    fields = scan(buffer, start, header_end)
    if newest is not None:
        date = fields.date
        if (
            date[12:16] not in newest.years  # as a Date of the usual form has it
            and date[11:15] not in newest.years
            and (
                find(buffer, RECEIVED, start - 1, header_end) >= 0
                or not buffer.startswith(MBOXRD, start - MBOXRD_LENGTH)
            )
        ):
            newest.look(buffer, start, header_end, parse_date(date)[0])
    data = bytes(memoryview(buffer)[body[0] : min(body[1], body[0] + MAX_RAW_BODY)])  # copied once, not twice
    digest = body_digest(data, mbox=mbox)
    own, aliases = (fields.message_id, fields.aliases) if fields.message_id else minted(fields, digest)
    return (
        place[0], place[1], own, fields.in_reply_to, fields.sane, fields.references, fields.date, fields.subject,
        fields.author, fields.archived_at, digest, fields.weak_in_reply_to, fields.weak_references,
        aliases,
    )  # fmt: skip
