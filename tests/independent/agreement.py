"""Section 4: feeds, hellos and what follows from two of them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from tests.independent.claims import check_list
from tests.independent.messages import last, message, need

Lists = tuple[bool, frozenset[bytes]]
"""All but these, or these."""


def both(one: Lists, other: Lists) -> Lists:
    """What is in both."""
    if one[0] and other[0]:
        return True, one[1] | other[1]
    if one[0] or other[0]:
        some, but = (other, one) if one[0] else (one, other)
        return False, some[1] - but[1]
    return False, one[1] & other[1]


Feeds = dict[bytes, Lists]


def meet(one: Feeds, other: Feeds, *, but: bool = False) -> Feeds:
    """What is in both sets, or in the one ``but`` not in the other."""
    nothing: Lists = (False, frozenset())
    others = {origin: other.get(origin, nothing) for origin in one}
    if but:
        others = {origin: (not all_but, names) for origin, (all_but, names) in others.items()}
    found = {origin: both(lists, others[origin]) for origin, lists in one.items()}
    return {origin: lists for origin, lists in sorted(found.items()) if lists[0] or lists[1]}


def ascending(items: Sequence[bytes]) -> bool:
    """Each once."""
    return all(before < after for before, after in pairwise(items))


def read_feeds(data: bytes) -> Feeds:
    """The feeds of a hello."""
    fields = message(data)
    whole = last(fields[1])
    origins = [whole[at : at + 32] for at in range(0, len(whole), 32)]
    ranges = [message(one) for one in fields[2]]
    ranged = [last(one[1]) for one in ranges]
    need(ascending(origins) and ascending(ranged) and not set(origins) & set(ranged))
    need(all(len(origin) == 32 for origin in origins + ranged))
    found: Feeds = {origin: (True, frozenset()) for origin in origins}
    for origin, one in zip(ranged, ranges, strict=True):
        need(ascending(one[2]))
        for name in one[2]:
            check_list(name)
        found[origin] = (last(one[3], 0) == 1, frozenset(one[2]))
    return meet(found, {origin: (True, frozenset()) for origin in found})


class Stated(NamedTuple):
    """What a hello says."""

    serves: Feeds
    admits: Feeds
    asks: bool


def read_hello(data: bytes) -> Stated:
    """A hello, as far as the agreement depends on it."""
    fields = message(data)
    serves = read_feeds(last(fields[3]))
    return Stated(serves, read_feeds(fields[4][-1]) if fields[4] else serves, fields[5] == [2])


def agree(caller: Stated, answerer: Stated) -> tuple[dict[str, tuple[bool, Feeds]], bytes]:
    """The scopes with feeds, whether they are asked, and the digest."""
    to_caller, to_answerer = meet(answerer.serves, caller.admits), meet(caller.serves, answerer.admits)
    mirrored = {} if caller.asks or answerer.asks else meet(to_caller, to_answerer)
    scopes = {
        "BOTH": (False, mirrored),
        "TO_CALLER": (caller.asks, meet(to_caller, mirrored, but=True)),
        "TO_ANSWERER": (answerer.asks, meet(to_answerer, mirrored, but=True)),
    }
    digest = sha256(b"weft/v1/agreement\0")
    for asked, feeds in scopes.values():
        ranges = b"".join(
            origin + bytes((all_but,)) + len(names).to_bytes(4, "big")
            + b"".join(len(name).to_bytes(2, "big") + name for name in sorted(names))
            for origin, (all_but, names) in feeds.items()
        )  # fmt: skip
        digest.update(bytes((asked and bool(feeds),)) + sha256(ranges).digest())
    return {name: scope for name, scope in scopes.items() if scope[1]}, digest.digest()


def kept_mark(digest: bytes, key: bytes) -> bytes:
    """What names a kept sketch."""
    return sha256(b"weft/v1/kept-sketch\0" + digest + key).digest()[:16]
