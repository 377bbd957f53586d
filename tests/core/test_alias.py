"""Aliases: what is read of them, which a rebuild lets count, and that the forest stays a function of the set."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.dict_nodes import DictNodes
from tests.core.plain_forest import Claim, PlainForest, cycles, plain_forest
from tests.core.test_forest_properties import IDS
from tests.core.test_weak_references import add, claim_sets, claims
from tests.examples import examples
from weft.core.alias import MAX_ALIASES, joinable, parse_aliases, resolve_rules
from weft.core.body import body_digest
from weft.core.claim import claim_of
from weft.core.forest import NONE, ForestBuilder
from weft.core.header import mint, scan
from weft.core.incremental_forest import IncrementalForest, Statement, interpret
from weft.core.references import counting
from weft.sources.evidence import make_evidence
from weft.sources.interface import make_record

MANY = settings(max_examples=examples(120), deadline=None)
SOME = settings(max_examples=examples(60), deadline=None)
PEOPLE = b"ann <ann@example.org>"
Stated = tuple[str, str]
"""(alias, the message that states it)."""

FIELDS = [
    ("one", [b"<a@h>"], "a@h"),
    ("its own id", [b"<own@h>"], ""),
    ("the same twice", [b"<a@h>", b" <a@h>"], "a@h"),
    ("with prose and a comment", [b"was (in news) <a@h> there"], "a@h"),
    ("white space in it", [b"<a\r\n @h>"], "a@h"),
    ("without an @", [b"<a>"], ""),
    ("without brackets", [b"a@h"], ""),
    ("an address of the mail", [b"<Ann@example.org>"], ""),
    ("more than are kept", [b"<%d@h>" % n for n in range(9)], "0@h 1@h 2@h 3@h"),
    ("nothing", [b"", b" "], ""),
    ("encoded words", [b"=?utf-8?q?=3Ca=40?=\r\n =?utf-8?q?h=3E?="], "a@h"),
    ("an encoded word behind an id", [b"<a@h> =?utf-8?q?=3Cb=40h=3E?="], "a@h"),
]


@pytest.mark.parametrize(("values", "ids"), [case[1:] for case in FIELDS], ids=[case[0] for case in FIELDS])
def test_what_is_read_of_a_field(values: list[bytes], ids: str) -> None:
    assert parse_aliases(values, b"own@h", PEOPLE) == tuple(ids.encode().split())


@given(st.lists(st.binary(max_size=40), max_size=8))
@SOME
def test_whatever_stands_there_aliases_are_keys_each_once(values: list[bytes]) -> None:
    found = parse_aliases(values, b"own@h", PEOPLE)
    assert len(set(found)) == len(found) <= MAX_ALIASES
    assert all(0 < len(name) <= 250 and not {*b"<>"} & {*name} and name != b"own@h" for name in found)


NAMES = [
    "Original-Message-ID",
    "X-Original-Message-ID",
    "X-Mailman-Original-Message-ID",
    "x-google-original-message-id",
    "X-Some-Gateway-2-Original-Message-Id",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_fields_that_state_an_alias(name: str) -> None:
    block = f"\nMessage-ID: <m@h>\n{name} : <a@h>\nX-{name}s: <b@h>\nX-Message-ID: <c@h>\n\n".encode()
    fields = scan(block, 1, len(block) - 1)
    assert (fields.message_id, fields.aliases) == (b"m@h", (b"a@h",))


def test_further_message_ids_come_before_the_ids_of_gateways() -> None:
    block = b"\nX-Google-Original-Message-ID: <c@h>\nMessage-ID:\nMessage-ID: <a@h>\nMessage-ID: <b@h>\n\n"
    fields = scan(block, 1, len(block) - 1)
    assert (fields.message_id, fields.aliases) == (b"a@h", (b"b@h", b"c@h"))


def test_half_an_alias_at_the_end_of_a_cut_header_is_none() -> None:
    start = b"\nMessage-ID: <m@h>\nX-Pad: " + b"x" * (256 * 1024 - 100) + b"\n"
    block = start + b"X-Original-Message-ID: <" + b"a" * 200 + b"@h>\n\n"
    assert scan(block, 1, len(block) - 1).aliases == ()


def test_rules_lead_to_the_end_of_their_chain() -> None:
    assert resolve_rules({"a": "b", "b": "c", "x": "b"}) == {"a": "c", "b": "c", "x": "c"}
    assert resolve_rules({n: n + 1 for n in range(5000)})[0] == 5000


@pytest.mark.parametrize("circle", [{"a": "a"}, {"a": "b", "b": "a"}, {"x": "a", "a": "b", "b": "c", "c": "a"}])
def test_rules_in_a_circle_are_refused(circle: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        resolve_rules(circle)


def test_which_aliases_a_rebuild_lets_count() -> None:
    assert joinable([("a", "m"), ("a", "m"), ("b", "n")], []) == {"a": "m", "b": "n"}
    assert joinable([("a", "m"), ("a", "n")], []) == {}  # two messages want it
    assert joinable([("a", "m"), ("b", "m")], []) == {}  # one message wants two
    assert joinable([("a", "m"), ("b", "m")], ["b"]) == {"a": "m"}
    assert joinable([("a", "m")], ["a"]) == {}  # a mail has it


stated_aliases = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), max_size=6)


def rules_for(stream: list[Claim], stated: list[Stated]) -> dict[str, str]:
    """The rules of a rebuild of these claims, of which those that are there state aliases."""
    held = {claim.mid for claim in stream}
    return joinable([one for one in stated if one[1] in held and one[0] != one[1]], held)


def read(builder: ForestBuilder, rules: dict[str, str]) -> PlainForest:
    """The weaver's forest, as the plain reference would say it."""
    forest = builder.forest_with({old.encode(): new.encode() for old, new in rules.items()})
    names: list[str | None] = [name.decode() for name in forest.ids]
    assert {(names[old], names[new]) for old, new in forest.aliases.items()} == set(rules.items())

    def name(node: int) -> str | None:
        return None if node == NONE else names[node]

    there = [node for node in range(len(names)) if node not in forest.aliases]
    assert all(forest.parents[node] == NONE for node in forest.aliases)
    assert not set(forest.parents) & forest.aliases.keys()
    parents = {str(names[node]): name(forest.parents[node]) for node in there}
    cuts = {str(names[v]): str(names[u]) for v, u in forest.cuts.items()}
    rivals = {str(names[v]): {name(rival) for rival in rivals} for v, rivals in forest.contested.items()}
    return PlainForest(parents, {**parents, **cuts}, rivals, cuts)


