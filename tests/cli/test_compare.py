"""``weft diff A B``: two servers, or indexes, beside each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("grpc_health")

import weft
from tests.cli.command_runner import DRAFTS, OPS, Ran, mail
from tests.cli.foreign_claims import POLICY, claim, receive
from tests.cli.server_home import Home
from tests.index.factories import write
from tests.peering import peer_harness as exchange
from tests.server.server_harness import local, own, serving
from weft.compare import Comparison, Differing, differing
from weft.errors import AnswerError
from weft.model import CommonSummary, ThreadDigest
from weft.thread_tree import PlacedId, PlacingClaim, ThreadTree
from weft.v1 import threads_pb2 as wire

Placed = dict[str, tuple[str | None, bool, frozenset[str]]]
"""Of each id: its parent, whether it was seen, the lists that have it."""


def made(path: Path, *sources: str | Path) -> Home:
    path.mkdir()
    home = Home(path)
    home.config.touch()
    if sources:
        assert home.weft("ingest", "-q", *sources).code == 0
    return home


@pytest.fixture
def east(tmp_path: Path) -> Home:
    return made(tmp_path / "east", DRAFTS)


@pytest.fixture
def west(tmp_path: Path) -> Home:
    return made(tmp_path / "west", OPS)


def placed(home: Home) -> Placed:
    """What its own threads say, which are those of the common view while it has only its own claims."""
    with weft.Index.open(home.index, policy=home.config) as index:
        return {
            one.id: (one.parent, not one.ghost, frozenset(one.lists))
            for thread in index.all_threads()
            for one in thread.messages
        }


def diff(*arguments: object, home: Home, code: int = 1) -> dict[str, Any]:
    ran = home.weft("diff", "--json", *map(str, arguments))
    assert ran.code == code, ran.err
    found: dict[str, Any] = json.loads(ran.text)
    assert found["equal"] == (code == 0)
    return found


def messages(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The ids that differ; each is told of once."""
    told = [one for thread in found["threads"] for one in thread["messages"]]
    assert len({one["id"] for one in told}) == len(told)
    return {one["id"]: one for one in told}


def parent(side: dict[str, Any] | None) -> str | None:
    return None if side is None else side["parent"]


def check(found: dict[str, Any], first: Placed, second: Placed) -> None:
    """``found`` names exactly what differs."""
    told = messages(found)
    nowhere: tuple[str | None, bool, frozenset[str]] = (None, False, frozenset())
    both = {name: (first.get(name, nowhere), second.get(name, nowhere)) for name in first | second}
    assert set(told) == {name for name, (one, other) in both.items() if one != other}
    for name, one in told.items():
        here, there = both[name]
        assert (parent(one["first"]), parent(one["second"])) == (here[0], there[0])
        assert [bool(side and side["seen"]) for side in (one["first"], one["second"])] == [here[1], there[1]]
        for side, said in (("only_first", here), ("only_second", there)):
            assert {each["list"] for each in one[side] if "by" not in each} == set(said[2])
    assert found["edges"] == sum(one[0] != other[0] for one, other in both.values())
    assert found["messages"] == sum(one[1] != other[1] for one, other in both.values())


def test_two_servers_are_told_apart_thread_by_thread_and_edge_by_edge(east: Home, west: Home) -> None:
    with serving(east) as near, serving(west) as far:
        found = diff(near.address, far.address, home=east)
        ran = east.weft("diff", near.address, far.address)
    check(found, placed(east), placed(west))
    assert found["differing"] == len(found["threads"]) == 3
    assert [found[side]["threads"] for side in ("first", "second")] == [2, 2]
    assert [found[name] for name in ("on_both", "only_on_first", "only_on_second")] == [1, 1, 1]
    assert [thread["on_both"] for thread in found["threads"]].count(True) == 1
    assert (ran.code, ran.err) == (1, [summary(found, near.address, far.address)])
    assert ran.text.count("\n<") == 2
    for name in messages(found):
        assert f"\n  <{name}>\n" in ran.text


