"""Explanations on the wire, in pages: who says what about one id.

Theory of operation
-------------------
An explanation is seven lists, and a page holds the next entries of them, taken one list after the other.  So a page is
known by the number of entries before it, and a client that joins the pages has each list whole.  A page ends when it
has enough entries or enough bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from weft.core.signing import KEY_BYTES, fingerprint, parse_fingerprint
from weft.errors import AnswerError
from weft.model import ClaimStatement, Explanation, Witness
from weft.v1 import threads_pb2 as wire
from weft.wire.coverage import coverage_from_message, coverage_to_message
from weft.wire.limits import PAGE_BYTES
from weft.wire.rows import stated_parent
from weft.wire.rules import (
    EDGE_RULE_WORDS,
    EDGE_RULES,
    HIDDEN_REASON_WORDS,
    HIDDEN_REASONS,
    PARENT_HEADER_WORDS,
    PARENT_HEADERS,
)
from weft.wire.threads import to_bytes, to_string, to_text

_Statement = wire.ExplainMessageResponse.Statement
_Witness = wire.ExplainMessageResponse.Witness


def to_message(found: Explanation, start: int, most: int) -> tuple[wire.ExplainMessageResponse, int | None]:
    """The page with the entries from number ``start`` on, and where the next one begins.

    It has at most ``most`` entries, one at least; a weak id counts as one.
    """
    page = wire.ExplainMessageResponse(
        message_id=to_bytes(found.message_id),
        root_id=to_bytes(found.root),
        parent=stated_parent(found.parent),
        rule=EDGE_RULES[found.rule],
        ghost=found.ghost,
        coverage=None if start else coverage_to_message(found.coverage),
    )
    left, room = most, PAGE_BYTES - page.ByteSize()
    for number, (name, entry, size) in enumerate(islice(_entries(found), start, None), start):
        left -= size
        if number > start and (left < 0 or room <= 0):
            return page, number
        getattr(page, name).append(entry)
        room -= len(entry) if isinstance(entry, bytes) else entry.ByteSize()
    return page, None


def from_pages(pages: Sequence[wire.ExplainMessageResponse]) -> Explanation:
    """From the wire; the server may lie about all of it, and nothing is signed."""
    first = pages[0]
    return Explanation(
        to_text(first.message_id),
        to_text(first.root_id),
        _named(first.parent),
        EDGE_RULE_WORDS.get(first.rule, "unknown"),
        first.ghost,
        tuple(_read_statement(one) for page in pages for one in page.statements),
        tuple(_read_witness(one) for page in pages for one in page.witnesses),
        tuple(_named(one) for page in pages for one in page.rivals),
        tuple(to_text(one) for page in pages for one in page.child_ids),
        tuple(to_text(one) for page in pages for one in page.lookalike_ids),
        coverage_from_message(first.coverage),
        tuple(to_text(one) for page in pages for one in page.alias_of_ids),
        tuple(to_text(one) for page in pages for one in page.alias_ids),
    )


def origin_name(data: bytes) -> str:
    """The fingerprint of an origin."""
    if len(data) != KEY_BYTES:
        raise AnswerError(f"an origin of {len(data)} bytes, not {KEY_BYTES}")
    return fingerprint(data)


def _entries(found: Explanation) -> Iterator[tuple[str, Any, int]]:
    """All entries of all lists: the field, the entry for it, and as how many it counts."""
    yield from (("statements", _statement(one), 1 + len(one.weak)) for one in found.statements)
    yield from (("witnesses", _witness(one), 1) for one in found.witnesses)
    yield from (("rivals", stated_parent(one), 1) for one in found.rivals)
    ids = (
        ("child_ids", found.children),
        ("lookalike_ids", found.lookalikes),
        ("alias_of_ids", found.alias_of),
        ("alias_ids", found.aliases),
    )
    yield from ((name, to_bytes(one), 1) for name, some in ids for one in some)


def _named(parent: wire.StatedParent) -> str | None:
    return to_text(parent.message_id) if parent.HasField("message_id") else None


def _statement(one: ClaimStatement) -> _Statement:
    return _Statement(
        claim_id=bytes.fromhex(one.claim),
        origin=parse_fingerprint(one.origin),
        list=to_string(one.list),
        tier=one.tier,
        message_id=to_bytes(one.message_id),
        parent=stated_parent(one.parent),
        header=PARENT_HEADERS[one.rule],
        date=to_string(one.date),
        subject=to_string(one.subject),
        author=to_string(one.author),
        archived_at=to_string(one.archived_at),
        batch_root=bytes.fromhex(one.batch),
        log_position=one.position,
        hidden_reason=HIDDEN_REASONS[one.hidden],
        body_digest=bytes.fromhex(one.body),
        weak_ids=[
            wire.ExplainMessageResponse.WeakId(message_id=to_bytes(name), counts=counts) for name, counts in one.weak
        ],
        alias_ids=map(to_bytes, one.aliases),
    )


def _read_statement(one: _Statement) -> ClaimStatement:
    return ClaimStatement(
        claim=one.claim_id.hex(),
        origin=origin_name(one.origin),
        list=one.list,
        tier=one.tier if one.HasField("tier") else None,
        message_id=to_text(one.message_id),
        parent=_named(one.parent),
        rule=PARENT_HEADER_WORDS.get(one.header, "unknown"),
        date=one.date,
        subject=one.subject,
        author=one.author,
        archived_at=one.archived_at,
        batch=one.batch_root.hex(),
        position=one.log_position,
        hidden=HIDDEN_REASON_WORDS.get(one.hidden_reason, "for a reason that is not known here"),
        body=one.body_digest.hex(),
        weak=tuple((to_text(weak.message_id), weak.counts) for weak in one.weak_ids),
        aliases=tuple(map(to_text, one.alias_ids)),
    )


def _witness(one: Witness) -> _Witness:
    return _Witness(
        claim_id=bytes.fromhex(one.claim),
        origin=parse_fingerprint(one.origin),
        list=to_string(one.list),
        tier=one.tier,
        message_id=to_bytes(one.message_id),
        parent=stated_parent(one.parent),
        gap=one.gap,
        counts=one.counts,
    )


def _read_witness(one: _Witness) -> Witness:
    return Witness(
        claim=one.claim_id.hex(),
        origin=origin_name(one.origin),
        list=one.list,
        tier=one.tier,
        message_id=to_text(one.message_id),
        parent=_named(one.parent),
        gap=one.gap,
        counts=one.counts,
    )
