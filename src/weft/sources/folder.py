"""Folders of one file a message: Maildir, MH, and any others; and such a file alone.

A folder is listed once, and its files are numbered in that order; a record's place is (number, size of the file).
Maildir: `weft.sources.maildir`.  MH: files with decimal names, in the order of their numbers.  A file may be
compressed.  Whether one has changed, its size and time tell.

What cannot be read is noted and skipped: mail readers move files at any time.  Who can lie: whoever can write into
the folder; so only regular files are opened, and never waited for.
"""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from weft.errors import SourceError
from weft.sources.compressed import MailStream, reason, wrap
from weft.sources.decompressors import SNIFF, format_of
from weft.sources.interface import Note, Notes, Record, RecordMaker, T, make_record
from weft.sources.single_message import MAX_READ, message_of, scan_single
from weft.sources.source_changes import KnownNames, SourceChanges

_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_READ = 64 * 1024
_SAMPLE = 64


class FileFront(NamedTuple):
    """The front of a file, unpacked, and the size of the file as it lies on disk."""

    raw: bytes
    size: int


class Folder:
    """One folder of mail: ``names`` are its files in order, relative to ``path``."""

    escaped = False

    def __init__(
        self,
        path: str,
        list: str,  # noqa: A002 - the field's name
        names: Sequence[str] | None,
        max_ratio: int = 200,
        form: str = "messages",
    ) -> None:
        """``form``: what the folder is called, for people; ``names``: None if it is listed when it is read."""
        self.path = path
        self.list = list
        self.form = form
        self._names = names
        self._max_ratio = max_ratio
        self._chosen: tuple[int, Sequence[bytes]] | None = None

    def __len__(self) -> int:
        """How many files it has, as far as it was listed before."""
        return len(self.names)

    @property
    def names(self) -> Sequence[str]:
        """Its files, relative to ``path``, as they were when it was listed.  `SourceError` if it cannot be."""
        if self._names is None:
            try:
                self._names = self._list()
            except OSError as error:
                raise SourceError(reason(error)) from error
        return self._names

    @property
    def size(self) -> int:
        """About how many bytes its files have: `_SAMPLE` of them are asked."""
        names = self._to_read()[1]
        step = max(1, len(names) // _SAMPLE)
        sizes = [_size(self._path(file_of(names[at]))) for at in range(0, len(names), step)]
        return sum(sizes) * len(names) // len(sizes) if sizes else 0

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages, in the order of ``names``."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        first, names = self._to_read()
        for number, name in enumerate(names, first):
            path = self._path(file_of(name))
            try:
                data = read_file(path, MAX_READ, self._max_ratio)
            except SourceError as error:
                notes(Note(path, None, str(error), 1))
                continue
            record = scan_single(data.raw, path, (number, data.size), notes, make)
            if record is not None:
                yield record

    def fetch(self, offset: int, length: int) -> bytes:
        """The file whose number and size a record's (offset, length) are: unpacked, without an mbox's From_ line."""
        first, names = self._to_read()
        if not 0 <= offset - first < len(names):
            raise SourceError(f"{self.path}: there is no file number {offset}")
        return self._fetch(file_of(names[offset - first]), length)

    def fetch_name(self, name: bytes, length: int) -> bytes:
        """The same for a file by its name (`weft.sources.source_changes`)."""
        return self._fetch(file_of(name), length)

    def _fetch(self, name: str, length: int) -> bytes:
        path = self._path(name)
        try:
            data = read_file(path, None, self._max_ratio)
        except SourceError as error:
            raise SourceError(f"{path}: the message is gone: {error}") from error
        if data.size != length:
            raise SourceError(f"{path}: the message is gone: the file was changed since it was read")
        return message_of(data.raw)

    def changes(self, before: bytes, known: KnownNames, notes: Notes) -> SourceChanges | None:  # noqa: ARG002
        """What is different, by the names, sizes and times of all files."""
        now = self._stated(self.names)
        state = b"files " + sha256(b"\n".join(now)).digest()
        if before == state:
            return None
        there = known.all()
        gone = there.difference(now) if now else ()
        return SourceChanges([name for name in now if name not in there], state, (), gone)

    def choose(self, first: int, names: Sequence[bytes]) -> None:
        """Scan just these files."""
        self._chosen = first, names

    def can_read(self, name: bytes) -> bool:
        """Whether a file can be read."""
        try:
            read_file(self._path(file_of(name)), 1, self._max_ratio)
        except SourceError:
            return False
        return True

    def _to_read(self) -> tuple[int, Sequence[bytes | str]]:
        """The number of the first file that is to be read, and the names of all."""
        return self._chosen or (0, self.names)

    def _list(self) -> Sequence[str]:
        return ()

    def _stated(self, names: Sequence[str]) -> list[bytes]:
        """Names with what changes if a file does: a NUL, its size and its time.  Without those that are gone."""
        found = []
        for name in names:
            try:
                status = os.stat(self._path(name))  # noqa: PTH116
            except (OSError, ValueError):
                continue
            found.append(b"%s\0%d %d" % (os.fsencode(name), status.st_size, status.st_mtime_ns))
        return found

    def _path(self, name: str) -> str:
        return os.path.join(self.path, name)  # noqa: PTH118 - Path costs more than the rest


class MessageFile(Folder):
    """One file that holds one message."""

    def __init__(self, path: str, list: str, max_ratio: int = 200) -> None:  # noqa: A002 - the field's name
        super().__init__(path, list, [""], max_ratio, "message")

    def _path(self, name: str) -> str:  # noqa: ARG002 - there is one
        return self.path


def file_of(name: bytes | str) -> str:
    """The file that a name of a message stands for, relative to its folder."""
    return name if isinstance(name, str) else os.fsdecode(name.partition(b"\0")[0])


def mh_names(path: str) -> list[str]:
    """The messages of the MH folder ``path``, as `Folder` wants them.  `OSError` if it cannot be listed."""
    with os.scandir(path) as entries:
        names = [entry.name for entry in entries if is_mh_name(entry.name) and not entry.is_dir()]
    return sorted(names, key=int)


def is_removed(name: str) -> bool:
    """Whether a message of an MH folder was removed: ``rmm`` leaves its file with a comma before the number."""
    return name[:1] in (",", "#") and name[1:].isdecimal()


def is_mh_name(name: str) -> bool:
    """Whether a message of an MH folder may have this name: a number from 1 on, without zeros before it."""
    return _NUMBER.fullmatch(name) is not None


def read_file(path: str, limit: int | None, max_ratio: int) -> FileFront:
    """A regular file's first ``limit`` bytes, unpacked.  `SourceError`, saying why, if they cannot be had."""
    try:
        # An ordinary open would wait for ever for a FIFO that stands in place of a file.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise SourceError(reason(error)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("not a regular file")
        raw = _read(lambda size: os.read(descriptor, size), limit)
    except OSError as error:
        raise SourceError(reason(error)) from error
    finally:
        os.close(descriptor)
    if format_of(raw[:SNIFF]):
        with wrap(io.BytesIO(raw), path, max_ratio) as stream:
            raw = _read(partial(_read_some, stream), limit)
    return FileFront(raw, status.st_size)


def _read(read: Callable[[int], bytes], limit: int | None) -> bytes:
    """All that ``read`` gives, up to ``limit`` bytes."""
    pieces, room = [], sys.maxsize if limit is None else limit
    while room and (piece := read(min(_READ, room))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


def _read_some(stream: MailStream, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: stream.readinto(buffer)])


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0
