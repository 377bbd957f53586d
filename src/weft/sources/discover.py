"""From what a user names to sources: ``[LIST=]PATH`` and ``LIST=-``.

Theory of operation
-------------------
Two steps.  `_parse` tells lists from paths: a path that exists wins over ``=``, so that a file may be called
``a=b.mbox``.  Then each path is looked at, directories iteratively; what is found is a candidate (list, place, kind),
and one rule at the end names, checks, sorts and de-duplicates them all.  So the sources do not depend on the order of
the arguments.

What a file is, its first bytes say (`weft.sources.forms`); which list it belongs to without ``LIST=``, its path does
(`weft.sources.list_names`).  Two archives that would get one name are not merged unless ``LIST=`` says so: the first by
path is read, the other is noted.  In a directory, names that begin with a dot are skipped, but for the sub-folders of a
Maildir; what only lies beside mail is passed over; everything else that is not mail is noted.  A directory that was
walked for a list is not walked again for it, so links that lead back end.

Who can lie: names of files are data (`check_list_name`); no list name is ever used as a path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from weft.errors import SourceError, UsageError
from weft.sources.companions import is_companion_file, is_companion_folder
from weft.sources.compressed import read_head, reason
from weft.sources.decompressors import SNIFF, format_of
from weft.sources.delimited import DELIMITED, DelimitedFile
from weft.sources.folder import Folder, MessageFile, is_mh_name, is_removed, mh_names
from weft.sources.forms import HEAD, Foreign, Form, form_of
from weft.sources.interface import Note, Notes, Source, check_list_name
from weft.sources.list_id import file_by_list_id
from weft.sources.list_names import Place, archive_stem, file_stem, of_file, of_folder, of_messages
from weft.sources.maildir import Maildir
from weft.sources.mbox import MboxFile
from weft.sources.periods import in_order
from weft.sources.public_inbox import PublicInbox, epochs, is_bare_repository
from weft.sources.standard_input import StandardInput

STDIN = "-"

_MESSAGES = (".eml", ".emlx")
"""Files with these names are messages, and are not looked at before they are read."""
_PATCHES = (".patch", ".diff")
"""Files with these names may be an mbox with a few messages of a list, but none is a list."""
_MAILDIR = frozenset(("cur", "new", "tmp"))
_FROM = b"From "

Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class _Argument:
    path: str
    list: str | None
    """None: by the place of each archive."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Something that holds mail; ``make`` gives its source, for a list."""

    path: str
    list: str | None
    place: Place
    identity: Identity | None
    make: Callable[[str], Source]
    given: bool = False
    """The user named this very path."""
    several: bool = False
    """Its members name their lists."""


@dataclass(frozen=True, slots=True)
class _Directory:
    """A directory that is to be walked: ``parts`` lead to it from ``root``, as `weft.sources.list_names` wants them."""

    path: str
    root: str
    parts: tuple[str, ...]

    def below(self, name: str) -> _Directory:
        """A directory in this one."""
        return _Directory(_join(self.path, name), self.root, (*self.parts, name))


def discover(arguments: Sequence[str], notes: Notes, *, max_ratio: int = 200, by_list_id: bool = False) -> list[Source]:
    """The sources that ``arguments`` name, sorted by list and path, months by the calendar.

    There is none if nothing could be opened.

    ``by_list_id``: each message belongs to the list that its List-Id names, if it does; others to ``LIST``.
    What cannot be read, or is not mail, is handed to ``notes``.  `UsageError` for a ``LIST`` that cannot name a list,
    for standard input without one or twice, for an empty path, and by List-Id for a path without ``LIST``.
    """
    parsed = sorted(map(_parse, arguments), key=lambda argument: (argument.list or "", argument.path))
    if sum(argument.path == STDIN for argument in parsed) > 1:
        raise UsageError("standard input (-) can be given only once")
    unnamed = next((argument.path for argument in parsed if argument.list is None), None)
    if by_list_id and unnamed is not None:
        raise UsageError(f"{unnamed}: by List-Id, mail without one needs a list too; give LIST=PATH")
    search = _Search(notes, max_ratio)
    for argument in parsed:
        search.argument(argument)
    sources = _sources(search, notes)
    return file_by_list_id(sources) if by_list_id else sources


def named_lists(arguments: Sequence[str]) -> set[str]:
    """The lists that are named with ``LIST=``.  `UsageError` as `discover` raises it."""
    return {argument.list for argument in map(_parse, arguments) if argument.list is not None}


