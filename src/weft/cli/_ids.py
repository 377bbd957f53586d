"""How a person names a message: ``<a@b>``, ``a@b``, ``id:a@b``, or the URL of an archive page that ends in an id."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from weft.core.message_id import tokenize
from weft.errors import UsageError


def parse_ids(texts: Iterable[str]) -> list[str]:
    """The ids that ``texts`` name, each once; ``-`` stands for those on standard input, one a line."""
    ids: list[str] = []
    for text in texts:
        ids += map(parse_id, _lines_of_stdin()) if text == "-" else [parse_id(text)]
    return list(dict.fromkeys(ids))


def parse_id(text: str) -> str:
    """The id that ``text`` names, without angle brackets; `UsageError` if it can name none."""
    text = text.strip()
    if text.lower().startswith(("http://", "https://")):
        from urllib.parse import unquote, urlsplit  # hardly anybody needs it

        try:
            path = urlsplit(text).path
        except ValueError as error:
            raise UsageError(f"{text!r} is not a URL ({error}); give the id itself") from None
        parts = [unquote(part, errors="surrogateescape") for part in path.split("/")]
        found = next((part for part in reversed(parts) if "@" in part), "")
        if not found:
            raise UsageError(f"no part of the URL {text!r} is a message id; give the id itself")
        text = found
    text = text.removeprefix("id:")
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if not text:
        raise UsageError("an empty message id; give one like a@b")
    return _as_in_mail(text)


def _as_in_mail(text: str) -> str:
    """The id that a header with ``<text>`` in it states: without white space, and without quotes that say nothing."""
    tokens = tokenize(f"<{text}>".encode("utf-8", "surrogateescape")).tokens
    return tokens[0].decode("utf-8", "surrogateescape") if len(tokens) == 1 else text


def _lines_of_stdin() -> list[str]:
    data = sys.stdin.buffer.read() if sys.stdin else b""
    lines = [line for line in data.decode("utf-8", "surrogateescape").split("\n") if line.strip()]
    if not lines:
        raise UsageError("no message id on standard input; give one a line")
    return lines
