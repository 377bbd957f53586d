"""Our own trees, as new claims touch them: the same as from the whole log, and no more of it is read than it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.exchange.simulation.trees import asked_trees
from tests.store.factories import Origin, mail
from weft.core.claim import Claim, Withdrawal, parse
from weft.core.feed import ALL_LISTS
from weft.core.id_digest import id_digest
from weft.exchange.events import FindTrees, OwnTrees
from weft.exchange.store_backend import StoreBackend
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rows import Origin as Row
from weft.policy.rules import Policy
from weft.store.interface import StoredClaim
from weft.testing import MemoryStore

OWN, TRUSTED, KNOWN = Origin("own"), Origin("trusted"), Origin("known")
POLICY = Policy(OWN.public, {TRUSTED.public: Row(1, None), KNOWN.public: Row(2, None)})
FEEDS = FeedRanges({origin.public: ALL_LISTS for origin in (OWN, TRUSTED, KNOWN)})
MANY = 1 << 30


class CountingStore(MemoryStore):
    """Counts the claims that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def at(self, positions: Sequence[int]) -> list[StoredClaim]:
        """Counted."""
        self.read += len(positions)
        return super().at(positions)

    def claims_about(self, ids: Sequence[bytes], after: int = 0, limit: int = 1000) -> list[StoredClaim]:
        """Counted."""
        found = super().claims_about(ids, after, limit)
        self.read += len(found)
        return found


def put(store: MemoryStore, origin: Origin, *claims: Claim | Withdrawal) -> None:
    with store.transaction():
        store.put([origin.batch("list", claim) for claim in claims])


def find(store: MemoryStore, after: int = 0, most: int = MANY) -> OwnTrees:
    found = StoreBackend(store).answer(FindTrees(FEEDS, POLICY, after, most))
    assert isinstance(found, OwnTrees)
    return found


def digests(found: OwnTrees) -> set[frozenset[bytes]]:
    assert all(tree.whole for tree in found.trees)
    return {frozenset(tree.digests) for tree in found.trees}


def all_of(store: MemoryStore) -> set[frozenset[bytes]]:
    claims = [(held.identity, parse(held.data)) for held in store.log(0, store.position())]
    return {frozenset(map(id_digest, tree)) for tree in asked_trees(claims, POLICY)}


NAMES = st.sampled_from([f"{n}@x" for n in range(9)])
MAILS = st.builds(
    lambda names, sane: mail(names[0], *names[1:], reply_to=names[-1:] if sane and len(names) > 1 else ()),
    st.lists(NAMES, min_size=1, max_size=5, unique=True),
    st.booleans(),
)
STEPS = st.lists(st.tuples(st.sampled_from([OWN, TRUSTED, KNOWN]), MAILS, st.booleans()), max_size=14)


@settings(deadline=None, max_examples=examples(150))
@given(STEPS, st.integers(1, 4))
def test_whatever_comes_in_whatever_order_all_that_is_new_in_own_trees_is_given(
    steps: list[tuple[Origin, Claim, bool]], at_a_time: int
) -> None:
    store, asked = MemoryStore(), set[bytes]()
    for start in range(0, len(steps), at_a_time):
        before = store.position()
        for origin, claim, taken_back in steps[start : start + at_a_time]:
            put(store, origin, claim)
            if taken_back:
                put(store, origin, origin.withdrawal("list", claim))
        trees = all_of(store)
        assert digests(find(store)) == trees
        touched = digests(find(store, before))
        assert touched <= trees
        asked |= set[bytes]().union(*touched)
        assert asked >= set[bytes]().union(*trees)


def weld(store: MemoryStore, trees: int) -> None:
    """Trees of five messages each, and mails that name a hundred of their roots."""
    for tree in range(trees):
        ids = [f"{tree}.{n}" for n in range(5)]
        put(store, OWN, *(mail(name, *ids[:at]) for at, name in enumerate(ids)))
    for start in range(0, trees, 98):
        put(store, KNOWN, mail(f"weld {start}", *(f"{tree}.0" for tree in range(start, min(trees, start + 99)))))


