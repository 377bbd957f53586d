"""Lists of threads in short: the same threads as read whole, in pages both ways, by list and by month."""

from __future__ import annotations

from collections import Counter
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.factories import FIXTURES
from tests.index.factories import mail, open_index, write
from weft import Index
from weft.errors import NotFoundError
from weft.index.raw_mail import MissingMail
from weft.model import MonthSummary, Thread, ThreadSummary
from weft.policy.names import OWN

DAY = 86400
LISTS = ("drafts", "smtp-ops")


@pytest.fixture
def story(tmp_path: Path) -> Index:
    index = open_index(tmp_path)
    for name in LISTS:
        index.ingest(name, FIXTURES / "story" / f"{name}.mbox")
    return index


@pytest.fixture
def dated(tmp_path: Path) -> Index:
    """Forty threads, one every ten days from 2003 on, on two lists in turns, and one without a date on the first."""
    index = open_index(tmp_path)
    for turn, name in enumerate(LISTS):
        mails = [
            mail(f"{number}@x", headers=[f"Date: {formatdate(1041379200 + number * 10 * DAY)}"], subject=f"s {number}")
            for number in range(turn, 40, 2)
        ]
        index.ingest(name, write(tmp_path / f"{name}.mbox", *mails, *([mail("undated@x")] if not turn else [])))
    return index


def whole(thread: Thread) -> tuple[str, int, int, tuple[str, ...], str, str]:
    held = [message for message in thread.messages if not message.ghost]
    return (
        thread.root, len(held), len(thread.messages) - len(held), thread.lists, held[0].subject, held[0].author,
    )  # fmt: skip


def short(summary: ThreadSummary) -> tuple[str, int, int, tuple[str, ...], str, str]:
    return (
        summary.root, summary.messages, summary.ghosts, summary.lists, summary.subject, summary.author,
    )  # fmt: skip


@pytest.mark.parametrize("name", [None, *LISTS])
@pytest.mark.parametrize("missing", [False, True])
def test_a_summary_says_of_a_thread_what_the_whole_thread_says(story: Index, name: str | None, missing: bool) -> None:
    threads = list(story.threads(list_name=name, missing=missing, hidden=False))
    assert [whole(one) for one in threads] == [
        short(one) for one in story.summaries(list_name=name, missing=missing)
    ]  # fmt: skip
    assert threads


def test_a_thread_below_a_missing_message_is_named_after_the_first_that_is_here(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    late = mail("late@x", ["gone@x"], subject="late", headers=["Date: Tue, 11 Feb 2003 10:00:00 +0000"])
    early = mail("early@x", ["gone@x"], subject="early", headers=["Date: Mon, 10 Feb 2003 10:00:00 +0000"])
    index.ingest("a", write(tmp_path / "a.mbox", late, early, mail("end@x", ["end-1@x", "end-2@x"])))
    first, second = sorted(index.summaries(), key=lambda one: one.subject, reverse=True)
    assert (first.subject, first.messages, first.ghosts, first.root) == ("early", 2, 1, "gone@x")
    assert first.newest == "2003-02-11T10:00:00+00:00"
    assert (second.ghosts, second.newest) == (2, None)


@pytest.mark.parametrize("name", [None, *LISTS])
def test_pages_forward_and_back_are_the_same(dated: Index, name: str | None) -> None:
    every = [one.root for one in dated.summaries(list_name=name, limit=100)]
    assert len(every) == {None: 41, LISTS[0]: 21, LISTS[1]: 20}[name]
    pages = [every[:7]]
    while page := dated.summaries(list_name=name, after=pages[-1][-1], limit=7):
        pages.append([one.root for one in page])
    assert [root for page in pages for root in page] == every
    back = pages[-1]
    for expected in reversed(pages[:-1]):
        back = [one.root for one in dated.summaries(list_name=name, before=back[0], limit=7)]
        assert back == expected
    assert dated.summaries(list_name=name, before=back[0]) == []


@pytest.mark.parametrize("name", [None, *LISTS])
def test_months_count_the_threads_that_their_pages_show(dated: Index, name: str | None) -> None:
    found: Counter[str] = Counter()
    for one in dated.summaries(list_name=name, limit=100):
        found[(one.newest or "none")[:7]] += 1
    months = dated.months(name)
    assert {f"{year}-{month:02d}": threads for year, month, threads in months} | (
        {} if name == LISTS[1] else {"none": 1}
    ) == found
    assert months == sorted(months, reverse=True)
    for year, month, threads in months:
        page = dated.summaries(list_name=name, month=(year, month), limit=2)
        rest = dated.summaries(list_name=name, month=(year, month), after=page[-1].root)
        assert len(page) + len(rest) == threads
        if rest:
            back = dated.summaries(list_name=name, month=(year, month), before=rest[0].root)
            assert back == page


def test_months_and_lists_that_are_not_there(dated: Index) -> None:
    assert dated.months("no such list") == []
    assert dated.summaries(list_name="no such list") == []
    assert dated.summaries(month=(1971, 3)) == []
    with pytest.raises(ValueError, match="month"):
        dated.summaries(month=(2003, 13))
    with pytest.raises(NotFoundError):
        dated.summaries(before="nobody@x")


def test_lists_have_counts_and_the_date_of_what_is_newest(dated: Index, story: Index) -> None:
    with dated as index:
        first, second = index.list_summaries()
        assert (first.name, second.name) == LISTS
        assert (first.threads, first.copies, second.threads, second.copies) == (23, 34, 22, 33)
        assert first.newest == "2004-01-16T00:00:00+00:00"
        assert first.origins == (index.fingerprint,)
        assert index.names()[index.fingerprint] == OWN
        assert index.position() == 67
        assert index.months()[0] == MonthSummary(2004, 1, 3)


def test_a_thread_in_parts_is_the_thread(story: Index) -> None:
    thread = story.thread("87smuvyw1c.fsf@okafor.example.net", hidden=False)
    with story.snapshot():
        parts = story.large_thread("87smuvyw1c.fsf@okafor.example.net", hidden=False)
        assert parts.root == thread.root
        assert parts.digest().hex() == thread.digest
        assert story.coverage(parts) == thread.coverage
        for size in (1, 5, 100):
            found = [one for start in range(0, parts.size, size) for one in parts.part(start, size)]
            assert tuple(found) == thread.messages


def test_mail_is_found_by_its_id_and_says_which_list_it_is_of(story: Index) -> None:
    lost: list[MissingMail] = []
    thread = story.thread("87smuvyw1c.fsf@okafor.example.net")
    held = [message.id for message in thread.messages if not message.ghost]
    with story.mail(lost.append) as mail_of:
        found = list(mail_of.of([*held, "nobody@x"]))
        assert [(one.data, one.escaped) for one in found] == list(mail_of.raw([thread]))
    assert [one.id for one in found] == held
    assert {one.list for one in found} == set(LISTS)
    assert not lost
