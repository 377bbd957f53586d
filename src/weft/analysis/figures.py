"""The pictures of a report, as files: each as SVG, and the same as PNG.

Theory of operation
-------------------
There are always the same four, so that whoever asks for a folder of them knows what is in it; where there is nothing to
draw, a picture says so.  Each is a function of the corpus and of which thread was asked for: equal mail, equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from weft.analysis.bar_charts import lacks_chart, origin_chart
from weft.analysis.chart import Chart, alone, empty
from weft.analysis.corpus import Corpus
from weft.analysis.crossposts import Crossposts
from weft.analysis.example_thread import choose_thread, thread_with
from weft.analysis.list_map import list_map
from weft.analysis.png import png
from weft.analysis.shared_threads import ListPair, Origins, origins, pairs
from weft.model import Thread
from weft.render.lanes.svg import write_svg

NAMES = ("origin", "lacks", "map", "thread")
"""What the pictures are called: shares of threads where they began, what lists lack, the map, and one thread."""
FILES = tuple(f"{name}.{ending}" for name in NAMES for ending in ("svg", "png"))
"""The names of all files."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is drawn, once for files and for the page."""

    origins: Origins
    pairs: tuple[ListPair, ...]
    origin: Chart
    lacks: Chart
    map: Chart
    thread: Thread | None

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The name and the bytes of each of `FILES`."""
        thread = alone(empty("One thread", "There is no message.")) if self.thread is None else _svg(self.thread)
        documents = (alone(self.origin), alone(self.lacks), alone(self.map), thread)
        for name, document in zip(NAMES, documents, strict=True):
            yield f"{name}.svg", document
            yield f"{name}.png", png(document)


def figures(corpus: Corpus, crossposts: Crossposts, thread_id: str | None = None) -> Figures:
    """Draw all; ``thread_id`` names the thread, else it is the one that tells most.

    `weft.errors.NotFoundError` if no message has or names that id.
    """
    thread = choose_thread(corpus) if thread_id is None else thread_with(corpus, thread_id)
    counted, shared = origins(corpus), pairs(corpus)
    return Figures(
        counted,
        tuple(shared),
        origin_chart(counted),
        lacks_chart(crossposts),
        list_map(corpus, shared),
        thread,
    )


def _svg(thread: Thread) -> bytes:
    file = BytesIO()
    write_svg([thread], file)
    return file.getvalue()
