"""The lists that the members of an archive belong to, by their places in it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from weft.sources.interface import Note, Notes, check_list_name
from weft.sources.list_names import Place, of_file, of_messages


class MemberNames:
    """The lists of an archive's members."""

    def __init__(
        self,
        path: str,
        name: str,
        root: str,
        parts: tuple[str, ...] | None,
        taken: Mapping[str, tuple[str, Place]],
        notes: Notes,
    ) -> None:
        self._path = path
        self._name = name
        self._root = root
        self._parts = parts
        self._taken = taken
        self._notes = notes
        self._owners: dict[str, list[tuple[str, Place]]] = {}
        self._folders: dict[str, str | None] = {}

    def of_file(self, name: str) -> str | None:
        """The list of a member with many messages; None, and a note, if it has none."""
        return self._name if self._parts is None else self._check(name, of_file(self._root, self._path_of(name, 1)))

    def of_message(self, name: str) -> str | None:
        """The list of a member that is one message."""
        if self._parts is None:
            return self._name
        folder = name.rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = self._check(name, of_messages(self._root, self._path_of(folder)))
        return self._folders[folder]

    def _path_of(self, name: str, least: int = 0) -> list[str]:
        assert self._parts is not None
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        top = self._parts[-1] if self._parts else os.path.basename(self._root)  # noqa: PTH119
        if parts[:1] == [top] and len(parts) > least:  # dev.tar holds dev/...
            del parts[0]
        return [*self._parts, *parts]

    def _check(self, name: str, place: Place) -> str | None:
        path = f"{self._path}: {name}"
        try:
            check_list_name(place.list)
        except ValueError as error:
            self._notes(Note(path, None, f"its name cannot name a list: {error}; give LIST={self._path}", 1))
            return None
        taken = self._taken.get(place.list)
        owners = [taken] if taken else self._owners.setdefault(place.list, [])
        other = next((owner for owner, other in owners if taken or not place.same_archive(other)), None)
        if other is not None:
            why = f"would be the list {place.list}, as {other} is; not read: give LIST={self._path}, or unpack it"
            self._notes(Note(path, None, why, 1))
            return None
        owners.append((name, place))
        return place.list
