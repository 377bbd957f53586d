"""The ways of the data are short, and what a peer sends is verified, parsed and hashed once on its way in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.walks import WALKS, Walk, from_a_peer


@pytest.mark.parametrize("make", WALKS, ids=lambda make: make.__name__)
def test_a_way_of_the_data_takes_no_more_calls_than_it_did(make: Callable[[], Walk]) -> None:
    walk = make()
    assert 0 < walk.calls.total() <= walk.most, walk.by_module.most_common(8)


def test_a_claim_of_a_peer_is_verified_parsed_and_hashed_once_before_it_is_kept() -> None:
    walk = from_a_peer()
    once = ("PartVerifier.check", "verify_root", "Multiproof.verify", "parse", "claim_id", "decode_mail")
    assert {name: walk.times_until_kept(name) for name in once} == dict.fromkeys(once, 1)
