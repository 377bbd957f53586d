"""Coverage on the wire: what was asked about a thread, and what was not."""

from __future__ import annotations

from weft.model import AskedFeed, Coverage
from weft.v1 import threads_pb2 as wire
from weft.wire.limits import COVERED
from weft.wire.stated_time import from_server_time, server_time
from weft.wire.threads import to_bytes, to_string, to_text


def coverage_to_message(found: Coverage) -> wire.Coverage:
    """For the wire, at most `COVERED` entries of each kind."""
    most = COVERED
    lists = (found.carried, found.partly, found.never_asked, found.asked, found.cut, found.nobody_holds)
    asked: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for one in found.asked[:most]:
        asked.setdefault((one.of, one.upto), []).append(one.feed)
    return wire.Coverage(
        carried_feeds=map(to_string, found.carried[:most]),
        partly_asked_feeds=map(to_string, found.partly[:most]),
        never_asked_feeds=map(to_string, found.never_asked[:most]),
        asked=[
            wire.Coverage.Asked(feeds=map(to_string, feeds), peer_fingerprints=of, complete_time=server_time(upto))
            for (of, upto), feeds in asked.items()
        ],
        cut_peer_fingerprints=found.cut[:most],
        unheld_message_ids=map(to_bytes, found.nobody_holds[:most]),
        truncated=any(len(one) > most for one in lists),
    )


def coverage_from_message(found: wire.Coverage) -> Coverage:
    """From the wire; nothing of it is signed."""
    asked = (
        AskedFeed(feed, tuple(one.peer_fingerprints), from_server_time(one.complete_time))
        for one in found.asked
        for feed in one.feeds
    )
    return Coverage(
        tuple(found.carried_feeds),
        tuple(found.partly_asked_feeds),
        tuple(found.never_asked_feeds),
        tuple(sorted(asked)),
        tuple(found.cut_peer_fingerprints),
        tuple(map(to_text, found.unheld_message_ids)),
    )
