"""``weft restore``: the index again, from a backup."""

from __future__ import annotations

from pathlib import Path

import click

from weft._text import count
from weft.cli._options import index_options, open_index, say
from weft.cli._output import message_options
from weft.render.sanitize import clean


@click.command("restore")
@click.argument("folder", metavar="FOLDER")
@index_options
@message_options
def command(folder: str, index: str | None, config: str | None, quiet: bool) -> int:
    """Make the index of a backup again, where none is; every hash and proof is verified.

    The key and the policy are put in their places if they are in the backup and not there already.  Ingest the mail
    again afterwards: what came after the backup is read, and what peers have of it comes back.  Exit code 3 says that
    something in the backup is damaged, and left out.

    \b
    weft restore /srv/backup/weft
    weft restore --index /srv/weft/index.db /media/safe/weft
    """
    from weft.index.backup import give_to_owners, restore_folder
    from weft.policy.files import config_path, index_path

    place, policy = index_path(index), config_path(config)
    done = restore_folder(Path(folder), place, policy)
    with open_index(index, str(policy) if policy.exists() else None) as opened:
        # The view is made; own claims in a batch that was damaged are signed again.
        if done.lost:
            opened.repair()
    give_to_owners([place])
    for problem in done.lost:
        say(f"lost: {clean(str(problem))}")
    if not quiet:
        if done.other_policy:
            say(f"{policy}: left as it is; the policy in the backup is another one: {Path(folder) / 'policy.toml'}")
        say(f"{place}: {count(done.claims, 'claim')} restored{', with the policy' if done.policy else ''}")
    return 3 if done.lost else 0
