"""One session of the exchange over a stream: the shell around `weft.exchange.session.Session`, for both sides.

Theory of operation
-------------------
The machine says what to do, and this does it: frames go to a writer, questions to the thread of the store, answers and
frames back into the machine.  The next frame is read when the one before has been dealt with, so a fast peer waits;
frames out have a task of their own, or two servers that both write would wait for each other for ever.  How many frames
can wait there is bounded by the machine.

Others say that the log has grown (`SessionDriver.grew`), or that the session shall end, in one of three ways:
`SessionDriver.close` is for one that is live and has done its work, `SessionDriver.stop` for a server that stops,
`SessionDriver.forbid` for changed rights.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Protocol

import grpc

from weft.core.signing import short_fingerprint
from weft.errors import LocalProtocolError, StoreError, WeftError
from weft.exchange.configuration import Configuration
from weft.exchange.events import (
    Answer,
    Ask,
    CommitParts,
    Committed,
    CoverageGained,
    Delivered,
    Ended,
    FindTrees,
    GetPosition,
    LogPage,
    Output,
    ReadLog,
    ReadNames,
    Refusal,
    Request,
    Scan,
    Send,
    SessionReport,
    Synced,
)
from weft.exchange.limits import MAX_REASON, Limits
from weft.exchange.riblt.mapping import KEY_BYTES
from weft.exchange.session import Session
from weft.peering.index_backend import BackendThreads, IndexBackend
from weft.peering.latest_recorder import LatestRecorder
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rows import Mode
from weft.policy.rules import Policy
from weft.v1 import exchange_pb2 as wire

SERVICE = wire.DESCRIPTOR.services_by_name["ExchangeService"].full_name
MESSAGE_BYTES = Limits().frame_octets + (64 << 10)
"""What the transport takes and gives."""
ALWAYS = math.inf
"""Seconds that an answerer lets a session live: it is the caller's to end it."""
_SLOW = (Scan, FindTrees)
"""Questions that are answered while other sessions go on."""
_TICK = 5.0
_GOODBYE = 10.0
"""Seconds for the last frames to leave."""

log = logging.getLogger("weft.exchange")


class FrameStream(Protocol):
    """Frames both ways."""

    async def read(self) -> bytes | None:
        """The next frame; None if the stream is gone."""

    async def write(self, data: bytes) -> None:
        """Send a frame."""

    async def finish(self, reader: asyncio.Task[bytes | None] | None) -> None:
        """Nothing more will be sent; ``reader``, which is of no more use, may be under way."""


class SessionObserver(Protocol):
    """Who wants to know how a session goes on."""

    def moved(self, driver: SessionDriver) -> None:
        """It went a step on, so its report may say more."""

    def committed(self) -> None:
        """It has put new claims into the index."""

    def synced(self, driver: SessionDriver) -> None:
        """Both sides have all that was there when it began; it may be live now."""


