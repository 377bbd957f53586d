"""Which files need reading again: what an ingest remembers of each, and what has become of it since.

Theory of operation
-------------------
Of an mbox that is not compressed, the place of its last message is remembered (or of one a little before it, if that
may be shorter or longer than it seemed: `weft.sources.mbox.resume_at`); of every file, digests of its first and its
last bytes, as far as it was read.  A file of the same size and time with these bytes is not read.  One that has grown,
and where they still stand, is read from its last message on.  Anything else was rotated, truncated or rewritten: that
is said if it can be told, and the file is read from its start; claims that are held already are not made again.
Of folders and repositories every message is remembered: `weft.index.listed_files`.

The last message may have been half written when it was read: then a claim was made of its front (`half_written`), which
is withdrawn when the file has grown and no message there says so any more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from weft.errors import SourceError
from weft.sources.compressed import is_compressed
from weft.sources.containers import ArchiveFile
from weft.sources.delimited import DelimitedFile
from weft.sources.evidence import Evidence
from weft.sources.folder import Folder
from weft.sources.interface import Source
from weft.sources.list_id import ByListId
from weft.sources.mbox import MboxFile
from weft.sources.public_inbox import PublicInbox
from weft.store.interface import IngestedFile

BY_LIST_ID = "/list-id"
"""Behind the list of a file whose mail is filed by List-Id: no name of a list holds a slash."""
_SAMPLE = 4096
_FROM = b"From "
_LINES = 2
"""A separator is known by its line and the next one."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """What to do with a source: ``start`` is where to read from, None for not at all; ``remark`` is to be said."""

    start: int | None
    remark: str = ""
    grown: bool = False
    rotated: bool = False
    """What was read may have gone to another file (`weft.index.rotated_files`)."""


def look(source: Source, known: IngestedFile | None) -> FileChange:
    """Compare a source with what is remembered of it."""
    if known is None:
        return FileChange(0)
    now = remember(source, known.resume, known.size)
    if now is None or not isinstance(source, MboxFile):
        same = now is not None and (now.size, now.mtime_ns, now.head) == (known.size, known.mtime_ns, known.head)
        return FileChange(None) if same else FileChange(0)
    samples = (now.head, now.tail) == (known.head, known.tail)
    if samples and (now.size, now.mtime_ns, now.inode) == (known.size, known.mtime_ns, known.inode):
        return FileChange(None)
    if now.size < known.size:
        return FileChange(0, "it is shorter than it was: truncated or rotated; read from its start", rotated=True)
    if not samples and not known.resume:  # compressed, or without a message until now
        return FileChange(0, rotated=True)
    if not samples:
        return FileChange(0, "its beginning has changed: rotated or rewritten; read from its start", rotated=True)
    other = now.inode != known.inode  # a copy that replaced it, or a new file that begins and goes on alike
    if now.size == known.size or not known.resume:
        return FileChange(0, rotated=other or not known.size)  # in an empty file much may have been in between
    if _waits_for_more(Path(known.path), known.size):
        return FileChange(None)
    return FileChange(known.resume, grown=True, rotated=other)


def _waits_for_more(path: Path, size: int) -> bool:
    """Whether what was appended to a file is the front of a separator: too little to tell it from text.

    As text it would change the message before it, and a claim that was withdrawn for that could not be made again.
    """
    try:
        with path.open("rb", buffering=0) as opened:
            appended = os.pread(opened.fileno(), _SAMPLE, size).lstrip(b"\r\n")
    except OSError:
        return False
    return bool(appended) and _FROM.startswith(appended[: len(_FROM)]) and appended.count(b"\n") < _LINES


def half_written(source: MboxFile, known: IngestedFile) -> list[Evidence]:
    """What the messages from the remembered place on said when the file ended at its remembered size.

    Nearly always that is one message; none if it cannot be told.
    """
    if not 0 < known.resume < known.size:
        return []
    try:
        return list(source.scan_old(known.size))
    except OSError:
        return []


def remember(source: Source, resume: int, size: int | None = None) -> IngestedFile | None:
    """The state of a source now; None if it has none (standard input) or cannot be read.

    ``resume`` is the place of its last message; 0 for whatever must be read whole.  ``size``: how much of an mbox the
    digests are of; by default all that is there.
    """
    if isinstance(source, ByListId):
        state = remember(source.source, 0)
        return state and replace(state, list=f"{source.list}{BY_LIST_ID}")
    path = os.path.abspath(source.path)  # noqa: PTH100 - links stay as the user gave them
    try:
        if isinstance(source, MboxFile):
            return _of_mbox(path, source.list, resume, size)
        if isinstance(source, (Folder, PublicInbox)):
            return IngestedFile(path, source.list, 0, 0, 0)
        if isinstance(source, (DelimitedFile, ArchiveFile)):
            return _of_mbox(path, source.list, 0, size)
        return None
    except (OSError, SourceError):
        return None


def _of_mbox(path: str, name: str, resume: int, size: int | None) -> IngestedFile:
    file = Path(path)
    if is_compressed(file):
        resume = 0
    with file.open("rb", buffering=0) as opened:
        status = os.fstat(opened.fileno())
        end = status.st_size if size is None else size
        length = min(end, _SAMPLE)
        head = sha256(os.pread(opened.fileno(), length, 0)).digest()
        tail = sha256(os.pread(opened.fileno(), length, end - length)).digest()
    return IngestedFile(path, name, status.st_size, status.st_mtime_ns, status.st_ino, resume, head, tail)
