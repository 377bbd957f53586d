"""Mail readers that sort a folder by threads: mutt and neomutt open the mbox, mblaze reads a Maildir."""

from __future__ import annotations

from pathlib import Path

from tests.bench.command_runner import Work
from tests.bench.corpora import Corpus, maildir
from tests.bench.peers.contender import Contender

_RC = """set sort=threads
set strict_threads=yes
set folder={folder}
set spoolfile={folder}/none
set record=""
set mbox_type=mbox
set quit=yes
set header_cache=""
set read_inc=0
"""


def _mutt(name: str) -> Contender:
    def prepare(corpus: Corpus, folder: Path) -> Work:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rc").write_text(_RC.format(folder=folder))
        # -R: neither flags nor anything else is written; the key is pressed when the folder has been sorted.
        command = [name, "-n", "-F", str(folder / "rc"), "-R", "-f", str(corpus.mbox), "-e", "push <exit>"]
        return Work(command, folder, terminal=True)

    return Contender(name, f"{name}, sort=threads", "threads", (name,), f"apt-get install {name}", prepare)


def _mblaze(corpus: Corpus, folder: Path) -> Work:
    return Work(["sh", "-c", 'mlist "$1" | mthread >/dev/null', "sh", str(maildir(corpus))], folder)


CONTENDERS = [
    _mutt("mutt"),
    _mutt("neomutt"),
    Contender(
        "mblaze", "mblaze: mlist | mthread", "threads", ("mlist", "mthread"), "apt-get install mblaze", _mblaze,
        "from files of a Maildir",
    ),
]  # fmt: skip
