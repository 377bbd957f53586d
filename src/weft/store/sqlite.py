"""The index on disk: a store of claims in one SQLite file.

Theory of operation
-------------------
What the tables are is told in `weft.store.schema`, how they are written in `weft.store.claims`.  Here they are
read, and transactions begin and end: nothing is written outside of one, and one that fails leaves nothing behind.  Any
number of processes may read while one writes; a second writer waits, and gives up with a line that says so.

A store is used by one thread.  `SqliteStore.connection` is for whoever derives further tables from the claims: what is
written there within `SqliteStore.transaction` is committed with the claims or not at all.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from heapq import nsmallest
from pathlib import Path

from weft.core.claim import Claim, claim_id, parse
from weft.core.feed import Feed, Lists
from weft.core.merkle import Multiproof, PartialTree
from weft.core.signing import SignedRoot
from weft.errors import ClaimError, StoreError
from weft.store.claims import KEY_BYTES, UNPROVED, Batches, ClaimWriter
from weft.store.connection import open_database, stated_origin
from weft.store.entries import forget_entries
from weft.store.feed_runs import FeedRuns
from weft.store.fsck import StoreChecker, StoreProblem, StoreRepairer
from weft.store.handle_table import HandleTable
from weft.store.id_keys import id_key_function, key_function
from weft.store.id_table import IdDigestTable, IdTable, chunks
from weft.store.interface import PAGE, IngestedFile, InsertedClaim, LogSlice, MailLocation, StoredClaim, VerifiedPart
from weft.store.log_end import mark_of_index, note_end, noted_end
from weft.store.schema import migrate
from weft.store.sqlite_errors import explained
from weft.store.sqlite_library import Database, Migrations

_COLUMNS = "claims.position, expunged.identity, octets, batch, leaf, file, offset, length"
_CLAIMS = f"SELECT {_COLUMNS} FROM claims LEFT JOIN expunged ON expunged.position = claims.position "  # noqa: S608
_ABOUT = "SELECT position FROM claims WHERE node = ?"
_REFERRING = "SELECT position FROM refs WHERE target = ?"
_NEW_FILE = "INSERT INTO files (path, list, size, mtime_ns, inode, resume, head, tail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_HANDLES_AT_ONCE = 500_000
_NEWEST = (1 << 63) - 1

log = logging.getLogger("weft.store")


class SqliteStore:
    """A `weft.store.interface.Store` in a file; a context manager that closes it."""

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        """Open an index, or make one if nothing is there and it may be written.  `StoreError` if that cannot be."""
        self.path = Path(path)
        self.read_only = read_only
        self.database: Database = open_database(self.path, read_only=read_only)
        self.connection: sqlite3.Connection = self.database.conn
        with explained(self.path):
            [(secret,)] = self.connection.execute("SELECT value FROM meta WHERE name = 'secret'").fetchall()
        self._mark = mark_of_index(secret)
        self._key = key_function(secret)
        self._nodes = IdTable(self.connection, id_key_function(secret))
        self._batches = Batches(self.connection)
        self._feed_runs = FeedRuns(self.connection)
        self._digests = IdDigestTable(self.connection, self.transaction)
        self._handles = HandleTable(self.connection, self.transaction)
        self._writer = ClaimWriter(self.connection, self._key, self._nodes, self._batches, self._find)
        self._forgotten = False
        self._grown = 0
        """Where the log ends after this transaction, if claims were put; else 0."""

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a transaction that is open leaves nothing behind.

        What was written is copied from SQLite's log into the file itself, as far as nobody reads an older state: then
        the file alone is the whole index, also where readers go on and keep the log.
        """
        if not self.read_only:
            with suppress(sqlite3.Error):  # all of it is on disk, and the next writer does it
                self.connection.rollback()
                self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes happen inside one; at its end it is on disk, or nothing of it is."""
        if self.read_only:
            raise StoreError(f"{self.path}: the index was opened to read only")
        if self.connection.in_transaction:
            raise RuntimeError("a transaction within a transaction")
        with explained(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            self._writer.absent.clear()
            self._grown = 0
            try:
                yield
                self.connection.execute("COMMIT")
                if self._grown:
                    note_end(self.path, self._mark, self._grown)
            except BaseException:
                self._nodes.forget()
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
            if self._forgotten:
                self._empty_the_log()

    def _empty_the_log(self) -> None:
        """What was expunged stands in the log of writes too; SQLite says so if it cannot be emptied, and no error."""
        [(busy, *_)] = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._forgotten = bool(busy)
        if busy:
            log.warning("%s: others read the index, so what was expunged is overwritten only later", self.path)

    def _check_writing(self) -> None:
        """Writes stand in a transaction, which also explains the errors of SQLite."""
        if not self.connection.in_transaction:
            raise RuntimeError("the store is written outside of a transaction")

    def note_end(self) -> None:
        """Remember where the log ends."""
        note_end(self.path, self._mark, self.position())

    def missing_end(self) -> int:
        """Where the log ended before, if it ended later than now: then claims are gone; else 0."""
        noted = noted_end(self.path, self._mark)
        return noted if noted > self.position() else 0

    def origin(self) -> bytes | None:
        """The public key that the index was made with; None if there was none yet."""
        with explained(self.path):
            return stated_origin(self.connection)

    def migrate(self, migrations: Migrations) -> None:
        """Bring further tables up to date, those of a view; `StoreError` if they are of a newer version."""
        with explained(self.path):
            migrate(self.path, self.database, migrations, read_only=self.read_only)

    def put(self, parts: Iterable[VerifiedPart]) -> list[InsertedClaim]:
        """Keep what is not held yet; each new one, in order."""
        self._check_writing()
        stored = self._writer.put(parts)
        if stored:
            self._grown = stored[-1].position
        return stored

    def holds(self, identities: Sequence[bytes]) -> set[bytes]:
        """Those of the claim ids that are held and can be proved, expunged ones too."""
        keys = {identity: self._key(identity[:KEY_BYTES]) for identity in identities}
        with explained(self.path):
            found = [held for held in self._find(keys.values()) if held.identity in keys]
            unproved = {batch for (batch,) in self.connection.execute(UNPROVED)} if found else set()
        if self.connection.in_transaction:
            for held in found:
                keys.pop(held.identity, None)
            self._writer.absent = keys
        return {held.identity for held in found if held.batch not in unproved}

    def get(self, identities: Sequence[bytes]) -> list[StoredClaim]:
        """The claims with these ids or 16-byte prefixes of ids, in order of position."""
        wanted = set(identities)
        with explained(self.path):
            found = list(self._find(self._key(identity[:KEY_BYTES]) for identity in wanted))
        return sorted(held for held in found if held.identity in wanted or held.identity[:KEY_BYTES] in wanted)

    def claims_about(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims about any of the message ids, in order of position, from beyond ``after``; expunged ones too."""
        return self._of_nodes(_ABOUT, ids, after, limit)

    def claims_referring_to(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims that name any of the message ids in References or In-Reply-To, in order of position."""
        return self._of_nodes(_REFERRING, ids, after, limit)

    def log(self, after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims beyond a position, in order."""
        with explained(self.path):
            rows = self.connection.execute(
                _CLAIMS + "WHERE claims.position > ? ORDER BY claims.position LIMIT ?", (after, limit)
            )
            return [_held(row) for row in rows]

    def log_of(
        self, feeds: Mapping[bytes, Lists], after: int = 0, upto: int | None = None, limit: int = PAGE
    ) -> LogSlice:
        """Claims of some feeds, given by origin, beyond a position and up to another one, in order."""
        # Claims that another process puts meanwhile stand beyond this position: they are of a later slice.
        newest = self.position()
        end = newest if upto is None else min(upto, newest)
        with explained(self.path):
            numbers = self._feed_runs.numbers(feeds)
            if numbers is None:
                return self._filtered(feeds, after, end, limit)
            positions = self._feed_runs.positions(numbers, after, end, limit)
        return LogSlice(self.at(positions), positions[-1] if len(positions) >= limit else max(after, end))

    def _filtered(self, feeds: Mapping[bytes, Lists], after: int, end: int, limit: int) -> LogSlice:
        """What is of some feeds in a page of the log."""
        page = [held for held in self.log(after, limit) if held.position <= end]
        kept = {}
        for batch in {held.batch for held in page}:
            origin, name = self._batches.feed(batch)
            kept[batch] = origin in feeds and name in feeds[origin]
        whole = len(page) < limit
        return LogSlice([held for held in page if kept[held.batch]], max(after, end) if whole else page[-1].position)

    def position(self) -> int:
        """The position of the newest claim, 0 if there is none."""
        with explained(self.path):
            [(newest,)] = self.connection.execute("SELECT coalesce(max(position), 0) FROM claims").fetchall()
        return int(newest)

    def version(self) -> int:
        """Another number after each commit of another connection."""
        [(version,)] = self.connection.execute("PRAGMA data_version").fetchall()
        return int(version)

    def feeds(self) -> dict[Feed, int]:
        """How many claims are held of each feed."""
        with explained(self.path):
            return self._batches.feeds()

    def signed(self, batch: int) -> tuple[SignedRoot, PartialTree]:
        """The signed root of a batch and what is known of its tree, whose leaves are the claims held under it."""
        with explained(self.path):
            return self._batches.signed(batch)

    def signed_root(self, batch: int) -> SignedRoot:
        """The signed root of a batch alone; the claims held under it are not read, and it is not checked."""
        with explained(self.path):
            return self._batches.row(batch)[0]

    def feed(self, batch: int) -> Feed:
        """The feed of a batch, which never changes."""
        with explained(self.path):
            return self._batches.feed(batch)

    def batches_at(self, positions: Sequence[int]) -> dict[int, int]:
        """The batch of the claim at each of these positions that is in the log; nothing of the claims is read."""
        found: dict[int, int] = {}
        with explained(self.path):
            for marks, chunk in chunks(positions):
                query = f"SELECT position, batch FROM claims WHERE position IN ({marks})"  # noqa: S608
                found.update(self.connection.execute(query, chunk))
        return found

    def prove(self, batch: int, leaves: Sequence[int]) -> Multiproof:
        """One proof of held leaves of a batch."""
        try:
            return self.signed(batch)[1].prove(leaves)
        except KeyError as error:
            raise StoreError(f"leaf {error} of batch {batch} is not held") from None

    def expunge(self, identities: Sequence[bytes]) -> int:
        """Forget the bytes of claims, where they came from and what they named; keep their ids.  How many."""
        self._check_writing()
        held = [one for one in self.get(identities) if one.data]
        for one in held:
            self._forget_refs(one)
            self.connection.execute("INSERT INTO expunged VALUES (?, ?)", (one.position, one.identity))
            self.connection.execute(
                "UPDATE claims SET octets = NULL, file = NULL, offset = NULL, length = NULL WHERE position = ?",
                (one.position,),
            )
            # What a repair took out may be a damaged copy of the same claim.
            self.connection.execute("DELETE FROM lost WHERE batch = ? AND leaf = ?", (one.batch, one.leaf))
        self._forgotten |= bool(held)
        return len(held)

    def file(self, file: IngestedFile) -> int:
        """Remember the state of a file (by path and list); its number."""
        key = (os.fsencode(file.path), file.list)
        state = (file.size, file.mtime_ns, file.inode, file.resume, file.head, file.tail)
        self._check_writing()
        found = self.connection.execute("SELECT file FROM files WHERE path = ? AND list = ?", key).fetchone()
        if found is None:
            return int(self.connection.execute(_NEW_FILE, (*key, *state)).lastrowid or 0)
        self.connection.execute(
            "UPDATE files SET (size, mtime_ns, inode, resume, head, tail) = (?, ?, ?, ?, ?, ?) WHERE file = ?",
            (*state, *found),
        )
        return int(found[0])

    def files(self) -> dict[int, IngestedFile]:
        """All files that are remembered."""
        with explained(self.path):
            rows = self.connection.execute(
                "SELECT file, path, list, size, mtime_ns, inode, resume, head, tail FROM files ORDER BY file"
            )
            return {number: IngestedFile(os.fsdecode(path), *rest) for number, path, *rest in rows}

    def known_file(self, number: int) -> IngestedFile | None:
        """The file with this number; None if it is not remembered."""
        with explained(self.path):
            row = self.connection.execute(
                "SELECT path, list, size, mtime_ns, inode, resume, head, tail FROM files WHERE file = ?", (number,)
            ).fetchone()
        return None if row is None else IngestedFile(os.fsdecode(row[0]), *row[1:])

    def move_file(self, file: IngestedFile, path: str) -> None:
        """A file lies at another path now, with all places in it; what was known of that path and list is replaced."""
        self._check_writing()
        self.connection.execute(
            "UPDATE OR REPLACE files SET path = ? WHERE path = ? AND list = ?",
            (os.fsencode(path), os.fsencode(file.path), file.list),
        )

    def rename_files(self, old: str, new: str) -> None:
        """The files of list ``old`` belong to list ``new``; what was known of them there is replaced."""
        self._check_writing()
        self.connection.execute("UPDATE OR REPLACE files SET list = ? WHERE list = ?", (new, old))
        forget_entries(self.connection)

    def forget_files(self, list_name: str) -> None:
        """The files of a list are read again when they are met again; places in them can no longer be found."""
        self._check_writing()
        self.connection.execute("DELETE FROM files WHERE list = ?", (list_name,))
        forget_entries(self.connection)

    def node_numbers(self, ids: Sequence[bytes], *, create: bool = False) -> list[int | None]:
        """The nodes of message ids, in their order; None, or with ``create`` a new one, for those that have none."""
        if create:
            self._check_writing()
        with explained(self.path):
            found = self._nodes.numbers(dict.fromkeys(ids), create=create)
        return [found.get(data) for data in ids]

    def ids_of(self, nodes: Sequence[int]) -> list[bytes]:
        """The message ids of nodes, in their order; `KeyError` for a number that is no node."""
        with explained(self.path):
            return self._nodes.ids_of(nodes)

    def lookalikes(self, message_id: bytes, limit: int) -> list[bytes]:
        """Other message ids here with the same `weft.store.id_keys.skeleton`, at most ``limit``, sorted."""
        with explained(self.path):
            return self._nodes.lookalikes(message_id, limit)

    def positions_concerning(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[int]:
        """Where claims about any of the message ids, or that refer to one, stand in the log: ascending, each once."""
        with explained(self.path):
            nodes = list(self._nodes.numbers(dict.fromkeys(ids), create=False).values())
            found = {*self._first_positions(_ABOUT, nodes, after, limit)}
            found.update(self._first_positions(_REFERRING, nodes, after, limit))
        return sorted(found)[:limit]

    def at(self, positions: Sequence[int]) -> list[StoredClaim]:
        """The claims at these positions, in order; those that are not in the log are left out."""
        found: list[StoredClaim] = []
        with explained(self.path):
            for marks, chunk in chunks(sorted(set(positions))):
                rows = self.connection.execute(
                    f"{_CLAIMS} WHERE claims.position IN ({marks}) ORDER BY claims.position", chunk
                )
                found += map(_held, rows)
        return found

    def nodes_at(self, positions: Sequence[int]) -> list[int]:
        """The nodes that the claims at these positions are about, each once."""
        found: dict[int, None] = {}
        with explained(self.path):
            for marks, chunk in chunks(positions):
                query = f"SELECT node FROM claims WHERE position IN ({marks})"  # noqa: S608
                found.update(dict.fromkeys(node for (node,) in self.connection.execute(query, chunk)))
        return list(found)

    def digest_ids(self, most: int) -> bool:
        """Get up to ``most`` message ids ready for `ids_with`; whether it is ready now."""
        with explained(self.path):
            return self._digests.catch_up(most)

    def ids_with(self, digests: Sequence[bytes]) -> list[list[bytes]]:
        """For each digest (`weft.core.id_digest`) the message ids here that have it, sorted."""
        with explained(self.path):
            return self._digests.ids(digests)

    def note_handles(self) -> None:
        """Get all message ids ready to be found by their handles, unless nothing may be written here."""
        with explained(self.path):
            while not self.read_only and not self._handles.catch_up(_HANDLES_AT_ONCE):
                pass

    def unnoted_handles(self) -> int:
        """How many message ids are not ready to be found by their handles."""
        return self._handles.unnoted()

    def ids_of_handle(self, letters: str, most: int) -> list[bytes]:
        """The message ids whose handle (`weft.core.handle`) begins with some letters, sorted, at most ``most``."""
        return self._handles.ids_of(letters, most)

    def handles(self, ids: Iterable[bytes]) -> dict[bytes, str]:
        """The handle of each message id, with as many letters as tell it from the others that are ready here."""
        with explained(self.path):
            return self._handles.handles(ids)

    def archived_at(self, url: bytes) -> list[bytes]:
        """The message ids of claims that say that they are archived at a URL, sorted.  Reads all claims."""
        with explained(self.path):
            rows = self.connection.execute("SELECT octets FROM claims WHERE instr(octets, ?)", (url,))
            claims = (parse(data) for (data,) in rows)
            return sorted(
                {one.message_id for one in claims if isinstance(one, Claim) and one.archived_at.strip(b"<> ") == url}
            )

    def check(self) -> Iterator[StoreProblem]:
        """Whatever is wrong with the index, as it is found.  Every hash and signature is verified."""
        with explained(self.path):
            yield from self._checker().problems()
            yield from map(StoreProblem, self._digests.wrong())
            yield from map(StoreProblem, self._handles.wrong())

    def repair(self) -> list[StoreProblem]:
        """Make again what can be derived, take out what is damaged; what was lost.  It is a transaction of its own."""
        with self.transaction():
            self._nodes.forget()
            self._digests.forget()
            self._handles.forget()
            return self._repairer().repair()

    def rebuild_refs(self) -> None:
        """Throw the reverse references away and make them again from the claims, in the caller's transaction."""
        self._check_writing()
        self._repairer().rebuild_refs()

    def unproved(self) -> Iterator[StoredClaim]:
        """The claims that are held but cannot be proved, because their batch was damaged.

        They are proved again when they come again, from a peer or, if they are our own, in a new batch.
        """
        with explained(self.path):
            for row in self.connection.execute(f"{_CLAIMS} WHERE batch IN ({UNPROVED}) ORDER BY claims.position"):
                yield _held(row)

    def _checker(self) -> StoreChecker:
        return StoreChecker(self.connection, self._key, self._nodes, self._batches)

    def _repairer(self) -> StoreRepairer:
        return StoreRepairer(self.connection, self._key, self._nodes, self._batches)

    def _find(self, keys: Iterable[int]) -> Iterator[StoredClaim]:
        """The claims that have some keys; others may be among them."""
        for marks, chunk in chunks(sorted(set(keys))):
            for row in self.connection.execute(
                f"SELECT {_COLUMNS} FROM claim_keys CROSS JOIN claims ON claims.position = claim_keys.position "  # noqa: S608
                f"LEFT JOIN expunged ON expunged.position = claims.position WHERE claim_keys.key IN ({marks})",
                chunk,
            ):
                yield _held(row)

    def _of_nodes(self, select: str, ids: Sequence[bytes], after: int, limit: int) -> list[StoredClaim]:
        """A page of the claims whose positions ``select`` gives for the nodes of ids."""
        with explained(self.path):
            nodes = self._nodes.numbers(dict.fromkeys(ids), create=False).values()
            return self.at(self._first_positions(select, nodes, after, limit))

    def _first_positions(self, select: str, nodes: Iterable[int], after: int, limit: int) -> list[int]:
        """The smallest ``limit`` positions beyond ``after`` of some nodes, sorted.

        Node by node, each only up to the largest position that can still matter: however many claims some ids have, a
        page costs about what it holds.
        """
        found: set[int] = set()
        bound = _NEWEST
        for node in nodes:
            found.update(
                position
                for (position,) in self.connection.execute(
                    select + " AND position > ? AND position <= ? ORDER BY position LIMIT ?",
                    (node, after, bound, limit),
                )
            )
            if len(found) >= 2 * limit:
                found = set(nsmallest(limit, found))
                bound = max(found, default=after)
        return sorted(found)[:limit]

    def _forget_refs(self, held: StoredClaim) -> None:
        try:
            claim = parse(held.data)
        except ClaimError:  # damaged: `check` tells
            return
        if isinstance(claim, Claim):
            nodes = self._nodes.numbers({*claim.references, *claim.in_reply_to}, create=False)
            self.connection.executemany(
                "DELETE FROM refs WHERE target = ? AND position = ?", [(node, held.position) for node in nodes.values()]
            )


_Row = tuple[int, bytes | None, bytes | None, int, int, int | None, int, int]


def _held(row: _Row) -> StoredClaim:
    position, expunged, data, batch, leaf, file, offset, length = row
    place = None if file is None else MailLocation(file, offset, length)
    if data is None:
        return StoredClaim(position, expunged or b"", b"", batch, leaf, place)
    return StoredClaim(position, claim_id(data), data, batch, leaf, place)
