"""``weft peers`` and what ``weft sync`` says without a network."""

from __future__ import annotations

import json

import pytest

from tests.cli.foreign_claims import FINGERPRINT
from tests.cli.server_home import Home


def peers(home: Home) -> list[dict[str, object]]:
    found = json.loads(home.weft("peers", "list", "--json").text)
    assert isinstance(found, list)
    return found


def test_a_peer_that_is_added_may_feed_its_own_and_read_nothing_until_that_is_said(story: Home) -> None:
    assert story.weft("peers", "add", FINGERPRINT, "--name", "street").code == 0
    [row] = peers(story)
    assert row == {
        "format": 1, "name": "street", "address": "", "mode": "threads", "may_feed": [FINGERPRINT], "may_read": [],
        "mirror_of": [], "peer": FINGERPRINT,
    }  # fmt: skip
    assert "origin" not in story.config.read_text()


def test_options_may_stand_before_the_word_or_behind_it(story: Home, home: Home) -> None:
    for arguments in (("-q", "--config", home.config, "add"), ("add", "-q", "--config", home.config)):
        home.config.unlink(missing_ok=True)
        assert story.weft("peers", *arguments, FINGERPRINT).err == []
        assert [row["peer"] for row in peers(home)] == [FINGERPRINT]
    assert not peers(story)


def test_comments_stay_and_removing_takes_back_what_adding_wrote(story: Home) -> None:
    story.config.write_text('# mine\n[view]\nsubject_join = false  # never\n\n[mute]\nids = ["a@x"]\n')
    before = story.config.read_text()
    options = ("--address", "127.0.0.1:7431", "--may-read", "own/drafts", "--may-feed", "*", "--tier", "trusted")
    assert story.weft("peers", "add", FINGERPRINT, *options).code == 0
    text = story.config.read_text()
    assert text.startswith(before.rstrip())
    assert f'[origin.{FINGERPRINT}]\ntier = "trusted"\nlists = "*"' in text
    [row] = peers(story)
    assert (row["may_read"], row["may_feed"], row["address"]) == (["own/drafts"], "*", "127.0.0.1:7431")
    assert story.weft("peers", "remove", FINGERPRINT).code == 0
    assert peers(story) == []
    assert "[origin." in story.config.read_text(), "what it said is another matter"


