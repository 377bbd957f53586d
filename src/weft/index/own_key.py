"""The key that an index speaks with: made before the index is, and never made anew for one that is there."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft._files import make_folder
from weft.errors import KeyFileError, StoreError
from weft.key_file import load_key, load_or_create_key
from weft.policy.files import key_path


def make_own_key(index: Path) -> Ed25519PrivateKey:
    """The key for an index that is not there yet, with the folder for both."""
    try:
        make_folder(index.parent)
    except OSError as error:
        raise StoreError(f"{index.parent}: cannot make this folder for the index: {error.strerror}") from None
    return load_or_create_key(key_path(index))


def load_own_key(index: Path) -> Ed25519PrivateKey:
    """The key of an index that is there; without it nobody knows whose it is."""
    path = key_path(index)
    try:
        return load_key(path)
    except FileNotFoundError:
        what = "restore it from a backup, or move the index away to begin as a new origin"
        raise KeyFileError(f"{path}: the key of this index is missing; {what}") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the key: {error.strerror}; see who owns it") from None
