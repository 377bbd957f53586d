"""Message ids: header bytes in, opaque bytes out.

Theory of operation
-------------------
All servers must read the same id out of the same header bytes, or their forests differ.  So this grammar (after
RFC 5322 section 3.6.4) is byte-exact: no case folding, no RFC 2047 decoding, no repair.  In this order:

1. Unfold.  Strip balanced comments outside ``<...>`` and outside quotes; with an unbalanced ``(`` strip none.
2. Take the ``<...>`` tokens, the innermost where they nest.  Delete white space (space, tab, CR, LF) outside quotes;
   then ``"x"@h`` becomes ``x@h`` when x is a dot-atom, so that reading what was read changes nothing.
3. Message-ID: the first token with an ``@``, else the first token, else the value without white space and angle
   brackets at its ends; an empty header gives way to the next one.
4. Longer than 250 bytes, beginning with ``sha256:``, or with an angle bracket (within quotes) in it: the key is
   ``sha256:`` and the lower-case hex SHA-256 of the whole id.

What References and In-Reply-To name is read by `weft.core.references`, with these tokens.

A quote that is never closed is an ordinary byte, and so are all quotes after it: otherwise a header of escaped
quotes would cost quadratic time.  Who can lie: the author, about every byte.  An id is a label, never a fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

MAX_ID_BYTES = 250
MAX_REFERENCES = 100
MAX_IN_REPLY_TO = 16

WHITE_SPACE = b" \t\r\n"
_LF, _QUOTE, _PAREN, _AT, _OPENING, _CLOSING = b'\n"(@<>'
_HASHED = b"sha256:"
_ENDS = WHITE_SPACE + b"<>"

_UNFOLD = re.compile(rb"\r?\n(?=[ \t])")
_HASH = re.compile(_HASHED + rb"[0-9a-f]{64}")
_CLEAN_TOKEN = rb'<((?!sha256:)[^<>\s("@]++@[^<>\s("]++)>'
"""A ``<...>`` to which rules 1-3 do nothing; nor does rule 4, if it is short enough."""
CLEAN_TOKENS = re.compile(_CLEAN_TOKEN)
ONE_CLEAN_TOKEN = re.compile(rb"[ \t\r\n]*+" + _CLEAN_TOKEN + rb"[ \t\r\n]*+")
_PLAIN_TOKEN = re.compile(rb"<([^<>]*)>")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_OUTSIDE = re.compile(rb'[^<"()\\]++')
_IN_COMMENT = re.compile(rb"[^()\\]++")
_IN_ANGLE = re.compile(rb'[^<>"]++')
_ATOM = rb"[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z\x80-\xff]++"
_NEEDLESS_QUOTES = re.compile(rb'"(' + _ATOM + rb"(?:\." + _ATOM + rb')*+)"(@.*)', re.DOTALL)
_IN_ADDRESS = rb'[^\s()<>\[\]:;,\\"]'
_ADDRESS = re.compile(rb"(?<!%s)%s+@%s+" % (_IN_ADDRESS, _IN_ADDRESS, _IN_ADDRESS))
"""It begins nowhere inside a word: linear also for a long one without ``@``."""


class Tokens(NamedTuple):
    """What a header value holds: the ``<...>`` contents in order, and all that stands outside them and comments."""

    tokens: list[bytes]
    rest: bytes


def unfold(value: bytes) -> bytes:
    """Remove each line break that is followed by white space (RFC 5322 section 2.2.3); trim both ends."""
    if _LF in value:
        value = _UNFOLD.sub(b"", value)
    return value.strip(WHITE_SPACE)


def key(literal: bytes) -> bytes:
    """The key under which an id is known: itself, or its hash if it cannot stand for itself (rule 4)."""
    if len(literal) > MAX_ID_BYTES or literal.startswith(_HASHED) or _OPENING in literal or _CLOSING in literal:
        return _HASHED + sha256(literal).hexdigest().encode()
    return literal


def key_problem(name: bytes) -> str:
    """Why bytes are not a key, as rule 4 makes them; empty if they are one."""
    if not 0 < len(name) <= MAX_ID_BYTES:
        return f"an id has not 1 to {MAX_ID_BYTES} bytes"
    if _OPENING in name or _CLOSING in name:
        return "an id holds an angle bracket"
    if name.startswith(_HASHED) and not _HASH.fullmatch(name):
        return "an id begins with sha256: and is not a hash"
    return ""


def keys_of(text: str) -> tuple[bytes, ...]:
    """The keys that may be meant by an id as a person gives it: a key as it is printed, or a literal id."""
    literal = text.encode("utf-8", "surrogateescape")
    return (literal, key(literal)) if literal.startswith(_HASHED) else (key(literal),)


def marked(value: bytes) -> tuple[list[bytes], bytes]:
    """The tokens of an unfolded value, and the text around them, in which ``<>`` stands at the place of each."""
    if _PAREN not in value and _QUOTE not in value:
        tokens = [token.translate(None, WHITE_SPACE) for token in _PLAIN_TOKEN.findall(value)]
        return tokens, _PLAIN_TOKEN.sub(b"<>", value)
    split = _split(value, comments=True, mark=b"<>") or _split(value, comments=False, mark=b"<>")
    assert split is not None
    return [_normalize(token) for token in split.tokens], split.rest


def addresses_in(people: bytes) -> set[bytes]:
    """The addresses in lower-case values of From, To and their like."""
    return set(_ADDRESS.findall(people))


def tokenize(value: bytes) -> Tokens:
    """Split an unfolded header value by rules 1 and 2.  Linear in its length."""
    if _PAREN not in value and _QUOTE not in value:
        found = _PLAIN_TOKEN.findall(value)
        return Tokens([token.translate(None, WHITE_SPACE) for token in found], _PLAIN_TOKEN.sub(b"", value))
    split = _split(value, comments=True)
    if split is None:
        split = _split(value, comments=False)
        assert split is not None
    return split._replace(tokens=[_normalize(token) for token in split.tokens])


def parse_message_id(values: Iterable[bytes]) -> bytes | None:
    """The id that the Message-ID headers ``values`` (raw, in order) give, as a key; None if they give none."""
    for value in values:
        if (found := ONE_CLEAN_TOKEN.fullmatch(value)) and len(token := found[1]) <= MAX_ID_BYTES:
            return token
        tokens, rest = tokenize(unfold(value))
        literal = next((token for token in tokens if _AT in token), tokens[0] if tokens else rest.strip(_ENDS))
        if literal:
            return key(literal)
    return None


def _normalize(token: bytes) -> bytes:
    """Rule 2 for the contents of one ``<...>``."""
    if _QUOTE not in token:
        return token.translate(None, WHITE_SPACE)
    pieces, position = [], 0
    while (quote := token.find(b'"', position)) >= 0 and (quoted := _QUOTED.match(token, quote)):
        pieces += [token[position:quote].translate(None, WHITE_SPACE), quoted[0]]
        position = quoted.end()
    pieces.append(token[position:].translate(None, WHITE_SPACE))
    token = b"".join(pieces)
    needless = _NEEDLESS_QUOTES.fullmatch(token)
    return needless[1] + needless[2] if needless else token


def _split(value: bytes, *, comments: bool, mark: bytes = b"") -> Tokens | None:
    """One pass over ``value``; None if ``comments`` are to be stripped and one is never closed.

    ``mark`` stands in the rest at the place of each token, and nowhere else: what looks like it, in a quoted string or
    behind a ``<`` that is never closed, is parted by a space.
    """
    tokens: list[bytes] = []
    rest: list[bytes] = []
    position, end, quotes = 0, len(value), True
    while position < end:
        byte = value[position : position + 1]
        if byte == b"<":
            closing, start, quotes = _angle(value, position, quotes)
            if closing < 0:
                rest.append(value[position:])
                break
            rest.append(value[position : start - 1])
            rest.append(mark)
            tokens.append(value[start:closing])
            position = closing + 1
        elif byte == b"(" and comments:
            position = _comment(value, position)
            if position < 0:
                return None
            rest.append(b" ")
        elif byte == b'"' and quotes and (quoted := _QUOTED.match(value, position)):
            rest.append(quoted[0])
            position = quoted.end()
        else:
            quotes = quotes and byte != b'"'
            run = _OUTSIDE.match(value, position)
            stop = run.end() if run else position + 1
            rest.append(value[position:stop])
            position = stop
    if mark and mark in value:
        rest = [piece if piece is mark else piece.replace(mark, b" ".join((mark[:1], mark[1:]))) for piece in rest]
    return Tokens(tokens, b"".join(rest))


def _angle(value: bytes, position: int, quotes: bool) -> tuple[int, int, bool]:
    """From a ``<``: the place of its ``>`` (or -1), the start of the innermost contents, whether quotes still pair."""
    start = position = position + 1
    end = len(value)
    while position < end:
        if run := _IN_ANGLE.match(value, position):
            position = run.end()
            continue
        byte = value[position]
        if byte == 0x3E:
            return position, start, quotes
        if byte == 0x22 and quotes:
            if quoted := _QUOTED.match(value, position):
                position = quoted.end()
                continue
            quotes = False
        position += 1
        if byte == 0x3C:
            start = position
    return -1, start, quotes


def _comment(value: bytes, position: int) -> int:
    """From a ``(``: the place after its closing ``)``, or -1.  Comments nest; a backslash quotes one byte."""
    depth, end = 0, len(value)
    while position < end:
        if run := _IN_COMMENT.match(value, position):
            position = run.end()
            continue
        byte = value[position]
        position += 2 if byte == 0x5C else 1
        if byte == 0x28:
            depth += 1
        elif byte == 0x29:
            depth -= 1
            if not depth:
                return position
    return -1
