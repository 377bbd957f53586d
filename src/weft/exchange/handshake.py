"""The beginning of a session: two hellos, the agreement that follows from them, and the key of the sketches.

Theory of operation
-------------------
Each side says what it serves, what it admits, what it takes at most, and which sketches it kept for the other.  Nothing
of that gives a right: what a side serves and stores, its own policy decides again, claim by claim.

The caller says whose key it is.  If both kept sketches of this agreement under one key, that one; else, or when it is
time, a new one.  A new pair lists its ids.  A peer that always brings a new key makes us read all of the agreed feeds
each time, so the shell must not let it call as often as it likes.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from weft.core.feed import Feed
from weft.errors import LocalProtocolError, RemoteProtocolError, StoreError
from weft.exchange.agreement import DIGEST_BYTES, Agreement, StatedFeeds, agree
from weft.exchange.configuration import Configuration
from weft.exchange.resumption import CURSOR_BYTES, MARK_BYTES, KeptSketches, RequesterCursor, load_sketches
from weft.exchange.riblt.mapping import KEY_BYTES
from weft.policy.feed_ranges import FeedRanges, admitted, own_feeds, read_feed_ranges, served
from weft.v1 import exchange_pb2 as wire

VERSION = 1
_NEXT = b"weft/v1/cursor\0"


class Handshake:
    """One side of it."""

    def __init__(
        self, configuration: Configuration, kept: bytes, asked: RequesterCursor | None, spent: Iterable[Feed]
    ) -> None:
        """``kept`` are sketches; ``spent`` feeds of which the peer handed us enough for today."""
        self._configuration = configuration
        threads = (configuration.mode or configuration.policy.peers[configuration.peer].mode) == "threads"
        admits = admitted(configuration.policy, configuration.peer, spent)
        if configuration.recovers:
            threads, admits = False, admits & own_feeds(configuration.policy)
        self._ours = StatedFeeds(served(configuration.policy, configuration.peer), admits, threads)
        self._kept = _load(kept)
        self._asked = asked if threads else None
        self.next = sha256(_NEXT + configuration.key).digest()[:CURSOR_BYTES]
        """What the peer may show as its cursor in a later session."""
        self._agreement: Agreement | None = None
        self._fits: KeptSketches | None = None
        """What both kept, if it is of this agreement."""

    def hello(self) -> wire.Hello:
        """Ours."""
        return wire.Hello(
            version=VERSION,
            limits=self._configuration.limits.to_message(),
            serves=self._ours.serves.to_message(),
            admits=None if self._ours.admits == self._ours.serves else self._ours.admits.to_message(),
            takes=wire.Mode.MODE_THREADS if self._ours.threads else wire.Mode.MODE_MIRROR,
            kept=self._kept.mark if self._kept else b"",
            live=self._configuration.live,
            cursor=self._asked.cursor if self._asked else b"",
            next=self.next,
            carries=(self._configuration.carries & self._ours.serves).to_message(),
        )

    def read(self, hello: wire.Hello) -> tuple[Agreement, FeedRanges]:
        """What follows from theirs, and what they say that they carry whole."""
        if hello.version != VERSION:
            raise RemoteProtocolError(f"hello: version {hello.version} is not spoken here, but {VERSION}", "version")
        if hello.takes not in (wire.Mode.MODE_MIRROR, wire.Mode.MODE_THREADS):
            raise RemoteProtocolError(f"hello: mode {hello.takes} is not known here", "takes")
        if len(hello.kept) not in (0, MARK_BYTES):
            raise RemoteProtocolError(f"hello: kept has not {MARK_BYTES} bytes")
        if len(hello.cursor) not in (0, CURSOR_BYTES) or len(hello.next) != CURSOR_BYTES:
            raise RemoteProtocolError(f"hello: a cursor has not {CURSOR_BYTES} bytes")
        serves = read_feed_ranges(hello.serves)
        admits = read_feed_ranges(hello.admits) if hello.HasField("admits") else serves
        theirs = StatedFeeds(serves, admits, hello.takes == wire.Mode.MODE_THREADS)
        self._agreement = agree(self._configuration.caller, self._ours, theirs)
        kept = self._kept
        if kept is not None and kept.digest == self._agreement.digest and kept.mark == hello.kept:
            self._fits = kept
        return self._agreement, read_feed_ranges(hello.carries)

    def propose(self) -> tuple[wire.Agreement, KeptSketches]:
        """What the caller says, and the key and sketches with which it goes on."""
        digest = self._digest()
        if not self._mirrors():
            return wire.Agreement(digest=digest[:DIGEST_BYTES]), KeptSketches(digest, self._configuration.key)
        new = self._fits is None or self._configuration.renew
        message = wire.Agreement(
            digest=digest[:DIGEST_BYTES], key=self._configuration.key if new else b"", listing=self._fits is None
        )
        return message, KeptSketches(digest, self._configuration.key) if new or self._fits is None else self._fits

    def accept(self, message: wire.Agreement) -> KeptSketches:
        """The key and sketches with which the answerer goes on."""
        digest = self._digest()
        if message.digest != digest[:DIGEST_BYTES]:
            raise RemoteProtocolError("agreement: it is not the one that follows from the hellos")
        if not self._mirrors():
            if message.key or message.listing:
                raise RemoteProtocolError("agreement: it has a key or asks for lists, and nothing is mirrored")
            return KeptSketches(digest, self._configuration.key)
        if message.key:
            if not self._configuration.takes_new_key:
                raise RemoteProtocolError("agreement: too many new keys; go on with that of the pair", "new_keys")
            if len(message.key) != KEY_BYTES:
                raise RemoteProtocolError(f"agreement: its key has {len(message.key)} bytes, not {KEY_BYTES}")
            return KeptSketches(digest, message.key)
        if self._fits is None:
            raise RemoteProtocolError("agreement: there is no kept key")
        return self._fits

    def _mirrors(self) -> bool:
        return self._agreement is not None and bool(self._agreement.mirrored)

    def _digest(self) -> bytes:
        if self._agreement is None:
            raise LocalProtocolError("there is no agreement before the hello")
        return self._agreement.digest


def _load(data: bytes) -> KeptSketches | None:
    """What was kept, unless it cannot be read: then it is made anew."""
    try:
        return load_sketches(data) if data else None
    except StoreError:
        return None
