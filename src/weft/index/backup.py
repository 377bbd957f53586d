"""A folder that an index can be made of again: its claims, and on request its key and the policy of its server.

``claims.db`` is written by `weft.store.backup`; ``origin.key`` and ``policy.toml`` are copies.  Whoever has the key can
speak as the server for ever, so it is copied only where that is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from weft._files import close_to_others, make_folder, write_file
from weft.core.signing import fingerprint, public_key
from weft.errors import KeyFileError, NotFoundError, StoreError
from weft.index.own_key import load_own_key
from weft.key_file import load_key
from weft.policy.files import key_path
from weft.store.backup import BackedUp, back_up, origin_of, restore
from weft.store.connection import BESIDE
from weft.store.fsck import StoreProblem

CLAIMS, KEY, POLICY = "claims.db", "origin.key", "policy.toml"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore made."""

    claims: int
    lost: list[StoreProblem]
    """What was damaged in the backup, and left out."""
    policy: bool
    """The policy was put in its place."""
    other_policy: bool
    """There was another one, which was left."""


def back_up_folder(index: Path, folder: Path, *, with_key: bool = False, policy: Path | None = None) -> BackedUp:
    """Bring the backup in a folder up to date, or make it, while others read and write the index.

    ``policy``: the file of the policy that is copied too.  `StoreError` or `KeyFileError`, and then the claims that
    were in it still are.
    """
    if not index.exists():
        raise NotFoundError(f"{index}: there is no index; make one with: weft ingest LIST=FILE")
    try:
        make_folder(folder)
        close_to_others(folder)
        done = back_up(index, folder / CLAIMS)
        if with_key:
            load_own_key(index)
            write_file(folder / KEY, key_path(index).read_bytes())
        if policy is not None and policy.exists():
            write_file(folder / POLICY, policy.read_bytes())
    except OSError as error:
        raise StoreError(f"{folder}: the backup cannot be written: {error.strerror or error}") from None
    return done


def restore_folder(folder: Path, index: Path, policy: Path) -> Restored:
    """Make an index, and what of its key and ``policy`` is not there, of the backup in a folder.

    The key has to be that of the index: beside where the index will be, or in the backup.  `KeyFileError` if it is
    not; `StoreError`, and then no index is there.
    """
    claims = folder / CLAIMS
    if not claims.exists():
        raise NotFoundError(
            f"{folder}: there is no backup in this folder; make one with: weft backup {quote(str(folder))}"
        )
    origin = origin_of(claims)
    saved = None
    if not key_path(index).exists():
        saved = _saved_key(folder, index, origin)
    elif origin is not None:
        _check_key(key_path(index), origin)
    made = []
    try:
        make_folder(index.parent)
        count, lost = restore(claims, index)
        made.append(index)
        if saved is not None:
            write_file(key_path(index), saved)
            made.append(key_path(index))
        kept = (folder / POLICY).read_bytes() if (folder / POLICY).exists() else None
        there = policy.read_bytes() if policy.exists() else None
        if kept is not None and there is None:
            make_folder(policy.parent)
            write_file(policy, kept)
            made.append(policy)
    except OSError as error:
        raise StoreError(f"{index}: cannot be restored: {error.strerror or error}") from None
    give_to_owners(made)
    return Restored(count, lost, kept is not None and there is None, kept is not None and there not in (None, kept))


def give_to_owners(files: Iterable[Path]) -> None:
    """What root made of databases belongs to who owns the folder it lies in, as all else that root makes."""
    if os.geteuid() != 0:
        return
    for file in files:
        owner = file.parent.stat()
        for one in (file, *(file.with_name(file.name + suffix) for suffix in BESIDE)):
            if one.exists():
                os.chown(one, owner.st_uid, owner.st_gid)


def _saved_key(folder: Path, index: Path, origin: bytes | None) -> bytes | None:
    saved = folder / KEY
    if saved.exists():
        if origin is not None:
            _check_key(saved, origin)
        return saved.read_bytes()
    if origin is None:
        return None
    raise KeyFileError(
        f"{folder}: the key is not in the backup; put that of {fingerprint(origin)} to {key_path(index)}, "
        "for its owner alone (mode 600), then restore again"
    )


def _check_key(path: Path, origin: bytes) -> None:
    """`KeyFileError` unless a file has the key of an origin."""
    try:
        own = public_key(load_key(path))
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the key: {error.strerror or error}") from None
    if own != origin:
        raise KeyFileError(f"{path}: this is not the key of the index in the backup, which is {fingerprint(origin)}")
