"""Files of mail, compressed or not, as streams with caps.

Theory of operation
-------------------
What a file is, its first bytes say and not its name (`weft.sources.decompressors`).  One loop serves the four
compressed formats; it goes on over many members (``cat a.gz b.gz``) and over the zero bytes that pad them.

Who can lie: whoever made the file, about how much comes out of it.  Nothing is allocated on its word.  What comes out
is counted against what went in: after `FREE` bytes, more than ``max_ratio`` for each byte read is a bomb, and so
are more than `MAX_OUTPUT` in any case.

A file that is damaged or cut short gives all that can be decoded of it, then a `SourceError`.  A decoder that finds
damage forgets what it had just made; so, if the file can be read again, the member is decoded again, and fed byte by
byte where the damage is.  (Of a pipe, up to `_SLICE` bytes before the damage are lost.)

Lines that end in CR alone, as on the first Macintoshes, are given with LF: a file is of that kind if its first line is.

Reasons are single lines that do not name the file: whoever reads it knows its name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol, Self, cast

from weft._patterns import deferred
from weft.errors import BombError, SourceError
from weft.sources.decompressors import SNIFF, Decompressor, decoder_maker, explain, format_of

FREE = 16 * 1024 * 1024
"""So much may come out of a file whatever its size."""
MAX_OUTPUT = 1 << 40
"""No file may unfold to more than this (1 TiB)."""

_CHUNK = 64 * 1024
_SLICE = 64 * 1024
_FIRST_STEP = 256
_FIRST_LINE = 4096
_ENDS_IN_CR = deferred(rb"(?:\xef\xbb\xbf)?(?:From |BABYL |={60}|[0-9]+ *\r|[!-9;-~]+[ \t]*:)[^\r\n]*\r(?=[^\n])")
_PADDING = deferred(rb"\0*+")


class MailStream(Protocol):
    """Octets of mail, from the front to the end, once."""

    name: str

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill ``buffer`` from its front; the number of bytes, 0 at the end.  `SourceError` where it cannot go on."""

    def close(self) -> None:
        """Let go of the file, if `open_mail` opened it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Raw(Protocol):
    """What `wrap` reads from: a binary file, buffered or not, as `io` has them."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill ``buffer`` from its front."""

    def seekable(self) -> bool:
        """Whether `seek` and `tell` work."""

    def seek(self, offset: int, /) -> int:
        """Go to an offset."""

    def tell(self) -> int:
        """The offset."""

    def close(self) -> None:
        """Close the file."""


def open_mail(path: Path, max_ratio: int = 200, *, translate: bool = True) -> MailStream:
    """Open a file for reading, unpacked if it is compressed.  `SourceError` if it cannot be opened.

    ``translate``: lines that end in CR alone get LF, if the first one is such.
    """
    try:
        raw = path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        raise SourceError(reason(error)) from error
    try:
        return _stream(_Input(raw, str(path), owned=True), max_ratio, translate=translate)
    except BaseException:
        raw.close()
        raise


def wrap(raw: Raw | BinaryIO, name: str, max_ratio: int = 200, *, translate: bool = True) -> MailStream:
    """The stream of a file that is open already, such as standard input.  Closing the stream leaves ``raw`` open."""
    # What is typed as BinaryIO has all of Raw's methods when it is a real file.
    return _stream(_Input(cast("Raw", raw), name, owned=False), max_ratio, translate=translate)


def is_compressed(path: Path) -> bool:
    """Whether a file is of one of the four formats.  `OSError` if it cannot be read."""
    with path.open("rb", buffering=0) as raw:
        return format_of(raw.read(SNIFF)) is not None


def is_translated(path: Path) -> bool:
    """Whether a file gives other bytes than lie on disk: it is compressed, or its lines end in CR alone.  `OSError`."""
    with path.open("rb", buffering=0) as raw:
        head = raw.read(_FIRST_LINE)
        return format_of(head[:SNIFF]) is not None or _ENDS_IN_CR.match(head) is not None


