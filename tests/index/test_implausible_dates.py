"""A date before 1970 is shown and marked, and orders nothing, whatever came first."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

from tests.index.factories import mail, open_index, write
from weft import rebuild
from weft.core.date import MISSING, earliest, plausible
from weft.render.json import encode_thread
from weft.render.labels import tags

MAILS = (
    mail("old@x", headers=["Date: Wed, 31 Dec 1969 23:59:59 +0000"]),
    mail("edge@x", headers=["Date: Thu, 1 Jan 1970 01:00:00 +0200"]),
    mail("first@x", headers=["Date: Thu, 1 Jan 1970 00:00:00 +0000"]),
    mail("west@x", headers=["Date: Wed, 31 Dec 1969 19:00:00 -0500"]),
    mail("good@x", headers=["Date: Mon, 3 Feb 2003 12:00:00 +0000"]),
    mail("none@x"),
    mail("twice@x", headers=["Date: Thu, 1 Jan 1903 12:00:00 +0000"]),
)
TWICE = mail("twice@x", headers=["Date: Tue, 4 Feb 2003 12:00:00 +0000"])


def test_such_a_date_comes_last_in_every_order_of_arrival(tmp_path: Path) -> None:
    expected = ["first@x", "west@x", "good@x", "twice@x", "edge@x", "none@x", "old@x"]
    for number, order in enumerate((MAILS, MAILS[::-1], next(iter(permutations(MAILS[2:]))) + MAILS[:2])):
        file = write(tmp_path / f"{number}.mbox", *order)
        copy = write(tmp_path / f"{number}.copy.mbox", TWICE)
        archive = rebuild({"l": file, "m": copy})
        assert [thread.root for thread in archive.threads()] == expected
        with open_index(tmp_path, name=f"{number}.db") as index:
            index.ingest("m", copy)
            index.ingest("l", file)
            assert [thread.root for thread in index.all_threads()] == expected
            newest = [thread.root for thread in index.threads()]
            assert newest[:2] == ["twice@x", "good@x"]
            assert set(newest[4:]) == {"edge@x", "none@x", "old@x"}
            assert list(index.check()) == []
            marked = {one.id: one.implausible_date for thread in index.threads() for one in thread.messages}
            assert {name for name, odd in marked.items() if odd} == {"edge@x", "old@x"}
            assert index.thread("twice@x").messages[0].date == "2003-02-04T12:00:00+00:00"


def test_it_is_marked(tmp_path: Path) -> None:
    archive = rebuild({"l": write(tmp_path / "l.mbox", *MAILS)})
    thread = archive.thread("old@x")
    assert (thread.messages[0].date, tags(thread.messages[0])) == ("1969-12-31T23:59:59+00:00", "[date before 1970] ")
    assert '"date_implausible":true' in encode_thread(thread)
    assert "date_implausible" not in encode_thread(archive.thread("west@x"))


def test_the_earliest_of_some_dates() -> None:
    assert earliest([(-5, 0), (MISSING, 0), (7, 60), (9, 0)]) == (7, 60)
    assert earliest([(-5, 0), (-9, 0)]) == (-9, 0)
    assert earliest([]) == (MISSING, 0)
    assert [plausible(seconds) for seconds in (-1, 0, MISSING)] == [MISSING, 0, MISSING]
