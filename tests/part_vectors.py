"""Claims of a batch as they stand in a frame, with their proof, as test vectors: good ones, and those to be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.store.factories import Origin, mail
from weft.core.claim import claim_id, encode
from weft.core.merkle import whole_tree
from weft.core.signing import sign_root
from weft.errors import RemoteProtocolError
from weft.exchange.claim_proofs import CheckedPart, PartVerifier
from weft.store.interface import VerifiedPart
from weft.v1 import claim_pb2 as wire

ORIGIN, OTHER = Origin("parts"), Origin("other parts")
BATCH = ORIGIN.batch("git", *(mail(f"{n}@parts.example", "root@parts.example") for n in range(6)))
ODD = ORIGIN.batch("git", mail("odd@parts.example", *["r@parts.example"] * 2), mail("good@parts.example"))


def part(batch: VerifiedPart, leaves: Sequence[int]) -> wire.BatchPart:
    """Some claims of a batch."""
    return wire.BatchPart(
        batch=batch.signed.to_message(),
        proof=batch.tree.prove(leaves).to_message(),
        claims=[batch.claims[leaf].data for leaf in leaves],
    )


def check(data: bytes) -> CheckedPart:
    """What a receiver that wants everything makes of a part."""
    return PartVerifier(lambda _: True).check(data, _Everything())


class _Everything:
    def __contains__(self, _: object) -> bool:
        return True


def _changed(change: Callable[[wire.BatchPart], object], leaves: Sequence[int] = (1, 4)) -> bytes:
    message = part(BATCH, leaves)
    change(message)
    return message.SerializeToString(deterministic=True)


def _of_another_list() -> bytes:
    """A batch of the list "git" whose claim is of the list "dev": all of it signed and proved."""
    data = encode(mail("dev@parts.example")._replace(origin=ORIGIN.public, list=b"dev"))
    tree = whole_tree([claim_id(data)])
    signed = sign_root(ORIGIN.key, b"git", 1, tree.root)
    message = wire.BatchPart(batch=signed.to_message(), proof=tree.prove([0]).to_message(), claims=[data])
    return message.SerializeToString(deterministic=True)


def refused() -> Iterator[tuple[str, bytes]]:
    """(rule, part): nothing of it may be kept."""
    flipped = bytes((BATCH.signed.signature[0] ^ 1,)) + BATCH.signed.signature[1:]
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = (int.from_bytes(BATCH.signed.signature[32:], "little") + order).to_bytes(32, "little")
    yield "message: not one of the schema", b"\xff"
    yield "claims: none", _changed(lambda one: one.ClearField("claims"))
    yield "claims: another one", _changed(lambda one: one.claims.__setitem__(0, BATCH.claims[0].data))
    yield "claims: in the other order", _changed(lambda one: one.claims.reverse())
    yield "claims: one twice", _changed(lambda one: one.claims.append(one.claims[0]))
    yield "claims: of another list than the batch", _of_another_list()
    yield "signature: a bit turned", _changed(lambda one: setattr(one.batch, "signature", flipped))
    yield "signature: 63 bytes", _changed(lambda one: setattr(one.batch, "signature", flipped[:63]))
    yield (
        "signature: S is not less than the order",
        _changed(lambda one: setattr(one.batch, "signature", BATCH.signed.signature[:32] + scalar)),
    )
    yield "signature: of another root", _changed(lambda one: setattr(one.batch, "root", bytes(32)))
    yield "signature: of another list", _changed(lambda one: setattr(one.batch, "list", b"dev"))
    yield "signature: of another leaf count", _changed(lambda one: setattr(one.batch, "leaf_count", 7))
    yield "signature: of another origin", _changed(lambda one: setattr(one.batch, "origin", OTHER.public))
    yield "leaf_count: 0", _changed(lambda one: one.batch.ClearField("leaf_count"))
    yield "leaf_count: 257", _changed(lambda one: setattr(one.batch, "leaf_count", 257))
    yield "proof: a hash is missing", _changed(lambda one: setattr(one.proof, "hashes", one.proof.hashes[:-32]))
    yield "proof: a hash is left over", _changed(lambda one: setattr(one.proof, "hashes", one.proof.hashes + bytes(32)))
    yield "proof: half a hash", _changed(lambda one: setattr(one.proof, "hashes", one.proof.hashes[:-16]))
    yield "proof: a bit turned", _changed(lambda one: setattr(one.proof, "hashes", bytes(32) + one.proof.hashes[32:]))
    yield "proof: two hashes in the other order", _changed(_exchange_hashes)
    yield "proof: other leaves", _changed(lambda one: setattr(one.proof, "held", b"\x24"))
    yield "proof: no leaves", _changed(lambda one: one.proof.ClearField("held"))
    yield "proof: a leaf that the batch does not have", _changed(lambda one: setattr(one.proof, "held", b"\x82"))
    yield "proof: the last byte of its bits is zero", _changed(lambda one: setattr(one.proof, "held", b"\x12\x00"))


def _exchange_hashes(one: wire.BatchPart) -> None:
    data = one.proof.hashes
    one.proof.hashes = data[32:64] + data[:32] + data[64:]


def _is_refused(data: bytes) -> bool:
    try:
        check(data)
    except RemoteProtocolError:
        return True
    return False


def content() -> object:
    """The contents of ``parts.json``."""
    assert all(_is_refused(data) for _, data in refused())
    good = [(BATCH, leaves) for leaves in ((0,), (1, 4), (5,), tuple(range(6)))]
    found = []
    for batch, leaves in [*good, (ODD, (0, 1))]:
        data = part(batch, leaves).SerializeToString(deterministic=True)
        checked = check(data)
        found.append(
            {
                "part": data.hex(),
                "leaves": list(leaves),
                "kept": [claim.identity.hex() for claim in checked.part.claims],
                "refused": [refusal.identity.hex() for refusal in checked.refused],
            }
        )
    return {"accepted": found, "refused": [{"rule": rule, "part": data.hex()} for rule, data in refused()]}
