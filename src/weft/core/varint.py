"""Numbers as Protocol Buffers write them: varints, seven bits a byte, the low ones first."""

from __future__ import annotations


def varint(number: int) -> bytes:
    """The shortest encoding of a number that is not negative."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
