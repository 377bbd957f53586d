"""The keys that ids are found by, and which message ids look alike.

Theory of operation
-------------------
Keys are hashes keyed with a secret of the index, so that nobody outside can make ids that meet in one; what is found
by a key is compared with the whole id.

Two message ids look alike if they have one **skeleton**: the id without case and punctuation.  The key of a message id
is 24 bits of a hash of its skeleton, then 24 bits of a hash of the skeleton and the id.  So one table finds an id by
its whole key, and all that look like it, which stand side by side, by the upper half.  Of ten million ids a skeleton
meets less than one other by chance.  Whoever posts ids that look alike by the thousand shares the upper half among
them and nothing else, so that the look-up of each of them costs what it did.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from hashlib import blake2b

ID_KEYS = "CREATE TABLE id_keys (key INTEGER, node INTEGER, PRIMARY KEY (key, node)) WITHOUT ROWID"
_HALF = 24
_PUNCTUATION = b".-_+=$"


def skeleton(message_id: bytes) -> bytes:
    """The id in small letters (of ASCII) and without the punctuation ``.-_+=$``."""
    return message_id.lower().translate(None, _PUNCTUATION)


def key_function(secret: bytes) -> Callable[[bytes], int]:
    """The function that gives 32 bits (signed) of a keyed hash of bytes."""
    keyed, number = partial(blake2b, digest_size=4, key=secret), int.from_bytes

    def key(data: bytes) -> int:
        return number(keyed(data).digest(), "big", signed=True)

    return key


def id_key_function(secret: bytes) -> Callable[[bytes], int]:
    """The function that gives the key of a message id: 48 bits, signed."""
    keyed, number = partial(blake2b, digest_size=_HALF // 8, key=secret), int.from_bytes

    def key(data: bytes) -> int:
        hashed = keyed(data.lower().translate(None, _PUNCTUATION))  # `skeleton`: a call would cost a tenth of this
        upper = hashed.digest()
        hashed.update(data)
        return number(upper + hashed.digest(), "big", signed=True)

    return key


def alike(key: int) -> tuple[int, int]:
    """The smallest and the greatest key of what may have the same skeleton as the id with this key."""
    first = key >> _HALF << _HALF
    return first, first + (1 << _HALF) - 1


def fill_id_keys(connection: sqlite3.Connection, key: Callable[[bytes], int]) -> None:
    """Throw the table away and make it again from the ids, in the caller's transaction; SQLite sorts them."""
    connection.execute("DROP TABLE IF EXISTS id_keys")
    connection.execute(ID_KEYS)
    connection.create_function("id_key", 1, key, deterministic=True)
    connection.execute("INSERT INTO id_keys SELECT id_key(id), node FROM ids ORDER BY 1, 2")
    connection.create_function("id_key", 1, None)
