"""Edits the ``[mute]`` table of a policy file, and nothing else in it: comments, order and spaces stay.

What is added is written in the one form that `weft.core.policy.Mute` writes, so that saying a thing twice adds it once,
and it can be undone in any form.  The new text is read as a policy before it takes the place of the old, in one step.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Table

from weft.cli.ids import parse_id
from weft.core.message_id import key as id_key
from weft.core.policy import Mute, Policy, parse_policy
from weft.core.signing import fingerprint, public_key
from weft.core.tables import Table as Typed
from weft.errors import PolicyError, UsageError, WeftError
from weft.keys import load_key


@dataclass(frozen=True, slots=True)
class Values:
    """What to mute or to show again: pairs of a key of ``[mute]`` and a value in its one form."""

    pairs: tuple[tuple[str, Any], ...]

    def __bool__(self) -> bool:
        return bool(self.pairs)

    @classmethod
    def read(
        cls,
        claims: Sequence[str],
        authors: Sequence[str],
        ids: Sequence[str],
        edges: Sequence[tuple[str, str]],
        feeds: Sequence[str],
        policy: Policy,
    ) -> Values:
        """From what a user typed; `weft.errors.UsageError` says what cannot be meant."""
        given: dict[str, list[Any]] = {
            "claims": [claim.lower() for claim in claims],
            "authors": list(authors),
            "feeds": [_feed(feed, policy) for feed in feeds],
        }
        muted = [(key, _read(key, value, policy.own)) for key, values in given.items() for value in values]
        muted += [("ids", Mute(ids=frozenset([_id(one)]))) for one in ids]
        muted += [("edges", Mute(edges=frozenset([(_id(child), _id(parent))]))) for child, parent in edges]
        return cls(tuple((key, _written(key, mute, policy.own)) for key, mute in muted))


def own_origin(index: Path) -> bytes | None:
    """The public key that belongs to an index; None if there is none yet."""
    from weft.index.config import key_path

    try:
        return public_key(load_key(key_path(index)))
    except FileNotFoundError:
        return None


def edited(path: Path, wanted: Values, own: bytes | None, *, undo: bool) -> tuple[str, bool]:
    """The text of the policy file with ``wanted`` muted, or not muted any more; and whether that changes it."""
    try:
        document = tomlkit.parse(path.read_bytes().decode() if path.exists() else "")
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise PolicyError(f"{path}: {error}; mend the file") from None
    if "mute" not in document:
        document["mute"] = tomlkit.table()
    table = cast("Table", document["mute"])
    changed = False
    for key, value in wanted.pairs:
        change = _remove if undo else _add
        changed |= change(table, key, value, own)
    return tomlkit.dumps(document), changed


def parsed(path: Path, text: str, own: bytes | None) -> Policy:
    """The policy that a text states."""
    try:
        return parse_policy(tomllib.loads(text), own)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{path}: {error}; mend the file") from None


def replace_file(path: Path, text: str) -> None:
    """Put ``text`` in the place of a file in one step, with the file's mode; a link stays one."""
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o600
        descriptor, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            Path(draft).replace(target)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise WeftError(f"{path}: cannot write the policy: {error.strerror or error}") from None


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
