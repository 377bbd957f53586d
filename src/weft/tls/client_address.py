"""Who is at the other end of a connection, as far as its address says: a network for which somebody answers.

An IPv4 address is taken for one client, and so is an IPv6 network of 64 bits, which is what one household or machine
has at least (RFC 6177).  Behind a reverse proxy all connections have the address of the proxy; what that says of its
clients (``x-forwarded-for``) is believed only of proxies that the operator names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote

from weft.errors import UsageError

FORWARDED = "x-forwarded-for"
"""The header in which a proxy names its clients, each proxy the one that has called it, at the end."""
UNIX = "unix"
_IPV6_BITS = 64
_MOST_FORWARDED = 16

Address = IPv4Address | IPv6Address


class RemoteEnd(NamedTuple):
    """The other end of a connection."""

    address: Address
    port: int


def parse_peer(text: str) -> RemoteEnd | None:
    """What gRPC says of a connection: ``ipv4:192.0.2.1:4711``, ``ipv6:[2001:db8::1]:4711``; None if it is local."""
    family, _, rest = text.partition(":")
    if family not in ("ipv4", "ipv6"):
        return None
    host, _, port = unquote(rest).rpartition(":")
    return remote_end(host.removeprefix("[").removesuffix("]"), int(port))


def remote_end(host: str, port: int) -> RemoteEnd:
    """The other end with an address as text; an IPv4 address within IPv6 is that address."""
    return RemoteEnd(_unmapped(ip_address(host.partition("%")[0])), port)


def client_network(address: Address) -> str:
    """The network that is taken for one client."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> _IPV6_BITS << _IPV6_BITS, _IPV6_BITS)))


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The reverse proxies that are believed."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False
    """Whatever connects to a unix socket."""

    @classmethod
    def parse(cls, texts: Iterable[str]) -> TrustedProxies:
        """From addresses, networks such as ``10.0.0.0/8``, or ``unix``; `UsageError` for anything else."""
        networks, unix = [], False
        for text in texts:
            if text == UNIX:
                unix = True
                continue
            try:
                networks.append(ip_network(text))
            except ValueError:
                raise UsageError(
                    f"--trusted-proxy {text}: give the address of a proxy, a network such as 10.0.0.0/8, or unix"
                ) from None
        return cls(tuple(networks), unix)

    def __bool__(self) -> bool:
        return bool(self.networks) or self.unix

    def has(self, end: RemoteEnd | None) -> bool:
        """Whether the other end of a connection is one of them; None: a unix socket."""
        if end is None:
            return self.unix
        return any(end.address in network for network in self.networks)

    def client_of(self, end: RemoteEnd | None, forwarded: Sequence[str]) -> str:
        """The client behind a connection; ``forwarded``: the values of the header, in their order.

        Anybody can write that header: only what a trusted proxy has added to it counts, read from its end on.
        """
        if not self.has(end):
            return UNIX if end is None else client_network(end.address)
        named = [part.strip() for value in forwarded for part in value.split(",")]
        for text in reversed(named[-_MOST_FORWARDED:]):
            found = _forwarded_end(text)
            if found is None:
                break
            end = found
            if not self.has(end):
                break
        return UNIX if end is None else client_network(end.address)


def _forwarded_end(text: str) -> RemoteEnd | None:
    """An address as proxies write it, some of them with a port."""
    host = text
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        return remote_end(host, 0)
    except ValueError:
        return None


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
