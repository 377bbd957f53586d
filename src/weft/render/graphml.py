"""Threads as GraphML, one directed graph with an edge from each parent to its child, for graph software.

Theory of operation.  networkx writes it, and wants the whole graph first: about 650 bytes a node, and as much again
for the XML.  So this is for threads and regions, not for a whole archive; `weft.render.json` streams.  XML has no NUL
and few other control characters, so ids are named by `weft.render.node_names.node_name` and text is cleaned.

Nodes have the typed attributes ``subject``, ``author``, ``date``, ``lists`` (names with ``/`` between them, which no
name has in it), ``thread`` (the name of its root), ``ghost``, ``contested``, ``joined``, ``muted`` (boolean),
``variants``, ``depth``, ``named`` (int); edges have ``joined`` and ``hearsay`` (boolean).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

from weft.model import Message, Thread
from weft.render.node_names import node_name
from weft.render.sanitize import clean

if TYPE_CHECKING:
    import networkx


def write_graphml(threads: Iterable[Thread], file: BinaryIO) -> None:
    """Write ``threads`` as one GraphML graph in UTF-8; all of it is in memory at once, 650 bytes a node and more."""
    from networkx import write_graphml_xml

    write_graphml_xml(build_graph(threads), file, encoding="utf-8")


def build_graph(threads: Iterable[Thread]) -> networkx.DiGraph[str]:
    """One graph of ``threads``, with names and text that XML can hold."""
    import networkx

    graph: networkx.DiGraph[str] = networkx.DiGraph()
    for thread in threads:
        root = node_name(thread.root)
        for message in thread.messages:
            graph.add_node(node_name(message.id), thread=root, **_attributes(message))
        for message in thread.messages:
            if message.parent is not None:
                graph.add_edge(
                    node_name(message.parent), node_name(message.id), joined=message.joined, hearsay=message.hearsay
                )
    return graph


def _attributes(message: Message) -> dict[str, str | bool | int]:
    return {
        "subject": clean(message.subject),
        "author": clean(message.author),
        "date": clean(message.date or message.stated_date),
        "lists": clean("/".join(message.lists)),
        "ghost": message.ghost,
        "contested": message.contested,
        "joined": message.joined,
        "muted": message.muted,
        "variants": message.variants,
        "depth": message.depth,
        "named": message.named,
    }
