"""Which copy of a message is shown, and how many different contents stand under its id.

The copy that is shown is the first by `Rank`: the best tier (own feeds before those of others), the name of the list,
the origin, and the place in the archive or log.  A poster chooses none of these: neither a Date nor a digest that was
tried until it is small puts a copy before another one, and who posts later stands behind.

Copies of one id are **variants** of each other if they differ in who wrote them or in the body, beyond what lists do.
Lists edit subjects (prefixes), bodies (footers) and senders (`weft.core.sender`), and of a body there is a digest only.
So, of copies of one sender:

* on one list every other body is another content: a list does to each copy the same;
* on different lists another body is what footers make, unless the base subject (RFC 5256) differs too;
* an equal body is the same content, whatever the subject.

All of it is a function of the set of copies, linear in their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from weft.core.author import decode_author
from weft.core.sender import Sender, read_sender
from weft.core.subject import base_subject, decode_text

if TYPE_CHECKING:
    from weft.core.claim import Claim
    from weft.v1 import claim_pb2 as wire


class Rank(NamedTuple):
    """Where a copy stands among those of its id; the smallest is shown.

    ``place``: in a rebuild (number of the source, offset), sources being sorted by path; in an index (batch in the
    order of arrival, leaf), so that servers agree about the copies in one batch whatever way it came.
    """

    tier: int
    list: bytes
    origin: bytes
    place: tuple[int, int]


class Content(NamedTuple):
    """What decides whether a copy has the same content as another one."""

    feed: Hashable
    """The list, or the origin and the list, on which it was seen."""
    sender: Sender
    subject: str
    """The base subject, without regard to case."""
    body: Hashable


def count_variants(copies: Iterable[Content]) -> int:
    """How many different contents there are: 0 of no copies, and mostly 1."""
    found = list(dict.fromkeys(copies))
    if len(found) < 2:
        return len(found)
    groups: dict[tuple[str, str], list[Content]] = defaultdict(list)
    for copy, sender in zip(found, same_senders([copy.sender for copy in found]), strict=True):
        groups[sender].append(copy)
    return sum(map(_contents, groups.values()))


def content_of(claim: Claim | wire.Claim) -> Content:
    """What a claim says of the content of its message."""
    return Content(
        (claim.origin, claim.list),
        read_sender(decode_author(claim.author), claim.list.decode("utf-8", "replace")),
        base_subject(decode_text(claim.subject))[0].casefold(),
        claim.body,
    )


def same_senders(senders: Sequence[Sender]) -> list[tuple[str, str]]:
    """For each sender whom it stands for: those without a name, or without an address, go with one that has both."""
    known = sorted({sender[:2] for sender in senders}, reverse=True)
    same = {(address, ""): (address, name) for address, name in known if name}
    same |= {("", name): (address, name) for address, name in known if name and address}
    return [same.get(sender[:2], sender[:2]) for sender in senders]


def _contents(copies: Sequence[Content]) -> int:
    """How many contents one sender has.  Those with an equal body or base subject belong together (union-find)."""
    above: dict[Hashable, Hashable] = {}

    def top(key: Hashable) -> Hashable:
        while above.setdefault(key, key) != key:
            above[key] = key = above[above[key]]
        return key

    for copy in copies:
        above[top((0, copy.subject))] = top((1, copy.body))
    bodies: dict[Hashable, dict[Hashable, set[Hashable]]] = defaultdict(lambda: defaultdict(set))
    for copy in copies:
        bodies[top((1, copy.body))][copy.feed, copy.sender.rendered].add(copy.body)
    return sum(max(map(len, feeds.values())) for feeds in bodies.values())
