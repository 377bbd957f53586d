"""An index that has lost claims of its own gets back what its peers have of them, also in threads mode."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS
from tests.cli.server_home import Home
from tests.factories import mail
from tests.peering.peer_harness import fingerprint, made, running, state, sync


def own(home: Home) -> set[bytes]:
    """The ids of all claims that are held."""
    return state(home)[0]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Home, Home]:
    """A server whose mails stand in threads of their own, and a peer that asks for all of them."""
    first = tmp_path / "first.mbox"
    first.write_bytes(mail("one@x", subject="one"))
    east, west = made(tmp_path / "east", f"east={first}"), made(tmp_path / "west", f"drafts={DRAFTS}")
    east.weft("peers", "add", "-q", fingerprint(west), "--name", "west", "--tier", "known", "--may-read", "*")
    west.weft(
        "peers", "add", "-q", fingerprint(east), "--name", "east", "--tier", "known", "--mode", "mirror",
        "--may-read", "*",
    )  # fmt: skip
    return east, west


def grow(home: Home, path: Path, name: str) -> None:
    """More threads of its own, each with one mail."""
    path.write_bytes(b"".join(mail(f"{name}{number}@x", subject=f"{name} {number}") for number in range(20)))
    assert home.weft("ingest", "-q", f"east={path}").code == 0


def test_what_an_old_backup_lacks_comes_back(pair: tuple[Home, Home], tmp_path: Path) -> None:
    east, west = pair
    assert east.weft("backup", "--with-key", tmp_path / "backup").code == 0
    grow(east, tmp_path / "more.mbox", "more")
    with running(west) as served:
        east.weft("peers", "add", "-q", fingerprint(west), "--address", served.peers)
        sync(east, served.peers)
        before = own(east)
        for file in ("index.db", "index.db.key", "index.db-wal", "index.db-shm"):
            (east.path / file).unlink(missing_ok=True)
        shutil.rmtree(east.path / "index.db.kept")
        assert east.weft("restore", tmp_path / "backup").code == 0
        assert len(own(east)) == len(before) - 20
        assert sync(east, served.peers)["claims_in"] == 20
        assert own(east) == before
        assert sync(east, served.peers)["claims_in"] == 0


def test_one_that_came_back_tells_that_others_are_lost(pair: tuple[Home, Home], tmp_path: Path) -> None:
    """Of a copy of the file nobody says that it is old, until a peer hands over what is not in it."""
    east, west = pair
    old = tmp_path / "old.db"
    shutil.copy(east.index, old)
    grow(east, tmp_path / "more.mbox", "more")
    reply = tmp_path / "reply.mbox"
    reply.write_bytes(mail("reply@x", ["one@x"]))
    east.weft("ingest", "-q", f"east={reply}")
    with running(west) as served:
        east.weft("peers", "add", "-q", fingerprint(west), "--address", served.peers)
        sync(east, served.peers)
        before = own(east)
        shutil.copy(old, east.index)
        shutil.rmtree(east.path / "index.db.kept")
        assert sync(east, served.peers)["claims_in"] == 1, "it stands in a thread that was asked about"
        assert sync(east, served.peers)["claims_in"] == 20
        assert own(east) == before


def test_a_new_index_for_a_key_that_has_spoken_asks_for_what_it_said(pair: tuple[Home, Home], tmp_path: Path) -> None:
    """Also where it is the peer that calls."""
    east, west = pair
    grow(east, tmp_path / "more.mbox", "more")
    with running(east) as served:
        west.weft("peers", "add", "-q", fingerprint(east), "--address", served.peers)
        sync(west, served.peers)
    before = own(east)
    east.index.unlink()
    shutil.rmtree(east.path / "index.db.kept")
    first = tmp_path / "first.mbox"
    assert east.weft("ingest", "-q", f"east={first}").code == 0
    assert len(own(east)) == 1
    with running(east) as served:
        west.weft("peers", "add", "-q", fingerprint(east), "--address", served.peers)
        assert sync(west, served.peers)["claims_out"] == 21 - 1
    assert own(east) == before
