"""Planted mistakes of threads mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from weft.core.feed import Lists
from weft.exchange import session
from weft.exchange.events import FindConcerned, FoundClaims, OwnTrees
from weft.exchange.own_threads import _Below, walk
from weft.exchange.resumption import RequesterCursor, ResponderCursor, StateSection, read_tail
from weft.exchange.store_backend import StoreBackend
from weft.exchange.thread_requester import ThreadRequester
from weft.exchange.thread_responder import ThreadResponder
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rules import Policy
from weft.v1 import exchange_pb2 as wire


def _asks_from_private_feeds() -> Sequence[Any]:
    """What the peer may not read decides what is asked as well."""

    def readable(policy: Policy, peer: bytes) -> FeedRanges:
        rows = {origin: Lists(all_but=True) for origin in policy.origins}
        return FeedRanges(rows | ({policy.own: Lists(all_but=True)} if policy.own else {}))

    return [patch.object(session, "readable", readable)]


def _no_look_at_the_tail() -> Sequence[Any]:
    """A cursor into a log that was restored counts as one into this one."""
    original = ThreadResponder._check

    def check(self: ThreadResponder, told: ResponderCursor, tail: bytes) -> None:
        original(self, told, told.tail)

    return [patch.object(ThreadResponder, "_check", check)]


def _answers_leak() -> Sequence[Any]:
    """Answers are made of all that is held."""
    original = StoreBackend._concerned

    class Everything(FeedRanges):
        def __contains__(self, feed: object) -> bool:
            return True

    def concerned(self: StoreBackend, request: FindConcerned) -> FoundClaims:
        return original(self, replace(request, feeds=Everything()))

    return [patch.object(StoreBackend, "_concerned", concerned)]


def _one_hop() -> Sequence[Any]:
    """What the answers bring makes no new questions."""
    original = ThreadRequester._looked

    def looked(self: ThreadRequester, found: OwnTrees) -> None:
        asked = bool(self._asked)
        original(self, found)
        if asked:
            self._queue.clear()

    return [patch.object(ThreadRequester, "_looked", looked)]


def _news_ignored() -> Sequence[Any]:
    original = ThreadRequester.news

    def news(self: ThreadRequester, message: wire.News) -> None:
        original(self, message)
        self._queue.clear()

    return [patch.object(ThreadRequester, "news", news)]


def _asked_before_commit() -> Sequence[Any]:
    """What is asked is remembered when it is asked, under the cursor that the peer knows."""
    original = ThreadRequester._looked

    def looked(self: ThreadRequester, found: OwnTrees) -> None:
        original(self, found)
        cursor = self._kept.cursor if self._kept else self._following
        ids = frozenset(self._asked)

        def keep(tail: bytes) -> None:
            asked = RequesterCursor(cursor, self._digest, found.position, found.position, tail, ids)
            self._resumption.set(StateSection.ASKED, asked.dump())

        read_tail(self._outbox, found.position, keep)

    return [patch.object(ThreadRequester, "_looked", looked)]


def _contested_ids_end_questions() -> Sequence[Any]:
    """What the common view has as a root is asked about no further than itself."""

    def placed(self: _Below, start: Sequence[int], *, contested: bool, nearest_first: bool = False) -> Iterator[int]:
        return walk(start, lambda node: self.placed.get(node, ()))

    return [patch.object(_Below, "walk", placed)]


THREADS_MUTANTS: dict[str, Callable[[], Sequence[Any]]] = {
    "asks from private feeds": _asks_from_private_feeds,
    "no look at the tail": _no_look_at_the_tail,
    "answers leak": _answers_leak,
    "one hop": _one_hop,
    "news ignored": _news_ignored,
    "asked before commit": _asked_before_commit,
    "contested ids end questions": _contested_ids_end_questions,
}
