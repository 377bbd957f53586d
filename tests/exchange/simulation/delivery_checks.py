"""What a session says that its peer has, an honest peer has on its disk."""

from __future__ import annotations

from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.violation import ViolationError
from weft.exchange.agreement import Agreement
from weft.exchange.events import Delivered


def check_delivered(host: Host, peer: Host, agreed: Agreement | None, delivered: Delivered) -> None:
    """All that ``host`` holds of the feeds, up to the position, is held by ``peer``, or was refused by it.

    Of what a peer asks for in threads mode nothing is checked here: it is what concerns the ids that it asks about.
    """
    if not (host.honest and peer.honest) or agreed is None or agreed.outward in agreed.threads:
        return
    held = [one for one in host.log() if one.position <= delivered.position and host.feed(one) in delivered.feeds]
    has = peer.store.holds([one.identity for one in held])
    refused = peer.refused[host.origin.public]
    lacking = [one for one in held if one.identity not in has and one.identity[:16] not in refused]
    if lacking:
        raise ViolationError(f"{peer.name} lacks {len(lacking)} claims that {host.name} says it has")
