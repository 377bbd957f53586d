"""Small corpora for tests, made of claims, and claims at random that make cycles, contests and ghosts."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from tests.core.plain_forest import Claim
from weft.core.date import MISSING
from weft.core.forest import Weaver
from weft.report.corpus import Corpus

Arrival = tuple[str, Claim]
"""A copy: the list on which it came, and what it says."""


def reply(message: str, *chain: str) -> Claim:
    """An ordinary message: its References are the whole chain above it, its In-Reply-To the last of them."""
    return Claim(message, chain, chain[-1:], sane=bool(chain))


def corpus_of(copies: Sequence[Arrival]) -> Corpus:
    """The corpus of copies in their order of arrival."""
    names = tuple(sorted({name for name, _ in copies}))
    weaver = Weaver()
    reply_starts, reference_starts = array("i", [0]), array("i", [0])
    nodes, lists, replies, references = array("i"), array("i"), array("i"), array("i")
    for name, claim in copies:
        nodes.append(weaver.node(claim.mid.encode()))
        lists.append(names.index(name))
        replies.extend(_nodes(weaver, claim.in_reply_to))
        references.extend(_nodes(weaver, claim.references))
        reply_starts.append(len(replies))
        reference_starts.append(len(references))
        weaver.add(nodes[-1], _nodes(weaver, claim.in_reply_to), claim.sane, _nodes(weaver, claim.references))
    holders = [0] * len(weaver.ids)
    for node, number in zip(nodes, lists, strict=True):
        holders[node] |= 1 << number
    seconds = array("q", [MISSING] * len(copies))
    nobody = [b""] * len(copies)
    sane = bytearray(claim.sane for _, claim in copies)
    return Corpus(
        names, weaver.forest(), holders, nodes, lists, seconds, nobody, nobody, sane,
        reply_starts, replies, reference_starts, references,
    )  # fmt: skip


def _nodes(weaver: Weaver, ids: Iterable[str]) -> list[int]:
    return [weaver.node(name.encode()) for name in ids]


@st.composite
def claims(draw: st.DrawFn, ids: str = "abcdefg") -> Claim:
    """Any claim that the grammar can give: References without repeats, never its own id, sane only with one id."""
    message = draw(st.sampled_from(ids))
    others = st.sampled_from([name for name in ids if name != message])
    references = tuple(draw(st.lists(others, max_size=4, unique=True)))
    in_reply_to = tuple(draw(st.lists(others, max_size=2, unique=True)))
    return Claim(message, references, in_reply_to, sane=len(in_reply_to) == 1 and draw(st.booleans()))


arrivals = st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), claims()), max_size=10)
"""Copies on up to three lists, the same id on several or several times on one, in any order."""
