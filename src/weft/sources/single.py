"""A message that is a file of its own: what Maildir, MH and public-inbox have in common.

Such a file may still begin with the ``From `` line of an mbox, which is no part of the message; nothing in it is
mbox-escaped.  Of a file at most `MAX_READ` octets are scanned, so that its digest needs bounded memory.
"""

from __future__ import annotations

import re

from weft.core.body import MAX_RAW_BODY
from weft.core.header import MAX_BLOCK
from weft.sources.base import Make, Note, Notes, T, split_message

MAX_READ = MAX_BLOCK + MAX_RAW_BODY

_FROM_LINE = re.compile(rb"From (?![ \t]*:)[^\n]*+\n?+")
_ANY_FIELD = re.compile(rb"\n[!-9;-~]++[ \t]*+:")


def without_from_line(raw: bytes) -> bytes:
    """``raw`` from its first header field on."""
    found = _FROM_LINE.match(raw)
    return raw[found.end() :] if found else raw


def scan_single(raw: bytes, path: str, place: tuple[int, int], notes: Notes, make: Make[T]) -> T | None:
    """What is made of the message that the file ``path`` holds; None, and a note, if it holds none."""
    buffer, header_end, body = split_message(without_from_line(raw[:MAX_READ]))
    if not _ANY_FIELD.search(buffer, 0, min(header_end, MAX_BLOCK)):
        notes(Note(path, None, "not a message: it has no header field" if raw else "not a message: it is empty", 1))
        return None
    if header_end - 1 > MAX_BLOCK:
        notes(Note(path, None, "header block longer than 256 KiB: read only so far"))
    return make(buffer, 1, header_end, body, place, mbox=False)
