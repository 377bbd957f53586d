"""Modes of files, and the umask of this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ALL_BUT_OWNER = 0o077


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def lax(folder: Path) -> list[str]:
    """What is in a folder, and below it, that somebody else than its owner may use."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.lstat().st_mode & ALL_BUT_OWNER
        and not path.is_symlink()
    )  # fmt: skip
