"""The story of two lists, with pages over it: made once, for tests that only ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("jinja2")


from tests.factories import FIXTURES
from tests.web.web_harness import PUBLIC, SHOWING, Browser, site
from weft import Index


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the index of both lists, `index.db`, and its policy, `config.toml`."""
    folder = tmp_path_factory.mktemp("story")
    (folder / "config.toml").write_text('public = ["own"]\n')
    with Index.open(folder / "index.db", policy=folder / "config.toml") as index:
        for name in ("drafts", "smtp-ops"):
            index.ingest(name, FIXTURES / "story" / f"{name}.mbox")
        index.search("re")
    return folder


@pytest.fixture(scope="session")
def pages(story: Path) -> Iterator[Browser]:
    """Its pages."""
    with site(story / "index.db", story / "config.toml", PUBLIC) as client:
        yield client


@pytest.fixture(scope="session")
def showing(story: Path) -> Iterator[Browser]:
    """The same of a server that shows addresses."""
    with site(story / "index.db", story / "config.toml", SHOWING) as client:
        yield client
