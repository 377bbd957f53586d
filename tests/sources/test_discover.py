from __future__ import annotations

import bz2
import gzip
import os
import socket
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from weft.errors import UsageError
from weft.sources.discover import discover, list_stem
from weft.sources.folder import Folder
from weft.sources.interface import Note, Source
from weft.sources.mbox import MboxFile
from weft.sources.public_inbox import PublicInbox
from weft.sources.standard_input import StandardInput

MESSAGE = b"From: a@b\nMessage-ID: <a@x>\n\nHello.\n"
MBOX = b"From a@b Thu Jan  1 00:00:00 1970\n" + MESSAGE


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test is in an empty directory, so that paths are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, data: bytes = MBOX) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(data)
    return path


def maildir(path: str) -> str:
    for folder in ("cur", "new", "tmp"):
        Path(path, folder).mkdir(parents=True)
    put(f"{path}/new/1", MESSAGE)
    return path


def bare(path: str) -> str:
    Path(path, "objects").mkdir(parents=True)
    put(f"{path}/HEAD", b"ref: refs/heads/master\n")
    return path


def find(*arguments: str) -> tuple[list[Source], list[Note]]:
    notes: list[Note] = []
    return discover(arguments, notes.append), notes


def named(*arguments: str) -> list[tuple[str, str]]:
    """(list, path) of each source; there must be no notes."""
    sources, notes = find(*arguments)
    assert notes == []
    return [(source.list, source.path) for source in sources]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("git.mbox", "git"),
        ("git.mbox.gz", "git"),
        ("git.mbx.xz", "git"),
        ("git.mboxrd.bz2", "git"),
        ("git.mboxo.zst", "git"),
        ("git.mboxcl", "git"),
        ("git.txt", "git"),
        ("git.mail", "git"),
        ("GIT.MBOX.GZ", "GIT"),
        ("git", "git"),
        ("git.gz", "git"),
        ("linux.kernel", "linux.kernel"),
        ("a.mbox.mbox", "a.mbox"),
        ("a.gz.gz", "a.gz"),
        ("a.mbox.old", "a"),
        (".mbox", ".mbox"),
        (".gz", ".gz"),
        ("a=b.mbox", "a=b"),
    ],
)
def test_a_list_without_a_name_is_called_by_the_stem(name: str, stem: str) -> None:
    assert list_stem(name) == stem
    assert named(put(name)) == [(stem, name)]


def test_list_equals_path_names_the_list(here: Path) -> None:
    put("x.mbox")
    put("a=b.mbox")
    assert named("git=x.mbox") == [("git", "x.mbox")]
    assert named(f"git={here}/x.mbox") == [("git", f"{here}/x.mbox")]
    assert named("git=a=b.mbox") == [("git", "a=b.mbox")]


def test_a_path_that_exists_wins_over_the_equals_sign() -> None:
    put("b.mbox")
    put("a=b.mbox")
    assert named("a=b.mbox") == [("a=b", "a=b.mbox")]
    Path("a=b.mbox").unlink()
    assert named("a=b.mbox") == [("a", "b.mbox")]
    Path("a=b.mbox").symlink_to("nowhere")
    assert find("a=b.mbox") == ([], [Note("a=b.mbox", None, "No such file or directory", 1)])


def test_an_equals_sign_behind_a_slash_is_part_of_a_path() -> None:
    assert find("./a=b.mbox") == ([], [Note("./a=b.mbox", None, "No such file or directory", 1)])


@pytest.mark.parametrize(
    "argument", ["", "git=", "=x.mbox", "a\tb=x.mbox", " a=x.mbox", f"{'a' * 201}=x.mbox", "-", "=-"]
)
def test_what_cannot_be_meant_is_a_usage_error(argument: str) -> None:
    put("x.mbox")
    with pytest.raises(UsageError) as caught:
        find(argument)
    assert "\n" not in str(caught.value)


def test_standard_input_needs_a_list_and_comes_once() -> None:
    (source,), notes = find("git=-")
    assert isinstance(source, StandardInput)
    assert (source.list, notes) == ("git", [])
    with pytest.raises(UsageError, match="LIST=-"):
        find("-")
    with pytest.raises(UsageError, match="only once"):
        find("git=-", "other=-")


def test_a_file_called_minus_can_be_named_by_its_directory() -> None:
    put("-")
    (source,), _ = find("./-")
    assert isinstance(source, MboxFile)
    assert source.list == "-"


