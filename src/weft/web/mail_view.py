"""The mail of messages as pages show it: the text of each content that stands under an id, and what is attached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from weft.index.index import Index
from weft.index.raw_mail import FROM_PEER, FoundMail, MissingMail
from weft.mail_text.message_text import TextSection, read_message
from weft.mail_text.text_lines import TextLine
from weft.render.picture_labels import count, tidy
from weft.web.body_text import TextBlock, masked, text_blocks

IN_THREAD = 1500
"""Lines of a message that a page of a thread shows."""
_PAGE_LINES = 20_000
"""Lines of all messages of a page, and then"""
_LEAST_LINES = 20
"""of each."""


@dataclass(frozen=True, slots=True)
class CopyView:
    """The text of one content."""

    list_name: str
    blocks: list[TextBlock] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut: bool = False
    """There is more text than is shown."""
    plain: str = ""
    """The text as one string, for feeds."""


class OpenMail:
    """The mail of an index, for any number of pages; a context manager."""

    def __init__(self, index: Index) -> None:
        self.lost: dict[str, str] = {}
        """Why mail under an id is not here, since this was emptied."""
        self.raw = index.mail(self._miss)

    def _miss(self, one: MissingMail) -> None:
        self.lost[one.id] = "another server stated it" if one.reason == FROM_PEER else "its file is not at hand"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()


class MailTexts:
    """The texts of some messages, by id."""

    def __init__(self) -> None:
        self._copies: dict[str, list[CopyView]] = {}
        self._lost: dict[str, str] = {}

    @classmethod
    def read(
        cls, mail: OpenMail, ids: Iterable[str], *, mask: bool, most: int = IN_THREAD, plain: bool = False
    ) -> Self:
        """Of the mail that is here.  ``most``: lines of each message; ``plain``: as strings, not as elements.

        ``mask``: show no addresses of people.
        """
        found, room = cls(), _PAGE_LINES
        mail.lost = found._lost
        for one in mail.raw.of(ids):
            copy, lines = _copy(one, min(most, room), mask=mask, plain=plain)
            found._copies.setdefault(one.id, []).append(copy)
            room = max(_LEAST_LINES, room - lines)
        return found

    def copies(self, message_id: str) -> list[CopyView]:
        """The contents under an id, that of the copy that is shown first; none if the mail is not here."""
        return self._copies.get(message_id, [])

    def lost(self, message_id: str) -> str:
        """Why mail under an id is not here, if some is not."""
        return self._lost.get(message_id, "")


def _copy(found: FoundMail, most: int, *, mask: bool, plain: bool) -> tuple[CopyView, int]:
    """The text of one mail, and how many lines it has."""
    text = read_message(found.data, escaped=found.escaped)
    files = [_attachment(one.name or one.type, one.size) for one in text.attachments]
    view = CopyView(found.list, files=files, notes=[_sentence(one) for one in text.remarks])
    lines = [line for section in text.sections for line in _section_lines(section)]
    view = replace(view, cut=len(lines) > most)
    shown = lines[:most]
    if plain:
        joined = "\n".join(line.marks + line.text for line in shown)
        return replace(view, plain=masked(joined) if mask else joined), len(shown)
    return replace(view, blocks=text_blocks(shown, mask=mask)), len(shown)


def _section_lines(section: TextSection) -> list[TextLine]:
    """The lines of a section, behind the fields of the message within the message that it is."""
    head = [TextLine(f"{name}: {value}") for name, value in section.fields]
    return [*head, *([TextLine("")] if head else []), *section.lines]


def _attachment(name: str, size: int) -> str:
    return f"{tidy(name, 100)} ({count(size, 'byte')})"


def _sentence(remark: str) -> str:
    return f"{remark[:1].upper()}{remark[1:]}."
