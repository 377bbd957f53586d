"""The file of the origin's key: made once, readable by its owner alone, never overwritten.

Whoever reads this file can speak in the name of its server for ever, so one that others can read is refused.  Whoever
loses it is somebody else from then on; so what is there is never written over, whatever it holds.

The file is PKCS #8 in PEM (RFC 5958, RFC 8410), without a password.  A new one is written and synced under a name of
its own, then linked to its place: the file is never there in part, and of two processes at once one wins.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from shlex import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from weft._files import make_folder, sync_folder, write_draft
from weft.errors import KeyFileError

MAX_KEY_FILE = 64 * 1024
_WRITABLE_OR_OPEN = 0o037
_RESTORE = "restore it from a backup, or move it away to begin as a new origin"


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """The key in ``path``; a new one is put there if nothing is.  `KeyFileError` says what to do."""
    try:
        return load_key(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _failed("read", path, error) from None
    try:
        make_folder(path.parent)
        _create(path)
        return load_key(path)
    except OSError as error:
        raise _failed("make", path, error) from None


def load_key(path: Path) -> Ed25519PrivateKey:
    """The key in ``path``.  `OSError` if it cannot be read, `KeyFileError` if it cannot be used."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"{path}: the key is not a regular file")
        if stat.S_IMODE(status.st_mode) & (_WRITABLE_OR_OPEN if _is_handed_over(path) else 0o077):
            raise KeyFileError(f"{path}: others may use this key; if none did, run: chmod 600 {quote(str(path))}")
        data = file.read(MAX_KEY_FILE)
    if not data.strip():
        raise KeyFileError(f"{path}: the key file is empty; {_RESTORE}")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path}: this is not a private key in PEM without a password; {_RESTORE}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: this is a private key, but not of Ed25519; {_RESTORE}")
    return key


def _is_handed_over(path: Path) -> bool:
    """Whether a service manager handed the key over: what an access list gives to its user looks like the group's."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.parent == Path(folder or "")


def _create(path: Path) -> None:
    """Put a new key to ``path``, durably, unless something is there by then."""
    data = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = write_draft(path, data)
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
            sync_folder(path.parent)
    finally:
        draft.unlink()


def _failed(verb: str, path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"{path}: cannot {verb} the key: {error.strerror or error}")
