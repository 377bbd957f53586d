"""Whatever the umask is: what Weft keeps is for its owner alone, what a user has it write follows the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.server_home import Home
from tests.factories import FIXTURES
from tests.file_modes import lax, umask
from tests.peering.peer_harness import admit, running, sync
from weft.sources.compressed import open_mail
from weft.sources.spool import Unpacked

STORY = FIXTURES / "story"


@pytest.fixture(autouse=True)
def lax_umask() -> Iterator[None]:
    with umask(0):
        yield


def home(folder: Path, source: str) -> Home:
    """A home of which nothing is there before Weft makes it."""
    made = Home(folder / "data" / "of" / "weft")
    ran = made.weft("ingest", "-q", STORY / source)
    assert ran.code == 0, ran.err
    return made


def test_servers_that_exchange_keep_their_files_and_folders_to_themselves(tmp_path: Path) -> None:
    near, far = home(tmp_path / "near", "drafts.mbox"), home(tmp_path / "far", "smtp-ops.mbox")
    admit(far, near)
    with running(far) as server:
        admit(near, far, "--address", server.peers)
        sync(near, server.peers)
        for one in (near, far):
            (one.path / "serve.log").unlink(missing_ok=True)  # the test itself made it
            names = {path.name for path in one.path.rglob("*")}
            assert {"index.db", "index.db.key", "index.db.tls", "config.toml", "memory.db"} <= names
            assert lax(one.path.parent.parent) == []
        assert (far.path / "index.db-wal").exists()


def test_a_file_that_a_user_asks_for_follows_the_umask(tmp_path: Path) -> None:
    for mask in (0, 0o022, 0o077):
        with umask(mask):
            output = tmp_path / f"{mask:o}.json"
            assert home(tmp_path / "home", "drafts.mbox").weft("threads", "--json", "-o", output).code == 0
            assert stat.S_IMODE(output.stat().st_mode) == 0o666 & ~mask


def test_temporary_files_are_private(tmp_path: Path) -> None:
    source = tmp_path / "some"
    source.write_bytes(b"mail")
    unpacked = Unpacked()
    with open_mail(source) as stream:
        unpacked.add(stream)
    assert unpacked._file is not None
    assert stat.S_IMODE(os.fstat(unpacked._file.fileno()).st_mode) == 0o600
    unpacked.close()


def test_a_policy_that_is_edited_keeps_its_mode(tmp_path: Path) -> None:
    """A service runs as another user than who edits its policy."""
    one = home(tmp_path, "drafts.mbox")
    assert one.weft("mute", "--author", "a@example.org").code == 0
    assert stat.S_IMODE(one.config.stat().st_mode) == 0o600
    one.config.chmod(0o644)
    assert one.weft("mute", "--author", "b@example.org").code == 0
    assert stat.S_IMODE(one.config.stat().st_mode) == 0o644
