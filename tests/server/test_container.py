"""The container file: what it copies is there, it does not run as root, and its health check tells the truth."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click

from tests.cli.command_runner import until
from tests.cli.server_home import Home
from tests.server.server_harness import serving
from weft.cli.commands import serve

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".containers" / "Containerfile"
INSTRUCTIONS = [
    tuple(line.split(" ", 1))
    for line in re.sub(r"\\\n\s*", "", FILE.read_text()).splitlines()
    if line and not line.startswith("#")
]


def of(kind: str) -> list[str]:
    """The instructions of a kind, in their order."""
    return [rest for name, rest in INSTRUCTIONS if name == kind]


def test_what_it_copies_is_in_the_clone() -> None:
    for words in of("COPY"):
        if not words.startswith("--from="):
            *sources, _ = words.split()
            assert all((ROOT / source).exists() for source in sources), words


def test_it_runs_as_a_user_of_its_own_who_owns_the_volume_alone() -> None:
    [user] = of("USER")
    number = user.partition(":")[0]
    assert int(number) > 999
    [made] = [line for line in of("RUN") if "useradd" in line]
    assert f"--uid {number} " in made
    [volume] = of("VOLUME")
    assert f"install -d -m 700 -o weft -g weft {volume} " in made
    assert f"WEFT_INDEX={volume}/index.db" in of("ENV")[0]


def test_its_command_is_one_that_weft_takes() -> None:
    assert json.loads(of("ENTRYPOINT")[0]) == ["weft"]
    name, *options = json.loads(of("CMD")[0])
    assert name == "serve"
    with click.Context(serve.command) as context:
        serve.command.parse_args(context, list(options))
    ports = {options[options.index(one) + 1] for one in ("--listen", "--exchange-listen", "--metrics")}
    assert {port.removeprefix("0.0.0.0:") for port in ports} == set(of("EXPOSE")[0].split())


def test_its_health_check_tells_whether_the_server_is_ready(home: Home) -> None:
    assert json.loads(of("HEALTHCHECK")[0].partition("CMD ")[2]) == ["is-ready"]

    def check(port: str) -> tuple[int, str]:
        command = [sys.executable, str(FILE.with_name("is-ready")), port]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stderr

    assert FILE.with_name("is-ready").stat().st_mode & 0o111
    with serving(home, "--metrics", "127.0.0.1:0") as served:
        assert served.metrics
        port = served.metrics.rpartition(":")[2]
        assert check(port) == (0, "")
        home.index.rename(home.index.with_name("away.db"))
        until(lambda: check(port) == (1, "the server is not ready; its log says why\n"))
    code, said = check(port)
    assert (code, said.startswith("the server shows no metrics: ")) == (1, True)
