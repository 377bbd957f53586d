"""``weft backup``: a folder that the index can be made of again, made while servers and ingests go on."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from weft._text import count
from weft.cli._options import index_options, say
from weft.cli._output import message_options
from weft.errors import StoreError
from weft.render.sanitize import clean


@click.command("backup")
@click.argument("folder", metavar="FOLDER")
@click.option("--with-key", is_flag=True, help="Copy the key too: who has it can speak as this server.")
@click.option("--with-policy", is_flag=True, help="Copy the policy too.")
@click.option("--verify", is_flag=True, help="Restore it to a place of its own for a trial, with all proofs.")
@index_options
@message_options
def command(
    folder: str, with_key: bool, with_policy: bool, verify: bool, index: str | None, config: str | None, quiet: bool
) -> int:
    """Back the index up to a folder, or bring the backup there up to date.

    It is whole and of one moment, whoever reads or writes the index meanwhile; what can be made again from the claims
    is left out.  A second time only what is new is written.  The mail files are not in it.

    \b
    weft backup /srv/backup/weft
    weft backup --with-key --with-policy --verify /media/safe/weft
    """
    from weft.index.backup import CLAIMS, back_up_folder
    from weft.policy.files import config_path, index_path
    from weft.store.backup import restore

    policy = config_path(config) if with_policy else None
    done = back_up_folder(index_path(index), Path(folder), with_key=with_key, policy=policy)
    if verify:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".trial-") as trial:
            claims, lost = restore(Path(folder) / CLAIMS, Path(trial) / "index.db")
        if lost or claims != done.claims:
            raise StoreError(f"{folder}: of {count(done.claims, 'claim')}, {len(lost)} are damaged; run: weft check")
    if not quiet:
        tried = ", restored for a trial" if verify else ""
        say(f"{clean(folder)}: {count(done.claims, 'claim')}, {done.fresh} of them new{tried}")
    return 0
