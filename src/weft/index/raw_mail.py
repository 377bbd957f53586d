"""Finding the mail again that own claims were made from, and making sure that it is still the same.

Theory of operation
-------------------
A `RawMail` is used for as many threads as are wanted together: it asks the store for the claims of some hundred
messages at once, and keeps the sources that it has opened, so that a compressed file is unpacked once and not for each
thread. What was unpacked goes when it is closed (`weft.sources.spool`).

Nothing is given that is not what was ingested: the bytes found are scanned again, and have to make the same claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

from weft.core.claim import Claim, claim_id, claim_of, encode
from weft.core.representative import Rank, content_of, count_variants
from weft.errors import SourceError
from weft.index.file_state import BY_LIST_ID
from weft.index.listed_files import inner_source, is_listed
from weft.model import Thread
from weft.sources.containers import ArchiveFile
from weft.sources.delimited import DelimitedFile
from weft.sources.discover import discover
from weft.sources.evidence import Evidence, make_evidence
from weft.sources.interface import NoteLog, Source, split_message
from weft.sources.list_edits import MailCopy, distinct_contents
from weft.sources.maildir import Maildir
from weft.sources.mbox import MboxFile
from weft.sources.public_inbox import PublicInbox
from weft.sources.spool import Unpacked
from weft.store.entries import FileEntries
from weft.store.interface import PAGE, MailLocation, StoredClaim, read_claim
from weft.store.sqlite import SqliteStore

FROM_PEER = "it came from a peer"
OTHER_CONTENT = "another content under its id is not here: "
NO_FILE = "no file of it is known; if there is one, ingest it again"
_CHUNK = 200
"""Messages whose claims are read at once."""


class MissingMail(NamedTuple):
    """A message whose mail cannot be given."""

    id: str
    reason: str
    gone: bool
    """It was in a file, and is not found there any more; else nobody here ever had a file of it."""

    def __str__(self) -> str:
        return f"{self.id}: the mail is not here: {self.reason}"


class FoundMail(NamedTuple):
    """The bytes of one copy of a message, as they lie in its file."""

    id: str
    list: str
    """The list whose copy it is."""
    data: bytes
    escaped: bool
    """Whether lines that begin with From are escaped, as in an mbox."""


class RawMail:
    """Reads messages from the files they were ingested from; a context manager."""

    def __init__(
        self,
        store: SqliteStore,
        origin: bytes,
        missing: Callable[[MissingMail], None],
        max_ratio: int = 200,
        counts: Callable[[bytes, Claim], bool] = lambda _identity, _claim: True,
    ) -> None:
        """``origin``: ours, whose files they are; ``missing`` is told of each message that is not found.

        ``counts``: whether the claim with some id counts in the view whose threads are wanted.
        ``max_ratio``: of a compressed file, no more is unpacked than so many bytes for each of its own.
        """
        self._store = store
        self._origin = origin
        self._missing = missing
        self._counts = counts
        self._max_ratio = max_ratio
        self._sources: dict[int, Source | None] = {}
        self._places: dict[int, dict[bytes, tuple[int, int]]] = {}
        self._unpacked = Unpacked()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the room that unpacked files take."""
        self._unpacked.close()

    def raw(self, threads: Iterable[Thread]) -> Iterator[tuple[bytes, bool]]:
        """(bytes, whether mbox-escaped) of each message of some threads that is found, in their order: see `of`."""
        found = self.of(message.id for thread in threads for message in thread.messages if not message.ghost)
        return ((one.data, one.escaped) for one in found)

    def of(self, ids: Iterable[str]) -> Iterator[FoundMail]:
        """The mail under some message ids that is found, in their order.

        Of several copies, every content once (`weft.sources.list_edits`), that of the copy that is shown first.
        `weft.errors.WeftError` if there is no room to unpack a compressed file.
        """
        wanted = iter(ids)
        while chunk := list(islice(wanted, _CHUNK)):
            claims = self._claims(chunk)
            for name in chunk:
                yield from self._find(name, claims.get(_bytes(name), ()))

    def _claims(self, names: Sequence[str]) -> dict[bytes, list[tuple[StoredClaim, Claim]]]:
        """The claims that count about some messages: those of our own by rank, then those of others."""
        found: dict[bytes, list[tuple[StoredClaim, Claim]]] = {}
        ids, after = list(map(_bytes, names)), 0
        while True:
            page = self._store.claims_about(ids, after, PAGE)
            for held in page:
                claim = read_claim(held)
                if isinstance(claim, Claim) and self._counts(held.identity, claim):
                    found.setdefault(claim.message_id, []).append((held, claim))
            if len(page) < PAGE:
                break
            after = page[-1].position
        for claims in found.values():
            if len(claims) > 1:
                claims.sort(key=self._rank)
        return found

    def _rank(self, one: tuple[StoredClaim, Claim]) -> Rank:
        held, claim = one
        return Rank(claim.origin != self._origin, claim.list, claim.origin, (held.batch, held.leaf))

    def _find(self, name: str, claims: Sequence[tuple[StoredClaim, Claim]]) -> Iterator[FoundMail]:
        found: list[FoundMail] = []
        having: list[Claim] = []
        lost: list[tuple[Claim, MissingMail]] = []
        for held, claim in claims:
            if held.place is None:
                reason = NO_FILE if claim.origin == self._origin else FROM_PEER
                lost.append((claim, MissingMail(name, reason, gone=False)))
                continue
            try:
                found.append(FoundMail(name, claim.list.decode(), *self._fetch(held.place, claim)))
                having.append(claim)
            except SourceError as error:
                lost.append((claim, MissingMail(name, str(error), gone=True)))
        if len(found) == 1:
            yield found[0]
        elif found:
            mails = [
                MailCopy(claim.list.decode(), *split_message(one.data), one.escaped)
                for claim, one in zip(having, found, strict=True)
            ]
            yield from (found[place] for place in distinct_contents(mails))
        if not found and lost:
            self._missing(max((one for _, one in lost), key=_importance))
        elif other := next((one for claim, one in lost if not _stands_for(having, claim)), None):
            self._missing(other._replace(reason=OTHER_CONTENT + other.reason))

    def _fetch(self, known: MailLocation, claim: Claim) -> tuple[bytes, bool]:
        source = self._source(known.file)
        if source is None:
            raise SourceError("its file is gone")
        place = known.offset, known.length
        if is_listed(inner_source(source)):
            return self._fetch_listed(known, claim, source), source.escaped
        try:
            return self._read(source, place, claim), source.escaped
        except SourceError:
            if isinstance(source, MboxFile):
                raise
        place = self._relocate(known.file, source, claim).get(claim_id(encode(claim.first_edition)), place)
        return self._read(source, place, claim), source.escaped

    def _fetch_listed(self, known: MailLocation, claim: Claim, source: Source) -> bytes:
        """The bytes of a message of a folder or repository, by its name."""
        inner = inner_source(source)
        assert is_listed(inner)
        entries = FileEntries(self._store.connection, known.file)
        name = entries.name(known.offset)
        try:
            if name is None:
                raise SourceError(f"{source.path}: the message is gone")
            return self._checked(source, inner.fetch_name(name, known.length), (known.offset, known.length), claim)
        except SourceError:
            if isinstance(inner, (Maildir, PublicInbox)) and entries.next_number:
                raise  # a name there stands for the same message for ever
            place = self._relocate(known.file, source, claim).get(claim_id(encode(claim.first_edition)))
            if place is None:
                raise
            return self._read(source, place, claim)

    def _read(self, source: Source, place: tuple[int, int], claim: Claim) -> bytes:
        """The bytes at a place; `SourceError` unless they still make the same claim."""
        return self._checked(source, source.fetch(*place), place, claim)

    def _checked(self, source: Source, data: bytes, place: tuple[int, int], claim: Claim) -> bytes:
        buffer, header_end, body = split_message(data)
        evidence = make_evidence(buffer, 1, header_end, body, place, mbox=source.escaped)
        if claim_of(evidence, claim.origin, claim.list) != claim.first_edition:
            raise SourceError(f"{source.path}: at {place[0]}: the file has changed since it was ingested")
        return data

    def _source(self, number: int) -> Source | None:
        if number not in self._sources:
            file = self._store.known_file(number)
            found: list[Source] = []
            if file and Path(file.path).exists():
                found = discover(
                    [f"{file.list.removesuffix(BY_LIST_ID)}={file.path}"], NoteLog(), max_ratio=self._max_ratio
                )
            self._sources[number] = source = (
                next((one for one in found if one.path == file.path), None) if file else None
            )
            if isinstance(source, (MboxFile, DelimitedFile, ArchiveFile)):
                source.unpacked = self._unpacked
        return self._sources[number]

    def _relocate(self, number: int, source: Source, claim: Claim) -> dict[bytes, tuple[int, int]]:
        """Where the messages of a folder or repository are now: files come and go, so their numbers change."""
        if number not in self._places:
            found = source.scan(NoteLog(), make_evidence)
            self._places[number] = {_identity(claim, evidence): (evidence[0], evidence[1]) for evidence in found}
        return self._places[number]


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _importance(lost: MissingMail) -> tuple[bool, bool]:
    """What is said of a message of which no copy is found: that its file is gone, else that there never was one."""
    return lost.gone, lost.reason == NO_FILE


def _stands_for(having: Iterable[Claim], lost: Claim) -> bool:
    """Whether one of the copies that were found has the content of one that was not, as far as claims tell."""
    content = content_of(lost)
    return any(count_variants((content_of(claim), content)) == 1 for claim in having)


def _identity(feed: Claim, evidence: Evidence) -> bytes:
    """The id of the claim of the same origin and list that some evidence makes."""
    return claim_id(encode(claim_of(evidence, feed.origin, feed.list)))
