"""Finding the mail again that own claims were made from, and making sure that it is still the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from weft.core.claim import Claim, claim_id, claim_of, encode
from weft.errors import SourceError
from weft.index.resolving import read_claim
from weft.sources.base import NoteLog, Source, split_message
from weft.sources.discover import discover
from weft.sources.evidence import Evidence, make_evidence
from weft.sources.mbox import MboxFile
from weft.store.base import PAGE, Held, Store
from weft.thread import Message, Thread


class Mail:
    """Reads messages from the files they were ingested from."""

    def __init__(self, store: Store, origin: bytes, missing: Callable[[str], None]) -> None:
        """``origin``: ours, whose files they are; ``missing`` gets a line for each message that is not found."""
        self._store = store
        self._origin = origin
        self._missing = missing
        self._files = store.files()
        self._sources: dict[int, Source | None] = {}
        self._places: dict[int, dict[bytes, tuple[int, int]]] = {}

    def octets(self, thread: Thread) -> Iterator[tuple[bytes, bool]]:
        """(octets, whether mbox-escaped) of each message of a thread that is found, in its order."""
        for message in thread.messages:
            found = None if message.ghost else self._find(message)
            if found is not None:
                yield found

    def _find(self, message: Message) -> tuple[bytes, bool] | None:
        literal = message.id.encode("utf-8", "surrogateescape")
        reason = "it came from a peer"
        after = 0
        while page := self._store.claims_about([literal], after, PAGE):
            for held in page:
                claim = read_claim(held)
                if not isinstance(claim, Claim) or claim.origin != self._origin or held.place is None:
                    continue
                try:
                    return self._fetch(held, claim)
                except SourceError as error:
                    reason = str(error)
            after = page[-1].position
        self._missing(f"{message.id}: the mail is not here: {reason}")
        return None

    def _fetch(self, held: Held, claim: Claim) -> tuple[bytes, bool]:
        assert held.place is not None
        source = self._source(held.place.file)
        if source is None:
            raise SourceError("its file is gone")
        place = held.place.offset, held.place.length
        try:
            return self._read(source, place, held.identity, claim), source.escaped
        except SourceError:
            if isinstance(source, MboxFile):
                raise
        place = self._relocate(held.place.file, source, claim).get(held.identity, place)
        return self._read(source, place, held.identity, claim), source.escaped

    def _read(self, source: Source, place: tuple[int, int], identity: bytes, claim: Claim) -> bytes:
        """The octets at a place; `SourceError` unless they still make the same claim."""
        octets = source.fetch(*place)
        buffer, header_end, body = split_message(octets)
        evidence = make_evidence(buffer, 1, header_end, body, place, mbox=source.escaped)
        if _identity(claim, evidence) != identity:
            raise SourceError(f"{source.path}: at {place[0]}: the file has changed since it was ingested")
        return octets

    def _source(self, number: int) -> Source | None:
        if number not in self._sources:
            file = self._files.get(number)
            found = discover([f"{file.list}={file.path}"], NoteLog()) if file and Path(file.path).exists() else []
            self._sources[number] = found[0] if found else None
        return self._sources[number]

    def _relocate(self, number: int, source: Source, claim: Claim) -> dict[bytes, tuple[int, int]]:
        """Where the messages of a folder or repository are now: files come and go, so their numbers change."""
        if number not in self._places:
            found = source.scan(NoteLog(), make_evidence)
            self._places[number] = {_identity(claim, evidence): (evidence[0], evidence[1]) for evidence in found}
        return self._places[number]


def _identity(feed: Claim, evidence: Evidence) -> bytes:
    """The id of the claim of the same origin and list that some evidence makes."""
    return claim_id(encode(claim_of(evidence, feed.origin, feed.list)))
