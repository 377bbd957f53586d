"""A server that lies: it answers from an index, and alters the answer before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc

from weft.index.index import Index
from weft.policy.rules import Policy
from weft.server import thread_pages
from weft.server.reader_pool import IndexReader
from weft.v1 import threads_pb2 as wire

Lie = Callable[[wire.GetThreadResponse], object]


def answer(path: Path, policy: Policy, request: bytes) -> wire.GetThreadResponse:
    """What an honest server would say."""
    reading = IndexReader(path, policy)
    try:
        return wire.GetThreadResponse.FromString(thread_pages.get_large_thread(reading, request))
    finally:
        reading.close()


@contextmanager
def lying(path: Path, lie: Lie, policy: Policy | None = None) -> Iterator[str]:
    """The address of a server of one method, which changes each answer with ``lie``."""
    with Index.open(path, policy=policy) as index:
        used = index.policy

    def get_thread(request: bytes, _: object) -> bytes:
        response = answer(path, used, request)
        lie(response)
        return response.SerializeToString()

    handler = grpc.unary_unary_rpc_method_handler(get_thread)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("weft.v1.ThreadService", {"GetThread": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait(10)
