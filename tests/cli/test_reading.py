"""Commands that say nothing in our name: without the key, and where nothing can be written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.command_runner import ROOT, command, environment
from tests.cli.server_home import Home

READING = [
    ("show", ROOT), ("explain", ROOT), ("threads",), ("search", "re"), ("lists",), ("crossposts",), ("check",),
    ("export", "--format", "jsonl"), ("threads", "--policy", "config.toml"),
]  # fmt: skip
SAYING = [("retract", "--yes", ROOT), ("lists", "rename", "drafts", "other"), ("lists", "remove", "--yes", "drafts")]


def ran(home: Home, arguments: tuple[str, ...]) -> tuple[int, bytes]:
    result = home.weft(*(str(home.config) if one == "config.toml" else one for one in arguments))
    return result.code, result.out


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_reading_needs_no_key(story: Home, arguments: tuple[str, ...]) -> None:
    story.config.write_text("")
    whole = ran(story, arguments)
    story.index.with_name("index.db.key").unlink()
    assert ran(story, arguments) == whole
    assert whole[0] == 0
    assert not story.index.with_name("index.db.key").exists()


@pytest.mark.parametrize("arguments", SAYING, ids=" ".join)
def test_saying_needs_the_key_and_changes_nothing_without(story: Home, arguments: tuple[str, ...]) -> None:
    before = story.weft("lists").out
    story.index.with_name("index.db.key").unlink()
    result = story.weft(*arguments)
    assert result.code == 1
    assert "the key of this index is missing" in result.err[-1]
    assert story.weft("lists").out == before


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_reading_works_where_nothing_can_be_written(story: Home, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    story.config.write_text("")
    whole = ran(story, arguments)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    line = 'mount --bind "$0" "$1" && mount -o remount,ro,bind "$1" && ! touch "$1/file" 2> /dev/null && '
    line += 'shift && exec "$@"'
    home = Home(mounted)
    given = [str(home.config) if one == "config.toml" else one for one in arguments]
    found = subprocess.run(
        ["unshare", "--mount", "sh", "-c", line, story.path, mounted, *command(*given)],
        env=environment(**home.env),
        capture_output=True,
        check=False,
    )
    if b"unshare" in found.stderr or b"mount:" in found.stderr:
        pytest.skip("a file system cannot be mounted here")
    assert (found.returncode, found.stdout) == whole, found.stderr
