"""The wire schema keeps to conventions, STANDARD and COMMENTS of buf, and breaks no release that has a tag."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"


def buf(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs buf, which CI installs from npm and names in WEFT_BUF."""
    program = os.environ.get("WEFT_BUF") or shutil.which("buf")
    if program is None:
        pytest.skip("no buf on the path nor in WEFT_BUF; it is the npm package @bufbuild/buf")
    return subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


def test_the_schema_has_nothing_that_buf_complains_of() -> None:
    ran = buf("lint", "proto")
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


def test_buf_sees_what_is_not_as_it_should_be(tmp_path: Path) -> None:
    shutil.copytree(PROTO, tmp_path / "proto")
    threads = tmp_path / "proto" / "weft" / "v1" / "threads.proto"
    threads.write_text(threads.read_text().replace("service ThreadService {", "service Threads {"))
    ran = buf("lint", "proto", cwd=tmp_path)
    assert ran.returncode != 0
    assert "Threads" in ran.stdout


def test_the_schema_goes_on_from_that_of_the_last_release() -> None:
    tag = last_release()
    if tag is None:
        pytest.skip("no tag has this schema yet")
    ran = buf("breaking", "proto", "--against", f".git#tag={tag},subdir=proto")
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


def last_release() -> str | None:
    """The last tag whose schema has the service for clients by its name of now."""
    git = ["git", "-C", str(ROOT)]
    described = subprocess.run([*git, "describe", "--tags", "--abbrev=0"], capture_output=True, text=True)
    if described.returncode:
        return None
    tag = described.stdout.strip()
    shown = subprocess.run([*git, "show", f"{tag}:proto/weft/v1/threads.proto"], capture_output=True, text=True)
    return tag if "service ThreadService {" in shown.stdout else None
