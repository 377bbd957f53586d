"""Whether two copies of a message say the same, given the mail itself: what lists and archives do to it is undone.

A list or archive prefixes the subject, rewrites From, adds a footer, encodes the same words in another way, changes
line ends, writes ``at`` for ``@`` and takes attachments out.  Of copies that differ in nothing else, one stands for
all; any other difference makes another content.  The parents and References that a copy states count too, so that the
contents that are left give the same forest as all copies.

Bodies are read with the standard library's `email`, under its oldest policy, and only of messages with several copies.
What it cannot read, or what is long, is compared byte by byte: then two copies may both be kept where one would do.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from weft._patterns import deferred
from weft.core.author import decode_author
from weft.core.body import MAX_RAW_BODY, canonical_body
from weft.core.header import MAX_BLOCK, scan
from weft.core.representative import same_senders
from weft.core.sender import read_sender
from weft.core.subject import base_subject, decode_text

if TYPE_CHECKING:
    from email.message import Message

_LONGEST = 1 << 20
"""Longer bodies are not taken apart."""
_MOST_PARTS = 100
_AT = deferred(r"(?<=\S)\s+at\s+(?=\S+\.\S)")
_SPACE = deferred(r"\s+")
_RULE = deferred(r"(?:_{20,}|-{20,}|={20,}|\*{20,})\s*")
_NEXT_PART = deferred(r"^-{10,} next part -{10,}$.*", re.MULTILINE | re.DOTALL)
_FOOTER_LINES = 10
_FOOTERS = 4
_LIST_WORDS = deferred(r"https?://|@|\blist\b", re.IGNORECASE)
_ODD = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
"""What the standard library raises on crafted mail."""


class MailCopy(NamedTuple):
    """One copy: its bytes from the first header field on, split as `weft.core.header.scan` wants them."""

    list: str
    buffer: bytes
    header_end: int
    body: tuple[int, int]
    escaped: bool
    """It is mbox-escaped."""


def distinct_contents(copies: Sequence[MailCopy]) -> list[int]:
    """The places of the first copy of each content, in order."""
    fields = [scan(copy.buffer, 1, copy.header_end) for copy in copies]
    senders = [read_sender(decode_author(one.author), copy.list) for one, copy in zip(fields, copies, strict=True)]
    texts = _texts(copies)
    found: dict[Hashable, int] = {}
    for place, (one, sender, text) in enumerate(zip(fields, same_senders(senders), texts, strict=True)):
        subject = base_subject(decode_text(one.subject))[0].casefold()
        found.setdefault((sender, subject, one.in_reply_to, one.sane, one.references, text), place)
    return list(found.values())


def _texts(copies: Iterable[MailCopy]) -> list[bytes]:
    """What each body says; equal bodies are taken apart once, and only if there are several."""
    bodies = []
    for copy in copies:
        start, end = copy.body
        raw = bytes(memoryview(copy.buffer)[start : min(end, start + MAX_RAW_BODY)])
        bodies.append(canonical_body(raw, mbox=copy.escaped))
    if len(set(bodies)) == 1:
        return [b""] * len(bodies)
    heads = [copy.buffer[1 : copy.header_end] for copy in copies]
    return [read_text(head, body) for head, body in zip(heads, bodies, strict=True)]


def read_text(head: bytes, body: bytes) -> bytes:
    """A digest of what a message says: of its words without white space and footers, and of its attachments."""
    if len(body) > _LONGEST:
        return sha256(body).digest()
    from email import message_from_bytes  # both take longer to load than the rest, and few archives need them
    from email.policy import compat32

    whole = head[:MAX_BLOCK].rstrip(b"\r\n") + b"\n\n" + body
    digest = sha256()
    try:
        for part in _parts(message_from_bytes(whole, policy=compat32)):
            digest.update(_said(part))
    except _ODD:
        return sha256(body).digest()
    return digest.digest()


def _parts(message: Message) -> Iterable[Message]:
    """The parts that hold no others; `ValueError` if there are too many."""
    waiting, seen = [message], 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > _MOST_PARTS:
            raise ValueError("too many parts")
        inner = part.get_payload()
        if isinstance(inner, list):
            waiting += reversed([one for one in inner if isinstance(one, type(message))])
        else:
            yield part


def _said(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    data = data if isinstance(data, bytes) else b""
    if part.get_content_maintype() != "text":
        return sha256(data).digest()
    charset = str(part.get_content_charset() or "utf-8")
    try:
        text = data.decode(charset)
    except (ValueError, LookupError):
        text = data.decode("utf-8", "surrogateescape")
    text = _NEXT_PART.sub("", text.replace("\r\n", "\n"))
    plain = _SPACE.sub("", _AT.sub("@", _without_footers(text)))
    return plain.encode("utf-8", "surrogatepass")


def _without_footers(text: str) -> str:
    """Without the few lines below a rule that name a list, which lists add at the end."""
    lines = text.split("\n")
    for _ in range(_FOOTERS):
        while lines and not lines[-1].strip():
            lines.pop()
        if lines and _RULE.fullmatch(lines[-1]):
            lines.pop()
            continue
        rules = [
            place
            for place in range(max(0, len(lines) - _FOOTER_LINES - 1), len(lines))
            if _RULE.fullmatch(lines[place])
        ]
        if not rules or not _LIST_WORDS.search("\n".join(lines[rules[-1] :])):
            break
        del lines[rules[-1] :]
    return "\n".join(lines)
