"""The base subject of RFC 5256 section 2.1, and header bytes as text: for options and display, never for ids.

Both take linear time, of values that `weft.core.header` has cut.  Nothing that is hashed depends on what is decoded.
"""

from __future__ import annotations

import re

from weft.core.encoded_word import decode_raw, decode_words

_ANY_SPACE = re.compile(r"[ \t\r\n]+")
_BLOB = r"\[[^\[\]]*\]\s*"
_REFWD = re.compile(rf"(?:re|fwd?)\s*(?:{_BLOB})?:", re.IGNORECASE)
_LEADER_BLOB = re.compile(_BLOB)
_WRAPPED = re.compile(r"\[fwd:(.*)\]", re.IGNORECASE | re.DOTALL)


def decode_text(raw: bytes) -> str:
    """Header bytes as text, whatever they are: see `weft.core.encoded_word`."""
    if b"=?" in raw:
        return decode_words(raw)
    if b"\x1b" not in raw:  # nearly always, and threads are made of many
        try:
            return raw.decode()
        except UnicodeDecodeError:
            pass
    return decode_raw(raw)


def base_subject(text: str) -> tuple[str, bool]:
    """(base subject, whether the subject is a reply or a forward) of decoded text, by RFC 5256 section 2.1.

    The base subject is compared without regard to case by whoever compares it.
    """
    text = _ANY_SPACE.sub(" ", text).strip(" ")
    reply = False
    while True:
        text, changed = _without_trailer(text)
        reply |= changed
        text, changed = _without_leaders(text)
        reply |= changed
        wrapped = _WRAPPED.fullmatch(text)
        if not wrapped:
            return text, reply
        text, reply = wrapped[1].strip(" "), True


def _without_trailer(text: str) -> tuple[str, bool]:
    """Step 2: all trailing ``(fwd)`` and white space."""
    end, forwarded = len(text), False
    while True:
        while end and text[end - 1] == " ":
            end -= 1
        if text[max(0, end - 5) : end].lower() != "(fwd)":
            return text[:end], forwarded
        end, forwarded = end - 5, True


def _without_leaders(text: str) -> tuple[str, bool]:
    """Steps 3-5: ``Re:``, ``Fw:``, ``Fwd:`` with any ``[blob]`` around them; a blob only if a base stays."""
    position, reply = 0, False
    while True:
        position += len(text[position:]) - len(text[position:].lstrip(" "))
        after_blobs = last_blob = position
        while blob := _LEADER_BLOB.match(text, after_blobs):
            last_blob, after_blobs = after_blobs, blob.end()
        if refwd := _REFWD.match(text, after_blobs):
            position, reply = refwd.end(), True
        elif after_blobs < len(text):
            return text[after_blobs:], reply
        else:
            return text[last_blob:], reply
