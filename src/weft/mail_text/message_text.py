"""A message as somebody reads it: its header fields, its text and the names of its attachments, out of its bytes.

Theory of operation
-------------------
`read_message` reads the parts (`weft.mail_text.mime_parts`) and takes of them what is text: of alternatives the plain
one (or HTML, where that is wanted or nothing else is there), of other parts each that is text and not said to be an
attachment, in order.  Messages within the message are sections of their own, under their own fields.  Everything else
is an attachment, of which the name, the type and the size are given, and nothing of the content.

All of it went through `weft.render.sanitize`, so that it can be shown as it is; on a page it still has to be escaped.
It costs time linear in the bytes, of which at most `MAX_MESSAGE` are read, and there is always a result: what was
left out, cut or broken is said in ``remarks``.  Nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from weft._patterns import deferred
from weft._text import count
from weft.core.author import decode_author
from weft.core.body import unescape_from
from weft.core.charset import NO_CHARSET, clean_label, decode_charset
from weft.core.encoded_word import decode_raw
from weft.core.message_id import unfold
from weft.core.subject import decode_text
from weft.mail_text.html_text import html_lines
from weft.mail_text.mime_parts import MimePart, PartFields, content_type, read_parts
from weft.mail_text.text_lines import TextLine, cut_lines, flowed_lines, plain_lines
from weft.render.sanitize import clean

MAX_MESSAGE = 40 * 1024 * 1024
"""So many bytes of a message are read."""
MAX_CONTENT = 4 * 1024 * 1024
"""So many bytes of text are decoded, of HTML a quarter of that."""
MAX_CHARACTERS = 1024 * 1024
MAX_LINES = 50_000
"""So much text is given of a message; the rest is cut."""
MAX_ATTACHMENTS = 100
"""So many attachments are named."""
_CUT = f"its text is cut: no more than {MAX_LINES} lines or {MAX_CHARACTERS} characters are given"
_MAX_FIELD = 8192
"""So many bytes of a field are decoded."""

SHOWN_FIELDS = ("From", "To", "Cc", "Date", "Subject", "Message-ID")
"""The fields that are given, in this order."""
_ADDRESSES = frozenset({"From", "To", "Cc"})
_NOT_READABLE = frozenset({"text/calendar", "text/vcard", "text/x-vcard", "text/rtf", "text/directory"})
"""Texts for programs: attachments."""
_META_CHARSET = deferred(rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_SNIFFED = 2048


class Attachment(NamedTuple):
    """Something that comes with a message and is not its text."""

    name: str
    """As it is stated, cleaned; empty if there is none."""
    type: str
    size: int
    """About how many bytes, decoded."""


class TextSection(NamedTuple):
    """A text of the message, or of a message within it."""

    lines: tuple[TextLine, ...]
    fields: tuple[tuple[str, str], ...] = ()
    """Those of the message within the message that begins here; else none."""
    name: str = ""
    """The file name of a part that has one."""
    from_html: bool = False


class MessageText(NamedTuple):
    """All that is shown of a message; every string is clean."""

    fields: tuple[tuple[str, str], ...]
    """(name, value) of the `SHOWN_FIELDS` that it has."""
    sections: tuple[TextSection, ...]
    attachments: tuple[Attachment, ...]
    remarks: tuple[str, ...]
    """What was left out or could not be read, for people."""


def read_message(raw: bytes, *, escaped: bool = False, html: bool = False) -> MessageText:
    """What is shown of the message ``raw``, from its first header field on.

    ``escaped``: its lines ``>From `` are escaped, as in an mbox.  ``html``: of alternatives take the HTML.
    """
    reader = _Reader(html, content=MAX_CONTENT)
    if len(raw) > MAX_MESSAGE:
        reader.remarks.append(f"only the first {MAX_MESSAGE} of its {len(raw)} bytes are read")
        raw = raw[:MAX_MESSAGE]
    part, left_out = read_parts(unescape_from(raw) if escaped else raw)
    if left_out:
        reader.remarks.append("it has more parts, or parts in parts, than are read")
    reader.take(part)
    if not reader.sections:
        reader.remarks.append("it has no text")
    if len(reader.attachments) > MAX_ATTACHMENTS:
        more = len(reader.attachments) - MAX_ATTACHMENTS
        reader.remarks.append(f"{count(more, 'more attachment')} not named")
    fields, sections = tuple(shown_fields(part.fields)), tuple(reader.sections)
    return MessageText(fields, sections, tuple(reader.attachments[:MAX_ATTACHMENTS]), tuple(reader.remarks))


@dataclass(slots=True)
class _Reader:
    html: bool
    sections: list[TextSection] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    lines: int = MAX_LINES
    characters: int = MAX_CHARACTERS
    content: int = 0
    """How much more may be given, and decoded."""

    def take(self, part: MimePart, fields: tuple[tuple[str, str], ...] = ()) -> None:
        """Take what is text of a part, and name the rest; ``fields``: of the message within that begins here."""
        if part.type == "message/rfc822" or part.type == "message/global":
            for inner in part.parts:
                self.take(inner, tuple(shown_fields(inner.fields)) or (("Message", "without fields"),))
            return
        if fields and (part.parts or not is_text(part)):
            self.sections.append(TextSection((), fields))
            fields = ()
        if part.type == "multipart/alternative" and part.parts:
            chosen = self._choose(part.parts)
            for inner in part.parts:
                if inner is chosen or not _only_text(inner):
                    self.take(inner)
        elif part.parts:
            for inner in part.parts:
                self.take(inner)
        elif is_text(part):
            self._take_text(part, fields)
        elif part.end > part.start or part.name:
            self.attachments.append(Attachment(clean(part.name)[:200], part.type, part.size))

    def _choose(self, parts: tuple[MimePart, ...]) -> MimePart:
        """The alternative that is shown: the best is last (RFC 2046 section 5.1.4), but plain text is wanted."""
        for kind in ("text/html", "text/plain") if self.html else ("text/plain", "text/html"):
            for part in parts:
                if kind in _kinds(part):
                    return part
        return parts[-1]

    def _take_text(self, part: MimePart, fields: tuple[tuple[str, str], ...]) -> None:
        html = part.type == "text/html"
        cost = 4 if html else 1
        most = self.content // cost
        lines, cut = cut_lines(part_lines(part, most, self._unknown_charset), self.lines, self.characters)
        self.content = max(0, self.content - cost * part.size)
        self.lines -= len(lines)
        self.characters -= sum(len(line.text) + len(line.marks) + 1 for line in lines)
        while lines and not lines[0].text and not lines[0].marks:
            del lines[0]
        if (cut or part.size > most) and _CUT not in self.remarks:
            self.remarks.append(_CUT)
        if lines or fields:
            self.sections.append(TextSection(tuple(lines), fields, clean(part.name)[:200], html))

    def _unknown_charset(self, label: str) -> None:
        remark = f"its charset is unknown: {clean(label)[:80]}"
        if remark not in self.remarks:
            self.remarks.append(remark)


def is_text(part: MimePart) -> bool:
    """Whether a part that holds no others is read as text."""
    return (
        part.type.startswith("text/")
        and part.type not in _NOT_READABLE
        and part.disposition != "attachment"
        and not part.parts
    )


def part_lines(part: MimePart, most: int, unknown: Callable[[str], None] = lambda _label: None) -> Iterable[TextLine]:
    """The lines of one part that is text, of about ``most`` bytes; ``unknown`` is told a charset that nobody knows."""
    content = part.content(most)
    label = clean_label(part.parameters.get("charset", ""))
    html = part.type == "text/html"
    if html and label in NO_CHARSET and (found := _META_CHARSET.search(content, 0, _SNIFFED)):
        label = clean_label(found[1].decode("ascii"))
    text = None if label in NO_CHARSET else decode_charset(content, label)
    if text is None:
        if label not in NO_CHARSET:
            unknown(label)
        text = decode_raw(content)
    if html:
        return html_lines(text)
    if part.parameters.get("format", "").lower() == "flowed":
        return flowed_lines(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    return plain_lines(text)


def shown_fields(fields: PartFields) -> Iterator[tuple[str, str]]:
    """The `SHOWN_FIELDS` that are there, decoded and cleaned."""
    label = ""
    for name in SHOWN_FIELDS:
        values = [unfold(value[:_MAX_FIELD]) for value in fields.values.get(name.lower().encode(), ())[:20]]
        if not any(values):
            continue
        if not label:
            label = _stated_charset(fields)
        joined = b", ".join(values)[:_MAX_FIELD] if name in _ADDRESSES else values[0]
        yield name, clean(_decode_field(joined, label, address=name in _ADDRESSES))


def _stated_charset(fields: PartFields) -> str:
    """The charset that the Content-Type of the message states; its 8-bit fields are most likely in it."""
    return clean_label(content_type(fields)[1].get("charset", "")) or "us-ascii"


def _decode_field(raw: bytes, label: str, *, address: bool) -> str:
    if not raw.isascii() and b"=?" not in raw and label not in NO_CHARSET:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            text = decode_charset(raw, label)
            if text is not None:
                return text
    return decode_author(raw) if address else decode_text(raw)


def _kinds(part: MimePart) -> frozenset[str]:
    """The types of all text within a part."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        one = waiting.pop()
        waiting += one.parts
        if is_text(one):
            found.add(one.type)
    return frozenset(found)


def _only_text(part: MimePart) -> bool:
    """Whether a part is another form of the text and nothing beside it."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        waiting += one.parts
        if not one.parts and not one.type.startswith("text/") and part.type != "multipart/related":
            return False
    return True
