"""Dates in the future of an archive: known without a clock, from when mail was delivered, whatever authors write."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.index.factories import open_index
from tests.store.factories import Origin
from tests.store.factories import mail as claim
from weft import Archive, rebuild
from weft.core.date import parse_date, start_of_year, year_of
from weft.policy.rules import Origin as Row
from weft.policy.rules import Policy
from weft.render.json import encode_thread
from weft.render.labels import tags
from weft.sources.evidence import make_evidence
from weft.sources.interface import make_record, split_message
from weft.sources.newest_year import NewestYear, plausible_before

BOB = Origin("bob")
RECEIVED = "Received: from a by b;\n\tTue, 11 Feb {} 10:00:00 +0000\n"


def mail(name: str, year: int | None, delivered: int | None = None, received: int | None = None) -> str:
    """A message of an mbox: the years of its Date, of its line ``From`` and of its first Received field."""
    line = f"Tue Feb 11 10:00:00 {delivered}" if delivered else "Thu Jan  1 00:00:00 1970"
    top = RECEIVED.format(received) if received else ""
    date = f"Date: Tue, 11 Feb {year} 10:00:00 +0000\n" if year else ""
    return f"From ann@example.org {line}\n{top}Message-ID: <{name}@x>\n{date}Subject: s\n\n{name}\n\n"


def archive_of(folder: Path, *mails: str) -> Archive:
    path = folder / "l.mbox"
    path.write_text("".join(mails))
    return rebuild({"l": path})


def marked(archive: Archive) -> set[str]:
    return {one.id for thread in archive.threads() for one in thread.messages if one.ahead}


def test_a_date_is_plausible_up_to_the_year_behind_the_newest_mail(tmp_path: Path) -> None:
    mails = [mail("a", 1999, 1999), mail("b", 2003, 2003), mail("c", 2004, 2002), mail("d", 2005, 2001)]
    assert marked(archive_of(tmp_path, *mails)) == {"d@x"}
    assert marked(archive_of(tmp_path, *mails, mail("e", 2004, 2004))) == set()


@pytest.mark.parametrize(("line", "received"), [(2003, None), (None, 2003), (2003, 2001), (2001, 2003)])
def test_the_later_of_what_the_line_and_the_last_server_say_counts(
    tmp_path: Path, line: int | None, received: int | None
) -> None:
    archive = archive_of(tmp_path, mail("a", 2003, line, received), mail("b", 2099, 2003, 2003))
    assert marked(archive) == {"b@x"}


def test_what_is_marked_does_not_depend_on_the_order_of_the_mail(tmp_path: Path) -> None:
    mails = [
        mail("a", 2003, 2003),
        mail("b", 2005, 2003),
        mail("c", 2099, None, 2004),
        mail("d", 2004, 2005),
        mail("e", 1999),
    ]
    assert {frozenset(marked(archive_of(tmp_path, *order))) for order in permutations(mails)} == {frozenset({"c@x"})}


def test_mail_without_a_sign_of_its_delivery_says_nothing_and_is_marked_by_what_others_say(tmp_path: Path) -> None:
    assert marked(archive_of(tmp_path, mail("a", 2003), mail("b", 2099))) == set()
    assert marked(archive_of(tmp_path, mail("a", 2003, 2003), mail("b", 2099))) == {"b@x"}


def test_lines_that_all_say_the_same_wrong_year_mark_nothing(tmp_path: Path) -> None:
    mails = [mail(f"m{year}", year, 1998) for year in range(1997, 2009)]
    assert marked(archive_of(tmp_path, *mails)) == set()


def test_no_mail_of_others_makes_a_mail_implausible_that_was_delivered_when_it_says(tmp_path: Path) -> None:
    random = Random(7)
    for _ in range(60):
        honest = [mail(f"h{n}", year, year) for n, year in enumerate(random.choices(range(1995, 2010), k=8))]
        lies = [
            mail(
                f"l{n}",
                random.choice([None, 1975, 2003, 2050, 9999]),
                random.choice([None, 1999, 2030]),
                random.choice([None, 2098]),
            )
            for n in range(7)
        ]
        both = [*honest, *lies]
        random.shuffle(both)
        assert not {one for one in marked(archive_of(tmp_path, *both)) if one.startswith("h")}


def test_a_liar_who_writes_received_where_nobody_else_does_only_goes_unmarked(tmp_path: Path) -> None:
    assert marked(archive_of(tmp_path, mail("a", 2003, 2003), mail("b", 2099, 2003, 2098))) == set()


def test_a_liar_cannot_move_the_year_by_a_line_alone(tmp_path: Path) -> None:
    """His Date has to be as late as his Received; else his mail counts as as old as it says."""
    assert marked(archive_of(tmp_path, mail("a", 2003, 2003), mail("b", 1999, None, 2098), mail("c", 2010, 2003))) == {
        "c@x"
    }


def test_it_is_marked_wherever_it_is_shown(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, mail("a", 2003, 2003), mail("b", 2099, 2003))
    thread = archive.thread("b@x")
    assert tags(thread.messages[0]) == "[date in the future] "
    assert '"date_implausible":true' in encode_thread(thread)
    assert "date_implausible" not in encode_thread(archive.thread("a@x"))
    assert [one.root for one in archive.threads()] == ["a@x", "b@x"]


def test_in_an_index_it_is_marked_and_does_not_lead(tmp_path: Path) -> None:
    mails = [mail("a", 2003, 2003), mail("b", 2004, 2003), mail("c", 2020, 2003), mail("d", 2002, 2002)]
    for number, order in enumerate((mails, mails[::-1])):
        path = tmp_path / f"{number}.mbox"
        path.write_text("".join(order))
        with open_index(tmp_path, name=f"{number}.db") as index:
            index.ingest("l", path)
            assert [thread.root for thread in index.threads()] == ["b@x", "a@x", "d@x", "c@x"]
            assert [thread.root for thread in index.threads() if thread.messages[0].ahead] == ["c@x"]
            assert [found.message_id for found in index.search("s")][-1] == "c@x"
            assert list(index.check()) == []
            path.write_text("".join([*order, mail("e", 2020, 2020)]))
            index.ingest("l", path)
            assert {thread.root for thread in list(index.threads())[:2]} == {"c@x", "e@x"}
            assert not [thread.root for thread in index.threads() if thread.messages[0].ahead]
            assert list(index.check()) == []


def test_what_another_reader_sees_follows_the_newest_year(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_text(mail("a", 2003, 2003) + mail("c", 2020, 2003))
    with open_index(tmp_path) as index, open_index(tmp_path) as other:
        assert [thread.root for thread in other.threads()] == []
        index.ingest("l", path)
        assert [thread.messages[0].ahead for thread in other.threads()] == [False, True]
        path.write_text(path.read_text() + mail("e", 2019, 2019))
        index.ingest("l", path)
        assert [thread.messages[0].ahead for thread in other.threads()] == [False] * 3


def test_mail_of_others_may_be_newer_than_ours(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_text(mail("a", 2003, 2003) + mail("c", 2020, 2003))
    with open_index(tmp_path) as index:
        index.ingest("l", path)
        assert [thread.root for thread in index.threads()] == ["a@x", "c@x"]
        index.set_policy(Policy(index.origin, {BOB.public: Row(1, None)}))
        later = claim("b@x")._replace(date=b"Tue, 11 Feb 2019 10:00:00 +0000")
        index.admit([BOB.batch("git", later)])
        assert [thread.root for thread in index.threads()] == ["c@x", "b@x", "a@x"]
        assert [thread.root for thread in index.threads() if thread.messages[0].ahead] == ["c@x"]
        assert list(index.check()) == []


@given(st.integers(-62_000_000_000, 250_000_000_000))
def test_the_year_of_a_date(seconds: int) -> None:
    year = year_of(seconds)
    assert start_of_year(year) <= seconds
    assert year == 9999 or seconds < start_of_year(year + 1)


@pytest.mark.parametrize("make", [make_record, make_evidence])
@pytest.mark.parametrize("year", [1985, 2003, 2012])
def test_records_and_evidence_find_the_same_year(make: object, year: int) -> None:
    assert callable(make)
    newest = NewestYear(2003)
    raw = mail("a", year, None, 2030).partition("\n")[2].encode()
    buffer, header_end, body = split_message(raw)
    make(buffer, 1, header_end, body, (0, 0), mbox=False, newest=newest)
    assert (newest.year, newest.limit) == (max(year, 2003), start_of_year(max(year, 2003) + 1))
    assert newest.years == {b"%d" % known for known in range(1970, newest.year + 1)}
    assert (
        newest.plausible_before
        == plausible_before(newest.year)
        == parse_date(b"1 Jan %d 0:00 +0000" % (newest.year + 2))[0]
    )
