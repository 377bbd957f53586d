"""One session of the exchange over a stream: the shell around `weft.exchange.session.Session`, for both sides.

Theory of operation
-------------------
The machine says what to do, and this does it: frames go to a writer, questions to the thread of the store, answers and
frames back into the machine.  The next frame is read when the one before has been dealt with, so a fast peer waits;
frames out have a task of their own, or two servers that both write would wait for each other for ever.  How many frames
can wait there is bounded by the machine.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import grpc

from weft.core.policy import Policy
from weft.core.signing import short_fingerprint
from weft.errors import LocalProtocolError, StoreError
from weft.exchange.events import Ask, Ended, Output, Refusal, Request, Send
from weft.exchange.limits import Limits
from weft.exchange.mapping import KEY_OCTETS
from weft.exchange.session import Session
from weft.exchange.setup import Setup
from weft.rpc.exchange_desk import IndexDesk, Workplace
from weft.v1 import exchange_pb2 as wire

SERVICE = wire.DESCRIPTOR.services_by_name["Exchange"].full_name
MESSAGE_OCTETS = Limits().frame_octets + (64 << 10)
"""What the transport takes and gives."""
_TICK = 5.0
_GOODBYE = 10.0
"""Seconds for the last frames to leave."""

log = logging.getLogger("weft.exchange")


class Stream(Protocol):
    """Frames both ways."""

    async def read(self) -> bytes | None:
        """The next frame; None if the stream is gone."""

    async def write(self, octets: bytes) -> None:
        """Send a frame."""


class Talk:
    """One session, from hello to end."""

    def __init__(self, workplace: Workplace, policy: Policy, peer: bytes, *, caller: bool) -> None:
        self._workplace = workplace
        self._policy = policy
        self._peer = peer
        self._caller = caller
        self._session: Session | None = None
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ended: Ended | None = None

    async def run(self, stream: Stream) -> Ended:
        """Talk until the session ends, however that is."""
        writer = asyncio.create_task(self._write(stream))
        reading: asyncio.Task[bytes | None] | None = None
        ticked = time.monotonic()
        try:
            await self._do(self._start)
            while self._ended is None:
                reading = reading or asyncio.create_task(_read(stream))
                await asyncio.wait((reading,), timeout=_TICK)
                if reading.done():
                    frame, reading = reading.result(), None
                    await self._do(self._receive(frame))
                if self._ended is None and time.monotonic() - ticked >= _TICK:
                    ticked = time.monotonic()
                    await self._do(lambda _: self._machine().tick(time.monotonic()))
            self._frames.put_nowait(None)
            await asyncio.wait((writer,), timeout=_GOODBYE)
        finally:
            writer.cancel()
            if reading is not None:
                reading.cancel()
        self._log(self._ended)
        return self._ended

    def _start(self, desk: IndexDesk) -> list[Output]:
        setup = Setup(
            self._policy,
            self._peer,
            self._caller,
            secrets.token_bytes(KEY_OCTETS),
            desk.kept(self._peer),
            used=desk.used(self._peer),
            refused=desk.refused,
        )
        self._session = Session(setup, time.monotonic())
        return self._session.start()

    def _receive(self, frame: bytes | None) -> Callable[[IndexDesk], list[Output]]:
        return lambda _: self._machine().cut() if frame is None else self._machine().receive(frame)

    def _machine(self) -> Session:
        if self._session is None:
            raise LocalProtocolError("the session has not begun")
        return self._session

    async def _do(self, act: Callable[[IndexDesk], list[Output]]) -> None:
        """A step of the machine, and all that follows from it without the peer."""
        todo = deque(await self._workplace.run(act))
        while todo:
            match todo.popleft():
                case Send(octets):
                    self._frames.put_nowait(octets)
                case Ask(number, request):
                    todo.extend(await self._answer(number, request))
                case Refusal() as refusal:
                    log.warning("a claim was refused: %s", printable(refusal.reason))
                    await self._workplace.run(lambda desk, refusal=refusal: desk.refuse(refusal))  # type: ignore[misc]
                case Ended() as ended:
                    self._ended = ended

    async def _answer(self, number: int, request: Request) -> list[Output]:
        def work(desk: IndexDesk) -> list[Output]:
            machine = self._machine()
            try:
                answer = desk.answer(self._peer, request)
            except StoreError as error:
                return machine.fail(error)
            return machine.answer(number, answer)

        return [] if self._ended else await self._workplace.run(work)

    async def _write(self, stream: Stream) -> None:
        while (frame := await self._frames.get()) is not None:
            try:
                await stream.write(frame)
            except (grpc.RpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
                return  # the stream is gone, which the reader notices

    def _log(self, ended: Ended) -> None:
        report, name = ended.report, short_fingerprint(self._peer)
        if ended.error is None:
            log.info("exchanged with %s: %d claims in, %d out", name, report.claims_received, report.claims_sent)
        else:
            log.warning("the exchange with %s ended: %s", name, printable(str(ended.error)))


async def _read(stream: Stream) -> bytes | None:
    return await stream.read()


def printable(text: str) -> str:
    """Text that may be a stranger's, for one line of a log."""
    return "".join(character if character.isprintable() else " " for character in text)
