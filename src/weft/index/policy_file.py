"""Which policy file the view of an index is made by: that of the program that wrote to the index last.

A command that only reads, and goes by another file, leaves that view to the programs that go by it: somebody has
forgotten to say which policy is meant, or means to have a look.  A file that is gone has no claim to a view any more.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from weft.index.mute_changes import PolicyMarks
from weft.index.view import View
from weft.store.sqlite_errors import explained

_KEY = "file"

log = logging.getLogger("weft.index")


def note_policy_file(view: View, file: Path) -> None:
    """This file says from now on by which policy the view is made; written if it is another one than before."""
    name = os.fsencode(file.absolute())
    if _noted(view).get(_KEY) != name:
        with view.store.transaction():
            view.connection.execute("INSERT OR REPLACE INTO view (key, value) VALUES (?, ?)", (_KEY, name))


def is_view_of_another_file(view: View, file: Path) -> bool:
    """Whether the view is made by another policy file that is there, and shows something else; then that is logged."""
    noted = _noted(view)
    other = Path(os.fsdecode(noted.get(_KEY, b"")))
    if _KEY not in noted or other == file.absolute() or not other.exists():
        return False
    if noted.get("state") == PolicyMarks.of(view.policy).state:
        return False
    log.warning(
        "%s: its view is that of %s, and stays so; under %s one is made for this command alone",
        view.store.path, other, file.absolute(),
    )  # fmt: skip
    return True


def _noted(view: View) -> dict[str, bytes]:
    with explained(view.store.path):
        if not view.has_tables():
            return {}
        return dict(view.connection.execute("SELECT key, value FROM view").fetchall())
