"""What people here call origins and peers: by the operator's own policy, never by what they call themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weft.policy.rules import Policy

OWN = "this server"
"""What stands for our own origin where people read the name of one."""


def origin_names(policy: Policy) -> dict[str, str]:
    """What people call each origin that the policy knows, by its fingerprint."""
    from weft.core.signing import fingerprint, short_fingerprint

    names = {fingerprint(key): row.name or short_fingerprint(key) for key, row in policy.origins.items()}
    if policy.own is not None:
        names[fingerprint(policy.own)] = OWN
    return names


def origin_name(names: dict[str, str], fingerprint: str) -> str:
    """Our own name for an origin, or else the short form of its fingerprint."""
    from weft.core.signing import SHORT_LENGTH

    return names.get(fingerprint) or fingerprint[:SHORT_LENGTH]


def all_names(policy: Policy) -> dict[str, str]:
    """The same as `origin_names`, and what they call peers."""
    from weft.core.signing import fingerprint

    peers = {fingerprint(key): row.name for key, row in policy.peers.items() if row.name}
    said = {fingerprint(key): row.name for key, row in policy.origins.items() if row.name}
    return origin_names(policy) | peers | said
