"""``python -m tests.bench.store``: what an index on disk costs: CPU and bytes a claim, memory, and a small addition.

The claims are made as lists make them: threads of some messages, Message-IDs of 49 bytes, three references a message,
a tenth of the messages naming an id that nobody holds.  Signing is not counted; parsing, hashing and verifying what a
peer sends are not, either: they come before the store.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

from tests.store.factories import Origin, mail
from weft.core.claim import Claim
from weft.store.interface import MailLocation, VerifiedPart
from weft.store.sqlite import SqliteStore

BATCH = 256
TRANSACTION = 16
"""Batches."""


def messages(random: Random) -> Iterator[Claim]:
    """Claims without end, thread by thread."""
    made = 0
    while True:
        thread: list[str] = []
        for _ in range(min(1 + int(random.paretovariate(1.1) * 2), 50)):
            made += 1
            unique = f"{random.randrange(10**6)}.{random.randbytes(6).hex()}"
            name = f"{1_700_000_000 + made}.{unique}@mail{made % 97}.example.org"
            references = random.sample(thread, min(len(thread), 4))
            if random.random() < 0.1:
                references.insert(0, f"ghost.{name}")
            subject = "Re: [PATCH] " + random.randbytes(20).hex()
            claim = mail(name, *references, reply_to=references[-1:], subject=subject)
            author = b"Somebody Else <somebody@mail.example.org>"
            yield claim._replace(date=b"Sun, 9 Feb 2003 22:52:25 -0500", author=author, body=random.randbytes(32))
            thread.append(name)


def parts(claims: Iterator[Claim], count: int, origin: Origin) -> Iterator[list[VerifiedPart]]:
    """Batches of ``count`` claims in all, as many at a time as a transaction takes."""
    offset = 0
    while count:
        group = []
        for _ in range(TRANSACTION):
            batch = list(islice(claims, min(count, BATCH)))
            count -= len(batch)
            offset += 5000 * len(batch)
            if batch:
                group.append(
                    origin.batch("list", *batch, places=[MailLocation(1, offset + n * 5000, 5000) for n in range(256)])
                )
        yield group


def add(store: SqliteStore, groups: Iterator[list[VerifiedPart]]) -> tuple[float, int]:
    """Put all groups, one transaction each: (CPU seconds, bytes of the claims)."""
    spent, data = 0.0, 0
    for group in groups:
        started = time.process_time()
        with store.transaction():
            store.put(group)
        spent += time.process_time() - started
        data += sum(len(claim.data) for part in group for claim in part.claims)
    return spent, data


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--check", action="store_true", help="also check and rebuild")
    arguments = parser.parse_args()
    origin, claims = Origin("bench"), messages(Random(1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        with SqliteStore(path) as store:
            spent, data = add(store, parts(claims, arguments.claims, origin))
            print(f"{arguments.claims} claims: {spent / arguments.claims * 1e6:.1f} us of CPU a claim (limit 20)")
        size = os.path.getsize(path)
        print(f"  {data / arguments.claims:.0f} bytes of claims, {(size - data) / arguments.claims:.1f} beside them")
        with SqliteStore(path) as store:
            for name, total in store.connection.execute(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY 1 ORDER BY 2 DESC"
            ):
                if total > arguments.claims:
                    print(f"    {name}: {total / arguments.claims:.1f}")
        more = list(parts(claims, 1000, origin))
        started = time.process_time()
        with SqliteStore(path) as store:
            add(store, iter(more))
        print(f"  1000 more: {time.process_time() - started:.3f} s of CPU, opened and closed (limit 0.1)")
        with SqliteStore(path) as store:
            started = time.process_time()
            held = store.holds([claim.identity for part in more[0] for claim in part.claims])
            print(f"  holds: {(time.process_time() - started) / len(held) * 1e6:.1f} us a claim that is held")
            if arguments.check:
                started = time.process_time()
                problems = list(store.check())
                print(f"  check: {time.process_time() - started:.1f} s, {len(problems)} problems")
                started = time.process_time()
                store.repair()
                print(f"  repair: {time.process_time() - started:.1f} s")
    print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB of memory")


if __name__ == "__main__":
    main()
