"""Typed values out of TOML tables, with errors that begin with the path of the key.

The tables are of our own configuration, so nobody lies here, but everybody makes mistakes: what is not understood is
an error and never ignored, because a misspelled right must not become a right that is silently absent, or worse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from weft.errors import PolicyError

MAX_NUMBER = (1 << 63) - 1
_T = TypeVar("_T")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def quoted(key: str) -> str:
    """A key as TOML writes it, always on one line."""
    return key if _BARE.fullmatch(key) else json.dumps(key)


@dataclass(frozen=True, slots=True)
class TomlTable:
    """One table, and the path that leads to it."""

    path: str
    values: Mapping[str, object]

    def error(self, key: str, problem: str) -> PolicyError:
        """What is wrong with the value of ``key``."""
        return PolicyError(f"{self._at(key)}: {problem}")

    def only(self, known: Sequence[str]) -> None:
        """`PolicyError` for the first key that is not one of ``known``."""
        for key in self.values:
            if key not in known:
                raise self.error(key, f"unknown; known here: {', '.join(known)}")

    def table(self, key: str) -> TomlTable:
        """The table under ``key``, empty if it is absent."""
        return TomlTable(self._at(key), self._of_type(key, {}, dict, "a table"))

    def tables(self) -> Iterator[tuple[str, TomlTable]]:
        """All values, each of which must be a table."""
        return ((key, self.table(key)) for key in self.values)

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        return self._of_type(key, default, str, "a text")

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        return self._of_type(key, default, bool, "true or false")

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of some texts."""
        value = self.values.get(key, default)
        if value not in choices:
            raise self.error(key, f"must be {' or '.join(map(_shown, choices))}, not {_shown(value)}")
        return str(value)

    def number(self, key: str, default: int, least: int = 0, most: int = MAX_NUMBER) -> int:
        """A whole number within bounds."""
        value = self._of_type(key, default, int, "a whole number")
        if not least <= value <= most:
            raise self.error(key, f"must be {least} to {most}, not {value}")
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts; one text alone is a list of it, an absent one is empty."""
        value = self.values.get(key, [])
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, f"must be a list of texts, not {_shown(value)}")
        return value

    def pairs(self, key: str) -> list[tuple[str, str]]:
        """A list of pairs of texts."""
        pairs = []
        for value in self._of_type(key, [], list, "a list"):
            if not isinstance(value, list) or len(value) != 2 or not all(isinstance(item, str) for item in value):
                raise self.error(key, f"each must be a pair of texts, not {_shown(value)}")
            pairs.append((value[0], value[1]))
        return pairs

    def _at(self, key: str) -> str:
        return f"{self.path}.{quoted(key)}" if self.path else quoted(key)

    def _of_type(self, key: str, default: _T, kind: type[_T], name: str) -> _T:
        value = self.values.get(key, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"must be {name}, not {_shown(value)}")
        return value


def _shown(value: object) -> str:
    """A value on one line, cut."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
