"""What a master would know if the other servers told it: the benefit of the doubt for a scheme with one.

Theory of operation
-------------------
A server can pass a message on only if it can tell whose thread it is.  Two answers, both of them generous:

* **by mail**: something that it holds and that is connected with the message, by any reference in its own mail, is
  held by the master's list too, so its header names that list;
* **by id**: it is enough that what is so connected holds or names one id that the master's mail holds or names.  To
  find that out it has to ask about every id, as Weft does.

When it can tell, it passes on all that is connected, whenever that came: time is not looked at.  Each server tells from
its own mail, once; what the master learns of one server does not help it to ask another.
"""

from __future__ import annotations

from weft.analysis.components import Joined, refers
from weft.analysis.corpus import Corpus
from weft.analysis.corpus_forest import CorpusThreads
from weft.analysis.crossposts import naming


def heard(corpus: Corpus, threads: CorpusThreads, *, by_id: bool) -> list[int]:
    """For each node the set of lists that would know it as masters: those that hold it, and those that are told."""
    sets = _connected(corpus, threads)
    known = list(corpus.holders)
    touching = [held | named for held, named in zip(known, naming(corpus), strict=True)] if by_id else corpus.holders
    for number, connected in enumerate(sets):
        touched: dict[int, int] = {}
        nodes = list(connected)
        for node in nodes:
            if by_id or corpus.holders[node] >> number & 1:
                top = connected.top(node)
                touched[top] = touched.get(top, 0) | touching[node]
        for node in nodes:
            if corpus.holders[node] >> number & 1:
                known[node] |= touched[connected.top(node)]
    return known


def _connected(corpus: Corpus, threads: CorpusThreads) -> list[Joined]:
    """For each list what its mail connects within threads on several lists; in others there is nobody to tell."""
    sets = [Joined() for _ in corpus.names]
    numbers = threads.numbers
    for copy, node in enumerate(corpus.nodes):
        thread = numbers[node]
        if not threads.several(thread):
            continue
        others = (other for other in refers(corpus, copy) if numbers[other] == thread)
        sets[corpus.lists[copy]].join(node, others)
    return sets
