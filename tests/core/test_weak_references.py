"""Weak references: which tokens are weak, and that the forest with them is still a function of the set of claims."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plain_forest import Claim, component, counting, cycles, plain_forest, stated_parent, witnesses
from tests.core.test_forest_properties import IDS, read
from tests.examples import examples
from weft.core.forest import ForestBuilder
from weft.core.references import Marked, is_mask, is_weak, mask_of, parse_in_reply_to, parse_references

MANY = settings(max_examples=examples(400), deadline=None)
SOME = settings(max_examples=examples(150), deadline=None)
PEOPLE = b"ann <ann@example.org>, list@example.net"


def shown(ids: Marked) -> list[str]:
    """The ids, weak ones with a question mark."""
    return [name.decode() + "?" * is_weak(ids.weak, place) for place, name in enumerate(ids.ids)]


REFERENCES = [
    ("clean ids", b"<a@h> <b@h>", "a@h b@h"),
    ("without an @", b"<a@h> <b>", "a@h b?"),
    ("not closed", b"<a@h> <b@h", "a@h b@h?"),
    ("not closed before another", b"<a@h <b@h>", "a@h? b@h"),
    ("not closed, a list with commas", b"<a@h, <b@h, <c@h>", "a@h? b@h? c@h"),
    ("bare", b"a@h, b@h", "a@h? b@h?"),
    ("bare beside brackets is no id", b"<a@h> b@h", "a@h"),
    ("encoded words", b"=?utf-8?q?=3Ca=40exa?=\r\n =?utf-8?q?mple=2Eorg=3E?=", "a@example.org?"),
    ("encoded words in base64 beside an id", b"<a@h> =?utf-8?b?PGJAaD4=?=", "a@h b@h?"),
    ("an encoded word of another thing", b"<a@h> =?utf-8?q?hello?=", "a@h"),
    ("a word that cannot be decoded", b"=?utf-8?b?P?= <a@h>", "a@h"),
    ("an address, last", b"<a@h> <Ann@Example.org>", "a@h Ann@Example.org?"),
    ("an address, not last", b"<list@example.net> <a@h>", "a@h"),
    ("written as in HTML", b"&lt;a@h&gt; &lt;b@h&gt;", "a@h? b@h?"),
    ("written as in a URL", b"%3Ca%2Bb%40h%3E %3cb@h%3e", "a+b@h? b@h?"),
    ("written as in HTML beside an id", b"<a@h> &lt;b@h&gt;", "a@h"),
    ("signs of a URL in an id", b"<a%3Cb@h>", "a%3Cb@h"),
    ("weak and sure", b"<a@h <b@h> <a@h>", "b@h a@h"),
    ("its own id", b"<own@h", ""),
]
REPLIES = [
    ("one id", b"<a@h>", "a@h", True),
    ("without an @", b"<a>", "a?", True),
    ("bare", b"a@h", "a@h?", True),
    ("bare, with a comment", b"a@h (Ann)", "a@h?", True),
    ("not closed", b"<a@h", "a@h?", True),
    ("written as in HTML", b"&lt;a@h&gt;", "a@h?", True),
    ("written as in a URL", b"%3Ca@h%3E", "a@h?", True),
    ("an encoded word", b"=?us-ascii?Q?=3Ca@h=3E?=", "a@h?", True),
    ("only an address", b"<ann@example.org>", "ann@example.org?", True),
    ("an address beside an id", b"<list@example.net> <a@h>", "a@h", False),
    ("an address in prose", b"Mail of <ann@example.org> on Sunday", "", False),
    ("another's address in prose", b'Message from <x@y> of "Sun" <a@h>', "a@h x@y?", False),
    ("an id, then prose", b"<a@h> from X <x@y>", "a@h x@y?", False),
    ("prose around an address without brackets", b"Your message to x@y", "x@y?", False),
    ("several", b"<a@h> <b@h>", "a@h b@h", False),
]


@pytest.mark.parametrize(("value", "ids"), [case[1:] for case in REFERENCES], ids=[case[0] for case in REFERENCES])
def test_references(value: bytes, ids: str) -> None:
    assert shown(parse_references([value], b"own@h", PEOPLE)) == ids.split()


@pytest.mark.parametrize(("value", "ids", "sane"), [case[1:] for case in REPLIES], ids=[case[0] for case in REPLIES])
def test_in_reply_to(value: bytes, ids: str, sane: bool) -> None:
    found, alone = parse_in_reply_to([value], b"own@h", PEOPLE)
    assert (shown(found), alone) == (ids.split(), sane)


tokens = st.sampled_from(
    b'<a@h>|<b@h>|<c>|<d@h|e@h|<ann@example.org>|<own@h>|=?u?q?=3Ca@h=3E?=|=?u?b?PGJAaD4=?=|(x)|word|,|"|(|>'.split(
        b"|"
    )
)


@given(st.lists(tokens, max_size=7).map(b" ".join) | st.binary(max_size=60))
@MANY
def test_whatever_stands_there_the_ids_are_keys_and_the_masks_are_masks(value: bytes) -> None:
    replies, sane = parse_in_reply_to([value], b"own@h", PEOPLE)
    for ids in (replies, parse_references([value], b"own@h", PEOPLE)):
        assert is_mask(ids.weak, len(ids.ids))
        assert len(set(ids.ids)) == len(ids.ids)
        assert b"own@h" not in ids.ids
        assert all(0 < len(name) <= 250 and not {*b"<>"} & {*name} for name in ids.ids)
    assert len(replies.ids) == 1 or not sane


@given(st.lists(st.booleans(), max_size=20))
def test_a_mask_has_one_form(marks: list[bool]) -> None:
    mask = mask_of(marks)
    assert [is_weak(mask, place) for place in range(len(marks))] == marks
    assert is_mask(mask, len(marks))
    assert not is_mask(mask + b"\0", len(marks))
    assert not any(marks) or not is_mask(mask, max(place for place, mark in enumerate(marks) if mark))


@st.composite
def claims(draw: st.DrawFn, tiers: int = 2) -> Claim:
    mid = draw(st.sampled_from(IDS))
    others = st.sampled_from([name for name in IDS if name != mid])
    references = tuple(draw(st.lists(others, max_size=4, unique=True)))
    replies = tuple(draw(st.lists(others, max_size=2, unique=True)))
    sane = len(replies) == 1 and draw(st.booleans())
    weak = frozenset(draw(st.sets(st.sampled_from(IDS)))) & {*references, *replies}
    return Claim(mid, references, replies, sane, draw(st.integers(0, tiers - 1)), weak)


claim_sets = st.lists(claims(), max_size=8)


def marked(ids: tuple[str, ...], weak: frozenset[str]) -> Marked:
    return Marked(tuple(name.encode() for name in ids), mask_of(name in weak for name in ids))


def add(builder: ForestBuilder, claim: Claim) -> None:
    node = builder.node(claim.mid.encode())
    if claim.weak:
        replies, references = marked(claim.in_reply_to, claim.weak), marked(claim.references, claim.weak)
        builder.add_doubtful(node, replies, claim.sane, references, claim.tier)
    else:
        [replies_of, chain] = builder.nodes(
            [name.encode() for name in names] for names in (claim.in_reply_to, claim.references)
        )
        builder.add(node, replies_of, claim.sane, chain, claim.tier)


def weave(stream: list[Claim]) -> ForestBuilder:
    builder = ForestBuilder()
    for claim in stream:
        add(builder, claim)
    return builder


@given(claim_sets)
@MANY
def test_the_builder_agrees_with_the_plain_reference(stream: list[Claim]) -> None:
    assert read(weave(stream)) == plain_forest(stream)


@given(claim_sets, st.randoms(use_true_random=False))
@MANY
def test_order_and_repetition_change_nothing(stream: list[Claim], random: Random) -> None:
    builder = ForestBuilder()
    shuffled = stream * random.randint(1, 2)
    random.shuffle(shuffled)
    for claim in shuffled:
        add(builder, claim)
        if random.random() < 0.3:
            builder.forest()
    assert read(builder) == plain_forest(stream)


def test_every_order_of_a_few_claims() -> None:
    stream = [
        Claim("a", ("b", "c"), ("d",), True, weak=frozenset("d")),
        Claim("d", ("a",), weak=frozenset("a")),
        Claim("c", ("e", "b"), weak=frozenset("b")),
        Claim("b"),
    ]
    for order in permutations(stream):
        builder = ForestBuilder()
        for count, claim in enumerate(order):
            add(builder, claim)
            assert read(builder) == plain_forest(order[: count + 1])


@given(claim_sets)
@SOME
def test_the_result_is_a_forest_of_what_counts(stream: list[Claim]) -> None:
    forest, counted = plain_forest(stream), counting(stream)
    assert cycles(forest.parents) == set()
    said = {(claim.mid, stated_parent(claim)) for claim in counted}
    said |= {(mid, witness.parent) for claim in counted for mid, witness in witnesses(claim)}
    assert {(mid, parent) for mid, parent in forest.parents.items() if parent} <= said
    idle = {mid for claim in stream for mid in claim.weak} - {mid for claim in counted for mid in claim.named}
    assert not idle & forest.parents.keys()  # no ghost


@given(claim_sets, claims())
@SOME
def test_a_claim_changes_only_its_component(stream: list[Claim], new: Claim) -> None:
    near = component([*stream, new], new.mid)
    before, after = plain_forest(stream).parents, plain_forest([*stream, new]).parents
    changed = {mid for mid in before.keys() | after.keys() if before.get(mid) != after.get(mid)}
    assert changed <= near


@given(claim_sets, claims())
@SOME
def test_an_edge_changes_only_by_a_claim_about_its_child_or_about_what_a_claim_about_it_names_weakly(
    stream: list[Claim], new: Claim
) -> None:
    before, after = plain_forest(stream), plain_forest([*stream, new])
    held = {claim.mid for claim in stream}
    for mid in held - {new.mid}:
        weak = {name for claim in stream if claim.mid == mid for name in claim.weak}
        if new.mid not in weak:
            assert before.uncut[mid] == after.uncut[mid]
