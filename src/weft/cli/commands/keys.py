"""``weft keys``: who this server is to others.  The key itself is never printed."""

from __future__ import annotations

from pathlib import Path

import click

from weft.cli._options import index_options
from weft.cli._output import message_options
from weft.cli._tables import print_json, print_lines
from weft.errors import KeyFileError, NotFoundError
from weft.render.sanitize import clean


@click.command("keys")
@click.option("--tls", metavar="FOLDER", help="Write a certificate of the key there, and its TLS key, for any client.")
@click.option("--json", "as_json", is_flag=True, help='For programs: "format" 1, "fingerprint", "key_file".')
@index_options
@message_options
def command(tls: str | None, as_json: bool, index: str | None, config: str | None, quiet: bool) -> None:  # noqa: ARG001
    """The fingerprint of our own key, which others put into their policies, and the file that holds the key.

    Whoever has that file can speak in the name of this server.  Keep a copy of it where nobody else reads it.

    With --tls, it writes what clients in other languages show to a server that answers only those with rights:
    client.crt and client.key (PEM), a certificate bound to our key, which is made if there is none.

    \b
    weft keys
    weft keys --index /srv/weft/index.db
    weft keys --index ~/.local/share/weft/reader.db --tls ~/.config/weft/tls
    """
    from weft.core.signing import fingerprint, public_key
    from weft.key_file import load_key
    from weft.policy.files import index_path, key_path

    place = index_path(index)
    path = key_path(place)
    if tls is not None and not path.exists() and not place.exists():
        from weft.index.own_key import make_own_key

        make_own_key(place)
    try:
        own = fingerprint(public_key(load_key(path)))
    except FileNotFoundError:
        raise NotFoundError(f"{path}: there is no key yet; it is made with the index, by: weft ingest") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the key: {error.strerror or error}") from None
    written = {} if tls is None else _write_tls(place, Path(tls))
    if as_json:
        print_json({"format": 1, "fingerprint": own, "key_file": str(path), **written})
    else:
        lines = [f"fingerprint  {own}", f"key file     {clean(str(path))}"]
        print_lines(lines + [f"{name.replace('_', ' '):12} {clean(file)}" for name, file in written.items()])


def _write_tls(index: Path, folder: Path) -> dict[str, str]:
    """Write what a client shows; where it lies."""
    from weft._files import make_folder, write_file
    from weft.tls.identity import load_or_make_identity
    from weft.tls.transport import introduced

    shown = introduced(load_or_make_identity(index))
    files = {"certificate": folder / "client.crt", "tls_key": folder / "client.key"}
    try:
        make_folder(folder)
        for file, content in zip(files.values(), (shown.certificate, shown.key), strict=True):
            write_file(file, content)
    except OSError as error:
        raise KeyFileError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return {name: str(file) for name, file in files.items()}
