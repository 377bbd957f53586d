"""Whatever is wrong is one line that says what, why and what to do, and nothing is kept by halves."""

from __future__ import annotations

import gzip
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from tests.index.factories import mail, open_index, parents, write
from weft import Index
from weft.errors import KeyFileError, NotFoundError, PolicyError, SourceError, StoreError, UsageError, WeftError
from weft.policy.files import key_path
from weft.policy.rules import Policy
from weft.sources.interface import NoteLog
from weft.store import connection

MAILS = [
    mail(f"m{number}@x", ["m0@x"] if number else [], body=Random(number).randbytes(200).hex()) for number in range(60)
]


def assert_fails(kind: type[WeftError], *parts: str, act: Callable[[], object]) -> None:
    """It raises one line that has all of the parts in it."""
    with pytest.raises(kind) as caught:
        act()
    line = str(caught.value)
    assert "\n" not in line
    for part in parts:
        assert part in line


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An index with sixty messages."""
    with open_index(tmp_path) as index:
        index.ingest("git", write(tmp_path / "git.mbox", *MAILS))
    return tmp_path / "index.db"


def opened(path: Path) -> Index:
    return open_index(path.parent)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_ingested(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    write(folder / "good.mbox", *MAILS[:3])
    (folder / "gone.mbox").symlink_to(tmp_path / "nowhere")
    (folder / "cut.mbox.gz").write_bytes(gzip.compress(b"".join(MAILS))[:-900])
    write(folder / "random.mbox", b"no mail\n" * 9)
    log = NoteLog()
    with open_index(tmp_path) as index:
        done = index.ingest("git", folder, log=log)
        assert done.claims >= 3
        assert done.skipped >= 2
        assert parents(index).keys() >= {"m0@x", "m1@x", "m2@x"}
        assert list(index.check()) == []
    said = {Path(note.path).name: note.reason for note in log.entries}
    assert said.keys() == {"gone.mbox", "cut.mbox.gz", "random.mbox"}


def test_a_gzip_file_that_is_cut_off_gives_what_it_has_and_the_rest_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "git.mbox.gz"
    path.write_bytes(gzip.compress(b"".join(MAILS), 1)[:-400])
    log = NoteLog()
    with open_index(tmp_path) as index:
        assert index.ingest("git", path, log=log).skipped == 1
        assert 0 < len(parents(index)) <= 60
        assert len(log.entries) == 1
        path.write_bytes(gzip.compress(b"".join(MAILS), 1))
        index.ingest("git", path)
        assert len(parents(index)) == 60


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with open_index(tmp_path) as index:
        assert_fails(SourceError, "nothing to read", act=lambda: index.ingest("git", tmp_path / "empty"))


def test_a_full_disk_keeps_nothing_of_the_step_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """The limit on the size of files stands for the disk."""
    file = write(tmp_path / "git.mbox", *(mail(f"m{number}@x") for number in range(3000)))
    with open_index(tmp_path) as index:
        index.ingest("git", write(tmp_path / "first.mbox", mail("first@x")))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
        try:
            assert_fails(StoreError, "index.db", "nothing of this step was kept", act=lambda: index.ingest("git", file))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert parents(index) == {"first@x": None}
        assert index.ingest("git", file).claims == 3000
        assert list(index.check()) == []


def test_an_index_in_which_another_process_writes_is_locked_for_writing_not_for_reading(made: Path) -> None:
    other = sqlite3.connect(made, isolation_level=None)
    with patch.object(connection, "BUSY_SECONDS", 0.05), opened(made) as index:
        other.execute("BEGIN IMMEDIATE")
        assert_fails(StoreError, str(made), "locked", "wait for it", act=lambda: index.retract(["m1@x"]))
        assert len(index.thread("m1@x").messages) == 60
        other.execute("ROLLBACK")
        assert index.retract(["m1@x"]) == 1
    other.close()


def test_an_index_of_a_newer_version_is_not_touched(made: Path) -> None:
    with sqlite3.connect(made) as other:
        [table] = [name for (name,) in other.execute("SELECT name FROM sqlite_master WHERE name LIKE '%migrations'")]
        other.execute(
            f"INSERT INTO {table} (migration_set, name, applied_at) VALUES ('weft.store', '999 more', '2099-01-01')"
        )
    other.close()
    before = made.read_bytes()
    assert_fails(StoreError, str(made), "newer version of Weft", "use that version", act=lambda: opened(made))
    assert made.read_bytes() == before


def test_a_page_that_was_overwritten_is_said_whatever_is_asked(made: Path) -> None:
    with sqlite3.connect(made) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root, size = (
            other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'nodes'").fetchone()[0],
            other.execute("PRAGMA page_size").fetchone()[0],
        )
    other.close()
    with made.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    with opened(made) as index:
        hint = "run: weft check --repair"
        for act in (
            lambda: index.thread("m1@x"),
            lambda: list(index.all_threads()),
            lambda: list(index.threads()),
            lambda: index.explain("m1@x"),
            lambda: index.retract(["m1@x"]),
        ):
            assert_fails(StoreError, str(made), "damaged", hint, act=act)
        assert any(problem.what for problem in index.check())


@pytest.mark.parametrize("data", [b"", b"not an index", b"SQLite format 3\0" + bytes(100), bytes(4096)])
def test_what_is_no_index_is_not_written_over(made: Path, data: bytes) -> None:
    made.write_bytes(data)
    if data:
        assert_fails(StoreError, str(made), act=lambda: opened(made))
        assert made.read_bytes() == data
    else:  # an index that was just begun
        opened(made).close()


def test_a_database_of_something_else_is_not_touched(made: Path) -> None:
    made.unlink()
    with sqlite3.connect(made) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    assert_fails(StoreError, "another program", "name another file", act=lambda: opened(made))


def test_a_folder_or_a_path_below_a_file_is_no_index(tmp_path: Path) -> None:
    policy = Policy()
    (tmp_path / "file").touch()
    assert_fails(StoreError, "cannot make this folder", act=lambda: Index.open(tmp_path / "file" / "x", policy=policy))
    (tmp_path / "folder").mkdir()
    assert_fails(WeftError, "folder", act=lambda: Index.open(tmp_path / "folder", policy=policy))
    assert_fails(NotFoundError, "weft ingest", act=lambda: Index.open(tmp_path / "none", policy=policy, create=False))
    assert not (tmp_path / "none").exists()
    assert not (tmp_path / "none.key").exists()


def test_a_key_that_others_may_read_or_that_is_missing_or_damaged_is_refused_before_anything_is_done(
    made: Path,
) -> None:
    key = key_path(made)
    before = made.read_bytes()
    key.chmod(0o644)
    assert_fails(KeyFileError, str(key), "others may use this key", "chmod 600", act=lambda: opened(made))
    key.chmod(0o600)
    data = key.read_bytes()
    key.write_bytes(data[:40])
    assert_fails(KeyFileError, str(key), "restore it from a backup", act=lambda: opened(made))
    key.unlink()
    assert_fails(KeyFileError, str(key), "the key of this index is missing", "restore it", act=lambda: opened(made))
    assert not key.exists()
    assert made.read_bytes() == before
    key.write_bytes(data)
    key.chmod(0o600)
    opened(made).close()


def test_the_key_of_another_index_is_refused(made: Path, tmp_path: Path) -> None:
    """Or all that is ours would vanish from the view, and what comes next would be signed by somebody else."""
    other = tmp_path / "other"
    other.mkdir()
    open_index(other).close()
    shutil.copy(key_path(other / "index.db"), key_path(made))
    assert_fails(KeyFileError, str(key_path(made)), "not the key of this index", "restore", act=lambda: opened(made))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[view]\nsubject_joins = true", "view.subject_joins"),
        ('[origin."nobody"]\ntier = 1\nlists = "*"', "origin.nobody"),
        ("[mutes]\nids = []", "mutes"),
        ("[mute]\nids = [1]", "mute.ids"),
        ("[view", "at the end of a table declaration"),
        ('[view]\nprofile = "\xff"', "view.profile"),
    ],
)
def test_a_policy_that_is_not_understood_is_refused_with_the_path_of_the_key(made: Path, text: str, path: str) -> None:
    config = made.parent / "config.toml"
    config.write_text(text)
    assert_fails(PolicyError, str(config), path, act=lambda: opened(made))


def test_a_policy_with_an_unknown_tier_or_bytes_that_are_no_text_is_refused(made: Path) -> None:
    config = made.parent / "config.toml"
    with opened(made) as index:
        name = index.fingerprint
    other = made.parent / "other"
    other.mkdir()
    with open_index(other) as index:
        config.write_text(f'[origin."{index.fingerprint}"]\ntier = "best"\nlists = "*"')
    assert_fails(PolicyError, str(config), "tier", "trusted", act=lambda: opened(made))
    config.write_text(f'[origin."{name}"]\ntier = 1\nlists = "*"')
    assert_fails(PolicyError, str(config), "our own key", act=lambda: opened(made))
    config.write_bytes(b"\xff\xfe")
    assert_fails(PolicyError, str(config), "mend the file", act=lambda: opened(made))
    missing = made.parent / "none.toml"
    assert_fails(PolicyError, str(missing), "no such policy", act=lambda: Index.open(made, policy=missing))


def test_an_index_cannot_join_by_subject(made: Path) -> None:
    (made.parent / "config.toml").write_text("[view]\nsubject_join = true")
    assert_fails(UsageError, "subject_join", "weft rebuild", act=lambda: opened(made))


def test_a_list_cannot_be_renamed_to_itself_or_to_what_names_none(made: Path) -> None:
    with opened(made) as index:
        before = parents(index)
        assert_fails(UsageError, "its name already", act=lambda: index.rename_list("git", "git"))
        index.rename_list("git", "other")
        index.rename_list("other", "git")
        assert_fails(UsageError, "cannot name a list", act=lambda: index.rename_list("other", "a/b"))
        assert parents(index) == before
        assert list(index.check()) == []