class SessionDriver:
    """One session, from hello to end."""

    def __init__(
        self,
        backend_threads: BackendThreads,
        policy: Policy,
        peer: bytes,
        *,
        caller: bool,
        live_seconds: float = 0.0,
        observer: SessionObserver | None = None,
        mode: Mode | None = None,
        takes_new_key: bool = True,
    ) -> None:
        """``live_seconds``: how long it may go on when both are in sync; 0: not at all.

        ``mode``: how we take what we admit; None: as the peer's row says.
        ``takes_new_key``: whether the peer may bring a new key of the pair.
        """
        self.policy = policy
        self.peer = peer
        self.caller = caller
        self.synced: float | None = None
        """Since when both sides are in sync, by the monotonic clock."""
        self.covered: int | None = None
        """The position of our log up to which the peer was offered all; None as long as nobody knows."""
        self.closed = False
        """Whether it ended because we had it end, with its work done."""
        self.recovers = False
        """Whether it takes nothing but our own feeds, which this index has lost; then another one has to follow."""
        self._backend_threads = backend_threads
        self._live_seconds = live_seconds
        self._observer = observer
        self._mode = mode
        self._takes_new_key = takes_new_key
        self._coverage = LatestRecorder[CoverageGained]()
        self._delivery = LatestRecorder[Delivered]()
        self._session: Session | None = None
        self._snapshot: int | None = None
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ended: Ended | None = None
        self._woken = asyncio.Event()
        self._lives = False
        self._grown = False
        self._parting: Callable[[Session], list[Output]] | None = None
        self._why: WeftError | None = None

    @property
    def live(self) -> bool:
        """Whether both are in sync, and news goes both ways."""
        return self._lives and self._ended is None and self._parting is None

    @property
    def lived(self) -> bool:
        """Whether it was live, even if it is over."""
        return self._lives

    @property
    def report(self) -> SessionReport | None:
        """What it did so far."""
        return self._session.report if self._session else None

    def grew(self) -> None:
        """There are new claims in the index."""
        self._grown = True
        self._woken.set()

    def close(self) -> None:
        """End it well, if it is live; what is under way then, the next one finds."""
        if self.live:
            self.closed = True
            self._part(Session.cut)

    def stop(self) -> None:
        """This server stops."""
        self._part(Session.stop)

    def forbid(self, why: WeftError) -> None:
        """It may not go on: no frame that has not left does any more, but for one with the reason."""
        if self._ended is None:
            while not self._frames.empty():
                self._frames.get_nowait()
            self._why = why
            self._parting = lambda machine: [_last_frame(str(why)), *machine.cut()]
            self._woken.set()

    def _part(self, act: Callable[[Session], list[Output]]) -> None:
        self._parting = self._parting or act
        self._woken.set()

    async def run(self, stream: FrameStream) -> Ended:
        """Talk until the session ends, however that is."""
        writer = asyncio.create_task(self._write(stream))
        reader: asyncio.Task[bytes | None] | None = None
        ticked = time.monotonic()
        try:
            await self._do(self._start)
            while self._ended is None:
                if reader is None:
                    reader = asyncio.create_task(_read(stream))
                    reader.add_done_callback(lambda _: self._woken.set())
                await self._wait(ticked + _TICK)
                if reader.done() and self._parting is None:
                    frame, reader = reader.result(), None
                    await self._do(self._receive(frame))
                await self._do_what_was_said()
                if self._ended is None and time.monotonic() - ticked >= _TICK:
                    ticked = time.monotonic()
                    await self._do(lambda _: self._machine().tick(time.monotonic()))
            self._frames.put_nowait(None)
            await asyncio.wait((writer,), timeout=_GOODBYE)
            await stream.finish(reader)
        finally:
            writer.cancel()
            if reader is not None:
                reader.cancel()
        return self._ended

    async def _wait(self, until: float) -> None:
        """For a frame, for what others say, or until it is time for something."""
        if self.synced is not None:
            until = min(until, self.synced + self._live_seconds)
        until = min(until, self._coverage.due, self._delivery.due)
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _do_what_was_said(self) -> None:
        if self.synced is not None and time.monotonic() >= self.synced + self._live_seconds:
            self.close()
        if self._ended is None and self._parting is not None:
            await self._do(lambda _: [])
        elif self._ended is None and self._grown:
            self._grown = False
            await self._do(lambda _: self._machine().grew())
        await self._cover()

    def _start(self, backend: IndexBackend) -> list[Output]:
        kept = backend.kept(self.peer)
        mode = self._mode or self.policy.peers[self.peer].mode
        self.recovers = mode == "threads" and backend.recovers(self.peer)
        setup = Configuration(
            self.policy,
            self.peer,
            self.caller,
            secrets.token_bytes(KEY_BYTES),
            kept,
            renew=self.caller and backend.is_old(self.peer),
            takes_new_key=self._takes_new_key,
            live=self._live_seconds > 0 and not self.recovers,
            recovers=self.recovers,
            mode=self._mode,
            carries=backend.carried(),
            used=backend.used(self.peer),
            refused=backend.refused(self.peer),
        )
        self._session = Session(setup, time.monotonic())
        return self._session.start()

    def _receive(self, frame: bytes | None) -> Callable[[IndexBackend], list[Output]]:
        return lambda _: self._machine().cut() if frame is None else self._machine().receive(frame)

    def _machine(self) -> Session:
        if self._session is None:
            raise LocalProtocolError("the session has not begun")
        return self._session

    async def _do(self, act: Callable[[IndexBackend], list[Output]]) -> None:
        """A step of the machine, and all that follows from it without the peer, unless the session shall end."""
        todo = deque(await self._backend_threads.run(act))
        while self._ended is None:
            if self._parting is not None:
                todo = deque(await self._backend_threads.run(lambda _: self._parted()))
            if not todo:
                break
            match todo.popleft():
                case Send(data):
                    self._frames.put_nowait(data)
                case Ask(number, request):
                    todo.extend(await self._answer(number, request))
                case Refusal() as refusal:
                    refusals = [refusal]
                    while todo and isinstance(following := todo[0], Refusal):
                        refusals.append(following)
                        todo.popleft()
                    todo.extend(await self._refuse(refusals))
                case CoverageGained() as covered:
                    self._coverage.put(covered, time.monotonic(), wait=self._lives)
                case Delivered() as delivered:
                    self._delivery.put(delivered, time.monotonic(), wait=self._lives)
                case Synced():
                    self._lives = not any(isinstance(output, Ended) for output in todo)
                    self._is_synced()
                    await self._note_recovered()
                case Ended(report, error):
                    self._ended = Ended(report, self._why or error)
        await self._cover()
        if self._observer:
            self._observer.moved(self)

    async def _refuse(self, refusals: Sequence[Refusal]) -> list[Output]:
        """Remember what was refused, and count it; what follows from it if that cannot be."""
        for reason, count in Counter(refusal.reason for refusal in refusals).items():
            what = "a claim was refused" if count == 1 else f"{count} claims were refused"
            log.warning("%s: %s", what, printable(reason))
        try:
            await self._backend_threads.run(lambda backend: backend.refuse(self.peer, refusals))
        except StoreError as error:
            failed = error
            return await self._backend_threads.run(lambda _: self._machine().fail(failed))
        return []

    async def _cover(self) -> None:
        """Remember what the peer was asked, and what it has of us, if it is time."""
        now, last = time.monotonic(), self._ended is not None
        if not last and now < self._coverage.due and now < self._delivery.due:
            return
        covered, delivered = self._coverage.take(now, last=last), self._delivery.take(now, last=last)
        if covered is None and delivered is None:
            return

        def work(backend: IndexBackend) -> None:
            if covered is not None:
                backend.cover(self.peer, covered)
            if delivered is not None:
                backend.deliver(self.peer, delivered)

        try:
            await self._backend_threads.run(work)
        except StoreError as error:
            log.warning("cannot remember what %s was asked and has: %s", short_fingerprint(self.peer), error)

    def _parted(self) -> list[Output]:
        """What the machine says to its end."""
        parting, self._parting = self._parting, None
        return parting(self._machine()) if parting else []

    def _is_synced(self) -> None:
        self.synced, self.covered = time.monotonic(), self._snapshot
        if self._observer:
            self._observer.synced(self)

    async def _note_recovered(self) -> None:
        """Our own claims are here, as far as the peer has them; a session of the usual kind follows."""
        if not self.recovers:
            return
        self.closed = True
        try:
            await self._backend_threads.run(lambda backend: backend.recovered(self.peer))
        except StoreError as error:
            log.warning("what %s has of our own is asked again: %s", short_fingerprint(self.peer), error)

    async def _answer(self, number: int, request: Request) -> list[Output]:
        def work(backend: IndexBackend) -> tuple[Answer, list[Output]]:
            machine = self._machine()
            try:
                answer = scanned if isinstance(request, _SLOW) else backend.answer(self.peer, request)
            except StoreError as error:
                return None, machine.fail(error)
            return answer, machine.answer(number, answer)

        scanned: Answer = None
        try:
            if isinstance(request, _SLOW):
                scanned = await self._backend_threads.scan(request)
        except StoreError as error:
            failed = error
            return await self._backend_threads.run(lambda _: self._machine().fail(failed))
        answer, outputs = await self._backend_threads.run(work)
        self._look_at(request, answer)
        return outputs

    def _look_at(self, request: Request, answer: Answer) -> None:
        """What the store said tells how far the peer knows our log, and whether others have news."""
        match request, answer:
            case GetPosition(), int(position):
                self._snapshot = position
            case ((ReadLog(feeds=FeedRanges()) | ReadNames()), LogPage(end=end)) if self.synced is not None:
                self.covered = end
            case CommitParts(), Committed(positions=new) if new and self._observer:
                self._observer.committed()
            case _:
                pass

    async def _write(self, stream: FrameStream) -> None:
        while (frame := await self._frames.get()) is not None:
            try:
                await stream.write(frame)
            except (grpc.RpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
                return  # the stream is gone, which the reader notices


async def _read(stream: FrameStream) -> bytes | None:
    return await stream.read()


def _last_frame(reason: str) -> Send:
    return Send(wire.Frame(error=wire.Error(reason=reason.encode()[:MAX_REASON])).SerializeToString())


def printable(text: str) -> str:
    """Text that may be a stranger's, for one line of a log."""
    return "".join(character if character.isprintable() else " " for character in text)
