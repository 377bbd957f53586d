"""``weft ingest``: mail files into an index, again and again if need be.

With ``--watch`` the files are looked for and looked at every few seconds; a round in which nothing is new says
nothing.  A signal ends it wherever it is: what was read of a file so far is kept or not, never in part.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import click

from weft._files import mark_of
from weft.cli._options import index_options, open_index
from weft.cli._output import Progress, message_options, source_options
from weft.errors import LockedStoreError, PolicyError, SourceError, UsageError
from weft.policy.files import config_path
from weft.sources.discover import discover, named_lists
from weft.sources.interface import Note, NoteLog, Source

if TYPE_CHECKING:
    from weft.index.index import Index
    from weft.model import Ingested

_LONGEST_PAUSE = 60.0
"""So many seconds lie between two tries at most while others have the lock."""


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, metavar="[LIST=]PATH...")
@click.option("--watch", is_flag=True, help="Look again and again for new mail, until it is interrupted.")
@click.option(
    "--interval", type=click.FloatRange(0.05, 86400), default=1, show_default=True, help="Seconds between two looks."
)
@click.option("--worker", is_flag=True, hidden=True, help="With --watch: end when stdin does.")
@click.option(
    "--gone",
    type=click.Choice(["keep", "withdraw"]),
    default="keep",
    show_default=True,
    help="What becomes of mail that is gone from a folder or archive.",
)
@source_options
@click.option("--processes", type=click.IntRange(1, 2), default=None, help="1: read and write in one process.")
@index_options
@message_options
def command(
    paths: tuple[str, ...],
    watch: bool,
    interval: float,
    worker: bool,
    gone: str,
    by: str | None,
    max_ratio: int,
    processes: int | None,
    index: str | None,
    config: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Put mail into the index: mbox, Maildir, MH, public-inbox, directories of these, or - (stdin).

    Each message becomes a claim, which is signed and kept.  What was read is not read again: of an mbox, a folder, a
    public-inbox archive only what is new.  LIST= names the list a file belongs to; without it, the file's stem does.
    Exit code 3 says that something was skipped.

    Mail that was deleted from a folder or an archive keeps its claim.  With --gone withdraw its claim is withdrawn, if
    no other mail that was read makes it, so do not use it for a folder that people move mail out of.

    \b
    weft ingest ietf.mbox ietf-822=archive/2003.mbox.gz
    weft ingest --watch --interval 10 git=/var/mail/git.mbox
    """
    if math.isnan(interval):
        raise UsageError("--interval: nan is not a number of seconds")
    if watch and any(path == "-" or path.endswith("=-") for path in paths):
        raise UsageError("stdin cannot be watched; give the name of a file")
    with Progress(quiet=quiet, verbose=verbose) as progress:
        look = _Look(paths, max_ratio, by is not None, progress)
        asked = named_lists(paths)

        def ingest(opened: Index, sources: Sequence[Source], log: NoteLog) -> Ingested:
            return opened.ingest_sources(
                sources, log, asked=asked, processes=processes, progress=progress.show, withdraw_gone=gone == "withdraw"
            )

        if watch:
            try:
                rest = _until_stdin_ends if worker else time.sleep
                _watch(index, config, look, ingest, interval, lambda line: None if quiet else progress.say(line), rest)
            except (KeyboardInterrupt, SystemExit):  # SIGINT, SIGTERM
                return 0
        sources, log = look()
        if not sources:
            raise SourceError("nothing to read: none of the paths holds mail")
        with open_index(index, config, create=True) as opened:
            done = ingest(opened, sources, log)
        if not quiet:
            progress.say(f"weft: {done}")
        return 3 if log.skipped else 0


def _watch(
    index: str | None,
    config: str | None,
    look: _Look,
    ingest: Callable[[Index, Sequence[Source], NoteLog], Ingested],
    interval: float,
    say: Callable[[str], None],
    rest: Callable[[float], None],
) -> NoReturn:
    """Ingest what is new, every few seconds, under the policy as it is by then.

    A lock of others is waited for, and so is a policy that is mended after it was broken.
    """
    policy, pause, begun = config_path(config), 0.0, False
    while True:
        try:
            with open_index(index, config, create=True) as opened:
                mark, begun = mark_of(policy), True
                while mark_of(policy) == mark:
                    sources, log = look()
                    if sources:
                        done = ingest(opened, sources, log)
                        if done.claims or done.withdrawn:
                            say(f"weft: {done}")
                    pause = 0.0
                    rest(interval)
        except (LockedStoreError, PolicyError) as error:
            if isinstance(error, PolicyError) and not begun:
                raise
            if not pause:
                say(f"weft: {error}; it is tried again")
            pause = min(max(interval, 2 * pause), _LONGEST_PAUSE)
            rest(pause)


def _until_stdin_ends(seconds: float) -> None:
    """Wait; `SystemExit` if whoever started this is gone."""
    if select.select([0], [], [], seconds)[0]:
        raise SystemExit


@dataclass(slots=True)
class _Look:
    """Looks for mail at the same paths, again and again; what it said the time before it does not say again."""

    paths: Sequence[str]
    max_ratio: int
    by_list_id: bool
    progress: Progress
    said: set[str] = field(default_factory=set)

    def __call__(self) -> tuple[list[Source], NoteLog]:
        """The sources that are there now, and a log that says what is new."""
        before, self.said = self.said, set()

        def tell(note: Note) -> None:
            self.said.add(str(note))
            if str(note) not in before:
                self.progress.note(note)

        log = NoteLog(tell)
        return discover(self.paths, log, max_ratio=self.max_ratio, by_list_id=self.by_list_id), log
