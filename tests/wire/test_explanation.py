"""Explanations come back from the wire as they were, in pages of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.core.signing import fingerprint
from weft.model import ClaimStatement, Coverage, Explanation, Witness
from weft.v1 import threads_pb2 as wire
from weft.wire.explanation import from_pages, to_message
from weft.wire.limits import ANSWER_BYTES, EXPLAINED, PAGE_BYTES
from weft.wire.rules import EDGE_RULES, HIDDEN_REASONS, PARENT_HEADERS

IDS = st.binary(max_size=9).map(lambda data: data.decode("utf-8", "surrogateescape"))
TEXTS = st.text(max_size=9)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
ORIGINS = st.binary(min_size=32, max_size=32).map(fingerprint)
PARENTS = st.none() | IDS
SMALL = st.integers(0, 1 << 31)
HEADERS, REASONS, RULES = (st.sampled_from(sorted(words)) for words in (PARENT_HEADERS, HIDDEN_REASONS, EDGE_RULES))
STATEMENTS = st.builds(
    ClaimStatement, DIGESTS, ORIGINS, TEXTS, st.none() | SMALL, IDS, PARENTS, HEADERS, TEXTS, TEXTS, TEXTS, TEXTS,
    DIGESTS, SMALL, REASONS, st.just("") | DIGESTS, st.lists(st.tuples(IDS, st.booleans()), max_size=3).map(tuple),
)  # fmt: skip
WITNESSES = st.builds(Witness, DIGESTS, ORIGINS, TEXTS, SMALL, IDS, PARENTS, SMALL, st.booleans())
COVERAGE = Coverage((), (), (), (), (), ())


def some(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=3).map(tuple)


EXPLANATIONS = st.builds(
    Explanation, IDS, IDS, PARENTS, RULES, st.booleans(), some(STATEMENTS), some(WITNESSES), some(PARENTS),
    some(IDS), some(IDS), st.just(COVERAGE), some(IDS), some(IDS),
)  # fmt: skip


def pages(found: Explanation, most: int) -> list[wire.ExplainMessageResponse]:
    """All pages of an explanation."""
    given, start = [], 0
    while True:
        page, following = to_message(found, start, most)
        given.append(wire.ExplainMessageResponse.FromString(page.SerializeToString()))
        if following is None:
            return given
        assert following > start
        start = following


@given(EXPLANATIONS, st.sampled_from([1, 2, 5, EXPLAINED]))
def test_an_explanation_comes_back_as_it_was_with_its_weak_ids(found: Explanation, most: int) -> None:
    assert from_pages(pages(found, most)) == found


def statement(weak: int, text: str = "") -> ClaimStatement:
    names = tuple((f"{number:0250}", False) for number in range(weak))
    return ClaimStatement(
        "00" * 32, fingerprint(bytes(32)), "l", 0, "m", None, "none", "", text, "", "", "00" * 32, 1, weak=names
    )


def explained(*statements: ClaimStatement) -> Explanation:
    return Explanation("m", "m", None, "own headers", False, statements, (), (), (), (), COVERAGE)


@pytest.mark.parametrize(
    ("found", "sizes"),
    [
        (explained(statement(600), statement(398)), [2]),
        (explained(statement(600), statement(399)), [1, 1]),
        (explained(statement(600), statement(600), statement(0), statement(116)), [1, 3]),
    ],
)
def test_weak_ids_count_as_entries(found: Explanation, sizes: list[int]) -> None:
    given = pages(found, EXPLAINED)
    assert [len(page.statements) for page in given] == sizes
    assert from_pages(given) == found


def test_pages_end_where_they_have_enough_bytes() -> None:
    found = explained(*[statement(0, "x" * 9000)] * 900)
    given = pages(found, EXPLAINED)
    assert len(given) > 7
    assert all(page.ByteSize() < PAGE_BYTES + 20_000 < ANSWER_BYTES for page in given)
    assert from_pages(given) == found


def test_what_a_later_version_says_is_unspecified_to_this_one() -> None:
    page = wire.ExplainMessageResponse(message_id=b"m", rule=99)  # type: ignore[arg-type]  # of a later version
    page.statements.add(origin=bytes(32), header=99, hidden_reason=99)
    found = from_pages([page])
    assert (found.rule, found.statements[0].rule) == ("unknown", "unknown")
    assert found.statements[0].hidden, "what is hidden for an unknown reason does not count"
