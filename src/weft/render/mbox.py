"""Messages as one mbox in the mboxrd form, which every mail reader opens and which loses nothing.

Theory of operation.  Each message is ``From mboxrd@z Thu Jan  1 00:00:00 1970``, its bytes, and one blank line; lines
of it that match ``>*From `` have one more ``>``, so that no line inside a message can be taken for the first of
another, and a reader that takes one ``>`` off again has the message as it was.  The one exception is a header field
that is written ``From : a@x``: with a ``>`` it would be no field any more.  Bytes that come out of an mbox are escaped
already and get no second ``>``.  Two things are made equal, so that the same message out of a Maildir and out of an
mbox gives the same bytes: a last line without its line end gets one (CRLF behind a lone CR, which would else become a
part of it), and blank lines at the end of the body (which no mbox can tell from the one between messages) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import BinaryIO

from weft.core.body import escape_from

FROM_LINE = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"

_BARE_FROM = re.compile(rb"^From ", re.MULTILINE)
_BARE_FROM_IN_HEADER = re.compile(rb"^From (?![ \t]*:)", re.MULTILINE)
_FROM_IN_HEADER = re.compile(rb"^(?:>+From |From (?![ \t]*:))", re.MULTILINE)
_END_OF_HEADER = re.compile(rb"(?:\A|\n)\r?\n")


def write_mboxrd(messages: Iterable[tuple[bytes, bool]], file: BinaryIO) -> None:
    """Write ``messages``, pairs of a message's bytes and whether they are mbox-escaped already, as one mboxrd."""
    for raw, escaped in messages:
        file.write(FROM_LINE + encode_message(raw, escaped=escaped) + b"\n")


def encode_message(raw: bytes, *, escaped: bool) -> bytes:
    """One message, without a From_ line of its own, as it stands between ours and the blank line after it."""
    raw = without_blank_end(raw)
    if b"From " not in raw:
        return raw
    empty_line = _END_OF_HEADER.search(raw)
    end = empty_line.end() if empty_line else len(raw)
    header, body = raw[:end], raw[end:]
    if not escaped:
        return _FROM_IN_HEADER.sub(rb">\g<0>", header) + escape_from(body)
    # An mbox whose own rule wants more of a From_ line than its first word may hold bare ones inside a message; they
    # would split it here.  Unescaping takes this mark off and leaves what was there.
    return _BARE_FROM_IN_HEADER.sub(b">From ", header) + _BARE_FROM.sub(b">From ", body)


def without_blank_end(raw: bytes) -> bytes:
    """``raw`` with exactly one line end, LF or CRLF, after its last line that is not blank."""
    if not raw.endswith(b"\n"):
        raw += b"\r\n" if raw.endswith(b"\r") else b"\n"
    text = raw.rstrip(b"\r\n")
    # A line with a CR of its own is not blank: keep all up to the last such.
    kept = len(text) + raw[len(text) :].rfind(b"\r\r") + 1
    return raw[:kept] + (b"\r\n" if raw.startswith(b"\r\n", kept) else b"\n")
