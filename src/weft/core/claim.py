"""Claims: what one origin says it saw, as immutable octets that name themselves.

Theory of operation
-------------------
`encode` writes a claim once, at its origin.  From then on the octets are the claim: they are hashed (`claim_id`),
signed in batches, stored and passed on as they are, and never written again from the fields, because protobuf has no
canonical form once fields are unknown.  So a claim with fields of a later version goes through this one unharmed.

`parse` is the only way in for octets of others.  It takes what the wire schema (``weft/v1/claim.proto``) can mean and
refuses, with the reason, what breaks a limit: a peer can lie about every field, and each limit bounds what a lie can
cost.  Whether the origin's word counts is a question for `weft.core.policy`, and whether it is the origin's word at
all one for `weft.core.merkle` and `weft.core.signing`.

A claim with all fields at their limits has 32 KiB, so that what the header scanner gives is always below `MAX_CLAIM`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from google.protobuf.message import DecodeError

from weft.core.feed import Feed
from weft.core.header import MAX_AUTHOR, MAX_DATE, MAX_SUBJECT, MAX_URL
from weft.core.list_name import check_list_octets
from weft.core.message_id import MAX_ID_OCTETS, MAX_IN_REPLY_TO, MAX_REFERENCES
from weft.errors import ClaimError
from weft.v1 import claim_pb2 as wire

MAX_CLAIM = 40 * 1024
"""The octets of one claim, unknown fields included."""
CLAIM_RULES = 1
"""Counted up whenever `parse` takes what it refused before, or the other way round: then all is asked anew."""
ID_OCTETS = 32
ORIGIN_OCTETS = 32
BODY_OCTETS = 32
DOMAIN = b"weft/v1/claim\0"

Scanned = tuple[
    int, int, bytes, tuple[bytes, ...], bool, tuple[bytes, ...], bytes, bytes, bytes, bytes, bytes
]  # fmt: skip
"""One scanned message, as `weft.sources.evidence` gives it: its place, then the fields of a claim in their order."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What an origin says: "on this list, a message with this id had these headers".

    Who can lie: the origin about everything; an honest one repeats what authors and lists wrote.
    """

    origin: bytes
    """An Ed25519 public key; proved by the batch's signature."""
    list: bytes
    """The origin's configured source, UTF-8; the policy says which lists an origin may speak of."""
    message_id: bytes
    """A label that its author chose, and that anybody can choose again."""
    in_reply_to: tuple[bytes, ...]
    sane: bool
    """In-Reply-To is exactly one id and nothing else."""
    references: tuple[bytes, ...]
    """Oldest first; hearsay about every message but this one."""
    date: bytes
    """As stated; decides nothing but the order of display."""
    subject: bytes
    author: bytes
    archived_at: bytes
    """Text, never fetched."""
    body: bytes
    """SHA-256 of the canonical body, or empty."""

    @property
    def feed(self) -> Feed:
        """(origin, list): where all rights are decided."""
        return Feed(self.origin, self.list)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An origin says: "I said that, and no longer do".  Others' claims about the same mail stand."""

    origin: bytes
    list: bytes
    target: bytes
    """The id of the claim that is withdrawn; it need not have arrived."""
    message_id: bytes
    """What the target is about, so that whatever carries claims about an id carries their withdrawals."""

    @property
    def feed(self) -> Feed:
        """(origin, list): where all rights are decided."""
        return Feed(self.origin, self.list)

    def withdraws(self, identity: bytes, claim: Claim) -> bool:
        """Whether ``claim``, whose id is ``identity``, is withdrawn by this.

        Nobody can withdraw the word of another origin or feed; and a false ``message_id`` withdraws nothing, else
        servers that hold different threads would disagree.
        """
        return identity == self.target and (claim.origin, claim.list, claim.message_id) == (
            self.origin,
            self.list,
            self.message_id,
        )


def claim_of(record: Scanned, origin: bytes, list_name: bytes) -> Claim:
    """The claim of ``origin`` about a scanned message on its list."""
    return Claim(origin, list_name, *record[2:])


def encode(claim: Claim | Withdrawal) -> bytes:
    """The octets of a new claim of our own; for a claim of others keep what came.

    Claims of mail, of which there are millions, are written field by field: the octets that the library of protobuf
    writes, in a third of its time.
    """
    if isinstance(claim, Withdrawal):
        withdrawal = wire.Withdrawal(
            origin=claim.origin, list=claim.list, target=claim.target, message_id=claim.message_id
        )
        return wire.AnyClaim(withdrawal=withdrawal).SerializeToString(deterministic=True)
    length = _LENGTHS
    parts: list[bytes] = []
    for key, value in ((b"\x0a", claim.origin), (b"\x12", claim.list), (b"\x1a", claim.message_id)):
        if value:
            parts += key, length[len(value)], value
    for name in claim.in_reply_to:
        parts += b"\x22", length[len(name)], name
    if claim.sane:
        parts.append(b"\x28\x01")
    for name in claim.references:
        parts += b"\x32", length[len(name)], name
    for key, value in (
        (b"\x3a", claim.date), (b"\x42", claim.subject), (b"\x4a", claim.author), (b"\x52", claim.archived_at),
        (b"\x5a", claim.body),
    ):  # fmt: skip
        if value:
            parts += key, length[len(value)], value
    octets = b"".join(parts)
    return b"\x0a" + length[len(octets)] + octets


