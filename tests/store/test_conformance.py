"""What every store does, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.store.factories import Origin, identities, mail, some
from weft.core.claim import Claim, Withdrawal, claim_id
from weft.core.feed import Feed
from weft.core.merkle import whole_tree
from weft.errors import StoreError
from weft.store.interface import IngestedFile, MailLocation, Store, StoredClaim, VerifiedPart
from weft.store.sqlite import SqliteStore
from weft.testing import MemoryStore

A, B = Origin("a"), Origin("b")


@pytest.fixture(params=["memory", "sqlite", "sqlite, where all keys meet"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "sqlite, where all keys meet":
        for name in ("key_function", "id_key_function"):
            monkeypatch.setattr(f"weft.store.sqlite.{name}", lambda _: lambda data: data[0] % 2)
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "index.db")
    yield made
    made.close()


def put(store: Store, *parts: VerifiedPart) -> list[int]:
    with store.transaction():
        return [stored.position for stored in store.put(parts)]


def about(held: list[StoredClaim], parts: list[VerifiedPart]) -> list[str]:
    """The message ids of held claims, from the parts that they came in."""
    names = {claim.identity: claim.parsed.message_id.decode() for part in parts for claim in part.claims}
    return [names[one.identity] for one in held]


def thread(*names: str) -> VerifiedPart:
    """A chain of replies, as one batch of origin a on list l."""
    return A.batch(
        "l", *[mail(name, *names[:n], reply_to=names[n - 1 : n] if n else ()) for n, name in enumerate(names)]
    )


def test_what_was_put_is_held_as_it_came(store: Store) -> None:
    part = thread("m1", "m2")
    assert put(store, part) == [1, 2]
    held = store.get(identities([part]))
    assert [(one.position, one.identity, one.data, one.leaf, one.place) for one in held] == [
        (n + 1, claim.identity, claim.data, n, None) for n, claim in enumerate(part.claims)
    ]
    assert all(claim_id(one.data) == one.identity for one in held)
    assert store.log() == held
    assert store.position() == 2


def test_an_empty_store_answers_everything_with_nothing(store: Store) -> None:
    assert store.position() == 0
    assert (store.log(), store.get([b"x" * 32]), store.claims_about([b"m"]), store.claims_referring_to([b"m"])) == (
        [], [], [], [],
    )  # fmt: skip
    assert (store.holds([b"x" * 32]), store.feeds(), store.files()) == (set(), {}, {})
    with store.transaction():
        assert store.put([]) == []
        assert store.expunge([b"x" * 32]) == 0


def test_putting_again_changes_nothing(store: Store) -> None:
    part = thread("m1", "m2", "m3")
    put(store, part)
    before = (store.log(), store.feeds(), store.signed(1))
    assert put(store, part, part) == []
    assert put(store, some(part, [1])) == []
    assert (store.log(), store.feeds(), store.signed(1)) == before


def test_a_claim_that_comes_twice_at_once_is_kept_once(store: Store) -> None:
    part = thread("m1", "m2")
    assert put(store, some(part, [1]), part, part) == [1, 2]
    assert about(store.log(), [part]) == ["m2", "m1"]


def test_what_is_stored_says_which_nodes_its_ids_have(store: Store) -> None:
    part = A.batch("l", mail("m1"), mail("m2", "ghost", "m1", reply_to=["m1"]), mail("m3", "m2"))
    with store.transaction():
        first, second, third = store.put([part])
    ghost, one = second.reference_nodes
    assert (first.node, first.reply_nodes, first.reference_nodes) == (one, (), ())
    assert (second.reply_nodes, third.reference_nodes) == ((one,), (second.node,))
    assert len({first.node, second.node, third.node, ghost}) == 4
    assert [stored.claim for stored in (first, second, third)] == list(part.claims)
    with store.transaction():
        [again] = store.put([B.batch("l", mail("m9", "ghost", "m3"))])
    assert again.reference_nodes == (ghost, third.node)


def test_holds_tells_held_ids_from_others_by_the_whole_id(store: Store) -> None:
    part = thread("m1", "m2")
    put(store, part)
    first, second = identities([part])
    near = first[:16] + bytes(16)
    assert store.holds([first, near, second, bytes(32)]) == {first, second}


def test_what_was_asked_for_and_then_put_in_one_transaction_is_held_once(store: Store) -> None:
    whole = A.batch("l", mail("a"), mail("b"), mail("c"))
    asked = identities([whole])
    with store.transaction():
        assert store.holds(asked) == set()
        assert [one.position for one in store.put([some(whole, [0]), some(whole, [0, 1])])] == [1, 2]
        assert [one.position for one in store.put([whole])] == [3]
        assert store.put([whole]) == []
        assert store.holds(asked) == set(asked)
    assert [held.identity for held in store.log()] == asked


def test_claims_are_found_by_prefixes_of_16_bytes(store: Store) -> None:
    part = thread("m1", "m2", "m3")
    put(store, part)
    ids = identities([part])
    assert about(store.get([ids[2][:16], ids[0], ids[0][:16], bytes(16)]), [part]) == ["m1", "m3"]
    assert store.get([ids[0][:16] + bytes(16)]) == []


def test_claims_about_ids_are_those_of_all_origins_and_lists(store: Store) -> None:
    parts = [thread("m1", "m2"), B.batch("l", mail("m1")), A.batch("other", mail("m1"))]
    put(store, *parts)
    assert [one.position for one in store.claims_about([b"m1"])] == [1, 3, 4]
    assert [one.position for one in store.claims_about([b"m2", b"m1", b"m1", b"unknown"])] == [1, 2, 3, 4]


def test_a_withdrawal_is_about_the_message_of_its_target(store: Store) -> None:
    original = mail("m1", "m0")
    part, withdrawn = A.batch("l", original), A.batch("l", A.withdrawal("l", original))
    assert put(store, withdrawn) == [1]
    put(store, part)
    assert [one.position for one in store.claims_about([b"m1"])] == [1, 2]
    assert [one.position for one in store.claims_referring_to([b"m0"])] == [2]
    claim, withdrawal = part.claims[0].parsed, withdrawn.claims[0].parsed
    assert isinstance(claim, Claim)
    assert isinstance(withdrawal, Withdrawal)
    assert withdrawal.withdraws(part.claims[0].identity, claim)


def test_claims_that_refer_to_an_id_name_it_in_references_or_in_reply_to(store: Store) -> None:
    parts = [A.batch("l", mail("m1", "x"), mail("m2", reply_to=["x"]), mail("m3", "x", reply_to=["x"]), mail("x", "y"))]
    put(store, *parts)
    assert about(store.claims_referring_to([b"x"]), parts) == ["m1", "m2", "m3"]
    assert about(store.claims_referring_to([b"x", b"y"]), parts) == ["m1", "m2", "m3", "x"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_follow_one_another_without_gap_or_overlap(store: Store, size: int) -> None:
    names = ["a", "b", "c"] * 5
    part = A.batch("l", *[mail(name, "root", f"r{n % 4}", subject=str(n)) for n, name in enumerate(names)])
    put(store, part)

    def pages(ask: Callable[[int, int], list[StoredClaim]]) -> list[int]:
        positions: list[int] = []
        while page := ask(positions[-1] if positions else 0, size):
            assert len(page) <= size
            positions += [one.position for one in page]
        return positions

    assert pages(partial(store.claims_about, [b"a", b"b"])) == [n + 1 for n, name in enumerate(names) if name != "c"]
    assert pages(partial(store.claims_referring_to, [b"r1", b"r2", b"root"])) == list(range(1, 16))
    assert pages(store.log) == list(range(1, 16))


def test_more_ids_than_one_statement_takes_are_asked_at_once(store: Store) -> None:
    starts = range(0, 1500, 250)
    parts = [A.batch("l", *[mail(f"m{n}", f"r{n}") for n in range(start, start + 250)]) for start in starts]
    put(store, *parts)
    names = [b"m%d" % n for n in range(1500)]
    assert [one.position for one in store.claims_about(names[::-1], 10, 1200)] == list(range(11, 1211))
    assert len(store.claims_referring_to([b"r%d" % n for n in range(1500)], 0, 2000)) == 1500
    assert store.holds(identities(parts)) == set(identities(parts))
    assert len(store.get([identity[:16] for identity in identities(parts)])) == 1500


def test_feeds_are_counted_by_origin_and_list(store: Store) -> None:
    put(store, thread("m1", "m2"), A.batch("other", mail("m1")), B.batch("l", mail("m1"), mail("m2"), mail("m3")))
    put(store, thread("m1", "m2"), A.batch("l", mail("m3")))
    assert store.feeds() == {
        Feed(A.public, b"l"): 3,
        Feed(A.public, b"other"): 1,
        Feed(B.public, b"l"): 3,
    }


def test_a_whole_batch_proves_any_of_its_leaves(store: Store) -> None:
    part = thread(*[f"m{n}" for n in range(11)])
    put(store, part)
    [batch] = {one.batch for one in store.log()}
    signed, tree = store.signed(batch)
    assert (signed, tree) == (part.signed, part.tree)
    ids = identities([part])
    store.prove(batch, [2, 7]).verify(11, [ids[2], ids[7]], part.signed.root)


def test_parts_of_a_batch_join_and_prove_all_that_is_held(store: Store) -> None:
    part = thread(*[f"m{n}" for n in range(23)])
    ids = identities([part])
    put(store, some(part, [3]), some(part, [4, 20]))
    put(store, some(part, [0]))
    [batch] = {one.batch for one in store.log()}
    _, tree = store.signed(batch)
    assert dict(tree.leaves) == {leaf: ids[leaf] for leaf in (0, 3, 4, 20)}
    store.prove(batch, [0, 4, 20]).verify(23, [ids[0], ids[4], ids[20]], part.signed.root)
    with pytest.raises(StoreError, match="leaf 5"):
        store.prove(batch, [4, 5])
    put(store, part)
    assert store.signed(batch) == (part.signed, part.tree)
    assert store.feeds() == {Feed(A.public, b"l"): 23}


def test_only_held_leaves_are_leaves_though_the_proof_was_about_more(store: Store) -> None:
    part = thread("m1", "m2", "m3", "m4")
    put(store, VerifiedPart(part.signed, part.tree, [part.claims[1], part.claims[3]]))
    _, tree = store.signed(1)
    assert sorted(tree.leaves) == [1, 3]
    assert store.holds(identities([part])) == {part.claims[1].identity, part.claims[3].identity}


def test_a_claim_in_two_batches_stays_in_the_first_and_the_second_proves_the_rest(store: Store) -> None:
    first, second = thread("m1", "m2"), A.batch("l", mail("m1"), mail("m9"))
    assert first.claims[0].identity == second.claims[0].identity
    put(store, first, second)
    assert [(one.batch, one.leaf) for one in store.log()] == [(1, 0), (1, 1), (2, 1)]
    assert sorted(store.signed(2)[1].leaves) == [1]
    store.prove(2, [1]).verify(2, [second.claims[1].identity], second.signed.root)


def test_a_part_that_is_not_of_one_piece_is_refused(store: Store) -> None:
    part, other, foreign = thread("m1", "m2"), thread("m3", "m4"), B.batch("l", mail("m1"), mail("m2"))
    wrong_leaf = part.claims[0]._replace(leaf=1)
    mixed = whole_tree([part.claims[0].identity, foreign.claims[1].identity])
    signed = A.batch("l", mail("m1"), mail("m2")).signed
    broken = [
        VerifiedPart(part.signed, other.tree, []),
        VerifiedPart(part.signed, part.tree, [wrong_leaf]),
        VerifiedPart(part.signed, part.tree, [other.claims[0]]),
        VerifiedPart(type(signed)(A.public, b"l", 2, mixed.root, b""), mixed, [foreign.claims[1]]),
    ]
    for one in broken:
        with pytest.raises(ValueError, match=r"part|batch"), store.transaction():
            store.put([part, one])
        assert store.position() == 0


def test_a_batch_that_is_not_there_is_an_error(store: Store) -> None:
    for ask in (store.signed, store.signed_root, store.feed):
        with pytest.raises(StoreError, match="no batch 7"):
            ask(7)


def test_the_signed_root_of_a_batch_is_known_without_its_claims(store: Store) -> None:
    whole, part = thread("m1", "m2", "m3"), some(B.batch("l", mail("n1"), mail("n2")), [1])
    put(store, whole, part)
    assert [store.signed_root(batch) for batch in (1, 2)] == [whole.signed, part.signed]


def test_an_own_place_is_kept_and_one_that_was_not_known_is_taken_over(store: Store) -> None:
    with store.transaction():
        number = store.file(IngestedFile("/mail/l.mbox", "l", 10, 20, 30))
    placed = A.batch("l", mail("m1"), mail("m2"), places=[MailLocation(number, 0, 5), MailLocation(number, 5, 9)])
    put(store, some(thread("m1", "m2"), [0]))
    bare = A.batch("l", mail("m1"), mail("m2"))
    put(store, bare)
    assert [one.place for one in store.log()] == [None, None]
    assert put(store, placed) == []
    assert [one.place for one in store.log()] == [MailLocation(1, 0, 5), MailLocation(1, 5, 9)]
    put(store, A.batch("l", mail("m1"), mail("m2"), places=[MailLocation(7, 7, 7), MailLocation(8, 8, 8)]), bare)
    assert [one.place for one in store.log()] == [MailLocation(1, 0, 5), MailLocation(1, 5, 9)]


def test_an_expunged_claim_keeps_its_id_and_its_leaf_and_nothing_else(store: Store) -> None:
    part = A.batch(
        "l", mail("m1"), mail("m2", "m1", "x"), mail("m3", "m1"), places=[MailLocation(1, n, 1) for n in range(3)]
    )
    put(store, part)
    gone = part.claims[1].identity
    with store.transaction():
        assert store.expunge([gone, bytes(32)]) == 1
        assert store.expunge([gone[:16]]) == 0
    [held] = store.get([gone])
    assert held == StoredClaim(2, gone, b"", held.batch, 1, None)
    assert store.holds([gone]) == {gone}
    assert [one.position for one in store.claims_referring_to([b"m1"])] == [3]
    assert store.claims_referring_to([b"x"]) == []
    assert store.claims_about([b"m2"]) == [held]
    assert put(store, part) == []
    assert store.get([gone]) == [held]
    assert store.feeds() == {Feed(A.public, b"l"): 3}
    ids = identities([part])
    store.prove(held.batch, [0, 1, 2]).verify(3, ids, part.signed.root)


def test_a_transaction_that_fails_leaves_nothing_behind(store: Store) -> None:
    part, more = thread("m1", "m2", "m3", "m4"), B.batch("l", mail("m5", "m1", "new"))
    with store.transaction():
        number = store.file(IngestedFile("/mail/l.mbox", "l", 10, 20, 30))
        kept = store.put([some(part, [0])])
    before = (store.log(), store.feeds(), store.files(), store.signed(1), store.claims_referring_to([b"m1"]))
    with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012
        store.file(IngestedFile("/mail/l.mbox", "l", 11, 21, 31))
        store.file(IngestedFile("/mail/other.mbox", "l", 1, 2, 3))
        store.put([part, more])
        store.expunge([kept[0].claim.identity])
        store.rename_files("l", "x")
        assert store.position() == 5
        1 / 0  # noqa: B018
    assert before == (store.log(), store.feeds(), store.files(), store.signed(1), store.claims_referring_to([b"m1"]))
    with store.transaction():
        [again] = store.put([more])
        assert store.file(IngestedFile("/mail/third.mbox", "l", 1, 2, 3)) == number + 1
    assert (again.position, again.reference_nodes[0]) == (2, kept[0].node)
    assert len({again.node, *again.reference_nodes}) == 3


def test_nothing_is_written_outside_of_a_transaction(store: Store) -> None:
    part = thread("m1")
    with pytest.raises(RuntimeError, match="outside"):
        store.put([part])
    put(store, part)
    with pytest.raises(RuntimeError, match="outside"):
        store.expunge(identities([part]))
    with pytest.raises(RuntimeError, match="outside"):
        store.file(IngestedFile("/f", "l", 0, 0, 0))
    with pytest.raises(RuntimeError, match="within"), store.transaction(), store.transaction():
        pass
    assert [one.data for one in store.log()] == [part.claims[0].data]
    assert store.files() == {}


def test_files_are_remembered_by_path_and_list(store: Store) -> None:
    plain = IngestedFile("/mail/a.mbox", "l", 1, 2, 3, 4, b"head", b"tail")
    odd = IngestedFile("/mail/\udcff.mbox", "l", 2**40, 2**62, 2**63 - 1)
    with store.transaction():
        assert [store.file(plain), store.file(odd), store.file(IngestedFile("/mail/a.mbox", "m", 0, 0, 0))] == [1, 2, 3]
        grown = IngestedFile("/mail/a.mbox", "l", 9, 9, 9, 9, b"h", b"t")
        assert store.file(grown) == 1
    assert store.files() == {1: grown, 2: odd, 3: IngestedFile("/mail/a.mbox", "m", 0, 0, 0)}
    assert [store.known_file(number) for number in (1, 2, 4)] == [grown, odd, None]


def test_files_follow_a_list_to_its_new_name_and_can_be_forgotten(store: Store) -> None:
    with store.transaction():
        for path, name in [("/a", "old"), ("/b", "old"), ("/a", "new"), ("/c", "other")]:
            store.file(IngestedFile(path, name, 1, 1, 1))
        store.rename_files("old", "new")
    assert {number: (file.path, file.list) for number, file in store.files().items()} == {
        1: ("/a", "new"), 2: ("/b", "new"), 4: ("/c", "other"),
    }  # fmt: skip
    with store.transaction():
        store.forget_files("other")
        store.forget_files("nothing")
        assert store.file(IngestedFile("/d", "new", 1, 1, 1)) == 5, "a number that claims may name is never given again"
    assert sorted(store.files()) == [1, 2, 5]
