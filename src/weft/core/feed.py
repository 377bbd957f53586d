"""Feeds and sets of feeds: the unit of every right, quota and agreement.

A feed is (origin, list).  In a policy a set of feeds is written as ``"*"`` (all) or as a list of:

==================  =====================================
``own``             all lists of this server
``own/LIST``        one of them
``FINGERPRINT``     all lists of an origin
``FINGERPRINT/LIST``  one of them
==================  =====================================

The name of a list holds no slash, so this can be read in one way only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from weft.core.list_name import check_list_name
from weft.core.signing import fingerprint, parse_fingerprint


class Feed(NamedTuple):
    """What one origin says about one list."""

    origin: bytes
    """An Ed25519 public key."""
    list: bytes


@dataclass(frozen=True, slots=True)
class Lists:
    """Some lists of an origin, or all but some."""

    names: frozenset[bytes] = frozenset()
    all_but: bool = False

    def __contains__(self, name: bytes) -> bool:
        return (name in self.names) is not self.all_but

    def __bool__(self) -> bool:
        return self.all_but or bool(self.names)

    def __and__(self, other: Lists) -> Lists:
        if self.all_but and other.all_but:
            return Lists(self.names | other.names, True)
        if self.all_but:
            return other & self
        return Lists(self.names - other.names if other.all_but else self.names & other.names)

    def __or__(self, other: Lists) -> Lists:
        return ALL_LISTS - ((ALL_LISTS - self) & (ALL_LISTS - other))

    def __sub__(self, other: Lists) -> Lists:
        return self & Lists(other.names, not other.all_but)


ALL_LISTS = Lists(all_but=True)


@dataclass(frozen=True, slots=True)
class FeedSet:
    """Feeds, named one by one, by origin, or all; as a container of `Feed`."""

    everything: bool = False
    origins: frozenset[bytes] = frozenset()
    feeds: frozenset[Feed] = frozenset()

    def __contains__(self, feed: Feed) -> bool:
        return self.everything or feed.origin in self.origins or feed in self.feeds

    def __bool__(self) -> bool:
        return self.everything or bool(self.origins) or bool(self.feeds)

    def written(self, own: bytes | None) -> str | list[str]:
        """As a policy writes it, sorted; `read_feeds` reads it back."""
        if self.everything:
            return "*"
        names = {origin: "own" if origin == own else fingerprint(origin) for origin in self._named()}
        whole = [names[origin] for origin in self.origins]
        return sorted(whole + [f"{names[feed.origin]}/{feed.list.decode()}" for feed in self.feeds])

    def _named(self) -> Iterable[bytes]:
        return self.origins | {feed.origin for feed in self.feeds}


NO_FEEDS = FeedSet()


def read_feeds(written: Sequence[str], own: bytes | None) -> FeedSet:
    """The set that the patterns ``written`` name; `ValueError` says what is wrong with one of them."""
    if "*" in written:
        if len(written) > 1:
            raise ValueError('"*" stands alone')
        return FeedSet(everything=True)
    origins, feeds = set(), set()
    for pattern in written:
        origin_text, slash, name = pattern.partition("/")
        if origin_text != "own":
            origin = parse_fingerprint(origin_text)
        elif own is None:
            raise ValueError('"own" is invalid where there is no key of our own')
        else:
            origin = own
        if not slash:
            origins.add(origin)
            continue
        feeds.add(Feed(origin, check_list_name(name).encode()))
    return FeedSet(False, frozenset(origins), frozenset(feeds))
