"""What servers with a list each shall end with, by the mail of all lists together, which no server ever has.

A server shall have the whole of each tree that holds a message of its list, and say so; and all servers that have a
message of a tree shall have the same of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.factories import rebuild
from weft import Index
from weft.index.common_view import build_common_view
from weft.index.view import View
from weft.policy.rules import Policy

Lists = Mapping[str, Path | Sequence[Path]]
"""The files of each list by its name."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the index of a server, which is called like its list."""

    name: str
    path: Path
    policy: Policy | Path

    @contextmanager
    def index(self) -> Iterator[Index]:
        """What a command would open."""
        with Index.open(self.path, policy=self.policy, create=False, read_only=True) as index:
            yield index

    def digests(self) -> dict[bytes, bytes]:
        """The digest of each tree of the common view, by its root."""
        with self.index() as index:
            common = build_common_view(View(index.store, index.policy))
            return dict(common.threads(index.store, 0, len(common.roots)))


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of the mail of all lists: what a server of one of its lists shall end with."""

    root: str
    lists: frozenset[str]
    held: frozenset[str]
    """The messages that any list has."""
    ghosts: frozenset[str]
    """The ids that no list has."""
    missing: bool
    """Whether somebody answers one of these."""


def trees_of(lists: Lists) -> list[Tree]:
    """All of them, by the mail of all lists together."""
    found = []
    for thread in rebuild(lists).threads():
        ghosts = frozenset(message.id for message in thread.messages if message.ghost)
        held = [message for message in thread.messages if not message.ghost]
        missing = any(message.parent in ghosts for message in held)
        names = frozenset(message.id for message in held)
        found.append(Tree(thread.root, frozenset(thread.lists), names, ghosts, missing))
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows of a tree."""

    held: frozenset[str]
    ghosts: frozenset[str]
    complete: bool
    nobody_holds: frozenset[str]


def shown_by(server: Reader, *, missing: bool = False) -> dict[str, Shown]:
    """All trees of a server by their roots, or those that ``weft threads --missing`` lists."""
    found = {}
    with server.index() as index:
        for thread in index.threads(missing=True) if missing else index.all_threads():
            held = frozenset(message.id for message in thread.messages if not message.ghost)
            ghosts = frozenset(message.id for message in thread.messages if message.ghost)
            assert thread.coverage is not None
            nobody = frozenset(thread.coverage.nobody_holds)
            found[thread.root] = Shown(held, ghosts, thread.coverage.complete, nobody)
    return found


def messages(server: Reader) -> set[str]:
    """The ids of all messages that it holds."""
    return {name for tree in shown_by(server).values() for name in tree.held}


def check(servers: Sequence[Reader], trees: Sequence[Tree]) -> None:
    """Fails unless each has the whole of its own trees and says so, and they agree."""
    check_held(servers, trees)
    everywhere: frozenset[str] = frozenset().union(*(tree.held for tree in trees))
    for server in servers:
        own = [tree for tree in trees if server.name in tree.lists]
        shown, lacking = shown_by(server), shown_by(server, missing=True)
        for tree in own:
            there = shown[tree.root]
            assert (there.complete, there.nobody_holds) == (True, tree.ghosts), (server.name, tree.root)
        assert {tree.root for tree in own if tree.missing} <= lacking.keys()
        for root, there in lacking.items():
            assert there == shown[root]
            assert there.nobody_holds.isdisjoint(everywhere), root


def check_held(servers: Sequence[Reader], trees: Sequence[Tree]) -> None:
    """Fails unless each has the whole of its own trees, whatever it says of them, and they agree."""
    for server in servers:
        shown = shown_by(server)
        for tree in trees:
            if server.name in tree.lists:
                there = shown[tree.root]
                assert (there.held, there.ghosts) == (tree.held, tree.ghosts), (server.name, tree.root)
    assert differing(servers, trees) == []


def differing(servers: Sequence[Reader], trees: Sequence[Tree]) -> list[str]:
    """The roots of trees that are not the same on all servers that have a message of them."""
    digests = {server.name: server.digests() for server in servers}
    found = []
    for tree in trees:
        root = tree.root.encode("utf-8", "surrogateescape")
        told = {digests[name].get(root) for name in tree.lists}
        if len(told) > 1 or None in told:
            found.append(tree.root)
    return found
