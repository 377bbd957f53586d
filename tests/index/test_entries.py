"""The messages of folders and repositories by name: renamed lists, older backups, and sources that are not there."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.index.factories import mail, open_index
from weft import Index
from weft.index.backup import back_up_folder, restore_folder
from weft.model import Ingested
from weft.sources.discover import discover
from weft.sources.interface import NoteLog


def maildir(path: Path, *names: str) -> Path:
    for folder in ("cur", "new", "tmp"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        (path / "new" / name).write_bytes(mail(f"{name}@x").partition(b"\n")[2])
    return path


def ingest(index: Index, path: Path, name: str = "git", *, withdraw: bool = False) -> Ingested:
    log = NoteLog()
    return index.ingest_sources(discover([f"{name}={path}"], log), log, withdraw_gone=withdraw)


def ids(index: Index) -> set[str]:
    return {one.id for thread in index.all_threads() for one in thread.messages}


def test_what_goes_after_its_list_was_renamed_is_withdrawn_from_the_new_one(tmp_path: Path) -> None:
    path = maildir(tmp_path / "Mail", "1", "2")
    with open_index(tmp_path) as index:
        ingest(index, path)
        index.rename_list("git", "new")
        assert ingest(index, path, "new") == Ingested(0, 0, 1, 0, 0)
        (path / "new" / "1").unlink()
        assert ingest(index, path, "new", withdraw=True) == Ingested(0, 0, 1, 0, 0, gone=1, withdrawn=1)
        assert ids(index) == {"2@x"}


def test_what_went_while_it_was_kept_is_withdrawn_when_that_is_asked_for(tmp_path: Path) -> None:
    path = maildir(tmp_path / "Mail", "1", "2")
    with open_index(tmp_path) as index:
        ingest(index, path)
        (path / "new" / "1").unlink()
        assert ingest(index, path).gone == 1
        assert ids(index) == {"1@x", "2@x"}
        assert ingest(index, path, withdraw=True).withdrawn == 1
        assert ids(index) == {"2@x"}
        assert ingest(index, path, withdraw=True).withdrawn == 0


def test_mail_that_another_file_makes_too_is_not_withdrawn(tmp_path: Path) -> None:
    path, other = maildir(tmp_path / "Mail", "1", "2"), maildir(tmp_path / "Other")
    (path / "new" / "copy").write_bytes((path / "new" / "1").read_bytes())
    shutil.copy(path / "new" / "2", other / "new" / "2")
    with open_index(tmp_path) as index:
        ingest(index, path)
        ingest(index, other)
        (path / "new" / "1").unlink()
        (path / "new" / "2").unlink()
        assert ingest(index, path, withdraw=True) == Ingested(0, 0, 1, 0, 0, gone=2)
        assert ids(index) == {"1@x", "2@x"}


def test_a_folder_in_which_nothing_is_left_withdraws_nothing_until_something_is_there(tmp_path: Path) -> None:
    path = maildir(tmp_path / "Mail", "1", "2")
    with open_index(tmp_path) as index:
        ingest(index, path)
        shutil.move(path, tmp_path / "away")
        maildir(path)
        assert ingest(index, path, withdraw=True) == Ingested(0, 0, 1, 0, 0)
        shutil.rmtree(path)
        shutil.move(tmp_path / "away", path)
        assert ingest(index, path, withdraw=True) == Ingested(0, 0, 1, 0, 0)
        assert ids(index) == {"1@x", "2@x"}


def test_a_file_that_could_not_be_read_is_read_later(tmp_path: Path) -> None:
    path = maildir(tmp_path / "Mail", "1")
    (path / "new" / "2").symlink_to(tmp_path / "later")
    with open_index(tmp_path) as index:
        assert ingest(index, path) == Ingested(1, 1, 0, 0, 1)
        (tmp_path / "later").write_bytes(mail("2@x").partition(b"\n")[2])
        assert ingest(index, path) == Ingested(1, 1, 0, 1, 0)


def test_a_list_that_is_removed_leaves_no_names_behind(tmp_path: Path) -> None:
    path = maildir(tmp_path / "Mail", "1", "2")
    with open_index(tmp_path) as index:
        ingest(index, path)
        ingest(index, path, "other")
        index.remove_list("git")
        [(count,)] = index.store.connection.execute("SELECT count(*) FROM entries").fetchall()
        assert count == 2


@pytest.mark.parametrize("older", ["backup", "index"])
def test_a_backup_without_names_is_restored_and_all_is_read_once_more(tmp_path: Path, older: str) -> None:
    path = maildir(tmp_path / "Mail", "1", "2")
    with open_index(tmp_path) as index:
        ingest(index, path)
    backup = tmp_path / "backup"
    back_up_folder(tmp_path / "index.db", backup, with_key=True)
    with closing(sqlite3.connect(backup / "claims.db")) as connection:
        connection.execute("DROP TABLE entries")
        connection.execute("UPDATE files SET head = x'00'")
        connection.commit()
    if older == "index":
        back_up_folder(tmp_path / "index.db", backup, with_key=True)
        expected = Ingested(0, 0, 1, 0, 0)
    else:
        expected = Ingested(2, 0, 0, 1, 0)
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"index.db{suffix}").unlink(missing_ok=True)
    restore_folder(backup, tmp_path / "index.db", tmp_path / "config.toml")
    with open_index(tmp_path) as index:
        assert ingest(index, path) == expected
        assert ids(index) == {"1@x", "2@x"}
        assert list(index.check()) == []
        missing: list[str] = []
        assert len(list(index.raw(index.thread("1@x"), missing.append))) == 1
        assert missing == []
