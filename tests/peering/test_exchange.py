"""Two servers in processes of their own that exchange claims: equal afterwards, and nobody else gets any."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

import weft
from tests.cli.command_runner import OPS, ROOT, environment, mail, until
from tests.cli.server_home import Home
from tests.peering.peer_harness import admit, calling, count, fingerprint, frames, made, running, serving, state, sync
from tests.server.server_harness import SECONDS
from tests.store.factories import Origin
from weft.tls.identity import Identity, load_or_make_identity, make_identity
from weft.tls.transport import introduced

MANY = 2500


def shape(address: str) -> list[tuple[str, str | None, tuple[str, ...]]]:
    with weft.connect(address, verify=True) as peer:
        return [(one.id, one.parent, tuple(sorted(one.lists))) for one in peer.thread(ROOT).messages]


def test_two_servers_that_admit_each_other_are_equal_after_one_sync(near: Home, far: Home) -> None:
    admit(far, near)
    with serving(far) as (_, far_clients, far_peers):
        admit(near, far, "--address", far_peers, "--name", "far")
        before = shape(far_clients)
        first = sync(near, "far")
        assert (first["error"], first["mode"], first["refused"], first["gone"]) == (None, "mirror", {}, 0)
        assert (first["claims_in"], first["claims_out"]) == (len(state(far)[0]) - first["claims_out"], 13)
        assert state(near) == state(far)
        assert state(near)[1].hex() == first["common_view"]
        again = sync(near, far_peers)
        assert (again["claims_in"], again["claims_out"], again["listed"]) == (0, 0, False)
        with serving(near) as (_, near_clients, _):
            assert shape(near_clients) == shape(far_clients) != before
            assert {name for _, _, lists in shape(near_clients) for name in lists} == {"drafts", "smtp-ops"}


def test_a_sync_without_addresses_is_one_with_every_peer_that_has_one(tmp_path: Path, near: Home, far: Home) -> None:
    third, silent = made(tmp_path / "third", OPS), made(tmp_path / "silent", OPS)
    for home in (far, third):
        admit(home, near)
    admit(near, silent)
    with serving(far) as (_, _, one):
        admit(near, far, "--address", one)
        with serving(third) as (_, _, other):
            admit(near, third, "--address", other)
            ran = near.process("sync", "--json")
            assert ran.code == 0, ran.err
            assert [session["address"] for session in json.loads(ran.text)["sessions"]] == [one, other]
        assert near.process("sync").code == 3, "one of two does not answer any more"


def test_a_server_calls_its_peers_when_it_starts(near: Home, far: Home) -> None:
    admit(far, near)
    with serving(far) as (_, _, far_peers):
        admit(near, far, "--address", far_peers)
        with serving(near):
            until(lambda: count(near) == count(far) == 26)
    assert state(near) == state(far)


def test_two_that_call_each_other_at_the_same_time_end_equal(near: Home, far: Home) -> None:
    admit(far, near)
    admit(near, far)
    with serving(far) as (_, _, far_peers), serving(near) as (_, _, near_peers):
        for home, address in ((near, far_peers), (far, near_peers)):
            text = home.config.read_text()
            home.config.write_text(text.replace('mode = "mirror"', f'mode = "mirror"\naddress = "{address}"'))
        syncs = [
            subprocess.Popen([sys.executable, "-m", "weft", "sync", "-q", address], env=environment(**home.env))
            for home, address in [(near, far_peers), (far, near_peers)] * 2
        ]
        assert [one.wait(SECONDS) for one in syncs] == [0] * 4
    assert state(near) == state(far)


def test_an_unknown_key_is_denied_and_both_sides_are_told_what_would_admit_it(near: Home, far: Home) -> None:
    advice = f"weft peers add {fingerprint(near)}"
    with running(far) as server:
        admit(near, far, "--address", server.peers)
        for _ in range(2):
            ran = near.process("sync", "--json", server.peers)
            assert ran.code == 1
            assert f"this server does not know your key; its operator has to run: {advice}" in ran.err[-1]
            assert json.loads(ran.text)["sessions"][0].keys() == {"peer", "address", "mode", "error"}
        [line] = [line for line in server.lines() if "is not a peer" in line["message"]]
        assert line["level"] == "warning"
        assert line["message"] == f"{fingerprint(near)} called, and is not a peer; admit it with: {advice}"
    assert (count(near), count(far)) == (13, 13)


def test_a_server_stops_although_a_session_is_open(near: Home, far: Home) -> None:
    admit(far, near)
    identity = introduced(load_or_make_identity(near.index))
    with serving(far) as (process, _, address):

        async def hold() -> None:
            async with calling(address, far, identity) as session:
                assert isinstance(await session(timeout=SECONDS).read(), bytes)
                process.terminate()
                assert await asyncio.to_thread(process.wait, SECONDS) == 0

        asyncio.run(hold())


def test_a_peer_that_is_removed_is_denied_at_once(near: Home, far: Home) -> None:
    admit(far, near, "--name", "near")
    with serving(far) as (_, _, far_peers):
        admit(near, far, "--address", far_peers)
        sync(near, far_peers)
        assert far.weft("peers", "remove", "near").code == 0
        assert near.process("sync", far_peers).code == 1


def test_a_certificate_with_the_binding_of_a_peer_but_another_key_is_denied(near: Home, far: Home) -> None:
    admit(far, near)
    good = load_or_make_identity(near.index)
    stranger = make_identity(Origin("stranger").key)
    stolen = introduced(Identity(stranger.key, good.certificate))
    with serving(far) as (_, _, address):
        assert frames(address, far, introduced(stranger)) == (grpc.StatusCode.PERMISSION_DENIED, [])
        assert frames(address, far, stolen) == (grpc.StatusCode.PERMISSION_DENIED, [])
        code, _ = frames(address, far, stranger)
        assert code is grpc.StatusCode.UNAVAILABLE, "a certificate of no issuer ends in the handshake"
        code, got = frames(address, far, introduced(good), b"\xff\xff")
        assert code is grpc.StatusCode.OK
        assert b"not a message of the schema" in got[-1]
        code, _ = frames(address, far, introduced(good), b"x" * (2 << 20))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_peer_has_no_more_sessions_at_a_time_than_its_row_says(near: Home, far: Home) -> None:
    admit(far, near)
    far.config.write_text(far.config.read_text().replace('mode = "mirror"', 'mode = "mirror"\nstreams = 1'))
    identity = introduced(load_or_make_identity(near.index))
    with serving(far) as (_, _, address):

        async def two() -> None:
            async with calling(address, far, identity) as session:
                first = session(timeout=10)
                assert isinstance(await first.read(), bytes), "its hello"
                second = session(timeout=10)
                with pytest.raises(grpc.aio.AioRpcError, match="streams: you have 1 sessions already"):
                    await second.read()
                first.cancel()

        asyncio.run(two())


@pytest.mark.parametrize("what", ["--listen", "--exchange-listen", "--metrics"])
def test_a_port_that_is_in_use_is_told_in_one_line(near: Home, what: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        listen = () if what == "--listen" else ("--listen", "127.0.0.1:0")
        ran = near.process("serve", "-q", *listen, what, address)
    assert (ran.code, len(ran.err)) == (1, 1), ran.err
    assert address in ran.err[0]


def test_a_port_for_peers_that_is_taken_is_told(near: Home, far: Home) -> None:
    with serving(far) as (_, _, address):
        ran = near.process("serve", "--listen", "127.0.0.1:0", "--exchange-listen", address)
        assert ran.code == 1
        assert "cannot listen there" in ran.err[-1]


@pytest.mark.parametrize("victim", ["caller", "answerer"])
def test_a_kill_in_the_middle_of_a_mirror_loses_nothing(tmp_path: Path, near: Home, victim: str) -> None:
    names = [f"{number}.{'x' * 60}@example.org" for number in range(MANY)]
    mails = [mail(name, names[max(0, at - 12) : at]) for at, name in enumerate(names)]
    source = tmp_path / "many.mbox"
    source.write_bytes(b"".join(mails))
    big = made(tmp_path / "big", source)
    admit(big, near)
    with serving(big) as (server, _, address):
        admit(near, big, "--address", address)
        command = [sys.executable, "-m", "weft", "sync", "-q", address]
        caller = subprocess.Popen(command, env=environment(**near.env), stderr=subprocess.DEVNULL)
        until(lambda: count(near) > 13)
        (caller if victim == "caller" else server).send_signal(signal.SIGKILL)
        assert caller.wait(SECONDS) != 0
        held = count(near)
        assert 13 < held < MANY + 13, "it was in the middle"
        if victim == "answerer":
            server.wait(SECONDS)
    with serving(big) as (_, _, address):
        near.weft("peers", "remove", fingerprint(big))
        admit(near, big, "--address", address)
        assert sync(near, address)["claims_in"] == MANY + 13 - held
    assert state(near) == state(big)
