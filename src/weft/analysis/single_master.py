"""The master copy, replayed: the server where a conversation began keeps its index, and the mail comes in.

Theory of operation
-------------------
The master of a thread is the list that holds its root; where several do, the one that holds most of the thread, or the
first by name.  A thread whose root nobody holds has no master that anybody here could ask, and is left out, as are
threads on one list, where all is well.  Then the copies come in order of arrival, and it is counted

* what **never reaches** the master, and of this the **sub-threads**: the largest connected pieces of the tree without a
  message that the master holds (ghosts connect).  Of some the master's mail names an id; of the others it never learns;
* **replies that go elsewhere**: to a server that is not the master.  It **has to guess** where the reply belongs if it
  holds no copy of the parent at that moment though somebody does, or will: the parent comes to it later or never does.
  With nothing of the thread at all it has only the sender's word for what thread that is;
* what there is **while the master is away**.  Suppose it is, whenever a reply goes elsewhere: then that server shows
  the thread from its own mail, and this is counted if it lacks a message that was sent before and never comes to it.
  (What is only late is not held against anybody.)  And some messages only the master has: nobody can read them then.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from weft.analysis.bullets import bullet
from weft.analysis.corpus import Corpus, members
from weft.analysis.corpus_forest import CorpusThreads
from weft.analysis.crossposts import naming
from weft.core.forest import NONE, root_of_each
from weft.render.picture_labels import count


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay counted, in threads on several lists whose root somebody holds.

    ``threads messages``         how many of them, and of their messages
    ``threads_lacking``          in which the master lacks a message
    ``never_reach_master``       messages that it lacks
    ``sub_threads``              pieces that it lacks; ``sub_threads_never_learned_of`` those of which it has no id
    ``messages_never_learned_of``  messages in the latter
    ``replies_elsewhere``        copies of replies at servers that are not the master (one a server)
    ``parent_held_by_nobody``    of these: no server could tell
    ``parent_comes_later parent_never_comes``  of these: the server has to guess
    ``thread_not_there``         of those that have to guess: it holds nothing of the thread
    ``master_cannot_help``       of those that have to guess: the master never gets the reply
    ``incomplete_while_away``    of the replies elsewhere: the server lacks something that was said before
    ``only_master_has``          messages that nobody can read while the master is away
    """

    threads: int
    messages: int
    threads_lacking: int
    never_reach_master: int
    sub_threads: int
    sub_threads_never_learned_of: int
    messages_never_learned_of: int
    replies_elsewhere: int
    parent_held_by_nobody: int
    parent_comes_later: int
    parent_never_comes: int
    thread_not_there: int
    master_cannot_help: int
    incomplete_while_away: int
    only_master_has: int

    def lines(self, columns: int) -> Iterator[str]:
        """For people: a sentence for each question."""
        if not self.threads:
            yield from bullet("No thread whose root is seen stands on several lists: nothing to replay.", columns)
            return
        guesses = self.parent_comes_later + self.parent_never_comes
        for text in (
            f"Replayed with the best of the root's lists as the master: {count(self.threads, 'thread')} on several "
            f"lists with a root that is seen, {count(self.messages, 'message')}.",
            f"{count(self.never_reach_master, 'message')} of {count(self.threads_lacking, 'thread')} never reach the "
            f"master. They are {count(self.sub_threads, 'sub-thread')}. It never learns of "
            f"{self.sub_threads_never_learned_of:,} of these ({count(self.messages_never_learned_of, 'message')}): "
            "none of its mail names an id of them.",
            f"{count(self.replies_elsewhere, 'reply', 'replies')} came to a server that is not the master. "
            f"{count(guesses, 'time')} it had to guess where the reply belongs, without the parent (which came later "
            f"{count(self.parent_comes_later, 'time')}); {count(self.thread_not_there, 'time')} without any of the "
            f"thread; {count(self.master_cannot_help, 'time')} with a reply that the master never got.",
            f"While the master is away, {count(self.only_master_has, 'message')} can be read nowhere. In "
            f"{self.incomplete_while_away:,} of the {count(self.replies_elsewhere, 'case')} the server that got the "
            "reply lacks something said before.",
        ):
            yield from bullet(text, columns)


def masters(corpus: Corpus, threads: CorpusThreads, known: Sequence[Sequence[int]]) -> array[int]:
    """The number of each thread's master, or `NONE`; ``known`` says for each list how many messages of each thread."""
    found = array("i")
    for thread, root in enumerate(threads.roots):
        homes = members(corpus.holders[root])
        found.append(max(homes, key=lambda home: known[home][thread], default=NONE))
    return found


