"""The vectors for sketches, checked by a second program that shares nothing with the first."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from hashlib import blake2b, sha256
from typing import Any

from tests.vectors import VECTORS

CASES: dict[str, Any] = json.loads((VECTORS / "sketch.json").read_text())
KEY = bytes.fromhex(CASES["key"])
SECOND, THIRD = 4096, 16_384


def plain_hash(element: bytes) -> bytes:
    return blake2b(element, key=KEY, person=b"weft sketch v1", digest_size=64).digest()


def walk(seed: bytes, at: int, end: int) -> list[int]:
    state = int.from_bytes(seed, "big")
    found: list[int] = []
    while True:
        state = state * 0xDA942042E4DD58B5 % 2**64
        at += math.floor((at + 1.5) * (2.0**32 / math.sqrt(state + 1) - 1)) + 1
        if at >= end:
            return found
        found.append(at)


def plain_positions(element: bytes) -> list[int]:
    """Those below `THIRD`."""
    digest = plain_hash(element)
    return [0, *walk(digest[8:16], 0, SECOND), *walk(digest[16:24], SECOND - 1, THIRD)]


def some(count: int) -> list[bytes]:
    return [sha256(str(n).encode()).digest()[:16] for n in range(count)]


def varints(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The runs of 24 bytes, each with the number after it."""
    while data:
        length = next(n for n in range(1, 11) if data[23 + n] < 0x80)
        number = sum((byte & 0x7F) << 7 * n for n, byte in enumerate(data[24 : 24 + length]))
        yield data[:24], -(number + 1) // 2 if number % 2 else number // 2
        data = data[24 + length :]


def test_elements_have_their_hash_and_positions() -> None:
    assert [bytes.fromhex(case["element"]) for case in CASES["elements"]] == some(3)
    for case, element in zip(CASES["elements"], some(3), strict=True):
        assert plain_hash(element).hex() == case["hash"]
        found = plain_positions(element)
        assert found[:12] == case["positions"][: len(found)]
        beyond = [at for at in found if at >= SECOND]
        assert beyond
        assert case["beyond"][: len(beyond)] == beyond[:5]


def test_symbols_have_the_elements_their_checksums_and_their_number() -> None:
    for case in CASES["sets"]:
        placed = [(element + plain_hash(element)[:8], plain_positions(element)) for element in some(case["size"])]
        run = list(varints(bytes.fromhex(case["symbols"])))
        assert len(run) == case["count"]
        for at, (data, surplus) in enumerate(run, case["first"]):
            inside = [coded for coded, where in placed if at in where]
            xor = 0
            for coded in inside:
                xor ^= int.from_bytes(coded, "big")
            assert int.from_bytes(data, "big") == xor
            assert len(inside) == surplus + 2 * case["size"] // (at + 2)


def test_differences_decode_by_so_many_symbols_and_not_before() -> None:
    for case in CASES["differences"]:
        theirs = 50 + case["only_theirs"]
        difference = some(theirs + case["only_ours"])[50:]
        assert case["status"] == "DECODED"
        assert peeled(difference, case["symbols"])
        assert not peeled(difference, case["symbols"] - 1)


def peeled(difference: list[bytes], count: int) -> bool:
    """Whether so many symbols show all of a difference, one element at a time."""
    where = {element: plain_positions(element) for element in difference}
    inside = [{element for element in difference if at in where[element]} for at in range(count)]
    while alone := next((symbol for symbol in inside if len(symbol) == 1), None):
        element = next(iter(alone))
        for symbol in inside:
            symbol.discard(element)
    return bool(inside) and not any(inside)
