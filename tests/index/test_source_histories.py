"""Folders and archives that grow, change and shrink: reading only what is new gives what reading all of it gives."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha1
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.index.factories import counted, mail, open_index, plain
from weft import Index
from weft.core.claim import claim_id, encode
from weft.index import ingest as ingest_module
from weft.index.backup import back_up_folder, restore_folder
from weft.model import Ingested
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

pytest.importorskip("dulwich")

from dulwich.objects import ObjectID

from tests.sources import git_repositories

STEP = 3
"""Messages in one transaction."""


def message(number: int) -> bytes:
    parents = [f"m{number // 2}@x"] if number > 1 else []
    return mail(f"m{number}@x", parents, body=f"Body {number}.\n").partition(b"\n")[2]


class KilledError(Exception):
    """The process ends here."""


class Mailbox:
    """Some messages in one form of mail, with a history; numbers of messages are never used twice."""

    def __init__(self, path: Path, random: Random) -> None:
        self.path = path
        self.random = random
        self.there: list[int] = []
        self.next = 1
        self.clock = 10**18
        self.make()

    def make(self) -> None:
        """An empty one."""

    def add(self) -> None:
        for _ in range(self.random.choice((1, 1, 2, 7))):
            self.put(self.next)
            self.there.append(self.next)
            self.next += 1

    def delete(self) -> None:
        if self.there:
            gone = self.random.choice(self.there)
            self.take(gone)
            self.there.remove(gone)

    def again(self) -> None:
        """What was deleted comes back."""
        gone = sorted(set(range(1, self.next)).difference(self.there))
        if gone:
            back = self.random.choice(gone)
            self.put(back)
            self.there.append(back)

    def put(self, number: int) -> None:
        raise NotImplementedError

    def take(self, number: int) -> None:
        raise NotImplementedError

    def other(self) -> None:
        """What else happens to mail of this form, without a change of what there is."""

    def tick(self, *folders: Path) -> None:
        """Let these folders have changed at a time of their own, long ago."""
        self.clock += 10**9
        for folder in folders:
            os.utime(folder, ns=(self.clock, self.clock))


class MaildirBox(Mailbox):
    def make(self) -> None:
        for folder in ("cur", "new", "tmp"):
            (self.path / folder).mkdir(parents=True)
        self.tick(self.path / "cur", self.path / "new")

    def put(self, number: int) -> None:
        folder, flags = self.random.choice([("new", ""), ("cur", ":2,"), ("cur", ":2,S")])
        (self.path / folder / f"{number:06}.x{flags}").write_bytes(message(number))
        self.tick(self.path / folder)

    def file(self, number: int) -> Path:
        [found] = [*self.path.glob(f"cur/{number:06}.*"), *self.path.glob(f"new/{number:06}.*")]
        return found

    def take(self, number: int) -> None:
        file = self.file(number)
        file.unlink()
        self.tick(file.parent)

    def other(self) -> None:
        if self.there:
            file = self.file(self.random.choice(self.there))
            base = file.name.partition(":")[0]
            file.rename(self.path / "cur" / f"{base}:2,{self.random.choice(['', 'S', 'RS', 'FRS'])}")
            self.tick(file.parent, self.path / "cur")


class MhBox(Mailbox):
    def make(self) -> None:
        self.path.mkdir()
        (self.path / ".mh_sequences").touch()
        self.numbers: dict[int, int] = {}

    def put(self, number: int) -> None:
        self.numbers[number] = max(self.numbers.values(), default=0) + 1
        (self.path / str(self.numbers[number])).write_bytes(message(number))

    def take(self, number: int) -> None:
        name = str(self.numbers.pop(number))
        (self.path / name).rename(self.path / f",{name}")

    def other(self) -> None:
        """``folder -pack``"""
        for place, number in enumerate(sorted(self.numbers), 1):
            (self.path / str(self.numbers[number])).rename(self.path / str(place))
            self.numbers[number] = place


class Git(Mailbox):
    """Commits of a bare repository."""

    def commit(self, path: Path, files: dict[bytes, bytes], parents: list[ObjectID]) -> ObjectID:
        self.clock += 10**9
        return git_repositories.commit(path, files, parents, self.clock // 10**9)


class Version2(Git):
    """``other``: a new epoch, or the history written anew without what was deleted, as a purge does."""

    def make(self) -> None:
        self.epochs: list[list[tuple[bytes, int]]] = [[]]
        self.heads: list[list[ObjectID]] = [[]]
        self.write(0, (b"m", 0))
        self.write(0, (b"d", 0))

    def write(self, epoch: int, change: tuple[bytes, int]) -> None:
        self.epochs[epoch].append(change)
        path = self.path / "git" / f"{epoch}.git"
        self.heads[epoch] = [self.commit(path, {change[0]: message(change[1])}, self.heads[epoch])]

    def put(self, number: int) -> None:
        self.write(len(self.epochs) - 1, (b"m", number))

    def take(self, number: int) -> None:
        self.write(len(self.epochs) - 1, (b"d", number))

    def other(self) -> None:
        if self.random.random() < 0.6:
            self.epochs.append([])
            self.heads.append([])
            return self.add()
        epoch = self.random.randrange(len(self.epochs))
        old, self.epochs[epoch], self.heads[epoch] = self.epochs[epoch], [], []
        for kind, number in old or [(b"m", 0), (b"d", 0)]:
            if kind == b"d" or number in (*self.there, 0):
                self.write(epoch, (kind, number))
        if not self.epochs[epoch]:
            self.write(epoch, (b"m", self.next))
            self.there.append(self.next)
            self.next += 1
        return None


class Version1(Git):
    def make(self) -> None:
        self.head: list[ObjectID] = []
        self.add()

    def put(self, number: int) -> None:
        self.write([*self.there, number])

    def take(self, number: int) -> None:
        self.write([one for one in self.there if one != number] or [0])

    def write(self, numbers: list[int]) -> None:
        digests = {number: sha1(f"m{number}@x".encode()).hexdigest().encode() for number in numbers}
        files = {digest[:2] + b"/" + digest[2:]: message(number) for number, digest in digests.items()}
        self.head = [self.commit(self.path, files, self.head)]

    def delete(self) -> None:
        if len(self.there) > 1:
            super().delete()


FORMS: list[type[Mailbox]] = [MaildirBox, MhBox, Version2, Version1]
ACTS = ["add", "add", "delete", "again", "other", "look", "look", "kill", "back up", "restore"]


class Reader:
    """An index that follows a mailbox."""

    def __init__(self, folder: Path, mailbox: Mailbox, *, withdraw: bool) -> None:
        self.home = folder
        self.home.mkdir()
        self.mailbox = mailbox
        self.withdraw = withdraw
        self.seen: set[int] = set()
        self.saved: set[int] | None = None

    def look(self, stop_after: int | None = None) -> Ingested | None:
        """Ingest; in small transactions until the process is killed, if it is."""
        begun = 0

        def progress(_: str) -> None:
            nonlocal begun
            begun += 1
            if stop_after is not None and begun > stop_after:
                raise KilledError

        log = NoteLog()
        with open_index(self.home) as index, suppress(KilledError), small_transactions():
            sources = discover([f"git={self.mailbox.path}"], log)
            if not sources:
                return None
            done = index.ingest_sources(sources, log, progress=progress, withdraw_gone=self.withdraw)
            self.seen |= set(self.mailbox.there)
            assert log.skipped == 0
            return done
        return None

    def back_up(self) -> None:
        if (self.home / "index.db").exists():
            back_up_folder(self.home / "index.db", self.home / "backup", with_key=True)
            self.saved = set(self.seen)

    def restore(self) -> None:
        if self.saved is None:
            return
        for suffix in ("", "-wal", "-shm"):
            (self.home / f"index.db{suffix}").unlink(missing_ok=True)
        restore_folder(self.home / "backup", self.home / "index.db", self.home / "config.toml")
        self.seen = set(self.saved)
        shutil.rmtree(self.home / "backup")
        self.saved = None


@contextmanager
def small_transactions() -> Iterator[None]:
    with patch.object(ingest_module, "_TRANSACTION", STEP), patch("weft.sources.parallel_scan._BATCH", 2):
        yield


def fresh(folder: Path, key: Path, source: Path) -> Index:
    """An index of what there is now, under the same key."""
    folder.mkdir(parents=True)
    shutil.copy(key, folder)
    with open_index(folder) as index:
        log = NoteLog()
        if sources := discover([f"git={source}"], log):
            index.ingest_sources(sources, log)
    return open_index(folder)


def first_editions(index: Index) -> set[bytes]:
    """The claims that count, as they were stated the first time."""
    return {claim_id(encode(claim.first_edition)) for claim in counted(index).values()}


def check(reader: Reader, folder: Path) -> None:
    """What the reader has is what a fresh ingest has: of what there is, or of all that there ever was."""
    archive, read = reader.mailbox.path, set(reader.mailbox.there)
    if not reader.withdraw:
        with open_index(reader.home) as index:
            read = {int(claim.message_id[1:-2]) for claim in counted(index).values()}
        assert reader.seen <= read <= set(range(reader.mailbox.next))
        archive = folder / "all" / "git.mbox"
        archive.parent.mkdir(parents=True)
        archive.write_bytes(b"".join(b"From x\n" + message(number) + b"\n" for number in sorted(read)))
    key = reader.home / "index.db.key"
    missing: list[str] = []
    with fresh(folder / "fresh", key, archive) as whole, open_index(reader.home) as index:
        assert first_editions(index) == first_editions(whole)
        assert sorted(map(plain, index.all_threads()), key=repr) == sorted(map(plain, whole.all_threads()), key=repr)
        assert list(index.check()) == []
        for thread in index.all_threads():
            list(index.raw(thread, missing.append))
    lost = {int(line.partition("@")[0][1:]) for line in missing}
    assert lost == read - set(reader.mailbox.there)


@pytest.mark.parametrize("withdraw", [False, True])
@pytest.mark.parametrize("form", FORMS)
@given(st.lists(st.sampled_from(ACTS), min_size=3, max_size=10), st.integers(0, 2**16))
@settings(max_examples=max(2, examples(60) // 6), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_becomes_of_a_source_reading_what_is_new_gives_what_reading_all_gives(
    form: type[Mailbox], withdraw: bool, acts: list[str], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random = Random(seed)
        mailbox = form(folder / "mail", random)
        reader = Reader(folder / "home", mailbox, withdraw=withdraw)
        steps: dict[str, Callable[[], object]] = {
            "add": mailbox.add, "delete": mailbox.delete, "again": mailbox.again,
            "other": mailbox.other, "look": reader.look,
            "kill": lambda: reader.look(random.randrange(4)), "back up": reader.back_up, "restore": reader.restore,
        }  # fmt: skip
        for act in acts:
            steps[act]()
        mailbox.add()
        reader.look()
        check(reader, folder / "check")
        assert (again := reader.look()) is not None
        assert again.messages == again.claims == again.gone == again.withdrawn == 0
