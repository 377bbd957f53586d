"""Aliases of one index: which messages state which other ids as theirs, and which ids count as others by the policy.

Table ``aliases`` has a row for each alias in a claim that counts.  It serves look-ups and explanations, and no edge
follows from it (`weft.core.alias`).  Like all tables of the view it follows from the claims, and can be thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from weft.core.claim import Claim
from weft.errors import several_messages
from weft.policy.rules import Policy
from weft.store.interface import InsertedClaim, StoredClaim
from weft.store.sqlite import SqliteStore
from weft.thread_tree import to_text


def alias_nodes(store: SqliteStore, policy: Policy, *, create: bool = False) -> dict[int, int]:
    """The rules of a policy, by node: which nodes count as which others.

    ``create``: number the ids that have none, within the store's transaction.  Without it an id that no claim names
    has no node: then the smallest node that would count as it stands for it.
    """
    rules = policy.aliases
    if not rules:
        return {}
    ids = list(dict.fromkeys((*rules, *rules.values())))
    nodes = dict(zip(ids, store.node_numbers(ids, create=create), strict=True))
    groups: dict[bytes, list[int]] = {}
    for old, new in rules.items():
        node = nodes[old]
        if node is not None:
            groups.setdefault(new, []).append(node)
    found = {}
    for new, group in groups.items():
        top = nodes[new]
        target = min(group) if top is None else top
        found.update({node: target for node in group if node != target})
    return found


class AliasTable:
    """Keeps the table of one index; within the store's transactions."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._connection = store.connection

    def add(self, claims: Iterable[tuple[InsertedClaim, Claim]]) -> None:
        """Claims that count came."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO aliases (position, alias, node) VALUES (?, ?, ?)",
            [(one.position, alias, one.node) for one, claim in claims for alias in claim.aliases],
        )

    def remove(self, claims: Iterable[StoredClaim]) -> None:
        """Claims left the view."""
        self._connection.executemany("DELETE FROM aliases WHERE position = ?", [(held.position,) for held in claims])

    def rows(self) -> set[tuple[int, bytes, int]]:
        """(position, alias, node) of all."""
        return set(self._connection.execute("SELECT position, alias, node FROM aliases"))

    def messages(self, alias: bytes) -> list[bytes]:
        """The ids of the messages that state an id as another one of theirs, sorted."""
        rows = self._connection.execute("SELECT DISTINCT node FROM aliases WHERE alias = ?", (alias,))
        return sorted(self._store.ids_of([node for (node,) in rows]))

    def look_up(self, names: Sequence[bytes], node_of: Callable[[bytes], int | None]) -> int | None:
        """The node of the first of some ids that has one, else of the one message that states one of them.

        `weft.errors.NotFoundError` with their ids if several messages do.
        """
        for name in names:
            node = node_of(name)
            if node is not None:
                return node
        stating = sorted({message for name in names for message in self.messages(name)})
        if len(stating) > 1:
            raise several_messages(to_text(names[0]), list(map(to_text, stating)))
        return node_of(stating[0]) if stating else None
