"""Who is taken for one client, by address or by what a trusted proxy says."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.errors import UsageError
from weft.tls.client_address import RemoteEnd, TrustedProxies, client_network, parse_peer

PROXY = RemoteEnd(ip_address("10.0.0.1"), 4000)
TRUSTED = TrustedProxies.parse(["10.0.0.0/8", "2001:db8:1::/48"])
addresses = st.ip_addresses().filter(lambda one: one.version == 4 or one.ipv4_mapped is None)
outside = addresses.filter(lambda one: not TRUSTED.has(RemoteEnd(one, 0)))


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("ipv4:192.0.2.1:4711", "192.0.2.1", 4711),
        ("ipv6:[2001:db8::1]:4711", "2001:db8::1", 4711),
        ("ipv6:%5B2001:db8::1%5D:4711", "2001:db8::1", 4711),
        ("ipv6:[::ffff:192.0.2.1]:4711", "192.0.2.1", 4711),
        ("ipv6:%5Bfe80::1%25eth0%5D:4711", "fe80::1", 4711),
    ],
)
def test_the_other_end_of_a_connection_is_read_from_what_grpc_says(text: str, address: str, port: int) -> None:
    assert parse_peer(text) == (ip_address(address), port)


@pytest.mark.parametrize("text", ["unix:", "unix:/run/weft.sock", "unix-abstract:x", ""])
def test_a_connection_of_this_machine_has_no_address(text: str) -> None:
    assert parse_peer(text) is None


@given(addresses, addresses)
def test_one_client_is_an_address_of_ipv4_or_64_bits_of_ipv6(one: object, other: object) -> None:
    assert isinstance(one, IPv4Address | IPv6Address)
    assert isinstance(other, IPv4Address | IPv6Address)
    same = client_network(one) == client_network(other)
    if one.version != other.version:
        assert not same
    elif one.version == 4:
        assert same == (one == other)
    else:
        assert same == (int(one) >> 64 == int(other) >> 64)


@given(outside, st.lists(st.text()))
def test_nothing_that_an_untrusted_caller_says_changes_who_it_is(address: object, said: list[str]) -> None:
    assert isinstance(address, IPv4Address | IPv6Address)
    end = RemoteEnd(address, 1)
    assert TRUSTED.client_of(end, said) == client_network(address)
    assert TrustedProxies().client_of(end, [str(PROXY.address)]) == client_network(address)


@given(st.lists(st.text()), outside, st.lists(st.sampled_from(["10.1.2.3", "2001:db8:1::7"]), max_size=3))
def test_behind_trusted_proxies_the_last_other_address_is_the_client(
    said: list[str], client: object, proxies: list[str]
) -> None:
    """Whatever the client itself wrote into the header before the proxies added to it."""
    assert isinstance(client, IPv4Address | IPv6Address)
    line = ", ".join([*said, str(client), *proxies])
    assert TRUSTED.client_of(PROXY, [line]) == client_network(client)
    assert TRUSTED.client_of(PROXY, [*said, str(client), *proxies]) == client_network(client)


@pytest.mark.parametrize("text", ["192.0.2.7", "192.0.2.7:1234"])
def test_a_proxy_may_write_the_port_too(text: str) -> None:
    assert TRUSTED.client_of(PROXY, [text]) == "192.0.2.7"
    assert TRUSTED.client_of(PROXY, ["[2001:db8::7]:1234"]) == "2001:db8::/64"


@pytest.mark.parametrize("header", [[], [""], ["unknown"], ["192.0.2.7, unknown"], ["_hidden"]])
def test_a_proxy_that_names_nobody_is_the_client(header: list[str]) -> None:
    assert TRUSTED.client_of(PROXY, header) == "10.0.0.1"


def test_what_connects_to_a_unix_socket_can_be_a_proxy() -> None:
    assert TrustedProxies.parse(["unix"]).client_of(None, ["192.0.2.7"]) == "192.0.2.7"
    assert TrustedProxies.parse(["10.0.0.0/8"]).client_of(None, ["192.0.2.7"]) == "unix"


@pytest.mark.parametrize("text", ["proxy.example.org", "10.0.0.0/33", "10.0.0.1/8", "", "10.0.0.1:80"])
def test_what_names_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--trusted-proxy"):
        TrustedProxies.parse([text])
