"""Messages of protobuf, as they are on the wire."""

from __future__ import annotations

from collections import defaultdict
from typing import Any


class RefusedError(Exception):
    """The document says that these bytes are refused."""


def need(holds: object) -> None:
    """The rule ``holds``, or what is looked at is refused."""
    if not holds:
        raise RefusedError


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    for length in range(1, 11):
        need(at + length <= len(data))
        if data[at + length - 1] < 128:
            return sum((byte & 127) << 7 * n for n, byte in enumerate(data[at : at + length])), at + length
    raise RefusedError


def message(data: bytes) -> dict[int, list[Any]]:
    """The fields of a message by number: numbers and bytes."""
    found: dict[int, list[Any]] = defaultdict(list)
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        need(key & 7 in (0, 2) and key >> 3)
        if key & 7 == 2:
            need(at + value <= len(data))
            found[key >> 3].append(data[at : at + value])
            at += value
        else:
            found[key >> 3].append(value)
    return found


def written(number: int) -> bytes:
    """A number as the shortest varint."""
    return bytes((number & 127 | 128,)) + written(number >> 7) if number > 127 else bytes((number,))


def field(number: int, value: bytes) -> bytes:
    """A field of bytes."""
    return written(number << 3 | 2) + written(len(value)) + value


def last(values: list[Any], default: Any = b"") -> Any:  # noqa: ANN401 - a number or bytes
    """Of a field that is not repeated: the value that counts."""
    return values[-1] if values else default
