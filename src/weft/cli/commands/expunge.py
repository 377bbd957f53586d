"""``weft expunge``: forget what claims say.  Their ids are kept, so that they are not taken in again."""

from __future__ import annotations

import time

import click

from weft._text import count
from weft.cli._ids import parse_ids
from weft.cli._options import confirm, index_options, open_index, say
from weft.cli._output import message_options
from weft.errors import NotFoundError, UsageError


@click.command("expunge")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--withdrawn", is_flag=True, help="All that its origin has withdrawn, whatever period the policy gives.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_options
@message_options
def command(
    names: tuple[str, ...], withdrawn: bool, yes: bool, index: str | None, config: str | None, quiet: bool
) -> None:
    """Delete all that this index holds about messages; ID is that of a message or of a claim.

    It is gone only here: servers that took the claims keep them, and so do the files of mail.  To take back what we
    said, and have others delete it, use weft erase.

    With --withdrawn all is deleted that its origin has withdrawn.  weft serve and weft sync do that when the period of
    the policy is over ([retention] withdrawn).

    \b
    weft expunge a@example.org
    weft expunge --withdrawn
    """
    if withdrawn == bool(names):
        raise UsageError("name messages by their ids, or all that is withdrawn by --withdrawn")
    if withdrawn:
        with open_index(index, config) as opened:
            confirm("Delete here, for good, all that was withdrawn?", yes=yes)
            deleted = opened.erasure.delete(int(time.time()), every=True)
        if not quiet:
            say(f"{count(deleted, 'withdrawn claim')} deleted")
        return
    ids = parse_ids(names)
    with open_index(index, config) as opened:
        confirm(f"Delete here, for good, all that is known of {count(len(ids), 'id')}?", yes=yes)
        deleted = opened.expunge(ids)
    if not deleted:
        raise NotFoundError("nothing is held about that; see what is with: weft explain ID")
    if not quiet:
        say(f"{count(deleted, 'claim')} deleted, here only: other servers and the mail files keep what they have")