def test_a_row_in_the_file_is_found_by_name_and_others_stay(story: Home) -> None:
    story.config.write_text(f'[peer."{FINGERPRINT}"] # who\nname = "street"\n')
    assert "street" in story.weft("peers", "list").text
    assert story.weft("peers", "add", FINGERPRINT).code == 2
    assert story.weft("peers", "remove", "street").code == 0
    assert peers(story) == []
    assert story.weft("peers", "remove", "street").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("abc",), (FINGERPRINT[:-1] + "a",), (FINGERPRINT, "--address", "x"), (FINGERPRINT, "--may-read", "x"),
        (FINGERPRINT, "--name", "a\nb"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_and_changes_nothing(story: Home, arguments: tuple[str, ...]) -> None:
    ran = story.weft("peers", "add", *arguments)
    assert (ran.code, len(ran.err)) == (2, 1)
    assert not story.config.exists()


def test_our_own_key_is_no_peer(story: Home) -> None:
    own = json.loads(story.weft("keys", "--json").text)["fingerprint"]
    assert story.weft("peers", "add", own).code == 2


@pytest.mark.parametrize("page", ["add", "list", "remove"])
def test_each_has_help_with_an_example(story: Home, page: str) -> None:
    text = story.weft("peers", page, "--help").text
    assert f"  weft peers {page} " in text
    assert max(map(len, text.splitlines())) <= 80


def test_both_sides_have_to_add_each_other_and_that_is_said(story: Home) -> None:
    own = json.loads(story.weft("keys", "--json").text)["fingerprint"]
    ran = story.weft("peers", "add", FINGERPRINT)
    assert ran.err == [
        f"weft: {FINGERPRINT} is a peer now",
        f"weft: it must add us too: weft peers add {own} ...",
    ]


def test_a_peer_that_is_there_can_be_given_an_address_and_nothing_else_changes(story: Home) -> None:
    story.weft("peers", "add", FINGERPRINT, "--mode", "mirror", "--may-read", "own/drafts")
    [before] = peers(story)
    assert story.weft("peers", "add", FINGERPRINT, "--address", "127.0.0.1:1", "--tier", "known").code == 2
    assert story.weft("peers", "add", FINGERPRINT, "--address", "127.0.0.1:1", "--mode", "threads").code == 2
    ran = story.weft("peers", "add", FINGERPRINT, "--name", "bee", "--address", "127.0.0.1:1")
    assert ran.err == [f"weft: {FINGERPRINT} is a peer already; now it has the name bee and the address 127.0.0.1:1"]
    assert peers(story) == [before | {"name": "bee", "address": "127.0.0.1:1"}]


def test_who_is_removed_still_counts_as_an_origin_and_how_to_end_that_is_said(story: Home) -> None:
    story.weft("peers", "add", FINGERPRINT, "--name", "ay", "--tier", "trusted")
    ran = story.weft("peers", "remove", "ay")
    command = f"weft peers remove --origin {FINGERPRINT}"
    assert ran.err == [
        f"weft: {FINGERPRINT} is not a peer any more; what it said still counts (tier 1), unless you run: {command}"
    ]
    assert "[origin." in story.config.read_text()
    assert story.weft(*command.split()[1:]).err == [f"weft: what {FINGERPRINT} said counts no more"]
    assert "[origin." not in story.config.read_text()
    assert story.weft(*command.split()[1:]).code == 1


def test_a_peer_and_what_it_said_can_go_together(story: Home) -> None:
    story.weft("peers", "add", FINGERPRINT, "--name", "ay", "--tier", "known")
    assert len(story.weft("peers", "remove", "--origin", "ay").err) == 2
    assert FINGERPRINT not in story.config.read_text()


def test_an_address_of_no_peer_cannot_be_exchanged_with(story: Home) -> None:
    ran = story.weft("sync", "127.0.0.1:1")
    assert (ran.code, len(ran.err)) == (1, 1)
    assert "weft peers add FINGERPRINT --address HOST:PORT" in ran.err[0]


@pytest.mark.parametrize("named", ["bee", FINGERPRINT])
def test_a_peer_without_an_address_is_not_called_and_the_advice_helps(story: Home, named: str) -> None:
    story.weft("peers", "add", FINGERPRINT, "--name", "bee")
    ran = story.weft("sync", named)
    said = f"weft: {named} is a peer without an address: only it can call us; give one with: "
    advice = f"weft peers add {FINGERPRINT} --name bee --address HOST:PORT"
    assert (ran.code, ran.err) == (1, [said + advice])
    assert story.weft(*advice.replace("HOST:PORT", "127.0.0.1:1").split()[1:]).code == 0
    assert "no server answers there" in story.process("sync", named).err[-1]


def test_without_an_address_of_any_peer_there_is_nobody_to_exchange_with(story: Home) -> None:
    story.weft("peers", "add", FINGERPRINT)
    ran = story.weft("sync")
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert ran.err[0].endswith("no peer has an address; add one with: weft peers add FINGERPRINT --address HOST:PORT")


def test_a_peer_that_does_not_answer_is_named(story: Home) -> None:
    assert story.weft("peers", "add", FINGERPRINT, "--address", "127.0.0.1:1").code == 0
    ran = story.process("sync", "--json", "127.0.0.1:1")
    assert ran.code == 1
    assert "no server answers there" in ran.err[-1]
    [session] = json.loads(ran.text)["sessions"]
    assert "no server answers there" in session["error"]