def read_head(path: Path, size: int) -> tuple[str | None, bytes]:
    """The format that a file is compressed in, if it is, and the first ``size`` bytes inside it.

    `OSError` if the file cannot be read, `SourceError` if it cannot be decompressed.
    """
    with path.open("rb", buffering=0) as raw:
        head = raw.read(size)
        kind = format_of(head[:SNIFF])
        if kind is None:
            return None, head
        raw.seek(0)
        with wrap(raw, str(path)) as stream:
            return kind, _fill(stream, size)


def _fill(stream: MailStream, size: int) -> bytes:
    buffer, filled = bytearray(size), 0
    with memoryview(buffer) as view:
        while filled < size and (got := stream.readinto(view[filled:])):
            filled += got
    return bytes(buffer[:filled])


def reason(error: Exception) -> str:
    """Why a system call failed, on one line and without the name of the file."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _stream(source: _Input, max_ratio: int, *, translate: bool) -> MailStream:
    stream = _unpacked(source, max_ratio)
    return _Lines(stream) if translate else stream


def _unpacked(source: _Input, max_ratio: int) -> MailStream:
    kind = format_of(source.peek())
    if kind is None:
        return source
    try:
        make = decoder_maker(kind)
    except ImportError as error:
        raise SourceError(f"{kind}, which this Python cannot decompress; decompress it first") from error
    return _Unpacked(source, kind, make, max_ratio)


class _Input:
    """A file that counts what is read of it, and whose front can be looked at: the `MailStream` of a plain file."""

    def __init__(self, raw: Raw, name: str, *, owned: bool) -> None:
        self.name = name
        self.count = 0
        self._raw = raw
        self._owned = owned
        self._pushed = b""
        self._start = raw.tell() if raw.seekable() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._owned:
            self._raw.close()

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        if self._pushed:
            got = min(len(self._pushed), len(buffer))
            buffer[:got] = self._pushed[:got]
            self._pushed = self._pushed[got:]
        else:
            with memoryview(buffer) as view:
                got = self._read(view)
        self.count += got
        return got

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(buffer)])

    def peek(self) -> bytes:
        """The first `SNIFF` bytes (fewer if the file has fewer), which will be read again."""
        head, filled = bytearray(SNIFF), 0
        with memoryview(head) as view:
            while filled < SNIFF and (got := self._read(view[filled:])):
                filled += got
        self._pushed = bytes(head[:filled])
        return self._pushed

    def go_back(self, place: int) -> bool:
        """Go to ``place``, counted from where reading began; False if the file cannot."""
        if self._start is None:
            return False
        try:
            self._raw.seek(self._start + place)
        except (OSError, ValueError):
            return False
        self._pushed, self.count = b"", place
        return True

    def _read(self, view: memoryview) -> int:
        try:
            got = self._raw.readinto(view)
        except (OSError, ValueError) as error:
            raise SourceError(f"cannot be read: {reason(error)}") from error
        if got is None:
            raise SourceError("cannot be read: it is in non-blocking mode and has no data now")
        return got


class _Lines:
    """A stream whose lines end in LF, if those of the other one end in CR alone; else the same bytes."""

    def __init__(self, stream: MailStream) -> None:
        self.name = stream.name
        self._stream = stream
        self._translate: bool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        got = self._first(buffer) if self._translate is None else self._stream.readinto(buffer)
        if self._translate:
            buffer[:got] = bytes(buffer[:got]).replace(b"\r", b"\n")
        return got

    def _first(self, buffer: bytearray | memoryview) -> int:
        """Read so much that it can be seen how lines end."""
        filled, wanted = 0, min(len(buffer), _FIRST_LINE)
        with memoryview(buffer) as view:
            while filled < wanted:
                try:
                    got = self._stream.readinto(view[filled:])
                except SourceError:  # it comes again with the next call
                    if filled:
                        break
                    raise
                if not got:
                    break
                filled += got
            self._translate = _ENDS_IN_CR.match(view[:filled]) is not None
        return filled


class _Unpacked:
    """The stream of what is inside a compressed file."""

    def __init__(self, source: _Input, kind: str, make: Callable[[], Decompressor], max_ratio: int) -> None:
        self.name = source.name
        self._source = source
        self._kind = kind
        self._make = make
        self._max_ratio = max_ratio
        self._decoder: Decompressor | None = None
        self._chunk, self._at = b"", 0  # read of the file; from _at on not yet given to a decoder
        self._step = _FIRST_STEP
        self._made = 0  # by all members
        self._member_start = 0
        self._member_made = 0
        self._piece_start = 0
        self._ready = memoryview(b"")
        self._at_end = False
        self._error: SourceError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()

    @property
    def _used(self) -> int:
        """How many bytes of the file were given to decoders."""
        return self._source.count - len(self._chunk) + self._at

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill the whole of ``buffer``, unless the end or an error comes first."""
        filled, room = 0, len(buffer)
        while filled < room and (self._ready or self._advance()):
            got = min(len(self._ready), room - filled)
            buffer[filled : filled + got] = self._ready[:got]
            self._ready = self._ready[got:]
            filled += got
        if room and not filled and self._error:
            raise self._error
        return filled

    def _advance(self) -> bool:
        """Make some bytes ready; False at the end and at an error."""
        while not self._ready and not self._at_end and self._error is None:
            try:
                self._ready = memoryview(self._decode())
            except SourceError as error:
                self._error = error
        return bool(self._ready)

    def _decode(self) -> bytes:
        """Take one step; the bytes that it made, if any."""
        decoder = self._decoder
        if decoder is None:
            self._begin()
            return b""
        piece = self._feed() if decoder.needs_input else b""
        try:
            data = decoder.decompress(piece, _SLICE)
        except Exception as error:  # each format has its own
            self._error = SourceError(explain(self._kind, error))
            return self._salvage()
        self._made += len(data)
        self._member_made += len(data)
        if decoder.eof:
            self._give_back(decoder.unused_data)
            self._decoder = None
        self._check_caps()
        return data

    def _begin(self) -> None:
        """Go to the next member, over zero bytes, or to the end."""
        while True:
            found = _PADDING.match(self._chunk, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._chunk):
                break
            if not self._fill():
                self._at_end = True
                return
        while len(self._chunk) - self._at < SNIFF and self._fill():
            pass
        if format_of(self._chunk[self._at : self._at + SNIFF]) != self._kind:
            raise SourceError(f"something that is not {self._kind} follows after {self._used} bytes of {self._kind}")
        self._decoder, self._step = self._make(), _FIRST_STEP
        self._member_start, self._member_made = self._used, 0

    def _fill(self) -> bool:
        """Read more of the file; False at its end."""
        data = self._source.read(_CHUNK)
        self._chunk, self._at = self._chunk[self._at :] + data, 0
        return bool(data)

    def _feed(self) -> bytes:
        """What the decoder is given next: small pieces first, because a file may hold millions of tiny members."""
        if self._at == len(self._chunk) and not self._fill():
            raise SourceError(f"truncated {self._kind}")
        piece = self._chunk[self._at : self._at + self._step]
        self._piece_start = self._used
        self._at += len(piece)
        self._step = min(2 * self._step, _CHUNK)
        return piece

    def _give_back(self, unused: bytes) -> None:
        if len(unused) <= self._at:
            self._at -= len(unused)
        else:
            self._chunk, self._at = unused + self._chunk[self._at :], 0

    def _check_caps(self) -> None:
        if self._made > FREE and self._made > self._max_ratio * self._used:
            raise BombError(
                f"a bomb? {self._used} bytes of {self._kind} unfold to {self._made // self._used} times as many or "
                f"more; --max-ratio allows {self._max_ratio}"
            )
        if self._made > MAX_OUTPUT:
            raise BombError(f"unfolds to more than {MAX_OUTPUT >> 30} GiB; decompress it first")

    def _salvage(self) -> bytes:
        """Decode the damaged member again, its last piece byte by byte, for what the decoder lost with the error."""
        if not self._source.go_back(self._member_start):
            return b""
        decoder, made, saved = self._make(), 0, bytearray()
        try:
            while not decoder.eof and len(saved) < _SLICE:
                piece = b""
                if decoder.needs_input and not (piece := self._source.read(self._until_last_piece() or 1)):
                    break
                data = decoder.decompress(piece, _SLICE)
                made += len(data)
                if made > self._member_made:
                    saved += data[self._member_made - made :]
                    self._member_made = made
        except Exception:
            return bytes(saved)
        return bytes(saved)

    def _until_last_piece(self) -> int:
        return max(0, min(_CHUNK, self._piece_start - self._source.count))
