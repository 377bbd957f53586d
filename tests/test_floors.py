"""The lowest versions that pyproject.toml allows are those that continuous integration tests (.ci/lowest.txt)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
TESTED = {"test"}.union(*(Requirement(line).extras for line in EXTRAS["test"]))
"""Extras that are tested with their lowest versions: those that the tests need."""


def floors() -> dict[str, Version]:
    """The lowest version of each package, as pyproject.toml has it."""
    lines = [*PROJECT["dependencies"], *(line for name in TESTED for line in EXTRAS[name] if name in EXTRAS)]
    found = {}
    for requirement in map(Requirement, lines):
        if requirement.name == PROJECT["name"]:
            continue
        lowest = [Version(one.version) for one in requirement.specifier if one.operator in {">=", "=="}]
        assert len(lowest) == 1, f"{requirement} has no floor"
        found[key(requirement.name)] = lowest[0]
    return found


def listed() -> dict[str, Version]:
    """The versions in the list."""
    pins = [
        line.split("#")[0].partition(";")[0].strip() for line in (ROOT / ".ci" / "lowest.txt").read_text().splitlines()
    ]
    return {key(name): Version(version) for name, _, version in (pin.partition("==") for pin in pins if pin)}


def key(name: str) -> str:
    """How a package is called in the list."""
    return name.lower().replace(".", "-").replace("_", "-")


@pytest.mark.skipif(not (ROOT / ".ci" / "lowest.txt").exists(), reason="not in the sdist")
def test_the_list_has_every_floor() -> None:
    pins = listed()
    assert floors() == {name: pins.get(name) for name in floors()}, "pyproject.toml was changed; run .ci/lowest"
