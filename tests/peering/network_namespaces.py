"""A network of its own for server processes, whose wire can be cut in two: `network([0, 0, 1])`.

Each server has a network namespace with one interface.  Its other end is in one more namespace, on one of two bridges;
the two are connected by the wire.  All of it is gone when the block ends.  Needs ``ip`` (Debian: iproute2) and root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import pytest

_numbers = count()


@dataclass(frozen=True, slots=True)
class Network:
    """Servers by numbers, on two sides."""

    name: str

    def inside(self, number: int) -> list[str]:
        """What stands before a command line that shall run where a server is."""
        return ["ip", "netns", "exec", f"{self.name}-{number}"]

    def address(self, number: int) -> str:
        """Of a server."""
        return f"10.77.0.{number + 1}"

    def cut(self) -> None:
        """From now on nothing gets from one side to the other."""
        ip("-n", self.name, "link", "set", "wire0", "down")

    def heal(self) -> None:
        """Both sides are connected again."""
        ip("-n", self.name, "link", "set", "wire0", "up")


@contextmanager
def network(sides: Sequence[int]) -> Iterator[Network]:
    """A network of servers, of which each is on side 0 or 1; the test is skipped where none can be made."""
    if shutil.which("ip") is None:
        pytest.skip("there is no command ip to make networks with (Debian: iproute2)")
    made = Network(f"weft-test-{os.getpid()}-{next(_numbers)}")
    try:
        try:
            _build(made, sides)
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            pytest.skip(f"no networks can be made here: {said} ({' '.join(error.cmd)})")
        yield made
    finally:
        for name in (made.name, *(f"{made.name}-{number}" for number in range(len(sides)))):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def ip(*arguments: str) -> None:
    """Run ``ip``."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


def _build(made: Network, sides: Sequence[int]) -> None:
    middle = made.name
    ip("netns", "add", middle)
    ip("-n", middle, "link", "add", "wire0", "type", "veth", "peer", "name", "wire1")
    for side in (0, 1):
        ip("-n", middle, "link", "add", f"side{side}", "type", "bridge")
        ip("-n", middle, "link", "set", f"wire{side}", "master", f"side{side}")
        for link in (f"side{side}", f"wire{side}"):
            ip("-n", middle, "link", "set", link, "up")
    for number, side in enumerate(sides):
        place, port = f"{middle}-{number}", f"port{number}"
        ip("netns", "add", place)
        ip("-n", middle, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", place)
        ip("-n", middle, "link", "set", port, "master", f"side{side}")
        ip("-n", middle, "link", "set", port, "up")
        ip("-n", place, "address", "add", f"{made.address(number)}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            ip("-n", place, "link", "set", link, "up")
