"""Joining trees by subject: RFC 5256 section 3, REFERENCES step 5.  An option of the view, off by default.

It fuses unrelated threads, and anyone can set a subject; that is why it never touches the forest, only the roots of
one view.  Where the RFC invents a dummy parent, so do we: its id is a hash of the base subject, in the name space
that no literal id can enter.  Where the RFC throws a dummy away, our ghost has an id and stays, below the other one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Root:
    """One tree as step 5 sees it, after the pruning of step 3.

    ``node``     the root of the tree: what moves
    ``message``  what others are hung on: the only child of a ghost root that step 3 removes, else the root
    ``ghost``    a ghost that step 3 leaves, because it has several children
    ``base``     the base subject of the root, or of a ghost root's first child; ``reply``: whether it was a reply's
    """

    node: int
    message: int
    ghost: bool
    base: str
    reply: bool


@dataclass(slots=True)
class _Entry:
    root: Root | None
    """None once a dummy has been made for this subject."""
    dummy: bytes = b""


def dummy_id(base: str) -> bytes:
    """The id of the node that step 5 invents for a base subject."""
    data = base.encode("utf-8", "surrogatepass")
    return b"sha256:" + sha256(b"weft/v1/same-subject\0" + data).hexdigest().encode()


def join(roots: Iterable[Root]) -> tuple[dict[int, int | bytes], dict[bytes, str]]:
    """Which roots get which parent: (root -> node, or id of a new dummy), and the dummies with their subjects.

    ``roots`` must be in display order (step 4 sorts them), so that the answer is a function of the forest.
    """
    listed = [root for root in roots if root.base]
    table: dict[str, _Entry] = {}
    for root in listed:
        entry = table.setdefault(root.base.casefold(), _Entry(root))
        held = entry.root
        if held is not None and _preferred(root, held):
            entry.root = root
    parents: dict[int, int | bytes] = {}
    dummies: dict[bytes, str] = {}
    for root in listed:
        entry = table[root.base.casefold()]
        if entry.root is root:
            continue
        if entry.root is None:
            parents[root.node] = entry.dummy
        elif entry.root.ghost or (root.reply and not entry.root.reply):
            parents[root.node] = entry.root.message
        else:
            entry.dummy = dummy_id(root.base.casefold())
            dummies[entry.dummy] = root.base
            parents[entry.root.node] = parents[root.node] = entry.dummy
            entry.root = None
    return parents, dummies


def _preferred(root: Root, held: Root) -> bool:
    """Whether ``root`` replaces ``held`` in the subject table: the first dummy, or the first that is no reply."""
    return (root.ghost and not held.ghost) or (held.reply and not root.reply)
