"""Dovecot: ``THREAD REFERENCES`` over IMAP from the mbox, without and with its index files.

Its ``imap`` program runs alone, logged in from the start, with a configuration of its own and no server around it; so
no login is measured, and nothing of the system's Dovecot is used.  It refuses to read mail as root, so root runs it
as `_NOBODY`, who then has to be allowed to read the mbox.  The mailbox is examined, not selected: the mbox stays as it
is.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.bench.command_runner import Work, run
from tests.bench.corpora import Corpus
from tests.bench.peers.contender import Contender, bytes_below

_IMAP = "/usr/lib/dovecot/imap"
_NOBODY = 65534
_COMMANDS = b"1 EXAMINE INBOX\r\n2 THREAD REFERENCES UTF-8 ALL\r\n3 LOGOUT\r\n"
_DONE = b"\r\n2 OK Thread completed"
_CONFIG = """mail_location = mbox:{folder}/mail:INBOX={mbox}:INDEX={folder}/index
log_path = /dev/stderr
stats_writer_socket_path =
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
"""


def _cold(corpus: Corpus, folder: Path) -> Work:
    """Without index files."""
    as_root = os.geteuid() == 0
    user, group = (_NOBODY, _NOBODY) if as_root else (os.geteuid(), os.getegid())
    index = folder / "index"

    def clean() -> None:
        shutil.rmtree(index, ignore_errors=True)
        index.mkdir(parents=True)
        if as_root:
            os.chown(folder, user, group)
            os.chown(index, user, group)

    clean()
    config = folder / "dovecot.conf"
    config.write_text(_CONFIG.format(folder=folder, mbox=corpus.mbox, user=user, group=group))
    other = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"] if as_root else []
    return Work(
        [*other, _IMAP, "-c", str(config)], folder, given=_COMMANDS, expect=_DONE, clean=clean,
        size=lambda: bytes_below(index),
    )  # fmt: skip


def _warm(corpus: Corpus, folder: Path) -> Work:
    """With what a run before has left."""
    cold = _cold(corpus, folder)
    made = run(cold)
    if made.failure:
        raise OSError(made.failure)
    return Work(cold.command, folder, given=_COMMANDS, expect=_DONE)


_NEEDS = (_IMAP, "setpriv")
_INSTALL = "apt-get install dovecot-imapd; service dovecot stop"

CONTENDERS = [
    Contender(
        "dovecot", "Dovecot: THREAD, no index files", "index", _NEEDS, _INSTALL, _cold, "also prints the threads",
    ),
    Contender("dovecot", "Dovecot: THREAD, warm", "again", _NEEDS, _INSTALL, _warm, "prints numbers only"),
]  # fmt: skip
