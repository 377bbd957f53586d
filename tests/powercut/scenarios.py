"""What is done while the power may fail, and what must hold afterwards.

A scenario writes below one folder and marks what it has acknowledged.  Its check opens what is left, as the next start
would, and is given the last mark: it names all that is lost, damaged or contradicts itself.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.factories import mail as letter
from tests.store.factories import Origin, mail
from weft.cli._output import open_output
from weft.core.claim import Claim, parse
from weft.errors import StoreError, WeftError
from weft.exchange.events import CommitParts, KeepState
from weft.index.index import Index
from weft.key_file import load_key, load_or_create_key
from weft.peering.index_backend import IndexBackend
from weft.policy.edit import read_text, write_text
from weft.policy.rows import Origin as Row
from weft.policy.rules import Policy
from weft.store import connection as opening
from weft.store.backup import back_up, is_unfinished, restore
from weft.store.expendable import ExpendableDatabase
from weft.store.interface import StoredClaim, VerifiedPart
from weft.store.sqlite import SqliteStore
from weft.tls.identity import identity_path, load_or_make_identity

Mark = Callable[[str], None]
Marked = Mapping[str, Any]

STEPS = 6
PER_STEP = 6
PEER = bytes(range(32))
FAR = Origin("far")
_CHECKPOINT = 20
"""Pages of log: so few that the log is copied into the database several times."""


class Scenario(NamedTuple):
    """Something to do below a folder, and what must hold of what is left of it, after the last of some marks."""

    run: Callable[[Path, Mark], None]
    check: Callable[[Path, Marked], Iterator[str]]


@contextmanager
def small_checkpoints() -> Iterator[None]:
    with patch.object(opening, "_CHECKPOINT", _CHECKPOINT):
        yield


# An index: what is ingested, withdrawn and expunged.


def _mailbox(root: Path, steps: int) -> Path:
    """The mail of the first steps; it lies beside what is recorded."""
    path = root.parent / "mail.mbox"
    with path.open("ab") as file:
        file.truncate(0)
        for number in range(steps * PER_STEP):
            file.write(letter(f"m{number}@example.org", [f"m{number // 2}@example.org"] if number else []))
    return path


def _open(root: Path) -> Index:
    return Index.open(root / "data" / "weft" / "index.db", policy=_policy(root))


def _policy(root: Path) -> Path:
    path = root.parent / "empty.toml"
    path.touch()
    return path


def _log_mark(held: Sequence[StoredClaim], **more: object) -> str:
    return json.dumps({"held": len(held), "digest": _digest(held), **more})


def _digest(held: Sequence[StoredClaim]) -> str:
    return sha256(b"".join(one.identity for one in held)).hexdigest()


def ingest(root: Path, mark: Mark) -> None:
    """A mailbox that grows is ingested again and again; then something is withdrawn, and expunged."""
    for step in range(1, STEPS):
        with _open(root) as index:
            index.ingest("git", _mailbox(root, step))
            mark(_log_mark(index.store.log(0, 1 << 20)))
    with _open(root) as index:
        index.ingest("git", _mailbox(root, STEPS))
        mark(_log_mark(index.store.log(0, 1 << 20)))
        index.retract(["m3@example.org"])
        mark(_log_mark(index.store.log(0, 1 << 20)))
        index.expunge(["m3@example.org"])
        mark(_log_mark(index.store.log(0, 1 << 20), expunged=True))


def check_ingest(root: Path, marked: Marked) -> Iterator[str]:
    with _open(root) as index:
        yield from _lost(index, marked)
        yield from map(str, index.check())
        if marked.get("expunged") and b"m3@example.org" in _messages(index):
            yield "what was expunged is still there"
        if not marked.get("again", True):
            return
        index.ingest("git", _mailbox(root, STEPS))
        missing = {f"m{number}@example.org".encode() for number in range(STEPS * PER_STEP)} - _messages(index)
        if missing - {b"m3@example.org"}:
            yield f"the next ingest passes over {len(missing)} messages"
        yield from (f"after the next ingest: {problem}" for problem in index.check())


def _messages(index: Index) -> set[bytes]:
    """The ids of all messages of which a claim is held; a withdrawal stays."""
    read = (parse(held.data) for held in index.store.log(0, 1 << 20) if held.data)
    return {claim.message_id for claim in read if isinstance(claim, Claim)}


def _lost(index: Index, marked: Marked) -> Iterator[str]:
    held, count = index.store.log(0, 1 << 20), marked.get("held", 0)
    if len(held) < count:
        yield f"{count - len(held)} acknowledged claims are lost"
    elif count and _digest(held[:count]) != marked["digest"]:
        yield "acknowledged claims are others now"


# A server that receives claims of a peer.


def _parts(step: int) -> list[VerifiedPart]:
    names = [f"m{number}" for number in range(step * PER_STEP, (step + 1) * PER_STEP)]
    return [FAR.batch("git", *(mail(name, "root") for name in names))]


def _desk(root: Path) -> IndexBackend:
    with _open(root) as index:
        policy: Policy = replace(index.policy, origins={FAR.public: Row(2, frozenset([b"git"]))})
    return IndexBackend(root / "data" / "weft" / "index.db", policy)


def receive(root: Path, mark: Mark) -> None:
    """A peer hands over claims; each frame is acknowledged when the desk has answered."""
    backend = _desk(root)
    try:
        for step in range(STEPS):
            backend.answer(PEER, CommitParts(_parts(step)))
            mark(_log_mark(backend._index.store.log(0, 1 << 20)))
            backend.answer(PEER, KeepState(bytes([step]) * 1500))
    finally:
        backend.close()


def check_receive(root: Path, marked: Marked) -> Iterator[str]:
    backend = _desk(root)
    try:
        yield from _lost(backend._index, marked)
        yield from map(str, backend._index.check())
        counted = sum(used.claims for used in backend.used(PEER).values())
        if counted != backend.position():
            yield f"{counted} claims count against the quota, {backend.position()} are held"
        kept = backend.kept(PEER)
        if kept and (len(kept) != 1500 or len(set(kept)) != 1):
            yield "what is kept of the peer is torn"
        backend.answer(PEER, KeepState(b"more"))
    finally:
        backend.close()


# What may be lost.


def remember(root: Path, mark: Mark) -> None:
    """Many small writes to a database whose content may be lost."""
    database = ExpendableDatabase(root / "kept" / "memory.db", _SEEN, "what was seen")
    database.write(lambda connection: connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}"))
    for number in range(60):
        row = (number, b"x" * 300)
        database.write(lambda connection, row=row: connection.execute("INSERT INTO seen VALUES (?, ?)", row))  # type: ignore[misc]
        mark(json.dumps({"number": number}))
    database.close()


def check_remember(root: Path, marked: Marked) -> Iterator[str]:
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("weft.store").addHandler(handler)
    try:
        database = ExpendableDatabase(root / "kept" / "memory.db", _SEEN, "what was seen")
        before = database.rows("SELECT number FROM seen ORDER BY number")
        database.write(lambda connection: connection.execute("INSERT INTO seen VALUES (1000, x'')"))
        if not marked.get("failed") and before != [(number,) for number in range(len(before))]:
            yield "what is remembered has holes"
        if database.rows("SELECT number FROM seen WHERE number = 1000") != [(1000,)]:
            yield "nothing can be remembered any more"
        database.close()
    finally:
        logging.getLogger("weft.store").removeHandler(handler)
    if not marked.get("failed"):
        yield from (f"damaged: {line}" for line in told)


_SEEN = "CREATE TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY, text BLOB)"


# Files that are written whole: keys, policy, outputs.


def files(root: Path, mark: Mark) -> None:
    """Keys are made, the policy is edited, threads are written to a file and over it."""
    home, written = root / "data" / "weft", {}
    index, policy, output = home / "index.db", root / "config" / "weft" / "config.toml", root / "threads.json"

    def done(path: Path) -> None:
        written[str(path.relative_to(root))] = path.read_bytes().hex()
        mark(json.dumps({"files": written}))

    load_or_create_key(home / "index.db.key")
    done(home / "index.db.key")
    load_or_make_identity(index)
    done(identity_path(index))
    for number in range(4):
        document = read_text(policy)
        document.setdefault("mute", {})["ids"] = [f"m{other}@example.org" for other in range(30 * number + 1)]
        write_text(policy, document, None)
        done(policy)
    for number in range(3):
        with open_output(str(output), force=bool(number)) as file:
            for line in range(60):
                file.write(f"{number}: {line} a thread of messages\n".encode())
        done(output)


def check_files(root: Path, marked: Marked) -> Iterator[str]:
    for name, content in marked.get("files", {}).items():
        path = root / name
        if not path.exists():
            yield f"{name} is lost"
        elif path.read_bytes().hex() != content and path.name not in {"config.toml", "threads.json"}:
            yield f"{name} is another one"
    key = root / "data" / "weft" / "index.db.key"
    if key.exists():
        load_key(key)
    policy = root / "config" / "weft" / "config.toml"
    if policy.exists():
        ids = len(read_text(policy)["mute"]["ids"])
        before = bytes.fromhex(marked.get("files", {}).get("config/weft/config.toml", "")).count(b"@")
        if ids < before or ids % 30 != 1:
            yield f"the policy has {ids} rows, of {before} that were acknowledged"
    output = root / "threads.json"
    if output.exists():
        lines = output.read_bytes().splitlines()
        if lines != [b"%c: %d a thread of messages" % (lines[0][0], line) for line in range(60)]:
            yield "the output is there in part"
        if bytes.fromhex(marked.get("files", {}).get("threads.json", "30"))[0] > lines[0][0]:
            yield "the output is an older one"


# A backup that is brought up to date.


def backup(root: Path, mark: Mark) -> None:
    """An index grows, and loses a claim, beside what is recorded; it is backed up after each step."""
    place = root.parent / "index.db"
    with SqliteStore(place) as store:
        for step in range(STEPS):
            with store.transaction():
                store.put(_parts(step))
                if step == STEPS - 1:
                    store.expunge([store.log()[0].identity])
            back_up(place, root / "backup.db")
            mark(_log_mark(store.log(0, 1 << 20)))


def check_backup(root: Path, marked: Marked) -> Iterator[str]:
    kept = root / "backup.db"
    if not kept.exists() or not kept.stat().st_size:
        if marked.get("held"):
            yield "the backup is lost"
        return
    try:
        _, lost = restore(kept, root / "again.db")
    except StoreError:
        if not marked.get("held") and is_unfinished(kept):
            return
        raise
    yield from map(str, lost)
    with SqliteStore(root / "again.db") as store:
        held, count = store.log(0, 1 << 20), marked.get("held", 0)
        if len(held) < count or (count and _digest(held[:count]) != marked["digest"]):
            yield f"the backup has {len(held)} claims of {count} that were acknowledged"
        yield from map(str, store.check())


SCENARIOS = {
    "backup": Scenario(backup, check_backup),
    "ingest": Scenario(ingest, check_ingest),
    "receive": Scenario(receive, check_receive),
    "remember": Scenario(remember, check_remember),
    "files": Scenario(files, check_files),
}


def problems(name: str, root: Path, marked: Marked) -> list[str]:
    """All that is wrong with what is left of a scenario."""
    try:
        return list(SCENARIOS[name].check(root, marked))
    except (WeftError, OSError, ValueError, LookupError) as error:
        return [f"it cannot be opened: {error}"]
