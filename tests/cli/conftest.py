"""The story of two lists, ingested once; each test has a copy of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS
from tests.cli.server_home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A server that has nothing yet."""
    path = tmp_path / "home"
    path.mkdir()
    return Home(path)


@pytest.fixture(scope="session")
def _ingested(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("story"))
    ran = home.weft("ingest", DRAFTS, OPS)
    assert ran.code == 0, ran.err
    return home


@pytest.fixture
def story(_ingested: Home, tmp_path: Path) -> Home:
    """A server that has ingested both lists of the story."""
    return _ingested.copy_to(tmp_path / "story")
