"""The pages over HTTP: which address leads to which page, conditional requests, and errors as pages.

Theory of operation
-------------------
Paths are matched as they come, with their ``%XX``: a server that decodes them first could not tell the ``/`` of a
message id from one that separates segments, nor keep bytes that are not UTF-8.  A page is made in a thread of the
reader pool, from one moment of the index, and remembered there until the index changes; a reader who has it already
gets 304 (RFC 9110 section 13).  Nothing is read of a request but its path, its query and a few fields; nothing is set
but headers.

Whom a server answers is the same as over gRPC (`weft.server.access`).  One that is not public answers only requests
that were sent to this machine by name or to the host of its own address: else a page of somebody else, opened in a
browser on this machine, could read it here under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from weft.core.handle import MARK, parse_handle
from weft.errors import (
    AmbiguousError,
    DeniedError,
    InvalidRequestError,
    LateError,
    NotFoundError,
    OverloadedError,
    RetryableError,
    StoreError,
    UsageError,
)
from weft.index.index import Index
from weft.server.call_cost import CALL_COST, CallCost
from weft.server.reader_pool import IndexReader, ReaderPool
from weft.tls.address import is_loopback
from weft.web.client_gate import ClientGate
from weft.web.links import FORMS, Links, parse_segment
from weft.web.page import WebPage, moved
from weft.web.page_cache import PageCache
from weft.web.pages import PageBuilder
from weft.web.settings import PageSettings
from weft.web.templating import SECURITY, style_sheet, style_version

SECONDS = 30.0
"""The longest that the making of a page may take."""
QUERY_BYTES = 1000
"""The longest words of a search."""
ID_BYTES = 8192
METHOD = "http"
"""What requests are called in metrics."""
_YEAR = 365 * 86400
_SEPARATOR = b"\0"
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_NUMBER = re.compile(r"[1-9][0-9]{0,6}")
_METHODS = ("GET", "HEAD")

Build = Callable[[Index], WebPage]
BuildOf = Callable[[Index, str], WebPage]
"""Of a message id."""

log = logging.getLogger("weft.web")


class RequestMeter(Protocol):
    """Counts requests, beside calls."""

    def began(self, method: str) -> None:
        """A request began."""

    def ended(self, method: str, code: str, seconds: float, work: float) -> None:
        """It was answered with a status; ``work``: seconds in which threads have worked for it."""


@dataclass(frozen=True, slots=True)
class WebApp:
    """Answers requests from a pool of readers.

    ``check_access``  raises `DeniedError` while nobody may read
    """

    settings: PageSettings
    pool: ReaderPool
    check_access: Callable[[], None]
    gate: ClientGate
    meter: RequestMeter | None = None

    def asgi(self) -> ASGIApp:
        """The application, for a server."""
        site = _Site(self)
        return _Outside(Router(site.routes(), redirect_slashes=False), self, site)


@dataclass(slots=True)
class _Counted:
    """How a request was answered; None: whoever asked has gone."""

    response: Response | None = None


class _Outside:
    """What holds for every request: the methods, the limits of clients, who may read, and headers."""

    def __init__(self, inner: ASGIApp, app: WebApp, site: _Site) -> None:
        self._inner = inner
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        scope = {**scope, "path": self._path(scope), "root_path": ""}
        with self._counted() as counted:
            response = counted.response = await self._response(scope, receive)
        await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        try:
            return await self._answer(Request(scope, receive), scope, receive)
        except Exception as error:  # whatever it was, the reader gets a page
            return self._site.failed(error)

    @contextmanager
    def _counted(self) -> Iterator[_Counted]:
        """Counts a request; whoever answers it says how."""
        counted, cost, meter, began = _Counted(), CallCost(), self._app.meter, time.monotonic()
        CALL_COST.set(cost)
        if meter:
            meter.began(METHOD)
        try:
            yield counted
        finally:
            if meter:
                code = str(counted.response.status_code) if counted.response else "CANCELLED"
                meter.ended(METHOD, code, time.monotonic() - began, cost.work)

    def _path(self, scope: Scope) -> str:
        """The path as it came, below the prefix of the site."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        path = raw.decode("ascii", "replace")
        prefix = self._app.settings.prefix
        inside = path.removeprefix(prefix) if prefix and path.startswith(f"{prefix}/") else path
        return inside if inside.startswith("/") else f"/{inside}"

    async def _answer(self, request: Request, scope: Scope, receive: Receive) -> Response:
        if request.method not in _METHODS:
            return self._site.closing(405, "Only reading is possible here.", {"Allow": ", ".join(_METHODS)})
        if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
            return self._site.closing(413, "A request has no content here.")
        if request.url.path == "/healthz":
            return Response("ok\n", media_type="text/plain", headers={"Cache-Control": "no-store"})
        if not self._is_for_us(request):
            return self._site.closing(421, "This server does not answer under that name.")
        with self._app.gate.admitted(scope):
            self._app.check_access()
            return await self._site.answer(scope, receive, self._inner)

    def _is_for_us(self, request: Request) -> bool:
        """Whether a request was meant for this server; one that is public answers under any name."""
        settings = self._app.settings
        if settings.public:
            return True
        host = _host_name(request.headers.get("host", ""))
        return host == "localhost" or is_loopback(host) or (settings.host != "" and host == settings.host)


