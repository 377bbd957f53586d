"""What a claim keeps of Subject and From: their bytes, cut where they are too long, in a charset that can be told.

Theory of operation
-------------------
Claims are hashed, so what stands here is part of the format (``proto/PROTOCOL.md``): bytes in, bytes out, by rules that
need no table of any charset.

*Charset.*  Bytes that are not UTF-8 say nothing without the charset, and that stands in another field: Content-Type.
So each run of them becomes encoded words (RFC 2047) with the charset that the mail states, as its author should have
written them; whoever gets the claim reads what whoever has the mail reads.  Where the mail states none, or there are
encoded words in the value already, the bytes stay.

*Length.*  A value has at most `MAX_SUBJECT` or `MAX_AUTHOR` bytes; one with encoded words, in which a letter takes up
to nine bytes, `MAX_ENCODED_SUBJECT` or `MAX_ENCODED_AUTHOR`.  A longer one is cut before the word or the UTF-8
character that would not fit; an encoded word of more than `_LONG_WORD` bytes is shortened.  Of a From whose first
mailbox does not fit, the name is cut and the address stays.

Who can lie: the author about all of it.
"""

from __future__ import annotations

import re
from binascii import b2a_base64

from weft._patterns import deferred
from weft.core.author import parts
from weft.core.encoded_word import WORD, decode_payload
from weft.core.message_id import unfold

MAX_SUBJECT = 998
MAX_AUTHOR = 320
MAX_ENCODED_SUBJECT = 4096
MAX_ENCODED_AUTHOR = 1536

_LONG_WORD = 256
_WORD_BYTES = 45
"""So many bytes are put into one encoded word: with any charset of 13 letters it has no more than 75."""
_CONTENT_TYPE = deferred(rb"\n(?i:content-type)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)")
_CHARSET = deferred(rb";[ \t]*(?i:charset)[ \t]*=[ \t]*\"?([A-Za-z0-9._:+-]{1,40})")
_NO_CHARSET = frozenset(b"us-ascii ascii utf-8 utf8 utf-7 utf-16 unknown-8bit x-unknown unknown default binary".split())
_EIGHT_BIT = deferred(
    rb"[\x80-\xff][^\s\"<>(),;:]*+(?:[ \t]++(?=[^\s\"<>(),;:\x80-\xff]*+[\x80-\xff])[^\s\"<>(),;:]++)*+"
)


def keep_subject(value: bytes, block: bytes | bytearray, start: int, end: int) -> bytes:
    """What a claim keeps of an unfolded Subject, of the mail whose header block is ``block[start:end]``."""
    value = _tell_charset(value, block, start, end, MAX_ENCODED_SUBJECT)
    return cut(value, most_of_subject(value))


def keep_author(value: bytes, block: bytes | bytearray, start: int, end: int) -> bytes:
    """What a claim keeps of an unfolded From, of the mail whose header block is ``block[start:end]``."""
    value = _tell_charset(value, block, start, end, MAX_ENCODED_AUTHOR)
    return _cut_author(value, most_of_author(value))


def most_of_subject(value: bytes) -> int:
    """How many bytes this subject may have."""
    return MAX_ENCODED_SUBJECT if b"=?" in value else MAX_SUBJECT


def most_of_author(value: bytes) -> int:
    """How many bytes this author may have."""
    return MAX_ENCODED_AUTHOR if b"=?" in value else MAX_AUTHOR


def cut(value: bytes, most: int) -> bytes:
    """The first ``most`` bytes of ``value`` at most, without half a word or half a UTF-8 character at the end."""
    if len(value) <= most:
        return value
    for word in WORD.finditer(value):
        if word.end() > most:
            if word.start() < most:
                return (value[: word.start()] + _shortened(word, most - word.start())).rstrip()
            break
    while most and 0x80 <= value[most] <= 0xBF and value[most - 1] >= 0x80:
        most -= 1
    return value[:most].rstrip()


def _tell_charset(value: bytes, block: bytes | bytearray, start: int, end: int, most: int) -> bytes:
    """``value`` with what is not UTF-8 in it as encoded words, if the mail states a charset."""
    if value.isascii() or b"=?" in value:
        return value
    try:
        value.decode()
    except UnicodeDecodeError:
        found = _CONTENT_TYPE.search(block, start - 1, end)
        stated = _CHARSET.search(unfold(found[1])) if found else None
        if stated and stated[1].lower() not in _NO_CHARSET:
            return _EIGHT_BIT.sub(lambda run: _as_words(run[0], stated[1]), value[:most])
    return value


def _as_words(raw: bytes, label: bytes) -> bytes:
    pieces = (raw[place : place + _WORD_BYTES] for place in range(0, len(raw), _WORD_BYTES))
    return b" ".join(_word(piece, label) for piece in pieces)


def _word(raw: bytes, label: bytes) -> bytes:
    return b"=?%s?B?%s?=" % (label, b2a_base64(raw, newline=False))


def _shortened(word: re.Match[bytes], room: int) -> bytes:
    """As much of a long word as fits in ``room`` bytes, as a word; nothing of one of ordinary length."""
    payload = decode_payload(word) if len(word[0]) > _LONG_WORD else None
    size = (room - len(_word(b"", word[1]))) // 4 * 3
    if payload is None or size <= 0:
        return b""
    if word[1].lower().partition(b"*")[0] in {b"utf-8", b"utf8"}:
        payload = payload[: size + 1] + b" "
        while size and 0x80 <= payload[size] <= 0xBF:
            size -= 1
    return _word(payload[:size], word[1])


def _cut_author(value: bytes, most: int) -> bytes:
    """As many mailboxes as fit, or else the first of them with its name cut."""
    if len(value) <= most:
        return value
    depth, address, last = 0, None, 0
    for part in parts(value):
        if part[0] == b"(":
            depth += 1
        elif part[0] == b")" and depth:
            depth -= 1
        elif part[0] == b"," and not depth and part.start() <= most:
            last = part.start()
        elif part["address"] is not None and not depth and address is None and not last:
            address = part
    if last or address is None or len(address[0]) > most // 2 + 96:
        return value[:last] if last else cut(value, most)
    name, room = value[: address.start()].rstrip(), most - len(address[0]) - 1
    if name.startswith(b'"'):
        name = b'"' + cut(name[1:], room - 2).rstrip(b'"\\') + b'"'
    else:
        name = cut(name.partition(b"(")[0], room)
    return name.rstrip() + b" " + address[0]
