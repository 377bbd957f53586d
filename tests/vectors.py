"""Test vectors that any language can read: ``python -m tests.vectors`` writes ``fixtures/vectors/*.json``.

All octets are in hexadecimal.  What must hold:

``claims.json``   ``accepted``: the octets are the claim with these fields, and have this id (``written``: they are also
                  the octets that an origin writes for it).  ``refused``: each breaks the rule that is named.
``merkle.json``   leaf i is the SHA-256 of i in decimal digits; the proof for the leaves at ``positions`` leads to the
                  root and, as a message of the schema, has the octets ``proof``.
``session.json``  ``mirror``: two sessions of a pair, with the key and agreement of the first in the second; afterwards
                  both hold the same.  ``threads``: two in which each asks for its threads; the second goes on from the
                  cursors of the first.  From what each holds before, and what arrives, each frame follows, and what
                  each holds then.
``sketch.json``   ``elements``: the keyed hash, the first positions, and the first from 4,096 on.  ``sets``: the symbols
                  from ``first`` on have the octets ``symbols``.  ``differences``: of the set of 50 and ``only_theirs``
                  elements to that of the first 50 and the ``only_ours`` after theirs; so many symbols show it.
``signing.json``  the seed gives the key, the key the fingerprint, and the signature is that over ``signed``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests import session_vectors
from weft.core.claim import Claim, Withdrawal, claim_id, encode
from weft.core.merkle import whole_tree
from weft.core.signing import fingerprint, public_key, root_octets, sign_root
from weft.exchange import mapping
from weft.exchange.coding import encode_symbols
from weft.exchange.decoder import Decoder
from weft.exchange.sketch import encode_range
from weft.v1 import claim_pb2 as wire

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
MANY = replace(
    PLAIN,
    sane=False,
    in_reply_to=tuple(b"%d@x" % n for n in range(16)),
    references=tuple(b"%d@y" % n for n in range(100)),
)
LATIN = replace(PLAIN, list="größe".encode(), message_id=b"\xe9@example.org", subject=b"caf\xe9 \xff")
WITHDRAWAL = Withdrawal(ORIGIN, b"git", claim_id(encode(PLAIN)), PLAIN.message_id)

BROKEN: dict[str, Claim | Withdrawal] = {
    "origin: 31 octets": replace(PLAIN, origin=ORIGIN[:31]),
    "list: empty": replace(PLAIN, list=b""),
    "list: 201 octets": replace(PLAIN, list=b"l" * 201),
    "list: a slash": replace(PLAIN, list=b"a/b"),
    "list: not UTF-8": replace(PLAIN, list=b"caf\xe9"),
    "list: turns the direction of text": replace(PLAIN, list="a\u202eb".encode()),
    "message_id: empty": replace(PLAIN, message_id=b""),
    "message_id: 251 octets": replace(PLAIN, message_id=b"m" * 251),
    "in_reply_to: 17 ids": replace(PLAIN, sane=False, in_reply_to=tuple(b"%d@x" % n for n in range(17))),
    "in_reply_to: an empty id": replace(PLAIN, in_reply_to=(b"",)),
    "in_reply_to: own id": replace(PLAIN, in_reply_to=(PLAIN.message_id,)),
    "in_reply_to: twice the same": replace(PLAIN, sane=False, in_reply_to=(b"a@x", b"a@x")),
    "sane: two ids": replace(PLAIN, in_reply_to=(b"a@x", b"b@x")),
    "sane: no id": replace(PLAIN, in_reply_to=()),
    "references: 101 ids": replace(PLAIN, references=tuple(b"%d@x" % n for n in range(101))),
    "references: an id of 251 octets": replace(PLAIN, references=(b"r" * 251,)),
    "references: own id": replace(PLAIN, references=(PLAIN.message_id,)),
    "references: twice the same": replace(PLAIN, references=(b"a@x", b"b@x", b"a@x")),
    "date: 129 octets": replace(PLAIN, date=b"d" * 129),
    "subject: 999 octets": replace(PLAIN, subject=b"s" * 999),
    "author: 321 octets": replace(PLAIN, author=b"f" * 321),
    "archived_at: 1025 octets": replace(PLAIN, archived_at=b"u" * 1025),
    "body: 31 octets": replace(PLAIN, body=bytes(31)),
    "target: 16 octets": replace(WITHDRAWAL, target=bytes(16)),
    "withdrawal: no list": replace(WITHDRAWAL, list=b""),
}
UNKNOWN_FIELD = b"\xba\x3e\x03abc"
"""Field 999 of a later version."""


def refused() -> dict[str, bytes]:
    """Octets that are no claim, by the rule that they break."""
    return {
        **{rule: encode(claim) for rule, claim in BROKEN.items()},
        "no kind": b"",
        "a kind that is not known": UNKNOWN_FIELD,
        "not a message": b"\x0a\xff",
        "cut": encode(PLAIN)[:-1],
    }


def claims() -> object:
    """The contents of ``claims.json``."""
    later = wire.AnyClaim.FromString(encode(PLAIN))
    later.mail.MergeFromString(UNKNOWN_FIELD)
    written = [(claim, encode(claim), True) for claim in (PLAIN, BARE, MANY, LATIN, WITHDRAWAL)]
    others = [
        (PLAIN, encode(PLAIN) + UNKNOWN_FIELD, False),
        (PLAIN, later.SerializeToString(deterministic=True), False),
    ]
    return {
        "accepted": [
            {
                "kind": type(claim).__name__.lower(),
                "fields": {field.name: _shown(getattr(claim, field.name)) for field in fields(claim)},
                "octets": octets.hex(),
                "id": claim_id(octets).hex(),
                "written": canonical,
            }
            for claim, octets, canonical in [*written, *others]
        ],
        "refused": [{"rule": rule, "octets": octets.hex()} for rule, octets in refused().items()],
    }


def merkle() -> object:
    """The contents of ``merkle.json``."""
    cases = [
        (1, [0]),
        (2, [1]),
        (3, [2]),
        (5, [0, 4]),
        (7, [1, 2, 3]),
        (8, [*range(8)]),
        (255, [254]),
        (256, [0, 100, 101]),
    ]
    found = []
    for count, positions in cases:
        tree = whole_tree([sha256(b"%d" % n).digest() for n in range(count)])
        proof = tree.prove(positions)
        found.append(
            {
                "leaf_count": count,
                "root": tree.root.hex(),
                "positions": list(proof.positions),
                "hashes": [octets.hex() for octets in proof.hashes],
                "proof": proof.encode().hex(),
            }
        )
    return found


def signing() -> object:
    """The contents of ``signing.json``."""
    found = []
    for seed, name, count in ((bytes(32), b"git", 1), (bytes(range(32)), "größe".encode(), 256)):
        key = Ed25519PrivateKey.from_private_bytes(seed)
        signed = sign_root(key, name, count, sha256(name).digest())
        found.append(
            {
                "seed": seed.hex(),
                "origin": signed.origin.hex(),
                "fingerprint": fingerprint(signed.origin),
                "list": name.hex(),
                "leaf_count": count,
                "root": signed.root.hex(),
                "signed": root_octets(signed.origin, name, count, signed.root).hex(),
                "signature": signed.signature.hex(),
            }
        )
    return found


SKETCH_KEY = bytes(range(32))
BEYOND = 4096
"""A second walk begins here."""


def sketch() -> object:
    """The contents of ``sketch.json``: the elements of set n are the first 16 octets of SHA-256 of 0, 1, ... n - 1."""
    return {
        "key": SKETCH_KEY.hex(),
        "elements": [_mapped(element) for element in sketch_elements(3)],
        "sets": [_encoded(size, first, 12) for size, first in ((0, 0), (1, 0), (100, 0), (1000, 4090))],
        "differences": [_difference(*sizes) for sizes in ((0, 0), (1, 0), (3, 10), (40, 30))],
    }


def sketch_elements(count: int, start: int = 0) -> list[bytes]:
    """The first octets of the SHA-256 of numbers in decimal digits."""
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
    "claims": claims,
    "merkle": merkle,
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
