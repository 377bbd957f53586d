"""The derived tables of the view.  They can be dropped at any time; `weft check --repair` makes them again."""

from __future__ import annotations

TABLES = {"nodes", "rivals", "recent", "lists", "weak", "aliases", "withdrawals", "search", "view"}

SEARCH = (
    "CREATE VIRTUAL TABLE search USING fts5 (subject, author, content = '', detail = column, "
    "tokenize = 'unicode61 remove_diacritics 2')"
)

SCHEMA = (
    # A row for each id: weft.core.cycle_cutting.NodeState, and the earliest date of its best copies.
    "CREATE TABLE nodes (node INTEGER PRIMARY KEY, rank INTEGER NOT NULL, said INTEGER NOT NULL, "
    "parent INTEGER NOT NULL, loop INTEGER NOT NULL, date INTEGER)",
    "CREATE INDEX nodes_parent ON nodes (parent) WHERE parent >= 0",
    # The rival parents of contested messages: weft.index.rivals.
    "CREATE TABLE rivals (parent INTEGER NOT NULL, node INTEGER NOT NULL, PRIMARY KEY (parent, node)) WITHOUT ROWID",
    "CREATE INDEX rivals_node ON rivals (node)",
    # Trees by their newest message: weft.index.recency.
    "CREATE TABLE recent (root INTEGER NOT NULL, list INTEGER NOT NULL, date INTEGER NOT NULL, node INTEGER NOT NULL, "
    "PRIMARY KEY (root, list)) WITHOUT ROWID",
    "CREATE INDEX recent_newest ON recent (list, date, node)",
    "CREATE TABLE lists (list INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE)",
    # Ids that are weak in a claim (weft.core.references); alone: it names them nowhere else.  Few.
    "CREATE TABLE weak (target INTEGER NOT NULL, position INTEGER NOT NULL, alone INTEGER NOT NULL, "
    "PRIMARY KEY (target, position)) WITHOUT ROWID",
    # Other ids that the mails of claims state for themselves (weft.core.alias).  Few.
    "CREATE TABLE aliases (position INTEGER NOT NULL, alias BLOB NOT NULL, node INTEGER NOT NULL, "
    "PRIMARY KEY (position, alias)) WITHOUT ROWID",
    "CREATE INDEX aliases_alias ON aliases (alias, node)",
    # What withdrawals that count name; valid once the target is here and is of the same origin, list and message.
    "CREATE TABLE withdrawals (target BLOB NOT NULL, position INTEGER NOT NULL, valid INTEGER NOT NULL, "
    "PRIMARY KEY (target, position)) WITHOUT ROWID",
    # Subjects and authors by position; the text itself is in the claims.
    SEARCH,
    "CREATE TABLE view (key TEXT PRIMARY KEY, value BLOB NOT NULL)",
)
