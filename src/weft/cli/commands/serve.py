"""``weft serve``: the server for clients and peers.

The first line on stdout is ``listening on HOST:PORT``, with the port that was taken if 0 was asked for; with
``--metrics`` then comes ``metrics on HOST:PORT``, with ``--exchange-listen`` last ``exchange on HOST:PORT``.
Everything else is the log, on stderr.

The policy file is looked at every two seconds, and at once after SIGHUP.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft.cli._grpc_log import silence
from weft.cli._options import index_options, say
from weft.cli._output import message_options
from weft.errors import UsageError, WeftError

if TYPE_CHECKING:
    from weft.policy.rules import Policy
    from weft.server.logging import Format
    from weft.server.metrics import Metrics
    from weft.server.policy_watcher import Mark, PolicyWatcher
    from weft.server.server import Security, Server

log = logging.getLogger("weft.serve")

_CUT_SECONDS = 2.0
"""How long sessions with peers may go on when the server stops; the next ones go on from there."""
_NEEDS = "weft serve needs further packages; install them with: pip install 'mailweft[server]'"


@click.command("serve")
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:7430", show_default=True, help="Where to listen.")
@click.option("--exchange-listen", "exchange", metavar="HOST:PORT", help="Exchange with peers, and listen there.")
@click.option("--metrics", metavar="HOST:PORT", help="Show metrics for Prometheus there.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, metavar="N", help="Answer clients in N processes (default: 1)."
)
@click.option("--worker", is_flag=True, hidden=True, help="One of these processes, but for the first.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="The log.")
@click.option("--print-unit", is_flag=True, help="Print a systemd unit for this server, and do nothing else.")
@click.option(
    "--ingest",
    multiple=True,
    metavar="LIST=PATH",
    help="With --print-unit: the unit that puts this mail into its index.",
)
@index_options
@message_options
def command(
    listen: str,
    exchange: str | None,
    metrics: str | None,
    workers: int,
    worker: bool,
    log_format: Format,
    print_unit: bool,
    ingest: tuple[str, ...],
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Answer clients over gRPC: threads, lists, searches, explanations, changes.

    On loopback it speaks plain text.  On any other address it speaks TLS only, and only to peers that the policy lets
    read everything.  SIGTERM ends it when all calls in flight are answered; a second one ends it at once.

    With --exchange-listen it also exchanges claims with its peers, always over TLS: it answers them, and calls those
    with an address.  What comes into the index is offered to all of them at once.

    A policy file that changes counts within seconds.  Metrics of calls are those of the first of several processes.

    \b
    weft serve
    weft serve --exchange-listen 127.0.0.1:7431
    weft serve --listen 127.0.0.1:0 --metrics 127.0.0.1:9430 --log-format json
    weft serve --print-unit > /etc/systemd/system/weft.service
    weft serve --print-unit --ingest git=/srv/git.mbox > weft-ingest.service
    """
    if print_unit or ingest:
        if not print_unit:
            raise UsageError("--ingest says what --print-unit prints; mail goes into an index with: weft ingest")
        _print_unit(ingest, _options(listen, exchange, metrics, log_format, workers), quiet=quiet)
        return
    silence()
    try:
        from weft.server import logging as server_logging
        from weft.server import metrics as _metrics_module  # noqa: F401 - are the packages there?
        from weft.server import server as _server_module  # noqa: F401
    except ModuleNotFoundError as error:
        raise WeftError(f"{_NEEDS} ({error.name} is missing)") from None
    from weft.index.index import Index
    from weft.policy.files import config_path, index_path
    from weft.server.policy_watcher import mark_of

    server_logging.set_up_logging(log_format, quiet=quiet)
    path, place = index_path(index), config_path(config)
    mark = mark_of(place)
    with Index.open(path, policy=config, create=False) as opened:
        policy = opened.policy
    policy_options = [] if config is None else ["--config", config]
    team = _Team(workers, worker, ("--log-format", log_format, *policy_options, *(["-q"] if quiet else [])))
    asyncio.run(_serve(path, (place, policy, mark), (listen, exchange, metrics), team))


@dataclass(frozen=True, slots=True)
class _Team:
    """The processes that answer clients."""

    number: int
    worker: bool
    """Whether this is one of them, but not the first."""
    options: Sequence[str]
    """What the others are told about the policy and their logs."""

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
    path: Path, policy: tuple[Path, Policy, Mark], addresses: tuple[str, str | None, str | None], team: _Team
) -> None:
    """Serve until a signal says to stop."""
    from weft.server.policy_watcher import PolicyWatcher
    from weft.server.server import Server
    from weft.tls.address import split_address

    listen, exchange, metrics = addresses
    policies = PolicyWatcher(*policy)
    stopping = _signals(policies)
    if team.worker:
        from weft.server.workers import stop_with_parent

        stop_with_parent(stopping)
    with _metrics(metrics) as meter:
        server = Server(
            path, policies.current, meter=meter, security=_security(path, policies, listen), shared=team.shared
        )
        policies.follow(server.use)
        try:
            shown = meter.show(*split_address(metrics), lambda: server.watching.end) if meter and metrics else None
            address = await server.start(listen)
            click.echo(f"listening on {address}")
            if shown:
                click.echo(f"metrics on {shown}")
            others = team.others(path, address, stopping)
            async with _exchanging(path, policies, exchange, meter), _following(policies), others:
                sys.stdout.flush()
                await stopping.wait()
                stopping.clear()
                log.info("stopping: calls in flight end first")
        except BaseException:
            await server.stop(0)
            raise
        await _stop(server, stopping)


@asynccontextmanager
async def _following(policies: PolicyWatcher) -> AsyncIterator[None]:
    """Notice meanwhile that the policy changes."""
    task = asyncio.create_task(policies.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _exchanging(
    path: Path, policies: PolicyWatcher, address: str | None, meter: Metrics | None
) -> AsyncIterator[None]:
    """Exchange with peers meanwhile, if there is an address to listen at."""
    if address is None:
        yield
        return
    from weft.peering.listener import ExchangeServer

    server = ExchangeServer(path, policies.current, look=policies.look, meter=meter.exchange if meter else None)
    policies.follow(server.use)
    if meter:
        meter.exchange.show(server.registry.standings)
    try:
        click.echo(f"exchange on {await server.start(address)}")
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


def _signals(policies: PolicyWatcher) -> asyncio.Event:
    """Set by SIGTERM and SIGINT; SIGHUP has the policy read again."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    loop.add_signal_handler(signal.SIGHUP, policies.hurry)
    return event


def _security(path: Path, policies: PolicyWatcher, listen: str) -> Security | None:
    """Credentials, unless only this machine can call."""
    from weft.server.server import Security
    from weft.tls.address import is_loopback, split_address

    if is_loopback(split_address(listen)[0]):
        return None
    from weft.tls.identity import may_read_all, server_credentials

    credentials = server_credentials(path, policies.current)
    return Security(credentials, lambda context: may_read_all(policies.current)(context))


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
