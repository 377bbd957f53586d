"""The bounded scan of a header block: only the fields that are wanted, as raw bytes.

Theory of operation
-------------------
The standard library's parsers differ between Python versions and repair what they read; servers must agree on every
hashed byte.  So one regular expression with possessive quantifiers picks the wanted fields (RFC 5322 section 2.2)
out of a header block, in one linear pass; `weft.core.message_id` reads the ids, and nothing is decoded here.

`scan` is the seam where compiled code could go: a buffer in, `Fields` out.

A header block is cut at `MAX_BLOCK` bytes, a date at `MAX_DATE`, an Archived-At at `MAX_URL`; what is kept of a
subject and an author, says `weft.core.header_value`.  Who can lie: the author about every field, the list about
Subject, From and Date.  Nothing here is believed; these are what one list saw.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

from weft.core.alias import WORD_FRONT, parse_aliases
from weft.core.header_value import MAX_AUTHOR, MAX_SUBJECT, keep_author, keep_subject
from weft.core.message_id import parse_message_id, unfold
from weft.core.references import NO_IDS, parse_in_reply_to, parse_references

MAX_BLOCK = 256 * 1024
MAX_DATE = 128
MAX_URL = 1024

_FIELD = re.compile(
    rb"\n(?=[MmIiRrFfDdSsTtCcAaXxOo](?!ec|on|IM|K))"
    rb"(From|Date|Subject|To|C[Cc]|Message-I[Dd]|In-Reply-To|References"
    rb"|[Mm](?i:essage-id)|[Ii](?i:n-reply-to)|[Rr][Ee](?i:ferences|ply-to)|[Ff](?i:rom)|[Dd](?i:ate)"
    rb"|[Ss](?i:ubject|ender)|[Tt][Oo]|[Cc][Cc]|[Aa](?i:rchived-at)|[Oo](?i:riginal-message-id)"
    rb"|[Xx]-(?i:(?:(?!original-message-)[a-z0-9]++-)*+original-message-id))"
    rb"[ \t]*+:"
    rb"([^\n]*+(?:\n[ \t][^\n]*+)*+)"
)
"""Most lines are told apart by two letters: no wanted name has the second ones of Received, Content, MIME and DKIM.
The usual spellings are tried first; each other alternative begins with a set of characters, so that those that cannot
match are told apart without being tried."""
_ORDER = (
    b"message-id", b"in-reply-to", b"references", b"from", b"date", b"subject", b"to", b"cc", b"archived-at",
    b"reply-to", b"sender",
)  # fmt: skip
_USUAL = (
    b"Message-ID Message-Id Message-id In-Reply-To References From Date Subject To Cc CC Archived-At Reply-To Sender"
).split()
_NAMES = {name: _ORDER.index(name.lower()) for name in (*_ORDER, *_USUAL)}
_ALIASES = len(_ORDER)
"""Where the values of all fields stand whose names end with ``original-message-id``."""
_NO_VALUES: list[bytes] = []


class Fields(NamedTuple):
    """What one header block says, as bytes; an absent field is empty.

    ``message_id``   the key of the message, or empty: then `mint` gives one
    ``in_reply_to``  at most 16 ids in order
    ``sane``         In-Reply-To is exactly one id and nothing else
    ``references``   at most 100 ids, oldest first
    ``date subject author archived_at``   unfolded, trimmed, cut at their caps
    ``minting``      the whole unfolded fields that `mint` hashes; empty where there is a message id
    ``weak_in_reply_to weak_references``   which of the ids are weak (`weft.core.references`)
    ``aliases``      other ids that the mail states for itself (`weft.core.alias`)
    """

    message_id: bytes
    in_reply_to: tuple[bytes, ...]
    sane: bool
    references: tuple[bytes, ...]
    date: bytes
    subject: bytes
    author: bytes
    archived_at: bytes
    minting: tuple[bytes, ...]
    weak_in_reply_to: bytes
    weak_references: bytes
    aliases: tuple[bytes, ...] = ()


def scan(buffer: bytes | bytearray, start: int, end: int) -> Fields:
    """Read the header block ``buffer[start:end]``.  The byte before ``start`` must be a line feed."""
    cut = end - start > MAX_BLOCK
    if cut:
        end = start + MAX_BLOCK
    found: list[list[bytes]] = [_NO_VALUES] * (_ALIASES + 1)
    for name, value in _FIELD.findall(buffer, start - 1, end):
        try:
            which = _NAMES[name]
        except KeyError:
            which = _NAMES.get(name.lower(), _ALIASES)
        if found[which] is _NO_VALUES:
            found[which] = [value]
        else:
            found[which].append(value)
    ids, replies, references, author, date, subject, to, cc, archived_at, reply_to, senders, others = found
    if cut:
        for names in (ids, others):
            if names and buffer[end - len(names[-1]) : end] == names[-1]:
                names.pop()  # half an id would be another id
    own = (parse_message_id(ids) or b"") if ids else b""
    named = replies or references or others or own.startswith(WORD_FRONT)
    people = b",".join([*author, *to, *cc, *reply_to, *senders]).lower() if named else b""
    in_reply_to, sane = parse_in_reply_to(replies, own, people) if replies else (NO_IDS, False)
    if sane and references == replies:  # a reply to the first message of a thread
        chain = in_reply_to
    else:
        chain = parse_references(references, own, people) if references else NO_IDS
    reply_ids, weak_replies = in_reply_to
    chain_ids, weak_chain = chain
    title = unfold(subject[0]) if subject else b""
    if len(title) > MAX_SUBJECT or not title.isascii():
        title = keep_subject(title, buffer, start, end)
    sender = unfold(author[0]) if author else b""
    if len(sender) > MAX_AUTHOR or not sender.isascii():
        sender = keep_author(sender, buffer, start, end)
    values = (
        own,
        reply_ids,
        sane,
        chain_ids,
        unfold(date[0])[:MAX_DATE] if date else b"",
        title,
        sender,
        unfold(archived_at[0])[:MAX_URL] if archived_at else b"",
        ()
        if own
        else tuple(b"\n".join(map(unfold, values)) for values in (author, date, subject, replies, references)),
        weak_replies,
        weak_chain,
        parse_aliases((*ids, *others), own, people) if others or len(ids) > 1 or own.startswith(WORD_FRONT) else (),
    )
    return tuple.__new__(Fields, values)  # the named tuple's own constructor takes three times as long


def minted(fields: Fields, body_digest: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The id of a message without one, and its aliases.

    The author can compute that id and state it as an alias, for which there is no room in what the id is made from.
    """
    own = mint(fields.minting, body_digest)
    return own, tuple(name for name in fields.aliases if name != own)


def mint(minting: tuple[bytes, ...], body_digest: bytes) -> bytes:
    """The id of a message without one: equal bytes give equal ids on every server, and nothing more is promised."""
    digest = sha256(b"weft/v1/minted-id\0")
    for field in (*minting, body_digest):
        digest.update(len(field).to_bytes(8, "big") + field)
    return digest.hexdigest().encode() + b"@missing.invalid"
