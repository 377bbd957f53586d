"""The digests of a common view on the wire: one summary, then runs of roots with their digests.

Theory of operation
-------------------
Both sides go through the trees in the order of their roots, so whoever compares two servers reads both streams side by
side and keeps nothing of what is equal.  `DigestReader` believes nothing: a server that repeats a root, or gives them
in another order, sends more than it said, or less, or nothing again and again, is an `AnswerError` at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from weft.core.message_id import MAX_ID_BYTES
from weft.errors import AnswerError
from weft.index.common_view import DIGEST_BYTES, CommonView
from weft.model import CommonSummary, ThreadDigest
from weft.server.reader_pool import IndexReader
from weft.v1 import threads_pb2 as wire
from weft.wire.threads import to_text

MOST = 1 << 27
"""Trees of one server; one that states more is not believed."""
_VERSION_BYTES = 64
_VIEW_BYTES = 32


def summary_message(common: CommonView) -> bytes:
    """The first response."""
    response = wire.DigestsResponse(
        common_view=common.identity, threads=len(common.roots), version=common.version, position=common.position
    )
    return response.SerializeToString()


def digests_message(reader: IndexReader, common: CommonView, start: int, count: int) -> bytes:
    """One of the others: so many trees from number ``start`` on."""
    with reader.snapshot():
        threads = common.threads(reader.index.store, start, count)
    roots, digests = [root for root, _ in threads], b"".join(digest for _, digest in threads)
    return wire.DigestsResponse(roots=roots, digests=digests).SerializeToString()


class DigestReader:
    """Reads the responses of one stream."""

    def __init__(self, first: wire.DigestsResponse) -> None:
        if len(first.common_view) != _VIEW_BYTES or len(first.version) > _VERSION_BYTES or first.roots:
            raise AnswerError("its digests do not begin with a summary")
        if first.threads > MOST:
            raise AnswerError(f"it states {first.threads} threads, at most {MOST} are taken")
        self.summary = CommonSummary(first.common_view.hex(), first.threads, first.position, first.version)
        self._taken = 0
        self._last = b""

    def take(self, response: wire.DigestsResponse) -> Iterator[ThreadDigest]:
        """The trees of a response."""
        if not response.roots or len(response.digests) != DIGEST_BYTES * len(response.roots):
            raise AnswerError("a run of digests that is empty, or has not one for each root")
        self._taken += len(response.roots)
        if self._taken > self.summary.threads:
            raise AnswerError(f"it gives more digests than the {self.summary.threads} that it stated")
        for number, root in enumerate(response.roots):
            if not self._last < root or len(root) > MAX_ID_BYTES:
                raise AnswerError("its digests are out of order: each root must come once, in the order of its bytes")
            self._last = root
            at = number * DIGEST_BYTES
            yield ThreadDigest(to_text(root), response.digests[at : at + DIGEST_BYTES].hex())

    def finish(self) -> None:
        """The stream has ended."""
        if self._taken < self.summary.threads:
            raise AnswerError(f"it gives {self._taken} digests and stated {self.summary.threads}")
