"""What a session is given by its shell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from weft.core.feed import Feed
from weft.exchange.events import Usage
from weft.exchange.limits import Limits
from weft.policy.feed_ranges import NO_FEEDS, FeedRanges
from weft.policy.rows import Mode
from weft.policy.rules import Policy


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a session is given."""

    policy: Policy
    """It holds for the whole session; the shell cuts the session when rights change."""
    peer: bytes
    """The peer's key, as the channel has proved it; its row of the policy."""
    caller: bool
    """Whether this side called."""
    key: bytes
    """32 random bytes, used if a new key is needed."""
    kept: bytes = b""
    """What the last session with this peer asked to keep."""
    renew: bool = False
    """Take a new key although the kept one would do; of the caller only."""
    takes_new_key: bool = True
    """Whether the caller may bring a new key, for which we have to read all that it may have; of the answerer only."""
    live: bool = False
    carries: FeedRanges = NO_FEEDS
    """The feeds that this server carries whole; whatever of them it serves, it says so."""
    mode: Mode | None = None
    """How we take what we admit; None: as the peer's row says."""
    recovers: bool = False
    """Take nothing but our own feeds, and these whole: this index has lost claims of our own."""
    limits: Limits = field(default_factory=Limits)
    used: Usage = field(default_factory=dict)
    """What the peer handed us today."""
    refused: Mapping[bytes, Feed] = field(default_factory=dict)
    """Elements and feeds of all `Refusal` that sessions with this peer put out; the shell may forget some."""
