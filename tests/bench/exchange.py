"""What a mirror session costs: ``python -m tests.bench.exchange [--claims N]`` prints bytes and CPU time.

The stores only number what they hold: no index and no disk is measured, but the machine, with proofs of real claims.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import replace
from hashlib import sha256

from tests.exchange.session_harness import KEY, mirroring
from tests.store.factories import Origin, mail
from weft.core.feed import Feed
from weft.exchange.configuration import Configuration
from weft.exchange.events import (
    Answer,
    Ask,
    ClaimLocation,
    CommitParts,
    Committed,
    Ended,
    Fetch,
    FindMissing,
    GetPosition,
    KeepState,
    Locate,
    LogEntry,
    LogPage,
    ReadLog,
    Request,
    Scan,
    Send,
    StoredPart,
)  # fmt: skip
from weft.exchange.riblt.sketch import encode_range
from weft.exchange.session import Session
from weft.store.interface import VerifiedClaim, VerifiedPart
from weft.v1 import exchange_pb2 as wire

A, B = Origin("a"), Origin("b")
FEED = Feed(A.public, b"git")
BATCH = 256


class Numbered:
    """A store of claims that cost nothing to hold: old ones are numbers, new ones whole batches."""

    def __init__(self, old: list[bytes]) -> None:
        self.log = list(old)
        self.held = set(old)
        self.parts: list[VerifiedPart] = []
        self.places: dict[bytes, tuple[int, int]] = {}
        self.claims: dict[tuple[int, int], VerifiedClaim] = {}
        self.kept = b""

    def add(self, part: VerifiedPart) -> None:
        """A new batch."""
        batch = len(self.parts)
        self.parts.append(part)
        for claim in part.claims:
            element = claim.identity[:16]
            self.places[element] = (batch, claim.leaf)
            self.claims[batch, claim.leaf] = claim
            self.log.append(element)
            self.held.add(element)

    def answer(self, request: Request) -> Answer:
        """The answer to a question."""
        match request:
            case GetPosition():
                return len(self.log)
            case ReadLog(after, limit, _, upto):
                end = min(after + limit, len(self.log) if upto is None else upto)
                some = enumerate(self.log[after:end], after + 1)
                entries = [LogEntry(position, FEED, element) for position, element in some]
                return LogPage(entries, after + len(entries))
            case Scan(_, key, first, count, upto):
                return encode_range(key, self.log[:upto], first, count)
            case FindMissing(elements):
                return [element for element in elements if element not in self.held]
            case Locate(elements):
                return [ClaimLocation(*self.places[element], FEED, element) for element in elements]
            case Fetch(claims):
                batches: dict[int, list[tuple[int, bytes]]] = {}
                for where in claims:
                    data = self.claims[where.batch, where.leaf].data
                    batches.setdefault(where.batch, []).append((where.leaf, data))
                parts = self.parts
                return [StoredPart(at, parts[at].signed, parts[at].tree, some) for at, some in batches.items()]
            case CommitParts(parts):
                before = len(self.log)
                for part in parts:
                    self.add(part)
                return Committed(range(before + 1, len(self.log) + 1))
            case KeepState(data):
                self.kept = data
                return None
            case _:
                raise NotImplementedError(f"{type(request).__name__} is not asked by who mirrors")


class Bench:
    """One side; counts bytes by kind of frame and the time that the machine takes."""

    def __init__(self, store: Numbered, setup: Configuration) -> None:
        self.store = store
        self.data: Counter[str] = Counter()
        self.seconds = 0.0
        self.session = Session(replace(setup, kept=store.kept), 0.0)
        self.ended: Ended | None = None

    def step(self, frame: bytes | None) -> list[bytes]:
        """Deal with a frame, or begin; what is sent."""
        started = time.process_time()
        todo = self.session.start() if frame is None else self.session.receive(frame)
        sent = []
        while todo:
            output, *todo = todo
            match output:
                case Send(data):
                    sent.append(data)
                case Ask(number, request):
                    self.seconds += time.process_time() - started
                    answer = self.store.answer(request)
                    started = time.process_time()
                    todo += self.session.answer(number, answer)
                case Ended():
                    self.ended = output
        self.seconds += time.process_time() - started
        for data in sent:
            kind = wire.Frame.FromString(data).WhichOneof("kind")
            self.data[str(kind)] += len(data)
        return sent


def sync(ours: Numbered, theirs: Numbered) -> tuple[Bench, Bench]:
    """One session."""
    one = Bench(ours, Configuration(mirroring(A, B), B.public, True, KEY))
    other = Bench(theirs, Configuration(mirroring(B, A), A.public, False, KEY))
    to_other, to_one = one.step(None), other.step(None)
    while to_one or to_other:
        from_one = [frame for data in to_one for frame in one.step(data)]
        to_one = [frame for data in to_other for frame in other.step(data)]
        to_other = from_one
    for side in (one, other):
        assert side.ended is not None
        assert side.ended.error is None, side.ended.error
    assert ours.held == theirs.held
    return one, other


def grow(store: Numbered, start: int, count: int) -> None:
    """New claims, in whole batches and one that is not."""
    for first in range(start, start + count, BATCH):
        some = range(first, min(first + BATCH, start + count))
        store.add(A.batch("git", *(mail(f"{n}@x.example.org", f"{n // 7}@x.example.org") for n in some)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--claims", type=int, default=100_000, help="in both stores at first (default: 100000)")
    arguments = parser.parse_args()
    old = [sha256(b"%d" % n).digest()[:16] for n in range(arguments.claims)]
    ours, theirs = Numbered(old), Numbered(old)
    sync(ours, theirs)
    print(f"{arguments.claims} claims in both; bytes of both directions after the hello, CPU of both machines")
    head = (
        "differences",
        "finding",
        "a difference",
        "offers, wants",
        "claims",
        "proofs",
        "CPU ms",
        "ms allowed",
        "rounds",
    )
    print(" ".join(f"{text:>13}" for text in head))
    start = 0
    for differences in (0, 1, 10, 100, 100, 100, 1000, 2500, 10_000):
        grow(ours, start, differences // 2)
        grow(theirs, start + differences, differences - differences // 2)
        start += 2 * differences + BATCH
        row(differences, *sync(ours, theirs))


def row(differences: int, one: Bench, other: Bench) -> None:
    """Print what a session cost."""
    data = one.data + other.data
    finding = sum(data[kind] for kind in data if kind not in ("hello", "claims"))
    names = sum(data[kind] for kind in ("offer", "want", "listing"))
    proofs = sum(side.session.report.proof_bytes_received for side in (one, other))
    values = (
        f"{differences}", f"{finding}", f"{finding / differences:.1f}" if differences else "", f"{names}",
        f"{data['claims'] - proofs}", f"{proofs}", f"{(one.seconds + other.seconds) * 1000:.1f}",
        f"{2 * (5 + 0.04 * differences):.0f}", f"{one.session.report.rounds}",
    )  # fmt: skip
    print(" ".join(f"{value:>13}" for value in values))


if __name__ == "__main__":
    main()
