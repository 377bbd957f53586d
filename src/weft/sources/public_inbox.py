"""public-inbox archives: git repositories in which every message is a blob (public-inbox-v1-format, -v2-format).

Theory of operation
-------------------
v2: a directory with ``git/0.git``, ``git/1.git``, ... (epochs).  The tree of each commit has one file: ``m``, a new
message, or ``d``, a message that is taken out; so the history is walked.  It is walked from the newest commit back,
because then a ``d`` is met before the ``m`` that it takes out, and a message that was added again afterwards stays.
v1: one repository; the tree of its newest commit has every message that is left, under the path of 2/38 hexadecimal
digits of its id's SHA-1.  A single bare repository is taken for whichever of the two its newest tree looks like.

Only the 20-byte names of the blobs are held, oldest first (v1: in the order of the tree), each once; a record's place
is (index of the name, size of the blob).  History follows first parents: public-inbox never merges.

Who can lie: whoever made the repository, about everything but that a blob's bytes have its name.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from weft._patterns import deferred
from weft.errors import SourceError
from weft.sources.git import GitEntry, Repository, pack_bytes
from weft.sources.interface import Note, Notes, Record, RecordMaker, T, make_record
from weft.sources.single_message import message_of, scan_single

_EPOCH = deferred(r"(0|[1-9][0-9]{0,8})\.git", re.ASCII)
_TWO = deferred(rb"[0-9a-f]{2}")
_THIRTY_EIGHT = deferred(rb"[0-9a-f]{38}")
_SHA = 20


def epochs(path: Path) -> list[Path]:
    """The repositories of the v2 archive at ``path``, oldest first; none if it is not one.  `OSError` if unreadable."""
    folder = path / "git"
    if not folder.is_dir():
        return []
    numbers = sorted(int(found[1]) for entry in folder.iterdir() if (found := _EPOCH.fullmatch(entry.name)))
    repositories = [folder / f"{number}.git" for number in numbers]
    return [repository for repository in repositories if is_bare_repository(repository)]


def is_bare_repository(path: Path) -> bool:
    """Whether a directory looks like the inside of a git repository."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir()


