"""``python -m tests.bench.pages INDEX``: what pages for browsers cost, as JSON, in milliseconds of CPU.

Asked for are threads of about 25 messages, the newest threads of the list that has most, the first page, and a page
that the reader has already; the page of the largest thread is that of an id in its middle.  Each figure is the least
of some rounds of one process that does nothing else; ``kept`` is a page that was asked for before.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from weft import Index
from weft.server.reader_pool import ReaderPool
from weft.tls.client_address import TrustedProxies
from weft.web.app import WebApp
from weft.web.client_gate import ClientGate
from weft.web.links import Links
from weft.web.pages import PageBuilder
from weft.web.settings import PageSettings

_ROUNDS = 5
_ABOUT = range(20, 32)
_THREADS = 20
_REQUESTS = 100


def main() -> None:
    """Print the figures."""
    path = Path(sys.argv[1])
    with Index.open(path, read_only=True) as index:
        figures, asked = made(index)
        policy = index.policy
    pool = ReaderPool(path, policy, 1, "pages")
    app = WebApp(PageSettings(public=True), pool, lambda: None, ClientGate(None, TrustedProxies())).asgi()
    try:
        figures |= asyncio.run(answered(app, Links().thread(asked)))
    finally:
        pool.close()
    print(json.dumps(figures, indent=1))


def made(index: Index) -> tuple[dict[str, float], str]:
    """The cost of pages that are made anew, and a thread to ask for."""
    pages = PageBuilder(PageSettings(public=True), Links())
    every = index.summaries(limit=100_000)
    largest = max(every, key=lambda one: one.messages)
    some = [one.root for one in every if one.messages in _ABOUT][:_THREADS] or [largest.root]
    middle = index.thread(largest.root).messages[largest.messages // 2].id
    name = max(index.list_summaries(), key=lambda one: one.threads).name
    figures = {
        "thread": sum(least(lambda one=one: pages.thread(index, one)) for one in some) / len(some),  # type: ignore[misc]
        f"thread of {largest.messages}": least(lambda: pages.thread(index, middle)),
        "list": least(lambda: pages.threads(index, name)),
        "first page": least(lambda: pages.home(index)),
        "message": least(lambda: pages.message(index, some[0])),
    }
    return figures, some[0]


async def answered(app: ASGIApp, path: str) -> dict[str, float]:
    """The cost of answering without making a page."""
    first = await ask(app, path)
    headers: Any = first[0]["headers"]
    tag: bytes = dict(headers)[b"etag"]
    return {
        "304": await least_of(lambda: ask(app, path, (b"if-none-match", tag))),
        "kept": await least_of(lambda: ask(app, path)),
    }


async def ask(app: ASGIApp, path: str, *headers: tuple[bytes, bytes]) -> list[dict[str, object]]:
    """What the application sends for one request."""
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
        "client": ("192.0.2.1", 1), "server": None, "scheme": "http", "headers": [(b"host", b"x"), *headers],
    }  # fmt: skip
    await app(scope, receive, send)  # type: ignore[arg-type]
    return sent


def least(work: Callable[[], object]) -> float:
    """The milliseconds of the fastest of some rounds."""
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return round(best * 1000, 3)


async def least_of(work: Callable[[], Awaitable[object]]) -> float:
    """The same of one of many requests."""
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(_REQUESTS):
            await work()
        best = min(best, time.process_time() - began)
    return round(best * 1000 / _REQUESTS, 3)


if __name__ == "__main__":
    main()
