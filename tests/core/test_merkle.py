"""Merkle trees of batches: the tree of RFC 6962, proofs from what is held, and nothing else that verifies."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.core.merkle import MAX_LEAVES, Multiproof, PartialTree, leaf_hash, load, node_hash, root, whole_tree
from weft.errors import ClaimError
from weft.v1 import claim_pb2 as wire


def batch(count: int) -> list[bytes]:
    return [sha256(b"%d" % n).digest() for n in range(count)]


def rfc6962(ids: Sequence[bytes]) -> bytes:
    """MTH of section 2.1, as it is written there."""
    if len(ids) == 1:
        return sha256(b"\0" + ids[0]).digest()
    k = 1
    while k * 2 < len(ids):
        k *= 2
    return sha256(b"\1" + rfc6962(ids[:k]) + rfc6962(ids[k:])).digest()


@st.composite
def held(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A number of leaves, and some of them: scattered, or in runs as threads lie in a batch."""
    count = draw(st.integers(1, MAX_LEAVES))
    if draw(st.booleans()):
        return count, sorted(draw(st.sets(st.integers(0, count - 1), min_size=1)))
    starts = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=4))
    length = draw(st.integers(1, 40))
    return count, sorted({n for start in starts for n in range(start, min(count, start + length))})


def verified(count: int, positions: Sequence[int]) -> PartialTree:
    ids = batch(count)
    proof = whole_tree(ids).prove(positions)
    return Multiproof.decode(proof.encode()).verify(count, [ids[n] for n in positions], root(ids))


@pytest.mark.parametrize("count", range(1, MAX_LEAVES + 1))
def test_the_root_is_that_of_rfc_6962(count: int) -> None:
    assert root(batch(count)) == rfc6962(batch(count))


def test_leaves_and_nodes_hash_in_domains_of_their_own() -> None:
    a, b = batch(2)
    assert leaf_hash(a + b) != node_hash(a, b)
    assert root([a, b]) == node_hash(leaf_hash(a), leaf_hash(b)) != root([b, a])


@pytest.mark.parametrize("count", [0, 257])
def test_a_batch_has_1_to_256_claims(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 256 claims, not {count}"):
        root(batch(count))


@given(held(), st.data())
def test_what_was_proved_can_be_proved_onward_in_any_part_as_small_as_by_the_origin(
    case: tuple[int, list[int]], data: st.DataObject
) -> None:
    count, positions = case
    tree = verified(count, positions)
    assert tree.leaves == {n: batch(count)[n] for n in positions}
    part = sorted(data.draw(st.sets(st.sampled_from(positions), min_size=1)))
    onward = tree.prove(part)
    assert onward == whole_tree(batch(count)).prove(part)
    assert onward.verify(count, [batch(count)[n] for n in part], tree.root) == verified(count, part)


@given(held(), st.data())
def test_trees_of_one_batch_merge_to_the_tree_of_both(case: tuple[int, list[int]], data: st.DataObject) -> None:
    count, positions = case
    others = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
    one, other = verified(count, positions), verified(count, others)
    both = verified(count, sorted({*positions, *others}))
    assert one.merge(other) == other.merge(one) == both
    assert one.merge(other).merge(one) == both


def test_trees_of_different_batches_do_not_merge() -> None:
    with pytest.raises(ValueError, match="different batches"):
        verified(8, [1]).merge(verified(9, [1]))


@given(held())
def test_a_tree_is_the_same_after_storage(case: tuple[int, list[int]]) -> None:
    count, positions = case
    tree = verified(count, positions)
    assert load(tree.dump(), count, tree.root) == tree


@given(held(), st.data())
def test_one_flipped_bit_anywhere_fails(case: tuple[int, list[int]], data: st.DataObject) -> None:
    count, positions = case
    ids = [batch(count)[n] for n in positions]
    proof = whole_tree(batch(count)).prove(positions).encode()
    parts = [proof, root(batch(count)), *ids]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, len(parts[which]) * 8 - 1))
    parts[which] = (int.from_bytes(parts[which], "little") ^ 1 << bit).to_bytes(len(parts[which]), "little")
    with pytest.raises(ClaimError, match=r"^proof refused: "):
        Multiproof.decode(parts[0]).verify(count, parts[2:], parts[1])


