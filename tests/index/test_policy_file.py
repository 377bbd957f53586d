"""A command that only reads under another policy file leaves the view to the programs that go by theirs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT
from tests.cli.command_runner import weft as run
from tests.cli.server_home import Home

MUTED = f'[mute]\nids = ["{ROOT}"]\n'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An index that was made by the policy file of a server; another file mutes its thread's root."""
    made = Home(tmp_path / "home")
    made.path.mkdir()
    made.config.write_text("")
    (made.path / "other.toml").write_text(MUTED)
    assert made.weft("ingest", "-q", DRAFTS, OPS).code == 0
    return made


def state(home: Home) -> bytes:
    """Of which policy the view is."""
    with closing(sqlite3.connect(home.index)) as connection:
        [(found,)] = connection.execute("SELECT value FROM view WHERE key = 'state'").fetchall()
    return bytes(found)


def test_reading_under_another_file_leaves_the_view_and_says_so(home: Home) -> None:
    before, other = state(home), home.path / "other.toml"
    shown = home.process("threads").text
    ran = home.process("threads", "--config", other)
    assert ran.text != shown, "one more message is not seen"
    [line] = ran.err
    assert line.endswith(
        f"its view is that of {home.config}, and stays so; under {other} one is made for this command alone"
    )
    assert state(home) == before
    again = home.process("threads")
    assert (again.text, again.err) == (shown, [])


def test_who_forgets_to_say_which_policy_does_no_harm(home: Home, tmp_path: Path) -> None:
    before = state(home)
    home.config.write_text(MUTED)
    assert home.weft("threads").err == []
    muted = state(home)
    assert muted != before, "the file of the view has changed, so it is made again"
    ran = run("threads", env={**home.env, "WEFT_CONFIG": "", "XDG_CONFIG_HOME": str(tmp_path / "none")})
    assert ran.code == 0
    assert "one is made for this command alone" in ran.err[0]
    assert state(home) == muted


def test_a_file_that_says_the_same_needs_no_other_view(home: Home) -> None:
    copy = home.path / "copy.toml"
    copy.write_text("# the same\n")
    ran = home.weft("show", ROOT, "--config", copy)
    assert (ran.code, ran.err) == (0, [])


def test_who_writes_under_another_file_takes_the_view_over(home: Home) -> None:
    before, other = state(home), home.path / "other.toml"
    assert home.weft("ingest", "-q", "--config", other, DRAFTS).code == 0
    assert state(home) != before
    assert home.process("threads", "--config", other).err == []
    assert f"its view is that of {other}" in home.process("threads").err[0]


def test_a_file_that_is_gone_has_no_view(home: Home) -> None:
    before, other = state(home), home.path / "other.toml"
    home.config.unlink()
    ran = home.weft("threads", "--config", other)
    assert ran.err == []
    assert state(home) != before
