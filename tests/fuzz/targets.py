"""What is fuzzed: for each way in for bytes of others, what has to hold of every input, and inputs to begin with."""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Callable
from typing import NamedTuple

from tests.fuzz.check_frame import check_frame
from tests.fuzz.check_mbox import check_mbox
from tests.fuzz.check_proof import check_proof
from tests.fuzz.seeds import read_seeds
from tests.vectors import PLAIN
from weft.core import author, claim, date, header, header_value, message_id, references, subject
from weft.errors import ClaimError, PolicyError, UsageError
from weft.index import schema, search_query
from weft.mail_text import message_text
from weft.policy import rules
from weft.render import sanitize


class Target(NamedTuple):
    """One way in."""

    check: Callable[[bytes], object]
    """Raises for an input that is not dealt with as it should be."""
    seeds: tuple[bytes, ...]


def check_header(raw: bytes) -> None:
    """What is scanned out of a header block keeps to its limits, and has an id or what one is made from."""
    fields = header.scan(b"\n" + raw, 1, len(raw) + 1)
    assert bool(fields.message_id) != bool(fields.minting)
    assert len(fields.subject) <= header_value.most_of_subject(fields.subject)
    assert len(fields.author) <= header_value.most_of_author(fields.author)
    assert len(fields.date) <= header.MAX_DATE
    own, aliases = fields.message_id, fields.aliases
    if not own:
        own, aliases = header.minted(fields, bytes(32))
    claim.parse(claim.encode(claim.Claim(PLAIN.origin, b"l", own, *fields[1:8], b"", *fields[9:11], aliases)))


def check_ids(raw: bytes) -> None:
    """Reading what was read changes nothing, and no id stands twice or is the message's own."""
    own = message_id.parse_message_id([raw]) or b"own@x"
    found, weak = references.parse_references([raw, b"<own@x>"], own, b"ann@example.org")
    assert references.is_mask(weak, len(found))
    assert len(set(found)) == len(found) <= message_id.MAX_REFERENCES
    assert own not in found
    assert not [name for name in found if message_id.key_problem(name)]


def check_date(raw: bytes) -> None:
    """What is read can be shown, and is read again out of what is shown."""
    seconds, zone = date.parse_date(raw[: header.MAX_DATE])
    shown = date.format_date(seconds, zone)
    assert (shown is None) == (seconds == date.MISSING)
    if shown is not None:
        assert date.parse_date(shown.encode()) == (seconds, zone)


def check_text(raw: bytes) -> None:
    """Whatever bytes there are, they are text that can be written."""
    subject.base_subject(subject.decode_text(raw))[0].encode()
    author.decode_author(raw).encode()


def check_message(raw: bytes) -> None:
    """Whatever a message is, what is shown of it is clean, and within the limits."""
    message = message_text.read_message(raw)
    sections = message.sections
    texts = [line.marks + line.text for section in sections for line in section.lines]
    texts += [value for fields in (message.fields, *(one.fields for one in sections)) for _, value in fields]
    texts += [*(one.name for one in message.attachments), *(one.name for one in sections), *message.remarks]
    assert [text for text in texts if sanitize.clean(text) != text] == []


def check_claim(raw: bytes) -> None:
    """What is accepted has one encoding."""
    try:
        parsed = claim.parse(raw)
    except ClaimError:
        return
    assert claim.encode(parsed) == raw


def check_query(raw: bytes) -> None:
    """A search table understands every question, and the text itself holds what it asks for."""
    words = raw.decode("utf-8", "replace")
    try:
        asked = search_query.SearchQuery.read(words)
    except UsageError:
        return
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(schema.SEARCH)
        connection.execute("SELECT rowid FROM search WHERE search MATCH ?", (asked.query,)).fetchall()
    except sqlite3.OperationalError as error:
        if "phrase" not in str(error):  # letters that are newer than SQLite's
            raise AssertionError(str(error)) from error
    finally:
        connection.close()


def check_policy(raw: bytes) -> None:
    """A policy is refused with the reason, or its tables say all there is."""
    try:
        parsed = rules.parse_policy(tomllib.loads(raw.decode("utf-8", "replace")), PLAIN.origin)
    except (PolicyError, tomllib.TOMLDecodeError):
        return
    assert rules.parse_policy(parsed.to_tables(), PLAIN.origin) == parsed


TARGETS = {
    name: Target(check, read_seeds(name))
    for name, check in {
        "header": check_header,
        "ids": check_ids,
        "mbox": check_mbox,
        "date": check_date,
        "text": check_text,
        "message": check_message,
        "claim": check_claim,
        "proof": check_proof,
        "frame": check_frame,
        "query": check_query,
        "policy": check_policy,
    }.items()
}
