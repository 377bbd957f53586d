"""``weft show``: the whole thread in which an id stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._ids import parse_ids
from weft.cli._mail import print_mail
from weft.cli._options import all_names, index_options, open_index, policy_option, say
from weft.cli._output import Output, each_once, message_options, output_options, terminal_columns

if TYPE_CHECKING:
    from weft.model import Thread


@click.command("show")
@click.argument("message_id", metavar="ID")
@output_options
@policy_option
@index_options
@message_options
def command(
    message_id: str,
    target: Output,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """The whole thread in which ID stands, wherever in it ID is.

    ID is <a@b>, a@b, id:a@b, the URL of an archive page that ends in an id, or - for ids on stdin.  On a terminal, text
    goes through $PAGER.  Dates are in UTC.  Below a thread stands who was asked for more of it, and up to when, if the
    policy admits lists of others.  With --format mboxrd, exit code 3 says that some of the mail is not here.

    \b
    weft show 20030210035225.GA1107@aldgate.example.com
    weft show --format mboxrd -o thread.mbox a@example.org
    """
    ids = parse_ids([message_id])
    with open_index(index, config, policy, reading=True) as opened, target.open() as file:
        threads = each_once(opened.thread(name, hidden=target.format.every_id) for name in ids)
        if target.format_name != "text":
            return print_mail(opened, target, threads, file)
        if target.path is not None or not _page(threads, target, all_names(opened.policy)):
            print_mail(opened, target, threads, file)
            file.flush()
        if not quiet and (edges := sum(map(opened.differs_from_common, threads))):
            say(f"differs from the common view in {count(edges, 'edge')}")
    return 0


def _page(threads: list[Thread], target: Output, names: dict[str, str]) -> bool:
    """Show threads in the pager; False if there is none to be used."""
    from weft.cli._pager import pager, through

    command = pager()
    if command is None:
        return False
    with through(command) as file:
        target.format.writer()(threads, file, columns=terminal_columns(), color=target.color, names=names)
    return True
