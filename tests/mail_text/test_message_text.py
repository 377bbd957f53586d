"""A message as somebody reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail_text.test_mime_parts import TREES, nested
from weft.mail_text import message_text
from weft.mail_text.message_text import Attachment, MessageText, read_message
from weft.render.sanitize import clean

MIXED = b"""From: =?iso-8859-1?q?Andr=E9?= <andre@example.org>
To: a@example.org,
 b@example.org
Subject: two
  lines \x1b[31m
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=koi8-r
Content-Transfer-Encoding: 8bit

\xf0\xd2\xc9\xd7\xc5\xd4
> a quote
--inner
Content-Type: text/html

<p>the <b>page</b>
--inner--
--outer
Content-Type: application/pdf; name="../x\x07.pdf"
Content-Transfer-Encoding: base64

aGVsbG8=
--outer
Content-Type: text/x-diff; name=fix.diff

-a
+\tb
--outer
Content-Type: message/rfc822

From: c@example.org
Subject: within

inner text
--outer--
"""


def shown(message: MessageText) -> list[str]:
    return ["\n".join(line.marks + line.text for line in section.lines) for section in message.sections]


def test_text_is_shown_and_the_rest_is_named() -> None:
    message = read_message(MIXED)
    assert message.fields == (
        ("From", "André <andre@example.org>"),
        ("To", "a@example.org, b@example.org"),
        ("Subject", "two  lines <U+001B>[31m"),
    )
    assert shown(message) == ["Привет\n> a quote", "-a\n+       b", "inner text"]
    assert [section.name for section in message.sections] == ["", "fix.diff", ""]
    assert message.sections[2].fields == (("From", "c@example.org"), ("Subject", "within"))
    assert message.attachments == (Attachment("../x<U+0007>.pdf", "application/pdf", 5),)
    assert message.remarks == ()


def test_the_page_is_shown_where_it_is_wanted() -> None:
    first = read_message(MIXED, html=True).sections[0]
    assert first.from_html
    assert [line.text for line in first.lines] == ["the page"]


def test_a_page_alone_is_made_text() -> None:
    page = b"Content-Type: text/html\n\n<meta charset='koi8-r'>\xf0\xd2<br>x"
    assert shown(read_message(page)) == ["Пр\nx"]


def test_lines_that_an_mbox_escaped_are_as_they_were() -> None:
    assert shown(read_message(b"\n>From here\n>>From there", escaped=True)) == ["From here\n>From there"]


def test_flowed_text_is_joined() -> None:
    assert shown(read_message(b"Content-Type: text/plain; Format=Flowed\n\na \nb")) == ["a b"]


def test_a_charset_that_nobody_knows_is_said() -> None:
    message = read_message(b"Content-Type: text/plain; charset=\x1bx-klingon\n\n\xe9")
    assert (shown(message), message.remarks) == (["é"], ("its charset is unknown: <U+001B>x-klingon",))


def test_an_8_bit_field_is_read_in_the_charset_that_the_mail_states() -> None:
    assert read_message(b"Subject: \xf0\xd2\nContent-Type: text/plain; charset=koi8-r\n\n").fields == (
        ("Subject", "Пр"),
    )


@pytest.mark.parametrize("raw", [b"", b"\n", b"\x00", b"Content-Type: image/png\n\nx"])
def test_where_there_is_no_text_that_is_said(raw: bytes) -> None:
    assert "it has no text" in read_message(raw).remarks or shown(read_message(raw))


def test_what_is_too_long_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_text, "MAX_MESSAGE", 1000)
    cut = read_message(b"\n" + b"x" * 2000)
    assert cut.remarks == ("only the first 1000 of its 2001 bytes are read",)
    assert sum(map(len, shown(cut))) == 999
    many = read_message(b"\n" + b"x\n" * (message_text.MAX_LINES + 1))
    assert len(many.sections[0].lines) <= message_text.MAX_LINES


def test_the_text_of_all_parts_together_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_text, "MAX_CONTENT", 40_000)
    part = b"--b\nContent-Type: text/html\n\n" + b"<a>" * 400 + b"x\n"
    message = read_message(b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 20)
    assert len(message.sections) < 12
    assert any("cut" in remark for remark in message.remarks)


def test_many_levels_and_many_parts_are_said_to_be_left_out() -> None:
    for raw in (nested(10_000), b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000):
        assert "it has more parts, or parts in parts, than are read" in read_message(raw).remarks


@given(TREES | st.binary(max_size=200), st.booleans(), st.booleans())
def test_all_that_is_given_can_be_shown(raw: bytes, escaped: bool, html: bool) -> None:
    message = read_message(b"Subject: \x1b\xff\n" + raw, escaped=escaped, html=html)
    texts = [value for field in message.fields for value in field]
    for section in message.sections:
        texts += [section.name, *(text for line in section.lines for text in (line.marks, line.text))]
    texts += [attachment.name for attachment in message.attachments] + list(message.remarks)
    assert [text for text in texts if clean(text) != text] == []
