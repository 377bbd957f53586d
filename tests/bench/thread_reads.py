"""``python -m tests.bench.thread_reads INDEX``: what it takes to read threads out of an index, as JSON, in
microseconds.

Asked for are ids of up to 200 threads of about 25 messages; each figure is a median.  *Warm*: the thread was read
before by this connection.  *Cold*: the first look-up of a fresh connection, opening it not counted, the file in the
cache of the operating system.  *Rows*: what the queries give; else the objects that a program gets.
"""

from __future__ import annotations

import json
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

from weft import Index
from weft.index.thread_reader import _DOWN

_ASKED = 200
_FRESH = 50
_ABOUT = range(20, 32)


def main() -> None:
    """Print the figures."""
    path = Path(sys.argv[1])
    with Index.open(path) as index:
        ids = chosen(index)
        figures = {"warm": warm(index, ids), "rows": warm_rows(index, ids), "newest": newest(index)}
        figures["newest rows"] = newest_rows(index)
    figures["cold"] = fresh(path, ids, lambda index, one: index.thread(one))
    figures["cold rows"] = fresh(path, ids, rows)
    print(json.dumps(figures))


def chosen(index: Index) -> list[str]:
    """An id out of each of some threads of about 25 messages; of the largest, where there are none such."""
    parents = dict(index.store.connection.execute("SELECT node, parent FROM nodes"))
    roots = array("q")
    for node in parents:
        while parents[node] >= 0:
            node = parents[node]
        roots.append(node)
    sizes = Counter(roots)
    fitting = sorted(root for root, size in sizes.items() if size in _ABOUT)
    random = Random(25)
    some = random.sample(fitting, min(_ASKED, len(fitting))) or [sizes.most_common(1)[0][0]]
    literals = (
        index.store.connection.execute("SELECT id FROM ids WHERE node = ?", (root,)).fetchone() for root in some
    )
    return [literal.decode("utf-8", "surrogateescape") for (literal,) in literals]


def rows(index: Index, one: str) -> object:
    """The rows of the thread in which an id stands."""
    reader = index._view.reader
    return index.store.connection.execute(_DOWN, (reader.root_of(index._node(one)),)).fetchall()


def warm(index: Index, ids: Iterable[str]) -> float:
    """Threads as objects that were read before."""
    return median(min(took(lambda one=one: index.thread(one)) for _ in range(5)) for one in ids)  # type: ignore[misc]


def warm_rows(index: Index, ids: Iterable[str]) -> float:
    """Their rows."""
    return median(min(took(lambda one=one: rows(index, one)) for _ in range(5)) for one in ids)  # type: ignore[misc]


def fresh(path: Path, ids: Iterable[str], look: Callable[[Index, str], object]) -> float:
    """The first look-up of fresh connections."""
    times = []
    for one in islice(ids, _FRESH):
        with Index.open(path) as index:
            times.append(took(lambda index=index, one=one: look(index, one)))  # type: ignore[misc]
    return median(times)


def newest(index: Index) -> float:
    """The newest 50 threads as objects."""
    return median(took(lambda: list(index.threads(list_name="bench", limit=50))) for _ in range(9))


def newest_rows(index: Index) -> float:
    """The newest 50 roots of a list."""
    listing = index._view.listing
    return median(took(lambda: list(islice(listing.newest_roots(None, None, "bench"), 50))) for _ in range(9))


def took(act: Callable[[], object]) -> float:
    """Microseconds of the clock."""
    began = time.perf_counter_ns()
    act()
    return (time.perf_counter_ns() - began) / 1e3


if __name__ == "__main__":
    main()
