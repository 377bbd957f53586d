"""However many processes scan, and wherever a big file is cut, the same messages are found."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.generate import generate
from weft._workers import Child
from weft.errors import SourceError
from weft.sources import parallel_scan
from weft.sources.interface import Note, Notes, Record, RecordMaker, Source, T, make_record
from weft.sources.mbox import MboxFile, places_to_cut
from weft.sources.newest_year import NewestYear
from weft.sources.parallel_scan import scan
from weft.sources.splitter import Splitter

LINE = b"From x Thu Jan  1 00:00:00 1970\n"
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
"""Whoever runs the tests may have threads; they hold no lock that a fork of ours needs."""
MAILS = (b"Message-ID: <a@x>\n\nbody\n\n", b"Message-ID: <b@x>\n\nFrom here on\nno mail: it\n\n", b"Subject: c\n\n\n\n")


def fail(note: Note) -> None:
    pytest.fail(str(note))


def scanned(sources: list[Source], processes: int) -> tuple[list[Record], list[Note]]:
    """All records, in an order that does not depend on who scanned first; and the notes."""
    notes: list[Note] = []
    batches = scan(sources, notes.append, make_record, processes, ordered=False)
    return sorted(record for *_, batch in batches for record in batch), notes


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_wherever_a_file_is_cut_in_two_the_parts_have_its_messages(tmp_path: Path, ends: bytes) -> None:
    data = b"".join(LINE + mail for mail in MAILS).replace(b"\n", ends)
    (tmp_path / "l.mbox").write_bytes(data)
    whole = list(MboxFile(str(tmp_path / "l.mbox"), "l").records(fail))
    assert len(whole) == 3
    for middle in range(3, len(data)):
        found = []
        for part in ((0, middle), (middle, 1 << 62)):
            half = MboxFile(str(tmp_path / "l.mbox"), "l")
            half.part = part
            found += list(half.records(fail))
        assert found == whole, middle


def test_what_is_no_mail_before_the_first_message_is_said_once_wherever_the_file_is_cut(tmp_path: Path) -> None:
    (tmp_path / "l.mbox").write_bytes(b"x" * 100 + b"\n\n" + LINE + MAILS[0])
    for middle in (3, 50, 120):
        notes: list[Note] = []
        for part in ((0, middle), (middle, 1 << 62)):
            half = MboxFile(str(tmp_path / "l.mbox"), "l")
            half.part = part
            list(half.records(notes.append))
        assert [note.reason for note in notes] == ["the first 102 bytes are not mail"]


@pytest.mark.parametrize("alone", [True, False], ids=["forks", "a fresh interpreter"])
def test_any_number_of_processes_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    monkeypatch.setattr(parallel_scan, "is_alone", lambda: alone)
    monkeypatch.setattr(parallel_scan, "_LEAST_SHARE", 1 << 14)
    for name in ("big", "small"):
        with (tmp_path / f"{name}.mbox").open("wb") as file:
            for _, mail in generate(300 if name == "big" else 5, seed=len(name)):
                file.write(LINE + mail + b"\n")
    (tmp_path / "none.mbox").write_bytes(b"no mail\n")
    sources: list[Source] = [MboxFile(str(tmp_path / f"{name}.mbox"), "l") for name in ("big", "small", "none")]
    records, notes = scanned(sources, 1)
    assert len(records) == 305
    assert [note.path for note in notes] == [str(tmp_path / "none.mbox")]
    for processes in (2, 3, 6):
        others, others_notes = scanned(sources, processes)
        assert others_notes == notes
        # The last two numbers agree within a run only.
        assert [record[:11] for record in others] == [record[:11] for record in records]
        assert [len({record[n] for record in others}) for n in (11, 12)] == [
            len({record[n] for record in records}) for n in (11, 12)
        ]


def test_in_order_means_the_order_of_the_sources_and_of_the_messages_in_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with (tmp_path / f"{name}.mbox").open("wb") as file:
            for _, mail in generate(500, seed=len(name)):
                file.write(LINE + mail + b"\n")
    sources: list[Source] = [MboxFile(str(tmp_path / f"{name}.mbox"), "l") for name in ("one", "two")]
    found = []
    for processes in (1, 2):
        batches = scan(sources, fail, make_record, processes)
        found.append([(index, record[0], record[2]) for index, _, batch in batches for record in batch])
    assert found[0] == found[1] == sorted(found[0])


def test_a_file_is_cut_into_parts_that_have_its_messages_once_each(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    with path.open("wb") as file:
        for _, mail in generate(60):
            file.write(LINE + mail + b"\n")
    whole = MboxFile(str(path), "l")
    records = list(whole.records(fail))
    for data in (1000, 4096, path.stat().st_size // 2):
        parts = whole.parts(data)
        assert sum(part.size for part in parts) == whole.size
        assert len(parts) == whole.size // data
        assert [record[:11] for part in parts for record in part.records(fail)] == [record[:11] for record in records]


@pytest.mark.parametrize(
    "data",
    [
        b"From a Feb 13 10:00:00 2003\nMessage-ID: <a@x>\nContent-Length: 39\n\n"
        b"From b@x Thu Feb 13 10:01:00 2003\nX: y\n\n\nFrom c@x Thu Feb 13 10:02:00 2003\nContent-Length: 2\n\nb\n\n",
        b"From b@x \xef\xbb\xbfFrom a at x; Thu Feb 13 10:00:00 2003\nMessage-ID: <a@x>\n\na\n",
        b"From b@x \0From a at x; Thu Feb 13 10:00:00 2003\nMessage-ID: <a@x>\n\na\n",
    ],
)
def test_a_file_is_not_cut_where_a_part_would_not_know_what_stands_before_it(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m"
    path.write_bytes(data)
    whole = list(MboxFile(str(path), "l").records(lambda _: None))
    assert len(whole) == 1 + data.count(b"c@x")
    for place in range(1, len(data)):
        for cut in places_to_cut(str(path), range(0, place + 1, place))[1:]:
            assert parts_at(path, cut) == whole


def parts_at(path: Path, cut: int) -> list[Record]:
    """What the two parts of a file have that is cut at a place."""
    found: list[Record] = []
    for part in ((0, cut), (cut, 1 << 62)):
        one = MboxFile(str(path), "l")
        one.part = part
        found += one.records(lambda _: None)
    return found


def test_a_part_in_which_no_message_begins_is_not_read_to_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(LINE + b"Message-ID: <a@x>\n\n" + b"one long body\n" * 1_000_000)
    with path.open("rb") as file:
        file.seek((4 << 20) - 3)
        splitter = Splitter(file.raw, 4 << 20, 5 << 20, file.read(3))
        assert not splitter.next()
        assert splitter.place <= 7 << 20
    assert [len(list(part.records(fail))) for part in MboxFile(str(path), "l").parts(1 << 20)] == [1] + [0] * 12


def test_a_process_with_threads_does_not_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "l.mbox").write_bytes(LINE + MAILS[0])
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        records, _ = scanned([MboxFile(str(tmp_path / "l.mbox"), "l")], 3)
    finally:
        done.set()
        thread.join()
    assert [record[2] for record in records] == [b"a@x"]


class Dying(MboxFile):
    """A source that takes its process with it."""

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        os._exit(9)


def test_a_process_that_dies_is_an_error_and_not_an_end(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="died"):
        list(scan([Dying(str(tmp_path / "l.mbox"), "l")], fail, make_record, 2))  # in order: never scanned here


def test_whoever_stops_listening_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "l.mbox").open("wb") as file:
        for _, mail in generate(3000):
            file.write(LINE + mail + b"\n")
    children = []
    ended = parallel_scan._gather

    def gather(started: list[Child], notes: Notes, newest: NewestYear) -> Iterator[tuple[int, str, list[Record]]]:
        children.extend(started)
        return ended(started, notes, newest)

    monkeypatch.setattr(parallel_scan, "_gather", gather)
    batches = scan([MboxFile(str(tmp_path / "l.mbox"), "l")], fail, make_record, 2)
    next(batches)
    assert isinstance(batches, Generator)
    batches.close()
    [child] = children
    assert child.answers.closed
    with pytest.raises(ProcessLookupError):
        os.kill(child.number, 0)
