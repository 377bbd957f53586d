"""What was inside compressed files, so that any part of it can be read at any time.

Theory of operation
-------------------
A compressed mbox can be read from its front only, and mail is asked for in the order of threads.  So each such file is
unpacked once, as a whole, to the end of one temporary file that has no name: whoever reads from many archives needs one
descriptor and no memory, and nothing is left behind when the program ends, however it ends.  The caps of
`weft.sources.compressed` bound how much that can be.

The folder is the one that the standard library chooses (TMPDIR).  A disk that is full is no fault of the mail: it is a
`WeftError` that says so, and what was written of the file is taken back.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import IO, NamedTuple

from weft.errors import SourceError, WeftError
from weft.sources.compressed import MailStream, reason

_BLOCK = 1 << 20


class Extent(NamedTuple):
    """Where the inside of one file lies."""

    start: int
    length: int
    error: str
    """Why it ends there, if the file could not be read to its end; else empty."""


class Unpacked:
    """One temporary file for the insides of any number of files; made when it is needed."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0

    def add(self, stream: MailStream) -> Extent:
        """Unpack all that ``stream`` gives, as far as it can be read; `WeftError` if there is no room for it."""
        start, error = self._end, ""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - see `close`
            with memoryview(bytearray(_BLOCK)) as view:
                try:
                    while got := stream.readinto(view):
                        self._write(view[:got])
                except SourceError as ended:
                    error = str(ended)
        except OSError as full:
            self._end = start
            if self._file is not None:
                with suppress(OSError):
                    self._file.truncate(start)
            raise WeftError(
                f"{stream.name}: cannot be unpacked to the temporary folder {_folder()}: {reason(full)}; "
                f"set TMPDIR to a folder with more room, or decompress the file first"
            ) from full
        return Extent(start, self._end - start, error)

    def read(self, extent: Extent, offset: int, length: int) -> bytes:
        """Octets of the inside of a file; fewer where it ends.  `OSError`."""
        assert self._file is not None
        return os.pread(self._file.fileno(), max(0, min(length, extent.length - offset)), extent.start + offset)

    def close(self) -> None:
        """Give the room back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __del__(self) -> None:
        self.close()

    def _write(self, data: memoryview) -> None:
        assert self._file is not None
        while data:
            written = os.pwrite(self._file.fileno(), data, self._end)
            self._end += written
            data = data[written:]


def _folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # no folder can be written to
        return "TMPDIR"
