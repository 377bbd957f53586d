"""The parts of a message (RFC 2045 and 2046), read in bounded time whatever the bytes are.

Theory of operation
-------------------
A message is cut at its boundaries by plain searches within the range of the part that holds them, so each level costs
one pass over its bytes.  At most `MAX_DEPTH` levels and `MAX_PARTS` parts are read; what lies deeper is one part of
type ``application/octet-stream``, and the tree says that something was left out.  Bytes are not copied: a part is a
range of the message, decoded when it is asked for.

The standard library's `email` is not used for this: its cost grows with lines times levels (20,000 lines in 400 levels:
a second), and 10,000 levels are a RecursionError, which leaves nothing of the message.  It reads the parameters of
RFC 2231, from values that are cut before.

What is broken has an outcome: a multipart without a boundary, or whose boundary never comes, is text; a part without
an end goes to the end of what holds it; a Content-Type that is none is ``text/plain`` (RFC 2045 section 5.2); base64
is decoded as far as it goes, and text behind it, such as a list adds it, stays text.

Who can lie: the author and every list about all of it.  A file name is a label and never a path.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from weft._patterns import deferred
from weft.core.byte_search import find
from weft.core.charset import decode_charset
from weft.core.encoded_word import decode_raw, decode_words
from weft.core.message_id import unfold

MAX_DEPTH = 20
MAX_PARTS = 1000
MAX_BLOCK = 256 * 1024
"""So many bytes of a header block are read."""
MAX_PARAMETERS = 4096
"""So many bytes of a field with parameters are read."""
MAX_BOUNDARY = 200

_FIELD = deferred(rb"\n([!-9;-~]{1,80}+)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)")
_FIRST_LINE = deferred(rb"\r?\n|>?From |[!-9;-~]{1,80}+[ \t]*+:")
_TYPE = deferred(rb"[ \t]*+([A-Za-z0-9!#$&^_.+-]{1,80}+)/([A-Za-z0-9!#$&^_.+-]{1,80}+)[ \t]*+(?:;|$)")
_WORD = deferred(rb"[ \t]*+([A-Za-z0-9-]{1,40}+)")
_PARAMETER = deferred(rb";[ \t]*+([^\s=;\"]++)[ \t]*+=[ \t]*+(?:\"((?:[^\"\\]|\\.)*+)\"?|([^;\s]*+))", re.DOTALL)
_ESCAPE = deferred(rb"\\(.)", re.DOTALL)
_NOT_BASE64 = deferred(rb"[^A-Za-z0-9+/=\s]")
_PADDING = deferred(rb"=++")
_OTHERS = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_WHITE_SPACE = b" \t\r\n"
_DEFAULT = "text/plain"
_OPAQUE = "application/octet-stream"


class PartFields(NamedTuple):
    """The fields of a header block, by name in small letters: all values in order, as they stand."""

    values: dict[bytes, list[bytes]]

    def first(self, name: bytes) -> bytes:
        """The first value, unfolded; empty if there is none."""
        found = self.values.get(name)
        return unfold(found[0]) if found else b""


@dataclass(frozen=True, slots=True)
class MimePart:
    """One part: ``buffer[start:end]`` is its body, still encoded; a part that holds others has them in ``parts``."""

    buffer: bytes = field(repr=False)
    start: int
    end: int
    fields: PartFields
    type: str
    """In small letters, ``text/plain`` where nothing valid is stated."""
    parameters: dict[str, str]
    """Of Content-Type, by name in small letters, decoded; but the bytes of a boundary as Latin-1."""
    disposition: str
    """``inline``, ``attachment``, another word, or empty."""
    name: str
    """The file name that is stated, decoded, as it stands; empty if there is none."""
    parts: tuple[MimePart, ...] = ()

    @property
    def encoding(self) -> str:
        """The Content-Transfer-Encoding, in small letters."""
        word = _WORD.match(self.fields.first(b"content-transfer-encoding"))
        return word[1].decode("ascii").lower() if word else ""

    @property
    def size(self) -> int:
        """About how many bytes it has when it is decoded."""
        if self.encoding != "base64":
            return self.end - self.start
        raw = self.buffer[self.start : self.end]
        return max(0, len(raw) - sum(raw.count(byte) for byte in (b"\n", b"\r", b" ", b"="))) * 3 // 4

    def content(self, most: int) -> bytes:
        """The decoded body, of which about ``most`` bytes are read."""
        encoding = self.encoding
        if encoding == "base64":
            return _decode_base64(self.buffer[self.start : min(self.end, self.start + most * 4 // 3 + most // 32)])
        raw = self.buffer[self.start : min(self.end, self.start + most)]
        return a2b_qp(raw) if encoding == "quoted-printable" else raw


@dataclass(slots=True)
class _Count:
    parts: int = 0
    left_out: bool = False

    def full(self, depth: int) -> bool:
        """Whether no further level, or no further part, may be read."""
        over = depth > MAX_DEPTH or self.parts >= MAX_PARTS
        self.left_out |= over
        return over


def read_parts(raw: bytes) -> tuple[MimePart, bool]:
    """(the message as a tree of parts, whether parts of it were left out for its depth or their number)."""
    count = _Count()
    buffer = b"\n" + raw
    return _read(buffer, 1, len(buffer), _DEFAULT, 0, count), count.left_out


def read_fields(buffer: bytes, start: int, end: int) -> PartFields:
    """The fields of the header block ``buffer[start:end]``; the byte before ``start`` must be a line feed."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(buffer, start - 1, min(end, start + MAX_BLOCK)):
        values.setdefault(name.lower(), []).append(value)
    return PartFields(values)


