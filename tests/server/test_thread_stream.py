"""Many threads over one stream: each in its place, errors too, however the pages of the large ones come between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

import weft
from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.server.server_harness import Served
from tests.store.factories import Origin, mail
from weft.client import client
from weft.client.calls import Asking, Call
from weft.client.channel import AnswerChecks, ask_thread, both
from weft.client.pipeline import PipelinedRequests
from weft.errors import AnswerError, InvalidRequestError, LateError, NotFoundError, OverloadedError, WeftError
from weft.grpc_status import END
from weft.index.index import Index
from weft.model import Thread
from weft.policy.rows import Origin as Row
from weft.policy.rules import Policy
from weft.server import thread_pages, thread_stream
from weft.server.reader_pool import IndexReader
from weft.server.server import Server
from weft.v1 import threads_pb2 as wire
from weft.wire import limits

SMALL, LARGE = 40, 1500


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Policy]:
    """An index with many small threads, s0 to s39, and two of several pages, a0 and b0."""
    path, near = tmp_path_factory.mktemp("many") / "index.db", Origin("near")
    claims = [mail(f"s{number}") for number in range(SMALL)]
    for name in "ab":
        claims += [mail(f"{name}0"), *(mail(f"{name}{n}", f"{name}0", subject=f"{n} " * 190) for n in range(1, LARGE))]
    with Index.open(path, policy=Policy(origins={near.public: Row(1, None)})) as index:
        policy = replace(index.policy, own=index.origin)
        index.set_policy(policy)
        index.admit([near.batch("l", *claims[start : start + 256]) for start in range(0, len(claims), 256)])
    return path, policy


ASKED = ["a7", *(f"s{n}" for n in range(20)), "nobody", "b0", *(f"s{n}" for n in range(20, SMALL)), "x" * 9000, "a0"]


async def start(made: tuple[Path, Policy]) -> tuple[Server, str]:
    """A server in this process."""
    server = Server(*made)
    return server, await server.start("127.0.0.1:0")


def assert_given(index: Index, asked: Sequence[str], given: Sequence[Thread | WeftError]) -> None:
    """Each thread is the one that the index has, and an error stands where there is none."""
    assert len(asked) == len(given)
    for name, found in zip(asked, given, strict=True):
        if name == "nobody":
            assert isinstance(found, NotFoundError)
        elif len(name) > limits.ID_BYTES:
            assert isinstance(found, InvalidRequestError)
        else:
            assert found == index.thread(name)


@pytest.mark.parametrize("verify", [False, True])
def test_threads_come_in_the_order_in_which_they_were_asked_for(made: tuple[Path, Policy], verify: bool) -> None:
    async def run() -> list[Thread | WeftError]:
        server, address = await start(made)
        try:
            async with weft.connect_async(address, verify=verify) as peer:
                return [found async for found in peer.threads_of(ASKED)]
        finally:
            assert await server.stop()

    given = asyncio.run(run())
    with Index.open(made[0], policy=made[1]) as index:
        assert_given(index, ASKED, given)


def test_a_blocking_client_gets_the_same_over_as_many_streams_as_it_takes(
    shared: Served, ingested: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "THREADS_OF_STREAM", 20)
    with weft.Index.open(ingested.index, policy=None) as index, weft.connect(shared.address) as peer:
        roots = [thread.root for thread in index.threads()]
        asked = [*roots, "nobody", *roots] * 5
        assert_given(index, asked, list(peer.threads_of(asked)))
        for name, found in zip(roots, peer.threads_of(roots, hidden=False), strict=True):
            assert found == index.thread(name, hidden=False)
        assert list(peer.threads_of([])) == []


def test_ids_are_read_no_further_than_a_stream_takes_requests(shared: Served) -> None:
    read: list[int] = []

    def ids() -> Iterator[str]:
        for number in range(1000):
            read.append(number)
            yield ROOT

    with weft.connect(shared.address) as peer:
        found = peer.threads_of(ids())
        for _ in range(3):
            assert isinstance(next(found), Thread)
        assert len(read) <= 3 + 2 * limits.IN_FLIGHT
        assert isinstance(peer.thread(ROOT), Thread)


def test_a_server_reads_no_further_than_it_has_room(made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    answer_some = thread_stream._answer_some

    def counting(reading: IndexReader, requests: Sequence[bytes]) -> list[bytes]:
        sizes.append(len(requests))
        return answer_some(reading, requests)

    monkeypatch.setattr(thread_stream, "_answer_some", counting)
    request = asked_for(b"s1")

    async def run() -> int:
        server, address = await start(made)
        async with grpc.aio.insecure_channel(address) as channel:
            call = both(channel, "GetThreads")(iter([request] * 200))
            given = [data async for data in call]
        assert await server.stop()
        assert len(set(given)) == 1
        return len(given)

    assert asyncio.run(run()) == 200
    assert 1 < max(sizes) <= limits.IN_FLIGHT


def asked_for(message_id: bytes) -> bytes:
    """A request of a stream."""
    return wire.GetThreadsRequest(request=wire.GetThreadRequest(message_id=message_id)).SerializeToString()


def responses(made: tuple[Path, Policy], requests: Iterable[bytes]) -> list[wire.GetThreadsResponse]:
    """What a server says to some requests of one stream."""

    async def run() -> list[wire.GetThreadsResponse]:
        server, address = await start(made)
        async with grpc.aio.insecure_channel(address) as channel:
            call = both(channel, "GetThreads")(iter(requests))
            given = [wire.GetThreadsResponse.FromString(data) async for data in call]
        assert await server.stop()
        return given

    return asyncio.run(run())


def test_a_request_that_cannot_be_read_is_answered_and_the_stream_goes_on(made: tuple[Path, Policy]) -> None:
    invalid, right = responses(made, [b"\xff\xff", asked_for(b"s1")])
    assert invalid.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert [one.message_id for one in right.thread.messages] == [b"s1"]
    assert not right.HasField("error")


def test_an_error_of_a_stream_is_a_status_with_details(made: tuple[Path, Policy]) -> None:
    [found] = responses(made, [asked_for(b"")])
    status = Status.FromString(found.error.SerializeToString())
    assert (status.code, status.message) == (3, "message_id: it is empty")
    info, bad = ErrorInfo(), BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert (info.domain, info.reason) == ("weft", "INVALID_REQUEST")
    assert [(one.field, one.description) for one in bad.field_violations] == [("message_id", "it is empty")]


def test_an_answer_that_is_late_is_told_in_its_place(
    made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(reading: IndexReader, request: bytes) -> bytes:
        if b"a0" in request:
            raise LateError("the answer took too long")
        return thread_pages.get_large_thread(reading, request)

    monkeypatch.setattr(thread_stream, "get_large_thread", late)
    asked = [asked_for(name) for name in (b"a0", b"b0", b"s0")]
    codes = [response.error.code for response in responses(made, asked)]
    assert codes == [grpc.StatusCode.DEADLINE_EXCEEDED.value[0], 0, 0]


def test_a_failure_of_the_server_ends_the_stream_after_the_answers_before_it(
    made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    get_thread = thread_pages.get_thread

    def failing(reading: IndexReader, request: bytes) -> bytes:
        if b"s3" in request:
            raise RuntimeError("a defect")
        return get_thread(reading, request)

    monkeypatch.setattr(thread_stream, "get_thread", failing)

    async def run() -> list[Thread | WeftError]:
        server, address = await start(made)
        given: list[Thread | WeftError] = []

        async def ask() -> None:
            async with weft.connect_async(address) as peer:
                async for found in peer.threads_of([f"s{number}" for number in range(10)]):
                    given.append(found)

        with pytest.raises(WeftError, match=r"the server failed|the server ended the call"):
            await ask()
        assert await server.stop()
        return given

    assert len(asyncio.run(run())) <= 3


@pytest.mark.parametrize("answered", range(4))
@pytest.mark.parametrize("fails", [True, False])
def test_a_server_that_ends_the_call_while_it_is_asked_is_an_error_of_ours(answered: int, fails: bool) -> None:
    async def ending(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 - as the stubs have it
        left = answered
        while left and await anext(requests, None) is not None:
            left -= 1
            yield wire.GetThreadsResponse(error=wire.RequestError(code=5)).SerializeToString()
        if fails and not left:
            await context.abort(grpc.StatusCode.INTERNAL, "the server failed")

    def ask(address: str) -> None:
        with weft.connect(address) as peer, pytest.raises(WeftError, match=r"the server failed|ended the call"):
            list(peer.threads_of(f"s{number}" for number in range(1000)))

    async def run() -> None:
        server = grpc.aio.server()
        handler = grpc.method_handlers_generic_handler(
            "weft.v1.ThreadService", {"GetThreads": grpc.stream_stream_rpc_method_handler(ending)}
        )
        server.add_generic_rpc_handlers((handler,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with weft.connect_async(f"127.0.0.1:{port}") as peer:
            found = [one async for one in peer.threads_of(f"s{number}" for number in range(answered))]
            assert [type(one) for one in found] == [NotFoundError] * answered
            with pytest.raises(WeftError, match=r"the server failed|ended the call"):
                [one async for one in peer.threads_of(f"s{number}" for number in range(1000))]
        await asyncio.to_thread(ask, f"127.0.0.1:{port}")
        await server.stop(None)

    asyncio.run(run())


def test_a_stream_that_idles_ends_when_the_server_stops(made: tuple[Path, Policy]) -> None:
    async def run() -> None:
        server, address = await start(made)
        async with grpc.aio.insecure_channel(address) as channel:
            call = both(channel, "GetThreads")()
            await call.write(asked_for(b"s1"))
            assert await call.read()
            assert await asyncio.wait_for(server.stop(), 10)
            with pytest.raises(grpc.aio.AioRpcError, match="stopping"):
                assert await call.read() is not END
        assert await call.code() == grpc.StatusCode.UNAVAILABLE

    asyncio.run(run())


def test_no_more_streams_are_taken_than_the_limit(made: tuple[Path, Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "THREAD_STREAMS", 1)

    async def run() -> None:
        server, address = await start(made)
        async with grpc.aio.insecure_channel(address) as channel, weft.connect_async(address) as peer:
            call = both(channel, "GetThreads")()
            await call.write(asked_for(b"s1"))
            assert await call.read()
            with pytest.raises(OverloadedError, match="1 streams ask for threads already"):
                assert not [found async for found in peer.threads_of(["s1"])]
            call.cancel()
            await asyncio.sleep(0.1)
            assert len([found async for found in peer.threads_of(["s1"])]) == 1
        assert await server.stop()

    asyncio.run(run())


def scripted(pages: int, name: str) -> Asking[Any]:
    """Asks for some pages; its answer is its name and all that it was sent."""
    found = [name]
    for page in range(pages):
        response = yield Call(
            "GetThread", wire.GetThreadRequest(message_id=f"{name}{page}".encode()), wire.GetThreadResponse
        )
        found.append(response.next_page_token)
    return found


def test_pages_of_several_threads_come_between_each_other() -> None:
    together = PipelinedRequests("here")
    line = [together.begin(scripted(pages, name)) for pages, name in ((3, "a"), (1, "b"), (2, "c"))]
    sent = [data for part in line for data in part]
    given: list[object] = []
    while together.waits:
        asked = wire.GetThreadsRequest.FromString(sent.pop(0)).request.message_id.decode()
        thread = wire.GetThreadResponse(next_page_token=asked)
        sent += together.take(wire.GetThreadsResponse(thread=thread).SerializeToString())
        given += together.ready()
    assert sent == []
    assert given == [["a", "a0", "a1", "a2"], ["b", "b0"], ["c", "c0", "c1"]]


def test_an_answer_that_is_no_message_is_an_error() -> None:
    together = PipelinedRequests("here")
    together.begin(scripted(1, "a"))
    with pytest.raises(AnswerError, match="schema"):
        together.take(b"\xff")


def test_a_server_that_ends_the_stream_early_has_answered_nothing() -> None:
    together = PipelinedRequests("here")
    together.begin(ask_thread("a", True, AnswerChecks()))
    assert together.take(b"") == []
    [found] = together.ready()
    assert isinstance(found, AnswerError)
