"""How a person names a message: its id (``<a@b>``, ``a@b``, ``id:a@b``), its handle (``~k3f7q``), a URL, or itself.

Of URLs, ``mid:a@b`` (RFC 2392) and those of pages whose path ends in an id name that id; those of HyperKitty hold
the whole of a handle.  Others, such as those of Pipermail, may be what a claim says that it is archived at: an index
knows (`weft.index.index.Index.resolve`).  Standard input holds names, one a line, or one message, as mutt pipes it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

from weft._patterns import deferred
from weft.core.message_id import tokenize
from weft.errors import UsageError
from weft.render.sanitize import clean

_HYPERKITTY = deferred(r"/(?:message|thread|email)/([A-Z2-7]{32})(?:/|$)")
_FIELD = deferred(
    rb"\s*(?:>?From [^\n]*\n)?(?:[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*?message-id[ \t]*:", re.IGNORECASE
)


def parse_ids(texts: Iterable[str]) -> list[str]:
    """What ``texts`` name, each once; ``-`` stands for those on standard input, one a line, or a message there."""
    ids: list[str] = []
    for text in texts:
        ids += _from_stdin() if text == "-" else [parse_id(text)]
    return list(dict.fromkeys(ids))


def parse_id(text: str) -> str:
    """The id that ``text`` names, without angle brackets; a handle, or a URL without an id, as an index resolves them.

    `UsageError` if it can name nothing.
    """
    text = text.strip()
    scheme = text[:8].lower()
    if scheme.startswith(("http://", "https://")):
        found = _in_url(text)
        if found is None:
            return text
        text = found
    elif scheme.startswith("mid:"):
        text = unquote(text[4:].partition("/")[0], errors="surrogateescape")
    text = text.removeprefix("id:")
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if not text:
        raise UsageError("an empty message id; give one like a@b")
    return _as_in_mail(text)


def written_id(message_id: str) -> str:
    """A name of an id that `parse_id` reads: ``<a@b>``, or a ``mid:`` URL where characters of it cannot be shown."""
    if clean(message_id) == message_id:
        return f"<{message_id}>"
    return "mid:" + quote(message_id, safe="@", errors="surrogateescape")


def _in_url(url: str) -> str | None:
    """The id or the handle that a URL holds."""
    try:
        path = urlsplit(url).path
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL ({error}); give the id itself") from None
    hashed = _HYPERKITTY.search(path)
    if hashed:
        return f"~{hashed[1].lower()}"
    parts = [unquote(part, errors="surrogateescape") for part in path.split("/")]
    return next((part for part in reversed(parts) if "@" in part), None)


def _as_in_mail(text: str) -> str:
    """The id that a header with ``<text>`` in it states: without white space, and without quotes that say nothing."""
    tokens = tokenize(f"<{text}>".encode("utf-8", "surrogateescape")).tokens
    return tokens[0].decode("utf-8", "surrogateescape") if len(tokens) == 1 else text


def _from_stdin() -> list[str]:
    data = sys.stdin.buffer.read() if sys.stdin else b""
    if _FIELD.match(data):
        return [_id_of_message(data)]
    lines = [line for line in data.decode("utf-8", "surrogateescape").split("\n") if line.strip()]
    if not lines:
        raise UsageError("no message id on standard input; give one a line")
    return list(map(parse_id, lines))


def _id_of_message(data: bytes) -> str:
    """The id of a message that was piped here."""
    from weft.sources.interface import make_record, split_message

    raw = data.lstrip()
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    buffer, header_end, body = split_message(raw)
    return make_record(buffer, 1, header_end, body, (0, len(raw)), mbox=False)[2].decode("utf-8", "surrogateescape")
