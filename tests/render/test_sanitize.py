from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

from tests.render.samples import HOSTILE, texts
from weft.render.node_names import node_name
from weft.render.sanitize import MAX_MARKS, clean, fit, shorten, width

EVERYTHING = "".join(map(chr, range(0x110000)))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain ~text", "plain ~text"),
        ("", ""),
        ("Grüße, 漢字", "Grüße, 漢字"),
        ("\x1b[2J", "<U+001B>[2J"),
        ("a\u202eb", "a<U+202E>b"),
        ("\udce4\udcff", "\\xE4\\xFF"),
        ("\ud800", "<U+D800>"),
        ("a\r\n\t  b\tc\n", "a b c "),
        ("non\u00a0breaking", "non\u00a0breaking"),
        ("\U000e0041", "<U+E0041>"),
        ("\ufffe", "<U+FFFE>"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out_and_nothing_else_changes(text: str, seen: str) -> None:
    assert clean(text) == seen


def test_no_character_of_a_hidden_category_is_left_of_all_of_unicode() -> None:
    left = {unicodedata.category(one) for one in set(clean(EVERYTHING))}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def test_every_visible_character_of_unicode_stays_as_it_is() -> None:
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    seen = "".join(one for one in EVERYTHING if unicodedata.category(one) not in hidden)
    assert clean("\n" + seen) == " " + seen.lstrip(" ")


@given(texts)
def test_cleaning_twice_changes_nothing_more_and_the_result_is_text(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once.encode().decode() == once


@given(texts.map(clean), st.integers(0, 40))
def test_a_fitted_text_is_exactly_as_wide_as_asked(text: str, columns: int) -> None:
    fitted = fit(text, columns)
    assert sum(max(0, wcwidth(one)) for one in fitted) == columns
    assert shorten(text, columns) == fitted.rstrip(" ")


@given(st.text(st.sampled_from("a漢 é\u0301"), max_size=20))
def test_a_text_that_fits_is_only_padded(text: str) -> None:
    assert fit(text, width(text) + 3) == text + "   "


@pytest.mark.parametrize(
    ("text", "columns", "fitted"),
    [
        ("abcdef", 4, "abc…"),
        ("abcd", 4, "abcd"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字… "),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("abc", 1, "…"),
        ("漢", 1, "…"),
        ("abc", 0, ""),
        ("abc", -1, ""),
    ],
)
def test_a_text_is_cut_between_characters_and_their_marks_stay_with_them(text: str, columns: int, fitted: str) -> None:
    assert fit(text, columns) == fitted


def test_thousands_of_marks_on_one_character_are_cut_but_what_follows_is_shown() -> None:
    assert fit("z" + "\u0335" * 5000 + "algo", 10) == "z" + "\u0335" * MAX_MARKS + "…algo    "


def test_different_ids_have_different_names_that_are_clean() -> None:
    assert len({node_name(one) for one in HOSTILE}) == len(set(HOSTILE))
    for one in HOSTILE:
        assert clean(node_name(one)) == node_name(one)


@given(st.binary(max_size=30))
def test_the_name_of_an_id_gives_its_bytes_back(data: bytes) -> None:
    from urllib.parse import unquote_to_bytes

    assert unquote_to_bytes(node_name(data.decode("utf-8", "surrogateescape"))) == data


@pytest.mark.parametrize("plain", ["a.b-c_d+1@x.example", "100%@x", "user%host@x", "漢@x"])
def test_an_id_that_every_format_can_hold_is_its_own_name(plain: str) -> None:
    assert node_name(plain) == plain
