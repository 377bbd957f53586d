"""A message that is a file of its own: what Maildir, MH, ``.eml``, ``.emlx`` and public-inbox have in common.

Such a file may still begin with the ``From `` line of an mbox, which is no part of the message, with a byte order mark
or empty lines; nothing in it is mbox-escaped.  Its lines may end in CR alone.  Apple's ``.emlx`` begins with a line
that says how many bytes the message has, and ends with a property list.  Of a file at most `MAX_READ` bytes are
scanned, so that its digest needs bounded memory.
"""

from __future__ import annotations

from weft._patterns import deferred
from weft.core.body import MAX_RAW_BODY
from weft.core.header import MAX_BLOCK
from weft.sources.forms import BOM, HEAD, Foreign, Form, form_of
from weft.sources.interface import Note, Notes, RecordMaker, T, split_message

MAX_READ = MAX_BLOCK + MAX_RAW_BODY

_EMPTY_LINES = deferred(rb"(?:[ \t]*\r?\n)*")
_FRONT = deferred(rb"(?:[ \t]*\r?\n)*(?:>?From (?![ \t]*:)[^\n]*(?:\n|\Z)(?:\xef\xbb\xbf)?(?:[ \t]*\r?\n)*)+")
_BEFORE_A_MESSAGE = frozenset((b"F", b">", b"\n", b"\r", b" ", b"\t"))
_COUNT = deferred(rb"([0-9]{1,12})[ \t]*\r?\n")
_ANY_FIELD = deferred(rb"\n[!-9;-~]++[ \t]*+:")


def message_of(raw: bytes) -> bytes:
    """The message that a file holds, from its first header field on."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    raw = raw.removeprefix(BOM)
    if raw[:1].isdigit() and (found := _COUNT.match(raw)):
        raw = raw[found.end() : found.end() + int(found[1])].removeprefix(BOM)
    if raw[:1] not in _BEFORE_A_MESSAGE or raw.startswith(b"From:"):
        return raw
    front = _FRONT.match(raw)
    if front is None and form_of(raw[:HEAD]) is Form.MESSAGE:
        front = _EMPTY_LINES.match(raw)
    return raw[front.end() :] if front else raw


def scan_single(raw: bytes, path: str, place: tuple[int, int], notes: Notes, make: RecordMaker[T]) -> T | None:
    """What is made of the message that the file ``path`` holds; None, and a note, if it holds none."""
    buffer, header_end, body = split_message(message_of(raw[:MAX_READ]))
    if not _ANY_FIELD.search(buffer, 0, min(header_end, MAX_BLOCK)):
        notes(Note(path, None, f"not a message: {_why_not(raw)}", 1))
        return None
    if header_end - 1 > MAX_BLOCK:
        notes(Note(path, None, "header block longer than 256 KiB: read only so far"))
    return make(buffer, 1, header_end, body, place, mbox=False)


def _why_not(raw: bytes) -> str:
    if not raw:
        return "it is empty"
    form = form_of(raw[:HEAD])
    return str(form) if isinstance(form, Foreign) else "it has no header field"
