"""Both stores, driven by the same random steps, give the same answers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.examples import examples
from tests.store.factories import Origin, identities, mail, some
from weft.core.claim import Claim
from weft.core.feed import Feed, Lists
from weft.store.interface import IngestedFile, MailLocation, Store, VerifiedPart
from weft.store.sqlite import SqliteStore
from weft.testing import MemoryStore

T = TypeVar("T")

ORIGINS = [Origin("a"), Origin("b")]
NAMES = ["m1", "m2", "m3", "m4"]


def pool() -> list[VerifiedPart]:
    """Batches that overlap in claims, ids and references."""
    parts = []
    for origin in ORIGINS:
        for name in ("l", "k"):
            chain: list[Claim] = [mail(one, *NAMES[:n], reply_to=NAMES[:n][-1:]) for n, one in enumerate(NAMES)]
            parts.append(origin.batch(name, *chain))
            parts.append(origin.batch(name, *chain[::-1][:3], mail("m9", "m1", subject="other")))
            parts.append(origin.batch(name, chain[0], origin.withdrawal(name, chain[0])))
            parts.append(origin.batch(name, *chain[1:3], places=[MailLocation(1, 0, 5), MailLocation(2, 5, 5)]))
    return parts


POOL = pool()
ALL = identities(POOL)
Piece = tuple[int, list[int]]
"""A batch of the pool, and leaves of it."""
pieces = st.tuples(st.integers(0, len(POOL) - 1), st.lists(st.integers(0, 3), min_size=1, max_size=4))


def cut(piece: Piece) -> VerifiedPart:
    part = POOL[piece[0]]
    return some(part, [leaf % len(part.claims) for leaf in piece[1]])


def _within(feed: Feed, feeds: dict[bytes, Lists]) -> bool:
    return feed.origin in feeds and feed.list in feeds[feed.origin]


class Stores(RuleBasedStateMachine):
    """Steps that are done to both stores."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.disk: SqliteStore = SqliteStore(Path(self.folder.name) / "index.db")
        self.memory = MemoryStore()

    def teardown(self) -> None:
        assert list(self.disk.check()) == []
        self.disk.close()
        self.folder.cleanup()

    def both(self, ask: Callable[[Store], T]) -> T:
        one, other = ask(self.disk), ask(self.memory)
        assert one == other
        return one

    @rule(parts=st.lists(pieces, max_size=4), fails=st.booleans())
    def put(self, parts: list[Piece], fails: bool) -> None:
        def step(store: Store) -> list[tuple[int, bytes]]:
            try:
                with store.transaction():
                    stored = [(one.position, one.claim.identity) for one in store.put(map(cut, parts))]
                    if fails:
                        raise InterruptedError
                    return stored
            except InterruptedError:
                return []

        self.both(step)

    @rule(chosen=st.lists(st.integers(0, len(ALL) - 1), max_size=2))
    def expunge(self, chosen: list[int]) -> None:
        def step(store: Store) -> int:
            with store.transaction():
                return store.expunge([ALL[index] for index in chosen])

        self.both(step)

    @rule(path=st.sampled_from("xyz"), name=st.sampled_from("lk"), size=st.integers(0, 3))
    def file(self, path: str, name: str, size: int) -> None:
        def step(store: Store) -> int:
            with store.transaction():
                return store.file(IngestedFile(path, name, size, 0, 0))

        self.both(step)

    @rule(old=st.sampled_from("lk"), new=st.sampled_from("lk"), forget=st.booleans())
    def rename(self, old: str, new: str, forget: bool) -> None:
        def step(store: Store) -> None:
            with store.transaction():
                store.rename_files(old, new)
                if forget:
                    store.forget_files(new)

        self.both(step)

    @rule()
    def reopen(self) -> None:
        self.disk.close()
        self.disk = SqliteStore(self.disk.path)

    @rule()
    def repair(self) -> None:
        assert self.disk.repair() == []

    @rule(
        names=st.lists(st.sampled_from([*NAMES, "m9", "none"]), max_size=3),
        after=st.integers(0, 9),
        limit=st.integers(1, 4),
    )
    def ask(self, names: list[str], after: int, limit: int) -> None:
        ids = [name.encode() for name in names]
        self.both(lambda store: store.claims_about(ids, after, limit))
        self.both(lambda store: store.claims_referring_to(ids, after, limit))
        self.both(lambda store: store.log(after, limit))

    @rule(
        named=st.dictionaries(st.sampled_from(ORIGINS), st.sets(st.sampled_from([b"l", b"k", b"z"]))),
        but=st.booleans(),
        after=st.integers(0, 9),
        beyond=st.none() | st.integers(0, 9),
        limit=st.integers(1, 4),
    )
    def ask_for_feeds(
        self, named: dict[Origin, set[bytes]], but: bool, after: int, beyond: int | None, limit: int
    ) -> None:
        feeds = {origin.public: Lists(frozenset(names), but) for origin, names in named.items()}
        upto = None if beyond is None else after + beyond
        claims, end = self.both(lambda store: store.log_of(feeds, after, upto, limit))
        within = [one for one in self.memory.log(after) if one.position <= end]
        assert claims == [one for one in within if _within(self.memory.feed(one.batch), feeds)]

    @invariant()
    def both_hold_the_same(self) -> None:
        log = self.both(lambda store: store.log())
        self.both(lambda store: store.holds(ALL))
        self.both(lambda store: store.get([identity[:16] for identity in ALL]))
        self.both(lambda store: store.feeds())
        self.both(lambda store: store.files())
        for batch in {one.batch for one in log}:
            signed, tree = self.both(methodcaller("signed", batch))
            leaves = {one.leaf: one.identity for one in log if one.batch == batch}
            assert dict(tree.leaves) == leaves
            proof = self.both(methodcaller("prove", batch, sorted(leaves)))
            proof.verify(signed.leaf_count, [leaves[leaf] for leaf in sorted(leaves)], signed.root)


Stores.TestCase.settings = settings(max_examples=examples(30), stateful_step_count=10, deadline=None)
TestStores = Stores.TestCase
