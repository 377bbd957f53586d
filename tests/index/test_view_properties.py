"""Whatever comes, in whatever order, and whatever leaves: the rows of the view are the forest of what counts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.index.factories import expected, mail, open_index, placed, write
from weft import Index
from weft.core.alias import resolve_rules
from weft.core.feed import Feed, FeedSet
from weft.errors import NotFoundError, UsageError
from weft.policy.rules import Mute, Policy

IDS = ["a@x", "b@x", "c@x", "d@x", "e@x", "f@x"]
LISTS = ["one", "two"]
SOME = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Letter:
    """One message on its way to a list; ``own`` None: it has no Message-ID."""

    list: str
    own: str | None
    references: tuple[str, ...]
    reply_to: str | None
    subject: str
    day: int | None
    form: str = "<{}>"
    """How In-Reply-To is written: in some forms the id is weak."""
    broken: str | None = None
    """An id that is not closed, before the References."""
    alias: str | None = None
    """Another id that it states for itself."""

    @property
    def data(self) -> bytes:
        headers = [] if self.day is None else [f"Date: {self.day} Feb 2003 12:00:00 +0000"]
        headers += [] if self.reply_to is None else ["In-Reply-To: " + self.form.format(self.reply_to)]
        headers += [] if self.broken is None else [f"References: <{self.broken}"]
        headers += [] if self.alias is None else [f"X-Mailman-Original-Message-ID: <{self.alias}>"]
        return mail(self.own, self.references, subject=self.subject, headers=headers, body=self.subject)


letters = st.builds(
    Letter,
    st.sampled_from(LISTS),
    st.sampled_from([*IDS, *IDS, None]),
    st.lists(st.sampled_from(IDS), max_size=4).map(tuple),
    st.sampled_from([None, None, *IDS]),
    st.sampled_from(["s", "Re: s", "t"]),
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from(["<{}>", "<{}>", "{}", "<{}", "=?us-ascii?q?=3C{}=3E?=", "<{}> from <x@h>", "Mail of <b@h> <{}>"]),
    st.sampled_from([None, None, *IDS]),
    st.sampled_from([None, None, *IDS, "z@x"]),
)
"""From few ids, so that cycles, ghosts, contests and equal copies are common."""

Operation = Callable[[Index, Policy], Policy]
ids = st.sampled_from(IDS)
lists = st.sampled_from(LISTS)


def ignoring(act: Callable[[Index], object]) -> Operation:
    """An operation that is refused where there is nothing to do."""

    def operate(index: Index, policy: Policy) -> Policy:
        with suppress(NotFoundError, UsageError):
            act(index)
        return policy

    return operate


def muting(mute: Mute) -> Operation:
    return lambda index, policy: replace(policy, mute=mute)


def also_muting_feed(name: str) -> Operation:
    def operate(index: Index, policy: Policy) -> Policy:
        feeds = policy.mute.feeds.feeds ^ {Feed(index.origin, name.encode())}
        return replace(policy, mute=replace(policy.mute, feeds=FeedSet(feeds=feeds)))

    return operate


def also_muting_claim(number: int) -> Operation:
    def operate(index: Index, policy: Policy) -> Policy:
        log = index.store.log()
        chosen = {log[number % len(log)].identity} if log else set()
        return replace(policy, mute=replace(policy.mute, claims=policy.mute.claims ^ chosen))

    return operate


def counting_as(rules: dict[str, str]) -> Operation:
    aliases = resolve_rules({old.encode(): new.encode() for old, new in rules.items()})
    return lambda index, policy: replace(policy, aliases=aliases)


def no_circle(rules: dict[str, str]) -> bool:
    try:
        resolve_rules(rules)
    except ValueError:
        return False
    return True


rule_sets = st.dictionaries(ids, st.sampled_from([*IDS, "z@x"]), min_size=1, max_size=3).filter(no_circle)

operations = st.one_of(
    ids.map(lambda name: ignoring(lambda index: index.retract([name]))),
    ids.map(lambda name: ignoring(lambda index: index.expunge([name]))),
    st.permutations(LISTS).map(lambda names: ignoring(lambda index: index.rename_list(names[0], names[1]))),
    lists.map(lambda name: ignoring(lambda index: index.remove_list(name))),
    ids.map(lambda name: ignoring(lambda index: index.restate([name]))),
    lists.map(lambda name: ignoring(lambda index: index.restore_list(name))),
    ids.map(lambda name: muting(Mute(ids=frozenset([name.encode()])))),
    st.tuples(ids, ids).map(lambda pair: muting(Mute(edges=frozenset([(pair[0].encode(), pair[1].encode())])))),
    st.just(muting(Mute())),
    st.just(muting(Mute(authors=frozenset([b"a@example.org"])))),
    lists.map(also_muting_feed),
    st.integers(0, 9).map(also_muting_claim),
    rule_sets.map(counting_as),
    st.just(counting_as({})),
)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder in memory, if there is one, because each example makes an index."""
    path = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def ingest(index: Index, path: Path, mails: list[Letter], number: int) -> None:
    """Ingest some messages, those of each list from a file of its own."""
    for name in dict.fromkeys(letter.list for letter in mails):
        file = write(path / f"{name}.{number}.mbox", *(letter.data for letter in mails if letter.list == name))
        index.ingest(name, file)