def _host_name(host: str) -> str:
    """The name in a Host field, without a port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


class _Site:
    """The routes, and how each is answered."""

    def __init__(self, app: WebApp) -> None:
        self._app = app
        self._links = Links(f"{app.settings.prefix}/")
        self._pages = PageBuilder(app.settings, self._links, PageCache())

    def routes(self) -> list[Route]:
        """In the order in which they are tried: an id may hold what looks like the rest of an address."""
        forms = [
            self._route(f"/t/{{id:path}}/thread.{form}", partial(self._file, form=form))
            for form in FORMS
        ]  # fmt: skip
        return [
            self._route("/", self._home),
            self._route("/style.css", self._style),
            self._route("/robots.txt", self._robots),
            self._route("/about", self._about),
            self._route("/search", self._search),
            self._route("/missing/", self._missing),
            self._route("/l/", self._list),
            self._route("/l/new.atom", self._list_feed),
            self._route("/l/{name:path}/new.atom", self._list_feed),
            self._route("/l/{name:path}/", self._list),
            *forms,
            *(self._route(f"/t/thread.{form}", partial(self._file, form=form)) for form in FORMS),
            self._route("/t/{id:path}/", self._thread),
            self._route("/t/", self._thread),
            self._route("/m/{id:path}/raw", self._raw),
            self._route("/m/raw", self._raw),
            self._route("/m/{id:path}/", self._message),
            self._route("/m/", self._message),
            *self._other_archives(),
            self._route("/{rest:path}", self._without_slash),
        ]

    def _other_archives(self) -> list[Route]:
        """The addresses that other archives give to messages: HyperKitty, public-inbox, PostgreSQL's.

        Those of HyperKitty hold a hash of the id (`weft.core.handle`).
        """
        patterns = {
            "/list/{list}/message/{id}/": "t", "/list/{list}/thread/{id}/": "t",
            "/archives/list/{list}/message/{id}/": "t", "/archives/list/{list}/thread/{id}/": "t",
            "/hyperkitty/list/{list}/message/{id}/": "t", "/hyperkitty/list/{list}/thread/{id}/": "t",
            "/message-id/flat/{id}": "t", "/message-id/raw/{id}": "r", "/message-id/{id}": "t",
            "/r/{id}/": "t", "/r/{id}": "t", "/mid/{id}": "t", "/msgid/{id}": "t",
            "/{list}/{id}/T/": "t", "/{list}/{id}/t/": "t", "/{list}/{id}/raw": "r",
            "/{list}/{id}/t.mbox.gz": "x", "/{list}/{id}/t.mbox": "x", "/{list}/{id}/t.atom": "a",
            "/{list}/{id}/": "t",
        }  # fmt: skip
        return [self._route(path, partial(self._moved, kind=kind)) for path, kind in patterns.items()]

    def _route(self, path: str, build: Callable[[Request], Awaitable[WebPage]]) -> Route:
        async def endpoint(request: Request) -> Response:
            return self._response(request, await build(request))

        return Route(path, endpoint, methods=list(_METHODS))

    async def answer(self, scope: Scope, receive: Receive, inner: ASGIApp) -> Response:
        """What the routes answer, as one response."""
        sent: list[Any] = []

        async def send(message: Any) -> None:  # noqa: ANN401 - as ASGI has it
            sent.append(message)

        await inner(scope, receive, send)
        start, *parts = sent
        response = Response(b"".join(part.get("body", b"") for part in parts), status_code=start["status"])
        response.raw_headers = start["headers"]
        return response

    async def _home(self, _: Request) -> WebPage:
        return await self._page(("home",), self._pages.home)

    async def _style(self, _: Request) -> WebPage:
        return WebPage(style_sheet().encode(), "text/css; charset=utf-8", version=style_version())

    async def _robots(self, _: Request) -> WebPage:
        base = self._links.base
        denied = [f"{base}search", f"{base}m/"] if self._app.settings.public else ["/"]
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in denied)]
        return WebPage("\n".join([*lines, ""]).encode(), "text/plain; charset=utf-8")

    async def _about(self, _: Request) -> WebPage:
        return await self._page(("about",), self._pages.about)

    async def _missing(self, request: Request) -> WebPage:
        after, before = _cursor(request, "after"), _cursor(request, "before")
        return await self._page(
            ("missing", after, before), lambda index: self._pages.missing(index, after=after, before=before)
        )

    async def _list(self, request: Request) -> WebPage:
        name = _list_name(request)
        after, before, month = _cursor(request, "after"), _cursor(request, "before"), _month(request)
        return await self._page(
            ("list", name, after, before, month),
            lambda index: self._pages.threads(index, name, month=month, after=after, before=before),
        )

    async def _list_feed(self, request: Request) -> WebPage:
        name = _list_name(request)
        return await self._page(("feed", name), lambda index: self._pages.list_feed(index, name))

    async def _thread(self, request: Request) -> WebPage:
        wanted, page, known = _id(request), _page_number(request), _known(request)
        if not wanted:
            raise NotFoundError("no message is named")
        return await self._of(
            ("thread", page), wanted, lambda index, name: self._pages.thread(index, name, page, known)
        )

    async def _file(self, request: Request, form: str) -> WebPage:
        wanted, known = _id(request), _known(request)
        return await self._of(
            ("file", form), wanted, lambda index, name: self._pages.thread_file(index, name, form, known)
        )

    async def _message(self, request: Request) -> WebPage:
        wanted = _id(request)
        return await self._of(("message",), wanted, self._pages.message)

    async def _raw(self, request: Request) -> WebPage:
        wanted, copy = _id(request), _page_number(request, "copy") or 1
        return await self._of(("raw", copy), wanted, lambda index, name: self._pages.raw(index, name, copy))

    async def _search(self, request: Request) -> WebPage:
        words = _query_text(request, "q")
        if len(words.encode("utf-8", "surrogateescape")) > QUERY_BYTES:
            raise InvalidRequestError(f"at most {QUERY_BYTES} bytes are searched for", "q")
        wanted = words.strip()
        named = wanted[1:-1] if wanted.startswith("<") and wanted.endswith(">") and "@" in wanted else ""
        if wanted.startswith(MARK) and parse_handle(wanted):
            named = wanted
        if named or _query_text(request, "l") == "mid":  # as mail-archive.com has it
            return await self._redirect("t", named or wanted)
        after = _cursor(request, "after")
        return await self._page(("search", words, after), lambda index: self._pages.search(index, words, after))

    async def _moved(self, request: Request, kind: str) -> WebPage:
        return await self._redirect(kind, _id(request))

    async def _redirect(self, kind: str, wanted: str) -> WebPage:
        """To a thread (t), its mail (x) or feed (a), or to the mail of a message (r), if it is named here."""
        links = self._links

        def look(index: Index, name: str) -> WebPage:
            index.summary(name)
            if kind in ("x", "a"):
                return moved(links.file(name, "mbox" if kind == "x" else "atom"))
            return moved(links.raw(name) if kind == "r" else links.thread(name))

        return await self._of(("moved", kind), wanted, look)

    async def _without_slash(self, request: Request) -> WebPage:
        rest = request.path_params["rest"]
        head, _, name = rest.partition("/")
        if head in ("t", "m", "l") and name:
            return moved(f"{self._links.base}{rest}/")
        if rest == "missing":
            return moved(self._links.missing())
        raise NotFoundError("there is no such page")

    async def _of(self, key: tuple[object, ...], wanted: str, build: BuildOf) -> WebPage:
        """The page about a message with this key: of an id, or of a handle of one."""

        def work(index: Index) -> WebPage:
            return build(index, wanted if not parse_handle(wanted) else index.resolve(wanted))

        try:
            return await self._page((*key, wanted), work)
        except AmbiguousError as error:
            return self._pages.problem(300, "Which message?", _sentence(error))
        except NotFoundError as error:
            return self._pages.problem(404, "Not here", _sentence(error), wanted)

    async def _page(self, key: tuple[object, ...], build: Build) -> WebPage:
        """The page with this key, made unless it is remembered."""
        name = b"web " + repr(key).encode("utf-8", "surrogatepass")

        def work(reader: IndexReader) -> WebPage:
            known = reader.remembered(name)
            if known is not None:
                return _decoded(known)
            with reader.snapshot():
                page = build(reader.index)
            if page.status in (200, 301):
                reader.remember(name, _encoded(page))
            return page

        return await self._app.pool.call(work, SECONDS)

    def _response(self, request: Request, page: WebPage) -> Response:
        headers = self._headers(page)
        if page.location:
            return Response(b"", page.status, {**headers, "Location": page.location})
        if page.status == 200 and page.version and page.version in _known(request, every=True):
            page = page.unchanged()
        if page.status == 304:
            del headers["Content-Type"]
            return Response(b"", 304, headers)
        return Response(page.body, page.status, headers)

    def _headers(self, page: WebPage) -> dict[str, str]:
        headers = {
            "Content-Type": page.media,
            "Content-Security-Policy": page.policy or SECURITY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": self._caching(page),
        }
        if page.version:
            headers["ETag"] = f'"{page.version}"'
        if page.file_name:
            headers["Content-Disposition"] = f'inline; filename="{page.file_name}"'
        if not self._app.settings.public or page.status >= 400 or page.file_name:
            headers["X-Robots-Tag"] = "noindex"
        return headers

    def _caching(self, page: WebPage) -> str:
        if page.media.startswith("text/css"):
            return f"public, max-age={_YEAR}, immutable"
        if page.status not in (200, 301, 304):
            return "no-store"
        return "public, max-age=60" if self._app.settings.public else "private, no-cache"

    def closing(self, status: int, what: str, headers: Mapping[str, str] = {}) -> Response:
        """A refusal after which nothing more is read from the connection."""
        page = self._pages.problem(status, HTTPStatus(status).phrase, what)
        return Response(page.body, status, {**self._headers(page), **headers, "Connection": "close"})

    def failed(self, error: Exception) -> Response:
        """The page that says what went wrong."""
        status, heading = _status_of(error)
        if status >= 500 and not isinstance(error, LateError | RetryableError):
            log.error("a page failed: %s", error, exc_info=error if status == 500 else None)
        what = "Something is wrong with this server." if status == 500 or isinstance(error, StoreError) else ""
        page = self._pages.problem(status, heading, what or _sentence(error))
        headers = self._headers(page)
        if isinstance(error, RetryableError | LateError):
            wait = error.retry_seconds if isinstance(error, RetryableError) else 5.0
            headers["Retry-After"] = str(max(1, round(wait)))
        return Response(page.body, status, headers)


def _status_of(error: Exception) -> tuple[int, str]:
    kinds: list[tuple[type[Exception], int, str]] = [
        (NotFoundError, 404, "Not here"),
        (OverloadedError, 429, "Too many requests"),
        (RetryableError, 503, "Not now"),
        (LateError, 503, "Not now"),
        (DeniedError, 403, "Not shown here"),
        (UsageError, 400, "That cannot be"),
        (StoreError, 503, "Not now"),
    ]
    return next(((status, heading) for kind, status, heading in kinds if isinstance(error, kind)), (500, "A fault"))


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _list_name(request: Request) -> str:
    """The list that a request names; empty for all."""
    raw = request.path_params.get("name")
    return _query_text(request, "list") if raw is None else parse_segment(raw)


def _id(request: Request) -> str:
    """The message id that a request names; in angle brackets or not."""
    raw = request.path_params.get("id")
    text = _query_text(request, "id") if raw is None else parse_segment(raw)
    if len(text) > ID_BYTES:
        raise InvalidRequestError(f"it has more than {ID_BYTES} bytes", "id")
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _query_text(request: Request, name: str) -> str:
    """A value of the query; bytes that are not UTF-8 as surrogate escapes."""
    for pair in request.scope["query_string"].split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == name.encode():
            return parse_segment(value.replace(b"+", b" ").decode("ascii", "replace"))
    return ""


def _cursor(request: Request, name: str) -> str | None:
    return _query_text(request, name) or None


def _month(request: Request) -> tuple[int, int] | None:
    text = _query_text(request, "month")
    if not text:
        return None
    found = _MONTH.fullmatch(text)
    if found is None or not (int(found[1]) >= 1 and 1 <= int(found[2]) <= 12):
        raise InvalidRequestError("give a year and a month, such as 2003-02", "month")
    return int(found[1]), int(found[2])


def _page_number(request: Request, name: str = "page") -> int | None:
    text = _query_text(request, name)
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidRequestError("give a number from 1 on", name)
    return int(text)


def _known(request: Request, *, every: bool = False) -> frozenset[str]:
    """The versions that a reader has; ``every``: with that which stands for any, where a page is there."""
    field = request.headers.get("if-none-match", "")
    if field.strip() == "*":
        return _Any() if every else frozenset()
    return frozenset(_TAG.findall(field[:4096]))


class _Any(frozenset[str]):
    def __contains__(self, _: object) -> bool:
        return True


def _encoded(page: WebPage) -> bytes:
    fields = (page.media, str(page.status), page.version, page.policy, page.location, page.file_name)
    return _SEPARATOR.join([*(one.encode() for one in fields), page.body])


def _decoded(data: bytes) -> WebPage:
    *fields, body = data.split(_SEPARATOR, 6)
    media, status, version, policy, location, name = (one.decode() for one in fields)
    return WebPage(body, media, int(status), version, policy, location, name)
