"""What is shown of a message, as lines for a terminal: fields, text with its quotes, and names of attachments.

Paragraphs that flow are broken at spaces, to the width of the terminal or to `MOST_COLUMNS`; all other lines stay as
they are, however long.  With colours, field names are bold, quotes dim, and what is said about the message yellow.
"""

from __future__ import annotations

from collections.abc import Iterator

from weft._text import count
from weft.mail_text.message_text import Attachment, MessageText, TextSection
from weft.mail_text.text_lines import TextLine
from weft.render.sanitize import width

MOST_COLUMNS = 78
_LEAST = 20
_BOLD, _DIM, _YELLOW, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[0m"


def terminal_lines(message: MessageText, *, columns: int = MOST_COLUMNS, color: bool = False) -> Iterator[str]:
    """The lines, without line ends.  ``columns``: those of the terminal."""
    columns = max(_LEAST, min(columns, MOST_COLUMNS))
    yield from _fields(message.fields, color)
    for section in message.sections:
        yield ""
        yield from _section(section, columns, color)
    if message.attachments or message.remarks:
        yield ""
    for attachment in message.attachments:
        yield _painted(_YELLOW, f"[attachment: {_attachment(attachment)}]", color)
    for remark in message.remarks:
        yield _painted(_YELLOW, f"[{remark}]", color)


def _fields(fields: tuple[tuple[str, str], ...], color: bool) -> Iterator[str]:
    for name, value in fields:
        yield f"{_painted(_BOLD, f'{name}:', color)} {value}"


def _section(section: TextSection, columns: int, color: bool) -> Iterator[str]:
    if section.fields:
        yield _painted(_YELLOW, "[a message within this message]", color)
        yield from _fields(section.fields, color)
        if section.lines:
            yield ""
    if section.name:
        yield _painted(_YELLOW, f"[file: {section.name}]", color)
    for line in section.lines:
        for text in _broken(line, columns) if line.flows else (line.marks + line.text,):
            yield _painted(_DIM, text, color) if line.depth else text


def _broken(line: TextLine, columns: int) -> Iterator[str]:
    """A paragraph in lines of so many columns; a longer word has a line of its own."""
    room = max(_LEAST, columns - len(line.marks))
    if width(line.text) <= room:
        yield (line.marks + line.text).rstrip(" ")
        return
    words: list[str] = []
    taken = 0
    for word in line.text.split(" "):
        size = width(word)
        if words and taken + 1 + size > room:
            yield line.marks + " ".join(words)
            words, taken = [], 0
        taken += size + bool(words)
        words.append(word)
    yield (line.marks + " ".join(words)).rstrip(" ")


def _attachment(one: Attachment) -> str:
    return f"{one.name}, {one.type}, {_size(one.size)}" if one.name else f"{one.type}, {_size(one.size)}"


def _size(size: int) -> str:
    if size < 1024:
        return count(size, "byte")
    return f"{size / 1024:.0f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"


def _painted(style: str, text: str, color: bool) -> str:
    return f"{style}{text}{_PLAIN}" if color and text else text