def assert_right(index: Index) -> None:
    assert list(index.check()) == []
    if not index.policy.mute.edges:
        shown = placed(index.all_threads())
        assert shown == expected(index)
        for name, where in shown.items():
            told = index.explain(name)
            rivals = where.rivals if where.cut is None else (where.cut,)
            assert (told.parent, told.ghost, set(told.rivals)) == (where.parent, where.ghost, set(rivals))


@given(
    st.lists(letters, max_size=12), st.randoms(use_true_random=False), st.integers(1, 4), st.just({}) | rule_sets
)  # fmt: skip
@SOME
def test_the_view_is_the_forest_of_the_mail_in_whatever_order_and_pieces_it_comes(
    mails: list[Letter], random: Random, pieces: int, rules: dict[str, str]
) -> None:
    with folder() as path, open_index(path) as whole, open_index(path, name="other.db") as other:
        for index in (whole, other):
            index.set_policy(counting_as(rules)(index, index.policy))
        ingest(whole, path, mails, 0)
        assert_right(whole)
        shuffled = mails * random.randint(1, 2)
        random.shuffle(shuffled)
        for piece in range(pieces):
            ingest(other, path, shuffled[piece::pieces], piece + 1)
        assert_right(other)
        assert placed(other.all_threads()) == placed(whole.all_threads())


def test_an_id_that_is_weak_in_one_field_and_not_in_the_other_counts_where_it_does() -> None:
    reply = Letter("one", "b@x", ("a@x", "c@x"), "a@x", "s", None, form="{}")
    with folder() as path, open_index(path) as index:
        for number, mails in enumerate(([reply], [Letter("one", "a@x", (), None, "s", None)])):
            ingest(index, path, mails, number)
            assert_right(index)
        index.retract(["a@x"])
        assert_right(index)


def test_a_contested_message_that_is_withdrawn_leaves_no_row() -> None:
    copies = [Letter("one", "a@x", (), reply_to, "s", None) for reply_to in (None, "b@x")]
    with folder() as path, open_index(path) as index:
        ingest(index, path, copies, 0)
        index.retract(["a@x"])
        ingest(index, path, [Letter("one", "b@x", (), None, "s", None)], 1)
        assert_right(index)


def test_a_weak_reference_leaves_no_row_when_what_it_names_is_withdrawn_before_another_message() -> None:
    mails = [Letter("one", name, (), None, "s", None) for name in ("a@x", "b@x")]
    mails.append(Letter("one", "c@x", (), None, "s", None, broken="b@x"))
    with folder() as path, open_index(path) as index:
        ingest(index, path, mails, 0)
        for name in ("b@x", "a@x"):
            index.retract([name])
            assert_right(index)


@given(st.lists(letters, max_size=10), st.lists(st.tuples(operations, st.lists(letters, max_size=3)), max_size=5))
@SOME
def test_the_view_stays_right_whatever_leaves_it(
    mails: list[Letter], steps: list[tuple[Operation, list[Letter]]]
) -> None:
    with folder() as path, open_index(path) as index:
        ingest(index, path, mails, 0)
        for number, (operation, more) in enumerate(steps, 1):
            policy = operation(index, index.policy)
            if policy != index.policy:
                index.set_policy(policy)
            assert_right(index)
            ingest(index, path, more, number)
        assert_right(index)
        index.set_policy(replace(index.policy, mute=Mute(), aliases={}))
        assert_right(index)
        shown = placed(index.all_threads())
        with open_index(path) as again:
            assert placed(again.all_threads()) == shown


@given(st.lists(letters, min_size=1, max_size=10))
@SOME
def test_threads_are_listed_the_newest_first_page_by_page(mails: list[Letter]) -> None:
    with folder() as path, open_index(path) as index:
        ingest(index, path, mails, 0)
        listed = [thread.root for thread in index.threads(hidden=False)]
        assert sorted(listed) == sorted(thread.root for thread in index.all_threads(hidden=False))
        threads = map(index.thread, listed)
        newest = [max((one.date for one in thread.messages if one.date), default="") for thread in threads]
        assert newest == sorted(newest, reverse=True)
        paged: list[str] = []
        while page := list(index.threads(hidden=False, after=paged[-1] if paged else None, limit=2)):
            paged += [thread.root for thread in page]
        assert paged == listed
