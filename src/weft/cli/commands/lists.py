"""``weft lists``: the feeds that the index holds; rename or remove one of our own.

``--format json`` gives one array of objects, ``jsonl`` an object on each line, ``csv`` and ``tsv`` a row each, with the
keys ``format`` (1, in JSON only), ``list``, ``origin`` (a fingerprint), ``name`` (our
name for it), ``own``, ``tier`` (null: not admitted) and ``claims``.
"""

from __future__ import annotations

import click

from weft._text import count
from weft.cli._options import (
    check_list,
    confirm,
    hand_down,
    index_options,
    open_index,
    origin_name,
    origin_names,
    say,
)
from weft.cli._output import message_options
from weft.cli._tables import print_rows, print_table, row_options
from weft.errors import NotFoundError


@click.group("lists", invoke_without_command=True, subcommand_metavar="[rename OLD NEW | remove NAME]")
@row_options()
@index_options
@message_options
@click.pass_context
def command(
    context: click.Context, format_name: str, as_json: bool, index: str | None, config: str | None, quiet: bool
) -> None:
    """The lists that the index holds, and on whose word.

    \b
    weft lists
    weft lists --json
    weft lists rename ietf-822 ietf-smtp
    """
    if context.invoked_subcommand is not None:
        hand_down(context, index, config, quiet)
        return
    with open_index(index, config, reading=True) as opened:
        feeds, names = opened.lists(), origin_names(opened.policy)
    if as_json or format_name != "table":
        objects = [
            {"format": 1, "list": feed.list, "origin": feed.origin, "name": origin_name(names, feed.origin),
             "own": feed.own, "tier": feed.tier, "claims": feed.claims} for feed in feeds
        ]  # fmt: skip
        print_rows("json" if as_json else format_name, objects, ("list", "origin", "name", "own", "tier", "claims"))
        return
    rows = [
        (feed.list, feed.claims, "not admitted" if feed.tier is None else feed.tier, origin_name(names, feed.origin))
        for feed in feeds
    ]
    print_table(("list", "claims", "tier", "origin"), rows, elastic=0)
    if not rows and not quiet:
        say("no list yet; put mail in with: weft ingest LIST=PATH")


@command.command("rename")
@click.argument("old")
@click.argument("new")
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_options
@message_options
def rename(old: str, new: str, yes: bool, index: str | None, config: str | None, quiet: bool) -> None:
    """Give a list of our own another name, or the one again that it had before.

    Its files go on under the new name, which stands in front of them from then on: weft ingest NEW=PATH.

    \b
    weft lists rename ietf-822 ietf-smtp
    """
    with open_index(index, config) as opened:
        check_list(opened, old, own=True)
        confirm(f"Rename the list {old} to {new}?", yes=yes)
        renamed = opened.rename_list(old, new)
    if not quiet:
        say(f"{old} is {new} now; {count(renamed, 'claim')} made again under the new name")
        say(f"from now on ingest with: {new}=PATH")


@command.command("remove")
@click.argument("name")
@click.option("--undo", is_flag=True, help="State again what was withdrawn with it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_options
@message_options
def remove(name: str, undo: bool, yes: bool, index: str | None, config: str | None, quiet: bool) -> None:
    """Withdraw all that we said of a list.  The mail files stay; ingested again, they are stated again.

    \b
    weft lists remove ietf-822
    weft lists remove --undo ietf-822
    """
    with open_index(index, config) as opened:
        if undo:
            restored = opened.restore_list(name)
            if not restored:
                raise NotFoundError(f"nothing was withdrawn with the list {name}")
            if not quiet:
                say(f"{count(restored, 'claim')} of {name} stated again")
            return
        check_list(opened, name, own=True)
        confirm(f"Withdraw all that we said of the list {name}?", yes=yes)
        removed = opened.remove_list(name)
    if not quiet:
        say(f"{count(removed, 'claim')} of {name} withdrawn")
