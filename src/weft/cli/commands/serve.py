"""``weft serve``: the server for clients and peers.

The first line on stdout is ``listening on ADDRESS``, with the port that was taken if 0 was asked for; with
``--metrics`` then comes ``metrics on HOST:PORT``, with ``--exchange-listen`` ``exchange on HOST:PORT``, with ``--http``
last ``pages on http://HOST:PORT/``.
Everything else is the log, on stderr.  With ``--log-format json`` each of these lines is an object, too.

The policy file is looked at every two seconds, and at once after SIGHUP.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft._files import FileMark, mark_of
from weft.cli._grpc_log import silence
from weft.cli._options import index_options, say
from weft.cli._output import message_options
from weft.cli._web import WebOptions, showing_pages, web_options
from weft.errors import UsageError, WeftError
from weft.server.socket_file import SOCKET_MODE
from weft.tls.client_address import TrustedProxies

if TYPE_CHECKING:
    from weft.policy.rules import Policy
    from weft.server.access import Access
    from weft.server.health_monitor import HealthMonitor, Readiness
    from weft.server.logging import Format
    from weft.server.metrics import Metrics, ServerState
    from weft.server.policy_watcher import PolicyWatcher
    from weft.server.server import Server
    from weft.server.service_manager import ServiceManager

log = logging.getLogger("weft.serve")

_CUT_SECONDS = 2.0
"""How long sessions with peers may go on when the server stops; the next ones go on from there."""
_SOCKET_MODE = f"{SOCKET_MODE:o}"
_NEEDS = "weft serve needs further packages; install them with: pip install 'mailweft[server]'"


@click.command("serve")
@click.option(
    "--listen",
    metavar="ADDRESS",
    default="127.0.0.1:7430",
    show_default=True,
    help="Where to listen: HOST:PORT or unix:PATH.",
)
@click.option("--public", is_flag=True, help="Let anybody read; all lists must be public in the policy.")
@click.option("--tls-cert", metavar="FILE", help="A certificate of an authority (PEM), with those of its issuers.")
@click.option("--tls-key", metavar="FILE", help="Its private key (PEM).")
@click.option(
    "--trusted-proxy",
    "proxies",
    multiple=True,
    metavar="NETWORK",
    help="Believe what this reverse proxy says of its clients (x-forwarded-for): an address, a network, or unix.",
)
@click.option(
    "--socket-mode",
    metavar="MODE",
    default=_SOCKET_MODE,
    show_default=True,
    help="Who may use a unix socket (octal).",
)
@click.option("--exchange-listen", "exchange", metavar="HOST:PORT", help="Exchange with peers, and listen there.")
@web_options
@click.option("--metrics", metavar="HOST:PORT", help="Show metrics for Prometheus there.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, metavar="N", help="Answer clients in N processes (default: 1)."
)
@click.option("--read-only", is_flag=True, help="Write nothing, and do without the key: a front end, or a snapshot.")
@click.option("--worker", is_flag=True, hidden=True, help="One of these processes, but for the first.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="The log.")
@click.option("--print-unit", is_flag=True, help="Print a systemd unit for this server, and do nothing else.")
@click.option(
    "--ingest",
    multiple=True,
    metavar="LIST=PATH",
    help="Read new mail from there meanwhile; with --print-unit: print the unit for that.",
)
@index_options
@message_options
def command(
    listen: str,
    public: bool,
    tls_cert: str | None,
    tls_key: str | None,
    proxies: tuple[str, ...],
    socket_mode: str,
    exchange: str | None,
    http: str | None,
    public_url: str | None,
    show_addresses: bool,
    elsewhere: tuple[str, ...],
    metrics: str | None,
    workers: int,
    read_only: bool,
    worker: bool,
    log_format: Format,
    print_unit: bool,
    ingest: tuple[str, ...],
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Answer clients over gRPC: threads, lists, searches, explanations, changes.

    On loopback and on a unix socket it speaks plain text, on any other address TLS only: with a certificate of its own,
    which clients pin by the fingerprint, or with that in --tls-cert and --tls-key, which may be renewed meanwhile.

    Off this machine it answers only callers whose row in the policy lets them read everything, and who show the
    certificate of their key; with --public anybody.  Then the policy must name all lists here under public.

    Each client off this machine may have only so many calls, streams and seconds of work (weft help limits); a client
    is one who shows the certificate of a peer, or else an IPv4 address, or an IPv6 network of 64 bits.

    SIGTERM ends it when all calls in flight are answered; a second one ends it at once.

    With --exchange-listen it also exchanges claims with its peers, always over TLS: it answers them, and calls those
    with an address.  What comes into the index is offered to all of them at once.

    With --ingest it also reads mail: what comes into the files, folders and archives there is shown and offered within
    seconds, as with weft ingest --watch.

    With --http it also shows pages of threads to browsers: in plain text, so off this machine with --public only
    (weft help web).

    With --read-only it writes nothing and needs no key: on a snapshot, on a file system mounted to read only, or
    beside a server that writes, as a user who may only read.

    A policy file that changes counts within seconds.  Metrics of calls are those of the first of several processes.

    \b
    weft serve
    weft serve --exchange-listen 127.0.0.1:7431
    weft serve --ingest git=/srv/git.mbox --ingest lkml=/srv/lore/lkml
    weft serve --listen 127.0.0.1:0 --metrics 127.0.0.1:9430 --log-format json
    weft serve --listen unix:/run/weft/weft.sock --socket-mode 666
    weft serve --public --listen 0.0.0.0:443 --tls-cert all.pem --tls-key key.pem
    weft serve --http 127.0.0.1:8080
    weft serve --print-unit > /etc/systemd/system/weft.service
    weft serve --print-unit --ingest git=/srv/git.mbox > weft-ingest.service
    """
    if read_only and (exchange is not None or ingest):
        raise UsageError("--read-only: an exchange and an ingest write, and speak with the key; leave one of both out")
    access = _access_options(public, tls_cert, tls_key, proxies, socket_mode)
    access += ["--read-only"] if read_only else []
    web = WebOptions(http, public_url, show_addresses, elsewhere)
    web.check(public=public)
    if print_unit:
        _print_unit(
            ingest, [*_options(listen, exchange, metrics, log_format, workers), *web.words(), *access], quiet=quiet
        )
        return
    trusted = TrustedProxies.parse(proxies)
    pair, mode, announce = _pair(tls_cert, tls_key), _mode(socket_mode), _announcer(log_format)
    ports = _Ports(listen, exchange, metrics, public, pair, mode, trusted, web, announce)
    silence()
    try:
        from weft.server import logging as server_logging
        from weft.server import metrics as _metrics_module  # noqa: F401 - are the packages there?
        from weft.server import server as _server_module  # noqa: F401
    except ModuleNotFoundError as error:
        raise WeftError(f"{_NEEDS} ({error.name} is missing)") from None
    from weft.index.index import Index
    from weft.policy.files import config_path, index_path
    from weft.server.service_manager import ServiceManager

    server_logging.set_up_logging(log_format, quiet=quiet)
    manager = ServiceManager.from_environment()
    manager.status("making the view, if it is not of this policy yet")
    path, place = index_path(index), config_path(config)
    mark = mark_of(place)
    create, reading = bool(ingest), read_only
    with Index.open(path, policy=config, create=create, read_only=reading, reading=reading) as opened:
        policy = opened.policy
    policy_options = [] if config is None else ["--config", config]
    mail = _mail_command(path, ingest, policy_options)
    options = ("--log-format", log_format, *policy_options, *access, *(["-q"] if quiet else []))
    team = _Team(workers, worker, options, mail, not read_only)
    asyncio.run(_serve(path, (place, policy, mark), ports, team, manager))


