"""Reading the members of an archive one after the other, each as the file that it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from weft._patterns import deferred
from weft.errors import BombError, SourceError
from weft.sources.companions import is_companion_file
from weft.sources.compressed import MailStream, wrap
from weft.sources.decompressors import SNIFF, format_of
from weft.sources.delimited import DELIMITED, scan_delimited
from weft.sources.forms import Foreign, Form, form_of, is_plain_message
from weft.sources.interface import Note, Notes, RecordMaker, T, split_message
from weft.sources.mbox import read_mbox
from weft.sources.member_names import MemberNames
from weft.sources.member_streams import Budget, NoBytes, PeekedStream, RawStream
from weft.sources.single_message import MAX_READ, scan_single
from weft.sources.splitter import Splitter
from weft.sources.tar import TarMember, TarReader
from weft.sources.zip_members import ZipStream

INNER_BITS = 40
"""So many bits of a place are the place in a member."""
_PASSED_OVER = deferred(
    r"(?:^|/)(?:__MACOSX|attachments/[0-9]{8}|xap[0-9]+|xapian[^/]*|message\.id)/"
    r"|(?:^|/)\.(?!/|\./)(?![^/]+/(?:cur|new)/)[^/]"
    r"|(?:^|/)tmp/[0-9]{9,}\.[^/.]+\.[^/]+$"
)
"""Members that lie beside mail: hidden ones but for Maildir++ sub-folders, what Mailman cut out, mail in delivery."""
_ODD_FOLDER = deferred(
    r"__MACOSX|(?:^|/)(?:\.|tmp(?:/|$)|xap|message\.id(?:/|$)|attachments/)",
)
"""Folders with members of which one may be such a one by more than a dot before its own name."""


class MemberScan(NamedTuple):
    """Scans the members of one archive."""

    path: str
    names: MemberNames
    notes: Notes
    budget: Budget
    max_ratio: int
    odd_folders: dict[str, bool]
    """Whether what is in a folder may have to be passed over by its name; filled when they are met."""

    def member(
        self, member: TarMember, stream: TarReader | ZipStream | NoBytes, make: RecordMaker[T]
    ) -> Iterator[tuple[str, T]]:
        """(list, what ``make`` makes) of each message of a member."""
        if self._is_passed_over(member.name):
            return
        if member.problem:
            if not is_companion_file(member.name.rpartition("/")[2]):
                self._skip(member, member.problem)
            return
        data, is_all = stream.first()
        if is_all and (made := self.plain_message(member, data, make)) is not None:
            yield made
            return
        peeked = PeekedStream(stream.readinto, member.name, self.budget, lambda: (data, is_all))
        head = peeked.head()
        inner: MailStream = peeked
        if (kind := format_of(head[:SNIFF])) is not None:
            unpacked = wrap(RawStream(peeked.readinto), member.name, self.max_ratio)
            inner = peeked = PeekedStream(unpacked.readinto, member.name, self.budget)
            try:
                head = peeked.head()
            except BombError:
                raise
            except SourceError as error:
                self._skip(member, str(error))
                return
            if format_of(head[:SNIFF]) is not None:
                self._skip(member, f"{kind} in which there is {format_of(head[:SNIFF])}; decompress it once")
                return
        yield from self._read(member, peeked, head, inner, make)

    def _read(
        self, member: TarMember, peeked: PeekedStream, head: bytes, inner: MailStream, make: RecordMaker[T]
    ) -> Iterator[tuple[str, T]]:
        form, base = form_of(head), member.name.rpartition("/")[2]
        path, start = f"{self.path}: {member.name}", member.number << INNER_BITS
        if form is Form.MESSAGE or (form is not Form.EMPTY and base.lower().endswith((".eml", ".emlx"))):
            yield from self._message(member, peeked.read(MAX_READ), make)
        elif form is Form.EMPTY:
            return
        elif form is Form.MBOX or form in DELIMITED:
            patches = base.lower().endswith((".patch", ".diff"))
            name = self.names.of_message(member.name) if patches else self.names.of_file(member.name)
            if name is None:
                return
            placed = _placed(make, start)
            with wrap(RawStream(inner.readinto), member.name) as lines:
                if form is Form.MBOX:
                    yield from ((name, made) for made in read_mbox(Splitter(lines), path, self.notes, placed))
                else:
                    assert isinstance(form, Form)
                    yield from ((name, made) for made in scan_delimited(lines, form, path, self.notes, placed))
        elif form is Form.TAR or form is Form.ZIP:
            self._skip(member, f"a {form.value} in an archive, which is not read; unpack the outer one")
        elif isinstance(form, Foreign):
            if not (form.companion or is_companion_file(base)):
                self._skip(member, str(form))
        elif not is_companion_file(base):
            self._skip(member, "not mail: it has neither header fields nor a form of mail that is known")

    def plain_message(self, member: TarMember, data: bytes | None, make: RecordMaker[T]) -> tuple[str, T] | None:
        """(list, what ``make`` makes) of a member that is a message of the usual form, whose bytes are at hand.

        None of any other, and if it belongs to no list: then `member` has to look at it.
        """
        if data is None or member.problem or not is_plain_message(data) or self._is_passed_over(member.name):
            return None
        name = self.names.of_message(member.name)
        if name is None or len(data) > MAX_READ:
            return None
        self.budget.take(len(data))
        buffer, header_end, body = split_message(data)
        return name, make(buffer, 1, header_end, body, (member.number << INNER_BITS, member.size), mbox=False)

    def _message(self, member: TarMember, data: bytes, make: RecordMaker[T]) -> Iterator[tuple[str, T]]:
        """What is made of a member that is one message."""
        name = self.names.of_message(member.name)
        if name is None:
            return
        place = (member.number << INNER_BITS, member.size)
        made = scan_single(data, f"{self.path}: {member.name}", place, self.notes, make)
        if made is not None:
            yield name, made

    def _is_passed_over(self, name: str) -> bool:
        """Whether a member lies beside mail."""
        folder, _, base = name.rpartition("/")
        odd = self.odd_folders.get(folder)
        if odd is None:
            odd = self.odd_folders[folder] = _ODD_FOLDER.search(folder) is not None
        return (odd or base.startswith(".")) and _PASSED_OVER.search(name) is not None

    def _skip(self, member: TarMember, why: str) -> None:
        self.notes(Note(f"{self.path}: {member.name}", None, why, 1))


def _placed(make: RecordMaker[T], start: int) -> RecordMaker[T]:
    """``make`` for a member: its places are those in the archive."""

    def placed(
        buffer: bytes | bytearray,
        begin: int,
        header_end: int,
        body: tuple[int, int],
        place: tuple[int, int],
        /,
        *,
        mbox: bool,
        again: bool = False,
    ) -> T:
        return make(buffer, begin, header_end, body, (start + place[0], place[1]), mbox=mbox, again=again)

    return placed
