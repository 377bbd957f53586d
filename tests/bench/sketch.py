"""``python -m tests.bench.sketch``: what sketches cost, in symbols, bytes and CPU time, all from seeds.

Bytes are those of the symbols on the wire, as if the set had ``--size`` elements, and of listing the set instead.
Limits: 15 us for an element that comes into a kept sketch, 40 us a difference, 5 ms to load and send a kept one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from itertools import islice
from random import Random
from statistics import mean

from weft.exchange.riblt.codec import decode_symbols, encode_symbols, symbols_for
from weft.exchange.riblt.decoder import Decoder, DecoderStatus
from weft.exchange.riblt.mapping import keyed_hash, positions
from weft.exchange.riblt.sketch import KEPT_SYMBOLS, Sketch, encode_range
from weft.exchange.riblt.symbol import ELEMENT_BYTES, CodedSymbol

_RUNS = ((1, 300), (2, 300), (10, 300), (100, 60), (1000, 12), (10_000, 2))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="of the set, for bytes on the wire")
    parser.add_argument("--scan", type=int, default=50_000, help="elements that are added and scanned")
    arguments = parser.parse_args()
    keeping(arguments.scan)
    serving(arguments.size)
    print(f"\nlisting {arguments.size} elements: {arguments.size * ELEMENT_BYTES / 1e6:.1f} MB")
    print("differences: symbols a difference (mean, most); bytes, octets a difference; estimate; decoding")
    for differences, runs in _RUNS:
        decoding(differences, runs, arguments.size)
    grinding(20_000, 200)
    changing(200)
    never(20_000)


def keeping(count: int) -> None:
    """Print what an element costs in a kept sketch, and in scans for symbols beyond."""
    key, elements = _set(count, 0)
    sketch = Sketch(key)
    print(f"add to a kept sketch: {_spent(sketch.add_all, elements) / count * 1e6:.1f} us (limit 15)")
    for first, symbols in ((KEPT_SYMBOLS, 4096), (4 * KEPT_SYMBOLS, 4096), (KEPT_SYMBOLS, 60_000)):
        took = _spent(lambda at=first, many=symbols: encode_range(key, elements, at, many), None)
        print(f"scan for symbols {first} to {first + symbols - 1}: {took / count * 1e6:.1f} us an element")


def serving(size: int) -> None:
    """Print what a kept sketch costs to store, load and send."""
    key, elements = _set(2000, 1)
    sketch = Sketch(key)
    sketch.add_all(elements)
    data = sketch.dump()
    load = _spent(lambda: Sketch.load(key, data), None)
    send = _spent(lambda: encode_symbols(sketch.symbols(0, 64), 0, size), None)
    dump = _spent(sketch.dump, None)
    print(f"kept sketch: {len(data)} bytes, load {load * 1e3:.2f} ms, dump {dump * 1e3:.2f} ms")
    print(f"the first 64 symbols as bytes: {send * 1e3:.2f} ms")


def decoding(differences: int, runs: int, size: int) -> None:
    """Print one line of the table."""
    needed, data, estimates, spent = [], [], [], 0.0
    for seed in range(runs):
        key, elements = _set(differences, seed)
        count = 2 * symbols_for(differences)
        theirs = encode_range(key, elements[: differences // 2], 0, count)
        ours = encode_range(key, elements[differences // 2 :], 0, count)
        decoder = Decoder(key, count)
        decoder.receive(theirs[:32], ours[:32])
        estimates.append(decoder.estimate() / differences)
        decoder.receive(theirs[32:], ours[32:])
        assert decoder.status is DecoderStatus.DECODED
        assert set(decoder.only_theirs + decoder.only_ours) == set(elements)
        needed.append(decoder.received)
        run = encode_symbols(_as_of(theirs[: decoder.received], size, seed), 0, size)
        data.append(len(run))
        began = time.process_time()
        decode_symbols(run, 0, size)
        Decoder(key, count).receive(theirs, ours)
        spent += time.process_time() - began
    print(
        f"{differences:>6}: {mean(needed) / differences:5.2f}, {max(needed) / differences:5.2f};"
        f" {mean(data):9.0f} B, {mean(data) / differences:5.1f} B; {mean(estimates):4.2f};"
        f" {spent / runs / differences * 1e6:5.1f} us (limit 40)",
        flush=True,
    )


def grinding(candidates: int, runs: int) -> None:
    """Print what two elements that were chosen under one key cost under it, and under others."""
    key, elements = _set(candidates, 0)
    digest = keyed_hash(key)
    pair = sorted(elements, key=lambda element: next(islice(positions(digest(element)), 1, None)))[-2:]
    known = _needed(key, pair)
    others = sorted(_needed(_set(0, seed)[0], pair) for seed in range(runs))
    chance = sorted(_needed(key, _set(2, seed)[1]) for seed in range(runs))
    print(f"two elements ground out of {candidates} under a known key: {known} symbols")
    for name, needed in (("under keys that are not known", others), ("any two", chance)):
        print(f"  {name}: {mean(needed):.1f} on average, {needed[len(needed) * 99 // 100]} at the 99th percentile")


def _needed(key: bytes, elements: list[bytes]) -> int:
    """The symbols by which the elements are found."""
    decoder = Decoder(key, KEPT_SYMBOLS)
    decoder.receive(encode_range(key, elements, 0, KEPT_SYMBOLS), [CodedSymbol(0, 0)] * KEPT_SYMBOLS)
    return decoder.received


def changing(runs: int) -> None:
    """Print what becomes of a set of 100 differences that gets one more element at symbol 60."""
    ends: dict[str, list[int]] = {}
    for seed in range(runs):
        key, elements = _set(101, seed)
        decoder = Decoder(key, 600)
        symbols = encode_range(key, elements[1:], 0, 60) + encode_range(key, elements, 60, 540)
        status = decoder.receive(symbols, [CodedSymbol(0, 0)] * 600)
        right = set(decoder.only_theirs) == set(elements[1:])
        ends.setdefault(status.name + (" as before" if right else ""), []).append(decoder.received)
    for name, received in sorted(ends.items()):
        print(f"a set that changes at symbol 60: {name} {len(received)} of {runs}, after {mean(received):.0f} symbols")


def never(cap: int) -> None:
    """Print what symbols that never decode cost."""
    random = Random("never")
    junk = [CodedSymbol(random.getrandbits(192), random.choice((-1, 1))) for _ in range(cap)]
    decoder = Decoder(bytes(32), cap)
    took = _spent(lambda: decoder.receive(junk, [CodedSymbol(0, 0)] * cap), None)
    print(f"junk: {decoder.status.name} after {decoder.received} symbols, {took / cap * 1e6:.1f} us a symbol")


def _set(count: int, seed: int) -> tuple[bytes, list[bytes]]:
    """A key and different elements."""
    random = Random(f"sketch-{count}-{seed}")
    return random.randbytes(32), [random.randbytes(ELEMENT_BYTES) for _ in range(count)]


def _as_of(symbols: Iterable[CodedSymbol], size: int, seed: int) -> list[CodedSymbol]:
    """With counts as a set of ``size`` elements has them, since these make up the varints' length."""
    random = Random(seed)
    found = [CodedSymbol(0, size)]
    for at, symbol in enumerate(list(symbols)[1:], 1):
        share = 2 / (at + 2)
        found.append(CodedSymbol(symbol.xor, round(random.gauss(size * share, (size * share * (1 - share)) ** 0.5))))
    return found


def _spent(act: Callable[..., object], argument: object) -> float:
    """CPU seconds of a call, without or with an argument."""
    began = time.process_time()
    _ = act() if argument is None else act(argument)
    return time.process_time() - began


if __name__ == "__main__":
    main()
