"""``weft mute``: hide things here.  Nothing is deleted, others are not told, and ``--undo`` takes it back."""

from __future__ import annotations

import shlex
from itertools import chain
from typing import TYPE_CHECKING

import click

from weft.cli._options import index_options, own_origin, say
from weft.cli._output import message_options
from weft.cli._tables import print_lines
from weft.errors import NotFoundError, UsageError
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.policy.rules import Mute


@click.command("mute")
@click.option("--claim", "claims", multiple=True, metavar="ID", help="One claim; weft explain shows its id.")
@click.option("--author", "authors", multiple=True, metavar="ADDRESS", help="All that has this address in From.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="A message, as if nobody held it.")
@click.option("--edge", "edges", multiple=True, nargs=2, metavar="CHILD PARENT", help="That CHILD answers PARENT.")
@click.option("--feed", "feeds", multiple=True, metavar="ORIGIN[/LIST]", help="All that an origin says.")
@click.option("--undo", is_flag=True, help="Show it again.")
@index_options
@message_options
def command(
    claims: tuple[str, ...],
    authors: tuple[str, ...],
    ids: tuple[str, ...],
    edges: tuple[tuple[str, str], ...],
    feeds: tuple[str, ...],
    undo: bool,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Hide claims, authors, messages, edges or feeds here; without an option, list what is hidden.

    It is written into the policy file, whose comments stay.  A feed is named as ORIGIN or ORIGIN/LIST, where ORIGIN is
    a fingerprint, the name of an origin in the policy, or own.

    \b
    weft mute --author spammer@example.com
    weft mute --edge reply@example.org parent@example.org
    weft mute --undo --author spammer@example.com
    """
    from weft.cli._mute_table import edit, nowhere, read_pairs
    from weft.policy.edit import read_text, write_text
    from weft.policy.files import config_path, index_path, load_policy

    path, own = config_path(config), own_origin(index_path(index))
    policy = load_policy(path, own)
    wanted = read_pairs(claims, authors, ids, edges, feeds, policy)
    if not wanted:
        if undo:
            raise UsageError("say what to show again, as it was muted; weft mute lists it")
        print_lines(clean(line) for line in _lines(policy.mute, own))
        return
    document = read_text(path)
    if not edit(document, wanted, own, undo=undo):
        if undo:
            raise NotFoundError("that is not muted; weft mute lists what is")
        if not quiet:
            say("that is muted already")
        return
    write_text(path, document, own)
    if not quiet:
        plain = {"--claim": claims, "--author": authors, "--id": ids, "--feed": feeds}
        words = [[option, value] for option, values in plain.items() for value in values]
        words += [["--edge", *edge] for edge in edges]
        undoing = shlex.join(["weft", "mute", "--undo", *chain.from_iterable(words)])
        say("shown again" if undo else f"muted here; take it back with: {undoing}")
        unknown = [] if undo else nowhere(index_path(index), claims, ids)
        if unknown:
            say(f"nothing here has {', '.join(unknown)} yet")


def _lines(mute: Mute, own: bytes | None) -> list[str]:
    """What is muted, as the options of this command."""
    lines = []
    for key, values in mute.written(own).items():
        assert isinstance(values, (list, str))
        for value in [values] if isinstance(values, str) else values:
            shown = value if isinstance(value, str) else " ".join(value)
            lines.append(f"--{key.removesuffix('s')} {shown}")
    return lines
