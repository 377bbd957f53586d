"""How many may connect to a server, and how long without saying anything.

Whoever connects costs a file descriptor before it is known who it is.  So a port takes no more connections than leaves
enough descriptors for the server's own work, drops those that do not finish their handshake, and in time those that ask
for nothing.  The soft limit of the process is raised to the hard one first.
"""

from __future__ import annotations

import resource

HANDSHAKE_SECONDS = 10
"""For TLS and the first frames of HTTP/2."""
IDLE_SECONDS = 600
"""Without a call in flight; a client connects again by itself."""
_OWN_DESCRIPTORS = 256
"""For the index, its readers, logs and calls to others."""
PEER_KEEPALIVE: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", 16_000),
    ("grpc.keepalive_timeout_ms", 8_000),
    ("grpc.http2.ping_timeout_ms", 8_000),  # else an answer to a ping is waited for a minute
    ("grpc.http2.max_pings_without_data", 0),  # a live session may have nothing to say for long
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 8_000),
)
"""Options of gRPC for sessions of peers, on both sides: a silent connection is asked whether it lives, and is lost
within `PEER_LOST_SECONDS` if it does not answer: its process hangs, its machine is gone, or packets vanish."""
PEER_LOST_SECONDS = 30
"""After which at the latest a peer that does not answer counts as lost."""
_LEAST, _MOST = 64, 16_384
_PORTS = 2
"""Of clients and of peers; each may have as many."""


def connection_options() -> list[tuple[str, int]]:
    """Options of gRPC for one port of this process."""
    return [
        ("grpc.max_allowed_incoming_connections", most_connections()),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
        ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1000),
    ]


def most_connections() -> int:
    """What a port takes."""
    return _most_connections(_raise_descriptors())


def _most_connections(descriptors: int) -> int:
    return min(max((descriptors - _OWN_DESCRIPTORS) // _PORTS, _LEAST), _MOST)


def _raise_descriptors() -> int:
    """The limit of open files, as high as this process may set it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _MOST if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft
        return wanted
    return 2 * _MOST if soft == resource.RLIM_INFINITY else soft
