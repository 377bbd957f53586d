"""Where the mail of an mbox went that was rotated, so that what arrived in between is read before it is let go.

Theory of operation
-------------------
Rotation renames a file (``dev.mbox`` becomes ``dev.mbox.1`` or ``dev-20240101.mbox``), or copies it and empties the old
one, and may then compress it.  What was appended after the last look stands there and nowhere else.  So when a file
was rotated, the files in its folder are looked at that were written since: the one that it has become is known by its
inode, or by the digests of what was read; it is read from the place where reading ended.  Others that bear its name
with something behind it and hold an mbox were rotated in between, or are compressed, and are read whole; claims that
are held are not made again.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from weft.errors import SourceError
from weft.index.file_state import remember
from weft.sources.compressed import is_compressed, read_head
from weft.sources.mbox import MboxFile
from weft.store.interface import IngestedFile

_MARKS = ".-_"
"""What may stand between the name of a file and what a rotation adds."""
_FROM = b"From "
_MOST = 64
"""The newest so many are looked at."""


@dataclass(frozen=True, slots=True)
class RotatedFile:
    """A file with mail that stood, or may have stood, in a file that was rotated."""

    source: MboxFile
    same: bool
    """It is that file, as it was and with what has been appended to it."""

    @property
    def path(self) -> str:
        """Its absolute path."""
        return os.path.abspath(self.source.path)  # noqa: PTH100 - links stay as they are


def rotated_files(source: MboxFile, known: IngestedFile, others: Collection[str]) -> list[RotatedFile]:
    """The files that a rotation made of one, in the order in which they were written.

    ``known``   the file as it was when it was read
    ``others``  absolute paths of files that are read anyway
    """
    found = []
    for path in sorted(_written_since(Path(known.path), known), key=lambda path: path.stat().st_mtime_ns)[-_MOST:]:
        if str(path) in others:
            continue
        candidate = MboxFile(str(path), source.list)
        state = remember(candidate, known.resume, known.size)
        if state is None:
            continue
        read = known.size > 0 and (state.head, state.tail) == (known.head, known.tail) and state.size >= known.size
        if not is_compressed(path) and read:
            found.append(RotatedFile(candidate, same=True))
        elif _bears_name(path.name, Path(known.path).name) or state.inode == known.inode:
            found.append(RotatedFile(candidate, same=False))
    return found


def _written_since(path: Path, known: IngestedFile) -> Iterator[Path]:
    """The other files in the folder that hold an mbox, and were written since a file was read."""
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in entries if entry.name != path.name and not entry.name.startswith(".")]
    except OSError:
        return
    for name in names:
        other = path.with_name(name)
        try:
            if other.is_file() and other.stat().st_mtime_ns >= known.mtime_ns and _is_mbox(other):
                yield other
        except (OSError, SourceError):
            continue


def _is_mbox(path: Path) -> bool:
    return read_head(path, len(_FROM))[1] == _FROM


def _bears_name(name: str, of: str) -> bool:
    """Whether a name is that of a file with something behind it: ``dev.mbox.1.gz``, ``dev-20240101.mbox``."""
    stem, suffix = os.path.splitext(of)  # noqa: PTH122 - of a name
    if name.startswith(of):
        return name[len(of) :].startswith(tuple(_MARKS))
    return bool(suffix) and suffix in name and name.startswith(stem) and name[len(stem) :].startswith(tuple(_MARKS))
