"""Five servers on a network of their own, a list each, which is cut in two while mail comes in, and healed.

They ask each other, all of them, and stay in touch.  A cut that is short their sessions outlive; one that is long ends
them, and they are begun anew after a pause.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("grpc_health")

from tests.cli.command_runner import until
from tests.cli.server_home import Home
from tests.factories import mail
from tests.generate import Shape, generate
from tests.peering.expected_threads import Reader, Tree, check_held, differing, trees_of
from tests.peering.network_namespaces import Network, network
from tests.peering.peer_harness import Served, fingerprint, made, running

SIDES = (0, 0, 1, 1, 1)
NAMES = tuple(f"list-{number}" for number in range(len(SIDES)))
MESSAGES = 600
SHAPE = Shape(cross=0.8, drop=0.2, lost=0.05, lost_root=0.1, cut=0.05)
ROOT = "root@made.example"
"""The root of a thread that stands on all lists, and that each goes on with while the wire is cut."""
PORT = 7431
_LINE = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"


@dataclass(frozen=True, slots=True)
class Place:
    """One of the five."""

    number: int
    home: Home
    before: Path
    """The mail that it has from the beginning."""
    later: Path
    """The mail that comes in when the wire is cut."""

    @property
    def name(self) -> str:
        """Of its list, and of itself."""
        return NAMES[self.number]

    @property
    def reader(self) -> Reader:
        """Who reads its index."""
        return Reader(self.name, self.home.index, self.home.config)

    def ingest(self) -> None:
        """More mail comes in."""
        ran = self.home.weft("ingest", "-q", f"{self.name}={self.later}")
        assert ran.code == 0, ran.err

    def replies(self) -> set[int]:
        """Whose replies it shows in the thread that is on all lists."""
        with self.reader.index() as index:
            shown = {message.id.partition("@")[0] for message in index.thread(ROOT).messages if not message.ghost}
        return {number for number, name in enumerate(NAMES) if name in shown}


def trees(places: Sequence[Place], *, later: bool = True) -> list[Tree]:
    """What all shall have in the end, or before the wire is cut."""
    return trees_of({place.name: [place.before, place.later] if later else [place.before] for place in places})


def on_side(side: int) -> set[int]:
    """The numbers of the servers there."""
    return {number for number, other in enumerate(SIDES) if other == side}


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    """The five, before they know of each other."""
    write(tmp_path)
    found = []
    for number, name in enumerate(NAMES):
        before = tmp_path / f"{name}.mbox"
        found.append(Place(number, made(tmp_path / name, f"{name}={before}"), before, tmp_path / f"{name}-later.mbox"))
    return found


def write(folder: Path) -> None:
    """The mail of all lists: of each message all copies come before the cut, or all of them later."""
    early: list[list[bytes]] = [[mail(ROOT)] for _ in NAMES]
    late: list[list[bytes]] = [[mail(f"{name}@made.example", [ROOT])] for name in NAMES]
    copies = list(generate(MESSAGES, len(NAMES), 5, SHAPE))
    for number, (at, data) in enumerate(copies):
        some = early if number < len(copies) // 2 else late
        some[at].append(b"".join((_LINE, data, b"\n")))
    for number, name in enumerate(NAMES):
        (folder / f"{name}.mbox").write_bytes(b"".join(early[number]))
        (folder / f"{name}-later.mbox").write_bytes(b"".join(late[number]))


def introduce(places: Sequence[Place], net: Network) -> None:
    """Each is a peer of each, and of two the first one calls."""
    keys = [fingerprint(place.home) for place in places]
    for place in places:
        others = [other for other in places if other is not place]
        rows = [f'[origin."{keys[other.number]}"]\ntier = 1\nlists = "*"\n' for other in others]
        for other in others:
            row = f'[peer."{keys[other.number]}"]\nname = "{other.name}"\nmay_feed = "*"\nmay_read = "*"\n'
            address = f'address = "{net.address(other.number)}:{PORT}"\n' if place.number < other.number else ""
            rows.append(row + address)
        place.home.config.write_text("".join(rows))


@contextmanager
def serving(places: Sequence[Place], net: Network) -> Iterator[list[Served]]:
    """All of them run, each where it is."""
    with ExitStack() as stack:
        found = []
        for place in reversed(places):  # whoever is called is there before who calls
            address = f"{net.address(place.number)}:{PORT}"
            found.append(stack.enter_context(running(place.home, peers=address, inside=net.inside(place.number))))
        yield found[::-1]


def synced(servers: Sequence[Served]) -> Counter[tuple[int, str]]:
    """How often each server was in sync with each of its peers, so far."""
    return Counter(
        (number, line["name"])
        for number, server in enumerate(servers)
        for line in server.lines()
        if line["message"].startswith("in sync with ")
    )


def ended(servers: Sequence[Served]) -> int:
    """How many sessions are over, or calls that became none."""
    return sum(line.get("outcome") is not None for server in servers for line in server.lines())


@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_servers_that_were_cut_in_two_agree_again_within_two_rounds_of_gossip(
    places: list[Place], seconds: float
) -> None:
    readers, first, whole = [place.reader for place in places], trees(places, later=False), trees(places)
    with network(SIDES) as net:
        introduce(places, net)
        with serving(places, net) as servers:
            until(lambda: len(synced(servers)) == len(NAMES) * (len(NAMES) - 1))
            until(lambda: differing(readers, first) == [])
            began = time.monotonic()
            net.cut()
            for place in places:
                place.ingest()
            until(lambda: all(place.replies() == on_side(SIDES[place.number]) for place in places))
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            assert all(place.replies() == on_side(SIDES[place.number]) for place in places)
            apart = differing(readers, whole)
            before, over, healed = synced(servers), ended(servers), time.monotonic()
            net.heal()
            until(lambda: differing(readers, whole) == [])
            took = time.monotonic() - healed
            rounds = synced(servers) - before
        print(
            f"cut for {healed - began:.1f} s, {len(apart)} of {len(whole)} threads differed; equal {took:.1f} s after "
            f"it was healed; {over} sessions or calls had ended, {sum(rounds.values()) // 2} came to sync again"
        )
    assert len(apart) > 10
    assert over > 0 or seconds < 30, "a long cut is one that sessions do not outlive"
    assert max(rounds.values(), default=0) <= 2
    check_held(readers, whole)
