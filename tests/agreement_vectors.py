"""Agreements as test vectors: two hellos, the scopes that follow, their digest, and what names a kept sketch."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from tests.store.factories import Origin
from weft.core.feed import ALL_LISTS, Lists
from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Scope, StatedFeeds, agree
from weft.exchange.limits import Limits
from weft.exchange.resumption import KeptSketches
from weft.policy.feed_ranges import FeedRanges, read_feed_ranges
from weft.v1 import exchange_pb2 as wire

KEY = sha256(b"key").digest()
A, B, C = sorted(Origin(name).public for name in ("a", "b", "c"))
ALL = FeedRanges({A: ALL_LISTS, B: ALL_LISTS})
GIT, DEV = FeedRanges({A: Lists(frozenset((b"git",)))}), FeedRanges({A: Lists(frozenset((b"dev",)))})
BUT_GIT = FeedRanges({A: Lists(frozenset((b"git",)), all_but=True)})
NONE = FeedRanges({})

Stated = tuple[FeedRanges, FeedRanges | None, bool]
"""What a side serves, what it admits, and whether it asks for threads."""

_CASES: dict[str, tuple[Stated, Stated]] = {
    "both mirror all": ((ALL, None, False), (ALL, None, False)),
    "nothing in common": ((GIT, None, False), (DEV, None, False)),
    "the caller serves more than the answerer admits": ((ALL, GIT, False), (GIT, DEV, False)),
    "all lists but one": ((ALL, None, False), (BUT_GIT, GIT, False)),
    "two sides name different exceptions": (
        (FeedRanges({A: Lists(frozenset((b"git", b"x")), all_but=True)}), None, False),
        (FeedRanges({A: Lists(frozenset((b"dev",)), all_but=True), C: ALL_LISTS}), None, False),
    ),
    "the caller asks for its threads": ((ALL, None, True), (ALL, None, False)),
    "the answerer asks for its threads": ((GIT, ALL, False), (ALL, GIT, True)),
    "both ask for their threads": ((ALL, None, True), (ALL, None, True)),
    "the answerer admits nothing": ((ALL, ALL, False), (ALL, NONE, False)),
    "names that are not ASCII": (
        (FeedRanges({B: Lists(frozenset(("größe".encode(), b"a b")))}), None, False),
        (ALL, None, False),
    ),
}  # fmt: skip


def _hello(stated: Stated) -> wire.Hello:
    serves, admits, threads = stated
    return wire.Hello(
        version=1,
        limits=Limits().to_message(),
        serves=serves.to_message(),
        admits=None if admits is None else admits.to_message(),
        takes=wire.Mode.MODE_THREADS if threads else wire.Mode.MODE_MIRROR,
        next=bytes(16),
    )


def _case(name: str, caller: Stated, answerer: Stated) -> object:
    ours, theirs = (
        StatedFeeds(serves, serves if admits is None else admits, threads)
        for serves, admits, threads in (caller, answerer)
    )
    agreement = agree(True, ours, theirs)
    return {
        "name": name,
        "caller": _bytes(_hello(caller)).hex(),
        "answerer": _bytes(_hello(answerer)).hex(),
        "scopes": {
            scope.name: {"asked": scope in agreement.threads, "ranges": _ranges(feeds)}
            for scope, feeds in agreement.feeds.items()
        },
        "digest": agreement.digest.hex(),
        "kept": KeptSketches(agreement.digest, KEY).mark.hex(),
    }


def _ranges(feeds: FeedRanges) -> object:
    return [
        {"origin": one.origin.hex(), "all_but": one.all_but, "lists": [name.hex() for name in one.lists]}
        for one in feeds.ranges()
    ]


def _bytes(message: wire.Hello | wire.Feeds) -> bytes:
    return message.SerializeToString(deterministic=True)


def _refused() -> Iterator[tuple[str, wire.Feeds]]:
    one = wire.FeedRange(origin=B, lists=[b"git"])
    yield "origins: 31 bytes", wire.Feeds(origins=A[:31])
    yield "origins: not ascending", wire.Feeds(origins=B + A)
    yield "origins: twice", wire.Feeds(origins=A + A)
    yield "ranges: an origin of 31 bytes", wire.Feeds(ranges=[wire.FeedRange(origin=A[:31], lists=[b"git"])])
    yield "ranges: not ascending", wire.Feeds(ranges=[one, wire.FeedRange(origin=A, lists=[b"git"])])
    yield "ranges: an origin twice", wire.Feeds(ranges=[one, one])
    yield "ranges: an origin of origins", wire.Feeds(origins=B, ranges=[one])
    yield "lists: not ascending", wire.Feeds(ranges=[wire.FeedRange(origin=B, lists=[b"git", b"dev"])])
    yield "lists: twice", wire.Feeds(ranges=[wire.FeedRange(origin=B, lists=[b"git", b"git"])])
    yield "lists: a name with a slash", wire.Feeds(ranges=[wire.FeedRange(origin=B, lists=[b"a/b"])])
    yield "lists: a name that is not UTF-8", wire.Feeds(ranges=[wire.FeedRange(origin=B, lists=[b"caf\xe9"])])


def is_refused(feeds: wire.Feeds) -> bool:
    """Whether a hello with these is."""
    try:
        read_feed_ranges(feeds)
    except RemoteProtocolError:
        return True
    return False


def content() -> object:
    """The contents of ``agreement.json``."""
    assert all(is_refused(feeds) for _, feeds in _refused())
    assert {scope.name for scope in Scope} == {"BOTH", "TO_CALLER", "TO_ANSWERER"}
    return {
        "key": KEY.hex(),
        "accepted": [_case(name, *sides) for name, sides in _CASES.items()],
        "refused": [{"rule": rule, "feeds": _bytes(feeds).hex()} for rule, feeds in _refused()],
    }
