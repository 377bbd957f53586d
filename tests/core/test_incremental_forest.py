"""The live forest is the batch forest after every step, whatever comes and goes in whatever order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.dict_nodes import DictNodes
from tests.core.plain_forest import Claim, component, cycles, plain_forest, stated_parent, witnesses
from tests.examples import examples
from weft.core.cycle_cutting import CUT, DISAGREED, NO_RANK, OFF, SILENT, WITNESS_RANK, NodeState
from weft.core.forest import NONE, ForestBuilder, Profile, find_cycles
from weft.core.incremental_forest import IncrementalForest, ParentCause, ParentChange, Statement, interpret

IDS = "abcdefgh"
MANY = settings(max_examples=examples(250), deadline=None)
SOME = settings(max_examples=examples(120), deadline=None)
Edge = tuple[str, str]
Parents = dict[str, str | None]


@st.composite
def claims(draw: st.DrawFn, ids: str = IDS, tiers: int = 3) -> Claim:
    mid = draw(st.sampled_from(ids))
    others = st.sampled_from([name for name in ids if name != mid])
    references = tuple(draw(st.lists(others, max_size=4, unique=True)))
    in_reply_to = tuple(draw(st.lists(others, max_size=2, unique=True)))
    sane = len(in_reply_to) == 1 and draw(st.booleans())
    return Claim(mid, references, in_reply_to, sane, draw(st.integers(0, tiers - 1)))


claim_sets = st.lists(claims(), max_size=10)
few_ids = st.lists(claims(ids="abcde", tiers=2), max_size=10)
mutes = st.frozensets(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), max_size=12)


class Live:
    """A live forest that speaks of claims and names, and checks what it is told at every step."""

    def __init__(self, muted: frozenset[Edge] = frozenset()) -> None:
        self.nodes = DictNodes()
        self.forest = IncrementalForest(self.nodes)
        self.muted = muted
        self.held: set[Claim] = set()

    def node(self, name: str) -> int:
        return self.nodes.node(name.encode())

    def name(self, node: int) -> str | None:
        return None if node == NONE else self.nodes.ids[node].decode()

    def heard(self, claim: Claim) -> Statement:
        return interpret(
            self.node(claim.mid),
            [self.node(name) for name in claim.in_reply_to],
            claim.sane,
            [self.node(name) for name in claim.references],
            claim.tier,
            muted_edge=(lambda child, parent: (self.name(child), self.name(parent)) in self.muted)
            if self.muted
            else None,
        )

    def add(self, claim: Claim) -> list[ParentChange]:
        self.held.add(claim)
        interpreted = self.heard(claim)
        before, changes = self.parents(), list[ParentChange]()
        self.forest.add(interpreted, changes)
        return self.checked(before, changes)

    def remove(self, claim: Claim) -> list[ParentChange]:
        """Every node that the claim was about or may have placed is computed again."""
        self.held.remove(claim)
        return [change for name in (claim.mid, *claim.references) for change in self.recompute(name)]

    def recompute(self, name: str) -> list[ParentChange]:
        about = [self.heard(claim) for claim in self.held if claim.mid == name]
        naming = [self.heard(claim) for claim in self.held if name in claim.references]
        before, changes = self.parents(), list[ParentChange]()
        self.forest.recompute(self.node(name), about, naming, changes)
        return self.checked(before, changes)

    def checked(self, before: Parents, changes: list[ParentChange]) -> list[ParentChange]:
        """What is said to have changed did, and nothing else."""
        after = self.parents()
        said = {self.name(change.node): (self.name(change.old), self.name(change.new)) for change in changes}
        assert said == {name: (before[name], after[name]) for name in after if before[name] != after[name]}
        assert len(said) == len(changes)
        return changes

    def parents(self) -> Parents:
        return {str(self.name(node)): self.name(state.parent) for node, state in self.nodes.states.items()}

    def rows(self) -> dict[str, tuple[int, str | None, str | None, int]]:
        """All that is kept of each id, but not by node numbers, which depend on the order of arrival."""

        def row(state: NodeState) -> tuple[int, str | None, str | None, int]:
            said = str(state.stated_parent) if state.stated_parent < NONE else self.name(state.stated_parent)
            return state.rank, said, self.name(state.parent), state.cycle_state

        return {str(self.name(node)): row(state) for node, state in self.nodes.states.items()}


def expected(claims: Iterable[Claim], muted: frozenset[Edge] = frozenset()) -> Parents:
    """The plain reference with muted edges: they are neither stated nor witnessed, but the message is there."""
    known = set(claims)
    uncut: Parents = {}
    ground: dict[str, tuple[bool, int, int, str]] = {}
    for mid in {name for claim in known for name in claim.named}:
        about = [claim for claim in known if claim.mid == mid]
        if about:
            tier, gap = min(claim.tier for claim in about), 0
            said = {stated_parent(claim) for claim in about if claim.tier == tier}
            said = {parent for parent in said if (mid, parent) not in muted}
        else:
            found = [witness for claim in known for name, witness in witnesses(claim) if name == mid]
            found = [witness for witness in found if (mid, witness.parent) not in muted]
            tier, gap = min(((witness.tier, witness.gap) for witness in found), default=(0, 0))
            said = {witness.parent for witness in found if (witness.tier, witness.gap) == (tier, gap)}
        uncut[mid] = said.pop() if len(said) == 1 else None
        ground[mid] = (bool(about), -tier, -gap, mid)
    cuts = {min(cycle, key=ground.__getitem__) for cycle in cycles(uncut)}
    return {mid: None if mid in cuts else parent for mid, parent in uncut.items()}


def without_roots(parents: Parents) -> dict[str, str]:
    """Ids that nothing is said of any more stay in the index as roots; the batch forest does not know them."""
    return {name: parent for name, parent in parents.items() if parent is not None}


def grow(stream: Iterable[Claim], muted: frozenset[Edge] = frozenset()) -> Live:
    live = Live(muted)
    for claim in stream:
        live.add(claim)
    return live


def weave(stream: Iterable[Claim]) -> Parents:
    builder = ForestBuilder()
    for claim in stream:
        named = [[builder.node(name.encode()) for name in names] for names in (claim.in_reply_to, claim.references)]
        builder.add(builder.node(claim.mid.encode()), named[0], claim.sane, named[1], claim.tier)
    forest = builder.forest()
    names = [name.decode() for name in forest.ids]
    return {names[v]: None if u == NONE else names[u] for v, u in enumerate(forest.parents)}


@given(claim_sets)
@MANY
def test_after_every_claim_the_parents_are_those_of_the_builder(stream: list[Claim]) -> None:
    live = Live()
    for count, claim in enumerate(stream, 1):
        live.add(claim)
        assert live.parents() == weave(stream[:count])


@given(few_ids)
@MANY
def test_after_every_claim_the_parents_are_those_of_the_builder_where_cycles_are_common(stream: list[Claim]) -> None:
    live = Live()
    for count, claim in enumerate(stream, 1):
        live.add(claim)
        assert live.parents() == weave(stream[:count])


@given(claim_sets, mutes)
@MANY
def test_with_muted_edges_the_parents_are_those_of_the_plain_reference(
    stream: list[Claim], muted: frozenset[Edge]
) -> None:
    live = Live(muted)
    for count, claim in enumerate(stream, 1):
        live.add(claim)
        assert live.parents() == expected(stream[:count], muted)


@given(claim_sets)
@SOME
def test_the_reference_with_mutes_is_the_plain_forest_without_them(stream: list[Claim]) -> None:
    assert expected(stream) == plain_forest(stream).parents


@given(claim_sets, mutes, st.randoms(use_true_random=False))
@MANY
def test_after_every_claim_that_goes_the_parents_are_those_of_what_remains(
    stream: list[Claim], muted: frozenset[Edge], random: Random
) -> None:
    live = grow(stream, muted)
    while live.held:
        live.remove(random.choice(sorted(live.held)))
        assert without_roots(live.parents()) == without_roots(expected(live.held, muted))
    assert all(state == NodeState() for state in live.nodes.states.values())


@given(claim_sets, st.sampled_from(IDS), st.frozensets(st.sampled_from(IDS)))
@SOME
def test_another_policy_is_reached_by_computing_every_id_again(
    stream: list[Claim], favoured: str, hidden: frozenset[str]
) -> None:
    """Claims of one id rise to the best tier, those of others leave the view."""
    live = grow(stream)
    live.held = {claim._replace(tier=0) if claim.mid == favoured else claim for claim in stream}
    live.held = {claim for claim in live.held if claim.mid not in hidden}
    for name in list(live.parents()):
        live.recompute(name)
    assert without_roots(live.parents()) == without_roots(expected(live.held))


@given(claim_sets, mutes, st.randoms(use_true_random=False))
@MANY
def test_t1_order_split_and_repetition_change_no_row(
    stream: list[Claim], muted: frozenset[Edge], random: Random
) -> None:
    again = [*stream, *random.sample(stream, len(stream) // 2)]
    random.shuffle(again)
    assert grow(again, muted).rows() == grow(stream, muted).rows()


@given(claim_sets, claim_sets)
@SOME
def test_t1_what_comes_and_goes_leaves_the_rows_of_what_stays(stay: list[Claim], leave: list[Claim]) -> None:
    live = grow([*leave, *stay])
    for claim in live.held - set(stay):
        live.remove(claim)
    rows = grow(stay).rows()
    assert {name: row for name, row in live.rows().items() if name in rows} == rows


@given(claim_sets)
@SOME
def test_t1_a_repeated_claim_changes_nothing_and_writes_nothing(stream: list[Claim]) -> None:
    live = grow(stream)
    live.forest.dirty.clear()
    for claim in stream:
        assert live.add(claim) == []
    assert live.forest.dirty == set()


@given(claim_sets)
@SOME
def test_t2_after_every_claim_it_is_a_forest_with_one_cut_in_each_cycle(stream: list[Claim]) -> None:
    live = Live()
    for claim in stream:
        live.add(claim)
        states = [live.nodes.states[node] for node in range(len(live.nodes.ids))]
        assert find_cycles([state.parent for state in states]) == []
        on_cycles: set[int] = set()
        for cycle in find_cycles([state.edge for state in states]):
            assert sum(states[node].cycle_state == CUT for node in cycle) == 1
            on_cycles.update(cycle)
        assert {node for node, state in enumerate(states) if state.cycle_state != OFF} == on_cycles


@given(claim_sets, claims())
@SOME
def test_t3_t4_a_new_claim_moves_only_its_component_and_only_to_what_somebody_put_above(
    stream: list[Claim], new: Claim
) -> None:
    held = {*stream, new}
    stated = {(claim.mid, stated_parent(claim)) for claim in held}
    adjacent = {(name, witness.parent) for claim in held for name, witness in witnesses(claim)}
    nearby = component(held, new.mid)
    live = grow(stream)
    for change in live.add(new):
        assert live.name(change.node) in nearby
        assert change.new == NONE or (live.name(change.node), live.name(change.new)) in stated | adjacent


@given(claim_sets, claims())
@SOME
def test_t5_t8_outside_cycles_only_the_claims_own_id_and_the_ghosts_that_it_names_move(
    stream: list[Claim], new: Claim
) -> None:
    live = grow(stream)
    ghosts = {name for name in new.references if live.nodes.states[live.node(name)].tier == 255}
    for change in live.add(new):
        if change.cause not in (ParentCause.CYCLE_CUT, ParentCause.CYCLE_GONE):
            assert live.name(change.node) in ghosts | {new.mid}


@given(claim_sets)
@SOME
def test_what_is_not_dirty_did_not_change(stream: list[Claim]) -> None:
    """Or an index that writes back only dirty rows would differ from its memory."""
    live, written = Live(), {}
    for claim in stream:
        live.add(claim)
        for node in live.forest.dirty:
            written[node] = NodeState(*row(live.nodes.states[node]))
        live.forest.dirty.clear()
        assert all(state == written.get(node, NodeState()) for node, state in live.nodes.states.items())


def row(state: NodeState) -> tuple[int, int, int, int]:
    return state.rank, state.stated_parent, state.parent, state.cycle_state


@given(claim_sets, claim_sets)
@SOME
def test_rows_alone_are_enough_to_go_on(stream: list[Claim], more: list[Claim]) -> None:
    """What is remembered beside them is a cache."""
    live, restarted = grow(stream), grow(stream)
    for claim in more:
        live.add(claim)
        restarted.forest = IncrementalForest(restarted.nodes)
        restarted.add(claim)
    assert restarted.rows() == live.rows()


def test_a_long_random_walk_stays_with_the_batch_forest() -> None:
    random, live, seen = Random(7), Live(), set[ParentCause]()
    for step in range(4000):
        if live.held and random.random() < min(0.9, len(live.held) / 24):
            changes = live.remove(random.choice(sorted(live.held)))
        else:
            mid, *others = random.sample(IDS + "ijkl", random.randint(1, 6))
            in_reply_to = random.sample(others, min(len(others), random.choice((0, 0, 1, 2))))
            sane = len(in_reply_to) == 1 and random.random() < 0.5
            changes = live.add(Claim(mid, tuple(others), tuple(in_reply_to), sane, random.randrange(3)))
        seen.update(change.cause for change in changes)
        if step % 50 == 49:
            live.forest.forget()
        assert without_roots(live.parents()) == without_roots(expected(live.held))
    assert seen == set(ParentCause)


def chain(*names: str, tier: int = 0) -> Claim:
    """A mail by the last of the names whose References are the others."""
    return Claim(names[-1], names[:-1], tier=tier)


def test_the_causes_say_what_a_reader_would_say() -> None:
    live = Live()
    a, b, c, x = (live.node(name) for name in "abcx")
    first, rival, looping = chain("a", "b", "c", tier=1), chain("x", "b"), Claim("a", (), ("c",))
    assert set(live.add(first)) == {
        ParentChange(c, NONE, b, ParentCause.NEW_CLAIM),
        ParentChange(b, NONE, a, ParentCause.WITNESSED),
    }
    assert live.add(chain("b", tier=1)) == [ParentChange(b, a, NONE, ParentCause.GHOST_FILLED)]
    assert live.add(chain("a", "b")) == [ParentChange(b, NONE, a, ParentCause.NEW_CLAIM)]
    assert live.add(rival) == [ParentChange(b, a, NONE, ParentCause.CONTESTED)]
    assert live.remove(rival) == [ParentChange(b, NONE, a, ParentCause.WITHDRAWN)]
    assert set(live.add(looping)) == {
        ParentChange(a, NONE, c, ParentCause.GHOST_FILLED),
        ParentChange(c, b, NONE, ParentCause.CYCLE_CUT),
    }
    assert set(live.remove(looping)) == {
        ParentChange(a, c, NONE, ParentCause.WITHDRAWN),
        ParentChange(c, NONE, b, ParentCause.CYCLE_GONE),
    }
    assert live.parents() == {"a": None, "b": "a", "c": "b", "x": None}
    assert x in live.nodes.states


def test_a_cycle_is_cut_at_its_ghost_and_elsewhere_once_the_ghost_is_filled() -> None:
    live = grow([Claim("a", (), ("c",)), chain("a", "b")])
    a, c, d = (live.node(name) for name in "acd")
    assert live.add(chain("b", "c", "d")) == [ParentChange(d, NONE, c, ParentCause.NEW_CLAIM)]
    assert live.nodes.states[c].cycle_state == CUT
    assert live.add(chain("b", "c")) == [
        ParentChange(c, NONE, live.node("b"), ParentCause.CYCLE_GONE),
        ParentChange(a, c, NONE, ParentCause.CYCLE_CUT),
    ]


def test_a_cycle_is_gone_when_a_member_says_otherwise() -> None:
    live = grow([chain("c", "a", tier=1), chain("a", "b"), chain("b", "c")])
    a, c = live.node("a"), live.node("c")
    assert live.parents() == {"a": None, "b": "a", "c": "b"}
    assert live.add(chain("x", "a")) == [ParentChange(a, NONE, live.node("x"), ParentCause.NEW_CLAIM)]
    assert live.nodes.states[c].cycle_state == OFF


def test_a_second_cycle_is_cut_where_the_first_one_was_opened() -> None:
    """One claim opens a cycle at a ghost and closes another one through the same ids."""
    stream = [chain("b", "a", "z"), chain("a", "b"), chain("c", "b", "d"), chain("d", "c"), chain("y", "c", "a", "b")]
    for order in permutations(stream):
        assert grow(order).parents() == expected(stream)


def test_a_silent_claim_shows_its_message_and_says_nothing_of_its_parent() -> None:
    live = Live(frozenset({("b", "a")}))
    live.add(Claim("b", ("a",)))
    state = live.nodes.states[live.node("b")]
    assert (state.tier, state.stated_parent, state.parent) == (0, SILENT, NONE)
    live.add(Claim("b", ("c",)))
    assert live.parents()["b"] == "c"
    assert not state.contested
    live.add(Claim("b", ("d",)))
    assert (state.stated_parent, state.contested, state.parent) == (DISAGREED, True, NONE)


def test_a_muted_statement_of_the_best_tier_does_not_let_a_worse_one_speak() -> None:
    live = Live(frozenset({("b", "a")}))
    live.add(Claim("b", ("c",), tier=1))
    live.add(Claim("b", ("a",), tier=0))
    assert live.parents()["b"] is None


def test_a_muted_witness_lets_the_next_one_speak() -> None:
    live = Live(frozenset({("b", "a")}))
    live.add(Claim("v", ("a", "b")))
    assert live.parents()["b"] is None
    live.add(Claim("w", ("c", "b", "x", "y")))
    assert live.parents()["b"] == "c"


def test_an_id_that_names_itself_is_a_cycle_of_one() -> None:
    """The grammar drops such a reference; a caller that does not costs nothing but that edge."""
    nodes = DictNodes()
    node = nodes.node(b"a")
    forest = IncrementalForest(nodes)
    forest.add(Statement(node, 0, node))
    assert nodes.states[node] == NodeState(0, node, NONE, CUT)
    forest.recompute(node, [Statement(node, 0, NONE)], [])
    assert nodes.states[node] == NodeState(0, NONE, NONE, OFF)


@pytest.mark.parametrize(("profile", "stated", "seen"), [("weft", 3, []), ("rfc5256", 2, [(2, 1, 0), (1, NONE, 1)])])
def test_a_claim_is_heard_by_the_rules_of_the_profile(
    profile: Profile, stated: int, seen: Sequence[tuple[int, int, int]]
) -> None:
    assert interpret(0, [3], True, [1, 2], 1, profile) == Statement(0, 1, stated, seen)


def test_a_row_says_what_is_shown_of_a_node() -> None:
    assert (NodeState().tier, NodeState().contested, NodeState().edge) == (255, False, NONE)
    assert (NodeState(WITNESS_RANK, DISAGREED).tier, NodeState(WITNESS_RANK, DISAGREED).contested) == (255, False)
    assert (NodeState(2, DISAGREED).tier, NodeState(2, DISAGREED).contested) == (2, True)
    assert NodeState(NO_RANK, SILENT) == NodeState()


def ring(size: int) -> tuple[DictNodes, IncrementalForest, list[int]]:
    """A cycle of ghosts, each above the next one, that mails of 102 References close."""
    nodes = DictNodes()
    forest = IncrementalForest(nodes)
    members = [nodes.node(b"%06d" % n) for n in range(size)]
    for start in range(0, size, 100):
        references = [members[n % size] for n in range(start, start + 102)]
        forest.add(interpret(nodes.node(b"poster %d" % start), [], False, references, 0))
    assert sum(nodes.states[node].cycle_state == CUT for node in members) == 1
    assert all(nodes.states[node].cycle_state != OFF for node in members)
    return nodes, forest, members


def cut_of(nodes: DictNodes, forest: IncrementalForest) -> int:
    """The node that the last call cut: dirty, or the cut did not move."""
    [cut] = [node for node in forest.dirty if nodes.states[node].cycle_state == CUT]
    forest.dirty.clear()
    return cut


def test_a_long_cycle_whose_members_are_filled_one_by_one_costs_log_n_each() -> None:
    nodes, forest, members = ring(2000)
    nodes.reads = 0
    for _ in members:
        cut = cut_of(nodes, forest)
        forest.add(Statement(cut, 0, nodes.states[cut].stated_parent))
    assert nodes.reads < 60 * len(members)
    assert nodes.states[members[0]].cycle_state == CUT, "all are claimed in one tier: the smallest id"


def test_a_long_cycle_whose_members_become_ghosts_one_by_one_costs_log_n_each() -> None:
    nodes, forest, members = ring(2000)
    for node in members:
        forest.add(Statement(node, 0, nodes.states[node].stated_parent))
    nodes.reads = 0
    for gap, node in enumerate(reversed(members)):
        edge = nodes.states[node].stated_parent
        forest.recompute(node, [], [Statement(node, gap // 200, NONE, [(node, edge, gap % 200)])])
        assert nodes.states[node].cycle_state == CUT
    assert nodes.reads < 60 * len(members)


def test_a_ghost_that_opens_and_closes_a_long_cycle_costs_a_few_reads_a_member() -> None:
    """What the pages on trust promise: linear in the cycle, once a mail, whatever else the mail says."""
    size = 2000
    nodes, forest, members = ring(size)
    flipped = max(members, key=lambda node: nodes.states[node].rank)
    above, elsewhere = nodes.states[flipped].stated_parent, nodes.node(b"elsewhere")
    for gap in range(nodes.states[flipped].rank - WITNESS_RANK)[::-1]:
        parent = above if gap % 2 else elsewhere
        forest.dirty.clear()
        nodes.reads = 0
        forest.add(Statement(nodes.node(b"poster"), 0, NONE, [(flipped, parent, gap)]))
        assert (nodes.states[flipped].cycle_state == OFF) == (parent == elsewhere)
        assert nodes.reads < 7 * size
        assert len(forest.dirty) <= size + 2


def test_a_member_whose_ground_comes_and_goes_leaves_the_cut_where_it_belongs() -> None:
    """Each time, what is remembered of the cycle gets one more outdated entry."""
    live = grow([Claim("a", (), ("c",), tier=1), Claim("b", (), ("a",), tier=1), Claim("c", (), ("b",), tier=2)])
    better = Claim("a", (), ("c",), tier=0)
    for _ in range(10):
        live.add(better)
        live.remove(better)
        assert live.parents() == {"a": "c", "b": "a", "c": None}
    live.add(Claim("c", (), ("b",), tier=0))
    assert live.parents() == {"a": None, "b": "a", "c": "b"}


def test_more_cycles_than_are_remembered_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.core.cycle_cutting._CACHED", 4)
    rings = ["abc", "def", "ghi"]
    stream = [Claim(ids[n], (), (ids[n - 1],), tier=tier) for tier in (3, 2, 1, 0) for n in range(3) for ids in rings]
    live = Live()
    for count, claim in enumerate(stream, 1):
        live.add(claim)
        assert live.parents() == expected(stream[:count])


def test_an_edge_between_a_long_chain_above_and_little_below_costs_little() -> None:
    """Each mail of a chain comes after its only reply, with everything above it there already."""
    nodes = DictNodes()
    forest = IncrementalForest(nodes)
    mails = [nodes.node(b"%d" % n) for n in range(2000)]
    replies = [nodes.node(b"reply to %d" % n) for n in range(2000)]
    for mail, reply in zip(mails, replies, strict=True):
        forest.add(Statement(reply, 0, mail))
    nodes.reads = 0
    for parent, mail in zip([NONE, *mails], mails, strict=False):
        forest.add(Statement(mail, 0, parent))
    assert nodes.reads < 20 * len(mails)


@pytest.mark.parametrize("step", [1, -1])
def test_a_deep_chain_costs_the_same_for_each_mail_from_either_end(step: int) -> None:
    nodes = DictNodes()
    forest = IncrementalForest(nodes)
    mails = [nodes.node(b"%d" % n) for n in range(2000)]
    for n in range(2000)[::step]:
        forest.add(Statement(mails[n], 0, mails[n - 1] if n else NONE))
    assert nodes.reads < 12 * len(mails)
    assert [nodes.states[node].parent for node in mails] == [NONE, *mails[:-1]]
