"""Files and folders that Weft makes: for their owner alone, whole or not there, and on disk when a call returns.

Modes do not depend on the umask: 0600 for files, 0700 for folders.  Only what a user asked to be written somewhere
(``-o FILE``) follows the umask; see `replace_durably`, which moves any file to its place.

What root makes belongs to the owner of the file whose place it takes, or else of the folder in which it lies: so a
service that runs as another user can go on with it.

A file is written and synced under a name of its own, then renamed; then its folder is synced, because until then a
power cut can undo the new name (POSIX promises nothing else, and file systems differ).
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_OTHERS = 0o007


FileMark = tuple[int, int, int] | None
"""What changes with a file; None: there is none."""


def mark_of(path: Path) -> FileMark:
    """The mark of a file as it is now."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner alone; `OSError`.

    A folder that is there is left as it is.
    """
    missing = []
    here = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as the user gave them
    while not here.exists():
        missing.append(here)
        here = here.parent
    for one in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            one.mkdir(PRIVATE_FOLDER)
            _give_to_owner(one, one.parent)
            sync_folder(one.parent)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def write_file(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Put a file in its place, whole, in one step, and on disk; `OSError`, and then the one before is still there."""
    draft = write_draft(path, content, mode)
    try:
        replace_durably(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_draft(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> Path:
    """A synced file with ``content`` beside ``path``, under a name that nothing else has; `OSError`."""
    draft = path.with_name(f".{path.name[:200]}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            _give_to_owner(descriptor, path)
            os.fsync(descriptor)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def replace_durably(draft: Path, path: Path) -> None:
    """Rename a synced file to its place, on disk; `OSError`."""
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Names in a folder are on disk; `OSError`, but not where a file system does not offer it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}:
            raise
    finally:
        os.close(descriptor)


def create_empty(path: Path) -> bool:
    """Make an empty file for its owner alone, unless something is there; whether it was made.  `OSError`.

    For SQLite, which makes a database with the umask, but all files beside it with the mode of the database.
    """
    target = Path(os.path.realpath(path))  # a link may lead to what is not there yet
    try:
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    except FileExistsError:
        return False
    try:
        os.fchmod(descriptor, PRIVATE_FILE)
        _give_to_owner(descriptor, target.parent)
    finally:
        os.close(descriptor)
    return True


def _give_to_owner(made: int | Path, like: Path) -> None:
    """If root made it: it belongs to whom ``like`` belongs, or else the folder of that."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):  # a container may not know that user
        try:
            found = like.stat()
        except FileNotFoundError:
            found = like.parent.stat()
        os.chown(made, found.st_uid, found.st_gid)


def is_open_to_all(path: Path) -> bool:
    """Whether users who are neither the owner nor in the group may use a file or folder; no if it is not there."""
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & _OTHERS)
    except OSError:
        return False


def close_to_others(path: Path) -> bool:
    """Leave a file or folder to its owner alone if all users may use it; whether that changed anything.  `OSError`.

    What only a group may use stays so: no umask that is a default makes that, so somebody decided it.
    """
    if not is_open_to_all(path):
        return False
    path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE)
    return True
