"""The rows of a policy: what each may say, what it says where it is silent, and its table in TOML, both ways.

Where a row is silent about a right, there is none.  What is not understood is an error with the path of its key.
The rules that use the rows are in `weft.policy.rules`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from weft.core.feed import NO_FEEDS, FeedSet, read_feeds
from weft.core.forest import Profile
from weft.core.list_name import check_list_name
from weft.core.message_id import MAX_ID_BYTES, addresses_in
from weft.policy.toml import TomlTable

TIERS: Mapping[str, int] = {"trusted": 1, "known": 2}
"""What a policy may say of the origins of others; our own feeds have tier 0 and need no row."""

Mode = Literal["mirror", "threads"]

_CLAIM_ID = re.compile(r"[0-9a-f]{64}")
_PERIOD = re.compile(r"[0-9]{1,5}[dh]", re.ASCII)
_HOUR = 3600
_DAY = 24 * _HOUR
_UNITS = {"h": _HOUR, "d": _DAY}


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose word counts: one row ``[origin."FINGERPRINT"]``."""

    tier: int
    lists: frozenset[bytes] | None
    """The lists that it may speak of; None: all."""
    name: str = ""
    """Our own name for it.  Only we choose it; what an origin calls itself is never shown as one."""

    @classmethod
    def read(cls, row: TomlTable) -> Origin:
        """From its table: ``tier`` and ``lists`` must be there."""
        row.only(("name", "tier", "lists"))
        tier = row.values.get("tier")
        if isinstance(tier, str):
            tier = TIERS.get(tier)
        if type(tier) is not int or tier not in TIERS.values():
            raise row.error("tier", 'must be 1 ("trusted") or 2 ("known")')
        if "lists" not in row.values:
            raise row.error("lists", 'must name the lists of which it may speak, or be "*" for all')
        names = row.texts("lists")
        if "*" in names and len(names) > 1:
            raise row.error("lists", '"*" stands alone')
        return cls(tier, None if "*" in names else frozenset(_list_name(row, name) for name in names), row.text("name"))

    def written(self) -> dict[str, object]:
        """Its table."""
        tier = next(word for word, tier in TIERS.items() if tier == self.tier)
        lists = "*" if self.lists is None else sorted(name.decode() for name in self.lists)
        return {**_said(name=self.name), "tier": tier, "lists": lists}


@dataclass(frozen=True, slots=True)
class Peer:
    """Who may talk to us, and about what: one row ``[peer."FINGERPRINT"]``."""

    name: str = ""
    address: str = ""
    """HOST:PORT to call; empty: only it calls us.  Never proof of who answers: that is the fingerprint."""
    mode: Mode = "threads"
    may_feed: FeedSet = NO_FEEDS
    """The feeds that it may hand us: its own, and those of others for which it may be a relay."""
    may_read: FeedSet = NO_FEEDS
    """The feeds that we serve to it."""
    mirror_of: FeedSet = NO_FEEDS
    """The feeds of others of which we believe that it carries them whole, when it says so."""
    claims_per_day: int = 1_000_000
    """What it may hand us of each feed; a feed above it drops out of the exchange for the day."""
    bytes_per_day: int = 2 << 30
    """The same in bytes."""
    streams: int = 4
    """Sessions at a time."""

    @classmethod
    def read(cls, row: TomlTable, own: bytes | None) -> Peer:
        """From its table; ``own`` is whom ``"own"`` means."""
        row.only(cls.__slots__)
        default = cls()
        return cls(
            row.text("name"),
            _address(row),
            cast(Mode, row.choice("mode", ("mirror", "threads"), default.mode)),
            read_feed_set(row, "may_feed", own),
            read_feed_set(row, "may_read", own),
            read_feed_set(row, "mirror_of", own),
            row.number("claims_per_day", default.claims_per_day),
            row.number("bytes_per_day", default.bytes_per_day),
            row.number("streams", default.streams, 1, 16),
        )

    def written(self, own: bytes | None) -> dict[str, object]:
        """Its table, with nothing left to defaults."""
        return {
            **_said(name=self.name, address=self.address),
            "mode": self.mode,
            "may_feed": self.may_feed.written(own),
            "may_read": self.may_read.written(own),
            "mirror_of": self.mirror_of.written(own),
            "claims_per_day": self.claims_per_day,
            "bytes_per_day": self.bytes_per_day,
            "streams": self.streams,
        }


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """Options of what is shown: ``[view]``."""

    subject_join: bool = False
    """Off by default: anybody can set a subject, and joining by it fuses threads that have nothing in common."""
    profile: Profile = "weft"

    @classmethod
    def read(cls, table: TomlTable) -> ViewOptions:
        """From its table."""
        table.only(cls.__slots__)
        default = cls()
        profile = table.choice("profile", ("weft", "rfc5256"), default.profile)
        return cls(table.flag("subject_join", default.subject_join), cast(Profile, profile))

    def written(self) -> dict[str, object]:
        """Its table."""
        return {"subject_join": self.subject_join, "profile": self.profile}


