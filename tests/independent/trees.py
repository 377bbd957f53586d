"""Sections 6 and 11: digests, and the trees of a common view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from tests.independent.claims import claim_id, read_claim

Parent = bytes | None
Trees = dict[bytes, tuple[set[bytes], list[tuple[bytes, bytes]]]]


def id_digest(name: bytes) -> bytes:
    """Of a message id."""
    return sha256(b"weft/v1/message-id\0" + name).digest()[:6]


def seq(*items: bytes) -> bytes:
    """Items so that no others have the same bytes."""
    return len(items).to_bytes(8, "big") + b"".join(len(item).to_bytes(4, "big") + item for item in items)


def tree_digest(ids: Iterable[bytes], edges: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Of a tree."""
    flat = [name for edge in sorted(edges) for name in edge]
    return sha256(b"weft/v1/thread\0" + seq(*sorted(set(ids))) + seq(*flat)).digest()


def view_digest(ids: Iterable[bytes]) -> bytes:
    """Of a common view."""
    ranked = b"".join(b"\0" + name for name in sorted(ids))
    return sha256(b"weft/v1/view\0" + seq(b"weft", b"\0") + seq() * 7 + ranked).digest()


def counted(claims: Iterable[bytes]) -> dict[bytes, dict[str, Any]]:
    """The claims that count, by id."""
    read = {claim_id(data): read_claim(data) for data in claims}
    names = ("origin", "list", "message_id")
    gone = {
        one["target"]
        for one in read.values()
        if "target" in one and [one[n] for n in names] == [read.get(one["target"], {}).get(n) for n in names]
    }
    return {name: claim for name, claim in read.items() if "target" not in claim and name not in gone}


def says(claim: Mapping[str, Any], held: set[bytes]) -> tuple[Parent, list[bytes]]:
    """The parent that a claim says, and its references if they are witnesses."""
    left = {}
    for name in ("in_reply_to", "references"):
        bits = int.from_bytes(claim["weak_" + name], "little")
        left[name] = [one for place, one in enumerate(claim[name]) if not bits >> place & 1 or one in held]
    replies, references = left["in_reply_to"], left["references"]
    if claim["sane"] and replies:
        return replies[0], references if references[-1:] == replies else []
    return (references[-1] if references else replies[0] if replies else None), references


class View(NamedTuple):
    """Every tree by its root: the ids in it, and its edges."""

    claims: dict[bytes, dict[str, Any]]
    trees: Trees

    def digest(self, root: bytes) -> bytes:
        """Of the tree of a root."""
        ids, edges = self.trees[root]
        return tree_digest((name for name, claim in self.claims.items() if claim["message_id"] in ids), edges)


def common_view(claims: Iterable[bytes]) -> View:
    """What follows from claims that are admitted."""
    found = counted(claims)
    held = {claim["message_id"] for claim in found.values()}
    stated: dict[bytes, set[Parent]] = {}
    witnessed: dict[bytes, dict[int, set[Parent]]] = {}
    for claim in found.values():
        parent, references = says(claim, held)
        stated.setdefault(claim["message_id"], set()).add(parent)
        for place, name in enumerate(references):
            gaps = witnessed.setdefault(name, {})
            gaps.setdefault(len(references) - 1 - place, set()).add(references[place - 1] if place else None)
    parents: dict[bytes, Parent] = {}
    for name, gaps in witnessed.items():
        parents[name] = _agreed(gaps[min(gaps)])
    parents |= {name: _agreed(answers) for name, answers in stated.items()}
    for parent in [*parents.values()]:
        if parent is not None:
            parents.setdefault(parent, None)
    _cut(parents, lambda name: (name in held, -min(witnessed.get(name, {0: None})) if name not in held else 0, name))
    return View(found, _trees(parents, held))


def _agreed(answers: set[Parent]) -> Parent:
    return next(iter(answers)) if len(answers) == 1 else None


def _cut(parents: dict[bytes, Parent], ground: Any) -> None:  # noqa: ANN401 - a key to sort by
    for start in [*parents]:
        path: list[bytes] = []
        name: Parent = start
        while name is not None and name not in path:
            path.append(name)
            name = parents[name]
        if name is not None:
            parents[min(path[path.index(name) :], key=ground)] = None


def _trees(parents: Mapping[bytes, Parent], held: set[bytes]) -> Trees:
    trees: Trees = {}
    for name, parent in parents.items():
        root = name
        while (above := parents[root]) is not None:
            root = above
        ids, edges = trees.setdefault(root, (set(), []))
        ids.add(name)
        if parent is not None:
            edges.append((name, parent))
    return {root: tree for root, tree in sorted(trees.items()) if root in held or tree[1]}
