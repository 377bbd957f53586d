"""``weft show``: the whole thread in which an id stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weft.cli.ids import parse_ids
from weft.cli.indexed import all_names, count, index_options, open_index, policy_option, print_threads, say
from weft.cli.output import message_options, open_output, output_options, wants_color
from weft.export import FORMATS

if TYPE_CHECKING:
    from weft.thread import Thread


@click.command("show")
@click.argument("message_id", metavar="ID")
@output_options
@policy_option
@index_options
@message_options
def command(
    message_id: str,
    format_name: str,
    as_json: bool,
    output: str | None,
    force: bool,
    no_color: bool,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """The whole thread in which ID stands, wherever in it ID is.

    ID is <a@b>, a@b, id:a@b, the URL of an archive page that ends in an id, or - for ids on stdin.  On a terminal, text
    goes through $PAGER.  Below a thread stands who was asked for more of it, and up to when, if the policy admits lists
    of others.  With --format mboxrd, exit code 3 says that some of the mail is not here.

    \b
    weft show 20030210035225.GA1107@aldgate.example.com
    weft show --format mboxrd -o thread.mbox a@example.org
    """
    format_name = "json" if as_json else format_name
    ids = parse_ids([message_id])
    with open_index(index, config, policy) as opened, open_output(output, force=force) as file:
        found = [opened.thread(name, hidden=FORMATS[format_name].every_id) for name in ids]
        threads = list({thread.root: thread for thread in found}.values())
        color = wants_color(no_color)
        if format_name != "text":
            return print_threads(opened, format_name, threads, file, color=color)
        if output is not None or not _page(threads, color, all_names(opened.policy)):
            print_threads(opened, format_name, threads, file, color=color)
            file.flush()
        if not quiet and (edges := sum(map(opened.differs_from_common, threads))):
            say(f"differs from the common view in {count(edges, 'edge')}")
    return 0


def _page(threads: list[Thread], color: bool, names: dict[str, str]) -> bool:
    """Show threads in the pager; False if there is none to be used."""
    from weft.cli.pager import pager, through
    from weft.cli.table import terminal_columns

    command = pager()
    if command is None:
        return False
    with through(command) as file:
        FORMATS["text"].writer()(threads, file, columns=terminal_columns(), color=color, names=names)
    return True