def test_mails_that_name_many_trees_make_a_new_mail_cost_no_more_than_its_own_tree() -> None:
    read = []
    for trees in (100, 1000):
        store = CountingStore()
        weld(store, trees)
        before = store.position()
        put(store, OWN, mail("new", "5.0", "5.4"))
        store.read = 0
        [tree] = digests(find(store, before))
        read.append(store.read)
        assert tree == {id_digest(name.encode()) for name in ("new", *(f"5.{n}" for n in range(5)))}
    assert read[0] == read[1] < 40


def names(found: OwnTrees) -> set[bytes]:
    return set[bytes]().union(*(tree.digests for tree in found.trees))


def ids(*chosen: str) -> set[bytes]:
    return {id_digest(name.encode()) for name in chosen}


def test_a_message_that_one_claim_makes_a_root_is_followed_with_all_below_it() -> None:
    store = MemoryStore()
    put(store, OWN, mail("p"))
    put(store, TRUSTED, mail("m", "p"), mail("k", "m"), mail("q", "k"))
    put(store, KNOWN, mail("m"))
    assert names(find(store)) == ids("p", "m", "k", "q")
    before = store.position()
    put(store, TRUSTED, mail("r", "q"))
    assert names(find(store, before)) >= ids("p", "m", "k", "q", "r")


def test_a_ghost_that_a_known_origin_places_elsewhere_stays_in_our_own_view() -> None:
    store = MemoryStore()
    put(store, TRUSTED, mail("b", "top", "ghost", "a"))
    put(store, KNOWN, mail("evil", "elsewhere", "ghost"), mail("other", "elsewhere"))
    put(store, OWN, mail("mine", "top"))
    assert names(find(store)) >= ids("mine", "top", "ghost", "a", "b")


def test_what_others_put_below_a_tree_never_makes_it_asked_about_less() -> None:
    store = MemoryStore()
    put(store, OWN, mail("p"))
    put(store, TRUSTED, mail("x"), *(mail(f"x{n}", "x") for n in range(50)), mail("reply", "p"))
    put(store, KNOWN, mail("x", "p"))
    [tree] = find(store, most=20).trees
    assert not tree.whole
    assert set(tree.digests) == ids("p", "reply")
    assert len(names(find(store))) == 53


def test_of_a_tree_that_is_too_large_what_is_near_our_own_messages_is_asked_about() -> None:
    """A flood of replies, wherever in the tree, cuts off what is far away and not the answers to our own mail."""
    store = MemoryStore()
    put(store, KNOWN, *(mail(f"flood {n}", "root") for n in range(50)), *(mail(f"deep {n}", "leaf") for n in range(50)))
    put(store, OWN, mail("mine", "root", "upper"), mail("also", "root", "other"))
    put(store, TRUSTED, mail("upper", "root"), mail("answer", "mine"), mail("beside", "upper"), mail("leaf", "answer"))
    [tree] = find(store, most=7).trees
    assert not tree.whole
    assert set(tree.digests) == ids("mine", "also", "upper", "other", "root", "answer", "beside")
    [less] = find(store, most=3).trees
    assert ids("mine", "also") < set(less.digests)
    before = store.position()
    put(store, KNOWN, mail("more", "root"), mail("later", "mine"))
    [again] = find(store, before, most=8).trees
    assert set(again.digests) == ids("mine", "also", "upper", "other", "root", "answer", "later", "beside")


def found_by(claims: Iterable[Claim]) -> set[bytes]:
    store = MemoryStore()
    put(store, OWN, *claims)
    return names(find(store))


def test_cycles_are_walked_once() -> None:
    ring = [mail(f"{n}", f"{(n + 1) % 6}") for n in range(6)]
    assert found_by(ring) == ids(*map(str, range(6)))
