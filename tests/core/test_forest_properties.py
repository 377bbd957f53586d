"""What holds for every set of claims: the forest depends on the set alone, is a forest, and changes only nearby."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plain_forest import Claim, PlainForest, component, cycles, plain_forest, stated_parent
from tests.core.rfc5256_linker import Mail, Shape, thread_references
from tests.examples import examples
from weft.core.forest import NONE, ForestBuilder, Profile, find_cycles

IDS = "abcdefgh"
MANY = settings(max_examples=examples(500), deadline=None)
SOME = settings(max_examples=examples(250), deadline=None)


@st.composite
def claims(draw: st.DrawFn, tiers: int = 3) -> Claim:
    """Any claim that the grammar can give: References without repeats, never its own id, sane only with one id."""
    mid = draw(st.sampled_from(IDS))
    others = st.sampled_from([name for name in IDS if name != mid])
    references = tuple(draw(st.lists(others, max_size=4, unique=True)))
    in_reply_to = tuple(draw(st.lists(others, max_size=2, unique=True)))
    sane = len(in_reply_to) == 1 and draw(st.booleans())
    return Claim(mid, references, in_reply_to, sane, draw(st.integers(0, tiers - 1)))


claim_sets = st.lists(claims(), max_size=8)
one_tier_sets = st.lists(claims(tiers=1), max_size=10)


def weave(stream: Iterable[Claim], profile: Profile = "weft") -> ForestBuilder:
    builder = ForestBuilder(profile)
    for claim in stream:
        add(builder, claim)
    return builder


def add(builder: ForestBuilder, claim: Claim) -> None:
    builder.add(
        builder.node(claim.mid.encode()),
        [builder.node(name.encode()) for name in claim.in_reply_to],
        claim.sane,
        [builder.node(name.encode()) for name in claim.references],
        claim.tier,
    )


def read(builder: ForestBuilder) -> PlainForest:
    """The weaver's forest, as the plain reference would say it."""
    forest = builder.forest()
    names: list[str | None] = [name.decode() for name in forest.ids]

    def name(node: int) -> str | None:
        return None if node == NONE else names[node]

    parents = {str(names[v]): name(u) for v, u in enumerate(forest.parents)}
    cuts = {str(names[v]): str(names[u]) for v, u in forest.cuts.items()}
    rivals = {str(names[v]): {name(rival) for rival in rivals} for v, rivals in forest.contested.items()}
    return PlainForest(parents, {**parents, **cuts}, rivals, cuts)


@given(claim_sets)
@MANY
def test_the_builder_agrees_with_the_plain_reference(stream: list[Claim]) -> None:
    assert read(weave(stream)) == plain_forest(stream)


@given(one_tier_sets)
@MANY
def test_the_builder_agrees_with_the_plain_reference_where_all_are_trusted_alike(stream: list[Claim]) -> None:
    assert read(weave(stream)) == plain_forest(stream)


def test_the_random_claims_do_reach_cycles_contests_and_ghosts_with_parents() -> None:
    """Or the properties here would say little."""
    random, cut, contested, placed_ghosts = Random(1), 0, 0, 0
    for _ in range(300):
        stream = []
        for _ in range(8):
            mid, *others = random.sample(IDS, 5)
            stream.append(Claim(mid, tuple(others[: random.randrange(5)]), tier=random.randrange(2)))
        forest = plain_forest(stream)
        cut += bool(forest.cuts)
        contested += bool(forest.rivals)
        placed_ghosts += bool({v for v, u in forest.parents.items() if u} - {claim.mid for claim in stream})
    assert min(cut, contested, placed_ghosts) > 50


@given(claim_sets, st.randoms(use_true_random=False), st.integers(1, 4))
@MANY
def test_t1_order_split_and_repetition_change_nothing(stream: list[Claim], random: Random, servers: int) -> None:
    """Several servers hold overlapping parts, in any order, and look at their forests in between."""
    expected = read(weave(stream))
    batches: list[list[Claim]] = [[] for _ in range(servers)]
    for claim in stream:
        for holder in random.sample(batches, random.randint(1, servers)):
            holder.append(claim)
    builder = ForestBuilder()
    for batch in batches:
        random.shuffle(batch)
        for claim in batch * random.randint(1, 2):
            add(builder, claim)
        builder.forest()
    assert read(builder) == expected


@given(claim_sets)
@SOME
def test_t2_the_result_is_always_a_forest(stream: list[Claim]) -> None:
    forest = weave(stream).forest()
    assert find_cycles(forest.parents) == []
    for node in range(len(forest.parents)):
        steps = 0
        while (node := forest.parents[node]) != NONE:
            steps += 1
            assert steps < len(forest.parents)


@given(claim_sets)
@SOME
def test_t3_every_edge_is_stated_by_its_child_or_stands_so_in_somebodys_references(stream: list[Claim]) -> None:
    stated = {(claim.mid, stated_parent(claim)) for claim in stream}
    adjacent = {pair for claim in stream for pair in ((v, u) for u, v in pairwise(claim.references))}
    seen = {claim.mid for claim in stream}
    for child, parent in read(weave(stream)).parents.items():
        if parent is not None:
            assert (child, parent) in (stated if child in seen else adjacent)


