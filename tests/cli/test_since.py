"""Points in time as people type them."""

from __future__ import annotations

import pytest

from weft.core.moment import parse_period, parse_since
from weft.errors import UsageError

NOW = 1_044_878_400.9
"""2003-02-10 12:00 UTC."""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2003-02-10", 1_044_835_200),
        ("2003-02", 1_044_057_600),
        ("2003", 1_041_379_200),
        ("2003-02-10T12:00:00Z", 1_044_878_400),
        ("2003-02-10T12:00:00", 1_044_878_400),
        ("2003-02-10 13:00:00+01:00", 1_044_878_400),
        ("1h", 1_044_878_400 - 3600),
        ("7d", 1_044_878_400 - 7 * 86400),
        ("2w", 1_044_878_400 - 14 * 86400),
        ("1y", 1_044_878_400 - 365 * 86400),
        ("0d", 1_044_878_400),
        ("9999-12-31", 253_402_214_400),
        ("0001-01-01", -62_135_596_800),
    ],
)
def test_what_people_type_is_understood(text: str, seconds: int) -> None:
    assert parse_since(text, NOW) == seconds


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "-7d", "7 d", "9999999d", "2003-02-30", "2003-13", "0000", "10.2.2003", "\x00"]
)
def test_what_nobody_can_mean_is_an_error_of_usage(text: str) -> None:
    with pytest.raises(UsageError, match="is not a date"):
        parse_since(text, NOW)


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2003", "2003-01-01", "2004-01-01"),
        ("2003-02", "2003-02-01", "2003-03-01"),
        ("2003-12", "2003-12-01", "2004-01-01"),
        ("2003-02-10", "2003-02-10", "2003-02-11"),
        ("2003-02..2003-12", "2003-02-01", "2004-01-01"),
    ],
)
def test_a_period_goes_to_the_end_of_what_is_named(text: str, first: str, end: str) -> None:
    assert parse_period(text, NOW) == (parse_since(first, NOW), parse_since(end, NOW))
