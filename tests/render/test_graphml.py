from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import networkx
import pytest
from hypothesis import given

from tests.render.samples import HOSTILE, chain, hostile, message, odd, star, thread, threads, written
from weft.model import Thread
from weft.render.graphml import build_graph
from weft.render.node_names import node_name
from weft.render.sanitize import clean


def read(*some: Thread) -> networkx.DiGraph[str]:
    graph = networkx.read_graphml(BytesIO(written("graphml", *some)))
    assert isinstance(graph, networkx.DiGraph)
    return graph


@given(threads())
def test_networkx_reads_back_the_graph_that_was_written(one: Thread) -> None:
    graph, original = read(one), build_graph([one])
    assert set(graph.nodes) == {node_name(message.id) for message in one.messages}
    assert set(graph.edges(data="joined")) == {
        (node_name(message.parent), node_name(message.id), message.joined)
        for message in one.messages
        if message.parent is not None
    }
    for name, attributes in original.nodes(data=True):
        # Some versions of networkx read an empty text as none at all.
        assert {key: graph.nodes[name].get(key, "") for key in attributes} == attributes


def test_every_hostile_text_is_a_node_of_its_own_and_legible() -> None:
    graph = read(hostile())
    assert len(graph) == len(HOSTILE)
    for one in HOSTILE[1:]:
        assert graph.nodes[node_name(one)].get("subject", "") == clean(one)


def test_attributes_have_types() -> None:
    attributes = read(odd()).nodes["d@x"]
    assert attributes == {
        "subject": "Re: tabs",
        "author": "Ann Other",
        "date": "2003-02-09T22:52:25-05:00",
        "lists": "git",
        "thread": "lost@x",
        "ghost": False,
        "contested": True,
        "joined": True,
        "muted": False,
        "variants": 1,
        "depth": 1,
        "named": 0,
    }
    assert {key: type(value) for key, value in attributes.items() if not isinstance(value, str)} == {
        "ghost": bool,
        "contested": bool,
        "joined": bool,
        "muted": bool,
        "variants": int,
        "depth": int,
        "named": int,
    }


def test_many_threads_are_trees_of_one_graph() -> None:
    graph = read(odd(), thread(message("other@x", None, 0, "git", "ietf")))
    assert networkx.number_weakly_connected_components(graph) == 2
    assert networkx.is_branching(graph)
    assert graph.nodes["other@x"]["lists"] == "git/ietf"


def test_no_threads_are_an_empty_graph() -> None:
    assert len(read()) == 0


@pytest.mark.parametrize("make", [chain, star], ids=["deep", "broad"])
@pytest.mark.parametrize("messages", [5_000, pytest.param(50_000, marks=pytest.mark.slow)])
def test_thousands_of_messages_in_one_thread_are_written(make: Callable[[int], Thread], messages: int) -> None:
    big = make(messages)
    text = written("graphml", big)
    assert text.count(b"<node ") == len(big.messages)
    assert text.count(b"<edge ") == len(big.messages) - 1
