"""Rules that the protocol states of a peer's lists, answers, news and frames of claims: who breaks one is stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.session_harness import ALL, KEY, Side, kept_section, mirroring, policy, put, side
from tests.store.factories import Origin, mail
from weft.core.claim import MAX_CLAIM, Claim, encode
from weft.errors import RemoteProtocolError
from weft.exchange.claim_proofs import pack
from weft.exchange.configuration import Configuration
from weft.exchange.events import StoredPart
from weft.exchange.limits import Limits
from weft.exchange.listed_ids import ListedIds
from weft.exchange.resumption import KeptSketches, RequesterCursor, StateSection
from weft.exchange.riblt.codec import encode_symbols
from weft.exchange.riblt.sketch import encode_range
from weft.policy.feed_ranges import admitted, served
from weft.policy.rows import Peer
from weft.policy.rules import Policy
from weft.testing import MemoryStore
from weft.v1 import claim_pb2 as claim_wire
from weft.v1 import exchange_pb2 as wire

A, B = Origin("a"), Origin("b")
OURS = [mail(f"{n}@x") for n in range(3)]
NEW = B.batch("git", *(mail(f"new{n}@x") for n in range(4)))


def elements(count: int, start: int = 0) -> list[bytes]:
    return [n.to_bytes(16, "big") for n in range(start + 1, start + count + 1)]


def asking(own: Origin, peer: Origin) -> Policy:
    return policy(own, {peer: Peer(mode="threads", may_feed=ALL, may_read=ALL)}, [peer])


def greeting(rules: Policy, mode: int, kept: bytes = b"") -> wire.Frame:
    return wire.Frame(
        hello=wire.Hello(
            version=1,
            limits=Limits().to_message(),
            serves=served(rules, A.public).to_message(),
            admits=admitted(rules, A.public).to_message(),
            takes=mode,  # type: ignore[arg-type]
            kept=kept,
            next=bytes(16),
        )
    )


def calling(rules: Policy, theirs: wire.Frame, kept: bytes = b"") -> Side:
    """A, which calls B, and has B's hello."""
    store = MemoryStore()
    put(store, A, "git", *OURS)
    one = side(store, Configuration(rules, B.public, True, KEY, kept=kept))
    one.take(one.session.start())
    give(one, theirs)
    assert one.ended is None
    return one


def give(one: Side, *frames: wire.Frame) -> None:
    for frame in frames:
        one.take(one.session.receive(frame.SerializeToString()))


def reason_of(one: Side) -> str:
    assert one.ended is not None
    assert isinstance(one.ended.error, RemoteProtocolError)
    return str(one.ended.error)


def listing(some: Iterable[bytes], *, last: bool = False) -> wire.Frame:
    return wire.Frame(listing=wire.Listing(ids=b"".join(some), last=last))


def listed() -> Side:
    """It has no key in common with its peer, and reads the peer's list."""
    return calling(mirroring(A, B), greeting(mirroring(B, A), wire.Mode.MODE_MIRROR))


@pytest.mark.parametrize(
    "pieces",
    [
        [[*elements(2), *elements(1)]],
        [elements(2), elements(2, start=1)],
        [elements(2), elements(2, start=2), elements(1)],
    ],
)
def test_an_id_stands_once_in_all_frames_of_a_list(pieces: list[list[bytes]]) -> None:
    one = listed()
    for number, piece in enumerate(pieces):
        give(one, listing(piece, last=number == len(pieces) - 1))
    assert reason_of(one) == "listing: an id stands in it twice"


def test_an_id_of_ours_stands_once_too() -> None:
    one = listed()
    ours = [A.batch("git", *OURS).claims[0].identity[:16]]
    give(one, listing(ours), listing(ours, last=True))
    assert reason_of(one) == "listing: an id stands in it twice"


ALIKE = st.binary(min_size=2, max_size=2).map(lambda end: bytes(14) + end)


@given(st.lists(st.binary(min_size=16, max_size=16) | ALIKE), st.integers(1, 5), st.integers(1, 5))
def test_listed_ids_are_what_a_set_says(some: list[bytes], step: int, small: int) -> None:
    seen = ListedIds(small)
    for start in range(0, len(some), step):
        seen.add(some[start : start + step])
    assert seen.has_repeated() == (len(set(some)) < len(some))


def kept_sketches() -> tuple[bytes, bytes]:
    """What A kept of a session with B, and how both name it."""
    first = listed()
    assert first.session.agreement is not None
    kept = KeptSketches(first.session.agreement.digest, KEY)
    return kept_section(StateSection.SKETCHES, kept.dump()), kept.mark


