"""Erasing what this server said of messages: withdrawn for all, deleted here, and what its peers have confirmed.

Theory of operation
-------------------
To erase is to withdraw all that we said of a message, and to delete its bytes here as soon as every peer that may read
it has the withdrawal (`weft.index.deliveries`), or the period of the policy is over.  Until then the claim is in no
view.  What stays is the withdrawal, which peers have to learn of and which says nothing but the message id, and the id
of the claim, so that it is not taken again from somebody who still has it.

It is remembered which messages were erased (`weft.index.erased_ids`), and an ingest goes by it: the mail may still lie
in the files, and another version of Weft, or another list, would make another claim of it.

The bytes of what others have withdrawn are deleted in the same way when the period is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft.core.claim import Claim, Withdrawal, parse_claim_id
from weft.core.feed import ALL_LISTS, Feed, Lists
from weft.core.message_id import keys_of
from weft.core.signing import fingerprint
from weft.errors import NotFoundError, UsageError
from weft.index.deliveries import Deliveries, PeerPosition
from weft.index.erased_ids import erased_ids, mark_erased
from weft.index.ingest import sign_withdrawals
from weft.index.view import View
from weft.index.withdrawn_claims import WithdrawnClaim, WithdrawnClaims
from weft.policy.rows import addresses
from weft.policy.rules import Policy
from weft.store.interface import PAGE, StoredClaim, read_claim
from weft.store.sqlite import SqliteStore

_ALL = 1 << 62
_STEP = 4000
"""Claims that are deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class PeerConfirmation:
    """Whether one peer knows that a message is withdrawn."""

    peer: str
    """Its fingerprint."""
    confirmed: str | None
    """Since when that is known, as RFC 3339 in UTC; None: it is not."""
    former: bool
    """It has what we said, and may not read it any more: it cannot be told."""


@dataclass(frozen=True, slots=True)
class ErasedMessage:
    """What became of a message that was erased."""

    id: str
    lists: tuple[str, ...]
    """Those of ours that it was on."""
    when: str
    """It was erased, as RFC 3339 in UTC."""
    deleted: bool
    """Nothing of what we said of it is here any more."""
    peers: tuple[PeerConfirmation, ...]


@dataclass(frozen=True, slots=True)
class Erasable:
    """What can be erased of some messages."""

    ids: tuple[bytes, ...]
    """The messages of which we said something."""
    claims: int
    """How many claims that is."""
    others: tuple[tuple[str, str], ...]
    """(fingerprint, list) of others that state one of the messages too."""
    files: tuple[str, ...]
    """The files in which the mail lies."""


