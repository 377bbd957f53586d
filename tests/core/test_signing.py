"""Signed roots and fingerprints: each binds everything it should, and has one form."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from weft.core.signing import (
    FINGERPRINT_LENGTH,
    SignedRoot,
    fingerprint,
    parse_fingerprint,
    public_key,
    root_bytes,
    short_fingerprint,
    sign_root,
    verify_root,
)
from weft.errors import ClaimError
from weft.v1 import claim_pb2 as wire

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
ROOT = bytes(range(100, 132))
KEYS = st.binary(min_size=32, max_size=32)


def test_a_signed_root_verifies_also_after_the_wire() -> None:
    signed = sign_root(KEY, b"git", 256, ROOT)
    assert signed.origin == public_key(KEY)
    verify_root(signed)
    data = signed.to_message().SerializeToString()
    again = SignedRoot.from_message(wire.SignedRoot.FromString(data))
    assert again == signed
    verify_root(again)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": public_key(OTHER)},
        {"list": b"gis"},
        {"list": b""},
        {"leaf_count": 255},
        {"root": bytes(32)},
        {"signature": bytes(64)},
        {"signature": b""},
        {"signature": sign_root(OTHER, b"git", 256, ROOT).signature},
        {"signature": KEY.sign(ROOT)},
    ],
)
def test_a_signature_is_for_one_origin_list_count_and_root(change: dict[str, bytes]) -> None:
    with pytest.raises(ClaimError, match=r"^batch refused: [a-z2-7]{16} did not sign it$"):
        verify_root(replace(sign_root(KEY, b"git", 256, ROOT), **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"origin": b"short"}, "wrong length"),
        ({"root": bytes(33)}, "wrong length"),
        ({"list": b"l" * 70_000}, "wrong length"),
        ({"leaf_count": 0}, "0 leaves"),
        ({"leaf_count": 257}, "257 leaves"),
        ({"leaf_count": (1 << 32) - 1}, "4294967295 leaves"),
    ],
)
def test_what_no_batch_can_be_is_refused_before_the_signature_is_looked_at(change: dict[str, int], reason: str) -> None:
    with pytest.raises(ClaimError, match=reason):
        verify_root(replace(sign_root(KEY, b"git", 256, ROOT), **change))  # type: ignore[arg-type]


@given(KEYS, st.binary(max_size=200), st.binary(max_size=200))
def test_no_two_lists_have_the_same_signed_string(origin: bytes, one: bytes, other: bytes) -> None:
    assert (root_bytes(origin, one, 1, ROOT) == root_bytes(origin, other, 1, ROOT)) == (one == other)
    assert root_bytes(origin, one, 1, ROOT).startswith(b"weft/v1/batch-root\0\1" + origin)


@given(KEYS)
def test_a_fingerprint_holds_the_key(key: bytes) -> None:
    text = fingerprint(key)
    assert len(text) == FINGERPRINT_LENGTH
    assert parse_fingerprint(text) == key
    assert text.startswith(short_fingerprint(key))


@given(KEYS, st.integers(0, FINGERPRINT_LENGTH - 1), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_no_other_text_one_slip_away_names_the_same_key(key: bytes, place: int, letter: str) -> None:
    text = fingerprint(key)
    slip = text[:place] + letter + text[place + 1 :]
    if slip != text:
        try:
            named = parse_fingerprint(slip)
        except ValueError:
            named = None
        assert named != key


@pytest.mark.parametrize(
    "text",
    ["", "own", short_fingerprint(ROOT), fingerprint(ROOT).upper(), f" {fingerprint(ROOT)}", "1" * 56, "é" * 56],
)
def test_only_the_one_form_is_taken(text: str) -> None:
    with pytest.raises(ValueError, match="a fingerprint is 56 characters"):
        parse_fingerprint(text)


def test_slips_and_later_versions_are_told_apart() -> None:
    text = fingerprint(ROOT)
    with pytest.raises(ValueError, match="checksum"):
        parse_fingerprint(("b" if text[0] == "a" else "a") + text[1:])
    with pytest.raises(ValueError, match="version"):
        parse_fingerprint(text[:-1] + ("c" if text[-1] == "b" else "b"))
