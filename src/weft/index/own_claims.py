"""What our own origin states: withdrawn, said again, stated for another list.

All of it within the caller's transaction.  What each operation takes back is written down with its cause
(`weft.index.editions`), so that the opposite operation undoes it and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft.core.claim import Claim
from weft.core.feed import Feed, Lists
from weft.errors import UsageError
from weft.index.editions import Cause, Edition, WithdrawalCauses, current_edition
from weft.index.erased_ids import erased_ids
from weft.index.ingest import sign_batches, withdraw
from weft.index.view import View
from weft.store.interface import PAGE, StoredClaim, VerifiedClaim, read_claim
from weft.store.sqlite import SqliteStore


class Restated(NamedTuple):
    """What was said again."""

    claims: int
    deleted: int
    """Claims whose bytes are gone: they are said again as soon as their mail is read again."""


class OwnClaims:
    """The claims of our own origin in one index."""

    def __init__(self, store: SqliteStore, view: View, origin: bytes, key: Callable[[], Ed25519PrivateKey]) -> None:
        """``key``: the private key of ``origin``, fetched when something is signed."""
        self._store = store
        self._view = view
        self._origin = origin
        self._key = key
        self._causes = WithdrawalCauses(store.connection)

    def retract(self, chosen: Iterable[StoredClaim], list_name: str | None) -> int:
        """Withdraw those of some claims that are ours and stand; ``list_name``: of this list alone.  How many."""
        name = None if list_name is None else list_name.encode()
        claims = ((held, claim) for held in chosen if (claim := self._standing(held)) is not None)
        return self._withdraw((held, claim) for held, claim in claims if name is None or claim.list == name)

    def restate(self, chosen: Iterable[StoredClaim], list_name: str | None) -> Restated:
        """Say again what `retract` took back of the same claims, unless one of its editions stands.

        `UsageError` if one of them is about a message that was erased.
        """
        name = None if list_name is None else list_name.encode()
        withdrawn = [held for held in chosen if self._is_withdrawn(held, name)]
        if self._erased and any(name in self._erased for name in self._message_ids(withdrawn)):
            raise UsageError("it was erased, and is not stated again")
        deleted = [held.identity for held in withdrawn if not held.data]
        self._causes.undo(deleted)
        return Restated(self._say_again(withdrawn, {None, Cause.UNDONE}, renamed=True), len(set(deleted)))

    def rename(self, old: str, new: str) -> int:
        """State all our claims of one list for another, and withdraw the old ones; how many."""
        claims = list(self._of_list(old))
        renamed = []
        for held, claim in claims:
            edition = current_edition(claim.first_edition._replace(list=new.encode()), self._view.withdrawn)
            if edition is None:
                raise UsageError(f"what was withdrawn of {new!r} was said again too often; choose another name")
            renamed.append(_to_put(edition, held))
        self._put(renamed)
        return self._withdraw(claims, Cause.RENAMED, (old.encode(), new.encode()))

    def remove(self, name: str) -> int:
        """Withdraw all our claims of a list; how many."""
        return self._withdraw(self._of_list(name), Cause.REMOVED)

    def undo_removal(self, name: str) -> int:
        """Say again what `remove` took back; how many claims."""
        return sum(self._say_again(page, {Cause.REMOVED}) for page in self._pages(name))

    @cached_property
    def _erased(self) -> Mapping[bytes, int]:
        """The ids of messages of which nothing is said again, read once for an operation."""
        return erased_ids(self._store.connection)

    def _say_again(self, withdrawn: Iterable[StoredClaim], causes: set[Cause | None], *, renamed: bool = False) -> int:
        """State the next edition of what was withdrawn for one of these causes; how many claims.

        ``renamed``: for the name that its list has by now.
        """
        claims = [
            (claim.first_edition, held)
            for held in withdrawn
            if held.identity in self._view.withdrawn
            and isinstance(claim := read_claim(held), Claim)
            and claim.message_id not in self._erased
        ]
        editions = self._absent(claims)
        why = self._causes.of([edition.before for edition, _ in editions if edition.before])
        known = {before: found for before, found in why.items() if found.cause in causes}
        editions = [(edition, held) for edition, held in editions if edition.before in known]
        if renamed:
            names = self._causes.names()
            editions = self._absent(
                (edition.claim._replace(
                    list=names.now(edition.claim.list, known[edition.before or b""].position), edition=0), held)
                for edition, held in editions
            )  # fmt: skip
        return self._put([_to_put(edition, held) for edition, held in editions])

    def _absent(self, claims: Iterable[tuple[Claim, StoredClaim]]) -> list[tuple[Edition, StoredClaim]]:
        """The current editions of claims, each once, that were not said yet; ``claims`` of edition 0."""
        editions: dict[bytes, tuple[Edition, StoredClaim]] = {}
        for claim, held in claims:
            edition = current_edition(claim, self._view.withdrawn)
            if edition is not None:
                editions.setdefault(edition.identity, (edition, held))
        for identity in self._store.holds(list(editions)):
            del editions[identity]
        return list(editions.values())

    def _withdraw(
        self,
        claims: Iterable[tuple[StoredClaim, Claim]],
        cause: Cause | None = None,
        renamed: tuple[bytes, bytes] | None = None,
    ) -> int:
        """Withdraw claims, each once; how many."""
        chosen = {held.identity: claim for held, claim in claims}
        stored = self._store.put(withdraw(self._key(), chosen.items()))
        if cause is not None:
            self._causes.record(stored, cause, renamed)
        self._view.add(stored)
        return len(chosen)

    def _put(self, claims: Sequence[VerifiedClaim]) -> int:
        stored = self._store.put(sign_batches(self._key(), claims)) if claims else []
        self._view.add(stored)
        return len(stored)

    def _of_list(self, name: str) -> Iterator[tuple[StoredClaim, Claim]]:
        """Our claims of a list that stand, in order of position."""
        for page in self._pages(name):
            for held in page:
                claim = self._standing(held)
                if claim is not None and claim.list == name.encode():
                    yield held, claim

    def _pages(self, name: str) -> Iterator[Sequence[StoredClaim]]:
        """All of our feed of a list, in order of position."""
        after, end = 0, self._store.position()
        while after < end:
            page = self._store.log_of({self._origin: Lists(frozenset([name.encode()]))}, after, end, PAGE)
            yield page.claims
            after = page.end

    def _standing(self, held: StoredClaim) -> Claim | None:
        """The claim of our own that ``held`` is, unless it is withdrawn; it stands even if it is muted here."""
        claim = read_claim(held)
        if not isinstance(claim, Claim) or claim.origin != self._origin or held.identity in self._view.withdrawn:
            return None
        return claim

    def _message_ids(self, claims: Sequence[StoredClaim]) -> list[bytes]:
        """What claims are about, also of those whose bytes are gone."""
        return self._store.ids_of(self._store.nodes_at([held.position for held in claims]))

    def _is_withdrawn(self, held: StoredClaim, name: bytes | None) -> bool:
        """Whether ``held`` is a claim of our own, of a list, that is withdrawn; its bytes may be gone."""
        feed: Feed = self._store.feed(held.batch)
        ours = feed.origin == self._origin and (name is None or feed.list == name)
        return ours and held.identity in self._view.withdrawn


def _to_put(edition: Edition, held: StoredClaim) -> VerifiedClaim:
    """An edition of a claim that is held, whose mail lies where that of the other one does."""
    return VerifiedClaim(0, edition.identity, edition.data, edition.claim, held.place)