def weave(stream: list[Claim]) -> ForestBuilder:
    builder = ForestBuilder()
    for claim in stream:
        add(builder, claim)
    return builder


def test_the_random_cases_reach_what_is_to_be_tested() -> None:
    """Or the properties here would say little."""
    seen: set[str] = set()

    @given(claim_sets, stated_aliases)
    @settings(max_examples=600, deadline=None, derandomize=True, database=None)
    def look(stream: list[Claim], stated: list[Stated]) -> None:
        rules = rules_for(stream, stated)
        before, after = plain_forest(stream), plain_forest(stream, rules)
        seen.update(
            what
            for what, there in {
                "rule": rules,
                "moved": any(parent in rules for parent in before.parents.values()),
                "weak": any(claim.weak & rules.keys() for claim in stream),
                "agreed": before.rivals.keys() - after.rivals.keys(),
                "cycle": after.cuts.keys() - before.cuts.keys(),
                "refused": len(rules) < len({alias for alias, _ in stated}),
            }.items()
            if there
        )

    look()
    assert seen == {"rule", "moved", "weak", "agreed", "cycle", "refused"}


@given(claim_sets, stated_aliases)
@MANY
def test_the_builder_agrees_with_the_plain_reference(stream: list[Claim], stated: list[Stated]) -> None:
    rules = rules_for(stream, stated)
    forest = read(weave(stream), rules)
    assert forest == plain_forest(stream, rules)
    assert cycles(forest.parents) == set()


@given(claim_sets, stated_aliases, st.randoms(use_true_random=False))
@MANY
def test_order_and_repetition_change_nothing(stream: list[Claim], stated: list[Stated], random: Random) -> None:
    shuffled, others = stream * random.randint(1, 2), list(stated)
    random.shuffle(shuffled)
    random.shuffle(others)
    rules = rules_for(stream, stated)
    assert rules_for(shuffled, others) == rules
    builder = ForestBuilder()
    for claim in shuffled:
        add(builder, claim)
        if random.random() < 0.3:
            builder.forest()
    assert read(builder, rules) == plain_forest(stream, rules)


@given(claim_sets, stated_aliases)
@SOME
def test_an_alias_never_touches_a_message_that_is_here(stream: list[Claim], stated: list[Stated]) -> None:
    """Only what names an id that no mail has, or names it weakly, can move: other replies to messages stay theirs."""
    held, rules = {claim.mid for claim in stream}, rules_for(stream, stated)
    before, after = plain_forest(stream), plain_forest(stream, rules)
    naming = {claim.mid for claim in stream if claim.named & rules.keys()}
    for mid in held - naming:
        assert after.uncut[mid] == before.uncut[mid]