def test_every_flipped_bit_of_a_stored_tree_fails() -> None:
    tree = verified(11, [2, 3, 9])
    data = tree.dump()
    for bit in range(len(data) * 8):
        damaged = (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little")
        with pytest.raises(ClaimError):
            load(damaged, 11, tree.root)
    for length in range(len(data)):
        with pytest.raises(ClaimError):
            load(data[:length], 11, tree.root)


@given(held(), st.integers(-1, MAX_LEAVES + 2))
def test_with_another_number_of_leaves_a_proof_leads_nowhere_or_is_about_the_same_leaves(
    case: tuple[int, list[int]], other: int
) -> None:
    count, positions = case
    ids = batch(count)
    proof = whole_tree(ids).prove(positions)
    try:
        tree = proof.verify(other, [ids[n] for n in positions], root(ids))
    except ClaimError:
        assert other != count
    else:
        assert all(ids[n] == identity for n, identity in tree.leaves.items())


@given(st.binary(max_size=400))
def test_any_bytes_are_a_proof_or_refused(data: bytes) -> None:
    try:
        proof = Multiproof.decode(data)
    except ClaimError:
        return
    assert Multiproof.decode(proof.encode()) == proof
    with pytest.raises(ClaimError):
        proof.verify(256, batch(len(proof.positions)), bytes(32))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (wire.Multiproof(), "which leaves"),
        (wire.Multiproof(held=b"\1\0"), "which leaves"),
        (wire.Multiproof(held=b"\1" * 33), "which leaves"),
        (wire.Multiproof(held=b"\1", hashes=bytes(33)), "its hashes are not"),
        (wire.Multiproof(held=b"\1", hashes=bytes(32 * 257)), "its hashes are not"),
    ],
)
def test_a_proof_that_fits_no_batch_is_refused(message: wire.Multiproof, reason: str) -> None:
    with pytest.raises(ClaimError, match=reason):
        Multiproof.from_message(message)


def test_a_proof_must_be_exact() -> None:
    ids = batch(4)
    proof = whole_tree(ids).prove([1])
    good = root(ids)
    refused: list[tuple[Multiproof, int, list[bytes]]] = [
        (proof, 4, []),
        (proof, 4, [ids[1], ids[2]]),
        (proof, 4, [ids[1] + b"x"]),
        (proof, 1, [ids[1]]),
        (proof, 0, [ids[1]]),
        (proof, 257, [ids[1]]),
        (Multiproof((), (good,)), 4, []),
        (Multiproof((1, 1), proof.hashes), 4, [ids[1], ids[1]]),
        (Multiproof((-1,), proof.hashes), 4, [ids[1]]),
        (Multiproof((1,), (*proof.hashes, bytes(32))), 4, [ids[1]]),
        (Multiproof((1,), proof.hashes[:1]), 4, [ids[1]]),
        (Multiproof((1,), (proof.hashes[0], proof.hashes[1][:31])), 4, [ids[1]]),
    ]
    for wrong, count, leaves in refused:
        with pytest.raises(ClaimError, match=r"^proof refused: "):
            wrong.verify(count, leaves, good)
    assert proof.verify(4, [ids[1]], good).leaves == {1: ids[1]}


def test_only_held_leaves_are_proved() -> None:
    tree = verified(8, [1, 2])
    with pytest.raises(KeyError):
        tree.prove([3])
    with pytest.raises(ValueError, match="one leaf at least"):
        tree.prove([])


def test_a_lone_claim_of_256_costs_eight_hashes_and_a_whole_batch_none() -> None:
    tree = whole_tree(batch(256))
    assert [len(tree.prove([n]).hashes) for n in (0, 77, 255)] == [8, 8, 8]
    assert len(tree.prove([0]).encode()) <= 256 + 6
    assert len(tree.prove(range(256)).encode()) <= 34
