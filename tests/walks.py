"""``python -m tests.walks`` counts the calls of Weft's own functions on four ways of the data (``-v``: where they are).

Each way is walked once with the smallest input, after a walk of the same kind has filled what is imported and
remembered once for a process.  A call is one of a function or method of ``src/weft``, or a step of a generator; not
the body of a module or class, nor a comprehension.  Fewer calls in fewer modules are easier to follow; they say nothing
about time.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from inspect import CO_NEWLOCALS, CO_OPTIMIZED
from io import BytesIO
from pathlib import Path
from types import CodeType, FrameType

import weft
from tests.cli.server_home import Home
from tests.exchange.session_harness import ALL, frames_to_send
from tests.factories import mail
from weft import Index
from weft.exchange.configuration import Configuration
from weft.exchange.events import Output
from weft.exchange.session import Session
from weft.peering.driver import SessionDriver
from weft.peering.index_backend import BackendThreads, IndexBackend
from weft.policy.rows import Origin, Peer
from weft.policy.rules import Policy
from weft.render.text import write_text
from weft.server.batcher import Batcher
from weft.server.reader_pool import ReaderPool
from weft.server.watch import ChangeWatch
from weft.v1 import exchange_pb2
from weft.v1 import threads_pb2 as wire

PACKAGE = f"{Path(__file__).parent.parent / 'src' / 'weft'}/"
FIRST = mail("first@example.org")
SECOND = mail("second@example.org", ["first@example.org"])
THIRD = mail("third@example.org", ["first@example.org", "second@example.org"])
SECONDS = 30.0
_A_MOMENT = 0.01


@dataclass(slots=True)
class Walk:
    """What was called: how often each function."""

    name: str
    most: int
    """More calls than these are too many."""
    calls: Counter[CodeType] = field(default_factory=Counter)
    kept: Counter[CodeType] = field(default_factory=Counter)
    """Of these, until a claim of a peer was kept and acknowledged."""
    on: bool = False

    @property
    def by_module(self) -> Counter[str]:
        """Calls by module, as its path below ``src/weft``."""
        found: Counter[str] = Counter()
        for code, times in self.calls.items():
            found[code.co_filename.removeprefix(PACKAGE)] += times
        return found

    def times_until_kept(self, name: str) -> int:
        """How often functions with this qualified name were called until a claim of a peer was kept."""
        return sum(times for code, times in self.kept.items() if code.co_qualname == name)

    def see(self, frame: FrameType, event: str, _: object) -> None:
        """What the interpreter reports."""
        code = frame.f_code
        if (
            self.on
            and event == "call"
            and code.co_filename.startswith(PACKAGE)
            and "/v1/" not in code.co_filename
            and code.co_flags & CO_NEWLOCALS
            and code.co_flags & CO_OPTIMIZED
            and not code.co_name.endswith(("comp>", "genexpr>"))
        ):
            self.calls[code] += 1

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Reports come from this thread, and from those that begin inside."""
        threading.setprofile(self.see)
        sys.setprofile(self.see)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """What is called inside counts."""
        self.on = True
        try:
            yield
        finally:
            self.on = False


def rebuild() -> Walk:
    """Two mails of a file: from bytes to the text of their thread."""
    walk = Walk("rebuild of two mails", 270)
    with _home() as home:
        path = home.path / "list.mbox"
        path.write_bytes(FIRST + SECOND)
        for _ in range(2):
            walk.calls.clear()
            with walk.installed(), walk.counted():
                write_text(weft.rebuild({"list": path}).threads(), BytesIO())
    return walk


def ingest_and_show() -> Walk:
    """A mail in a new file goes into an index, and its thread is read."""
    walk = Walk("ingest, show", 526)
    with _home() as home:
        for name, data in (("one", FIRST), ("two", SECOND)):
            path = home.path / f"{name}.mbox"
            path.write_bytes(data)
            walk.calls.clear()
            with walk.installed(), walk.counted(), Index.open(home.index) as index:
                index.ingest("list", path)
                index.thread("first@example.org")
    return walk


def get_thread() -> Walk:
    """A request for a thread, by a server that has not read this one yet."""
    walk = Walk("GetThread, cold", 160)
    with _home() as home:
        path = home.path / "list.mbox"
        path.write_bytes(FIRST + SECOND + mail("other@example.org"))
        _run(home, "ingest", "-q", path)
        with walk.installed():
            asyncio.run(_ask(home, walk))
    return walk


async def _ask(home: Home, walk: Walk) -> None:
    with Index.open(home.index, create=False) as index:
        policy = index.policy
    pool = ReaderPool(home.index, policy, 1, "quick")
    batcher = Batcher(pool)
    await batcher.answer(wire.GetThreadRequest(message_id=b"other@example.org").SerializeToString(), SECONDS)
    request = wire.GetThreadRequest(message_id=b"second@example.org").SerializeToString()
    with walk.counted():
        answer = await batcher.answer(request, SECONDS)
    assert b"second@example.org" in answer
    pool.close()


