"""Rebuild threads from mail, in memory: sources in, an `Archive` of whole threads out.  Nothing is kept on disk.

The forest is a function of the set of messages that were read: equal sets give equal threads in equal order.  Which of
several copies of a message is shown follows from the names of its lists and files, and from its place in them
(`weft.core.representative`); neither the order in which files are named nor the number of processes matters.  Two runs
print equal bytes.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike, fspath
from typing import Any

from weft._text import count, name_counts
from weft._workers import in_turns, is_alone
from weft.archive_json import QuotedTexts, ThreadEncoder
from weft.copies import Copies
from weft.core.alias import joinable
from weft.core.author import decode_author
from weft.core.date import MISSING, format_date
from weft.core.display_order import OUTSIDE, DisplayOrder, prune
from weft.core.edge_digest import LABEL_FRONTS, NO_PARENT, digest_of_edges
from weft.core.encoded_word import is_guessed
from weft.core.forest import GHOST_TIER, NONE, Forest, ForestBuilder, Profile
from weft.core.handle import HandleSet, parse_handle
from weft.core.message_id import keys_of
from weft.core.references import Marked
from weft.core.subject import base_subject, decode_text
from weft.core.subject_join import Root, join
from weft.errors import NotFoundError, SourceError, UsageError, ambiguous, several_messages
from weft.model import Copy, Message, Thread
from weft.sources.discover import discover
from weft.sources.interface import (
    Note,
    NoteLog,
    Record,
    Source,
    check_list_name,
    make_outline,
    make_record,
    read_numbers,
    split_message,
)
from weft.sources.list_edits import MailCopy, distinct_contents
from weft.sources.lists import lists_of
from weft.sources.mbox import MboxFile
from weft.sources.newest_year import NewestYear
from weft.sources.parallel_scan import collector_paused, scan
from weft.sources.spool import Unpacked

Files = str | PathLike[str] | Sequence[str | PathLike[str]]
_MEMO = 50_000
_BLOCK = 100
"""So many threads are written at a time,"""
_MANY = 10_000
"""and with more messages than this in more than one process,"""
_MOST = 4
"""but no more than this."""
_IS_GHOST = bytes(tier == GHOST_TIER for tier in range(256))
_ORDINARY = ((), None, 0, (), False, "", False, (), (), False, False)
"""What an ordinary message has in the last fields of `Message`."""
_new = tuple.__new__
"""Of a named tuple; its own constructor takes three times as long."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the forest is made and viewed.

    ``profile``        ``weft``, or ``rfc5256``: In-Reply-To counts only if there are no References
    ``join_subjects``  join trees with equal base subjects (RFC 5256 step 5)
    ``prune_ghosts``   leave out ghosts as RFC 5256 step 3 does
    ``join_aliases``   let the other ids that mails state for themselves count, where that is safe
                       (`weft.core.alias.joinable`)
    """

    profile: Profile = "weft"
    join_subjects: bool = False
    prune_ghosts: bool = False
    join_aliases: bool = True


@dataclass(frozen=True, slots=True)
class RebuildSummary:
    """What a rebuild read: messages in the files, distinct copies and ids, ghosts, messages skipped."""

    messages: int
    copies: int
    ids: int
    lists: int
    ghosts: int
    contested: int
    cycles: int
    skipped: int
    doubts: str = ""
    """What to say of lines that may begin a message (`weft.sources.interface.NoteLog`)."""
    by_list: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The copies on each list."""

    def __str__(self) -> str:
        extra = f", {self.contested} contested" if self.contested else ""
        extra += f", {count(self.cycles, 'cycle')} cut" if self.cycles else ""
        return (
            f"{count(self.messages, 'message')} read: {count(self.copies, 'copy', 'copies')} of "
            f"{count(self.ids, 'id')} on {count(self.lists, 'list')}{name_counts(self.by_list)}; "
            f"{count(self.ghosts, 'ghost')}, "
            f"{self.skipped} skipped{extra}{self.doubts and f'; {self.doubts}'}"
        )


