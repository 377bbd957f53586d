"""What is given away: the sdist and the wheel are complete, reproducible, and name the distribution that is ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests import man_pages
from weft.docs import pages

ROOT = Path(__file__).parent.parent
_SHIPPED = (
    "py.typed",
    "v1/threads_pb2.pyi",
    "web/templates/thread.html",
    "demo/data/story/drafts.mbox",
    "demo/data/story-forged/keepers.mbox",
)
_WRONG = re.compile(r"pip install[^\n]*[ '\"]weft(?![\w/-])")


def build(source: Path, target: Path) -> tuple[Path, Path]:
    """The sdist and the wheel of ``source``, built without a network."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target)],
        cwd=source, env=env, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return next(target.glob("*.tar.gz")), next(target.glob("*.whl"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def test_the_wheel_has_code_documentation_mail_types_and_license(built: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(built[1]).namelist())
    assert {f"weft/{name}" for name in _SHIPPED} <= names
    assert {f"weft/docs/{page.topic}.md" for page in pages()} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0] for name in names} == {"weft", "mailweft-0.1.0.dist-info", "mailweft-0.1.0.data"}


def test_the_wheel_puts_manual_pages_where_man_looks_for_them(built: tuple[Path, Path]) -> None:
    names = [name for name in zipfile.ZipFile(built[1]).namelist() if name.endswith(".1")]
    assert set(names) == {f"mailweft-0.1.0.data/data/share/man/man1/{name}" for name in man_pages.pages()}


def test_an_unpacked_sdist_builds_the_same_wheel_and_packs_the_same_files(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")  # made by ourselves
    (unpacked,) = tmp_path.iterdir()
    again = build(unpacked, tmp_path / "again")
    assert [path.name for path in again] == [path.name for path in built]
    assert again[1].read_bytes() == built[1].read_bytes()
    with tarfile.open(again[0]) as archive, tarfile.open(built[0]) as first:
        assert set(archive.getnames()) == set(first.getnames())


def test_the_sdist_has_all_that_the_tests_need(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("tests", "fixtures", "proto", "src", ".ci"):
        here = {
            str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*")
            if path.is_file() and not {"__pycache__", ".hypothesis"} & set(path.parts)
        }  # fmt: skip
        assert here - packed == set()


def test_no_message_or_page_tells_anybody_to_install_another_project() -> None:
    texts = [ROOT / "README.md", *(path for path in (ROOT / "src").rglob("*") if path.suffix in (".py", ".md"))]
    assert [str(path) for path in texts if _WRONG.search(path.read_text())] == []
    assert _WRONG.search("pip install 'weft[server]'")
    assert _WRONG.search("pip install weft")
