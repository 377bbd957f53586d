"""What is said about one message, and by whom, as its template shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from weft.model import ClaimStatement, Explanation, Witness
from weft.policy.names import origin_name
from weft.render.coverage import asked_words, feed_words, gaps
from weft.render.explanation import reason, stated_by
from weft.render.labels import NO_SUBJECT
from weft.render.picture_labels import author_name, count, tidy
from weft.web.links import Links
from weft.web.mail_view import CopyView, MailTexts

MOST = 50
"""So many copies, witnesses and ids of each kind are shown."""


@dataclass(frozen=True, slots=True)
class StatementView:
    """What one origin states of one copy; texts are clean, ids are not."""

    list: str
    who: str
    tier: str
    hidden: str
    parent: str | None
    by: str
    subject: str
    author: str
    date: str
    archived_at: str
    claim: str
    position: int


@dataclass(frozen=True, slots=True)
class WitnessView:
    """A message of others that names it."""

    message_id: str
    list: str
    who: str
    parent: str | None
    verdict: str


def message_values(
    found: Explanation, texts: MailTexts, names: Mapping[str, str], links: Links, title: str, *, raw: bool
) -> dict[str, object]:
    """What the template of a message needs; ``raw``: mail is given as it lies."""
    known = dict(names)
    copies: list[CopyView] = texts.copies(found.message_id)
    subject = next((tidy(one.subject) for one in found.statements if not one.hidden), "")
    heading = subject or (NO_SUBJECT if found.statements and not found.ghost else "A message that is not here")
    return {
        "heading": heading,
        "title": f"{heading} - {title}",
        "id": found.message_id,
        "canonical": links.message(found.message_id),
        "ghost": found.ghost,
        "written": _written(found),
        "thread_href": links.thread(found.message_id),
        "raw_hrefs": [links.raw(found.message_id, number + 1) for number in range(len(copies))] if raw else [],
        "copies": copies,
        "lost": _lost(found, texts),
        "parent": found.parent,
        "reason": reason(found),
        "rivals": found.rivals[:MOST] if found.rule == "contested" else (),
        "root": found.root,
        "coverage": "; ".join(_covered(found, known)),
        "ids_like": [
            ("Replies", found.children[:MOST]),
            ("Also counts as", found.aliases[:MOST]),
            ("Stated as another id by", found.alias_of[:MOST]),
            ("Looks like", found.lookalikes[:MOST]),
        ],
        "statements": [_statement(one, known) for one in found.statements[:MOST]],
        "more_statements": _more(len(found.statements)),
        "witnesses": [_witness(one, known, found.ghost) for one in found.witnesses[:MOST]],
        "more_witnesses": _more(len(found.witnesses)),
    }


def _written(found: Explanation) -> str:
    """Who wrote it, when, and on which lists it is."""
    standing = [one for one in found.statements if not one.hidden]
    if found.ghost or not standing:
        return ""
    lists = ", ".join(dict.fromkeys(tidy(one.list) for one in standing))
    return f"{author_name(standing[0].author)}, {tidy(standing[0].date) or 'no date'}, on {lists}"


def _lost(found: Explanation, texts: MailTexts) -> str:
    why = texts.lost(found.message_id)
    if found.ghost or not why:
        return ""
    what = "The text of another copy is" if texts.copies(found.message_id) else "Its text is"
    return f"{what} not here: {why}."


def _covered(found: Explanation, names: dict[str, str]) -> list[str]:
    coverage = found.coverage
    held = feed_words(coverage.carried, names, coverage.origins_named)
    said = [f"held whole: {held}" if coverage.carried else "no feed is held whole"]
    said += [f"asked: {phrase}" for phrase in asked_words(coverage, names)]
    return said + list(gaps(coverage, names))


def _statement(one: ClaimStatement, names: dict[str, str]) -> StatementView:
    return StatementView(
        one.list, tidy(origin_name(names, one.origin)), "not admitted" if one.tier is None else f"tier {one.tier}",
        tidy(one.hidden), one.parent, stated_by(one), tidy(one.subject) or NO_SUBJECT, author_name(one.author),
        tidy(one.date) or "no date", tidy(one.archived_at), one.claim, one.position,
    )  # fmt: skip


def _witness(one: Witness, names: dict[str, str], ghost: bool) -> WitnessView:
    verdict = ("it counts" if one.counts else "it is too weak to count") if ghost else ""
    return WitnessView(one.message_id, one.list, tidy(origin_name(names, one.origin)), one.parent, verdict)


def _more(number: int) -> str:
    return f"And {count(number - MOST, 'more', 'more')}." if number > MOST else ""