def test_each_mbox_in_a_directory_is_a_list_and_one_list_if_it_is_named() -> None:
    put("d/b.mbox.gz", gzip.compress(MBOX))
    put("d/sub/a.mbox")
    put("d/empty.mbox", b"")
    put("d/.hidden.mbox")
    put("d/.git/c.mbox")
    assert named("d") == [("b", "d/b.mbox.gz"), ("empty", "d/empty.mbox"), ("sub.a", "d/sub/a.mbox")]
    assert named("all=d") == [("all", "d/b.mbox.gz"), ("all", "d/empty.mbox"), ("all", "d/sub/a.mbox")]


def test_what_is_not_mail_in_a_directory_is_noted_but_read_if_it_is_named() -> None:
    put("d/words", b"Some words.\n")
    put("d/a.mbox")
    sources, notes = find("d")
    assert [source.list for source in sources] == ["a"]
    assert notes == [
        Note("d/words", None, "not mail: it has neither header fields nor a form of mail that is known", 1)
    ]
    assert named("d/words") == [("words", "d/words")]


def test_a_directory_without_mail_is_noted() -> None:
    Path("d/e").mkdir(parents=True)
    assert find("d") == ([], [Note("d", None, "no mail in this directory")])


def test_a_maildir_is_one_list_and_its_sub_directories_are_walked() -> None:
    maildir("m.mail/sub")
    maildir("m.mail")
    (outer, inner), notes = find("m.mail")
    assert isinstance(outer, Folder)
    assert (outer.list, outer.path, len(outer)) == ("m.mail", "m.mail", 1)
    assert (inner.list, inner.path, notes) == ("sub", "m.mail/sub", [])
    assert [record[2] for record in outer.records(notes.append)] == [b"a@x"]
    assert named("all=m.mail") == [("all", "m.mail"), ("all", "m.mail/sub")]


def test_the_sub_folders_of_a_maildir_are_lists_of_their_own() -> None:
    maildir("m/.Sent")
    maildir("m/.lists.dev")
    maildir("m")
    put("m/.cache/a.mbox")
    put("m/dovecot-uidlist", b"3 V1 N1\n")
    assert named("m") == [("Sent", "m/.Sent"), ("lists.dev", "m/.lists.dev"), ("m", "m")]
    assert named("m/.Sent") == [("Sent", "m/.Sent")]


def test_a_directory_with_a_dot_or_a_slash_at_its_end_has_its_own_name(here: Path) -> None:
    maildir("m")
    assert named("m/") == [("m", "m/")]
    assert named("m/cur/..") == [("m", "m/cur/..")]
    os.chdir("m")
    assert named(".") == [("m", ".")]


def test_an_mh_folder_is_told_by_its_names() -> None:
    put("only/1", MESSAGE)
    put("only/20", MESSAGE)
    put("only/.claws_cache", b"")
    put("only/3/1", MESSAGE)
    put("marked/7", MESSAGE)
    put("marked/.mh_sequences", b"cur: 7\n")
    put("marked/b.mbox")
    sources, notes = find("only", "marked")
    assert [(source.list, type(source)) for source in sources] == [
        ("3", Folder),
        ("b", MboxFile),
        ("marked", Folder),
        ("only", Folder),
    ]
    assert notes == []
    assert [len(source) for source in sources if isinstance(source, Folder)] == [1, 1, 2]


def test_a_message_among_other_files_belongs_to_the_directory() -> None:
    put("d/1", MESSAGE)
    put("d/a.mbox")
    assert named("d") == [("a", "d/a.mbox"), ("d", "d")]


@pytest.mark.parametrize("data", [MBOX, bz2.compress(MBOX)])
def test_archives_by_month_are_no_mh_folder(data: bytes) -> None:
    put("d/200301", data)
    put("d/200302", data)
    assert named("git=d") == [("git", "d/200301"), ("git", "d/200302")]
    sources, _ = find("d")
    assert all(isinstance(source, MboxFile) for source in sources)


def test_public_inbox_is_told_by_its_directories() -> None:
    bare("v1.git")
    bare("v2/git/0.git")
    put("v2/msgmap.sqlite3", b"SQLite")
    sources, notes = find(".")
    assert [(source.list, source.path) for source in sources] == [("v1", "./v1.git"), ("v2", "./v2")]
    assert all(isinstance(source, PublicInbox) for source in sources)
    assert notes == []


