"""What is measured on: generated archives of some sizes, real ones where there are any, each as one plain mbox file.

Peers that cannot read an mbox get the same messages as files of a Maildir or as commits, made here and not measured.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.generate import write_mboxes

_BLOCK = 1 << 22
_MARK = b"\n\nFrom "
_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:")


@dataclass(frozen=True, slots=True)
class Corpus:
    """One mbox, and how many messages begin in it."""

    name: str
    mbox: Path
    messages: int

    @property
    def size(self) -> int:
        """The size of the mbox."""
        return self.mbox.stat().st_size


def generated(folder: Path, messages: int) -> Corpus:
    """An archive of one list with the shape of real ones; kept for the next time."""
    [mbox] = write_mboxes(folder / f"generated-{messages}", messages)
    return Corpus(f"{messages:,} generated", mbox, messages)


def real(folder: Path) -> Iterator[Corpus]:
    """The archives in the folder that ``WEFT_CORPORA`` names, unpacked, all lists of one in one file."""
    place = os.environ.get("WEFT_CORPORA")
    for inside in sorted(path for path in Path(place).iterdir() if path.is_dir()) if place else ():
        mbox = folder / f"real-{inside.name}" / f"{inside.name}.mbox"
        mbox.parent.mkdir(parents=True, exist_ok=True)
        with mbox.open("wb") as file:
            for path in sorted(inside.iterdir()):
                if path.suffix in (".mbox", ".xz"):
                    data = path.read_bytes()
                    data = lzma.decompress(data) if path.suffix == ".xz" else data
                    file.write(data.rstrip(b"\n") + b"\n\n")
        yield Corpus(inside.name, mbox, sum(1 for _ in messages(mbox)))


def messages(mbox: Path) -> Iterator[bytes]:
    """The messages of a plain mbox without their From_ lines, split as Weft splits them."""
    message = b""
    for part in _parts(mbox):
        _, _, rest = part.partition(b"\n")
        if _FIELD.match(rest):
            if message:
                yield message
            message = rest + b"\n"
        elif message:
            message += b"\nFrom " + part + b"\n"
    if message:
        yield message


def _parts(mbox: Path) -> Iterator[bytes]:
    """What stands between empty lines before ``From ``, beginning after that word."""
    kept, before = b"\n\n", 1
    with mbox.open("rb") as file:
        while block := file.read(_BLOCK):
            *whole, kept = (kept + block).split(_MARK)
            yield from whole[before:]
            before = before if not whole else 0
    yield kept.removesuffix(b"\n").removesuffix(b"\n")


def maildir(corpus: Corpus) -> Path:
    """The messages as files of a Maildir, beside the mbox; kept for the next time."""
    folder = corpus.mbox.parent / "maildir"
    stamp, made = corpus.mbox.parent / "maildir-complete", f"{corpus.mbox.stat().st_mtime_ns} {corpus.messages}"
    if not (stamp.exists() and stamp.read_text() == made):
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("cur", "new", "tmp"):
            (folder / name).mkdir(parents=True)
        for number, message in enumerate(messages(corpus.mbox)):
            (folder / "cur" / f"{1_000_000_000 + number}.{number}.bench:2,S").write_bytes(message)
        stamp.write_text(made)
    return folder


def commit(corpus: Corpus, repository: Path) -> None:
    """The messages as commits of a git repository, each with one file ``m``, as public-inbox keeps them."""
    command = ["git", "-C", str(repository), "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as git:
        assert git.stdin is not None
        for number, message in enumerate(messages(corpus.mbox)):
            git.stdin.write(
                b"commit refs/heads/master\ncommitter bench <bench@example.org> %d +0000\ndata 0\n"
                b"M 100644 inline m\ndata %d\n%b\n" % (1_000_000_000 + number, len(message), message)
            )
    if git.returncode:
        raise subprocess.CalledProcessError(git.returncode, command)
