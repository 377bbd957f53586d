"""The library of the SQLite tables, imported without numpy.

It imports numpy wherever that is installed, for types of columns that nothing here has.  That would take longer than
all the rest of a start, and numpy's threads keep a process from forking (`weft._workers.is_alone`).  So it finds none;
whoever needs numpy can import it afterwards.
"""

import sys

_HIDDEN = "numpy" not in sys.modules

if _HIDDEN:
    sys.modules["numpy"] = None  # type: ignore[assignment]  # what it makes of an import is ImportError
try:
    from sqlite_utils import Database, Migrations
finally:
    if _HIDDEN:
        del sys.modules["numpy"]

__all__ = ["Database", "Migrations"]
