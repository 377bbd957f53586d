"""Growth: each path at several sizes, as cost a message, and whether it grows faster than n log n.

Theory of operation
-------------------
What costs n log n costs log n a message.  So between a size and a larger one the cost of a message (of an addition, of
a look-up) may grow as the logarithms of the sizes do, times `TOLERANCE` for caches that the larger one no longer fits
into and for what the machine does besides.  Beyond that it is a defect.  What is the same for every size, the start of
the interpreter, is taken off first: it would hide growth.  Costs below `NOISE` microseconds prove nothing.
"""

from __future__ import annotations

import gc
import json
import math
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from random import Random

from tests.bench.exchange import BATCH, Numbered, grow, sync
from weft.core.forest import ForestBuilder

TOLERANCE = 1.25
NOISE = 0.2
_STEP = 20_000


@dataclass(frozen=True, slots=True)
class Series:
    """A path: (size, cost) of each size, ascending; ``unit`` says what the cost is."""

    name: str
    unit: str
    points: tuple[tuple[int, float], ...]

    @property
    def excess(self) -> float:
        """The largest growth between two sizes, divided by that of n log n; 1.0 is n log n."""
        worst = 0.0
        for place, (size, cost) in enumerate(self.points):
            for larger, more in self.points[place + 1 :]:
                allowed = math.log(larger) / math.log(size)
                worst = max(worst, max(more, NOISE) / max(cost, NOISE) / allowed)
        return worst

    @property
    def verdict(self) -> str:
        """What the figures say."""
        if len(self.points) < 2:
            return "one size only"
        if self.excess > TOLERANCE:
            return f"grows faster than n log n (by {self.excess:.2f})"
        return f"within n log n ({self.excess:.2f})"


def series(name: str, unit: str, points: Sequence[tuple[int, float]]) -> Series:
    """A series in the order of its sizes."""
    return Series(name, unit, tuple(sorted(points)))


def conversations(messages: int, random: Random) -> Iterator[tuple[bytes, list[bytes]]]:
    """(id, References) without end of memory: threads of the usual sizes, at most 20 references, half of them short."""
    made = 0
    while made < messages:
        size = 1 if random.random() < 0.25 else min(834, max(1, int(random.lognormvariate(math.log(4.2), 1.05))))
        thread: list[tuple[bytes, list[bytes]]] = []
        for _ in range(min(size, messages - made)):
            name = b"%x.%016x.%d@mail%d.host.example" % (1_000_000_000 + made, random.getrandbits(64), made, made % 50)
            chain: list[bytes] = []
            if thread:
                above, before = thread[0] if random.random() < 0.45 else random.choice(thread)
                chain = [*before, above][-20:]
            thread.append((name, chain))
            made += 1
        yield from thread


def forest(messages: int) -> float:
    """Microseconds of CPU a message of the forest alone: ids interned, claims woven, cycles cut; no bytes are read."""
    builder, spent = ForestBuilder(), 0.0
    source = conversations(messages, Random(1))
    gc.disable()
    while batch := list(islice(source, _STEP)):
        began = time.process_time()
        [nodes] = builder.nodes([[name for name, _ in batch]])
        chains = builder.nodes([chain for _, chain in batch])
        for node, chain in zip(nodes, chains, strict=True):
            builder.add(node, chain[-1:], len(chain) > 0, chain)
        spent += time.process_time() - began
    began = time.process_time()
    made = builder.forest()
    spent += time.process_time() - began
    gc.enable()
    assert len(made.parents) == messages
    return spent / messages * 1e6


def mirror(messages: int, differences: int = 1000) -> float:
    """Microseconds of CPU for each claim that only one of two mirrors holds, both machines, beside what both hold."""
    old = [sha256(b"%d" % n).digest()[:16] for n in range(messages)]
    ours, theirs = Numbered(old), Numbered(old)
    sync(ours, theirs)
    spent = []
    for turn in range(5):
        start = BATCH + 4 * turn * differences  # not 0, whose mail would name itself
        grow(ours, start, differences // 2)
        grow(theirs, start + differences, differences // 2)
        spent.append(sum(side.seconds for side in sync(ours, theirs)))
    return min(spent) / differences * 1e6


def main() -> None:
    """``python -m tests.bench.growth forest|mirror MESSAGES``: one figure in a process of its own."""
    what = {"forest": forest, "mirror": mirror}[sys.argv[1]]
    value = what(int(sys.argv[2]))
    print(json.dumps([value, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))


if __name__ == "__main__":
    main()