def from_a_peer() -> Walk:
    """A frame with one claim, from a peer whose session is live: kept, in the view, and told to who watches."""
    walk = Walk("a peer's frame, stored, view, watcher", 435)
    with _home() as near, _home() as far, walk.installed():
        keys = []
        for home in (near, far):
            path = home.path / "list.mbox"
            path.write_bytes(FIRST)
            _run(home, "ingest", "-q", path)
            with Index.open(home.index, create=False) as index:
                keys.append(index.origin)
        asyncio.run(_receive(near, far, keys, walk))
    return walk


class _Stream:
    """Frames of a session, from and to what is not measured."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.going: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> bytes | None:
        """The next frame from the peer."""
        return await self.coming.get()

    async def write(self, data: bytes) -> None:
        """A frame to the peer."""
        self.going.put_nowait(data)

    async def finish(self, _: object) -> None:
        """It is over."""


async def _receive(near: Home, far: Home, keys: list[bytes], walk: Walk) -> None:
    """``near`` has a live session with ``far``, which sends what it ingests."""
    own, other = keys
    row = Peer("peer", mode="mirror", may_feed=ALL, may_read=ALL)
    policy = Policy(own, {other: Origin(1, None)}, {other: row})
    sender = _Sender(far, Policy(other, {own: Origin(1, None)}, {own: row}), own)
    backend, pool, stream = BackendThreads(near.index, policy), ReaderPool(near.index, policy, 1, "log"), _Stream()
    driver = SessionDriver(backend, policy, other, caller=False, live_seconds=SECONDS)
    session = asyncio.create_task(driver.run(stream))
    for frame in sender.do(sender.session.start()):
        stream.coming.put_nowait(frame)
    while not driver.live or not stream.going.empty():
        await asyncio.sleep(_A_MOMENT)
        while not stream.going.empty():
            for frame in sender.do(sender.session.receive(stream.going.get_nowait())):
                stream.coming.put_nowait(frame)
    watch = ChangeWatch(pool)
    await watch._look()
    changes = watch.stream(wire.WatchChangesRequest())
    await anext(changes)
    for data in (SECOND, THIRD):
        sender.ingest(data)
        for frame in sender.do(sender.session.grew()):
            stream.coming.put_nowait(frame)
        walk.calls.clear()
        told = asyncio.create_task(anext(changes))
        while not told.done():
            for frame in sender.do(sender.session.receive(await stream.going.get())):
                kind = exchange_pb2.Frame.FromString(frame).WhichOneof("kind")
                stream.coming.put_nowait(frame)
                if kind == "claims":
                    with walk.counted():
                        answer = await stream.going.get()
                        walk.kept = walk.calls.copy()
                        await watch._look()
                        await told
                    sender.do(sender.session.receive(answer))
    await changes.aclose()
    driver.close()
    stream.coming.put_nowait(None)
    await session
    await backend.close()
    sender.backend.close()
    await asyncio.to_thread(pool.close)


class _Sender:
    """The peer: a machine and its index, without a process."""

    def __init__(self, home: Home, policy: Policy, peer: bytes) -> None:
        self._home, self._policy, self._peer = home, policy, peer
        self.backend = IndexBackend(home.index, policy)
        setup = Configuration(policy, peer, True, sha256(b"key").digest(), live=True, carries=self.backend.carried())
        self.session = Session(setup, 0.0)

    def do(self, outputs: list[Output]) -> list[bytes]:
        """Do what the machine asks for; the frames that it sends."""
        return frames_to_send(self.session, outputs, partial(self.backend.answer, self._peer))

    def ingest(self, data: bytes) -> None:
        """One more mail comes in."""
        path = self._home.path / "list.mbox"
        path.write_bytes(path.read_bytes() + data)
        with Index.open(self._home.index, policy=self._policy, create=False) as index:
            index.ingest("list", path)


@contextmanager
def _home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory() as folder:
        yield Home(Path(folder))


def _run(home: Home, *arguments: str | Path) -> None:
    ran = home.weft(*arguments)
    assert ran.code == 0, ran.err


WALKS: tuple[Callable[[], Walk], ...] = (rebuild, ingest_and_show, get_thread, from_a_peer)


def main() -> None:
    """Print each way: its calls, and the modules and functions with most of them."""
    for make in WALKS:
        walk = make()
        print(f"{walk.name}: {walk.calls.total()} calls in {len(walk.by_module)} modules, at most {walk.most}")
        if "-v" not in sys.argv[1:]:
            continue
        for name, times in walk.by_module.most_common():
            functions = Counter(
                {code.co_qualname: n for code, n in walk.calls.items() if code.co_filename == PACKAGE + name}
            )
            listed = " ".join(f"{function} {n}" if n > 1 else function for function, n in functions.most_common())
            print(f"  {times:4} {name}: {listed}")


if __name__ == "__main__":
    main()
