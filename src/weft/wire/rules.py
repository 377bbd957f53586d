"""The words of `weft.model` for rules, headers, reasons and causes, and the enums that stand for them on the wire.

What a later version says is unspecified to this one.
"""

from __future__ import annotations

from typing import Final

from weft.core.forest import Profile
from weft.v1 import threads_pb2 as wire

_Explained = wire.ExplainMessageResponse

EDGE_RULES: Final[dict[str, wire.EdgeRule]] = {
    "own headers": wire.EDGE_RULE_OWN_HEADERS,
    "contested": wire.EDGE_RULE_CONTESTED,
    "witnesses": wire.EDGE_RULE_WITNESSES,
    "witnesses disagree": wire.EDGE_RULE_WITNESSES_DISAGREE,
    "nobody says": wire.EDGE_RULE_UNKNOWN_PARENT,
    "cycle cut": wire.EDGE_RULE_CYCLE_CUT,
    "muted": wire.EDGE_RULE_MUTED,
}
"""Which rule made an edge."""
PARENT_HEADERS: Final[dict[str, wire.ExplainMessageResponse.ParentHeader]] = {
    "unknown": _Explained.PARENT_HEADER_UNSPECIFIED,
    "none": _Explained.PARENT_HEADER_NONE,
    "in-reply-to": _Explained.PARENT_HEADER_IN_REPLY_TO,
    "references": _Explained.PARENT_HEADER_REFERENCES,
    "in-reply-to and references": _Explained.PARENT_HEADER_IN_REPLY_TO_AND_REFERENCES,
}
"""Which header states a parent."""
HIDDEN_REASONS: Final[dict[str, wire.ExplainMessageResponse.HiddenReason]] = {
    "": _Explained.HIDDEN_REASON_UNSPECIFIED,
    "the policy does not admit its feed": _Explained.HIDDEN_REASON_NOT_ADMITTED,
    "withdrawn by its origin": _Explained.HIDDEN_REASON_WITHDRAWN,
    "the claim is muted": _Explained.HIDDEN_REASON_CLAIM_MUTED,
    "the feed is muted": _Explained.HIDDEN_REASON_FEED_MUTED,
    "the message id is muted": _Explained.HIDDEN_REASON_MESSAGE_ID_MUTED,
    "the author is muted": _Explained.HIDDEN_REASON_AUTHOR_MUTED,
    "its bytes were deleted here": _Explained.HIDDEN_REASON_DELETED,
    "its bytes are damaged here": _Explained.HIDDEN_REASON_DAMAGED,
}
"""Why a claim does not count."""
PROFILES: Final[dict[Profile, wire.Profile]] = {"weft": wire.PROFILE_WEFT, "rfc5256": wire.PROFILE_RFC5256}
"""How headers are read."""
CAUSES: Final[dict[str, wire.Change.Cause]] = {
    "new claim": wire.Change.CAUSE_NEW_CLAIM,
    "ghost filled": wire.Change.CAUSE_GHOST_FILLED,
    "contested": wire.Change.CAUSE_CONTESTED,
    "cycle": wire.Change.CAUSE_CYCLE,
    "withdrawal": wire.Change.CAUSE_WITHDRAWAL,
}
"""What a change did."""

EDGE_RULE_WORDS = {number: words for words, number in EDGE_RULES.items()}
PARENT_HEADER_WORDS = {number: words for words, number in PARENT_HEADERS.items()}
HIDDEN_REASON_WORDS = {number: words for words, number in HIDDEN_REASONS.items()}
PROFILE_WORDS = {number: words for words, number in PROFILES.items()}
CAUSE_WORDS = {number: words for words, number in CAUSES.items()}
