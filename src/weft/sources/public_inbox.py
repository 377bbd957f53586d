"""public-inbox archives: git repositories in which every message is a blob (public-inbox-v1-format, -v2-format).

Theory of operation
-------------------
v2: a directory with ``git/0.git``, ``git/1.git``, ... (epochs).  The tree of each commit has one file: ``m``, a new
message, or ``d``, a message that is taken out; so the history is walked.  It is walked from the newest commit back,
because then a ``d`` is met before the ``m`` that it takes out, and a message that was added again afterwards stays.
v1: one repository; the tree of its newest commit has every message that is left, under the path of 2/38 hexadecimal
digits of its id's SHA-1.  A single bare repository is taken for whichever of the two its newest tree looks like.

The name of a message is that of its blob (20 bytes) and the number of its epoch (4).  Only these are held, oldest first
(v1: in the order of the tree), each blob once; a record's place is (index of the name, size of the blob).  History
follows first parents: public-inbox never merges.

An archive that was read before is walked back to the commits that were its newest then (v1: their trees are compared).
Where one of these is not met, the history was rewritten, as by a purge; then all of it is walked, and likewise if an
older epoch appears, or one that was there does not.  What is damaged or not all there (a shallow clone) is walked again
whenever it has changed, and takes nothing out.

Who can lie: whoever made the repository, about everything but that a blob's bytes have its name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha1
from pathlib import Path

from weft._patterns import deferred
from weft.errors import SourceError
from weft.sources.git import GitEntry, Repository, pack_bytes
from weft.sources.interface import Note, NoteLog, Notes, Record, RecordMaker, T, make_record
from weft.sources.single_message import message_of, scan_single
from weft.sources.source_changes import KnownNames, SourceChanges

_EPOCH = deferred(r"(0|[1-9][0-9]{0,8})\.git", re.ASCII)
_TWO = deferred(rb"[0-9a-f]{2}")
_THIRTY_EIGHT = deferred(rb"[0-9a-f]{38}")
_SHA = 20
_EMPTY = sha1(b"blob 0\0", usedforsecurity=False).digest()
"""What a purge leaves in place of a message."""
_NAME = 24
_STATE = b"commits"
_AVERAGE = 6000
"""About how many bytes a message has."""

Heads = dict[int, bytes]
"""The newest commit of each epoch; empty if it has none."""


def epochs(path: Path) -> list[Path]:
    """The repositories of the v2 archive at ``path``, oldest first; none if it is not one.  `OSError` if unreadable."""
    return list(_epochs(path).values())


def _epochs(path: Path) -> dict[int, Path]:
    folder = path / "git"
    if not folder.is_dir():
        return {}
    numbers = sorted(int(found[1]) for entry in folder.iterdir() if (found := _EPOCH.fullmatch(entry.name)))
    repositories = {number: folder / f"{number}.git" for number in numbers}
    return {number: repository for number, repository in repositories.items() if is_bare_repository(repository)}


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
        self._names: bytearray | None = None
        self._chosen: tuple[int, Sequence[bytes]] | None = None
        self._paths: dict[int, str] = {}
        self._open: tuple[int, Repository] | None = None

    def __getstate__(self) -> tuple[str, str, bytearray | None, tuple[int, Sequence[bytes]] | None]:
        return self.path, self.list, self._names, self._chosen

    def __setstate__(self, state: tuple[str, str, bytearray | None, tuple[int, Sequence[bytes]] | None]) -> None:
        self.path, self.list, self._names, self._chosen = state
        self._paths, self._open = {}, None

    def __del__(self) -> None:
        self.close()

    @property
    def size(self) -> int:
        """About how many bytes will be read: those of its packs, or of the messages that were chosen."""
        packs = self._pack_bytes()
        return packs if self._chosen is None else min(packs, len(self._chosen[1]) * _AVERAGE)

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages.  `SourceError` if no repository of it can be read."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        for number, name in self._to_read(notes):
            try:
                raw = self._blob(name)
            except SourceError as error:
                notes(Note(self.path, None, str(error), 1))
                continue
            path = f"{self.path}: blob {name[:_SHA].hex()}"
            record = scan_single(raw, path, (number, len(raw)), notes, make)
            if record is not None:
                yield record

    def fetch(self, offset: int, length: int) -> bytes:
        """The blob that a record's (offset, length) is the index and size of."""
        first, names = self._chosen or (0, None)
        if names is None:
            held = self._index(lambda _: None)
            name = bytes(held[offset * _NAME : (offset + 1) * _NAME]) if offset >= 0 else b""
        else:
            name = names[offset - first] if 0 <= offset - first < len(names) else b""
        if not name:
            raise SourceError(f"{self.path}: there is no message number {offset}")
        return self.fetch_name(name, length)

    def fetch_name(self, name: bytes, length: int) -> bytes:
        """The same for a blob by its name."""
        try:
            raw = self._blob(name)
        except SourceError as error:
            raise SourceError(f"{self.path}: the message is gone: {error}") from error
        if len(raw) != length:
            raise SourceError(f"{self.path}: the message is gone: the archive was changed since it was read")
        return message_of(raw)

    def changes(self, before: bytes, known: KnownNames, notes: Notes) -> SourceChanges | None:
        """What is different since some commits were the newest."""
        heads = self._heads()
        state = _state(heads)
        if before in (state, _incomplete(state, self._pack_bytes())):
            return None
        old = _old_heads(before)
        if not (old.keys() <= heads.keys() and all(new > max(old) for new in heads.keys() - old.keys() if old)):
            old = {}
        said = NoteLog()
        walk = self._walk(said, old)
        if walk.rewritten:
            said = NoteLog()
            said(Note(self.path, None, "its history was rewritten; all of it is looked at"))
            old, walk = {}, self._walk(said, {})
        for note in said.entries:
            notes(note)
        names = _names(_reversed(walk.found))
        if old:
            there = {name[:_SHA] for name in known.starting({name[:_SHA] for name in names})}
            gone: Collection[bytes] = known.starting(walk.unmatched)
        else:
            held = known.all()
            there = {name[:_SHA] for name in held}
            here = {name[:_SHA] for name in names}
            gone = (
                [] if walk.incomplete else [name for name in held if name[:_SHA] not in here and _epoch(name) in heads]
            )
            if walk.unmatched:
                notes(Note(self.path, None, _UNMATCHED.format(len(walk.unmatched))))
        added = [name for name in names if name[:_SHA] not in there]
        return SourceChanges(added, _incomplete(state, self._pack_bytes()) if walk.incomplete else state, (), gone)

    def choose(self, first: int, names: Sequence[bytes]) -> None:
        """Scan just these blobs."""
        self._chosen = first, names

    def can_read(self, name: bytes) -> bool:
        """Whether a blob is there and undamaged."""
        try:
            self._blob(name)
        except SourceError:
            return False
        return True

    def close(self) -> None:
        """Close the open repository; it opens again when needed."""
        opened, self._open = self._open, None
        if opened:
            opened[1].close()

    def _to_read(self, notes: Notes) -> Iterator[tuple[int, bytes]]:
        if self._chosen is not None:
            return iter(list(enumerate(self._chosen[1], self._chosen[0])))
        return enumerate(_names(self._index(notes)))

    def _pack_bytes(self) -> int:
        return sum(map(pack_bytes, self._repositories().values()))

    def _repositories(self) -> dict[int, str]:
        """Their paths by the number of the epoch, oldest first."""
        if not self._paths:
            try:
                found = _epochs(Path(self.path))
            except OSError:
                found = {}
            self._paths = {number: str(path) for number, path in found.items()} or {0: self.path}
        return self._paths

    def _repository(self, epoch: int) -> Repository:
        """One of them; only one is open at a time, because an open one keeps a cache."""
        if self._open is None or self._open[0] != epoch:
            self.close()
            path = self._repositories().get(epoch)
            if path is None:
                raise SourceError(f"there is no {epoch}.git any more")
            self._open = epoch, Repository(path)
        return self._open[1]

    def _blob(self, name: bytes) -> bytes:
        return self._repository(_epoch(name)).blob(name[:_SHA])

    def _heads(self) -> Heads:
        """The newest commit of each epoch; of one that cannot be read, none."""
        heads = {}
        for epoch in self._repositories():
            try:
                heads[epoch] = self._repository(epoch).head() or b""
            except SourceError:
                heads[epoch] = b""
        return heads

    def _index(self, notes: Notes) -> bytearray:
        """The names of all messages."""
        if self._names is None:
            walk = self._walk(notes, {})
            if walk.unmatched:
                notes(Note(self.path, None, _UNMATCHED.format(len(walk.unmatched))))
            self._names = _reversed(walk.found)
        return self._names

    def _walk(self, notes: Notes, old: Heads) -> _Walk:
        """Find the messages, from the newest epoch back, and in each from its newest commit back to an old one."""
        walk = _Walk(notes)
        failures = []
        paths = self._repositories()
        for epoch in reversed(paths):
            try:
                walk.repository(self._repository(epoch), paths[epoch], epoch, old.get(epoch, b""))
            except SourceError as error:
                failures.append(Note(paths[epoch], None, str(error), 1))
                walk.incomplete = True
        if len(failures) == len(paths):
            raise SourceError(failures[0].reason)
        for note in failures:
            notes(note)
        return walk


