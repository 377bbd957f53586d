"""The view: the forest of the claims that one policy counts, as rows that can be thrown away and made again.

Theory of operation
-------------------
Table ``nodes`` has a row for each id: what the live forest knows of it (`weft.core.cycle_cutting.NodeState`), and the
earliest date of its best copies; ``recent`` has the trees by their newest message (`weft.index.recency`).  New claims
change only the rows that they can change.  What leaves the view (a withdrawal, bytes that were deleted) makes the rows
that it touched be computed again from the claims that stay; so does a change of what the policy mutes.  A view made
under a policy that differs otherwise, or by another version, is made again from the log, in one transaction.

Table ``search`` is an FTS5 index without content; it follows the log and is caught up when it is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice

from weft.core.claim import Claim, Withdrawal
from weft.core.cycle_cutting import CUT, DISAGREED, OFF, WITNESS_RANK
from weft.core.date import MISSING, parse_date, plausible
from weft.core.feed import Feed
from weft.core.forest import NONE
from weft.core.incremental_forest import IncrementalForest
from weft.index.aliases import AliasTable, alias_nodes
from weft.index.bulk_rows import BulkRows, read_log
from weft.index.claim_filter import ClaimFilter, resolve, sure_nodes, weak_nodes
from weft.index.coverage import CoverageReader
from weft.index.fulltext import WORDS_VERSION, check_search, fill_search, forget_texts, start_again
from weft.index.listing import Listing
from weft.index.mute_changes import MuteChange, PolicyMarks, load_mutes
from weft.index.node_cache import NodeCache
from weft.index.recency import RecencyTables
from weft.index.rivals import Rivals
from weft.index.schema import SCHEMA, TABLES
from weft.index.sync_history import SyncHistory
from weft.index.thread_reader import CountedClaim, ThreadReader
from weft.model import Problem
from weft.policy.rules import Mute, Policy
from weft.store.id_table import chunks
from weft.store.interface import PAGE, InsertedClaim, StoredClaim, read_claim
from weft.store.sqlite import SqliteStore

_STEP = 4000
_MANY = 8
"""If more than one claim in so many is hidden or shown, the view is made again."""
_ALL = (1 << 63) - 1


class View:
    """The derived tables of one index under one policy.  Used in the store's transactions."""

    def __init__(self, store: SqliteStore, policy: Policy) -> None:
        self.store = store
        self.policy = policy
        self.connection = store.connection
        self.withdrawn: set[bytes] = set()
        self.claim_filter = ClaimFilter(policy, self.withdrawn)
        self.reader = ThreadReader(self.connection, self.claim_filter)
        self._pending: dict[bytes, list[Withdrawal]] = {}
        self._node_cache = NodeCache(self.connection)
        self.claim_filter.claimed = self._node_cache.is_claimed
        self.reader.claimed = self.claimed
        self._risen: list[int] = []  # nodes about which the first claim came
        self._recent = RecencyTables(self.connection, self._node_cache, self._lists_of)
        self.rivals = Rivals(store, self.reader)
        self.aliases = AliasTable(store)
        self._torn: set[int] = set()
        self._leaving: set[bytes] = set()
        self._bulk: BulkRows | None = None  # what waits while the first claims are loaded
        self._upto = _ALL  # claims beyond this position have not been seen
        self.forest = IncrementalForest(self._node_cache)
        self.exchanges = SyncHistory(self.connection)
        self.version = -1
        """The `SqliteStore.version` that the rows are of; -1 if nothing is known of them."""
        self._remembered: tuple[object, Mapping[Feed, int], CoverageReader] | None = None

    def refresh(self) -> None:
        """Make the tables if one is missing, and the view again if it is of another policy or version."""
        if self._tables() < TABLES:
            with self.store.transaction():
                for table in TABLES:
                    self.connection.execute(f"DROP TABLE IF EXISTS {table}")
                for statement in SCHEMA:
                    self.connection.execute(statement)
        if not self.follow():
            with self.transaction():
                pass

    def is_same_under(self, policy: Policy) -> bool:
        """Whether another policy makes the same rows of the same claims: it differs in what it says of peers alone."""
        return PolicyMarks.of(policy).state == self._of_policy.state

    def follow(self) -> bool:
        """Notice what other processes have written; whether the rows are those of this policy and of all claims.

        To be called before the view is read.  `transaction` does it too, and makes the view again if need be.
        """
        version = self.store.version()
        if version != self.version:
            if self._tables() < TABLES:
                return False
            known = dict(self.connection.execute("SELECT key, value FROM view").fetchall())
            if (known.get("state"), known.get("words")) != (self._of_policy.state, WORDS_VERSION):
                return False
            if known.get("position", b"0") != b"%d" % self.store.position():
                return False
            self._forget()
            self._load_withdrawn()
            self.claim_filter.aliases = alias_nodes(self.store, self.policy)
            self.version = version
        return True

    def _make_current(self) -> None:
        """The rest of `follow`, within a transaction."""
        self._forget()
        position = self._number("position")
        if (
            self._get("state") != self._of_policy.state
            and position <= self.store.position()
            and self._follow_mutes(position)
        ):
            return
        if self._get("state") != self._of_policy.state or position > self.store.position():
            for table in ("nodes", "rivals", "recent", "lists", "weak", "aliases", "withdrawals"):
                self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            self._set("position", b"0")
        if self._get("words") != WORDS_VERSION:
            start_again(self.connection)
            self._set("searched", b"0")
            self._set("words", WORDS_VERSION)
        self._load_withdrawn()
        self.claim_filter.aliases = alias_nodes(self.store, self.policy, create=True)
        self.catch_up()

    def _follow_mutes(self, position: int) -> bool:
        """Hide and show claims if the policy mutes others than before and is the same otherwise; whether that is so."""
        written = self._get("mutes")
        before = (
            load_mutes(written, self.policy.own) if written and self._get("others") == self._of_policy.others else None
        )
        if before is None or self._get("words") != WORDS_VERSION:
            return False
        change = MuteChange(before, self.policy.mute)
        candidates = change.few_candidates(self.store, position, position // _MANY + PAGE)
        if candidates is None:
            return False
        self._load_withdrawn()
        self.claim_filter.aliases = alias_nodes(self.store, self.policy, create=True)
        resolved = resolve(self.store, candidates)
        if any(isinstance(one.claim.parsed, Withdrawal) for one in resolved):
            return False
        self._change_filter(before, candidates, resolved)
        self._recompute([node for name in sorted(change.children()) if (node := self.node(name)) is not None], set())
        self._done(position)
        self.catch_up()
        return True

    def _change_filter(
        self, before: Mute, candidates: Sequence[StoredClaim], resolved: Sequence[InsertedClaim]
    ) -> None:
        """Of some claims, take those away that the policy hides now and did not before, and add those it shows now."""
        after, old = self.claim_filter, ClaimFilter(replace(self.policy, mute=before), self.withdrawn)
        old.claimed, old.aliases = after.claimed, after.aliases
        was, now = (
            {one.position for one in resolved if which.hidden(one.claim.identity, one.claim.parsed)}
            for which in (old, after)
        )
        self.claim_filter = old
        try:
            self.take_away([held for held in candidates if held.position in now - was])
        finally:
            self.claim_filter = after
        coming = [one for one in resolved if one.position in was - now]
        for start in range(0, len(coming), _STEP):
            self._add(coming[start : start + _STEP], upto=_ALL)

    def catch_up(self) -> None:
        """See what the log holds beyond what the view has seen; within a transaction."""
        after = self._number("position")
        while page := self.store.log(after, _STEP):
            if not after and not self._has_rows():
                after = self._write_at_once(read_log(self.store, self.claim_filter))
                if after:
                    continue
            self._add(resolve(self.store, page))
            after = page[-1].position
        self._done(after)

    def _write_at_once(self, rows: BulkRows) -> int:
        """Write the rows of all claims up to a position of the log, which it gives."""
        if rows.position:
            rows.write(self.store, self._recent, self.rivals, self.aliases, int(time.time()))
        return rows.position

    @contextmanager
    def loading(self) -> Iterator[None]:
        """While it lasts, the rows of claims that are put into an empty index wait; at its end all are written at once.

        If it does not come to its end, or if somebody else writes meanwhile, the claims are seen as those of a log that
        the view has not read yet.  Within another one it is part of that.
        """
        if self._bulk is not None or self.store.position():
            yield
            return
        with self.transaction():
            self._bulk = None if self.store.position() or self._has_rows() else BulkRows(self.claim_filter)
        try:
            yield
            if self._bulk is not None:
                with self.transaction():
                    if rows := self._stop_loading():
                        self._done(self._write_at_once(rows))
        finally:
            self._stop_loading()

    def _stop_loading(self) -> BulkRows | None:
        """Wait no longer with rows: their claims are those of a log that the view has not read, unless they follow."""
        rows, self._bulk = self._bulk, None
        if rows is not None:
            self._forget()
        return rows

    def _has_rows(self) -> bool:
        return bool(self.connection.execute("SELECT EXISTS (SELECT 1 FROM nodes)").fetchone()[0])

    def add(self, stored: Sequence[InsertedClaim]) -> None:
        """See claims that were put just now, in the same transaction."""
        if self._bulk is not None and stored:
            if not self._bulk.add(stored, stored[-1].position):
                self._stop_loading()
                self._make_current()
            return
        for start in range(0, len(stored), _STEP):
            self._add(stored[start : start + _STEP])
        if stored:
            self._done(stored[-1].position)

    def take_away(self, claims: Sequence[StoredClaim]) -> None:
        """Claims leave the view for good, and are still in the store while this is called."""
        gone = {held.identity for held in claims}
        nodes: dict[int, None] = {}
        about: dict[int, None] = {}
        for stored in resolve(self.store, claims):
            if not self.claim_filter.hidden(stored.claim.identity, stored.claim.parsed):
                nodes.update(dict.fromkeys(sure_nodes(stored, self.claim_filter.aliases)))
                about[stored.node] = None
        self.aliases.remove(claims)
        self._recompute(list(nodes), gone)
        self._hear_again([node for node in about if not self._node_cache.is_claimed(node)], gone)

    def position(self) -> int:
        """The position of the last claim that the view has seen."""
        return self._number("position")

    def row(self, node: int) -> tuple[int, int | None, int | None]:
        """(tier, parent, lost parent) of a node: its best tier, 255 for a ghost; the parent that a cut took from it."""
        rank, said, parent, loop = self.connection.execute(
            "SELECT rank, said, parent, loop FROM nodes WHERE node = ?", (node,)
        ).fetchone()
        tier = rank if rank < WITNESS_RANK else 255
        return tier, None if parent == NONE else parent, said if loop == CUT else None

    def is_root(self, node: int) -> bool:
        """Whether a node is the root of a tree of the view."""
        row = self.connection.execute("SELECT parent FROM nodes WHERE node = ?", (node,)).fetchone()
        return row is not None and row[0] == NONE

    def node(self, message_id: bytes) -> int | None:
        """The node of an id that the view has a row for, or of what it counts as by the policy."""
        for name in dict.fromkeys((message_id, self.policy.meant(message_id))):
            [node] = self.store.node_numbers([name], create=False)
            if node is not None and self.connection.execute("SELECT 1 FROM nodes WHERE node = ?", (node,)).fetchone():
                return node
        return None

    def on_cycles(self, ids: Sequence[bytes]) -> list[int]:
        """The nodes of those of some ids that stand on a cycle, in their order."""
        nodes = [node for node in self.store.node_numbers(ids) if node is not None]
        found: set[int] = set()
        for marks, chunk in chunks(nodes):
            query = f"SELECT node FROM nodes WHERE node IN ({marks}) AND loop <> ?"  # noqa: S608 - question marks only
            found.update(node for (node,) in self.connection.execute(query, (*chunk, OFF)))
        return [node for node in nodes if node in found]

    def look_up(self, names: Sequence[bytes]) -> int | None:
        """As `node`, of the first of some ids that has one; else of the message that states one of them as an alias."""
        return self.aliases.look_up(names, self.node)

    def claimed(self, message_id: bytes) -> bool:
        """Whether a claim of the view is about an id, or about what it counts as: then it counts where it is weak."""
        [node] = self.store.node_numbers([self.policy.meant(message_id)])
        return node is not None and self._node_cache.is_claimed(node)

    def id_of(self, node: int) -> bytes:
        """The id of a node."""
        return self.store.ids_of([node])[0]

    def children_ids(self, node: int) -> list[bytes]:
        """The ids of the children of a node, sorted."""
        return sorted(
            row[0]
            for row in self.connection.execute(
                "SELECT id FROM nodes JOIN ids ON ids.node = nodes.node WHERE parent = ? AND parent >= 0",
                (node,),
            )
        )

    def standing(self) -> Mapping[Feed, int]:
        """How many claims about messages are held of each feed and were not withdrawn; feeds with none are left out."""
        return self._summary()[0]

    def coverage_reader(self) -> CoverageReader:
        """What tells the coverage of threads."""
        return self._summary()[1]

    def _summary(self) -> tuple[Mapping[Feed, int], CoverageReader]:
        """What is worked out once for each state of the index: as long as nobody else writes, and nor do we."""
        state = self.version, self.connection.total_changes
        if self._remembered is None or self._remembered[0] != state or self.version < 0:
            counts = self._count()
            self._remembered = state, counts, CoverageReader(self.policy, counts, self.exchanges.all())
        return self._remembered[1:]

    def _count(self) -> dict[Feed, int]:
        counts = self.store.feeds()
        rows = self.connection.execute(
            "SELECT feeds.origin, feeds.list, count(DISTINCT withdrawals.position), "
            "count(DISTINCT iif(withdrawals.valid, withdrawals.target, NULL)) FROM withdrawals "
            "JOIN claims ON claims.position = withdrawals.position JOIN batches ON batches.batch = claims.batch "
            "JOIN feeds ON feeds.feed = batches.feed GROUP BY 1, 2"
        )
        for origin, name, withdrawals, targets in rows:
            counts[Feed(origin, name)] -= withdrawals + targets
        return {feed: count for feed, count in counts.items() if count > 0}

    def fill_search(self) -> None:
        """Put into the search table what the log holds beyond it, if the index is open for writing."""
        while self._number("searched") < self.store.position() and not self.store.read_only:
            with self.store.transaction():
                # Another process may have been faster: only now do both numbers stand still.
                searched, position = self._number("searched"), self.store.position()
                if searched < position:
                    reached = fill_search(self.connection, searched, position)
                    self._set("searched", str(reached).encode())

    def searched(self) -> int:
        """The position of the last claim whose words can be searched."""
        return self._number("searched")

    def check_search(self) -> Iterator[Problem]:
        """Whether the search table is what the claims say, as far as it goes; not if the index is open to read only."""
        if not self.store.read_only:
            yield from check_search(self.connection, lambda: self._number("searched"))

    @property
    def listing(self) -> Listing:
        """Lists what the view holds."""
        return Listing(self.connection, self.reader, int(time.time()))

    def expunge(self, claims: Sequence[StoredClaim]) -> None:
        """As `take_away`, and their words can no longer be searched for."""
        self.take_away(claims)
        searched = self._number("searched")
        forget_texts(self.connection, [held for held in claims if held.position <= searched])
        for table in ("withdrawals", "weak"):
            self.connection.executemany(
                f"DELETE FROM {table} WHERE position = ?",  # noqa: S608 - our own names
                [(held.position,) for held in claims],
            )
        # Without its bytes a claim cannot be compared with what a withdrawal says of it: the feed has to do.
        self.connection.executemany(
            "UPDATE withdrawals SET valid = EXISTS (SELECT 1 FROM withdrawals other "
            "JOIN claims ON claims.position = other.position JOIN batches ON batches.batch = claims.batch "
            "WHERE other.target = ?1 AND feed = (SELECT feed FROM batches WHERE batch = ?2)) WHERE target = ?1",
            [(held.identity, held.batch) for held in claims],
        )
        self._load_withdrawn()

    def remake(self) -> None:
        """Throw all derived tables away and make them again."""
        self._forget()
        with self.store.transaction():
            for table in sorted(TABLES):
                self.connection.execute(f"DROP TABLE IF EXISTS {table}")
        self.refresh()

    def _add(self, stored: Sequence[InsertedClaim], upto: int | None = None) -> None:
        """See some claims; ``upto``: all up to this position were seen, by default up to the last of them."""
        counted: list[tuple[InsertedClaim, Claim]] = []
        withdrawals: list[tuple[InsertedClaim, Withdrawal]] = []
        hidden = self.claim_filter.hidden
        for one in stored:
            new = one.claim
            claim, identity = new.parsed, new.identity
            if self._pending and isinstance(claim, Claim) and self._takes(identity, claim):
                self._valid(identity)
            if hidden(identity, claim):
                continue
            if isinstance(claim, Claim):
                counted.append((one, claim))
            else:
                withdrawals.append((one, claim))
        self._upto = upto if upto is not None else stored[-1].position if stored else _ALL
        nodes: set[int] = set()
        aliases = self.claim_filter.aliases
        for one, _ in counted:
            nodes.update(sure_nodes(one, aliases))
        self._node_cache.preload(nodes)
        doubtful = [(one.position, weak_nodes(one, claim, aliases)) for one, claim in counted if claim.doubtful]
        self.connection.executemany(
            "INSERT OR IGNORE INTO weak (target, position, alone) VALUES (?, ?, ?)",
            [(node, position, alone) for position, nodes in doubtful for node, alone in sorted(nodes.items())],
        )
        self.aliases.add(counted)
        for one, claim in counted:
            self._hear(one, claim)
        self._write([(one.node, claim.list) for one, claim in counted])
        risen, self._risen = self._risen, []
        self._hear_again(risen, set())
        if withdrawals:
            self._withdraw(withdrawals)
        self._upto = _ALL

    def _hear(self, stored: InsertedClaim, claim: Claim) -> None:
        interpreted = self.claim_filter.interpret(stored, claim)
        state = self._node_cache.state(stored.node)
        before, said = state.rank, state.stated_parent
        if before >= WITNESS_RANK:
            self._risen.append(stored.node)
        self.forest.add(interpreted)
        if DISAGREED in (said, state.stated_parent):
            self._torn.add(stored.node)
        if interpreted.tier <= before:
            self._date(stored.node, plausible(parse_date(claim.date)[0]), replace=interpreted.tier < before)

    def _date(self, node: int, seconds: int, *, replace: bool) -> None:
        known = None if replace else self._node_cache.dates.get(node)
        date = known if seconds == MISSING else seconds if known is None else min(known, seconds)
        if replace or date != known:
            self._node_cache.date(node, date)

    def _withdraw(self, withdrawals: Sequence[tuple[InsertedClaim, Withdrawal]]) -> None:
        """Take back what they name as far as it is here, all at once; remember the others."""
        for stored, withdrawal in withdrawals:
            self._pending.setdefault(withdrawal.target, []).append(withdrawal)
            self.connection.execute(
                "INSERT OR IGNORE INTO withdrawals (target, position, valid) VALUES (?, ?, ?)",
                (withdrawal.target, stored.position, withdrawal.target in self.withdrawn),
            )
        targets = dict.fromkeys(withdrawal.target for _, withdrawal in withdrawals)
        taken, gone = [], []
        for held in self.store.get(list(targets)):
            claim = read_claim(held)
            if isinstance(claim, Claim) and held.identity not in self.withdrawn and self._takes(held.identity, claim):
                taken.append(held)
            elif not held.data and self._takes_expunged(held):
                gone.append(held)
        self.take_away(taken)
        for held in chain(taken, gone):
            self._valid(held.identity)

    def _takes(self, identity: bytes, claim: Claim) -> bool:
        """Whether one of the withdrawals that were heard takes a claim back."""
        return any(withdrawal.withdraws(identity, claim) for withdrawal in self._pending.get(identity, ()))

    def _takes_expunged(self, held: StoredClaim) -> bool:
        """The same of a claim whose bytes are gone, which has to be of the same feed."""
        feed = self.store.feed(held.batch)
        return any(withdrawal.feed == feed for withdrawal in self._pending.get(held.identity, ()))

    def _valid(self, target: bytes) -> None:
        self.withdrawn.add(target)
        self.connection.execute("UPDATE withdrawals SET valid = 1 WHERE target = ?", (target,))

    def _hear_again(self, nodes: Sequence[int], gone: set[bytes]) -> None:
        """The first claim about some nodes came, or the last went: what names them weakly says something else now."""
        if not self.connection.execute("SELECT 1 FROM weak LIMIT 1").fetchone():
            return
        positions: set[int] = set()
        for marks, chunk in chunks(sorted(set(nodes))):
            query = f"SELECT position FROM weak WHERE target IN ({marks})"  # noqa: S608 - question marks only
            positions.update(position for (position,) in self.connection.execute(query, chunk))
        changed: dict[int, None] = {}
        for stored in resolve(self.store, self.store.at(sorted(positions))):
            identity, claim = stored.claim.identity, stored.claim.parsed
            if identity not in gone and stored.position <= self._upto and not self.claim_filter.hidden(identity, claim):
                changed.update(dict.fromkeys(sure_nodes(stored, self.claim_filter.aliases)))
        if changed:
            self._recompute(list(changed), gone)

    def _recompute(self, nodes: Sequence[int], gone: set[bytes]) -> None:
        self._node_cache.preload(nodes)
        for node, literal in zip(nodes, self.store.ids_of(nodes), strict=True):
            about = list(self._still(literal, gone, about=True))
            naming = self._still(literal, gone, about=False)
            first = [] if about else list(islice(naming, 1))
            state = self._node_cache.state(node)
            said = state.stated_parent
            self.forest.recompute(
                node,
                [self.claim_filter.interpret(stored, claim) for stored, claim in about],
                (self.claim_filter.interpret(stored, claim) for stored, claim in chain(first, naming)),
            )
            if DISAGREED in (said, state.stated_parent):
                self._torn.add(node)
            dates = [
                plausible(parse_date(claim.date)[0])
                for _, claim in about
                if self.claim_filter.tier(claim.feed) == state.tier
            ]
            stated = [seconds for seconds in dates if seconds != MISSING]
            self._node_cache.date(node, min(stated, default=None))
            if not about and not first:
                self._node_cache.unnamed.add(node)
        self._leaving = gone
        self._write(left=nodes)
        self._leaving = set()

    def _still(self, literal: bytes, gone: set[bytes], *, about: bool) -> Iterator[tuple[InsertedClaim, Claim]]:
        """The claims about an id, or that name it, which count but for those that are ``gone``."""
        ask = self.store.claims_about if about else self.store.claims_referring_to
        names, after = [literal] if about else [literal, *self.reader.counting_as(literal)], 0
        while page := ask(names, after, PAGE):
            staying = [held for held in page if held.identity not in gone and held.position <= self._upto]
            for stored in resolve(self.store, staying):
                claim = stored.claim.parsed
                if not isinstance(claim, Claim) or self.claim_filter.hidden(stored.claim.identity, claim):
                    continue
                if about or self._names(claim, literal):
                    yield stored, claim
            after = page[-1].position

    def _names(self, claim: Claim, literal: bytes) -> bool:
        """Whether a claim that refers to an id, or to one that counts as it, names it whatever others say."""
        if self.policy.aliases:
            return literal in {self.policy.meant(name) for name in claim.sure_ids}
        return not claim.doubtful or literal in claim.sure_ids

    def _write(self, interpreted: Sequence[tuple[int, bytes]] = (), left: Sequence[int] = ()) -> None:
        # Before rows are written: a node that nothing names any more is forgotten then, and to ask would make it anew.
        torn = {node: self._node_cache.state(node).contested for node in sorted(self._torn)}
        self._torn.clear()
        changes = self._node_cache.write(self.forest.dirty)
        self.forest.dirty.clear()
        self._recent.write(interpreted, left, changes, int(time.time()))
        if torn:
            contested = [node for node, now in torn.items() if now]
            self.rivals.write(contested, [node for node, now in torn.items() if not now], self._stays)
        self._node_cache.drop_fresh()
        self._node_cache.trim()

    def _stays(self, one: CountedClaim) -> bool:
        """Whether a claim that counts was seen and stays."""
        return one.position <= self._upto and one.identity not in self._leaving

    def _lists_of(self, nodes: Sequence[int]) -> set[bytes]:
        """The lists of the claims that count about some nodes, as far as they were seen and stay."""
        seen = chain.from_iterable(self.reader.claims_about(nodes).values())
        return {one.claim.list for one in seen if self._stays(one)}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The store's transaction, with the view up to date; after a rollback nothing of the view is remembered."""
        try:
            with self.store.transaction():
                if self._bulk is not None and (self.store.position() != self._bulk.position or self.position()):
                    self._stop_loading()  # somebody else wrote
                if self._bulk is None and not self.follow():
                    self._make_current()
                yield
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._node_cache.forget()
        self._recent.forget()
        self.reader.forget_future()
        self.forest.forget()
        self._leaving, self._upto = set(), _ALL
        self._risen.clear()
        self._torn.clear()
        self.version, self._remembered = -1, None

    def _load_withdrawn(self) -> None:
        """Read what withdrawals take back, and those whose targets have not come."""
        self.withdrawn.clear()
        self._pending.clear()
        pending: list[int] = []
        for target, position, valid in self.connection.execute("SELECT target, position, valid FROM withdrawals"):
            if valid:
                self.withdrawn.add(target)
            else:
                pending.append(position)
        for held in self.store.at(pending) if pending else ():
            withdrawal = read_claim(held)
            if isinstance(withdrawal, Withdrawal):
                self._pending.setdefault(withdrawal.target, []).append(withdrawal)

    def _done(self, position: int) -> None:
        self.connection.executemany(
            "INSERT OR REPLACE INTO view (key, value) VALUES (?, ?)",
            (("position", b"%d" % position), *self._of_policy._asdict().items()),
        )

    @cached_property
    def _of_policy(self) -> PolicyMarks:
        return PolicyMarks.of(self.policy)

    def _get(self, name: str) -> bytes | None:
        row = self.connection.execute("SELECT value FROM view WHERE key = ?", (name,)).fetchone()
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def _number(self, name: str) -> int:
        """A position that is remembered; 0 if none is."""
        value = self._get(name) or b"0"
        return int(value) if value.isdigit() else 0

    def _set(self, name: str, value: bytes) -> None:
        self.connection.execute("INSERT OR REPLACE INTO view (key, value) VALUES (?, ?)", (name, value))

    def has_tables(self) -> bool:
        """Whether the index has all tables of a view, of whatever policy."""
        return self._tables() >= TABLES

    def _tables(self) -> set[str]:
        """Which of the tables of the view there are."""
        return TABLES & {name for (name,) in self.connection.execute("SELECT name FROM sqlite_master")}