class _Lengths(dict[int, bytes]):
    """Lengths as the encoding has them: seven bits an octet, the low ones first.  Few thousand ever occur."""

    def __missing__(self, length: int) -> bytes:
        octets, left = bytearray(), length
        while left > 127:
            octets.append(left & 127 | 128)
            left >>= 7
        octets.append(left)
        self[length] = bytes(octets)
        return self[length]


_LENGTHS = _Lengths()


def claim_id(octets: bytes) -> bytes:
    """The 32 octets that name a claim.  Receivers compute it; nobody is believed about it."""
    return sha256(DOMAIN + octets).digest()


def parse(octets: bytes) -> Claim | Withdrawal:
    """The claim that ``octets`` are; `ClaimError` with the reason for whatever breaks a limit."""
    if len(octets) > MAX_CLAIM:
        raise _refused(f"it has {len(octets)} octets, at most {MAX_CLAIM} are taken")
    try:
        message = wire.AnyClaim.FromString(octets)
    except DecodeError:
        raise _refused("its octets are not a message of the schema") from None
    kind = message.WhichOneof("kind")
    if kind == "mail":
        return _mail(message.mail)
    if kind == "withdrawal":
        return _withdrawal(message.withdrawal)
    raise _refused("it is of a kind that is not known here")


def _mail(mail: wire.Claim) -> Claim:
    claim = Claim(
        mail.origin, mail.list, mail.message_id, tuple(mail.in_reply_to), mail.sane, tuple(mail.references),
        mail.date, mail.subject, mail.author, mail.archived_at, mail.body,
    )  # fmt: skip
    own = claim.message_id
    _check_label(claim.origin, claim.list, own)
    if claim.in_reply_to:
        _check_ids("in_reply_to", claim.in_reply_to, MAX_IN_REPLY_TO, own)
    if claim.references:
        _check_ids("references", claim.references, MAX_REFERENCES, own)
    if claim.sane and len(claim.in_reply_to) != 1:
        raise _refused("sane: in_reply_to has not exactly one id")
    if len(claim.date) > MAX_DATE:
        raise _too_long("date", claim.date, MAX_DATE)
    if len(claim.subject) > MAX_SUBJECT:
        raise _too_long("subject", claim.subject, MAX_SUBJECT)
    if len(claim.author) > MAX_AUTHOR:
        raise _too_long("author", claim.author, MAX_AUTHOR)
    if len(claim.archived_at) > MAX_URL:
        raise _too_long("archived_at", claim.archived_at, MAX_URL)
    if claim.body and len(claim.body) != BODY_OCTETS:
        raise _refused(f"body: it has {len(claim.body)} octets, not {BODY_OCTETS} or none")
    return claim


def _withdrawal(message: wire.Withdrawal) -> Withdrawal:
    _check_label(message.origin, message.list, message.message_id)
    if len(message.target) != ID_OCTETS:
        raise _refused(f"target: it has {len(message.target)} octets, not {ID_OCTETS}")
    return Withdrawal(message.origin, message.list, message.target, message.message_id)


def _check_label(origin: bytes, list_name: bytes, message_id: bytes) -> None:
    if len(origin) != ORIGIN_OCTETS:
        raise _refused(f"origin: it has {len(origin)} octets, not {ORIGIN_OCTETS}")
    if problem := _list_problem(list_name):
        raise _refused(f"list: {problem}")
    if not 0 < len(message_id) <= MAX_ID_OCTETS:
        raise _refused(f"message_id: it has {len(message_id)} octets, not 1 to {MAX_ID_OCTETS}")


def _check_ids(field: str, ids: Sequence[bytes], most: int, own: bytes) -> None:
    if len(ids) > most:
        raise _refused(f"{field}: {len(ids)} ids, at most {most} are taken")
    if b"" in ids or max(map(len, ids)) > MAX_ID_OCTETS:
        raise _refused(f"{field}: an id has not 1 to {MAX_ID_OCTETS} octets")
    if len(set(ids)) != len(ids):
        raise _refused(f"{field}: an id stands there twice")
    if own in ids:
        raise _refused(f"{field}: the message's own id stands there")


@lru_cache(maxsize=1024)
def _list_problem(octets: bytes) -> str:
    """Why the octets cannot name a list; empty if they can.  Claims come by the thousand for one list."""
    try:
        check_list_octets(octets)
    except ValueError as error:
        return str(error)
    return ""


def _too_long(field: str, value: bytes, most: int) -> ClaimError:
    return _refused(f"{field}: it has {len(value)} octets, at most {most} are taken")


def _refused(reason: str) -> ClaimError:
    return ClaimError(f"claim refused: {reason}")
