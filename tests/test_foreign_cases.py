"""The threading cases of other software, run through real mbox bytes, with every difference from them accounted for.

The cases are facts about the inputs and outcomes of other programs, kept outside of this repository: the environment
variable ``WEFT_CASES`` names the folder.  Each message of a case goes to a list of its own, so that the node that holds
it can be told even if it has no Message-ID.  Trees are compared by the nearest held ancestor of each message, threads
by their members; one Message-ID is one node here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from tests.factories import Archive, messages, nearest_held, parents, rebuild
from weft.core.forest import ForestBuilder, Profile
from weft.core.header import scan

Claim = tuple[bytes, tuple[bytes, ...], bool, tuple[bytes, ...]]
Edge = tuple[bytes, bytes]

CASES = os.environ.get("WEFT_CASES")


class Difference(NamedTuple):
    """Why a case comes out otherwise here, and the options, if any, with which it comes out as expected."""

    reason: str
    with_subjects: bool = False
    with_rfc5256: bool = False


CYCLE = Difference("the messages cite each other: the cycle is cut by rule here, by order of arrival there")
ONE_NODE = Difference("one Message-ID is one node, and no node can be below itself, with subjects joined or not")
BY_SUBJECT = Difference("joins by equal base subjects, which is an option here", with_subjects=True)
PREFIXES = Difference("joins by subject, and takes off prefixes that RFC 5256 does not know (AW:, SV:, Respuesta:)")
ORDERED_SUBJECT = Difference("the algorithm is ORDEREDSUBJECT, which sorts by subject alone and is left out")
DODGY = Difference("an id and a comment are a legal In-Reply-To, so sane; it is distrusted there", with_rfc5256=True)
BOTH_FIELDS = Difference("a sane In-Reply-To wins over References that contradict it", with_rfc5256=True)

DIFFERENCES = {
    "imaptest/thread step 1": CYCLE,
    "imaptest/thread step 2": CYCLE,
    "imaptest/thread3 step 1": ONE_NODE,
    "imaptest/thread4 step 1": BY_SUBJECT,
    "imaptest/thread-orderedsubject step 1": ORDERED_SUBJECT,
    "imaptest/thread-orderedsubject2 step 1": ORDERED_SUBJECT,
    "Mail-Thread/9.t": BY_SUBJECT,
    "notmuch/last-reference-when-irt-dodgy": DODGY,
    "mail-threading/conflicting-references-beat-in-reply-to": BOTH_FIELDS,
    "mail-threading/cycle-in-references": CYCLE,
    "mail-threading/invalid-threading-headers-allow-subject-fallback": BY_SUBJECT,
    "mail-threading/localized-subject-prefixes": PREFIXES,
    "mail-threading/subject-blob-normalization": BY_SUBJECT,
    "mail-threading/subject-blob-only-preserved": BY_SUBJECT,
    "mail-threading/subject-fallback-attaches-to-header-thread": PREFIXES,
    "mail-threading/subject-fallback-groups-headerless": PREFIXES,
    "mail-threading/subject-forward-wrapper-normalization": BY_SUBJECT,
    "mail-threading/subject-prefixes-custom": PREFIXES,
    "mail-threading/subject-trailer-fwd-normalization": BY_SUBJECT,
    "mail-threading/subject-whitespace-normalization": BY_SUBJECT,
}
"""All differences from the outcomes of others: known, wanted, and noticed if they go away."""


class Case(NamedTuple):
    """One set of messages and what another program makes of it; a step of a case is a case of its own."""

    name: str
    messages: tuple[dict[str, Any], ...]
    tree: list[dict[str, Any]] | None
    threads: list[dict[str, Any]] | None
    raw_references: str | None = None


def load() -> Iterator[Case]:
    for path in sorted(Path(CASES or "/nowhere").glob("threading/*.json")):
        for case in json.loads(path.read_text()):
            raw = re.search(r'raw References header is "(.*)"', case.get("note") or "")
            messages, tree = tuple(case["messages"]), case.get("expected_tree")
            steps = case.get("steps", ())
            for number, step in enumerate(steps, 1):
                present = tuple(message for message in messages if message["seq"] in step["present"])
                yield Case(f"{case['name']} step {number}", present, step["expected_tree"], None)
            if not steps:
                yield Case(case["name"], messages, tree, case.get("expected_threads"), raw[1] if raw else None)


ALL = [] if CASES is None else list(load())
pytestmark = pytest.mark.skipif(CASES is None, reason="WEFT_CASES does not name the folder of cases")
each_case = pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
each_difference = pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name) for case in ALL if case.name in DIFFERENCES],
)


def with_host(text: str) -> str:
    """The text with ``@case.example`` added to each ``<id>`` that has no host."""
    return re.sub(r"<([^<>@]+)>", r"<\1@case.example>", text)


def header_block(case: Case, message: dict[str, Any]) -> str:
    fields = {
        "Message-ID": message["message_id"],
        "In-Reply-To": message["in_reply_to"],
        "References": (message["references"] and case.raw_references) or " ".join(message["references"]),
        "Date": message["date"],
        "Subject": message["subject"],
    }
    lines = [f"{name}: {with_host(value) if name != 'Subject' else value}" for name, value in fields.items() if value]
    return "".join(f"{line}\n" for line in ["From: somebody", *lines])


def archive_of(
    case: Case, folder: Path, *, join_subjects: bool = False, profile: Profile = "weft", backwards: bool = False
) -> Archive:
    """The archive of the case: its message number n is the only one of the list ``n``."""
    lists = {}
    for number, message in enumerate(case.messages):
        path = folder / f"{number}.mbox"
        path.write_text(f"From mboxrd@z Thu Jan  1 00:00:00 1970\n{header_block(case, message)}\nBody {number}.\n\n")
        lists[str(number)] = path
    if not lists:
        lists["empty"] = folder / "empty.mbox"
        lists["empty"].write_bytes(b"")
    order = reversed(lists.items()) if backwards else lists.items()
    return rebuild(dict(order), join_subjects=join_subjects, profile=profile)


def nodes(archive: Archive) -> dict[int, str]:
    """The id of the node that holds each message."""
    return {int(name): message.id for message in messages(archive).values() for name in message.lists}


def numbers_of(case: Case, name: str | int | None) -> list[int]:
    """The messages that an expected outcome means by a sequence number, a key or a Message-ID."""
    return [
        number
        for number, message in enumerate(case.messages)
        if name is not None and name in (message.get("seq"), message.get("key"), message["message_id"])
    ]


def expected_ancestors(case: Case) -> dict[int, str | None]:
    """The Message-ID (or number) of the nearest held ancestor that the case expects of each message."""
    found: dict[int, str | None] = {}
    stack: list[tuple[dict[str, Any], int | None]] = [(node, None) for node in case.tree or ()]
    while stack:
        node, above = stack.pop()
        own = [] if node.get("ghost") else numbers_of(case, node["id"])
        for number in own:
            found[number] = None if above is None else label(case, above)
        stack += [(child, own[0] if own else above) for child in node["children"]]
    return found


def label(case: Case, number: int) -> str:
    return case.messages[number]["message_id"] or f"#{number}"


def has_the_tree(case: Case, archive: Archive) -> bool:
    """Whether every message has the nearest held ancestor that the case expects."""
    held, nearest = nodes(archive), nearest_held(archive)
    labels = {node: label(case, number) for number, node in held.items()}
    ours = {number: nearest[node] for number, node in held.items()}
    return expected_ancestors(case) == {number: above and labels[above] for number, above in ours.items()}


def has_the_threads(case: Case, archive: Archive) -> bool:
    """Whether the threads have the members that the case expects, and nothing held is above their roots."""
    held, nearest = nodes(archive), nearest_held(archive)
    threads = case.threads or []
    expected = [{held[n] for member in thread["members"] for n in numbers_of(case, member)} for thread in threads]
    here = [{message.id for message in thread.messages if not message.ghost} for thread in archive.threads()]
    roots = {held[n] for thread in threads for n in numbers_of(case, thread["root"])}
    return sets(merged(expected)) == sets(here) and not any(nearest[root] for root in roots)


def passes(case: Case, archive: Archive) -> bool:
    """Whether the archive has the trees and the threads that the case expects."""
    return (case.tree is None or has_the_tree(case, archive)) and (
        case.threads is None or has_the_threads(case, archive)
    )


def merged(threads: Iterable[set[str]]) -> list[set[str]]:
    """The threads, of which those that share a node are one: where a case has a Message-ID twice, it is one node."""
    apart: list[set[str]] = []
    for thread in threads:
        whole = thread.union(*(other for other in apart if other & thread))
        apart = [other for other in apart if not other & thread] + [whole]
    return apart


def sets(threads: Iterable[set[str]]) -> set[frozenset[str]]:
    return {frozenset(thread) for thread in threads if thread}


def weave(claims: Iterable[Claim], profile: Profile) -> tuple[set[Edge], dict[bytes, set[bytes]], set[bytes]]:
    """The forest of the claims, in a form in which equal forests are equal: edges, rivals of contested ids, cuts."""
    builder = ForestBuilder(profile)
    for own, in_reply_to, sane, references in claims:
        builder.add(builder.node(own), [*map(builder.node, in_reply_to)], sane, [*map(builder.node, references)])
    forest = builder.forest()
    contested = {forest.ids[node]: {forest.ids[u] for u in us if u >= 0} for node, us in forest.contested.items()}
    return set(forest.edges()), contested, {forest.ids[node] for node in forest.cuts}


@each_case
def test_a_case_comes_out_as_its_own_program_says_unless_the_difference_is_known(case: Case, tmp_path: Path) -> None:
    assert passes(case, archive_of(case, tmp_path)) == (case.name not in DIFFERENCES)


@each_difference
def test_a_difference_goes_away_with_the_options_that_explain_it(case: Case, tmp_path: Path) -> None:
    difference = DIFFERENCES[case.name]
    assert passes(case, archive_of(case, tmp_path, join_subjects=True)) == difference.with_subjects
    assert passes(case, archive_of(case, tmp_path, profile="rfc5256")) == difference.with_rfc5256


@each_case
def test_every_message_is_shown_once_and_neither_the_order_of_files_nor_dates_change_the_forest(
    case: Case, tmp_path: Path
) -> None:
    archive = archive_of(case, tmp_path)
    assert nodes(archive).keys() == set(range(len(case.messages)))
    assert archive.summary.messages == len(case.messages)
    backwards = archive_of(case, tmp_path, backwards=True)
    assert list(backwards.threads()) == list(archive.threads())
    undated = case._replace(messages=tuple(message | {"date": None} for message in case.messages))
    if all(message["message_id"] for message in case.messages):
        assert parents(archive_of(undated, tmp_path)) == parents(archive)


@each_case
@pytest.mark.parametrize("profile", ["weft", "rfc5256"])
def test_every_order_of_arrival_gives_one_forest(case: Case, profile: Profile) -> None:
    """All orders of up to 6 messages, 500 random ones of more."""
    claims = []
    for number, message in enumerate(case.messages):
        block = b"\n" + header_block(case, message).encode()
        fields = scan(block, 1, len(block))
        claims.append((fields.message_id or b"#%d" % number, *fields[1:4]))
    expected = weave(claims, profile)
    random = Random(5256)
    orders = permutations(claims) if len(claims) <= 6 else (random.sample(claims, len(claims)) for _ in range(500))
    for order in orders:
        assert weave(order, profile) == expected


def test_every_known_difference_is_a_case_and_there_are_cases_of_every_source() -> None:
    names = {case.name for case in ALL}
    assert names >= DIFFERENCES.keys()
    sources = "rfc5256 jwzthreading mail-threading notmuch counterexample public-inbox Mail-Thread imaptest"
    assert {name.partition("/")[0] for name in names} == set(sources.split())


def test_a_lying_message_does_not_break_the_chain_that_it_lies_about(tmp_path: Path) -> None:
    """The outcome that jwzthreading asserts for this case, which is not given as a tree."""
    (case,) = (case for case in ALL if case.name == "jwzthreading/lying_message")
    thread = archive_of(case, tmp_path).thread("First@case.example")
    assert [(message.id.partition("@")[0], message.depth) for message in thread.messages[:3]] == [
        ("First", 0),
        ("Second", 1),
        ("Third", 2),
    ]
