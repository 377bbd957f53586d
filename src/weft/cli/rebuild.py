"""``weft rebuild``: threads from mail files; nothing is kept."""

from __future__ import annotations

import sys

import click

from weft.archive import Options, rebuild_sources
from weft.cli.ids import parse_id
from weft.cli.output import Progress, message_options, open_output, output_options, use_color, write_threads
from weft.errors import UsageError
from weft.export import FORMATS
from weft.sources.base import NoteLog
from weft.sources.discover import discover
from weft.sources.mbox import MboxStdin


@click.command("rebuild")
@click.argument("paths", nargs=-1, required=True, metavar="[LIST=]PATH...")
@click.option("--thread", "ids", multiple=True, metavar="ID", help="Only the thread in which ID stands (repeatable).")
@click.option("--join-subjects", is_flag=True, help="Join trees with equal subjects (RFC 5256 step 5): it guesses.")
@click.option("--prune-ghosts", is_flag=True, help="Leave out messages that nobody holds, as RFC 5256 step 3 does.")
@click.option(
    "--profile", type=click.Choice(["weft", "rfc5256"]), default="weft", show_default=True,
    help="rfc5256: In-Reply-To counts only without References.",
)  # fmt: skip
@click.option(
    "--max-ratio", type=click.IntRange(1), default=200, show_default=True, help="Refuse what unfolds further."
)
@click.option("--processes", type=click.IntRange(1, 2), default=None, help="1: read and thread in one process.")
@output_options
@message_options
def command(
    paths: tuple[str, ...],
    ids: tuple[str, ...],
    join_subjects: bool,
    prune_ghosts: bool,
    profile: str,
    max_ratio: int,
    processes: int | None,
    format_name: str,
    as_json: bool,
    output: str | None,
    force: bool,
    no_color: bool,
    quiet: bool,
) -> int:
    """Threads from mbox, Maildir, MH, public-inbox, directories of these, or - (stdin).

    Files may be compressed (.gz .xz .bz2 .zst).  LIST= names the list a file belongs to; without it, the file's stem
    does.  Several files may belong to one list.  A summary goes to stderr; exit code 3 says that something was skipped.

    \b
    weft rebuild ietf.mbox ietf-822=archive/2003.mbox.gz
    weft rebuild --format mboxrd --thread a@example.org -o thread.mbox lists/
    zcat x.mbox.gz | weft rebuild --json ietf=-
    """
    progress = Progress(quiet=quiet)
    format_name = "json" if as_json else format_name
    log = NoteLog(lambda note: progress.say(f"weft: {note}") if note.skipped or not quiet else None)
    if "-" in ids and any(path == "-" or path.endswith("=-") for path in paths):
        raise UsageError("the ids and the mail cannot both come from stdin; give one of them in another way")
    wanted = [parse_id(sys.stdin.readline() if name == "-" else name) for name in ids]
    sources = discover(paths, log, max_ratio=max_ratio)
    for source in sources:
        if isinstance(source, MboxStdin):
            source.keep = format_name == "mboxrd"
    options = Options("rfc5256" if profile == "rfc5256" else "weft", join_subjects, prune_ghosts)
    archive = rebuild_sources(sources, options, log, processes=processes, progress=progress.show)
    progress.end()
    hidden = FORMATS[format_name].every_id
    threads = [archive.thread(name, hidden=hidden) for name in wanted] if wanted else archive.threads(hidden=hidden)
    with open_output(output, force=force) as file:
        write_threads(format_name, threads, file, archive.octets, color=use_color(no_color, output))
    if not quiet:
        progress.say(f"weft: {archive.summary}")
    return 3 if log.skipped else 0
