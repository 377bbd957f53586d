"""Messages as one mbox in the mboxrd form, which every mail reader opens and which loses nothing.

Theory of operation.  Each message is ``From mboxrd@z Thu Jan  1 00:00:00 1970``, its octets, and one blank line; lines
of it that match ``>*From `` have one more ``>``, so that no line inside a message can be taken for the first of
another, and a reader that takes one ``>`` off again has the message as it was.  Octets that come out of an mbox are
escaped already and get no second ``>``.  Three things are made equal, so that the same message out of a Maildir and
out of an mbox gives the same octets: a From_ line of its own gives way to ours, a last line without its line feed
gets one, and blank lines at the end of the body (which no mbox can tell from the one between messages) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import BinaryIO

from weft.core.body import escape_from

FROM_LINE = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"

_FROM_LINE = re.compile(rb"From (?![ \t]*:)[^\n]*(?:\n|\Z)")
"""A From_ line, and not the field that RFC 5322 section 4.5 lets people write as ``From : a@x``."""
_BARE_FROM = re.compile(rb"^From ", re.MULTILINE)


def write_mboxrd(messages: Iterable[tuple[bytes, bool]], file: BinaryIO) -> None:
    """Write ``messages``, pairs of a message's octets and whether they are mbox-escaped already, as one mboxrd."""
    for raw, escaped in messages:
        file.write(FROM_LINE + encode_message(raw, escaped=escaped) + b"\n")


def encode_message(raw: bytes, *, escaped: bool) -> bytes:
    """One message as it stands between its From_ line and the blank line after it."""
    if own_line := _FROM_LINE.match(raw):
        raw = raw[own_line.end() :]
    raw = without_blank_end(raw)
    if not escaped:
        return escape_from(raw)
    # An mbox whose own rule wants more of a From_ line than its first word may hold bare ones inside a message; they
    # would split it here.  Unescaping takes this mark off and leaves what was there.
    return _BARE_FROM.sub(b">From ", raw)


def without_blank_end(raw: bytes) -> bytes:
    """``raw`` with exactly one line end, LF or CRLF, after its last line that is not blank."""
    if not raw.endswith(b"\n"):
        raw += b"\n"
    text = raw.rstrip(b"\r\n")
    # A line with a CR of its own is not blank: keep all up to the last such.
    kept = len(text) + raw[len(text) :].rfind(b"\r\r") + 1
    return raw[:kept] + (b"\r\n" if raw.startswith(b"\r\n", kept) else b"\n")
