"""An index as it is at one moment, under one policy, whatever other processes write meanwhile.

Theory of operation
-------------------
All readers go through `snapshot`: it begins a transaction of SQLite, sees whether the view on disk is that of the
policy and of all claims, and has it made again where it is not: somebody looked at the index under another policy.
Within another snapshot it is part of that, so that what is built of several readers is of one moment too.

Who may write makes the view current in its own connection.  A server reads through connections that may not, from
several threads; for these `prepare` opens the index once to write, one thread at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from weft.errors import StoreError
from weft.index.view import View
from weft.store.sqlite_errors import explained

preparing = threading.Lock()
"""Held by the one thread of this process that makes a view for readers."""


@contextmanager
def snapshot(view: View, make_current: Callable[[], None]) -> Iterator[View]:
    """The view, which stays as it is until the end of the block.

    ``make_current``  called outside of any transaction if the view is not current; `StoreError` if it cannot be
    """
    connection = view.connection
    if connection.in_transaction:
        yield view
        return
    with explained(view.store.path):
        connection.execute("BEGIN")
        try:
            if not view.follow():
                connection.execute("COMMIT")
                make_current()
                connection.execute("BEGIN")
                if not view.follow():
                    raise StoreError(f"{view.store.path}: somebody is looking at the index under another policy")
            yield view
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
