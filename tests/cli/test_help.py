"""Every command: help with an example, options that are not known, and what start-up costs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.cli.command_runner import DRAFTS, environment
from tests.cli.server_home import Home
from weft.cli.main import COMMANDS

PAGES = [*((name,) for name in COMMANDS), ("lists", "rename"), ("lists", "remove")]
_NOT_ON_AN_INDEX = {("rebuild",), ("demo",), ("scan",), ("help",), ("completion",), ("check-config",)}
ON_AN_INDEX = [page for page in PAGES if page not in _NOT_ON_AN_INDEX]
HEAVY = ("grpc", "networkx", "sqlite3", "sqlite_utils", "tomlkit")


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_every_command_has_help_with_an_example_that_fits_a_terminal(page: tuple[str, ...], home: Home) -> None:
    ran = home.weft(*page, "--help")
    assert (ran.code, ran.err) == (0, [])
    assert re.search(rf"^  weft {' '.join(page)}( |$)", ran.text, re.MULTILINE), "an example"
    assert max(map(len, ran.text.splitlines())) <= 80
    assert home.weft(*page, "-h").text == ran.text


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_every_option_says_what_it_does(page: tuple[str, ...], home: Home) -> None:
    text = home.weft(*page, "--help").text
    options = text.partition("Options:\n")[2].partition("\n\n")[0]
    said = re.sub(r"\n {6,}", "  ", options).splitlines()
    assert said
    assert all(re.search(r"\S  +\S", line.strip()) for line in said), said


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_an_option_that_is_not_known_is_one_line_and_exit_2(page: tuple[str, ...], home: Home) -> None:
    ran = home.weft(*page, "--bogus")
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
    assert "--bogus" in ran.err[0]


@pytest.mark.parametrize("page", ON_AN_INDEX, ids=" ".join)
def test_what_is_common_to_all_commands_on_an_index(page: tuple[str, ...], home: Home) -> None:
    text = home.weft(*page, "--help").text
    for option in ("--index", "--config", "-q, --quiet", "--debug"):
        assert option in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "a@x"), ("read", "a@x"), ("threads",), ("search", "x"), ("explain", "a@x"), ("check",),
        ("diff", "--common"), ("export",), ("retract", "--yes", "a@x"), ("expunge", "--yes", "a@x"), ("lists",),
        ("erase", "--yes", "a@x"), ("erase", "--status"), ("expunge", "--withdrawn", "--yes"),
        ("lists", "rename", "a", "b"), ("lists", "remove", "--yes", "a"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_without_an_index_there_is_one_line_and_nothing_is_made(arguments: tuple[str, ...], home: Home) -> None:
    ran = home.weft(*arguments)
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert ran.err[0].startswith(f"weft: {home.index}: there is no index; ")
    assert list(home.path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--version"], ["rebuild", str(DRAFTS)], ["--help"]], ids=lambda one: one[0])
def test_start_up_does_not_import_what_it_does_not_need(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = {['weft', *arguments]}; from weft.cli.main import _run; _run(debug=True); " + (
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment())
    assert done.stderr.decode().splitlines()[-1] == "[]"


@pytest.mark.parametrize("group", ["peers"])
def test_a_group_without_a_command_prints_its_help_as_it_is(group: str, home: Home) -> None:
    ran = home.weft(group)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err == home.weft(group, "--help").text.splitlines()
