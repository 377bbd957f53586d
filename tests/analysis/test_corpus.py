"""A corpus: the same in whatever order it is read, in order of arrival, and of an index what its view counts."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.factories import Letter, corpus_of, letter_boxes
from tests.factories import FIXTURES, mail
from tests.index.factories import Placed, expected, open_index, write
from tests.store.factories import Origin
from tests.store.factories import mail as claim
from weft import Index
from weft.analysis.arrival_order import arrival_order, clock
from weft.analysis.corpus import Corpus
from weft.analysis.corpus_reader import corpus_of_index, corpus_of_sources
from weft.core.date import MISSING
from weft.core.forest import NONE
from weft.core.signing import fingerprint, short_fingerprint
from weft.errors import SourceError
from weft.policy.rules import Mute, Policy
from weft.policy.rules import Origin as Row
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

STORY = sorted((FIXTURES / "story").glob("*.mbox"))
CASES = [STORY, *(sorted(case.glob("*.mbox")) or [case] for case in sorted((FIXTURES / "hard").iterdir()))]
FRIEND, OTHER = Origin("friend"), Origin("other")


def read(*arguments: object, processes: int | None = None) -> Corpus:
    log = NoteLog()
    found = corpus_of_sources(discover(list(map(str, arguments)), log), log, processes=processes)
    assert not log.skipped
    return found


def ids(corpus: Corpus) -> list[str]:
    """The ids of the copies, in order of arrival."""
    return [corpus.forest.ids[node].decode() for node in corpus.nodes]


def placed(corpus: Corpus) -> dict[str, Placed]:
    """Where each id stands in the forest."""
    forest = corpus.forest
    names = [name.decode("utf-8", "surrogateescape") for name in forest.ids]

    def name(node: int) -> str | None:
        return None if node == NONE else names[node]

    return {
        names[node]: Placed(
            name(parent),
            forest.is_ghost(node),
            tuple(map(name, forest.contested.get(node, ()))),
            name(forest.cuts.get(node, NONE)),
        )
        for node, parent in enumerate(forest.parents)
    }


def lists_of(corpus: Corpus, message_id: str) -> set[str]:
    held = corpus.holders[corpus.forest.ids.index(message_id.encode())]
    return {name for number, name in enumerate(corpus.names) if held >> number & 1}


def dated(message_id: str, day: int, *references: str) -> bytes:
    return mail(message_id, references, headers=[f"Date: {day} Feb 2003 12:00:00 +0000"])


def test_the_order_of_the_arguments_and_the_number_of_processes_leave_no_trace() -> None:
    first = read(*STORY)
    assert read(*reversed(STORY)) == first
    assert read(FIXTURES / "story", processes=2) == first
    assert read(FIXTURES / "story", processes=3) == first


def test_the_same_file_twice_adds_nothing(tmp_path: Path) -> None:
    write(tmp_path / "again.mbox", STORY[0].read_bytes())
    assert read(*STORY, f"drafts={tmp_path / 'again.mbox'}") == read(*STORY)


def test_columns_say_what_the_mail_says(tmp_path: Path) -> None:
    headers = ["From: A <a@x>", "In-Reply-To: <r@x> <s@x>", "Date: 1 Jan 1970 00:00:07 +0000"]
    write(tmp_path / "l.mbox", mail("a@x", ["q@x", "r@x"], subject="S", headers=headers), mail("b@x"))
    found = read(tmp_path / "l.mbox")
    names = [name.decode() for name in found.forest.ids]
    assert ids(found) == ["a@x", "b@x"]
    assert [names[node] for node in found.references] == ["q@x", "r@x"]
    assert [names[node] for node in found.replies] == ["r@x", "s@x"]
    assert (list(found.reference_starts), list(found.reply_starts)) == ([0, 2, 2], [0, 2, 2])
    assert (list(found.seconds), list(found.sane)) == ([7, MISSING], [0, 0])
    assert (found.authors, found.subjects) == ([b"A <a@x>", b""], [b"S", b"a subject"])
    assert placed(found) == {
        "a@x": Placed("r@x", False), "r@x": Placed("q@x", True), "q@x": Placed(None, True), "s@x": Placed(None, True),
        "b@x": Placed(None, False),
    }  # fmt: skip


def test_holders_are_the_lists_that_have_a_copy() -> None:
    found = read(*STORY)
    assert found.names == ("drafts", "smtp-ops")
    held = [{name for number, name in enumerate(found.names) if lists >> number & 1} for lists in found.holders]
    assert sum(one == {"drafts", "smtp-ops"} for one in held) == 6
    assert sum(not one for one in held) == sum(map(found.forest.is_ghost, range(len(held)))) == 2


def test_without_any_source_it_says_so() -> None:
    with pytest.raises(SourceError, match="nothing to read"):
        read()


def test_lists_are_merged_by_their_dates(tmp_path: Path) -> None:
    write(tmp_path / "one.mbox", dated("a@x", 1), dated("c@x", 3), dated("e@x", 5))
    write(tmp_path / "two.mbox", dated("b@x", 2), dated("d@x", 4))
    assert ids(read(tmp_path)) == ["a@x", "b@x", "c@x", "d@x", "e@x"]


def test_within_a_list_the_order_of_its_file_is_kept_whatever_the_dates_say(tmp_path: Path) -> None:
    write(tmp_path / "one.mbox", dated("a@x", 5), dated("b@x", 1), mail("c@x"), dated("d@x", 9), dated("e@x", 2))
    assert ids(read(tmp_path)) == ["a@x", "b@x", "c@x", "d@x", "e@x"]


def test_files_of_one_list_follow_each_other_by_their_dates(tmp_path: Path) -> None:
    april = write(tmp_path / "april.mbox", dated("b@x", 20), dated("c@x", 21))
    march = write(tmp_path / "march.mbox", dated("a@x", 1), dated("z@x", 28), dated("y@x", 2))
    assert ids(read(f"l={april}", f"l={march}")) == ["a@x", "z@x", "y@x", "b@x", "c@x"]


def test_one_date_in_the_future_moves_the_clock_by_little_and_one_in_the_past_not_at_all() -> None:
    days = [1, 2, 99, 3, 4, 5, 6, 0, 7, 8]
    assert clock(days) == [1, 2, 4, 4, 4, 5, 6, 6, 7, 8]


def test_a_copy_without_a_date_arrives_with_the_one_before_it() -> None:
    assert clock([MISSING, 3, MISSING, 4]) == [3, 3, 3, 4]
    assert clock([MISSING, MISSING]) == [MISSING, MISSING]
    assert clock([]) == []


@given(st.lists(st.integers(0, 50) | st.just(MISSING)))
def test_a_clock_never_runs_back_nor_beyond_the_dates(seconds: list[int]) -> None:
    clocks = clock(seconds)
    assert clocks == sorted(clocks)
    assert set(clocks) <= {date for date in seconds if date != MISSING} or set(seconds) <= {MISSING}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=30))
def test_the_order_of_arrival_keeps_every_list_in_its_order(copies: list[tuple[int, int]]) -> None:
    lists, seconds = [number for number, _ in copies], [date for _, date in copies]
    order = arrival_order(lists, lists, range(len(copies)), seconds)
    assert sorted(order) == list(range(len(copies)))
    for number in set(lists):
        own = [copy for copy in order if lists[copy] == number]
        assert own == sorted(own)


@settings(deadline=None)
@given(letter_boxes, st.randoms())
def test_equal_copies_give_equal_corpora_whatever_the_order_in_which_lists_are_read(
    box: list[Letter], random: object
) -> None:
    groups = [[one for one in box if one.list == name] for name in sorted({one.list for one in box})]
    found = corpus_of(box)
    for order in permutations(groups):
        assert corpus_of(one for group in order for one in group) == found


@pytest.mark.parametrize("files", CASES, ids=lambda files: files[0].stem)
def test_an_index_gives_the_corpus_that_its_files_give(files: list[Path], tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        for path in reversed(files):
            index.ingest(path.stem, path)
        found, wanted = corpus_of_index(index), read(*files)
    assert placed(found) == placed(wanted)
    for column in fields(Corpus):
        assert getattr(found, column.name) == getattr(wanted, column.name)


def test_an_index_without_mail_gives_a_corpus_without_lists(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        found = corpus_of_index(index)
    assert (found.names, len(found.nodes), found.holders) == ((), 0, [])


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """A server with a list of its own that trusts a friend, who has a list of that name too and another one."""
    made = open_index(tmp_path)
    mails = dated("a@x", 1), dated("b@x", 2, "a@x"), dated("c@x", 3, "b@x"), dated("late@x", 4, "none@x")
    made.ingest("list", write(tmp_path / "list.mbox", *mails))
    made.set_policy(policy_of(made))
    made.admit(
        [
            FRIEND.batch("list", claim("c@x", "a@x", "b@x"), claim("d@x", "c@x")),
            FRIEND.batch("far", claim("e@x", "d@x"), claim("e@x", "x@x")),
        ]
    )
    return made


def policy_of(index: Index, **changes: object) -> Policy:
    return replace(Policy(index.origin, {FRIEND.public: Row(1, None, "carol")}), **changes)  # type: ignore[arg-type]


def test_each_feed_is_a_list_and_is_named_by_its_origin_where_two_have_one_name(index: Index) -> None:
    found = corpus_of_index(index)
    assert found.names == ("carol/list", "far", "own/list")
    assert lists_of(found, "c@x") == {"own/list", "carol/list"}
    assert lists_of(found, "e@x") == {"far"}
    assert placed(found) == expected(index)
    assert found.forest.contested


def test_an_origin_without_a_name_goes_by_its_fingerprint_and_nobody_passes_for_us(index: Index) -> None:
    index.set_policy(policy_of(index, origins={FRIEND.public: Row(1, None)}))
    short = short_fingerprint(FRIEND.public)
    assert set(corpus_of_index(index).names) == {"own/list", f"{short}/list", "far"}
    index.set_policy(policy_of(index, origins={FRIEND.public: Row(1, None, "own")}))
    assert set(corpus_of_index(index).names) == {"own/list", f"{fingerprint(FRIEND.public)}/list", "far"}


def test_what_the_policy_does_not_admit_is_not_there(index: Index) -> None:
    index.set_policy(policy_of(index, origins={FRIEND.public: Row(1, frozenset({b"far"}))}))
    found = corpus_of_index(index)
    assert found.names == ("far", "list")
    assert placed(found) == expected(index)


def test_what_is_muted_withdrawn_or_expunged_is_not_there(index: Index) -> None:
    index.retract(["late@x"])
    assert "late@x" not in placed(corpus_of_index(index))
    index.set_policy(policy_of(index, mute=Mute(ids=frozenset({b"d@x"}))))
    found = corpus_of_index(index)
    assert lists_of(found, "d@x") == set()
    assert placed(found) == expected(index)
    index.expunge(["a@x"])
    found = corpus_of_index(index)
    assert lists_of(found, "a@x") == set()
    assert placed(found) == expected(index)


def test_a_muted_edge_is_not_in_the_forest_and_the_message_is(index: Index) -> None:
    index.set_policy(policy_of(index, mute=Mute(edges=frozenset({(b"b@x", b"a@x")}))))
    found = corpus_of_index(index)
    assert placed(found)["b@x"] == Placed(None, False)
    assert placed(corpus_of_index(index)) == {
        message.id: Placed(message.parent, message.ghost, message.rivals, message.cut)
        for thread in index.all_threads()
        for message in thread.messages
    }


def test_what_other_lists_of_a_peer_hold_stands_in_the_order_of_dates(index: Index) -> None:
    index.set_policy(policy_of(index, origins={OTHER.public: Row(2, None, "o")}))
    days = [5, 3, 9, 1]
    claims = [claim(f"{day}@x")._replace(date=b"%d Feb 2003 12:00:00 +0000" % day) for day in days]
    index.admit([OTHER.batch("o", *claims, claim("undated@x"))])
    found = corpus_of_index(index)
    own = [name for name, number in zip(ids(found), found.lists, strict=True) if found.names[number] == "o"]
    assert own == ["1@x", "3@x", "5@x", "9@x", "undated@x"]


def test_the_index_can_be_used_after_it_was_read(index: Index) -> None:
    first = corpus_of_index(index)
    assert index.thread("a@x").messages
    assert corpus_of_index(index) == first
