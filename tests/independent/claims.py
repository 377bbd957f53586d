"""Section 2: claims, batches, proofs and signatures."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.independent.messages import RefusedError, field, last, message, need, written

PRIME, POINT = 2**255 - 19, 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL = {0, 1, PRIME - 1, POINT, PRIME - POINT}
FORBIDDEN = (
    "0000-001F 007F-00A0 00AD 034F 061C 115F-1160 1680 17B4-17B5 180B-180F 2000-200F 2028-202F 205F-206F 2800 3000 "
    "3164 FE00-FE0F FEFF FFA0 FFF0-FFFB FFFE-FFFF 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
RANGES = [tuple(int(end, 16) for end in (one.split("-") * 2)[:2]) for one in FORBIDDEN.split()]
NAMES = (
    *("origin", "list", "message_id", "in_reply_to", "sane", "references", "date", "subject", "author", "archived_at"),
    *("body", "weak_in_reply_to", "weak_references", "aliases", "edition"),
)
FIELDS = dict(enumerate(NAMES, 1))
REPEATED = {"in_reply_to": 16, "references": 100, "aliases": 4}
MOST = {"date": 128, "archived_at": 1024}


def check_point(data: bytes) -> None:
    """Neither too large nor of small order."""
    y = int.from_bytes(data, "little") % 2**255
    need(len(data) == 32 and y < PRIME and y not in SMALL)


def check_signature(key: bytes, signature: bytes, signed: bytes) -> None:
    """By the one rule; the library sees to S and to the equation."""
    need(len(signature) == 64)
    check_point(key)
    check_point(signature[:32])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise RefusedError from None


def check_list(name: bytes) -> None:
    """The name of a list."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise RefusedError from None
    need(0 < len(name) <= 200 and "/" not in text and text != "*" and text == text.strip(" "))
    need(not any(first <= ord(character) <= last for character in text for first, last in RANGES))


def check_id(name: bytes) -> None:
    """A message id as a key."""
    need(0 < len(name) <= 250 and not set(b"<>") & set(name))
    if name.startswith(b"sha256:"):
        need(len(name) == 71 and set(name[7:]) <= set(b"0123456789abcdef"))


def read_claim(data: bytes) -> dict[str, Any]:
    """The fields of a claim or withdrawal, if the bytes are one."""
    need(len(data) <= 40 * 1024)
    kinds = message(data)
    need(len(kinds) == 1 and set(kinds) <= {1, 2})
    [(kind, [inner])] = [(kind, values) if len(values) == 1 else (0, [b""]) for kind, values in kinds.items()]
    names: dict[int, str] = {1: FIELDS, 2: {1: "origin", 2: "list", 3: "target", 4: "message_id"}}.get(kind, {})
    found, again = message(inner), b""
    claim: dict[str, Any] = {
        name: [] if name in REPEATED else False if name == "sane" else 0 if name == "edition" else b""
        for name in names.values()
    }
    for number, values in sorted(found.items()):
        name = names.get(number)
        need(name and (name in REPEATED or len(values) == 1) and (name != "sane" or values == [1]))
        for value in values:
            if name == "edition":
                need(isinstance(value, int) and 0 < value <= 65535)
            else:
                need(name == "sane" or (isinstance(value, bytes) and (value or name in REPEATED)))
            again += field(number, value) if isinstance(value, bytes) else written(number << 3) + written(value)
        claim[name or ""] = values if name in REPEATED else values[0] == 1 if name == "sane" else values[0]
    need(field(kind, again) == data)
    check_point(claim["origin"])
    check_list(claim["list"])
    check_id(claim["message_id"])
    if kind == 2:
        need(len(claim["target"]) == 32)
        return claim
    for name, most in REPEATED.items():
        need(len(claim[name]) <= most and len(set(claim[name])) == len(claim[name]))
        need(claim["message_id"] not in claim[name])
        for one in claim[name]:
            check_id(one)
    need(not claim["sane"] or len(claim["in_reply_to"]) == 1)
    need(all(len(claim[name]) <= most for name, most in MOST.items()) and len(claim["body"]) in (0, 32))
    need(len(claim["subject"]) <= (4096 if b"=?" in claim["subject"] else 998))
    need(len(claim["author"]) <= (1536 if b"=?" in claim["author"] else 320))
    for name in ("in_reply_to", "references"):
        mask = claim["weak_" + name]
        need(int.from_bytes(mask, "little").bit_length() <= len(claim[name]) and (not mask or mask[-1]))
    return claim


def claim_id(data: bytes) -> bytes:
    """Of the bytes of a claim."""
    return sha256(b"weft/v1/claim\0" + data).digest()


def check_proof(count: int, root: bytes, held: bytes, hashes: bytes, ids: Sequence[bytes]) -> list[int]:
    """That ``ids`` are leaves of a batch; their places."""
    bits = int.from_bytes(held, "little")
    places = [place for place in range(bits.bit_length()) if bits >> place & 1]
    need(1 <= count <= 256 and held and held[-1] and len(ids) == len(places) and places[-1] < count)
    need(len(hashes) % 32 == 0)
    left = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    row = {place: sha256(b"\0" + name).digest() for place, name in zip(places, ids, strict=True)}
    while count > 1:
        for place in sorted(row):
            if place ^ 1 < count and place ^ 1 not in row:
                need(left)
                row[place ^ 1] = left.pop(0)
        row = {
            place // 2: sha256(b"\1" + row[place] + row[place + 1]).digest() if place + 1 in row else row[place]
            for place in sorted(row)
            if not place & 1
        }
        count = (count + 1) // 2
    need(not left and row[0] == root)
    return places


def root_string(origin: bytes, name: bytes, count: int, root: bytes) -> bytes:
    """What an origin signs."""
    length, number = len(name).to_bytes(2, "big"), count.to_bytes(4, "big")
    return b"weft/v1/batch-root\0\1" + origin + length + name + number + root


def read_part(data: bytes) -> tuple[list[int], list[bytes], list[bytes]]:
    """Of a part that is wanted as a whole: its leaves, the ids that are kept, and those that are refused alone."""
    part = message(data)
    batch, proof, claims = message(last(part[1])), message(last(part[2])), part[3]
    origin, name, root, signature = (last(batch[n]) for n in (1, 2, 4, 5))
    count = last(batch[3], 0)
    need(1 <= len(claims) <= 256 and len(root) == 32 and 1 <= count <= 256)
    check_signature(origin, signature, root_string(origin, name, count, root))
    ids = [claim_id(claim) for claim in claims]
    need(len(set(ids)) == len(ids))
    leaves = check_proof(count, root, last(proof[1]), last(proof[2]), ids)
    kept, refused = [], []
    for identity, claim in zip(ids, claims, strict=True):
        try:
            read = read_claim(claim)
        except RefusedError:
            refused.append(identity)
            continue
        need((read["origin"], read["list"]) == (origin, name))
        kept.append(identity)
    return leaves, kept, refused
