"""The textbook's threads depend on who came first; Weft's do not.  Counted, against a plain linker."""

from __future__ import annotations

import json
from array import array
from random import Random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.factories import Arrival, arrivals, in_order, reply
from tests.analysis.plain_models import plain_link, plain_trees
from tests.core.plain_forest import Claim, plain_forest
from tests.examples import examples
from weft.analysis.arrival_order import arrival
from weft.analysis.corpus import Corpus
from weft.analysis.jwz import chains, link
from weft.core.forest import NONE
from weft.errors import UsageError

RIVALS: list[Arrival] = [
    ("a", reply("r")),
    ("a", reply("s")),
    ("a", Claim("1", ("r", "ghost"))),
    ("a", Claim("2", ("s", "ghost"))),
]
"""Two mails put one ghost below two different roots: whoever comes first has it, and takes the other's reply along."""


def linked(copies: list[Arrival], order: list[int]) -> dict[str, str | None]:
    corpus = in_order(copies)
    return named(corpus, link(corpus, chains(corpus), order).parents)


def named(corpus: Corpus, parents: array[int]) -> dict[str, str | None]:
    names = [name.decode() for name in corpus.forest.ids]
    return {names[node]: None if above == NONE else names[above] for node, above in enumerate(parents)}


def test_whoever_comes_first_places_a_ghost_in_the_textbook_and_nobody_does_in_weft() -> None:
    assert linked(RIVALS, [0, 1, 2, 3])["ghost"] == "r"
    assert linked(RIVALS, [0, 1, 3, 2])["ghost"] == "s"
    found = arrival(in_order(RIVALS))
    assert (found.textbook.messages, found.textbook.ghosts) == (0, 1)
    assert (found.textbook.threads, found.textbook.of_threads) == (2, 2), "the replies change sides"
    assert (found.weft.messages, found.weft.ghosts, found.weft.threads, found.weft.of_threads) == (0, 0, 0, 3)


def test_threads_that_swap_members_have_changed_though_they_are_as_large() -> None:
    copies: list[Arrival] = [
        ("a", reply("r")),
        ("a", reply("s")),
        *(("a", Claim(name, (root, ghost))) for name, root, ghost in ("1rg", "2sg", "3sh", "4rh")),
    ]
    swapping = 0
    for seed in range(40):
        order = list(range(len(copies)))
        Random(seed).shuffle(order)
        above = linked(copies, order)
        if (above["g"], above["h"]) == ("s", "r"):
            swapping += 1
            assert arrival(in_order(copies), runs=2, seed=seed).textbook.threads == 2
    assert swapping


def test_of_two_copies_the_textbook_takes_the_first_come() -> None:
    copies: list[Arrival] = [("a", reply("m", "r")), ("b", reply("m", "s"))]
    assert linked(copies, [0, 1])["m"] == "r"
    assert linked(copies, [1, 0])["m"] == "s"
    found = arrival(in_order(copies))
    assert found.textbook.messages == 1
    assert found.weft.messages == 0, "contested, in any order"


def test_a_message_is_taken_from_the_parent_that_others_gave_it() -> None:
    copies: list[Arrival] = [("a", reply("leaf", "wrong", "m")), ("a", reply("m", "right"))]
    assert linked(copies, [0, 1])["m"] == linked(copies, [1, 0])["m"] == "right"


def test_a_message_without_references_becomes_a_root_whatever_others_say() -> None:
    copies: list[Arrival] = [("a", reply("leaf", "above", "m")), ("a", reply("m"))]
    assert linked(copies, [0, 1])["m"] is None


def test_who_closes_a_loop_depends_on_who_comes_last() -> None:
    copies: list[Arrival] = [("a", reply("1", "2")), ("a", reply("2", "1"))]
    assert linked(copies, [0, 1]) == {"1": "2", "2": None}
    assert linked(copies, [1, 0]) == {"1": None, "2": "1"}
    found = arrival(in_order(copies), runs=8)
    assert set(found.refused) == {1}
    assert (found.textbook.messages, found.textbook.threads) == (2, 0), "other parents, the same thread"


