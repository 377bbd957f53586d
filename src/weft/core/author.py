"""The From field as text, such that whoever parses the text finds the addresses that stand in the field.

Theory of operation.  Addresses are parsed before words are decoded (RFC 2047 section 6.2): the field is cut into quoted
strings, comments, ``<addresses>`` and what lies between, and only then are words decoded, each in its own part.  Where
a decoded comma, quote or bracket would be read as syntax, it is quoted.  So nothing that is encoded can split, merge or
replace an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from weft._patterns import deferred
from weft.core.encoded_word import WORD_WITHOUT_GROUPS, decode_raw, decode_words
from weft.core.subject import decode_text

_QUOTED_STRING = rb"(?P<quoted>\"((?:[^\"\\]|\\.)*+)\")|"
_OTHERS = rb"(?P<address><[^<>]*+>)|(?P<mark>[(),;:<>])|(?P<text>(?:" + WORD_WITHOUT_GROUPS + rb"|[^\"(),;:<>])++|\")"
_PART = deferred(_QUOTED_STRING + _OTHERS, re.DOTALL)
"""One part of a From field; all parts together are the field."""
_UNQUOTED = deferred(_OTHERS, re.DOTALL)
_SYNTAX = deferred(r"[()<>@,;:\\\"\[\]]")
_QUOTED = deferred(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def decode_author(raw: bytes) -> str:
    """The bytes of a From field as text, its addresses where they were."""
    if b"=?" not in raw:
        return decode_text(raw)
    pieces: list[str] = []
    depth = 0
    for part in parts(raw):
        if part[0] == b"(":
            depth += 1
        elif part[0] == b")" and depth:
            depth -= 1
        if depth:
            pieces.append(decode_words(part[0], _in_comment))
        elif part[0][:1] == b'"' and len(part[0]) > 1:
            pieces += '"', decode_words(part[0][1:-1], _in_quotes), '"'
        elif part["text"] is not None:
            pieces.append(decode_words(part[0], _in_phrase))
        else:
            pieces.append(decode_raw(part[0]))
    return "".join(pieces)


def parts(raw: bytes) -> Iterator[re.Match[bytes]]:
    """The parts of a From field, in order.

    A quote that is never closed is text, and so are all quotes after it: each of them is escaped, else it would close.
    To try each again would cost quadratic time.
    """
    position, pattern = 0, _PART
    while part := pattern.match(raw, position):
        yield part
        position = part.end()
        if part[0] == b'"':
            pattern = _UNQUOTED


def _in_phrase(text: str) -> str:
    """Decoded text as words of a phrase, or as one quoted string if it has syntax in it."""
    if not _SYNTAX.search(text) or _QUOTED.fullmatch(text.strip(" ")):
        return text
    return f'"{_in_quotes(text)}"'


def _in_quotes(text: str) -> str:
    return re.sub(r'([\\"])', r"\\\1", text)


def _in_comment(text: str) -> str:
    return re.sub(r"([\\()])", r"\\\1", text)
