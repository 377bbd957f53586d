"""From what a user names to sources: ``[LIST=]PATH`` and ``LIST=-``.

Theory of operation
-------------------
Two steps.  `_parse` tells lists from paths: a path that exists wins over ``=``, so that a file may be called
``a=b.mbox``.  Then each path is looked at, directories iteratively; what is found is a candidate (list, path, kind),
and one rule at the end names, checks, sorts and de-duplicates them all.  So the sources do not depend on the order of
the arguments.

Without ``LIST=`` each mbox is a list by the stem of its name, each folder or archive by its directory's.  In a
directory, names that begin with a dot are skipped; everything else that is not mail is noted.  A directory that was
walked for a list is not walked again for it, so links that lead back end.

Who can lie: names of files are data (`check_list_name`); no list name is ever used as a path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from weft.errors import UsageError
from weft.sources.base import Note, Notes, Source, check_list_name
from weft.sources.compressed import reason
from weft.sources.decoders import SNIFF, format_of
from weft.sources.folder import Folder, is_mh_name, maildir_names, mh_names
from weft.sources.mbox import MboxFile, MboxStdin
from weft.sources.public_inbox import PublicInbox, epochs, is_bare_repository

STDIN = "-"

_COMPRESSIONS = (".gz", ".xz", ".bz2", ".zst")
_MAIL = (".mbox", ".mbx", ".mboxrd", ".mboxo", ".mboxcl", ".txt", ".mail")
_MAILDIR = frozenset(("cur", "new", "tmp"))
_FROM = b"From "

Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class _Argument:
    path: str
    list: str | None
    """None: by the stem of each name."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Something that holds mail; ``make`` gives its source, for a list."""

    path: str
    list: str | None
    stem: str
    identity: Identity | None
    make: Callable[[str], Source]


def discover(arguments: Sequence[str], notes: Notes, *, max_ratio: int = 200) -> list[Source]:
    """The sources that ``arguments`` name, sorted by (list, path); none if nothing could be opened.

    What cannot be read, or is not mail, is handed to ``notes``.  `UsageError` for a ``LIST`` that cannot name a list,
    for standard input without one or twice, and for an empty path.
    """
    parsed = sorted(map(_parse, arguments), key=lambda argument: (argument.list or "", argument.path))
    if sum(argument.path == STDIN for argument in parsed) > 1:
        raise UsageError("standard input (-) can be given only once")
    search = _Search(notes, max_ratio)
    for argument in parsed:
        search.argument(argument)
    return _sources(search.found, notes)


def list_stem(name: str) -> str:
    """The list that a file's name stands for: without one compression suffix, then without one of mail."""
    return _without_suffix(_without_suffix(name, _COMPRESSIONS), _MAIL)


def _without_suffix(name: str, suffixes: Sequence[str]) -> str:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - Path.stem differs between versions for a dot at the end
    return stem if stem and suffix.lower() in suffixes else name


def _directory_stem(path: str) -> str:
    return _without_suffix(os.path.basename(os.path.abspath(path)), (".git",))  # noqa: PTH100, PTH119 - not resolved


def _parse(argument: str) -> _Argument:
    if argument == STDIN:
        raise UsageError("standard input needs the name of its list: LIST=-")
    name, equals, path = argument.partition("=")
    if not equals or "/" in name or _exists(argument):
        path, listed = argument, None
    else:
        listed = _check_list(name)
    if not path:
        raise UsageError(f"{argument!r} names no file")
    return _Argument(path, listed)


def _exists(path: str) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # it holds a NUL
        return False


def _check_list(name: str) -> str:
    try:
        return check_list_name(name)
    except ValueError as error:
        raise UsageError(f"{name!r} cannot name a list: {error}") from None


