"""Lists are called by the path of the archive, without what belongs to its form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.sources.list_names import Place, may_be_one_archive, of_file, of_folder
from weft.sources.periods import in_order

ROOT = "/srv/archives"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("imagej-devel/2014-August.txt.gz", "imagej-devel"),
        ("imagej-devel/2014-August.txt", "imagej-devel"),
        ("imagej-devel/2014q3.txt.gz", "imagej-devel"),
        ("imagej-devel/2014.txt.gz", "imagej-devel"),
        ("imagej-devel/20140804.txt.gz", "imagej-devel"),
        ("imagej-devel/Week-of-Mon-20140804.txt.gz", "imagej-devel"),
        ("comp/lang/foo.mbox", "comp.lang.foo"),
        ("a/dev.mbox", "a.dev"),
        ("dev.mbox/dev.mbox", "dev"),
        ("site/dev.mbox/dev.mbox", "site.dev"),
        ("ietf/2003-01.mail", "ietf"),
        ("ietf/2003/01.mail", "ietf"),
        ("ietf/2003/january.mbox", "ietf"),
        ("announce/2000/archive.mbox", "announce.archive"),
        ("tomcat-dev/201401.mbox", "tomcat-dev"),
        ("r-help/r-help-2004-01.mbox.gz", "r-help"),
        ("r-help-2004.mbox.gz", "r-help"),
        ("LINUX.LOG9801", "LINUX"),
        ("LINUX/LINUX.LOG9801A", "LINUX"),
        ("Inbox.sbd/lists", "Inbox.lists"),
        ("Foo.mbox/mbox", "Foo"),
        ("2014-August.txt.gz", "archives"),
        ("dev/2003-1.mbox", "dev"),
        ("dev/2003/1.mbox", "dev"),
        ("dev/2003/01/31.mbox", "dev"),
        ("dev/2003-01/31.mbox", "dev"),
        ("dev/2003-01/mbox", "dev"),
        ("dev/01-2003.mbox", "dev"),
        ("dev/2003H1.txt", "dev"),
        ("dev-January-2003.mbox", "dev"),
        ("dev-01-2003.mbox", "dev"),
        ("dev-2003-1.mbox", "dev"),
        ("dev.0301", "dev"),
        ("dev.030131.gz", "dev"),
        ("dev/2003-Januar.txt", "dev"),
        ("dev/2003-février.txt.gz", "dev"),
        ("dev/2003-Luglio.txt", "dev"),
        ("dev/2003-FÉVRIER.txt", "dev"),
        ("dev-may2003.mbox", "dev"),
        ("maya-2003.mbox", "maya"),
        ("dev/2003-maya.mbox", "dev.2003-maya"),
        # None of these is a period of time.
        ("ietf-822.mbox", "ietf-822"),
        ("rfc2822.mbox", "rfc2822"),
        ("may.mbox", "may"),
        ("dev-201413.mbox", "dev-201413"),
        ("1234.mbox", "1234"),
        ("dev/1.mbox", "dev.1"),
        ("dev.1", "dev.1"),
        ("dev.1234", "dev.1234"),
        ("rfc.2822", "rfc.2822"),
        ("dev/03-01.mbox", "dev.03-01"),
        ("dev/2003-13.mbox", "dev.2003-13"),
        ("dev/mbox", "dev.mbox"),
    ],
)
def test_a_file_is_named_by_its_place(path: str, name: str) -> None:
    assert of_file(ROOT, path.split("/")).list == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "archives"),
        ("comp/lang/foo", "comp.lang.foo"),
        ("dev/cur", "dev"),
        ("dev/git/0.git", "dev"),
        ("dev.git", "dev"),
        ("git", "git"),
        ("m/.Sent", "m.Sent"),
        (".lists.python-dev", "lists.python-dev"),
        ("Foo.mbox/Messages", "Foo"),
        ("Foo.mbox/1D2E3F4A-0000-4000-8000-00000000000A/Data/1/2/Messages", "Foo"),
        ("Foo.mbox/Bar.mbox/Messages", "Foo.Bar"),
        ("only/3", "only.3"),
        ("lists/dev/2003", "lists.dev"),
        ("lists/dev/2003/02", "lists.dev"),
    ],
)
def test_a_directory_is_named_by_its_place(path: str, name: str) -> None:
    assert of_folder(ROOT, [part for part in path.split("/") if part]).list == name


def test_where_nothing_is_left_the_nearest_name_above_counts() -> None:
    for root in ("/srv/dev", "/srv/dev/", "/srv/dev/2003", "/srv/dev/2003/02", "/srv/dev/cur", "/srv/dev/git"):
        place = of_file(root, ["2003-02.mbox"])
        assert (place.list, place.archive) == (("git" if root.endswith("git") else "dev"), place.archive)
    assert of_folder("/", []) == Place("", (), False)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("dev/2003-01.mbox", "dev/2003-02.mbox", True),
        ("dev/2003-January.txt", "dev/2003-January.txt.gz", True),
        ("dev/2003-01.mbox", "dev.mbox/dev.mbox", True),
        ("dev/2003-01.mbox", "dev.mbox", True),
        ("dev/2003/01.mbox", "dev/2004/01.mbox", True),
        ("dev.mbox", "dev.mbox.gz", False),
        ("dev.mbox", "dev.mbox/dev.mbox", False),
        ("a.dev.mbox", "a/dev.mbox", False),
        ("a.dev/2003-01.mbox", "a/dev/2003-01.mbox", False),
    ],
)
def test_periods_are_one_archive_and_equal_names_are_not(one: str, other: str, same: bool) -> None:
    first, second = (of_file(ROOT, path.split("/")) for path in (one, other))
    assert first.list == second.list
    assert first.same_archive(second) == second.same_archive(first) == same


def test_an_archive_is_the_same_from_wherever_it_is_seen() -> None:
    whole, months = of_file("/srv/dev.mbox", ["dev.mbox"]), of_file("/srv/dev", ["2003-02.mbox"])
    assert whole.list == months.list == "dev"
    assert whole.same_archive(months)
    assert of_file("/srv", ["dev.mbox", "dev.mbox"]).archive == whole.archive


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/a/dev.mbox", "/a/dev.mbox", True),
        ("/a/dev/2003-01.mbox", "/a/dev/2003-02.mbox", True),
        ("/a/dev/2003/01.mbox", "/a/dev/2004/01.mbox", True),
        ("/a/dev.mbox/dev.mbox", "/a/dev/2003-January.txt", True),
        ("/a/dev", "/a/dev/2003-January.txt", True),
        ("/a/dev/one", "/a/dev/two", True),
        ("/a/dev.mbox", "/b/dev.mbox", False),
        ("/a/dev", "/b/dev", False),
        ("/a/dev/2003-01.mbox", "/b/dev/2003-01.mbox", False),
    ],
)
def test_paths_with_one_list_are_of_one_archive_or_not(one: str, other: str, same: bool) -> None:
    assert may_be_one_archive(one, other) == may_be_one_archive(other, one) == same


@pytest.mark.parametrize(
    "paths",
    [
        ["2003-January.txt", "2003-February.txt.gz", "2003-March.txt", "2003-October.txt", "2004-April.txt"],
        ["Dec2002.mbox", "Jan2003.mbox", "Feb2003.mbox", "Apr2003.mbox"],
        ["2002/december", "2003/january", "2003/february", "2003/august"],
        ["2003-2.mbox", "2003-10.mbox"],
        ["2003-Januar", "2003-Februar", "2003-März", "2003-Dezember", "2004-février"],
        ["dev-January-2003", "dev-February-2003", "dev-April-2004"],
        ["a-may-b", "april", "may", "number 9", "number 10"],
        ["2003-Week", "Week-of-Mon-20030106", "Week-of-Mon-20030113"],
        ["2003-augu\u017ft", "2003-ma\u0131"],
    ],
)
def test_paths_are_sorted_by_the_calendar(paths: list[str]) -> None:
    assert sorted(set(paths), key=in_order) == paths
    below = [f"/srv/archives/dev/{path}" for path in paths]
    assert sorted(set(below), key=in_order) == below


PARTS = st.lists(
    st.sampled_from(["a", "b.mbox", "cur", "git", "0.git", "2003", "01", ".x", "Messages", "c.sbd", "2003-01.txt.gz"]),
    min_size=1, max_size=5,
)  # fmt: skip


@given(PARTS, PARTS)
def test_a_name_is_never_empty_and_the_same_archive_has_the_same_name(one: list[str], other: list[str]) -> None:
    first, second = of_file(ROOT, one), of_file(ROOT, other)
    assert first.list
    assert "/" not in first.list
    if first.archive == second.archive:
        assert first.list == second.list
