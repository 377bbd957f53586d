"""The messages of one mbox, found in one reused buffer, whatever the size of the file.

Theory of operation
-------------------
``From `` is searched for with `stringzilla`.  What nearly all separators look like is told by one regular expression;
everything else is judged by `weft.sources.separators`.  Of a message longer than `_KEEP` only the front is kept, so
memory is bounded whatever the file holds.

Content-Length counts where the next separator stands exactly at its end, or the file ends there, and the message behind
it has the field too: a file in which all messages have it was written so, and its bodies need no escapes.  Of longer
bodies than `COVERED` it does not count; so what a line is depends on no more than `REACH` bytes before it.  A message
inside of such a one is none; but one that has a Content-Length that counts as well is named as missing.

A message whose From_ line ends with a lone CR is given with LF for its lone CRs, both here and by `with_line_feeds`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from weft.core.body import MAX_RAW_BODY
from weft.core.byte_search import find
from weft.core.header import MAX_BLOCK
from weft.errors import SourceError
from weft.sources.separators import AHEAD, BEFORE, BOM, STRICT, Ground, is_mboxrd, is_patch_series, judge

COVERED = 256 * 1024
"""No Content-Length above this counts."""
REACH = COVERED + 2 * AHEAD
"""A message that begins more than this before a place says nothing about it."""
FRONT = 64 * 1024
"""So much of a file is looked at, to tell what wrote it."""
LENGTH_FIELD = b"\nContent-Length:"

_BLOCK = 1 << 20
_KEEP = MAX_BLOCK + MAX_RAW_BODY
_START_OF_FILE = b"\n\n"
_LF, _CR = 0x0A, 0x0D
_ESCAPES = frozenset(b"> \t")
_NOTHING = b" \t\r\n\f\0" + BOM
_FAR = 1 << 62

_LENGTH = re.compile(rb"\nContent-Length:[ \t]*(\d{1,9})[ \t]*(?=\r?\n)")
_END_OF_HEADER = re.compile(rb"\n(\r?\n)")
_SEPARATOR_IS_NEXT = re.compile(rb"(?:\r?\n){0,2}(?=From )")
_FILE_ENDS = re.compile(rb"(?:\r?\n){0,2}\Z")
_BLANK_LINE = re.compile(rb"(?:\A|\r\n|\n|\r(?!\n))([ \t\f]*(?:\r\n|\n|\r))\Z")
_BOUNDARY = re.compile(rb'boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_LONE_CR = re.compile(rb"\r(?!\n)")


class Readable(Protocol):
    """What the splitter reads from."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill ``buffer`` from its front; the number of bytes read, 0 at the end."""


class Doubt(NamedTuple):
    """A line that is named: where it stands in the file, why, and as what it was taken."""

    offset: int
    reason: str
    ground: Ground


def _say_nothing(_: Doubt) -> None:
    pass


def with_line_feeds(data: bytes) -> bytes:
    """A message of a file whose lines end with CR, with LF for these."""
    return _LONE_CR.sub(b"\n", data)


def is_after_lone_cr(before: bytes | bytearray) -> bool:
    """Whether a message that follows upon these bytes (four are enough) is one of lines that end with CR."""
    return before.endswith((b"\r", b"\r" + BOM))


