"""Ingest: what sources hold becomes claims of our own, signed in batches, kept, and then seen in the view.

Theory of operation
-------------------
Messages come in transactions of some thousands.  Each becomes a claim; those that are held already are passed over.
The rest is put into thread order, so that a proof of one thread needs few hashes, cut into batches of at most 256 of
one feed, and each batch is signed under its Merkle root.  Claims, files' states and the view are written in one
transaction: a power cut leaves all of it or nothing, and the next run goes on where the last commit ended.
Into an empty index only claims and states are: the view follows at the end (`weft.index.bulk_rows`), and is made by
whoever opens the index if it does not come to that.

What an ingest meets again although it was withdrawn, and what to do about it.

Mail of a list that was removed is stated again, by the next edition of its claims (`weft.index.editions`).  What was
retracted by hand stays out of the view, and so does what a list said under the name that it had before; a line says how
much it was, and what to do.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import groupby

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft._text import count, noun
from weft.core.claim import Claim, Withdrawal, claim_id, claim_of, encode
from weft.core.claim_encoding import encode_mail
from weft.core.feed import Feed
from weft.core.merkle import whole_tree
from weft.core.signing import public_key, sign_root
from weft.errors import PolicyError, SourceError
from weft.index.editions import MET_AGAIN, Cause, Edition, WithdrawalCauses, current_edition
from weft.index.erased_ids import erased_ids
from weft.index.file_state import half_written, look, remember
from weft.index.listed_files import ListedProgress, gone_claims, inner_source, is_listed, list_of
from weft.index.newest_mail import keep_newest_year, newest_year
from weft.index.rotated_files import rotated_files
from weft.index.view import View
from weft.model import Ingested
from weft.sources.compressed import reason
from weft.sources.evidence import Evidence, make_evidence
from weft.sources.interface import Note, NoteLog, Source
from weft.sources.mbox import MboxFile, resume_at
from weft.sources.newest_year import NewestYear
from weft.sources.parallel_scan import collector_paused, scan
from weft.sources.source_changes import ListedSource
from weft.sources.splitter import REACH
from weft.store.entries import FileEntries
from weft.store.interface import (
    IngestedFile,
    InsertedClaim,
    MailLocation,
    VerifiedClaim,
    VerifiedPart,
    read_claim,
)
from weft.store.sqlite import SqliteStore

BATCH = 256
"""The most claims under one signature."""
_TRANSACTION = 8192
_new = tuple.__new__
"""The named tuples' own constructors take three times as long."""


@dataclass(slots=True)
class _SourceProgress:
    """How far a source has been read."""

    source: Source
    state: IngestedFile | None
    """As it was before it was read, so that what is appended meanwhile is read the next time."""
    start: int
    """Where reading begins."""
    halves: dict[bytes, bytes] = field(default_factory=dict)
    """The ids of claims that were made of the messages from there on, which may have been half written; by those of
    their first editions."""
    known: IngestedFile | None = None
    """The state in which it was then."""
    last: list[int] = field(default_factory=list)
    """The places of the last messages that wait or are committed (`resume_at`)."""
    number: int = 0
    done: bool = False
    kept: bool = False
    """It is remembered that it was read to its end."""
    listed: ListedProgress | None = None
    """How far a folder or repository has been read."""

    @property
    def settled(self) -> bool:
        """All that stands now where it ended before has been read."""
        return bool(self.last and self.known and (self.done or self.last[-1] >= self.known.size))


