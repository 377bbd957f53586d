from __future__ import annotations

import os
import pickle
import sys
from hashlib import sha1
from pathlib import Path

import pytest

from weft.errors import SourceError
from weft.sources.interface import Note, Record
from weft.sources.public_inbox import PublicInbox, epochs, is_bare_repository

pytest.importorskip("dulwich")

from dulwich.objects import Blob, ObjectID
from dulwich.repo import Repo

from tests.sources import git_repositories


def message(name: str) -> bytes:
    return f"From: a@b\nMessage-ID: <{name}@x>\n\nHello from {name}.\n".encode()


class History:
    """Writes the commits of a bare repository."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True)
        self.path = path
        self.head: ObjectID | None = None

    def commit(self, files: dict[bytes, bytes], parents: list[ObjectID] | None = None) -> ObjectID:
        """One commit whose tree has just these files; its name."""
        before = parents if parents is not None else [self.head] if self.head else []
        self.head = git_repositories.commit(self.path, files, before)
        return self.head

    def add(self, *names: str) -> History:
        for name in names:
            self.commit({b"m": message(name)})
        return self

    def delete(self, name: str) -> History:
        self.commit({b"d": message(name)})
        return self

    def loose(self, name: bytes) -> Path:
        return self.path / "objects" / name[:2].decode() / name[2:].decode()

    def damage(self, name: bytes) -> None:
        self.loose(name).chmod(0o644)
        self.loose(name).write_bytes(b"damage")


def blob_name(data: bytes) -> bytes:
    return Blob.from_string(data).id


def v1_path(name: str) -> bytes:
    digest = sha1(f"{name}@x".encode()).hexdigest().encode()
    return digest[:2] + b"/" + digest[2:]


def read(path: Path) -> tuple[list[Record], list[Note]]:
    notes: list[Note] = []
    return list(PublicInbox(str(path), "l").records(notes.append)), notes


def ids(records: list[Record]) -> list[str]:
    return [record[2].decode().removesuffix("@x") for record in records]


def test_the_epochs_of_version_2_are_read_in_order_oldest_message_first(tmp_path: Path) -> None:
    for number in range(11):
        History(tmp_path / "git" / f"{number}.git").add(f"{number}a", f"{number}b")
    (tmp_path / "all.git").mkdir()
    records, notes = read(tmp_path)
    assert ids(records) == [f"{number}{letter}" for number in range(11) for letter in "ab"]
    assert [record[0] for record in records] == list(range(22))
    assert notes == []


def test_a_deletion_takes_the_message_out_even_in_a_later_epoch(tmp_path: Path) -> None:
    History(tmp_path / "git" / "0.git").add("a", "b", "c").delete("a")
    History(tmp_path / "git" / "1.git").add("d").delete("c")
    records, notes = read(tmp_path)
    assert (ids(records), notes) == (["b", "d"], [])


def test_a_message_that_is_added_again_after_its_deletion_stays(tmp_path: Path) -> None:
    History(tmp_path / "0.git").add("a", "b").delete("a").add("c", "a")
    assert ids(read(tmp_path / "0.git")[0]) == ["b", "c", "a"]


def test_a_message_that_is_added_twice_is_read_once(tmp_path: Path) -> None:
    History(tmp_path / "0.git").add("a", "a", "b", "a")
    assert sorted(ids(read(tmp_path / "0.git")[0])) == ["a", "b"]


def test_a_deletion_of_what_is_not_here_is_noted(tmp_path: Path) -> None:
    History(tmp_path / "0.git").add("a").delete("elsewhere")
    records, notes = read(tmp_path / "0.git")
    assert ids(records) == ["a"]
    assert [(note.reason, note.skipped) for note in notes] == [("1 deletions of messages that are not here", 0)]


def test_version_1_has_what_its_newest_tree_has(tmp_path: Path) -> None:
    history = History(tmp_path / "v1.git")
    history.commit({v1_path(name): message(name) for name in "abc"})
    history.commit({v1_path(name): message(name) for name in "acd"})
    records, notes = read(tmp_path / "v1.git")
    assert (sorted(ids(records)), notes) == (["a", "c", "d"], [])
    assert ids(records) == sorted("acd", key=v1_path)


def test_other_files_in_a_version_1_repository_are_noted(tmp_path: Path) -> None:
    files = {v1_path("a"): message("a"), b"README": b"x", v1_path("a")[:3] + b"short": message("b")}
    History(tmp_path / "v1.git").commit(files)
    records, notes = read(tmp_path / "v1.git")
    assert ids(records) == ["a"]
    assert sorted(note.path.rsplit(": ", 1)[1] for note in notes) == ["README", (v1_path("a")[:3] + b"short").decode()]
    assert all(note.skipped == 1 for note in notes)


def test_fetch_gives_each_blob_again_also_before_any_record_was_read(tmp_path: Path) -> None:
    History(tmp_path / "git" / "0.git").add("a", "b")
    History(tmp_path / "git" / "1.git").add("e").delete("e")
    History(tmp_path / "git" / "2.git").add("c")
    source = PublicInbox(str(tmp_path), "l")
    places = [record[:2] for record in source.records(lambda _: None)]
    for other in (source, PublicInbox(str(tmp_path), "l"), pickle.loads(pickle.dumps(source))):
        assert [other.fetch(*place) for place in reversed(places)] == [message(name) for name in "cba"]
    for place in ((-1, 1), (3, 1), (0, 1)):
        with pytest.raises(SourceError):
            source.fetch(*place)
    assert not source.escaped


def test_packed_repositories_are_read(tmp_path: Path) -> None:
    history = History(tmp_path / "0.git").add(*"abcdefgh").delete("c")
    with Repo(str(history.path)) as target:
        target.object_store.pack_loose_objects()
    assert not history.loose(blob_name(message("a"))).exists()
    records, notes = read(history.path)
    assert (ids(records), notes) == (list("abdefgh"), [])
    source = PublicInbox(str(history.path), "l")
    assert source.size == sum(path.stat().st_size for path in history.path.glob("objects/pack/*.pack")) > 0


def test_a_damaged_blob_costs_one_message(tmp_path: Path) -> None:
    history = History(tmp_path / "0.git").add("a", "b", "c")
    history.damage(blob_name(message("b")))
    records, notes = read(history.path)
    assert ids(records) == ["a", "c"]
    assert [(note.reason.endswith("is damaged"), note.skipped) for note in notes] == [(True, 1)]


def test_a_blob_that_has_the_bytes_of_another_is_damaged(tmp_path: Path) -> None:
    history = History(tmp_path / "0.git").add("a", "b")
    target = history.loose(blob_name(message("a")))
    target.chmod(0o644)
    target.write_bytes(history.loose(blob_name(message("b"))).read_bytes())
    records, notes = read(history.path)
    assert (ids(records), [note.skipped for note in notes]) == (["b"], [1])


def test_a_commit_that_is_missing_ends_the_history_with_a_note(tmp_path: Path) -> None:
    history = History(tmp_path / "0.git").add("a")
    shallow = history.commit({b"m": message("b")})
    history.add("c")
    history.loose(shallow).unlink()
    records, notes = read(history.path)
    assert ids(records) == ["c"]
    assert [(note.reason, note.skipped) for note in notes] == [
        (f"git object {shallow.decode()} is missing: older messages cannot be found", 1)
    ]


def test_the_other_parents_of_a_merge_are_noted(tmp_path: Path) -> None:
    history = History(tmp_path / "0.git")
    side = history.commit({b"m": message("side")})
    first = history.commit({b"m": message("a")}, parents=[])
    history.commit({b"m": message("b")}, parents=[first, side])
    records, notes = read(history.path)
    assert ids(records) == ["a", "b"]
    assert [note.skipped for note in notes] == [1]


def test_a_damaged_epoch_is_noted_and_the_others_are_read(tmp_path: Path) -> None:
    History(tmp_path / "git" / "0.git").add("a")
    broken = History(tmp_path / "git" / "1.git").add("b")
    assert broken.head
    broken.damage(broken.head)
    History(tmp_path / "git" / "2.git").add("c")
    records, notes = read(tmp_path)
    assert ids(records) == ["a", "c"]
    assert [(note.path, note.skipped) for note in notes] == [(str(broken.path), 1)]
    assert PublicInbox(str(tmp_path), "l").fetch(1, len(message("c"))) == message("c")


def test_a_repository_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    broken = History(tmp_path / "0.git").add("a")
    assert broken.head
    broken.damage(broken.head)
    with pytest.raises(SourceError, match="is damaged"):
        read(broken.path)
    (tmp_path / "1.git" / "objects").mkdir(parents=True)
    (tmp_path / "1.git" / "HEAD").write_bytes(b"\xff\0")
    with pytest.raises(SourceError, match="damaged"):
        read(tmp_path / "1.git")


def test_a_repository_of_something_else_is_an_error(tmp_path: Path) -> None:
    History(tmp_path / "0.git").commit({b"main.c": b"int main;", b"src/a.c": b"int a;"})
    with pytest.raises(SourceError, match="not one of public-inbox"):
        read(tmp_path / "0.git")


def test_an_empty_repository_is_noted(tmp_path: Path) -> None:
    (tmp_path / "0.git").mkdir()
    Repo.init_bare(str(tmp_path / "0.git")).close()
    records, notes = read(tmp_path / "0.git")
    assert (records, [(note.reason, note.skipped) for note in notes]) == (
        [],
        [("an empty git repository, no messages", 0)],
    )


def test_without_dulwich_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    History(tmp_path / "0.git").add("a")
    monkeypatch.setitem(sys.modules, "dulwich.repo", None)
    with pytest.raises(SourceError, match=r"pip install 'mailweft\[git\]'"):
        read(tmp_path / "0.git")


def test_a_directory_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    History(tmp_path / "l" / "git" / "10.git").add("a")
    History(tmp_path / "l" / "git" / "9.git").add("a")
    (tmp_path / "l" / "git" / "8.git").mkdir()
    (tmp_path / "l" / "git" / "07.git").symlink_to("9.git")
    assert epochs(tmp_path / "l") == [tmp_path / "l" / "git" / "9.git", tmp_path / "l" / "git" / "10.git"]
    assert epochs(tmp_path) == []
    assert is_bare_repository(tmp_path / "l" / "git" / "9.git")
    assert not is_bare_repository(tmp_path / "l")
    assert os.listdir(tmp_path / "l") == ["git"]