def _read(buffer: bytes, start: int, end: int, default: str, depth: int, count: _Count) -> MimePart:
    count.parts += 1
    header_end, body = _bounds(buffer, start, end)
    fields = read_fields(buffer, start, header_end)
    stated, parameters = content_type(fields, default)
    disposition, name = _disposition(fields, parameters)
    kind = stated
    parts: tuple[MimePart, ...] = ()
    if stated.startswith("multipart/"):
        ranges = list(_split(buffer, body, end, parameters.get("boundary", "")))
        if not ranges:
            kind = _DEFAULT
        elif count.full(depth + 1):
            kind = _OPAQUE
        else:
            inner = "message/rfc822" if stated == "multipart/digest" else _DEFAULT
            parts = tuple(_each(buffer, ranges, inner, depth + 1, count))
    part = MimePart(buffer, body, end, fields, kind, parameters, disposition, name, parts)
    if stated in {"message/rfc822", "message/global"}:
        return _with_message(part, depth, count)
    return part


def _each(buffer: bytes, ranges: list[tuple[int, int]], default: str, depth: int, count: _Count) -> Iterator[MimePart]:
    for start, end in ranges:
        if count.full(depth):
            return
        yield _read(buffer, start, end, default, depth, count)


def _with_message(part: MimePart, depth: int, count: _Count) -> MimePart:
    """A part that is a message, with that message as the one part it holds."""
    if count.full(depth + 1):
        return replace(part, type=_OPAQUE)
    buffer, start, end = part.buffer, part.start, part.end
    if part.encoding in {"base64", "quoted-printable"}:  # which is not allowed, and done
        buffer = b"\n" + part.content(part.end - part.start)
        start, end = 1, len(buffer)
    return replace(part, parts=(_read(buffer, start, end, _DEFAULT, depth + 1, count),))


def _bounds(buffer: bytes, start: int, end: int) -> tuple[int, int]:
    """(end of the header block, start of the body): it ends at the first empty line (LF or CRLF).

    What does not begin with a field has none: all of it is body, but for an empty line at its front.
    """
    if not _FIRST_LINE.match(buffer, start, end):
        return start, start
    unix = find(buffer, b"\n\n", start - 1, end)
    dos = find(buffer, b"\n\r\n", start - 1, end if unix < 0 else unix + 1)
    if dos >= 0:
        return dos + 1, dos + 3
    return (end, end) if unix < 0 else (unix + 1, unix + 2)


