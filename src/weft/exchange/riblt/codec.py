"""A run of coded symbols as bytes.

Each symbol is its xor, 24 bytes (the elements' 16, then the checksums' 8), and its count as a varint, of 1 or 2 bytes
mostly: the zigzag form of how far it is from what is expected, ``2 * size // (i + 2)`` for symbol i of a set with
``size`` elements.  The size and the index of the first symbol stand beside the run.  Symbol 0 has all elements, so its
count is the size, and its varint one byte.

How many differences there are, from the counts of the first symbols.

Theory of operation
-------------------
Symbol i of a difference of d elements counts each of them, as 1 or -1, with probability p = 2 / (i + 2).  Symbol 0 has
them all: its count is the surplus s of one side.  The count of symbol i then is s * p on average, with variance
d * p * (1 - p), so each symbol gives a square whose average is d.  The mean over m symbols has a relative standard
error of the square root of 2 / m: a quarter for 32.  That is near enough to choose a number of symbols, or listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weft.core.varint import varint
from weft.errors import SymbolsError
from weft.exchange.riblt.mapping import MAX_SYMBOLS
from weft.exchange.riblt.symbol import SYMBOL_BYTES, CodedSymbol

MIN_BYTES = SYMBOL_BYTES + 1
"""Of one symbol on the wire."""
_MAX_SIZE = 1 << 62
_MAX_SHIFT = 63


def encode_symbols(symbols: Iterable[CodedSymbol], first: int, size: int) -> bytes:
    """The bytes of symbols ``first`` and on, of a set of ``size`` elements."""
    parts = []
    for at, symbol in enumerate(symbols, first):
        parts.append(symbol.xor.to_bytes(SYMBOL_BYTES, "big"))
        parts.append(_varint(symbol.count - 2 * size // (at + 2)))
    return b"".join(parts)


def decode_symbols(data: bytes, first: int, size: int) -> list[CodedSymbol]:
    """The opposite of `encode_symbols`; `SymbolsError` if the bytes end within a symbol, or a number is too large.

    At most ``len(bytes) / MIN_OCTETS`` symbols.  The peer can lie about all three.
    """
    if not 0 <= size < _MAX_SIZE or not 0 <= first <= MAX_SYMBOLS:
        raise _refused("no set has that size, or no symbol that index")
    symbols: list[CodedSymbol] = []
    start = 0
    while start < len(data):
        xor = int.from_bytes(data[start : start + SYMBOL_BYTES], "big")
        surplus, start = _read_varint(data, start + SYMBOL_BYTES)
        symbols.append(CodedSymbol(xor, surplus + 2 * size // (first + len(symbols) + 2)))
    if first + len(symbols) > MAX_SYMBOLS:
        raise _refused(f"they go beyond the first {MAX_SYMBOLS}")
    return symbols


def _varint(value: int) -> bytes:
    """Zigzag (0, -1, 1, -2 ... are 0, 1, 2, 3 ...), as in Protocol Buffers."""
    return varint(value << 1 if value >= 0 else ~(value << 1))


def _read_varint(data: bytes, start: int) -> tuple[int, int]:
    """The value at ``start``, and where it ends."""
    value = shift = 0
    while start < len(data) and shift <= _MAX_SHIFT:
        byte = data[start]
        start += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value >> 1 ^ -(value & 1), start
        shift += 7
    raise _refused("they are cut, or a count is too large")


def _refused(reason: str) -> SymbolsError:
    return SymbolsError(f"coded symbols refused: {reason}")


ESTIMATE_SYMBOLS = 32
"""More are not looked at: the first decode what is few anyway."""


def estimate(counts: Sequence[int]) -> int:
    """About how many differences there are, from the counts of the first symbols of a difference, at least |surplus|.

    0 without symbols.  The peer can make it anything.
    """
    if not counts:
        return 0
    surplus = counts[0]
    squares = [
        # (count - s p)^2 / (p (1 - p)), in integers as far as they go.
        (count * (at + 2) - 2 * surplus) ** 2 / (2 * at)
        for at, count in enumerate(counts[1:ESTIMATE_SYMBOLS], 1)
    ]
    return max(abs(surplus), round(sum(squares) / len(squares)) if squares else 0)


def symbols_for(differences: int) -> int:
    """By how many symbols so many differences are decoded nearly always (1.4 each, more if few): to plan with."""
    return differences * 3 // 2 + 40
