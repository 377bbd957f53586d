"""Finding message ids by their handles, and the letters that tell those of one index apart.

The table ``handles`` follows ``ids`` and is caught up when it is asked, as ``id_digests`` is.  Where nothing may be
written, ids that do not stand in it yet are looked at one by one, up to `MAX_UNNOTED` of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from weft.core.handle import LEAST, MARK, handle_letters, handle_number, number_range, unique_letters
from weft.store.id_table import IdDigestTable

MAX_UNNOTED = 200_000
_MOST = 200
"""So many ids with the same first letters are looked at."""


class HandleTable(IdDigestTable):
    """The handles of one index."""

    table, noted, word = "handles", "handled", "handle"

    def number(self, message_id: bytes) -> int:
        """The first bits of its handle."""
        return handle_number(message_id)

    def unnoted(self) -> int:
        """How many ids do not stand in the table yet, at most."""
        return max(0, self._newest() - self._last())

    def ids_of(self, letters: str, most: int) -> list[bytes]:
        """The ids whose handle begins with some letters, at most ``most``, sorted."""
        found = [data for data in self._near(letters) if handle_letters(data).startswith(letters)]
        return sorted(found)[:most]

    def handles(self, ids: Iterable[bytes]) -> dict[bytes, str]:
        """The handle of each id, with the mark and as many letters as tell it from all others here."""
        return {data: MARK + unique_letters(data, list(self._noted(handle_letters(data)[:LEAST]))) for data in ids}

    def _near(self, letters: str) -> Iterator[bytes]:
        """Ids among which are all that have some letters."""
        yield from self._noted(letters)
        if self._last() < self._newest():
            rows = self._connection.execute(
                "SELECT id FROM ids WHERE node > ? ORDER BY node LIMIT ?", (self._last(), MAX_UNNOTED)
            )
            yield from (data for (data,) in rows)

    def _noted(self, letters: str) -> Iterator[bytes]:
        first, last = number_range(letters)
        rows = self._connection.execute(
            "SELECT ids.id FROM handles CROSS JOIN ids ON ids.node = handles.node "
            "WHERE handles.digest BETWEEN ? AND ? LIMIT ?",
            (first, last, _MOST),
        )
        yield from (data for (data,) in rows)
