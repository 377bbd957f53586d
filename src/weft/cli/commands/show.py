"""``weft show``: the whole thread in which an id stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._ids import parse_ids
from weft.cli._mail import print_mail
from weft.cli._options import all_names, index_options, open_index, policy_option, say
from weft.cli._output import Output, each_once, message_options, output_options, text_options

if TYPE_CHECKING:
    from weft.index.index import Index
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

    ID is a@b, <a@b>, id:a@b or mid:a@b; a handle (~k3f7q, as text shows it; the ~ may be left out); the URL of a page
    of lore, HyperKitty, or another archive that its mails name; or - for such names, or a message, on stdin.  On a
    terminal, text goes through $PAGER.  Times are in UTC; on a terminal, those of the last week are how long ago.
    Below a thread stands who was asked for more of it, and up to when, if the policy admits lists of others.  With
    --format mboxrd, exit code 3 says that some of the mail is not here.

    \b
    weft show 20030210035225.GA1107@aldgate.example.com
    weft show --format mboxrd -o thread.mbox a@example.org
    """
    ids = parse_ids([message_id])
    with open_index(index, config, policy, reading=True) as opened, target.open() as file:
        threads = each_once(opened.thread(name, hidden=target.format.every_id) for name in ids)
        if target.format_name != "text":
            return print_mail(opened, target, threads, file)
        if target.path is not None or not _page(threads, target, opened):
            print_mail(opened, target, threads, file)
            file.flush()
        if not quiet and (edges := sum(map(opened.differs_from_common, threads))):
            say(f"differs from the common view in {count(edges, 'edge')}")
    return 0


def _page(threads: list[Thread], target: Output, index: Index) -> bool:
    """Show threads in the pager; False if there is none to be used."""
    from weft.cli._pager import pager, through

    command = pager()
    if command is None:
        return False
    with through(command) as file:
        options = text_options(color=target.color, seen=True)
        target.format.writer()(threads, file, names=all_names(index.policy), handles=index.handles, **options)
    return True
