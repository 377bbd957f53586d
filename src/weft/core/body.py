"""The digest of a body: equal for copies of one message that lists did not edit, whatever file they lie in.

The canonical body has LF line ends, is mbox-unescaped (one ``>`` is taken from lines that match ``>+From ``; only for
mail from an mbox), is cut at `MAX_BODY` bytes, and has no blank lines at its end.  Its digest is SHA-256.
"""

from __future__ import annotations

import re
from hashlib import sha256

from weft.core.byte_search import find

MAX_BODY = 16 * 1024 * 1024
MAX_RAW_BODY = 40 * 1024 * 1024
"""So many raw bytes always hold `MAX_BODY` canonical ones: CRLF halves, unescaping takes a sixth."""

_CR = 0x0D
_ESCAPED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def canonical_body(raw: bytes, *, mbox: bool) -> bytes:
    """The canonical bytes of ``raw`` (cut at `MAX_RAW_BODY` by the caller)."""
    if _CR in raw:
        raw = raw.replace(b"\r\n", b"\n")
    if mbox and find(raw, b">From ", 0, len(raw)) >= 0:
        raw = unescape_from(raw)
    return (raw if len(raw) <= MAX_BODY else raw[:MAX_BODY]).rstrip(b"\n")


def body_digest(raw: bytes, *, mbox: bool) -> bytes:
    """The 32 bytes of SHA-256 over the canonical body."""
    return sha256(canonical_body(raw, mbox=mbox)).digest()


def escape_from(body: bytes) -> bytes:
    """Escape lines that match ``>*From `` with one more ``>`` (mboxrd)."""
    return _UNESCAPED_FROM.sub(rb">\g<0>", body) if b"From " in body else body


def unescape_from(body: bytes) -> bytes:
    """Take one ``>`` from lines that match ``>+From `` (mboxrd)."""
    return _ESCAPED_FROM.sub(rb"\1", body) if b">From " in body else body


_UNESCAPED_FROM = re.compile(rb"^>*From ", re.MULTILINE)
