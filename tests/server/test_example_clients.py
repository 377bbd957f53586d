"""The clients in other languages of the documentation read a server over TLS, with stubs that are made here."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.command_runner import ROOT, mail
from tests.cli.server_home import Home
from tests.documented_examples import DOCS
from tests.server.authority import Authority
from tests.server.server_harness import SECONDS, Served, serving
from weft.index.index import Index

REPOSITORY = Path(__file__).parents[2]
PROTO = REPOSITORY / "proto"
EXAMPLES = DOCS / "examples"
GO_PACKAGES = Path("/usr/share/gocode")
"""Where Debian has them."""

CODEC = """package main

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
)

type codec struct{}

func (codec) Marshal(v interface{}) ([]byte, error)      { return proto.Marshal(v.(proto.Message)) }
func (codec) Unmarshal(data []byte, v interface{}) error { return proto.Unmarshal(data, v.(proto.Message)) }
func (codec) Name() string                               { return "proto" }

func init() { encoding.RegisterCodec(codec{}) }
"""
"""The gRPC of Debian is older than its protobuf: it needs to be told how messages of today are written."""


@dataclass(frozen=True, slots=True)
class Program:
    """An example as it is run."""

    command: Sequence[str | Path]
    env: dict[str, str]

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Begin to run it."""
        pipe = subprocess.PIPE
        return subprocess.Popen([*self.command, *arguments], stdout=pipe, stderr=pipe, text=True, env=self.env)

    def run(self, *arguments: str | Path) -> tuple[int, list[str], str]:
        """The exit code, the lines of stdout, and stderr."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=SECONDS)
        return process.returncode, out.splitlines(), err


def node() -> Program:
    """The one in JavaScript; skipped without Node and its packages, which CI installs."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on the path")
    modules = os.environ.get("WEFT_NODE_MODULES", "")
    env = {**os.environ, "NODE_PATH": modules, "NODE_NO_WARNINGS": "1"}  # of addresses that are numbers
    asked = [program, "-e", "require('@grpc/grpc-js'); require('@grpc/proto-loader')"]
    if subprocess.run(asked, env=env, capture_output=True).returncode:
        pytest.skip(
            "no @grpc/grpc-js and @grpc/proto-loader for node; WEFT_NODE_MODULES names the folder that has them"
        )
    return Program([program, EXAMPLES / "node" / "client.js", "--proto", PROTO], env)


def go(folder: Path) -> Program:
    """The one in Go, compiled; skipped without its compiler, the two that make stubs, and Debian's packages of gRPC."""
    protoc = pytest.importorskip("grpc_tools.protoc")
    compiler = shutil.which("go")
    if compiler is None or not shutil.which("protoc-gen-go") or not shutil.which("protoc-gen-go-grpc"):
        pytest.skip("no go, protoc-gen-go or protoc-gen-go-grpc on the path")
    for name in ("grpc", "protobuf"):
        if not (GO_PACKAGES / "src" / "google.golang.org" / name).is_dir():
            pytest.skip(f"no Debian package golang-google-{name}-dev")
    source = folder / "src" / "weft.example"
    shutil.copytree(EXAMPLES / "go", source / "client")
    (source / "client" / "codec.go").write_text(CODEC)
    names = ("weft/v1/claim.proto", "weft/v1/threads.proto")
    maps = ",".join(f"M{name}=weft.example/weftv1" for name in names)
    well_known = Path(protoc.__file__).parent / "_proto"
    outputs = [f"--{kind}={maps}:{folder / 'src'}" for kind in ("go_out", "go-grpc_out")]
    assert protoc.main(["protoc", f"-I{PROTO}", f"-I{well_known}", *outputs, *names]) == 0
    env = {
        **os.environ,
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "GOPATH": f"{folder}:{GO_PACKAGES}",
        "GOCACHE": str(Path.home() / ".cache" / "go-build"),
    }
    built = [compiler, "build", "-o", str(folder / "client"), "weft.example/client"]
    ran = subprocess.run(built, env=env, capture_output=True, text=True, timeout=9 * SECONDS, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return Program([folder / "client"], dict(os.environ))


PROGRAMS: dict[str, Callable[[Path], Program]] = {"node": lambda _: node(), "go": go}


@pytest.fixture(scope="module", params=list(PROGRAMS))
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return PROGRAMS[request.param](tmp_path_factory.mktemp("example"))


@contextmanager
def shown(home: Home, folder: Path) -> Iterator[tuple[Served, Sequence[str | Path]]]:
    """A public server with the certificate of an authority; and what a client is told of both."""
    home.config.write_text('public = "*"\n')
    authority = Authority(folder, "authority")
    files = folder / "server.crt", folder / "server.key"
    authority.write(*files)
    with serving(home, "--public", "--tls-cert", str(files[0]), "--tls-key", str(files[1])) as served:
        yield served, ("--roots", authority.roots, served.address)


def test_a_client_in_another_language_reads_searches_and_watches(program: Program, home: Home, tmp_path: Path) -> None:
    with Index.open(home.index) as index:
        messages, found = index.thread(ROOT).messages, index.search("thread", limit=20)
    assert len(found) > 1
    with shown(home, tmp_path) as (_, told):
        code, lines, err = program.run(*told, "thread", ROOT)
        assert (code, err) == (0, "")
        assert len(lines) == len(messages)
        for line, message in zip(lines, messages, strict=True):
            text = f"[missing {message.id}]" if message.ghost else f"{message.author}: {message.subject}"
            assert line[10:] == f" {'  ' * message.depth}{text}"
        code, lines, err = program.run(*told, "search", "thread")
        assert (code, err) == (0, "")
        assert [line.split()[2] for line in lines if line[0] != " "] == [one.message_id for one in found if one.date]
        code, lines, err = program.run(*told, "thread", "nobody@nowhere")
        assert (code, lines) == (1, [])
        assert err.lower().replace("_", "").startswith("notfound: no message here has or names the id")
        changes = program.start(*told, "watch", "0")
        try:
            read = _lines(changes)
            assert read.get(timeout=SECONDS).startswith("1 CAUSE_NEW_CLAIM ")
            path = tmp_path / "late.mbox"
            path.write_bytes(mail("late@example.org", [ROOT]))
            assert home.process("ingest", "-q", f"late={path}").code == 0
            while not (line := read.get(timeout=SECONDS)).endswith(" late late@example.org"):
                pass
            assert "CAUSE_NEW_CLAIM" in line
        finally:
            changes.kill()
            changes.communicate()


def test_a_client_in_another_language_believes_no_other_authority(program: Program, home: Home, tmp_path: Path) -> None:
    with shown(home, tmp_path) as (served, _):
        stranger = Authority(tmp_path, "stranger")
        code, lines, err = program.run("--roots", stranger.roots, served.address, "thread", ROOT)
    assert (code, lines) == (1, [])
    assert "unavailable" in err.lower()


def _lines(process: subprocess.Popen[str]) -> queue.SimpleQueue[str]:
    """The lines of its stdout as they come."""
    found: queue.SimpleQueue[str] = queue.SimpleQueue()
    assert process.stdout is not None
    output = process.stdout

    def read() -> None:
        for line in output:
            found.put(line.rstrip("\n"))

    threading.Thread(target=read, daemon=True).start()
    return found
