"""What a lie of another origin can do to an index: nothing that the policy does not let it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.index.factories import expected, mail, open_index, parents, placed, write
from tests.store.factories import Origin, some
from tests.store.factories import mail as claim
from weft import Index
from weft.core.claim import Withdrawal, claim_id, parse
from weft.core.feed import Feed, FeedSet
from weft.core.merkle import Multiproof
from weft.core.signing import SignedRoot
from weft.errors import ClaimError, RemoteProtocolError
from weft.exchange.claim_proofs import PartVerifier
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.policy.rules import Mute, Policy
from weft.policy.rules import Origin as Row
from weft.store.interface import MailLocation, VerifiedClaim, VerifiedPart
from weft.v1 import claim_pb2 as wire

TRUSTED, KNOWN, STRANGER = Origin("trusted"), Origin("known"), Origin("stranger")
OURS = (mail("root@x"), mail("middle@x", ["root@x"]), mail("leaf@x", ["root@x", "middle@x"]), mail("other@x"))


def policy_of(index: Index, **changes: object) -> Policy:
    rows = {TRUSTED.public: Row(1, None), KNOWN.public: Row(2, frozenset([b"list"]))}
    return replace(Policy(index.origin, rows), **changes)  # type: ignore[arg-type]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """A server that saw four messages itself, trusts one origin and knows another, of one list."""
    made = open_index(tmp_path)
    made.ingest("ours", write(tmp_path / "ours.mbox", *OURS))
    made.set_policy(policy_of(made))
    return made


def force(index: Index, *parts: VerifiedPart) -> None:
    """Put claims there that `Index.admit` would refuse, as if the policy had admitted them once."""
    with index._view.transaction():
        index._view.add(index.store.put(parts))


def shown(index: Index) -> list[tuple[object, ...]]:
    """All that the default view shows, and that it is right."""
    assert list(index.check()) == []
    assert placed(index.all_threads()) == expected(index)
    return [(thread.messages, thread.digest) for thread in index.all_threads()]


@pytest.mark.parametrize("liar", [TRUSTED, KNOWN])
def test_a_forged_claim_about_a_message_that_was_seen_here_changes_no_edge(index: Index, liar: Origin) -> None:
    before = parents(index)
    forged = [claim("leaf@x", "other@x"), claim("middle@x"), claim("root@x", "leaf@x", reply_to=["leaf@x"])]
    assert len(index.admit([liar.batch("list", *forged)])) == 3
    assert parents(index) == before
    assert not any(message.contested for thread in index.all_threads() for message in thread.messages)
    assert {one.parent for one in index.explain("leaf@x").statements} == {"middle@x", "other@x"}
    shown(index)


def test_a_claim_of_a_better_tier_silences_worse_ones_whichever_comes_first(index: Index, tmp_path: Path) -> None:
    good, bad = TRUSTED.batch("list", claim("new@y", "root@x")), KNOWN.batch("list", claim("new@y", "other@x"))
    other = open_index(tmp_path, index.policy, "other.db")
    other.set_policy(replace(index.policy, own=other.origin))
    for one, order in ((index, [good, bad]), (other, [bad, good])):
        for part in order:
            one.admit([part])
        assert parents(one)["new@y"] == "root@x"
        shown(one)


def test_two_own_lists_that_disagree_contest_one_edge_and_muting_it_ends_that(index: Index, tmp_path: Path) -> None:
    index.ingest("second", write(tmp_path / "second.mbox", mail("leaf@x", ["other@x"])))
    [leaf] = [message for message in index.thread("leaf@x").messages if message.id == "leaf@x"]
    assert (leaf.parent, leaf.contested, leaf.rivals) == (None, True, ("middle@x", "other@x"))
    assert index.explain("leaf@x").rule == "contested"
    index.set_policy(policy_of(index, mute=Mute(edges=frozenset([(b"leaf@x", b"other@x")]))))
    assert parents(index)["leaf@x"] == "middle@x"
    assert list(index.check()) == []


def test_an_origin_that_the_policy_does_not_know_is_refused_and_nothing_of_it_is_kept(index: Index) -> None:
    position, before, name = index.store.position(), shown(index), index.view_id()
    for part in (STRANGER.batch("list", claim("new@y", "root@x")), KNOWN.batch("another list", claim("new@y"))):
        with pytest.raises(ClaimError, match="does not admit the feed"):
            index.admit([TRUSTED.batch("list", claim("good@y")), part])
    assert (index.store.position(), shown(index), index.view_id()) == (position, before, name)


def test_a_thousand_origins_that_are_held_but_not_admitted_change_nothing_at_all(index: Index) -> None:
    before, name, common = shown(index), index.view_id(), index.view_id(common=True)
    lies = [claim("leaf@x", "other@x"), claim("fresh@z", "root@x", "ghost@z", reply_to=["elsewhere@z"])]
    force(index, *(Origin(f"stranger {number}").batch("list", *lies) for number in range(1000)))
    assert shown(index) == before
    assert (index.view_id(), index.view_id(common=True)) == (name, common)
    index._view.remake()
    assert shown(index) == before
    index.set_policy(policy_of(index, origins={Origin("stranger 7").public: Row(2, None)}))
    assert parents(index)["fresh@z"] is not None
    assert index.view_id() != name


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_admitted_must_be_signed_and_proved(index: Index, count: int) -> None:
    good = TRUSTED.batch("list", *[claim(f"{number}@y") for number in range(4)])
    part = some(good, [1, 2]) if count == 1 else good
    signature = bytes([part.signed.signature[0] ^ 1]) + part.signed.signature[1:]
    other = STRANGER.batch("list", claim("root@x", "other@x"))
    proof, data = part.tree.prove([one.leaf for one in part.claims]), [one.data for one in part.claims]
    forged = {
        "signature": (replace(part.signed, signature=signature), proof, data),
        "origin": (replace(part.signed, origin=KNOWN.public), proof, data),
        "list": (replace(part.signed, list=b"another"), proof, data),
        "claims of another": (part.signed, proof, [one.data for one in other.claims]),
        "a proof of another": (part.signed, other.tree.prove([0]), data[:1]),
        "a leaf": (part.signed, proof, data[::-1]),
        "no claims": (part.signed, proof, []),
        "stated hashes": (part.signed, replace(proof, hashes=(bytes(32), *proof.hashes[1:])), data),
    }
    for lie in forged.values():
        with pytest.raises(RemoteProtocolError):
            _verified(index, *lie)
    verified = _verified(index, part.signed, proof, data)
    assert verified == part
    assert index.admit([verified]) == range(5, 5 + len(part.claims))
    assert index.admit([verified]) == range(0)
    shown(index)


def test_what_the_policy_does_not_admit_is_not_kept_nor_what_says_where_our_mail_lies(index: Index) -> None:
    part = TRUSTED.batch("list", claim("new@y"))
    lies = (
        STRANGER.batch("list", claim("new@y")),
        part._replace(claims=[part.claims[0]._replace(place=MailLocation(1, 0, 9))]),
        part._replace(claims=[]),
    )
    for lie in lies:
        with pytest.raises(ClaimError):
            index.admit([part, lie])
        assert index.store.feeds().keys() == {(index.origin, b"ours")}


def _verified(index: Index, signed: SignedRoot, proof: Multiproof, claims: Sequence[bytes]) -> VerifiedPart:
    """What a session makes of the bytes of a part, if it wants all that is in it."""
    message = wire.BatchPart(batch=signed.to_message(), proof=proof.to_message(), claims=claims)
    wanted = {claim_id(data)[:ELEMENT_BYTES] for data in claims}
    return PartVerifier(index.policy.admits).check(message.SerializeToString(), wanted).part


def test_only_the_origin_itself_withdraws_a_claim_and_only_with_its_true_message_id(index: Index) -> None:
    said = claim("new@y", "root@x")
    index.admit([TRUSTED.batch("list", said)])
    before = shown(index)
    true = TRUSTED.withdrawal("list", said)
    for liar, lists, lie in (
        (KNOWN, "list", true._replace(origin=KNOWN.public)),
        (TRUSTED, "elsewhere", true._replace(list=b"elsewhere")),
        (TRUSTED, "list", true._replace(message_id=b"root@x")),
        (TRUSTED, "list", Withdrawal(TRUSTED.public, b"list", bytes(32), b"new@y")),
    ):
        index.admit([liar.batch(lists, lie)])
        assert shown(index) == before
    index.admit([TRUSTED.batch("list", true)])
    assert "new@y" not in parents(index)
    shown(index)


def test_a_withdrawal_that_comes_before_its_claim_takes_it_back_when_it_comes(index: Index, tmp_path: Path) -> None:
    said = claim("new@y", "root@x", "named@y")
    before = shown(index)
    index.admit([TRUSTED.batch("list", TRUSTED.withdrawal("list", said))])
    index.admit([TRUSTED.batch("list", TRUSTED.withdrawal("list", said)._replace(message_id=b"root@x"))])
    assert shown(index) == before
    index.close()
    with open_index(tmp_path, index.policy) as again:
        again.admit([TRUSTED.batch("list", said)])
        assert shown(again) == before
        assert again.explain("root@x").children == ("middle@x",)


def test_a_withdrawal_that_is_muted_withdraws_nothing_until_it_is_heard_again(index: Index) -> None:
    said = claim("new@y", "root@x")
    part = TRUSTED.batch("list", TRUSTED.withdrawal("list", said))
    index.admit([TRUSTED.batch("list", said), part])
    [withdrawal] = part.claims
    common = index.view_id(common=True)
    index.set_policy(policy_of(index, mute=Mute(claims=frozenset([withdrawal.identity]))))
    assert parents(index)["new@y"] == "root@x"
    assert index.view_id(common=True) == common
    assert index.differs_from_common(index.thread("root@x")) == 1
    shown(index)
    index.set_policy(policy_of(index))
    assert "new@y" not in parents(index)
    shown(index)


def test_an_origin_that_leaves_the_policy_leaves_the_view_with_all_that_only_it_named(index: Index) -> None:
    before, name = shown(index), index.view_id()
    index.admit([TRUSTED.batch("list", claim("new@y", "ghost@y", "root@x", reply_to=["reply@y"]))])
    assert index.view_id() != name
    index.set_policy(policy_of(index, origins={}))
    assert shown(index) == before


def test_views_have_one_name_if_they_count_the_same_in_the_same_tiers(index: Index, tmp_path: Path) -> None:
    mails = [TRUSTED.batch("list", claim(f"{number}@y")) for number in range(5)]
    first, second = index.view_id(), index.view_id(common=True)
    index.admit(mails)
    other = open_index(tmp_path, Policy(), "other.db")
    other.set_policy(replace(index.policy, own=other.origin))
    for part in reversed(mails):
        other.admit([part])
    assert index.view_id() != other.view_id() != first
    trusting = replace(other.policy, origins={**other.policy.origins, index.origin: Row(1, None)})
    other.set_policy(trusting)
    assert index.view_id(common=True) not in (other.view_id(common=True), second)
    other.admit([_part(index, 1)])
    assert index.view_id(common=True) == other.view_id(common=True)
    assert index.view_id() != other.view_id()
    index.set_policy(policy_of(index, mute=Mute(ids=frozenset([b"root@x"]))))
    assert index.view_id(common=True) == other.view_id(common=True)
    assert index.differs_from_common(index.thread("middle@x")) == 0
    other.close()


def _part(index: Index, batch: int) -> VerifiedPart:
    """A batch as its server hands it on."""
    signed, tree = index.store.signed(batch)
    held = [one for one in index.store.log() if one.batch == batch]
    return VerifiedPart(
        signed, tree, [VerifiedClaim(one.leaf, one.identity, one.data, parse(one.data)) for one in held]
    )


def test_a_mute_that_names_little_does_not_make_the_view_again(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    index.set_policy(policy_of(index))
    before = parents(index)

    def no_log(*_: object) -> list[object]:
        return []

    with monkeypatch.context() as patch:
        patch.setattr(type(index.store), "log", no_log)
        for mute in (
            Mute(ids=frozenset([b"leaf@x"])),
            Mute(edges=frozenset([(b"leaf@x", b"middle@x")])),
            Mute(claims=frozenset([bytes.fromhex(index.explain("other@x").statements[0].claim)])),
            Mute(feeds=FeedSet(feeds=frozenset([Feed(index.origin, b"ours")]))),
        ):
            index.set_policy(policy_of(index, mute=mute))
            assert parents(index) != before, "it hides something"
            index.set_policy(policy_of(index))
            assert parents(index) == before
    shown(index)
