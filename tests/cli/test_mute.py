"""``weft mute``: what it writes into the policy file, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.factories import mail
from weft.core.signing import fingerprint

CLAIM = "ab" * 32
OTHER = fingerprint(bytes(range(32)))
POLICY = f"""\
# The policy of the archive.
[origin."{OTHER}"]   # across the street
name = "street"
tier = "trusted"
lists = "*"

[mute]
# They sell watches.
authors = [
    "watches@spam.example",  # since May
]
"""


def muted(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(home.config.read_text())["mute"]
    return found


def test_without_an_option_it_lists_what_is_muted_as_the_options_that_mute_it(home: Home) -> None:
    assert home.weft("mute").text == ""
    home.config.write_text(POLICY)
    home.weft("mute", "--edge", "b@x", "a@x", "--claim", CLAIM, "--id", "a@x", "--feed", "street/git")
    assert home.weft("mute").text.splitlines() == [
        f"--claim {CLAIM}",
        "--author watches@spam.example",
        "--id a@x",
        "--edge b@x a@x",
        f"--feed {OTHER}/git",
    ]


def test_comments_order_and_the_rest_of_the_file_stay(home: Home) -> None:
    home.config.write_text(POLICY)
    ran = home.weft("mute", "--author", "Ring@Spam.Example", "--id", f"<{ROOT}>")
    assert (ran.code, ran.out, len(ran.err)) == (0, b"", 1)
    text = home.config.read_text()
    assert text.startswith(POLICY.removesuffix("]\n"))
    assert all(line in text for line in POLICY.splitlines() if "#" in line)
    assert muted(home) == {"authors": ["watches@spam.example", "ring@spam.example"], "ids": [ROOT]}


def test_undo_gives_the_file_back_as_it_was(home: Home) -> None:
    home.config.write_text(POLICY)
    home.weft("mute", "--author", "ring@spam.example")
    assert home.config.read_text() != POLICY
    assert home.weft("mute", "--undo", "--author", "RING@spam.example").code == 0
    assert home.config.read_text() == POLICY


def test_what_takes_it_back_is_said_as_a_whole_command(home: Home) -> None:
    home.config.write_text(POLICY)
    for options in (["--id", "a b@x", "--edge", "<b@x>", "id:a@x"], ["--author", "a@x"], ["--feed", "street/git"]):
        [said] = home.weft("mute", *options).err
        command = said.removeprefix("weft: muted here; take it back with: ")
        assert command.startswith("weft mute --undo ")
        assert home.weft(*shlex.split(command)[1:]).err == ["weft: shown again"]
        assert home.weft("mute").text == "--author watches@spam.example\n"


def test_what_nothing_in_the_index_is_about_is_named_when_it_is_muted(story: Home) -> None:
    known = json.loads(story.weft("explain", "--json", ROOT).text)["claims"][0]["claim"]
    ran = story.weft("mute", "--id", ROOT, "--id", "87smuvyw1c.fsf@okafor.example.net", "--claim", known)
    assert len(ran.err) == 1, "a message, a ghost and a claim that are here"
    ran = story.weft("mute", "--id", "spam@example.org", "--claim", CLAIM.upper())
    assert ran.err[1:] == [f"weft: nothing here has {CLAIM.upper()}, spam@example.org yet"]


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        (["--claim", CLAIM.upper()], "claims", CLAIM),
        (["--author", "A@x.example"], "authors", "a@x.example"),
        (["--id", "<A@x>"], "ids", "A@x"),
        (["--id", "https://lists.example.org/a%40x/"], "ids", "a@x"),
        (["--id", "a\udce4@x"], "ids", "hex:61e44078"),
        (["--id", "a\u202e@x"], "ids", "hex:61e280ae4078"),
        (["--edge", "<b@x>", "id:a@x"], "edges", ["b@x", "a@x"]),
        (["--feed", OTHER], "feeds", OTHER),
        (["--feed", f"{OTHER}/git"], "feeds", f"{OTHER}/git"),
        (["--feed", "street/git"], "feeds", f"{OTHER}/git"),
    ],
    ids=lambda one: " ".join(one).encode("ascii", "backslashreplace").decode() if isinstance(one, list) else None,
)
def test_each_thing_is_written_in_one_form_once_and_undone_in_any(
    home: Home, options: list[str], key: str, value: object
) -> None:
    home.config.write_text(POLICY.partition("[mute]")[0])
    assert home.weft("mute", *options).code == 0
    assert muted(home) == {key: [value]}
    again = home.weft("mute", *options)
    assert (again.code, again.err) == (0, ["weft: that is muted already"])
    assert muted(home) == {key: [value]}
    assert home.weft("mute", "--undo", *options).code == 0
    assert muted(home) == {key: []}
    twice = home.weft("mute", "--undo", *options)
    assert (twice.code, twice.err) == (1, ["weft: that is not muted; weft mute lists what is"])


def test_a_text_that_stands_alone_and_an_inline_table_are_edited_too(home: Home) -> None:
    home.config.write_text('mute = { authors = "a@x.example" }  # one\n')
    assert home.weft("mute", "--author", "b@x.example").code == 0
    assert muted(home) == {"authors": ["a@x.example", "b@x.example"]}
    assert home.weft("mute", "--undo", "--author", "a@x.example").code == 0
    assert muted(home) == {"authors": ["b@x.example"]}
    assert "# one" in home.config.read_text()


def test_all_feeds_can_be_muted_and_then_not_one_of_them_alone_be_shown(home: Home) -> None:
    home.config.write_text(POLICY)
    assert home.weft("mute", "--feed", "*").code == 0
    assert muted(home)["feeds"] == "*"
    assert home.weft("mute", "--feed", "street").err == ["weft: that is muted already"]
    ran = home.weft("mute", "--undo", "--feed", "street")
    assert (ran.code, len(ran.err)) == (2, 1)
    assert home.weft("mute", "--undo", "--feed", "*").code == 0
    assert muted(home)["feeds"] == []


def test_the_file_is_made_if_there_is_none_for_its_owner_alone(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    assert home.weft("mute", "--config", path, "--author", "a@x.example").code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_the_mode_of_the_file_and_a_link_to_it_stay(home: Home, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text(POLICY)
    real.chmod(0o640)
    home.config.symlink_to(real)
    assert home.weft("mute", "--author", "a@x.example").code == 0
    assert home.config.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "a@x.example" in real.read_text()


def test_lines_that_end_as_on_another_system_stay_so(home: Home) -> None:
    home.config.write_bytes(POLICY.replace("\n", "\r\n").encode())
    assert home.weft("mute", "--author", "a@x.example").code == 0
    assert home.config.read_bytes().startswith(b"# The policy of the archive.\r\n[origin.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--claim", "ab"), ("--author", "no address"), ("--author", "a\udcff@x"), ("--id", ""),
        ("--feed", "nobody"), ("--feed", "own"), ("--feed", "street/a/b"), ("--edge", "a@x"), ("--undo",), ("a@x",),
    ],
    ids=lambda arguments: ascii(" ".join(arguments)),
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line_exit_2_and_changes_nothing(home: Home, arguments: tuple[str, ...]) -> None:
    home.config.write_text(POLICY)
    ran = home.weft("mute", *arguments)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
    assert home.config.read_text() == POLICY


@pytest.mark.parametrize("text", ["[mute", "mute = 3", "[mute]\nauthor = []", "\xff"])
def test_a_policy_that_is_wrong_is_named_and_left_alone(home: Home, text: str) -> None:
    home.config.write_bytes(text.encode("latin-1"))
    ran = home.weft("mute", "--author", "a@x.example")
    assert (ran.code, len(ran.err)) == (2, 1)
    assert ran.err[0].startswith(f"weft: {home.config}: ")
    assert home.config.read_bytes() == text.encode("latin-1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_line(home: Home) -> None:
    home.config.write_text(POLICY)
    home.path.chmod(0o500)
    ran = home.weft("mute", "--author", "a@x.example")
    home.path.chmod(0o700)
    assert (ran.code, len(ran.err)) == (1, 1)
    assert home.config.read_text() == POLICY


def test_quiet_says_nothing(home: Home) -> None:
    assert home.weft("mute", "-q", "--author", "a@x.example").err == []
    assert home.weft("mute", "-q", "--author", "a@x.example").err == []


def test_an_author_is_muted_in_the_index_and_comes_back(story: Home) -> None:
    before = story.weft("show", ROOT).text
    assert story.weft("mute", "--author", "cmenezes@harbour.example.com").code == 0
    hidden = story.weft("show", ROOT).text
    assert "Carol" in before
    assert "Carol" not in hidden
    assert story.weft("mute", "--undo", "--author", "cmenezes@harbour.example.com").code == 0
    assert story.weft("show", ROOT).text == before


def test_our_own_feed_has_a_name_of_its_own(story: Home) -> None:
    assert story.weft("mute", "--feed", "own/drafts").code == 0
    assert muted(story) == {"feeds": ["own/drafts"]}
    [thread] = json.loads(story.weft("show", "--json", ROOT).out)
    assert {name for message in thread["messages"] for name in message["lists"]} == {"smtp-ops"}


def test_muting_the_edge_ends_a_capture_and_unmuting_it_brings_it_back(home: Home, tmp_path: Path) -> None:
    budget = [mail(f"r{number}@x", headers=["In-Reply-To: <ghost@x>"]) for number in range(3)]
    capture = [mail("evil@x", subject="BUY NOW"), mail("e2@x", ["evil@x", "ghost@x"])]
    (tmp_path / "l.mbox").write_bytes(b"".join((*budget, *capture)))
    home.weft("ingest", tmp_path / "l.mbox")

    def root() -> str:
        [thread] = json.loads(home.weft("show", "--json", "r0@x").out)
        return str(thread["root"])

    assert root() == "evil@x"
    assert home.weft("mute", "--edge", "ghost@x", "evil@x").code == 0
    assert root() == "ghost@x"
    later = mail("r9@x", headers=["In-Reply-To: <ghost@x>"]), mail("e3@x", ["evil@x", "ghost@x"], subject="Re: BUY NOW")
    (tmp_path / "m.mbox").write_bytes(b"".join(later))
    home.weft("ingest", tmp_path / "m.mbox")
    assert root() == "ghost@x"
    assert home.weft("check").code == 0
    assert home.weft("mute", "--undo", "--edge", "ghost@x", "evil@x").code == 0
    assert root() == "evil@x"
