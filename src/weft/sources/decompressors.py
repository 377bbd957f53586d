"""The four compressed formats: told apart by their first bytes, decoded by objects of one shape.

gzip (RFC 1952), xz, bzip2 and zstd (RFC 8878).  A decoder is for one member or frame; it holds at most `MAX_WINDOW`
bytes of what it made, whatever the file asks for.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from typing import Protocol

SNIFF = 6
"""So many first bytes tell the formats apart."""
MAX_WINDOW = 128 * 1024 * 1024
"""The largest xz dictionary or zstd window: ``xz -9`` and ``zstd --ultra -22`` need no more."""

_XZ_OVERHEAD = 1024 * 1024


class Decompressor(Protocol):
    """The shape of the standard library's incremental decompressors."""

    @property
    def eof(self) -> bool:
        """The member has ended."""

    @property
    def needs_input(self) -> bool:
        """There is nothing more to come out before something is put in."""

    @property
    def unused_data(self) -> bytes:
        """What was put in and lies after the end of the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Put ``data`` in, take at most ``max_length`` bytes out.  Each format has exceptions of its own."""


def format_of(head: bytes) -> str | None:
    """``gzip``, ``xz``, ``bzip2`` or ``zstd`` by the first `SNIFF` bytes of a file; None if it is none of them."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"\xfd7zXZ\0"):
        return "xz"
    if head[:3] == b"BZh" and b"1" <= head[3:4] <= b"9" and head[4:6] in (b"1A", b"\x17r"):
        return "bzip2"
    skippable = b"\x50" <= head[:1] <= b"\x5f" and head[1:4] == b"\x2a\x4d\x18"
    return "zstd" if skippable or head.startswith(b"\x28\xb5\x2f\xfd") else None


def decoder_maker(kind: str) -> Callable[[], Decompressor]:
    """What makes decoders of a format that `format_of` gave.  `ImportError` if this Python was built without it."""
    return _MAKERS[kind]()


def _gzip() -> Callable[[], Decompressor]:
    try:
        from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor
    except ImportError:  # no wheel for this machine: slower, the same bytes
        return Inflate
    return lambda: IgzipDecompressor(DECOMP_GZIP)


def _xz() -> Callable[[], Decompressor]:
    import lzma

    return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_WINDOW + _XZ_OVERHEAD)


def _bzip2() -> Callable[[], Decompressor]:
    import bz2

    return bz2.BZ2Decompressor


def _zstd() -> Callable[[], Decompressor]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW.bit_length() - 1}
    return lambda: zstd.ZstdDecompressor(options=options)


_MAKERS = {"gzip": _gzip, "xz": _xz, "bzip2": _bzip2, "zstd": _zstd}


class Inflate:
    """The standard library's zlib in the shape of a `Decompressor` of gzip."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """The member has ended."""
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        """What was put in and lies after the end of the member."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Put ``data`` in, take at most ``max_length`` bytes out."""
        raw = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = not self._zlib.unconsumed_tail and len(raw) < max_length
        return raw


_TOO_LARGE = ("memory usage limit", "too much memory", "memory limit")


def explain(kind: str, error: Exception) -> str:
    """One line about what a decoder raised."""
    if isinstance(error, MemoryError) or any(words in str(error).lower() for words in _TOO_LARGE):
        return f"its {kind} window is larger than {MAX_WINDOW >> 20} MiB; recompress it with a smaller one"
    return f"corrupt {kind}"
