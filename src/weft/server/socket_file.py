"""The file of a unix socket: with its mode from the first moment on, and never taken from a server that lives."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from weft.errors import UsageError, WeftError

SOCKET_MODE = 0o660
"""For the owner and the group of the server."""
_SECONDS = 1.0


@contextmanager
def socket_file(path: Path, mode: int) -> Iterator[None]:
    """Whoever makes the socket inside makes it with this mode.

    `WeftError` if another server listens there; a file that one has left behind is removed.  The umask is that of the
    whole process meanwhile, so nothing else may make files.
    """
    _make_room(path)
    before = os.umask(0o777 & ~mode)
    try:
        yield
    finally:
        os.umask(before)
    with suppress(FileNotFoundError):
        path.chmod(mode)


def _make_room(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{path}: no socket can be there: {error.strerror or error}") from None
    if not stat.S_ISSOCK(found.st_mode):
        raise UsageError(f"{path}: there is a file that is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(_SECONDS)
        try:
            trial.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise WeftError(f"{path}: cannot listen there: {error.strerror or error}") from None
    raise WeftError(f"{path}: cannot listen there; another server does")