class Ingest:
    """One run over some sources."""

    def __init__(
        self, store: SqliteStore, view: View, key: Ed25519PrivateKey, log: NoteLog, *, withdraw_gone: bool = False
    ) -> None:
        """``log`` gets what goes wrong, and remarks about files that were rotated or truncated.

        ``withdraw_gone``: messages that are gone from a folder or repository take their claims with them.
        """
        self._store = store
        self._view = view
        self._key = key
        self._origin = public_key(key)
        self._log = log
        self._waiting: list[tuple[_SourceProgress, str, list[Evidence]]] = []
        self._messages = self._claims = 0
        self._gone = self._withdrawn = 0
        self._withdraw_gone = withdraw_gone
        self._named: list[tuple[_SourceProgress, int, bytes]] = []
        """The messages of what waits that have names, with their numbers and the ids of their claims."""
        self._listed: dict[int, str] = {}
        """The numbers of folders and repositories, with their lists."""
        self._newest = NewestYear()
        self._by_list: Counter[str] = Counter()
        self._coming_back = ReturningClaims(view, self._origin)
        self._erased: Container[bytes] = ()
        """Message ids of which nothing is said again."""
        self._passed_over: set[bytes] = set()
        """Those of them that were met."""
        self._causes = WithdrawalCauses(store.connection)

    def run(
        self, sources: Sequence[Source], processes: int | None = None, progress: Callable[[str], None] | None = None
    ) -> Ingested:
        """Ingest all of them; files that have not changed are not read."""
        skipped = self._log.skipped
        readings, unchanged, grown = self._choose(self._with_rotated(sources))
        before = waiting = 0
        newest = self._newest = NewestYear(newest_year(self._store.connection))
        # Two processes would give messages in any order; then nobody knows how far a file was read.
        ordered = None if processes is None else min(processes, 2)
        with collector_paused(), nullcontext() if self._withdraw_gone else self._view.loading():
            chosen = [reading.source for reading in readings]
            for index, name, batch in scan(chosen, self._log, make_evidence, ordered, newest=newest):
                for reading in readings[before:index]:
                    reading.done = True
                before = index
                self._check_list(name)
                self._waiting.append((readings[index], name, batch))
                self._messages += len(batch)
                self._by_list[name] += len(batch)
                waiting += len(batch)
                if waiting >= _TRANSACTION:
                    self._commit(readings)
                    waiting = 0
                if progress:
                    done = f"{count(self._messages, 'message')}, {count(self._claims, 'new claim')}"
                    progress(f"{done}, {readings[index].source.path}")
            for reading in readings:
                reading.done = True
            if readings or self._withdraw_gone:
                self._commit(readings)
        for line in self._coming_back.lines():
            self._log(Note(str(self._store.path), None, line))
        if number := len(self._passed_over):
            was = noun(number, "was erased, and is not stated again", "were erased, and are not stated again")
            self._log(Note(str(self._store.path), None, f"{count(number, 'message')} {was}"))
        log = self._log
        return Ingested(
            self._messages, self._claims, unchanged, grown, log.skipped - skipped, log.doubts, dict(self._by_list),
            self._gone, self._withdrawn,
        )  # fmt: skip

    def _check_list(self, name: str) -> None:
        """`PolicyError` for a list that an index which the public may read does not take."""
        public = self._view.policy.public
        if public is not None and name not in self._by_list and Feed(self._origin, name.encode()) not in public:
            raise PolicyError(
                f"{name}: the policy says which lists of this index are public, and not this one; "
                "a private list has an index of its own (--index), or name it under public"
            )

    def _choose(self, sources: Sequence[Source]) -> tuple[list[_SourceProgress], int, int]:
        """The sources to read, how many are unchanged, and how many are read from where they grew."""
        known = {(file.path, file.list): (number, file) for number, file in self._store.files().items()}
        chosen, unchanged, grown = [], 0, 0
        for source in sources:
            state = remember(source, 0)
            number, before = known.get((state.path, state.list), (0, None)) if state else (0, None)
            inner = inner_source(source)
            if state and is_listed(inner):
                reading = self._look_at_listed(source, inner, state, number, before)
                more = reading is not None and reading.listed is not None and reading.listed.size > 0
                unchanged += not more
                grown += more and number > 0
                chosen += [reading] if reading else []
                continue
            change = look(source, before)
            if change.remark:
                self._log(Note(source.path, None, change.remark))
            if change.start is None:
                unchanged += 1
                continue
            if isinstance(source, MboxFile):
                source.start = change.start
            grown += change.grown
            reading = _SourceProgress(source, state, change.start)
            if isinstance(source, MboxFile) and change.grown and before:
                reading.halves, reading.known = self._halves(source, before), before
            chosen.append(reading)
        return chosen, unchanged, grown

    def _look_at_listed(
        self, source: Source, inner: ListedSource, state: IngestedFile, number: int, before: IngestedFile | None
    ) -> _SourceProgress | None:
        """What is to be done about a folder or repository; None if nothing is."""
        if number:
            self._listed[number] = list_of(source)
        entries = FileEntries(self._store.connection, number)
        try:
            changes = inner.changes(before.head if before else b"", entries, self._log)
        except (OSError, SourceError) as error:
            self._log(Note(source.path, None, reason(error), 1))
            return None
        if changes is None:
            return None
        listed = ListedProgress(inner, changes, entries.next_number)
        return _SourceProgress(source, state, 0, listed=listed)

    def _with_rotated(self, sources: Sequence[Source]) -> list[Source]:
        """The sources, each behind the files that a rotation made of it since it was read."""
        known = {(file.path, file.list): file for file in self._store.files().values()}
        paths = {os.path.abspath(source.path) for source in sources}  # noqa: PTH100 - as `remember` has it
        all_of_them: list[Source] = []
        for source in sources:
            path = os.path.abspath(source.path)  # noqa: PTH100 - as above
            before = known.get((path, source.list)) if isinstance(source, MboxFile) else None
            if before and isinstance(source, MboxFile) and look(source, before).rotated:
                for rotated in rotated_files(source, before, paths):
                    paths.add(rotated.path)
                    all_of_them.append(rotated.source)
                    if rotated.same:
                        with self._store.transaction():
                            self._store.move_file(before, rotated.path)
                        self._log(
                            Note(source.path, None, f"it was rotated to {rotated.path}, which is read to its end")
                        )
            all_of_them.append(source)
        return all_of_them

    def _halves(self, source: MboxFile, known: IngestedFile) -> dict[bytes, bytes]:
        """The ids of the claims of our own that were made of a file's last messages as they were then."""
        claims = [claim_of(one, self._origin, source.list.encode()) for one in half_written(source, known)]
        editions = [(claim, current_edition(claim, self._view.withdrawn)) for claim in claims]
        return {claim_id(encode(claim)): edition.identity for claim, edition in editions if edition is not None}

    def _commit(self, readings: Sequence[_SourceProgress]) -> None:
        """Write what waits, and how far each source has been read, in one transaction."""
        with self._view.transaction():
            if self._waiting:
                self._erased = erased_ids(self._store.connection)
            if keep_newest_year(self._store.connection, self._newest.year):
                self._view.reader.forget_future()
            for reading, _, batch in self._waiting:
                reading.last = _last_places(reading.last, batch)
            for reading in readings:
                if not reading.kept and (reading.last or reading.done):
                    self._remember(reading)
            stored = self._store.put(sign_batches(self._key, self._new_claims()))
            self._view.add(stored)
            self._keep_names(stored, readings)
            if outgrown := self._outgrown(readings):
                self._withdraw(outgrown, Cause.OUTGROWN)
            if self._withdraw_gone and all(reading.done for reading in readings):
                lost = gone_claims(self._store.connection, self._view, self._listed, self._origin)
                self._withdraw(lost, Cause.GONE)
                self._withdrawn += len(lost)
        self._claims += len(stored)
        self._waiting.clear()

    def _withdraw(self, claims: Sequence[tuple[bytes, Claim]], cause: Cause) -> None:
        withdrawals = self._store.put(withdraw(self._key, claims))
        self._causes.record(withdrawals, cause)
        self._view.add(withdrawals)

    def _remember(self, reading: _SourceProgress) -> None:
        """Keep the state of a file: as read to its end only once it was."""
        state = reading.state
        if state is None:
            return
        if reading.listed:
            reading.number = self._store.file(state)
            return
        resume = 0
        if isinstance(reading.source, MboxFile):
            resume = reading.last[-1] if reading.last else reading.start
            if reading.last and reading.done:
                resume = resume_at(reading.source.path, state.size, reading.last)
        now = remember(reading.source, resume, state.size) or state
        if reading.done:
            now = replace(now, size=state.size, mtime_ns=state.mtime_ns, inode=state.inode)
        elif reading.known and reading.halves and not reading.settled:
            now = reading.known
        else:
            now = replace(now, size=0, mtime_ns=0, inode=0)
        reading.number = self._store.file(now)
        reading.kept = reading.done

    def _keep_names(self, stored: Sequence[InsertedClaim], readings: Sequence[_SourceProgress]) -> None:
        """Remember the messages of folders and repositories by name, and where each has been read what it is by now."""
        connection = self._store.connection
        if self._named:
            places = {one.claim.identity: one.position for one in stored}
            others = {identity for _, _, identity in self._named if identity not in places}
            places |= {held.identity: held.position for held in self._store.get(list(others))}
            for reading, group in groupby(self._named, lambda named: named[0]):
                assert reading.listed is not None
                positions = ((number, places.get(identity)) for _, number, identity in group)
                reading.listed.keep(FileEntries(connection, reading.number), positions)
            self._named.clear()
        for reading in readings:
            if reading.listed and reading.state and reading.done and not reading.kept:
                head = reading.listed.finish(FileEntries(connection, reading.number))
                self._store.file(replace(reading.state, head=head))
                self._listed.setdefault(reading.number, list_of(reading.source))
                self._gone += reading.listed.gone
                reading.kept = True

    def _outgrown(self, readings: Sequence[_SourceProgress]) -> list[tuple[bytes, Claim]]:
        """Claims about messages that were half written, and stand there whole now as something else."""
        halves: list[bytes] = []
        for reading in readings:
            if reading.halves and reading.settled:
                halves += reading.halves.values()
                reading.halves.clear()
        if not halves:
            return []
        claims = [(held.identity, read_claim(held)) for held in self._store.get(halves)]
        return [(identity, claim) for identity, claim in claims if isinstance(claim, Claim)]

    def _new_claims(self) -> list[VerifiedClaim]:
        """The claims of what waits that are not held yet, in thread order, each once.

        Further copies of a message stand behind the first, in the order in which they were read, whatever they refer
        to: their place decides which of them is shown.
        """
        made: dict[bytes, VerifiedClaim] = {}
        ordered: list[list[VerifiedClaim]] = []
        threads: dict[bytes, list[VerifiedClaim]] = {}
        copies: dict[bytes, list[VerifiedClaim]] = {}
        for reading, list_name, batch in self._waiting:
            name = list_name.encode()
            for evidence in batch:
                claim = claim_of(evidence, self._origin, name)
                if claim.message_id in self._erased:
                    self._passed_over.add(claim.message_id)
                    continue
                data = encode_mail(claim)
                identity = claim_id(data)
                if reading.halves and reading.known and evidence[0] < reading.known.size:
                    reading.halves.pop(identity, None)
                if reading.listed:
                    self._named.append((reading, evidence[0], identity))
                if identity in made:
                    continue
                place = _new(MailLocation, (reading.number, *evidence[:2])) if reading.number else None
                made[identity] = new = _new(VerifiedClaim, (0, identity, data, claim, place))
                thread = copies.get(claim.message_id)
                if thread is not None:
                    thread.append(new)
                    continue
                first = (claim.references or claim.in_reply_to or (claim.message_id,))[0]
                thread = threads.get(first) or threads.get(claim.message_id)
                if thread is None:
                    ordered.append(thread := [])
                threads[first] = copies[claim.message_id] = thread
                thread.append(new)
        held = self._store.holds(list(made))
        again = self._find_again([made[identity] for identity in held]) if held else []
        absent = [new for thread in ordered for new in thread if new.identity not in held]
        return self._without_retracted(absent) + again

    def _without_retracted(self, claims: list[VerifiedClaim]) -> list[VerifiedClaim]:
        """Those that were not retracted by hand while their list had another name."""
        names = self._causes.names()
        if not names.renamed:
            return claims
        earlier = {name: names.earlier(name) for name in {claim.parsed.list for claim in claims}}
        before: dict[bytes, tuple[bytes, int]] = {}
        parsed = {claim.identity: claim.parsed for claim in claims if isinstance(claim.parsed, Claim)}
        for identity, claim in parsed.items():
            for name, until in earlier[claim.list]:
                edition = current_edition(claim._replace(list=name), self._view.withdrawn)
                if edition is not None and edition.before is not None:
                    before[edition.before] = identity, until
        retracted = {
            before[withdrawn][0]
            for withdrawn, how in self._causes.of(before).items()
            if how.cause is None and how.position < before[withdrawn][1]
        }
        self._coming_back.add(parsed[identity] for identity in retracted)
        return [claim for claim in claims if claim.identity not in retracted]

    def _find_again(self, claims: Sequence[VerifiedClaim]) -> list[VerifiedClaim]:
        """Note where the mail of claims that are held lies now; the claims that say again what was withdrawn of it."""
        withdrawn = self._view.withdrawn
        places = {claim.identity: claim.place for claim in claims}
        editions: dict[bytes, Edition] = {}
        for claim in claims:
            parsed = claim.parsed
            if claim.identity in withdrawn and isinstance(parsed, Claim):
                edition = current_edition(parsed, withdrawn)
                if edition is not None and edition.before is not None:
                    editions[edition.before] = edition
                    places[edition.before] = places[edition.identity] = claim.place
        standing = self._store.holds([edition.identity for edition in editions.values()])
        self._note_places(places)
        causes = self._causes.of([before for before, edition in editions.items() if edition.identity not in standing])
        again = [editions[before] for before, how in causes.items() if how.cause in MET_AGAIN]
        self._coming_back.add(editions[before].claim for before, how in causes.items() if how.cause not in MET_AGAIN)
        return [VerifiedClaim(0, one.identity, one.data, one.claim, places[one.identity]) for one in again]

    def _note_places(self, places: Mapping[bytes, MailLocation | None]) -> None:
        """What is held may lie somewhere else by now, by claim ids: its file was rotated, renamed or rewritten."""
        self._store.connection.executemany(
            "UPDATE claims SET file = ?, offset = ?, length = ? WHERE position = ?",
            [
                (*place, held.position)
                for held in self._store.get([identity for identity, place in places.items() if place is not None])
                if held.data and (place := places[held.identity]) and place != held.place
            ],
        )