class Erasure:
    """Erases in one index; for the thread of its store."""

    def __init__(self, store: SqliteStore, view: View, key: Callable[[], Ed25519PrivateKey]) -> None:
        """``key`` is asked for where something is stated."""
        self._store, self._view, self._key = store, view, key
        self._connection = store.connection
        self._policy, self._own = view.policy, view.policy.own or store.origin()
        self._retention, self._deliveries = WithdrawnClaims(store), Deliveries(store.connection)

    def message_ids(self, names: Sequence[str]) -> list[bytes]:
        """The ids of the messages that claims here are about, by message ids and claim ids (64 hex digits)."""
        found: dict[bytes, None] = {}
        for name in names:
            claim = parse_claim_id(name)
            held = self._store.get([claim]) if claim else []
            chosen = self._store.ids_of(self._store.nodes_at([one.position for one in held]))
            chosen = chosen or [key for key in keys_of(name) if self._store.claims_about([key], 0, 1)]
            if not chosen:
                raise NotFoundError(f"no claim here is about {name!r}")
            found.update(dict.fromkeys(chosen))
        return list(found)

    def find(self, ids: Sequence[bytes]) -> Erasable:
        """What can be erased of these messages."""
        found: dict[bytes, None] = {}
        others: set[tuple[str, str]] = set()
        files: set[int] = set()
        claims = 0
        for message_id in ids:
            for held in self._about(message_id):
                feed = self._store.feed(held.batch)
                if isinstance(read_claim(held), Withdrawal):
                    continue
                if feed.origin == self._own:
                    found[message_id] = None
                    claims += 1
                    files.update([held.place.file] if held.place else ())
                elif held.data:
                    others.add((fingerprint(feed.origin), feed.list.decode()))
        paths = {file.path for number, file in self._store.files().items() if number in files}
        return Erasable(tuple(found), claims, tuple(sorted(others)), tuple(sorted(paths)))

    def ids_by_author(self, address: bytes) -> list[bytes]:
        """The messages with an address (in ASCII lower case) in From, by whoever states them.  Reads all claims."""
        found: dict[bytes, None] = {}
        after = 0
        while page := self._store.log(after, PAGE):
            for held in page:
                claim = read_claim(held) if address in held.data.lower() else None
                if isinstance(claim, Claim) and address in addresses(claim.author):
                    found[claim.message_id] = None
            after = page[-1].position
        return list(found)

    def erase(self, ids: Sequence[bytes], now: int) -> int:
        """Withdraw all that we said of some messages and delete it as soon as may be; how many claims are withdrawn."""
        with self._view.transaction():
            standing = [
                Withdrawal(*self._store.feed(held.batch), held.identity, message_id)
                for message_id in ids
                for held in self._about(message_id)
                if self._is_own(held) and held.identity not in self._view.withdrawn
                if not isinstance(read_claim(held), Withdrawal)
            ]
            self._view.add(self._store.put(sign_withdrawals(self._key(), standing) if standing else []))
            mark_erased(self._connection, ids, now)
            self._retention.note(now, set(ids), self._own)
            self._retention.erase(held.position for one in ids for held, _ in self._withdrawals(one))
        return len(standing)

    @staticmethod
    def may_have_due(store: SqliteStore, policy: Policy, now: int) -> bool:
        """Whether `delete` may have something to do, which can be asked without a view."""
        retention = WithdrawnClaims(store)
        return retention.is_behind() or retention.may_be_due(_before(policy, now))

    def delete(self, now: int, *, erased: bool = False, every: bool = False) -> int:
        """Delete the bytes of withdrawn claims that are due; how many.

        ``erased``: also of those that are to be erased, though a peer has not confirmed; ``every``: of all.
        """
        if self._retention.is_behind():
            with self._store.transaction():
                self._retention.note(now, erased_ids(self._connection), self._own)
        before = _ALL if every else _before(self._policy, now)
        known = self._deliveries.all()
        due = [
            one.held
            for one in self._retention.waiting(before)
            if one.since <= before or erased or not any(self._waited_for(one, known))
        ]
        chosen = list({held.identity: held for held in due}.values())
        for start in range(0, len(chosen), _STEP):
            self.expunge(chosen[start : start + _STEP])
        if self._retention.may_be_due(before):
            with self._store.transaction():
                self._retention.settle(before)
        return len(chosen)

    def expunge(self, claims: Sequence[StoredClaim]) -> None:
        """Delete the bytes of some claims, in a transaction of its own."""
        with self._view.transaction():
            self._view.expunge(claims)
            self._store.expunge([held.identity for held in claims])

    def purge(self, origin: bytes) -> int:
        """Delete the bytes of all that an origin states here; how many claims.  Not of our own."""
        if origin == self._own:
            raise UsageError("this is our own origin; what we state is withdrawn with: weft erase")
        deleted, after = 0, 0
        while (page := self._store.log_of({origin: ALL_LISTS}, after, None, _STEP)).end > after:
            after = page.end
            self.expunge([held for held in page.claims if held.data])
            deleted += sum(bool(held.data) for held in page.claims)
        return deleted

    def delivered(self, peer: bytes, lists: Mapping[bytes, Lists], position: int, when: int) -> None:
        """A peer has all that we held of some feeds, by origin, up to a position of the log, since ``when``."""
        if self._deliveries.is_new(peer, lists, position):
            with self._store.transaction():
                self._deliveries.record(peer, lists, position, when)

    def erased(self) -> list[ErasedMessage]:
        """The messages that were erased, in the order of time."""
        known = self._deliveries.all()
        return [self._erased(message_id, when, known) for message_id, when in erased_ids(self._connection).items()]

    def _erased(self, message_id: bytes, when: int, known: dict[bytes, PeerPosition]) -> ErasedMessage:
        withdrawals = list(self._withdrawals(message_id))
        own = [held for held in self._about(message_id) if self._is_own(held)]
        deleted = not any(held.data and isinstance(read_claim(held), Claim) for held in own)
        places = [(one.feed, held.position) for held, one in withdrawals]
        targets = {held.identity: held.position for held in own}
        had = [(one.feed, targets[one.target]) for _, one in withdrawals if one.target in targets]
        peers = [*self._confirmations(places, known), *self._former(had, known)]
        lists = sorted({feed.list.decode() for feed, _ in places})
        return ErasedMessage(_text(message_id), tuple(lists), _time(when), deleted, tuple(peers))

    def _confirmations(
        self, places: Sequence[tuple[Feed, int]], known: dict[bytes, PeerPosition]
    ) -> Iterator[PeerConfirmation]:
        for peer in self._policy.peers:
            wanted = [place for place in places if self._policy.may_read(peer, place[0])]
            if wanted:
                has = peer in known and all(known[peer].covers(*place) for place in wanted)
                yield PeerConfirmation(fingerprint(peer), _time(known[peer].time) if has else None, False)

    def _former(self, had: Sequence[tuple[Feed, int]], known: dict[bytes, PeerPosition]) -> Iterator[PeerConfirmation]:
        """Who was given what was withdrawn, and may read none of it now."""
        for peer, position in known.items():
            given = [feed for feed, place in had if position.covers(feed, place)]
            if given and not any(self._policy.may_read(peer, feed) for feed in given):
                yield PeerConfirmation(fingerprint(peer), None, True)

    def _waited_for(self, one: WithdrawnClaim, known: dict[bytes, PeerPosition]) -> Iterator[bytes]:
        """The peers that may have a claim and may not know yet that it is withdrawn."""
        feed = one.withdrawal.feed
        for peer in self._policy.peers:
            if self._policy.may_read(peer, feed) and not (peer in known and known[peer].covers(feed, one.position)):
                yield peer

    def _withdrawals(self, message_id: bytes) -> Iterator[tuple[StoredClaim, Withdrawal]]:
        """Our own withdrawals about a message."""
        for held in self._about(message_id):
            claim = read_claim(held)
            if isinstance(claim, Withdrawal) and claim.origin == self._own:
                yield held, claim

    def _about(self, message_id: bytes) -> Iterator[StoredClaim]:
        after = 0
        while page := self._store.claims_about([message_id], after, PAGE):
            yield from page
            after = page[-1].position

    def _is_own(self, held: StoredClaim) -> bool:
        return self._store.feed(held.batch).origin == self._own


def _before(policy: Policy, now: int) -> int:
    """What was withdrawn then, or earlier, is due now."""
    period = policy.retention.withdrawn
    return -1 if period is None else now - period


def _text(message_id: bytes) -> str:
    return message_id.decode("utf-8", "surrogateescape")


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