class Splitter:
    """Finds the messages of one mbox.

    After `next` has returned True, ``buffer[begin:end]`` is a message from its first header field on, without the empty
    line that ends it, valid until the next call (of a message that is too long for memory, the front);
    ``offset`` and ``length`` are its place in the file.
    """

    def __init__(
        self,
        file: Readable,
        start: int = 0,
        stop: int | None = None,
        before: bytes = _START_OF_FILE,
        *,
        series: bool | None = None,
        mboxrd: bool | None = None,
    ) -> None:
        """``start``: where in the file ``file`` stands; messages that begin at ``stop`` or later are not given.

        ``before``: what stands before that place, `BEFORE` bytes if there are so many; by default an empty line, which
        is right at the start of the file and of a From_ line.  ``series``: the file is made of git's patches;
        ``mboxrd``: it was written as mboxrd; by default its front is looked at, which ``file`` then must begin with.
        """
        self._file = file
        self._stop = _FAR if stop is None else stop
        # A part in which no message begins is not read further.
        self._last_start = stop if start else None
        self._series = False if series is None and start else series
        self._mboxrd = bool(mboxrd)
        # The empty line may not be in the file: then there is one rule, not two.
        self.buffer = bytearray(_BLOCK)
        self.buffer[: len(before)] = before
        self._filled = len(before)
        self._base = start - len(before)  # the place in the file of buffer[0], for what lies after _searched
        self._searched = len(before)
        self._limit = 0  # where the search for separators ends for now
        self._kept = 0  # where the current message begins in the buffer; 0 before the first
        self._cut = False  # the middle of the current message was let go
        self._at_end = False
        self._error: SourceError | None = None
        self._next_separator = 0
        self._judged = 0  # where the next message begins, if its separator had to be judged
        self._is_odd = False  # the separator of the next message was
        self._is_system = False  # and it is that of a mail system
        self._length_at = (
            0  # up to this place in the file, there is no Content-Length after the current message's start
        )
        self._covered = 0  # up to this place in the file, the current message goes on by its Content-Length
        self.at_front = not start
        """It began at the start of the file."""
        self.begin = self.end = self.offset = self.length = 0
        self.from_system = False
        """The From_ line of the message is that of a mail system."""
        self.tell: Callable[[Doubt], None] = _say_nothing
        """Gets each line that is to be named."""
        self.first = -1
        """The place of the first From_ line, which may be beyond ``stop``; -1 if there is none."""
        self.junk = False
        """Something other than white space stands before that."""

    @property
    def place(self) -> int:
        """The place in the file up to which it was read."""
        return self._base + self._filled

    def next(self) -> bool:
        """Go to the next message; False after the last.

        If the file could not be read to its end, its `SourceError` comes after the last whole message.
        """
        if not self._kept and not self._enter():
            return False
        if self._kept < 0 or self._next_separator >= self._stop:
            return False
        if self._length_at < self._next_separator + AHEAD:
            self._cover()
        self.begin, self._cut = self._kept, False
        self.offset = self._base + self.begin
        odd = self._is_odd
        if odd or self.from_system:
            self.from_system, self._is_odd, self._is_system = self._is_system, False, False
        at = self._seek()
        self.begin = self._kept
        end = self._filled if at < 0 else at
        if self._judged:
            end = self._without_blank_line(end)
        elif self.buffer[end - 1] == _LF:
            if self.buffer[end - 2] == _LF:
                end -= 1
            elif self.buffer[end - 3 : end] == b"\n\r\n":
                end -= 2
        self.length = self._base + end - self.offset
        self.end = min(end, self.begin + _KEEP) if self._cut else end
        if odd:
            self._unify()
        self._kept = -1 if at < 0 else self._after(at)
        return True

    def _enter(self) -> bool:
        """Find the first message of the file."""
        if self._series is None:
            front = self._filled
            while self._filled < front + FRONT and not self._at_end:
                self._read()
            text = bytes(self.buffer[front : front + FRONT])
            self._series, self._mboxrd = is_patch_series(text), is_mboxrd(text)
        if self._mboxrd:
            self._length_at = _FAR  # no Content-Length counts
        at = self._seek()
        self.junk |= bool(self.buffer[: at if at >= 0 else self._filled].strip(_NOTHING))
        if at < 0:
            return False
        self._kept = self._after(at)
        self.first = self._next_separator
        return True

    def _after(self, at: int) -> int:
        """Where the message begins whose From_ line stands at ``at``."""
        self._next_separator = self._base + at
        if self._judged:
            self._searched, self._judged, self._is_odd = self._judged, 0, True
            self._is_system = self.buffer.startswith(b"From MAILER-DAEMON ", at)
        else:
            self._searched = self.buffer.index(b"\n", at) + 1
        return self._searched

    def _seek(self) -> int:
        """The place of the next separator; -1 if there is none."""
        buffer = self.buffer
        while True:
            at, limit = self._searched, self._limit
            covered = self._covered - self._base
            while at < limit and (at := find(buffer, b"From ", at, limit)) >= 0:
                before = buffer[at - 1]
                if (
                    before == _LF
                    and ((other := buffer[at - 2]) == _LF or (other == _CR and buffer[at - 3] == _LF))
                    and at >= covered
                    and STRICT.match(buffer, at, self._filled)
                ):
                    return at
                if before not in _ESCAPES and (before == _LF or not self._mboxrd) and self._judge(at, covered):
                    return at
                at += 5
            if self._at_end:
                if self._error:
                    raise self._error
                return -1
            self._searched = max(self._searched, limit - 4)
            if not self._kept and self._last_start is not None and self._base + self._searched >= self._last_start:
                return -1
            self._read()

    def _judge(self, at: int, covered: int) -> bool:
        """Whether a line that is not of the strict form is a separator; what is to be said of it is noted."""
        end = min(self._filled, at + AHEAD)
        at_end = self._at_end and end == self._filled
        ground, begin, reason = judge(
            self.buffer, at, end, at_end=at_end, series=bool(self._series), mboxrd=self._mboxrd
        )
        if ground is Ground.TEXT:
            return False
        place = self._base + at
        if at < covered:
            if ground is not Ground.PASSED:
                ground = Ground.LOST if self._is_whole(begin, covered) else Ground.PASSED
                self._note(place, "inside a message by its Content-Length", ground)
            return False
        if ground >= Ground.WEAK:
            if ground is Ground.WEAK and place < self._stop:
                self.tell(Doubt(place, reason, ground))
            self._judged = begin
            return True
        if ground is Ground.PATCH:
            ground = Ground.PASSED if self._is_in_a_part(at) else Ground.LOST
        self._note(place, reason, ground)
        return False

    def _is_whole(self, begin: int, covered: int) -> bool:
        """Whether the message at ``begin``, in one that goes on to ``covered``, has a Content-Length that counts.

        Then both may be meant: an mbox in a mail, or a field that somebody wrote to hide the mail of others.
        """
        length = _length_of(self.buffer, begin, min(covered, begin + AHEAD)) if begin else None
        end = begin + (length or 0)
        return length is not None and end <= covered and _counts(self.buffer, end, self._filled, at_end=self._at_end)

    def _note(self, place: int, reason: str, ground: Ground) -> None:
        """Name a line that was not taken, unless it belongs to a message of another part of the file."""
        if self._kept or self.at_front:
            self.tell(Doubt(place, reason, ground))

    def _is_in_a_part(self, at: int) -> bool:
        """Whether a place is in a MIME part of the current message, or at the beginning of its body."""
        begin = self._kept
        header = _END_OF_HEADER.search(self.buffer, begin - 1, min(at, begin + MAX_BLOCK)) if begin else None
        if header is None or header.end() == at:
            return header is not None
        found = _BOUNDARY.search(self.buffer, begin, header.start())
        if found is None:
            return False
        delimiter = b"--" + (found[1] or found[2])
        body, end = header.end(), min(at, begin + _KEEP)
        return self.buffer.find(delimiter, body, end) >= 0 and self.buffer.find(delimiter + b"--", body, end) < 0

    def _without_blank_line(self, end: int) -> int:
        """The end of the message at ``end``, before whatever stands between it and a From_ line that is not strict."""
        front = max(self._kept, end - BEFORE)
        rest = bytes(self.buffer[front:end]).rstrip(b"\0").removesuffix(BOM)
        blank = _BLANK_LINE.search(rest)
        return front + (blank.start(1) if blank else len(rest))

    def _unify(self) -> None:
        """Lines of a message that end with CR get LF, and so does what stands before it."""
        begin, end = self.begin, self.end
        if is_after_lone_cr(self.buffer[max(0, begin - 4) : begin]):
            self.buffer[begin:end] = with_line_feeds(bytes(self.buffer[begin:end]))
        self.buffer[begin - 1] = _LF

    def _cover(self) -> None:
        """Find out whether the message at ``_kept`` has a Content-Length that counts, and how far it goes."""
        at = self._length_at - self._base
        if at < self._kept or self.buffer[at : at + len(LENGTH_FIELD)] != LENGTH_FIELD:
            at = find(self.buffer, LENGTH_FIELD, max(self._kept - 1, 0), self._filled)
            if at < 0:
                self._length_at = _FAR if self._at_end else self._base + self._filled - len(LENGTH_FIELD)
                return
            self._length_at = self._base + at
        ahead = self._next_separator - self._base + AHEAD
        length = _length_of(self.buffer, self._kept, min(ahead, self._filled))
        if length is None:
            return
        front = self._kept + length + BEFORE  # of what has to be looked at
        while self._filled < front + 2 * AHEAD and not self._at_end:
            kept = self._kept
            self._read()
            front += self._kept - kept
        end = self._kept + length
        if _counts(self.buffer, end, self._filled, at_end=self._at_end):
            self._covered = self._base + end

    def _read(self) -> None:
        if self._filled == len(self.buffer):
            self._make_room()
        with memoryview(self.buffer) as view, view[self._filled :] as free:
            try:
                got = self._file.readinto(free) or 0
            except SourceError as error:
                self._error, got = error, 0
        self._filled += got
        self._at_end = not got
        self._limit = self._filled if self._at_end else self._filled - AHEAD

    def _make_room(self) -> None:
        """Move the current message to the front, or let the buffer grow, or let the message's middle go."""
        buffer, filled = self.buffer, self._filled
        front = max(0, (self._kept or self._searched) - BEFORE)
        if front:
            if not self._kept:
                self.junk |= bool(buffer[:front].strip(_NOTHING))
            else:
                self._kept -= front
            buffer[: filled - front] = buffer[front:filled]
            gone = front
        elif filled < _KEEP + 2 * _BLOCK:
            buffer.extend(bytes(min(filled, _KEEP + 2 * _BLOCK - filled)))
            return
        else:
            tail = self._searched - BEFORE
            gone = tail - (self._kept + _KEEP)
            buffer[tail - gone : filled - gone] = buffer[tail:filled]
            self._cut = True
        self._base += gone
        self._filled -= gone
        self._searched -= gone


