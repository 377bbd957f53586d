"""Edits the ``[mute]`` table of a policy file, and nothing else in it: comments, order and spaces stay.

What is added is written in the one form that `weft.policy.rules.Mute` writes, so that saying a thing twice adds it
once, and it can be undone in any form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.items import Array, Table

from weft.cli._ids import parse_id
from weft.core.message_id import key as id_key
from weft.core.signing import fingerprint
from weft.errors import UsageError, WeftError
from weft.policy.rules import Mute, Policy
from weft.policy.toml import TomlTable as Typed
from weft.store.sqlite import SqliteStore

Pair = tuple[str, Any]
"""What to mute or to show again: a key of ``[mute]`` and a value in its one form."""


def read_pairs(
    claims: Sequence[str],
    authors: Sequence[str],
    ids: Sequence[str],
    edges: Sequence[tuple[str, str]],
    feeds: Sequence[str],
    policy: Policy,
) -> list[Pair]:
    """From what a user typed; `weft.errors.UsageError` says what cannot be meant."""
    given: dict[str, list[Any]] = {
        "claims": [claim.lower() for claim in claims],
        "authors": list(authors),
        "feeds": [_feed(feed, policy) for feed in feeds],
    }
    try:
        muted = [(key, _read(key, value, policy.own)) for key, values in given.items() for value in values]
    except UnicodeEncodeError:
        raise UsageError("an author whose address is not UTF-8 cannot stand in a policy") from None
    muted += [("ids", Mute(ids=frozenset([_id(one)]))) for one in ids]
    muted += [("edges", Mute(edges=frozenset([(_id(child), _id(parent))]))) for child, parent in edges]
    return [(key, _written(key, mute, policy.own)) for key, mute in muted]


def edit(document: tomlkit.TOMLDocument, wanted: Sequence[Pair], own: bytes | None, *, undo: bool) -> bool:
    """Mute ``wanted`` in the text of a policy, or mute it no more; whether that changes anything."""
    if "mute" not in document:
        document["mute"] = tomlkit.table()
    table = cast("Table", document["mute"])
    changed = False
    for key, value in wanted:
        change = _remove if undo else _add
        changed |= change(table, key, value, own)
    return changed


def nowhere(index: Path, claims: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Those claims and ids, as they were typed, of which an index has nothing; none if it cannot be read."""
    if not index.exists():
        return []
    try:
        with SqliteStore(index, read_only=True) as store:
            held = store.holds([bytes.fromhex(claim) for claim in claims])
            named = store.node_numbers([_id(one) for one in ids])
    except WeftError:
        return []
    lacking = [claim for claim in claims if bytes.fromhex(claim) not in held]
    return lacking + [one for one, node in zip(ids, named, strict=True) if node is None]


def _add(table: Table, key: str, value: Any, own: bytes | None) -> bool:  # noqa: ANN401 - a text or a pair
    items = _items(table, key)
    if value in _forms(key, items, own) or "*" in items:
        return False
    if value == "*":
        table[key] = "*"
    else:
        _array(table, key).append(value)
    return True


def _remove(table: Table, key: str, value: Any, own: bytes | None) -> bool:  # noqa: ANN401
    items = _items(table, key)
    if "*" in items and value != "*":
        raise UsageError("all feeds are muted, not this one; undo that with: weft mute --undo --feed '*'")
    places = [place for place, form in enumerate(_forms(key, items, own)) if form == value]
    array = _array(table, key) if places else None
    for place in reversed(places):
        assert array is not None
        del array[place]
    return bool(places)


def _items(table: Table, key: str) -> list[Any]:
    """The values under a key, of which one may stand alone."""
    value = tomlkit.item(table.get(key, [])).unwrap()
    return value if isinstance(value, list) else [value]


def _array(table: Table, key: str) -> Array:
    """The array under a key, made if need be."""
    value = table.get(key)
    if not isinstance(value, Array):
        array = tomlkit.array()
        array.extend(_items(table, key))
        table[key] = array
    found = table[key]
    assert isinstance(found, Array)
    return found


def _forms(key: str, items: Sequence[Any], own: bytes | None) -> Iterator[Any]:
    """The one form of each value that stands in the file."""
    return (_written(key, _read(key, item, own), own) for item in items)


def _read(key: str, value: Any, own: bytes | None) -> Mute:  # noqa: ANN401
    return Mute.read(Typed("mute", {key: [value]}), own)


def _written(key: str, mute: Mute, own: bytes | None) -> Any:  # noqa: ANN401
    written: Any = mute.written(own)[key]
    return written if isinstance(written, str) else written[0]


def _id(text: str) -> bytes:
    return id_key(parse_id(text).encode("utf-8", "surrogateescape"))


def _feed(text: str, policy: Policy) -> str:
    """A feed with the fingerprint in place of our own name for its origin."""
    name, slash, rest = text.partition("/")
    named = [fingerprint(key) for key, row in policy.origins.items() if row.name and row.name == name]
    return named[0] + slash + rest if named else text
