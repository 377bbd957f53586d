"""What both clients have in common: where they connect, how, and the limits of what they take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Wire

from weft.client import calls
from weft.client.calls import Asking
from weft.errors import AnswerError, UsageError
from weft.model import Thread
from weft.policy.rules import Policy
from weft.tls.address import UNIX, is_loopback, join_address, socket_path, split_address
from weft.v1 import threads_pb2 as wire

TIMEOUT = 30.0
"""Seconds for one call, if the caller does not say."""
THREADS_OF_STREAM = 1000
"""Threads that are asked for over one stream, which has a deadline."""
COMPARE_TIMEOUT = 600.0
"""The least for a call that makes the server read every claim."""
PAGE = 50
_MESSAGE_BYTES = 8 << 20
OPTIONS: Sequence[tuple[str, int | str]] = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.enable_http_proxy", 0),  # certificates are fetched without one, and nobody proxies loopback
)
SERVICE = wire.DESCRIPTOR.services_by_name["ThreadService"].full_name

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class AnswerChecks:
    """What is checked of threads: nothing; or that they follow from signed claims, under a policy if there is one."""

    verify: bool = False
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and how."""

    address: str
    credentials: grpc.ChannelCredentials | None
    options: list[tuple[str, Any]]

    @classmethod
    def of(
        cls,
        address: str,
        fingerprint: str | None,
        index: str | Path | None,
        roots: str | Path | None = None,
    ) -> Target:
        """As `weft.client.client.connect` takes it; where TLS is spoken this asks the server for its certificate."""
        socket = socket_path(address)
        if socket is not None:
            if fingerprint is not None or index is not None or roots is not None:
                raise UsageError(f"{address}: plain text is spoken on a unix socket, so no certificate is shown there")
            return cls(f"{UNIX}{socket}", None, list(OPTIONS))
        host, port = split_address(address)
        target = join_address(host, port)
        if fingerprint is None and index is None and roots is None and is_loopback(host):
            return cls(target, None, list(OPTIONS))
        from weft.tls.handshake import check_certificate, fetch_certificate
        from weft.tls.identity import NAME, channel_credentials, load_or_make_identity
        from weft.tls.roots import roots_of, system_roots
        from weft.tls.transport import introduced

        identity = None if index is None else introduced(load_or_make_identity(Path(index)))
        if fingerprint is not None:
            certificate = fetch_certificate((host, port), fingerprint, anonymous=identity is None)
            options = [*OPTIONS, ("grpc.ssl_target_name_override", NAME)]
            return cls(target, channel_credentials(certificate, identity), options)
        trusted = system_roots() if roots is None else roots_of(roots)
        check_certificate((host, port), trusted, anonymous=identity is None)
        return cls(target, channel_credentials(trusted, identity), list(OPTIONS))


def ask_thread(message_id: str, hidden: bool, checks: AnswerChecks) -> Asking[Thread]:
    """A thread, checked as ``checks`` says."""
    if checks.verify and not hidden:
        raise UsageError("hidden: a thread is verified as a whole; leave ghosts out afterwards")
    return calls.thread(message_id, prune=not hidden, verify=checks.verify, policy=checks.policy)


def unary(channel: grpc.Channel | grpc.aio.Channel, method: str) -> Callable[..., Any]:
    """A call whose requests and responses are bytes."""
    return cast(Any, channel).unary_unary(f"/{SERVICE}/{method}")  # type: ignore[no-any-return]


def stream(channel: grpc.Channel | grpc.aio.Channel, method: str = "WatchChanges") -> Callable[..., Any]:
    """A call whose responses are a stream, of bytes too."""
    return cast(Any, channel).unary_stream(f"/{SERVICE}/{method}")  # type: ignore[no-any-return]


def both(channel: grpc.Channel | grpc.aio.Channel, method: str) -> Callable[..., Any]:
    """A call whose requests and responses are streams."""
    return cast(Any, channel).stream_stream(f"/{SERVICE}/{method}")  # type: ignore[no-any-return]


def parsed(kind: type[Wire], data: bytes) -> Any:  # noqa: ANN401 - a message of that kind
    """The response that ``data`` are; `AnswerError`."""
    try:
        return kind.FromString(data)
    except DecodeError:
        raise AnswerError("the answer is not a message of the schema") from None
