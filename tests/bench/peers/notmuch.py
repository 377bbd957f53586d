"""notmuch: ``notmuch new`` on a Maildir, and all threads out of its database.  It always indexes full text."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench.command_runner import Work, run
from tests.bench.corpora import Corpus, maildir
from tests.bench.peers.contender import Contender, bytes_below

_CONFIG = """[database]
path={folder}/database
mail_root={mail}
[user]
name=Bench
primary_email=bench@example.org
[new]
tags=
ignore=
[maildir]
synchronize_flags=false
"""


def _new(corpus: Corpus, folder: Path) -> Work:
    folder.mkdir(parents=True, exist_ok=True)
    config, database = folder / "config", folder / "database"
    config.write_text(_CONFIG.format(folder=folder, mail=maildir(corpus)))

    def clean() -> None:
        shutil.rmtree(database, ignore_errors=True)
        database.mkdir()

    environ = {"NOTMUCH_CONFIG": str(config)}
    command = ["notmuch", "new", "--quiet", "--no-hooks"]
    return Work(command, folder, environ, clean=clean, size=lambda: bytes_below(database))


def _search(corpus: Corpus, folder: Path) -> Work:
    new = _new(corpus, folder)
    new.clean()
    made = run(new, 900)
    if made.failure:
        raise OSError(f"notmuch new: {made.failure}")
    return Work(["notmuch", "search", "--output=threads", "*"], folder, new.environment, expect=b"thread:")


CONTENDERS = [
    Contender(
        "notmuch", "notmuch new", "index", ("notmuch",), "apt-get install notmuch", _new,
        "also full text; from a Maildir",
    ),
    Contender(
        "notmuch", "notmuch search --output=threads", "again", ("notmuch",), "apt-get install notmuch", _search,
        "prints names of threads only",
    ),
]  # fmt: skip
