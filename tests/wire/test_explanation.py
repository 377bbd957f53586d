"""Explanations come back from the wire as they were, up to what an answer holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from weft.core.signing import fingerprint
from weft.model import ClaimStatement, Coverage, Explanation, Witness
from weft.v1 import threads_pb2 as wire
from weft.wire.explanation import from_message, to_message
from weft.wire.limits import ANSWER_BYTES, EXPLAINED

TEXTS = st.binary(max_size=9).map(lambda data: data.decode("utf-8", "surrogateescape"))
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
ORIGINS = st.binary(min_size=32, max_size=32).map(fingerprint)
PARENTS = st.none() | TEXTS
SMALL = st.integers(0, 1 << 31)
STATEMENTS = st.builds(
    ClaimStatement, DIGESTS, ORIGINS, TEXTS, st.none() | SMALL, TEXTS, PARENTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS,
    DIGESTS, SMALL, TEXTS, st.just("") | DIGESTS, st.lists(st.tuples(TEXTS, st.booleans()), max_size=3).map(tuple),
)  # fmt: skip
WITNESSES = st.builds(Witness, DIGESTS, ORIGINS, TEXTS, SMALL, TEXTS, PARENTS, SMALL, st.booleans())
COVERAGE = Coverage((), (), (), (), (), ())


def some(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=3).map(tuple)


EXPLANATIONS = st.builds(
    Explanation, TEXTS, TEXTS, PARENTS, TEXTS, st.booleans(), some(STATEMENTS), some(WITNESSES), some(PARENTS),
    some(TEXTS), some(TEXTS), st.just(COVERAGE),
)  # fmt: skip


@given(EXPLANATIONS)
def test_an_explanation_comes_back_as_it_was_with_its_weak_ids(found: Explanation) -> None:
    message = wire.ExplainResponse.FromString(to_message(found).SerializeToString())
    assert from_message(message) == found
    assert not message.truncated


def statement(weak: int) -> ClaimStatement:
    names = tuple((f"{number:0250}", False) for number in range(weak))
    return ClaimStatement(
        "00" * 32, fingerprint(bytes(32)), "l", 0, "m", None, "none", "", "", "", "", "00" * 32, 1, weak=names
    )


def test_weak_ids_are_bounded_in_all_statements_together_and_the_answer_says_so() -> None:
    def answer(*weak: int) -> wire.ExplainResponse:
        said = tuple(map(statement, weak))
        return to_message(Explanation("m", "m", None, "own headers", False, said, (), (), (), (), COVERAGE))

    whole = answer(600, EXPLAINED - 600)
    assert [len(one.weak) for one in whole.statements] == [600, EXPLAINED - 600]
    assert not whole.truncated
    cut = answer(600, 600, 0, 116)
    assert [len(one.weak) for one in cut.statements] == [600, EXPLAINED - 600, 0, 0]
    assert cut.truncated
    assert answer(*[116] * EXPLAINED).ByteSize() < ANSWER_BYTES
