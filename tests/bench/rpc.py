"""``python -m tests.bench.rpc``: GetThread of 10 messages, 16 clients at a time, one server process.

The clients share the machine with the server.  So besides calls a second there is what the server's CPU alone would
allow: calls for each second of CPU time that its process took.  Threads are asked for in two ways: a few hot ones,
which the server remembers encoded, and ever others, which it reads from the index; these end when all have been asked
for once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from random import Random

import grpc

from tests.store.factories import mail
from weft.client.channel import both
from weft.core.claim import Claim, claim_id, encode
from weft.core.merkle import whole_tree
from weft.core.signing import sign_root
from weft.index.index import Index
from weft.key_file import load_key
from weft.policy.files import key_path
from weft.store.interface import VerifiedClaim, VerifiedPart
from weft.v1 import threads_pb2 as wire
from weft.wire.limits import IN_FLIGHT

TARGET = 2000
SIZE = 10
CLIENTS = 16
STREAMS = 4
METHOD = "/weft.v1.ThreadService/GetThread"


def conversation(number: int, random: Random) -> list[Claim]:
    """A thread of `SIZE` messages."""
    ids: list[str] = []
    claims = []
    for place in range(SIZE):
        name = f"{number}.{place}.{random.randbytes(6).hex()}@mail{number % 97}.example.org"
        above = ids[-1:] and [ids[0], random.choice(ids)]
        claim = mail(name, *dict.fromkeys(above), reply_to=above[-1:], subject=f"Re: what became of number {number}")
        date = f"Sun, 9 Feb 2003 22:{place:02}:{number % 60:02} -0500".encode()
        author = f"Person {random.randrange(40)} <person{random.randrange(40)}@example.org>".encode()
        claims.append(claim._replace(date=date, author=author, body=random.randbytes(32)))
        ids.append(name)
    return claims


def fill(path: Path, threads: int) -> list[bytes]:
    """Make an index of our own claims; an id out of each thread."""
    random, asked = Random(1), []
    with Index.open(path) as index:
        key = load_key(key_path(path))
        for start in range(0, threads, 25):
            claims = []
            for number in range(start, min(start + 25, threads)):
                group = conversation(number, random)
                asked.append(random.choice(group).message_id)
                claims += [claim._replace(origin=index.origin, list=b"bench") for claim in group]
            new = [VerifiedClaim(leaf, claim_id(encode(one)), encode(one), one) for leaf, one in enumerate(claims)]
            tree = whole_tree([one.identity for one in new])
            index.admit([VerifiedPart(sign_root(key, b"bench", len(new), tree.root), tree, new)])
        index.search("nothing", limit=1)  # or the server fills its table while it is measured
    return asked


def serve(path: Path) -> tuple[subprocess.Popen[str], str]:
    """A server process, and its address."""
    command = [sys.executable, "-m", "weft", "serve", "--listen", "127.0.0.1:0", "--index", str(path), "-q"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1]


def cpu(pid: int) -> float:
    """Seconds of CPU time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def requests_for(ids: Iterable[bytes]) -> Iterator[bytes]:
    """Requests for threads, which clients share."""
    return (wire.GetThreadRequest(message_id=one, view=wire.THREAD_VIEW_COLUMNS).SerializeToString() for one in ids)


def wrapped(requests: Iterable[bytes]) -> Iterator[bytes]:
    """The same for streams."""
    return (b"\x0a" + bytes([len(request)]) + request for request in requests)  # field 1, of less than 128 bytes


async def load(address: str, ids: Iterable[bytes], seconds: float) -> tuple[int, float, list[float]]:
    """Calls of `CLIENTS` clients, each with a connection of its own: (how many, seconds, how long each took)."""
    times: list[float] = []
    end = time.monotonic() + seconds
    requests = requests_for(ids)

    async def client() -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            method = channel.unary_unary(METHOD, None, None)
            while (began := time.monotonic()) < end and (request := next(requests, None)):
                answer = await method(request)
                times.append(time.monotonic() - began)
            response = wire.GetThreadResponse.FromString(answer)
            assert len(response.columns.messages.message_ids) == SIZE

    started = time.monotonic()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(times), time.monotonic() - started, sorted(times)


async def load_streams(address: str, ids: Iterable[bytes], seconds: float) -> int:
    """Requests over one stream of each client, as many at a time as the server takes; how many were answered."""
    end = time.monotonic() + seconds
    requests = wrapped(requests_for(ids))

    async def client() -> int:
        options = [("grpc.use_local_subchannel_pool", 1)]
        room, answered = asyncio.Semaphore(IN_FLIGHT), 0
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            call = both(channel, "GetThreads")()

            async def write() -> None:
                while time.monotonic() < end and (request := next(requests, None)):
                    await room.acquire()
                    await call.write(request)
                await call.done_writing()

            writing = asyncio.create_task(write())
            async for data in call:
                answered += 1
                room.release()
                last = data
            await writing
            response = wire.GetThreadsResponse.FromString(last).thread
            assert len(response.columns.messages.message_ids) == SIZE
        return answered

    return sum(await asyncio.gather(*(client() for _ in range(STREAMS))))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        ids = fill(path, arguments.threads)
        server, address = serve(path)
        try:
            hot, middle = cycle(ids[:100]), len(ids) // 2
            asyncio.run(load(address, hot, 0.5))
            for name, asked, streamed in (
                ("hot, 100 threads", hot, hot),
                ("cold, never the same twice", ids[100:middle], ids[middle:]),
            ):
                before = cpu(server.pid)
                calls, wall, times = asyncio.run(load(address, asked, arguments.seconds))
                spent = cpu(server.pid) - before
                print(f"{name}: {calls / wall:.0f} calls a second (target {TARGET})")
                print(f"  {calls / spent:.0f} a second of the server's CPU, {spent / calls * 1e6:.0f} us each")
                before = cpu(server.pid)
                calls_streamed = asyncio.run(load_streams(address, streamed, arguments.seconds))
                spent = cpu(server.pid) - before
                print(
                    f"  streamed: {calls_streamed / spent:.0f} a second of the server's CPU, "
                    f"{spent / calls_streamed * 1e6:.0f} us each"
                )
                print(f"  median {times[calls // 2] * 1e3:.1f} ms, 99 % {times[calls * 99 // 100] * 1e3:.1f} ms")
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0


if __name__ == "__main__":
    main()
