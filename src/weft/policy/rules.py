"""Every rule of admission and rank: whose word counts, who may feed and read us, and what is hidden.

Theory of operation
-------------------
Two questions are asked of every value that somebody else supplies: would a spammer want to lie about it, and does the
protocol accept the sender's value?  Here are the answers that do not depend on the forest.  A `Policy` is an explicit
map out of a local file; what it does not name is refused.  Rights are for feeds, never for single claims, or two
servers would offer each other a refused claim for ever.

An **origin** is whose word a claim is; a **peer** is who we talk to.  Whoever hands us a claim is no reason to believe
it, and whom we believe has no right to talk to us: each has its own row.

Tiers rank the feeds that are admitted: 0 our own, 1 trusted, 2 known.  The best tier with something to say about a
message decides, so that no stranger can touch what this server saw itself.  Tiers do not help against the true witness
of a false header; unanimity and the rules of `weft.core.forest` do.

Muting is local and can be undone: it takes claims out of this server's view, not out of what it holds and passes on.

An index that the public may read names its lists (``public``).  No other list is admitted to it then, whoever speaks of
it, so there is nothing in any view that a reader would have to be kept from.

Nothing here does input or output: the caller reads and writes the TOML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from weft.core.alias import resolve_rules
from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed, FeedSet
from weft.core.list_name import check_list_name
from weft.core.signing import fingerprint, parse_fingerprint
from weft.policy.rows import (
    DEFAULT_RETENTION,
    DEFAULT_VIEW,
    NO_MUTES,
    Mute,
    Origin,
    Peer,
    Retention,
    ViewOptions,
    addresses,
    id_text,
    read_aliases,
    read_feed_set,
)
from weft.policy.toml import TomlTable

__all__ = ["Mute", "Origin", "Peer", "Policy", "Retention", "ViewOptions", "parse_policy", "thread_digest", "view_id"]

OWN_TIER = 0
COMMON_TIER = 0
"""The one tier of the common view."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it, resolved.  Equal claims and equal policies give equal views."""

    own: bytes | None = None
    """Our own origin."""
    origins: Mapping[bytes, Origin] = field(default_factory=dict)
    peers: Mapping[bytes, Peer] = field(default_factory=dict)
    view: ViewOptions = DEFAULT_VIEW
    mute: Mute = NO_MUTES
    public: FeedSet | None = None
    """The feeds that anybody may read, and then the only ones that are admitted; None: nothing is declared public."""
    aliases: Mapping[bytes, bytes] = field(default_factory=dict)
    """Ids that count as others (`weft.core.alias`): what a claim says of the first, it says of the second.

    A mail can state any id as another one of its own, and would hang the thread of a message that is missing here
    below itself; so only a rule of ours joins, and it never follows from what mail says.
    """
    retention: Retention = DEFAULT_RETENTION

    def meant(self, message_id: bytes) -> bytes:
        """The id as which an id counts: itself, unless there is a rule."""
        return self.aliases.get(message_id, message_id)

    def tier(self, feed: Feed) -> int | None:
        """The rank of a feed's word; None: not admitted, which is the default.

        An origin can lie in every claim, so an unknown one changes nothing; and it can claim to carry any list, so
        its row says of which ones it may speak.  That the claim is the origin's is proved by a signature beforehand.
        """
        if self.public is not None and feed not in self.public:
            return None
        if feed.origin == self.own:
            return OWN_TIER
        row = self.origins.get(feed.origin)
        if row is None or (row.lists is not None and feed.list not in row.lists):
            return None
        return row.tier

    def admits(self, feed: Feed) -> bool:
        """Whether claims of this feed are kept and shown at all."""
        return self.tier(feed) is not None

    def may_feed(self, peer: bytes, feed: Feed) -> bool:
        """Whether ``peer`` may hand us claims of ``feed``.

        A peer cannot forge claims, but it can flood and withhold: so it needs a row for what it relays, and quotas.
        Our own claims are taken from any peer that may feed us anything: after a restore they are what we lost, and
        nobody else can have signed them.
        """
        row = self.peers.get(peer)
        if row is None or not self.admits(feed):
            return False
        return feed in row.may_feed or (feed.origin == self.own and bool(row.may_feed))

    def may_read(self, peer: bytes, feed: Feed) -> bool:
        """Whether ``peer`` may see ``feed``: its claims, and that they exist.

        A peer can ask for every id there is; it learns only of feeds that its row names.  Private lists are safe as
        long as nobody writes them, or ``"*"``, into a row.
        """
        row = self.peers.get(peer)
        return row is not None and feed in row.may_read and self.admits(feed)

    def carries_whole(self, peer: bytes, feed: Feed) -> bool:
        """Whether ``peer`` is believed when it says that it carries ``feed`` whole.

        It can lie, and then coverage is overstated; so only an origin is believed about its own feeds, and a peer
        about those that its row lists.
        """
        row = self.peers.get(peer)
        return row is not None and (feed.origin == peer or feed in row.mirror_of)

    def muted(self, identity: bytes, claim: Claim | Withdrawal) -> str | None:
        """Why a claim is hidden here; None if it is not.

        An author can write any From and so evade a muted address, but cannot hide others with it: only the claim that
        has the address is hidden.  A withdrawal that is muted withdraws nothing in this view.
        """
        mute = self.mute
        if identity in mute.claims:
            return "the claim is muted"
        if mute.feeds and claim.feed in mute.feeds:
            return "the feed is muted"
        if claim.message_id in mute.ids:
            return "the message id is muted"
        if mute.authors and isinstance(claim, Claim) and not mute.authors.isdisjoint(addresses(claim.author)):
            return "the author is muted"
        return None

    def muted_edge(self, child: bytes, parent: bytes) -> str | None:
        """Why "``parent`` is the parent of ``child``" is not heard here; None if it is.

        Undoes a hijack, or one rival of a contested edge, without hiding the message.
        """
        return "the edge is muted" if (child, parent) in self.muted_edges else None

    @property
    def muted_edges(self) -> frozenset[tuple[bytes, bytes]]:
        """(child, parent) of the edges that are not heard, also as aliases make them."""
        edges = self.mute.edges
        return edges | {(self.meant(child), self.meant(parent)) for child, parent in edges} if self.aliases else edges

    def without(self, origin: bytes) -> Policy:
        """The same policy as if ``origin``, which may be our own, had no say."""
        origins = {key: row for key, row in self.origins.items() if key != origin}
        return replace(self, own=None if origin == self.own else self.own, origins=origins)

    def common(self) -> Policy:
        """The common view: all that is admitted in one tier, nothing muted, no options.

        Servers that admit the same claims have it in common, whoever they are; only views like this are compared.
        """
        origins = {key: replace(row, tier=COMMON_TIER) for key, row in self.origins.items()}
        return Policy(self.own, origins, self.peers, public=self.public)

    def to_tables(self) -> dict[str, object]:
        """The tables that `parse_policy` reads as this policy again; not for a `common` one."""
        return {
            **({} if self.public is None else {"public": self.public.written(self.own)}),
            "origin": {fingerprint(key): row.written() for key, row in self.origins.items()},
            "peer": {fingerprint(key): row.written(self.own) for key, row in self.peers.items()},
            "view": self.view.written(),
            "mute": self.mute.written(self.own),
            "alias": {id_text(old): id_text(new) for old, new in sorted(self.aliases.items())},
            "retention": self.retention.written(),
        }


