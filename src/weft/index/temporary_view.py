"""A view of its own for one connection: an index as another policy shows it, beside the view that others read.

Theory of operation
-------------------
SQLite looks for a table among the temporary ones of a connection first.  So the tables of the view are made once more,
as temporary ones, and all that reads or writes the view finds these; the tables of the index stay as they are, and the
index is open to read only.  The words of search do not depend on a policy: of them there is the one table.  All of it
is of one moment, as the transaction in which it is made goes on until the index is closed.

It costs what it costs to make a view, and its file lies where SQLite has temporary files (``SQLITE_TMPDIR``).
"""

from __future__ import annotations

from weft.index.aliases import alias_nodes
from weft.index.fulltext import WORDS_VERSION
from weft.index.schema import SCHEMA, SEARCH
from weft.index.view import View
from weft.store.sqlite_errors import explained


def use_temporary_view(view: View) -> None:
    """Let a view of an index that is open to read only be of its own policy, whatever that of the others is.

    Nothing is made if the one that is there is of this policy.  To be called once, before anything is read; from then
    on all is of one moment.
    """
    connection = view.connection
    with explained(view.store.path):
        connection.execute("BEGIN")
        if view.follow():
            return
        words = dict(connection.execute("SELECT key, value FROM view").fetchall()) if view.has_tables() else {}
        searched = words.get("searched", b"0") if words.get("words") == WORDS_VERSION else b"0"
        connection.execute("PRAGMA query_only = OFF")  # the index itself stays closed to writers: mode=ro
        try:
            for statement in SCHEMA:
                if statement != SEARCH:
                    connection.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE"))
            connection.executemany(
                "INSERT INTO view (key, value) VALUES (?, ?)", [("searched", searched), ("words", WORDS_VERSION)]
            )
            view.claim_filter.aliases = alias_nodes(view.store, view.policy)
            view.catch_up()
            view.version = view.store.version()
        finally:
            connection.execute("PRAGMA query_only = ON")
