"""Planted mistakes of threads mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from weft.core.feed import Lists
from weft.core.policy import Policy
from weft.exchange import session
from weft.exchange.answering import Answerer
from weft.exchange.asking import Asker
from weft.exchange.cursors import Asked, Told, read_tail
from weft.exchange.events import Concerned, FindConcerned, Trees
from weft.exchange.feeds import Feeds
from weft.exchange.keeping import Section
from weft.rpc.desk import Desk
from weft.rpc.own_trees import _Below
from weft.v1 import exchange_pb2 as wire


def _asks_from_private_feeds() -> Sequence[Any]:
    """What the peer may not read decides what is asked as well."""

    def readable(policy: Policy, peer: bytes) -> Feeds:
        rows = {origin: Lists(all_but=True) for origin in policy.origins}
        return Feeds(rows | ({policy.own: Lists(all_but=True)} if policy.own else {}))

    return [patch.object(session, "readable", readable)]


def _no_look_at_the_tail() -> Sequence[Any]:
    """A cursor into a log that was restored counts as one into this one."""
    original = Answerer._check

    def check(self: Answerer, told: Told, tail: bytes) -> None:
        original(self, told, told.tail)

    return [patch.object(Answerer, "_check", check)]


def _answers_leak() -> Sequence[Any]:
    """Answers are made of all that is held."""
    original = Desk._concerned

    class Everything(Feeds):
        def __contains__(self, feed: object) -> bool:
            return True

    def concerned(self: Desk, request: FindConcerned) -> Concerned:
        return original(self, replace(request, feeds=Everything()))

    return [patch.object(Desk, "_concerned", concerned)]


def _one_hop() -> Sequence[Any]:
    """What the answers bring makes no new questions."""
    original = Asker._looked

    def looked(self: Asker, found: Trees) -> None:
        asked = bool(self._asked)
        original(self, found)
        if asked:
            self._queue.clear()

    return [patch.object(Asker, "_looked", looked)]


def _news_ignored() -> Sequence[Any]:
    original = Asker.news

    def news(self: Asker, message: wire.News) -> None:
        original(self, message)
        self._queue.clear()

    return [patch.object(Asker, "news", news)]


def _asked_before_commit() -> Sequence[Any]:
    """What is asked is remembered when it is asked, under the cursor that the peer knows."""
    original = Asker._looked

    def looked(self: Asker, found: Trees) -> None:
        original(self, found)
        cursor = self._kept.cursor if self._kept else self._following
        ids = frozenset(self._asked)

        def keep(tail: bytes) -> None:
            asked = Asked(cursor, self._digest, found.position, found.position, tail, ids)
            self._keeping.set(Section.ASKED, asked.dump())

        read_tail(self._line, found.position, keep)

    return [patch.object(Asker, "_looked", looked)]


def _contested_ids_end_questions() -> Sequence[Any]:
    """What the common view has as a root is asked about no further than itself."""

    def walk(self: _Below, root: int, *, contested: bool) -> Iterator[int]:
        seen, todo = {root}, [root]
        while todo:
            node = todo.pop()
            yield node
            todo += [one for one in self.placed.get(node, ()) if one not in seen]
            seen.update(todo)

    return [patch.object(_Below, "walk", walk)]


THREADS_MUTANTS: dict[str, Callable[[], Sequence[Any]]] = {
    "asks from private feeds": _asks_from_private_feeds,
    "no look at the tail": _no_look_at_the_tail,
    "answers leak": _answers_leak,
    "one hop": _one_hop,
    "news ignored": _news_ignored,
    "asked before commit": _asked_before_commit,
    "contested ids end questions": _contested_ids_end_questions,
}