def summary(found: dict[str, Any], first: str, second: str) -> str:
    return (
        f"weft: {found['differing']} threads differ: {found['on_both']} that both have, {found['only_on_first']} only "
        f"on {first}, {found['only_on_second']} only on {second}; {found['messages']} messages on one side only, "
        f"{found['edges']} edges differ"
    )


def test_an_index_is_compared_as_its_server_would_be(east: Home, west: Home) -> None:
    with serving(east) as near, serving(west) as far:
        asked = diff(near.address, far.address, home=east)
        for first, second in ((near.address, west.index), (east.index, far.address), (east.index, west.index)):
            found = diff(first, second, home=east)
            assert found["threads"] == asked["threads"]
            assert [found[side]["common_view"] for side in ("first", "second")] == [
                asked[side]["common_view"] for side in ("first", "second")
            ]
        assert diff(near.address, east.index, home=west, code=0)["threads"] == []
    check(diff(west.index, east.index, home=west), placed(west), placed(east))


def test_after_an_exchange_two_servers_are_equal_and_sync_says_what_it_changed(east: Home, west: Home) -> None:
    exchange.admit(west, east)
    with exchange.serving(west) as (_, far, peers):
        exchange.admit(east, west, "--address", peers)
        before = diff(east.index, far, home=east)
        session = exchange.sync(east, peers)
        with serving(east) as near:
            ran = east.weft("diff", near.address, far)
            after = diff(near.address, far, home=east, code=0)
        again = exchange.sync(east, peers)
    assert (ran.code, ran.out, ran.err) == (0, b"", ["weft: the common views are equal: 3 threads"])
    assert after["first"] | {"name": "", "origin": ""} == after["second"] | {"name": "", "origin": ""}
    assert (after["threads"], after["differing"], after["truncated"]) == ([], 0, False)
    digests = session["digests"]
    assert digests["before"] == {"common_view": before["first"]["common_view"], "threads": 2}
    assert digests["after"] == {"common_view": after["first"]["common_view"], "threads": 3}
    assert digests["changed_threads"] == 2, "one was filled and one is new"
    assert again["digests"] == {"before": digests["after"], "after": digests["after"], "changed_threads": 0}


def test_servers_that_keep_threads_of_their_own_can_be_equal_in_those_that_both_have(east: Home, west: Home) -> None:
    before = diff("--both", east.index, west.index, home=east)
    assert (before["differing"], before["on_both"], len(before["threads"])) == (1, 1, 1)
    exchange.admit(west, east, "--mode", "threads")
    with exchange.serving(west) as (_, far, peers):
        exchange.admit(east, west, "--address", peers, "--mode", "threads")
        exchange.sync(east, peers)
        found = diff(east.index, far, home=east)
        equal = diff("--both", east.index, far, home=east, code=0)
        ran = east.weft("diff", "--both", east.index, far)
    assert [found[name] for name in ("differing", "on_both", "only_on_first", "only_on_second")] == [2, 0, 1, 1]
    assert [equal[name] for name in ("differing", "only_on_first", "only_on_second")] == [0, 1, 1]
    assert (equal["threads"], equal["messages"], equal["truncated"]) == ([], 0, False)
    said = f"weft: 1 thread that both have, all equal; 1 only on {east.index}, 1 only on {far}"
    assert (ran.code, ran.out, ran.err) == (0, b"", [said])


def test_a_thread_is_on_both_sides_though_it_has_another_root_there(tmp_path: Path) -> None:
    child = mail("child@x", references=["mid@x"])
    near = made(tmp_path / "near", f"l={write(tmp_path / 'a.mbox', mail('mid@x', references=['root@x']), child)}")
    far = made(tmp_path / "far", f"l={write(tmp_path / 'b.mbox', child)}")
    found = diff("--both", near.index, far.index, home=near)
    roots = {thread["root"] for thread in found["threads"]}
    assert (roots, found["on_both"]) == ({"root@x", "mid@x"}, 2)
    few = diff("--both", "--limit", "1", near.index, far.index, home=near)
    assert (len(few["threads"]), few["differing"], few["truncated"]) == (1, 2, True)
    assert [few[name] for name in ("messages", "edges")] == [found[name] for name in ("messages", "edges")]