def test_a_path_that_cannot_be_read_is_noted_and_the_rest_is_found() -> None:
    put("a.mbox")
    Path("dangling.mbox").symlink_to("nowhere")
    Path("itself.mbox").symlink_to("itself.mbox")
    os.mkfifo("fifo.mbox")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.mbox")
        sources, notes = find("a.mbox", "missing", "dangling.mbox", "itself.mbox", "fifo.mbox", "socket.mbox", "x\0y")
        in_directory = find(".")
    assert [source.path for source in sources] == ["a.mbox"]
    reasons = {note.path: note.reason.split(";")[0] for note in notes}
    assert "null" in reasons.pop("x\0y")  # its words differ between versions of Python
    assert reasons == {
        "missing": "No such file or directory",
        "dangling.mbox": "No such file or directory",
        "itself.mbox": "Too many levels of symbolic links",
        "fifo.mbox": "not a file or directory",
        "socket.mbox": "not a file or directory",
    }
    assert {note.skipped for note in notes} == {1}
    assert [source.path for source in in_directory[0]] == ["./a.mbox"]
    assert sorted(note.path for note in in_directory[1]) == [
        f"./{name}.mbox" for name in ("dangling", "fifo", "itself", "socket")
    ]


def test_links_that_lead_back_end() -> None:
    put("d/sub/a.mbox")
    Path("d/sub/up").symlink_to("..")
    Path("d/sub/same").symlink_to(".")
    sources, notes = find("d")
    assert [source.path for source in sources] == ["d/sub/a.mbox"]
    assert notes == [Note("d/sub/same", None, "already given"), Note("d/sub/up", None, "already given")]


@pytest.fixture
def deep(here: Path) -> Iterator[str]:
    """A file below more directories than Python has stack, which is taken away one by one."""
    depth = 1500
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    put("a.mbox")
    os.chdir(here)
    yield "/".join(["d"] * depth + ["a.mbox"])
    os.chdir("/".join(["d"] * depth))
    os.unlink("a.mbox")
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("d")


def test_a_deep_directory_is_walked_without_recursion(deep: str) -> None:
    assert named("all=d") == [("all", deep)]
    ((note,), sources) = find("d")[::-1]
    assert "cannot name a list: it must have 1 to 200" in note.reason
    assert sources == []


def test_a_file_is_read_once_for_a_list() -> None:
    put("d/a.mbox")
    os.link("d/a.mbox", "d/b.mbox")
    sources, notes = find("git=d/b.mbox", "git=d")
    assert [(source.list, source.path) for source in sources] == [("git", "d/a.mbox")]
    assert notes == [Note("d/b.mbox", None, "already given")] * 2
    assert named("git=d/a.mbox", "other=d/a.mbox") == [("git", "d/a.mbox"), ("other", "d/a.mbox")]
    assert find("d/a.mbox", "d/a.mbox")[1] == [Note("d/a.mbox", None, "already given")]


def test_a_folder_is_read_once_for_a_list() -> None:
    maildir("d/m")
    Path("link").symlink_to("d")
    for arguments in (("d", "d/m"), ("d", "link"), ("git=d/m", "git=d/m")):
        sources, notes = find(*arguments)
        assert [source.path for source in sources] == ["d/m"]
        assert [(note.reason, note.skipped) for note in notes] == [("already given", 0)]


def test_a_stem_that_cannot_name_a_list_is_noted_with_what_to_do(here: Path) -> None:
    put("a\tb.mbox")
    put(os.fsdecode(b"\xff.mbox"))
    sources, notes = find(".")
    assert sources == []
    assert all("LIST=PATH" in note.reason and note.skipped == 1 for note in notes)
    assert len(notes) == 2
    assert named("git=a\tb.mbox") == [("git", "a\tb.mbox")]


def test_the_order_of_arguments_changes_nothing() -> None:
    put("d/a.mbox")
    put("b.mbox")
    os.link("b.mbox", "c.mbox")
    maildir("m")
    arguments = ["x=b.mbox", "x=c.mbox", "d", "x=m", "m"]
    outcomes = {
        (
            tuple((source.list, source.path) for source in sources),
            tuple(notes),
        )
        for sources, notes in (find(*order) for order in permutations(arguments))
    }
    assert len(outcomes) == 1
    assert [name for name, _ in outcomes.pop()[0]] == ["a", "m", "x", "x"]


def test_the_ratio_reaches_the_files() -> None:
    put("a.mbox.bz2", bz2.compress(MBOX + b"\n" * (20 << 20)))
    for ratio, skipped in ((200, 1), (1 << 30, 0)):
        notes: list[Note] = []
        (source,) = discover(["a.mbox.bz2"], notes.append, max_ratio=ratio)
        list(source.records(notes.append))
        assert sum(note.skipped for note in notes) == skipped


