"""``weft lists``: what is held, and giving a list of our own another name or up."""

from __future__ import annotations

import json

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT
from tests.cli.foreign_claims import claim, receive
from tests.cli.server_home import Home


def names(home: Home) -> list[str]:
    """The lists on which the messages of the story are."""
    [thread] = json.loads(home.weft("show", "--json", ROOT).out)
    return sorted({name for message in thread["messages"] for name in message["lists"]})


def test_the_table_names_each_feed_how_much_it_holds_and_on_whose_word(story: Home) -> None:
    ran = story.weft("lists")
    assert (ran.code, ran.err) == (0, [])
    assert [line.split() for line in ran.text.splitlines()] == [
        ["list", "claims", "tier", "origin"],
        ["drafts", "13", "0", "this", "server"],
        ["smtp-ops", "13", "0", "this", "server"],
    ]


def test_feeds_of_others_have_our_name_for_them_and_cannot_be_renamed_or_removed(story: Home) -> None:
    receive(story, claim("new@x.example"))
    assert story.weft("lists").text.splitlines()[2].split() == ["git", "1", "2", "street"]
    for arguments in (("rename", "git", "x"), ("remove", "--yes", "git")):
        ran = story.weft("lists", *arguments)
        assert (ran.code, len(ran.err)) == (1, 1)
        assert "of our own" in ran.err[0]


def test_json_has_the_fingerprint_too(story: Home) -> None:
    own = json.loads(story.weft("keys", "--json").out)["fingerprint"]
    first = json.loads(story.weft("lists", "--json").out)[0]
    assert first == {
        "format": 1, "list": "drafts", "origin": own, "name": "this server", "own": True, "tier": 0, "claims": 13,
    }  # fmt: skip


def test_a_renamed_list_has_its_threads_under_the_new_name(story: Home) -> None:
    ran = story.weft("lists", "rename", "--yes", "drafts", "ietf")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == [
        "weft: drafts is ietf now; 13 claims made again under the new name", "weft: from now on ingest with: ietf=PATH",
    ]  # fmt: skip
    assert names(story) == ["ietf", "smtp-ops"]
    assert story.weft("check").code == 0
    assert story.process("show", "--format", "mboxrd", ROOT).code == 0, "the mail is found as before"


def test_a_removed_list_is_gone_from_the_threads(story: Home) -> None:
    ran = story.weft("lists", "remove", "--yes", "drafts")
    assert (ran.code, ran.err) == (0, ["weft: 13 claims of drafts withdrawn"])
    assert names(story) == ["smtp-ops"]
    assert story.weft("check").code == 0


def test_what_is_left_is_what_the_other_lists_alone_would_show(story: Home) -> None:
    story.weft("lists", "remove", "--yes", "drafts")
    assert story.weft("export").out == story.weft("rebuild", OPS).out


def test_a_list_gets_back_the_name_that_it_had(story: Home) -> None:
    before = story.weft("export").out
    story.weft("lists", "rename", "--yes", "drafts", "ietf")
    ran = story.weft("lists", "rename", "--yes", "ietf", "drafts")
    assert (ran.code, ran.err[0]) == (0, "weft: ietf is drafts now; 13 claims made again under the new name")
    assert names(story) == ["drafts", "smtp-ops"]
    assert story.weft("export").out == before
    assert story.process("show", "--format", "mboxrd", ROOT).code == 0, "the mail is found as before"


def test_a_list_that_was_removed_is_stated_again_by_itself_or_by_an_ingest(story: Home) -> None:
    before = story.weft("export").out
    story.weft("lists", "remove", "--yes", "drafts")
    ran = story.weft("lists", "remove", "--undo", "drafts")
    assert (ran.code, ran.err) == (0, ["weft: 13 claims of drafts stated again"])
    assert story.weft("export").out == before
    story.weft("lists", "remove", "--yes", "drafts")
    assert story.weft("ingest", DRAFTS).err == ["weft: 13 messages read (drafts 13), 13 new claims"]
    assert story.weft("export").out == before
    assert story.weft("check").code == 0
    ran = story.weft("lists", "remove", "--undo", "drafts")
    assert (ran.code, ran.err) == (1, ["weft: nothing was withdrawn with the list drafts"])


def test_a_list_is_not_renamed_to_its_own_name(story: Home) -> None:
    assert story.weft("lists", "rename", "--yes", "drafts", "drafts").code == 2
    assert names(story) == ["drafts", "smtp-ops"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("rename", "--yes", "none", "x"), 1), (("rename", "drafts", "ietf"), 2), (("remove", "--yes", "none"), 1),
        (("rename", "--yes", "drafts", "a/b"), 2),
        (("rename", "--yes", "drafts", ""), 2), (("rename", "drafts"), 2), (("remove",), 2), (("bogus",), 2),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    story: Home, arguments: tuple[str, ...], code: int
) -> None:
    ran = story.weft("lists", *arguments)
    assert (ran.code, ran.out, len(ran.err)) == (code, b"", 1)
    assert names(story) == ["drafts", "smtp-ops"]


def test_options_may_stand_before_the_word_or_behind_it(story: Home, home: Home) -> None:
    for arguments in (("--index", story.index, "rename"), ("rename", "--index", story.index)):
        ran = home.weft("lists", *arguments, "none", "x")
        assert (ran.code, ran.err) == (1, ["weft: there is no list 'none' of our own; see them with: weft lists"])


def test_an_index_without_mail_says_how_to_get_some(home: Home) -> None:
    (home.path / "l.mbox").touch()
    home.weft("ingest", home.path / "l.mbox")
    ran = home.weft("lists")
    assert (ran.code, ran.out, len(ran.err)) == (0, b"", 1)
    assert "weft ingest" in ran.err[0]
    assert json.loads(home.weft("lists", "--json").out) == []


def test_a_list_may_be_named_after_anything_that_is_no_path(home: Home) -> None:
    assert home.weft("ingest", f"日本 list={DRAFTS}").code == 0
    assert home.weft("lists").text.splitlines()[1].startswith("日本 list")
