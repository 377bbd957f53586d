"""``weft explain``: who says what about one id, and which rule made its edge what it is.

``--json`` gives one object, which may only grow:

* ``format`` (1), ``id``, ``root``, ``parent`` (or null), ``rule``, ``ghost``;
* ``rule`` is ``own headers``, ``contested``, ``witnesses``, ``witnesses disagree``, ``nobody says``, ``cycle cut`` or
  ``muted``;
* ``rivals``: the parents that a contested id has in its best tier, or the one whose edge was cut; null is no parent;
* ``children`` and ``lookalikes``: ids; the latter differ from this one in case or punctuation only;
* ``claims`` about the id, each with ``claim``, ``origin``, ``name``, ``list``, ``tier`` (null: not admitted),
  ``parent``, ``rule`` (the header that says so), ``date``, ``subject``, ``from``, ``archived_at``, ``batch`` (its
  signed root), ``position``, ``hidden`` (why it does not count, or empty), ``body`` (the SHA-256 of its body, or
  empty) and ``weak`` (what its In-Reply-To and References may mean as ids: each with ``id`` and ``counts``, whether
  some mail here has that id), ``aliases`` (other ids that its mail states for itself);
* ``alias_of``: messages here that state this id as another one of theirs; ``aliases``: other ids that count as it by
  the policy;
* ``witnesses``, each with ``claim``, ``origin``, ``name``, ``list``, ``tier``, ``id`` (of the message whose References
  these are), ``parent``, ``gap`` and ``counts`` (never where the id has headers of its own, which silence them);
* ``coverage`` of its thread with ``complete``, ``carried``, ``partly``, ``never_asked``, ``asked`` (each with ``feed``,
  ``of`` and ``upto``), ``cut`` and ``nobody_holds``, as `weft.model.Coverage` has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weft.cli._ids import parse_id
from weft.cli._options import all_names, index_options, open_index, origin_name, policy_option
from weft.cli._output import message_options
from weft.cli._tables import print_json, print_lines

if TYPE_CHECKING:
    from weft.model import ClaimStatement, Explanation, Witness


@click.command("explain")
@click.argument("message_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@policy_option
@index_options
@message_options
def command(
    message_id: str,
    as_json: bool,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,  # noqa: ARG001
) -> None:
    """Who says what about ID: its parent and the rule behind that, every copy, every witness, rivals, and coverage.

    \b
    weft explain 20030210035225.GA1107@aldgate.example.com
    weft explain --json a@example.org
    """
    from weft.render.explanation import explanation_lines

    wanted = parse_id(message_id)
    with open_index(index, config, policy, reading=True) as opened:
        found, names = opened.explain(wanted), all_names(opened.policy)
    if as_json:
        print_json(_object(found, names))
    else:
        print_lines(explanation_lines(found, names))


def _object(found: Explanation, names: dict[str, str]) -> dict[str, object]:
    coverage = found.coverage
    return {
        "format": 1,
        "id": found.message_id,
        "root": found.root,
        "parent": found.parent,
        "rule": found.rule,
        "ghost": found.ghost,
        "rivals": found.rivals,
        "children": found.children,
        "lookalikes": found.lookalikes,
        "alias_of": found.alias_of,
        "aliases": found.aliases,
        "claims": [_claim(one, names) for one in found.statements],
        "witnesses": [_witness(one, names, found.ghost) for one in found.witnesses],
        "coverage": {
            "complete": coverage.complete,
            "carried": coverage.carried,
            "partly": coverage.partly,
            "never_asked": coverage.never_asked,
            "asked": [one._asdict() for one in coverage.asked],
            "cut": coverage.cut,
            "nobody_holds": coverage.nobody_holds,
        },
    }


def _claim(one: ClaimStatement, names: dict[str, str]) -> dict[str, object]:
    return {
        "claim": one.claim,
        "origin": one.origin,
        "name": origin_name(names, one.origin),
        "list": one.list,
        "tier": one.tier,
        "parent": one.parent,
        "rule": one.rule,
        "date": one.date,
        "subject": one.subject,
        "from": one.author,
        "archived_at": one.archived_at,
        "batch": one.batch,
        "position": one.position,
        "hidden": one.hidden,
        "body": one.body,
        "weak": [{"id": name, "counts": counts} for name, counts in one.weak],
        "aliases": one.aliases,
    }


def _witness(one: Witness, names: dict[str, str], ghost: bool) -> dict[str, object]:
    return {
        "claim": one.claim,
        "origin": one.origin,
        "name": origin_name(names, one.origin),
        "list": one.list,
        "tier": one.tier,
        "id": one.message_id,
        "parent": one.parent,
        "gap": one.gap,
        "counts": one.counts and ghost,
    }