def view_id(
    view: ViewOptions, mute: Mute, ranked: Iterable[tuple[int, bytes]], aliases: Mapping[bytes, bytes] = {}
) -> bytes:
    """32 bytes that are equal for equal views of whole stores.

    ``ranked`` gives (tier, claim id) of each claim that is admitted and not muted, ascending and each once, else
    `ValueError`; it may be a cursor over millions.
    """
    digest = sha256(b"weft/v1/view\0")
    if aliases:
        digest = sha256(b"weft/v1/view-aliases\0")
        digest.update(_sequence(data for rule in sorted(aliases.items()) for data in rule))
    options = (view.profile.encode(), b"\1" if view.subject_join else b"\0")
    edges = (data for edge in sorted(mute.edges) for data in edge)
    feeds = (data for feed in sorted(mute.feeds.feeds) for data in feed)
    all_feeds = (b"*",) if mute.feeds.everything else ()
    muted = (mute.claims, mute.authors, mute.ids, mute.feeds.origins)
    for part in (options, *map(sorted, muted), edges, feeds, all_feeds):
        digest.update(_sequence(part))
    before = b""
    for tier, identity in ranked:
        data = tier.to_bytes(1, "big") + identity
        if data <= before:
            raise ValueError("claims must come in ascending order of (tier, id)")
        digest.update(data)
        before = data
    return digest.digest()


def thread_digest(claim_ids: Iterable[bytes], edges: Iterable[tuple[bytes, bytes]]) -> bytes:
    """32 bytes that are equal for equal trees.

    ``claim_ids`` are those of the claims about the tree's ids, ``edges`` its (child, parent) pairs; in any order.
    """
    digest = sha256(b"weft/v1/thread\0")
    digest.update(_sequence(sorted(set(claim_ids))))
    digest.update(_sequence(data for edge in sorted(set(edges)) for data in edge))
    return digest.digest()


def _sequence(items: Iterable[bytes]) -> bytes:
    """Octet strings so that no other sequence has the same bytes: their number, and each behind its length."""
    pieces = [len(item).to_bytes(4, "big") + item for item in items]
    return len(pieces).to_bytes(8, "big") + b"".join(pieces)


def parse_policy(tables: Mapping[str, object], own: bytes | None) -> Policy:
    """The policy that TOML tables state, for the server whose public key is ``own``.

    `weft.errors.PolicyError` names the path of the first key that is not understood: nothing is skipped.
    """
    top = TomlTable("", tables)
    top.only(("public", "origin", "peer", "view", "mute", "alias", "retention"))
    names: dict[str, bytes] = {}
    origins = {key: Origin.read(row) for key, row in _rows(top.table("origin"), own, names)}
    peers = {key: Peer.read(row, own) for key, row in _rows(top.table("peer"), own, names)}
    public = read_feed_set(top, "public", own) if "public" in tables else None
    view, mute = ViewOptions.read(top.table("view")), Mute.read(top.table("mute"), own)
    retention = Retention.read(top.table("retention"))
    return Policy(own, origins, peers, view, mute, public, _aliases(top.table("alias")), retention)


def _aliases(table: TomlTable) -> Mapping[bytes, bytes]:
    rules = read_aliases(table)
    try:
        return resolve_rules(rules)
    except ValueError as error:
        raise table.error(id_text(error.args[0]), "these rules lead in a circle") from None


def _rows(rows: TomlTable, own: bytes | None, names: dict[str, bytes]) -> Iterator[tuple[bytes, TomlTable]]:
    """(public key, row) of each row.  A name must not stand for two keys, or one could pass for the other."""
    for text, row in rows.tables():
        try:
            key = parse_fingerprint(text)
        except ValueError as error:
            raise rows.error(text, str(error)) from None
        if key == own:
            raise rows.error(text, "this is our own key: our feeds have tier 0 without a row, and we need no right")
        if name := row.text("name"):
            try:
                check_list_name(name)
            except ValueError as error:
                raise row.error("name", str(error)) from None
            if names.setdefault(name, key) != key:
                raise row.error("name", "another key has this name already")
        yield key, row
