"""Explanations and coverage on the wire: who says what about one id, and what was never asked."""

from __future__ import annotations

from weft.core.signing import KEY_OCTETS, fingerprint, parse_fingerprint
from weft.index.model import Explanation, Statement, Witness
from weft.rpc.convert import to_octets, to_text
from weft.rpc.failures import AnswerError
from weft.rpc.limits import EXPLAINED
from weft.thread import Asked, Coverage
from weft.v1 import threads_pb2 as wire


def to_message(found: Explanation) -> wire.ExplainResponse:
    """For the wire, at most `EXPLAINED` entries of each list."""
    most = EXPLAINED
    lists = (found.statements, found.witnesses, found.rivals, found.children, found.lookalikes)
    return wire.ExplainResponse(
        id=to_octets(found.message_id),
        root=to_octets(found.root),
        parent=_parent(found.parent),
        rule=to_octets(found.rule),
        ghost=found.ghost,
        statements=map(_statement, found.statements[:most]),
        witnesses=map(_witness, found.witnesses[:most]),
        rivals=map(_parent, found.rivals[:most]),
        children=map(to_octets, found.children[:most]),
        lookalikes=map(to_octets, found.lookalikes[:most]),
        coverage=coverage_to_message(found.coverage),
        truncated=any(len(one) > most for one in lists),
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
    )


def coverage_to_message(found: Coverage) -> wire.Coverage:
    """For the wire, at most `EXPLAINED` entries of each kind."""
    most = EXPLAINED
    asked: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for one in found.asked[:most]:
        asked.setdefault((one.of, one.upto), []).append(one.feed)
    return wire.Coverage(
        carried=map(to_octets, found.carried[:most]),
        partly=map(to_octets, found.partly[:most]),
        never_asked=map(to_octets, found.never_asked[:most]),
        asked=[
            wire.Coverage.Asked(feeds=map(to_octets, feeds), of=map(to_octets, of), upto=to_octets(upto))
            for (of, upto), feeds in asked.items()
        ],
        cut=map(to_octets, found.cut[:most]),
        nobody_holds=map(to_octets, found.nobody_holds[:most]),
    )


def coverage_from_message(found: wire.Coverage) -> Coverage:
    """From the wire; nothing of it is signed."""
    lists = (found.carried, found.partly, found.never_asked, found.cut, found.nobody_holds)
    carried, partly, never_asked, cut, nobody_holds = (tuple(map(to_text, one)) for one in lists)
    asked = (
        Asked(to_text(feed), tuple(map(to_text, one.of)), to_text(one.upto))
        for one in found.asked
        for feed in one.feeds
    )
    return Coverage(carried, partly, never_asked, tuple(sorted(asked)), cut, nobody_holds)


def origin_name(octets: bytes) -> str:
    """The fingerprint of an origin."""
    if len(octets) != KEY_OCTETS:
        raise AnswerError(f"an origin of {len(octets)} octets, not {KEY_OCTETS}")
    return fingerprint(octets)


def _parent(parent: str | None) -> wire.ExplainResponse.Parent:
    return wire.ExplainResponse.Parent(id=None if parent is None else to_octets(parent))


def _named(parent: wire.ExplainResponse.Parent) -> str | None:
    return to_text(parent.id) if parent.HasField("id") else None


def _statement(one: Statement) -> wire.ExplainResponse.Statement:
    return wire.ExplainResponse.Statement(
        claim=bytes.fromhex(one.claim),
        origin=parse_fingerprint(one.origin),
        list=to_octets(one.list),
        tier=one.tier,
        id=to_octets(one.message_id),
        parent=_parent(one.parent),
        rule=to_octets(one.rule),
        date=to_octets(one.date),
        subject=to_octets(one.subject),
        author=to_octets(one.author),
        archived_at=to_octets(one.archived_at),
        batch=bytes.fromhex(one.batch),
        position=one.position,
        hidden=to_octets(one.hidden),
        body=bytes.fromhex(one.body),
    )


def _read_statement(one: wire.ExplainResponse.Statement) -> Statement:
    return Statement(
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
    )


def _witness(one: Witness) -> wire.ExplainResponse.Witness:
    return wire.ExplainResponse.Witness(
        claim=bytes.fromhex(one.claim),
        origin=parse_fingerprint(one.origin),
        list=to_octets(one.list),
        tier=one.tier,
        id=to_octets(one.message_id),
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
