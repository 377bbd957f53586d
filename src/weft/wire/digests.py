"""The digests of a common view on the wire: one summary, then runs of roots with their digests.

Theory of operation
-------------------
Both sides go through the trees in the order of their roots, so whoever compares two servers reads both streams side by
side and keeps nothing of what is equal.  `DigestReader` believes nothing: a server that repeats a root, or gives them
in another order, sends more than it said, or less, or nothing again and again, is an `AnswerError` at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weft.core.message_id import MAX_ID_BYTES
from weft.errors import AnswerError
from weft.model import CommonSummary, ThreadDigest
from weft.thread_tree import DIGEST_BYTES
from weft.v1 import threads_pb2 as wire
from weft.wire.threads import to_text

MOST = 1 << 27
"""Trees of one server; one that states more is not believed."""
_VERSION_BYTES = 64
_VIEW_BYTES = 32


def summary_message(identity: bytes, threads: int, version: bytes, position: int) -> bytes:
    """The first response: of a common view its identity, how many trees it has, and the state that it was made of."""
    response = wire.StreamDigestsResponse(
        common_view=identity, thread_count=threads, view_version=version, log_position=position
    )
    return response.SerializeToString()


def digests_message(threads: Sequence[tuple[bytes, bytes]]) -> bytes:
    """One of the others: some trees as (root, digest), in the order of their roots."""
    roots, digests = [root for root, _ in threads], b"".join(digest for _, digest in threads)
    return wire.StreamDigestsResponse(root_ids=roots, digests=digests).SerializeToString()


class DigestReader:
    """Reads the responses of one stream."""

    def __init__(self, first: wire.StreamDigestsResponse) -> None:
        if len(first.common_view) != _VIEW_BYTES or len(first.view_version) > _VERSION_BYTES or first.root_ids:
            raise AnswerError("its digests do not begin with a summary")
        if first.thread_count > MOST:
            raise AnswerError(f"it states {first.thread_count} threads, at most {MOST} are taken")
        self.summary = CommonSummary(
            first.common_view.hex(), first.thread_count, first.log_position, first.view_version
        )
        self._taken = 0
        self._last = b""

    def take(self, response: wire.StreamDigestsResponse) -> Iterator[ThreadDigest]:
        """The trees of a response."""
        if not response.root_ids or len(response.digests) != DIGEST_BYTES * len(response.root_ids):
            raise AnswerError("a run of digests that is empty, or has not one for each root")
        self._taken += len(response.root_ids)
        if self._taken > self.summary.threads:
            raise AnswerError(f"it gives more digests than the {self.summary.threads} that it stated")
        for number, root in enumerate(response.root_ids):
            if not self._last < root or len(root) > MAX_ID_BYTES:
                raise AnswerError("its digests are out of order: each root must come once, in the order of its bytes")
            self._last = root
            at = number * DIGEST_BYTES
            yield ThreadDigest(to_text(root), response.digests[at : at + DIGEST_BYTES].hex())

    def finish(self) -> None:
        """The stream has ended."""
        if self._taken < self.summary.threads:
            raise AnswerError(f"it gives {self._taken} digests and stated {self.summary.threads}")
