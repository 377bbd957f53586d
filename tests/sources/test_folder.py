from __future__ import annotations

import gzip
import lzma
import os
import pickle
from pathlib import Path

import pytest

from weft.core.body import MAX_RAW_BODY, canonical_body
from weft.core.header import MAX_BLOCK
from weft.errors import SourceError
from weft.sources.folder import Folder, mh_names
from weft.sources.interface import Note, Record, Source
from weft.sources.maildir import maildir_names


def message(name: str, body: str = "Hello.\n") -> bytes:
    return f"From: a@b\nMessage-ID: <{name}@x>\nSubject: {name}\n\n{body}".encode()


def maildir(path: Path, **files: bytes) -> Folder:
    """A Maildir; the names of ``files`` begin with the folder: ``cur_name``."""
    for folder in ("cur", "new", "tmp"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (path / name.replace("_", "/", 1)).write_bytes(data)
    return Folder(str(path), "l", maildir_names(str(path)))


def read(source: Source) -> tuple[list[Record], list[Note]]:
    notes: list[Note] = []
    return list(source.records(notes.append)), notes


def body_number(data: bytes) -> int:
    return hash(canonical_body(data, mbox=False))


def ids(records: list[Record]) -> list[str]:
    return [record[2].decode().removesuffix("@x") for record in records]


def test_a_maildir_is_read_in_the_order_of_its_names_whatever_folder_and_flags(tmp_path: Path) -> None:
    folder = maildir(tmp_path, **{"new_2": message("b"), "cur_3:2,S": message("c"), "cur_10:2,RS": message("a")})
    records, notes = read(folder)
    assert (ids(records), notes) == (["a", "b", "c"], [])
    (tmp_path / "new" / "2").rename(tmp_path / "cur" / "2:2,FS")
    moved = Folder(str(tmp_path), "l", maildir_names(str(tmp_path)))
    assert read(moved)[0] == records


def test_tmp_and_hidden_names_of_a_maildir_are_left_alone(tmp_path: Path) -> None:
    folder = maildir(tmp_path, tmp_1=message("unfinished"), new_1=message("a"), **{"cur_.nfs0001": message("ghost")})
    records, notes = read(folder)
    assert (ids(records), notes) == (["a"], [])


def test_an_mh_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "100", "07", "0", "x", "1.bak", ".mh_sequences", "9" * 19, "\u0663"):
        (tmp_path / name).write_bytes(message(name))
    (tmp_path / "5").mkdir()
    assert mh_names(str(tmp_path)) == ["9", "10", "100"]
    records, notes = read(Folder(str(tmp_path), "l", mh_names(str(tmp_path))))
    assert (ids(records), notes) == (["9", "10", "100"], [])


def test_fetch_gives_the_bytes_of_each_record_again(tmp_path: Path) -> None:
    folder = maildir(tmp_path, new_1=message("a"), new_2=message("b", ">From the start\n"), new_3=message("c"))
    for record in read(folder)[0]:
        assert folder.fetch(record[0], record[1]) == (tmp_path / "new" / str(record[0] + 1)).read_bytes()
    assert not folder.escaped
    copy = pickle.loads(pickle.dumps(folder))
    assert copy.fetch(1, len(message("b", ">From the start\n"))) == message("b", ">From the start\n")


def test_the_line_of_an_mbox_before_a_message_is_no_part_of_it(tmp_path: Path) -> None:
    plain = maildir(tmp_path / "plain", new_1=message("a"))
    line = maildir(tmp_path / "line", new_1=b"From a@b Thu Jan  1 00:00:00 1970\n" + message("a"))
    (with_line,), notes = read(line)
    (without,), _ = read(plain)
    assert (with_line[2:], notes) == (without[2:], [])
    assert line.fetch(with_line[0], with_line[1]) == message("a")


def test_a_first_header_field_from_with_white_space_before_its_colon_is_kept(tmp_path: Path) -> None:
    (record,), _ = read(maildir(tmp_path, new_1=b"From : a@b\nMessage-ID: <a@x>\n\n"))
    assert record[10] == b"a@b"


def test_the_body_is_not_unescaped(tmp_path: Path) -> None:
    (record,), _ = read(maildir(tmp_path, new_1=message("a", ">From me\n")))
    assert record[11] == body_number(b">From me\n")


def test_a_message_with_dos_line_ends_equals_the_one_without(tmp_path: Path) -> None:
    folder = maildir(tmp_path, new_1=message("a"), new_2=message("a").replace(b"\n", b"\r\n"))
    first, second = read(folder)[0]
    assert first[2:] == second[2:]