def list_stem(name: str) -> str:
    """The list that a file's name stands for: without one compression suffix, one of mail, and a period of time."""
    return file_stem(name)[0]


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
        self.taken: dict[str, tuple[str, Place]] = {}
        """The lists that are known before any archive is read, with a path and a place of each."""
        self._notes = notes
        self._max_ratio = max_ratio
        self._walked: set[tuple[str | None, Identity]] = set()

    def argument(self, argument: _Argument) -> None:
        """Look at what one argument names."""
        path, listed = argument.path, argument.list
        if path == STDIN and listed is not None:
            place = Place(listed, (), dated=False)
            self.found.append(
                _Found(path, listed, place, None, lambda name: StandardInput(name, self._max_ratio), True)
            )
            return
        status = self._status(path)
        if status is None:
            return
        if not stat.S_ISDIR(status.st_mode):
            self._file_given(path, listed, status)
            return
        before = len(self.found)
        if self._walk(_Directory(path, path, ()), listed) and len(self.found) == before:
            self._notes(Note(path, None, "no mail in this directory"))

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            self._skip(path, reason(error))
            return None

    def _skip(self, path: str, why: str) -> None:
        self._notes(Note(path, None, why, 1))

    def _walk(self, given: _Directory, listed: str | None) -> bool:
        """Look at a directory and all below it; False if it was walked already."""
        waiting = [given]
        while waiting:
            directory = waiting.pop()
            status = self._status(directory.path)
            if status is None:
                continue
            identity = (status.st_dev, status.st_ino)
            if (listed, identity) in self._walked:
                self._notes(Note(directory.path, None, "already given"))
                if directory is given:
                    return False
                continue
            self._walked.add((listed, identity))
            try:
                waiting += reversed(self._directory(directory, listed, identity))
            except OSError as error:
                self._skip(directory.path, reason(error))
        return True

    def _directory(self, directory: _Directory, listed: str | None, identity: Identity) -> list[_Directory]:
        """Take what a directory holds; its sub-directories that are to be walked."""
        path = directory.path
        if is_bare_repository(Path(path)) or epochs(Path(path)):
            self._take(directory, listed, identity, lambda name: PublicInbox(path, name))
            return []
        folders, files = _names(path)
        form, names = "", list[str]()
        if "cur" in folders and "new" in folders:
            form = "Maildir"
            for folder in ("cur", "new"):
                os.scandir(_join(path, folder)).close()  # whether it can be read
            folders = [folder for folder in folders if folder not in _MAILDIR] + _maildir_folders(path)
        elif _is_mh(path, files):
            form, names = "MH", mh_names(path)
            files = [file for file in files if not (is_mh_name(file) or is_removed(file))]
        others = [file for file in files if self._in_directory(directory, file, listed)]
        if names or others or form:
            make = partial(self._folder, path, names, sorted(others, key=in_order), form)
            self._take(directory, listed, identity, make, of_folder if form else of_messages)
        return [directory.below(folder) for folder in folders if not is_companion_folder(folder, folders, files)]

    def _folder(self, path: str, names: Sequence[str], others: Sequence[str], form: str, name: str) -> Source:
        if form == "Maildir":
            return Maildir(path, name, others, self._max_ratio)
        return Folder(path, name, [*names, *others], self._max_ratio, form or "messages")

    def _take(
        self,
        directory: _Directory,
        listed: str | None,
        identity: Identity,
        make: Callable[[str], Source],
        where: Callable[[str, Sequence[str]], Place] = of_folder,
    ) -> None:
        place = where(directory.root, directory.parts)
        self.found.append(_Found(directory.path, listed, place, identity, make, not directory.parts))

    def _in_directory(self, directory: _Directory, name: str, listed: str | None) -> bool:
        """Look at a file in a directory; whether it is one message."""
        path = _join(directory.path, name)
        status = self._status(path)
        if status is None:
            return False
        if not stat.S_ISREG(status.st_mode):
            self._skip(path, "not a file or directory")
            return False
        if name.lower().endswith(_MESSAGES) and status.st_size:
            return True
        form = self._form(path, asked=False)
        if form is Form.MESSAGE:
            return True
        if isinstance(form, Form) and not (form is Form.EMPTY and is_companion_file(name)):
            self._take_file(path, listed, status, form, directory.root, (*directory.parts, name))
        elif isinstance(form, Foreign) and not (form.companion or is_companion_file(name)):
            self._skip(path, str(form))
        elif form is None and not is_companion_file(name):
            self._skip(path, "not mail: it has neither header fields nor a form of mail that is known")
        return False

    def _file_given(self, path: str, listed: str | None, status: os.stat_result) -> None:
        """Take a file that the user named, whatever it is."""
        if not stat.S_ISREG(status.st_mode):
            self._skip(path, "not a file or directory; to read it, give it as LIST=- on standard input")
            return
        form = self._form(path, asked=True)
        root, name = os.path.split(path)
        if form is Form.MESSAGE:
            place, identity = of_messages(root, ()), (status.st_dev, status.st_ino)
            self.found.append(
                _Found(path, listed, place, identity, lambda of: MessageFile(path, of, self._max_ratio), True)
            )
        elif isinstance(form, Foreign):
            self._skip(path, str(form))
        elif form != "":
            self._take_file(path, listed, status, form or Form.MBOX, root, (name,), given=True)

    def _form(self, path: str, *, asked: bool) -> Form | Foreign | Literal[""] | None:
        """The form of a file; empty if it cannot be read, which was noted."""
        try:
            packed, head = read_head(Path(path), HEAD)
        except OSError as error:
            self._skip(path, reason(error))
            return ""
        except SourceError:  # what can be read of it will be, and then it is said
            return Form.MBOX
        form = form_of(head, asked=asked)
        if packed and format_of(head[:SNIFF]) is not None:
            return Foreign(f"{packed} in which there is {format_of(head[:SNIFF])}", "decompress it once")
        return form

    def _take_file(
        self,
        path: str,
        listed: str | None,
        status: os.stat_result,
        form: Form,
        root: str,
        parts: tuple[str, ...],
        *,
        given: bool = False,
    ) -> None:
        """Take a file with any number of messages."""
        identity = (status.st_dev, status.st_ino)
        if form in (Form.TAR, Form.ZIP):
            self._take_archive(path, listed, identity, form, root, parts, given=given)
            return
        patches = parts[-1].lower().endswith(_PATCHES)
        place = of_messages(root, parts[:-1]) if patches else of_file(root, parts)

        def make(name: str) -> Source:
            if form in DELIMITED:
                return DelimitedFile(path, name, form, self._max_ratio)
            return MboxFile(path, name, self._max_ratio)

        self.found.append(_Found(path, listed, place, identity, make, given))

    def _take_archive(
        self,
        path: str,
        listed: str | None,
        identity: Identity,
        form: Form,
        root: str,
        parts: tuple[str, ...],
        *,
        given: bool,
    ) -> None:
        """Take a tar or zip: its members lie as if it were a directory of its name."""
        folder = archive_stem(parts[-1])
        place = of_folder(root, (*parts[:-1], folder))
        inside = (*parts[:-1], folder)
        if given:
            root, inside = _join(root, folder), ()

        def make(name: str) -> Source:
            from weft.sources.containers import ArchiveFile  # tar and zip are rare, and much to load

            if listed is not None:
                return ArchiveFile(path, name, form, self._max_ratio)
            return ArchiveFile(path, name, form, self._max_ratio, root, inside, self.taken)

        self.found.append(_Found(path, listed, place, identity, make, given, listed is None))


