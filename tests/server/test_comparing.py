"""Digests and trees of the common view: those of the index, over a socket; and servers that lie about them."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

import weft
from tests.cli.server_home import Home
from tests.index.factories import mail, write
from tests.server.server_harness import Served, serving
from tests.store.factories import Origin
from tests.store.factories import mail as said
from weft.errors import AnswerError, ChangedError, InvalidRequestError, LateError, OverloadedError
from weft.index.common_view import CommonView, build_common_view
from weft.index.index import Index
from weft.index.tree_reader import TreeReader
from weft.index.view import View
from weft.model import Thread, ThreadDigest
from weft.policy.rows import Mute
from weft.policy.rows import Origin as Row
from weft.policy.rules import Policy, thread_digest
from weft.server import comparing, handlers
from weft.server.comparing import ComparisonStreams
from weft.server.reader_pool import ReaderPool
from weft.thread_tree import ThreadTree
from weft.v1 import threads_pb2 as wire
from weft.wire import limits, trees

Responses = Callable[[], Iterator[Any]]


def plain(threads: Iterator[Thread]) -> list[ThreadDigest]:
    """What the digests of an index must be whose own view is the common one, from its threads."""
    found = [
        ThreadDigest(thread.root, thread.digest[:32])
        for thread in threads
        if len(thread.messages) > 1 or not thread.messages[0].ghost
    ]
    return sorted(found, key=lambda one: one.root.encode("utf-8", "surrogateescape"))


def common(index: Index) -> tuple[list[ThreadDigest], list[ThreadTree], bytes]:
    """The digests and trees of an index, and the id of its common view."""
    index.store.connection.execute("BEGIN")
    view = build_common_view(View(index.store, index.policy))
    digests = [ThreadDigest(root.decode(), digest.hex()) for root, digest in view.threads(index.store, 0, 1 << 20)]
    reader = TreeReader(index.store, view)
    found = [reader.tree(root) for root in view.roots]
    index.store.connection.execute("ROLLBACK")
    return digests, found, view.identity


@pytest.fixture(scope="module")
def index(ingested: Home) -> Iterator[weft.Index]:
    with weft.Index.open(ingested.index, policy=ingested.config if ingested.config.exists() else None) as opened:
        yield opened


def test_the_digests_of_a_server_are_those_of_its_threads(shared: Served, index: weft.Index) -> None:
    with weft.connect(shared.address) as peer:
        digests = peer.digests()
        assert list(digests) == plain(index.all_threads())
        assert digests.summary == peer.common_view()
        assert digests.summary.common_view == peer.status(digest=True).digest
        assert (digests.summary.threads, digests.summary.position) == (3, 26)


def test_trees_of_any_ids_come_once_each_and_make_their_digests(shared: Served, index: weft.Index) -> None:
    with weft.connect(shared.address) as peer:
        digests = peer.digests()
        ids = [message.id for thread in index.all_threads() for message in thread.messages]
        found = list(peer.trees([*ids, "nobody@nowhere"], digests.summary.version))
        assert sorted((tree.root, tree.digest) for tree in found) == sorted(digests)
        parents = {one.id: one.parent for tree in found for one in tree.standings}
        threads = index.all_threads()
        assert parents == {message.id: message.parent for thread in threads for message in thread.messages}
        for tree in found:
            for one in tree.standings:
                explanation = index.explain(one.id)
                assert (one.rule, one.seen) == (explanation.rule, not explanation.ghost)
                counted = explanation.statements or [each for each in explanation.witnesses if each.counts]
                assert {each.claim for each in one.said} == {each.claim for each in counted}
                assert {each.parent for each in one.said} == {each.parent for each in counted}


def test_the_client_for_asyncio_gives_the_same(shared: Served) -> None:
    async def ask() -> tuple[list[ThreadDigest], list[ThreadTree]]:
        async with weft.connect_async(shared.address) as peer:
            digests = [one async for one in peer.digests()]
            version = (await peer.common_view()).version
            return digests, [tree async for tree in peer.trees([one.root for one in digests], version)]

    with weft.connect(shared.address) as peer:
        digests = peer.digests()
        found = list(digests)
        assert asyncio.run(ask()) == (found, list(peer.trees([one.root for one in found], digests.summary.version)))


def test_the_common_view_is_the_same_whoever_is_trusted_how_far_and_whatever_is_muted(tmp_path: Path) -> None:
    near, far = Origin("near"), Origin("far")
    parts = [
        near.batch(
            "l", said("a"), said("b", "a"), said("c", "g1", "b"), said("d", "g2"), said("e", "f"), said("f", "e")
        ),
        far.batch("l", said("b", "z"), said("c", "b"), said("h", "g3", "g4", "b"), near_withdrawn := said("gone", "a")),
    ]
    parts.append(far.batch("l", far.withdrawal("l", near_withdrawn)))
    policies = [
        Policy(origins={near.public: Row(1, None), far.public: Row(2, None)}),
        Policy(origins={near.public: Row(2, None), far.public: Row(1, None)}),
        Policy(
            origins={near.public: Row(1, None), far.public: Row(1, None)},
            mute=Mute(ids=frozenset({b"b", b"gone"}), edges=frozenset({(b"c", b"b")})),
        ),
    ]
    seen = []
    for number, policy in enumerate(policies):
        with Index.open(tmp_path / f"{number}.db", policy=policy) as index:
            index.admit(parts if number else parts[::-1])
            seen.append(common(index))
            assert seen[-1][2] == index.view_id(common=True)
            index.set_policy(Policy(origins={near.public: Row(1, None), far.public: Row(1, None)}))
            assert seen[-1][0] == plain(index.all_threads())
    assert seen[0] == seen[1] == seen[2]
    rules = {one.id: one.rule for tree in seen[0][1] for one in tree.standings}
    assert (rules["b"], rules["c"], rules["g3"], rules["g2"]) == ("contested", "own headers", "witnesses", "witnesses")
    assert "cycle cut" in (rules["e"], rules["f"])
    assert "gone" not in rules


def test_every_tree_of_the_hard_cases_makes_the_digest_that_is_given_of_it(tmp_path: Path) -> None:
    hard = Path(__file__).parent.parent.parent / "fixtures" / "hard"
    with Index.open(tmp_path / "index.db", policy=Policy()) as index:
        for number, path in enumerate(sorted(hard.rglob("*.mbox"))):
            index.ingest(f"{path.stem}-{number}", path)
        index.set_policy(replace(index.policy, own=index.origin))
        digests, found, identity = common(index)
        assert digests == [ThreadDigest(tree.root, tree.digest) for tree in found] == plain(index.all_threads())
        assert identity == index.view_id(common=True)
        assert len(digests) > 20


def test_digests_of_a_state_that_is_gone_are_refused_and_of_the_last_ones_not(home: Home, tmp_path: Path) -> None:
    with serving(home) as served, weft.connect(served.address) as peer:
        versions = []
        for number in range(4):
            digests = peer.digests()
            versions.append(digests.summary.version)
            roots = [one.root for one in digests]
            assert len(list(peer.trees(roots, digests.summary.version))) == 3 + number
            assert home.weft("ingest", "-q", write(tmp_path / f"{number}.mbox", mail(f"new{number}@x"))).code == 0
        assert len(set(versions)) == 4
        [tree] = peer.trees(["new2@x"], versions[3])
        assert tree.root == "new2@x"
        assert list(peer.trees(["new3@x"], versions[3])) == [], "as it was then"
        for version in (versions[0], b"", b"x" * 16):
            with pytest.raises(ChangedError):
                list(peer.trees(["new2@x"], version))


def test_claims_that_came_later_or_were_expunged_are_not_in_older_trees_or_break_their_digest(home: Home) -> None:
    with serving(home) as served, weft.connect(served.address) as peer:
        stream = peer.digests()
        digests = {one.root: one.digest for one in stream}
        root = min(digests)
        assert home.weft("expunge", "-q", "--yes", root).code == 0
        [tree] = peer.trees([root], stream.summary.version)
        assert tree.digest != digests[root]
        assert peer.common_view().common_view != stream.summary.common_view, "though the log is as long as it was"


@pytest.fixture
def pool(ingested: Home, index: weft.Index) -> Iterator[Callable[[], ReaderPool]]:
    opened: list[ReaderPool] = []

    def make() -> ReaderPool:
        opened.append(ReaderPool(ingested.index, index.policy, 2, "test"))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_however_many_ask_the_common_view_is_built_once(
    pool: Callable[[], ReaderPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[View] = []

    def weave(view: View) -> CommonView:
        built.append(view)
        return build_common_view(view)

    monkeypatch.setattr(comparing, "build_common_view", weave)

    async def ask() -> None:
        compared = ComparisonStreams(pool())

        async def one() -> list[bytes]:
            return [response async for response in compared.digests(b"", 30.0)]

        found = await asyncio.gather(*(one() for _ in range(limits.COMPARERS)))
        assert len({tuple(responses) for responses in found}) == 1

    asyncio.run(ask())
    assert len(built) == 1


def test_whoever_waits_for_the_common_view_keeps_no_thread_from_answering_others(
    pool: Callable[[], ReaderPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def slow(view: View) -> CommonView:
        assert go.wait(30)
        return build_common_view(view)

    monkeypatch.setattr(comparing, "build_common_view", slow)

    async def ask() -> None:
        running = pool()
        compared = ComparisonStreams(running)
        waiting = [asyncio.ensure_future(anext(compared.digests(b"", 30.0))) for _ in range(8)]
        await asyncio.sleep(0.2)
        assert await asyncio.wait_for(running.call(handlers.position, 10), 10) == 26
        assert not any(one.done() for one in waiting)
        late = compared.digests(b"", 0.1)
        with pytest.raises(LateError):
            await anext(late)
        go.set()
        assert len(set(await asyncio.gather(*waiting))) == 1

    asyncio.run(ask())


def test_more_comparing_streams_than_a_server_takes_are_refused(
    pool: Callable[[], ReaderPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMPARERS", 1)

    async def ask() -> None:
        compared = ComparisonStreams(pool())
        first = compared.digests(b"", 30.0)
        await anext(first)
        with pytest.raises(OverloadedError, match="1 streams"):
            await anext(compared.digests(b"", 30.0))
        await first.aclose()
        assert await anext(compared.digests(b"", 30.0))

    asyncio.run(ask())


def test_trees_come_in_pages_of_bounded_size_that_may_part_the_claims_of_one_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PAGE_BYTES", 2000)
    monkeypatch.setattr(comparing, "_CHUNK", 7)
    near = Origin("near")
    policy = Policy(origins={near.public: Row(1, None)})
    with Index.open(tmp_path / "index.db", policy=policy) as index:
        index.admit([near.batch(f"l{n}", *(said(f"m{k}", f"m{k // 3}") for k in range(1, 30))) for n in range(12)])
        policy = replace(policy, own=index.origin)
        index.set_policy(policy)
        _, wanted, _ = common(index)

    async def ask() -> list[bytes]:
        running = ReaderPool(tmp_path / "index.db", policy, 1, "test")
        try:
            compared = ComparisonStreams(running)
            summary = wire.StreamDigestsResponse.FromString(await anext(compared.digests(b"", 30.0)))
            request = wire.StreamTreesRequest(view_version=summary.view_version, message_ids=[b"m0", b"m29", b"m5"])
            return [response async for response in compared.trees(request.SerializeToString(), 30.0)]
        finally:
            running.close()

    data = asyncio.run(ask())
    assert len(data) > 10
    assert max(map(len, data)) < 3000
    joiner = trees.TreeJoiner()
    found = [tree for one in data for tree in joiner.take(wire.StreamTreesResponse.FromString(one))]
    assert [*found, *joiner.finish()] == wanted


def test_requests_beyond_the_limits_are_refused(shared: Served) -> None:
    with weft.connect(shared.address) as peer:
        version = peer.common_view().version
        with pytest.raises(InvalidRequestError, match=f"at most {limits.TREES_IDS}"):
            list(peer.trees(["a@x"] * (limits.TREES_IDS + 1), version))
        with pytest.raises(InvalidRequestError, match="message_ids: it is empty"):
            list(peer.trees([""], version))
    with grpc.insecure_channel(shared.address) as channel:
        for name in ("StreamDigests", "StreamTrees"):
            with pytest.raises(grpc.RpcError) as caught:
                list(channel.unary_stream(f"/weft.v1.ThreadService/{name}", None, None)(b"\xff" * 40))
            error: Any = caught.value
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT


# --- servers that lie ---


def first(threads: int = 3, common_view: bytes = b"c" * 32, version: bytes = b"v") -> wire.StreamDigestsResponse:
    return wire.StreamDigestsResponse(thread_count=threads, common_view=common_view, view_version=version)


def run_of(*roots: bytes) -> wire.StreamDigestsResponse:
    return wire.StreamDigestsResponse(root_ids=roots, digests=b"d" * 16 * len(roots))


@contextmanager
def lying(name: str, responses: Responses) -> Iterator[str]:
    """The address of a server whose call ``name`` answers with these."""
    handler = grpc.unary_stream_rpc_method_handler(
        lambda request, _: (one.SerializeToString() for one in responses()),
    )
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("weft.v1.ThreadService", {name: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait(10)


def endless() -> Iterator[wire.StreamDigestsResponse]:
    yield first(1000)
    number = 0
    while True:
        number += 100
        yield run_of(*(b"%020d" % (number + n) for n in range(100)))


def nothing_again_and_again() -> Iterator[wire.StreamDigestsResponse]:
    yield first()
    while True:
        yield run_of()


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        (endless, "more digests than the 1000"),
        (nothing_again_and_again, "empty"),
        (lambda: iter([first(), run_of(b"b"), run_of(b"a")]), "out of order"),
        (lambda: iter([first(), run_of(b"b", b"b")]), "out of order"),
        (lambda: iter([first(), run_of(b"b"), run_of(b"b")]), "out of order"),
        (lambda: iter([first(), run_of(b"")]), "out of order"),
        (lambda: iter([first(), run_of(b"a" * 251)]), "out of order"),
        (lambda: iter([first(), run_of(b"a", b"b")]), "gives 2 digests and stated 3"),
        (lambda: iter([first(2**63)]), "at most"),
        (
            lambda: iter([first(), wire.StreamDigestsResponse(root_ids=[b"a"], digests=b"d" * 17)]),
            "not one for each root",
        ),
        (lambda: iter([]), "begin with a summary"),
        (lambda: iter([run_of(b"a")]), "begin with a summary"),
        (lambda: iter([first(common_view=b"c")]), "begin with a summary"),
        (lambda: iter([first(version=b"v" * 65)]), "begin with a summary"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_digests_that_cannot_be_are_a_clear_error(responses: Responses, message: str) -> None:
    async def ask(address: str) -> None:
        async with weft.connect_async(address) as peer:
            async for _ in peer.digests():
                pass

    with lying("StreamDigests", responses) as address:
        with weft.connect(address) as peer, pytest.raises(AnswerError, match=message):
            list(peer.digests())
        with pytest.raises(AnswerError, match=message):
            asyncio.run(ask(address))


TreePlace, TreeFeed = wire.StreamTreesResponse.PlacedId, wire.StreamTreesResponse.Feed


def standing(name: bytes, up: int = 0) -> wire.StreamTreesResponse.PlacedId:
    return wire.StreamTreesResponse.PlacedId(message_id=name, parent_distance=up)


def unfed() -> Iterator[wire.StreamTreesResponse]:
    yield wire.StreamTreesResponse(ids=[standing(b"a")])
    said = [wire.StreamTreesResponse.PlacingClaim(claim_id=b"c" * 32)]
    yield wire.StreamTreesResponse(ids=[wire.StreamTreesResponse.PlacedId(claims=said, continued=True)])


def many_trees() -> Iterator[wire.StreamTreesResponse]:
    number = 0
    while True:
        number += 1
        one, feed = standing(b"%d" % number), wire.StreamTreesResponse.Feed(origin=bytes(32), list="l")
        one.claims.add(claim_id=bytes(32), witness_id=b"r" * 100_000)
        yield wire.StreamTreesResponse(feeds=[feed], ids=[one])


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        (many_trees, "trees of more than 1000000 bytes"),
        (lambda: iter([wire.StreamTreesResponse()]), "empty"),
        (lambda: iter([wire.StreamTreesResponse(ids=[standing(b"a", 1)])]), "whose parent does not stand before"),
        (lambda: iter([wire.StreamTreesResponse(ids=[standing(b"a"), standing(b"b", 2)])]), "does not stand before"),
        (lambda: iter([wire.StreamTreesResponse(ids=[standing(b"a"), standing(b"a", 1)])]), "stands twice"),
        (lambda: iter([wire.StreamTreesResponse(ids=[standing(b"a"), standing(b"a")])]), "stands twice"),
        (lambda: iter([wire.StreamTreesResponse(ids=[standing(b"")])]), "empty"),
        (lambda: iter([wire.StreamTreesResponse(ids=[standing(b"a" * 251)])]), "too long"),
        (unfed, "without a feed"),
        (lambda: iter([wire.StreamTreesResponse(ids=[TreePlace(continued=True)])]), "no id go on"),
        (lambda: iter([wire.StreamTreesResponse(feeds=[TreeFeed(origin=b"o")], ids=[standing(b"a")])]),
         "an origin of 1 bytes"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)  # fmt: skip
def test_trees_that_cannot_be_are_a_clear_error(
    responses: Responses, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "MOST", 1_000_000)
    refused = pytest.raises(AnswerError, match=re.escape(message))
    with lying("StreamTrees", responses) as address, weft.connect(address) as peer, refused:
        list(peer.trees(["a"], b"v"))


def test_a_tree_works_its_digest_out_from_what_is_in_it(shared: Served) -> None:
    with weft.connect(shared.address) as peer:
        digests = peer.digests()
        one = next(digests)
        [tree] = peer.trees([one.root], digests.summary.version)
        digests.close()
    claims = [bytes.fromhex(each.claim) for standing in tree.standings if standing.seen for each in standing.said]
    edges = [(each.id.encode(), each.parent.encode()) for each in tree.standings if each.parent]
    assert one.digest == tree.digest == thread_digest(claims, edges)[:16].hex()
    without = ThreadTree(tree.standings[:-1])
    assert without.digest != tree.digest
