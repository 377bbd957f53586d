"""A server that writes nothing and has no key: on a snapshot, or beside one that writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import weft
from tests.cli.command_runner import ROOT, mail, until
from tests.cli.server_home import Home
from tests.server.server_harness import own, serving
from tests.server.test_health import health_of
from weft.policy.files import key_path


def files(home: Home) -> dict[str, bytes]:
    """What lies in a home, but for what SQLite shares among those that read."""
    found = {path.name: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if not name.endswith(("-shm", "-wal"))}


def test_it_needs_no_key_and_changes_nothing(home: Home) -> None:
    name = own(home)
    key_path(home.index).unlink()
    before = files(home)
    with serving(home, "--read-only", "--workers", "2") as served, weft.connect(served.address, verify=True) as server:
        assert len(server.thread(ROOT).messages) == 18
        assert server.search("introduction")
        assert server.status().origin == name
    with serving(home, "--read-only") as served, health_of(served) as health:
        assert health.is_ready()
    assert files(home) == before


def test_it_follows_whoever_writes(home: Home, tmp_path: Path) -> None:
    home.config.write_text("")
    with serving(home, "--read-only") as served, weft.connect(served.address) as server:
        (tmp_path / "more.mbox").write_bytes(mail("more@example.org"))
        assert home.weft("ingest", "-q", f"drafts={tmp_path / 'more.mbox'}").code == 0
        assert server.thread("more@example.org").messages
        assert home.weft("mute", "--id", "more@example.org").code == 0
        assert home.weft("threads").code == 0, "its view is made"
        until(lambda: all(one.root != "more@example.org" for one in server.threads()))


def test_it_does_not_begin_where_it_would_have_to_write(home: Home) -> None:
    home.config.write_text(f'[mute]\nids = ["{ROOT}"]\n')
    before = files(home)
    ran = home.process("serve", "--read-only", "--listen", "127.0.0.1:0")
    assert ran.code == 1
    assert ran.err[-1].endswith("the view is of another policy or version; who writes to it makes it")
    assert files(home) == before


@pytest.mark.parametrize("options", [("--exchange-listen", "127.0.0.1:0"), ("--ingest", "git=/srv/git")])
def test_it_neither_exchanges_nor_ingests(home: Home, options: tuple[str, ...]) -> None:
    ran = home.weft("serve", "--read-only", *options)
    assert (ran.code, ran.err[-1].startswith("weft: --read-only: ")) == (2, True)


def test_a_unit_for_it_says_so(home: Home) -> None:
    assert " --read-only\n" in home.weft("serve", "-q", "--read-only", "--print-unit").text


def test_without_a_key_it_can_show_a_certificate_of_an_authority_alone(home: Home) -> None:
    key_path(home.index).unlink()
    ran = home.process("serve", "--read-only", "--public", "--listen", "0.0.0.0:0")
    assert ran.code == 1
    assert "the key of this index is missing" in ran.err[-1]
    assert "--tls-cert" in ran.err[-1]
