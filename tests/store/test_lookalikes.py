"""Ids that look alike: all of them are found, and nothing else is looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from weft.store.id_keys import ID_KEYS, alike, id_key_function, key_function, skeleton
from weft.store.id_table import IdTable
from weft.store.sqlite import SqliteStore

IDS = st.text("aAb1.-_+=$@", max_size=5).map(str.encode) | st.binary(max_size=4)
SECRETS = st.binary(min_size=16, max_size=16)


def constant(_: bytes) -> int:
    return -5


def table(connection: sqlite3.Connection, key: Callable[[bytes], int], ids: list[bytes]) -> IdTable:
    connection.execute("CREATE TABLE ids (node INTEGER PRIMARY KEY, id BLOB)")
    connection.execute(ID_KEYS)
    made = IdTable(connection, key)
    made.numbers(ids, create=True)
    return made


@given(st.lists(IDS, max_size=12, unique=True), IDS, SECRETS, st.booleans())
def test_all_that_look_alike_are_found_also_where_all_keys_meet(
    ids: list[bytes], asked: bytes, secret: bytes, meet: bool
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        nodes = table(connection, constant if meet else id_key_function(secret), ids)
        same = sorted(one for one in ids if skeleton(one) == skeleton(asked) and one != asked)
        assert nodes.lookalikes(asked, 99) == same
        some = nodes.lookalikes(asked, 2)
        assert len(some) == min(2, len(same))
        assert set(some) <= set(same)
        nodes.forget()
        assert set(nodes.numbers(ids, create=False)) == set(ids)


@given(IDS, IDS, SECRETS)
def test_a_key_has_48_bits_of_which_the_upper_half_tells_what_looks_alike(
    one: bytes, other: bytes, secret: bytes
) -> None:
    key = id_key_function(secret)
    first, last = alike(key(one))
    assert -(1 << 47) <= first <= key(one) <= last < 1 << 47
    assert last - first == (1 << 24) - 1
    if skeleton(one) == skeleton(other):
        assert first <= key(other) <= last


def test_ids_that_look_alike_by_the_thousand_have_keys_of_their_own() -> None:
    key = id_key_function(b"s" * 16)
    ids = [b"x".join(marks) + b"@y" for marks in product([b"", b".", b"-", b"_", b"+"], repeat=6)]
    assert len({key(one) >> 24 for one in ids}) == 1
    assert len({key(one) for one in ids}) > len(ids) - 20


def test_what_one_look_up_costs_does_not_grow_with_the_index() -> None:
    def steps(count: int) -> int:
        with closing(sqlite3.connect(":memory:")) as connection:
            nodes = table(connection, id_key_function(b"s" * 16), [b"%d@x" % number for number in range(count)])
            nodes.numbers([b"1.7@X"], create=True)
            counted = [0]

            def count_step() -> int:
                counted[0] += 1
                return 0

            connection.set_progress_handler(count_step, 1)
            assert nodes.lookalikes(b"17@x", 20) == [b"1.7@X"]
            return counted[0]

    assert steps(20_000) < steps(20) + 50


def test_an_index_of_an_older_version_gets_the_keys_when_it_is_opened_to_write(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    ids = [b"A.b@x", b"a-b@x", b"c@x"]
    with SqliteStore(path) as store:
        with store.transaction():
            nodes = store.node_numbers(ids, create=True)
        [(secret,)] = store.connection.execute("SELECT value FROM meta WHERE name = 'secret'").fetchall()
        old = key_function(secret)  # these were the keys before
        store.connection.execute("DELETE FROM id_keys")
        rows = [(old(one), node) for one, node in zip(ids, nodes, strict=True)]
        store.connection.executemany("INSERT INTO id_keys VALUES (?, ?)", rows)
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE '005%'")
    with SqliteStore(path) as again:
        assert again.node_numbers(ids) == nodes
        assert again.lookalikes(b"ab@x", 20) == [b"A.b@x", b"a-b@x"]
        assert list(again.check()) == []
    with SqliteStore(path, read_only=True) as reader:
        assert reader.lookalikes(b"A.b@x", 20) == [b"a-b@x"]
