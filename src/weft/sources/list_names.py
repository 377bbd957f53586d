"""Which list mail belongs to, by the path of the archive that it lies in.

Theory of operation
-------------------
Below a directory that the user names, a list is called by the path to its archive, joined with dots, without what
belongs to the form of the archive and not to its place: suffixes, ``cur`` and ``new`` of a Maildir, ``git/0.git`` of
public-inbox, the second name of Mailman's ``LIST.mbox/LIST.mbox``, ``.sbd`` of Thunderbird, ``Messages`` of Apple Mail,
``archive/0`` of ezmlm, and the periods of time that archives are cut into or rotated by (`weft.sources.periods`):
``imagej-devel/2014-August.txt.gz`` belongs to ``imagej-devel``, ``dev.mbox.1.gz`` to ``dev``.
A file that the user names is called by its own name, by the same rules.  If nothing is left, the name is that of the
nearest directory above that is no such part.

`Place.archive` tells which of equal names are one archive (`same_archive`): the periods of one directory, and beside
them the one file that holds all of them, as Mailman 2 keeps both.

Who can lie: whoever names files.  The name is text only, and never used as a path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from weft.sources.periods import is_part, is_period, is_period_of_file, without_period

_COMPRESSIONS = (".gz", ".xz", ".bz2", ".zst")
_MAIL = (
    ".mbox", ".mbx", ".mboxrd", ".mboxo", ".mboxcl", ".mboxcl2", ".txt", ".mail", ".mmdf", ".babyl", ".archive",
    ".arch", ".notebook",
)  # fmt: skip
_BACKUPS = (".old", ".bak", ".orig", ".save", ".prev")
_OF_NO_LIST = ("archive", "archives", "mbox", "mail", "messages")
"""Before a period of time these say what is in the file, and not of which list."""
_ARCHIVES = (".tar", ".tgz", ".txz", ".tbz", ".tbz2", ".tzst", ".zip")
_FOLDERS = (".mbox", ".sbd", ".git")
_MAILBOX = "mbox"
_TOPICS = "topics"
"""What Google's exports of groups call the one file in the folder of a group."""

