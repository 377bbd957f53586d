"""Separators that were changed at random: what other programs find is found, or it is said where it may be lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.sources.dialects import DIALECTS, message
from tests.sources.mbox_voices import (
    BODY,
    FRONTS,
    found_by_git,
    found_by_mailbox,
    found_by_mutt,
    long_run,
    run,
    run_alone,
)


def test_no_mail_that_mailbox_finds_is_lost_in_silence(tmp_path: Path) -> None:
    run(tmp_path, 3000, found_by_mailbox, seed=1)
    run_alone(tmp_path, 600, seed=1)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_no_mail_that_git_finds_is_lost_in_silence(tmp_path: Path) -> None:
    run(tmp_path, 600, found_by_git, seed=2)


@pytest.mark.skipif(shutil.which("mutt") is None, reason="mutt is not installed")
def test_no_mail_that_mutt_finds_is_lost_in_silence(tmp_path: Path) -> None:
    run(tmp_path, 3000, found_by_mutt, seed=3, fronts=FRONTS[:2])


@pytest.mark.slow
def test_no_mail_is_lost_in_silence_in_a_long_run(tmp_path: Path) -> None:
    long_run(tmp_path, int(os.environ.get("WEFT_MUTATIONS", "100000")), 100)


def test_a_long_run_says_how_far_it_is(tmp_path: Path) -> None:
    said: list[str] = []
    long_run(tmp_path, 60, 7, said.append)
    assert said[:3] == [
        "mailbox: 60 of 60 separators, none lost in silence",
        "mailbox, three in a file: 3 of 3 separators, none lost in silence",
        "git: 1 of 1 separators, none lost in silence" if shutil.which("git") else "git: not installed",
    ]


def test_the_messages_that_are_changed_are_found_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(DIALECTS["mutt"]([message(number, b"Received: from a", None, BODY) for number in range(3)]))
    voices = {"git": found_by_git, "mutt": found_by_mutt}
    for voice in (found_by_mailbox, *(voices[name] for name in voices if shutil.which(name))):
        assert voice(path) == {b"m0@x", b"m1@x", b"m2@x"}
