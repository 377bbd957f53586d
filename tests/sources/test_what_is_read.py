"""One of each form is written and read, and the documentation's tables of forms say the same.

``python -m tests.sources.test_what_is_read`` prints the table.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import HEADREF
from dulwich.repo import Repo

from tests.cli.command_runner import weft
from tests.documented_examples import DOCS
from tests.sources.test_containers import tar_of, zip_of, zstd
from tests.sources.test_delimited import written
from weft.sources.discover import discover
from weft.sources.evidence import make_evidence
from weft.sources.forms import Foreign, Form, form_of
from weft.sources.lists import SeveralLists

MESSAGE = b"From: ann@example.org\nMessage-ID: <a@example.org>\nSubject: S\n\ntext\n"
MBOX = b"From ann@example.org Tue Feb 11 10:00:00 2003\n" + MESSAGE + b"\n"
ARTICLE = b"Path: news!not-for-mail\nNewsgroups: comp.lang.foo\n" + MESSAGE

Files = dict[str, bytes] | Callable[[Path], None]


def public_inbox(folder: Path) -> None:
    """A v2 archive with one message."""
    path = folder / "dev/git/0.git"
    path.mkdir(parents=True)
    with Repo.init_bare(str(path)) as repository:
        blob, tree = Blob.from_string(MESSAGE), Tree()
        tree.add(b"m", 0o100644, blob.id)
        commit = Commit()
        commit.tree, commit.author, commit.committer = tree.id, b"a <a@x>", b"a <a@x>"
        commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"m"
        repository.object_store.add_objects([(blob, None), (tree, None), (commit, None)])
        repository.refs[HEADREF] = ObjectID(commit.id)


@dataclass(frozen=True, slots=True)
class Row:
    """One form: what it is called, an example of it, the list that this belongs to, and what is written for it."""

    form: str
    example: str
    list: str
    files: Files


ROWS = [
    Row("mbox, all dialects; lines end in LF, CRLF or CR", "dev.mbox", "dev", {"dev.mbox": MBOX}),
    Row("the same in gzip, xz, bzip2 or zstd", "dev.mbox.xz", "dev", {"dev.mbox.xz": lzma.compress(MBOX)}),
    Row(
        "archives by year, quarter, month, week or day, as of pipermail", "dev/2003-February.txt.gz", "dev",
        {"dev/2003-February.txt.gz": gzip.compress(MBOX), "dev/2003q1.txt": MBOX, "dev/20030211.txt": MBOX,
         "dev/Week-of-Mon-20030210.txt": MBOX, "dev/2003/02.mbox": MBOX, "dev/index.html": b"<html>"},
    ),
    Row(
        "a Mailman 2 tree: its months and its mbox", "dev.mbox/dev.mbox", "dev",
        {"dev.mbox/dev.mbox": MBOX, "dev/2003-February.txt": MBOX, "dev/attachments/20030211/x/a.eml": MESSAGE},
    ),
    Row("Thunderbird", "Inbox.sbd/dev", "Inbox.dev", {"Inbox.sbd/dev": MBOX, "Inbox.sbd/dev.msf": b"//"}),
    Row("Maildir", "dev/cur/", "dev", {"dev/cur/1.M1.h:2,S": MESSAGE, "dev/new/2.M2.h": MESSAGE}),
    Row(
        "sub-folders of Maildir++", "mail/.lists.dev/cur/", "mail.lists.dev",
        {"mail/cur/.x": b"", "mail/new/.x": b"", "mail/.lists.dev/cur/1.M1.h:2,S": MESSAGE,
         "mail/.lists.dev/new/.x": b""},
    ),
    Row("MH, nested or not", "lists/dev/1", "lists.dev", {"lists/dev/1": MESSAGE, "lists/dev/.mh_sequences": b""}),
    Row("a news spool", "comp/lang/foo/1", "comp.lang.foo", {"comp/lang/foo/1": ARTICLE}),
    Row("`.eml` and other single messages", "dev/a.eml", "dev", {"dev/a.eml": MESSAGE, "dev/b": ARTICLE}),
    Row(
        "`.emlx` of Apple Mail", "dev.mbox/Messages/1.emlx", "dev",
        {"dev.mbox/Messages/1.emlx": b"%d\n%s<plist/>" % (len(MESSAGE), MESSAGE)},
    ),
    Row("patches of `git format-patch`", "dev/0001-x.patch", "dev", {"dev/0001-x.patch": MBOX}),
    Row("MMDF", "dev.mmdf", "dev", {"dev.mmdf": written(Form.MMDF, [MESSAGE])}),
    Row("Babyl", "dev.babyl", "dev", {"dev.babyl": written(Form.BABYL, [MESSAGE])}),
    Row("LISTSERV logs", "DEV.LOG0302", "DEV", {"DEV.LOG0302": written(Form.LISTSERV, [MESSAGE])}),
    Row("public-inbox (extra `git`)", "dev/git/0.git", "dev", public_inbox),
    Row("tar, in gzip, xz, bzip2 or zstd or not, of any of these but the last", "lists.tar.gz: dev.mbox", "lists.dev",
        {"lists.tar.gz": gzip.compress(tar_of({"dev.mbox": MBOX, "dev/2003-02.txt.gz": gzip.compress(MBOX)}))}),
    Row("zip of the same", "lists.zip: dev/a.eml", "lists.dev", {"lists.zip": zip_of({"dev/a.eml": MESSAGE})}),
]  # fmt: skip


def write(row: Row, folder: Path) -> None:
    if not isinstance(row.files, dict):
        row.files(folder)
        return
    for name, data in row.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.form)
def test_one_of_each_form_is_read_whole_and_on_the_right_list(row: Row, tmp_path: Path) -> None:
    write(row, tmp_path)
    refused: list[object] = []
    lists: dict[str, set[bytes]] = {}
    for source in discover([str(tmp_path)], refused.append):
        if isinstance(source, SeveralLists):
            found = list(source.scan_lists(refused.append, make_evidence))
        else:
            found = [(source.list, evidence) for evidence in source.scan(refused.append, make_evidence)]
        for name, evidence in found:
            lists.setdefault(name, set()).add(evidence[2])
            assert source.fetch(evidence[0], evidence[1]).endswith((b"\ntext\n", b"\ntext"))
    assert lists == {row.list: {b"a@example.org"}}
    assert refused == []


def test_a_scan_calls_public_inbox_by_its_name(tmp_path: Path) -> None:
    public_inbox(tmp_path)
    ran = weft("scan", tmp_path)
    assert ran.code == 0
    assert ran.text.splitlines()[1].split()[:4] == ["dev", "public-inbox", "1", "1"]


@pytest.mark.parametrize("row", [ROWS[0], ROWS[8], ROWS[16]], ids=lambda row: row.form)
def test_the_command_line_reads_them_with_no_fault(row: Row, tmp_path: Path) -> None:
    write(row, tmp_path)
    ran = weft("rebuild", "--format", "jsonl", tmp_path)
    assert ran.code == 0
    assert f'"lists":["{row.list}"]' in ran.text


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, zstd])
def test_a_tar_may_be_packed_in_any_of_the_four_ways(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "dev.tar.x").write_bytes(pack(tar_of({"a.eml": MESSAGE})))
    ran = weft("rebuild", tmp_path / "dev.tar.x")
    assert (ran.code, ran.err[-1].split(":")[1]) == (0, " 1 message read")


FOREIGN = [
    b"!BDN", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xcf\xad\x12\xfe", b"*mbx*\r\n", b"2 M1e C6b0e0b83\n",
    b"#! rnews 1\n",
    b"7z\xbc\xaf\x27\x1c",
    b"\x04\x22\x4d\x18", b"\x1f\x9d", b"LZIP", b"Rar!\x1a\x07", b"\xff\xfeF\0",
]  # fmt: skip


def table() -> str:
    """The tables of the page on what Weft reads."""
    lines = ["| what Weft reads | for example | is of the list |", "|---|---|---|"]
    lines += [f"| {row.form} | `{row.example}` | `{row.list}` |" for row in ROWS]
    lines += ["", "| what it names and does not read | what to do |", "|---|---|"]
    for magic in FOREIGN:
        found = form_of(magic)
        assert isinstance(found, Foreign)
        tool = found.advice.partition(": ")
        lines.append(f"| {found.what} | {tool[0]}{f': `{tool[2]}`' if tool[2] else ''} |")
    return "\n".join(lines) + "\n"


def test_the_readme_has_the_tables() -> None:
    assert table() in (DOCS / "reference" / "mail.md").read_text()


if __name__ == "__main__":
    print(table())
