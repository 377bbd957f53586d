"""The limits of the machine: reading the file, finding separators in it, and our own plain C program."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.command_runner import Work
from tests.bench.corpora import Corpus
from tests.bench.lower_bound import compiled
from tests.bench.peers.contender import Contender

_COMPILER = "apt-get install gcc libc6-dev"
_STRINGZILLA = """
import mmap, sys, stringzilla
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
    text, at, found = stringzilla.Str(memoryview(data)), 0, 0
    while (at := text.find(b"\\nFrom ", at)) >= 0:
        at, found = at + 1, found + 1
    del text
"""


def _bound(mode: str) -> Contender:
    def prepare(corpus: Corpus, folder: Path) -> Work:
        counted = b"%d messages, " % corpus.messages if mode == "thread" else b""
        return Work([str(compiled(folder)), mode, str(corpus.mbox)], folder, expect=counted)

    title, more = _MODES[mode]
    return Contender("limits", title, "threads", ("cc",), _COMPILER, prepare, more, limit=True)


def _stringzilla(corpus: Corpus, folder: Path) -> Work:
    return Work([sys.executable, "-c", _STRINGZILLA, str(corpus.mbox)], folder)


_MODES = {
    "read": ("read()", "nothing else"),
    "search": ("memmem: separators", "nothing else"),
    "thread": ("plain C: split, three headers, intern, link", "prints counts only"),
}

CONTENDERS = [
    _bound("read"),
    _bound("search"),
    Contender(
        "limits", "stringzilla: separators", "threads", ("module:stringzilla",), "pip install stringzilla",
        _stringzilla, "nothing else; with the start of Python", limit=True,
    ),
    _bound("thread"),
]  # fmt: skip
