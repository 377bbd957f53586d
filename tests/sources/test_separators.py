"""Which lines begin a message: every form that programs write, and what only looks like one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from weft.render.mbox import without_blank_end, write_mboxrd
from weft.sources.interface import Note, NoteLog, make_record
from weft.sources.mbox import MboxFile
from weft.sources.separators import Ground, judge

HEADER = b"From: Ann <ann@example.org>\nMessage-ID: <b@x>\nDate: Tue, 11 Feb 2003 10:00:00 +0000\nSubject: s\n\nbody\n"
STRICT = b"From ann@example.org Tue Feb 11 10:00:00 2003\n"
COMMIT = b"0123456789abcdef0123456789abcdef01234567"
PATCH = b"From " + COMMIT + b" Mon Sep 17 00:00:00 2001\n"

DATED = [
    "ann@example.org Tue Feb 11 10:00:00 2003",
    "ann@example.org  Tue Feb 11 10:00:00 2003",
    "ann@example.org Tue Feb  1 09:05:00 2003",
    "ann@example.org Tue Feb 1 9:05:00 2003",
    "ann@example.org Tue  Feb  1  9:05:00  2003",
    "ann@example.org Tue Feb 11 10:00 2003",
    "ann@example.org Tue Feb 11 10:00:00 MET 2003",
    "ann@example.org Tue Feb 11 10:00:00 MET DST 2003",
    "ann@example.org Tue Feb 11 10:00:00 +0100 2003",
    "ann@example.org Tue Feb 11 10:00:00 GMT+0100 2003",
    "ann@example.org Tue Feb 11 10:00:00 2003 +0100",
    "ann@example.org Tue Feb 11 10:00:00 2003 MET",
    "ann Tue Feb 11 10:00:00 2003 remote from uunet",
    "uunet!ann Tue Feb 11 10:00:00 03 remote from uunet",
    "ann@example.org Tue Feb 11 10:00:00 103",
    "ann@example.org Tue Feb 11 10.00.00 2003",
    "ann@example.org Tue. Feb. 11 10:00:00 2003",
    "- Tue Feb 11 10:00:00 2003",
    "???@??? Tue Feb 11 10:00:00 2003",
    "ann at example.org  Tue Feb 11 10:00:00 2003",
    '"Ann B. Lee"@example.org Tue Feb 11 10:00:00 2003',
    "Ann Lee <ann@example.org> Tue Feb 11 10:00:00 2003",
    " Tue Feb 11 10:00:00 2003",
    "Tue Feb 11 10:00:00 2003",
    "MAILER-DAEMON Tue Feb 11 10:00:00 2003",
    "ann@example.org Tue, 11 Feb 2003 10:00:00 +0000",
    "ann@example.org Tue, 11 Feb 2003 10:00:00",
    "ann@example.org 11 Feb 2003 10:00:00",
    "ann@example.org 11-Feb-2003 10:00:00",
    "ann@example.org Tue, Feb 11, 2003 10:00:00 AM",
    "ann@example.org Tuesday, February 11, 2003 10:00:00 AM",
    "mboxrd@z Thu Jan  1 00:00:00 1970",
    "git@z Thu Jan  1 00:00:00 1970",
]
DASHES = ["-", "- "]
UNDATED = [
    "",
    "  ",
    "ann@example.org",
    "ann@example.org 2003-02-11T10:00:00Z",
    "ann@example.org Mar Fev 11 10:00:00 2003",
]
PROSE = [
    b"From my side some remarks\nNote: they are short\n",
    b"From my side some remarks\nhttp://www.example.org/ has more\n",
    b"From here on\nwe walk\n",
    b"From \nhttps://www.example.org/a-long-path\n",
    b"From Monday, Feb 11, 2003, 10:00 on we are closed\nNote: not on Sunday\n",
    b"From Tue Feb 11 10:00:00 2003 until Wednesday the server was down,\nand nothing: came in.\n",
    b"From the manual:\nTo: is a field\n",
    b"From - \nto: nothing of it\n"[:7] + b"word: and so on\n",
]


def judged(before: bytes, text: bytes, *, series: bool = False) -> Ground:
    """What the line ``From ...`` with which ``text`` begins is taken for, where ``before`` stands before it."""
    whole = before + text
    return judge(whole, len(before), len(whole), at_end=True, series=series).ground


def read(path: Path, data: bytes) -> tuple[list[bytes], NoteLog]:
    """The ids of the messages of an mbox, in order, and what was noted."""
    path.write_bytes(data)
    log = NoteLog()
    return [record[2] for record in MboxFile(str(path), "l").scan(log, make_record)], log


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("form", DATED)
def test_a_dated_line_is_a_separator_whatever_stands_before_it(form: str, ends: bytes) -> None:
    text = (f"From {form}\n".encode() + HEADER).replace(b"\n", ends)
    assert judged(ends * 2, text) is Ground.SURE
    assert judged(b"text" + ends + b" \t " + ends, text) is Ground.SURE
    for before in (b"text" + ends, b"text" + ends + b"\0\0", b"text" + ends + b"\xef\xbb\xbf"):
        assert judged(before, text) is Ground.WEAK


@pytest.mark.parametrize("form", DATED)
def test_an_escaped_or_quoted_line_is_text(form: str) -> None:
    text = f"From {form}\n".encode() + HEADER
    for mark in (b">", b">>", b" ", b"> ", b"\t", b"| "):
        assert judged(b"\n\n" + mark, text) is Ground.TEXT


@pytest.mark.parametrize("form", DATED + DASHES + UNDATED)
def test_lines_that_may_stand_between_a_separator_and_the_first_field(form: str) -> None:
    for gap in (b">From ann Tue Feb 11 10:00:00 2003 remote from uunet\n", b"\xef\xbb\xbf", b"\n", b" \t\n", b"\n\n\n"):
        text = f"From {form}\n".encode() + gap
        verdict = judge(text + HEADER, 0, len(text + HEADER), at_end=True, series=False)
        assert (verdict.ground >= Ground.WEAK) == (form in DATED + DASHES or "@" in form or not form.strip())
        assert verdict.begin == len(text)


@pytest.mark.parametrize("form", DASHES + UNDATED)
def test_a_line_without_a_date_is_a_separator_above_what_only_mail_has(form: str) -> None:
    line = f"From {form}\n".encode()
    assert judged(b"\n\n", line + HEADER) >= Ground.WEAK
    assert judged(b"\n\n", line + b"Note: this\n\n") < Ground.LOST
    assert judged(b"\n\n", line + b"and so on\n") < Ground.LOST


@pytest.mark.parametrize("prose", PROSE)
def test_prose_begins_no_message_and_loses_none(prose: bytes) -> None:
    assert judged(b"text\n\n", prose) in (Ground.TEXT, Ground.PASSED)
    assert judged(b"text\n", prose) in (Ground.TEXT, Ground.PASSED)


@pytest.mark.parametrize("form", DATED)
def test_a_dated_line_without_a_header_below_it_may_have_cost_a_message(form: str) -> None:
    line = f"From {form}\n".encode()
    for below in (b"text\n", b"\ntext\n", b"\nNote: this\n"):
        assert judged(b"\n\n", line + below) is Ground.LOST


def test_a_dated_line_above_another_or_at_the_end_has_no_message_to_lose() -> None:
    assert judged(b"\n\n", STRICT + STRICT + HEADER) is Ground.PASSED
    for end in (b"", b"\n", b"\n\n", b"Sub"):
        assert judged(b"\n\n", STRICT + end) is Ground.PASSED
    assert judged(b"\n\n", STRICT[:-3]) is Ground.PASSED


def test_a_separator_in_the_middle_of_a_line_is_named_not_taken() -> None:
    assert judged(b"a body without a line feed.", STRICT + HEADER) is Ground.LOST
    assert judged(b"He wrote: ", STRICT + HEADER) is Ground.TEXT
    assert judged(b"see", STRICT + b"more\n") is Ground.TEXT


def test_a_separator_that_was_broken_in_two_is_named() -> None:
    for at in (9, 20, 40):
        for end in (b"\n", b"\r"):
            assert judged(b"\n\n", STRICT[:at] + end + STRICT[at:] + HEADER) in (Ground.LOST, Ground.WEAK)


def test_a_carriage_return_in_a_separator_is_named() -> None:
    for at in (9, 20, 26, 40):
        broken = STRICT[:at] + b"\r" + STRICT[at:]
        for gap in (b"", b" \n"):
            assert judged(b"text\n", broken + gap + HEADER) >= Ground.LOST


OF_EXPORTERS = [
    "1234567890123456789@xxx Tue Feb 11 10:00:00 +0000 2003",
    "ann@example.org Tue Feb 11 10:00:00 UTC+01:00 2003",
    "ann@example.org Tue Feb 11 2003 10:00:00 GMT+0100 (CET)",
    "ann@example.org Tue Feb 11 10:00:00 W. Europe Standard Time 2003",
    "ann@example.org Tue Feb 11 10:00:00.123 2003",
    "ann@example.org TUE FEB 11 10:00:00 2003",
    "ann@example.org\tTue Feb 11 10:00:00 2003",
    "ann o'neil Tue Feb 11 10:00:00 2003",
    "<> Tue Feb 11 10:00:00 2003",
    "@example.org:ann@x Tue Feb 11 10:00:00 2003",
    "ann@example.org Di Feb 11 10:00:00 2003",
    "ann@example.org mar. fevr. 11 10:00:00 2003",
    "ann@example.org 2003-02-11 10:00:00",
    "ann@example.org 11/02/2003 10:00:00",
    "ann@example.org 1044957600",
    "ann@example.org Tue Feb 31 24:60:61 2003",
    "ann@example.org Fri Jan 01 00:00:00 0001",
]
"""As other exporters write them, some with what is no date."""


@pytest.mark.parametrize("gap", ["", "\n", "\ufeff", ">From ann Tue Feb 11 10:00:00 2003\n", "X-IMAPbase: 1 2\n"])
@pytest.mark.parametrize("form", OF_EXPORTERS)
def test_what_an_exporter_writes_above_a_header_is_taken_or_named(form: str, gap: str) -> None:
    for before in (b"text\n\n", b"text\n", b"text\n \n"):
        assert judged(before, f"From {form}\n{gap}".encode() + HEADER) >= Ground.LOST


TORN = [
    b"From ???@??? Tue Feb 11 10:00:00 \r003\n",
    b"From ann Tue Feb 11 10:00\r00 2003 remote from uunet\n",
    b"From a\rnn@example.org Tue Feb \r\n",
    b"From ann@example.org Tue Feb 11 10:00:00\n 2003\r\n",
    b"From ann@example.org Tue Feb 11 10:00:0\n 2003\n",
    b"From ann \x1eue Feb 11 10:00:00 2003 remote fro\r uunet\n",
    b"From ann \x1eue Feb 11 10:00:00 2003 remote fro\n uunet\n",
    b"From ann@example.org \n Tue Feb 11 10:00:00 2003\n \n",
    b"From - Tue Feb 11 10:00\n:\r\n",
    b"From mboxrd@z Thu Jan \n 1 00 1970\n",
    b"From ann@example.org Tue, 11 Feb 2\n003\n",
]
"""With a carriage return or a line feed in the middle, and other damage."""


@pytest.mark.parametrize("line", TORN)
def test_a_torn_separator_is_named_above_a_header_whatever_else_is_wrong_with_it(line: bytes) -> None:
    assert judged(b"text\n", line + HEADER) is Ground.LOST
    assert judged(b"text\n\n", line + HEADER) is Ground.LOST
    assert judged(b"text\n", line + b"Note: this\n\n") < Ground.LOST


def test_prose_above_a_quoted_header_is_not_a_torn_separator() -> None:
    assert judged(b"text\n", b"From my side, see\nthe mail of 2003:\n" + HEADER) < Ground.LOST


def test_a_field_from_below_an_empty_line_is_named_in_an_mboxrd_too() -> None:
    for ends in (b"\n", b"\r\n"):
        for gap in (b"", ends, b"\xef\xbb\xbf"):
            whole = b"text" + ends * 2 + b"From :" + ends + gap + HEADER
            verdict = judge(whole, whole.index(b"From :"), len(whole), at_end=True, series=False, mboxrd=True)
            assert verdict.ground is Ground.LOST
    whole = b"X: y\r\r\nFrom : ann@example.org\n" + HEADER
    verdict = judge(whole, whole.index(b"From :"), len(whole), at_end=True, series=False, mboxrd=True)
    assert verdict.ground is Ground.TEXT


def test_a_field_from_is_text_among_fields_and_named_elsewhere() -> None:
    assert judged(b"Received: x\n", b"From : ann@example.org\n" + HEADER) is Ground.TEXT
    assert judged(b"text\n\n", b"From : ann@example.org\n" + HEADER) is Ground.LOST
    assert judged(b"text\n", b"From :\n" + HEADER) is Ground.LOST
    assert judged(b"text\n", b"From :nn@example.org Tue Feb 11 10:00:00 2003\n" + HEADER) is Ground.LOST
    assert judged(b"\n\ntext\n", b"From :nn@example.org Tue Feb 1\n" + HEADER) is Ground.LOST
    assert judged(b"\n\nX-Y: z\n z\n", b"From :nn@example.org Tue Feb 1\n" + HEADER) is Ground.TEXT


def test_a_line_in_a_quotation_is_named_not_taken() -> None:
    for above in (b"----- Forwarded message -----\n", b"---------- Original Message\n", b"Begin forwarded message:\n"):
        assert judged(b"text\n" + above, STRICT + HEADER) is Ground.LOST
    for above in (b"-- \n", b"--xx--\n", b"_______________\n", b"--- end ---\n"):
        assert judged(b"text\n" + above, STRICT + HEADER) is Ground.WEAK


def test_a_url_below_a_line_with_a_date_is_no_header_field(tmp_path: Path) -> None:
    whole = STRICT + HEADER + b"\n" + STRICT + b"http://example.org/\n\ntext\n"
    ids, log = read(tmp_path / "l.mbox", whole)
    assert (ids, log.skipped) == ([b"b@x"], 1)


def test_a_separator_that_was_folded_is_named() -> None:
    assert judged(b"--b--\n", b"From ann@example.org Tue, 11 Feb 2003\n 10:00:00 +0000\n" + HEADER) is Ground.LOST


def test_what_a_header_makes_of_an_undated_line_depends_on_its_words() -> None:
    assert judged(b"text\n", b"From ann@example.org\n" + HEADER) is Ground.WEAK
    assert judged(b"text\n", b"From what Ann said\n" + HEADER) is Ground.LOST
    assert judged(b"text\n\n", b"From what Ann said\n" + HEADER) is Ground.WEAK
    assert judged(b"text\n\n", b"From ann@example.org\nSubject: s\n\n") is Ground.LOST


def test_the_line_of_a_patch_is_a_separator_only_in_a_series_of_patches(tmp_path: Path) -> None:
    assert judged(b"\n\n", PATCH + HEADER) is Ground.PATCH
    assert judged(b"\n\n", PATCH + HEADER, series=True) is Ground.SURE
    other = HEADER.replace(b"<b@x>", b"<c@x>")
    ids, log = read(tmp_path / "series.mbox", PATCH + HEADER + b"-- \n2.39.5\n\n" + PATCH + other)
    assert (ids, log.entries, log.taken, log.passed) == ([b"b@x", b"c@x"], [], 0, 0)
    ids, log = read(tmp_path / "list.mbox", STRICT + HEADER + b"\n" + PATCH + other)
    assert (ids, log.skipped) == ([b"b@x"], 1)
    [note] = log.entries
    assert note.offset == len(STRICT + HEADER) + 1


@pytest.mark.parametrize("body", ["--b\n\nsee below\n--b\n\n{}\n--b--\n", "{}\n"], ids=["a part", "the whole body"])
def test_a_patch_that_is_attached_is_no_message_and_nothing_is_lost(tmp_path: Path, body: str) -> None:
    patch = (PATCH + HEADER.replace(b"Message-ID: <b@x>\n", b"")).decode()
    head = "Message-ID: <a@x>\nContent-Type: multipart/mixed; boundary=b\n\n"
    mail = STRICT + (head + body.format(patch)).encode() + b"\n"
    ids, log = read(tmp_path / "l.mbox", mail + STRICT + HEADER)
    assert (ids, log.skipped, log.passed) == ([b"a@x", b"b@x"], 0, 1)


def test_what_follows_upon_the_last_part_is_not_attached(tmp_path: Path) -> None:
    head = b"Message-ID: <a@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n\n"
    ids, log = read(tmp_path / "l.mbox", STRICT + head + PATCH + HEADER)
    assert (ids, log.skipped) == ([b"a@x"], 1)


SYSTEM = (
    b"From MAILER-DAEMON Fri Jan 12 00:02:34 2018\nFrom: Mail System Internal Data <MAILER-DAEMON@host.example.org>\n"
    b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nMessage-ID: <1515733354@host.example.org>\n"
    b"X-IMAP: 1515730556 0000000004\nStatus: RO\n\nThis text is part of the internal format of your mail folder.\n\n"
)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_the_mail_system_s_own_data_is_no_message(tmp_path: Path, ends: bytes) -> None:
    mails = SYSTEM + STRICT + HEADER + b"\n" + SYSTEM
    ids, log = read(tmp_path / "l.mbox", mails.replace(b"\n", ends))
    assert (ids, log.skipped, log.entries) == ([b"b@x"], 0, [])
    other = SYSTEM.replace(b"X-IMAP: 1515730556 0000000004\n", b"")
    assert read(tmp_path / "l.mbox", other)[0] == [b"1515733354@host.example.org"]


def test_of_many_lines_that_may_have_cost_a_message_some_are_named_and_all_are_counted(tmp_path: Path) -> None:
    said: list[Note] = []
    path = tmp_path / "l.mbox"
    path.write_bytes(STRICT + HEADER + (b"\n" + STRICT + b"text\n") * 5000)
    log = NoteLog(said.append)
    assert len(list(MboxFile(str(path), "l").scan(log, make_record))) == 1
    assert (log.skipped, log.passed, len(said), len(log.entries)) == (5000, 5000, 5001, 11)
    assert sum(not note.quiet for note in said) == 11


def test_a_message_without_a_header_in_an_mboxrd_is_one_and_is_fetched(tmp_path: Path) -> None:
    mails = [b"X: y\n\nbody\n", b"", b"no field\n", b"\nbody only\n", b"\n\nX: y\n"]
    file = BytesIO()
    write_mboxrd([(mail, False) for mail in mails], file)
    path = tmp_path / "m"
    path.write_bytes(file.getvalue())
    mbox, notes = MboxFile(str(path), "l"), NoteLog()
    places = [record[:2] for record in mbox.records(notes)]
    assert [without_blank_end(mbox.fetch(*place)) for place in places] == list(map(without_blank_end, mails))
    assert not notes.entries
