"""What a disk may hold after a power cut: a model of files and folders of which only what was synced is sure.

Theory of operation
-------------------
Of a file, all that was written before its last sync is there.  Each later write is there, or not, or torn: some of its
sectors of 512 bytes are there; independently of its neighbours, so they are reordered as well.  Of a folder, the names
are as at its last sync, with some of the first of the later changes: file systems keep changes of names in order, and
POSIX promises nothing before the folder is synced, not even after a sync of the file.

Theory of the record: `recorder.c`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random
from typing import NamedTuple

SECTOR = 512
_HEADER = struct.Struct("<BIIqQ")


class Event(NamedTuple):
    """One thing that a process did."""

    kind: str
    path: str
    data: bytes
    """What was written, the new name, or what was acknowledged."""
    offset: int
    inode: int


def read_record(path: Path) -> list[Event]:
    """The events, in order."""
    data, events, start = path.read_bytes(), [], 0
    while start < len(data):
        kind, named, length, offset, inode = _HEADER.unpack_from(data, start)
        start += _HEADER.size
        name = data[start : start + named].decode()
        start += named
        events.append(Event(chr(kind), name, data[start : start + length], offset, inode))
        start += length
    return events


@dataclass(slots=True)
class _File:
    """Its content at its last sync, and what was written since: (offset, data), or (size, None) for a cut."""

    synced: bytearray = field(default_factory=bytearray)
    later: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for offset, data in self.later:
            _apply(self.synced, offset, data)
        self.later.clear()

    def after_a_cut(self, random: Random, kept: float, torn: float) -> bytearray:
        content = bytearray(self.synced)
        for offset, data in self.later:
            if random.random() >= kept:
                continue
            if data is None or random.random() >= torn:
                _apply(content, offset, data)
                continue
            for start in _sectors(offset, len(data)):
                if random.random() < 0.5:
                    end = min(len(data), (offset + start) // SECTOR * SECTOR + SECTOR - offset)
                    _apply(content, offset + start, data[start:end])
        return content


class _Change(NamedTuple):
    """Of names in a folder: ``name`` leads to a file or a folder, or to nothing."""

    name: str
    target: _File | _Folder | None


@dataclass(slots=True)
class _Folder:
    """Its names at its last sync, and the changes since; one change may be of several names at once (a rename)."""

    synced: dict[str, _File | _Folder] = field(default_factory=dict)
    later: list[tuple[_Change, ...]] = field(default_factory=list)

    def names(self, count: int | None = None) -> dict[str, _File | _Folder]:
        found = dict(self.synced)
        for changes in self.later[:count]:
            for name, target in changes:
                if target is None:
                    found.pop(name, None)
                else:
                    found[name] = target
        return found

    def sync(self) -> None:
        self.synced = self.names()
        self.later.clear()


class Disk:
    """A folder, as events change it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._top = _Folder()
        self._files: dict[int, _File] = {}

    def play(self, event: Event) -> None:
        """Let one thing happen."""
        match event.kind:
            case "c":
                self._files[event.inode] = _File()
                self._name((event.path, self._files[event.inode]))
            case "w":
                self._files[event.inode].later.append((event.offset, event.data))
            case "t":
                self._files[event.inode].later.append((event.offset, None))
            case "s":
                found = self._find(event.path)
                (found if isinstance(found, _Folder) else self._files[event.inode]).sync()
            case "m":
                self._name((event.path, _Folder()))
            case "u":
                self._name((event.path, None))
            case "l":
                self._name((event.data.decode(), self._find(event.path)))
            case "r":
                self._name((event.path, None), (event.data.decode(), self._find(event.path)))

    def image(self, target: Path, random: Random) -> None:
        """Write what may be there if the power fails now into a folder that is not there yet."""
        kept, torn = random.choice(((0.0, 0.0), (1.0, 0.0), (0.5, 0.0), (0.9, 0.3), (0.5, 0.5), (1.0, 1.0)))
        for path, file in self._after_a_cut(random, kept, target):
            path.write_bytes(file.after_a_cut(random, kept, torn))
            path.chmod(0o600)

    def _after_a_cut(self, random: Random, kept: float, target: Path) -> Iterator[tuple[Path, _File]]:
        todo = [(target, self._top)]
        while todo:
            path, folder = todo.pop()
            path.mkdir()
            count = len(folder.later) if kept == 1 else 0 if kept == 0 else random.randint(0, len(folder.later))
            for name, found in sorted(folder.names(count).items()):
                if isinstance(found, _Folder):
                    todo.append((path / name, found))
                else:
                    yield path / name, found

    def _name(self, *changes: tuple[str, _File | _Folder | None]) -> None:
        """Names change, in one folder."""
        folder = self._find(str(PurePosixPath(changes[0][0]).parent))
        assert isinstance(folder, _Folder)
        folder.later.append(tuple(_Change(PurePosixPath(path).name, target) for path, target in changes))

    def _find(self, path: str) -> _File | _Folder:
        found: _File | _Folder = self._top
        for name in PurePosixPath(path).relative_to(self._root).parts:
            assert isinstance(found, _Folder)
            found = found.names()[name]
        return found


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _sectors(offset: int, length: int) -> range | list[int]:
    """Where, in some data that is written at ``offset``, sectors begin."""
    first = -offset % SECTOR
    return [0, *range(first, length, SECTOR)] if first else range(0, length, SECTOR)
