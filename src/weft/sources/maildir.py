"""Maildir: ``cur`` and ``new``, in the order of the names without their flags, so that it stays when mail is read.

Theory of operation
-------------------
A file of a Maildir never changes and its name is unique, whatever folder it is in and whatever flags follow; so its
messages are told by their names, and no file is looked at to see whether it is new.  A folder whose own time has not
changed is not even listed, unless it had changed so shortly before it was listed that more may have come within the
same tick of the clock.  ``new`` is listed before ``cur``, where mail goes from there.

A message that is renamed while its folder is listed may be missed; so nothing counts as gone if the folder changed
meanwhile, nor if there is no mail at all: then it may be that a file system is not there.

``tmp`` holds mail that is still being delivered, and is left alone.  Other files, such as ``.eml``, may lie above.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from weft.errors import SourceError
from weft.sources.folder import Folder, file_of
from weft.sources.interface import Notes
from weft.sources.source_changes import KnownNames, SourceChanges

_FLAGS = re.compile(r"[:;!]2,[A-Za-z,]*\Z")
_FLAG_BYTES = re.compile(rb"[:;!]2,[A-Za-z,]*\Z")
_SUBFOLDERS = ("new", "cur")
_STATE = b"maildir"
_SETTLED = 2_000_000_000
"""Nanoseconds after which the time of a folder tells of all that came: some file systems count in two seconds."""


def maildir_names(path: str) -> list[str]:
    """The files of the Maildir ``path``, as `Folder` wants them.  `OSError` if it cannot be listed."""
    found = {}
    for folder in _SUBFOLDERS:
        for name in os.listdir(os.path.join(path, folder)):  # noqa: PTH118, PTH208
            if not name.startswith("."):
                found[_FLAGS.sub("", name)] = f"{folder}/{name}"
    return [found[base] for base in sorted(found)]


class _Listing(NamedTuple):
    """A folder of a Maildir."""

    names: set[bytes]
    mark: bytes
    """What it was before it was listed; empty if it may change without a change of this."""
    calm: bool
    """It did not change meanwhile."""


class Maildir(Folder):
    """One Maildir: ``others`` are messages that lie above ``cur`` and ``new``."""

    def __init__(self, path: str, list: str, others: Sequence[str] = (), max_ratio: int = 200) -> None:  # noqa: A002
        super().__init__(path, list, None, max_ratio, "Maildir")
        self._others = others

    def changes(self, before: bytes, known: KnownNames, notes: Notes) -> SourceChanges | None:  # noqa: ARG002
        """As `ListedSource` wants it."""
        others = self._stated(self._others)
        past = before.split(b"\n") if before.startswith(_STATE) else [b""] * 4
        state, changed = [_STATE, sha256(b"\n".join(others)).hexdigest().encode()], {}
        for folder, was in zip(_SUBFOLDERS, past[2:], strict=True):
            if not was or was != _mark(self.path, folder):
                changed[folder] = _list(self.path, folder)
            state.append(changed[folder].mark if folder in changed else was)
        if not changed and state[1] == past[1]:
            return None
        added, gone = self._compare(changed, known)
        moved = [(gone.pop(base), added.pop(base)) for base in added.keys() & gone.keys()]
        names, away = [added[base] for base in sorted(added)], set(gone.values())
        if state[1] != past[1]:
            there = {name for name in known.all() if b"\0" in name}
            names += [name for name in others if name not in there]
            away |= there.difference(others)
        if len(changed) == len(_SUBFOLDERS) and not any(listing.names for listing in changed.values()):
            state, away = [], set()
        elif not all(listing.calm for listing in changed.values()):
            away = set()
        return SourceChanges(names, b"\n".join(state), moved, away)

    def _compare(
        self, changed: dict[str, _Listing], known: KnownNames
    ) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """(the names that are new, those that are not there any more), by what stays of a name."""
        added: dict[bytes, bytes] = {}
        gone: dict[bytes, bytes] = {}
        for folder, listing in changed.items():
            front = folder.encode() + b"/"
            here = known.below(front)
            added |= {_FLAG_BYTES.sub(b"", name): front + name for name in listing.names - here}
            gone |= {_FLAG_BYTES.sub(b"", name): front + name for name in here - listing.names}
        return added, gone

    def fetch_name(self, name: bytes, length: int) -> bytes:
        """The message, though its flags may be others by now."""
        try:
            return super().fetch_name(name, length)
        except SourceError:
            base = _FLAGS.sub("", file_of(name).rpartition("/")[2])
            now = self._by_base().get(base)
            if now is None:
                raise
            return super().fetch_name(os.fsencode(now), length)

    def _list(self) -> list[str]:
        return [*maildir_names(self.path), *self._others]

    def _by_base(self) -> dict[str, str]:
        return {_FLAGS.sub("", name.rpartition("/")[2]): name for name in self.names}


def _list(path: str, folder: str) -> _Listing:
    now = time.time_ns()
    mark = _mark(path, folder)
    names = os.listdir(os.path.join(os.fsencode(path), folder.encode()))  # noqa: PTH118, PTH208
    calm = _mark(path, folder) == mark
    settled = calm and int(mark.rpartition(b" ")[2]) < now - _SETTLED
    return _Listing({name for name in names if not name.startswith(b".")}, mark if settled else b"", calm)


def _mark(path: str, folder: str) -> bytes:
    status = os.stat(os.path.join(path, folder))  # noqa: PTH116, PTH118
    return b"%d %d" % (status.st_ino, status.st_mtime_ns)
