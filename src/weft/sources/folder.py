"""Folders of one file a message: Maildir, MH, and any others; and such a file alone.

A folder is listed once, when its source is made, and its files are numbered in that order; a record's place is (number,
size of the file).  Maildir: ``cur`` and ``new``, in the order of the names without their flags, so that it stays the
same when somebody reads mail; ``tmp`` holds mail that is still being delivered.  MH: files with decimal names, in the
order of their numbers.  A file may be compressed.

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
from typing import NamedTuple

from weft.errors import SourceError
from weft.sources.compressed import MailStream, reason, wrap
from weft.sources.decompressors import SNIFF, format_of
from weft.sources.interface import Note, Notes, Record, RecordMaker, T, make_record
from weft.sources.single_message import MAX_READ, message_of, scan_single

_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_FLAGS = re.compile(r"[:;!]2,[A-Za-z,]*\Z")
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
        names: Sequence[str],
        max_ratio: int = 200,
        form: str = "messages",
    ) -> None:
        """``form``: what the folder is called, for people."""
        self.path = path
        self.list = list
        self.form = form
        self._names = names
        self._max_ratio = max_ratio

    def __len__(self) -> int:
        """How many files it had when it was listed."""
        return len(self._names)

    @property
    def names(self) -> Sequence[str]:
        """Its files, relative to ``path``, as they were when it was listed."""
        return self._names

    @property
    def size(self) -> int:
        """About how many bytes its files have: `_SAMPLE` of them are asked."""
        step = max(1, len(self._names) // _SAMPLE)
        sizes = [_size(self._path(number)) for number in range(0, len(self._names), step)]
        return sum(sizes) * len(self._names) // len(sizes) if sizes else 0

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages, in the order of ``names``."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        for number in range(len(self._names)):
            path = self._path(number)
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
        if not 0 <= offset < len(self._names):
            raise SourceError(f"{self.path}: there is no file number {offset}")
        path = self._path(offset)
        try:
            data = read_file(path, None, self._max_ratio)
        except SourceError as error:
            raise SourceError(f"{path}: the message is gone: {error}") from error
        if data.size != length:
            raise SourceError(f"{path}: the message is gone: the file was changed since it was read")
        return message_of(data.raw)

    def _path(self, number: int) -> str:
        return os.path.join(self.path, self._names[number])  # noqa: PTH118 - Path costs more than the rest


class MessageFile(Folder):
    """One file that holds one message."""

    def __init__(self, path: str, list: str, max_ratio: int = 200) -> None:  # noqa: A002 - the field's name
        super().__init__(path, list, [""], max_ratio, "message")

    def _path(self, number: int) -> str:  # noqa: ARG002 - there is one
        return self.path


def maildir_names(path: str) -> list[str]:
    """The files of the Maildir ``path``, as `Folder` wants them.  `OSError` if it cannot be listed."""
    found = [
        (_FLAGS.sub("", name), f"{folder}/{name}")
        for folder in ("cur", "new")
        for name in os.listdir(os.path.join(path, folder))  # noqa: PTH118, PTH208
        if not name.startswith(".")
    ]
    return [name for _, name in sorted(found)]


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
