"""What an address leads to: a page, or another address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WebPage:
    """An answer, whole."""

    body: bytes
    media: str = HTML
    status: int = 200
    version: str = ""
    """Another one when what is shown is; empty if nobody knows."""
    policy: str = ""
    """The Content-Security-Policy, if it is not that of all pages."""
    location: str = ""
    """Where to look instead."""
    file_name: str = ""
    """Under which name a browser stores it."""

    def unchanged(self) -> Self:
        """The same without a body, for who has it already."""
        return replace(self, body=b"", status=304)


def moved(location: str) -> WebPage:
    """Look there, from now on."""
    return WebPage(b"", "text/plain; charset=utf-8", 301, location=location)
