"""``weft backup`` and ``weft restore``."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from tests.cli.server_home import Home


def threads(home: Home) -> bytes:
    return home.weft("threads", "--json").out


def test_an_index_is_restored_with_its_key_and_policy(story: Home, tmp_path: Path) -> None:
    shown, folder = threads(story), tmp_path / "backup"
    assert story.weft("mute", "--feed", "own/drafts").code == 0
    muted = threads(story)
    assert muted != shown
    ran = story.weft("backup", "--with-key", "--with-policy", "--verify", folder)
    assert ran.code == 0, ran.err
    assert "restored for a trial" in ran.err[-1]
    assert sorted(file.name for file in folder.iterdir()) == ["claims.db", "origin.key", "policy.toml"]
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    again = Home(tmp_path / "again")
    again.path.mkdir()
    ran = again.weft("restore", folder)
    assert (ran.code, ran.out) == (0, b""), ran.err
    assert threads(again) == muted
    assert again.weft("check").err == ["weft: nothing is wrong"]
    assert again.weft("keys").out.splitlines()[0] == story.weft("keys").out.splitlines()[0]


def test_a_second_backup_says_what_is_new(story: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    first = story.weft("backup", folder).err[-1]
    assert story.weft("backup", folder).err[-1].endswith(", 0 of them new")
    assert not first.endswith(", 0 of them new")


def test_without_the_key_it_says_where_that_has_to_be(story: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    story.weft("backup", folder)
    again = Home(tmp_path / "again")
    again.path.mkdir()
    ran = again.weft("restore", folder)
    assert (ran.code, len(ran.err)) == (1, 1)
    assert "the key is not in the backup" in ran.err[0]
    assert list(again.path.iterdir()) == []
    key = next(story.path.glob("*.key"))
    (again.path / key.name).write_bytes(key.read_bytes())
    (again.path / key.name).chmod(0o600)
    assert again.weft("restore", folder).code == 0
    assert threads(again) == threads(story)


def test_another_key_is_refused(story: Home, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    story.weft("backup", folder)
    home.weft("ingest", "l=-", stdin=b"From: a@b\n\nx\n")
    for file in home.path.glob("*.db"):
        file.unlink()
    ran = home.weft("restore", folder)
    assert ran.code == 1
    assert "not the key of the index in the backup" in ran.err[0]


def test_a_restore_over_an_index_is_refused(story: Home, tmp_path: Path) -> None:
    folder, shown = tmp_path / "backup", threads(story)
    story.weft("backup", "--with-key", folder)
    ran = story.weft("restore", folder)
    assert ran.code == 1
    assert "move it away" in ran.err[0]
    assert threads(story) == shown


def test_a_policy_that_is_there_is_left(story: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    story.weft("mute", "--feed", "own/drafts")
    story.weft("backup", "--with-key", "--with-policy", folder)
    again = Home(tmp_path / "again")
    again.path.mkdir()
    again.config.write_text("# mine\n")
    ran = again.weft("restore", folder)
    assert ran.code == 0
    assert any("left as it is" in line for line in ran.err)
    assert again.config.read_text() == "# mine\n"


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_folder_that_cannot_be_is_one_line(story: Home, tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("")
    ran = story.weft(command, tmp_path / "file")
    assert (ran.code, len(ran.err)) == (1, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="files change their owner as root only")
def test_what_root_restores_belongs_to_who_owns_the_folder(story: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    story.weft("backup", "--with-key", folder)
    again = Home(tmp_path / "again")
    again.path.mkdir()
    os.chown(again.path, 65534, 65534)
    assert again.weft("restore", folder).code == 0
    assert {file.stat().st_uid for file in again.path.iterdir()} == {65534}


def test_of_a_damaged_backup_the_rest_is_restored_and_signed_again(story: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    story.weft("backup", "--with-key", folder)
    with sqlite3.connect(folder / "claims.db") as connection:
        connection.execute("UPDATE claims SET octets = x'00' WHERE position = 2")
    connection.close()
    again = Home(tmp_path / "again")
    again.path.mkdir()
    ran = again.weft("restore", folder)
    assert ran.code == 3
    assert ran.err[0].startswith("weft: lost: ")
    assert again.weft("check").code == 0
    before, after = (
        sum(one["claims"] for one in json.loads(home.weft("lists", "--json").out)) for home in (story, again)
    )
    assert after == before - 1
