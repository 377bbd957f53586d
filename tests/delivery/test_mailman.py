"""The archiver in Mailman itself: no post is lost, whatever becomes of the Maildir and the configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.index.factories import open_index
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

ROOT = Path(__file__).parent.parent.parent
PYTHON = Path(os.environ.get("WEFT_MAILMAN", ROOT / ".ci-mailman" / "bin" / "python"))
"""An interpreter that has Mailman 3."""
PAGES = "https://threads.example.org"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="Mailman is not there (.ci/run installs it)")


def test_every_post_gets_into_the_maildir_and_has_a_page(tmp_path: Path) -> None:
    (tmp_path / "mailman.cfg").write_text(
        f"[mailman]\nlayout: here\n[paths.here]\nvar_dir: {tmp_path}/var\n[archiver.weft]\n"
        f"class: weft.mailman_archiver.Archiver\nenable: yes\nconfiguration: {tmp_path}/weft.cfg\n"
    )
    (tmp_path / "weft.cfg").write_text(f"[general]\nmaildir: {tmp_path}/Mail\nurl: {PAGES}\n")
    ran = subprocess.run(
        [str(PYTHON), str(Path(__file__).with_name("mailman_posts.py")), str(tmp_path)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        f"{PAGES}/l/drafts.lists.example.org/", f"{PAGES}/m/one%2F1@x/", f"{PAGES}/m/two@x/",
        "[general] maildir: relative is not an absolute path", f"{PAGES}/m/four@x/",
    ]  # fmt: skip
    with open_index(tmp_path) as index:
        log = NoteLog()
        index.ingest_sources(discover([str(tmp_path / "Mail")], log), log)
        found = [(one.id, one.lists) for thread in index.all_threads() for one in thread.messages]
    assert log.entries == []
    assert sorted(name for name, _ in found) == ["four@x", "one/1@x", "three@x", "two@x"]
    assert {lists for _, lists in found} == {("drafts.lists.example.org",)}
    assert not [path for path in (tmp_path / "var" / "archives" / "weft").rglob("*") if path.is_file()]
