"""``weft retract``: withdraw what this server said.  What was said once cannot be said again: it is final."""

from __future__ import annotations

import click

from weft._text import count
from weft.cli._ids import parse_ids
from weft.cli._options import check_list, confirm, index_options, open_index, say
from weft.cli._output import message_options
from weft.errors import NotFoundError


@click.command("retract")
@click.argument("names", nargs=-1, required=True, metavar="ID...")
@click.option("--list", "list_name", metavar="LIST", help="Only what we said of this list.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_options
@message_options
def command(
    names: tuple[str, ...], list_name: str | None, yes: bool, index: str | None, config: str | None, quiet: bool
) -> None:
    """Withdraw our own claims about messages; ID is that of a message or of a claim.

    Servers that hold the claims learn of it and leave them out of their views; what others say of the same mail stands.
    It is final: the same claim cannot be made again, even if the mail is ingested again.

    \b
    weft retract --list git a@example.org
    """
    ids = parse_ids(names)
    with open_index(index, config) as opened:
        if list_name is not None:
            check_list(opened, list_name, own=True)
        confirm(f"Withdraw, for good, what we said of {count(len(ids), 'id')}?", yes=yes)
        withdrawn = opened.retract(ids, list_name=list_name)
    if not withdrawn:
        where = "" if list_name is None else f" on {list_name}"
        raise NotFoundError(
            f"no claim of our own{where} that still stands is about that; see them with: weft explain ID"
        )
    if not quiet:
        say(f"{count(withdrawn, 'claim')} withdrawn")
