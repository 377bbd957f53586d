"""Where the log of an index ended when it was last written, in a file beside it: what tells that some of it is gone.

Theory of operation
-------------------
What was written last stands in SQLite's write-ahead log.  If that file is deleted, or the database is replaced by an
older copy, what is left is an index like any other, which only ends earlier.  So ``<index>.kept/end`` says where it
ended; it is written after each commit, without a sync, which costs some microseconds.  It is never ahead of what is on
disk: if a power cut takes it back, it says too little, and nothing is told.

A copy that was made without that file cannot know: what was written last stands nowhere but in the log of writes, and
the database is not touched before that is copied into it.  It is told by peers (`weft.store.recovery`).
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from weft._files import create_empty, make_folder

_END = struct.Struct(">Q8s")
_PLACE = ".kept/end"


def note_end(index: Path, mark: bytes, position: int) -> None:
    """The log of an index ends at a position; ``mark``: of the index."""
    path = Path(f"{index}{_PLACE}")
    with suppress(OSError):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            make_folder(path.parent)
            create_empty(path)
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, _END.pack(position, mark))
        finally:
            os.close(descriptor)


def noted_end(index: Path, mark: bytes) -> int:
    """Where the log ended when it was last noted; 0 if that is not known, or was of another index."""
    try:
        position, found = _END.unpack(Path(f"{index}{_PLACE}").read_bytes())
    except (OSError, struct.error):
        return 0
    return int(position) if mark == found else 0


def mark_of_index(secret: bytes) -> bytes:
    """8 bytes that tell an index from others, by its secret."""
    return sha256(b"weft/end\0" + secret).digest()[:8]
