"""The options of ``weft serve`` that are about pages over HTTP, and their server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from weft._text import count
from weft.cli._options import say
from weft.cli._output import Output, Progress
from weft.errors import UsageError, WeftError
from weft.tls.address import is_loopback, socket_path, split_address
from weft.tls.client_address import TrustedProxies

if TYPE_CHECKING:
    from weft.index.index import Index
    from weft.server.access import Access
    from weft.server.server import Server
    from weft.web.app import RequestMeter
    from weft.web.settings import PageSettings

Command = TypeVar("Command", bound=Callable[..., Any])

NEEDS = "pages over HTTP need further packages; install them with: pip install 'mailweft[server,web]'"
NOWHERE = "none"
SITE = "site"
"""The format of `write_site`."""


def web_options(command: Command) -> Command:
    """``--http --public-url --show-addresses --elsewhere``."""
    for option in (
        click.option(
            "--elsewhere",
            multiple=True,
            metavar="NAME=URL",
            help="Pages: where else to look for a missing message, {id} in the URL being its id, or none.",
        ),
        click.option("--show-addresses", is_flag=True, help="Pages: show addresses of people, and give raw mail."),
        click.option("--public-url", metavar="URL", help="Pages: where readers find them, behind a reverse proxy."),
        click.option("--http", metavar="HOST:PORT", help="Show pages of threads over HTTP there."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class WebOptions:
    """As they were given."""

    http: str | None
    public_url: str | None
    show_addresses: bool
    elsewhere: tuple[str, ...]

    def check(self, *, public: bool) -> None:
        """`UsageError` for what cannot be: nothing here goes to others in plain text but what is public."""
        if self.http is None:
            if self.public_url is not None or self.show_addresses or self.elsewhere:
                raise UsageError(
                    "--public-url, --show-addresses and --elsewhere are about pages; give --http HOST:PORT"
                )
            return
        if socket_path(self.http) is not None:
            raise UsageError(f"--http {self.http}: give HOST:PORT, such as 127.0.0.1:8080")
        host, _ = split_address(self.http)
        if not public and not is_loopback(host):
            raise UsageError(
                f"--http {self.http}: off this machine pages are shown with --public only, as everybody can read them"
            )

    def words(self) -> list[str]:
        """For a systemd unit."""
        words = [] if self.http is None else ["--http", self.http]
        words += [] if self.public_url is None else ["--public-url", self.public_url]
        words += ["--show-addresses"] if self.show_addresses else []
        return words + [word for one in self.elsewhere for word in ("--elsewhere", one)]

    def settings(self, *, public: bool) -> PageSettings:
        """What pages are made by; `UsageError` for what cannot be."""
        try:
            from weft.web.settings import ELSEWHERE, OtherArchive, PageSettings, parse_public_url
        except ModuleNotFoundError as error:
            raise WeftError(f"{NEEDS} ({error.name} is missing)") from None
        given = [one for one in self.elsewhere if one != NOWHERE]
        elsewhere = tuple(map(OtherArchive.parse, given)) if self.elsewhere else ELSEWHERE
        url = "" if self.public_url is None else parse_public_url(self.public_url)
        return PageSettings(public, url, self.show_addresses, elsewhere)


def write_site(index: Index, target: Output, *, show_addresses: bool, elsewhere: tuple[str, ...], quiet: bool) -> int:
    """Write all threads as pages into a folder; the exit code."""
    if target.path is None:
        raise UsageError("a site is a folder of files; say where with -o FOLDER")
    settings = WebOptions(None, None, show_addresses, elsewhere).settings(public=True)
    try:
        from weft.web.static_site import SiteWriter
    except ModuleNotFoundError as error:
        raise WeftError(
            f"a site needs further packages; install them with: pip install 'mailweft[web]' ({error.name} is missing)"
        ) from None
    with Progress(quiet=quiet) as progress:
        done = SiteWriter(index, Path(target.path), settings).write(
            lambda number: progress.show(count(number, "thread"))
        )
    if not quiet:
        say(str(done))
    return 0


@asynccontextmanager
async def showing_pages(
    options: WebOptions,
    server: Server,
    access: Access,
    proxies: TrustedProxies,
    meter: RequestMeter | None,
    *,
    public: bool,
    announce: Callable[[str], None],
) -> AsyncIterator[None]:
    """Show pages meanwhile, from the readers of a server, at an address, if there is one, which ``announce`` says."""
    if options.http is None:
        yield
        return
    settings = options.settings(public=public)
    try:
        from weft.web.app import WebApp
        from weft.web.client_gate import ClientGate
        from weft.web.http_server import HttpServer
    except ModuleNotFoundError as error:
        raise WeftError(f"{NEEDS} ({error.name} is missing)") from None
    app = WebApp(settings, server.readers, access.check_public, ClientGate(server.ledger, proxies), meter)
    pages = HttpServer(app.asgi(), proxies)
    taken = await pages.start(options.http)
    try:
        announce(f"pages on http://{taken}{settings.prefix}/")
        yield
    finally:
        await pages.stop()
