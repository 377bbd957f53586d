"""What `weft.analysis.authority_models` counts, said a second time as plainly as can be: with sets of ids, and in no
hurry.

It is written from the definitions, uses the plain forest of ``tests.core``, and shares nothing with the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from tests.analysis.factories import Arrival
from tests.core.plain_forest import Claim, plain_forest

Number = float
Row = tuple[Number, Number, Number]


class Thread(NamedTuple):
    """A tree of the forest of all: its root, the messages that are held, all its ids."""

    root: str
    messages: frozenset[str]
    ids: frozenset[str]


class World:
    """All that is asked of the copies again and again."""

    def __init__(self, copies: Sequence[Arrival]) -> None:
        self.copies = copies
        self.names = sorted({name for name, _ in copies})
        self.parents = plain_forest(claim for _, claim in copies).parents
        self.on = {mid: {name for name, claim in copies if claim.mid == mid} for mid in self.parents}
        self.threads = []
        for root in self.parents:
            ids = frozenset(mid for mid in self.parents if self.root(mid) == root)
            held = frozenset(mid for mid in ids if self.on[mid])
            if self.parents[root] is None and held:
                self.threads.append(Thread(root, held, ids))

    def root(self, mid: str) -> str:
        while (above := self.parents[mid]) is not None:
            mid = above
        return mid

    def lists(self, thread: Thread) -> set[str]:
        return set().union(*(self.on[mid] for mid in thread.messages))

    def several(self) -> list[Thread]:
        return [thread for thread in self.threads if len(self.lists(thread)) > 1]

    def mail(self, name: str) -> list[Claim]:
        return [claim for other, claim in self.copies if other == name]

    def names_or_holds(self, name: str) -> set[str]:
        return set().union(*(claim.named for claim in self.mail(name)))

    def first(self, thread: Thread) -> set[str]:
        """The lists of the message of a thread that came first."""
        return next(self.on[claim.mid] for _, claim in self.copies if claim.mid in thread.ids)

    def candidates(self, thread: Thread) -> set[str]:
        return self.on[thread.root] or self.first(thread)

    def connected(self, name: str, thread: Thread, start: str) -> set[str]:
        """What the mail of a list connects with an id within a thread."""
        reached = {start}
        edges = [claim.named & thread.ids for claim in self.mail(name) if claim.mid in thread.ids]
        while more := {mid for edge in edges if edge & reached for mid in edge} - reached:
            reached |= more
        return reached

    def told(self, master: str, *, by_id: bool) -> set[str]:
        """The messages that a master holds or is told of."""
        known = {mid for mid in self.on if master in self.on[mid]}
        for thread in self.several():
            if master not in self.candidates(thread):
                continue
            for name in self.lists(thread):
                for mid in thread.messages:
                    if name in self.on[mid]:
                        linked = self.connected(name, thread, mid)
                        if by_id:
                            tells = bool(linked & self.names_or_holds(master))
                        else:
                            tells = any({name, master} <= self.on[other] for other in linked)
                        known |= {mid} if tells else set()
        return known


def plain_models(copies: Sequence[Arrival]) -> dict[str, object]:
    """The report as JSON, without the replay."""
    world = World(copies)
    alone = {name: world.mail(name) for name in world.names}

    def claims_about(messages: dict[str, set[str]]) -> dict[str, list[Claim]]:
        return {name: [claim for _, claim in copies if claim.mid in messages[name]] for name in world.names}

    by_mail = claims_about({name: world.told(name, by_id=False) for name in world.names})
    by_id = claims_about({name: world.told(name, by_id=True) for name in world.names})
    exchanged = claims_about(
        {
            name: {mid for thread in world.threads if name in world.lists(thread) for mid in thread.messages}
            for name in world.names
        }
    )

    def row(
        model: str,
        servers: dict[str, list[Claim]],
        ask: Callable[[Thread], Iterable[str]],
        pick: Callable[[list[int]], Number],
        name: str | None = None,
    ) -> dict[str, object]:
        found: dict[str, object] = {"model": model, "list": name}
        for key, threads in (("all", world.threads), ("on_several_lists", world.several())):
            counts = [_counts(world, servers, thread, sorted(ask(thread)), pick) for thread in threads]
            sums = [round(sum(column), 1) for column in zip(*counts, strict=True)] or [0, 0, 0]
            found[key] = dict(zip(("messages", "threads_whole", "parents_right"), sums, strict=True))
        return found

    return {
        "all": _counted(world, world.threads),
        "on_several_lists": _counted(world, world.several()),
        "root_on_several_lists": sum(len(world.on[thread.root]) > 1 for thread in world.threads),
        "models": [
            *(row("list", alone, lambda _, name=name: {name}, max, name) for name in world.names),  # type: ignore[misc]
            row("master_worst", alone, lambda thread: world.on[thread.root], min),
            row("master_mean", alone, lambda thread: world.on[thread.root], lambda counts: sum(counts) / len(counts)),
            row("master_best", alone, lambda thread: world.on[thread.root], max),
            row("master_or_first", alone, world.candidates, max),
            row("master_told_by_mail", by_mail, world.candidates, max),
            row("master_told_by_id", by_id, world.candidates, max),
            row("best_list", alone, world.lists, max),
            row("weft", exchanged, world.lists, min),
        ],
    }


def _counts(
    world: World,
    servers: dict[str, list[Claim]],
    thread: Thread,
    asked: Sequence[str],
    pick: Callable[[list[int]], Number],
) -> Row:
    if not asked:
        return 0, 0, 0
    known, whole, right = [], [], []
    for name in asked:
        parents = plain_forest(servers[name]).parents
        held = {claim.mid for claim in servers[name]} & thread.messages
        known.append(len(held))
        whole.append(int(held == thread.messages))
        right.append(sum(mid in parents and parents[mid] == world.parents[mid] for mid in thread.messages))
    return pick(known), pick(whole), pick(right)


def _counted(world: World, threads: Sequence[Thread]) -> dict[str, int]:
    unseen = [thread for thread in threads if not world.on[thread.root]]
    return {
        "threads": len(threads),
        "messages": sum(len(thread.messages) for thread in threads),
        "root_unseen": len(unseen),
        "messages_root_unseen": sum(len(thread.messages) for thread in unseen),
    }


def plain_replay(copies: Sequence[Arrival]) -> dict[str, int]:
    """The replay as JSON: for each thread its master, and for each copy all that came before it."""
    world = World(copies)
    found = dict.fromkeys(KEYS, 0)
    for thread in world.several():
        homes = sorted(world.on[thread.root])
        if homes:
            master = max(homes, key=lambda home: sum(home in world.on[mid] for mid in thread.messages))
            _replay_thread(world, thread, master, found)
    return found


def _replay_thread(world: World, thread: Thread, master: str, found: dict[str, int]) -> None:
    lacked = {mid for mid in thread.messages if master not in world.on[mid]}
    pieces = _pieces(world, {mid for mid in thread.ids if master not in world.on[mid]})
    lacked_pieces = [piece for piece in pieces if piece & lacked]
    unheard = [piece for piece in lacked_pieces if not piece & world.names_or_holds(master)]
    found["threads"] += 1
    found["messages"] += len(thread.messages)
    found["threads_lacking"] += bool(lacked)
    found["never_reach_master"] += len(lacked)
    found["sub_threads"] += len(lacked_pieces)
    found["sub_threads_never_learned_of"] += len(unheard)
    found["messages_never_learned_of"] += sum(len(piece & lacked) for piece in unheard)
    found["only_master_has"] += sum(world.on[mid] == {master} for mid in thread.messages)
    for place, (name, claim) in enumerate(world.copies):
        if claim.mid in thread.ids and name != master and (name, claim.mid) not in _before(world, place):
            _replay_copy(world, thread, master, place, found)


def _replay_copy(world: World, thread: Thread, master: str, place: int, found: dict[str, int]) -> None:
    name, claim = world.copies[place]
    parent = world.parents[claim.mid]
    if parent is None:
        return
    before = {(other, mid) for other, mid in _before(world, place) if mid in thread.ids}
    found["replies_elsewhere"] += 1
    said = {mid for _, mid in before} | {claim.mid}
    found["incomplete_while_away"] += any(name not in world.on[mid] for mid in said)
    if not world.on[parent]:
        found["parent_held_by_nobody"] += 1
    elif (name, parent) not in before:
        found["parent_comes_later" if name in world.on[parent] else "parent_never_comes"] += 1
        found["thread_not_there"] += all(other != name for other, _ in before)
        found["master_cannot_help"] += master not in world.on[claim.mid]


def _before(world: World, place: int) -> set[tuple[str, str]]:
    return {(name, claim.mid) for name, claim in world.copies[:place]}


def _pieces(world: World, ids: set[str]) -> set[frozenset[str]]:
    """The connected pieces of the tree that is left when only ``ids`` are."""
    pieces = {frozenset({mid}) for mid in ids}
    for mid in ids:
        above = world.parents[mid]
        if above in ids:
            joined = [piece for piece in pieces if mid in piece or above in piece]
            pieces = pieces.difference(joined) | {frozenset().union(*joined)}
    return pieces


KEYS = (
    "threads", "messages", "threads_lacking", "never_reach_master", "sub_threads", "sub_threads_never_learned_of",
    "messages_never_learned_of", "replies_elsewhere", "parent_held_by_nobody", "parent_comes_later",
    "parent_never_comes", "thread_not_there", "master_cannot_help", "incomplete_while_away", "only_master_has",
)  # fmt: skip


def plain_link(order: Iterable[Claim]) -> dict[str, str | None]:
    """The textbook: RFC 5256 section 3, REFERENCES, step 1, word by word."""
    parents: dict[str, str | None] = {}
    seen = set()
    for claim in order:
        if claim.mid in seen:
            continue
        seen.add(claim.mid)
        chain = claim.references or claim.in_reply_to[:1]
        for mid in (*chain, claim.mid):
            parents.setdefault(mid, None)
        for above, below in pairwise(chain):
            if parents[below] is None and not _is_above(parents, below, above):
                parents[below] = above
        parents[claim.mid] = None
        if chain and not _is_above(parents, claim.mid, chain[-1]):
            parents[claim.mid] = chain[-1]
    return parents


def _is_above(parents: dict[str, str | None], mid: str, below: str | None) -> bool:
    while below is not None and below != mid:
        below = parents[below]
    return below == mid


def plain_trees(parents: dict[str, str | None], held: set[str]) -> set[frozenset[str]]:
    """The held messages of each tree that has one."""
    trees: dict[str, set[str]] = {}
    for mid in held:
        top = mid
        while (above := parents[top]) is not None:
            top = above
        trees.setdefault(top, set()).add(mid)
    return {frozenset(tree) for tree in trees.values()}