_UNMATCHED = "{} deletions of messages that are not here"


class _Walk:
    """Collects the blobs of the messages that are left, newest first."""

    def __init__(self, notes: Notes) -> None:
        self.found = bytearray()
        self.unmatched: set[bytes] = set()
        """Taken out, but never added."""
        self.incomplete = False
        """Not all that there should be could be read."""
        self.rewritten = False
        """An old commit was not met."""
        self._notes = notes
        self._known: set[bytes] = set()  # found, or taken out by a newer commit
        self._suffix = b""

    def repository(self, repository: Repository, path: str, epoch: int, old: bytes) -> None:
        """Walk one repository back to a commit, or all of it.  `SourceError` if its head cannot be read, or it is
        something else."""
        head = repository.head()
        if head is None:
            self._notes(Note(path, None, "an empty git repository, no messages"))
            self.incomplete = True
            return
        if head == old:
            return
        self._suffix = epoch.to_bytes(_NAME - _SHA, "big")
        entries = repository.tree(repository.commit(head).tree)
        if any(entry.is_directory and _TWO.fullmatch(entry.name) for entry in entries):
            self._tree(repository, path, entries, old)
        elif not entries or any(entry.name in (b"m", b"d") for entry in entries):
            self._history(repository, path, head, old)
        else:
            raise SourceError("a git repository, but not one of public-inbox")

    def _history(self, repository: Repository, path: str, sha: bytes, old: bytes) -> None:
        """Version 2: all commits from ``sha`` back to ``old``."""
        merges = 0
        while sha and sha != old:
            try:
                commit = repository.commit(sha)
            except SourceError as error:
                if not old:
                    self._notes(Note(path, None, f"{error}: older messages cannot be found", 1))
                self.incomplete = True
                break
            try:
                self._change(repository.tree(commit.tree))
            except SourceError as error:
                self._notes(Note(path, None, str(error), 1))
                self.incomplete = True
            merges += len(commit.parents) > 1
            sha = commit.parents[0] if commit.parents else b""
        self.rewritten = self.rewritten or (old != b"" and sha != old)
        if merges:
            self._notes(Note(path, None, f"{merges} merges, of which only the first parents are read", merges))

    def _change(self, entries: list[GitEntry]) -> None:
        for entry in entries:
            if entry.name == b"d" and entry.is_file and entry.sha not in self._known:
                self._known.add(entry.sha)
                self.unmatched.add(entry.sha)
            elif entry.name == b"m" and entry.is_file:
                self._add(entry.sha)

    def _tree(self, repository: Repository, path: str, entries: list[GitEntry], old: bytes) -> None:
        """Version 1: all files below the newest tree, or those that are not below an old one; then also the reverse."""
        before: Mapping[bytes, bytes] = {}
        if old:
            try:
                before = _directories(repository.tree(repository.commit(old).tree))
            except SourceError:
                self.rewritten = True
                return
        gone = {before[name] for name in before.keys() - _directories(entries).keys()}
        left: set[bytes] = set()
        for directory in reversed(entries):
            if not (directory.is_directory and _TWO.fullmatch(directory.name)):
                self._odd(path, directory.name)
                continue
            was = before.get(directory.name)
            if was == directory.sha:
                continue
            try:
                files = repository.tree(directory.sha)
                past = {file.sha for file in repository.tree(was)} if was else set()
            except SourceError as error:
                self._notes(Note(path, None, f"{error}: the messages in it are missing", 1))
                self.incomplete = True
                continue
            left |= past
            for file in reversed(files):
                if file.sha in past:
                    left.discard(file.sha)
                elif file.is_file and _THIRTY_EIGHT.fullmatch(file.name):
                    self._add(file.sha)
                else:
                    self._odd(path, directory.name + b"/" + file.name)
        for sha in gone:
            left |= {file.sha for file in repository.tree(sha)}
        self.unmatched |= left - self._known

    def _add(self, sha: bytes) -> None:
        self.unmatched.discard(sha)
        if sha not in self._known and sha != _EMPTY:
            self._known.add(sha)
            self.found += sha + self._suffix

    def _odd(self, path: str, name: bytes) -> None:
        self._notes(Note(f"{path}: {os.fsdecode(name)}", None, "not a message of public-inbox", 1))