def rebuild(
    lists: Mapping[str, Files],
    *,
    profile: Profile = "weft",
    join_subjects: bool = False,
    prune_ghosts: bool = False,
    join_aliases: bool = True,
    processes: int | None = None,
) -> Archive:
    """Rebuild the threads of some lists.

    ``lists`` maps the name of each list to a file or folder of its mail, or to several.  What cannot be read is in the
    archive's ``notes``.  ``processes``: in how many to read; None decides by the size.
    `UsageError` if a name cannot name a list or there is nothing to read.
    """
    log = NoteLog()
    arguments = []
    for name, files in lists.items():
        try:
            check_list_name(name)
        except ValueError as error:
            raise UsageError(f"{name!r} cannot name a list: {error}") from None
        paths = [files] if isinstance(files, (str, PathLike)) else files
        arguments += [f"{name}={fspath(path)}" for path in paths]
    sources = discover(arguments, log)
    options = Options(profile, join_subjects, prune_ghosts, join_aliases)
    return rebuild_sources(sources, options, log, processes=processes)


def rebuild_sources(
    sources: Sequence[Source],
    options: Options,
    log: NoteLog,
    *,
    processes: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Archive:
    """Rebuild from sources that were discovered; ``log`` gets what goes wrong when it happens."""
    if not sources:
        raise SourceError("nothing to read: none of the paths holds mail")
    builder = _ArchiveBuilder(sources, options)
    with collector_paused():
        # What is left out is read here, and another interpreter would number it in another way.
        make = make_outline if is_alone() else make_record
        for index, name, batch in scan(sources, log, make, processes, ordered=False, newest=builder.newest):
            builder.take(index, name, batch)
            if progress:
                progress(f"{builder.messages} messages, {sources[index].path}")
        return Archive(builder, log)


class _ArchiveBuilder:
    """Takes records and keeps what the archive needs of them."""

    def __init__(self, sources: Sequence[Source], options: Options) -> None:
        self.sources = sources
        self.options = options
        self.names = lists_of(sources)
        self.builder = ForestBuilder(options.profile)
        self.copies = Copies(lambda source, offset, length: read_numbers(sources[source], offset, length))
        self.newest = NewestYear()
        self.messages = 0
        self.named = array("i")
        self.named_on = array("i")
        self.list_sets: list[frozenset[int]] = [frozenset()]
        self.aliases: dict[bytes, set[int]] = {}
        """The messages that state each alias."""
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._set_numbers: dict[frozenset[int], int] = {frozenset(): 0}
        self._unions: dict[tuple[int, int], int] = {}

    def take(self, source: int, name: str, records: Sequence[Record]) -> None:
        """Weave a batch of records of one source, which belong to one list."""
        builder, number = self.builder, self._number(name)
        columns = tuple(zip(*records, strict=True))
        ids, sane, doubtful = columns[2], columns[4], _doubtful(columns)
        in_reply_tos, references = (
            _sure(columns[lists], columns[masks]) if doubtful else columns[lists] for lists, masks in ((3, 13), (5, 14))
        )
        [nodes], replies, chains = builder.nodes([ids]), builder.nodes(in_reply_tos), builder.nodes(references)
        self._make_room()
        if any(columns[15]):
            self._take_aliases(nodes, columns[15])
        for index in self.copies.add(nodes, number, source, columns):
            if index in doubtful:
                builder.add_doubtful(nodes[index], doubtful[index][0], sane[index], doubtful[index][1])
                self._name({*replies[index], *chains[index]}, number)
            elif builder.add(nodes[index], replies[index], sane[index], chains[index]):
                self._name({*replies[index], *chains[index]}, number)
        self.messages += len(records)

    def _number(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def _take_aliases(self, nodes: Sequence[int], columns: Sequence[tuple[bytes, ...]]) -> None:
        for node, aliases in zip(nodes, columns, strict=True):
            for alias in aliases:
                self.aliases.setdefault(alias, set()).add(node)

    def alias_rules(self) -> dict[bytes, bytes]:
        """The aliases that count, and as what; when all is read."""
        if not self.options.join_aliases:
            return {}
        find, tiers, ids = self.builder.find, self.builder.tiers, self.builder.ids
        held = [alias for alias in self.aliases if (node := find(alias)) is not None and tiers[node] != GHOST_TIER]
        stated = [(alias, ids[node]) for alias, stating in self.aliases.items() for node in stating]
        return joinable(stated, held)

    def _make_room(self) -> None:
        nodes = len(self.builder.ids)
        self.copies.grow(nodes)
        missing = nodes - len(self.named)
        self.named.extend(bytes(missing))
        self.named_on.extend(bytes(missing))

    def _name(self, references: set[int], number: int) -> None:
        """Count, for ids that nobody has described so far, who names them and where."""
        for reference in references:
            if self.builder.tiers[reference]:
                self._name_one(reference, number)

    def _name_one(self, node: int, number: int) -> None:
        self.named[node] += 1
        before = self.named_on[node]
        union = self._unions.get((before, number))
        if union is None:
            lists = self.list_sets[before] | {number}
            union = self._set_numbers.setdefault(lists, len(self.list_sets))
            if union == len(self.list_sets):
                self.list_sets.append(lists)
            self._unions[before, number] = union
        self.named_on[node] = union


def _doubtful(columns: Sequence[Sequence[Any]]) -> dict[int, tuple[Marked, Marked]]:
    """In-Reply-To and References of the records that have weak ids."""
    if not any(columns[13]) and not any(columns[14]):
        return {}
    return {
        index: (Marked(columns[3][index], replies), Marked(columns[5][index], references))
        for index, (replies, references) in enumerate(zip(columns[13], columns[14], strict=True))
        if replies or references
    }


def _sure(lists: Sequence[Any], masks: Sequence[Any]) -> Sequence[Any]:
    """The ids in some lists without the weak ones."""
    return [Marked(ids, mask).counting(lambda _: False) for ids, mask in zip(lists, masks, strict=True)]


class Archive:
    """Whole threads; all text is as the mail states it, not cleaned."""

    def __init__(self, builder: _ArchiveBuilder, log: NoteLog) -> None:
        """Made by `rebuild`."""
        self._log = log
        self.sources = builder.sources
        unpacked = Unpacked()  # one temporary file, however many of the sources are compressed
        for source in self.sources:
            if isinstance(source, MboxFile) and source.unpacked is None:
                source.unpacked = unpacked
        self._loom = builder
        self._copies = builder.copies
        self._copies.seal()
        self._forest: Forest = builder.builder.forest_with(builder.alias_rules())
        self._copies.grow(len(self._forest.ids))
        self._joined: set[int] = set()
        self._made_up: dict[int, str] = {}
        self._texts = _Texts(self._copies.texts, decode_text)
        self._authors = _Texts(self._copies.texts, decode_author)

    @property
    def notes(self) -> list[Note]:
        """What went wrong on the way."""
        return self._log.entries

    @property
    def summary(self) -> RebuildSummary:
        """Counts for people; ghosts without a held descendant are not counted."""
        forest, layout = self._forest, self._layout
        held = len(forest.tiers) - forest.tiers.count(GHOST_TIER)
        ghosts = layout.held.count(1) - held - len(self._made_up)
        return RebuildSummary(
            self._loom.messages,
            len(self._copies),
            held,
            len(self._loom.names),
            ghosts,
            len(forest.contested),
            len(forest.cuts),
            self._log.skipped,
            self._log.doubts,
            self._copies.by_list(self._loom.names),
        )

    def threads(self, *, hidden: bool = True) -> Iterator[Thread]:
        """All threads, by date and root id.

        ``hidden``: with ghosts that have no held descendant, and threads that hold nothing else.
        """
        layout = self._layout
        for root in layout.roots:
            if hidden or layout.held[root]:
                yield self._thread(root, hidden=hidden)

    def json_blocks(
        self, separator: str, *, hidden: bool = True, processes: int | None = None
    ) -> Iterator[bytes | bytearray]:
        """All `threads` as `weft.render.json.encode_thread` writes them, some at a time, ``separator`` between them.

        ``processes``: in how many; None decides by their number and that of the cores.
        """
        layout, encoder = self._layout, self._encoder  # before there are others who would make them
        roots = [root for root in layout.roots if hidden or layout.held[root]]

        def block(number: int) -> bytes:
            return encoder.encode(roots[number * _BLOCK : (number + 1) * _BLOCK], separator, hidden=hidden)

        if processes is None:
            processes = min(os.cpu_count() or 1, _MOST) if self._loom.messages > _MANY else 1
        return in_turns(block, -(-len(roots) // _BLOCK), processes if is_alone() else 1)

    def thread(self, message_id: str, *, hidden: bool = True) -> Thread:
        """The thread in which an id stands, wherever it stands in it; `NotFoundError` if nobody names it."""
        node = self._find(message_id)
        layout = self._layout
        if node is None or (self._ghosts[node] and self.options.prune_ghosts and not layout.held[node]):
            raise NotFoundError(f"no message has or names the id {message_id!r}; look for it in other archives")
        return self._thread(layout.root_of(node), hidden=hidden)

    def handles(self, ids: Iterable[str]) -> dict[str, str]:
        """The handle of each id, with as many letters as tell it from all others here (`weft.core.handle`)."""
        handle, find = self._handles.handle, self._loom.builder.find
        return {
            name: handle(node) for name in ids if (node := find(name.encode("utf-8", "surrogateescape"))) is not None
        }

    @cached_property
    def _handles(self) -> HandleSet:
        return HandleSet(self._forest.ids)

    def _find_handle(self, name: str) -> int | None:
        """The node of the id that a handle names."""
        letters = parse_handle(name)
        found = self._handles.ids(letters) if letters else []
        if len(found) > 1:
            raise ambiguous(f"the handle {name!r}", list(map(_text_of, found)))
        return self._loom.builder.find(found[0]) if found else None

    def _find(self, message_id: str) -> int | None:
        """The node of an id, or of the one message that states it as an alias, or of whose handle it is."""
        names = keys_of(message_id)
        for name in names:
            node = self._loom.builder.find(name)
            if node is not None:
                return self._forest.aliases.get(node, node)
        stating = sorted({node for name in names for node in self._loom.aliases.get(name, ())})
        if len(stating) > 1:
            raise several_messages(message_id, [_text_of(self._forest.ids[node]) for node in stating])
        return stating[0] if stating else self._find_handle(message_id)

    @property
    def options(self) -> Options:
        """The options it was made with."""
        return self._loom.options

    def raw(self, thread: Thread) -> Iterator[tuple[bytes, bool]]:
        """The messages themselves, in thread order: (bytes, whether mbox-escaped).

        Of copies that differ in no more than what lists do to mail, the first is given, and so every content of an id
        once (`weft.sources.list_edits`), the one that is shown first.  Ghosts are left out; `SourceError` if a file has
        changed or gone since it was read.
        """
        for message in thread.messages:
            if message.ghost:
                continue
            node = self._loom.builder.find(message.id.encode("utf-8", "surrogateescape"))
            assert node is not None
            copies = self._copies.sort(self._copies.of(node), self._loom.names)
            found = list(map(self._fetch, copies))
            if len(found) == 1:
                yield found[0]
                continue
            lists = [self._loom.names[self._copies.lists[copy]] for copy in copies]
            whole = [
                MailCopy(name, *split_message(data), escaped)
                for name, (data, escaped) in zip(lists, found, strict=True)
            ]
            yield from (found[place] for place in distinct_contents(whole))

    def _fetch(self, copy: int) -> tuple[bytes, bool]:
        source = self.sources[self._copies.sources[copy]]
        return source.fetch(self._copies.offsets[copy], self._copies.lengths[copy]), source.escaped

    @cached_property
    def _ghosts(self) -> bytearray:
        return self._ghost_marks()

    def _ghost_marks(self) -> bytearray:
        """As `DisplayOrder` wants them."""
        marks = self._forest.tiers.translate(_IS_GHOST)
        for alias in self._forest.aliases:
            marks[alias] = OUTSIDE
        return marks

    @cached_property
    def _layout(self) -> DisplayOrder:
        """The display order of the view that the options ask for."""
        forest, copies = self._forest, self._copies
        dates = array("q", [MISSING]) * len(forest.ids)
        for node, copy in enumerate(copies.first):
            if copy >= 0:
                dates[node] = copies.seconds[copy] if copies.after[copy] < 0 else copies.date(copies.of(node))[0]
        parents, ghosts = forest.parents, self._ghosts
        if self.options.join_subjects:
            parents = self._join(DisplayOrder(forest.ids, parents, ghosts, dates))
            ghosts = self._ghosts
            dates.extend([MISSING] * (len(forest.ids) - len(dates)))
        if self.options.prune_ghosts:
            parents, ghosts = prune(parents, ghosts)
        return DisplayOrder(forest.ids, parents, ghosts, dates)

    def _join(self, layout: DisplayOrder) -> array[int]:
        """Join trees by subject; nodes that step 5 invents are appended to the ids."""
        forest = self._forest
        edges, dummies = join(self._subject_roots(layout))
        numbers = {}
        for dummy, subject in dummies.items():
            numbers[dummy] = node = self._loom.builder.node(dummy)
            self._made_up[node] = subject
        parents = array("i", layout.parents)
        parents.extend([NONE] * (len(forest.ids) - len(parents)))
        forest.tiers.extend(bytes([GHOST_TIER]) * (len(forest.ids) - len(forest.tiers)))
        self._copies.grow(len(forest.ids))
        for root, parent in edges.items():
            parents[root] = numbers[parent] if isinstance(parent, bytes) else parent
            self._joined.add(root)
        self._ghosts = self._ghost_marks()
        return parents

    def _subject_roots(self, layout: DisplayOrder) -> Iterator[Root]:
        for root in layout.roots:
            if not layout.held[root]:
                continue
            heads = self._heads(layout, root)
            shown = self._copies.sort(self._copies.of(heads[0]), self._loom.names)[0]
            base, reply = base_subject(self._texts[self._copies.subjects[shown]])
            ghost = len(heads) > 1
            yield Root(root, root if ghost else heads[0], ghost, base, reply)

    def _heads(self, layout: DisplayOrder, root: int) -> list[int]:
        """The first two held nodes, in display order, that have no held ancestor in the tree of ``root``."""
        heads: list[int] = []
        stack = [root]
        while stack and len(heads) < 2:
            node = stack.pop()
            if not self._ghosts[node]:
                heads.append(node)
            else:
                stack += [child for child in reversed(layout.children(node)) if layout.held[child]]
        return heads

    def _thread(self, root: int, *, hidden: bool) -> Thread:
        held, ids, message_of = self._layout.held, self._forest.ids, self._message
        messages, edges = [], []
        # The ids from the root down to the last node, as text and as the digest has them: in it stands the parent.
        texts: dict[int, str | None] = {-1: None}
        labels = {-1: NO_PARENT}
        for node, depth in self._layout.tree(root):
            if not hidden and not held[node]:
                continue
            data = ids[node]
            text = _text_of(data)
            label = LABEL_FRONTS[len(data)] + data
            texts[depth] = text
            labels[depth] = label
            edges.append(label + labels[depth - 1])
            messages.append(message_of(node, text, texts[depth - 1], depth))
        return Thread(tuple(messages), digest_of_edges(edges))

    def _message(self, node: int, message_id: str, parent: str | None, depth: int) -> Message:
        copies = self._copies
        copy = copies.first[node]
        if copy < 0:
            return self._ghost(node, message_id, depth, parent)
        if copies.after[copy] < 0:
            _, subject, author, date, _ = first = self._copy(copy)
            values = (message_id, parent, depth, False, False, 1, date, author, subject, (first,), *_ORDINARY)
            message = _new(Message, values)
        else:
            numbers = copies.sort(copies.of(node), self._loom.names)
            shown = tuple(map(self._copy, numbers))
            variants, date, copy = (
                copies.variants(numbers, self._loom.names),
                format_date(*copies.date(numbers)),
                numbers[0],
            )
            _, subject, author, _, _ = shown[0]
            message = Message(message_id, parent, depth, False, False, variants, date, author, subject, shown)
        if date is None and copy in copies.unreadable_dates:
            message = message._replace(stated_date=decode_text(copies.unreadable_dates[copy]))
        if self._ahead_from is not None and copies.date(copies.of(node))[0] >= self._ahead_from:
            message = message._replace(ahead=True)
        if self._guessed and (
            copies.subjects[copy] in self._texts.guessed or copies.authors[copy] in self._authors.guessed
        ):
            message = message._replace(guessed=True)
        return self._marked(message, node) if node in self._marks else message

    @cached_property
    def _encoder(self) -> ThreadEncoder:
        return ThreadEncoder(
            self._layout, self._copies, self._loom.names,
            subjects=QuotedTexts(self._texts, self._texts.guessed),
            authors=QuotedTexts(self._authors, self._authors.guessed),
            marks=self._marks, ahead_from=self._ahead_from, message_of=self._message,
        )  # fmt: skip

    @cached_property
    def _ahead_from(self) -> int | None:
        """Dates from then on are in the future; None if no copy has such a date.

        If most copies had, what says when they were delivered would not be right, and counts for nothing.
        """
        limit = self._loom.newest.plausible_before
        if limit is None or max(self._copies.seconds, default=MISSING) < limit:
            return None
        beyond = sum(seconds >= limit for seconds in self._copies.seconds)
        return limit if 2 * beyond <= len(self._copies) else None

    @property
    def _guessed(self) -> bool:
        """Whether any text so far holds a guess."""
        return bool(self._texts.guessed or self._authors.guessed)

    def _copy(self, copy: int) -> Copy:
        copies = self._copies
        date = format_date(copies.seconds[copy], copies.zones[copy])
        subject, author = self._texts[copies.subjects[copy]], self._authors[copies.authors[copy]]
        return _new(Copy, (self._loom.names[copies.lists[copy]], subject, author, date, None))

    def _ghost(self, node: int, message_id: str, depth: int, parent: str | None) -> Message:
        builder = self._loom
        if node in self._made_up:
            return Message(message_id, parent, depth, True, False, 0, None, "", self._made_up[node], (), joined=True)
        named = builder.named[node] if node < len(builder.named) else 0
        lists = builder.list_sets[builder.named_on[node]] if named else ()
        named_on = tuple(sorted(builder.names[number] for number in lists))
        ghost = Message(
            message_id, parent, depth, True, False, 0, None, "", "", (), named=named, named_on=named_on
        )  # fmt: skip
        return self._marked(ghost, node)

    def _marked(self, message: Message, node: int) -> Message:
        forest = self._forest
        if node in forest.contested:
            rivals = tuple(_text_of(forest.ids[rival]) if rival >= 0 else None for rival in forest.contested[node])
            message = message._replace(contested=True, rivals=rivals)
        if node in forest.cuts:
            message = message._replace(cut=_text_of(forest.ids[forest.cuts[node]]))
        if node in self._joined:
            message = message._replace(joined=True)
        if node in self._contesting:
            replies = sorted(forest.ids[reply] for reply in self._contesting[node])
            message = message._replace(rival_replies=tuple(map(_text_of, replies)))
        if node in self._other_names:
            message = message._replace(aliases=tuple(map(_text_of, self._other_names[node])))
        return message

    @cached_property
    def _marks(self) -> set[int]:
        """The nodes to which `_marked` has something to say."""
        return {*self._forest.contested, *self._forest.cuts, *self._joined, *self._contesting, *self._other_names}

    @cached_property
    def _other_names(self) -> dict[int, list[bytes]]:
        """For each message the aliases that count as it, sorted."""
        found: dict[int, list[bytes]] = {}
        for alias, node in sorted(self._forest.aliases.items(), key=lambda one: self._forest.ids[one[0]]):
            found.setdefault(node, []).append(self._forest.ids[alias])
        return found

    @cached_property
    def _contesting(self) -> dict[int, list[int]]:
        """For each rival parent the contested messages that name it."""
        found: dict[int, list[int]] = {}
        for node, rivals in self._forest.contested.items():
            for rival in rivals:
                if rival >= 0:
                    found.setdefault(rival, []).append(node)
        return found


class _Texts(dict[int, str]):
    """Subjects, or authors, as text, by their numbers; the last of them are remembered."""

    def __init__(self, texts: Sequence[bytes], decode: Callable[[bytes], str]) -> None:
        self._bytes = texts
        self._decode = decode
        self.guessed: set[int] = set()
        """Those of them that are a guess (`weft.core.encoded_word.is_guessed`)."""

    def __missing__(self, number: int) -> str:
        if len(self) > _MEMO:
            self.clear()
        raw = self._bytes[number]
        self[number] = text = self._decode(raw)
        if not text.isascii() and is_guessed(raw):
            self.guessed.add(number)
        return text


def _text_of(message_id: bytes) -> str:
    return message_id.decode("utf-8", "surrogateescape")