def test_in_reply_to_counts_where_there_are_no_references_and_only_its_first_id() -> None:
    copies: list[Arrival] = [("a", Claim("m", (), ("first", "second"))), ("a", Claim("n", ("own",), ("other",)))]
    assert linked(copies, [0, 1]) == {
        "m": "first",
        "first": None,
        "n": "own",
        "own": None,
        "second": None,
        "other": None,
    }


def test_orders_are_drawn_from_the_seed_and_the_first_is_that_of_arrival() -> None:
    corpus = in_order(RIVALS)
    assert arrival(corpus, runs=1) == arrival(corpus, runs=1, seed=1)
    assert arrival(corpus, runs=1).textbook.ghosts == 0, "one order differs from nothing"
    assert arrival(corpus, runs=4, seed=5) == arrival(corpus, runs=4, seed=5)
    with pytest.raises(UsageError, match="0 orders"):
        arrival(corpus, runs=0)


@given(arrivals, st.randoms(use_true_random=False))
@settings(max_examples=examples(150), deadline=None)
def test_the_linker_does_what_the_rfc_says_in_any_order(copies: list[Arrival], random: Random) -> None:
    order = list(range(len(copies)))
    random.shuffle(order)
    found = linked(copies, order)
    expected = plain_link(copies[place][1] for place in order)
    assert {mid: found[mid] for mid in expected} == expected
    assert all(above is None for mid, above in found.items() if mid not in expected), "named by a second copy only"


@given(arrivals, st.integers(1, 5), st.integers(0, 3))
@settings(max_examples=examples(150), deadline=None)
def test_what_depends_on_the_order_is_counted(copies: list[Arrival], runs: int, seed: int) -> None:
    corpus = in_order(copies)
    held = {claim.mid for _, claim in copies}
    ids = {name.decode() for name in corpus.forest.ids}
    random, order, results = Random(seed), list(range(len(copies))), []
    for _ in range(runs):
        results.append(dict.fromkeys(ids) | plain_link(copies[place][1] for place in order))
        random.shuffle(order)
    moved = {mid for mid in ids if len({result[mid] for result in results}) > 1}
    first, *others = [plain_trees(result, held) for result in results]
    weft = plain_forest(claim for _, claim in copies).parents
    found = arrival(corpus, runs, seed)
    assert (found.textbook.messages, found.textbook.ghosts) == (len(moved & held), len(moved - held))
    assert found.textbook.threads == sum(any(tree not in other for other in others) for tree in first)
    assert found.textbook.of_threads == len(first)
    assert found.unlike == sum(results[0][mid] != weft[mid] for mid in held)
    assert (found.weft.messages, found.weft.ghosts, found.weft.threads) == (0, 0, 0)
    assert found.weft.of_threads == len(plain_trees(weft, held))
    assert len(found.refused) == runs


def test_a_chain_of_many_thousand_read_backwards_is_linked_in_no_time() -> None:
    """Each mail names only its parent, so every link joins two pieces, and climbing each time would be quadratic."""
    size = 30_000
    copies: list[Arrival] = [("a", reply(str(place), *[str(place - 1)][:place])) for place in range(size)]
    corpus = in_order(copies)
    named_by = chains(corpus)
    evens_last = [*range(1, size, 2), *range(0, size, 2)]
    for order in (list(reversed(range(size))), evens_last):
        started = process_time()
        assert link(corpus, named_by, order).parents.count(NONE) == 1
        assert process_time() - started < 20


def test_the_text_says_how_much_there_is_and_what_was_built_again() -> None:
    text = "\n".join(arrival(in_order(RIVALS), runs=6).lines(100))
    assert "textbook (JWZ, RFC 5256), 6 orders" in text
    assert "Weft, woven again in each of them" in text
    assert list(arrival(in_order([])).lines(20))


def test_the_json_is_plain_data() -> None:
    found = arrival(in_order(RIVALS), runs=3, seed=2).as_json()
    assert json.loads(json.dumps(found)) == found
    assert (found["orders"], found["seed"], found["copies"]) == (3, 2, 4)