def test_compressed_files_are_unpacked(tmp_path: Path) -> None:
    folder = maildir(tmp_path, new_1=gzip.compress(message("a")), new_2=lzma.compress(message("b")))
    records, notes = read(folder)
    assert (ids(records), notes) == (["a", "b"], [])
    assert folder.fetch(records[0][0], records[0][1]) == message("a")


def test_a_file_that_vanished_is_noted_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = maildir(tmp_path, new_1=message("a"), new_2=message("b"))
    (tmp_path / "new" / "1").unlink()
    records, notes = read(folder)
    assert ids(records) == ["b"]
    assert notes == [Note(str(tmp_path / "new" / "1"), None, "No such file or directory", 1)]


def test_what_is_not_a_regular_file_is_noted_and_never_waited_for(tmp_path: Path) -> None:
    maildir(tmp_path, new_4=message("a"))
    (tmp_path / "new" / "1").mkdir()
    os.mkfifo(tmp_path / "new" / "2")
    (tmp_path / "new" / "3").symlink_to("nowhere")
    records, notes = read(maildir(tmp_path))
    assert ids(records) == ["a"]
    assert [(Path(note.path).name, note.skipped) for note in notes] == [("1", 1), ("2", 1), ("3", 1)]
    assert [note.reason for note in notes] == ["not a regular file"] * 2 + ["No such file or directory"]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\n\nSubject: in the body\n", b"\x7fELF\x02\x01\0\0", b"just words\n", b"From a@b\n"]
)
def test_a_file_without_a_header_field_is_noted_as_no_message(tmp_path: Path, data: bytes) -> None:
    records, notes = read(maildir(tmp_path, new_1=data, new_2=message("a")))
    assert ids(records) == ["a"]
    assert [(note.reason.split(":")[0], note.skipped) for note in notes] == [("not a message", 1)]


def test_a_header_field_below_a_line_of_garbage_makes_a_message(tmp_path: Path) -> None:
    records, notes = read(maildir(tmp_path, new_1=b"??\nMessage-ID: <a@x>\n\n"))
    assert (ids(records), notes) == (["a"], [])


def test_a_header_block_above_the_cap_is_noted_and_read_so_far(tmp_path: Path) -> None:
    long = b"Message-ID: <a@x>\nX: " + b"x" * MAX_BLOCK + b"\nSubject: unread\n\nHello.\n"
    (record,), (note,) = read(maildir(tmp_path, new_1=long))
    assert (record[2], record[9], record[11]) == (b"a@x", b"", body_number(b"Hello.\n"))
    assert (note.reason, note.skipped) == ("header block longer than 256 KiB: read only so far", 0)
    exact = b"Message-ID: <a@x>\nX: "
    exact += b"x" * (MAX_BLOCK - len(exact) - 1) + b"\n\n"
    assert read(maildir(tmp_path, new_1=exact))[1] == []


def test_a_huge_file_is_read_up_to_the_cap_only(tmp_path: Path) -> None:
    folder = maildir(tmp_path, new_1=message("a", ""))
    with open(tmp_path / "new" / "1", "r+b") as file:
        file.truncate(1 << 40)  # sparse: reading all of it would never end
    (record,), notes = read(folder)
    assert (record[1], notes) == (1 << 40, [])
    assert record[11] == body_number(bytes(MAX_RAW_BODY))


def test_a_damaged_compressed_file_is_noted(tmp_path: Path) -> None:
    records, notes = read(maildir(tmp_path, new_1=gzip.compress(message("a"))[:-9]))
    assert (records, [(note.reason, note.skipped) for note in notes]) == ([], [("truncated gzip", 1)])


def test_fetch_says_that_a_message_is_gone_or_changed(tmp_path: Path) -> None:
    folder = maildir(tmp_path, new_1=message("a"))
    (record,), _ = read(folder)
    (tmp_path / "new" / "1").write_bytes(message("other", "longer than before\n"))
    with pytest.raises(SourceError, match="the message is gone: the file was changed"):
        folder.fetch(record[0], record[1])
    (tmp_path / "new" / "1").unlink()
    with pytest.raises(SourceError, match="the message is gone: No such file"):
        folder.fetch(record[0], record[1])
    for number in (-1, 1):
        with pytest.raises(SourceError, match="no file number"):
            folder.fetch(number, 1)


def test_the_size_is_about_that_of_all_files(tmp_path: Path) -> None:
    folder = maildir(tmp_path, **{f"new_{number}": message("a") for number in range(300)})
    assert folder.size == 300 * len(message("a"))
    assert maildir(tmp_path / "empty").size == 0


def test_names_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    maildir(tmp_path)
    (tmp_path / "new" / os.fsdecode(b"\xff")).write_bytes(message("a"))
    records, notes = read(maildir(tmp_path))
    assert (ids(records), notes) == (["a"], [])
