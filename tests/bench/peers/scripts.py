"""Libraries: Mail::Thread of Perl, the standard library's ``mailbox`` of Python, and threadweave."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.command_runner import Work
from tests.bench.corpora import Corpus
from tests.bench.peers.contender import Contender

_HERE = Path(__file__).parent
_PERL = ("perl", "/usr/share/perl5/Mail/Thread.pm", "/usr/share/perl5/Email/Simple.pm")


def _script(name: str, title: str, needs: tuple[str, ...], install: str, command: Sequence[str]) -> Contender:
    def prepare(corpus: Corpus, folder: Path) -> Work:
        # Mailboxes of other rules may find one message more or less, but not none.
        return Work([*command, str(corpus.mbox)], folder, expect=b" messages in ")

    return Contender(name, title, "threads", needs, install, prepare)


CONTENDERS = [
    _script(
        "mail-thread", "perl: Mail::Thread, headers only", _PERL,
        "apt-get install libmail-thread-perl libemail-simple-perl", ["perl", str(_HERE / "mail_thread.pl")],
    ),
    _script(
        "mailbox", "python: mailbox, a dict of parents", (), "",
        [sys.executable, str(_HERE / "by_mailbox.py"), "dict"],
    ),
    _script(
        "threadweave", "python: mailbox and threadweave", ("module:threadweave",), "pip install threadweave",
        [sys.executable, str(_HERE / "by_mailbox.py"), "threadweave"],
    ),
]  # fmt: skip
