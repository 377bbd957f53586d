"""One server that is authoritative, against many that tell each other: what each would know of the same mail.

Theory of operation
-------------------
Each list is a server.  A **model** says for each thread which servers one could ask about it, and what copies these
have.  What a server shows is the forest of its copies (`weft.analysis.corpus_forest`), so that also an id which it
knows only from References of its mail has a parent there.  Against the forest of all copies it is counted

* how many **messages** the server holds;
* whether the thread is **whole** on it: it holds all messages that anybody holds;
* how many **parents** are right: messages that it holds or names, below the same parent as in the forest of all.

The models:

* ``list``: one list for all threads, each in turn;
* ``master_worst``, ``master_mean``, ``master_best``: the **master** is the list that holds the root, where the
  conversation began; if several do, the worst, the mean or the best of them (for each of the three counts by itself).
  If nobody does, nobody can say who the master is, and nothing is known;
* ``master_or_first``: as a benefit of the doubt, the lists of the first message that came then stand in;
* ``master_told_by_mail``, ``master_told_by_id``: as another, all other servers pass on to this master what they can
  tell to be of its thread (`weft.analysis.informed_master`);
* ``best_list``: the best list for each thread, chosen with hindsight.  No choice of one server can be better, as long
  as its own mail is all that it has;
* ``weft``: each server that holds a message of a thread has, after an exchange, every copy of all messages in it.  Of
  these servers the worst counts.  This is computed from what the exchange promises; it is not a run of one.

The table does not say what a server could do if another one lied, or is away; for the latter see
`weft.analysis.single_master`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from weft.analysis.corpus import Corpus, members, several
from weft.analysis.corpus_forest import CorpusThreads, build_forest, threads
from weft.analysis.informed_master import heard
from weft.analysis.single_master import Replay, masters, replay
from weft.core.forest import NONE


@dataclass(frozen=True, slots=True)
class Tally:
    """Messages known, threads whole, parents right.  Whole numbers but for means, which have one digit more."""

    messages: float
    threads_whole: float
    parents_right: float


@dataclass(frozen=True, slots=True)
class Model:
    """One row: what it is called in JSON, the list's name if it is that of a list, in all and on several lists."""

    model: str
    list: str | None
    all: Tally
    on_several_lists: Tally


@dataclass(frozen=True, slots=True)
class ThreadCounts:
    """Some of the threads: how many, their messages, how many have a root that nobody holds, and their messages."""

    threads: int
    messages: int
    root_unseen: int
    messages_root_unseen: int


@dataclass(frozen=True, slots=True)
class Models:
    """What there is in all and on several lists, threads whose root is on several lists, each model, and the replay."""

    all: ThreadCounts
    on_several_lists: ThreadCounts
    root_on_several_lists: int
    models: tuple[Model, ...]
    replay: Replay

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return asdict(self) | {"models": [asdict(model) for model in self.models]}

    def lines(self, columns: int) -> Iterator[str]:
        """For people: one table, and what happens under a master."""
        from weft.analysis.authority_models_text import lines

        return lines(self, columns)


class _Known(NamedTuple):
    """What one server knows: for each thread the messages that it holds, and the parents that are right."""

    messages: array[int]
    parents: array[int]


_Pick = Callable[[Sequence[int]], float]


