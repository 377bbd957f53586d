"""Each word that an index says has an enum, and each enum a word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from weft.policy import rules as policy_rules
from weft.v1 import threads_pb2 as wire
from weft.wire.rules import CAUSES, EDGE_RULES, HIDDEN_REASONS, PARENT_HEADERS, PROFILES

EXPLAINED = wire.ExplainMessageResponse
INDEX = Path(policy_rules.__file__).parents[1] / "index"


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (EDGE_RULES, wire.EdgeRule), (PARENT_HEADERS, EXPLAINED.ParentHeader), (PROFILES, wire.Profile),
        (HIDDEN_REASONS, EXPLAINED.HiddenReason), (CAUSES, wire.Change.Cause),
    ],
    ids=["rules", "headers", "profiles", "reasons", "causes"],
)  # fmt: skip
def test_every_value_has_one_word(words: dict[str, int], values: type[wire.EdgeRule]) -> None:
    assert sorted({*words.values(), 0}) == sorted(values.values())
    assert len(set(words.values())) == len(words)


def test_every_reason_of_a_policy_has_a_value() -> None:
    source = Path(policy_rules.__file__).read_text()
    muted = re.findall(r'return "(the [a-z ]+ is muted)"', source)
    assert len(muted) == 5
    assert set(muted) - {"the edge is muted"} <= set(HIDDEN_REASONS)
    hidden = re.search(r"def hidden\(.*?\n\n", (INDEX / "claim_filter.py").read_text(), re.DOTALL)
    assert hidden
    reasons = re.findall(r'return "([^"]+)"', hidden[0])
    assert reasons
    assert set(reasons) <= set(HIDDEN_REASONS)
