"""``weft read``: one message, or a whole thread, as somebody reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._ids import parse_ids
from weft.cli._options import index_options, open_index, policy_option, say
from weft.cli._output import (
    each_once,
    message_options,
    on_terminal,
    open_output,
    ratio_option,
    terminal_columns,
    wants_color,
)
from weft.errors import UsageError
from weft.render.labels import ghost_tag, time_of
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.index.index import Index
    from weft.index.raw_mail import FoundMail, MissingMail
    from weft.model import Message

_RULE = "-" * 72


@click.command("read")
@click.argument("message_id", metavar="ID")
@click.option("--thread", "whole", is_flag=True, help="The whole thread in which ID stands.")
@click.option("--raw", is_flag=True, help="The bytes as they are; of several messages, an mbox (mboxrd).")
@click.option("--html-to-text", "html", is_flag=True, help="Text from HTML, also where there is plain text.")
@click.option("--in", "reader", metavar="READER", help="Open the thread in mutt, neomutt, aerc or less.")
@click.option("--no-color", is_flag=True, help="No colours (also: the environment variable NO_COLOR).")
@ratio_option
@policy_option
@index_options
@message_options
def command(
    message_id: str,
    whole: bool,
    raw: bool,
    html: bool,
    reader: str | None,
    no_color: bool,
    max_ratio: int,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """One message as it is read: its header fields, its text, and the names of what is attached.

    ID is what weft show takes.  On a terminal it goes through $PAGER, with quotes dimmed.  The mail is read where it
    was ingested from; of a message that came from a peer, or whose file is gone, what is known is printed instead, and
    the exit code is 3.  READER may also be a command line in which {} stands for the mailbox, as in --in 'alot -f {}';
    the mailbox is a copy, and goes when the reader ends.

    \b
    weft read ~n4s3p
    weft search 'boilerplate' | weft read -
    weft read --thread --in mutt ~n4s3p
    """
    from weft.cli._readers import open_in, reader_words

    if raw and (html or reader):
        raise UsageError("--raw prints the bytes as they are; leave out --html-to-text and --in")
    words = None if reader is None else reader_words(reader)
    names = parse_ids([message_id])
    with open_index(index, config, policy, reading=True) as opened:
        wanted = _wanted(opened, names, whole=whole or reader is not None)
        mail = _Mail(opened, wanted, max_ratio)
        if words is not None:
            from weft.render.mbox import write_mboxrd

            ended = open_in(words, lambda file: write_mboxrd(mail.raw(), file))
            if ended:
                say(f"{words[0]} ended with exit code {ended}")
            code = 1 if ended else 0
        elif raw:
            _print_raw(mail, single=len(wanted) == 1)
            code = 0
        else:
            _print_text(mail, html=html, color=wants_color(no_color) and on_terminal())
            return 3 if mail.absent else 0
        if mail.absent and not quiet:
            say(f"{count(len(mail.absent), 'message')} not here as mail; see why with: weft read")
        return code or (3 if mail.absent else 0)


def _wanted(index: Index, names: list[str], *, whole: bool) -> list[tuple[Message, str]]:
    """The messages that are wanted, with their handles; each of which has a place in a thread."""
    messages: dict[str, Message] = {}
    if whole:
        for thread in each_once(index.thread(name, hidden=False) for name in names):
            messages |= {message.id: message for message in thread.messages if not message.joined}
    else:
        for name in names:
            own = index.explain(index.resolve(name)).message_id
            messages[own] = next(message for message in index.thread(own).messages if message.id == own)
    handles = index.handles(messages)
    return [(message, handles[name]) for name, message in messages.items()]


class _Mail:
    """The mail of some messages, and why some of it is not here."""

    def __init__(self, index: Index, wanted: list[tuple[Message, str]], max_ratio: int) -> None:
        self._index = index
        self._max_ratio = max_ratio
        self.wanted = wanted
        self.absent: dict[str, str] = {}
        """Why, by the ids of messages of which no mail is here."""

    def each(self) -> Iterator[tuple[Message, str, list[FoundMail]]]:
        """(message, handle, its copies with different contents) in order; no copy where none is here."""
        lost: dict[str, str] = {}

        def missing(one: MissingMail) -> None:
            lost[one.id] = one.reason

        with self._index.mail(missing, max_ratio=self._max_ratio) as mail:
            for message, handle in self.wanted:
                found = [] if message.ghost else list(mail.of([message.id]))
                if not found:
                    self.absent[message.id] = lost.get(message.id, ghost_tag(message))
                yield message, handle, found

    def archived_at(self, message: Message) -> list[str]:
        """Where claims about a message say that it is archived, each once."""
        statements = () if message.ghost else self._index.explain(message.id).statements
        return list(dict.fromkeys(one.archived_at for one in statements if one.archived_at))

    def raw(self) -> Iterator[tuple[bytes, bool]]:
        """(bytes, whether mbox-escaped) of all that is here."""
        for _, _, found in self.each():
            yield from ((one.data, one.escaped) for one in found)


def _print_raw(mail: _Mail, *, single: bool) -> None:
    from weft.core.body import unescape_from
    from weft.render.mbox import write_mboxrd

    found = list(mail.raw())
    with open_output(None, force=False) as file:
        if single and len(found) == 1:
            file.write(unescape_from(found[0][0]) if found[0][1] else found[0][0])
        else:
            write_mboxrd(found, file)


def _print_text(mail: _Mail, *, html: bool, color: bool) -> None:
    """Through the pager on a terminal, else as it is."""
    from weft.cli._pager import pager, through

    lines = _lines(mail, html=html, color=color, columns=terminal_columns())
    chosen = pager()
    with through(chosen) if chosen else open_output(None, force=False) as file:
        for line in lines:
            file.write(f"{line}\n".encode())


def _lines(mail: _Mail, *, html: bool, color: bool, columns: int) -> Iterator[str]:
    from weft.mail_text.message_text import read_message
    from weft.mail_text.terminal_lines import terminal_lines

    first = True
    for message, handle, found in mail.each():
        if not first:
            yield from ("", _RULE, "")
        first = False
        lists = clean(" ".join(message.lists))
        yield f"{handle}{f'  {lists}' if lists else ''}"
        if not found:
            yield from _known(message, mail.absent[message.id], mail.archived_at(message))
        for number, one in enumerate(found):
            if number:
                yield from ("", f"[another content under the same id, on {clean(one.list)}]", "")
            text = read_message(one.data, escaped=one.escaped, html=html)
            yield from terminal_lines(text, columns=columns, color=color)


def _known(message: Message, reason: str, places: list[str]) -> Iterator[str]:
    """What is known of a message whose mail is not here."""
    if not message.ghost:
        yield f"From: {clean(message.author)}"
        yield f"Date: {clean(time_of(message))}"
        yield f"Subject: {clean(message.subject)}"
    yield f"Message-ID: <{clean(message.id)}>"
    yield ""
    yield f"[the mail is not here: {clean(reason)}]"
    if message.named:
        where = f" on {clean(' '.join(message.named_on))}" if message.named_on else ""
        yield f"[named in {count(message.named, 'copy', 'copies')}{where}]"
    for place in places:
        yield f"[archived at {clean(place.strip('<> '))}]"
