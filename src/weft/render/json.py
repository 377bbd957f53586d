"""Thread JSON, format 1: one object a thread, for programs.

Theory of operation.  The output is pure ASCII, so that no locale can break it; values are escaped, never cleaned, and
a byte that was not UTF-8 is the escape ``\\udcXX``, which `json.loads` and ``surrogateescape`` turn back.  Objects
are written by hand instead of through dictionaries and `json.dumps`, because whole archives go through here: an
ordinary message is one f-string.

A message has the keys id, parent, depth, ghost, contested, variants, date, from, subject, lists, copies, in this
order, and then, only where they apply:

* ``rivals``: the parents that the copies of a contested message state;
* ``cut``: the parent whose edge closed a cycle;
* ``joined``: true if its edge comes from equal subjects;
* ``date_raw``: the Date field as it stands, if it could not be read;
* ``rival_replies``: the ids of contested messages that name this one as a rival parent; each is a root;
* ``aliases``: other ids that count as this one here, so that what refers to them is below it;
* ``charset_guessed``: true if from or subject hold 8-bit text whose charset nothing states: it is read as Windows-1252;
* ``date_implausible``: true if ``date`` is before 1970, or in the future of the archive: such a date puts no thread
  first;
* ``named``, ``named_on``: for a ghost, in how many copies of other messages it is named, and on which lists;
* ``hearsay``: true for a ghost with a parent: only References of other messages place it there;
* ``muted``: true for a ghost of which copies are here that the policy mutes.

An index adds ``coverage`` (`weft.model.Coverage`): ``complete``; ``carried``, ``partly`` and ``never_asked``, feeds
as ``ORIGIN/LIST``; ``asked``, objects with ``feed``, ``of`` (fingerprints) and ``upto`` (RFC 3339); ``cut``,
fingerprints; ``nobody_holds``, ids.

A copy has ``list``, ``origin`` if it is known, and of ``from``, ``subject``, ``date`` those that differ from the
message's own.  The format may only grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring_ascii as _quote
from typing import BinaryIO

from weft.model import AskedFeed, Copy, Message, Thread

ITEMS, LINES = ",\n", "\n"
"""What stands between the threads of an array, and between those of which each is a line."""
CHUNK = 1 << 18
"""About so many characters are collected before they are written."""


def write_json(threads: Iterable[Thread], file: BinaryIO) -> None:
    """Write one JSON array of all ``threads``, one thread a line."""
    write_json_blocks(_chunks(threads, ITEMS), file)


def write_json_blocks(blocks: Iterable[bytes | bytearray], file: BinaryIO) -> None:
    """The same of blocks of some threads each (at least one) with `ITEMS` between them."""
    file.write(b"[")
    comma = b"\n"
    for block in blocks:
        file.write(comma)
        file.write(block)
        comma = b",\n"
    file.write(b"]\n" if comma == b"\n" else b"\n]\n")


def write_jsonl(threads: Iterable[Thread], file: BinaryIO) -> None:
    """Write one JSON object a line for each of ``threads``."""
    write_jsonl_blocks(_chunks(threads, LINES), file)


def write_jsonl_blocks(blocks: Iterable[bytes | bytearray], file: BinaryIO) -> None:
    """The same of blocks of some threads each (at least one) with `LINES` between them."""
    for block in blocks:
        file.write(block)
        file.write(b"\n")


def encode_thread(thread: Thread) -> str:
    """One thread as a JSON object, in ASCII, without a line break."""
    messages = ",".join(map(encode_message, thread.messages))
    head = f'{{"format":1,"root":{_quote(thread.root)},"digest":{_quote(thread.digest)},{_coverage(thread)}'
    return f'{head}"messages":[{messages}]}}'


def _chunks(threads: Iterable[Thread], separator: str) -> Iterator[bytes]:
    """The objects of ``threads`` with ``separator`` between them, in pieces that lack one at their ends."""
    objects: list[str] = []
    size = 0
    for thread in threads:
        one = encode_thread(thread)
        objects.append(one)
        size += len(one)
        if size >= CHUNK:
            yield separator.join(objects).encode("ascii")
            objects, size = [], 0
    if objects:
        yield separator.join(objects).encode("ascii")


def encode_message(message: Message) -> str:
    """One message as a JSON object."""
    (
        own,
        parent,
        depth,
        ghost,
        contested,
        variants,
        date,
        author,
        subject,
        copies,
        _,
        cut,
        _,
        _,
        joined,
        stated,
        _,
        replies,
        aliases,
        guessed,
        ahead,
    ) = message
    first = copies[0] if len(copies) == 1 else None
    if first and first.subject == subject and first.author == author and first.date == date and first.origin is None:
        # Most messages; what they share with their copy need not be looked at field by field.
        lists = _quote(first.list)
        encoded_copies = f'{{"list":{lists}}}'
    else:
        lists = ",".join(map(_quote, message.lists))
        encoded_copies = ",".join([_encode_copy(copy, message) for copy in copies])
    marked = contested or cut is not None or joined or stated or replies or aliases or guessed
    marked = marked or ahead or (date is not None and date < "1970-01-02")
    rest = _encode_rest(message) if ghost or marked else ""
    return (
        f'{{"id":{_quote(own)},"parent":{"null" if parent is None else _quote(parent)},"depth":{depth},'
        f'"ghost":{"true" if ghost else "false"},"contested":{"true" if contested else "false"},'
        f'"variants":{variants},"date":{"null" if date is None else _quote(date)},"from":{_quote(author)},'
        f'"subject":{_quote(subject)},"lists":[{lists}],"copies":[{encoded_copies}]{rest}}}'
    )


def _encode_copy(copy: Copy, message: Message) -> str:
    text = f'{{"list":{_quote(copy.list)}'
    if copy.origin is not None:
        text += f',"origin":{_quote(copy.origin)}'
    if copy.author != message.author:
        text += f',"from":{_quote(copy.author)}'
    if copy.subject != message.subject:
        text += f',"subject":{_quote(copy.subject)}'
    if copy.date != message.date:
        text += f',"date":{_quote_or_null(copy.date)}'
    return text + "}"


def _encode_rest(message: Message) -> str:
    """The keys that only some messages have."""
    text = ""
    if message.contested:
        text += f',"rivals":[{",".join(map(_quote_or_null, message.rivals))}]'
    if message.cut is not None:
        text += f',"cut":{_quote(message.cut)}'
    if message.joined:
        text += ',"joined":true'
    if message.stated_date:
        text += f',"date_raw":{_quote(message.stated_date)}'
    if message.rival_replies:
        text += f',"rival_replies":[{",".join(map(_quote, message.rival_replies))}]'
    if message.aliases:
        text += f',"aliases":[{",".join(map(_quote, message.aliases))}]'
    if message.guessed:
        text += ',"charset_guessed":true'
    if message.implausible_date:
        text += ',"date_implausible":true'
    if message.ghost:
        text += f',"named":{message.named},"named_on":[{",".join(map(_quote, message.named_on))}]'
    if message.hearsay:
        text += ',"hearsay":true'
    if message.ghost and message.muted:
        text += ',"muted":true'
    return text


def _quote_or_null(value: str | None) -> str:
    return "null" if value is None else _quote(value)


def _coverage(thread: Thread) -> str:
    """The key ``coverage``, which only an index can give."""
    coverage = thread.coverage
    if coverage is None:
        return ""
    feeds = (("carried", coverage.carried), ("partly", coverage.partly), ("never_asked", coverage.never_asked))
    names = (("cut", coverage.cut), ("nobody_holds", coverage.nobody_holds))
    asked = ",".join(map(_encode_asked, coverage.asked))
    parts = f'{_encode_lists(feeds)},"asked":[{asked}]{_encode_lists(names)}'
    return f'"coverage":{{"complete":{"true" if coverage.complete else "false"}{parts}}},'


def _encode_lists(lists: Iterable[tuple[str, Iterable[str]]]) -> str:
    return "".join(f',"{name}":[{",".join(map(_quote, texts))}]' for name, texts in lists)


def _encode_asked(one: AskedFeed) -> str:
    return f'{{"feed":{_quote(one.feed)},"of":[{",".join(map(_quote, one.of))}],"upto":{_quote(one.upto)}}}'