def _directories(entries: list[GitEntry]) -> dict[bytes, bytes]:
    return {entry.name: entry.sha for entry in entries if entry.is_directory and _TWO.fullmatch(entry.name)}


def _epoch(name: bytes) -> int:
    return int.from_bytes(name[_SHA:], "big")


def _names(joined: bytearray) -> list[bytes]:
    return [bytes(joined[at : at + _NAME]) for at in range(0, len(joined), _NAME)]


def _reversed(names: bytearray) -> bytearray:
    return bytearray(b"".join(names[at : at + _NAME] for at in range(len(names) - _NAME, -1, -_NAME)))


def _state(heads: Heads) -> bytes:
    return _STATE + b"".join(
        epoch.to_bytes(_NAME - _SHA, "big") + (head or bytes(_SHA)) for epoch, head in heads.items()
    )


def _incomplete(state: bytes, size: int) -> bytes:
    """What is remembered of an archive that is not all there: nothing to go on from."""
    return b"incomplete %d " % size + state


def _old_heads(state: bytes) -> Heads:
    """The commits up to which an archive was read."""
    if not state.startswith(_STATE):
        return {}
    found = {}
    for at in range(len(_STATE), len(state), _NAME):
        epoch, head = state[at : at + _NAME - _SHA], state[at + _NAME - _SHA : at + _NAME]
        found[int.from_bytes(epoch, "big")] = head if any(head) else b""
    return found
