"""Two ways to a `weft.analysis.corpus.Corpus`: from mail files, and from an index.

A copy is known by (id, list, content), so the same file twice adds nothing.  The result does not depend on the order
in which sources were named; the order of its copies is that of `weft.analysis.arrival_order`.

From an index only what its view counts is taken: claims of feeds that the policy admits, neither withdrawn nor muted.
Each admitted feed is a list of its own, because it is one server's word: where two origins have a list of one name,
they are called ``NAME/LIST``, by our own name for the origin or the short form of its fingerprint, and ``own/LIST``.
Claims know where in a file they were found; those of peers were found in none, and stand in the order of their dates.
The forest is the view's, with its tiers and muted edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from weft.analysis.corpus import Corpus
from weft.analysis.corpus_columns import Columns
from weft.core.forest import GHOST_TIER, ForestBuilder
from weft.core.references import Marked
from weft.errors import SourceError
from weft.sources.interface import NoteLog, Record, Source, make_record
from weft.sources.lists import lists_of
from weft.sources.parallel_scan import collector_paused, scan

if TYPE_CHECKING:
    from weft.index.index import Index

Progress = Callable[[str], None]
_PAGE = 4000


def corpus_of_sources(
    sources: Sequence[Source], log: NoteLog, *, processes: int | None = None, progress: Progress | None = None
) -> Corpus:
    """All mail of sources that `weft.sources.discover.discover` found; ``log`` gets what goes wrong.

    ``processes``: 1 reads here, 2 in another process, None decides by the size; never more, because two others would
    hand over the mail in any order.  `SourceError` if there is no source.
    """
    if not sources:
        raise SourceError("nothing to read: none of the paths holds mail")
    reading = _CorpusBuilder(sources)
    with collector_paused():
        for index, name, batch in scan(sources, log, make_record, None if processes is None else min(processes, 2)):
            reading.take(index, name, batch)
            if progress:
                progress(f"{reading.messages} messages, {sources[index].path}")
        reading.finish()
        return reading.corpus()


class _CorpusBuilder:
    """Takes records, weaves them, and keeps their columns."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.columns = Columns()
        self.builder = ForestBuilder()
        self.messages = 0
        self._numbers = {name: number for number, name in enumerate(lists_of(sources))}
        # The content of a record is a number for all that it says, its id too.
        self._doubtful: list[tuple[int, int, Record]] = []
        self._claimed: set[bytes] = set()
        self._known: dict[int, set[int]] = {}

    def corpus(self) -> Corpus:
        """What was read."""
        ordered = sorted(self._numbers)
        places = {number: ordered.index(name) for name, number in self._numbers.items()}
        return self.columns.corpus(ordered, self.builder.forest(), places)

    def take(self, source: int, name: str, records: Sequence[Record]) -> None:
        """A batch of records of one source, which belong to one list."""
        number = self._numbers.setdefault(name, len(self._numbers))
        known = self._known.setdefault(number, set())
        self.messages += len(records)
        for record in records:
            if record[12] in known:
                continue
            known.add(record[12])
            if record[13] or record[14]:
                self._doubtful.append((source, number, record))
                self._claimed.add(record[2])
            else:
                self._take(source, number, record, record[3], record[5])

    def finish(self) -> None:
        """All records are here: take those with weak ids, which count if some record is about them."""
        for source, number, record in self._doubtful:
            replies = Marked(record[3], record[13]).counting(self._is_claimed)
            references = Marked(record[5], record[14]).counting(self._is_claimed)
            self._take(source, number, record, replies, references)
        self._doubtful.clear()

    def _is_claimed(self, message_id: bytes) -> bool:
        node = self.builder.find(message_id)
        return message_id in self._claimed or (node is not None and self.builder.tiers[node] != GHOST_TIER)

    def _take(
        self, source: int, number: int, record: Record, in_reply_to: Iterable[bytes], references: Iterable[bytes]
    ) -> None:
        offset, _, message_id, _, sane, _, _, seconds, _, subject, author, *_ = record
        [[node], replies, chain] = self.builder.nodes(((message_id,), in_reply_to, references))
        self.builder.add(node, replies, sane, chain)
        self.columns.add(node, number, (source, offset), replies, sane, chain)
        self.columns.describe(seconds, author, subject)


def corpus_of_index(index: Index, *, progress: Progress | None = None) -> Corpus:
    """All claims that the view of an open index counts.  Reads the whole log, as it was when it began."""
    from weft.analysis.index_corpus import IndexCorpus  # who reads files needs no SQLite
    from weft.store.sqlite_errors import explained

    connection = index.store.connection
    with explained(index.store.path), collector_paused():
        connection.execute("BEGIN")
        try:
            counted = IndexCorpus(index.store, index.policy)
            for claims in counted.pages(_PAGE):
                if progress:
                    progress(f"{claims} claims")
            return counted.corpus()
        finally:
            connection.execute("COMMIT")