class _Search:
    """Collects what holds mail."""

    def __init__(self, notes: Notes, max_ratio: int) -> None:
        self.found: list[_Found] = []
        self._notes = notes
        self._max_ratio = max_ratio
        self._walked: set[tuple[str | None, Identity]] = set()

    def argument(self, argument: _Argument) -> None:
        """Look at what one argument names."""
        path, listed = argument.path, argument.list
        if path == STDIN and listed is not None:
            self.found.append(_Found(path, listed, listed, None, lambda name: MboxStdin(name, self._max_ratio)))
            return
        status = self._status(path)
        if status is None:
            return
        if not stat.S_ISDIR(status.st_mode):
            self._file(path, listed, status, asked=True)
            return
        before = len(self.found)
        if self._walk(path, listed) and len(self.found) == before:
            self._notes(Note(path, None, "no mail in this directory"))

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            self._skip(path, reason(error))
            return None

    def _skip(self, path: str, why: str) -> None:
        self._notes(Note(path, None, why, 1))

    def _walk(self, path: str, listed: str | None) -> bool:
        """Look at a directory and all below it; False if it was walked already."""
        first = True
        waiting = [path]
        while waiting:
            directory = waiting.pop()
            status = self._status(directory)
            if status is None:
                continue
            identity = (status.st_dev, status.st_ino)
            if (listed, identity) in self._walked:
                self._notes(Note(directory, None, "already given"))
                if first:
                    return False
                continue
            first = False
            self._walked.add((listed, identity))
            try:
                waiting += reversed(self._directory(directory, listed, identity))
            except OSError as error:
                self._skip(directory, reason(error))
        return True

    def _directory(self, path: str, listed: str | None, identity: Identity) -> list[str]:
        """Take what a directory holds; its sub-directories that are to be walked."""
        if is_bare_repository(Path(path)) or epochs(Path(path)):
            self._take(path, listed, identity, lambda name: PublicInbox(path, name))
            return []
        folders, files = _names(path)
        if "cur" in folders and "new" in folders:
            self._note_hidden_folders(path)
            names = maildir_names(path)
            self._take(path, listed, identity, lambda name: Folder(path, name, names, self._max_ratio))
            folders = [folder for folder in folders if folder not in _MAILDIR]
        elif _is_mh(path, files):
            numbers = mh_names(path)
            self._take(path, listed, identity, lambda name: Folder(path, name, numbers, self._max_ratio))
            files = [file for file in files if not is_mh_name(file)]
        for file in files:
            self._in_directory(_join(path, file), listed)
        return [_join(path, folder) for folder in folders]

    def _take(self, path: str, listed: str | None, identity: Identity, make: Callable[[str], Source]) -> None:
        self.found.append(_Found(path, listed, _directory_stem(path), identity, make))

    def _in_directory(self, path: str, listed: str | None) -> None:
        status = self._status(path)
        if status is not None:
            self._file(path, listed, status, asked=False)

    def _file(self, path: str, listed: str | None, status: os.stat_result, *, asked: bool) -> None:
        """Take a file: whatever it is if the user named it, else if it looks like mail."""
        if not stat.S_ISREG(status.st_mode):
            self._skip(path, "not a file or directory" + ("; to read it, give it as LIST=- on standard input" * asked))
            return
        try:
            with Path(path).open("rb", buffering=0) as file:
                head = file.read(SNIFF)
        except OSError as error:
            self._skip(path, reason(error))
            return
        if not asked and head and not head.startswith(_FROM) and format_of(head) is None:
            self._skip(path, "not mail: it does not begin with 'From '")
            return
        identity, stem = (status.st_dev, status.st_ino), list_stem(os.path.basename(path))  # noqa: PTH119
        self.found.append(_Found(path, listed, stem, identity, lambda name: MboxFile(path, name, self._max_ratio)))

    def _note_hidden_folders(self, path: str) -> None:
        for entry in sorted(_scan(path), key=lambda entry: entry.name):
            if entry.name.startswith(".") and os.path.isdir(_join(entry.path, "cur")):  # noqa: PTH112
                self._notes(Note(entry.path, None, "a sub-folder, which is not read unless it is named"))


def _sources(found: list[_Found], notes: Notes) -> list[Source]:
    """Name, sort and de-duplicate."""
    sources: list[Source] = []
    taken: set[tuple[str, Identity]] = set()
    named = [(name, one) for one in found if (name := _name(one, notes)) is not None]
    for name, one in sorted(named, key=lambda pair: (pair[0], pair[1].path)):
        if one.identity is not None and (name, one.identity) in taken:
            notes(Note(one.path, None, "already given"))
            continue
        if one.identity is not None:
            taken.add((name, one.identity))
        sources.append(one.make(name))
    return sources


def _name(found: _Found, notes: Notes) -> str | None:
    if found.list is not None:
        return found.list
    try:
        return check_list_name(found.stem)
    except ValueError as error:
        notes(Note(found.path, None, f"its name cannot name a list: {error}; give it as LIST=PATH", 1))
        return None


def _scan(path: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        yield from entries


def _names(path: str) -> tuple[list[str], list[str]]:
    """(directories, everything else) in a directory that is not hidden, sorted."""
    folders: list[str] = []
    others: list[str] = []
    for entry in _scan(path):
        if not entry.name.startswith("."):
            (folders if _is_directory(entry) else others).append(entry.name)
    return sorted(folders), sorted(others)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_mh(path: str, files: list[str]) -> bool:
    """Whether a directory with these files is an MH folder.

    Archives by month may have names of digits only; they begin like an mbox or like compressed data.
    """
    numbers = [file for file in files if is_mh_name(file)]
    if not numbers:
        return False
    if os.path.lexists(_join(path, ".mh_sequences")):
        return True
    if len(numbers) < len(files):
        return False
    first = _join(path, min(numbers, key=int))
    try:
        if not os.path.isfile(first):  # noqa: PTH113
            return True
        with Path(first).open("rb", buffering=0) as file:
            head = file.read(SNIFF)
    except OSError:
        return True
    return not head.startswith(_FROM) and format_of(head) is None


def _join(path: str, name: str) -> str:
    return os.path.join(path, name)  # noqa: PTH118 - Path would rewrite what the user named
