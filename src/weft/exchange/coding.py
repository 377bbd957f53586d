"""A run of coded symbols as octets.

Each symbol is its xor, 24 octets (the elements' 16, then the checksums' 8), and its count as a varint, of 1 or 2 octets
mostly: the zigzag form of how far it is from what is expected, ``2 * size // (i + 2)`` for symbol i of a set with
``size`` elements.  The size and the index of the first symbol stand beside the run.  Symbol 0 has all elements, so its
count is the size, and its varint one octet.
"""

from __future__ import annotations

from collections.abc import Iterable

from weft.errors import WeftError
from weft.exchange.mapping import MAX_SYMBOLS
from weft.exchange.symbol import SYMBOL_OCTETS, CodedSymbol

MIN_OCTETS = SYMBOL_OCTETS + 1
"""Of one symbol on the wire."""
_MAX_SIZE = 1 << 62
_MAX_SHIFT = 63


class SymbolsError(WeftError):
    """Octets of a peer are not a run of coded symbols."""


def encode_symbols(symbols: Iterable[CodedSymbol], first: int, size: int) -> bytes:
    """The octets of symbols ``first`` and on, of a set of ``size`` elements."""
    parts = []
    for at, symbol in enumerate(symbols, first):
        parts.append(symbol.xor.to_bytes(SYMBOL_OCTETS, "big"))
        parts.append(_varint(symbol.count - 2 * size // (at + 2)))
    return b"".join(parts)


def decode_symbols(octets: bytes, first: int, size: int) -> list[CodedSymbol]:
    """The opposite of `encode_symbols`; `SymbolsError` if the octets end within a symbol, or a number is too large.

    At most ``len(octets) / MIN_OCTETS`` symbols.  The peer can lie about all three.
    """
    if not 0 <= size < _MAX_SIZE or not 0 <= first <= MAX_SYMBOLS:
        raise _refused("no set has that size, or no symbol that index")
    symbols: list[CodedSymbol] = []
    start = 0
    while start < len(octets):
        xor = int.from_bytes(octets[start : start + SYMBOL_OCTETS], "big")
        surplus, start = _read_varint(octets, start + SYMBOL_OCTETS)
        symbols.append(CodedSymbol(xor, surplus + 2 * size // (first + len(symbols) + 2)))
    if first + len(symbols) > MAX_SYMBOLS:
        raise _refused(f"they go beyond the first {MAX_SYMBOLS}")
    return symbols


def _varint(value: int) -> bytes:
    """Zigzag (0, -1, 1, -2 ... are 0, 1, 2, 3 ...), seven bits an octet, lowest first, as in Protocol Buffers."""
    rest = value << 1 if value >= 0 else ~(value << 1)
    octets = bytearray()
    while rest > 0x7F:
        octets.append(rest & 0x7F | 0x80)
        rest >>= 7
    octets.append(rest)
    return bytes(octets)


def _read_varint(octets: bytes, start: int) -> tuple[int, int]:
    """The value at ``start``, and where it ends."""
    value = shift = 0
    while start < len(octets) and shift <= _MAX_SHIFT:
        octet = octets[start]
        start += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value >> 1 ^ -(value & 1), start
        shift += 7
    raise _refused("they are cut, or a count is too large")


def _refused(reason: str) -> SymbolsError:
    return SymbolsError(f"coded symbols refused: {reason}")
