"""Threads on their way out: for people, for programs, for mail readers and for graph software.

`FORMATS` says what each format needs.  A format's module is imported only when it is asked for: networkx alone costs
more than a small rebuild.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import cast


@dataclass(frozen=True, slots=True)
class Format:
    """One format that threads can be written in."""

    module: str
    function: str
    every_id: bool = False
    """Trees of ghosts only, and ghosts without descendants, belong into it too."""
    raw: bool = False
    """Its writer takes pairs (bytes of a message, whether they are mbox-escaped) instead of threads."""
    for_people: bool = False
    """Its writer also takes the keywords ``columns``, ``color``, ``handles`` and ``now``."""
    named: bool = False
    """Its writer also takes the keyword ``names``: what the reader calls origins and peers, by fingerprint."""

    def writer(self) -> Callable[..., None]:
        """The function that writes it: ``writer(threads, file)``, ``file`` open for bytes."""
        return cast("Callable[..., None]", getattr(import_module(self.module), self.function))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "text": Format("weft.render.text", "write_text", for_people=True, named=True),
        "json": Format("weft.render.json", "write_json", every_id=True),
        "jsonl": Format("weft.render.json", "write_jsonl", every_id=True),
        "mboxrd": Format("weft.render.mbox", "write_mboxrd", raw=True),
        "dot": Format("weft.render.dot", "write_dot"),
        "graphml": Format("weft.render.graphml", "write_graphml", every_id=True),
        "svg": Format("weft.render.lanes.svg", "write_svg"),
        "html": Format("weft.render.html", "write_html", named=True),
    }
)
"""The formats by the names that ``--format`` takes."""
