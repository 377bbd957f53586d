"""``weft keys``: who this server is to others.  The key itself is never printed."""

from __future__ import annotations

import click

from weft.cli._options import index_options
from weft.cli._output import message_options
from weft.cli._tables import print_json, print_lines
from weft.errors import KeyFileError, NotFoundError
from weft.render.sanitize import clean


@click.command("keys")
@click.option("--json", "as_json", is_flag=True, help='For programs: "format" 1, "fingerprint", "key_file".')
@index_options
@message_options
def command(as_json: bool, index: str | None, config: str | None, quiet: bool) -> None:  # noqa: ARG001
    """The fingerprint of our own key, which others put into their policies, and the file that holds the key.

    Whoever has that file can speak in the name of this server.  Keep a copy of it where nobody else reads it.

    \b
    weft keys
    weft keys --index /srv/weft/index.db
    """
    from weft.core.signing import fingerprint, public_key
    from weft.key_file import load_key
    from weft.policy.files import index_path, key_path

    path = key_path(index_path(index))
    try:
        own = fingerprint(public_key(load_key(path)))
    except FileNotFoundError:
        raise NotFoundError(f"{path}: there is no key yet; it is made with the index, by: weft ingest") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the key: {error.strerror or error}") from None
    if as_json:
        print_json({"format": 1, "fingerprint": own, "key_file": str(path)})
    else:
        print_lines([f"fingerprint  {own}", f"key file     {clean(str(path))}"])