class PublicInbox:
    """One archive: ``path`` is the directory of a v2 archive, or a bare repository."""

    form = "public-inbox"
    escaped = False

    def __init__(self, path: str, list: str) -> None:  # noqa: A002 - the field's name
        self.path = path
        self.list = list
        self._shas = bytearray()
        self._starts: tuple[int, ...] | None = None  # the index of each epoch's first message
        self._open: tuple[int, Repository] | None = None

    def __getstate__(self) -> tuple[str, str, bytearray, tuple[int, ...] | None]:
        return self.path, self.list, self._shas, self._starts

    def __setstate__(self, state: tuple[str, str, bytearray, tuple[int, ...] | None]) -> None:
        self.path, self.list, self._shas, self._starts = state
        self._open = None

    def __del__(self) -> None:
        self.close()

    @property
    def size(self) -> int:
        """About how many bytes will be read: those of its packs."""
        return sum(map(pack_bytes, self._repositories()))

    def heads(self) -> list[bytes]:
        """The newest commit of each epoch: while these stay the same, so do the messages."""
        return [self._repository(epoch).head() or b"" for epoch in range(len(self._repositories()))]

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages.  `SourceError` if no repository of it can be read."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        self._index(notes)
        for number in range(len(self._shas) // _SHA):
            sha = self._sha(number)
            try:
                raw = self._blob(number)
            except SourceError as error:
                notes(Note(self.path, None, str(error), 1))
                continue
            record = scan_single(raw, f"{self.path}: blob {sha.hex()}", (number, len(raw)), notes, make)
            if record is not None:
                yield record

    def fetch(self, offset: int, length: int) -> bytes:
        """The blob that a record's (offset, length) is the index and size of."""
        if self._starts is None:
            self._index(lambda _: None)
        if not 0 <= offset < len(self._shas) // _SHA:
            raise SourceError(f"{self.path}: there is no message number {offset}")
        try:
            raw = self._blob(offset)
        except SourceError as error:
            raise SourceError(f"{self.path}: the message is gone: {error}") from error
        if len(raw) != length:
            raise SourceError(f"{self.path}: the message is gone: the archive was changed since it was read")
        return message_of(raw)

    def close(self) -> None:
        """Close the open repository; it opens again when needed."""
        opened, self._open = self._open, None
        if opened:
            opened[1].close()

    def _repositories(self) -> list[str]:
        try:
            found = epochs(Path(self.path))
        except OSError:
            found = []
        return [str(path) for path in found] or [self.path]

    def _repository(self, epoch: int) -> Repository:
        """One of them; only one is open at a time, because an open one keeps a cache."""
        if self._open is None or self._open[0] != epoch:
            self.close()
            self._open = epoch, Repository(self._repositories()[epoch])
        return self._open[1]

    def _sha(self, number: int) -> bytes:
        return bytes(self._shas[number * _SHA : (number + 1) * _SHA])

    def _blob(self, number: int) -> bytes:
        assert self._starts is not None
        return self._repository(bisect_right(self._starts, number) - 1).blob(self._sha(number))

    def _index(self, notes: Notes) -> None:
        """Find the messages, from the newest epoch back."""
        paths = self._repositories()
        walk = _Walk(notes)
        counts, failures = [], []
        for epoch in reversed(range(len(paths))):
            before = len(walk.found)
            try:
                walk.repository(self._repository(epoch), paths[epoch])
            except SourceError as error:
                failures.append(Note(paths[epoch], None, str(error), 1))
            counts.append((len(walk.found) - before) // _SHA)
        if len(failures) == len(paths):
            raise SourceError(failures[0].reason)
        for note in failures:
            notes(note)
        if walk.unmatched:
            notes(Note(self.path, None, f"{len(walk.unmatched)} deletions of messages that are not here"))
        self._shas = _reversed(walk.found)
        starts = [0]
        for count in reversed(counts[1:]):
            starts.append(starts[-1] + count)
        self._starts = tuple(starts)


class _Walk:
    """Collects the blobs of the messages that are left, newest first."""

    def __init__(self, notes: Notes) -> None:
        self.found = bytearray()
        self.unmatched: set[bytes] = set()
        """Taken out, but never added."""
        self._notes = notes
        self._known: set[bytes] = set()  # found, or taken out by a newer commit

    def repository(self, repository: Repository, path: str) -> None:
        """Walk one repository.  `SourceError` if its head cannot be read, or it is something else."""
        head = repository.head()
        if head is None:
            self._notes(Note(path, None, "an empty git repository, no messages"))
            return
        entries = repository.tree(repository.commit(head).tree)
        if any(entry.is_directory and _TWO.fullmatch(entry.name) for entry in entries):
            self._tree(repository, path, entries)
        elif not entries or any(entry.name in (b"m", b"d") for entry in entries):
            self._history(repository, path, head)
        else:
            raise SourceError("a git repository, but not one of public-inbox")

    def _history(self, repository: Repository, path: str, sha: bytes) -> None:
        """Version 2: all commits from ``sha`` back."""
        merges = 0
        while sha:
            try:
                commit = repository.commit(sha)
            except SourceError as error:
                self._notes(Note(path, None, f"{error}: older messages cannot be found", 1))
                break
            try:
                self._change(repository.tree(commit.tree))
            except SourceError as error:
                self._notes(Note(path, None, str(error), 1))
            merges += len(commit.parents) > 1
            sha = commit.parents[0] if commit.parents else b""
        if merges:
            self._notes(Note(path, None, f"{merges} merges, of which only the first parents are read", merges))

    def _change(self, entries: list[GitEntry]) -> None:
        for entry in entries:
            if entry.name == b"d" and entry.is_file and entry.sha not in self._known:
                self._known.add(entry.sha)
                self.unmatched.add(entry.sha)
            elif entry.name == b"m" and entry.is_file:
                self._add(entry.sha)

    def _tree(self, repository: Repository, path: str, entries: list[GitEntry]) -> None:
        """Version 1: all files below the newest tree."""
        for directory in reversed(entries):
            if not (directory.is_directory and _TWO.fullmatch(directory.name)):
                self._odd(path, directory.name)
                continue
            try:
                files = repository.tree(directory.sha)
            except SourceError as error:
                self._notes(Note(path, None, f"{error}: the messages in it are missing", 1))
                continue
            for file in reversed(files):
                if file.is_file and _THIRTY_EIGHT.fullmatch(file.name):
                    self._add(file.sha)
                else:
                    self._odd(path, directory.name + b"/" + file.name)

    def _add(self, sha: bytes) -> None:
        self.unmatched.discard(sha)
        if sha not in self._known:
            self._known.add(sha)
            self.found += sha

    def _odd(self, path: str, name: bytes) -> None:
        self._notes(Note(f"{path}: {os.fsdecode(name)}", None, "not a message of public-inbox", 1))


def _reversed(shas: bytearray) -> bytearray:
    return bytearray(b"".join(shas[at : at + _SHA] for at in range(len(shas) - _SHA, -1, -_SHA)))
