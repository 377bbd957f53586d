"""What the operator decides about pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

from weft.errors import UsageError

HERE = "{id}"
"""What stands for a message id in the address of another archive."""


@dataclass(frozen=True, slots=True)
class OtherArchive:
    """An archive that may have what is missing here."""

    name: str
    url: str
    """Its address for one message, with `HERE` in it."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``NAME=URL``; `UsageError` if it is none."""
        name, equals, url = text.partition("=")
        parts = urlsplit(url)
        if not (name and equals and HERE in url and parts.scheme in ("http", "https") and parts.hostname):
            raise UsageError(
                f"--elsewhere {text}: give a name and an address with {HERE} in it, such as "
                f"lore=https://lore.kernel.org/all/{HERE}/"
            )
        return cls(name, url)

    def link(self, message_id: str) -> str:
        """Where it has a message, if it has it."""
        return self.url.replace(HERE, quote(message_id.encode("utf-8", "surrogateescape"), safe="@"))


ELSEWHERE = (
    OtherArchive("lore.kernel.org", "https://lore.kernel.org/all/{id}/"),
    OtherArchive("mail-archive.com", "https://www.mail-archive.com/search?l=mid&q={id}"),
)
"""Archives of many lists that can be asked for a message id."""


@dataclass(frozen=True, slots=True)
class PageSettings:
    """``public``         anybody may read what is here, and robots may
    ``public_url``     where readers find these pages, without a slash at the end; empty: wherever they do
    ``show_addresses`` also show addresses of people, and mail as it lies
    ``elsewhere``      archives that may have what is missing
    ``title``          the name of the site
    """

    public: bool = False
    public_url: str = ""
    show_addresses: bool = False
    elsewhere: tuple[OtherArchive, ...] = ELSEWHERE
    title: str = "weft"

    @property
    def prefix(self) -> str:
        """The path below which all pages are; empty, or with a slash in front."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def host(self) -> str:
        """The name of the host in the address of the pages; empty if it is not known."""
        return urlsplit(self.public_url).hostname or ""


def parse_public_url(text: str) -> str:
    """The address of the pages, without a slash at its end; `UsageError` if it is none."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = -1
    wrong = parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or parts.query or parts.fragment
    if wrong or parts.username is not None or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"--public-url {text}: give an address such as https://lists.example.org/archive")
    return text.rstrip("/")
