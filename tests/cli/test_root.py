"""What root's commands make in the folder of a service belongs to the service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS
from tests.cli.server_home import Home

SERVICE = 12_345
"""A user and a group that need not exist."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def not_of_service(home: Home) -> list[str]:
    """What in a home, and below it, belongs to somebody else."""
    return sorted(
        str(path.relative_to(home.path))
        for path in home.path.rglob("*")
        if (path.stat().st_uid, path.stat().st_gid) != (SERVICE, SERVICE)
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A folder of the service, with nothing in it."""
    found = Home(tmp_path / "service")
    found.path.mkdir()
    os.chown(found.path, SERVICE, SERVICE)
    return found


def test_all_that_is_made_belongs_to_the_owner_of_the_folder(home: Home, tmp_path: Path) -> None:
    origin = "isgc4dqkqdd7i2xoebpa5xu5hw7f5akscsdfzppfvburrxvwfkm52zyb"
    for arguments in (
        ("ingest", "-q", DRAFTS, OPS), ("peers", "add", "-q", origin, "--address", "127.0.0.1:9"),
        ("mute", "--id", "a@example.org"), ("search", "boilerplate"), ("check", "--repair"),
        ("keys", "--tls", home.path / "tls"), ("backup", "-q", home.path / "backup"), ("sync",),
    ):  # fmt: skip
        home.weft(*arguments)
        assert not_of_service(home) == [], arguments
    assert {"index.db", "index.db.key", "index.db.tls", "config.toml", "index.db.kept"} <= {
        path.name for path in home.path.iterdir()
    }


def test_a_file_that_is_replaced_keeps_its_owner(tmp_path: Path) -> None:
    """A policy that the service may read, in a folder of root."""
    home = Home(tmp_path)
    home.config.write_text("")
    home.config.chmod(0o640)
    os.chown(home.config, SERVICE, SERVICE)
    assert home.weft("mute", "--id", "a@example.org").code == 0
    found = home.config.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (SERVICE, SERVICE, 0o640)


def test_what_root_makes_in_its_own_folder_is_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.weft("ingest", "-q", DRAFTS).code == 0
    assert {path.stat().st_uid for path in tmp_path.iterdir()} == {0}
