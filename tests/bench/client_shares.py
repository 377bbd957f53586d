"""``python -m tests.bench.client_shares``: light calls of some clients while another one has 16 heavy calls in flight.

The index has 100,000 messages, 40,000 of them in one thread, and is served by one process.  Clients are told apart as
behind a reverse proxy.  The heavy ones ask for pages of the large thread, also with its claims, for searches with
thousands of answers, for explanations and for all digests, with 30 seconds for each call; the light ones for threads of
ten messages, for a page of threads of a list, and for a search with few answers, two calls a second each.  All of it
once with the limits of clients, and once, without a proxy that is trusted, where there are none.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import grpc
from google.protobuf.message import Message

from tests.bench.rpc import conversation
from tests.store.factories import mail
from weft.core.claim import Claim, claim_id, encode
from weft.core.merkle import MAX_LEAVES, whole_tree
from weft.core.signing import sign_root
from weft.index.index import Index
from weft.key_file import load_key
from weft.policy.files import key_path
from weft.store.interface import VerifiedClaim, VerifiedPart
from weft.v1 import threads_pb2 as wire
from weft.v1 import threads_pb2_grpc

HEAVY, LIGHT = 16, 8
PAUSE = 0.5
TARGET = 0.95
LARGE = 0.4
"""The share of the messages that the large thread has."""
_MESSAGE_BYTES = [("grpc.max_receive_message_length", 64 << 20), ("grpc.use_local_subchannel_pool", 1)]


Call = Callable[..., Any]
"""A call with its request, without metadata and timeout."""


def fill(path: Path, messages: int) -> tuple[list[bytes], int]:
    """Make the index: ids of small threads, and how many messages the large one has."""
    random, large = Random(1), int(messages * LARGE)
    small: list[Claim] = []
    for number in range((messages - large) // 10):
        small += conversation(number, random)
    huge = [
        mail(f"{n}@large.example", *([f"{(n - 1) // 3}@large.example"] if n else []), subject=f"large number {n % 100}")
        for n in range(large)
    ]
    with Index.open(path) as index:
        key = load_key(key_path(path))
        for name, claims in (("small", small), ("large", huge)):
            for start in range(0, len(claims), MAX_LEAVES):
                some = [
                    one._replace(origin=index.origin, list=name.encode()) for one in claims[start : start + MAX_LEAVES]
                ]
                new = [VerifiedClaim(leaf, claim_id(encode(one)), encode(one), one) for leaf, one in enumerate(some)]
                tree = whole_tree([one.identity for one in new])
                index.admit([VerifiedPart(sign_root(key, name.encode(), len(new), tree.root), tree, new)])
        index.search("nothing", limit=1)  # or the server fills its table while it is measured
    return [claim.message_id for claim in small[::10]], large


class Load:
    """Calls of all clients at one server, and how they ended."""

    def __init__(self, address: str, ids: Sequence[bytes], large: int, seconds: float) -> None:
        self._address, self._ids, self._large = address, ids, large
        self._end = time.monotonic() + seconds
        self.light: list[float] = []
        """Seconds of each call of the light clients; a call that failed took infinitely long."""
        self.heavy: Counter[str] = Counter()

    async def run(self) -> None:
        """All of it."""
        heavy = [self._client("192.0.2.1", Random(n), heavy=True) for n in range(HEAVY)]
        light = [self._client(f"198.51.100.{n}", Random(n), heavy=False) for n in range(LIGHT)]
        await asyncio.gather(*heavy, *light)

    async def _client(self, address: str, random: Random, *, heavy: bool) -> None:
        async with grpc.aio.insecure_channel(self._address, options=_MESSAGE_BYTES) as channel:
            stub = threads_pb2_grpc.ThreadServiceStub(channel)  # type: ignore[no-untyped-call]
            while (began := time.monotonic()) < self._end:
                call = self._heavy_call(stub, random) if heavy else self._light_call(stub, random)
                status = await _status(call(metadata=(("x-forwarded-for", address),), timeout=30))
                if heavy:
                    self.heavy[status] += 1
                    await asyncio.sleep(0 if status == "OK" else PAUSE)
                else:
                    self.light.append(time.monotonic() - began if status == "OK" else float("inf"))
                    await asyncio.sleep(PAUSE)

    def _heavy_call(self, stub: object, random: Random) -> Call:
        asked = b"%d@large.example" % random.randrange(self._large)
        name, request = random.choice(
            [
                ("GetThread", wire.GetThreadRequest(message_id=asked)),
                ("GetThread", wire.GetThreadRequest(message_id=asked, include_claims=True)),
                ("SearchMessages", wire.SearchMessagesRequest(query="large number", page_size=500)),
                ("ExplainMessage", wire.ExplainMessageRequest(message_id=asked)),
                ("StreamDigests", wire.StreamDigestsRequest()),
            ]
        )
        return _call(stub, name, request)

    def _light_call(self, stub: object, random: Random) -> Call:
        name, request = random.choice(
            [
                ("GetThread", wire.GetThreadRequest(message_id=random.choice(self._ids))),
                ("GetThread", wire.GetThreadRequest(message_id=random.choice(self._ids))),
                ("ListThreads", wire.ListThreadsRequest(list="small")),
                ("SearchMessages", wire.SearchMessagesRequest(query=f'"number {random.randrange(1000)}"')),
            ]
        )
        return _call(stub, name, request)


def _call(stub: object, name: str, request: Message) -> Call:
    return partial(getattr(stub, name), request)


async def _status(call: Any) -> str:  # noqa: ANN401 - one response, or a stream of them
    """With which status a call ends."""
    try:
        if isinstance(call, grpc.aio.UnaryStreamCall):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


def serve(path: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """A server process, and its address."""
    command = [sys.executable, "-m", "weft", "serve", "-q", "--listen", "127.0.0.1:0", "--index", str(path), *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        ids, large = fill(path, arguments.messages)
        for name, options in (("no limits", ()), ("limits", ("--trusted-proxy", "127.0.0.1"))):
            server, address = serve(path, *options)
            try:
                load = Load(address, ids, large, arguments.seconds)
                asyncio.run(load.run())
            finally:
                server.terminate()
                server.wait(60)
            print(f"{name}: {shown(load)}")


def shown(load: Load) -> str:
    """What came of it."""
    times = sorted(load.light)
    within = sum(one <= 1 for one in times) / len(times)
    places = {"median": len(times) // 2, "95 %": len(times) * 95 // 100, "all": len(times) - 1}
    slow = ", ".join(f"{name} {times[place]:.2f} s" for name, place in places.items())
    heavy = ", ".join(f"{count} {code}" for code, count in load.heavy.most_common())
    return f"{within:.1%} of {len(times)} light calls within 1 s (target {TARGET:.0%}): {slow}; heavy calls: {heavy}"


if __name__ == "__main__":
    main()
