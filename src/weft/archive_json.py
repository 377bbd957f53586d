"""Thread JSON of an archive, straight from its columns.

Theory of operation.  `weft.render.json` says what the output is; it makes it of `Thread` objects, which for most
messages costs more than everything else that is done with them.  Here the same bytes are made of an archive's columns.
Only messages of which nothing is said but their copies are written here; the others are made into objects and encoded
from these, so that each key that is rare is known in one place.  A test compares both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from json.encoder import encode_basestring_ascii as _quote

from weft.copies import Copies
from weft.core.date import MISSING, format_date
from weft.core.display_order import DisplayOrder
from weft.core.edge_digest import LABEL_FRONTS, NO_PARENT, digest_of_edges
from weft.model import Message
from weft.render.json import encode_message

_FIRST_DATE = 3 * 86400
"""From then on, in seconds, a date is after 1970-01-01 in every zone."""
_LAST_DATE = 1 << 62
_MEMO = 50_000


class QuotedTexts(dict[int, str]):
    """Subjects, or authors, as JSON strings by their numbers; empty for those that are a guess.

    The last of them are remembered.
    """

    def __init__(self, texts: Mapping[int, str], guessed: Collection[int]) -> None:
        """``guessed``: has the number of a text that is a guess from when it was asked for."""
        self._texts = texts
        self._guessed = guessed

    def __missing__(self, number: int) -> str:
        if len(self) > _MEMO:
            self.clear()
        text = self._texts[number]
        self[number] = quoted = "" if number in self._guessed else _quote(text)
        return quoted


class ThreadEncoder:
    """Encodes the threads of one archive."""

    def __init__(
        self,
        layout: DisplayOrder,
        copies: Copies,
        names: list[str],
        *,
        subjects: QuotedTexts,
        authors: QuotedTexts,
        marks: Collection[int],
        ahead_from: int | None,
        message_of: Callable[[int, str, str | None, int], Message],
    ) -> None:
        """``message_of``: (node, id, parent, depth) to the message, which is asked for those in ``marks``, for ghosts
        and for dates that cannot be read or are implausible: those from ``ahead_from`` on are."""
        self._layout = layout
        self._copies = copies
        self._names = names
        self._subjects = subjects
        self._authors = authors
        self._marks = marks
        self._ahead_from = _LAST_DATE if ahead_from is None else ahead_from
        self._message_of = message_of
        self._lists = [_quote(name) for name in names]
        self._tails = [f',"lists":[{name}],"copies":[{{"list":{name}}}]}}' for name in self._lists]

    def encode(self, roots: Iterable[int], separator: str, *, hidden: bool) -> bytes:
        """The threads with these roots as `weft.render.json.encode_thread` writes them, ``separator`` between them."""
        return separator.join([self._thread(root, hidden=hidden) for root in roots]).encode("ascii")

    def _thread(self, root: int, *, hidden: bool) -> str:
        layout, ids, copies, marks = self._layout, self._layout.ids, self._copies, self._marks
        held, first, after, seconds, zones = layout.held, copies.first, copies.after, copies.seconds, copies.zones
        lists, of_subject, of_author, tails = copies.lists, copies.subjects, copies.authors, self._tails
        subjects, authors, ahead_from = self._subjects, self._authors, self._ahead_from
        messages: list[str] = []
        edges: list[bytes] = []
        # The ids from the root down to the last node, as JSON and as the digest has them: in it stands the parent.
        quoted, labels = {-1: "null"}, {-1: NO_PARENT}
        for node, depth in layout.tree(root):
            if not hidden and not held[node]:
                continue
            raw = ids[node]
            parent = quoted[depth - 1]
            quoted[depth] = own = _quote(raw.decode("utf-8", "surrogateescape"))
            labels[depth] = label = LABEL_FRONTS[len(raw)] + raw
            edges.append(label + labels[depth - 1])
            copy = first[node]
            if (
                copy >= 0
                and after[copy] < 0
                and _FIRST_DATE <= seconds[copy] < ahead_from
                and node not in marks
                and (subject := subjects[of_subject[copy]])
                and (author := authors[of_author[copy]])
            ):
                messages.append(
                    f'{{"id":{own},"parent":{parent},"depth":{depth},"ghost":false,"contested":false,"variants":1,'
                    f'"date":"{format_date(seconds[copy], zones[copy])}","from":{author},"subject":{subject}'
                    f"{tails[lists[copy]]}"
                )
            else:
                messages.append(self._other(node, own, parent, depth))
        digest = digest_of_edges(edges)
        return f'{{"format":1,"root":{quoted[0]},"digest":"{digest}","messages":[{",".join(messages)}]}}'

    def _other(self, node: int, own: str, parent: str, depth: int) -> str:
        """A message that has several copies, or of which there is more to say."""
        if (
            node not in self._marks
            and self._copies.first[node] >= 0
            and (text := self._copied(node, own, parent, depth))
        ):
            return text
        ids, above = self._layout.ids, self._layout.parents[node]
        return encode_message(
            self._message_of(node, _text_of(ids[node]), _text_of(ids[above]) if depth else None, depth)
        )

    def _copied(self, node: int, own: str, parent: str, depth: int) -> str:
        """A message of which nothing is said but its copies; empty if there is more to say."""
        copies = self._copies
        numbers = copies.sort(copies.of(node), self._names)
        seconds, zone = copies.date(numbers)
        subject, author = self._subjects[copies.subjects[numbers[0]]], self._authors[copies.authors[numbers[0]]]
        if not (_FIRST_DATE <= seconds < self._ahead_from and subject and author):
            return ""
        said = []
        for copy in numbers:
            its_subject, its_author = self._subjects[copies.subjects[copy]], self._authors[copies.authors[copy]]
            if not (its_subject and its_author and copies.seconds[copy] != MISSING):
                return ""
            text = f'{{"list":{self._lists[copies.lists[copy]]}'
            if its_author != author:
                text += f',"from":{its_author}'
            if its_subject != subject:
                text += f',"subject":{its_subject}'
            if (copies.seconds[copy], copies.zones[copy]) != (seconds, zone):
                text += f',"date":"{format_date(copies.seconds[copy], copies.zones[copy])}"'
            said.append(text + "}")
        lists = dict.fromkeys([self._lists[copies.lists[copy]] for copy in numbers])
        return (
            f'{{"id":{own},"parent":{parent},"depth":{depth},"ghost":false,"contested":false,'
            f'"variants":{copies.variants(numbers, self._names)},"date":"{format_date(seconds, zone)}","from":{author},'
            f'"subject":{subject},"lists":[{",".join(lists)}],"copies":[{",".join(said)}]}}'
        )


def _text_of(message_id: bytes) -> str:
    return message_id.decode("utf-8", "surrogateescape")
