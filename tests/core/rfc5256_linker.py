"""RFC 5256 section 3, THREAD=REFERENCES, steps 1 to 4 and 6, followed word by word; nothing shared with Weft.

Step 5 (joining by subject) is left out.  The result depends on the order of the input, as the RFC's does: that is
why it is compared with Weft only on input where no two messages disagree.  The Message-IDs are unique and present,
and the dates are distinct, so the RFC's rules for the contrary are not needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple


class Mail(NamedTuple):
    """What the algorithm reads of a message."""

    mid: str
    references: tuple[str, ...]
    in_reply_to: tuple[str, ...]
    date: int


@dataclass(eq=False)
class Node:
    """A message, or a dummy for one that is not there (``mail`` is None)."""

    mail: Mail | None = None
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)


Shape = tuple[str | None, tuple["Shape", ...]]
"""(id, or None for a dummy; the shapes of its children in order)."""


def thread_references(mails: Iterable[Mail]) -> list[Shape]:
    """The threads, in the RFC's order."""
    root = Node()
    for node in _link(mails):
        if node.parent is None:
            _attach(root, node)
    _prune(root, root)
    _sort(root)
    return [_shape(child) for child in root.children]


def _link(mails: Iterable[Mail]) -> list[Node]:
    """Step 1."""
    table: dict[str, Node] = {}
    for mail in mails:
        references = mail.references or mail.in_reply_to[:1]
        chain = [table.setdefault(mid, Node()) for mid in references]
        for parent, child in pairwise(chain):
            if child.parent is None and not _is_above(child, parent):
                _attach(parent, child)
        own = table.setdefault(mail.mid, Node())
        own.mail = mail
        if own.parent is not None:
            own.parent.children.remove(own)
            own.parent = None
        if chain and not _is_above(own, chain[-1]):
            _attach(chain[-1], own)
    return list(table.values())


def _attach(parent: Node, child: Node) -> None:
    child.parent = parent
    parent.children.append(child)


def _is_above(node: Node, other: Node) -> bool:
    climbing: Node | None = other
    while climbing is not None:
        if climbing is node:
            return True
        climbing = climbing.parent
    return False


def _prune(node: Node, root: Node) -> None:
    """Step 3: no dummy without children; a dummy's children are promoted, but several of them not to the root."""
    for child in list(node.children):
        _prune(child, root)
        if child.mail is None and (node is not root or len(child.children) <= 1):
            node.children.remove(child)
            for grandchild in child.children:
                _attach(node, grandchild)


def _sort(node: Node) -> None:
    """Steps 4 and 6: by date; a dummy goes by its first child."""
    for child in node.children:
        _sort(child)
    node.children.sort(key=_date)


def _date(node: Node) -> int:
    return node.mail.date if node.mail else _date(node.children[0])


def _shape(node: Node) -> Shape:
    return (node.mail.mid if node.mail else None, tuple(_shape(child) for child in node.children))
