"""``python -m tests.bench.live_forest``: what a claim costs in the live forest, over nodes in dictionaries.

Prints CPU microseconds a claim (limit 80 for real mail in any order), nodes read a claim, and the slowest claim.  With
the environment variable ``WEFT_CORPORA`` the mail of its folder ``kernel`` too.  Every result is compared with the
batch forest, outside the time that is measured.
"""

from __future__ import annotations

import argparse
import gc
import lzma
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.core.dict_nodes import DictNodes
from tests.generate import generate
from weft.core.forest import ForestBuilder
from weft.core.header import scan
from weft.core.incremental_forest import IncrementalForest, interpret

_SPLIT = re.compile(rb"(?:\A|\n\n)From mboxrd@z Thu Jan  1 00:00:00 1970\n")


class Mail(NamedTuple):
    """One claim."""

    message_id: bytes
    in_reply_to: Sequence[bytes] = ()
    sane: bool = False
    references: Sequence[bytes] = ()
    tier: int = 0


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--length", type=int, default=10_000, help="of chains and cycles")
    arguments = parser.parse_args()
    for name, mails in archives(arguments.messages):
        for order, arranged in orders(mails):
            measure(f"{name}, {order}", arranged)
    for order, arranged in orders(chain(arguments.length)):
        measure(f"a deep chain, {order}", arranged)
    for order, arranged in orders(chain(arguments.length, references=20)):
        measure(f"a deep chain with References, {order}", arranged)
    for attack in (parents_last, filled_ring, claimed_ring, flipped_ghost, flipped_pairs):
        measure(attack.__name__.replace("_", " "), *attack(arguments.length))


def measure(name: str, mails: Sequence[Mail], start: int = 0) -> None:
    """Add the mails, and print what those from ``start`` on cost."""
    nodes = DictNodes()
    interpreted = [resolve(nodes.node, mail) for mail in mails]
    forest = IncrementalForest(nodes)
    gc.collect()
    spent, slowest = 0, 0
    for number, (node, in_reply_to, sane, references, tier) in enumerate(interpreted):
        if number == start:
            nodes.reads = 0
        began = time.process_time_ns()
        forest.add(interpret(node, in_reply_to, sane, references, tier))
        if number >= start:
            took = time.process_time_ns() - began
            spent, slowest = spent + took, max(slowest, took)
    count = len(mails) - start
    right = "" if agrees(nodes, mails) else "  WRONG"
    print(
        f"{name}: {count} claims, {spent / count / 1000:.1f} us and {nodes.reads / count:.1f} reads a claim, "
        f"slowest {slowest / 1e6:.2f} ms{right}",
        flush=True,
    )


def resolve(node: Callable[[bytes], int], mail: Mail) -> tuple[int, list[int], bool, list[int], int]:
    """The mail's ids as nodes."""
    in_reply_to, references = ([node(name) for name in names] for names in (mail.in_reply_to, mail.references))
    return node(mail.message_id), in_reply_to, mail.sane, references, mail.tier


def agrees(nodes: DictNodes, mails: Sequence[Mail]) -> bool:
    """Whether the parents are those of the batch forest."""
    builder = ForestBuilder()
    for name in nodes.ids:
        builder.node(name)
    for mail in mails:
        builder.add(*resolve(builder.node, mail))
    return [nodes.states[node].parent for node in range(len(nodes.ids))] == list(builder.forest().parents)


def orders(mails: Sequence[Mail]) -> Iterator[tuple[str, list[Mail]]]:
    """The same mails as they come, from the end, and shuffled."""
    yield "in order", list(mails)
    yield "reversed", list(reversed(mails))
    yield "in random order", Random(1).sample(list(mails), len(mails))


