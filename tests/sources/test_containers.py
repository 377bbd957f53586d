"""Mail in tar and zip is read as if it were unpacked, and no archive can do harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.errors import BombError, SourceError, WeftError
from weft.sources import tar, zip_members
from weft.sources.containers import ArchiveFile
from weft.sources.discover import discover
from weft.sources.evidence import make_evidence
from weft.sources.interface import Note, split_message
from weft.sources.tar import TarReader


def message(name: str, body: str = "text\n\n>From here on\n") -> bytes:
    return f"From: ann@example.org\nMessage-ID: <{name}@example.org>\nSubject: S\n\n{body}".encode()


def mbox(*names: str) -> bytes:
    return b"".join(b"From ann@example.org Tue Feb 11 10:00:00 2003\n" + message(name) + b"\n" for name in names)


TREE = {
    "lists/dev.mbox/dev.mbox": mbox("m1", "m2"),
    "lists/dev/2003-January.txt.gz": gzip.compress(mbox("m1")),
    "lists/dev/2003-February.txt": mbox("m2"),
    "lists/dev/index.html": b"<!DOCTYPE html>\n",
    "lists/dev/attachments/20030201/abc/attachment.eml": message("cut"),
    "lists/users/cur/1044000000.M1P2.host:2,S": message("m3"),
    "lists/users/new/1044000001.M1P2.host": message("m4"),
    "lists/users/tmp/1044000002.M1P2.host": message("half"),
    "lists/users/.Sent/cur/1044000003.M1P2.host:2,S": message("m5"),
    "lists/comp/lang/foo/1": message("m6"),
    "lists/comp/lang/foo/2": message("m7"),
    "lists/comp/lang/foo/.overview": b"1\t\n",
    "lists/mails/a.eml": message("m8"),
    "lists/mails/b.emlx": b"%d\n" % len(message("m9")) + message("m9") + b"<plist/>",
    "lists/mmdf": b"\1\1\1\1\n" + message("m10") + b"\1\1\1\1\n",
    "lists/cr.mbox": mbox("m11", "m12").replace(b"\n", b"\r"),
    "lists/DEV.LOG0302": b"=" * 73 + b"\n" + message("m13"),
    "lists/dev.mbox.msf": b"// <!-- <mdb:mork",
}
LISTS = {
    "dev": {"m1", "m2"}, "users": {"m3", "m4"}, "users.Sent": {"m5"}, "comp.lang.foo": {"m6", "m7"},
    "mails": {"m8", "m9"}, "mmdf": {"m10"}, "cr": {"m11", "m12"}, "DEV": {"m13"},
}  # fmt: skip


def tar_of(members: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zip_of(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    from backports import zstd as module

    return module.compress(data)


def found(argument: str, max_ratio: int = 200) -> tuple[ArchiveFile, dict[str, set[str]], list[Note]]:
    """The source, the ids on each list, and what was noted."""
    notes: list[Note] = []
    (source,) = discover([argument], notes.append, max_ratio=max_ratio)
    assert isinstance(source, ArchiveFile)
    lists: dict[str, set[str]] = {}
    for name, evidence in source.scan_lists(notes.append, make_evidence):
        lists.setdefault(name, set()).add(evidence[2].decode().partition("@")[0])
    return source, lists, notes


PACKINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("lists.tar", bytes), ("lists.tgz", gzip.compress), ("lists.tar.xz", lzma.compress),
    ("lists.tar.bz2", bz2.compress), ("lists.tar.zst", zstd),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pack"), PACKINGS)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_is_read_as_the_folder_that_it_was(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes], form: int
) -> None:
    (tmp_path / name).write_bytes(pack(tar_of(TREE, form)))
    check(*found(str(tmp_path / name)))


def test_a_zip_is_read_as_the_folder_that_it_was(tmp_path: Path) -> None:
    (tmp_path / "lists.zip").write_bytes(zip_of(TREE))
    check(*found(str(tmp_path / "lists.zip")))


def check(source: ArchiveFile, lists: dict[str, set[str]], notes: list[Note]) -> None:
    assert notes == []
    assert lists == LISTS
    for evidence in source.scan(notes.append, make_evidence):
        data = source.fetch(evidence[0], evidence[1])
        buffer, header_end, body = split_message(data)
        assert make_evidence(buffer, 1, header_end, body, evidence[:2], mbox=False) == evidence
        assert data.startswith(b"From: ann@example.org\n")
    with pytest.raises(SourceError, match="the message is gone"):
        source.fetch(999 << 40, 10)


def test_the_folder_itself_gives_the_same_lists(tmp_path: Path) -> None:
    for name, data in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "lists/users/tmp/1044000002.M1P2.host").unlink()
    notes: list[Note] = []
    lists: dict[str, set[str]] = {}
    for source in discover([str(tmp_path / "lists")], notes.append):
        for evidence in source.scan(notes.append, make_evidence):
            lists.setdefault(source.list, set()).add(evidence[2].decode().partition("@")[0])
    assert (lists, notes) == (LISTS, [])


def test_a_name_before_the_path_is_the_list_of_all_members(tmp_path: Path) -> None:
    (tmp_path / "lists.tar").write_bytes(tar_of(TREE))
    _, lists, _ = found(f"all={tmp_path}/lists.tar")
    assert lists.keys() == {"all"}
    assert lists["all"] == set().union(*LISTS.values())


def test_months_alone_are_the_list_that_the_archive_is_called(tmp_path: Path) -> None:
    (tmp_path / "dev.tar.gz").write_bytes(gzip.compress(tar_of({"2003-01.txt": mbox("a"), "2003-02.txt": mbox("b")})))
    assert found(str(tmp_path / "dev.tar.gz"))[1] == {"dev": {"a", "b"}}
    (tmp_path / "dev.tar").write_bytes(tar_of({"dev": mbox("a")}))
    assert found(str(tmp_path / "dev.tar"))[1] == {"dev": {"a"}}


def test_two_archives_of_one_name_are_not_merged(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tar_of({"a.dev.mbox": mbox("a"), "a/dev.mbox": mbox("b"), "c.mbox": mbox("c")}))
    _, lists, notes = found(str(tmp_path / "x.tar"))
    assert lists == {"a.dev": {"a"}, "c": {"c"}}
    (note,) = notes
    assert note.skipped == 1
    assert "a.dev.mbox" in note.reason
    assert "LIST=" in note.reason
    (tmp_path / "c.mbox").write_bytes(mbox("d"))
    several: list[Note] = []
    sources = discover([str(tmp_path / "x.tar"), str(tmp_path / "c.mbox")], several.append)
    (archive,) = [source for source in sources if isinstance(source, ArchiveFile)]
    assert {name for name, _ in archive.scan_lists(several.append, make_evidence)} == {"a.dev"}
    assert any(f"as {tmp_path}/c.mbox is" in note.reason for note in several)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../../../outside.eml",
        "a/../../b.eml",
        "C:\\x.eml",
        "x\n\x1b[2J.eml",
        "//x.eml",
        "..",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_no_name_of_a_member_is_a_path(
    tmp_path: Path, name: str, make: Callable[[Mapping[str, bytes]], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x.tar").write_bytes(make({name: message("a"), "ok.eml": message("b")}))
    before = sorted(tmp_path.rglob("*"))
    opened: list[str] = []
    really = os.open

    def watched(path: str, *rest: int, **options: int) -> int:
        opened.append(os.fspath(path))
        return really(path, *rest, **options)

    monkeypatch.setattr(os, "open", watched)
    source, lists, _ = found(f"l={tmp_path}/in/x.tar")
    assert "b" in lists["l"]
    for evidence in source.scan(lambda note: None, make_evidence):
        source.fetch(evidence[0], evidence[1])
    assert sorted(tmp_path.rglob("*")) == before
    assert all(path.startswith((str(tmp_path), "/tmp")) for path in opened)


def test_names_in_bad_utf_8_need_a_list_and_lose_nothing_with_one(tmp_path: Path) -> None:
    name = os.fsdecode(b"d\xff/b\xfe.mbox")
    (tmp_path / "x.tar").write_bytes(tar_of({name: mbox("a")}, tarfile.GNU_FORMAT))
    _, lists, (note,) = found(str(tmp_path / "x.tar"))
    assert lists == {}
    assert "it is not UTF-8" in note.reason
    assert found(f"l={tmp_path}/x.tar")[1] == {"l": {"a"}}
    data = zip_of({"bä.mbox": mbox("a")}).replace("bä".encode(), b"b\xff\xfe")
    (tmp_path / "x.zip").write_bytes(data)
    _, lists, (note,) = found(f"l={tmp_path}/x.zip")
    assert lists == {}
    assert "unpack it and give the folder" in note.reason


def special(kind: bytes, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo("special")
    info.type = kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (special(tarfile.SYMTYPE, linkname="/etc/passwd"), "a link"),
        (special(tarfile.LNKTYPE, linkname="a.eml"), "a link"),
        (special(tarfile.CHRTYPE, devmajor=1, devminor=5), "a device"),
        (special(tarfile.BLKTYPE, devmajor=8), "a device"),
        (special(tarfile.FIFOTYPE), "a pipe"),
        (special(b"S"), "a sparse file"),
        (special(b"Z"), "an unknown type"),
    ],
)
def test_what_is_no_file_is_named_and_the_rest_is_read(tmp_path: Path, info: tarfile.TarInfo, why: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(info)
        last = tarfile.TarInfo("b.eml")
        last.size = len(message("b"))
        archive.addfile(last, io.BytesIO(message("b")))
    (tmp_path / "x.tar").write_bytes(file.getvalue())
    _, lists, (note,) = found(f"l={tmp_path}/x.tar")
    assert lists == {"l": {"b"}}
    assert (note.path, note.skipped) == (f"{tmp_path}/x.tar: special", 1)
    assert why in note.reason


def test_sparse_files_of_pax_are_named(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("s.eml")
        info.size, info.pax_headers = 10, {"GNU.sparse.major": "1", "GNU.sparse.realsize": str(1 << 50)}
        archive.addfile(info, io.BytesIO(b"1\n0\n5\nxxxx"))
    (tmp_path / "x.tar").write_bytes(file.getvalue())
    _, lists, (note,) = found(f"l={tmp_path}/x.tar")
    assert (lists, "sparse" in note.reason) == ({}, True)


@pytest.mark.parametrize("inner", [tar_of({"a.eml": message("a")}), zip_of({"a.eml": message("a")})])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_an_archive_in_an_archive_is_named(
    tmp_path: Path, inner: bytes, pack: Callable[[bytes], bytes], make: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    (tmp_path / "x").write_bytes(make({"inner": pack(inner), "b.eml": message("b")}))
    _, lists, (note,) = found(f"l={tmp_path}/x")
    assert lists == {"l": {"b"}}
    assert (note.path, note.skipped) == (f"{tmp_path}/x: inner", 1)
    assert "in an archive" in note.reason


def test_what_is_known_and_not_read_is_named_in_an_archive_too(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(
        tar_of({"o.pst": b"!BDN" + bytes(99), "words": b"just words\n", "a.eml": message("a")})
    )
    _, lists, notes = found(f"l={tmp_path}/x.tar")
    assert lists == {"l": {"a"}}
    assert ["readpst" in note.reason or "not mail" in note.reason for note in notes] == [True, True]


def test_a_bomb_of_many_members_is_bounded_by_the_archive(tmp_path: Path) -> None:
    """Each of them alone stays below what any file may unfold to."""
    piece = gzip.compress(mbox("a") + bytes(4 << 20), 9)
    (tmp_path / "x.tar").write_bytes(tar_of({f"{number}.mbox.gz": piece for number in range(40)}))
    _, _, notes = found(f"l={tmp_path}/x.tar", max_ratio=100)
    assert any("a bomb?" in note.reason and note.path == f"{tmp_path}/x.tar" for note in notes)
    assert len(notes) < 45
    (tmp_path / "x.zip").write_bytes(zip_of({f"{number}.mbox": mbox("a") + bytes(4 << 20) for number in range(40)}))
    assert any("a bomb?" in note.reason for note in found(f"l={tmp_path}/x.zip", max_ratio=100)[2])


def test_a_zip_whose_members_overlap_is_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of({f"{number}.eml": message("a") for number in range(5)}))
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 42 : at + 46] = struct.pack("<I", 0)
        at = data.find(b"PK\1\2", at + 1)
    (tmp_path / "x.zip").write_bytes(data)
    _, lists, (note,) = found(f"l={tmp_path}/x.zip")
    assert (lists, note.skipped) == ({}, 1)
    assert "overlap" in note.reason


def test_a_zip_with_what_cannot_be_read_names_it(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("lzma.eml", message("a"), zipfile.ZIP_LZMA)
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ok.eml", message("ok"))
        archive.writestr("damaged.eml", message("damaged"))
    data = bytearray(file.getvalue())
    data[data.rindex(b"damaged@example.org")] ^= 1
    flags = data.index(b"PK\1\2")
    (tmp_path / "x.zip").write_bytes(data)
    _, lists, notes = found(f"l={tmp_path}/x.zip")
    assert "ok" in lists["l"]
    reasons = {note.path.rpartition(": ")[2]: note.reason for note in notes}
    assert "method 14" in reasons["lzma.eml"]
    assert "a link" in reasons["link"]
    assert "damaged member" in reasons["damaged.eml"]
    data[flags + 8] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    assert any("encrypted" in note.reason for note in found(f"l={tmp_path}/x.zip")[2])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_an_archive_that_is_cut_short_gives_what_is_there_and_says_so(
    tmp_path: Path, pack: Callable[[bytes], bytes], make: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    data = pack(make({f"{number}.eml": message(str(number), os.urandom(300).hex()) for number in range(200)}))
    (tmp_path / "x.tar").write_bytes(data[: len(data) // 2])
    if make is zip_of and pack is not bytes:
        return  # a zip in gzip: tested below
    _, lists, notes = found(f"l={tmp_path}/x.tar")
    assert sum(note.skipped for note in notes) >= 1
    assert len(lists.get("l", ())) > (50 if make is tar_of else -1)


def test_many_members_are_read_in_bounded_memory_and_time(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz", compresslevel=1) as archive:
        for number in range(20_000):
            info = tarfile.TarInfo(f"d/{number}")
            data = message(str(number))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    source, lists, notes = found(str(tmp_path / "x.tar.gz"))
    assert notes == []
    assert len(lists["d"]) == 20_000
    last = list(source.scan(notes.append, make_evidence))[-1]
    assert source.fetch(last[0], last[1]) == message("19999")


def test_more_members_than_a_table_may_have_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "MAX_MEMBERS", 3)
    (tmp_path / "x.tar").write_bytes(tar_of({f"{number}.eml": message(str(number)) for number in range(9)}))
    _, lists, (note,) = found(f"l={tmp_path}/x.tar")
    assert len(lists["l"]) >= 3
    assert "more than 3 members" in note.reason


class Bytes:
    """A tar in memory."""

    def __init__(self, data: bytes, step: int, skips: bool) -> None:
        self._file = io.BytesIO(data)
        self._step = step
        self._skips = skips

    def readinto(self, buffer: memoryview, /) -> int:
        return self._file.readinto(buffer[: self._step])

    def skip(self, count: int, /) -> int:
        if not self._skips:
            return 0
        self._file.seek(count, 1)
        return count


@given(
    st.lists(st.tuples(st.text("ab/ü", max_size=150).map(lambda name: f"{name}x"), st.integers(0, 3000)), max_size=8),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.sampled_from([1, 511, 512, 5000, 1 << 20]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=examples(60))
def test_members_are_those_that_the_standard_library_finds(
    members: list[tuple[str, int]], form: int, step: int, skips: bool, read: bool
) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, size in members:
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, io.BytesIO(os.urandom(size)))
    data = file.getvalue()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = [(info.name, info.offset_data, info.size) for info in archive]
    reader = TarReader(Bytes(data, step, skips))
    got = []
    for member in reader.members():
        got.append((member.name, member.offset, member.size))
        if read:
            assert reader.read_all() == data[member.offset : member.offset + member.size]
    assert got == expected


@given(
    st.binary(max_size=3000),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6),
    st.integers(0, 5000),
)
@settings(max_examples=examples(150))
def test_any_damage_is_an_error_of_the_source_or_nothing(junk: bytes, flips: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(tar_of({"a.eml": message("a"), "b" * 120: message("b")}, tarfile.GNU_FORMAT)[:-9000] + junk)
    for place, value in flips:
        if place < len(data):
            data[place] = value
    reader = TarReader(Bytes(bytes(data[: len(data) - cut]), 700, skips=False))
    try:
        for _ in reader.members():
            reader.read_all()
    except (SourceError, BombError):
        pass


def test_a_full_disk_is_not_the_fault_of_the_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(tar_of({"a.eml": message("a")})))
    source, _, notes = found(f"l={tmp_path}/x.tar.gz")
    (one,) = source.scan(notes.append, make_evidence)

    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(WeftError, match="set TMPDIR") as caught:
        source.fetch(one[0], one[1])
    assert not isinstance(caught.value, SourceError)


@settings(max_examples=examples(60))
@given(
    members=st.lists(st.binary(max_size=400) | st.just(b"x" * 70_000), min_size=1, max_size=4),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=3),
)
def test_what_is_read_of_a_zip_at_once_is_what_the_standard_library_reads(
    members: list[bytes], method: int, flips: list[tuple[int, int]]
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for number, data in enumerate(members):
            made.writestr(f"{number}.eml", data)
    damaged = bytearray(file.getvalue())
    table = damaged.rindex(b"PK\1\2")
    for place, change in flips:
        damaged[place % table] ^= change  # the members and all but the last row of the table
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zip"
        path.write_bytes(bytes(damaged))
        try:
            opened = zip_members.open_zip(path)
        except SourceError:
            return
        with opened:
            for _, info in zip_members.zip_members(opened):
                quick = zip_members._read_whole(opened, info)
                if quick is not None:
                    assert len(quick) == info.file_size
                    assert zlib.crc32(quick) == info.CRC
                    if not flips:
                        assert quick == opened.read(info)
