"""What whole threads cost: ``python -m tests.bench.threads [--servers 5 20 100] [--messages N] [--kernel]``.

Servers with a list each meet until nothing changes, as a mesh or over a hub, all in one process.  Printed are the
bytes of all frames divided by those of the claims that were lacked and their proofs; claims and messages that were
lacked (most claims that are fetched are further copies of mail that is here already); the most rounds of asking in one
session; and whether every server ended with all that anybody holds of its own trees.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.exchange.meeting_harness import Server, all_know, held_by, meet
from tests.exchange.session_harness import ALL
from tests.generate import generate
from weft.core.claim import Claim, claim_id, claim_of, encode, parse
from weft.core.feed import ALL_LISTS, FeedSet
from weft.core.id_digest import id_digest
from weft.exchange.events import FindTrees
from weft.exchange.store_backend import StoreBackend
from weft.index.ingest import sign_batches
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rows import Peer
from weft.sources.discover import discover
from weft.sources.evidence import Evidence, make_evidence
from weft.sources.interface import NoteLog, split_message
from weft.store.interface import VerifiedClaim
from weft.v1 import exchange_pb2 as wire

LIST = b"list"


def generated(servers: int, messages: int, seed: int) -> list[list[Evidence]]:
    """Mail of one list for each server."""
    found: list[list[Evidence]] = [[] for _ in range(servers)]
    for number, data in generate(messages, servers, seed):
        buffer, header_end, body = split_message(data)
        found[number].append(make_evidence(buffer, 1, header_end, body, (0, len(data)), mbox=False))
    return found


def kernel() -> list[list[Evidence]]:
    """Five real lists."""
    folder = Path(os.environ["WEFT_CORPORA"]) / "kernel"
    sources = discover([str(path) for path in sorted(folder.glob("*.mbox.xz"))], NoteLog())
    return [list(source.scan(NoteLog(), make_evidence)) for source in sources]


def ingest(server: Server, mail: Sequence[Evidence]) -> None:
    """Make claims of mail, in thread order, as an index does."""
    made: dict[bytes, VerifiedClaim] = {}
    first: dict[bytes, bytes] = {}
    for evidence in mail:
        claim = claim_of(evidence, server.key, LIST)
        data = encode(claim)
        identity = claim_id(data)
        made[identity] = VerifiedClaim(0, identity, data, claim)
        first[identity] = (*claim.references[:1], *claim.in_reply_to[:1], claim.message_id)[0]
    ordered = sorted(made.values(), key=lambda claim: first[claim.identity])
    with server.store.transaction():
        server.store.put(sign_batches(server.origin.key, ordered))


@dataclass(slots=True)
class Cost:
    """What the meetings of some servers cost."""

    size: int = 0
    claim_bytes: int = 0
    claims: int = 0
    rounds: int = 0
    meetings: int = 0
    gossip: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Octets of frames by kind."""

    def meet(self, one: Server, other: Server) -> None:
        """A session, counted."""
        for at in meet(one, other):
            report = at.session.report
            self.size += report.bytes_sent
            self.claim_bytes += report.claim_bytes_sent
            self.claims += report.claims_received
            self.rounds = max(self.rounds, report.rounds)
            for frame in at.frames:
                self.kinds[str(wire.Frame.FromString(frame).WhichOneof("kind"))] += len(frame)
        self.meetings += 1


def mesh(servers: list[Server], cost: Cost) -> None:
    """Each meets each."""
    all_know(servers)
    pairs = [(one, other) for at, one in enumerate(servers) for other in servers[at + 1 :]]
    _until_quiet(servers, pairs, cost)


def hub(servers: list[Server], cost: Cost) -> None:
    """All meet one that mirrors what each of them signs."""
    all_know(servers)
    middle = Server("hub", admits=servers)
    for server in servers:
        middle.rows[server] = Peer(mode="mirror", may_feed=FeedSet(origins=frozenset([server.key])), may_read=ALL)
    _until_quiet([*servers, middle], [(server, middle) for server in servers], cost)


def _until_quiet(servers: list[Server], pairs: list[tuple[Server, Server]], cost: Cost) -> None:
    before: list[int] = []
    while before != (now := [server.store.position() for server in servers]):
        before = now
        for one, other in pairs:
            cost.meet(one, other)
        cost.gossip += 1


def own_ids(server: Server) -> set[bytes]:
    """Digests of the ids in its own trees."""
    feeds = FeedRanges({other.key: ALL_LISTS for other in {*server.admits, server}})
    found = StoreBackend(server.store).answer(FindTrees(feeds, server.policy(server), 0, 1 << 40))
    return {digest for tree in found.trees for digest in tree.digests}  # type: ignore[union-attr]


def lacking(servers: list[Server]) -> int:
    """How many claims that anybody holds concern a server's own trees and are not on it."""
    everything = {one.identity: one.data for server in servers for one in server.store.log(0, server.store.position())}
    concerned: dict[bytes, set[bytes]] = {}
    for identity, data in everything.items():
        claim = parse(data)
        assert isinstance(claim, Claim)
        for name in {claim.message_id, *claim.references, *claim.in_reply_to}:
            concerned.setdefault(id_digest(name), set()).add(identity)
    missing = 0
    for server in servers:
        held = held_by(server)
        wanted = {identity for digest in own_ids(server) for identity in concerned.get(digest, ())}
        missing += len(wanted - held)
    return missing


def run(name: str, mail: list[list[Evidence]], how: str) -> None:
    """One line of the table."""
    servers = [Server(f"server {number}") for number in range(len(mail))]
    for server, some in zip(servers, mail, strict=True):
        ingest(server, some)
    before = [len(server.ids()) for server in servers]
    cost = Cost()
    started = time.process_time()
    (mesh if how == "mesh" else hub)(servers, cost)
    seconds = time.process_time() - started
    lacked = sum(len(server.ids()) for server in servers) - sum(before)
    missing = lacking(servers)
    print(
        f"{name:24} {how:5} {cost.size / max(1, cost.claim_bytes):6.3f} x  {cost.size / 1e6:9.1f} MB "
        f"{cost.claims:8} claims {lacked:8} messages  {cost.rounds:2} rounds {cost.gossip:2} gossip  "
        f"{seconds:7.1f} s CPU  {missing} lacking",
        flush=True,
    )
    print("   ", ", ".join(f"{kind} {data:,}" for kind, data in cost.kinds.most_common()), flush=True)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--servers", type=int, nargs="*", default=[5, 20, 100])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kernel", action="store_true", help="five real lists")
    arguments = parser.parse_args()
    for count in arguments.servers:
        mail = generated(count, arguments.messages, arguments.seed)
        for how in ("mesh", "hub") if count <= 5 else ("hub",):
            run(f"{count} servers", mail, how)
    if arguments.kernel:
        mail = kernel()
        for how in ("mesh", "hub"):
            run("kernel, 5 servers", mail, how)


if __name__ == "__main__":
    main()
