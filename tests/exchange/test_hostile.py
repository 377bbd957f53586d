"""What a peer gets that breaks the protocol: an error with a reason, and the end of its session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.exchange.session_harness import KEY, Side, held, mirroring, put, side, talk
from tests.store.factories import Origin, mail
from weft.core.claim import MAX_CLAIM, encode
from weft.core.feed import Feed
from weft.errors import RemoteProtocolError
from weft.exchange.configuration import Configuration
from weft.exchange.limits import Limits
from weft.exchange.session import SessionState
from weft.policy.feed_ranges import admitted, served
from weft.store.interface import VerifiedPart
from weft.testing import MemoryStore
from weft.v1 import claim_pb2 as claim_wire
from weft.v1 import exchange_pb2 as wire

A, B = Origin("a"), Origin("b")
CLAIMS = [mail(f"{n}@x") for n in range(40)]
NARROW = Limits(
    frame_octets=1 << 16, frame_ids=16, open_offers=2, open_claims=1, open_wants=16, offered_ids=40,
    session_octets=1 << 18,
)  # fmt: skip


def hello(**changes: object) -> wire.Frame:
    """The hello of B, which calls A."""
    policy = mirroring(B, A)
    frame = wire.Frame(
        hello=wire.Hello(
            version=1,
            limits=NARROW.to_message(),
            serves=served(policy, A.public).to_message(),
            admits=admitted(policy, A.public).to_message(),
            takes=wire.Mode.MODE_MIRROR,
            next=bytes(16),
        )
    )
    for name, value in changes.items():
        if isinstance(value, (wire.Limits, wire.Feeds)):
            getattr(frame.hello, name).CopyFrom(value)
        else:
            setattr(frame.hello, name, value)
    return frame


def victim(limits: Limits = NARROW) -> Side:
    """A, which is called, holds 40 claims, and has said hello."""
    store = MemoryStore()
    put(store, A, "git", *CLAIMS)
    one = side(store, Configuration(mirroring(A, B), B.public, False, KEY, limits=limits))
    one.take(one.session.start())
    return one


def syncing(listing: bool = False, limits: Limits = NARROW) -> Side:
    """The same, after hello and agreement."""
    one = victim(limits)
    give(one, hello())
    assert one.session.agreement is not None
    digest = one.session.agreement.digest[:16]
    give(one, wire.Frame(agreement=wire.Agreement(digest=digest, key=KEY, listing=listing)))
    assert one.ended is None
    return one


def give(one: Side, *frames: wire.Frame | bytes) -> None:
    for frame in frames:
        data = frame if isinstance(frame, bytes) else frame.SerializeToString()
        one.take(one.session.receive(data))


def assert_ended(one: Side, reason: str, limit: str = "") -> None:
    assert one.ended is not None
    error = one.ended.error
    assert isinstance(error, RemoteProtocolError)
    assert reason in str(error)
    assert error.limit == limit
    assert one.session.state is SessionState.ENDED
    assert one.kinds[-1] == "error"
    told = wire.Frame.FromString(one.frames[-1]).error
    assert told.limit.decode() == limit
    assert len(held(one.store)) == 40, "nothing was taken"


def ids(count: int, start: int = 0) -> bytes:
    return b"".join(n.to_bytes(16, "big") for n in range(start, start + count))


def offer(count: int, start: int = 0) -> wire.Frame:
    return wire.Frame(offer=wire.Offer(ids=ids(count, start)))


def want(count: int, start: int = 0) -> wire.Frame:
    return wire.Frame(want=wire.Want(ids=ids(count, start)))


def need(count: int) -> wire.Frame:
    return wire.Frame(need=wire.Need(count=count))


SETTLED = wire.Frame(settled=wire.Settled())
DONE = wire.Frame(done=wire.Done())


@pytest.mark.parametrize(
    ("changes", "reason", "limit"),
    [
        ({"version": 2}, "version 2", "version"),
        ({"takes": wire.Mode.MODE_UNSPECIFIED}, "mode 0 is not known here", "takes"),
        ({"next": b"short"}, "a cursor has not 16 bytes", ""),
        ({"cursor": b"short"}, "a cursor has not 16 bytes", ""),
        ({"kept": b"short"}, "kept has not 16", ""),
        ({"limits": wire.Limits()}, "frame_octets is 0", "frame_octets"),
        ({"limits": replace(NARROW, frame_ids=15).to_message()}, "frame_ids is 15", "frame_ids"),
        ({"limits": replace(NARROW, frame_ids=32).to_message()}, "open_wants is less", "open_wants"),
        ({"serves": wire.Feeds(origins=bytes(31))}, "not keys", ""),
        ({"serves": wire.Feeds(ranges=[wire.FeedRange(origin=bytes(31), all_but=True)])}, "not keys", ""),
        ({"serves": wire.Feeds(origins=A.public, ranges=[wire.FeedRange(origin=A.public)])}, "twice", ""),
        ({"serves": wire.Feeds(origins=A.public * 2)}, "ascending", ""),
        ({"serves": wire.Feeds(ranges=[wire.FeedRange(origin=A.public)] * 2)}, "ascending", ""),
        ({"admits": wire.Feeds(ranges=[wire.FeedRange(origin=A.public, lists=[b"b", b"a"])])}, "its lists are not", ""),
        ({"admits": wire.Feeds(ranges=[wire.FeedRange(origin=A.public, lists=[b"a/b"])])}, "name is refused", ""),
    ],
)
def test_a_hello_that_breaks_a_rule_is_refused(changes: dict[str, object], reason: str, limit: str) -> None:
    one = victim()
    give(one, hello(**changes))
    assert_ended(one, reason, limit)


@pytest.mark.parametrize(
    ("frames", "reason", "limit"),
    [
        ([b"\xff\xff"], "not a message", ""),
        ([b""], "kind that is not known", ""),
        ([b"\xba\x3e\x03abc"], "kind that is not known", ""),
        ([bytes((1 << 16) + 1)], "bytes are too many", "frame_octets"),
        ([offer(1)], "the first one must be a hello", ""),
        ([hello(), hello()], "there was one already", ""),
        ([hello(), offer(1)], "not the peer's turn", ""),
        ([hello(), DONE], "nothing to compare", ""),
        ([hello(), wire.Frame(agreement=wire.Agreement(digest=bytes(16), key=KEY))], "follows from the hellos", ""),
    ],
)
def test_before_the_agreement_only_that_is_taken(frames: list[wire.Frame | bytes], reason: str, limit: str) -> None:
    one = victim()
    give(one, *frames)
    assert_ended(one, reason, limit)


def test_a_peer_that_brought_too_many_new_keys_is_stopped_before_anything_is_read_for_it() -> None:
    one = victim()
    one = side(one.store, replace(one.setup, takes_new_key=False))
    one.take(one.session.start())
    give(one, hello())
    assert one.session.agreement is not None
    give(one, wire.Frame(agreement=wire.Agreement(digest=one.session.agreement.digest[:16], key=KEY, listing=True)))
    assert_ended(one, "too many new keys", "new_keys")


@pytest.mark.parametrize(("key", "reason"), [(b"", "no kept key"), (b"k", "its key has 1 bytes")])
def test_an_agreement_without_a_key_that_fits_is_refused(key: bytes, reason: str) -> None:
    one = victim()
    give(one, hello())
    assert one.session.agreement is not None
    give(one, wire.Frame(agreement=wire.Agreement(digest=one.session.agreement.digest[:16], key=key)))
    assert_ended(one, reason)


@pytest.mark.parametrize(
    ("frames", "reason", "limit"),
    [
        ([offer(17)], "more than 16", "frame_ids"),
        ([wire.Frame(offer=wire.Offer())], "0 bytes", ""),
        ([wire.Frame(offer=wire.Offer(ids=b"x" * 17))], "17 bytes", ""),
        ([want(16), want(16, 16), want(16, 32)], "more ids than the sets have", "wants"),
        ([want(1), wire.Frame(want=wire.Want(offer=1))], "offer 1 is not the oldest", ""),
        ([need(1), need(50)], "too many after 2", "symbols"),
        ([need(0), need(1)], "not the peer's turn", ""),
        ([wire.Frame(need=wire.Need(scope=wire.SCOPE_TO_CALLER, count=1))], "scope 1 is not one", ""),
        ([b"\x22\x02\x08\x4d"], "scope 77 is not one", ""),
        ([wire.Frame(symbols=wire.Symbols(size=3, symbols=bytes(25)))], "scope 0 is not one that we seek", ""),
        ([wire.Frame(listing=wire.Listing(last=True))], "scope 0 is not one that we seek", ""),
        ([SETTLED, SETTLED], "nothing is left but to be done", ""),
        ([wire.Frame(gone=wire.Gone(ids=bytes(16)))], "was not wanted", ""),
        ([wire.Frame(ack=wire.Ack(frames=1))], "1 frames, but 0 are open", ""),
        ([wire.Frame(ack=wire.Ack())], "0 frames", ""),
        ([wire.Frame(claims=wire.Claims())], "a frame without any", ""),
        ([wire.Frame(claims=wire.Claims(parts=[b"\xff"]))], "a part is not a message", ""),
        ([wire.Frame(claims=wire.Claims(parts=[b""]))], "a part has 0 claims", ""),
        ([offer(1), SETTLED, DONE], "the peer owes something", ""),
    ],
)  # fmt: skip
def test_frames_that_are_not_the_peers_turn_end_the_session(
    frames: list[wire.Frame | bytes], reason: str, limit: str
) -> None:
    one = syncing()
    give(one, *frames)
    assert_ended(one, reason, limit)


def test_endless_offers_come_to_an_end() -> None:
    one = syncing(limits=replace(NARROW, open_wants=64))
    gone = wire.Frame(gone=wire.Gone(ids=ids(16)))
    give(one, offer(16), gone, offer(16), gone, offer(16))
    assert_ended(one, "too many ids for one session", "offered_ids")


def test_a_peer_that_does_not_wait_for_answers_passes_a_limit() -> None:
    one = syncing()
    for _ in range(2):
        one.session.receive(offer(1).SerializeToString())
    one.take(one.session.receive(offer(1).SerializeToString()))
    assert_ended(one, "too many without an answer", "open_offers")


def test_claims_beyond_the_open_ones_are_not_looked_at() -> None:
    more = B.batch("git", mail("more@x"))
    one = syncing()
    give(one, offering(NEW), offering(more))
    one.session.receive(parts(NEW).SerializeToString())
    one.take(one.session.receive(parts(more).SerializeToString()))
    assert_ended(one, "too many frames without an acknowledgement", "open_claims")


def test_endless_bytes_come_to_an_end() -> None:
    one = syncing(limits=replace(NARROW, offered_ids=1 << 20))
    for _ in range(1 << 10):
        give(one, offer(16), wire.Frame(gone=wire.Gone(ids=ids(16))))
    assert_ended(one, "too many bytes for one session", "session_octets")


def parts(*made: VerifiedPart) -> wire.Frame:
    data = []
    for part in made:
        proof = part.tree.prove([claim.leaf for claim in part.claims])
        message = claim_wire.BatchPart(
            batch=part.signed.to_message(), proof=proof.to_message(), claims=[claim.data for claim in part.claims]
        )
        data.append(message.SerializeToString())
    return wire.Frame(claims=wire.Claims(parts=data))


def offering(part: VerifiedPart) -> wire.Frame:
    return wire.Frame(offer=wire.Offer(ids=b"".join(claim.identity[:16] for claim in part.claims)))


NEW = B.batch("git", mail("new@x"), mail("other@x"))


def refused_part(change: str) -> wire.Frame:
    frame = parts(NEW)
    part = claim_wire.BatchPart.FromString(frame.claims.parts[0])
    if change == "claim":
        part.claims[0] = encode(NEW.claims[0].parsed._replace(message_id=b"evil@x"))
    elif change == "large claim":
        part.claims[0] += bytes(MAX_CLAIM)
    elif change == "signature":
        part.batch.signature = bytes(64)
    elif change == "root":
        part.batch.root = bytes(32)
    elif change == "leaf count":
        part.batch.leaf_count = 3
    elif change == "proof":
        part.proof.hashes = bytes(32)
    elif change == "list":
        part.batch.list = b"dev"
    elif change == "origin":
        part.batch.origin = Origin("stranger").public
    elif change == "twice":
        return wire.Frame(claims=wire.Claims(parts=[*frame.claims.parts] * 2))
    return wire.Frame(claims=wire.Claims(parts=[part.SerializeToString()]))


@pytest.mark.parametrize(
    ("change", "reason", "limit"),
    [
        ("claim", "one was not wanted", ""),
        ("large claim", f"more than {MAX_CLAIM} bytes", "claim_octets"),
        ("signature", "did not sign it", ""),
        ("root", "did not sign it", ""),
        ("leaf count", "did not sign it", ""),
        ("proof", "it has not the 0 hashes", ""),
        ("list", "did not sign it", ""),
        ("origin", "not agreed on", ""),
        ("twice", "one was not wanted", ""),
    ],
)
def test_claims_that_are_not_proved_and_wanted_are_refused_with_their_frame(
    change: str, reason: str, limit: str
) -> None:
    one = syncing()
    give(one, offering(NEW), refused_part(change))
    assert_ended(one, reason, limit)


def test_that_a_root_was_signed_once_says_nothing_of_another_signature_over_it() -> None:
    frames = [parts(NEW._replace(claims=[claim])) for claim in NEW.claims]
    part = claim_wire.BatchPart.FromString(frames[1].claims.parts[0])
    part.batch.signature = bytes(64)
    frames[1].claims.parts[0] = part.SerializeToString()
    one = syncing()
    give(one, offering(NEW), frames[0])
    assert one.ended is None
    give(one, frames[1])
    assert one.ended is not None
    assert "did not sign it" in str(one.ended.error)


def test_the_same_claims_are_taken_when_nothing_is_wrong_with_them() -> None:
    one = syncing()
    give(one, offering(NEW), parts(NEW), SETTLED, DONE)
    assert one.ended is not None
    assert one.ended.error is None
    assert len(held(one.store)) == 42


def test_a_claim_that_no_claim_may_be_is_refused_alone_by_its_own_id() -> None:
    odd = B.batch("git", mail("odd@x", *["r@x"] * 2), mail("good@x"))
    one = syncing()
    give(one, offering(odd), parts(odd))
    assert one.ended is None
    assert [refusal.identity for refusal in one.refusals] == [odd.claims[0].identity]
    assert len(held(one.store)) == 41
    ack = wire.Frame.FromString(one.frames[-1]).ack
    assert (ack.frames, ack.refused) == (1, odd.claims[0].identity[:16])


def test_a_claim_that_was_refused_before_is_not_wanted_again() -> None:
    element = NEW.claims[0].identity[:16]
    one = victim()
    one = side(one.store, replace(one.setup, refused={element: Feed(B.public, b"git")}))
    store = MemoryStore()
    with store.transaction():
        store.put([NEW])
    other = side(store, Configuration(mirroring(B, A), A.public, True, KEY))
    talk(other, one)
    assert one.ended is not None
    assert one.ended.error is None
    assert held(store) - held(one.store) == {NEW.claims[0].identity}


def test_after_its_end_a_session_says_nothing_whatever_comes() -> None:
    one = syncing()
    give(one, b"")
    before = len(one.frames)
    give(one, offer(1), b"", hello())
    assert not one.session.grew()
    assert not one.session.tick(1e9)
    assert not one.session.cut()
    assert len(one.frames) == before


def test_the_reason_of_a_peer_is_cut_and_never_fails_to_be_text() -> None:
    one = syncing()
    give(one, wire.Frame(error=wire.Error(reason=b"\xff" * 1000, limit=b"x" * 1000)))
    assert one.ended is not None
    assert isinstance(one.ended.error, RemoteProtocolError)
    assert len(str(one.ended.error)) < 400
    assert one.kinds[-1] != "error", "an error is not answered"
