"""The tables of an index, in steps that only ever grow: an index of an older version is brought up by the rest.

Theory of operation
-------------------
``claims``      the log.  ``octets`` stands last, so that the small columns are read without the pages it overflows to;
                it is NULL if the claim was expunged
``claim_keys``  finds a claim by its id.  A key is 32 bits of a hash of the first 16 bytes of the id, keyed with a
                secret of this index: four bytes are enough because nobody can make ids that meet, and what is found
                is compared with the whole id, which is computed from the bytes and stored nowhere
``ids``         the message ids, numbered: nodes
``id_keys``     finds a node by its id, in a like way, and the ids that look like it: `weft.store.id_keys`
``refs``        who refers to a node; in References or In-Reply-To, once
``batches``     what an origin signed.  ``proof`` is a `weft.core.merkle.Multiproof` about the leaves that are held;
                NULL if these are all, empty if it was lost to damage
``runs``        where the claims of a batch stand in the log: ``count`` of them, ``leaf`` at ``position`` and so on.
                The batch of a claim is what ``claims`` says; a run may name claims that have left it
``feeds``       with the number of claims held
``entries``     the messages of folders and repositories that were read, by name: `weft.store.entries`
``expunged``    the ids of claims whose bytes are gone
``id_digests``  finds a node by the digest of its id (`weft.core.id_digest`), as far as it was ever asked for
``handles``     finds a node by the handle of its id (`weft.core.handle`), in a like way
``lost``        damaged claims that a repair took out; kept for whoever wants to look at them
``exchanges``   what each peer was asked last (`weft.index.sync_history`): neither claims nor derived from them.  All of
                it
                can be lost, and then was never asked; the small columns stand first, as in ``claims``
``received``    what each peer handed over today (`weft.index.received`)
``withdrawn``   the withdrawals that were seen, since when, and whether the bytes of what they withdraw are gone
                (`weft.index.withdrawn_claims`); lost, all of it is seen once more, and the periods begin again
``delivered``   up to where in the log each peer has what we give it (`weft.index.deliveries`); can be lost as well
``withdrawal_causes``  why runs of our own withdrawals were made (`weft.index.editions`)

`claim_keys`, `id_keys`, `id_digests`, `handles`, `refs`, `runs` and the counts of `feeds` follow from the rest and are
made again by a repair.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from weft.errors import DamagedStoreError, StoreError
from weft.store.feed_runs import fill_feed_runs
from weft.store.id_keys import ID_KEYS, fill_id_keys, id_key_function
from weft.store.sqlite_library import Database, Migrations

APPLICATION = 0x57656674
"""``Weft``, in the header of the file."""

STORE = Migrations("weft.store")

REFS = "CREATE TABLE refs (target INTEGER, position INTEGER, PRIMARY KEY (target, position)) WITHOUT ROWID"
CLAIM_KEYS = "CREATE TABLE claim_keys (key INTEGER, position INTEGER, PRIMARY KEY (key, position)) WITHOUT ROWID"
EXCHANGES = (
    "CREATE TABLE exchanges (peer BLOB PRIMARY KEY, time INTEGER NOT NULL, revision INTEGER NOT NULL, "
    "feeds TEXT NOT NULL, cut BLOB NOT NULL, asked BLOB)"
)
RECEIVED = (
    "CREATE TABLE received (day TEXT, peer BLOB, origin BLOB, list BLOB, claims INTEGER, bytes INTEGER, "
    "PRIMARY KEY (day, peer, origin, list)) WITHOUT ROWID"
)
ENTRIES = "CREATE TABLE entries (entry INTEGER PRIMARY KEY, position INTEGER, name BLOB)"
ID_DIGESTS, HANDLES = "id_digests", "handles"
WITHDRAWN = (
    "CREATE TABLE withdrawn (withdrawal INTEGER PRIMARY KEY, target BLOB NOT NULL, since INTEGER NOT NULL, "
    "held INTEGER, erased INTEGER NOT NULL, done INTEGER NOT NULL)"
)
DELIVERED = (
    "CREATE TABLE delivered (peer BLOB PRIMARY KEY, position INTEGER NOT NULL, time INTEGER NOT NULL, "
    "feeds TEXT NOT NULL)"
)
WITHDRAWAL_CAUSES = (
    "CREATE TABLE withdrawal_causes (first INTEGER, cause TEXT, stop INTEGER NOT NULL, old BLOB, new BLOB, "
    "PRIMARY KEY (first, cause)) "
    "WITHOUT ROWID"
)
RUNS = (
    "CREATE TABLE runs (batch INTEGER, leaf INTEGER, position INTEGER, count INTEGER, PRIMARY KEY (batch, leaf)) "
    "WITHOUT ROWID"
)

_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    "CREATE TABLE feeds (feed INTEGER PRIMARY KEY, origin BLOB, list BLOB, claims INTEGER, UNIQUE (origin, list))",
    "CREATE TABLE batches (batch INTEGER PRIMARY KEY, feed INTEGER, leaf_count INTEGER, root BLOB, signature BLOB, "
    "proof BLOB)",
    "CREATE INDEX batches_by_root ON batches (substr(root, 1, 8))",
    "CREATE INDEX batches_unproved ON batches (batch) WHERE proof = x''",
    RUNS,
    "CREATE TABLE claims (position INTEGER PRIMARY KEY, node INTEGER, batch INTEGER, leaf INTEGER, file INTEGER, "
    "offset INTEGER, length INTEGER, octets BLOB)",
    "CREATE INDEX claims_by_node ON claims (node)",
    CLAIM_KEYS,
    "CREATE TABLE ids (node INTEGER PRIMARY KEY, id BLOB)",
    ID_KEYS,
    REFS,
    "CREATE TABLE files (file INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB, list TEXT, size INTEGER, mtime_ns INTEGER, "
    "inode INTEGER, resume INTEGER, head BLOB, tail BLOB, UNIQUE (path, list))",
    "CREATE TABLE expunged (position INTEGER PRIMARY KEY, identity BLOB)",
    "CREATE TABLE lost (position INTEGER PRIMARY KEY, batch INTEGER, leaf INTEGER, octets BLOB)",
)


def digest_table(name: str) -> str:
    """The statement that makes a table of numbers that follow from message ids (`weft.store.id_table`)."""
    return f"CREATE TABLE {name} (digest INTEGER, node INTEGER, PRIMARY KEY (digest, node)) WITHOUT ROWID"


@STORE(name="001 tables")
def _tables(database: Database) -> None:
    for statement in _TABLES:
        database.conn.execute(statement)
    database.conn.execute(f"PRAGMA application_id = {APPLICATION}")
    database.conn.execute("INSERT INTO meta VALUES ('secret', ?)", (secrets.token_bytes(16),))


@STORE(name="002 digests of message ids")
def _digests(database: Database) -> None:
    database.conn.execute(digest_table(ID_DIGESTS))


@STORE(name="003 what peers were asked")
def _exchanges(database: Database) -> None:
    database.conn.execute(EXCHANGES)


@STORE(name="004 what peers handed over")
def _received(database: Database) -> None:
    database.conn.execute(RECEIVED)


@STORE(name="005 keys of message ids that tell what looks alike")
def _id_keys(database: Database) -> None:
    [(secret,)] = database.conn.execute("SELECT value FROM meta WHERE name = 'secret'").fetchall()
    fill_id_keys(database.conn, id_key_function(secret))


@STORE(name="006 where the claims of each feed stand")
def _feed_runs(database: Database) -> None:
    fill_feed_runs(database.conn, from_claims=False)


@STORE(name="007 what is withdrawn, and what peers have")
def _withdrawn(database: Database) -> None:
    database.conn.execute(WITHDRAWN)
    database.conn.execute("CREATE INDEX withdrawn_waiting ON withdrawn (erased, since) WHERE NOT done")
    database.conn.execute("CREATE INDEX withdrawn_absent ON withdrawn (target) WHERE held IS NULL")
    database.conn.execute(DELIVERED)


@STORE(name="008 the messages of folders and repositories")
def _entries(database: Database) -> None:
    database.conn.execute(ENTRIES)


@STORE(name="009 handles of message ids")
def _handles(database: Database) -> None:
    database.conn.execute(digest_table(HANDLES))


@STORE(name="010 why our own claims were withdrawn")
def _withdrawal_causes(database: Database) -> None:
    database.conn.execute(WITHDRAWAL_CAUSES)


def migrate(path: Path, database: Database, migrations: Migrations = STORE, *, read_only: bool = False) -> None:
    """Bring the tables of one set of migrations up to date; `StoreError` if they are of a newer or older version.

    Two processes may do this at once: one does it, the other finds it done.
    """
    if _is_current(path, database, migrations):
        return
    if read_only:
        raise StoreError(f"{path}: the index is of an older version; open it once to write, with any command that does")
    database.conn.execute("BEGIN IMMEDIATE")
    try:
        if not _is_current(path, database, migrations):
            migrations.apply(database)
        database.conn.execute("COMMIT")
    except BaseException:
        if database.conn.in_transaction:
            database.conn.execute("ROLLBACK")
        raise


def check_kind(path: Path, database: Database) -> None:
    """`StoreError` if the file is a database of something else."""
    [(application,)] = database.conn.execute("PRAGMA application_id").fetchall()
    [(tables,)] = database.conn.execute("SELECT count(*) FROM sqlite_master").fetchall()
    if tables and application != APPLICATION:
        raise StoreError(f"{path}: this is a database of another program, not an index of Weft; name another file")


def _is_current(path: Path, database: Database, migrations: Migrations) -> bool:
    applied = {migration.name for migration in migrations.applied(database)}
    known = {migration.name for migration in migrations._migrations}
    if applied - known:
        if known - applied:  # a newer version has all that this one has
            raise DamagedStoreError(
                f"{path}: the index is damaged, its version cannot be read; run: weft check --repair"
            )
        raise StoreError(f"{path}: this is an index of a newer version of Weft; use that version, or newer")
    return not migrations.pending(database)
