"""`Index`: what a program opens.  It holds a store of claims, the key of this origin, and the view of one policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft.core.claim import Claim, Withdrawal, parse_claim_id
from weft.core.feed import Feed, Lists
from weft.core.handle import parse_handle
from weft.core.message_id import keys_of
from weft.core.signing import fingerprint, public_key, short_fingerprint
from weft.errors import (
    ChangedPolicyError,
    KeyFileError,
    MissingIndexError,
    NotFoundError,
    SourceError,
    StaleViewError,
    StoreError,
    UsageError,
)
from weft.index.admission import check_admissible
from weft.index.common_view import identify
from weft.index.condition import note_ingest
from weft.index.erasure import Erasure
from weft.index.explain import Explainer
from weft.index.ingest import Ingest
from weft.index.large_thread import LargeThread
from weft.index.list_conflicts import without_conflicts
from weft.index.listing import misses_some
from weft.index.message_names import MessageNames
from weft.index.own_claims import OwnClaims, Restated
from weft.index.own_key import load_own_key, make_own_key
from weft.index.policy_file import is_view_of_another_file, note_policy_file
from weft.index.raw_mail import MissingMail, RawMail
from weft.index.received import Amount, Delivery, Received
from weft.index.snapshot import preparing, snapshot
from weft.index.summaries import SummaryReader
from weft.index.sync_history import SyncRecord
from weft.index.temporary_view import use_temporary_view
from weft.index.verify import check, common_differences, compare, repair
from weft.index.view import View
from weft.model import (
    Coverage,
    EdgeDifference,
    Explanation,
    Ingested,
    ListInfo,
    ListSummary,
    MonthSummary,
    Problem,
    SearchResults,
    Thread,
    ThreadSummary,
)
from weft.policy.files import config_path, credential, index_path, key_path, load_policy
from weft.policy.names import all_names
from weft.policy.rules import Policy
from weft.sources.discover import discover
from weft.sources.interface import NoteLog, Source, check_list_name
from weft.store.interface import PAGE, StoredClaim, VerifiedPart, read_claim
from weft.store.recovery import note_loss
from weft.store.sqlite import SqliteStore
from weft.store.sqlite_errors import explained

_LOOKALIKES = 20
"""The ids that look like another one of which an explanation tells."""


class Index:
    """An index of claims on disk.  One writer at a time, any number of readers; a context manager.

    Every method raises `weft.errors.StoreError` if the index cannot be read or written, and `NotFoundError` where it
    is asked for an id that nobody names.
    """

    def __init__(self, store: SqliteStore, key: Ed25519PrivateKey | None, policy: Policy, *, read_only: bool) -> None:
        """Use `Index.open`; without a key nothing can be said."""
        self.store = store
        self._key = key
        self._read_only = read_only
        self._prepared: Callable[[], None] | None = None
        self._names = MessageNames(store)
        with explained(store.path):
            self._check_origin()
        self.set_policy(policy)

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        policy: str | Path | Policy | None = None,
        create: bool = True,
        read_only: bool = False,
        reading: bool = False,
    ) -> Self:
        """Open an index, or make one (with a new key) if there is none and ``create``.

        ``reading``: nothing will be said, so the key need not be there, nor may the index or its place be written: then
        it is opened to read only.
        ``path`` and ``policy`` default to the environment and the user's folders (`weft.policy.files`).  A view that
        was made under another policy is made again; if it is that of another policy file, not for who is ``reading``:
        then it is as with `under` (`weft.index.policy_file`).
        """
        place = Path(path) if path is not None else index_path()
        if not place.exists() and not (create and not read_only):
            raise MissingIndexError(f"{place}: there is no index; make one with: weft ingest LIST=FILE")
        if policy is not None and not isinstance(policy, Policy) and not config_path(str(policy)).exists():
            load_policy(config_path(str(policy)), None, required=True)  # says so, before a key is made
        if reading:
            read_only = read_only or not (os.access(place, os.W_OK) and os.access(place.absolute().parent, os.W_OK))
        lost = not place.exists() and key_path(place).exists()  # a new index for a key that has spoken
        try:
            key = load_own_key(place) if place.exists() else make_own_key(place)
        except KeyFileError:
            if not reading:
                raise
            key = None
        store = SqliteStore(place, read_only=read_only)
        try:
            if lost:
                with store.transaction():
                    note_loss(store.connection)
            if isinstance(policy, Policy):
                return cls(store, key, policy, read_only=read_only)
            flag = None if policy is None else str(policy)
            own = store.origin() if key is None else public_key(key)
            found = load_policy(config_path(flag), own, required=flag is not None)
            if reading and is_view_of_another_file(View(store, found), config_path(flag)):
                store.close()
                return cls.under(place, found)
            opened = cls(store, key, found, read_only=read_only)
            if not (reading or read_only):
                note_policy_file(opened.view, config_path(flag))
            return opened
        except BaseException:
            store.close()
            raise

    @classmethod
    def under(cls, path: str | Path, policy: str | Path | Policy) -> Self:
        """An index as it looks under another policy, to read only; the view that is there stays as it is.

        All that is read of it is of one moment.  It costs what it costs to make a view, unless that is the one there.
        """
        found = cls.open(path, policy=policy, create=False, read_only=True, reading=True)
        try:
            use_temporary_view(found.view)
        except BaseException:
            found.close()
            raise
        return found

    @classmethod
    def reader(
        cls, path: Path, policy: Policy, wanted: Callable[[], Policy] | None = None, *, writes: bool = True
    ) -> Self:
        """Open an index to read only, for a server: its view is made, in another connection, whenever it must be.

        ``wanted``  the policy that the server goes by now.  If that is another one, the view is not made again under
        the old one: then reads raise `ChangedPolicyError`, and the caller calls `set_policy`.
        ``writes``  whether the view may be made; if not, reads raise `StaleViewError` where it would have to be, and
        the key need not be there
        """
        found = cls.open(path, policy=policy, create=False, read_only=True, reading=not writes)

        def prepare() -> None:
            if wanted is not None and wanted() is not found.policy:
                raise ChangedPolicyError("the view is of the new policy")
            if not writes:
                raise StaleViewError(f"{path}: the view is of another policy or version; who writes to it makes it")
            cls.prepare(path, found.policy)

        found._prepared = prepare
        found._names.served = True
        return found

    @classmethod
    def prepare(cls, path: Path, policy: Policy) -> None:
        """Bring the view up to date, under this policy; nothing is written if it is."""
        with preparing, cls.open(path, policy=policy, create=False):
            pass

    @property
    def view(self) -> View:
        """What is derived from the claims under our policy; read it within a `snapshot`."""
        return self._view

    @property
    def origin(self) -> bytes:
        """Our own origin: an Ed25519 public key.  `KeyFileError` if nobody knows it."""
        return (self._key is None and self.store.origin()) or public_key(self._signing_key)

    @property
    def _signing_key(self) -> Ed25519PrivateKey:
        """The key; `KeyFileError` if it is not there."""
        return self._key or load_own_key(self.store.path)

    @property
    def fingerprint(self) -> str:
        """The name of our origin."""
        return fingerprint(self.origin)

    def ingest(self, list_name: str, *paths: str | Path, log: NoteLog | None = None) -> Ingested:
        """Ingest files or folders of one list; what goes wrong is given to ``log``."""
        log = log or NoteLog()
        skipped = log.skipped
        sources = discover([f"{list_name}={path}" for path in paths], log)
        return replace(self.ingest_sources(sources, log), skipped=log.skipped - skipped)

    def ingest_sources(
        self,
        sources: Sequence[Source],
        log: NoteLog,
        *,
        asked: Collection[str] | None = None,
        processes: int | None = None,
        progress: Callable[[str], None] | None = None,
        withdraw_gone: bool = False,
    ) -> Ingested:
        """Ingest sources that were discovered.  Committed every few thousand messages; all of it is safe at the end.

        ``asked``: the lists that the operator named; a file of another list that would be merged with an archive that
        was ingested before is noted and not read.  None: all were.
        ``withdraw_gone``: messages that are gone from a folder or repository take their claims with them until they
        are back (`weft.index.listed_files`).
        """
        if not sources:
            raise SourceError("nothing to read: none of the paths holds mail")
        if asked is not None:
            sources = without_conflicts(sources, self.store.files().values(), asked, log)
        ingest = Ingest(self.store, self._view, self._signing_key, log, withdraw_gone=withdraw_gone)
        done = ingest.run(sources, processes, progress)
        note_ingest(self.store.path)
        return done

    def snapshot(self) -> AbstractContextManager[View]:
        """A context in which all that is read is of one moment, and of our policy; its value is the view.

        Whatever other processes write meanwhile.  Within another one it is part of that.
        """
        return snapshot(self._view, self._make_current)

    def thread(self, message_id: str, *, hidden: bool = True) -> Thread:
        """The whole thread in which an id stands.  ``hidden``: with ghosts that have no held descendant.

        Here and wherever an id is asked for, a handle of it will do (`weft.core.handle`).
        """
        self._names.prepare(message_id)
        with self.snapshot():
            reader = self._view.reader
            root = reader.root_of(self._node(message_id))
            return reader.thread(root, hidden=hidden, coverage_reader=self._view.coverage_reader())

    def threads(
        self,
        *,
        list_name: str | None = None,
        since: int | None = None,
        missing: bool = False,
        hidden: bool = True,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Thread]:
        """Threads, the one with the newest message first; those without a date last.

        ``since``: seconds since 1970 of its newest message; ``missing``: only those with a ghost above a held message;
        ``after``: an id in the last thread of the page before.
        """
        self._names.prepare(after)
        with self.snapshot():
            beyond = None if after is None else self._view.reader.root_of(self._node(after))
        given = 0
        for thread in self._whole(self._view.listing.newest_roots(since, beyond, list_name), hidden):
            if list_name is not None and list_name not in thread.lists:
                continue
            if missing and not misses_some(thread):
                continue
            if limit is not None and given >= limit:
                return
            given += 1
            yield thread

    def summaries(
        self,
        *,
        list_name: str | None = None,
        month: tuple[int, int] | None = None,
        since: int | None = None,
        missing: bool = False,
        after: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[ThreadSummary]:
        """A page of threads in short, the one with the newest message first; those without a date last.

        ``month``: (year, month) of the newest message, in UTC; ``since`` and ``missing``: as in `threads`.
        ``after``: an id in the last thread of the page before; ``before``: one in the first thread of the page behind.
        `ValueError` if there is no such month.
        """
        with self.snapshot():
            after_root, before_root = (
                None if name is None else self._view.reader.root_of(self._node(name)) for name in (after, before)
            )
            return self._summary_reader().page(
                list_name=list_name, month=month, since=since, missing=missing, after=after_root, before=before_root,
                limit=limit,
            )  # fmt: skip

    def summary(self, message_id: str) -> ThreadSummary:
        """The thread in which an id stands, in short."""
        with self.snapshot():
            return self._summary_reader().summary(self._view.reader.root_of(self._node(message_id)))

    def months(self, list_name: str | None = None) -> list[MonthSummary]:
        """The months that have threads, by the newest message of each, the latest first; of one list or of all."""
        with self.snapshot():
            return self._summary_reader().months(list_name)

    def list_summaries(self) -> list[ListSummary]:
        """The lists that the policy admits, by name, with counts and the date of what is newest."""
        with self.snapshot():
            return self._summary_reader().lists([feed for feed in self.lists() if feed.tier is not None])

    def large_thread(self, message_id: str, *, hidden: bool = True) -> LargeThread:
        """The thread in which an id stands, to be read in parts, all within one `snapshot`."""
        self._names.prepare(message_id)
        with self.snapshot():
            reader = self._view.reader
            return LargeThread(reader, reader.root_of(self._node(message_id)), hidden=hidden)

    def coverage(self, thread: LargeThread) -> Coverage:
        """How complete a thread that is read in parts can be, within the snapshot of its parts."""
        with self.snapshot():
            return thread.coverage(self._view.coverage_reader())

    def position(self) -> int:
        """The position of the last claim in the log that the view has seen."""
        with self.snapshot():
            return self._view.position()

    def names(self) -> dict[str, str]:
        """What the policy calls origins and peers, by fingerprint (`weft.policy.names`)."""
        return all_names(self.policy)

    def _summary_reader(self) -> SummaryReader:
        view = self._view
        return SummaryReader(view.connection, view.reader, view.listing.now)

    def all_threads(self, *, hidden: bool = True) -> Iterator[Thread]:
        """All threads, by date and root id, as `weft.rebuild` gives them."""
        with self.snapshot():
            roots = self._view.listing.roots(hidden=hidden)
        yield from self._whole(roots, hidden)

    def search(
        self,
        words: str,
        *,
        limit: int = 100,
        list_name: str | None = None,
        since: int | None = None,
        until: int | None = None,
        after: str | None = None,
    ) -> SearchResults:
        """Messages whose subject and author together hold all the words, the newest first; those without a date last.

        ``words``: whole words, in any case, phrases, prefixes and operators: `weft.index.search_query`.
        ``list_name``: only copies on this list; ``since``: only messages of that date or a later one, in seconds
        since 1970; ``until``: only earlier ones; ``after``: the id of the last message of the page before.
        """
        self._names.prepare(after)
        with explained(self.store.path):
            if ":" in words:  # it may name a message by its handle
                self._names.note()
            self._view.fill_search()
        with self.snapshot():
            beyond = None if after is None else self._node(after)
            view = self._view
            found = SearchResults(
                view.listing.search(
                    words, limit, list_name=list_name, since=since, until=until, after=beyond, node_of=self._node
                )
            )
            found.incomplete = view.searched() < view.position()
            return found

    def explain(self, message_id: str) -> Explanation:
        """Who says what about an id, and which rule decided its edge."""
        self._names.prepare(message_id)
        with self.snapshot():
            return self._explain(self._node(message_id))

    def _explain(self, node: int) -> Explanation:
        view, reader = self._view, self._view.reader
        tier, parent, cut = view.row(node)
        literal, root = view.id_of(node), reader.root_of(node)
        return Explainer(self.store, reader).explain(
            literal,
            root=view.id_of(root),
            parent=None if parent is None else view.id_of(parent),
            tier=tier,
            cut=None if cut is None else view.id_of(cut),
            children=view.children_ids(node),
            lookalikes=self.store.lookalikes(literal, _LOOKALIKES),
            coverage=reader.coverage(root, view.coverage_reader()),
            alias_of=view.aliases.messages(literal),
        )

    def raw(self, thread: Thread, missing: Callable[[str], None]) -> Iterator[tuple[bytes, bool]]:
        """The mail of a thread, from the files it was ingested from: (bytes, whether mbox-escaped).

        ``missing`` gets a line for each message that is not there: it came from a peer, or its file has changed.
        For more than one thread use `mail`, which unpacks a compressed file once for all of them.
        """
        with explained(self.store.path), self.mail(lambda lost: missing(str(lost))) as mail:
            yield from mail.raw([thread])

    def mail(self, missing: Callable[[MissingMail], None], *, max_ratio: int = 200) -> RawMail:
        """What reads the mail of any number of threads, as a context: see `raw`.

        ``max_ratio``: of a compressed file, no more is unpacked than so many bytes for each of its own.
        """
        with explained(self.store.path):
            return RawMail(self.store, self.origin, missing, max_ratio, self._counts)

    def _counts(self, identity: bytes, claim: Claim) -> bool:
        return not self._view.claim_filter.hidden(identity, claim)

    def lists(self) -> list[ListInfo]:
        """The feeds of which claims are held that stand, by list and origin."""
        with self.snapshot():
            standing = self._view.standing()
        return sorted(
            (
                ListInfo(
                    feed.list.decode(),
                    fingerprint(feed.origin),
                    feed.origin == self.origin,
                    count,
                    self.policy.tier(feed),
                )
                for feed, count in standing.items()
            ),
            key=lambda info: (info.list, info.origin),
        )

    def retract(self, ids: Sequence[str], *, list_name: str | None = None) -> int:
        """Withdraw our own claims about these message ids (or with these claim ids); how many."""
        with self._view.transaction():
            return self._own_claims.retract(self._chosen(ids), list_name)

    def restate(self, ids: Sequence[str], *, list_name: str | None = None) -> Restated:
        """Undo `retract`: state again what it withdrew."""
        with self._view.transaction():
            return self._own_claims.restate(self._chosen(ids), list_name)

    def rename_list(self, old: str, new: str) -> int:
        """State all our claims of one list for another, and withdraw the old ones; how many."""
        self._check_name(old)
        self._check_name(new)
        if old == new:
            raise UsageError(f"{old!r} is its name already")
        with self._view.transaction():
            self.store.rename_files(old, new)
            return self._own_claims.rename(old, new)

    def remove_list(self, name: str) -> int:
        """Withdraw all our claims of a list, and forget that its files were read; how many."""
        self._check_name(name)
        with self._view.transaction():
            self.store.forget_files(name)
            return self._own_claims.remove(name)

    def restore_list(self, name: str) -> int:
        """Undo `remove_list`: state again what it withdrew; how many claims."""
        self._check_name(name)
        with self._view.transaction():
            return self._own_claims.undo_removal(name)

    def expunge(self, ids: Sequence[str]) -> int:
        """Delete the bytes of all claims about these message ids (or with these claim ids) here; how many.

        A withdrawal stays: peers have to learn of it, and it says nothing but the message id.
        """
        with self._view.transaction():
            chosen = {held.identity: held for held in self._chosen(ids) if held.data}
            going = [held for held in chosen.values() if not isinstance(read_claim(held), Withdrawal)]
            self._view.expunge(going)
            return self.store.expunge([held.identity for held in going])

    @property
    def erasure(self) -> Erasure:
        """What erases messages here, deletes what was withdrawn, and knows which peers have confirmed."""
        return Erasure(self.store, self._view, lambda: self._signing_key)

    def admit(self, parts: Sequence[VerifiedPart], delivery: Delivery | None = None) -> range:
        """Keep claims of others that `weft.exchange.claim_proofs` has verified; the positions of those that are new.

        ``delivery``  what is counted with them, new or not, against the quota of who handed them over

        `weft.errors.ClaimError` if one of the parts is of a feed that the policy does not admit; then nothing of any of
        them is kept.
        """
        for part in parts:
            check_admissible(part, self.policy)
        with self._view.transaction():
            stored = self.store.put(parts)
            self._view.add(stored)
            if delivery is not None:
                Received(self.store.connection).count(delivery)
        return range(stored[0].position, stored[-1].position + 1) if stored else range(0)

    def count_received(self, delivery: Delivery) -> None:
        """Count what was handed over and not kept against the quota of who handed it over."""
        with self.store.transaction():
            Received(self.store.connection).count(delivery)

    def received(self, peer: bytes, day: date, feeds: Collection[Feed] | None = None) -> dict[Feed, Amount]:
        """What a peer handed over on a day, of all feeds or of some."""
        with explained(self.store.path):
            return Received(self.store.connection).of(peer, day, feeds)

    def record_covered(
        self,
        peer: bytes,
        lists: Mapping[bytes, Lists],
        asked: Collection[bytes] | None,
        cut: Sequence[bytes],
        when: int,
    ) -> None:
        """Remember what a peer was asked; it replaces what was remembered of it.

        ``lists``  of which feeds, by origin
        ``asked``  about which message ids, as their digests (`weft.core.id_digest`); None: these feeds are mirrored
        ``cut``    the roots of trees of which not all was asked
        ``when``   its answers were complete, in seconds since 1970

        `ValueError` for what cannot be meant.
        """
        with self.store.transaction():
            self._view.exchanges.record(peer, lists, asked, cut, when)

    def exchanges(self) -> list[SyncRecord]:
        """What peers were asked, by `record_covered`."""
        with self.snapshot():
            return self._view.exchanges.all()

    def view_id(self, *, common: bool = False) -> bytes:
        """32 bytes that are equal for equal views; ``common``: of the view that servers can compare.  Reads it all."""
        with self.snapshot():
            return identify(self.store, self.policy.common() if common else self.policy)

    def diff(self, first: Policy, second: Policy) -> Iterator[EdgeDifference]:
        """Each id whose parent differs between the views of two policies, and why."""
        with explained(self.store.path):
            yield from compare(self.store, first, second)

    def differs_from_common(self, thread: Thread) -> int:
        """In how many of a thread's ids the common view has another parent."""
        with self.snapshot():
            return common_differences(self.store, self.policy, thread)

    def check(self) -> Iterator[Problem]:
        """Verify every hash, signature and derived row."""
        with explained(self.store.path):
            yield from check(self.store, self._view)

    def repair(self) -> list[Problem]:
        """Make again what is derived, and name what is lost."""
        with explained(self.store.path):
            return repair(self.store, self._view, self._signing_key)

    def set_policy(self, policy: Policy) -> None:
        """Use another policy from now on."""
        if policy.view.subject_join:
            raise UsageError("view.subject_join: an index cannot join by subject; use weft rebuild --join-subjects")
        view = View(self.store, policy)
        if not self._read_only:
            with explained(self.store.path):
                view.refresh()
        self.policy, self._view = policy, view

    def _make_current(self) -> None:
        """The view is of another policy, or not of all claims."""
        if self._prepared is not None:
            self._prepared()
        elif self._read_only:
            raise StoreError(f"{self.store.path}: the view is of another policy or version; open it once to write")
        else:
            self._view.refresh()

    def close(self) -> None:
        """Let go of it."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_origin(self) -> None:
        """`KeyFileError` if the index was made with another key: then all that is ours would be a stranger's."""
        if self._key is None:
            return
        stated = self.store.origin()
        if stated is None and not self._read_only:
            with self.store.transaction():
                self.store.connection.execute(
                    "INSERT OR IGNORE INTO meta (name, value) VALUES ('origin', ?)", (self.origin,)
                )
        elif stated is not None and stated != self.origin:
            handed = " (or another credential is handed over)" if credential() else ""
            what = f"it was made as origin {short_fingerprint(stated)}; restore that key from a backup{handed}"
            raise KeyFileError(f"{key_path(self.store.path)}: this is not the key of this index; {what}")

    def _whole(self, roots: Iterable[int], hidden: bool) -> Iterator[Thread]:
        """The threads of some roots, each read when it is asked for; those are left out that are no roots by then."""
        with explained(self.store.path):
            for root in roots:
                with self.snapshot():
                    view = self._view
                    is_root = view.is_root(root)
                    thread = (
                        view.reader.thread(root, hidden=hidden, coverage_reader=view.coverage_reader())
                        if is_root
                        else None
                    )
                if thread is not None:
                    yield thread

    def _node(self, message_id: str) -> int:
        node = self._view.look_up(keys_of(message_id))
        if node is not None:
            return node
        node = self._view.look_up(keys_of(self._names.named(message_id)))
        if node is not None:
            return node
        raise NotFoundError(f"no message here has or names the id {message_id!r}", advice="try: weft search WORDS")

    def resolve(self, name: str) -> str:
        """The message id that a handle (`weft.core.handle`) or the URL of a page of an archive names; an id as it is.

        What is an id that somebody names here is never anything else.  `NotFoundError` if nothing here is named so,
        and `AmbiguousError` with the ids if several are.
        """
        with self.snapshot() as view:
            if view.look_up(keys_of(name)) is not None:
                return name
        self._names.prepare(name)
        return self.named(name)

    def named(self, name: str) -> str:
        """As `resolve`, of a name that is no id here."""
        with self.snapshot():
            return self._names.named(name)

    def handles(self, ids: Iterable[str]) -> dict[str, str]:
        """The handle of each id, with as many letters as tell it from all others here (`weft.core.handle`)."""
        with explained(self.store.path):
            self._names.note()
        with self.snapshot():
            return self._names.handles(ids)

    def _chosen(self, ids: Sequence[str]) -> Iterator[StoredClaim]:
        """The claims that are meant by message ids and by claim ids (64 hex digits)."""
        for text in ids:
            claim = parse_claim_id(text)
            found = self.store.get([claim]) if claim else []
            if not found:
                found = list(self._about(text))
            if not found and parse_handle(text):
                found = list(self._about(self._names.named(text)))
            if not found:
                raise NotFoundError(f"no claim here is about {text!r}")
            yield from found

    def _about(self, message_id: str) -> Iterator[StoredClaim]:
        after = 0
        while page := self.store.claims_about(keys_of(message_id), after, PAGE):
            yield from page
            after = page[-1].position

    @property
    def _own_claims(self) -> OwnClaims:
        return OwnClaims(self.store, self._view, self.origin, lambda: self._signing_key)

    def _check_name(self, name: str) -> None:
        try:
            check_list_name(name)
        except ValueError as error:
            raise UsageError(f"{name!r} cannot name a list: {error}") from None