def _length_of(buffer: bytearray, begin: int, end: int) -> int | None:
    """How long the message at ``begin`` is by its Content-Length; None if none that may count stands before ``end``."""
    header = _END_OF_HEADER.search(buffer, begin - 1, end)
    if header is None:
        return None
    field = _LENGTH.search(buffer, begin - 1, header.start() + 1 + len(header[1]))
    if field is None or int(field[1]) > COVERED:
        return None
    return header.end() + int(field[1]) - begin


def _counts(buffer: bytearray, end: int, filled: int, *, at_end: bool) -> bool:
    """Whether the file ends at ``end``, or a separator of a message that has a Content-Length too stands there."""
    if end > filled:
        return False
    if at_end and _FILE_ENDS.match(buffer, end, filled):
        return True
    line = _SEPARATOR_IS_NEXT.match(buffer, end, filled)
    if line is None:
        return False
    ahead = min(filled, line.end() + AHEAD)
    verdict = judge(buffer, line.end(), ahead, at_end=at_end and ahead == filled, series=False)
    if verdict.ground < Ground.WEAK:
        return False
    header = _END_OF_HEADER.search(buffer, verdict.begin - 1, ahead)
    return _LENGTH.search(buffer, verdict.begin - 1, header.end() if header else ahead) is not None
