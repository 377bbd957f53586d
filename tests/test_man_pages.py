"""The manual pages are those of the commands as they are."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests import man_pages
from tests.man_pages import FOLDER
from weft.cli.main import COMMANDS


def test_the_manual_pages_are_made_of_the_commands() -> None:
    there = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert there == man_pages.pages(), "write them with: python -m tests.command_reference"
    assert {f"weft-{name}.1" for name in COMMANDS} < there.keys()
    assert "weft-peers-add.1" in there


def test_every_option_and_example_of_a_command_is_on_its_page() -> None:
    page = man_pages.pages()["weft-ingest.1"]
    for words in (r"\-\-watch", r"weft ingest \-\-watch \-\-interval 10 git=/var/mail/git.mbox", r"\-q, \-\-quiet"):
        assert words in page
    assert page.count(".SH ") == len({"name", "synopsis", "description", "options", "exit", "environment", "also"})


def test_text_is_no_request_of_troff() -> None:
    assert man_pages._text(".TH 'a' \\n -x") == r"\&.TH 'a' \en \-x"


@pytest.mark.skipif(not shutil.which("groff"), reason="there is no groff here")
@pytest.mark.parametrize("name", ["weft.1", "weft-serve.1", "weft-peers.1", "weft-lists-rename.1"])
def test_groff_has_nothing_to_complain_of(name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-wall", "-k", FOLDER / name], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "SYNOPSIS" in re.sub(".\b", "", done.stdout), "without what makes letters bold"