@pytest.mark.parametrize(("rights", "code"), [('"*"', 0), ('["own/drafts"]', 1)])
def test_a_server_elsewhere_is_known_by_its_fingerprint_and_answers_whom_it_lets_read_everything(
    east: Home, west: Home, rights: str, code: int
) -> None:
    east.config.write_text(f'[peer."{own(west)}"]\nmay_read = {rights}\n')
    west.config.write_text(f'[origin."{own(east)}"]\nname = "east"\ntier = 1\nlists = "*"\n')
    with serving(east, listen="0.0.0.0:0") as served:
        address = local(served)
        for name in (own(east), "east"):
            ran = west.weft("diff", "-q", f"{name}@{address}", east.index, "--policy", east.config)
            assert (ran.code, ran.out, len(ran.err)) == (code, b"", code), ran.err
        if not code:
            assert "only here: drafts of east, claim " in west.weft("diff", f"east@{address}", west.index).text
        assert "does not let you read everything" in ran.err[0] if code else not ran.err


def test_a_copy_on_another_list_differs_though_no_edge_does(tmp_path: Path) -> None:
    one, two = mail("a@x"), mail("b@x", references=["a@x"])
    both = write(tmp_path / "both.mbox", one, two)
    near, far = made(tmp_path / "near", f"one={both}"), made(tmp_path / "far", f"one={both}")
    assert far.weft("ingest", "-q", f"two={write(tmp_path / 'b.mbox', two)}").code == 0
    found = diff(near.index, far.index, home=near)
    told = messages(found)
    assert (found["edges"], found["messages"], set(told)) == (0, 0, {"a@x", "b@x"})
    assert [len(told["b@x"][side]) for side in ("only_first", "only_second")] == [1, 2]
    text = near.weft("diff", near.index, far.index).text
    assert "below <a@x>: its own headers" in text
    assert "2 messages have other copies" in text


def test_what_contests_an_edge_on_one_side_is_named(story: Home, tmp_path: Path) -> None:
    other = story.copy_to(tmp_path / "other")
    child = "20030211100258.GB30441@northmail.example.com"
    receive(story, claim(child, ["elsewhere@x.example"]))
    found = diff(story.index, other.index, home=story)
    told = messages(found)
    assert set(told) == {child}, "only its edge differs, though it and all below it are another tree"
    assert told[child]["first"] == {"parent": None, "rule": "contested", "seen": True}
    assert told[child]["second"]["rule"] == "own headers"
    [said] = told[child]["only_first"]
    assert (said["list"], said["parent"]) == ("git", "elsewhere@x.example")
    assert told[child]["only_second"] == []
    here = {thread["root"]: thread["within"] for thread in found["threads"]}
    assert here[child] == "20030210035225.GA1107@aldgate.example.com"
    text = story.weft("diff", story.index, other.index).text
    assert "only here: git of street, claim " in text
    assert "states <elsewhere@x.example>" in text
    assert f"{other.index} has it in the thread of <20030210035225.GA1107@aldgate.example.com>" in text


def test_each_index_can_have_a_policy_of_its_own(story: Home, tmp_path: Path) -> None:
    other = story.copy_to(tmp_path / "other")
    receive(story, claim("new@x", []))
    receive(other, claim("new@x", []))
    policies = ("--policy", story.config, "--policy", other.config)
    assert diff(story.index, other.index, *policies, home=story, code=0)["first"]["threads"] == 4
    other.config.write_text("")
    found = diff(story.index, other.index, *policies, home=story)
    assert set(messages(found)) == {"new@x"}, "there its origin is not admitted"


def test_two_indexes_with_one_policy_that_admits_the_other_say_what_they_need(east: Home, west: Home) -> None:
    exchange.admit(east, west)
    ran = east.weft("diff", east.index, west.index)
    said = f"weft: each index needs its own policy: add --policy {east.config} --policy {west.config}"
    assert (ran.code, ran.out, ran.err) == (2, b"", [said])
    assert east.weft("diff", "-q", east.index, west.index, *said.split("add ")[1].split()).code == 1
    west.config.unlink()
    assert "--policy FILE" in east.weft("diff", east.index, west.index).err[0]
    swapped = ("--policy", east.config, "--policy", east.config)
    assert "our own key" in east.weft("diff", east.index, west.index, *swapped).err[0]


