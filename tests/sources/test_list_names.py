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
        ("lists/1201.mbox", "lists.1201"),
        ("lists/1201/mbox", "lists.1201.mbox"),
        ("lists/03-01/mbox", "lists.03-01.mbox"),
        ("ietf-822.mbox", "ietf-822"),
        ("rfc2822.mbox", "rfc2822"),
        ("may.mbox", "may"),
        ("dev-201413.mbox", "dev-201413"),
        ("1234.mbox", "1234"),
        ("dev/1.mbox", "dev.1"),
        ("dev.1234", "dev.1234"),
        ("rfc.2822", "rfc.2822"),
        ("dev/2003-13.mbox", "dev.2003-13"),
        ("dev/mbox", "dev.mbox"),
    ],
)
def test_a_file_is_named_by_its_place(path: str, name: str) -> None:
    assert of_file(ROOT, path.split("/")).list == name


LAYOUTS = [
    ("dev/Jan-03.mbox", "dev"),
    ("dev/03-01.mbox", "dev"),
    ("dev.1", "dev"),
    ("dev/2003-summer.txt", "dev"),
    ("dev/archive-2003-01.mbox", "dev"),
    ("dev/vol12.txt", "dev"),
    ("dev/2003w05.mbox", "dev"),
    ("dev/2003-H1.mbox", "dev"),
    ("dev.mbox.1.gz", "dev"),
    ("dev.mbox.1", "dev"),
    ("lists/dev.mbox.2.bz2", "lists.dev"),
    ("dev/2003-February.txt.gz", "dev"),
    ("pipermail/dev/2003-February.txt", "pipermail.dev"),
    ("dev/2003q1.txt.gz", "dev"),
    ("dev/Week-of-Mon-20030203.txt", "dev"),
    ("private/dev.mbox/dev.mbox", "private.dev"),
    ("public/dev/2003-February.txt.gz", "public.dev"),
    ("dev.archive.0302", "dev"),
    ("dev/dev.0302", "dev"),
    ("dev.9912", "dev"),
    ("dev/archive.9912", "dev"),
    ("dev-digest.archive", "dev-digest"),
    ("dev.archive", "dev"),
    ("dev.arch", "dev"),
    ("bug-bash/2003-01", "bug-bash"),
    ("bug-bash/2003-01.gz", "bug-bash"),
    ("2003/debian-devel-200301.xz", "debian-devel"),
    ("debian-devel/2003/debian-devel-200301.xz", "debian-devel"),
    ("ipsec/2003-01.mail", "ipsec"),
    ("mail-archive/ipsec/2003-01.mail", "mail-archive.ipsec"),
    ("www-tag/2003Jan.mbox", "www-tag"),
    ("www-tag/2003JanMar", "www-tag"),
    ("www-tag/2003JanMar.mbox", "www-tag"),
    ("www-tag/2003Apr-Jun.mbox", "www-tag"),
    ("httpd-dev/200301.mbox", "httpd-dev"),
    ("httpd-dev/200301.gz", "httpd-dev"),
    ("httpd-dev/200301", "httpd-dev"),
    ("dev@httpd.apache.org/200301.mbox", "dev@httpd.apache.org"),
    ("mod_mbox/httpd-dev/200301.mbox", "mod_mbox.httpd-dev"),
    ("dev@lists.example.org-2020-01.mbox.gz", "dev@lists.example.org"),
    ("dev@lists.example.org-2020-01-2020-02.mbox.gz", "dev@lists.example.org"),
    ("dev@lists.example.org.mbox.gz", "dev@lists.example.org"),
    ("dev@lists.example.org-2020-01-01.mbox", "dev@lists.example.org"),
    ("dev@lists.example.org-2020-01-01-2020-02-01.mbox.gz", "dev@lists.example.org"),
    ("LOG0301A", "archives"),
    ("DEV-L.LOG0301", "DEV-L"),
    ("DEV-L/LOG0301", "DEV-L"),
    ("DEV-L/LOG0301A", "DEV-L"),
    ("dev-l.log0301a", "dev-l"),
    ("DEV-L.NOTEBOOK", "DEV-L"),
    ("DEV-L.NOTE0301", "DEV-L.NOTE0301"),
    ("Takeout/Mail/All mail Including Spam and Trash.mbox", "Takeout.Mail.All mail Including Spam and Trash"),
    ("Takeout/Groups/dev@example.org/topics.mbox", "Takeout.Groups.dev@example.org"),
    ("Mail/Local Folders/Lists.sbd/dev", "Mail.Local Folders.Lists.dev"),
    ("ImapMail/imap.example.org/INBOX.sbd/dev", "ImapMail.imap.example.org.INBOX.dev"),
    ("dev.1.gz", "dev"),
    ("dev.2.mbox", "dev"),
    ("dev.old", "dev.old"),
    ("dev.mbox.old", "dev"),
    ("dev.mbox.bak", "dev"),
    ("dev-20030201.gz", "dev"),
    ("dev.mbox-20030201", "dev"),
    ("dev.mbox-20030201.gz", "dev"),
    ("dev.mbox.20030201", "dev"),
    ("dev/2003/Jan", "dev"),
    ("dev/2003/January.txt.gz", "dev"),
    ("dev/2003-01-Jan.mbox", "dev"),
    ("dev/01-Jan-2003.mbox", "dev"),
    ("dev/1-2003.mbox", "dev"),
    ("dev/2003_01.mbox", "dev"),
    ("dev/2003.01.mbox", "dev"),
    ("dev/y2003m01", "dev"),
    ("dev/vol.12", "dev"),
    ("dev/Volume-12.txt", "dev"),
    ("dev/volume12/issue3.txt", "dev"),
    ("dev/v12n03.txt", "dev"),
    ("dev/2003-spring", "dev"),
    ("dev/spring2003", "dev"),
    ("dev/fall-2003.txt", "dev"),
    ("dev/Q1-2003", "dev"),
    ("dev/2003-1q", "dev"),
    ("dev/1Q03.txt", "dev"),
    ("dev/2003-W05", "dev"),
    ("dev/2003-wk05", "dev"),
    ("dev/week05-2003.txt", "dev"),
    ("dev/2003-02-03_2003-02-09.mbox", "dev"),
    ("dev/jan03", "dev"),
    ("dev/jan03.txt", "dev"),
    ("dev/jan_2003", "dev"),
    ("dev/Jan.2003.gz", "dev"),
    ("dev/all.mbox", "dev.all"),
    ("dev/inbox", "dev.inbox"),
    ("dev/mail-2003-01.mbox", "dev"),
    ("dev/mbox-2003-01", "dev"),
    ("dev/mbox.2003-01", "dev"),
    ("dev/1997-2003.mbox", "dev"),
    ("dev-1997-2003.mbox", "dev"),
    ("dev/1997-to-2003.mbox", "dev"),
    ("python-3000.mbox", "python-3000"),
    ("python-3000/2006-03.txt", "python-3000"),
    ("web2003.mbox", "web2003"),
    ("summer-of-code.mbox", "summer-of-code"),
    ("vol.mbox", "vol"),
    ("log4j-dev/200301.mbox", "log4j-dev"),
    ("log4j.mbox", "log4j"),
    ("autumn.mbox", "autumn"),
    ("s390.mbox", "s390"),
    ("sip.mbox", "sip"),
    ("p2p.mbox", "p2p"),
    ("dev.10g", "dev.10g"),
    ("v8-users.mbox", "v8-users"),
    ("x11.mbox", "x11"),
    ("linux-2.6.mbox", "linux-2.6"),
    ("ipv6.mbox", "ipv6"),
    ("802.11.mbox", "802.11"),
    ("archive.mbox", "archive"),
    ("march/2003-01.mbox", "march"),
    ("1.mbox", "1"),
    ("a.1/dev.mbox", "a.1.dev"),
]
"""Archives as Pipermail, Majordomo, GNU, Debian, the IETF, the W3C, Apache, HyperKitty, LISTSERV, Google's exports,
Thunderbird, logrotate and people lay them out; at the end, names that only look like periods."""


@pytest.mark.parametrize(("path", "name"), LAYOUTS)
def test_layouts_of_many_programs(path: str, name: str) -> None:
    assert of_file(ROOT, path.split("/")).list == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("dev/archive/0", "dev"),
        ("dev/archive/12", "dev"),
        ("dev/archive", "dev.archive"),
        ("comp/lang/bar", "comp.lang.bar"),
        ("acct/INBOX/lists/dev/cur", "acct.INBOX.lists.dev"),
        ("Maildir/.lists.dev/cur", "Maildir.lists.dev"),
        ("user/ann/lists/dev", "user.ann.lists.dev"),
        ("dev/vol12", "dev"),
        ("dev/2003-summer", "dev"),
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
        ("dev.mbox.1.gz", "dev.mbox", True),
        ("dev.1", "dev.2", True),
        ("dev/Jan-03.mbox", "dev/Feb-03.mbox", True),
        ("dev.archive", "dev.archive.0302", True),
        ("dev.mbox.old", "dev.mbox", True),
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
        ["Dec-99.mbox", "Jan-03.mbox", "Feb-03.mbox", "Apr-03.mbox"],
        ["dev/2003JanMar", "dev/2003AprJun"],
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
