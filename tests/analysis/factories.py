"""Small corpora for the tests of reports, made of claims as the plain forest takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from tests.core.plain_forest import Claim
from tests.core.test_forest_properties import claims
from weft.analysis.corpus import Corpus
from weft.analysis.corpus_columns import Columns
from weft.core.forest import ForestBuilder

LISTS = ("one", "two", "three")


class Letter(NamedTuple):
    """A copy of a message on a list, posted at a time."""

    list: str
    claim: Claim
    seconds: int = 0


Arrival = tuple[str, Claim]
"""A copy in an order of arrival: the list on which it came, and what it says."""

letters = st.builds(Letter, st.sampled_from(LISTS), claims(tiers=1), st.integers(0, 9))
letter_boxes = st.lists(letters, max_size=9)
"""Of few ids and lists, so that ghosts, cycles, contests and cross-posts are common."""
arrivals = st.lists(st.tuples(st.sampled_from(LISTS), claims(tiers=1)), max_size=10)
"""Copies on up to three lists, the same id on several or several times on one, in any order."""


def reply(message: str, *chain: str) -> Claim:
    """An ordinary message: its References are the whole chain above it, its In-Reply-To the last of them."""
    return Claim(message, chain, chain[-1:], sane=bool(chain))


def corpus_of(box: Iterable[Letter]) -> Corpus:
    """The corpus of these copies, each list a file."""
    builder, columns = ForestBuilder(), Columns()
    box = list(box)
    names = sorted({letter.list for letter in box})
    for place, (name, claim, seconds) in enumerate(box):
        ids = ((claim.mid,), claim.in_reply_to, claim.references)
        [[node], replies, chain] = builder.nodes([one.encode() for one in group] for group in ids)
        builder.add(node, replies, claim.sane, chain)
        number = names.index(name)
        columns.add(node, number, (number, place), replies, claim.sane, chain)
        columns.describe(seconds, b"", b"")
    return columns.corpus(names, builder.forest())


def in_order(copies: Sequence[Arrival]) -> Corpus:
    """The corpus of copies that arrive in this order."""
    return corpus_of(Letter(name, claim, second) for second, (name, claim) in enumerate(copies))
