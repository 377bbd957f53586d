from __future__ import annotations

import re
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.core.body import body_digest
from weft.render.mbox import FROM_LINE, write_mboxrd

pieces = st.sampled_from(
    (
        *(b"From ", b">", b">From ", b"From : a@x", b"From a@x Thu Jan  1 00:00:00 1970", b"Subject: x"),
        *(b"\n", b"\n\n", b"\r\n", b"\r", b" ", b"x", b"\x00\xff"),
    )
)
data = st.lists(pieces, max_size=12).map(b"".join)
mails = st.lists(st.tuples(data, st.booleans()), max_size=5)


def exported(*mails: tuple[bytes, bool]) -> bytes:
    file = BytesIO()
    write_mboxrd(iter(mails), file)
    return file.getvalue()


def split(mbox: bytes) -> list[bytes]:
    """The messages of an mbox, as still escaped, by the plainest rule: every line that begins so begins a message.

    A header field ``From : a@x`` does not.
    """
    mails: list[list[bytes]] = []
    in_header = False
    for line in re.findall(rb"[^\n]*\n", mbox):
        if line.startswith(b"From ") and not (in_header and re.match(rb"From [ \t]*:", line)):
            mails.append([])
            in_header = True
        else:
            mails[-1].append(line)
            in_header &= line not in (b"\n", b"\r\n")
    assert all(mail.pop() == b"\n" for mail in mails)
    return [b"".join(mail) for mail in mails]


def unescaped(mail: bytes) -> bytes:
    return re.sub(rb"^>(>*From )", rb"\1", mail, flags=re.MULTILINE)


def plain(raw: bytes) -> bytes:
    """A message without blank lines at its end, with its last line ended."""
    if raw.endswith(b"\r"):
        raw += b"\r\n"
    lines = raw.split(b"\n")
    while len(lines) > 1 and lines[-1] in (b"", b"\r"):
        lines.pop()
    return b"\n".join(lines) + b"\n"


@given(mails)
def test_a_reader_that_unescapes_has_every_message_as_it_was(mails: list[tuple[bytes, bool]]) -> None:
    read = [unescaped(mail) for mail in split(exported(*mails))]
    assert read == [unescaped(plain(raw)) if escaped else plain(raw) for raw, escaped in mails]


@given(mails)
def test_what_was_exported_is_exported_again_byte_by_byte(mails: list[tuple[bytes, bool]]) -> None:
    once = exported(*mails)
    assert exported(*((mail, True) for mail in split(once))) == once


@given(data)
def test_the_body_digest_is_the_same_after_as_before(body: bytes) -> None:
    (mail,) = split(exported((b"Subject: x\n\n" + body, False)))
    assert body_digest(mail.partition(b"\n\n")[2], mbox=True) == body_digest(body, mbox=False)


@pytest.mark.parametrize(
    ("raw", "escaped", "mail"),
    [
        (b"Subject: x\n\nFrom me\n", False, b"Subject: x\n\n>From me\n"),
        (b"Subject: x\n\n>From me\n", False, b"Subject: x\n\n>>From me\n"),
        (b"Subject: x\n\n>From me\n", True, b"Subject: x\n\n>From me\n"),
        (b"Subject: x\n\nFrom me\n", True, b"Subject: x\n\n>From me\n"),
        (b"Subject: x\nFrom : a@x\n\n", False, b"Subject: x\nFrom : a@x\n"),
        (b"Subject: x\nFrom : a@x\n\n", True, b"Subject: x\nFrom : a@x\n"),
        (b"From : a@x\n\nbody", False, b"From : a@x\n\nbody\n"),
        (b"From : a@x\n\nFrom : body", False, b"From : a@x\n\n>From : body\n"),
        (b">From : a@x\nSubject: x", False, b">>From : a@x\nSubject: x\n"),
        (b"Subject: x\n\nbody\r", False, b"Subject: x\n\nbody\r\r\n"),
        (b"Subject: x\n\nbody\r\r\n\r\n", False, b"Subject: x\n\nbody\r\r\n"),
        (b"From a@x Mon Feb 10 2003\nSubject: x\n\nbody", False, b">From a@x Mon Feb 10 2003\nSubject: x\n\nbody\n"),
        (b"From a@x Mon Feb 10 2003\nSubject: x\n", True, b">From a@x Mon Feb 10 2003\nSubject: x\n"),
        (b"Subject: x\r\n\r\nbody\r\n\r\n\r\n", False, b"Subject: x\r\n\r\nbody\r\n"),
        (b"Subject: x\n\nbody\n\n\n\n", True, b"Subject: x\n\nbody\n"),
        (b"", False, b"\n"),
    ],
)
def test_a_message_stands_between_a_from_line_and_one_blank_line(raw: bytes, escaped: bool, mail: bytes) -> None:
    assert exported((raw, escaped)) == FROM_LINE + mail + b"\n"


def test_no_messages_are_an_empty_file() -> None:
    assert exported() == b""


def test_megabytes_of_blank_lines_take_no_time() -> None:
    assert exported((b"Subject: x\n\n" + b"\r\n" * 4_000_000 + b"\n" * 4_000_000, False)).endswith(b"x\n\n")
