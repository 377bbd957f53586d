"""Names of messages that are no ids: handles (`weft.core.handle`), and URLs of pages that mails name in Archived-At.

Theory of operation
-------------------
The table of handles is caught up before a name that looks like one is looked for, and before handles are shown; by
another connection, where this one may not write.  Whoever asks a server for a handle waits for that at most once, and
is not answered by what servers would have to read all claims for: URLs are for who has the index.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from weft.core.handle import parse_handle
from weft.errors import NotFoundError, StoreError, ambiguous
from weft.store.handle_table import MAX_UNNOTED
from weft.store.sqlite import SqliteStore

_MOST_NAMED = 20
"""Of an ambiguous name, so many ids are named."""
_FEW = 1000
"""So many ids that are not noted are looked at one by one, each time."""


class MessageNames:
    """What messages of one index are called."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.served = False
        """Whether names come from clients of a server."""

    def prepare(self, name: str | None) -> None:
        """What may be a handle, and hardly is an id, can be found from now on; nothing within a transaction."""
        if name is not None and "@" not in name and parse_handle(name) and not self._store.connection.in_transaction:
            self.note()

    def note(self) -> None:
        """Get the handles of new messages ready to be found."""
        if not self._store.read_only:
            self._store.note_handles()
        elif self.served and self._store.unnoted_handles():
            with suppress(StoreError), SqliteStore(self._store.path) as store:
                store.note_handles()

    def handles(self, ids: Iterable[str]) -> dict[str, str]:
        """The handle of each id, with as many letters as tell it from all others here."""
        wanted = {name.encode("utf-8", "surrogateescape"): name for name in ids}
        return {wanted[data]: handle for data, handle in self._store.handles(wanted).items()}

    def named(self, name: str) -> str:
        """The id that a name means, which is no id here; `NotFoundError`, or `AmbiguousError` with several ids."""
        letters = parse_handle(name)
        if letters:
            found, what = self._with_handle(letters), f"the handle {name!r}"
        elif name.startswith(("http://", "https://")) and not self.served:
            found = self._store.archived_at(name.encode("utf-8", "surrogateescape"))
            what = f"the address {name!r}"
        else:
            found, what = [], f"the id {name!r}"
        texts = [data.decode("utf-8", "surrogateescape") for data in found]
        if len(texts) > 1:
            raise ambiguous(what, texts)
        if not texts:
            raise NotFoundError(f"no message here has or names {what}", advice="try: weft search WORDS")
        return texts[0]

    def _with_handle(self, letters: str) -> list[bytes]:
        unnoted = self._store.unnoted_handles()
        if self.served and unnoted > _FEW:
            self.note()
        if unnoted > MAX_UNNOTED:
            raise StoreError("the handles of this index are not ready; try again, or give the whole id")
        return self._store.ids_of_handle(letters, _MOST_NAMED)
