"""Mail, files and indexes for the tests of the index, and what an index must show of the claims that it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.core.plain_forest import Claim as PlainClaim
from tests.core.plain_forest import plain_forest
from tests.factories import mail
from weft import Index
from weft.core.claim import Claim, Withdrawal, parse
from weft.core.forest import NONE, ForestBuilder
from weft.model import Message, Thread
from weft.policy.rules import Policy

__all__ = ["Placed", "counted", "expected", "mail", "open_index", "parents", "placed", "plain", "write"]


class Placed(NamedTuple):
    """Where a message stands in the forest."""

    parent: str | None
    ghost: bool
    rivals: tuple[str | None, ...] = ()
    cut: str | None = None


def open_index(folder: Path, policy: Policy | None = None, name: str = "index.db") -> Index:
    """The index in a folder, made if there is none, under the default policy or another."""
    if policy is not None:
        return Index.open(folder / name, policy=policy)
    config = folder / "config.toml"
    config.touch()
    return Index.open(folder / name, policy=config)


def write(path: Path, *mails: bytes) -> Path:
    """An mbox of these messages."""
    path.write_bytes(b"".join(mails))
    return path


def placed(threads: Iterable[Thread]) -> dict[str, Placed]:
    """Where each message of some threads stands; fails if one is shown twice."""
    found: dict[str, Placed] = {}
    for thread in threads:
        for message in thread.messages:
            assert message.id not in found, f"{message.id} is shown twice"
            found[message.id] = Placed(message.parent, message.ghost, message.rivals, message.cut)
    return found


def parents(index: Index) -> dict[str, str | None]:
    """The parent of every id."""
    return {name: where.parent for name, where in placed(index.all_threads()).items()}


def counted(index: Index) -> dict[bytes, Claim]:
    """The claims that count, by their ids, as the rules say it, in the plainest way."""
    policy, after = index.policy, 0
    held: dict[bytes, Claim | Withdrawal] = {}
    while page := index.store.log(after, 1000):
        held.update((one.identity, parse(one.data)) for one in page if one.data)
        after = page[-1].position
    interpreted = {name: one for name, one in held.items() if policy.admits(one.feed) and not policy.muted(name, one)}
    withdrawals = [one for one in interpreted.values() if isinstance(one, Withdrawal)]
    return {
        name: one
        for name, one in interpreted.items()
        if isinstance(one, Claim) and not any(other.withdraws(name, one) for other in withdrawals)
    }


def expected(index: Index) -> dict[str, Placed]:
    """The forest of the claims that count, woven anew."""
    if index.policy.aliases:
        return _expected_plainly(index)
    builder = ForestBuilder(index.policy.view.profile)
    claims = counted(index).values()
    claimed = {claim.message_id for claim in claims}
    for claim in (claim.counting(claimed.__contains__) for claim in claims):
        replies, chain = map(builder.node, claim.in_reply_to), map(builder.node, claim.references)
        tier = index.policy.tier(claim.feed)
        assert tier is not None
        builder.add(builder.node(claim.message_id), list(replies), claim.sane, list(chain), tier)
    forest = builder.forest()
    names = [name.decode("utf-8", "surrogateescape") for name in forest.ids]

    def name(node: int) -> str | None:
        return None if node == NONE else names[node]

    return {
        names[node]: Placed(
            name(parent),
            forest.is_ghost(node),
            tuple(map(name, forest.contested.get(node, ()))),
            name(forest.cuts.get(node, NONE)),
        )
        for node, parent in enumerate(forest.parents)
    }


def _expected_plainly(index: Index) -> dict[str, Placed]:
    """The same by the plain reference, which knows ids that count as others."""

    def text(name: bytes) -> str:
        return name.decode("utf-8", "surrogateescape")

    stream = []
    claims = counted(index).values()
    claimed = {claim.message_id for claim in claims}
    for one in claims:
        claim = one.counting(lambda name: index.policy.meant(name) in claimed)
        tier = index.policy.tier(claim.feed)
        assert tier is not None
        replies, chain = (tuple(map(text, ids)) for ids in (claim.in_reply_to, claim.references))
        stream.append(PlainClaim(text(claim.message_id), chain, replies, claim.sane, tier))
    rules = {text(old): text(new) for old, new in index.policy.aliases.items()}
    forest = plain_forest(stream, rules)
    return {
        name: Placed(
            parent,
            name not in {claim.mid for claim in stream},
            tuple(sorted(forest.rivals.get(name, ()), key=lambda rival: (rival is not None, rival or ""))),
            forest.cuts.get(name),
        )
        for name, parent in forest.parents.items()
    }


def plain(thread: Thread) -> list[object]:
    """A thread without what an index and a rebuild are allowed to tell differently.

    These are the digest, the origins, and the order of copies that stand on one list: a rebuild sorts them by their
    places in its files, an index by those in its log.  So where copies of a list differ, another one may be shown.
    """
    return [_plain(message) for message in thread.messages]


def _plain(message: Message) -> Mapping[str, object]:
    shown = {copy.list: 0 for copy in message.copies}
    for copy in message.copies:
        shown[copy.list] += 1
    row = message._replace(copies=())._asdict()
    if message.copies and shown[message.copies[0].list] > 1:
        assert (message.author, message.subject) == (message.copies[0].author, message.copies[0].subject)
        row |= {"author": "", "subject": "", "stated_date": ""}
    return {**row, "copies": sorted((*copy[:3], copy.date or "") for copy in message.copies)}
