"""``weft retract`` and ``weft expunge``: taking back what was said, and forgetting it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT, command, environment
from tests.cli.server_home import Home

BOTH = "3E47821B.6050309@harbour.example.com"
"""A mail that is on both lists."""


def message(home: Home, name: str) -> dict[str, Any]:
    """A message as its thread shows it."""
    [thread] = json.loads(home.weft("show", "--json", name).out)
    [found] = [one for one in thread["messages"] if one["id"] == name]
    return dict(found)


def claims(home: Home, name: str) -> list[dict[str, Any]]:
    return list(json.loads(home.weft("explain", "--json", name).out)["claims"])


def test_a_retracted_message_becomes_a_ghost_and_keeps_its_place(story: Home) -> None:
    ran = story.weft("retract", "--yes", BOTH)
    assert (ran.code, ran.out, ran.err) == (0, b"", ["weft: 2 claims withdrawn"])
    after = message(story, BOTH)
    assert after["ghost"]
    assert after["parent"] == ROOT, "by the References of others"
    assert story.weft("check").code == 0


def test_a_retraction_holds_for_the_same_mail_until_it_is_undone(story: Home) -> None:
    before = message(story, BOTH)
    story.weft("retract", "--yes", BOTH)
    for file in (DRAFTS, OPS):
        assert story.weft("ingest", f"{file.stem}=-", stdin=file.read_bytes()).code == 0
    assert message(story, BOTH)["ghost"]
    assert story.weft("retract", "--undo", "--list", "drafts", BOTH).err == ["weft: 1 claim stated again"]
    assert message(story, BOTH)["lists"] == ["drafts"]
    assert story.weft("retract", "--undo", BOTH).err == ["weft: 1 claim stated again"]
    assert message(story, BOTH) == before
    assert story.weft("check").code == 0


def test_what_was_not_retracted_cannot_be_undone(story: Home) -> None:
    ran = story.weft("retract", "--undo", BOTH)
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    story.weft("lists", "remove", "--yes", "drafts")
    assert story.weft("retract", "--undo", "--list", "drafts", BOTH).code == 1, "it went with its list"


def test_a_retraction_whose_bytes_are_gone_is_undone_when_its_mail_is_read_again(story: Home) -> None:
    story.weft("retract", "--yes", "--list", "drafts", BOTH)
    story.weft("expunge", "--yes", BOTH)
    ran = story.weft("retract", "--undo", "--list", "drafts", BOTH)
    assert (ran.code, ran.err[1:]) == (0, ["weft: 1 claim deleted here; stated again when the mail is read again"])
    assert story.weft("ingest", "drafts=-", stdin=DRAFTS.read_bytes()).code == 0
    assert message(story, BOTH)["lists"] == ["drafts"]
    assert story.weft("check").code == 0


def test_only_one_list_is_retracted(story: Home) -> None:
    assert story.weft("retract", "--yes", "--list", "drafts", BOTH).err == ["weft: 1 claim withdrawn"]
    assert message(story, BOTH)["lists"] == ["smtp-ops"]
    assert [one["list"] for one in claims(story, BOTH) if one["hidden"]] == ["drafts"]


@pytest.mark.parametrize("name", ["none", "drafts\udcff"], ids=ascii)
def test_a_list_that_is_not_there_is_one_line_and_exit_1(story: Home, name: str) -> None:
    ran = story.weft("retract", "--yes", "--list", name, BOTH)
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert "no list" in ran.err[0]


def test_a_claim_is_retracted_by_its_own_id(story: Home) -> None:
    first = claims(story, BOTH)[0]
    assert story.weft("retract", "--yes", first["claim"]).code == 0
    assert [one["claim"] for one in claims(story, BOTH) if one["hidden"]] == [first["claim"]]


def test_what_is_muted_here_can_be_retracted_all_the_same(story: Home) -> None:
    """Else it would stand again as soon as it is no longer muted."""
    story.weft("mute", "--author", "cmenezes@harbour.example.com")
    assert story.weft("retract", "--yes", BOTH).err == ["weft: 2 claims withdrawn"]
    assert story.weft("lists", "remove", "--yes", "drafts").err == ["weft: 12 claims of drafts withdrawn"]
    assert story.weft("check").code == 0
    story.weft("mute", "--undo", "--author", "cmenezes@harbour.example.com")
    assert message(story, BOTH)["ghost"]
    assert story.weft("check").code == 0


def test_what_is_retracted_already_is_exit_1(story: Home) -> None:
    story.weft("retract", "--yes", BOTH)
    ran = story.weft("retract", "--yes", BOTH)
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)


def test_expunged_bytes_are_gone_from_the_files(story: Home) -> None:
    [claim, _] = claims(story, BOTH)
    subject = b"Which boilerplate for a -00?"
    name = next(one["id"] for one in json.loads(story.weft("search", "--json", "boilerplate").out))
    root = json.loads(story.weft("show", "--json", name).out)[0]["root"]
    ids = [one["id"] for one in json.loads(story.weft("show", "--json", root).out)[0]["messages"]]
    assert any(subject in path.read_bytes() for path in story.path.iterdir() if path.is_file())
    ran = story.weft("expunge", "--yes", *ids)
    assert (ran.code, ran.out, len(ran.err)) == (0, b"", 1)
    assert ran.err[0].startswith("weft: 2 claims deleted, here only")
    assert not any(subject in path.read_bytes() for path in story.path.iterdir() if path.is_file())
    assert story.weft("search", "boilerplate").code == 1
    assert story.weft("check").code == 0
    assert claim["claim"] in {one["claim"] for one in claims(story, BOTH)}, "the others stay"


def test_what_is_expunged_does_not_come_back_by_ingest(story: Home) -> None:
    story.weft("expunge", "--yes", BOTH)
    for file in (DRAFTS, OPS):
        story.weft("ingest", f"{file.stem}=-", stdin=file.read_bytes())
    assert message(story, BOTH)["ghost"]


@pytest.mark.parametrize("name", ["retract", "expunge"])
def test_an_id_that_nothing_is_about_is_one_line_and_exit_1(story: Home, name: str) -> None:
    for unknown in ("nobody@x.example", "87smuvyw1c.fsf@okafor.example.net", "ab" * 32):
        ran = story.weft(name, "--yes", unknown)
        assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)


@pytest.mark.parametrize("name", ["retract", "expunge"])
def test_ids_may_come_from_stdin(story: Home, name: str) -> None:
    assert story.weft(name, "--yes", "-", stdin=f"<{BOTH}>\n{ROOT}\n".encode()).code == 0
    assert message(story, BOTH)["ghost"]
    assert message(story, ROOT)["ghost"]


@pytest.mark.parametrize(
    "arguments", [("retract", BOTH), ("expunge", BOTH), ("lists", "remove", "drafts")], ids=" ".join
)
def test_without_a_terminal_nothing_happens_without_yes(story: Home, arguments: tuple[str, ...]) -> None:
    before = story.weft("export", "--json").out
    ran = story.weft(*arguments, stdin=b"y\n")
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
    assert "--yes" in ran.err[0]
    assert story.weft("export", "--json").out == before


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_on_a_terminal_it_asks(story: Home, answer: str, code: int) -> None:
    pexpect = pytest.importorskip("pexpect")
    first, *rest = command("retract", BOTH)
    child = pexpect.spawn(first, rest, env=environment(**story.env), encoding="utf-8", timeout=60)
    child.expect(r"Withdraw.*\[y/N\]")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert message(story, BOTH)["ghost"] == (code == 0)
