"""A database whose content may be lost: whatever is wrong with it, there is one, and one line says what happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import pytest

from tests.file_modes import lax, umask
from weft.store.expendable import ExpendableDatabase

SCHEMA = "CREATE TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY, text TEXT)"
SECTOR = 512


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "memory.db"


def opened(path: Path) -> ExpendableDatabase:
    return ExpendableDatabase(path, SCHEMA, "what was seen")


def put(database: ExpendableDatabase, *numbers: int) -> None:
    rows = [(number, "x" * 100) for number in numbers]
    database.write(lambda connection: connection.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", rows))


def numbers(database: ExpendableDatabase) -> list[int]:
    return [number for (number,) in database.rows("SELECT number FROM seen ORDER BY number")]


def filled(path: Path) -> None:
    with closing(opened(path)) as database:
        put(database, *range(400))


def torn(path: Path, seed: int) -> None:
    """Some sectors of the file, which may be any, hold something else."""
    random = Random(seed)
    with path.open("r+b") as file:
        for _ in range(random.randint(1, 20)):
            file.seek(SECTOR * random.randrange(path.stat().st_size // SECTOR))
            file.write(random.choice((b"\xff", b"\0")) * SECTOR)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "something else": lambda path: path.write_bytes(b"no database at all" * 300),
    "the first page is gone": lambda path: path.write_bytes(bytes(4096) + path.read_bytes()[4096:]),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "of other tables": lambda path: sqlite3.connect(path).executescript("DROP TABLE seen; CREATE TABLE seen (x)"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_one_is_moved_away_and_a_new_one_is_begun(
    path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    DAMAGE[damage](path)
    spoiled = path.read_bytes()
    with closing(opened(path)) as database:
        put(database, 1000)
        put(database, 1001)
        assert numbers(database)[-1] == 1001
    [record] = caplog.records
    assert "moved to memory.db.damaged, and a new one begun" in record.getMessage()
    assert path.with_name("memory.db.damaged").read_bytes() == spoiled
    with closing(opened(path)) as database:
        assert numbers(database)[-1] == 1001
    assert len(caplog.records) == 1


@pytest.mark.parametrize("seed", range(30))
def test_torn_sectors_end_nothing_and_what_is_written_afterwards_is_found(path: Path, seed: int) -> None:
    filled(path)
    torn(path, seed)
    for _ in range(2):
        with closing(opened(path)) as database:
            numbers(database)
            put(database, 1000)
            put(database, 1001)
            assert {1001} <= set(numbers(database))


def test_damage_while_it_is_open_is_no_error_either(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(path)
    with closing(opened(path)) as database:
        torn(path, 1)
        path.with_name("memory.db-wal").write_bytes(b"")
        with path.open("r+b") as file:
            file.write(bytes(4096))
        with closing(sqlite3.connect(path)) as other, suppress(sqlite3.Error):
            other.execute("SELECT * FROM seen")
        for number in range(5):
            put(database, 1000 + number)
        assert numbers(database)[-1] == 1004
    assert len(caplog.records) <= 1


def test_of_two_that_find_it_damaged_one_moves_it_away_and_both_use_the_new_one(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    with closing(opened(path)) as one, closing(opened(path)) as two:
        damaged = sqlite3.DatabaseError("malformed")
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        for database in (one, two):
            assert database._failed(damaged)
        put(one, 1)
        put(two, 2)
        assert numbers(one) == numbers(two) == [1, 2]
    assert ["moved" in caplog.messages[0], "opened once more" in caplog.messages[1]] == [True, True]


def test_one_that_is_locked_or_misused_is_not_damaged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(path)
    with closing(opened(path)) as database, closing(sqlite3.connect(path, isolation_level=None)) as other:
        database._connection.execute("PRAGMA busy_timeout = 10")
        other.execute("BEGIN IMMEDIATE")
        put(database, 1000)
        assert numbers(database) == list(range(400))
        other.execute("ROLLBACK")
        database.write(lambda connection: connection.execute("INSERT INTO seen VALUES (?, ?)", (1, [])))
        assert numbers(database) == list(range(400))
    assert ["cannot be remembered" in line for line in caplog.messages] == [True, True]


def test_one_that_is_locked_when_it_is_opened_is_not_moved_away(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    monkeypatch.setattr("weft.store.expendable._BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with closing(opened(path)) as database:
            put(database, 1)
            assert numbers(database) == [1]
    assert "until this process ends" in caplog.text
    assert not path.with_name("memory.db.damaged").exists()
    with closing(opened(path)) as database:
        assert numbers(database) == list(range(400))


def test_where_no_file_can_be_it_is_kept_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "kept").touch()
    with closing(opened(tmp_path / "kept" / "memory.db")) as database:
        put(database, 1)
        assert numbers(database) == [1]
    [line] = caplog.messages
    assert "until this process ends" in line


def test_its_files_are_for_the_owner_alone_also_where_an_older_version_made_them(path: Path) -> None:
    with umask(0):
        path.parent.mkdir()
        sqlite3.connect(path).close()
        path.touch()
        with closing(opened(path)) as database:
            put(database, 1)
            assert lax(path.parent.parent) == []