@dataclass(frozen=True, slots=True)
class Mute:
    """What this server does not want to see: ``[mute]``."""

    claims: frozenset[bytes] = frozenset()
    """Claim ids."""
    authors: frozenset[bytes] = frozenset()
    """Addresses in ASCII lower case, as `addresses` gives them."""
    ids: frozenset[bytes] = frozenset()
    """Message ids, claims about which are hidden."""
    edges: frozenset[tuple[bytes, bytes]] = frozenset()
    """(child, parent): nobody is heard who states or witnesses it, so a contest with it is over."""
    feeds: FeedSet = NO_FEEDS

    @classmethod
    def read(cls, table: TomlTable, own: bytes | None) -> Mute:
        """From its table; ``own`` is whom ``"own"`` means."""
        table.only(cls.__slots__)
        return cls(
            frozenset(_claim_id(table, text) for text in table.texts("claims")),
            frozenset(_author(table, text) for text in table.texts("authors")),
            frozenset(_message_id(table, "ids", text) for text in table.texts("ids")),
            frozenset(
                (_message_id(table, "edges", child), _message_id(table, "edges", parent))
                for child, parent in table.pairs("edges")
            ),
            read_feed_set(table, "feeds", own),
        )

    def written(self, own: bytes | None) -> dict[str, object]:
        """Its table."""
        return {
            "claims": sorted(identity.hex() for identity in self.claims),
            "authors": sorted(author.decode() for author in self.authors),
            "ids": sorted(map(id_text, self.ids)),
            "edges": sorted([id_text(child), id_text(parent)] for child, parent in self.edges),
            "feeds": self.feeds.written(own),
        }


@dataclass(frozen=True, slots=True)
class Retention:
    """How long this server keeps what nobody states any more: ``[retention]``."""

    withdrawn: int | None = 30 * _DAY
    """Seconds from when a withdrawal was seen here until the bytes of what it withdraws are deleted; None: never."""

    @classmethod
    def read(cls, table: TomlTable) -> Retention:
        """From its table: a number of days or hours, or "never"."""
        table.only(cls.__slots__)
        text = table.text("withdrawn", cls().written()["withdrawn"])
        if text == "never":
            return cls(None)
        if not _PERIOD.fullmatch(text):
            raise table.error("withdrawn", 'must be a number of days or hours, such as "30d" or "12h", or "never"')
        return cls(int(text[:-1]) * _UNITS[text[-1]])

    def written(self) -> dict[str, str]:
        """Its table."""
        if self.withdrawn is None:
            return {"withdrawn": "never"}
        days, rest = divmod(self.withdrawn, _DAY)
        return {"withdrawn": f"{self.withdrawn // _HOUR}h" if rest else f"{days}d"}


DEFAULT_VIEW = ViewOptions()
DEFAULT_RETENTION = Retention()
NO_MUTES = Mute()


def addresses(author: bytes) -> set[bytes]:
    """The addresses in a From field as it stands there, in ASCII lower case."""
    return addresses_in(author.lower())


def _said(**texts: str) -> dict[str, object]:
    """Those that are not empty."""
    return {key: text for key, text in texts.items() if text}


def _list_name(row: TomlTable, name: str) -> bytes:
    try:
        return check_list_name(name).encode()
    except ValueError as error:
        raise row.error("lists", str(error)) from None


def _address(row: TomlTable) -> str:
    address = row.text("address")
    host, _, port = address.rpartition(":")
    if address and not (host.isprintable() and host.strip() and " " not in host and re.fullmatch("[0-9]{1,5}", port)):
        raise row.error("address", "must be HOST:PORT")
    return address


def read_feed_set(row: TomlTable, key: str, own: bytes | None) -> FeedSet:
    """The feeds that a value names; ``own`` is whom ``"own"`` means."""
    try:
        return read_feeds(row.texts(key), own)
    except ValueError as error:
        raise row.error(key, str(error)) from None


def _claim_id(table: TomlTable, text: str) -> bytes:
    if _CLAIM_ID.fullmatch(text):
        return bytes.fromhex(text)
    raise table.error("claims", "a claim id is 64 characters 0-9 and a-f")


def _author(table: TomlTable, text: str) -> bytes:
    author = text.encode().lower()
    if addresses(author) != {author}:
        raise table.error("authors", "an author is muted by one address, such as name@example.org")
    return author


def _message_id(table: TomlTable, key: str, text: str) -> bytes:
    """An id as a policy writes it: as it is, or ``hex:`` and its bytes."""
    try:
        data = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
    except ValueError:
        raise table.error(key, "after hex: an id is written in hexadecimal digits") from None
    if not 0 < len(data) <= MAX_ID_BYTES:
        raise table.error(key, f"an id has 1 to {MAX_ID_BYTES} bytes")
    return data


def read_aliases(table: TomlTable) -> dict[bytes, bytes]:
    """``[alias]``: each key is an id, its value the id as which it counts."""
    rules: dict[bytes, bytes] = {}
    for text in table.values:
        old = _message_id(table, text, text)
        if old in rules:
            raise table.error(text, "this id has a rule already, written in another way")
        rules[old] = _message_id(table, text, table.text(text))
    return rules


def id_text(data: bytes) -> str:
    """The opposite of how a policy's ids are read: in hexadecimal where it is not plain text, or would be mistaken."""
    text = data.decode("utf-8", "replace")
    plain = text.encode() == data and text.isprintable() and not text.startswith("hex:")
    return text if plain else f"hex:{data.hex()}"
