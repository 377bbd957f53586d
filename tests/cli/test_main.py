"""The ``weft`` command as such: help, version, completion, and what only a terminal shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS, command, environment, mail, weft

pexpect = pytest.importorskip("pexpect")


def in_terminal(*arguments: str | Path, columns: int = 80, env: Mapping[str, str] = {}) -> str:
    """All that ``weft`` writes, to stdout and stderr, in a terminal of so many columns."""
    first, *rest = command(*arguments)
    child = pexpect.spawn(first, rest, env=environment(**env), dimensions=(24, columns), encoding="utf-8", timeout=60)
    child.expect(pexpect.EOF)
    child.close()
    written: str = child.before
    return written.replace("\r\n", "\n")


def test_the_version_is_that_of_the_package() -> None:
    from weft import __version__

    assert weft("--version").text == f"weft {__version__}\n"


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("rebuild", "--help"), ("rebuild", "-h")], ids=" ".join)
def test_help_has_an_example_and_fits_a_terminal(arguments: tuple[str, ...]) -> None:
    ran = weft(*arguments)
    assert (ran.code, ran.err) == (0, [])
    assert "\n  weft rebuild " in ran.text
    assert ran.text.startswith("Usage: weft ")


def test_help_names_every_format_and_what_the_exit_code_3_means() -> None:
    text = weft("rebuild", "--help").text
    assert "text|json|jsonl|mboxrd|dot|graphml" in text
    assert "exit code 3" in text


def test_no_command_shows_the_help_and_is_an_error_of_usage() -> None:
    ran = weft()
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err[0] == "Usage: weft [OPTIONS] COMMAND [ARGS]..."


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_completion_for_each_shell(shell: str) -> None:
    ran = weft(env={"_WEFT_COMPLETE": f"{shell}_source"})
    assert ran.code == 0
    assert f"_WEFT_COMPLETE={shell}_complete" in ran.text


def test_completion_knows_commands_options_and_formats() -> None:
    assert complete("weft reb") == {"rebuild"}
    assert {"--thread", "--format", "--prune-ghosts"} <= complete("weft rebuild --")
    assert complete("weft rebuild --format js") == {"json", "jsonl"}


def complete(line: str) -> set[str]:
    """What bash is offered for the last word of a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_WEFT_COMPLETE": "bash_complete"}
    return {offer.rpartition(",")[2] for offer in weft(env=words).text.split()}


def test_a_terminal_gets_colours_and_its_width() -> None:
    written = in_terminal("rebuild", DRAFTS, OPS, columns=80)
    assert "\x1b[1mdrafts, smtp-ops" in written
    plain = in_terminal("rebuild", "--no-color", DRAFTS, OPS, columns=80)
    assert max(map(len, plain.splitlines()[:-1])) == 80
    assert "messages read" in plain.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "env"), [("--no-color", {}), ("--processes=1", {"NO_COLOR": "1"}), ("--processes=1", {"TERM": "dumb"})]
)
def test_colours_can_be_turned_off(option: str, env: dict[str, str]) -> None:
    assert "\x1b" not in in_terminal("rebuild", option, DRAFTS, env=env)


def test_no_colours_and_no_width_of_the_terminal_in_a_file(tmp_path: Path) -> None:
    in_terminal("rebuild", "-o", tmp_path / "out", DRAFTS, columns=40)
    assert (tmp_path / "out").read_bytes() == weft("rebuild", DRAFTS).out


def test_progress_is_one_line_that_goes_away(tmp_path: Path) -> None:
    mbox = tmp_path / ("a-long-name-" * 10 + ".mbox")
    mbox.write_bytes(b"".join(mail(f"{number}@x.example") for number in range(20_000)))
    written = in_terminal("rebuild", "--json", "-o", tmp_path / "out", mbox, columns=60)
    before, *drawn, last = written.split("\r\x1b[K")
    assert drawn
    assert before == ""
    assert all(" messages, " in line and len(line) < 60 for line in drawn)
    assert last.startswith("weft: 20000 messages read")
    assert "\r" not in in_terminal("rebuild", "-q", "--json", "-o", tmp_path / "out2", mbox, columns=60)