@given(claim_sets, claims(), st.sets(st.sampled_from(IDS), min_size=1, max_size=3))
@MANY
def test_a_forged_alias_does_no_more_than_a_forged_mail_with_that_id(
    stream: list[Claim], forged: Claim, wanted: set[str]
) -> None:
    """A mail of a new id that states aliases: those of mails that are here, or several, do nothing; one that no mail
    has does what a second mail under that id would do, which answers the first."""
    held = {claim.mid for claim in stream}
    forged = forged._replace(mid="z", tier=0, weak=frozenset())
    with_it = [*stream, forged]
    rules = rules_for(with_it, [(alias, "z") for alias in wanted])
    after = plain_forest(with_it, rules)
    missing = wanted - held
    if len(missing) != 1:
        assert after == plain_forest(with_it)
        return
    [alias] = missing
    instead = plain_forest([*with_it, Claim(alias, in_reply_to=("z",), sane=True)])
    moved = {mid: "z" if parent == alias else parent for mid, parent in instead.uncut.items() if mid != alias}
    own = {"z": None} if moved["z"] == "z" else {}
    assert after.uncut == {**moved, **own}


class Live:
    """A live forest under rules, with the claims that are there."""

    def __init__(self, rules: dict[str, str]) -> None:
        self.nodes = DictNodes()
        self.forest = IncrementalForest(self.nodes)
        self.held: set[Claim] = set()
        self.rules = rules

    def node(self, name: str) -> int:
        return self.nodes.node(name.encode())

    def means(self, name: str) -> str:
        return self.rules.get(name, name)

    def interpret(self, claim: Claim) -> Statement:
        claimed = {other.mid for other in self.held}

        def sure(ids: tuple[str, ...]) -> list[int]:
            mask = sum(1 << place for place, name in enumerate(ids) if name in claim.weak)
            found = counting(ids, mask.to_bytes(1, "little") if mask else b"", lambda name: self.means(name) in claimed)
            return [self.node(name) for name in found]

        replies = sure(claim.in_reply_to)
        aliases = {self.node(old): self.node(new) for old, new in self.rules.items()}
        sane = claim.sane and bool(replies)
        return interpret(self.node(claim.mid), replies, sane, sure(claim.references), claim.tier, aliases=aliases)

    def recompute(self) -> None:
        for name in IDS:
            about = [self.interpret(claim) for claim in self.held if claim.mid == name]
            self.forest.recompute(self.node(name), about, [self.interpret(claim) for claim in self.held])

    def parents(self) -> dict[str, str | None]:
        names = [name.decode() for name in self.nodes.ids]
        return {names[v]: None if s.parent == NONE else names[s.parent] for v, s in self.nodes.states.items()}


rule_sets = st.dictionaries(st.sampled_from("abc"), st.sampled_from("defgh"), max_size=3)


@given(claim_sets, rule_sets, st.randoms(use_true_random=False))
@MANY
def test_the_live_forest_is_that_of_the_set_under_any_rules(
    stream: list[Claim], rules: dict[str, str], random: Random
) -> None:
    """The operator's rules: of ids that mails have too, and to ids that none has."""
    live = Live(rules)
    for claim in stream:
        before = {other.mid for other in live.held}
        live.held.add(claim)
        live.forest.add(live.interpret(claim))
        if claim.mid not in before:  # weak ids of others count now
            live.recompute()
        expected = plain_forest(live.held, rules).parents
        assert {mid: parent for mid, parent in live.parents().items() if mid in expected} == expected
    for claim in random.sample(sorted(live.held), len(live.held) // 2):
        live.held.remove(claim)
        live.recompute()
        expected = plain_forest(live.held, rules).parents
        assert {mid: parent for mid, parent in live.parents().items() if mid in expected} == expected


def test_the_id_that_is_made_for_a_mail_without_one_is_no_alias_of_it() -> None:
    """Its author can compute that id, and a claim whose alias is its own id is refused everywhere."""
    head, body = b"From: ann@example.org\nSubject: no id\n", b"text\n"
    own = mint(scan(b"\n" + head, 1, len(head) + 1).minting, body_digest(body, mbox=True))
    stated = head + b"Original-Message-ID: <" + own + b">\nX-Original-Message-ID: <other@x>\n"
    buffer = b"\n" + stated + b"\n" + body
    end, start = len(stated) + 1, len(stated) + 2
    record = make_evidence(buffer, 1, end, (start, len(buffer)), (0, len(buffer)), mbox=True)
    claim = claim_of(record, bytes(32), b"list")
    assert (claim.message_id, claim.aliases) == (own, (b"other@x",))
    outline = make_record(buffer, 1, end, (start, len(buffer)), (0, len(buffer)), mbox=True)
    assert (outline[2], outline[-1]) == (own, (b"other@x",))
