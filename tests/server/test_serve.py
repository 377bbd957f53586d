"""The command ``weft serve`` itself: its lines, its log, its unit, and what it refuses."""

from __future__ import annotations

import asyncio
import configparser
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

import weft
from tests.cli.command_runner import ROOT, environment
from tests.cli.command_runner import weft as run
from tests.cli.server_home import Home
from tests.server.server_harness import SECONDS, Served, serving, start
from weft.cli import systemd
from weft.cli.commands.serve import _stop
from weft.server.server import Server


def test_the_log_is_one_json_object_a_line_if_that_is_asked_for(home: Home) -> None:
    served = start(home, "--log-format", "json")
    with weft.connect(served.address) as peer:
        peer.thread(ROOT)
    code, log = served.stop()
    assert code == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)


def test_all_lines_are_json_from_the_first_one_on(home: Home) -> None:
    served = start(
        home, "--log-format", "json", "--workers", "2", "--metrics", "127.0.0.1:0", "--exchange-listen", "127.0.0.1:0"
    )
    assert served.process.stdout
    said = [json.loads(served.process.stdout.readline()) for _ in range(1)]
    assert said[0]["message"].startswith("exchange on ")
    code, log = served.stop()
    assert code == 0
    assert all({"time", "level", "logger", "message"} <= json.loads(line).keys() for line in log.splitlines())


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--listen", "127.0.0.1:99999"), 2, "127.0.0.1:99999"),
        (("--workers", "none"), 2, "'none' is not a valid integer"),
        (("--no-such-option",), 2, "--no-such-option"),
        (("--index", "missing.db"), 1, "there is no index"),
        (("--config", "missing.toml"), 2, "there is no such policy file"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_keeps_a_server_from_starting_is_json_too(
    home: Home, options: tuple[str, ...], code: int, said: str
) -> None:
    for form in (("--log-format", "json"), ("--log-format=json",)):
        ran = run("serve", *options, *form, env=home.env)
        assert (ran.code, ran.text) == (code, "")
        [line] = map(json.loads, ran.err)
        assert said in line["message"]
        assert line["level"] == "error"
    assert home.weft("serve", *options).err[0].startswith("weft: "), "else it is a line for people"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_either_signal_ends_it_with_zero(home: Home, number: signal.Signals) -> None:
    served = start(home)
    served.process.send_signal(number)
    served.process.communicate(timeout=SECONDS)
    assert served.process.returncode == 0


def test_a_port_that_is_taken_is_told_and_not_shared(home: Home, shared: Served) -> None:
    ran = run("serve", "--listen", shared.address, env=home.env)
    assert ran.code == 1
    assert "cannot listen there" in ran.err[-1]
    with serving(home, "--metrics", "127.0.0.1:0") as served:
        assert served.metrics
        ran = run("serve", "--listen", "127.0.0.1:0", "--metrics", served.metrics, env=home.env)
        assert ran.code == 1
        assert "cannot show metrics there" in ran.err[-1]


@pytest.mark.parametrize("address", ["7430", "127.0.0.1", "127.0.0.1:99999", "/tmp/x:1"])
def test_what_is_no_address_is_a_matter_of_usage(home: Home, address: str) -> None:
    assert run("serve", "--listen", address, env=home.env).code == 2


def test_the_unit_is_hardened_and_runs_this_server() -> None:
    ran = run(
        "serve", "--print-unit", "--listen", "127.0.0.1:7430", "--metrics", "127.0.0.1:9430", "--log-format", "json",
        "--workers", "2",
    )  # fmt: skip
    assert ran.code == 0
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(ran.text)
    service = unit["Service"]
    options = "--listen 127.0.0.1:7430 --log-format json --metrics 127.0.0.1:9430 --workers 2"
    assert service["ExecStart"].endswith(f"serve {options}")
    for key in ("NoNewPrivileges", "DynamicUser", "PrivateTmp", "PrivateDevices", "ProtectHome", "RestrictNamespaces"):
        assert service[key] == "yes", key
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["ExecStart"].startswith("/")


def test_the_unit_passes_systemds_own_check(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    for name, options in (("weft", ()), ("weft-ingest", ("--ingest", "git=/srv/git.mbox"))):
        path = tmp_path_factory.mktemp("unit") / f"{name}.service"
        path.write_bytes(run("serve", "--print-unit", *options).out)
        done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
        assert "Unknown key" not in done.stderr
        assert "Failed to parse" not in done.stderr


def test_a_unit_of_its_own_puts_mail_into_the_index_of_the_server() -> None:
    server, ingest = (
        run("serve", "-q", "--print-unit", *options).text
        for options in ((), ("--ingest", "git=/srv/git.mbox", "--ingest", "dev=/srv/dev"))
    )
    assert " ingest --watch git=/srv/git.mbox dev=/srv/dev\n" in ingest
    shared = ("DynamicUser=yes", "User=weft", "StateDirectory=weft", "Environment=WEFT_INDEX=%S/weft/index.db")
    for line in shared:
        assert f"\n{line}\n" in server
        assert f"\n{line}\n" in ingest
    for wrong in ("git=git.mbox", "/srv/git.mbox", "git=/srv/a b", "git=/srv/%h"):
        assert run("serve", "--print-unit", "--ingest", wrong).code == 2
    for wrong in ("git=-", "a\t=/srv/git.mbox", "git="):
        assert run("serve", "--ingest", wrong).code == 2


def test_a_program_that_a_unit_cannot_see_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for place, is_hidden in (("/home/ada/venv", True), ("/root/venv", True), ("/tmp/x", True), ("/homes/x", False)):
        monkeypatch.setattr(systemd, "__file__", "/opt/weft/unit.py")
        monkeypatch.setattr(sys, "executable", f"{place}/bin/python")
        assert systemd.hidden() == (Path(f"{place}/bin/python") if is_hidden else None)
    monkeypatch.setattr(systemd, "__file__", "/home/ada/weft/src/weft/cli/unit.py")
    assert systemd.hidden() == Path("/home/ada/weft/src/weft/cli/unit.py"), "it was installed to be edited"


def test_what_to_do_about_that_is_said_beside_the_unit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/root/weft/bin/python")
    ran = home.weft("serve", "--print-unit")
    assert (ran.code, ran.text.splitlines()[0]) == (0, "[Unit]")
    assert ran.err == [
        "weft: /root/weft/bin/python is hidden from units, so this one will not start; install into /opt/weft, and "
        "print it there"
    ]
    assert home.weft("serve", "-q", "--print-unit").err == []


def test_an_address_cannot_write_into_the_unit() -> None:
    for address in ("127.0.0.1:1\nExecStartPre=/bin/x", "127.0.0.1:1 x", "%h:1"):
        assert run("serve", "--print-unit", "--listen", address).code == 2


@pytest.mark.parametrize("arguments", [["--version"], ["serve", "--help"], ["threads"]], ids=" ".join)
def test_no_other_command_loads_grpc(home: Home, arguments: list[str]) -> None:
    program = (
        f"import sys; sys.argv = ['weft', *{arguments!r}]\n"
        "from weft.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert 'click' in sys.modules\n"
        "assert not {'grpc', 'prometheus_client'} & {*sys.modules}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(**home.env), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_second_signal_does_not_wait_for_calls_in_flight() -> None:
    stops: list[float | None] = []

    class Busy:
        """A server with a call that does not end."""

        async def stop(self, seconds: float | None = None) -> None:
            stops.append(seconds)
            if seconds is None:
                await asyncio.sleep(60)

    async def run_it() -> None:
        again = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, again.set)
        await asyncio.wait_for(_stop(cast(Server, Busy()), again), 5)

    asyncio.run(run_it())
    assert stops == [None, 0]