def test_a_mailman_tree_is_one_list_for_each_of_its_archives() -> None:
    put("archives/dev.mbox/dev.mbox")
    put("archives/dev/2003-January.txt.gz", gzip.compress(MBOX))
    put("archives/dev/2003-January.txt")
    put("archives/dev/index.html", b"<html></html>\n")
    put("archives/dev/pipermail.pck", b"\x80\2}q\1.")
    put("archives/dev/2003-January/000001.html", b"<!DOCTYPE html>\n")
    put("archives/dev/attachments/20030101/abc/attachment.eml", MESSAGE)
    put("archives/dev/database/2003-January-article", b"\0\1\2")
    put("archives/announce/2003q1.txt")
    assert {name for name, _ in named("archives")} == {"announce", "dev"}
    assert len(named("archives")) == 4
    assert named("archives/dev/2003-January.txt.gz") == [("dev", "archives/dev/2003-January.txt.gz")]
    assert {name for name, _ in named("archives/dev", "archives/dev.mbox")} == {"dev"}


def test_equal_names_in_different_places_are_told_apart() -> None:
    put("x/a/dev.mbox")
    put("x/b/dev.mbox")
    assert named("x") == [("a.dev", "x/a/dev.mbox"), ("b.dev", "x/b/dev.mbox")]


def test_two_archives_that_would_be_one_list_are_merged_only_if_the_user_says_so() -> None:
    put("a/dev.mbox")
    put("b/dev.mbox")
    for order in (("a/dev.mbox", "b/dev.mbox"), ("b/dev.mbox", "a/dev.mbox"), ("b", "a")):
        sources, (note,) = find(*order)
        assert [source.path for source in sources] == ["a/dev.mbox"]
        assert (note.path, note.skipped) == ("b/dev.mbox", 1)
        assert "a/dev.mbox" in note.reason
        assert "LIST=b/dev.mbox" in note.reason
    assert named("dev=a/dev.mbox", "dev=b/dev.mbox") == [("dev", "a/dev.mbox"), ("dev", "b/dev.mbox")]
    assert named("dev=b/dev.mbox", "a/dev.mbox") == [("dev", "a/dev.mbox"), ("dev", "b/dev.mbox")]
    sources, (note,) = find("dev=b/dev.mbox", "a")
    assert [source.path for source in sources] == ["b/dev.mbox"]
    put("c/dev/2003/1", MESSAGE)
    put("c/dev.mbox.gz", gzip.compress(MBOX))
    put("c/dev.mbox")
    assert [note.path for note in find("c")[1]] == ["c/dev.mbox.gz"]


def test_what_lies_beside_mail_is_passed_over() -> None:
    put("d/a.mbox")
    put("d/a.mbox.msf", b"// <!-- <mdb:mork:z v=\n")
    for name in (
        "index.html", "dovecot-uidlist", "a.mbox.lock", "x.db", "README", "dovecot.index.cache", "Thumbs.db",
        "a.snm", "table_of_contents", "content_index", "Icon\r", "INDEX", "CHECKSUMS", "list.rdf", "feed.xml",
        "sitemap.xml.gz", "manifest.js.gz", "list.url", "history.pag", "active.read",
        "a.mozmsgs/1.wdseml", "_vti_cnf/a", "x.pyc",
    ):  # fmt: skip
        put(f"d/{name}", b"\0\1\2 anything\n")
    put("d/empty.lock", b"")
    put("d/xapian/iamglass", b"\x0f\rXapian Glass")
    put("d/xap15/0/postlist.glass", b"\0\1")
    put("d/pages/a.html", b"<html>\n")
    put("d/.DS_Store", b"\0\0\0\1Bud1")
    assert named("d") == [("a", "d/a.mbox")]


def test_messages_that_were_removed_from_an_mh_folder_are_not_read() -> None:
    for name in ("1", "2", ",3", "#4"):
        put(f"d/{name}", MESSAGE)
    sources, notes = find("d")
    assert notes == []
    assert [list(source.names) for source in sources if isinstance(source, Folder)] == [["1", "2"]]


def test_months_are_read_in_the_order_of_the_calendar() -> None:
    for name in ("2003-April.txt", "2003-February.txt", "2003-March.txt", "2002-December.txt"):
        put(f"d/{name}")
    found = [path for _, path in named("d")]
    assert found == ["d/2002-December.txt", "d/2003-February.txt", "d/2003-March.txt", "d/2003-April.txt"]


