"""``weft completion`` and ``weft check-config``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.command_runner import command, environment
from tests.cli.server_home import Home


@pytest.mark.parametrize(
    ("words", "found"), [("weft reb", "rebuild"), ("weft rebuild --for", "--format"), ("weft check-", "check-config")]
)
def test_a_shell_is_told_commands_and_options(words: str, found: str) -> None:
    env = environment(_WEFT_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
    ran = subprocess.run(command(), env=env, capture_output=True, text=True, check=True)
    assert f"plain,{found}" in ran.stdout.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_its_shell(home: Home, shell: str) -> None:
    script = home.weft("completion", shell).out
    assert b"_WEFT_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n", "/dev/stdin"], input=script, check=True)


def test_a_policy_is_checked_before_it_is_used(story: Home) -> None:
    story.config.write_text('[mute]\nids = ["a@x", "b@x"]\n')
    assert story.weft("check-config").out.decode() == f"{story.config}: 0 origins, 0 peers, 2 mutes, 0 aliases\n"
    new = story.config.with_name("new.toml")
    new.write_text("[mute]\nids = 1\n")
    ran = story.weft("check-config", new)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
    assert "mute.ids" in ran.err[0]
    assert story.weft("check-config", story.path / "none").code == 2


def test_a_policy_that_is_not_there_leaves_no_key_behind(home: Home, tmp_path: Path) -> None:
    ran = home.weft("ingest", "--config", tmp_path / "none.toml", "l=-", stdin=b"From: a@b\n\nx\n")
    assert (ran.code, len(ran.err)) == (2, 1)
    assert "no such policy" in ran.err[0]
    assert os.listdir(home.path) == []
