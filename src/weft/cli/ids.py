"""How a person names a message: ``<a@b>``, ``a@b``, ``id:a@b``, or the URL of an archive page that ends in an id."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from weft.errors import UsageError


def parse_id(text: str) -> str:
    """The id that ``text`` names, without angle brackets; `UsageError` if it can name none."""
    text = text.strip()
    if text.lower().startswith(("http://", "https://")):
        parts = [unquote(part) for part in urlsplit(text).path.split("/")]
        found = next((part for part in reversed(parts) if "@" in part), "")
        if not found:
            raise UsageError(f"no part of the URL {text!r} is a message id; give the id itself")
        text = found
    text = text.removeprefix("id:")
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if not text:
        raise UsageError("an empty message id; give one like a@b")
    return text
