"""Opening a database: what SQLite refuses without an error is an error here, and files are for their owner alone."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.file_modes import lax, umask
from tests.store.factories import Origin, mail
from weft.errors import StoreError
from weft.store.connection import demand
from weft.store.sqlite import SqliteStore
from weft.store.sqlite_errors import failure

_OPEN = """
import sys
from weft.store.sqlite import SqliteStore
SqliteStore(sys.argv[1], read_only=bool(sys.argv[2]))
"""
Connect = Callable[..., sqlite3.Connection]


def mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def in_rollback_mode(path: Path) -> None:
    """An index as one failed write could leave it."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)


@pytest.fixture
def without_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite as on a file system that cannot share memory: it keeps the rollback mode, and reports no error."""
    connect: Connect = sqlite3.connect
    monkeypatch.setattr(
        "weft.store.connection.sqlite3.connect",
        lambda name, **options: connect(f"{name}&vfs=unix-dotfile", **options),
    )


def test_an_index_in_rollback_mode_is_switched_when_it_is_opened_to_write(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    in_rollback_mode(path)
    SqliteStore(path, read_only=True).close()
    assert mode(path) == "delete", "who only reads changes nothing"
    SqliteStore(path).close()
    assert mode(path) == "wal"


@pytest.mark.usefixtures("without_shared_memory")
def test_an_index_is_not_made_where_no_write_ahead_log_can_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"write-ahead log.*'delete'.*move the index to a local disk"):
        SqliteStore(tmp_path / "index.db")


def test_an_index_in_rollback_mode_that_cannot_be_switched_is_not_written(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "index.db"
    in_rollback_mode(path)
    request.getfixturevalue("without_shared_memory")
    with pytest.raises(StoreError, match="write-ahead log"):
        SqliteStore(path)


def test_a_refused_pragma_is_an_error(tmp_path: Path) -> None:
    """SQLite ignores this one within a transaction, and an unknown one always."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        demand(connection, tmp_path, "foreign_keys", "ON", 1)
        connection.execute("BEGIN")
        with pytest.raises(StoreError, match=r"foreign_keys=OFF \(it answers 1\)"):
            demand(connection, tmp_path, "foreign_keys", "OFF", 0)
        with pytest.raises(StoreError, match=r"synchronos=FULL \(it answers nothing\)"):
            demand(connection, tmp_path, "synchronos", "FULL", 2)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_PROTOCOL])
def test_a_file_system_without_shared_memory_is_named_as_the_reason(code: int) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert "no shared memory" in str(failure(Path("index.db"), error))


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc)")
def test_where_files_cannot_be_mapped_an_index_is_neither_made_nor_read_and_one_line_says_why(tmp_path: Path) -> None:
    library, source = tmp_path / "mapping.so", Path(__file__).with_name("no_shared_memory.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True, timeout=120)
    SqliteStore(tmp_path / "made.db").close()
    for name, read_only in (("new.db", False), ("made.db", False), ("made.db", True)):
        command = [sys.executable, "-c", _OPEN, str(tmp_path / name), "1" if read_only else ""]
        ran = subprocess.run(command, env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, timeout=60)
        assert b"no shared memory, which the write-ahead log needs; move the index to a local disk" in ran.stderr
    SqliteStore(tmp_path / "new.db").close()


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_all_files_of_an_index_are_for_its_owner_alone(tmp_path: Path, mask: int) -> None:
    with umask(mask), SqliteStore(tmp_path / "index.db") as store, store.transaction():
        store.forget_files("a")
        assert {path.name for path in tmp_path.iterdir()} == {"index.db", "index.db-wal", "index.db-shm"}
        assert lax(tmp_path) == []


def test_a_link_to_an_index_that_is_not_there_makes_it_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "index.db").symlink_to(tmp_path / "real" / "index.db")
    with umask(0):
        SqliteStore(tmp_path / "index.db").close()
    assert lax(tmp_path / "real") == []


def test_an_index_that_all_users_could_read_is_taken_from_them_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "index.db"
    with SqliteStore(path):
        for file in tmp_path.iterdir():
            file.chmod(0o664)
        SqliteStore(path, read_only=True).close()
        assert len(lax(tmp_path)) == 3
        with caplog.at_level(logging.WARNING):
            SqliteStore(path).close()
        assert lax(tmp_path) == []
        assert len(caplog.records) == 3
        SqliteStore(path).close()
        assert len(caplog.records) == 3


def test_an_index_that_is_shared_with_a_group_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    SqliteStore(path).close()
    path.chmod(0o640)
    with SqliteStore(path):
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o640}, "SQLite follows the database"


def test_what_is_expunged_leaves_the_log_of_writes_as_soon_as_no_reader_needs_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "index.db"
    part = Origin("a").batch("l", mail("m1", subject="a secret"), mail("m2"))
    with SqliteStore(path) as store:
        store.connection.execute("PRAGMA busy_timeout = 10")
        with store.transaction():
            store.put([part])
        with SqliteStore(path, read_only=True) as reader:
            reader.connection.execute("BEGIN")
            assert reader.position() == 2
            with store.transaction():
                store.expunge([part.claims[0].identity])
            assert "only later" in caplog.text
        assert any(b"a secret" in file.read_bytes() for file in tmp_path.glob("index.db*") if file.is_file())
        with store.transaction():
            store.forget_files("l")
        assert not any(b"a secret" in file.read_bytes() for file in tmp_path.glob("index.db*") if file.is_file())
