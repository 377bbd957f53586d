"""``weft lmtp``: mail into the index, as a mail server hands it over.

The first line on stdout is ``listening on ADDRESS``.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

import click

from weft.cli._options import index_options
from weft.cli._output import message_options
from weft.errors import UsageError, WeftError
from weft.policy.files import index_path
from weft.sources.interface import check_list_name

_NEEDS = "weft lmtp needs a further package; install it with: pip install 'mailweft[lmtp]'"


@click.command("lmtp")
@click.argument("lists", nargs=-1, required=True, metavar="LIST=ADDRESS...")
@click.option(
    "--listen", metavar="ADDRESS", required=True, help="Where to listen: unix:PATH, or HOST:PORT on loopback."
)
@click.option("--socket-mode", metavar="MODE", default="660", show_default=True, help="Who may use it (octal).")
@click.option("--drop", is_flag=True, help="Do not keep the mail, only what the index says of it.")
@click.option(
    "--max-size", type=click.IntRange(1, 1024), default=50, show_default=True, metavar="MB", help="Of one message."
)
@click.option("--rate", type=click.IntRange(0), default=0, metavar="N", help="Messages a minute of a list (0: any).")
@click.option("--print-unit", is_flag=True, help="Print a systemd unit for this, and do nothing else.")
@index_options
@message_options
def command(
    lists: tuple[str, ...],
    listen: str,
    socket_mode: str,
    drop: bool,
    max_size: int,
    rate: int,
    print_unit: bool,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Take mail over LMTP (RFC 2033) and put it into the index; each recipient is a list.

    LIST=ADDRESS says that mail for ADDRESS belongs to LIST; headers have no say.  A message is answered with 250 when
    it is on disk, with 452 or 451 when it cannot be taken now, and then the mail server tries again.  It may hand over
    a message twice: that changes nothing.

    The mail is kept in Maildirs beside the index (INDEX.mail/LIST), so that it can be read and exported, unless --drop.

    \b
    weft lmtp --listen unix:/run/weft/lmtp.sock drafts=drafts@lists.example.org
    """
    addresses = _addresses(lists)
    try:
        mode = int(socket_mode, 8)
    except ValueError:
        raise UsageError(f"--socket-mode {socket_mode}: give a mode in octal, such as 660") from None
    if not 0 <= mode <= 0o777:
        raise UsageError(f"--socket-mode {socket_mode}: give a mode in octal, such as 660")
    if print_unit:
        _print_unit(lists, listen, socket_mode, drop=drop, max_size=max_size, rate=rate)
        return
    try:
        from weft.delivery.lmtp import LmtpLimits, LmtpServer
    except ModuleNotFoundError as error:
        raise WeftError(f"{_NEEDS} ({error.name} is missing)") from None
    from weft.delivery.deliverer import Deliverer

    level = logging.ERROR if quiet else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="weft: %(message)s")
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd names every connection
    deliverer = Deliverer(index_path(index), config, keep_mail=not drop)

    async def serve() -> None:
        server = LmtpServer(deliverer, addresses, LmtpLimits(size=max_size << 20, rate=rate))
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        click.echo(f"listening on {await server.start(listen, mode)}")
        sys.stdout.flush()
        await stopping.wait()
        await server.stop()

    try:
        asyncio.run(serve())
    except OSError as error:
        raise WeftError(f"{listen}: {error.strerror or error}") from None


def _print_unit(lists: Sequence[str], listen: str, socket_mode: str, *, drop: bool, max_size: int, rate: int) -> None:
    from weft.cli.systemd import lmtp_unit

    words = ["--listen", listen, "--socket-mode", socket_mode, "--max-size", str(max_size), "--rate", str(rate)]
    click.echo(lmtp_unit([*words, *(["--drop"] if drop else []), *lists]), nl=False)


def _addresses(lists: Sequence[str]) -> dict[str, str]:
    """The list of each address."""
    found: dict[str, str] = {}
    for one in lists:
        name, equals, address = one.partition("=")
        if not equals or not address or not address.isprintable() or " " in address:
            raise UsageError(f"{one!r}: give LIST=ADDRESS, such as drafts=drafts@lists.example.org")
        try:
            check_list_name(name)
        except ValueError as error:
            raise UsageError(f"{name!r} cannot name a list: {error}") from None
        if found.setdefault(address.lower(), name) != name:
            raise UsageError(f"{address} is given for two lists")
    return found
