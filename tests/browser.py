"""Headless Chromium, to open pages as people do: from disk, light or dark, cut off from every network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@dataclass(frozen=True, slots=True)
class Opened:
    """A page after a browser has opened it: its elements as HTML, and what the browser said in its console."""

    dom: str
    console: list[str]


def opened(page: Path | str, *options: str) -> Opened:
    """Open a page, of a disk or of a server on this machine, and read what became of it."""
    ran = _run(page, "--dump-dom", "--enable-logging=stderr", *options)
    return Opened(ran.stdout, [line for line in ran.stderr.splitlines() if ":CONSOLE" in line])


def widths(pages: Iterable[str], style: str, place: Path, columns: int) -> list[int]:
    """How wide each page is in a frame of so many pixels: more than that, and it scrolls sideways.

    ``style``: their style sheet; ``place``: a file for the frames, whose scripts measure them.
    """
    measure = "this.dataset.wide = this.contentDocument.documentElement.scrollWidth"
    frames = [
        f'<iframe width="{columns}" height="800" frameborder="0" onload="{measure}" srcdoc="{escape(text)}"></iframe>'
        for page in pages
        for text in [re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", page)]
    ]
    place.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{"".join(frames)}</body>')
    return [int(found) for found in re.findall(r' data-wide="(\d+)"', opened(place).dom)]


def photographed(page: Path | str, picture: Path, size: tuple[int, int], *, dark: bool = False) -> bytes:
    """Open a page and take a picture of it, a PNG.

    The picture stays in ``WEFT_PICTURES``, if that names a folder, for people to look at.
    """
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    wide, high = size
    _run(page, f"--screenshot={picture}", f"--window-size={wide},{high}", "--hide-scrollbars", *scheme)
    if folder := os.environ.get("WEFT_PICTURES"):
        shutil.copy(picture, folder)
    return picture.read_bytes()


def _run(page: Path | str, *options: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={profile}", *options,
                page if isinstance(page, str) else page.as_uri(),
            ],
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