@given(claim_sets, claims())
@SOME
def test_t4_a_new_claim_changes_only_the_component_of_its_id(stream: list[Claim], new: Claim) -> None:
    before, after = read(weave(stream)), read(weave([*stream, new]))
    nearby = component([*stream, new], new.mid)
    for far in after.parents.keys() - nearby:
        assert after.parents[far] == before.parents[far]
        assert after.rivals.get(far) == before.rivals.get(far)


@given(claim_sets, claims())
@SOME
def test_t5_a_new_cycle_passes_through_an_id_whose_parent_changed(stream: list[Claim], new: Claim) -> None:
    before, after = read(weave(stream)), read(weave([*stream, new]))
    changed = {name for name in after.uncut if after.uncut[name] != before.uncut.get(name)}
    assert changed <= new.named
    for cycle in cycles(after.uncut) - cycles(before.uncut):
        assert cycle & changed


@given(claim_sets, claims())
@SOME
def test_t8_an_edge_changes_only_by_a_claim_about_its_child_or_about_a_ghost_that_it_names(
    stream: list[Claim], new: Claim
) -> None:
    before, after = read(weave(stream)), read(weave([*stream, new]))
    ghosts = after.parents.keys() - {claim.mid for claim in stream}
    may_change = {new.mid, *(ghosts & set(new.references))}
    for name in after.parents.keys() - may_change:
        assert after.uncut[name] == before.uncut.get(name)
        if name not in before.cuts and name not in after.cuts:
            assert after.parents[name] == before.parents.get(name)


@given(claim_sets, claims())
@SOME
def test_a_claim_of_a_worse_tier_cannot_touch_an_id_that_a_better_one_describes(
    stream: list[Claim], new: Claim
) -> None:
    mine = [claim._replace(tier=0) for claim in stream]
    before, after = read(weave(mine)), read(weave([*mine, new._replace(tier=1)]))
    for name in {claim.mid for claim in mine}:
        assert after.uncut[name] == before.uncut[name]
        assert after.rivals.get(name) == before.rivals.get(name)


@st.composite
def clean_archives(draw: st.DrawFn) -> list[Mail]:
    """Mail on which nobody disagrees: a random forest, some of whose messages are missing, and honest references.

    References are the whole chain from the root, or cut at its old end down to a held message, which own headers place.
    """
    size = draw(st.integers(1, 10))
    above = [draw(st.integers(-1, i - 1)) for i in range(size)]
    missing = [draw(st.booleans()) for _ in range(size)]
    mails = []
    for i in range(size):
        if missing[i]:
            continue
        chain: list[int] = []
        node = above[i]
        while node >= 0:
            chain.insert(0, node)
            node = above[node]
        starts = [0, *(k for k, node in enumerate(chain) if k and not missing[node])]
        references = tuple(f"m{node}" for node in chain[draw(st.sampled_from(starts)) :])
        in_reply_to = references[-1:] if draw(st.booleans()) else ()
        if references and above[above[i]] < 0 and draw(st.booleans()):
            references, in_reply_to = (), references[-1:]
        mails.append(Mail(f"m{i}", references, in_reply_to, i))
    return draw(st.permutations(mails))


@given(clean_archives())
@SOME
def test_t6_clean_input_gives_what_rfc5256_gives(mails: list[Mail]) -> None:
    assert pruned_threads(mails, "weft") == thread_references(mails)


@given(clean_archives(), st.data())
@SOME
def test_t6_profile_rfc5256_ignores_in_reply_to_beside_references(mails: list[Mail], data: st.DataObject) -> None:
    """And the RFC's linker ignores it too, whatever it names."""
    noisy = [
        mail._replace(in_reply_to=(data.draw(st.sampled_from(["m0", "elsewhere"])),)) if mail.references else mail
        for mail in mails
    ]
    assert pruned_threads(noisy, "rfc5256") == thread_references(mails)


def pruned_threads(mails: list[Mail], profile: Profile) -> list[Shape]:
    """Weft's forest of the mails with ghosts pruned, in the RFC's shape and order."""
    dates = {mail.mid: mail.date for mail in mails}
    claims = (Claim(mail.mid, mail.references, mail.in_reply_to, bool(mail.in_reply_to)) for mail in mails)
    parents = read(weave(claims, profile)).parents
    children: dict[str | None, list[str]] = {}
    for name in dates:
        above = parents[name]
        while above is not None and above not in dates and parents[above] is not None:
            above = parents[above]
        children.setdefault(above, []).append(name)

    def shape(name: str) -> Shape:
        return name, tuple(shape(child) for child in sorted(children.get(name, ()), key=dates.__getitem__))

    def earliest(top: list[str]) -> int:
        return min(dates[name] for name in top)

    tops = [[name] for name in children.pop(None, ())] + [top for above, top in children.items() if above not in dates]
    return [
        shape(top[0]) if len(top) == 1 else (None, tuple(shape(name) for name in sorted(top, key=dates.__getitem__)))
        for top in sorted(tops, key=earliest)
    ]
