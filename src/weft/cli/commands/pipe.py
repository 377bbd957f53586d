"""``weft pipe``: one message from standard input into the index, for a ``|command`` in aliases and procmail.

Exit codes are those of sysexits.h: 0 delivered, 65 not a message, 75 try again later.
"""

from __future__ import annotations

import sys

import click

from weft.cli._options import index_options, say
from weft.cli._output import message_options
from weft.errors import UsageError
from weft.sources.interface import check_list_name

_NOT_MAIL, _AGAIN = 65, 75


@click.command("pipe")
@click.argument("list_name", metavar="LIST")
@click.option("--drop", is_flag=True, help="Do not keep the mail, only what the index says of it.")
@click.option(
    "--max-size", type=click.IntRange(1, 1024), default=50, show_default=True, metavar="MB", help="Of one message."
)
@index_options
@message_options
def command(list_name: str, drop: bool, max_size: int, index: str | None, config: str | None, quiet: bool) -> int:
    """Put one message from standard input into the index, for a list.

    For mail servers that hand mail to a command.  Exit code 0 says that it is on disk, 75 that it should be tried again
    later, 65 that it is not a message or too large.  The same message twice changes nothing.

    \b
    weft pipe drafts < message.eml
    weft pipe --index /var/lib/weft/index.db drafts < message.eml
    """
    try:
        check_list_name(list_name)
    except ValueError as error:
        raise UsageError(f"{list_name!r} cannot name a list: {error}") from None
    from weft.delivery.deliverer import Deliverer, HandedOver, Status
    from weft.policy.files import index_path

    data = b"" if sys.stdin is None else sys.stdin.buffer.read((max_size << 20) + 1)
    if len(data) > max_size << 20:
        say(f"the message is larger than {max_size} MB (--max-size)")
        return _NOT_MAIL
    deliverer = Deliverer(index_path(index), config, keep_mail=not drop)
    [outcome] = deliverer.deliver([HandedOver(list_name, data)])
    deliverer.close()
    if outcome.status is Status.DELIVERED:
        return 0
    if not quiet or outcome.status is not Status.REFUSED:
        say(outcome.reason)
    return _NOT_MAIL if outcome.status is Status.REFUSED else _AGAIN
