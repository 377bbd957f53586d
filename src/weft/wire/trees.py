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
from weft.wire.threads import to_bytes, to_text

MOST = 1 << 27
"""Octets of the trees of one call; a server that sends more is not believed to have an end."""
_ROW = 24


def trees_messages(standings: Iterable[PlacedId], ups: Sequence[int]) -> Iterator[bytes]:
    """The responses that hold some ids with who places them; ``ups``: how many ids before each its parent stands."""
    page = _Page()
    for standing, up in zip(standings, ups, strict=True):
        head = wire.TreesResponse.Standing(
            id=to_bytes(standing.id), up=up, seen=standing.seen, rule=to_bytes(standing.rule)
        )
        page.begin(head)
        for said in standing.said:
            if page.data > limits.PAGE_BYTES:
                yield page.response.SerializeToString()
                page = _Page()
                page.begin(wire.TreesResponse.Standing(continued=True))
            page.add(said)
        if page.data > limits.PAGE_BYTES:
            yield page.response.SerializeToString()
            page = _Page()
    if page.data:
        yield page.response.SerializeToString()


class _Page:
    """A response that grows."""

    def __init__(self) -> None:
        self.response = wire.TreesResponse()
        self.data = 0
        self._feeds: dict[tuple[str, str], int] = {}

    def begin(self, standing: wire.TreesResponse.Standing) -> None:
        self.response.standings.append(standing)
        self.data += standing.ByteSize() + _ROW

    def add(self, said: PlacingClaim) -> None:
        feed = self._feeds.get((said.origin, said.list))
        if feed is None:
            feed = self._feeds[said.origin, said.list] = len(self._feeds)
            self.response.feeds.add(origin=parse_fingerprint(said.origin), list=to_bytes(said.list))
            self.data += len(said.list) + 2 * _ROW
        parent = None if said.parent is None else to_bytes(said.parent)
        row = self.response.standings[-1].said.add(
            claim=bytes.fromhex(said.claim), feed=feed, parent=parent, by=to_bytes(said.by)
        )
        self.data += row.ByteSize() + _ROW


class TreeJoiner:
    """Puts the trees of one stream together."""

    def __init__(self) -> None:
        self._standings: list[PlacedId] = []
        self._said: list[PlacingClaim] = []
        self._seen: set[str] = set()
        self._bytes = 0

    def take(self, response: wire.TreesResponse) -> Iterator[ThreadTree]:
        """The trees that are whole with this response."""
        self._bytes += response.ByteSize()
        if self._bytes > MOST:
            raise AnswerError(f"trees of more than {MOST} bytes")
        if not response.standings:
            raise AnswerError("a run of trees that is empty")
        feeds = [(origin_name(feed.origin), to_text(feed.list)) for feed in response.feeds]
        for number, one in enumerate(response.standings):
            if one.continued:
                if number or not self._standings:
                    raise AnswerError("claims of no id go on")
            else:
                self._close_id()
                if not one.up:
                    yield from self.finish()
                self._begin(one)
            self._said.extend(_said(said, feeds) for said in one.said)

    def finish(self) -> Iterator[ThreadTree]:
        """The last tree."""
        self._close_id()
        if self._standings:
            yield ThreadTree(tuple(self._standings))
        self._standings = []

    def _begin(self, one: wire.TreesResponse.Standing) -> None:
        if one.up > len(self._standings):
            raise AnswerError("an id whose parent does not stand before it")
        name = to_text(one.id)
        if not 0 < len(one.id) <= MAX_ID_BYTES or name in self._seen:
            raise AnswerError("an id that is empty, too long, or stands twice in its trees")
        self._seen.add(name)
        parent = self._standings[-one.up].id if one.up else None
        self._standings.append(PlacedId(name, parent, one.seen, to_text(one.rule), ()))

    def _close_id(self) -> None:
        """All claims of the last id are there."""
        if self._said:
            self._standings[-1] = replace(self._standings[-1], said=tuple(self._said))
        self._said = []


def _said(one: wire.TreesResponse.Said, feeds: Sequence[tuple[str, str]]) -> PlacingClaim:
    if one.feed >= len(feeds) or len(one.claim) != ID_BYTES:
        raise AnswerError("a claim without a feed, or without an id")
    origin, name = feeds[one.feed]
    return PlacingClaim(
        one.claim.hex(), origin, name, to_text(one.parent) if one.HasField("parent") else None, to_text(one.by)
    )
