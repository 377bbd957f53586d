"""The story of two lists, ingested and served: once for tests that only ask, and to each of the others its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("grpc_health")

from tests.cli.command_runner import DRAFTS, OPS
from tests.cli.server_home import Home
from tests.peering.peer_harness import made
from tests.server.server_harness import Served, serving


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A server's home with both lists; not to be changed."""
    home = Home(tmp_path_factory.mktemp("served"))
    ran = home.weft("ingest", DRAFTS, OPS)
    assert ran.code == 0, ran.err
    assert home.weft("search", "re").code == 0, "its words are in the table before it is served"
    return home


@pytest.fixture(scope="session")
def shared(ingested: Home) -> Iterator[Served]:
    """A server that is only asked."""
    with serving(ingested, "--metrics", "127.0.0.1:0") as served:
        yield served


@pytest.fixture
def home(ingested: Home, tmp_path: Path) -> Home:
    """A home of its own."""
    return ingested.copy_to(tmp_path / "home")


@pytest.fixture
def served(home: Home) -> Iterator[Served]:
    """A server of its own over `home`."""
    with serving(home) as served:
        yield served


@pytest.fixture
def near(tmp_path: Path) -> Home:
    """One of two servers."""
    return made(tmp_path / "near", DRAFTS)


@pytest.fixture
def far(tmp_path: Path) -> Home:
    """The other one."""
    return made(tmp_path / "far", OPS)
