"""The beginning of a session: two hellos, the agreement that follows from them, and the key of the sketches.

Theory of operation
-------------------
Each side says what it serves, what it admits, what it takes at most, and which sketches it kept for the other.  Nothing
of that gives a right: what a side serves and stores, its own policy decides again, claim by claim.

The caller says whose key it is.  If both kept sketches of this agreement under one key, that one; else, or when it is
time, a new one.  A new pair lists its ids.  A peer that always brings a new key makes us read our whole log each time,
so the shell must not let it call as often as it likes.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from weft.core.feed import Feed
from weft.errors import LocalProtocolError, RemoteProtocolError, StoreError
from weft.exchange.agreement import DIGEST_OCTETS, Agreement, Stated, agree
from weft.exchange.cursors import CURSOR_OCTETS, Asked
from weft.exchange.feeds import Feeds, admitted, read_feeds, served
from weft.exchange.kept import MARK_OCTETS, Kept, load
from weft.exchange.mapping import KEY_OCTETS
from weft.exchange.setup import Setup
from weft.v1 import exchange_pb2 as wire

VERSION = 1
_NEXT = b"weft/v1/cursor\0"


class Handshake:
    """One side of it."""

    def __init__(self, setup: Setup, kept: bytes, asked: Asked | None, spent: Iterable[Feed]) -> None:
        """``kept`` are sketches; ``spent`` feeds of which the peer handed us enough for today."""
        self._setup = setup
        threads = (setup.mode or setup.policy.peers[setup.peer].mode) == "threads"
        self._ours = Stated(served(setup.policy, setup.peer), admitted(setup.policy, setup.peer, spent), threads)
        self._kept = _load(kept)
        self._asked = asked if threads else None
        self.next = sha256(_NEXT + setup.key).digest()[:CURSOR_OCTETS]
        """What the peer may show as its cursor in a later session."""
        self._agreement: Agreement | None = None
        self._fits: Kept | None = None
        """What both kept, if it is of this agreement."""

    def hello(self) -> wire.Hello:
        """Ours."""
        return wire.Hello(
            version=VERSION,
            limits=self._setup.limits.to_message(),
            serves=self._ours.serves.to_message(),
            admits=None if self._ours.admits == self._ours.serves else self._ours.admits.to_message(),
            takes=wire.Mode.THREADS if self._ours.threads else wire.Mode.MIRROR,
            kept=self._kept.mark if self._kept else b"",
            live=self._setup.live,
            cursor=self._asked.cursor if self._asked else b"",
            next=self.next,
            carries=(self._setup.carries & self._ours.serves).to_message(),
        )

    def read(self, hello: wire.Hello) -> tuple[Agreement, Feeds]:
        """What follows from theirs, and what they say that they carry whole."""
        if hello.version != VERSION:
            raise RemoteProtocolError(f"hello: version {hello.version} is not spoken here, but {VERSION}", "version")
        if hello.takes not in (wire.Mode.MIRROR, wire.Mode.THREADS):
            raise RemoteProtocolError(f"hello: mode {hello.takes} is not known here", "takes")
        if len(hello.kept) not in (0, MARK_OCTETS):
            raise RemoteProtocolError(f"hello: kept has not {MARK_OCTETS} octets")
        if len(hello.cursor) not in (0, CURSOR_OCTETS) or len(hello.next) != CURSOR_OCTETS:
            raise RemoteProtocolError(f"hello: a cursor has not {CURSOR_OCTETS} octets")
        serves = read_feeds(hello.serves)
        admits = read_feeds(hello.admits) if hello.HasField("admits") else serves
        theirs = Stated(serves, admits, hello.takes == wire.Mode.THREADS)
        self._agreement = agree(self._setup.caller, self._ours, theirs)
        kept = self._kept
        if kept is not None and kept.digest == self._agreement.digest and kept.mark == hello.kept:
            self._fits = kept
        return self._agreement, read_feeds(hello.carries)

    def propose(self) -> tuple[wire.Agreement, Kept]:
        """What the caller says, and the key and sketches with which it goes on."""
        digest = self._digest()
        if not self._mirrors():
            return wire.Agreement(digest=digest[:DIGEST_OCTETS]), Kept(digest, self._setup.key)
        new = self._fits is None or self._setup.renew
        message = wire.Agreement(
            digest=digest[:DIGEST_OCTETS], key=self._setup.key if new else b"", listing=self._fits is None
        )
        return message, Kept(digest, self._setup.key) if new or self._fits is None else self._fits

    def accept(self, message: wire.Agreement) -> Kept:
        """The key and sketches with which the answerer goes on."""
        digest = self._digest()
        if message.digest != digest[:DIGEST_OCTETS]:
            raise RemoteProtocolError("agreement: it is not the one that follows from the hellos")
        if not self._mirrors():
            return Kept(digest, self._setup.key)
        if message.key:
            if not self._setup.takes_new_key:
                raise RemoteProtocolError("agreement: too many new keys; go on with that of the pair", "new_keys")
            if len(message.key) != KEY_OCTETS:
                raise RemoteProtocolError(f"agreement: its key has {len(message.key)} octets, not {KEY_OCTETS}")
            return Kept(digest, message.key)
        if self._fits is None:
            raise RemoteProtocolError("agreement: there is no kept key")
        return self._fits

    def _mirrors(self) -> bool:
        return self._agreement is not None and bool(self._agreement.mirrored)

    def _digest(self) -> bytes:
        if self._agreement is None:
            raise LocalProtocolError("there is no agreement before the hello")
        return self._agreement.digest


def _load(octets: bytes) -> Kept | None:
    """What was kept, unless it cannot be read: then it is made anew."""
    try:
        return load(octets) if octets else None
    except StoreError:
        return None
