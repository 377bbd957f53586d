"""``weft erase``, ``weft expunge --withdrawn`` and ``weft peers remove --purge``."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT
from tests.cli.server_home import Home
from tests.factories import mail
from tests.peering.peer_harness import admit, fingerprint, made, running, sync

BOTH = "3E47821B.6050309@harbour.example.com"
"""A mail that is on both lists."""
SECRET = "personal0815"


def written(home: Home, text: str) -> list[str]:
    """The files of a home in which a text stands."""
    return sorted(file.name for file in home.path.rglob("*") if file.is_file() and text.encode() in file.read_bytes())


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Home, Home]:
    """Two servers that are peers, the first one with a mail that names somebody."""
    person = f"From: {SECRET} <{SECRET}@example.org>"
    file = tmp_path / "east.mbox"
    file.write_bytes(mail("one@x", subject=f"of {SECRET}", headers=[person]) + mail("two@x", ["one@x"]))
    east, west = made(tmp_path / "east", f"east={file}"), made(tmp_path / "west", f"ops={OPS}")
    admit(east, west, "--name", "west")
    admit(west, east, "--name", "east")
    file.unlink()
    return east, west


def test_without_peers_it_is_withdrawn_and_deleted_at_once(story: Home) -> None:
    ran = story.weft("erase", "--yes", BOTH)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err[0] == "weft: 1 message erased: 2 claims withdrawn, 2 deleted here"
    assert sorted(ran.err[1:]) == [f"weft: the mail itself still lies in {file}" for file in (DRAFTS, OPS)]
    [said] = json.loads(story.weft("erase", "--status", "--json").out)
    assert (said["id"], said["lists"], said["deleted"], said["peers"]) == (BOTH, ["drafts", "smtp-ops"], True, [])
    assert story.weft("check").code == 0


def test_what_was_erased_is_not_stated_again_though_the_mail_is_another(story: Home, tmp_path: Path) -> None:
    story.weft("erase", "--yes", BOTH)
    file = tmp_path / "third.mbox"
    file.write_bytes(mail(BOTH, subject="the same, on a third list"))
    ran = story.weft("ingest", f"third={file}")
    assert "1 message was erased, and is not stated again" in ran.err[0]
    assert ran.err[1] == "weft: 1 message read (third 1), 0 new claims"


def test_nothing_that_is_undone_states_it_again(story: Home) -> None:
    story.weft("lists", "remove", "--yes", "drafts")
    story.weft("erase", "--yes", BOTH)
    ran = story.weft("retract", "--undo", BOTH)
    assert (ran.code, ran.err) == (2, ["weft: it was erased, and is not stated again"])
    assert story.weft("lists", "remove", "--undo", "drafts").err == ["weft: 12 claims of drafts stated again"]
    story.weft("lists", "rename", "--yes", "drafts", "ietf")
    assert [one for one in json.loads(story.weft("explain", "--json", BOTH).out)["claims"] if not one["hidden"]] == []
    assert story.weft("check").code == 0


def test_a_backup_remembers_it(story: Home, tmp_path: Path) -> None:
    story.weft("erase", "--yes", BOTH)
    story.weft("backup", "--with-key", tmp_path / "backup")
    shutil.rmtree(story.path)
    story.path.mkdir()
    assert story.weft("restore", tmp_path / "backup").code == 0
    ran = story.weft("ingest", f"third={DRAFTS}")
    assert any("1 message was erased" in line for line in ran.err)


def test_a_backup_is_rid_of_it_when_it_is_made_again(pair: tuple[Home, Home], tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    pair[0].weft("backup", folder)
    assert SECRET.encode() in (folder / "claims.db").read_bytes()
    pair[0].weft("erase", "--now", "--yes", "one@x")
    pair[0].weft("backup", folder)
    assert SECRET.encode() not in (folder / "claims.db").read_bytes()


def test_all_of_an_author_is_shown_and_erased(story: Home) -> None:
    shown = story.weft("erase", "--dry-run", "--author", "CMenezes@harbour.example.com")
    assert shown.code == 0
    assert [line.split()[-1] for line in shown.text.splitlines()[1:]] != []
    number = len(shown.text.splitlines()) - 1
    ran = story.weft("erase", "--yes", "--author", "cmenezes@harbour.example.com")
    assert ran.err[0].startswith(f"weft: {number} messages erased")
    assert story.weft("search", "from:menezes").code == 1
    assert written(story, "cmenezes@") == []


def test_peers_confirm_and_delete(pair: tuple[Home, Home]) -> None:
    east, west = pair
    with running(west) as served:
        east.weft("peers", "add", "-q", fingerprint(west), "--address", served.peers)
        sync(east, served.peers)
        assert written(west, SECRET)
        ran = east.weft("erase", "--yes", "one@x")
        assert ran.err[1].startswith("weft: west has to learn of it")
        [said] = json.loads(east.weft("erase", "--status", "--json").out)
        assert [(peer["name"], peer["confirmed"]) for peer in said["peers"]] == [("west", None)]
        assert said["deleted"] is False
        assert "1 withdrawn claim deleted here" in east.process("sync").err[-1]
        [said] = json.loads(east.weft("erase", "--status", "--json").out)
        assert said["peers"][0]["confirmed"]
        assert said["deleted"] is True
        assert east.weft("erase", "--status").text.split()[-6:] == [
            said["erased"][:10], "deleted", "east", "west", "-", "<one@x>"
        ]  # fmt: skip
    assert written(east, SECRET) == []
    assert west.weft("show", "one@x").text.find(SECRET) < 0
    assert west.weft("expunge", "--withdrawn", "--yes").err == ["weft: 1 withdrawn claim deleted"]
    assert written(west, SECRET) == []
    assert west.weft("check").code == east.weft("check").code == 0


def test_who_was_a_peer_is_named(pair: tuple[Home, Home]) -> None:
    east, west = pair
    with running(west) as served:
        east.weft("peers", "add", "-q", fingerprint(west), "--address", served.peers)
        sync(east, served.peers)
    east.weft("peers", "remove", "west")
    ran = east.weft("erase", "--yes", "one@x")
    assert ran.err[0] == "weft: 1 message erased: 1 claim withdrawn, 1 deleted here"
    assert any("was given it and may not read it any more" in line for line in ran.err)


def test_what_only_others_state_is_not_erased_but_purged(pair: tuple[Home, Home]) -> None:
    east, west = pair
    with running(west) as served:
        east.weft("peers", "add", "-q", fingerprint(west), "--address", served.peers)
        sync(east, served.peers)
    ran = west.weft("erase", "--yes", "one@x")
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert "only others state that" in ran.err[0]
    ran = west.weft("peers", "remove", "--origin", "--purge", "--yes", "east")
    assert ran.code == 0, ran.err
    assert ran.err[0].endswith("2 claims of " + fingerprint(east) + " deleted here")
    assert written(west, SECRET) == []
    assert west.weft("check").code == 0
    again = west.weft("peers", "remove", "--origin", "--purge", "--yes", fingerprint(east))
    assert again.err == [f"weft: 0 claims of {fingerprint(east)} deleted here"]


def test_what_was_expunged_before_is_withdrawn_all_the_same(story: Home) -> None:
    story.weft("expunge", "--yes", ROOT)
    assert story.weft("erase", "--yes", ROOT).err[0].startswith("weft: 1 message erased: 1 claim withdrawn, 0 deleted")
    assert story.weft("check").code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2), (("--status", ROOT), 2), (("--json",), 2), (("--yes", "nobody@x"), 1), (("--author", "no address"), 2),
        (("--author", "nobody@x.example", "--yes"), 1), ((ROOT,), 2),
    ],
)  # fmt: skip
def test_what_cannot_be_erased_is_one_line(story: Home, arguments: tuple[str, ...], code: int) -> None:
    ran = story.weft("erase", *arguments)
    assert (ran.code, ran.out, len(ran.err)) == (code, b"", 1), ran.err
    assert story.weft("erase", "--status").err == ["weft: nothing was erased"]


def test_nothing_of_the_table_of_repaired_claims_keeps_it(story: Home) -> None:
    """A damaged copy that a repair took out is deleted with the claim that came in its place."""
    connection = sqlite3.connect(story.index)
    [(position, batch, leaf, data)] = connection.execute(
        "SELECT position, batch, leaf, octets FROM claims JOIN ids USING (node) WHERE id = ? LIMIT 1", (ROOT.encode(),)
    ).fetchall()
    connection.execute("INSERT INTO lost VALUES (?, ?, ?, ?)", (position + 1000, batch, leaf, data))
    connection.commit()
    connection.close()
    story.weft("erase", "--yes", ROOT)
    connection = sqlite3.connect(story.index)
    assert connection.execute("SELECT count(*) FROM lost").fetchone() == (0,)
    connection.close()
