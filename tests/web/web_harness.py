"""The pages of an index, asked for as a browser does, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp

from weft.index.index import Index
from weft.server.client_limits import ClientLedger
from weft.server.reader_pool import ReaderPool
from weft.tls.client_address import TrustedProxies
from weft.web.app import RequestMeter, WebApp
from weft.web.client_gate import ClientGate
from weft.web.settings import PageSettings

VOID = {"meta", "link", "input"}
PUBLIC = PageSettings(public=True)
SHOWING = PageSettings(public=True, show_addresses=True)


@dataclass(slots=True)
class Element:
    """A start tag and the text below it."""

    name: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass(slots=True)
class Document(HTMLParser):
    """A page as a browser reads it; fails where elements are not closed in turn."""

    source: str
    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)
        self.feed(self.source)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"{tag} has an attribute twice"
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, name: str, of_class: str = "") -> list[Element]:
        """The elements of a name, and of a class."""
        return [
            one for one in self.elements
            if one.name == name and (not of_class or of_class in (one.attributes.get("class") or "").split())
        ]  # fmt: skip

    def links(self) -> list[str]:
        """Where all links of the page lead."""
        return [one.attributes["href"] or "" for one in self.all("a") if "href" in one.attributes]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; names of headers in small letters, each once."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass(frozen=True, slots=True)
class Browser:
    """Asks an application for pages, with paths as they are given."""

    app: ASGIApp
    host: str

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answer:
        return self.request("GET", path, headers)

    def request(self, method: str, path: str, headers: Mapping[str, str] = {}) -> Answer:
        return asyncio.run(self._request(method, path, {"host": self.host, **headers}))

    async def _request(self, method: str, target: str, headers: Mapping[str, str]) -> Answer:
        path, _, query = target.partition("?")
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "client": ("192.0.2.1", 4711), "server": None, "scheme": "http",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        }  # fmt: skip
        await self.app(scope, receive, send)
        start, *parts = sent
        names = [name.decode() for name, _ in start["headers"]]
        assert len(names) == len(set(names))
        found = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(one["body"] for one in parts))


@contextmanager
def site(
    path: Path,
    policy: Path,
    settings: PageSettings = PUBLIC,
    *,
    ledger: ClientLedger | None = None,
    host: str = "archive.example.org",
    meter: RequestMeter | None = None,
) -> Iterator[Browser]:
    """What asks for the pages of an index."""
    with Index.open(path, policy=policy, create=False) as opened:
        rules = opened.policy
    pool = ReaderPool(path, rules, 1, "web")
    try:
        yield Browser(WebApp(settings, pool, lambda: None, ClientGate(ledger, TrustedProxies()), meter).asgi(), host)
    finally:
        pool.close()


def shown(answer: Answer, status: int = 200) -> Document:
    """The page in an answer that must be one."""
    assert answer.status == status, answer.text[:2000]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Document(answer.text)
