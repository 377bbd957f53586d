"""Explanations and coverage on the wire: who says what about one id, and what was never asked."""

from __future__ import annotations

from collections.abc import Iterable

from weft.core.signing import KEY_BYTES, fingerprint, parse_fingerprint
from weft.errors import AnswerError
from weft.model import AskedFeed, ClaimStatement, Coverage, Explanation, Witness
from weft.v1 import threads_pb2 as wire
from weft.wire.limits import EXPLAINED
from weft.wire.threads import to_bytes, to_text


def to_message(found: Explanation) -> wire.ExplainResponse:
    """For the wire, at most `EXPLAINED` entries of each list, and as many weak ids in all its statements together."""
    most = EXPLAINED
    lists = (
        found.statements,
        found.witnesses,
        found.rivals,
        found.children,
        found.lookalikes,
        found.alias_of,
        found.aliases,
    )
    statements, cut = _statements(found.statements[:most])
    return wire.ExplainResponse(
        id=to_bytes(found.message_id),
        root=to_bytes(found.root),
        parent=_parent(found.parent),
        rule=to_bytes(found.rule),
        ghost=found.ghost,
        statements=statements,
        witnesses=map(_witness, found.witnesses[:most]),
        rivals=map(_parent, found.rivals[:most]),
        children=map(to_bytes, found.children[:most]),
        lookalikes=map(to_bytes, found.lookalikes[:most]),
        coverage=coverage_to_message(found.coverage),
        alias_of=map(to_bytes, found.alias_of[:most]),
        aliases=map(to_bytes, found.aliases[:most]),
        truncated=cut or any(len(one) > most for one in lists),
    )


def from_message(found: wire.ExplainResponse) -> Explanation:
    """From the wire; the server may lie about all of it, and nothing is signed."""
    return Explanation(
        to_text(found.id),
        to_text(found.root),
        _named(found.parent),
        to_text(found.rule),
        found.ghost,
        tuple(map(_read_statement, found.statements)),
        tuple(map(_read_witness, found.witnesses)),
        tuple(map(_named, found.rivals)),
        tuple(map(to_text, found.children)),
        tuple(map(to_text, found.lookalikes)),
        coverage_from_message(found.coverage),
        tuple(map(to_text, found.alias_of)),
        tuple(map(to_text, found.aliases)),
    )


def coverage_to_message(found: Coverage) -> wire.Coverage:
    """For the wire, at most `EXPLAINED` entries of each kind."""
    most = EXPLAINED
    asked: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for one in found.asked[:most]:
        asked.setdefault((one.of, one.upto), []).append(one.feed)
    return wire.Coverage(
        carried=map(to_bytes, found.carried[:most]),
        partly=map(to_bytes, found.partly[:most]),
        never_asked=map(to_bytes, found.never_asked[:most]),
        asked=[
            wire.Coverage.Asked(feeds=map(to_bytes, feeds), of=map(to_bytes, of), upto=to_bytes(upto))
            for (of, upto), feeds in asked.items()
        ],
        cut=map(to_bytes, found.cut[:most]),
        nobody_holds=map(to_bytes, found.nobody_holds[:most]),
    )


def coverage_from_message(found: wire.Coverage) -> Coverage:
    """From the wire; nothing of it is signed."""
    lists = (found.carried, found.partly, found.never_asked, found.cut, found.nobody_holds)
    carried, partly, never_asked, cut, nobody_holds = (tuple(map(to_text, one)) for one in lists)
    asked = (
        AskedFeed(to_text(feed), tuple(map(to_text, one.of)), to_text(one.upto))
        for one in found.asked
        for feed in one.feeds
    )
    return Coverage(carried, partly, never_asked, tuple(sorted(asked)), cut, nobody_holds)


def origin_name(data: bytes) -> str:
    """The fingerprint of an origin."""
    if len(data) != KEY_BYTES:
        raise AnswerError(f"an origin of {len(data)} bytes, not {KEY_BYTES}")
    return fingerprint(data)


def _parent(parent: str | None) -> wire.ExplainResponse.Parent:
    return wire.ExplainResponse.Parent(id=None if parent is None else to_bytes(parent))


def _named(parent: wire.ExplainResponse.Parent) -> str | None:
    return to_text(parent.id) if parent.HasField("id") else None


def _statements(some: Iterable[ClaimStatement]) -> tuple[list[wire.ExplainResponse.Statement], bool]:
    """The statements, and whether weak ids were left out: one claim can name a hundred."""
    left = EXPLAINED
    messages = []
    for one in some:
        messages.append(_statement(one, left))
        left -= len(one.weak)
    return messages, left < 0


def _statement(one: ClaimStatement, most_weak: int) -> wire.ExplainResponse.Statement:
    return wire.ExplainResponse.Statement(
        claim=bytes.fromhex(one.claim),
        origin=parse_fingerprint(one.origin),
        list=to_bytes(one.list),
        tier=one.tier,
        id=to_bytes(one.message_id),
        parent=_parent(one.parent),
        rule=to_bytes(one.rule),
        date=to_bytes(one.date),
        subject=to_bytes(one.subject),
        author=to_bytes(one.author),
        archived_at=to_bytes(one.archived_at),
        batch=bytes.fromhex(one.batch),
        position=one.position,
        hidden=to_bytes(one.hidden),
        body=bytes.fromhex(one.body),
        weak=[
            wire.ExplainResponse.WeakId(id=to_bytes(name), counts=counts)
            for name, counts in one.weak[: max(most_weak, 0)]
        ],
        aliases=map(to_bytes, one.aliases),
    )


def _read_statement(one: wire.ExplainResponse.Statement) -> ClaimStatement:
    return ClaimStatement(
        claim=one.claim.hex(),
        origin=origin_name(one.origin),
        list=to_text(one.list),
        tier=one.tier if one.HasField("tier") else None,
        message_id=to_text(one.id),
        parent=_named(one.parent),
        rule=to_text(one.rule),
        date=to_text(one.date),
        subject=to_text(one.subject),
        author=to_text(one.author),
        archived_at=to_text(one.archived_at),
        batch=one.batch.hex(),
        position=one.position,
        hidden=to_text(one.hidden),
        body=one.body.hex(),
        weak=tuple((to_text(weak.id), weak.counts) for weak in one.weak),
        aliases=tuple(map(to_text, one.aliases)),
    )


def _witness(one: Witness) -> wire.ExplainResponse.Witness:
    return wire.ExplainResponse.Witness(
        claim=bytes.fromhex(one.claim),
        origin=parse_fingerprint(one.origin),
        list=to_bytes(one.list),
        tier=one.tier,
        id=to_bytes(one.message_id),
        parent=_parent(one.parent),
        gap=one.gap,
        counts=one.counts,
    )


def _read_witness(one: wire.ExplainResponse.Witness) -> Witness:
    return Witness(
        claim=one.claim.hex(),
        origin=origin_name(one.origin),
        list=to_text(one.list),
        tier=one.tier,
        message_id=to_text(one.id),
        parent=_named(one.parent),
        gap=one.gap,
        counts=one.counts,
    )
