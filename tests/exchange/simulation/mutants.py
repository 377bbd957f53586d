"""Planted mistakes, each of which the simulation must catch: `with planted("no signature check"): World(1).run()`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tests.exchange.simulation import view
from tests.exchange.simulation.threads_mutants import THREADS_MUTANTS
from weft.core.claim import parse
from weft.core.feed import Feed
from weft.core.forest import NONE, Forest, ForestBuilder
from weft.core.signing import SignedRoot
from weft.errors import ClaimError, RemoteProtocolError
from weft.exchange import claim_proofs
from weft.exchange.claim_proofs import PartVerifier
from weft.exchange.claim_receiver import ClaimReceiver
from weft.exchange.claim_sender import LogFollower
from weft.exchange.events import CommitParts, LogEntry, LogPage, Output, ReadLog, Refusal
from weft.exchange.refusing import Refused
from weft.exchange.session import Session, SessionState
from weft.policy.feed_ranges import FeedRanges
from weft.store.interface import VerifiedClaim
from weft.v1 import exchange_pb2 as wire

Patches = Callable[[], Sequence[Any]]


def _delivered_when_offered() -> Sequence[Any]:
    def say(self: Session, follower: LogFollower) -> None:
        if self._state is SessionState.LIVE and self._agreement is not None:
            self._deliver(self._agreement, follower.read)

    return [patch.object(Session, "_say_delivered", say)]


def _acknowledge_before_commit() -> Sequence[Any]:
    def commit(self: ClaimReceiver) -> None:
        if not self._frames:
            return
        parts, self._waiting = self._waiting, []
        self._outbox.send(wire.Frame(ack=wire.Ack(frames=self._frames)))
        self._frames = 0
        self._outbox.ask(CommitParts(parts), lambda committed: self._learned(committed.positions))

    return [patch.object(ClaimReceiver, "_commit", commit)]


def _no_signature_check() -> Sequence[Any]:
    return [patch.object(claim_proofs, "verify_root", lambda signed: None)]


def _no_policy_check() -> Sequence[Any]:
    return [patch.object(PartVerifier, "_check_feed", lambda self, feed: None)]


def _refused_by_the_stated_id() -> Sequence[Any]:
    original = ClaimReceiver.claims

    def claims(self: ClaimReceiver, message: wire.Claims, data: int) -> None:
        try:
            original(self, message, data)
        except RemoteProtocolError as error:
            for element in self._want_queue.open:
                self._outbox.put(Refusal(element, str(error), Feed(b"", b""), 0))
            raise

    return [patch.object(ClaimReceiver, "claims", claims)]


def _accepted_unwanted() -> Sequence[Any]:
    class Everything(dict[bytes, None]):
        def __delitem__(self, element: bytes) -> None:
            self.pop(element, None)

    original = ClaimReceiver.claims

    def claims(self: ClaimReceiver, message: wire.Claims, data: int) -> None:
        if not isinstance(self._want_queue.open, Everything):
            self._want_queue.open = Everything(self._want_queue.open)
        original(self, message, data)

    return [
        patch.object(ClaimReceiver, "claims", claims),
        patch.object(claim_proofs, "check_wanted", lambda identities, wanted: None),
    ]


def _a_sketch_that_changes() -> Sequence[Any]:
    """The sketches take in what arrives while they are in use."""

    def grew(self: Session) -> list[Output]:
        mirror = self._mirror
        if mirror is None or not mirror._ready:
            return []
        sketches, agreement = mirror._catch_up.sketches, self._agreement
        assert agreement is not None
        after = getattr(mirror, "_seen", mirror.position)

        def fold(page: LogPage[LogEntry]) -> None:
            for entry in page.entries:
                scope = agreement.set_of(entry.feed)
                if scope is not None and entry.position > getattr(mirror, "_seen", 0):
                    sketches[scope].add(entry.element)
            if page.entries:
                mirror._seen = max(page.entries[-1].position, getattr(mirror, "_seen", 0))  # type: ignore[attr-defined]

        self._outbox.ask(ReadLog(after, 1000), fold)
        if self._log_follower is not None:
            self._log_follower.grew()
        return self._outbox.outputs()

    return [patch.object(Session, "grew", grew)]


def _refusals_are_planted() -> Sequence[Any]:
    """A claim in a batch of another feed is refused and remembered by its id, whoever hands it over."""
    remembered: set[bytes] = set()

    def lenient(signed: SignedRoot, claims: Any) -> tuple[list[VerifiedClaim], list[Refusal]]:  # noqa: ANN401
        feed, proven, refused = Feed(signed.origin, signed.list), [], []
        for leaf, identity, data in claims:
            try:
                claim = parse(data)
            except ClaimError as error:
                refused.append(Refusal(identity, str(error), feed, len(data)))
                continue
            if claim.feed == feed:
                proven.append(VerifiedClaim(leaf, identity, data, claim))
            else:
                refused.append(Refusal(identity, "another feed", feed, len(data)))
                remembered.add(identity[:16])
        return proven, refused

    return [
        patch.object(claim_proofs, "_parsed", lenient),
        patch.object(Refused, "__contains__", lambda self, element: element in remembered),
    ]


def _refused_feeds_are_covered() -> Sequence[Any]:
    return [patch.object(FeedRanges, "without", lambda self, feeds: self)]


class _FirstCome(ForestBuilder):
    """Whoever states a parent first is believed."""

    def add(self, node: int, in_reply_to: Sequence[int], sane: bool, references: Sequence[int], tier: int = 0) -> bool:
        known = self.tiers[node] == 0
        parent = self._parents[node]
        ghosts = super().add(node, in_reply_to, sane, references, tier)
        if known:
            self._parents[node] = parent
            self._rivals.pop(node, None)
        return ghosts


class _SetOrder(ForestBuilder):
    """A contest is won by whichever rival a set gives first."""

    def forest(self, only: Collection[int] | None = None) -> Forest:
        for node, rivals in self._rivals.items():
            self._parents[node] = next(iter(rivals))
        return super().forest(only)


class _Recursive(ForestBuilder):
    """Looks for cycles by calling itself."""

    def forest(self, only: Collection[int] | None = None) -> Forest:
        forest = super().forest(only)

        def root(node: int) -> int:
            parent = forest.parents[node]
            return node if parent == NONE else root(parent)

        for node in range(len(forest.ids)):
            root(node)
        return forest


class _WitnessesMove(ForestBuilder):
    """Takes the References of others for facts about messages that were seen."""

    def forest(self, only: Collection[int] | None = None) -> Forest:
        for node, witnessed in enumerate(self._witnesses):
            if witnessed >= 0 and self._parents[node] == NONE:
                self._parents[node] = witnessed
        return super().forest(only)


def _builder(kind: type[ForestBuilder]) -> Patches:
    return lambda: [patch.object(view, "new_weaver", kind)]


MUTANTS: dict[str, Patches] = {
    "acknowledge before commit": _acknowledge_before_commit,
    "delivered when offered": _delivered_when_offered,
    "no signature check": _no_signature_check,
    "no policy check": _no_policy_check,
    "refused by the stated id": _refused_by_the_stated_id,
    "first-come parent": _builder(_FirstCome),
    "the order of a set": _builder(_SetOrder),
    "recursion": _builder(_Recursive),
    "witnesses move messages": _builder(_WitnessesMove),
    "a sketch that changes": _a_sketch_that_changes,
    "refusals are planted": _refusals_are_planted,
    "refused feeds are covered": _refused_feeds_are_covered,
    "accepted unwanted": _accepted_unwanted,
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """While this is open, the mistake is there."""
    patches = (MUTANTS | THREADS_MUTANTS)[name]()
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()
