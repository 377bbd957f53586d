"""``weft export``: all threads of an index, in any format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._ids import parse_ids
from weft.cli._mail import print_mail
from weft.cli._options import check_list, index_options, open_index, policy_option
from weft.cli._output import Output, Progress, each_once, message_options, output_options, ratio_option
from weft.cli._web import SITE, write_site
from weft.errors import UsageError
from weft.render import FORMATS

if TYPE_CHECKING:
    from weft.index.index import Index
    from weft.model import Thread


@click.command("export")
@click.option("--thread", "ids", multiple=True, metavar="ID", help="Only the thread in which ID stands (repeatable).")
@click.option("--list", "list_name", metavar="LIST", help="Only threads with a message on this list.")
@click.option("--show-addresses", is_flag=True, help="site: show addresses of people.")
@click.option(
    "--elsewhere",
    multiple=True,
    metavar="NAME=URL",
    help="site: where else to look for a missing message, {id} in the URL being its id, or none.",
)
@partial(output_options, formats=(*FORMATS, SITE))
@ratio_option
@policy_option
@index_options
@message_options
def command(
    ids: tuple[str, ...],
    list_name: str | None,
    show_addresses: bool,
    elsewhere: tuple[str, ...],
    target: Output,
    max_ratio: int,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """All threads, by date, as text, json, jsonl, mboxrd, dot, graphml, svg, html or a site.

    With --format mboxrd, exit code 3 says that some of the mail is not here: what is gone from its files is named on
    stderr, what came from peers is counted (and named with --debug).

    A site is a folder of pages, as weft serve --http shows them, for any web server. Written again into the same
    folder, only pages whose threads have changed are made (weft help web).

    \b
    weft export --json -o threads.json
    weft export --format mboxrd --list git -o git.mbox
    weft export --format site -o /srv/www/lists
    """
    if target.format_name == SITE:
        if ids or list_name is not None:
            raise UsageError("a site has all threads; leave out --thread and --list")
        with open_index(index, config, policy, reading=True) as opened:
            return write_site(opened, target, show_addresses=show_addresses, elsewhere=elsewhere, quiet=quiet)
    if show_addresses or elsewhere:
        raise UsageError("--show-addresses and --elsewhere are about a site; add --format site")
    wanted = parse_ids(ids)
    with (
        Progress(quiet=quiet) as progress,
        open_index(index, config, policy, reading=True) as opened,
        target.open() as file,
    ):
        threads = _threads(opened, wanted, list_name, hidden=target.format.every_id)
        shown = _counted(threads, progress.show) if target.path is not None else threads
        return print_mail(opened, target, shown, file, max_ratio)


def _threads(index: Index, wanted: list[str], list_name: str | None, *, hidden: bool) -> Iterable[Thread]:
    """The wanted threads, each once; all if none is wanted; of a list only those that stand on it."""
    if list_name is not None:
        check_list(index, list_name)
    threads: Iterable[Thread] = index.all_threads(hidden=hidden)
    if wanted:
        threads = each_once(index.thread(name, hidden=hidden) for name in wanted)
    return (thread for thread in threads if list_name is None or list_name in thread.lists)


def _counted(threads: Iterable[Thread], show: Callable[[str], None]) -> Iterator[Thread]:
    for number, thread in enumerate(threads, 1):
        show(count(number, "thread"))
        yield thread