def test_only_so_many_threads_are_looked_into_and_all_are_counted(tmp_path: Path) -> None:
    near = made(tmp_path / "near", write(tmp_path / "a.mbox", *(mail(f"a{n}@x") for n in range(120))))
    far = made(tmp_path / "far", write(tmp_path / "b.mbox", *(mail(f"b{n}@x") for n in range(7))))
    found = diff(near.index, far.index, "--limit", "5", home=near)
    assert (found["differing"], len(found["threads"]), found["truncated"]) == (127, 5, True)
    ran = near.weft("diff", "--limit", "5", near.index, far.index)
    assert (
        f"127 threads differ: of the first 5, see --limit, 0 that both have, 5 only on {near.index}, 0 only on "
        f"{far.index}; 5 messages on one side only"
    ) in ran.err[0]
    whole = diff(near.index, far.index, "--limit", "0", home=near)
    assert (len(whole["threads"]), whole["messages"], whole["truncated"]) == (127, 127, False)


def test_a_diff_changes_neither_index_though_their_policies_are_others(story: Home, tmp_path: Path) -> None:
    other = story.copy_to(tmp_path / "other")
    story.config.write_text(POLICY)
    before = [path.read_bytes() for path in (story.index, other.index)]
    assert story.weft("diff", "-q", story.index, other.index).code == 0
    assert [path.read_bytes() for path in (story.index, other.index)] == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("{index}",), 2, "two servers"),
        (("{index}", "{index}", "{index}"), 2, "two servers"),
        (("{index}", "{index}", "--common"), 2, "two servers"),
        (("--both", "--common"), 2, "two servers"),
        (("{index}", "nothing"), 2, "'nothing' is neither an index that is there nor an address"),
        (("{index}", "127.0.0.1:99999"), 2, "is not an address"),
        (("{index}", "127.0.0.1:1"), 1, "127.0.0.1:1"),
        (("{index}", "nobody@127.0.0.1:7430"), 2, "'nobody' names no server"),
        (("{index}", "{index}", "--policy", "a.toml"), 2, "one --policy for each index"),
        (("{index}", "{index}.key"), 1, "key"),
    ],
)
def test_what_cannot_be_compared_is_one_line(story: Home, arguments: Sequence[str], code: int, said: str) -> None:
    ran: Ran = story.weft("diff", *(one.format(index=story.index) for one in arguments))
    assert (ran.code, ran.out, len(ran.err)) == (code, b"", 1), ran.err
    assert said in ran.err[0]


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([[b"b"], [b"a"]], "its digests are out of order: each root must come once, in the order of its bytes"),
        ([[b"a", b"a"]], "its digests are out of order: each root must come once, in the order of its bytes"),
        ([[b"%09d" % number] for number in range(50)], "it gives more digests than the 40 that it stated"),
    ],
    ids=["order", "twice", "more"],
)
def test_a_server_whose_digests_cannot_be_is_named_in_one_line(story: Home, runs: list[list[bytes]], said: str) -> None:
    status = wire.GetStatusResponse(version="1", origin=bytes(32))
    summary = wire.StreamDigestsResponse(common_view=bytes(32), thread_count=40, view_version=b"v")
    digests = [summary, *(wire.StreamDigestsResponse(root_ids=run, digests=bytes(16 * len(run))) for run in runs)]
    calls: dict[str, Sequence[Any]] = {
        "GetStatus": [status],
        "ListFeeds": [wire.ListFeedsResponse()],
        "StreamDigests": digests,
    }
    with answering(calls) as address:
        ran = story.weft("diff", address, story.index)
    assert (ran.code, ran.out, ran.err) == (1, b"", [f"weft: {address}: {said}"])