_NOTEBOOK = re.compile(r"(.+)\.log([0-9]{4}[a-z]?)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_EZMLM = "archive"
"""The folder in which ezmlm keeps folders of a hundred messages each, with numbers for names."""
_NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)
_EPOCH = re.compile(r"[0-9]{1,9}\.git", re.ASCII)
_APPLE = re.compile(r"Messages|Attachments|Data|[0-9]|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.ASCII)


class Place(NamedTuple):
    """Where mail lies: the name of its list, and what tells one archive from another."""

    list: str
    archive: tuple[str, ...]
    """The path of the archive, without what belongs to its form."""
    dated: bool
    """It holds a period of time of the archive, and others may hold others."""

    def same_archive(self, other: Place) -> bool:
        """Whether two places are parts of one archive."""
        return self.archive == other.archive and (self.dated or other.dated)


def of_file(root: str, parts: Sequence[str]) -> Place:
    """The place of a file with many messages: ``parts`` lead to it from the directory ``root``."""
    *folders, name = parts
    stem, dated = file_stem(name)
    kept, also_dated = _folders(folders)
    if is_part(stem, folders):
        dated = True
    elif not (
        is_period_of_file(stem)
        or (folders and _repeats(folders[-1], stem))
        or (dated and kept[-1:] == [stem])
        or (also_dated and stem == _MAILBOX)
        or (dated and stem.lower() in _OF_NO_LIST)
        or (stem == _TOPICS and folders and "@" in folders[-1])
    ):
        kept.append(stem)
    return _place(root, kept, dated or also_dated)


def of_folder(root: str, parts: Sequence[str]) -> Place:
    """The same of a directory whose messages are files of their own."""
    return _place(root, *_folders(parts))


def of_messages(root: str, parts: Sequence[str]) -> Place:
    """The same of a directory of files of which each holds a message or a few: it is one archive, however they come."""
    place = of_folder(root, parts)
    return Place(place.list, (*place.archive, ""), dated=True)


def may_be_one_archive(one: str, other: str) -> bool:
    """Whether two absolute paths to mail of one list can be of one archive: parts of it, or side by side in it."""
    if one == other or os.path.dirname(one) in (other, os.path.dirname(other)) or os.path.dirname(other) == one:  # noqa: PTH120
        return True
    first, second = (of_file("/", path.strip("/").split("/")) for path in (one, other))
    return first.same_archive(second)


def file_stem(name: str) -> tuple[str, bool]:
    """A file's name without suffixes, and without a period of time at its end; whether there was one."""
    stem, dated = _without_form(name), False
    while not is_period_of_file(stem):
        if found := _NOTEBOOK.fullmatch(stem):
            return found[1], dated or found[2] is not None
        before = without_period(stem) or _without_backup(stem)
        if before is None:
            return stem, dated
        stem, dated = _without_form(before), True
    return stem, True


def _without_form(name: str) -> str:
    return without_suffix(without_suffix(name, _COMPRESSIONS), _MAIL)


def _without_backup(name: str) -> str | None:
    """The name of the mailbox that was renamed to this one; None if it was not."""
    before = without_suffix(name.removesuffix("~"), _BACKUPS)
    return before if before != name and without_suffix(before, _MAIL) != before else None


def archive_stem(name: str) -> str:
    """The name of a tar or zip without its suffixes."""
    return without_suffix(without_suffix(name, _COMPRESSIONS), _ARCHIVES)


def without_suffix(name: str, suffixes: Sequence[str]) -> str:
    """``name`` without one of some suffixes, in upper or lower case; never empty."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - Path.stem differs between versions for a dot at the end
    return stem if stem and suffix.lower() in suffixes else name


def _place(root: str, kept: list[str], dated: bool) -> Place:
    above = [part for part in os.path.abspath(root).split("/") if part]  # noqa: PTH100 - links stay
    if kept:
        if above and len(kept) == 1 and _repeats(above[-1], kept[0]):
            del above[-1]
        return Place(".".join(kept), (*above, *kept), dated)
    for end in range(len(above), 0, -1):
        last = _folders(above[end - 1 : end])[0]
        if last and _folders(above[:end])[0][-1:] == last:
            return Place(last[0], (*above[: end - 1], last[0]), dated or end < len(above))
    return Place("", (), dated)


def _repeats(folder: str, stem: str) -> bool:
    """Whether a file in a directory is what the directory is there for: ``LIST.mbox/LIST.mbox``, ``LIST.mbox/mbox``."""
    outer = without_suffix(folder, (".mbox",))
    return outer != folder and stem in (outer, _MAILBOX)


def _folders(parts: Sequence[str]) -> tuple[list[str], bool]:
    """What is left of directories' names, and whether some were periods of time."""
    kept: list[str] = []
    dated = apple = False
    for index, part in enumerate(parts):
        if part in ("", ".", "..", "cur", "new", "attachments"):
            continue
        if part == "git" and _EPOCH.fullmatch(parts[index + 1] if index + 1 < len(parts) else ""):
            continue
        if part == _EZMLM and _NUMBER.fullmatch(parts[index + 1] if index + 1 < len(parts) else ""):
            continue
        if _EPOCH.fullmatch(part) or (list(parts[max(0, index - 1) : index]) == [_EZMLM] and _NUMBER.fullmatch(part)):
            dated = True
        elif apple and _APPLE.fullmatch(part):
            continue
        elif is_period(part) or is_part(part, parts[:index]):
            dated = True
        else:
            stem = without_suffix(part.lstrip("."), _FOLDERS)
            apple = part.endswith(".mbox")
            if stem:
                kept.append(stem)
    return kept, dated
