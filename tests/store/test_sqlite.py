"""What can befall a file: other processes, a full disk, damage, power cuts, other versions."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlite_utils import Migrations

from tests.store.factories import Origin, mail
from weft.errors import StoreError
from weft.store.id_table import insert
from weft.store.interface import IngestedFile, VerifiedPart
from weft.store.sqlite import SqliteStore
from weft.store.sqlite_errors import explained

A = Origin("a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(path) as made:
        yield made


def part(start: int, count: int = 3, subject: str = "") -> VerifiedPart:
    names = [f"m{n}" for n in range(start, start + count)]
    return A.batch("l", *[mail(name, *names[:n][-9:], subject=subject) for n, name in enumerate(names)])


def put(store: SqliteStore, *parts: VerifiedPart) -> None:
    with store.transaction():
        store.put(parts)


def one_line(raised: pytest.ExceptionInfo[StoreError], path: Path) -> bool:
    text = str(raised.value)
    return text.startswith(f"{path}: ") and "\n" not in text


def test_a_store_that_is_opened_again_has_what_was_committed(path: Path) -> None:
    with SqliteStore(path) as store:
        put(store, part(0))
        log = store.log()
    with SqliteStore(path) as again, SqliteStore(path, read_only=True) as reader:
        assert again.log() == reader.log() == log
        assert list(again.check()) == []


def test_what_a_transaction_did_not_hold_is_looked_for_again_in_the_next(path: Path, store: SqliteStore) -> None:
    with store.transaction():
        assert store.holds([claim.identity for claim in part(0).claims]) == set()
    with SqliteStore(path) as other:
        put(other, part(0))
    with store.transaction():
        assert store.put([part(0)]) == []
    assert store.position() == 3


def test_rows_that_fill_statements_and_rows_that_are_left_are_inserted(store: SqliteStore) -> None:
    connection = store.connection
    for count in (0, 1, 249, 250, 251, 500, 777):
        rows = [(number, -number) for number in range(count)]
        connection.execute("CREATE TEMP TABLE pairs (a INTEGER PRIMARY KEY, b INTEGER)")
        insert(connection, "pairs", iter(rows))
        assert connection.execute("SELECT a, b FROM pairs ORDER BY a").fetchall() == rows
        connection.execute("DROP TABLE pairs")


def test_a_row_that_is_there_already_ends_the_transaction_and_nothing_of_it_stays(store: SqliteStore) -> None:
    put(store, part(0))
    with pytest.raises(StoreError, match="UNIQUE"), store.transaction():
        insert(store.connection, "refs", [(target, 1 << 40) for target in range(600)] + [(1, 1 << 40)])
    assert store.connection.execute("SELECT count(*) FROM refs WHERE position = 1 << 40").fetchall() == [(0,)]


def test_an_index_is_opened_without_numpy_which_can_be_imported_afterwards() -> None:
    pytest.importorskip("numpy")
    code = "import sys, weft.store.sqlite; assert not any('numpy' in name for name in sys.modules); import numpy"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_second_writer_waits_and_then_says_who_is_in_the_way(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.store.connection.BUSY_SECONDS", 0.01)
    with SqliteStore(path) as other:
        with store.transaction(), pytest.raises(StoreError, match="another process") as raised:  # noqa: SIM117
            with other.transaction():
                pytest.fail("it got in")
        assert one_line(raised, path)
        put(other, part(0))
    assert store.position() == 3


def test_readers_see_the_last_commit_while_another_writes(path: Path, store: SqliteStore) -> None:
    put(store, part(0))
    with SqliteStore(path, read_only=True) as reader:
        with store.transaction():
            store.put([part(10)])
            assert (reader.position(), store.position()) == (3, 6)
        assert reader.position() == 6


def test_two_writers_take_turns_and_share_positions_and_nodes(path: Path, store: SqliteStore) -> None:
    with SqliteStore(path) as other:
        for n in range(6):
            put((store, other)[n % 2], A.batch("l", mail(f"m{n}", "root", f"m{n - 1}")))
        assert store.log() == other.log()
        assert [one.position for one in other.claims_referring_to([b"root"])] == [1, 2, 3, 4, 5, 6]
        assert store.node_numbers([b"root", b"m3", b"m5"]) == other.node_numbers([b"root", b"m3", b"m5"])
    assert list(store.check()) == []


def test_a_store_that_was_opened_to_read_refuses_to_write(path: Path, store: SqliteStore) -> None:
    put(store, part(0))
    with SqliteStore(path, read_only=True) as reader:
        with pytest.raises(StoreError, match="opened to read only"), reader.transaction():
            pytest.fail("it wrote")
        with pytest.raises(StoreError, match="cannot be written") as raised, explained(path):
            reader.connection.execute("DELETE FROM claims")
        assert one_line(raised, path)


def test_where_nothing_is_nothing_is_made_to_read(path: Path) -> None:
    with pytest.raises(StoreError, match="weft ingest") as raised:
        SqliteStore(path, read_only=True)
    assert one_line(raised, path)
    assert not path.exists()


def test_what_is_not_a_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"From somebody Thu Jan  1 00:00:00 1970\n" * 300)
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreError, match="not an index of Weft") as raised:
            SqliteStore(path, read_only=read_only)
        assert one_line(raised, path)
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE claims (position INTEGER PRIMARY KEY)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program") as raised:
        SqliteStore(path)
    assert one_line(raised, path)
    assert path.read_bytes() == before


def test_a_folder_and_a_place_that_cannot_be_are_errors(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        SqliteStore(tmp_path)
    with pytest.raises(StoreError, match="see that its folder exists"):
        SqliteStore(tmp_path / "missing" / "index.db")


def test_an_index_of_a_newer_version_is_refused(path: Path, store: SqliteStore) -> None:
    store.connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('weft.store', '999 later', '')"
    )
    for read_only in (False, True):
        with pytest.raises(StoreError, match="newer version") as raised:
            SqliteStore(path, read_only=read_only)
        assert one_line(raised, path)


def test_further_tables_are_migrated_beside_and_committed_with_the_claims(path: Path, store: SqliteStore) -> None:
    view = Migrations("view")

    @view(name="001")
    def tables(database: object) -> None:
        store.connection.execute("CREATE TABLE seen (position INTEGER PRIMARY KEY)")

    with SqliteStore(path, read_only=True) as reader, pytest.raises(StoreError, match="older version"):
        reader.migrate(view)
    store.migrate(view)
    store.migrate(view)
    with pytest.raises(StoreError, match="contradicts itself"), store.transaction():  # noqa: PT012
        for stored in store.put([part(0)]):
            store.connection.execute("INSERT INTO seen VALUES (?)", (stored.position,))
        store.connection.execute("INSERT INTO seen VALUES (1)")
    assert (store.position(), store.connection.execute("SELECT * FROM seen").fetchall()) == (0, [])


def test_a_full_disk_leaves_the_last_commit(path: Path, store: SqliteStore) -> None:
    put(store, part(0))
    [(pages,)] = store.connection.execute("PRAGMA page_count").fetchall()
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full") as raised:
        put(store, part(10, 200, subject="long" * 100))
    assert one_line(raised, path)
    assert store.position() == 3
    store.connection.execute("PRAGMA max_page_count = 100000")
    put(store, part(10, 200))
    assert list(store.check()) == []


def test_a_file_whose_pages_were_overwritten_is_named_as_damaged(path: Path) -> None:
    with SqliteStore(path) as store:
        put(store, *[part(n, 100, subject="s" * 300) for n in range(0, 1000, 100)])
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    for page in range(8, len(data) // 8192):
        data[page * 8192 : page * 8192 + 4000] = b"\xff" * 4000
    path.write_bytes(data)
    with SqliteStore(path) as store:
        assert any("in the file" in str(problem) for problem in store.check())
        with pytest.raises(StoreError, match="damaged") as raised:
            store.log()
        assert one_line(raised, path)
        with pytest.raises(StoreError, match="backup"):
            store.repair()


def test_what_was_expunged_is_nowhere_in_the_files(path: Path, store: SqliteStore) -> None:
    put(store, part(0), A.batch("l", mail("secret", subject="unspeakable" * 20)), part(10))
    [held] = store.claims_about([b"secret"])
    with store.transaction():
        store.expunge([held.identity])
    files = [path, path.with_name(path.name + "-wal")]
    assert not any(b"unspeakable" in file.read_bytes() for file in files if file.exists())
    assert list(store.check()) == []
    assert store.repair() == []
    assert store.holds([held.identity]) == {held.identity}


def test_nodes_are_numbered_and_named(store: SqliteStore) -> None:
    ids = [b"m%d" % n for n in range(1200)]
    with pytest.raises(RuntimeError, match="outside"):
        store.node_numbers(ids, create=True)
    with store.transaction():
        numbers = store.node_numbers([*ids, ids[0]], create=True)
    assert numbers == [*range(1, 1201), 1]
    assert store.ids_of([7, 3, 7, *range(1, 1201)]) == [ids[6], ids[2], ids[6], *ids]
    assert store.node_numbers([b"none", ids[5]]) == [None, 6]
    with pytest.raises(KeyError):
        store.ids_of([5000])


def test_the_memory_of_nodes_is_bounded_and_right(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.store.id_table._GENERATION", 10)
    for n in range(0, 100, 5):
        put(store, part(n, 5))
    assert len(store._nodes._young) + len(store._nodes._old) <= 20
    assert store.node_numbers([b"m%d" % n for n in range(100)]) == list(range(1, 101))
    assert list(store.check()) == []


_WRITER = """
import sys
from tests.store.test_sqlite import part
from weft.store.sqlite import SqliteStore
with SqliteStore(sys.argv[1]) as store:
    n = store.position()
    while True:
        with store.transaction():
            store.put([part(n, 50)])
        n += 50
        print(n, flush=True)
"""


def test_a_process_that_is_killed_leaves_its_last_commit(path: Path) -> None:
    seen = 0
    for delay in (1, 4, 9):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(delay):
                seen = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            for line in process.stdout:
                with suppress(ValueError):
                    seen = int(line)
        with SqliteStore(path) as store:
            assert seen <= store.position() <= seen + 50
            assert store.position() % 50 == 0
            assert list(store.check()) == []


def test_processes_that_make_the_same_index_at_once_both_get_it(path: Path) -> None:
    code = "import sys; from weft.store.sqlite import SqliteStore; SqliteStore(sys.argv[1]).close()"
    racing = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(4)]
    assert [process.wait() for process in racing] == [0, 0, 0, 0]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_an_index_that_may_not_be_written_says_so(path: Path) -> None:
    SqliteStore(path).close()
    path.chmod(0o400)
    refused = pytest.raises(StoreError, match="cannot be written")
    with SqliteStore(path) as store, refused, store.transaction():
        store.file(IngestedFile(str(path), "l", 1, 1, 1))
    with SqliteStore(path) as store:
        assert not store.files()
