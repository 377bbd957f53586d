"""The test vectors in ``fixtures/vectors`` still hold."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests import vectors
from weft.core import ed25519
from weft.core.claim import claim_id, encode, parse
from weft.core.signing import SignedRoot, public_key, root_bytes, verify_root
from weft.errors import ClaimError


def read(name: str) -> str:
    return (vectors.VECTORS / f"{name}.json").read_text()


@pytest.mark.parametrize("name", vectors.FILES)
def test_the_code_still_gives_what_was_committed(name: str) -> None:
    assert json.loads(read(name)) == vectors.FILES[name]()


def test_each_file_is_written_by_the_programme_and_described() -> None:
    files = {path.stem for path in vectors.VECTORS.glob("*.json")}
    assert files == set(vectors.FILES)
    described = (vectors.VECTORS / "README.md").read_text()
    assert not [name for name in files if f"| `{name}.json` |" not in described]


def test_accepted_claims_have_their_fields_and_ids() -> None:
    cases = json.loads(read("claims"))["accepted"]
    assert {case["kind"] for case in cases} == {"claim", "withdrawal"}
    for case in cases:
        data = bytes.fromhex(case["bytes"])
        claim = parse(data)
        assert type(claim).__name__.lower() == case["kind"]
        for field, value in claim._asdict().items():
            stated = case["fields"][field]
            if isinstance(value, bytes):
                assert value.hex() == stated
            elif isinstance(value, tuple):
                assert [item.hex() for item in value] == stated
            else:
                assert (value, type(value)) == (stated, type(stated))
        assert claim_id(data).hex() == case["id"]
        assert encode(claim) == data


def test_refused_claims_are_refused_for_the_field_that_is_named() -> None:
    cases = json.loads(read("claims"))["refused"]
    assert len(cases) > 110
    for case in cases:
        field = case["rule"].partition(":")[0] if ":" in case["rule"] else ""
        field = {"withdrawal": "list", "encoding": "its bytes are not the one encoding"}.get(field, field)
        with pytest.raises(ClaimError, match=f"^claim refused: {field}"):
            parse(bytes.fromhex(case["bytes"]))


def test_signatures_are_those_of_the_seed_over_the_signed_string() -> None:
    for case in json.loads(read("signing"))["signed"]:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["seed"]))
        name, root = bytes.fromhex(case["list"]), bytes.fromhex(case["root"])
        signed = bytes.fromhex(case["signed"])
        assert signed == root_bytes(public_key(key), name, case["leaf_count"], root)
        assert key.sign(signed).hex() == case["signature"]
        verify_root(SignedRoot(public_key(key), name, case["leaf_count"], root, bytes.fromhex(case["signature"])))


def test_signatures_about_which_libraries_differ_are_refused() -> None:
    cases = json.loads(read("signing"))["refused"]
    taken_by_the_library = 0
    for case in cases:
        origin, signature, message = (bytes.fromhex(case[name]) for name in ("origin", "signature", "message"))
        assert not ed25519.verifies(origin, signature, message)
        taken_by_the_library += vectors.library_verifies(origin, signature, message)
    assert taken_by_the_library > 8
    assert {case["rule"].partition(":")[0] for case in cases} == {"origin", "R", "S", "too long", "another message"}