def archives(messages: int) -> Iterator[tuple[str, list[Mail]]]:
    """Generated mail, and real mail if there is any."""
    yield "generated mail", [scanned(b"\n" + mail.partition(b"\n\n")[0] + b"\n") for _, mail in generate(messages)]
    if corpora := os.environ.get("WEFT_CORPORA"):
        found = []
        for path in sorted(Path(corpora, "kernel").glob("*.xz")):
            for mail in _SPLIT.split(lzma.decompress(path.read_bytes()))[1:]:
                found.append(scanned(b"\n" + mail.partition(b"\n\n")[0] + b"\n"))
        yield "kernel", found


def scanned(block: bytes) -> Mail:
    """A header block with a line feed before it, as a claim."""
    fields = scan(block, 1, len(block))
    return Mail(fields.message_id, fields.in_reply_to, fields.sane, fields.references)


def name(number: int) -> bytes:
    """An id; they ascend."""
    return b"%08d@x" % number


def reply(child: int, parent: int, tier: int = 0) -> Mail:
    """A mail with In-Reply-To alone, which witnesses nothing."""
    return Mail(name(child), [name(parent)], True, (), tier)


def chain(length: int, references: int = 0) -> list[Mail]:
    """Each mail answers the one before it, and repeats so many References."""
    mails = [Mail(name(0))]
    for n in range(1, length):
        above = [name(k) for k in range(max(0, n - references), n)]
        mails.append(Mail(name(n), [name(n - 1)], True, above))
    return mails


def parents_last(length: int) -> tuple[list[Mail], int]:
    """Replies first, then what they answer from the top down: a long chain above each, something below it."""
    replies = [reply(length + n, n) for n in range(length)]
    return replies + chain(length), length


def ghost_ring(length: int) -> list[Mail]:
    """Few mails that place ghosts in one long cycle."""
    mails = []
    for start in range(0, length, 190):
        members = [name(n % length) for n in range(start, start + 192)]
        mails.append(Mail(b"poster-%d" % start, references=members))
    return mails


def filled_ring(length: int) -> tuple[list[Mail], int]:
    """One long cycle of ghosts that are filled one by one, always the one that is cut."""
    ring = ghost_ring(length)
    nodes = DictNodes()
    forest = IncrementalForest(nodes)
    for mail in ring:
        forest.add(interpret(*resolve(nodes.node, mail)))
    weakest_first = sorted(range(length), key=lambda n: (-nodes.states[nodes.node(name(n))].rank, n))
    return ring + [reply(n, (n - 1) % length) for n in weakest_first], len(ring)


def claimed_ring(length: int) -> tuple[list[Mail], int]:
    """One long cycle of claimed ids, each stated again in a better tier, always the one that is cut."""
    ring = [reply(n, (n - 1) % length, 1) for n in range(length)]
    return ring + [reply(n, (n - 1) % length) for n in range(length)], length


def flipped_ghost(length: int) -> tuple[list[Mail], int]:
    """One ghost whose place flips by ever smaller gaps, so that a long cycle opens and closes with each mail."""
    ring = [reply(n, n - 1) for n in range(1, length)]
    flips = []
    for gap in range(190, -1, -1):
        above = name(length - 1) if gap % 2 else b"elsewhere"
        fill = [b"fill-%d-%d" % (gap, n) for n in range(gap)]
        flips.append(Mail(b"flip-%d" % gap, references=[above, name(0), *fill]))
    return ring + flips, len(ring)


def flipped_pairs(length: int) -> tuple[list[Mail], int]:
    """Ninety such ghosts, each with a ninetieth of the length below it, flipped by each mail at once."""
    count = 90
    size = length // count
    ring = [reply(k * size + n, k * size + n - 1) for k in range(count) for n in range(1, size)]
    flips = []
    for turn in range(17, -1, -1):
        references = []
        for k in range(count):
            references += [name(k * size + size - 1) if turn % 2 else b"elsewhere-%d" % k, name(k * size)]
        flips.append(
            Mail(b"flip-%d" % turn, references=[*references, *(b"fill-%d-%d" % (turn, n) for n in range(turn))])
        )
    return ring + flips, len(ring)


if __name__ == "__main__":
    main()