def compared(theirs: Sequence[bytes], size: int | None = None) -> Side:
    """It was given the first symbol of a set of B that differs so much that the list is asked for."""
    kept, mark = kept_sketches()
    one = calling(mirroring(A, B), greeting(mirroring(B, A), wire.Mode.MODE_MIRROR, mark), kept)
    size = len(theirs) if size is None else size
    data = encode_symbols(encode_range(KEY, theirs, 0, 1), 0, size)
    give(one, wire.Frame(symbols=wire.Symbols(size=size, symbols=data)))
    assert wire.Frame.FromString(one.frames[-1]).need.count == 0
    assert one.kinds[-1] == "need"
    return one


def test_a_list_explains_the_first_symbol_also_if_the_symbols_were_not_tried() -> None:
    theirs = elements(40)
    honest = compared(theirs)
    give(honest, listing(theirs, last=True))
    assert honest.ended is None
    for told in (theirs[1:], [*theirs[1:], *elements(1, start=40)]):
        lying = compared(theirs)
        give(lying, listing(told, last=True))
        assert reason_of(lying) == "listing: it is not of the set that the symbols were of"
        assert KEY not in lying.kept, "the key is given up"


def test_a_list_that_is_longer_than_its_set_is_not_read_to_its_end() -> None:
    one = compared(elements(40))
    give(one, listing(elements(41)))
    assert reason_of(one) == "listing: it has more ids than the set of which it is"


def requesting(*, with_cursor: bool = False) -> Side:
    """A asks B about its threads."""
    rules, theirs = asking(A, B), greeting(asking(B, A), wire.Mode.MODE_THREADS)
    kept = b""
    if with_cursor:
        kept = kept_section(
            StateSection.ASKED, RequesterCursor(bytes(16), bytes(32), 0, 0, bytes(32), frozenset()).dump()
        )
    return calling(rules, theirs, kept)


def test_an_id_stands_once_in_an_answer() -> None:
    one = requesting()
    asked = len(wire.Frame.FromString(one.frames[-1]).ask.ids) // 6
    give(one, wire.Frame(answer=wire.Answer(ids=b"".join(elements(1) * 2), done=asked)))
    assert reason_of(one) == "answer: an id stands in it twice"


@pytest.mark.parametrize("ids", [b"aaaaaa" * 2, b"bbbbbbaaaaaa"])
def test_news_are_in_ascending_order(ids: bytes) -> None:
    one = requesting(with_cursor=True)
    give(one, wire.Frame(news=wire.News(ids=ids, last=True)))
    assert reason_of(one) == "news: its ids are not in ascending order"


def test_that_all_is_to_be_asked_anew_is_said_first_or_not_at_all() -> None:
    one = requesting(with_cursor=True)
    give(one, wire.Frame(news=wire.News(ids=b"aaaaaa")), wire.Frame(news=wire.News(anew=True, last=True)))
    assert reason_of(one) == "news: a cursor is refused before anything else, and once"


@pytest.mark.parametrize("more", [{"key": KEY}, {"listing": True}])
def test_where_nothing_is_mirrored_an_agreement_has_neither_key_nor_lists(more: dict[str, bytes | bool]) -> None:
    one = side(MemoryStore(), Configuration(asking(A, B), B.public, False, KEY))
    one.take(one.session.start())
    give(one, greeting(asking(B, A), wire.Mode.MODE_THREADS))
    assert one.session.agreement is not None
    message = wire.Agreement(digest=one.session.agreement.digest[:16], **more)  # type: ignore[arg-type]
    give(one, wire.Frame(agreement=message))
    assert "nothing is mirrored" in reason_of(one)


def _part(leaves: Sequence[int]) -> bytes:
    proof = NEW.tree.prove(leaves)
    claims = [NEW.claims[leaf].data for leaf in leaves]
    message = claim_wire.BatchPart(batch=NEW.signed.to_message(), proof=proof.to_message(), claims=claims)
    return message.SerializeToString()


def test_a_batch_is_in_a_frame_once() -> None:
    one = listed()
    give(one, listing([claim.identity[:16] for claim in NEW.claims], last=True))
    before = one.store.position()
    give(one, wire.Frame(claims=wire.Claims(parts=[_part([0, 1]), _part([2, 3])])))
    assert reason_of(one) == "claims: a batch is in one frame twice"
    assert one.store.position() == before, "nothing of the frame is kept"


def test_no_batch_is_packed_into_a_frame_twice() -> None:
    made = B.batch("git", *(_long(n) for n in range(256)))
    piece = StoredPart(1, made.signed, made.tree, [(claim.leaf, claim.data) for claim in made.claims])
    assert sum(len(claim.data) for claim in made.claims) < 1 << 20
    for octets in range(1 << 16, 1 << 20, 1 << 14):
        for frame, _ in pack([piece], octets):
            batches = [claim_wire.BatchPart.FromString(part).batch.root for part in frame]
            assert len(set(batches)) == len(batches)


def _long(number: int) -> Claim:
    claim = mail(f"{number}@x", *(f"{number}-{'r' * 200}{n}@x" for n in range(10)))
    assert len(encode(claim)) < MAX_CLAIM
    return claim
