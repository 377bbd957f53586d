"""Mail on standard input: an mbox, a file of MMDF, Babyl or LISTSERV, or one message, compressed or not.

It can be read once.  Where mail is asked for again, a copy is kept on disk.  A tar or zip is named and not read.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import IO

from weft.errors import SourceError
from weft.sources.compressed import MAX_OUTPUT, MailStream, wrap
from weft.sources.delimited import DELIMITED, message_in, scan_delimited
from weft.sources.forms import Foreign, Form, form_of
from weft.sources.interface import Note, Notes, Record, RecordMaker, T, make_record
from weft.sources.mbox import LEAD, read_mbox, without_lead
from weft.sources.member_streams import Budget, PeekedStream
from weft.sources.single_message import MAX_READ, message_of, scan_single
from weft.sources.splitter import Splitter

_STEP = 1 << 16


class StandardInput:
    """What stands on standard input, as mail of one list."""

    path = "standard input"
    size = 0

    def __init__(self, list: str, max_ratio: int = 200) -> None:  # noqa: A002 - the field's name
        self.list = list
        self.form = Form.MBOX.value
        """What it is called, for people; known once it is read."""
        self.escaped = True
        """It is an mbox; known once it is read."""
        self.keep = False
        """Set before `records`: keep a copy on disk, so that `fetch` works."""
        self._max_ratio = max_ratio
        self._form = Form.MBOX
        self._kept: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._kept is not None:
            self._kept.close()

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages, in order; once."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        if sys.stdin is None:
            raise SourceError("it is closed")
        with wrap(sys.stdin.buffer, self.path, self._max_ratio, translate=False) as stream:
            peeked = PeekedStream(self._reader(stream), self.path, Budget(MAX_OUTPUT, 1))
            try:
                found = form_of(peeked.head(), asked=True)
            except SourceError as error:
                notes(Note(self.path, None, str(error), 1))
                return
            if isinstance(found, Foreign):
                notes(Note(self.path, None, str(found), 1))
            elif found is Form.TAR or found is Form.ZIP:
                notes(Note(self.path, None, f"a {found.value}, which is not read from here; give it as a file", 1))
            else:
                yield from self._scan(found or Form.MBOX, peeked, notes, make)

    def fetch(self, offset: int, length: int) -> bytes:
        """The bytes of one message; of an mbox still escaped."""
        if self._kept is None:
            raise SourceError(f"{self.path}: cannot be read a second time")
        lead = min(LEAD, offset)
        self._kept.seek(offset - lead)
        data = self._kept.read(lead + length)
        if self.escaped:
            return without_lead(data, lead)
        raw = data[lead:]
        return message_of(message_in(raw, self._form) if self._form in DELIMITED else raw)

    def _scan(self, form: Form, peeked: PeekedStream, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        self._form, self.form = form, form.value
        self.escaped = form not in DELIMITED and form is not Form.MESSAGE
        if self.escaped:
            yield from read_mbox(Splitter(peeked), self.path, notes, make)
        elif form is Form.MESSAGE:
            made = self._single(peeked, notes, make)
            if made is not None:
                yield made
        else:
            yield from scan_delimited(peeked, form, self.path, notes, make)

    def _single(self, peeked: PeekedStream, notes: Notes, make: RecordMaker[T]) -> T | None:
        try:
            raw = peeked.read(MAX_READ)
            size, rest = len(raw), bytearray(_STEP)
            while got := peeked.readinto(rest):
                size += got
        except SourceError as error:
            notes(Note(self.path, None, str(error), 1))
            return None
        return scan_single(raw, self.path, (0, size), notes, make)

    def _reader(self, stream: MailStream) -> Callable[[memoryview], int]:
        if not self.keep:
            return stream.readinto
        kept = self._kept = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the source

        def readinto(buffer: memoryview, /) -> int:
            got = stream.readinto(buffer)
            kept.write(buffer[:got])
            return got

        return readinto
