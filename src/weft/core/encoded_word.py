"""Encoded words (RFC 2047), and header bytes that are none, as text.

Theory of operation
-------------------
Each word is decoded by itself.  What cannot be one stays as it stands, and spoils no other.  White space between two
words goes.  Words of one charset that follow each other are joined where one of them alone does not decode, because
mailers split characters between words.

Much that is in use is taken though RFC 2047 does not allow it: words inside other text and quoted strings, spaces and
``?`` in Q, padding that is missing in B, empty words, a language behind the charset (RFC 2231 section 5).

Bytes outside words are UTF-8, or ISO-2022-JP where they have its escapes, or else they are read as Windows-1252, which
is a guess.  (What a mail states about its charset is in the value before it gets here: `weft.core.header_value`.)

All is linear in the length of the value.  Nothing that is hashed depends on what is decoded.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Callable
from itertools import groupby

from weft._patterns import deferred
from weft.core.charset import NO_CHARSET, clean_label, decode_charset

WORD = deferred(
    rb"=\?([^?=\s]{1,80})\?(?:[bB]\?([^?]*+)\?="
    # A ? in Q that was not encoded; before an encoded character it looks like the end, if there is another one.
    rb"|[qQ]\?(?:((?:[^?=]|=(?!\?[^?=\s]{1,80}\?[bBqQ]\?)|\?(?!=)|\?(?==[0-9A-Fa-f]{2}))*+)\?="
    rb"|((?:[^?=]|=(?!\?[^?=\s]{1,80}\?[bBqQ]\?)|\?(?!=))*+)\?=))"
)
WORD_WITHOUT_GROUPS = re.sub(rb"(?<!\\)\((?!\?)", b"(?:", WORD.pattern)
"""For a pattern that repeats words: `re` gets groups wrong that are repeated possessively."""
_Q_CODE = deferred(rb"=([0-9A-Fa-f]{2})|_")
_BLANK = deferred(rb"[ \t\r\n]*")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]+=*)*")
_SPACE = b" \t\r\n"


def decode_words(raw: bytes, write: Callable[[str], str] | None = None) -> str:
    """``raw`` with its encoded words decoded; ``write``: what each run of decoded words is written as."""
    pieces: list[str] = []
    group: list[tuple[str, bytes]] = []
    end = 0
    for found in WORD.finditer(raw):
        payload = decode_payload(found)
        if payload is None:
            continue
        between = raw[end : found.start()]
        if not group or not _BLANK.fullmatch(between):
            pieces += _decode_group(group, write), decode_raw(between)
            group = []
        group.append((clean_label(found[1].decode("latin-1")), payload))
        end = found.end()
    pieces += _decode_group(group, write), decode_raw(raw[end:])
    return "".join(pieces)


def decode_raw(raw: bytes) -> str:
    """Bytes that are no encoded word: UTF-8, ISO-2022-JP by its escapes, or else Windows-1252 as a guess."""
    if b"\x1b" in raw and raw.isascii():
        return decode_charset(raw, "iso-2022-jp") or ""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return decode_charset(raw, "windows-1252") or ""


def is_guessed(raw: bytes) -> bool:
    """Whether some of the text that `decode_words` or `decode_raw` make of ``raw`` is read as Windows-1252, as a guess:
    8-bit text that is no UTF-8, for which no charset is stated, or one that is unknown.
    """
    words = b"=?" in raw
    if not words and raw.isascii():  # as nearly always
        return False
    end = 0
    for found in WORD.finditer(raw) if words else ():
        payload = decode_payload(found)
        if payload is None:
            continue
        label = clean_label(found[1].decode("latin-1"))
        stated = label not in NO_CHARSET and decode_charset(b"", label) is not None
        if not (_is_utf8(raw[end : found.start()]) and (stated or _is_utf8(payload))):
            return True
        end = found.end()
    return not _is_utf8(raw[end:])


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode_payload(word: re.Match[bytes]) -> bytes | None:
    """The bytes that a word encodes; None if it encodes none and stays as it stands."""
    encoded = word[2]
    if encoded is not None:
        return _base64(encoded.translate(None, _SPACE))
    q = word[3] if word[3] is not None else word[4]
    return _Q_CODE.sub(lambda code: bytes([int(code[1], 16)]) if code[1] else b" ", q)


def _base64(text: bytes) -> bytes | None:
    """Base64 whose padding may be missing, or stand where pieces were joined."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        return b"".join(a2b_base64(piece + b"=" * (-len(piece) % 4)) for piece in text.split(b"=") if piece)
    except Error:
        return None


def _decode_group(group: list[tuple[str, bytes]], write: Callable[[str], str] | None) -> str:
    """Words with nothing but white space between them."""
    if not group:
        return ""
    runs = groupby(group, key=lambda word: word[0])
    text = "".join(_decode_run(label, [payload for _, payload in run]) for label, run in runs)
    return write(text) if write else text


_STATEFUL = "iso-2022-jp"
_ASCII_STATES = (b"(B", b"(J")


def _decode_run(label: str, payloads: list[bytes]) -> str:
    """Words of one charset that follow each other."""
    alone = "".join(_decode_one(payload, label) for payload in payloads)
    goes_on = label.startswith(_STATEFUL) and any(_ends_in_kanji(payload) for payload in payloads[:-1])
    if len(payloads) == 1 or not (goes_on or "\ufffd" in alone):
        return alone
    joined = _decode_one(b"".join(payloads), label)
    return joined if goes_on or joined.count("\ufffd") < alone.count("\ufffd") else alone


def _ends_in_kanji(payload: bytes) -> bool:
    """Whether the state of ISO-2022-JP at the end is not the one in which each word has to end."""
    return b"\x1b" in payload and payload.rpartition(b"\x1b")[2][:2] not in _ASCII_STATES


def _decode_one(payload: bytes, label: str) -> str:
    text = None if label in NO_CHARSET else decode_charset(payload, label)
    return decode_raw(payload) if text is None else text