def _last_places(before: list[int], batch: Sequence[Evidence]) -> list[int]:
    """The places of the last messages that `resume_at` wants, after those of ``before`` and of a batch."""
    least = batch[-1][0] + batch[-1][1] - REACH
    places = [batch[-1][0]]
    for evidence in batch[-2::-1]:
        if evidence[0] < least:
            return places[::-1]
        places.append(evidence[0])
    return [place for place in before if place >= least] + places[::-1]


def sign_batches(key: Ed25519PrivateKey, claims: Iterable[VerifiedClaim]) -> list[VerifiedPart]:
    """Batches of at most `BATCH` claims of one feed each, in the order given, signed."""
    feeds: dict[bytes, list[VerifiedClaim]] = {}
    for claim in claims:
        feeds.setdefault(claim.parsed.list, []).append(claim)
    parts = []
    for name, group in feeds.items():
        for start in range(0, len(group), BATCH):
            batch = [_new(VerifiedClaim, (leaf, *new[1:])) for leaf, new in enumerate(group[start : start + BATCH])]
            tree = whole_tree([new.identity for new in batch])
            parts.append(VerifiedPart(sign_root(key, name, len(batch), tree.root), tree, batch))
    return parts


def withdraw(key: Ed25519PrivateKey, claims: Iterable[tuple[bytes, Claim]]) -> list[VerifiedPart]:
    """Signed withdrawals of claims of our own: (claim id, claim)."""
    return sign_withdrawals(
        key, (Withdrawal(claim.origin, claim.list, identity, claim.message_id) for identity, claim in claims)
    )


