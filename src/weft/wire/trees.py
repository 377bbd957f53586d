"""Trees of the common view on the wire: a run of ids, each behind its parent, with the claims that place it.

`trees_messages` writes them; `TreeJoiner` puts them together again and believes nothing
but that each tree is one: whether it is the one whose digest was given is for the caller to see (`ThreadTree.digest`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from weft.core.claim import ID_BYTES
from weft.core.message_id import MAX_ID_BYTES
from weft.core.signing import parse_fingerprint
from weft.errors import AnswerError
from weft.thread_tree import PlacedId, PlacingClaim, ThreadTree
from weft.v1 import threads_pb2 as wire
from weft.wire import limits
from weft.wire.explanation import origin_name
from weft.wire.rules import EDGE_RULE_WORDS, EDGE_RULES
from weft.wire.threads import to_bytes, to_string, to_text

MOST = 1 << 27
"""Octets of the trees of one call; a server that sends more is not believed to have an end."""
_ROW = 24


def trees_messages(standings: Iterable[PlacedId], ups: Sequence[int]) -> Iterator[bytes]:
    """The responses that hold some ids with who places them; ``ups``: how many ids before each its parent stands."""
    page = _Page()
    for standing, up in zip(standings, ups, strict=True):
        head = wire.StreamTreesResponse.PlacedId(
            message_id=to_bytes(standing.id), parent_distance=up, seen=standing.seen, rule=EDGE_RULES[standing.rule]
        )
        page.begin(head)
        for said in standing.said:
            if page.data > limits.PAGE_BYTES:
                yield page.response.SerializeToString()
                page = _Page()
                page.begin(wire.StreamTreesResponse.PlacedId(continued=True))
            page.add(said)
        if page.data > limits.PAGE_BYTES:
            yield page.response.SerializeToString()
            page = _Page()
    if page.data:
        yield page.response.SerializeToString()


class _Page:
    """A response that grows."""

    def __init__(self) -> None:
        self.response = wire.StreamTreesResponse()
        self.data = 0
        self._feeds: dict[tuple[str, str], int] = {}

    def begin(self, standing: wire.StreamTreesResponse.PlacedId) -> None:
        self.response.ids.append(standing)
        self.data += standing.ByteSize() + _ROW

    def add(self, said: PlacingClaim) -> None:
        feed = self._feeds.get((said.origin, said.list))
        if feed is None:
            feed = self._feeds[said.origin, said.list] = len(self._feeds)
            self.response.feeds.add(origin=parse_fingerprint(said.origin), list=to_string(said.list))
            self.data += len(said.list) + 2 * _ROW
        parent = None if said.parent is None else to_bytes(said.parent)
        row = self.response.ids[-1].claims.add(
            claim_id=bytes.fromhex(said.claim), feed_index=feed, parent_id=parent, witness_id=to_bytes(said.by)
        )
        self.data += row.ByteSize() + _ROW


class TreeJoiner:
    """Puts the trees of one stream together."""

    def __init__(self) -> None:
        self._standings: list[PlacedId] = []
        self._said: list[PlacingClaim] = []
        self._seen: set[str] = set()
        self._bytes = 0

    def take(self, response: wire.StreamTreesResponse) -> Iterator[ThreadTree]:
        """The trees that are whole with this response."""
        self._bytes += response.ByteSize()
        if self._bytes > MOST:
            raise AnswerError(f"trees of more than {MOST} bytes")
        if not response.ids:
            raise AnswerError("a run of trees that is empty")
        feeds = [(origin_name(feed.origin), feed.list) for feed in response.feeds]
        for number, one in enumerate(response.ids):
            if one.continued:
                if number or not self._standings:
                    raise AnswerError("claims of no id go on")
            else:
                self._close_id()
                if not one.parent_distance:
                    yield from self.finish()
                self._begin(one)
            self._said.extend(_said(said, feeds) for said in one.claims)

    def finish(self) -> Iterator[ThreadTree]:
        """The last tree."""
        self._close_id()
        if self._standings:
            yield ThreadTree(tuple(self._standings))
        self._standings = []

    def _begin(self, one: wire.StreamTreesResponse.PlacedId) -> None:
        if one.parent_distance > len(self._standings):
            raise AnswerError("an id whose parent does not stand before it")
        name = to_text(one.message_id)
        if not 0 < len(one.message_id) <= MAX_ID_BYTES or name in self._seen:
            raise AnswerError("an id that is empty, too long, or stands twice in its trees")
        self._seen.add(name)
        parent = self._standings[-one.parent_distance].id if one.parent_distance else None
        self._standings.append(PlacedId(name, parent, one.seen, EDGE_RULE_WORDS.get(one.rule, "unknown"), ()))

    def _close_id(self) -> None:
        """All claims of the last id are there."""
        if self._said:
            self._standings[-1] = replace(self._standings[-1], said=tuple(self._said))
        self._said = []


def _said(one: wire.StreamTreesResponse.PlacingClaim, feeds: Sequence[tuple[str, str]]) -> PlacingClaim:
    if one.feed_index >= len(feeds) or len(one.claim_id) != ID_BYTES:
        raise AnswerError("a claim without a feed, or without an id")
    origin, name = feeds[one.feed_index]
    parent = to_text(one.parent_id) if one.HasField("parent_id") else None
    return PlacingClaim(one.claim_id.hex(), origin, name, parent, to_text(one.witness_id))
