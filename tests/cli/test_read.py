"""``weft read``: the mail itself, decoded, in the pager, or in a mail reader."""

from __future__ import annotations

import mailbox
import shutil
from pathlib import Path

import pytest

from tests.cli.command_runner import ROOT, command, environment
from tests.cli.server_home import Home
from tests.factories import mail

GHOST = "87smuvyw1c.fsf@okafor.example.net"


def in_mbox(path: Path) -> int:
    """How many messages another program finds there."""
    found = mailbox.mbox(path)
    try:
        return len(found)
    finally:
        found.close()


def test_one_message_is_its_fields_and_its_text(story: Home) -> None:
    ran = story.weft("read", "~n4s3p")
    assert (ran.code, ran.err) == (0, [])
    lines = ran.text.splitlines()
    assert lines[0] == "~n4s3p  drafts"
    assert lines[1].startswith("From: Ada Lindqvist")
    assert f"Message-ID: <{ROOT}>" in lines
    assert story.weft("read", ROOT).out == ran.out


def test_a_whole_thread_is_read_in_its_order(story: Home) -> None:
    text = story.weft("read", "--thread", "~n4s3p").text
    shown = [line.split()[0] for line in story.weft("show", "~n4s3p").text.splitlines() if line.startswith("~")]
    assert [line.split()[0] for line in text.splitlines() if line.startswith("~")] == shown
    assert text.count("Message-ID: ") == 18


def test_of_a_message_that_nobody_here_has_what_is_known_is_said(story: Home) -> None:
    ran = story.weft("read", GHOST)
    assert ran.code == 3
    assert "[the mail is not here: not seen here" in ran.text
    assert "[named in 3 copies on drafts smtp-ops]" in ran.text


def test_of_a_message_whose_file_is_gone_what_claims_say_is_shown(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(mail("a@x.example", subject="gone", headers=["Archived-At: <https://archive.example/1>"]))
    home.weft("ingest", path)
    path.unlink()
    ran = home.weft("read", "a@x.example")
    assert ran.code == 3
    assert "Subject: gone" in ran.text
    assert "[the mail is not here: its file is gone]" in ran.text
    assert "[archived at https://archive.example/1]" in ran.text
    assert home.weft("read", "--raw", "a@x.example").out == b""


def test_raw_is_the_bytes_of_one_message_and_an_mbox_of_several(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    first = mail("a@x.example", body=">From here\n\x1b\xff".encode("latin-1").decode("latin-1"))
    path.write_bytes(first + mail("b@x.example", ["a@x.example"]))
    home.weft("ingest", path)
    raw = home.weft("read", "--raw", "a@x.example").out
    assert b"\nFrom here\n" in raw
    assert not raw.startswith(b"From ")
    (tmp_path / "out.mbox").write_bytes(home.weft("read", "--raw", "--thread", "a@x.example").out)
    assert in_mbox(tmp_path / "out.mbox") == 2


def test_html_is_made_text_where_it_is_alone_or_wanted(home: Home, tmp_path: Path) -> None:
    kind = 'Content-Type: multipart/alternative; boundary="b"'
    body = "--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>from <b>HTML</b>\n--b--\n"
    (tmp_path / "l.mbox").write_bytes(mail("a@x.example", headers=[kind], body=body))
    home.weft("ingest", tmp_path / "l.mbox")
    assert home.weft("read", "a@x.example").text.endswith("\nplain\n")
    assert home.weft("read", "--html-to-text", "a@x.example").text.endswith("\nfrom HTML\n")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--in", "no-such-reader", ROOT), 2),
        (("--in", "no-such-reader -f {}", ROOT), 1),
        (("--in", "'{}", ROOT), 2),
        (("--raw", "--in", "mutt", ROOT), 2),
        (("--raw", "--html-to-text", ROOT), 2),
        (("nobody@x.example",), 1),
    ],
)
def test_what_cannot_be_done_is_one_line(story: Home, options: tuple[str, ...], code: int) -> None:
    ran = story.weft("read", *options)
    assert (ran.code, ran.out, len(ran.err)) == (code, b"", 1)


def test_a_reader_gets_the_thread_as_a_mailbox_that_is_gone_afterwards(story: Home, tmp_path: Path) -> None:
    script = tmp_path / "reader"
    script.write_text(f'#!/bin/sh\ncp "$2" {tmp_path}/copy\necho "$2" > {tmp_path}/place\nexit 0\n')
    script.chmod(0o755)
    ran = story.weft("read", "--in", f"{script} -f {{}}", "~n4s3p")
    assert (ran.code, len(ran.err)) == (3, 1), "two messages are not here"
    assert in_mbox(tmp_path / "copy") == 16
    assert not Path((tmp_path / "place").read_text().strip()).exists()
    script.write_text("#!/bin/sh\nexit 7\n")
    assert story.weft("read", "-q", "--in", f"{script} {{}}", "~n4s3p").code == 1


class TestOnATerminal:
    def test_it_goes_through_the_pager_with_colours(self, story: Home) -> None:
        pexpect = pytest.importorskip("pexpect")
        first, *rest = command("read", "~n4s3p")
        env = environment(**{**story.env, "PAGER": "cat"})
        child = pexpect.spawn(first, rest, env=env, dimensions=(50, 80), encoding="utf-8", timeout=60)
        child.expect(pexpect.EOF)
        assert "\x1b[1mFrom:\x1b[0m" in child.before

    @pytest.mark.skipif(shutil.which("mutt") is None, reason="mutt is not installed")
    def test_mutt_shows_the_thread(self, story: Home, tmp_path: Path) -> None:
        pexpect = pytest.importorskip("pexpect")
        (tmp_path / "muttrc").write_text("set quit=yes help=no folder=/ header_cache='' read_inc=0\n")
        first, *rest = command("read", "--in", f"mutt -n -F {tmp_path}/muttrc -R -f {{}}", "~n4s3p")
        env = environment(**story.env, TERM="xterm", HOME=str(tmp_path))
        child = pexpect.spawn(first, rest, env=env, dimensions=(40, 100), encoding="utf-8", timeout=60)
        child.expect("Introduction, and a thread")
        child.send("q")
        child.expect(pexpect.EOF)
