"""Test vectors that any language can read: ``python -m tests.vectors`` writes ``fixtures/vectors/*.json``.

``fixtures/vectors/README.md`` says of each file what must hold.  All bytes are in hexadecimal.
"""

from __future__ import annotations

import json
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256, sha512
from itertools import islice
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests import (
    agreement_vectors,
    binding_vectors,
    forest_vectors,
    frame_vectors,
    merkle_vectors,
    part_vectors,
    session_vectors,
)
from weft.core.claim import Claim, Withdrawal, claim_id, encode
from weft.core.id_digest import id_digest
from weft.core.list_name import FORBIDDEN
from weft.core.message_id import key
from weft.core.signing import fingerprint, parse_fingerprint, public_key, root_bytes, sign_root
from weft.exchange.riblt import mapping
from weft.exchange.riblt.codec import encode_symbols
from weft.exchange.riblt.decoder import Decoder
from weft.exchange.riblt.sketch import encode_range
from weft.policy.rows import DEFAULT_VIEW, NO_MUTES
from weft.policy.rules import thread_digest, view_id

VECTORS = Path(__file__).resolve().parent.parent / "fixtures" / "vectors"

ORIGIN = public_key(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
PLAIN = Claim(
    ORIGIN,
    b"git",
    b"b@example.org",
    (b"a@example.org",),
    True,
    (b"root@example.org", b"a@example.org"),
    b"Sun, 9 Feb 2003 22:52:25 -0500",
    b"Re: [PATCH] weave",
    b"A. Weaver <weaver@example.org>",
    b"https://lists.example.org/git/b@example.org",
    sha256(b"Hello.").digest(),
)
BARE = Claim(ORIGIN, b"git", b"x", (), False, (), b"", b"", b"", b"", b"")
MANY = PLAIN._replace(
    sane=False,
    in_reply_to=tuple(b"%d@x" % n for n in range(16)),
    references=tuple(b"%d@y" % n for n in range(100)),
)
LATIN = PLAIN._replace(list="größe".encode(), message_id=b"\xe9@example.org", subject=b"caf\xe9 \xff")
HASHED = PLAIN._replace(message_id=key(b"m" * 251), list=b"a b", sane=False, in_reply_to=(key(b"<>"), b"*"))
WEAK = PLAIN._replace(weak_in_reply_to=b"\x01", weak_references=b"\x02")
ALIASED = PLAIN._replace(aliases=(b"a@example.org", b"gateway@example.org"))
AGAIN = PLAIN._replace(edition=1)
OFTEN = ALIASED._replace(edition=65535)
WITHDRAWAL = Withdrawal(ORIGIN, b"git", claim_id(encode(PLAIN)), PLAIN.message_id)

BROKEN: dict[str, Claim | Withdrawal] = {
    "origin: 31 bytes": PLAIN._replace(origin=ORIGIN[:31]),
    "list: *": PLAIN._replace(list=b"*"),
    "list: a space at its start": PLAIN._replace(list=b" a"),
    "list: a space at its end": PLAIN._replace(list=b"a "),
    "list: a surrogate": PLAIN._replace(list=b"a\xed\xa0\x80b"),
    "list: empty": PLAIN._replace(list=b""),
    "list: 201 bytes": PLAIN._replace(list=b"l" * 201),
    "list: a slash": PLAIN._replace(list=b"a/b"),
    "list: not UTF-8": PLAIN._replace(list=b"caf\xe9"),
    "list: turns the direction of text": PLAIN._replace(list="a\u202eb".encode()),
    "message_id: empty": PLAIN._replace(message_id=b""),
    "message_id: 251 bytes": PLAIN._replace(message_id=b"m" * 251),
    "message_id: an angle bracket opens": PLAIN._replace(message_id=b"<b@example.org"),
    "message_id: an angle bracket closes": PLAIN._replace(message_id=b"b@example.org>"),
    "message_id: sha256: and no hash": PLAIN._replace(message_id=b"sha256:0@example.org"),
    "message_id: a hash in upper case": PLAIN._replace(message_id=key(b"m" * 251).upper().replace(b"SHA", b"sha")),
    "message_id: a hash that is too long": PLAIN._replace(message_id=key(b"m" * 251) + b"0"),
    "in_reply_to: a bracket": PLAIN._replace(in_reply_to=(b'"<"@example.org',)),
    "in_reply_to: sha256: and no hash": PLAIN._replace(in_reply_to=(b"sha256:",)),
    "references: a bracket": PLAIN._replace(references=(b"a@example.org", b"a>b@example.org")),
    "references: sha256: and no hash": PLAIN._replace(references=(b"sha256:a@example.org", b"a@x")),
    "references: an empty id": PLAIN._replace(references=(b"", b"a@x")),
    "in_reply_to: 17 ids": PLAIN._replace(sane=False, in_reply_to=tuple(b"%d@x" % n for n in range(17))),
    "in_reply_to: an empty id": PLAIN._replace(in_reply_to=(b"",)),
    "in_reply_to: own id": PLAIN._replace(in_reply_to=(PLAIN.message_id,)),
    "in_reply_to: twice the same": PLAIN._replace(sane=False, in_reply_to=(b"a@x", b"a@x")),
    "sane: two ids": PLAIN._replace(in_reply_to=(b"a@x", b"b@x")),
    "sane: no id": PLAIN._replace(in_reply_to=()),
    "references: 101 ids": PLAIN._replace(references=tuple(b"%d@x" % n for n in range(101))),
    "references: an id of 251 bytes": PLAIN._replace(references=(b"r" * 251,)),
    "references: own id": PLAIN._replace(references=(PLAIN.message_id,)),
    "references: twice the same": PLAIN._replace(references=(b"a@x", b"b@x", b"a@x")),
    "date: 129 bytes": PLAIN._replace(date=b"d" * 129),
    "subject: 999 bytes": PLAIN._replace(subject=b"s" * 999),
    "author: 321 bytes": PLAIN._replace(author=b"f" * 321),
    "archived_at: 1025 bytes": PLAIN._replace(archived_at=b"u" * 1025),
    "body: 31 bytes": PLAIN._replace(body=bytes(31)),
    "weak_in_reply_to: beyond the ids": PLAIN._replace(weak_in_reply_to=b"\x02"),
    "weak_in_reply_to: no ids": BARE._replace(weak_in_reply_to=b"\x01"),
    "weak_references: beyond the ids": PLAIN._replace(weak_references=b"\x04"),
    "weak_references: an byte too long": PLAIN._replace(weak_references=b"\x01\x00"),
    "aliases: 5 ids": PLAIN._replace(aliases=tuple(b"%d@x" % n for n in range(5))),
    "aliases: a bracket": PLAIN._replace(aliases=(b"a>@example.org",)),
    "aliases: an empty id": PLAIN._replace(aliases=(b"",)),
    "aliases: an id of 251 bytes": PLAIN._replace(aliases=(b"a" * 251,)),
    "aliases: own id": PLAIN._replace(aliases=(PLAIN.message_id,)),
    "aliases: sha256: and no hash": PLAIN._replace(aliases=(b"sha256:a@example.org",)),
    "aliases: twice the same": PLAIN._replace(aliases=(b"a@x", b"a@x")),
    "edition: 65536": PLAIN._replace(edition=65536),
    "edition: 2097152": PLAIN._replace(edition=2097152),
    "weak_references: zero": PLAIN._replace(weak_references=b"\x00"),
    "target: 16 bytes": WITHDRAWAL._replace(target=bytes(16)),
    "withdrawal: no list": WITHDRAWAL._replace(list=b""),
}
UNKNOWN_FIELD = b"\xba\x3e\x03abc"
"""Field 999 of a later version."""
SMALL_ORDER = tuple(
    bytes.fromhex(point)
    for point in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)
"""The eight points whose order divides 8."""
NOT_CANONICAL = (
    *((2**255 - 19 + y).to_bytes(32, "little") for y in (0, 1, 3, 18)),
    (1 | 1 << 255).to_bytes(32, "little"),
    ((2**255 - 20) | 1 << 255).to_bytes(32, "little"),
)
"""Points with a y beyond the prime, or with a sign of x = 0."""


def varint(number: int, *, length: int = 1) -> bytes:
    """A varint of protobuf, of at least ``length`` bytes: more than it needs are one of the ways to break the rule."""
    data = bytearray()
    while number > 127 or len(data) < length - 1:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes((*data, number))


def wired(parts: Sequence[bytes], kind: bytes = b"\x0a") -> bytes:
    """A claim of fields that are written already."""
    data = b"".join(parts)
    return kind + varint(len(data)) + data


def fields_of(claim: Claim | Withdrawal) -> list[bytes]:
    """The fields of a claim as it is written, each with its key."""
    data, parts = encode(claim), []
    at = 2 if data[1] < 128 else 3
    while at < len(data):
        size, stop = data[at + 1], at + 2
        if data[at] & 7 == 2:
            if size > 127:
                size, stop = size & 127 | data[at + 2] << 7, at + 3
            stop += size
        parts.append(data[at:stop])
        at = stop
    return parts


def second_encodings() -> dict[str, bytes]:
    """Bytes that a library of protobuf may read as one of the claims above, and that are not their encoding."""
    plain, bare, back = fields_of(PLAIN), fields_of(BARE), fields_of(WITHDRAWAL)
    whole = encode(PLAIN)
    many = fields_of(MANY)
    return {
        "encoding: an unknown field after the claim": whole + UNKNOWN_FIELD,
        "encoding: an unknown field in the claim": wired([*plain, UNKNOWN_FIELD]),
        "encoding: an unknown group": wired([*plain, b"\xbb\x3e\xbc\x3e"]),
        "encoding: two fields in the other order": wired([plain[0], plain[2], plain[1], *plain[3:]]),
        "encoding: a field of a list apart from the others": wired([*many[:3], *many[4:], many[3]]),
        "encoding: an alias apart from the others": wired([*fields_of(ALIASED), UNKNOWN_FIELD, b"\x72\x01y"]),
        "encoding: an alias before the body": wired([*plain[:-1], b"\x72\x01y", plain[-1]]),
        "encoding: another wire type of an alias": wired([*plain, b"\x70\x01"]),
        "encoding: an edition before an alias": wired([*plain, b"\x78\x01", b"\x72\x01y"]),
        "encoding: an edition twice": wired([*plain, b"\x78\x01", b"\x78\x02"]),
        "encoding: an edition of 0": wired([*plain, b"\x78\x00"]),
        "encoding: an edition in two bytes": wired([*plain, b"\x78\x81\x00"]),
        "encoding: an edition in four bytes": wired([*plain, b"\x78\x81\x80\x80\x00"]),
        "encoding: another wire type of an edition": wired([*plain, b"\x7a\x01\x01"]),
        "encoding: a field twice": wired([bare[0], bare[1], b"\x1a\x01y", bare[2]]),
        "encoding: a field twice, equal": wired([*bare[:2], bare[2], bare[2]]),
        "encoding: the claim in two pieces": wired(plain[:5]) + wired(plain[5:]),
        "encoding: a claim and a withdrawal": whole + encode(WITHDRAWAL),
        "encoding: a withdrawal and a claim": encode(WITHDRAWAL) + whole,
        "encoding: an empty field": wired([*bare, b"\x3a\x00"]),
        "encoding: false": wired([*bare, b"\x28\x00"]),
        "encoding: true as 2": wired([*plain[:4], b"\x28\x02", *plain[5:]]),
        "encoding: true in two bytes": wired([*plain[:4], b"\x28\x81\x00", *plain[5:]]),
        "encoding: a long length of a field": wired([*bare[:2], b"\x1a" + varint(1, length=2) + b"x"]),
        "encoding: a long length of the claim": b"\x0a" + varint(len(encode(BARE)) - 2, length=3) + encode(BARE)[2:],
        "encoding: a long key": wired([*bare[:2], b"\x9a\x00\x01x"]),
        "encoding: another wire type": wired([*bare, b"\x38\x01"]),
        "encoding: another wire type of a flag": wired([*plain[:4], b"\x2a\x01\x01", *plain[5:]]),
        "encoding: a flag and bytes of its number": wired([*plain[:5], b"\x2a\x01\x01", *plain[5:]]),
        "encoding: a withdrawal with an unknown field": encode(WITHDRAWAL) + UNKNOWN_FIELD,
        "encoding: a withdrawal in another order": wired([*back[1:], back[0]], b"\x12"),
    }


def refused() -> dict[str, bytes]:
    """Bytes that are no claim, by the rule that they break."""
    return {
        **{rule: encode(claim) for rule, claim in BROKEN.items()},
        **{f"origin: small order {n}": encode(BARE._replace(origin=point)) for n, point in enumerate(SMALL_ORDER)},
        **{f"origin: not canonical {n}": encode(BARE._replace(origin=point)) for n, point in enumerate(NOT_CANONICAL)},
        **{
            f"list: U+{code:04X}": encode(BARE._replace(list=f"a{chr(code)}b".encode()))
            for code in sorted({code for ends in FORBIDDEN for code in ends if not 0xD800 <= code <= 0xDFFF})
        },
        **second_encodings(),
        "no kind": b"",
        "a kind that is not known": UNKNOWN_FIELD,
        "not a message": b"\x0a\xff",
        "cut": encode(PLAIN)[:-1],
    }


def claims() -> object:
    """The contents of ``claims.json``."""
    return {
        "accepted": [
            {
                "kind": type(claim).__name__.lower(),
                "fields": {field: _shown(value) for field, value in claim._asdict().items()},
                "bytes": encode(claim).hex(),
                "id": claim_id(encode(claim)).hex(),
            }
            for claim in (PLAIN, BARE, MANY, LATIN, HASHED, WEAK, ALIASED, AGAIN, OFTEN, WITHDRAWAL)
        ],
        "refused": [{"rule": rule, "bytes": data.hex()} for rule, data in refused().items()],
    }


def signing() -> object:
    """The contents of ``signing.json``."""
    return {
        "signed": _signed(),
        "refused": [dict(zip(_REFUSED, case, strict=True)) for case in weak_signatures()],
        "refused_fingerprints": [{"rule": rule, "text": text} for rule, text in _false_fingerprints().items()],
    }


def _false_fingerprints() -> dict[str, str]:
    """What is like the fingerprint of a key and names none."""
    good = fingerprint(ORIGIN)
    data = b32decode(good.upper())
    cases = {
        "55 characters": good[:-1],
        "57 characters": good + "a",
        "upper case": good.upper(),
        "a character that is not of base32": "1" + good[1:],
        "a bit of the key turned": b32encode(bytes((data[0] ^ 1,)) + data[1:]).decode().lower(),
        "a bit of the checksum turned": b32encode(data[:33] + bytes((data[33] ^ 1,)) + data[34:]).decode().lower(),
        "version 2": b32encode(data[:34] + b"\x02").decode().lower(),
    }
    assert not any(map(_names_a_key, cases.values()))
    return cases


def _names_a_key(text: str) -> bool:
    try:
        parse_fingerprint(text)
    except ValueError:
        return False
    return True


_REFUSED = ("rule", "origin", "signature", "message")


def weak_signatures() -> Iterator[tuple[str, str, str, str]]:
    """(rule, origin, signature, message): libraries differ about each of them."""
    secret, message = Ed25519PrivateKey.from_private_bytes(bytes(32)), b"claim"
    origin, good = public_key(secret), secret.sign(message)
    order = 2**252 + 27742317777372353535851937790883648493
    for rule, point in (*(("small order", p) for p in SMALL_ORDER), *(("not canonical", p) for p in NOT_CANONICAL)):
        for number in range(256):  # a key of small order signs many messages, by nobody
            text = b"%d" % number
            signature = SMALL_ORDER[0] + bytes(32)
            if library_verifies(point, signature, text):
                yield f"origin: {rule}", point.hex(), signature.hex(), text.hex()
                break
    scalar = (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    yield "S: not less than the order", origin.hex(), (good[:32] + scalar).hex(), message.hex()
    yield "R: small order", origin.hex(), _with_small_r(bytes(32), message).hex(), message.hex()
    yield "too long", origin.hex(), (good + b"\0").hex(), message.hex()
    yield "another message", origin.hex(), good.hex(), b"claims".hex()


def _with_small_r(seed: bytes, message: bytes) -> bytes:
    """A signature whose R is the neutral element: the equation holds."""
    order = 2**252 + 27742317777372353535851937790883648493
    secret = int.from_bytes(sha512(seed).digest()[:32], "little") & (2**254 - 8) | 2**254
    origin = public_key(Ed25519PrivateKey.from_private_bytes(seed))
    challenge = int.from_bytes(sha512(SMALL_ORDER[0] + origin + message).digest(), "little")
    return SMALL_ORDER[0] + (challenge * secret % order).to_bytes(32, "little")


def library_verifies(origin: bytes, signature: bytes, message: bytes) -> bool:
    """What the library says that our rule is stricter than."""
    try:
        Ed25519PublicKey.from_public_bytes(origin).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed() -> object:
    found = []
    for seed, name, count in ((bytes(32), b"git", 1), (bytes(range(32)), "größe".encode(), 256)):
        secret = Ed25519PrivateKey.from_private_bytes(seed)
        signed = sign_root(secret, name, count, sha256(name).digest())
        found.append(
            {
                "seed": seed.hex(),
                "origin": signed.origin.hex(),
                "fingerprint": fingerprint(signed.origin),
                "list": name.hex(),
                "leaf_count": count,
                "root": signed.root.hex(),
                "signed": root_bytes(signed.origin, name, count, signed.root).hex(),
                "signature": signed.signature.hex(),
            }
        )
    return found


def digests() -> object:
    """The contents of ``digests.json``."""
    names = [b"a@example.org", b"", b"\xe9@example.org", key(b"m" * 251)]
    some = [sha256(b"%d" % n).digest() for n in range(5)]
    trees: list[tuple[list[bytes], list[tuple[bytes, bytes]]]] = [
        (some[:1], []),
        ([some[2], some[0], some[2]], [(b"b@x", b"a@x"), (b"c@x", b"a@x")]),
        (some, [(b"b@x", b"\xe9@x"), (b"a@x", b"b@x")]),
    ]
    return {
        "message_ids": [{"id": name.hex(), "digest": id_digest(name).hex()} for name in names],
        "threads": [
            {
                "claims": [identity.hex() for identity in claims],
                "edges": [[child.hex(), parent.hex()] for child, parent in edges],
                "digest": thread_digest(claims, edges).hex(),
            }
            for claims, edges in trees
        ],
        "common_views": [
            {
                "claims": [identity.hex() for identity in some[:count]],
                "digest": view_id(DEFAULT_VIEW, NO_MUTES, ((0, name) for name in sorted(some[:count]))).hex(),
            }
            for count in (0, 1, 5)
        ],
    }


SKETCH_KEY = bytes(range(32))
BEYOND = 4096
"""A second walk begins here."""


def sketch() -> object:
    """The contents of ``sketch.json``: the elements of set n are the first 16 bytes of SHA-256 of 0, 1, ... n - 1."""
    return {
        "key": SKETCH_KEY.hex(),
        "elements": [_mapped(element) for element in sketch_elements(3)],
        "sets": [_encoded(size, first, 12) for size, first in ((0, 0), (1, 0), (100, 0), (1000, 4090))],
        "differences": [_difference(*sizes) for sizes in ((0, 0), (1, 0), (3, 10), (40, 30))],
    }


def sketch_elements(count: int, start: int = 0) -> list[bytes]:
    """The first bytes of the SHA-256 of numbers in decimal digits."""
    return [sha256(b"%d" % n).digest()[:16] for n in range(start, start + count)]


def _mapped(element: bytes) -> object:
    digest = mapping.keyed_hash(SKETCH_KEY)(element)
    return {
        "element": element.hex(),
        "hash": digest.hex(),
        "positions": [*islice(mapping.positions(digest), 12)],
        "beyond": [*islice(mapping.positions(digest, BEYOND), 5)],
    }


def _encoded(size: int, first: int, count: int) -> object:
    symbols = encode_range(SKETCH_KEY, sketch_elements(size), first, count)
    return {"size": size, "first": first, "count": count, "symbols": encode_symbols(symbols, first, size).hex()}


def _difference(theirs: int, ours: int) -> object:
    """Of 50 elements that both have, and others."""
    count = 50 + 2 * (theirs + ours)
    decoder = Decoder(SKETCH_KEY, count)
    decoder.receive(
        encode_range(SKETCH_KEY, sketch_elements(50 + theirs), 0, count),
        encode_range(SKETCH_KEY, sketch_elements(50) + sketch_elements(ours, 50 + theirs), 0, count),
    )
    return {
        "only_theirs": len(decoder.only_theirs),
        "only_ours": len(decoder.only_ours),
        "symbols": decoder.received,
        "status": decoder.status.name,
    }


FILES: dict[str, Callable[[], object]] = {
    "agreement": agreement_vectors.content,
    "binding": binding_vectors.content,
    "claims": claims,
    "digests": digests,
    "forests": forest_vectors.content,
    "frames": frame_vectors.content,
    "merkle": merkle_vectors.content,
    "parts": part_vectors.content,
    "session": session_vectors.content,
    "signing": signing,
    "sketch": sketch,
}


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return [_shown(item) for item in value] if isinstance(value, tuple) else value


if __name__ == "__main__":
    for name, content in FILES.items():
        (VECTORS / f"{name}.json").write_text(json.dumps(content(), indent=1) + "\n")