def test_a_name_like_that_of_a_companion_does_not_hide_mail() -> None:
    put("d/news")
    put("d/index.db")
    put("d/page.html", MESSAGE + b"")
    assert {path for _, path in named("d")} == {"d/news", "d/index.db", "d"}


def test_messages_that_are_files_are_one_list_by_their_directory() -> None:
    put("d/two.eml", MESSAGE)
    put("d/10.eml", MESSAGE)
    put("d/9.eml", MESSAGE)
    put("d/apple.emlx", b"%d\n" % len(MESSAGE) + MESSAGE + b"<plist/>\n")
    put("d/sub/x", MESSAGE)
    sources, notes = find("d")
    assert notes == []
    assert [(source.list, source.path) for source in sources] == [("d", "d"), ("sub", "d/sub")]
    assert isinstance(sources[0], Folder)
    assert list(sources[0].names) == ["9.eml", "10.eml", "apple.emlx", "two.eml"]
    records = list(sources[0].records(notes.append))
    assert [record[2] for record in records] == [b"a@x"] * 4
    assert {sources[0].fetch(record[0], record[1]) for record in records} == {MESSAGE}


def test_messages_that_are_named_one_by_one_belong_to_the_list_of_their_directory() -> None:
    put("d/two.eml", MESSAGE)
    put("d/9.eml", MESSAGE)
    assert named("d/two.eml", "d/9.eml") == [("d", "d/9.eml"), ("d", "d/two.eml")]


def test_a_news_spool_is_a_list_for_each_group() -> None:
    for group in ("comp/lang/foo", "comp/lang", "alt/foo"):
        put(f"news/{group}/1", b"Path: x!y\nNewsgroups: comp.lang.foo\nMessage-ID: <1@x>\n\ntext\n")
        put(f"news/{group}/2", b"Path: x!y\nNewsgroups: comp.lang.foo\nMessage-ID: <2@x>\n\ntext\n")
        put(f"news/{group}/.overview", b"1\t\n")
    put("news/leaf.node/active.read", b"comp.lang.foo 2 1\n")
    put("news/interesting.groups/comp.lang.foo", b"")
    put("news/message.id/123/<1@x>", MESSAGE)
    assert [name for name, _ in named("news")] == ["alt.foo", "comp.lang", "comp.lang.foo"]


def test_patches_are_messages_of_their_directory() -> None:
    for number in (1, 2):
        put(f"series/000{number}-x.patch", b"From 0123456789 Mon Sep 17 00:00:00 2001\n" + MESSAGE)
    assert named("series") == [("series", "series/0001-x.patch"), ("series", "series/0002-x.patch")]


def test_what_is_known_and_not_read_is_named_with_the_tool() -> None:
    put("d/outlook.pst", b"!BDN" + bytes(100))
    put("d/wide.txt", "\ufeffFrom: a@b\n".encode("utf-16"))
    put("d/twice.gz", gzip.compress(gzip.compress(MBOX)))
    for arguments in (("d",), ("d/outlook.pst", "d/wide.txt", "d/twice.gz")):
        sources, notes = find(*arguments)
        assert sources == []
        skipped = {note.path: note.reason for note in notes if note.skipped}
        assert "readpst" in skipped["d/outlook.pst"]
        assert "UTF-16" in skipped["d/wide.txt"]
        assert "gzip in which there is gzip" in skipped["d/twice.gz"]


def test_lines_may_end_in_cr_alone_and_a_mark_may_stand_in_front() -> None:
    two = MBOX + b"\n" + MBOX.replace(b"<a@x>", b"<b@x>")
    put("cr.mbox", two.replace(b"\n", b"\r"))
    put("cr.mbox.gz", gzip.compress(two.replace(b"\n", b"\r")))
    put("d/cr", MESSAGE.replace(b"\n", b"\r"))
    put("d/mark", b"\xef\xbb\xbf" + MESSAGE)
    for path, ids in (("cr.mbox", [b"a@x", b"b@x"]), ("cr.mbox.gz", [b"a@x", b"b@x"]), ("d", [b"a@x", b"a@x"])):
        (source,), notes = find(path)
        records = list(source.records(notes.append))
        assert [record[2] for record in records] == ids
        assert notes == []
        for record in records:
            assert source.fetch(record[0], record[1]).startswith(b"From: a@b\nMessage-ID: <")
