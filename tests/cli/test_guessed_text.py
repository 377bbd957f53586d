"""Text of which nothing says the charset is marked as a guess, in every format and by an index as by a rebuild."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest

from tests.cli.server_home import Home
from tests.index.factories import mail, open_index, write
from weft import rebuild
from weft.core.encoded_word import is_guessed
from weft.core.subject import decode_text
from weft.render.html import write_html
from weft.v1 import threads_pb2 as wire
from weft.wire.threads import PageJoiner, ThreadColumns

CASES = [
    ("ascii", b"Plain", False),
    ("utf-8", "Grüße".encode(), False),
    ("latin-1", b"Gr\xfc\xdfe", True),
    ("half a character", b"Gr\xc3", True),
    ("a word of a charset", b"=?iso-8859-1?q?Gr=FC=DFe?=", False),
    ("a word that says no charset", b"=?us-ascii?q?Gr=FC=DFe?=", True),
    ("a word of an unknown charset", b"=?x-nothing?q?Gr=FC=DFe?=", True),
    ("the same in utf-8", b"=?x-nothing?q?Gr=C3=BC?=", False),
    ("latin-1 beside a word", b"=?utf-8?q?Gr=C3=BC?= Gr\xfc", True),
    ("what looks like a word", b"=?utf-8?b?%?= Gr", False),
    ("iso-2022-jp", b'\x1b$B$"\x1b(B', False),
]


@pytest.mark.parametrize(("raw", "guessed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_a_guess(raw: bytes, guessed: bool) -> None:
    assert is_guessed(raw) is guessed
    assert not guessed or not decode_text(raw).isascii()


def letter(own: str, subject: bytes, *headers: str) -> bytes:
    return mail(own, subject="SUBJECT", headers=headers).replace(b"SUBJECT", subject)


MAILS = (
    letter("guess@x", b"Gr\xfc\xdfe"),
    letter("told@x", b"Gr\xfc\xdfe", "Content-Type: text/plain; charset=iso-8859-1"),
    letter("utf@x", "Grüße".encode()),
)
"""All three are the same text."""


def test_a_guess_is_marked_in_every_format(tmp_path: Path, home: Home) -> None:
    file = write(tmp_path / "l.mbox", *MAILS)
    text = home.weft("rebuild", file).text
    assert text.count("Grüße") == 3
    assert text.count("[charset guessed] Grüße") == 1
    shown = [
        message
        for line in home.weft("rebuild", "--format", "jsonl", file).text.splitlines()
        for message in json.loads(line)["messages"]
    ]
    assert {one["id"]: (one["subject"], one.get("charset_guessed")) for one in shown} == {
        "guess@x": ("Grüße", True), "told@x": ("Grüße", None), "utf@x": ("Grüße", None)
    }  # fmt: skip
    archive = rebuild({"l": file})
    for name, marked in (("guess@x", True), ("told@x", False), ("utf@x", False)):
        page = BytesIO()
        write_html([archive.thread(name)], page)
        assert (b"is a guess" in page.getvalue()) is marked


def test_an_index_and_the_wire_say_the_same(tmp_path: Path) -> None:
    file = write(tmp_path / "l.mbox", *MAILS)
    with open_index(tmp_path) as index:
        index.ingest("l", file)
        threads = list(index.all_threads())
    archive = rebuild({"l": file})
    for thread in threads:
        assert [one.guessed for one in thread.messages] == [one.guessed for one in archive.thread(thread.root).messages]
        columns, joiner = ThreadColumns.of(thread.messages), PageJoiner()
        page = wire.ThreadColumns()
        columns.page(page, joiner.place, 1 << 20, len(thread.messages))
        joiner.add(page)
        assert joiner.thread(bytes(32)).messages == thread.messages