def replay(corpus: Corpus, threads: CorpusThreads, master: Sequence[int]) -> Replay:
    """Play the copies in order of arrival against the masters of their threads."""
    replayed = array("i", (one if threads.several(number) else NONE for number, one in enumerate(master)))
    mastered = [thread for thread, one in enumerate(replayed) if one != NONE]
    beyond = _beyond(corpus, threads, replayed)
    counts = _Elsewhere(corpus, threads, replayed)
    for copy, node in enumerate(corpus.nodes):
        if replayed[threads.numbers[node]] != NONE:
            counts.take(node, corpus.lists[copy])
    return Replay(
        threads=len(mastered),
        messages=sum(threads.messages[thread] for thread in mastered),
        threads_lacking=beyond.threads,
        never_reach_master=sum(beyond.pieces),
        sub_threads=len(beyond.pieces),
        sub_threads_never_learned_of=len(beyond.unheard),
        messages_never_learned_of=sum(beyond.unheard),
        replies_elsewhere=counts.replies,
        parent_held_by_nobody=counts.nowhere,
        parent_comes_later=counts.later,
        parent_never_comes=counts.never,
        thread_not_there=counts.strange,
        master_cannot_help=counts.helpless,
        incomplete_while_away=counts.incomplete,
        only_master_has=beyond.only,
    )


class _Beyond(NamedTuple):
    """Threads of which masters lack some, messages only they have, sizes of sub-threads they lack or never heard of."""

    threads: int
    only: int
    pieces: list[int]
    unheard: list[int]


def _beyond(corpus: Corpus, threads: CorpusThreads, master: Sequence[int]) -> _Beyond:
    """What the masters lack.  A sub-thread is a tree of what is left when a master's messages are taken out."""
    numbers, holders = threads.numbers, corpus.holders
    masks = [1 << one if one != NONE else 0 for one in master]
    # The master's bit where it lacks the node, else 0.
    outside = [thread != NONE and masks[thread] & ~held for thread, held in zip(numbers, holders, strict=True)]
    # A root's NONE looks up some node or other, and stays NONE.
    pieces = root_of_each(
        [above if out and outside[above] else NONE for above, out in zip(threads.parents, outside, strict=True)]
    )
    lacked: dict[int, int] = {}
    interpreted: set[int] = set()
    for node, named in enumerate(naming(corpus)):
        if outside[node]:
            if named & outside[node]:
                interpreted.add(pieces[node])
            if holders[node]:
                lacked[pieces[node]] = lacked.get(pieces[node], 0) + 1
    only = sum(1 for thread, held in zip(numbers, holders, strict=True) if held and held == masks[thread])
    unheard = [size for piece, size in lacked.items() if piece not in interpreted]
    return _Beyond(len({numbers[piece] for piece in lacked}), only, list(lacked.values()), unheard)


class _Elsewhere:
    """Counts replies that come to servers that are not the master, as they come."""

    def __init__(self, corpus: Corpus, threads: CorpusThreads, master: Sequence[int]) -> None:
        self._holders, self._threads, self._master = corpus.holders, threads, master
        self._arrived = [0] * len(corpus.holders)
        self._there = [0] * len(threads.roots)
        self._missed: dict[tuple[int, int], int] = {}
        self.replies = self.nowhere = self.later = self.never = self.strange = self.helpless = self.incomplete = 0

    def take(self, node: int, number: int) -> None:
        """The next copy: of ``node``, on list ``number``."""
        thread, bit = self._threads.numbers[node], 1 << number
        if not self._arrived[node]:
            for other in members(self._threads.lists[thread] & ~self._holders[node]):
                self._missed[thread, other] = self._missed.get((thread, other), 0) + 1
        parent = self._threads.parents[node]
        if parent != NONE and number != self._master[thread] and not self._arrived[node] & bit:
            self.replies += 1
            self.incomplete += (thread, number) in self._missed
            self._place(node, parent, thread, bit)
        self._arrived[node] |= bit
        self._there[thread] |= bit

    def _place(self, node: int, parent: int, thread: int, bit: int) -> None:
        """Whether the server ``bit`` can tell where a reply belongs."""
        if not self._holders[parent]:
            self.nowhere += 1
        elif not self._arrived[parent] & bit:
            comes = self._holders[parent] & bit != 0
            self.later += comes
            self.never += not comes
            self.strange += not self._there[thread] & bit
            self.helpless += not self._holders[node] >> self._master[thread] & 1
