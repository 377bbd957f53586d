"""Files are read again only where something may have changed, and their mail is found again."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from unittest.mock import patch

import pytest
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import HEADREF as HEAD
from dulwich.repo import Repo

from tests.index.factories import mail, open_index, parents, write
from weft import Index
from weft.index import ingest as ingest_module
from weft.model import Ingested
from weft.sources import folder, mbox
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

MAILS = [mail(f"m{number}@x", ["m0@x"] if number else [], body=f"Body {number}.\n" * 400) for number in range(20)]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "git.mbox", *MAILS)


def ingest(index: Index, *paths: Path, name: str = "git") -> tuple[Ingested, list[str]]:
    """What an ingest did, and what it said."""
    log = NoteLog()
    return index.ingest(name, *paths, log=log), [note.reason for note in log.entries]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def data(index: Index, name: str = "m0@x") -> tuple[list[bytes], list[str]]:
    """The mail of a thread, and which of it is missing."""
    missing: list[str] = []
    return [found for found, _ in index.raw(index.thread(name), missing.append)], missing


def bodies(*mails: bytes) -> set[bytes]:
    """The mails as their bytes are given: without the From_ line and the empty line at the end."""
    return {one.partition(b"\n")[2][:-1] for one in mails}


def test_a_file_that_has_not_changed_is_not_read(index: Index, file: Path) -> None:
    assert ingest(index, file) == (Ingested(20, 20, 0, 0, 0), [])
    with patch.multiple(mbox, open_mail=None, Splitter=None):
        assert ingest(index, file) == (Ingested(0, 0, 1, 0, 0), [])


def test_a_file_that_has_grown_is_read_from_its_last_message_on(index: Index, file: Path) -> None:
    ingest(index, file)
    last = file.stat().st_size - len(MAILS[-1])
    append(file, mail("new@x", ["m0@x"]))
    starts: list[int] = []

    class Watched(FileIO):
        def readinto(self, buffer: memoryview, /) -> int | None:  # type: ignore[override]
            starts.append(self.tell())
            return super().readinto(buffer)

    with patch.object(mbox, "FileIO", Watched):
        assert ingest(index, file) == (Ingested(2, 1, 0, 1, 0), [])
    assert min(starts) == last
    assert parents(index)["new@x"] == "m0@x"
    assert ingest(index, file)[0].unchanged == 1


@pytest.mark.parametrize("cut", ["header", "own id", "references", "body", "first line of the body"])
def test_a_message_that_was_half_written_is_withdrawn_when_the_whole_of_it_is_there(
    index: Index, tmp_path: Path, cut: str
) -> None:
    """What was cut may have no id, half an id, or no parent; all of it goes."""
    whole = mail("whole@x", ["m0@x", "m1@x"], headers=["Date: Sun, 9 Feb 2003 22:52:25 -0500"], body="One.\n\nTwo.")
    at = {
        "header": whole.index(b"Message-ID"),
        "own id": whole.index(b"le@x>"),
        "references": whole.index(b"\tm") if b"\tm" in whole else whole.index(b"<m1@x>"),
        "body": whole.index(b"Two"),
        "first line of the body": whole.index(b"ne.\n"),
    }[cut]
    file = write(tmp_path / "git.mbox", *MAILS[:2], whole[:at])
    assert ingest(index, file)[0].claims == 3
    append(file, whole[at:] + MAILS[2])
    assert ingest(index, file) == (Ingested(2, 2, 0, 1, 0), [])
    assert parents(index) == {"m0@x": None, "m1@x": "m0@x", "whole@x": "m1@x", "m2@x": "m0@x"}
    [shown] = [message for message in index.thread("whole@x").messages if message.id == "whole@x"]
    assert (shown.contested, shown.variants, len(shown.copies)) == (False, 1, 1)
    assert data(index)[0] != []
    assert list(index.check()) == []
    assert ingest(index, file)[0].unchanged == 1


def test_a_last_message_that_was_whole_is_not_claimed_again_or_withdrawn(index: Index, file: Path) -> None:
    for number in range(3):
        ingest(index, file)
        append(file, mail(f"new{number}@x"))
    position = index.store.position()
    assert ingest(index, file)[0].claims == 1
    assert index.store.position() == position + 1 == 23


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: write(path, *MAILS[:5]), "truncated or rotated"),
        (lambda path: write(path, *MAILS[::-1], mail("new@x")), "rotated or rewritten"),
        (lambda path: write(path, *MAILS[:10], mail("new@x"), *MAILS[10:]), "rotated or rewritten"),
    ],
)
def test_a_file_that_was_truncated_or_rewritten_is_read_from_its_start_and_said_so(
    index: Index, file: Path, change: object, said: str
) -> None:
    ingest(index, file)
    assert callable(change)
    change(file)
    done, notes = ingest(index, file)
    assert [said in note for note in notes] == [True]
    assert done.unchanged == done.grown == done.skipped == 0
    assert done.claims == ("new@x" in parents(index))
    assert len(parents(index)) == 20 + done.claims


def test_a_rotated_file_keeps_its_claims_and_the_new_one_is_read_whole(index: Index, file: Path) -> None:
    ingest(index, file)
    file.rename(file.with_suffix(".1"))
    write(file, *[mail(f"next{number}@x", body="Much text.\n" * 2000) for number in range(30)])
    done, notes = ingest(index, file)
    assert (done.messages, done.claims, len(notes)) == (30, 30, 1)
    assert len(parents(index)) == 50


def test_a_file_of_another_time_is_read_again_and_nothing_new_is_claimed(index: Index, file: Path) -> None:
    ingest(index, file)
    os.utime(file, (1, 1))
    assert ingest(index, file) == (Ingested(20, 0, 0, 0, 0), [])
    assert ingest(index, file)[0].unchanged == 1


@pytest.mark.parametrize("name", ["git.mbox", "git.mbox.gz"])
def test_a_file_replaced_by_one_of_the_same_size_is_read_again(index: Index, tmp_path: Path, name: str) -> None:
    path, new = tmp_path / name, tmp_path / "new"
    for target, own in ((path, "aaaa@x"), (new, "bbbb@x")):
        plain = MAILS[0] + mail(own, ["m0@x"]) + MAILS[1]
        target.write_bytes(gzip.compress(plain, 0) if name.endswith("gz") else plain)
    assert path.stat().st_size == new.stat().st_size
    ingest(index, path)
    new.replace(path)
    assert ingest(index, path)[0].claims == 1
    assert {"aaaa@x", "bbbb@x"} <= parents(index).keys()


def test_a_compressed_file_is_read_whole_if_it_changed_and_its_mail_is_found(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "git.mbox.gz"
    path.write_bytes(gzip.compress(b"".join(MAILS[:5])))
    assert ingest(index, path)[0].claims == 5
    assert ingest(index, path)[0].unchanged == 1
    path.write_bytes(gzip.compress(b"".join(MAILS)))
    assert ingest(index, path) == (Ingested(20, 15, 0, 0, 0), [])
    assert data(index) == (data(index)[0], [])
    assert set(data(index)[0]) == bodies(*MAILS)


def maildir(path: Path, *names: str) -> Path:
    for sub in ("cur", "new", "tmp"):
        (path / sub).mkdir(parents=True, exist_ok=True)
    for name in names:
        write(path / name, mail(f"{name.rpartition('/')[2].partition(':')[0]}@x").partition(b"\n")[2])
    return path


def test_a_maildir_is_read_if_a_message_came_and_its_mail_is_found_when_files_move(
    index: Index, tmp_path: Path
) -> None:
    path = maildir(tmp_path / "Mail", "cur/2:2,S", "cur/3:2,")
    assert ingest(index, path)[0].claims == 2
    with patch.object(folder, "read_file", side_effect=AssertionError):
        assert ingest(index, path)[0].unchanged == 1
    maildir(path, "new/1", "new/4")
    assert ingest(index, path)[0].claims == 2
    (path / "cur" / "2:2,S").rename(path / "cur" / "2:2,RS")
    (path / "cur" / "3:2,").unlink()
    assert ingest(index, path)[0].claims == 0
    for name in ("1@x", "2@x", "4@x"):
        assert data(index, name)[1] == []
        assert f"Message-ID: <{name}>".encode() in data(index, name)[0][0]
    [missing] = data(index, "3@x")[1]
    assert missing.startswith("3@x: the mail is not here: ")


def test_two_copies_of_one_id_in_a_folder_are_both_found_after_files_have_moved(index: Index, tmp_path: Path) -> None:
    path = maildir(tmp_path / "Mail", "cur/1:2,", "cur/3:2,")
    twin = (path / "cur" / "1:2,").read_bytes()
    write(path / "cur" / "2:2,", twin.replace(b"a subject", b"another"))
    assert ingest(index, path)[0].claims == 3
    maildir(path, "cur/0:2,")
    found = {data(index, "1@x")[0][0] for _ in range(2)}
    assert found <= {twin, twin.replace(b"a subject", b"another")}
    assert data(index, "1@x")[1] == []


def test_a_public_inbox_is_read_if_it_has_new_commits(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "inbox" / "git" / "0.git"
    path.mkdir(parents=True)
    repository = Repo.init_bare(str(path))
    for number in range(2):
        _commit(repository, mail(f"p{number}@x").partition(b"\n")[2])
    assert ingest(index, tmp_path / "inbox")[0].claims == 2
    assert ingest(index, tmp_path / "inbox")[0] == Ingested(0, 0, 1, 0, 0)
    _commit(repository, mail("p2@x", ["p0@x"]).partition(b"\n")[2])
    assert ingest(index, tmp_path / "inbox")[0].claims == 1
    assert len(data(index, "p0@x")[0]) == 2
    repository.close()


def _head(repository: Repo) -> ObjectID | None:
    try:
        return repository.head()
    except KeyError:
        return None


def _commit(repository: Repo, message: bytes) -> None:
    """Add a message as public-inbox v2 does: a commit whose tree has it as ``m``."""
    blob, tree, commit = Blob.from_string(message), Tree(), Commit()
    tree.add(b"m", 0o100644, blob.id)
    commit.parents = [head] if (head := _head(repository)) else []
    commit.tree, commit.message, commit.encoding = tree.id, b"m", b"UTF-8"
    commit.author = commit.committer = b"a <a@x>"
    commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
    for one in (blob, tree, commit):
        repository.object_store.add_object(one)
    repository.refs[HEAD] = commit.id


def test_messages_are_read_in_order_however_many_processes_are_asked_for(index: Index, file: Path) -> None:
    """Or a run that is interrupted could remember a place before which not all was read."""
    log, asked = NoteLog(), []

    def scan(*arguments: object, **_: object) -> Iterator[object]:
        asked.append(arguments[3])
        return iter(())

    with patch.object(ingest_module, "scan", scan):
        for processes in (None, 1, 2, 3):
            index.ingest_sources(discover([f"git={file}"], log), log, processes=processes)
            index.store.connection.execute("DELETE FROM files")
    assert asked == [None, 1, 2, 2]


def test_one_file_may_belong_to_two_lists(index: Index, file: Path) -> None:
    assert ingest(index, file, name="one")[0].claims == 20
    assert ingest(index, file, name="two")[0].claims == 20
    append(file, mail("new@x"))
    assert ingest(index, file, name="two")[0] == Ingested(2, 1, 0, 1, 0)
    assert ingest(index, file, name="one")[0] == Ingested(2, 1, 0, 1, 0)
    assert index.thread("new@x").lists == ("one", "two")


def test_a_file_that_is_given_twice_is_claimed_once(index: Index, file: Path) -> None:
    done, _ = ingest(index, file, file)
    assert done.claims == 20
    assert ingest(index, file, file)[0].claims == 0
    assert data(index)[1] == []


def test_the_mail_is_found_again_after_the_file_has_grown(index: Index, file: Path) -> None:
    ingest(index, file)
    append(file, mail("new@x", ["m0@x"]))
    assert data(index)[1] == []
    ingest(index, file)
    found, missing = data(index)
    assert missing == []
    assert set(found) == bodies(*MAILS, mail("new@x", ["m0@x"]))


def test_mail_of_a_file_that_was_changed_is_named_as_missing_never_given_out_wrong(index: Index, file: Path) -> None:
    ingest(index, file)
    changed = file.read_bytes().replace(b"Body 7.", b"Bosh 7.", 1)
    file.write_bytes(changed)
    found, missing = data(index)
    assert len(found) == 19
    assert [line.partition(":")[0] for line in missing] == ["m7@x"]
    file.unlink()
    found, missing = data(index)
    assert (found, len(missing)) == ([], 20)


def test_a_list_that_was_renamed_goes_on_where_it_was(index: Index, file: Path) -> None:
    ingest(index, file)
    assert index.rename_list("git", "renamed") == 20
    assert ingest(index, file, name="renamed")[0].unchanged == 1
    append(file, mail("new@x", ["m0@x"]))
    assert ingest(index, file, name="renamed")[0] == Ingested(2, 1, 0, 1, 0)
    assert index.thread("new@x").lists == ("renamed",)
    assert data(index)[1] == []


def test_a_list_that_was_removed_is_read_again_but_not_what_was_retracted_by_hand(index: Index, file: Path) -> None:
    ingest(index, file)
    before = parents(index)
    index.retract(["m19@x"])
    assert index.remove_list("git") == 19
    assert parents(index) == {}
    done, notes = ingest(index, file)
    assert (done.messages, done.claims) == (20, 19)
    assert ["1 message was withdrawn, and is not stated again; " in note for note in notes] == [True]
    assert index.restate(["m19@x"]) == (1, 0)
    assert parents(index) == before
    assert data(index)[1] == []


def test_what_is_stated_again_has_its_mail_where_it_lies_now(index: Index, file: Path) -> None:
    ingest(index, file)
    index.remove_list("git")
    ingest(index, file)
    moved = file.rename(file.with_name("moved.mbox"))
    done, notes = ingest(index, moved)
    assert (done.messages, done.claims, notes) == (20, 0, [])
    assert data(index)[1] == []


def test_half_a_message_that_was_removed_and_read_again_goes_when_it_has_grown(index: Index, file: Path) -> None:
    whole = file.read_bytes()
    end = whole.rindex(b"\nFrom ") + 1
    file.write_bytes(whole[: end + (len(whole) - end) * 3 // 4])
    ingest(index, file)
    index.remove_list("git")
    ingest(index, file)
    file.write_bytes(whole)
    assert ingest(index, file)[0].claims == 1
    assert sum(info.claims for info in index.lists()) == 20


def test_a_folder_in_which_the_files_lie_may_be_moved(index: Index, file: Path, tmp_path: Path) -> None:
    ingest(index, file)
    (tmp_path / "moved").mkdir()
    shutil.move(file, tmp_path / "moved" / "git.mbox")
    assert ingest(index, tmp_path / "moved" / "git.mbox")[0].claims == 0
    assert data(index)[1] == []
