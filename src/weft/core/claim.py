"""Claims: what one origin says it saw, as immutable bytes that name themselves.

Theory of operation
-------------------
`encode` writes a claim once, at its origin.  From then on the bytes are the claim: they are hashed (`claim_id`),
signed in batches, stored and passed on as they are.

`parse` is the only way in for bytes of others.  Protobuf can write one message in many ways (fields out of order or
twice, default values, unknown fields, long varints), and its libraries read them differently.  So each claim has one
encoding, the one that `encode` writes, and `parse` refuses everything else by its bytes: what it accepts, `encode`
writes again as it was.  It also refuses, with the reason, what breaks a limit: a peer can lie about every field, and
each limit bounds what a lie can cost.  Whether the origin's word counts is a question for `weft.policy.rules`, and
whether it is the origin's word at all one for `weft.core.merkle` and `weft.core.signing`.

A claim with all fields at their limits has 37 KiB, so that what the header scanner gives is always below `MAX_CLAIM`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from google.protobuf.message import DecodeError

from weft.core import ed25519
from weft.core.alias import MAX_ALIASES
from weft.core.claim_encoding import MailFields, decode_mail, encode_mail
from weft.core.feed import Feed
from weft.core.header import MAX_DATE, MAX_URL
from weft.core.header_value import MAX_AUTHOR, MAX_SUBJECT, most_of_author, most_of_subject
from weft.core.list_name import check_list_bytes
from weft.core.message_id import MAX_ID_BYTES, MAX_IN_REPLY_TO, MAX_REFERENCES, key_problem
from weft.core.references import Marked, is_mask
from weft.errors import ClaimError
from weft.v1 import claim_pb2 as wire

MAX_CLAIM = 40 * 1024
"""The bytes of one claim."""
CLAIM_RULES = 5
"""Counted up whenever `parse` takes what it refused before, or the other way round: then all is asked anew."""
MAX_EDITION = 65535
"""So often the same can be said again."""
ID_BYTES = 32
_OPENING, _CLOSING = b"<>"  # numbers: Python finds them faster than byte strings of one
ORIGIN_BYTES = 32
BODY_BYTES = 32
DOMAIN = b"weft/v1/claim\0"
_new = tuple.__new__
"""The named tuple's own constructor takes three times as long."""

Scanned = tuple[
    int, int, bytes, tuple[bytes, ...], bool, tuple[bytes, ...], bytes, bytes, bytes, bytes, bytes, bytes, bytes,
    tuple[bytes, ...],
]  # fmt: skip
"""One scanned message, as `weft.sources.evidence` gives it: its place, then the fields of a claim up to its aliases."""


class Claim(NamedTuple):
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
    weak_in_reply_to: bytes = b""
    weak_references: bytes = b""
    """Which of the ids are weak (`weft.core.references`): they count only where some claim is about them."""
    aliases: tuple[bytes, ...] = ()
    """Other ids that the mail states for itself (`weft.core.alias`): hints, which place nothing."""
    edition: int = 0
    """How often its origin has said the same again after it had withdrawn it; it decides nothing."""

    @property
    def first_edition(self) -> Claim:
        """The same as it is said for the first time, which is what its mail makes."""
        return self._replace(edition=0) if self.edition else self

    @property
    def doubtful(self) -> bool:
        """Whether it has weak ids, so that what it says depends on other claims."""
        return bool(self.weak_in_reply_to or self.weak_references)

    @property
    def marked(self) -> tuple[Marked, Marked]:
        """In-Reply-To and References with their marks."""
        return Marked(self.in_reply_to, self.weak_in_reply_to), Marked(self.references, self.weak_references)

    @property
    def sure_ids(self) -> set[bytes]:
        """The ids that it names whatever others say."""
        return {name for ids in self.marked for name in ids.counting(_none_counts)}

    @property
    def weak_ids(self) -> tuple[bytes, ...]:
        """The ids that are weak in one of the lists, sorted; in the other one they may be sure."""
        return tuple(sorted({name for ids in self.marked for name in ids.weak_ones})) if self.doubtful else ()

    def counting(self, counts: Callable[[bytes], bool]) -> Claim:
        """The same claim with those ids that count and no weak ones; ``counts``: whether some claim is about an id."""
        if not self.doubtful:
            return self
        replies, references = (tuple(ids.counting(counts)) for ids in self.marked)
        return self._replace(
            in_reply_to=replies, sane=self.sane and bool(replies), references=references,
            weak_in_reply_to=b"", weak_references=b"",
        )  # fmt: skip

    @property
    def feed(self) -> Feed:
        """(origin, list): where all rights are decided."""
        return Feed(self.origin, self.list)


class Withdrawal(NamedTuple):
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


def _none_counts(_: bytes) -> bool:
    return False


def claim_of(record: Scanned, origin: bytes, list_name: bytes) -> Claim:
    """The claim of ``origin`` about a scanned message on its list."""
    return _new(Claim, (origin, list_name, *record[2:], 0))


def encode(claim: Claim | Withdrawal) -> bytes:
    """The bytes of a claim: there is one way to write it (`weft.core.claim_encoding`)."""
    if isinstance(claim, Withdrawal):
        withdrawal = wire.Withdrawal(
            origin=claim.origin, list=claim.list, target=claim.target, message_id=claim.message_id
        )
        return wire.AnyClaim(withdrawal=withdrawal).SerializeToString(deterministic=True)
    return encode_mail(claim)


def claim_id(data: bytes) -> bytes:
    """The 32 bytes that name a claim.  Receivers compute it; nobody is believed about it."""
    return sha256(DOMAIN + data).digest()


