"""Common views as test vectors: claims that count, the trees that follow from them, and their digests.

Each case is put into an index and read from it, as a server does that is compared with another one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.store.factories import Origin, mail
from weft.core.claim import Claim, Withdrawal, encode
from weft.index.common_view import build_common_view
from weft.index.index import Index
from weft.index.tree_reader import TreeReader
from weft.index.view import View
from weft.policy.rows import Origin as OriginRow
from weft.policy.rules import Policy
from weft.thread_tree import to_bytes

A, B = Origin("a"), Origin("b")
POLICY = Policy(None, {origin.public: OriginRow(1, None) for origin in (A, B)})

Said = list[tuple[Origin, Claim | Withdrawal]]


def _of(origin: Origin, *claims: Claim) -> Said:
    return [(origin, claim) for claim in claims]


_TWICE = [mail("m@x", "p@x"), mail("m@x", "q@x")]
_TARGET = mail("m@x", "p@x")
_WEAK = mail("m@x", "r@x", reply_to=["weak@x"])._replace(weak_in_reply_to=b"\x01")
_WEAK_REFERENCES = mail("n@x", "root@x", "weak@x", "m@x")._replace(weak_references=b"\x02")

CASES: dict[str, Said] = {
    "nothing": [],
    "one message": _of(A, mail("m@x")),
    "the last of References": _of(A, mail("m@x", "r@x", "p@x")),
    "a sane In-Reply-To goes before References": _of(A, mail("m@x", "r@x", "p@x", reply_to=["q@x"])),
    "In-Reply-To with several ids gives way to References": _of(A, mail("m@x", "p@x", reply_to=["q@x", "s@x"])),
    "In-Reply-To with several ids and no References": _of(A, mail("m@x", reply_to=["q@x", "s@x"])),
    "references place missing messages": _of(A, mail("m@x", "a@x", "b@x", "c@x")),
    "the smaller gap goes before the larger": _of(A, mail("m@x", "a@x", "b@x", "c@x"), mail("n@x", "d@x", "b@x")),
    "witnesses at one gap differ": _of(A, mail("m@x", "a@x", "b@x"), mail("n@x", "c@x", "b@x")),
    "a witness that there is no parent": _of(A, mail("m@x", "b@x"), mail("n@x", "a@x", "b@x")),
    "own headers silence witnesses": _of(A, mail("b@x", "z@x"), mail("m@x", "a@x", "b@x")),
    "References in the wrong order witness nothing": _of(A, mail("m@x", "p@x", "a@x", reply_to=["p@x"])),
    "two origins, two parents": [*_of(A, mail("m@x", "p@x")), *_of(B, mail("m@x", "q@x"))],
    "two origins, one has none": [*_of(A, mail("m@x", "p@x")), *_of(B, mail("m@x"))],
    "two copies of one origin": _of(A, *_TWICE),
    "a cycle is cut at the smallest id": _of(A, mail("b@x", "c@x"), mail("c@x", "a@x"), mail("a@x", "b@x")),
    "a cycle is cut at a missing message": _of(A, mail("a@x", reply_to=["g@x"]), mail("m@x", "a@x", "g@x")),
    "a cycle is cut at the larger gap": _of(
        A, mail("a@x", reply_to=["h@x"]), mail("m@x", "a@x", "g@x"), mail("n@x", "g@x", "h@x", "y@x")
    ),
    "a weak id of which no claim is": _of(A, _WEAK, mail("root@x")),
    "a weak id of which a claim is": _of(A, _WEAK, mail("weak@x")),
    "a weak reference": _of(A, _WEAK_REFERENCES),
    "a weak reference that counts": _of(A, _WEAK_REFERENCES, mail("weak@x", "v@x")),
    "a claim that was withdrawn": [*_of(A, *_TWICE), (A, A.withdrawal("git", _TWICE[0]))],
    "a withdrawal by another origin": [*_of(A, _TARGET), (B, A.withdrawal("git", _TARGET)._replace(origin=B.public))],
    "a withdrawal with another id": [*_of(A, _TARGET), (A, A.withdrawal("git", _TARGET)._replace(message_id=b"n@x"))],
    "aliases change nothing": _of(A, mail("m@x", "p@x")._replace(aliases=(b"q@x",)), mail("n@x", "q@x")),
    "ids are bytes": _of(A, mail("m@x")._replace(references=(b"\xe9@x", b"\xff@x")), mail("M@x", "m@X")),
}


def view_of(said: Said, folder: Path) -> dict[str, object]:
    """The trees of a common view, as an index makes them."""
    with Index.open(folder / "index.db", policy=POLICY) as index:
        with index.store.transaction():
            for origin, claim in said:
                index.store.put([origin.batch("git", claim)])
        index.store.connection.execute("BEGIN")
        view = build_common_view(View(index.store, POLICY))
        trees = [TreeReader(index.store, view).tree(root) for root in view.roots]
        digests = dict(view.threads(index.store, 0, len(view.roots)))
        index.store.connection.execute("ROLLBACK")
    return {
        "common_view": view.identity.hex(),
        "trees": [
            {
                "root": to_bytes(tree.root).hex(),
                "edges": [
                    [to_bytes(one.id).hex(), to_bytes(one.parent).hex()]
                    for one in tree.standings
                    if one.parent is not None
                ],
                "digest": digests[to_bytes(tree.root)].hex(),
            }
            for tree in trees
        ],
    }


def content() -> object:
    """The contents of ``forests.json``."""
    found = []
    for name, said in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            claims = [encode(claim._replace(origin=origin.public, list=b"git")).hex() for origin, claim in said]
            found.append({"name": name, "claims": claims, **view_of(said, Path(folder))})
    return {"cases": found}
