"""``weft check``: what is sound, what can be made again, and what is lost."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.factories import mail


def damage(home: Home, *statements: str) -> None:
    """Change the index behind its back."""
    connection = sqlite3.connect(home.index)
    with connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()


def test_a_sound_index_is_exit_0(story: Home) -> None:
    ran = story.weft("check")
    assert (ran.code, ran.out, ran.err) == (0, b"", ["weft: nothing is wrong"])
    assert story.weft("check", "-q").err == []
    assert story.weft("check", "--repair").code == 0


def test_a_wrong_edge_is_found_and_made_again(story: Home) -> None:
    before = story.weft("export", "--json").out
    damage(story, "UPDATE nodes SET parent = -1 WHERE node = (SELECT max(node) FROM nodes WHERE parent >= 0)")
    found = story.weft("check")
    assert found.code == 1
    assert found.text
    assert "--repair" in found.err[-1]
    mended = story.weft("check", "--repair")
    assert mended.code == 0
    assert all(line.startswith("mended: ") for line in mended.text.splitlines())
    assert story.weft("check").code == 0
    assert story.weft("export", "--json").out == before


def test_a_damaged_claim_is_found_and_named_as_lost(story: Home) -> None:
    damage(story, "UPDATE claims SET octets = zeroblob(length(octets)) WHERE position = 1")
    found = story.weft("check")
    assert found.code == 1
    assert len(found.text.splitlines()) >= 1
    mended = story.weft("check", "--repair")
    assert mended.code == 3
    assert any(line.startswith("lost: ") for line in mended.text.splitlines())
    assert story.weft("show", ROOT).code in (0, 1), "what is left can still be read"


@pytest.mark.parametrize("options", [(), ("--repair",)], ids=["check", "repair"])
def test_a_signature_that_does_not_fit_is_found(story: Home, options: tuple[str, ...]) -> None:
    damage(story, "UPDATE batches SET signature = zeroblob(64) WHERE batch = 1")
    assert story.weft("check", *options).code in (1, 3)


def test_a_lost_log_of_writes_is_told(story: Home, tmp_path: Path) -> None:
    """A copy of the database alone, made while what came last was in the log, takes the place of both."""
    old = tmp_path / "old.db"
    shutil.copy(story.index, old)
    file = tmp_path / "more.mbox"
    file.write_bytes(mail("more@x"))
    assert story.weft("ingest", "-q", f"more={file}").code == 0
    shutil.copy(old, story.index)
    found = story.weft("check")
    assert found.code == 1
    assert found.text.startswith("claims are missing: the log ended at 27 and ends at 26 now; its write-ahead log")
    assert story.weft("ingest", "-q", f"more={file}").code == 0
    assert story.weft("check").err == ["weft: nothing is wrong"]


def test_a_repair_takes_a_lost_log_of_writes_for_granted(story: Home, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    shutil.copy(story.index, old)
    file = tmp_path / "more.mbox"
    file.write_bytes(mail("more@x"))
    assert story.weft("ingest", "-q", f"more={file}").code == 0
    shutil.copy(old, story.index)
    ran = story.weft("check", "--repair")
    assert (ran.code, ran.text.splitlines()) == (3, ["lost: claims up to 27 that are not in the log any more"])
    assert story.weft("check").err == ["weft: nothing is wrong"]


def test_a_restored_index_and_another_one_in_its_place_lack_nothing(story: Home, tmp_path: Path) -> None:
    assert story.weft("backup", "-q", "--with-key", tmp_path / "backup").code == 0
    file = tmp_path / "more.mbox"
    file.write_bytes(mail("more@x"))
    assert story.weft("ingest", "-q", f"more={file}").code == 0
    story.index.unlink()
    assert story.weft("restore", "-q", tmp_path / "backup").code == 0
    assert story.weft("check").err == ["weft: nothing is wrong"]
    story.index.unlink()
    assert story.weft("ingest", "-q", f"more={file}").code == 0
    assert story.weft("check").err == ["weft: nothing is wrong"]
