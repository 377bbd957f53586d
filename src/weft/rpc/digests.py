"""The digests of a common view on the wire: one summary, then runs of roots with their digests.

Theory of operation
-------------------
Both sides go through the trees in the order of their roots, so whoever compares two servers reads both streams side by
side and keeps nothing of what is equal.  `DigestReader` believes nothing: a server that repeats a root, or gives them
in another order, sends more than it said, or less, or nothing again and again, is an `AnswerError` at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from weft.core.message_id import MAX_ID_OCTETS
from weft.index.common import DIGEST_OCTETS, CommonView, ThreadDigest
from weft.rpc.convert import to_text
from weft.rpc.failures import AnswerError
from weft.rpc.model import CommonSummary
from weft.rpc.reading import Reading
from weft.v1 import threads_pb2 as wire

MOST = 1 << 27
"""Trees of one server; one that states more is not believed."""
_VERSION_OCTETS = 64
_VIEW_OCTETS = 32


def summary_message(common: CommonView) -> bytes:
    """The first response."""
    response = wire.DigestsResponse(
        common_view=common.identity, threads=len(common.roots), version=common.version, position=common.position
    )
    return response.SerializeToString()


def digests_message(reading: Reading, common: CommonView, start: int, count: int) -> bytes:
    """One of the others: so many trees from number ``start`` on."""
    with reading.snapshot():
        threads = common.threads(reading.index.store, start, count)
    roots, digests = [root for root, _ in threads], b"".join(digest for _, digest in threads)
    return wire.DigestsResponse(roots=roots, digests=digests).SerializeToString()


class DigestReader:
    """Reads the responses of one stream."""

    def __init__(self, first: wire.DigestsResponse) -> None:
        if len(first.common_view) != _VIEW_OCTETS or len(first.version) > _VERSION_OCTETS or first.roots:
            raise AnswerError("its digests do not begin with a summary")
        if first.threads > MOST:
            raise AnswerError(f"it states {first.threads} threads, at most {MOST} are taken")
        self.summary = CommonSummary(first.common_view.hex(), first.threads, first.position, first.version)
        self._taken = 0
        self._last = b""

    def take(self, response: wire.DigestsResponse) -> Iterator[ThreadDigest]:
        """The trees of a response."""
        if not response.roots or len(response.digests) != DIGEST_OCTETS * len(response.roots):
            raise AnswerError("a run of digests that is empty, or has not one for each root")
        self._taken += len(response.roots)
        if self._taken > self.summary.threads:
            raise AnswerError(f"it gives more digests than the {self.summary.threads} that it stated")
        for number, root in enumerate(response.roots):
            if not self._last < root or len(root) > MAX_ID_OCTETS:
                raise AnswerError("its digests are out of order: each root must come once, in the order of its octets")
            self._last = root
            at = number * DIGEST_OCTETS
            yield ThreadDigest(to_text(root), response.digests[at : at + DIGEST_OCTETS].hex())

    def finish(self) -> None:
        """The stream has ended."""
        if self._taken < self.summary.threads:
            raise AnswerError(f"it gives {self._taken} digests and stated {self.summary.threads}")
