"""Backups: whole beside writers, brought up to date at the cost of what is new, and an index again."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.store.factories import Origin, mail
from weft.errors import StoreError
from weft.store.backup import back_up, is_unfinished, restore
from weft.store.interface import IngestedFile, MailLocation, VerifiedPart
from weft.store.sqlite import SqliteStore

ONE, OTHER = Origin("one"), Origin("other")
PRIMARY = ("feeds", "batches", "claims", "ids", "files", "expunged", "lost")


def part(origin: Origin, first: int, number: int, list_name: str = "git") -> VerifiedPart:
    """Claims of mails that answer each other."""
    return origin.batch(list_name, *(mail(f"m{n}@x", f"m{n - 1}@x") for n in range(first, first + number)))


def put(path: Path, *parts: VerifiedPart) -> None:
    with SqliteStore(path) as store, store.transaction():
        store.put(parts)


def rows(path: Path, schema_of: str = "index") -> dict[str, list[tuple[object, ...]]]:
    """All that a backup holds, of an index or a backup."""
    with sqlite3.connect(path) as connection:
        found = {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in PRIMARY}
        found["meta"] = sorted(connection.execute("SELECT * FROM meta WHERE name IN ('secret', 'origin')"))
    connection.close()
    return found


def test_a_backup_is_restored_to_an_equal_index(tmp_path: Path) -> None:
    index, backup, again = tmp_path / "index.db", tmp_path / "backup.db", tmp_path / "again.db"
    put(index, part(ONE, 0, 200), part(OTHER, 100, 50))
    with SqliteStore(index) as store, store.transaction():
        number = store.file(IngestedFile("/a", "git", 10, 11, 12, 5, b"h", b"t"))
        store.put([ONE.batch("dev", mail("placed@x"), places=[MailLocation(number, 1, 2)])])
    done = back_up(index, backup)
    assert (done.claims, done.fresh, done.position) == (251, 251, 251)
    assert restore(backup, again) == (251, [])
    assert rows(again) == rows(index) == rows(backup)
    with SqliteStore(again) as store:
        assert list(store.check()) == []
    assert sorted(file.name for file in tmp_path.glob("*.db")) == ["again.db", "backup.db", "index.db"]


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    put(tmp_path / "index.db", part(ONE, 0, 3))
    before = os.umask(0)
    try:
        back_up(tmp_path / "index.db", tmp_path / "backup.db")
        restore(tmp_path / "backup.db", tmp_path / "again.db")
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.rglob("*") if file.is_file()} == {0o600}


_STEP = st.sampled_from(("put", "other", "expunge", "file", "back up"))


@settings(max_examples=examples(60))
@given(st.lists(_STEP, max_size=12))
def test_a_backup_that_is_brought_up_to_date_equals_a_fresh_one(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index, old, new = Path(folder) / "index.db", Path(folder) / "old.db", Path(folder) / "new.db"
        put(index, part(ONE, 0, 2))
        for place, step in enumerate([*steps, "back up"]):
            if step == "back up":
                back_up(index, old)
                continue
            with SqliteStore(index) as store, store.transaction():
                if step == "put":
                    store.put([part(ONE, place * 3, 5)])
                elif step == "other":
                    store.put([part(OTHER, place, 2, f"l{place}")])
                elif step == "expunge":
                    store.expunge([store.log()[place % len(store.log())].identity])
                else:
                    store.file(IngestedFile("/a", "git", place, 0, 0))
        back_up(index, new)
        assert rows(old) == rows(new) == rows(index)


def test_what_was_expunged_is_overwritten_in_the_backup(tmp_path: Path) -> None:
    index, backup = tmp_path / "index.db", tmp_path / "backup.db"
    put(index, ONE.batch("git", mail("a@x", subject="xylophone"), mail("b@x")))
    back_up(index, backup)
    assert b"xylophone" in backup.read_bytes()
    with SqliteStore(index) as store, store.transaction():
        store.expunge([store.log()[0].identity])
    back_up(index, backup)
    assert b"ylophone" not in backup.read_bytes()


def test_it_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    index = tmp_path / "index.db"
    put(index, part(ONE, 0, 1))
    ended = threading.Event()

    def write() -> None:
        with SqliteStore(index) as store:
            for number in range(1, 200):
                with store.transaction():
                    store.put([part(ONE, 10 * number, 1), part(OTHER, 10 * number, 1)])  # always as many of both
                if ended.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            backup = tmp_path / f"backup{number % 3}.db"
            done = back_up(index, backup)
            counts = [count for *_, count in rows(backup)["feeds"]]
            assert sum(map(int, map(str, counts))) == done.claims
            assert len(counts) == 1 or int(str(counts[0])) == int(str(counts[1])) + 1
    finally:
        ended.set()
        writer.join()


def test_a_backup_of_another_index_or_of_another_past_is_left_alone(tmp_path: Path) -> None:
    index, other, backup = tmp_path / "index.db", tmp_path / "other.db", tmp_path / "backup.db"
    put(index, part(ONE, 0, 3))
    put(other, part(ONE, 0, 3))
    back_up(index, backup)
    with pytest.raises(StoreError, match="another index"):
        back_up(other, backup)
    first = tmp_path / "first.db"
    back_up(index, first)
    put(index, part(ONE, 10, 3))
    back_up(index, backup)
    kept = backup.read_bytes()
    index.unlink()
    restore(first, index)
    put(index, part(ONE, 20, 3))
    with pytest.raises(StoreError, match="never held"):
        back_up(index, backup)
    assert backup.read_bytes() == kept


def test_a_write_that_fails_leaves_the_backup_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, backup = tmp_path / "index.db", tmp_path / "backup.db"
    put(index, part(ONE, 0, 3))
    back_up(index, backup)
    before = rows(backup)
    put(index, part(ONE, 10, 3))

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("weft.store.backup._verify", fail)
        with pytest.raises(StoreError):
            back_up(index, backup)
    assert rows(backup) == before
    assert back_up(index, backup).fresh == 3


def test_what_is_no_backup_is_not_touched(tmp_path: Path) -> None:
    index = tmp_path / "index.db"
    put(index, part(ONE, 0, 3))
    with pytest.raises(StoreError, match="not a backup"):
        back_up(index, index)
    text = tmp_path / "text"
    text.write_text("something else " * 100)
    with pytest.raises(StoreError):
        back_up(index, text)
    assert text.read_text() == "something else " * 100
    with pytest.raises(StoreError, match="not a backup"):
        restore(index, tmp_path / "again.db")
    back_up(index, tmp_path / "backup.db")
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(tmp_path / "backup.db")
    assert not (tmp_path / "again.db").exists()


@pytest.mark.parametrize("suffix", ["", "-wal", "-journal"])
def test_nothing_is_restored_over_an_index_or_what_is_left_of_one(tmp_path: Path, suffix: str) -> None:
    put(tmp_path / "index.db", part(ONE, 0, 3))
    back_up(tmp_path / "index.db", tmp_path / "backup.db")
    there = tmp_path / f"again.db{suffix}"
    there.write_bytes(b"left")
    with pytest.raises(StoreError, match="move it away"):
        restore(tmp_path / "backup.db", tmp_path / "again.db")
    assert there.read_bytes() == b"left"


def test_a_damaged_claim_in_a_backup_is_named_and_left_out(tmp_path: Path) -> None:
    put(tmp_path / "index.db", part(ONE, 0, 3))
    back_up(tmp_path / "index.db", tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "backup.db") as connection:
        connection.execute("UPDATE claims SET octets = x'00' WHERE position = 2")
    connection.close()
    _, lost = restore(tmp_path / "backup.db", tmp_path / "again.db")
    assert [problem.position for problem in lost] == [2, None]
    assert "damaged" in str(lost[0])
    assert "2 claims are kept" in str(lost[1])


def test_an_index_is_whole_without_its_log_once_its_writer_has_closed_it(tmp_path: Path) -> None:
    index, copy = tmp_path / "index.db", tmp_path / "copy.db"
    put(index, part(ONE, 0, 3))
    with SqliteStore(index, read_only=True) as reader:  # keeps the log of writes
        put(index, part(ONE, 10, 30))
        assert (tmp_path / "index.db-wal").stat().st_size
        copy.write_bytes(index.read_bytes())
        assert reader.position() == 33
    with SqliteStore(copy) as store:
        assert store.position() == 33


def test_a_backup_that_was_never_finished_is_named_and_can_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, backup = tmp_path / "index.db", tmp_path / "backup.db"
    put(index, part(ONE, 0, 3))
    with monkeypatch.context() as patch:
        patch.setattr("weft.store.backup._attach", lambda *_: pytest.fail("the power is cut"))
        with pytest.raises(pytest.fail.Exception):
            back_up(index, backup)
    assert is_unfinished(backup)
    with pytest.raises(StoreError, match="never finished"):
        restore(backup, tmp_path / "again.db")
    assert back_up(index, backup).fresh == 3
    assert not is_unfinished(backup)
    assert restore(backup, tmp_path / "again.db") == (3, [])


def test_all_that_is_known_beside_claims_is_backed_up(tmp_path: Path) -> None:
    """As the newest year of own mail, which no claim says."""
    index, backup, again = tmp_path / "index.db", tmp_path / "backup.db", tmp_path / "again.db"
    put(index, part(ONE, 0, 3))
    with SqliteStore(index) as store:
        while not store.digest_ids(100):
            pass
        with store.transaction():
            store.connection.execute("INSERT INTO meta VALUES ('newest_year', x'31')")
    back_up(index, backup)
    restore(backup, again)
    with SqliteStore(again) as store:
        assert store.connection.execute("SELECT value FROM meta WHERE name = 'newest_year'").fetchall() == [(b"1",)]
        assert list(store.check()) == []