def parse_claim_id(text: str) -> bytes | None:
    """The claim id that 64 hex digits name; None if they name none."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return data if len(data) == ID_BYTES else None


def parse(data: bytes) -> Claim | Withdrawal:
    """The claim that ``data`` are; `ClaimError` with the reason for whatever breaks a rule."""
    if len(data) > MAX_CLAIM:
        raise _refused(f"it has {len(data)} bytes, at most {MAX_CLAIM} are taken")
    values = decode_mail(data)
    if values is not None:
        _check_mail(values)
        return _new(Claim, values)
    claim = _read_by_library(data)
    if encode(claim) != data:
        raise _refused("its bytes are not the one encoding of what they say")
    return claim


def _read_by_library(data: bytes) -> Claim | Withdrawal:
    """What protobuf makes of bytes: a withdrawal, or what is wrong with a claim of mail."""
    try:
        message = wire.AnyClaim.FromString(data)
    except DecodeError:
        raise _refused("its bytes are not a message of the schema") from None
    kind = message.WhichOneof("kind")
    if kind == "withdrawal":
        return _withdrawal(message.withdrawal)
    if kind != "mail":
        raise _refused("it is of a kind that is not known here")
    mail = message.mail
    values = (
        mail.origin, mail.list, mail.message_id, tuple(mail.in_reply_to), mail.sane, tuple(mail.references), mail.date,
        mail.subject, mail.author, mail.archived_at, mail.body, mail.weak_in_reply_to, mail.weak_references,
        tuple(mail.aliases), mail.edition,
    )  # fmt: skip
    _check_mail(values)
    _check_ids("in_reply_to", values[3], MAX_IN_REPLY_TO, values[2])
    _check_ids("references", values[5], MAX_REFERENCES, values[2])
    return Claim(*values)


def _check_mail(values: MailFields) -> None:
    """`ClaimError` for fields that break a rule; that no id in a list is empty is taken for granted."""
    (
        origin, list_name, own, replies, sane, references, date, subject, author, archived_at, body, weak_replies,
        weak_references, aliases, edition,
    ) = values  # fmt: skip
    _check_label(origin, list_name, own)
    if ids := replies + references:
        joined = b"\n".join(ids)
        if (
            _OPENING in joined
            or _CLOSING in joined
            or joined.find(b"sha256:") >= 0
            or own in ids
            or max(map(len, ids)) > MAX_ID_BYTES
            or not len(set(references)) == len(references) <= MAX_REFERENCES
            or (len(replies) > 1 and not len(set(replies)) == len(replies) <= MAX_IN_REPLY_TO)
        ):
            _check_ids("in_reply_to", replies, MAX_IN_REPLY_TO, own)
            _check_ids("references", references, MAX_REFERENCES, own)
    if sane and len(replies) != 1:
        raise _refused("sane: in_reply_to has not exactly one id")
    if len(date) > MAX_DATE:
        raise _too_long("date", date, MAX_DATE)
    if len(subject) > MAX_SUBJECT and len(subject) > most_of_subject(subject):
        raise _too_long("subject", subject, most_of_subject(subject))
    if len(author) > MAX_AUTHOR and len(author) > most_of_author(author):
        raise _too_long("author", author, most_of_author(author))
    if len(archived_at) > MAX_URL:
        raise _too_long("archived_at", archived_at, MAX_URL)
    if body and len(body) != BODY_BYTES:
        raise _refused(f"body: it has {len(body)} bytes, not {BODY_BYTES} or none")
    if aliases:
        _check_ids("aliases", aliases, MAX_ALIASES, own)
    if edition > MAX_EDITION:
        raise _refused(f"edition: it is {edition}, at most {MAX_EDITION} is taken")
    if weak_replies or weak_references:
        weak = (("weak_in_reply_to", weak_replies, replies), ("weak_references", weak_references, references))
        for field, mask, ids in weak:
            if not is_mask(mask, len(ids)):
                raise _refused(f"{field}: it is not the shortest bit mask of {len(ids)} ids")


def _withdrawal(message: wire.Withdrawal) -> Withdrawal:
    _check_label(message.origin, message.list, message.message_id)
    if len(message.target) != ID_BYTES:
        raise _refused(f"target: it has {len(message.target)} bytes, not {ID_BYTES}")
    return Withdrawal(message.origin, message.list, message.target, message.message_id)


def _check_label(origin: bytes, list_name: bytes, message_id: bytes) -> None:
    if problem := _feed_problem(origin, list_name):
        raise _refused(problem)
    if problem := key_problem(message_id):
        raise _refused(f"message_id: {problem}")


def _check_ids(field: str, ids: tuple[bytes, ...], most: int, own: bytes) -> None:
    if len(ids) > most:
        raise _refused(f"{field}: {len(ids)} ids, at most {most} are taken")
    for name in ids:
        if problem := key_problem(name):
            raise _refused(f"{field}: {problem}")
    if len(set(ids)) != len(ids):
        raise _refused(f"{field}: an id stands there twice")
    if own in ids:
        raise _refused(f"{field}: the message's own id stands there")


@lru_cache(maxsize=1024)
def _feed_problem(origin: bytes, list_name: bytes) -> str:
    """Why they cannot be a feed; empty if they can.  Claims come by the thousand for one feed."""
    if problem := ed25519.key_problem(origin):
        return f"origin: {problem}"
    try:
        check_list_bytes(list_name)
    except ValueError as error:
        return f"list: {error}"
    return ""


def _too_long(field: str, value: bytes, most: int) -> ClaimError:
    return _refused(f"{field}: it has {len(value)} bytes, at most {most} are taken")


def _refused(reason: str) -> ClaimError:
    return ClaimError(f"claim refused: {reason}")
