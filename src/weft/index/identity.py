"""The name of a whole view: equal if, and only if, two servers count the same claims in the same tiers.

Claim ids are computed from octets, so they come in the order of the log and have to be sorted; SQLite does that in a
temporary database of its own, so that millions cost no memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from weft.core.claim import Claim
from weft.core.policy import Policy, view_id
from weft.index.checking import withdrawn_by
from weft.index.hearing import Hearing
from weft.index.resolving import read_claim
from weft.store.base import PAGE
from weft.store.sqlite import SqliteStore


def identify(store: SqliteStore, policy: Policy) -> bytes:
    """The 32 octets that `weft.core.policy.view_id` gives what counts under a policy.  Reads all of the log."""
    sorter = sqlite3.connect("", isolation_level=None)
    try:
        sorter.execute("BEGIN")
        sorter.execute("CREATE TABLE counted (ranked BLOB PRIMARY KEY) WITHOUT ROWID")
        for page in _counted(store, policy):
            sorter.executemany("INSERT INTO counted VALUES (?)", page)
        ranked = sorter.execute("SELECT ranked FROM counted ORDER BY ranked")
        return view_id(policy.view, policy.mute, ((octets[0], octets[1:]) for (octets,) in ranked))
    finally:
        sorter.close()


def _counted(store: SqliteStore, policy: Policy) -> Iterator[list[tuple[bytes]]]:
    """Tier and id of the claims that count, page by page."""
    hearing = Hearing(policy, withdrawn_by(store, policy))
    after = 0
    while page := store.log(after, PAGE):
        found = []
        for held in page:
            claim = read_claim(held)
            if isinstance(claim, Claim) and not hearing.hidden(held.identity, claim):
                tier = hearing.tier(claim.feed)
                assert tier is not None
                found.append((bytes((tier,)) + held.identity,))
        yield found
        after = page[-1].position
