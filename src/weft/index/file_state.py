"""Which files need reading again: what an ingest remembers of each, and what has become of it since.

Theory of operation
-------------------
Of an mbox that is not compressed, the place of its last message is remembered (or of one a little before it, if that
may be shorter or longer than it seemed: `weft.sources.mbox.resume_at`), with digests of the first bytes of
the file and of those before that place.  A file of the same size and time is not read.  One that has grown, and whose
head and tail are still there, is read from its last message on.  Anything else was rotated, truncated or rewritten:
that is said if it can be told, and the file is read from its start; claims that are held already are not made again.
Folders and repositories are listed again, and read if their listing differs.

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


@dataclass(frozen=True, slots=True)
class FileChange:
    """What to do with a source: ``start`` is where to read from, None for not at all; ``remark`` is to be said."""

    start: int | None
    remark: str = ""
    grown: bool = False


def look(source: Source, known: IngestedFile | None) -> FileChange:
    """Compare a source with what is remembered of it."""
    if known is None:
        return FileChange(0)
    now = remember(source, known.resume)
    if now is None or not isinstance(source, MboxFile):
        same = now is not None and (now.size, now.mtime_ns, now.head) == (known.size, known.mtime_ns, known.head)
        return FileChange(None) if same else FileChange(0)
    if (now.size, now.mtime_ns, now.inode) == (known.size, known.mtime_ns, known.inode):
        return FileChange(None)
    if now.size < known.size:
        return FileChange(0, "it is shorter than it was: truncated or rotated; read from its start")
    if (now.head, now.tail) != (known.head, known.tail):
        return FileChange(0, "its beginning has changed: rotated or rewritten; read from its start")
    if now.size == known.size or not known.resume:
        return FileChange(0)
    return FileChange(known.resume, grown=True)


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


def remember(source: Source, resume: int) -> IngestedFile | None:
    """The state of a source now; None if it has none (standard input) or cannot be read.

    ``resume`` is the place of its last message; 0 for whatever must be read whole.
    """
    if isinstance(source, ByListId):
        state = remember(source.source, 0)
        return state and replace(state, list=f"{source.list}{BY_LIST_ID}")
    path = os.path.abspath(source.path)  # noqa: PTH100 - links stay as the user gave them
    try:
        if isinstance(source, MboxFile):
            return _of_mbox(path, source.list, resume)
        if isinstance(source, Folder):
            stats = [(name, *_stat(Path(path) / name if name else Path(path))) for name in source.names]
            return IngestedFile(
                path, source.list, len(stats), max((s[2] for s in stats), default=0), 0, 0, _hash(stats)
            )
        if isinstance(source, (DelimitedFile, ArchiveFile)):
            return _of_mbox(path, source.list, 0)
        if isinstance(source, PublicInbox):
            return IngestedFile(path, source.list, source.size, 0, 0, 0, _hash(source.heads()))
        return None
    except (OSError, SourceError):
        return None


def _of_mbox(path: str, name: str, resume: int) -> IngestedFile:
    file = Path(path)
    if is_compressed(file):
        resume = 0
    with file.open("rb", buffering=0) as opened:
        status = os.fstat(opened.fileno())
        before = min(resume, _SAMPLE)
        head = sha256(os.pread(opened.fileno(), before, 0)).digest() if before else b""
        tail = sha256(os.pread(opened.fileno(), before, resume - before)).digest() if before else b""
    return IngestedFile(path, name, status.st_size, status.st_mtime_ns, status.st_ino, resume, head, tail)


def _stat(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _hash(listing: object) -> bytes:
    return sha256(repr(listing).encode("utf-8", "surrogateescape")).digest()
