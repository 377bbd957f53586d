"""Real archives: what holds of small cases holds of a hundred thousand mails, and forged mail moves next to nothing.

The archives are not part of this repository: the environment variable ``WEFT_CORPORA`` names their folder.
"""

from __future__ import annotations

import json
import lzma
import os
import re
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.factories import rebuild
from weft.core.forest import NONE, ForestBuilder
from weft.core.header import Fields, scan
from weft.render.json import write_jsonl

CORPORA = os.environ.get("WEFT_CORPORA")
pytestmark = pytest.mark.skipif(CORPORA is None, reason="WEFT_CORPORA does not name the folder of archives")

Corpus = dict[str, Path]
_SPLIT = re.compile(rb"(?:\A|\n\n)From mboxrd@z Thu Jan  1 00:00:00 1970\n")
_PLAIN_ID = re.compile(rb"^message-id:\s*<([^<>\s]+@[^<>\s]*)>\s*$", re.IGNORECASE | re.MULTILINE)


def corpus(name: str) -> Corpus:
    """The files of a corpus by list."""
    return {path.name.partition(".")[0]: path for path in sorted(Path(CORPORA or "").joinpath(name).iterdir())}


def data(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


@pytest.fixture(scope="module")
def kernel_blocks() -> dict[str, list[bytes]]:
    """The header blocks of the corpus ``kernel`` by list, with a line feed before each; split without Weft."""
    return split(corpus("kernel"))


def split(files: Corpus) -> dict[str, list[bytes]]:
    return {name: list(blocks(data(path))) for name, path in files.items()}


def blocks(mbox: bytes) -> Iterator[bytes]:
    for mail in _SPLIT.split(mbox)[1:]:
        yield b"\n" + mail.partition(b"\n\n")[0] + b"\n"


@pytest.fixture(scope="module")
def kernel(kernel_blocks: dict[str, list[bytes]]) -> ForestBuilder:
    """All of ``kernel``, woven."""
    builder = ForestBuilder()
    for found in kernel_blocks.values():
        for block in found:
            add(builder, scan(block, 1, len(block)))
    return builder


def add(builder: ForestBuilder, fields: Fields) -> None:
    replies = [builder.node(name) for name in fields.in_reply_to]
    references = [builder.node(name) for name in fields.references]
    builder.add(builder.node(fields.message_id), replies, fields.sane, references)


def forge(builder: ForestBuilder, number: int, references: list[bytes]) -> None:
    """Post a mail with these References, as a header block."""
    chain = b"\n\t".join(b"<" + name + b">" for name in references)
    block = b"\nMessage-ID: <forged-%d@example.org>\nReferences: %s\n" % (number, chain)
    add(builder, scan(block, 1, len(block)))


def ghost_roots(builder: ForestBuilder) -> list[bytes]:
    """The ghosts that are roots of trees with a message in them, sorted."""
    forest = builder.forest()
    roots = set()
    for message in range(len(forest.ids)):
        node = message
        while forest.parents[node] != NONE:
            node = forest.parents[node]
        if forest.is_ghost(node) and not forest.is_ghost(message):
            roots.add(forest.ids[node])
    return sorted(roots)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_forged_mails_that_name_a_hundred_ghost_roots_each_weld_hardly_any_trees(
    kernel: ForestBuilder, seed: int
) -> None:
    roots, builder, random = ghost_roots(kernel), deepcopy(kernel), Random(seed)
    assert len(roots) > 1000
    for number in range(10):
        forge(builder, number, random.sample(roots, 100))
    assert len(roots) - len(ghost_roots(builder)) <= 30
    for number in range(10, 50):
        forge(builder, number, random.sample(roots, 100))
    assert len(roots) - len(ghost_roots(builder)) <= 65


@pytest.mark.parametrize(("mails", "named"), [(1, 5000), (200, 100)])
def test_forged_mails_that_name_seen_messages_move_nothing_but_themselves(
    kernel: ForestBuilder, mails: int, named: int
) -> None:
    before, builder, random = kernel.forest(), deepcopy(kernel), Random(mails)
    roots = [before.ids[v] for v, u in enumerate(before.parents) if u == NONE and not before.is_ghost(v)]
    last = b""
    for number in range(mails):
        references = random.sample(roots, named)
        forge(builder, number, references)
        last = references[-1]
    after = builder.forest()
    assert after.parents[: len(before.ids)] == before.parents
    assert after.contested == before.contested
    assert len(after.ids) == len(before.ids) + mails
    assert after.ids[after.parents[-1]] == last


def naive_lists(found: dict[str, list[bytes]]) -> dict[str, set[str]]:
    """The lists of every id, as one regular expression reads them; fails if it cannot read one."""
    lists: dict[str, set[str]] = {}
    for name, heads in found.items():
        for block in heads:
            own = _PLAIN_ID.search(block)
            assert own is not None
            lists.setdefault(own[1].decode("utf-8", "surrogateescape"), set()).add(name)
    return lists


def as_json(files: Corpus) -> bytes:
    """All threads of a corpus, one JSON object a line."""
    archive = rebuild(files)
    assert archive.notes == []
    file = BytesIO()
    write_jsonl(archive.threads(), file)
    return file.getvalue()


def check_forest(threads: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The lists of every id; fails unless each stands once, and below a parent that stands above it in its thread."""
    lists: dict[str, list[str]] = {}
    for thread in threads:
        depths: dict[str | None, int] = {None: -1}
        for message in thread["messages"]:
            assert message["id"] not in lists
            assert message["depth"] == depths[message["parent"]] + 1
            assert message["ghost"] == (not message["lists"])
            depths[message["id"]] = message["depth"]
            lists[message["id"]] = message["lists"]
        assert [message["id"] for message in thread["messages"] if message["parent"] is None] == [thread["root"]]
    return lists


@pytest.mark.parametrize("name", ["twisted", "kernel"])
def test_every_id_stands_once_in_a_forest_on_its_lists_whatever_the_order_of_the_files(
    name: str, request: pytest.FixtureRequest
) -> None:
    files = corpus(name)
    output = as_json(files)
    lists = check_forest([json.loads(line) for line in output.splitlines()])
    found = request.getfixturevalue("kernel_blocks") if name == "kernel" else split(files)
    assert {message_id: set(names) for message_id, names in lists.items() if names} == naive_lists(found)
    assert as_json(dict(reversed(files.items()))) == output
