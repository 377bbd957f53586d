"""``weft retract``: withdraw what this server said, or say it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._ids import parse_ids
from weft.cli._options import check_list, confirm, index_options, open_index, say
from weft.cli._output import message_options
from weft.errors import NotFoundError

if TYPE_CHECKING:
    from weft.index.index import Index


@click.command("retract")
@click.argument("names", nargs=-1, required=True, metavar="ID...")
@click.option("--list", "list_name", metavar="LIST", help="Only what we said of this list.")
@click.option("--undo", is_flag=True, help="State again what was withdrawn.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_options
@message_options
def command(
    names: tuple[str, ...],
    list_name: str | None,
    undo: bool,
    yes: bool,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Withdraw our own claims about messages; ID is that of a message or of a claim.

    Servers that hold the claims learn of it and leave them out of their views; what others say of the same mail stands.
    They stay withdrawn if the mail is ingested again, until --undo states them again.  Nothing
    is deleted: see weft erase.

    \b
    weft retract --list git a@example.org
    weft retract --undo --list git a@example.org
    """
    ids = parse_ids(names)
    with open_index(index, config) as opened:
        if list_name is not None:
            check_list(opened, list_name, own=True)
        if undo:
            _undo(opened, ids, list_name, quiet)
            return
        confirm(f"Withdraw what we said of {count(len(ids), 'id')}?", yes=yes)
        withdrawn = opened.retract(ids, list_name=list_name)
    if not withdrawn:
        where = "" if list_name is None else f" on {list_name}"
        raise NotFoundError(
            f"no claim of our own{where} that still stands is about that; see them with: weft explain ID"
        )
    if not quiet:
        say(f"{count(withdrawn, 'claim')} withdrawn")


def _undo(opened: Index, ids: Sequence[str], list_name: str | None, quiet: bool) -> None:
    """State again what was withdrawn by hand."""
    restated = opened.restate(ids, list_name=list_name)
    if not any(restated):
        where = "" if list_name is None else f" on {list_name}"
        raise NotFoundError(f"nothing that was withdrawn by hand{where} is about that; see: weft explain ID")
    if not quiet:
        say(f"{count(restated.claims, 'claim')} stated again")
        if restated.deleted:
            say(f"{count(restated.deleted, 'claim')} deleted here; stated again when the mail is read again")