@dataclass(frozen=True, slots=True)
class _Ports:
    """Where it listens, and to whom."""

    listen: str
    exchange: str | None
    metrics: str | None
    public: bool
    certificate: tuple[Path, Path] | None
    """The certificate and its key, if they are not our own."""
    socket_mode: int
    proxies: TrustedProxies
    web: WebOptions
    announce: Callable[[str], None]
    """Says on stdout what listens where."""


def _mail_command(path: Path, ingest: Sequence[str], policy_options: Sequence[str]) -> list[str]:
    """What reads the mail of some paths into the index; empty if there are none.  `UsageError` as `discover` has it."""
    from weft.sources.discover import named_lists

    named_lists(ingest)
    if any(path == "-" or path.endswith("=-") for path in ingest):
        raise UsageError("--ingest -: stdin cannot be watched; give the name of a file")
    command = [sys.executable, "-m", "weft", "ingest", "--watch", "--worker", "--index", str(path), *policy_options]
    return [*command, "--", *ingest] if ingest else []


def _pair(certificate: str | None, key: str | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("--tls-cert and --tls-key go together")
    return Path(certificate), Path(key)


def _announcer(log_format: Format) -> Callable[[str], None]:
    """What says on stdout what listens where: as lines for people, or as objects where the log has these."""
    from weft.server.logging import json_line

    return lambda text: click.echo(json_line(text) if log_format == "json" else text)


def _mode(text: str) -> int:
    if not text or not set(text) <= set("01234567") or int(text, 8) > 0o777:
        raise UsageError(f"--socket-mode {text}: give a mode in octal, such as 660")
    return int(text, 8)


def _access_options(
    public: bool, certificate: str | None, key: str | None, proxies: Sequence[str], socket_mode: str
) -> list[str]:
    """Those of who may call, as they were given."""
    words = ["--public"] if public else []
    words += [word for proxy in proxies for word in ("--trusted-proxy", proxy)]
    for name, value in (("--tls-cert", certificate), ("--tls-key", key)):
        if value is not None:
            words += [name, str(Path(value).absolute())]
    return words + (["--socket-mode", socket_mode] if socket_mode != _SOCKET_MODE else [])


@dataclass(frozen=True, slots=True)
class _Team:
    """The processes that answer clients."""

    number: int
    worker: bool
    """Whether this is one of them, but not the first."""
    options: Sequence[str]
    """What the others are told about the policy and their logs."""
    mail: Sequence[str]
    """The command of the process that reads mail; empty if none does."""
    writes: bool
    """Whether they may write to the index."""

    @property
    def shared(self) -> bool:
        """Whether others listen at the same address."""
        return self.worker or self.number > 1

    def others(self, path: Path, address: str, hurry: asyncio.Event) -> AbstractAsyncContextManager[None]:
        """The other processes, at the address that the first has got; ``hurry``: they are to end at once."""
        from weft.server.workers import workers
        from weft.wire.limits import DRAIN_SECONDS

        places = ("--listen", address, "--index", str(path))
        command = [sys.executable, "-m", "weft", "serve", "--worker", *places, *self.options]
        return workers(command, self.number - 1, DRAIN_SECONDS + 5, hurry)


async def _serve(
    path: Path, policy: tuple[Path, Policy, FileMark], ports: _Ports, team: _Team, manager: ServiceManager
) -> None:
    """Serve until a signal says to stop."""
    from weft.server.mail_reader import read_mail
    from weft.server.policy_watcher import PolicyWatcher
    from weft.server.retention import delete_withdrawn
    from weft.server.server import Server
    from weft.tls.address import split_address

    policies = PolicyWatcher(*policy)
    stopping = _signals(policies, manager)
    if team.worker:
        from weft.server.workers import stop_with_parent

        stop_with_parent(stopping)
    metrics = ports.metrics
    with _metrics(metrics) as meter:
        access = _access(path, policies, ports)
        server = Server(
            path, policies.current, meter=meter, access=access, shared=team.shared, proxies=ports.proxies,
            writes=team.writes,
        )  # fmt: skip
        policies.follow(server.use)
        try:
            if meter:
                meter.follow(_state(path, server, policies))
            shown = meter.show(*split_address(metrics)) if meter and metrics else None
            address = await server.start(ports.listen, ports.socket_mode)
            ports.announce(f"listening on {address}")
            if shown:
                ports.announce(f"metrics on {shown}")
            others = team.others(path, address, stopping)
            pages = showing_pages(
                ports.web, server, access, ports.proxies, meter, public=ports.public, announce=ports.announce
            )
            async with _exchanging(path, policies, ports, meter, server.monitor), pages, others:
                sys.stdout.flush()
                works = [policies.run(), _notifying(manager, server.monitor, policies)]
                if team.writes and not team.worker:
                    works.append(delete_withdrawn(path, lambda: policies.current))
                if team.mail:
                    works.append(read_mail(team.mail))
                async with _meanwhile(*works):
                    await stopping.wait()
                    stopping.clear()
                manager.stopping()
                log.info("stopping: calls in flight end first")
        except BaseException:
            await server.stop(0)
            raise
        await _stop(server, stopping)


@asynccontextmanager
async def _meanwhile(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do what goes on until it is cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _notifying(manager: ServiceManager, monitor: HealthMonitor, policies: PolicyWatcher) -> None:
    """Tell the service manager how the server is, until cancelled."""

    async def tell(found: Readiness) -> None:
        manager.status(_status(found, policies))

    manager.ready(_status(monitor.current, policies))
    policies.follow_loads(lambda _: manager.ready(_status(monitor.current, policies)))
    monitor.follow(tell)
    await manager.watchdog(monitor.is_alive)
    await asyncio.Event().wait()


def _status(found: Readiness, policies: PolicyWatcher) -> str:
    return (
        "; ".join(filter(None, [found.problem and f"not ready: {found.problem}", policies.last_load.error])) or "ready"
    )


def _state(path: Path, server: Server, policies: PolicyWatcher) -> ServerState:
    """What metrics tell of a server and its index."""
    from weft.index.condition import last_ingest, wal_bytes
    from weft.server.metrics import ServerState

    return ServerState(
        readiness=lambda: server.monitor.current,
        log_position=lambda: server.watching.end,
        waiting=server.waiting,
        wal_bytes=lambda: wal_bytes(path),
        last_ingest=lambda: last_ingest(path),
        policies=policies,
    )


@asynccontextmanager
async def _exchanging(
    path: Path, policies: PolicyWatcher, ports: _Ports, meter: Metrics | None, monitor: HealthMonitor
) -> AsyncIterator[None]:
    """Exchange with peers meanwhile, if there is an address to listen at."""
    if ports.exchange is None:
        yield
        return
    from weft.peering.listener import ExchangeServer
    from weft.peering.metrics import ExchangeMetrics

    exchange_meter = ExchangeMetrics(meter.registry) if meter else None
    server = ExchangeServer(path, policies.current, look=policies.look, meter=exchange_meter)
    policies.follow(server.use)
    monitor.follow(lambda found: server.show_health(ready=found.is_ready))
    if exchange_meter:
        exchange_meter.show(server.registry.standings)
    try:
        ports.announce(f"exchange on {await server.start(ports.exchange)}")
        yield
    finally:
        await server.stop(_CUT_SECONDS)


async def _stop(server: Server, again: asyncio.Event) -> None:
    """Stop when calls in flight have ended, or at once if ``again`` is set."""
    drained = asyncio.create_task(server.stop())
    hurried = asyncio.create_task(again.wait())
    await asyncio.wait((drained, hurried), return_when=asyncio.FIRST_COMPLETED)
    if not drained.done():
        drained.cancel()
        await server.stop(0)
    hurried.cancel()


def _signals(policies: PolicyWatcher, manager: ServiceManager) -> asyncio.Event:
    """Set by SIGTERM and SIGINT; SIGHUP has the policy read again."""

    def reload() -> None:
        manager.reloading()
        policies.hurry()

    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return event


def _access(path: Path, policies: PolicyWatcher, ports: _Ports) -> Access:
    """Who may call, and how; plain text if only this machine can, and no certificate is given."""
    from weft.server.access import Access, client_credentials
    from weft.store.sqlite import SqliteStore
    from weft.tls.address import is_local
    from weft.tls.certificate_files import CertificateFiles

    def own_lists() -> list[bytes]:
        with closing(SqliteStore(path, read_only=True)) as store:
            return [feed.list for feed in store.feeds() if feed.origin == policies.current.own]

    files = None if ports.certificate is None else CertificateFiles(*ports.certificate)
    plain = is_local(ports.listen) and files is None
    credentials = None if plain else client_credentials(path, files, public=ports.public)
    return Access(lambda: policies.current, credentials=credentials, public=own_lists if ports.public else None)


def _metrics(address: str | None) -> AbstractContextManager[Metrics | None]:
    if address is None:
        return nullcontext()
    from weft.server.metrics import Metrics

    return Metrics()


def _options(listen: str, exchange: str | None, metrics: str | None, log_format: str, workers: int) -> list[str]:
    """The options that were given, for a unit."""
    words = ["--listen", listen, "--log-format", log_format]
    if exchange is not None:
        words += ["--exchange-listen", exchange]
    if metrics is not None:
        words += ["--metrics", metrics]
    if workers > 1:
        words += ["--workers", str(workers)]
    return words


def _print_unit(ingest: Sequence[str], options: Sequence[str], *, quiet: bool) -> None:
    from weft.cli.systemd import hidden, ingest_unit, server_unit

    click.echo(ingest_unit(ingest) if ingest else server_unit(options), nl=False)
    found = None if quiet else hidden()
    if found is not None:
        say(f"{found} is hidden from units, so this one will not start; install into /opt/weft, and print it there")