def _split(buffer: bytes, start: int, end: int, boundary: str) -> Iterator[tuple[int, int]]:
    """The ranges between the delimiter lines of a boundary, without the line ends that belong to these."""
    if not boundary or len(boundary) > MAX_BOUNDARY:
        return
    mark = b"\n--" + boundary.encode("latin-1", "replace")
    begun = -1
    place = find(buffer, mark, start - 1, end)
    while place >= 0:
        after = place + len(mark)
        line_end = find(buffer, b"\n", after, end)
        rest = buffer[after : line_end if line_end >= 0 else end]
        closing = rest.startswith(b"--")
        if closing or not rest.strip(_WHITE_SPACE):
            if begun >= 0:
                yield begun, max(begun, place - (buffer[place - 1 : place] == b"\r"))
            if closing:
                return
            begun = line_end + 1 if line_end >= 0 else end
            place = find(buffer, mark, begun - 1, end)
        else:
            place = find(buffer, mark, after, end)
    if begun >= 0:
        yield begun, end


def content_type(fields: PartFields, default: str = _DEFAULT) -> tuple[str, dict[str, str]]:
    """(type in small letters, parameters) as Content-Type states them; ``default`` where there is no such field."""
    value = fields.first(b"content-type")[:MAX_PARAMETERS]
    stated = _TYPE.match(value)
    if not stated:
        return (_DEFAULT if value else default), {}
    return f"{stated[1].decode()}/{stated[2].decode()}".lower(), _parameters(value)


def _disposition(fields: PartFields, of_type: dict[str, str]) -> tuple[str, str]:
    value = fields.first(b"content-disposition")[:MAX_PARAMETERS]
    word = _WORD.match(value)
    parameters = _parameters(value) if word else {}
    return (word[1].decode().lower() if word else ""), parameters.get("filename") or of_type.get("name", "")


def _parameters(value: bytes) -> dict[str, str]:
    """The parameters of a field, the first of each name; decoded by RFC 2231, or RFC 2047 where that was meant."""
    pairs: list[tuple[str, bytes]] = []
    for found in _PARAMETER.finditer(value):
        text = found[3] if found[2] is None else _ESCAPE.sub(rb"\1", found[2])
        pairs.append((found[1].decode("latin-1").lower(), text))
    plain = {name: text for name, text in reversed(pairs) if "*" not in name}
    decoded = {name: decode_words(text) if b"=?" in text else decode_raw(text) for name, text in plain.items()}
    if "boundary" in plain:
        decoded["boundary"] = plain["boundary"].decode("latin-1")
    if len(plain) < len({name for name, _ in pairs}):
        decoded |= _extended([(name, text.decode("latin-1")) for name, text in pairs if "*" in name])
    return decoded


def _extended(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Parameters with charsets, or in pieces (RFC 2231 sections 3 and 4); none where they make no sense."""
    from email.utils import decode_params

    decoded: dict[str, str] = {}
    try:
        for name, value in decode_params([("", ""), *pairs])[1:]:
            charset, text = (value[0], value[2]) if isinstance(value, tuple) else (None, value)
            raw = text.removeprefix('"').removesuffix('"').encode("latin-1", "replace")
            known = decode_charset(raw, charset) if charset else None
            decoded.setdefault(name, decode_raw(raw) if known is None else known)
    except (ValueError, TypeError, IndexError):
        return {}
    return decoded


def _decode_base64(raw: bytes) -> bytes:
    """Base64 as far as it goes; lines behind its end that are none are text that was added."""
    added = b""
    odd = _NOT_BASE64.search(raw)
    if odd:
        line = raw.rfind(b"\n", 0, odd.start()) + 1
        before = raw[:line].translate(None, _OTHERS)
        if before and len(before) % 4 == 0:
            raw, added = raw[:line], raw[line:]
    return b"".join(map(_decode_quads, _PADDING.split(raw.translate(None, _OTHERS)))) + added


def _decode_quads(piece: bytes) -> bytes:
    """What stands before one padding, or between two."""
    if len(piece) % 4 == 1:
        piece = piece[:-1]
    try:
        return a2b_base64(piece + b"=" * (-len(piece) % 4))
    except Error:  # cannot be: only letters of the alphabet are left
        return b""
