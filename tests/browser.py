"""Headless Chromium, to open pages as people do: from disk, light or dark, cut off from every network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@dataclass(frozen=True, slots=True)
class Opened:
    """A page after a browser has opened it: its elements as HTML, and what the browser said in its console."""

    dom: str
    console: list[str]


def opened(page: Path) -> Opened:
    """Open a page and read what became of it."""
    ran = _run(page, "--dump-dom", "--enable-logging=stderr")
    return Opened(ran.stdout, [line for line in ran.stderr.splitlines() if ":CONSOLE" in line])


def photographed(page: Path, picture: Path, size: tuple[int, int], *, dark: bool = False) -> bytes:
    """Open a page and take a picture of it, a PNG.

    The picture stays in ``WEFT_PICTURES``, if that names a folder, for people to look at.
    """
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    wide, high = size
    _run(page, f"--screenshot={picture}", f"--window-size={wide},{high}", "--hide-scrollbars", *scheme)
    if folder := os.environ.get("WEFT_PICTURES"):
        shutil.copy(picture, folder)
    return picture.read_bytes()


def _run(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", *options, page.as_uri(),
            ],
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
