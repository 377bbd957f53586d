"""The one encoding of a claim of mail: ``AnyClaim`` of ``weft/v1/claim.proto``, written and read field by field.

Theory of operation
-------------------
The encoding is what protobuf calls deterministic, and nothing else: fields in ascending order, each at most once but
for repeated ones; lengths as the shortest varints; no default value (empty bytes, false); no unknown field.
`decode_mail` reads exactly that: bytes that it reads are those that `encode_mail` writes for what it read.  Both are
faster than the library: claims are written and read by the million.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from weft.core.varint import varint

if TYPE_CHECKING:
    from weft.core.claim import Claim

MailFields = tuple[
    bytes, bytes, bytes, tuple[bytes, ...], bool, tuple[bytes, ...], bytes, bytes, bytes, bytes, bytes, bytes, bytes,
    tuple[bytes, ...], int,
]  # fmt: skip
"""The fields of a `weft.core.claim.Claim`, in their order."""

_MAIL = 0x0A
_IN_REPLY_TO, _SANE, _REFERENCES, _ALIASES, _EDITION = 0x22, 0x28, 0x32, 0x72, 0x78
"""Keys: the number of a field times eight, and its wire type: 2 for bytes, 0 for a flag or a number."""
_LAST = _EDITION
_BYTES = 2
_SANE_AS_BYTES = _SANE | _BYTES


def encode_mail(claim: Claim) -> bytes:
    """The bytes of a claim of mail; those that the library of protobuf writes, in a third of its time."""
    (
        origin, list_name, own, replies, sane, references, date, subject, author, archived_at, body, weak_replies,
        weak_references, aliases, edition,
    ) = claim  # fmt: skip
    length = _LENGTHS
    parts = [_front(origin, list_name)]
    if own:
        parts += b"\x1a", length[len(own)], own
    for name in replies:
        parts += b"\x22", length[len(name)], name
    if sane:
        parts.append(b"\x28\x01")
    for name in references:
        parts += b"\x32", length[len(name)], name
    if date:
        parts += b"\x3a", length[len(date)], date
    if subject:
        parts += b"\x42", length[len(subject)], subject
    if author:
        parts += b"\x4a", length[len(author)], author
    if archived_at:
        parts += b"\x52", length[len(archived_at)], archived_at
    if body:
        parts += b"\x5a", length[len(body)], body
    if weak_replies:
        parts += b"\x62", length[len(weak_replies)], weak_replies
    if weak_references:
        parts += b"\x6a", length[len(weak_references)], weak_references
    for name in aliases:
        parts += b"\x72", length[len(name)], name
    if edition:
        parts += b"\x78", varint(edition)
    data = b"".join(parts)
    return b"\x0a" + length[len(data)] + data


@lru_cache(maxsize=1024)
def _front(origin: bytes, list_name: bytes) -> bytes:
    """The first two fields: claims come by the thousand for one feed."""
    fields = ((b"\x0a", origin), (b"\x12", list_name))
    return b"".join(key + _LENGTHS[len(value)] + value for key, value in fields if value)


def decode_mail(data: bytes) -> MailFields | None:
    """The fields of which ``data`` are the encoding; None if they are that of none, or longer than any claim.

    Whether the fields keep to their limits is not looked at, but for ids, which are never empty.
    Linear, iterative; nothing is allocated by a stated length.
    """
    try:
        return _decode_mail(data)
    except IndexError:  # a key beyond the last, or cut within a key or a length
        return None


def _decode_mail(data: bytes) -> MailFields | None:
    size = data[1]
    at = 2
    if size > 0x7F:
        size, at = _long_length(data, 1, size)
    end = len(data)
    if data[0] != _MAIL or at + size != end:
        return None
    values = [b""] * (_LAST + 1)
    replies: list[bytes] = []
    references: list[bytes] = []
    aliases: list[bytes] = []
    sane = False
    edition = 0
    last = _BYTES
    if feed := _feed(data[at : at + 36 + data[at + 35]]):
        values[0x0A], values[last := 0x12] = feed
        at += 36 + len(feed[1])
    while at < end:
        key, size = data[at], data[at + 1]
        at += 2
        if size > 0x7F:
            size, at = _long_length(data, at - 1, size)
        if key == _SANE:
            if size != 1:  # here it is the value
                return None
            sane, size = True, 0
        elif not size:
            return None
        elif key == _EDITION:  # here too
            if at != end or size == _NEVER:
                return None
            edition, size = size, 0
        stop = at + size
        if key > last:
            if key == _REFERENCES:
                references.append(data[at:stop])
            elif key == _IN_REPLY_TO:
                replies.append(data[at:stop])
            elif key == _ALIASES:
                aliases.append(data[at:stop])
            elif key & 7 == _BYTES:
                values[key] = data[at:stop]
            elif key != _SANE and key != _EDITION:
                return None
            last = key
        elif key != last:
            return None
        elif key == _REFERENCES:
            references.append(data[at:stop])
        elif key == _IN_REPLY_TO:
            replies.append(data[at:stop])
        elif key == _ALIASES:
            aliases.append(data[at:stop])
        else:
            return None
        at = stop
    if at != end or values[_SANE_AS_BYTES]:
        return None
    return (
        values[0x0A], values[0x12], values[0x1A], tuple(replies), sane, tuple(references), values[0x3A], values[0x42],
        values[0x4A], values[0x52], values[0x5A], values[0x62], values[0x6A], tuple(aliases),
        edition,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _feed(fields: bytes) -> tuple[bytes, bytes] | None:
    """The origin and the list, if these are both fields, with a list of at most 127 bytes.

    Claims come by the thousand for one feed, and then share these two.
    """
    if (
        fields[:2] != b"\x0a\x20"
        or fields[34:35] != b"\x12"
        or not 0 < fields[35] < 0x80
        or len(fields) != 36 + fields[35]
    ):
        return None
    return fields[2:34], fields[36:]


_NEVER = 1 << 32


def _long_length(data: bytes, at: int, low: int) -> tuple[int, int]:
    """A length of two or three bytes that begins at ``at`` with ``low``, and the place behind it.

    What is longer, or longer than it need be, becomes a length that is never right.
    """
    middle = data[at + 1]
    if middle <= 0x7F:
        return (low & 0x7F | middle << 7 if middle else _NEVER), at + 2
    high = data[at + 2]
    if not 0 < high <= 0x7F:
        return _NEVER, at + 3
    return low & 0x7F | (middle & 0x7F) << 7 | high << 14, at + 3


class _Lengths(dict[int, bytes]):
    """Lengths as the encoding has them: seven bits a byte, the low ones first.  Few thousand ever occur."""

    def __missing__(self, length: int) -> bytes:
        self[length] = varint(length)
        return self[length]


_LENGTHS = _Lengths()