def sign_withdrawals(key: Ed25519PrivateKey, withdrawals: Iterable[Withdrawal]) -> list[VerifiedPart]:
    """The same of withdrawals that were made."""
    made = []
    for withdrawal in withdrawals:
        data = encode(withdrawal)
        made.append(VerifiedClaim(0, claim_id(data), data, withdrawal))
    return sign_batches(key, made)


_SAMPLE = 32
"""So many claims of each list are looked for under other names."""


@dataclass(frozen=True, slots=True)
class ReturningClaims:
    """Our own claims that an ingest met again, and that stay withdrawn, by list."""

    view: View
    origin: bytes
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _samples: dict[bytes, list[Claim]] = field(default_factory=dict)

    def add(self, claims: Iterable[Claim]) -> None:
        """Such claims."""
        for claim in claims:
            self._numbers[claim.list] = self._numbers.get(claim.list, 0) + 1
            sample = self._samples.setdefault(claim.list, [])
            if len(sample) < _SAMPLE:
                sample.append(claim)

    def lines(self) -> Iterator[str]:
        """One for each list, sorted."""
        for name, number in sorted(self._numbers.items()):
            back = noun(number, "was withdrawn, and is not stated again", "were withdrawn, and are not stated again")
            yield f"{count(number, 'message')} {back}; {self._advice(name)}"

    def _advice(self, name: bytes) -> str:
        shown = name.decode()
        others = self._elsewhere(name)
        if not others:
            return f"to state one again: weft retract --undo --list {shown} ID"
        ways = " or ".join(f"{other}=PATH" for other in others)
        return f"what was said on {shown} stands on {' and '.join(others)}: if it was renamed, ingest with: {ways}"

    def _elsewhere(self, name: bytes) -> list[str]:
        """Our other lists on which most of the sample stands word for word: some may have been withdrawn there too."""
        own = sorted(feed.list for feed in self.view.standing() if feed.origin == self.origin and feed.list != name)
        return [other.decode() for other in own if self._stands(self._samples[name], other)]

    def _stands(self, claims: Sequence[Claim], name: bytes) -> bool:
        withdrawn = self.view.withdrawn
        there = [current_edition(claim.first_edition._replace(list=name), withdrawn) for claim in claims]
        standing = self.view.store.holds([edition.identity for edition in there if edition is not None])
        return 2 * len(standing) > len(claims)