def _sources(search: _Search, notes: Notes) -> list[Source]:
    """Name, sort and de-duplicate."""
    found = search.found
    sources: list[Source] = []
    taken: set[tuple[str, Identity]] = set()
    asked = {one.identity for one in found if one.list is not None and one.identity}
    owners: dict[str, list[_Found]] = {}
    named = [(name, one) for one in found if (name := _name(one, notes)) is not None]
    for name, one in sorted(named, key=lambda pair: (pair[0], pair[1].list is None, pair[1].path)):
        if one.identity is not None:
            if (name, one.identity) in taken or (one.list is None and not one.given and one.identity in asked):
                notes(Note(one.path, None, "already given"))
                continue
            taken.add((name, one.identity))
        if not one.several:
            if one.list is None and (other := _other_archive(one, owners.get(name, ()))):
                notes(Note(one.path, None, _conflict(name, one.path, other), 1))
                continue
            owners.setdefault(name, []).append(one)
            search.taken[name] = one.path, one.place
        sources.append(one.make(name))
    return sorted(sources, key=lambda source: (source.list, in_order(source.path)))


def _other_archive(found: _Found, owners: Sequence[_Found]) -> str | None:
    """The path of another archive that has the name already; None if all of them are one archive with this one.

    Who gives a file and says of another that it is of the list of that name has asked for it.
    """
    others = (owner for owner in owners if owner.list is None or not found.given)
    return next((owner.path for owner in others if not found.place.same_archive(owner.place)), None)


def _conflict(name: str, path: str, other: str) -> str:
    return (
        f"would be the list {name}, as {other} is; not read: give LIST={path} for a list of its own, "
        f"or {name}={path} if both are one list"
    )


def _name(found: _Found, notes: Notes) -> str | None:
    if found.list is not None:
        return found.list
    try:
        return check_list_name(found.place.list)
    except ValueError as error:
        if found.several:
            return "archive"
        notes(Note(found.path, None, f"its name cannot name a list: {error}; give it as LIST=PATH", 1))
        return None


def _maildir_folders(path: str) -> list[str]:
    """The sub-folders of a Maildir++: directories whose names begin with a dot, and that are Maildirs."""
    entries = sorted(entry.name for entry in _scan(path) if entry.name.startswith("."))
    return [name for name in entries if os.path.isdir(_join(_join(path, name), "cur"))]  # noqa: PTH112


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
    if len(numbers) < len([file for file in files if not is_removed(file)]):
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
