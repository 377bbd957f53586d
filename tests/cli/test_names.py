"""How messages are named at the command line: ids, handles, URLs, and messages on stdin."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.core.test_handle import alike
from tests.factories import FIXTURES, mail
from weft.cli._ids import parse_id
from weft.core.handle import LEAST, handle_letters
from weft.errors import UsageError

HASH = handle_letters(ROOT.encode())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<a@b>", "a@b"),
        ("id:a@b", "a@b"),
        ("mid:a%25b@c", "a%b@c"),
        ("MID:a@b/part1", "a@b"),
        ("https://lore.kernel.org/all/a%2Bb@c/T/#u", "a+b@c"),
        (f"https://lists.example/archives/list/l@x.example/message/{HASH.upper()}/", f"~{HASH}"),
        (f"https://lists.example/archives/list/l@x.example/thread/{HASH.upper()}/#more", f"~{HASH}"),
        ("https://lists.example/pipermail/l/2003-February/000001.html",) * 2,
        ("~k3f7q", "~k3f7q"),
    ],
)
def test_what_a_name_is_read_as(text: str, named: str) -> None:
    assert parse_id(text) == named


@pytest.mark.parametrize("text", ["", "<>", "id:", "mid:", "http://[x/"])
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_id(text)


NAMES = [
    f"~{HASH[:5]}", HASH[:7], HASH.upper(), f"mid:{ROOT}", f"https://lists.example/archives/list/l@x/message/{HASH.upper()}/",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_takes_an_id_takes_all_of_its_names(story: Home, name: str) -> None:
    for command in (("show",), ("explain",), ("export", "--json", "--thread"), ("search", "re", "--after"),
                    ("threads", "--after"), ("crossposts", "--thread")):  # fmt: skip
        one, other = story.weft(*command, name), story.weft(*command, ROOT)
        assert (one.code, one.out) == (other.code, other.out), command
    assert story.weft("retract", "--yes", name).code == 0


def test_a_message_on_stdin_names_itself(story: Home) -> None:
    message = (FIXTURES / "story" / "drafts.mbox").read_bytes()[:2000]
    for data in (message, message.partition(b"\n")[2], message.replace(b"\n", b"\r\n")):
        assert story.weft("show", "-", stdin=data).out == story.weft("show", ROOT).out
    assert story.weft("show", "-", stdin=f"id:{ROOT}\n~{HASH[:6]}\n".encode()).out == story.weft("show", ROOT).out


def test_a_handle_of_several_messages_is_refused_with_the_list_of_them(home: Home, tmp_path: Path) -> None:
    one, other = (name.decode() for name in alike(2))
    (tmp_path / "l.mbox").write_bytes(mail(one) + mail(other))
    home.weft("ingest", tmp_path / "l.mbox")
    ran = home.weft("show", "~" + handle_letters(one.encode())[:LEAST])
    assert ran.code == 2
    assert f"<{one}>" in ran.err[0]
    assert f"<{other}>" in ran.err[0]
    handles = [line.split()[0] for line in home.weft("threads").text.splitlines()[1:]]
    assert [home.weft("show", handle).code for handle in handles] == [0, 0]


def test_an_id_that_looks_like_a_handle_is_an_id_first(home: Home, tmp_path: Path) -> None:
    letters = handle_letters(b"a@x.example")[:LEAST]
    (tmp_path / "l.mbox").write_bytes(mail("a@x.example") + mail(letters, subject="taken"))
    home.weft("ingest", tmp_path / "l.mbox")
    assert "taken" in home.weft("show", letters).text
    assert "taken" not in home.weft("show", f"~{letters}").text


def test_a_page_of_an_archive_that_a_mail_names_names_the_mail(home: Home, tmp_path: Path) -> None:
    url = "https://archive.example/arch/msg/l/x1/"
    (tmp_path / "l.mbox").write_bytes(mail("a@x.example", headers=[f"Archived-At: <{url}>"]))
    home.weft("ingest", tmp_path / "l.mbox")
    assert home.weft("explain", url).text.startswith("<a@x.example>")
    ran = home.weft("show", url + "other")
    assert ran.code == 1
    assert "weft search" in ran.err[0]
