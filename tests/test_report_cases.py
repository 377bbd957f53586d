"""Inputs that other programs were reported to read wrongly, each run through ``weft`` as its ``expected.json`` says.

The cases are kept outside of this repository: the environment variable ``WEFT_CASES`` names their folder.  A case is
a folder of ``reports/``: its files of mail, and ``expected.json`` with the arguments of ``weft`` and what must hold of
what comes out, by the keys of `CHECKS`.  ``or_named`` says that a second outcome is right: exit code 3 and a place on
stderr.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import chdir
from email.utils import getaddresses
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_runner import Ran
from tests.cli.server_home import Home

CASES = os.environ.get("WEFT_CASES")
pytestmark = pytest.mark.skipif(CASES is None, reason="WEFT_CASES does not name the folder of cases")

KNOWN_FAILURES: frozenset[str] = frozenset()
"""Cases that do not come out right yet; noticed when one of them does."""

_NOT_MAIL = frozenset(("README.md", "expected.json"))
_PLACE = re.compile(r": at \d+: ")


class Case:
    """One case, run once."""

    def __init__(self, folder: Path, home: Home) -> None:
        self.expected: dict[str, Any] = json.loads((folder / "expected.json").read_text())
        self.folder = folder
        self.home = home
        self.files = sorted(path.name for path in folder.iterdir() if path.name not in _NOT_MAIL)

    @cached_property
    def ran(self) -> Ran:
        """The command of the case, run in its folder."""
        with chdir(self.folder):
            return self.home.weft(*self.expected["args"], *self.files)

    @cached_property
    def threads(self) -> list[dict[str, Any]]:
        """The threads that it printed."""
        return [json.loads(line) for line in self.ran.text.splitlines()]

    @cached_property
    def messages(self) -> dict[str, dict[str, Any]]:
        """The messages of these by id, without ghosts."""
        shown = [message for thread in self.threads for message in thread["messages"] if not message["ghost"]]
        found = {message["id"]: message for message in shown}
        assert len(found) == len(shown), "a message is shown twice"
        return found

    def all(self, key: str) -> dict[str, Any]:
        """One value of each message by id; lone surrogates, which a report of a failure cannot hold, escaped."""
        values = {name: message[key] for name, message in self.messages.items()}
        return {name: _printable(value) if isinstance(value, str) else value for name, value in values.items()}


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def held(case: Case, wanted: list[str]) -> None:
    assert sorted(case.messages) == sorted(wanted)


def parents(case: Case, wanted: dict[str, str | None]) -> None:
    found = case.all("parent")
    assert {name: found[name] for name in wanted} == wanted


def parent_of_subject(case: Case, wanted: dict[str, str | None]) -> None:
    found = {message["subject"]: message["parent"] for message in case.messages.values()}
    assert {subject: found[subject] for subject in wanted} == wanted


def threads(case: Case, wanted: int) -> None:
    assert len(case.threads) == wanted


def dates(case: Case, wanted: dict[str, str | None]) -> None:
    found = case.all("date")
    assert {name: found[name] for name in wanted} == wanted


def subjects(case: Case, wanted: dict[str, Any]) -> None:
    _texts(case.all("subject"), wanted)


def authors(case: Case, wanted: dict[str, Any]) -> None:
    _texts(case.all("from"), wanted)


def _texts(found: dict[str, str], wanted: dict[str, Any]) -> None:
    for name, text in wanted.items():
        if isinstance(text, dict):
            assert text.keys() == {"contains"}
            assert text["contains"] in found[name]
        else:
            assert found[name] == text


def author_parses_to(case: Case, wanted: dict[str, list[list[str]]]) -> None:
    found = case.all("from")
    assert {name: [list(pair) for pair in getaddresses([found[name]])] for name in wanted} == wanted


def forbid_ids(case: Case, wanted: list[str]) -> None:
    shown = {message["id"] for thread in case.threads for message in thread["messages"]}
    assert not shown & set(wanted)


def lists(case: Case, wanted: list[str]) -> None:
    assert {name for names in case.all("lists").values() for name in names} == set(wanted)


def search(case: Case, wanted: dict[str, list[str]]) -> None:
    paths = [case.folder / name for name in case.files]
    ran = case.home.weft("ingest", *paths)
    assert ran.code == 0, ran.err
    for words, ids in wanted.items():
        found = json.loads(case.home.weft("search", "--json", words).out)
        assert {one["id"] for one in found} == set(ids), words


CHECKS: dict[str, Callable[[Case, Any], None]] = {
    "held": held,
    "parents": parents,
    "parent_of_subject": parent_of_subject,
    "threads": threads,
    "dates": dates,
    "subjects": subjects,
    "from": authors,
    "author_parses_to": author_parses_to,
    "forbid_ids": forbid_ids,
    "lists": lists,
    "search": search,
}
"""By the keys of ``expect``."""
_OUTCOMES = ("or_named", "or")
"""Prose about a second outcome."""


def is_named(case: Case) -> bool:
    """Whether the command said, with exit code 3, at which place of a file something was not read."""
    return case.ran.code == 3 and any(_PLACE.search(line) for line in case.ran.err)


def check(case: Case) -> None:
    """Fails unless all that the case expects holds."""
    expect = case.expected["expect"]
    assert expect.keys() <= {*CHECKS, *_OUTCOMES}, "an expectation that is not checked"
    if "or_named" in expect and is_named(case):
        return
    assert case.ran.code == 0, case.ran.err
    for key, wanted in expect.items():
        if key in CHECKS:
            CHECKS[key](case, wanted)


ALL = sorted(path.parent for path in Path(CASES or "/nowhere").glob("reports/*/expected.json"))


@pytest.mark.parametrize("folder", ALL, ids=[path.name for path in ALL])
def test_a_reported_input_is_read_right(folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if folder.name in KNOWN_FAILURES:
        request.applymarker(pytest.mark.xfail(reason="known", strict=True))
    home = tmp_path / "home"
    home.mkdir()
    check(Case(folder, Home(home)))


def test_every_known_failure_is_a_case() -> None:
    assert {path.name for path in ALL} >= KNOWN_FAILURES
