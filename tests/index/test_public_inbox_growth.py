"""An inbox that public-inbox itself writes: it grows, takes out, purges, and begins a new epoch."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.index.factories import mail, open_index
from weft import Index
from weft.model import Ingested
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

pytest.importorskip("dulwich")
pytestmark = pytest.mark.skipif(
    not shutil.which("public-inbox-mda") or not shutil.which("git"), reason="public-inbox is not there"
)

ADDRESS = "drafts@example.org"
_NEW_EPOCH = r"""
use PublicInbox::Config; use PublicInbox::V2Writable; use PublicInbox::Eml;
my $inbox = PublicInbox::Config->new->lookup_name('drafts');
my $writer = PublicInbox::V2Writable->new($inbox, 0);
$writer->{parallel} = 0; $writer->{rotate_bytes} = 1;
my $data = do { local $/; <STDIN> };
$writer->add(PublicInbox::Eml->new(\$data)); $writer->done;
"""


class Inbox:
    """An inbox of version 2, and the programs of public-inbox."""

    def __init__(self, home: Path) -> None:
        self.path = home / "drafts"
        self._environment = {
            **os.environ, "HOME": str(home), "PI_DIR": str(home / ".pi"), "ORIGINAL_RECIPIENT": ADDRESS,
        }  # fmt: skip
        self.run(
            "public-inbox-init", "-V2", "-L", "basic", "drafts", str(self.path), "http://example.org/drafts", ADDRESS
        )
        self.run("git", "config", "-f", str(home / ".pi" / "config"), "publicinboxmda.spamcheck", "none")

    def run(self, *command: str, data: bytes = b"") -> None:
        subprocess.run(command, input=data, env=self._environment, check=True, capture_output=True, timeout=60)

    def add(self, number: int) -> None:
        self.run("public-inbox-mda", "--no-precheck", data=message(number))

    def add_to_new_epoch(self, number: int) -> None:
        self.run("git", "-C", str(self.path / "git" / "0.git"), "repack", "-adq")  # it looks at the size of packs
        self.run("perl", "-e", _NEW_EPOCH, data=message(number))


def message(number: int) -> bytes:
    headers = [f"To: {ADDRESS}", "Date: Mon, 10 Feb 2003 10:00:00 +0000"]
    return mail(f"m{number}@x", headers=headers, body=f"Body {number}.\n").partition(b"\n")[2]


def ingest(index: Index, inbox: Inbox, *, withdraw: bool = False) -> tuple[Ingested, list[str]]:
    log = NoteLog()
    sources = discover([f"drafts={inbox.path}"], log)
    return index.ingest_sources(sources, log, withdraw_gone=withdraw), [note.reason for note in log.entries]


def there(index: Index) -> set[str]:
    return {message.id for thread in index.all_threads() for message in thread.messages}


def test_an_inbox_of_public_inbox_is_followed(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    for number in range(3):
        inbox.add(number)
    with open_index(tmp_path) as index:
        assert ingest(index, inbox) == (Ingested(3, 3, 0, 0, 0), [])
        inbox.add(3)
        assert ingest(index, inbox) == (Ingested(1, 1, 0, 1, 0), [])
        inbox.add_to_new_epoch(4)
        inbox.add(5)
        assert (inbox.path / "git" / "1.git").exists()
        assert ingest(index, inbox) == (Ingested(2, 2, 0, 1, 0), [])
        inbox.run("public-inbox-learn", "rm", data=message(5))
        assert ingest(index, inbox) == (Ingested(0, 0, 1, 0, 0, gone=1), [])
        assert there(index) == {f"m{number}@x" for number in range(6)}
        inbox.run("public-inbox-purge", str(inbox.path), data=message(1))
        done, notes = ingest(index, inbox, withdraw=True)
        assert done == Ingested(0, 0, 1, 0, 0, gone=1, withdrawn=2)
        assert notes == ["its history was rewritten; all of it is looked at"]
        assert there(index) == {f"m{number}@x" for number in (0, 2, 3, 4)}
        assert ingest(index, inbox, withdraw=True) == (Ingested(0, 0, 1, 0, 0), [])
        missing: list[str] = []
        assert [data for data, _ in index.raw(index.thread("m4@x"), missing.append)] != []
        assert missing == []
