"""Real archives, a server for each list: all end with the whole of each thread of their own, and say so.

The archives are not part of this repository: the environment variable ``WEFT_CORPORA`` names their folder.  What
servers shall end with is computed from the mail of all lists together, which no server ever has.  With ``-s`` the
figures are printed.
"""

from __future__ import annotations

import lzma
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

import pytest

from tests.factories import rebuild
from tests.peering.expected_threads import check, messages, trees_of
from tests.peering.index_meetings import Cost, Folder, Pairs, Server, every_pair, until_quiet, with_hub

CORPORA = os.environ.get("WEFT_CORPORA")
pytestmark = pytest.mark.skipif(CORPORA is None, reason="WEFT_CORPORA does not name the folder of archives")

Files = Mapping[str, Path]
"""The file of each list by its name."""

HUB = "hub"
BEGINNING = 700
"""Messages of each list in the short test."""
_SEPARATOR = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"


def corpus(name: str) -> Files:
    """The files of a corpus by list."""
    return {path.name.partition(".")[0]: path for path in sorted((Path(CORPORA or "") / name).iterdir())}


def beginnings(lists: Files, count: int, folder: Path) -> Files:
    """The first messages of each list."""
    found = {}
    for name, path in lists.items():
        found[name] = folder / f"{name}.mbox"
        with lzma.open(path) as file:
            found[name].write_bytes(b"".join(_first(file, count)))
    return found


def _first(lines: Iterator[bytes], count: int) -> Iterator[bytes]:
    for line in lines:
        count -= line == _SEPARATOR
        if count < 0:
            return
        yield line


def meet(name: str, servers: Sequence[Server], pairs: Pairs) -> tuple[int, Cost]:
    """Let pairs meet until nobody learns anything, and print it: how many messages the servers lacked, what it took."""
    before, began, used = count(servers), time.monotonic(), time.process_time()
    cost = until_quiet(pairs)
    lacked = count(servers) - before
    print(
        f"{name}: {cost.data / cost.claim_bytes:.3f} x {cost.claim_bytes:,} bytes of claims and proofs; "
        f"{cost.claims:,} claims and {lacked:,} messages lacked; {cost.rounds} rounds, {cost.sessions} sessions in "
        f"{cost.gossip} rounds of gossip; {time.monotonic() - began:.1f} s, {time.process_time() - used:.1f} s of CPU"
    )
    return lacked, cost


def count(servers: Sequence[Server]) -> int:
    """How many messages are held, by each."""
    return sum(len(messages(server.reader)) for server in servers)


Dangling = set[tuple[str, str, str]]
"""(list, id, an id that it names and that the list lacks)."""


def references(lists: Files) -> Dangling:
    """What mail refers to by References or In-Reply-To and its list lacks; read without Weft."""
    held: set[tuple[str, str]] = set()
    named: Dangling = set()
    for name, path in lists.items():
        for data in path.read_bytes().split(b"\n" + _SEPARATOR):
            mail = BytesHeaderParser().parsebytes(data.removeprefix(_SEPARATOR))
            [about] = ids(mail, "Message-ID")
            held.add((name, about))
            named.update((name, about, other) for other in ids(mail, "References") + ids(mail, "In-Reply-To"))
    return {(name, about, other) for name, about, other in named if (name, other) not in held}


def ids(mail: Message, field: str) -> list[str]:
    """The message ids in a field of a mail."""
    return re.findall(r"<([^<>\s]+@[^<>\s]+)>", str(mail.get(field, "")))


def parents(lists: Files) -> Dangling:
    """The parents of messages, by the mail of all lists, that a list of these messages lacks."""
    rows = {message.id: message for thread in rebuild(lists).threads() for message in thread.messages}
    return {
        (name, message.id, message.parent)
        for message in rows.values()
        if message.parent is not None
        for name in set(message.lists) - set(rows[message.parent].lists)
    }


def found(dangling: Dangling, servers: Sequence[Server]) -> int:
    """How many of them the server of the list holds."""
    held = {server.name: messages(server.reader) for server in servers}
    return sum(other in held[name] for name, _, other in dangling)


def test_twisted_lists_find_what_they_refer_to_and_lack_and_show_equal_threads(tmp_path: Path) -> None:
    lists = corpus("twisted")
    referred, above = references(lists), parents(lists)
    assert (len(referred), len(above)) == (294, 58)
    folder = Folder.make(tmp_path, lists)
    folder.ingest(lists)
    with folder.mesh(lists) as servers:
        assert (found(referred, servers), found(above, servers)) == (0, 0)
        _, cost = meet("twisted", servers, every_pair(servers))
        assert cost.gossip == 2, "one session is enough for two, and another one to see that"
        assert (found(referred, servers), found(above, servers)) == (264, 50)
        check([server.reader for server in servers], trees_of(lists))


def exchange(folder: Path, name: str, lists: Files) -> list[int]:
    """Servers of these lists come to whole threads in a mesh, and others like them over a hub; how much they lacked."""
    trees = trees_of(lists)
    direct = Folder.make(folder / "mesh", (*lists, HUB))
    direct.ingest(lists)
    over = direct.copy_to(folder / "hub")
    with direct.mesh(lists) as servers:
        in_mesh, _ = meet(f"{name}, mesh", servers, every_pair(servers))
        check([server.reader for server in servers], trees)
    with over.around(HUB) as (servers, hub):
        over_hub, _ = meet(f"{name}, hub", servers, with_hub(servers, hub))
        check([server.reader for server in servers], trees)
    return [in_mesh, over_hub]


def test_beginnings_of_kernel_lists_come_to_whole_threads_in_a_mesh_and_over_a_hub(tmp_path: Path) -> None:
    lists = beginnings(corpus("kernel"), BEGINNING, tmp_path)
    in_mesh, over_hub = exchange(tmp_path, "beginnings of kernel", lists)
    assert in_mesh == over_hub > 100


@pytest.mark.slow
def test_kernel_lists_come_to_whole_threads_in_a_mesh_and_over_a_hub(tmp_path: Path) -> None:
    # So much the lists lack by the report on cross-posts, too, which asks nobody.
    assert exchange(tmp_path, "kernel", corpus("kernel")) == [4149, 4149]