def models(corpus: Corpus) -> Models:
    """Compare them all on one corpus."""
    whole = threads(corpus)
    numbers = range(len(corpus.names))
    roots = [corpus.holders[root] for root in whole.roots]
    first = _first_lists(corpus, whole)
    candidates = [home or other for home, other in zip(roots, first, strict=True)]
    alone = [_known(corpus, whole, _copies_on(corpus, number)) for number in numbers]

    def told(*, by_id: bool) -> list[_Known]:
        claim_filter = heard(corpus, whole, by_id=by_id)
        reach = [
            held | (hears & candidates[thread] if thread != NONE else 0)
            for held, hears, thread in zip(corpus.holders, claim_filter, whole.numbers, strict=True)
        ]
        return [_known(corpus, whole, _copies_of(corpus, reach, number)) for number in numbers]

    exchanged = [whole.lists[thread] if thread != NONE else 0 for thread in whole.numbers]
    after = [_known(corpus, whole, _copies_of(corpus, exchanged, number)) for number in numbers]
    tally = _Tallier(whole)
    everywhere = [[1 << number] * len(roots) for number in numbers]
    return Models(
        _counted(whole, roots, several=False),
        _counted(whole, roots, several=True),
        sum(map(several, roots)),
        (
            *(tally.model("list", alone, everywhere[number], max, corpus.names[number]) for number in numbers),
            tally.model("master_worst", alone, roots, min),
            tally.model("master_mean", alone, roots, _mean),
            tally.model("master_best", alone, roots, max),
            tally.model("master_or_first", alone, candidates, max),
            tally.model("master_told_by_mail", told(by_id=False), candidates, max),
            tally.model("master_told_by_id", told(by_id=True), candidates, max),
            tally.model("best_list", alone, whole.lists, max),
            tally.model("weft", after, whole.lists, min),
        ),
        replay(corpus, whole, masters(corpus, whole, [known.messages for known in alone])),
    )


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def _first_lists(corpus: Corpus, whole: CorpusThreads) -> list[int]:
    """For each thread the lists that hold the first message of it that came anywhere."""
    first = [0] * len(whole.roots)
    for node in corpus.nodes:
        thread = whole.numbers[node]
        first[thread] = first[thread] or corpus.holders[node]
    return first


def _copies_on(corpus: Corpus, number: int) -> Iterator[int]:
    """The copies that list ``number`` got itself."""
    return (copy for copy, on in enumerate(corpus.lists) if on == number)


def _copies_of(corpus: Corpus, reach: Sequence[int], number: int) -> Iterator[int]:
    """Every copy of all messages that list ``number`` knows, when ``reach`` says which lists know each."""
    return (copy for copy, node in enumerate(corpus.nodes) if reach[node] >> number & 1)


def _known(corpus: Corpus, whole: CorpusThreads, copies: Iterable[int]) -> _Known:
    """What a server knows that has these copies."""
    built = build_forest(corpus, copies)
    messages, parents = (array("i", [0]) * len(whole.roots) for _ in range(2))
    for node in built.held:
        messages[whole.numbers[node]] += 1
    for node in built.named:
        if corpus.holders[node] and built.parents[node] == whole.parents[node]:
            parents[whole.numbers[node]] += 1
    return _Known(messages, parents)


def _counted(whole: CorpusThreads, roots: Sequence[int], *, several: bool) -> ThreadCounts:
    chosen = [thread for thread in range(len(roots)) if whole.several(thread) or not several]
    unseen = [thread for thread in chosen if not roots[thread]]
    return ThreadCounts(
        len(chosen),
        sum(whole.messages[thread] for thread in chosen),
        len(unseen),
        sum(whole.messages[thread] for thread in unseen),
    )


class _Tallier:
    """Adds up what the servers know that a model asks."""

    def __init__(self, whole: CorpusThreads) -> None:
        self._whole = whole

    def model(
        self, name: str, known: Sequence[_Known], asked: Sequence[int], pick: _Pick, list_name: str | None = None
    ) -> Model:
        """The row of a model that asks of each thread one of the servers in ``asked``, as ``pick`` decides."""
        sums = [[0.0] * 3, [0.0] * 3]
        for thread, servers in enumerate(asked):
            if not servers:
                continue
            counts = self._counts(thread, [known[number] for number in members(servers)], pick)
            for place in range(1 + self._whole.several(thread)):
                sums[place] = [before + count for before, count in zip(sums[place], counts, strict=True)]
        rounded = [Tally(*(_rounded(value, mean=pick is _mean) for value in row)) for row in sums]
        return Model(name, list_name, *rounded)

    def _counts(self, thread: int, servers: Sequence[_Known], pick: _Pick) -> tuple[float, float, float]:
        messages = [server.messages[thread] for server in servers]
        size = self._whole.messages[thread]
        return (
            pick(messages),
            pick([count == size for count in messages]),
            pick([server.parents[thread] for server in servers]),
        )


def _rounded(value: float, *, mean: bool) -> float:
    return round(value, 1) if mean else int(value)
