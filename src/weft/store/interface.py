"""What a store is: a grow-only set of claims, in a log, that answers two questions.

Theory of operation
-------------------
A store keeps claims as the bytes that came, with the batch that proves them, in a **log**: each new claim gets the
next **position**.  Positions are local and say nothing to others.  Putting is idempotent: what is held already is
passed over.  The two questions that threading and the exchange ask are "which claims are *about* these ids" and "which
claims *refer to* these ids" (in References or In-Reply-To); a withdrawal is about its message id.  Both are batched
and paged by position.

A store numbers the message ids that it meets (**nodes**), locally as well, so that what is derived from the claims can
be kept as integers.

A store decides nothing: who may put what is decided by the policy before.  What is committed is on disk.
The protocol holds no SQL, so that a shared SQL database can stand behind it as well as SQLite.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from weft.core.claim import Claim, Withdrawal, parse
from weft.core.feed import Feed, Lists
from weft.core.merkle import Multiproof, PartialTree
from weft.core.signing import SignedRoot
from weft.errors import ClaimError

PAGE = 1000
"""How many claims a page has, if the caller does not say."""


class MailLocation(NamedTuple):
    """Where the mail of an own copy lies: a file that `Store.file` knows, and the (offset, length) its source gave."""

    file: int
    offset: int
    length: int


class VerifiedClaim(NamedTuple):
    """A claim on its way in: already parsed, its id computed here and its proof checked by the caller."""

    leaf: int
    """Its place in the batch."""
    identity: bytes
    """32 bytes: its claim id."""
    data: bytes
    parsed: Claim | Withdrawal
    place: MailLocation | None = None


class InsertedClaim(NamedTuple):
    """A claim that `Store.put` kept, with the nodes of the ids in it."""

    position: int
    claim: VerifiedClaim
    node: int
    """Of the message id that it is about."""
    reply_nodes: tuple[int, ...]
    """Of In-Reply-To, in its order."""
    reference_nodes: tuple[int, ...]
    """Of References, in their order."""


class StoredClaim(NamedTuple):
    """A claim as the store holds it."""

    position: int
    """In the log, from 1."""
    identity: bytes
    data: bytes
    """Empty if the claim was expunged here."""
    batch: int
    leaf: int
    place: MailLocation | None


def read_claim(held: StoredClaim) -> Claim | Withdrawal | None:
    """The claim that ``held`` is; None if it was expunged, or is damaged (`Index.check` names it)."""
    return read_bytes(held.data)


def read_bytes(data: bytes | None) -> Claim | Withdrawal | None:
    """The same for the bytes of a claim."""
    try:
        return parse(data) if data else None
    except ClaimError:
        return None


class LogSlice(NamedTuple):
    """A piece of the log, as far as some feeds go."""

    claims: list[StoredClaim]
    end: int
    """All claims of these feeds up to this position are in it; the position it began at if there is nothing beyond."""


class VerifiedPart(NamedTuple):
    """Claims of one batch that come together, with what proves them: the signed root, the known part of its tree.

    Made where claims are signed (`weft.index.ingest.sign_batches`) and where those of others are verified
    (`weft.exchange.claim_proofs.PartVerifier`), and nowhere else: whoever is given one need not check it again.
    The tree may hold leaves of which there is no claim here.
    """

    signed: SignedRoot
    tree: PartialTree
    claims: Sequence[VerifiedClaim]


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """What is remembered of a file that was ingested, so that it is not read again.

    ``path``      absolute, as bytes of the file system in surrogate escapes
    ``list``      the list it belongs to
    ``size mtime_ns inode``   as they were when it was read
    ``resume``    where reading goes on if it grows: the place of its last message, for an mbox that is not compressed
    ``head tail`` SHA-256 of its first and of its last bytes: what tells growth from rotation; of a folder or repository
                  ``head`` is what it says of itself (`weft.sources.source_changes`)
    """

    path: str
    list: str
    size: int
    mtime_ns: int
    inode: int
    resume: int = 0
    head: bytes = b""
    tail: bytes = b""


class Store(Protocol):
    """Claims and what proves them.  All errors are `weft.errors.StoreError`."""

    def transaction(self) -> AbstractContextManager[None]:
        """All writes happen inside one; it commits (and is on disk) at the end, or leaves nothing behind."""

    def put(self, parts: Iterable[VerifiedPart]) -> list[InsertedClaim]:
        """Keep what is not held yet; each new one, in order.  A partial tree joins what is known of its batch.

        Of a claim that is held, a place is taken over if none was known; nothing else of it changes.  `ValueError` if
        a part is not of one piece (`weft.store.batch_proofs.check_part`): that is the caller's mistake.
        """

    def holds(self, identities: Sequence[bytes]) -> set[bytes]:
        """Those of the claim ids that are held and can be proved, expunged ones too."""

    def get(self, identities: Sequence[bytes]) -> list[StoredClaim]:
        """The claims with these ids or 16-byte prefixes of ids, in order of position."""

    def claims_about(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims about any of the message ids, in order of position, from beyond ``after``; expunged ones too."""

    def claims_referring_to(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims that name any of the message ids in References or In-Reply-To, in order of position.

        Not those that were expunged: what they named is forgotten.
        """

    def positions_concerning(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[int]:
        """Where claims about any of the message ids, or that refer to one, stand in the log: ascending, each once."""

    def at(self, positions: Sequence[int]) -> list[StoredClaim]:
        """The claims at these positions, in order; those that are not in the log are left out."""

    def digest_ids(self, most: int) -> bool:
        """Get up to ``most`` message ids ready for `ids_with`, which else does it for all that are new; whether it is
        ready now."""

    def ids_with(self, digests: Sequence[bytes]) -> list[list[bytes]]:
        """For each digest (`weft.core.id_digest`) the message ids here that have it, sorted."""

    def log(self, after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims beyond a position, in order."""

    def log_of(
        self, feeds: Mapping[bytes, Lists], after: int = 0, upto: int | None = None, limit: int = PAGE
    ) -> LogSlice:
        """Claims of some feeds, given by origin, beyond a position and up to another one, in order, at most ``limit``.

        However many claims of other feeds there are, it costs about what it holds.  It may hold fewer than there are:
        who wants more goes on from its end.
        """

    def position(self) -> int:
        """The position of the newest claim, 0 if there is none."""

    def feeds(self) -> dict[Feed, int]:
        """How many claims are held of each feed."""

    def signed(self, batch: int) -> tuple[SignedRoot, PartialTree]:
        """The signed root of a batch and what is known of its tree, whose leaves are the claims held under it."""

    def signed_root(self, batch: int) -> SignedRoot:
        """The signed root of a batch alone; the claims held under it are not read, and it is not checked."""

    def feed(self, batch: int) -> Feed:
        """The feed of a batch, which never changes."""

    def batches_at(self, positions: Sequence[int]) -> dict[int, int]:
        """The batch of the claim at each of these positions that is in the log; nothing of the claims is read."""

    def prove(self, batch: int, leaves: Sequence[int]) -> Multiproof:
        """One proof of held leaves of a batch."""

    def expunge(self, identities: Sequence[bytes]) -> int:
        """Forget the bytes of claims, where they came from and what they named; keep their ids.  How many."""

    def file(self, file: IngestedFile) -> int:
        """Remember the state of a file (by path and list); its number."""

    def files(self) -> dict[int, IngestedFile]:
        """All files that are remembered."""

    def known_file(self, number: int) -> IngestedFile | None:
        """The file with this number; None if it is not remembered."""

    def move_file(self, file: IngestedFile, path: str) -> None:
        """A file lies at another path now, with all places in it; what was known of that path and list is replaced."""

    def rename_files(self, old: str, new: str) -> None:
        """The files of list ``old`` belong to list ``new``; what was known of them there is replaced."""

    def forget_files(self, list_name: str) -> None:
        """The files of a list are read again when they are met again; places in them can no longer be found."""

    def close(self) -> None:
        """Let go of it."""


def claims_of(store: Store, feeds: Mapping[bytes, Lists], after: int, upto: int) -> Iterator[StoredClaim]:
    """Claims of some feeds, given by origin, beyond a position and up to another one, in order, read page by page."""
    before = after - 1
    while before < after < upto:
        before = after
        claims, after = store.log_of(feeds, before, upto, PAGE)
        yield from claims
