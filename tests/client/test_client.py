"""Every call, over a socket, to a server process: the answers are those of the index itself."""

from __future__ import annotations

import asyncio
import threading
import time
import urllib.request
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

import weft
from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.server.server_harness import Served
from weft.errors import NotFoundError, UnreachableError, UsageError
from weft.v1 import threads_pb2 as wire


@pytest.fixture(scope="module")
def index(ingested: Home) -> Iterator[weft.Index]:
    with weft.Index.open(ingested.index, policy=ingested.config if ingested.config.exists() else None) as opened:
        yield opened


@pytest.mark.parametrize("verify", [False, True])
def test_a_thread_is_the_one_of_the_index_whatever_id_in_it_is_asked_for(
    shared: Served, index: weft.Index, verify: bool
) -> None:
    whole = index.thread(ROOT)
    with weft.connect(shared.address, verify=verify) as peer:
        for message in whole.messages:
            assert peer.thread(message.id) == whole


def test_a_thread_can_be_had_without_ghosts_that_nobody_answers(shared: Served, index: weft.Index) -> None:
    with weft.connect(shared.address) as peer:
        for thread in index.threads():
            assert peer.thread(thread.root, hidden=False) == index.thread(thread.root, hidden=False)


def test_threads_come_page_by_page_in_the_order_of_the_index(shared: Served, index: weft.Index) -> None:
    wanted = [thread.root for thread in index.threads()]
    assert len(wanted) > 2
    with weft.connect(shared.address) as peer:
        assert [one.root for one in peer.threads(page_size=1)] == wanted
        first = next(peer.threads())
    assert first.messages + first.ghosts == len(index.thread(wanted[0], hidden=False).messages)
    assert first.lists == index.thread(wanted[0]).lists


def test_threads_can_be_chosen_by_list_time_and_what_they_lack(shared: Served, index: weft.Index) -> None:
    with weft.connect(shared.address) as peer:
        for choice in ({"list_name": "drafts"}, {"since": 1044918000}, {"missing": True}):
            chosen = [thread.root for thread in index.threads(**choice)]
            assert [one.root for one in peer.threads(**choice)] == chosen
        assert list(peer.threads(since=2**37)) == []
        with pytest.raises(UsageError, match="years"):
            next(peer.threads(since=2**40))


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_client_does_not_wait_for_a_transport_that_never_closes(
    shared: Served, interrupt: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As gRPC's does not, if a signal comes while a stream begins."""
    never = threading.Event()
    began = time.monotonic()
    peer = weft.connect(shared.address)
    monkeypatch.setattr(peer, "close", never.wait)
    with pytest.raises(interrupt), peer:
        raise interrupt
    assert time.monotonic() - began < 10
    never.set()


def test_search_and_explain_answer_as_the_index_does(shared: Served, index: weft.Index) -> None:
    with weft.connect(shared.address) as peer:
        assert peer.search("thread", limit=3) == index.search("thread", limit=3)
        assert peer.search("nobodysaysthis") == []
        for message in index.thread(ROOT).messages:
            assert peer.explain(message.id) == index.explain(message.id)


def test_the_status_says_who_the_server_is_and_what_it_holds(shared: Served, index: weft.Index) -> None:
    with weft.connect(shared.address) as peer:
        status = peer.status(digest=True)
        assert peer.status().digest == ""
    assert (status.version, status.origin) == (weft.__version__, index.fingerprint)
    assert {feed.list: feed.claims for feed in status.feeds} == {one.list: one.claims for one in index.lists()}
    assert status.position == status.viewed == index.store.position()
    assert status.digest == index.view_id(common=True).hex()


def test_the_client_for_asyncio_gives_the_same(shared: Served, index: weft.Index) -> None:
    async def ask() -> None:
        async with weft.connect_async(shared.address, verify=True) as peer:
            assert await peer.thread(ROOT) == index.thread(ROOT)
            assert [one.root async for one in peer.threads(page_size=2)] == [one.root for one in index.threads()]
            assert await peer.search("thread") == index.search("thread")
            assert await peer.explain(ROOT) == index.explain(ROOT)
            assert (await peer.status()).origin == index.fingerprint
            async for change in peer.watch(after=0):
                assert change.position == 1
                break
            with pytest.raises(NotFoundError, match="nobody@nowhere"):
                await peer.thread("nobody@nowhere")

    asyncio.run(ask())


def test_an_id_that_nobody_names_is_not_found(shared: Served) -> None:
    with weft.connect(shared.address) as peer:
        for ask in (peer.thread, peer.explain):
            with pytest.raises(NotFoundError, match="nobody@nowhere"):
                ask("nobody@nowhere")


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with weft.connect("127.0.0.1:1", timeout=5) as peer, pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1"):
        peer.status()


def test_health_says_that_it_serves(shared: Served) -> None:
    with grpc.insecure_channel(shared.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", "weft.v1.ThreadService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_describes_the_service(shared: Served, version: str) -> None:
    reflection = f"grpc.reflection.{version}.ServerReflection"
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="weft.v1.ThreadService"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=reflection),
    ]
    with grpc.insecure_channel(shared.address) as channel:
        ask = channel.stream_stream(
            f"/{reflection}/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        services, files, itself = ask(iter(requests))
    [described] = map(FileDescriptorProto.FromString, itself.file_descriptor_response.file_descriptor_proto)
    assert described.package == f"grpc.reflection.{version}"
    names = {field.type_name for message in described.message_type for field in message.field} - {""}
    assert all(name.startswith(f".grpc.reflection.{version}.") for name in names)
    named = {one.name for one in services.list_services_response.service}
    assert named >= {"weft.v1.ThreadService", "grpc.health.v1.Health", reflection}
    files_described = map(FileDescriptorProto.FromString, files.file_descriptor_response.file_descriptor_proto)
    methods = {method.name for file in files_described for service in file.service for method in service.method}
    assert methods == {
        "GetThread", "GetThreads", "ListThreads", "SearchMessages", "ExplainMessage", "WatchChanges", "GetStatus",
        "ListFeeds", "StreamDigests", "StreamTrees",
    }  # fmt: skip


def test_metrics_count_the_calls(shared: Served) -> None:
    with shared.stub() as stub:
        stub.GetStatus(wire.GetStatusRequest())
        with pytest.raises(grpc.RpcError):
            stub.GetThread(wire.GetThreadRequest(message_id=b"nobody@nowhere"))
    with urllib.request.urlopen(f"http://{shared.metrics}/metrics", timeout=10) as page:
        text = page.read().decode()
    assert 'weft_calls_total{code="OK",method="GetStatus"}' in text
    assert 'weft_calls_total{code="NOT_FOUND",method="GetThread"}' in text
    assert "weft_log_position 26.0" in text
