"""The second implementation of the protocol (`tests.independent`) agrees with all vectors; it imports no Weft."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.session_harness import KEY, held, mirroring, put, side
from tests.independent import agreement, channel, claims, symbols, trees
from tests.independent.messages import RefusedError, last, message
from tests.independent.minimal_peer import MinimalPeer
from tests.part_vectors import part
from tests.store.factories import Origin, mail
from weft.exchange.configuration import Configuration
from weft.testing import MemoryStore

ROOT = Path(__file__).resolve().parent.parent
HELLO, AGREEMENT, SYMBOLS, LISTING, WANT, CLAIMS, GONE, ERROR = 1, 2, 3, 5, 8, 9, 10, 13


def vectors(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / "fixtures" / "vectors" / f"{name}.json").read_text())


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def refuses(read: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(RefusedError):
        read(*arguments)


def test_it_imports_nothing_of_weft() -> None:
    names = [f"tests.independent.{path.stem}" for path in (ROOT / "tests" / "independent").glob("*.py")]
    code = f"import sys\nfor name in {names}: __import__(name)\nprint([n for n in sys.modules if n.startswith('weft')])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_claims() -> None:
    cases = vectors("claims")
    for case in cases["accepted"]:
        read = claims.read_claim(raw(case["bytes"]))
        assert claims.claim_id(raw(case["bytes"])).hex() == case["id"]
        assert {name: _hex(value) for name, value in read.items()} == case["fields"]
    for case in cases["refused"]:
        refuses(claims.read_claim, raw(case["bytes"]))


def _hex(value: bytes | list[bytes] | int) -> object:
    if isinstance(value, int):
        return value
    return value.hex() if isinstance(value, bytes) else [one.hex() for one in value]


def test_signatures_and_fingerprints() -> None:
    cases = vectors("signing")
    for case in cases["signed"]:
        origin, name, root = (raw(case[field]) for field in ("origin", "list", "root"))
        assert claims.root_string(origin, name, case["leaf_count"], root).hex() == case["signed"]
        claims.check_signature(origin, raw(case["signature"]), raw(case["signed"]))
        assert channel.fingerprint(origin) == case["fingerprint"]
        assert channel.read_fingerprint(case["fingerprint"]) == origin
    for case in cases["refused"]:
        refuses(claims.check_signature, *(raw(case[field]) for field in ("origin", "signature", "message")))
    for case in cases["refused_fingerprints"]:
        refuses(channel.read_fingerprint, case["text"])


def test_proofs() -> None:
    cases = vectors("merkle")
    for case in cases["accepted"]:
        ids = [sha256(b"%d" % place).digest() for place in case["positions"]]
        proof = message(raw(case["proof"]))
        root = raw(case["root"])
        places = claims.check_proof(case["leaf_count"], root, last(proof[1]), last(proof[2]), ids)
        assert places == case["positions"]
    for case in cases["refused"]:
        ids = [raw(leaf) for leaf in case["leaves"]]
        proof = message(raw(case["proof"]))
        refuses(claims.check_proof, case["leaf_count"], raw(case["root"]), last(proof[1]), last(proof[2]), ids)


def test_parts() -> None:
    cases = vectors("parts")
    for case in cases["accepted"]:
        leaves, kept, refused = claims.read_part(raw(case["part"]))
        assert (leaves, _hex(kept), _hex(refused)) == (case["leaves"], case["kept"], case["refused"])
    for case in cases["refused"]:
        refuses(claims.read_part, raw(case["part"]))


def test_bindings() -> None:
    cases = vectors("binding")
    for case in cases["accepted"]:
        origin, signed, value = channel.read_certificate(raw(case["certificate"]))
        assert (origin.hex(), signed.hex(), value.hex()) == (case["origin"], case["signed"], case["value"])
    for case in cases["refused"]:
        refuses(channel.read_certificate, raw(case["certificate"]))
    issuer = channel.issuer_key()
    assert (issuer.public, issuer.number) == (
        raw(cases["issuer"]["public_key"]),
        int(cases["issuer"]["private_number"], 16),
    )
    callers = [case["certificate"] for case in cases["accepted"] if case["shown_by"] == "caller"]
    for certificate in (*callers, cases["issuer"]["certificate"]):
        assert issuer.has_issued(raw(certificate))


def test_agreements() -> None:
    cases = vectors("agreement")
    for case in cases["accepted"]:
        scopes, digest = agreement.agree(*(agreement.read_hello(raw(case[side])) for side in ("caller", "answerer")))
        assert {
            name: {"asked": asked, "ranges": [_range(origin, *lists) for origin, lists in feeds.items()]}
            for name, (asked, feeds) in scopes.items()
        } == case["scopes"], case["name"]
        assert digest.hex() == case["digest"]
        assert agreement.kept_mark(digest, raw(cases["key"])).hex() == case["kept"]
    for case in cases["refused"]:
        refuses(agreement.read_feeds, raw(case["feeds"]))


def _range(origin: bytes, all_but: bool, names: frozenset[bytes]) -> object:
    return {"origin": origin.hex(), "all_but": all_but, "lists": _hex(sorted(names))}


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [sha256(b"%d" % n).digest()[:16] for n in range(start, start + count)]


def test_coded_symbols() -> None:
    cases = vectors("sketch")
    key = raw(cases["key"])
    for case in cases["elements"]:
        digest = symbols.keyed_hash(key, raw(case["element"]))
        found = [at for at, _ in zip(symbols.indices(digest), range(60), strict=False)]
        assert digest.hex() == case["hash"]
        assert found[:12] == case["positions"]
        assert [at for at in found if at >= 4096][:5] == case["beyond"]
    for case in cases["sets"]:
        first, size, data = case["first"], case["size"], raw(case["symbols"])
        made = symbols.symbols_of(key, numbered(size), first, case["count"])
        assert symbols.encode(made, first, size) == data
        assert symbols.decode(data, first, size) == made
    for case in cases["differences"]:
        only_theirs, only_ours, count = case["only_theirs"], case["only_ours"], case["symbols"]
        theirs, ours = numbered(50 + only_theirs), numbered(50) + numbered(only_ours, 50 + only_theirs)
        both = [symbols.symbols_of(key, some, 0, count) for some in (theirs, ours)]
        assert symbols.difference(key, *both) == ({*theirs[50:]}, {*ours[50:]})


def test_digests_and_trees() -> None:
    cases = vectors("digests")
    for case in cases["message_ids"]:
        assert trees.id_digest(raw(case["id"])).hex() == case["digest"]
    for case in cases["threads"]:
        edges = [(raw(child), raw(parent)) for child, parent in case["edges"]]
        assert trees.tree_digest(map(raw, case["claims"]), edges).hex() == case["digest"]
    for case in cases["common_views"]:
        assert trees.view_digest(map(raw, case["claims"])).hex() == case["digest"]
    for case in vectors("forests")["cases"]:
        view = trees.common_view(map(raw, case["claims"]))
        assert trees.view_digest(view.claims).hex() == case["common_view"]
        assert {tree["root"]: sorted(tree["edges"]) for tree in case["trees"]} == {
            root.hex(): sorted([child.hex(), parent.hex()] for child, parent in edges)
            for root, (_, edges) in view.trees.items()
        }, case["name"]
        digests = {root.hex(): view.digest(root)[:16].hex() for root in view.trees}
        assert {tree["root"]: tree["digest"] for tree in case["trees"]} == digests


def frames_of(session: Any) -> list[tuple[str, int, Any]]:  # noqa: ANN401 - JSON
    """(sender, kind, fields) of each frame."""
    found = []
    for one in session["frames"]:
        [(kind, [data])] = message(raw(one["frame"])).items()
        found.append((one["from"], kind, message(data)))
    return found


@pytest.mark.parametrize("group", [name for name, value in vectors("session").items() if isinstance(value, dict)])
def test_sessions(group: str) -> None:
    """What each side holds afterwards is what it held and what came; digests, lists and symbols are as they must be."""
    said = vectors("session")[group]
    for session in said["sessions"]:
        frames = frames_of(session)
        hellos = [raw(one["frame"]) for one in session["frames"] if message(raw(one["frame"]))[HELLO]]
        digest = agreement.agree(*(agreement.read_hello(last(message(hello)[HELLO])) for hello in hellos[:2]))[1]
        stated = next(fields for _, kind, fields in frames if kind == AGREEMENT)
        assert digest.hex() == said["agreement"]
        assert last(stated[1]) == digest[:16]
        holds = {side: {raw(name) for name in session[f"{side}_holds"]} for side in ("caller", "answerer")}
        for sender, kind, fields in frames:
            receiver = "answerer" if sender == "caller" else "caller"
            if kind == SYMBOLS:
                elements = [name[:16] for name in holds[sender]]
                made = symbols.symbols_of(raw(said["key"]), elements, last(fields[2], 0), 16)
                written = symbols.encode(made, last(fields[2], 0), len(elements))
                assert written.startswith(last(fields[4]))
            if kind == LISTING:
                assert {name[:16] for name in holds[sender]} == {*_cut(last(fields[2]))}
            if kind == CLAIMS:
                for part in fields[1]:
                    holds[receiver] |= {*claims.read_part(part)[1]}
        if group not in ("live", "news"):  # there something comes from elsewhere meanwhile
            assert holds == {side: {raw(name) for name in session[f"{side}_holds_then"]} for side in holds}


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def single(origin: Origin, name: str) -> bytes:
    """A claim in a batch of its own, as a part."""
    batch = origin.batch("git", mail(name))
    return bytes(part(batch, [0]).SerializeToString(deterministic=True))


@pytest.mark.parametrize("calls", [True, False])
@pytest.mark.parametrize(("theirs", "ours"), [(0, 0), (3, 0), (0, 3), (5, 4), (500, 250)])
def test_the_smallest_peer_becomes_equal_with_a_server_without_coded_symbols(
    calls: bool,
    theirs: int,
    ours: int,
) -> None:
    store, small, server = MemoryStore(), Origin("small"), Origin("server")
    for start in range(0, theirs, 256):
        put(store, server, "git", *(mail(f"{n}@server.example") for n in range(start, min(start + 256, theirs))))
    peer = MinimalPeer(small.public, server.public, (single(small, f"{n}@x") for n in range(ours)), caller=calls)
    other = side(store, Configuration(mirroring(server, small), small.public, not calls, KEY))
    road = deque(("peer", frame) for frame in peer.start())
    road.extend(("server", frame) for frame in other.take(other.session.start()))
    while road:
        sender, frame = road.popleft()
        if sender == "peer":
            road.extend(("server", reply) for reply in other.take(other.session.receive(frame)))
        else:
            road.extend(("peer", reply) for reply in peer.receive(frame))
    assert other.ended is not None
    assert other.ended.error is None
    assert peer.over
    assert {name[:16] for name in held(store)} == {*peer.parts} | {*peer.received}
    assert len(held(store)) == theirs + ours
    assert "symbols" not in other.kinds