@contextmanager
def answering(calls: dict[str, Sequence[Any]]) -> Iterator[str]:
    """The address of a server that always answers the same: one response, or for ``StreamDigests`` a stream of them."""
    one, more = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler

    def handler(name: str, responses: Sequence[Any]) -> Any:  # noqa: ANN401 - of either kind
        data = [response.SerializeToString() for response in responses]
        return more(lambda *_: iter(data)) if name == "StreamDigests" else one(lambda *_: data[0])

    server = grpc.server(ThreadPoolExecutor(2))
    handlers = {name: handler(name, responses) for name, responses in calls.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("weft.v1.ThreadService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait(10)


# --- the comparison itself ---

_IDS = st.lists(st.sampled_from(["a", "b", "\udcff", "é", "z\udc80", "\U0001f600"]), unique=True)
_SIDES = st.tuples(_IDS, st.lists(st.sampled_from("01"), min_size=6, max_size=6))


def ordered(side: tuple[list[str], list[str]]) -> list[ThreadDigest]:
    names = sorted(side[0], key=lambda name: name.encode("utf-8", "surrogateescape"))
    return [ThreadDigest(name, digest) for name, digest in zip(names, side[1], strict=False)]


@given(_SIDES, _SIDES)
def test_one_pass_over_both_finds_the_roots_that_differ(
    first: tuple[list[str], list[str]], second: tuple[list[str], list[str]]
) -> None:
    one, other = dict(ordered(first)), dict(ordered(second))
    wanted = [
        Differing(name, one.get(name), other.get(name))
        for name in sorted(one | other, key=lambda name: name.encode("utf-8", "surrogateescape"))
        if one.get(name) != other.get(name)
    ]
    assert list(differing(ordered(first), ordered(second))) == wanted


class Telling:
    """A side that says what it likes."""

    def __init__(self, *trees: ThreadTree, lies: dict[str, str] | None = None) -> None:
        self.name = "liar"
        self.summary = CommonSummary("", len(trees), 0, b"")
        self._trees = trees
        self._lies = lies or {}
        self.asked: list[list[str]] = []

    def digests(self) -> Iterator[ThreadDigest]:
        digests = {tree.root: tree.digest for tree in self._trees} | self._lies
        return (ThreadDigest(root, digests[root]) for root in sorted(digests))

    def trees(self, ids: Sequence[str]) -> Iterator[ThreadTree]:
        self.asked.append(list(ids))
        return (tree for tree in self._trees if any(one.id in ids for one in tree.standings))


def tree(root: str, *below: str, list_name: str = "l") -> ThreadTree:
    said = (PlacingClaim("00" * 32, "o", list_name, None),)
    return ThreadTree(
        (PlacedId(root, None, True, "own headers", said), *(PlacedId(one, root, True, "", ()) for one in below))
    )


@pytest.mark.parametrize("lies", [{"a": "00" * 16}, {"b": "00" * 16}])
def test_a_side_that_gives_another_tree_than_it_said_is_found_out(lies: dict[str, str]) -> None:
    honest, liar = Telling(tree("a", "x")), Telling(tree("a", "y"), lies=lies)
    for first, second in ((honest, liar), (liar, honest)):
        comparison = Comparison()
        comparison.take(first.digests(), second.digests(), None)
        with pytest.raises(AnswerError, match=r"liar: the thread .* is not the one"):
            list(comparison.differences(first, second))


def test_equal_threads_are_never_asked_for() -> None:
    same = [tree(f"same{n}", f"reply{n}") for n in range(10)]
    first, second = Telling(*same, tree("t", "u")), Telling(*same, tree("t", "v"))
    comparison = Comparison()
    comparison.take(first.digests(), second.digests(), None)
    [found] = comparison.differences(first, second)
    assert [pair.id for pair in found.pairs] == ["u", "v"]
    assert {name for asked in (*first.asked, *second.asked) for name in asked} == {"t", "u", "v"}


def test_of_an_endless_run_only_so_much_is_kept(tmp_path: Path) -> None:
    many = (ThreadDigest(f"{number:09}", "00" * 16) for number in range(100_000))
    comparison = Comparison()
    comparison.take(many, iter(()), 10)
    assert (comparison.threads, len(comparison.found)) == (100_000, 10)
