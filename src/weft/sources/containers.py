"""Archives of files of mail: tar, compressed or not, and zip.

Theory of operation
-------------------
An archive is read once, from its front, and each member as the file that it was: by its first bytes, compressed or not.
Without ``LIST=`` each member belongs to the list of its place in the archive, as if this had been unpacked into a
folder of its name (`weft.sources.list_names`); so one source gives the mail of several lists.
An archive in an archive is not read, and named.

A record's place is (number of the member << 40 | place in it, length).  To fetch mail again, a plain tar is read where
it lies; a compressed one, a member of a zip and a compressed member are unpacked once (`weft.sources.spool`).

Who can lie: whoever made the archive.  No name in it is ever used as a path.  All that comes out of it together is
bounded as what comes out of one compressed file is: `FREE` bytes, and ``max_ratio`` for each of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from weft.errors import BombError, SourceError
from weft.sources.compressed import MailStream, open_mail, reason
from weft.sources.forms import Form
from weft.sources.interface import Note, Notes, RecordMaker, T
from weft.sources.list_names import Place
from weft.sources.lists import SeveralLists
from weft.sources.member_names import MemberNames
from weft.sources.member_places import MembersAtPlaces
from weft.sources.member_scan import INNER_BITS, MemberScan
from weft.sources.member_streams import Budget, NoBytes
from weft.sources.spool import Unpacked
from weft.sources.tar import TarReader
from weft.sources.zip_members import ZipStream, open_zip, zip_members


class ArchiveFile(SeveralLists):
    """One tar or zip; ``list`` is the list of all its mail, or only a label if it is ``split`` by its members."""

    escaped = False

    def __init__(
        self,
        path: str,
        list: str,  # noqa: A002 - the field's name
        form: Form,
        max_ratio: int = 200,
        root: str = "",
        parts: tuple[str, ...] | None = None,
        taken: Mapping[str, tuple[str, Place]] | None = None,
    ) -> None:
        """``parts``: where its members lie below the directory ``root``; None if it is not split.

        ``taken``: the lists that other archives are, by name, with their paths: they are refused here.
        """
        self.path = path
        self.list = list
        self.form = form.value
        self.unpacked: Unpacked | None = None
        """Where it is unpacked for `fetch`; sources may share one.  By default its own."""
        self._form = form
        self._max_ratio = max_ratio
        self._root = root
        self._parts = parts
        self._taken = taken or {}
        self._members: MembersAtPlaces | None = None

    @property
    def named_by_place(self) -> bool:
        """Whether its mail is of the lists that its members' places name."""
        return self._parts is not None

    @property
    def size(self) -> int:
        """Bytes on disk; 0 if it has vanished."""
        try:
            return Path(self.path).stat().st_size
        except OSError:
            return 0

    def scan_lists(self, notes: Notes, make: RecordMaker[T]) -> Iterator[tuple[str, T]]:
        """(list, what ``make`` makes) of all messages, in the order of the archive."""
        scan = MemberScan(self.path, self._names(notes), notes, Budget(self.size, self._max_ratio), self._max_ratio, {})
        try:
            if self._form is Form.TAR:
                yield from self._scan_tar(scan, make)
            else:
                yield from self._scan_zip(scan, make)
        except SourceError as error:
            notes(Note(self.path, None, str(error), 1))

    def fetch(self, offset: int, length: int) -> bytes:
        """The message at a place; `SourceError` if it is gone, `weft.errors.WeftError` if it cannot be unpacked."""
        if self._members is None:
            self.unpacked = self.unpacked or Unpacked()
            self._members = MembersAtPlaces(self.path, self._form, self._max_ratio, self.unpacked)
        try:
            return self._members.message(offset >> INNER_BITS, offset & ((1 << INNER_BITS) - 1), length)
        except OSError as error:
            raise SourceError(f"{self.path}: {reason(error)}") from error
        except SourceError as error:
            raise SourceError(f"{self.path}: the message is gone: {error}") from error

    def _scan_tar(self, scan: MemberScan, make: RecordMaker[T]) -> Iterator[tuple[str, T]]:
        with open_mail(Path(self.path), self._max_ratio) as stream:
            reader = TarReader(_NoSkip(stream))
            for member in reader.members():
                made = scan.plain_message(member, reader.whole(), make)
                if made is not None:
                    yield made
                else:
                    yield from scan.member(member, reader, make)

    def _scan_zip(self, scan: MemberScan, make: RecordMaker[T]) -> Iterator[tuple[str, T]]:
        with open_zip(Path(self.path)) as opened:
            for member, info in zip_members(opened):
                try:
                    with NoBytes() if member.problem else ZipStream(opened, info) as stream:
                        yield from scan.member(member, stream, make)
                except BombError:
                    raise
                except SourceError as error:
                    scan.notes(Note(f"{self.path}: {member.name}", None, str(error), 1))

    def _names(self, notes: Notes) -> MemberNames:
        return MemberNames(self.path, self.list, self._root, self._parts, self._taken, notes)


class _NoSkip:
    """A `MailStream` as `weft.sources.tar.ReadableArchive`."""

    def __init__(self, stream: MailStream) -> None:
        self.readinto = stream.readinto

    def skip(self, count: int, /) -> int:  # noqa: ARG002
        return 0
