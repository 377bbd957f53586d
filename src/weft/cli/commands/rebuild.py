"""``weft rebuild``: threads from mail files; nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable

import click

from weft.archive import Archive, Options, rebuild_sources
from weft.cli._ids import parse_ids
from weft.cli._output import (
    Output,
    Progress,
    each_once,
    message_options,
    output_options,
    source_options,
    write_threads,
)
from weft.errors import UsageError
from weft.model import Thread
from weft.render.json import ITEMS, LINES, write_json_blocks, write_jsonl_blocks
from weft.sources.discover import discover
from weft.sources.interface import NoteLog
from weft.sources.list_id import ByListId
from weft.sources.standard_input import StandardInput

_IN_BLOCKS = {"json": (ITEMS, write_json_blocks), "jsonl": (LINES, write_jsonl_blocks)}
"""The formats that can be made in several processes."""


@click.command("rebuild")
@click.argument("paths", nargs=-1, required=True, metavar="[LIST=]PATH...")
@click.option("--thread", "ids", multiple=True, metavar="ID", help="Only the thread in which ID stands (repeatable).")
@click.option("--join-subjects", is_flag=True, help="Join threads with equal subjects (RFC 5256, step 5); it guesses.")
@click.option("--prune-ghosts", is_flag=True, help="Leave out ghosts, as RFC 5256, step 3, does.")
@click.option("--no-aliases", is_flag=True, help="Let a second Message-ID of a mail join nothing.")
@click.option(
    "--profile", type=click.Choice(["weft", "rfc5256"]), default="weft", show_default=True,
    help="rfc5256: In-Reply-To counts only without References.",
)  # fmt: skip
@source_options
@click.option(
    "--processes", type=click.IntRange(1, 8), default=None, metavar="N",
    help="Read and write in N processes (default: by size).",
)  # fmt: skip
@output_options
@message_options
def command(
    paths: tuple[str, ...],
    ids: tuple[str, ...],
    join_subjects: bool,
    prune_ghosts: bool,
    no_aliases: bool,
    profile: str,
    by: str | None,
    max_ratio: int,
    processes: int | None,
    target: Output,
    quiet: bool,
    verbose: bool,
) -> int:
    """Threads from mbox, Maildir, MH, public-inbox, directories of these, or - (stdin).

    Also .eml, tar, zip and more; files may be compressed (.gz .xz .bz2 .zst).  LIST= names the list; without it, the
    path below PATH does, without suffixes and dates.  A summary goes to stderr; exit code 3 says that something was
    skipped, 1 that there was no mail.

    \b
    weft rebuild ietf.mbox ietf-822=archive/2003.mbox.gz
    weft rebuild --format mboxrd --thread a@example.org -o thread.mbox lists/
    zcat x.mbox.gz | weft rebuild --json ietf=-
    """
    if "-" in ids and any(path == "-" or path.endswith("=-") for path in paths):
        raise UsageError("the ids and the mail cannot both come from stdin; give one of them in another way")
    wanted = parse_ids(ids)
    options = Options("rfc5256" if profile == "rfc5256" else "weft", join_subjects, prune_ghosts, not no_aliases)
    with Progress(quiet=quiet, verbose=verbose) as progress:
        log = NoteLog(progress.note)
        with target.open() as file:
            sources = discover(paths, log, max_ratio=max_ratio, by_list_id=by is not None)
            for source in sources:
                inner = source.source if isinstance(source, ByListId) else source
                if isinstance(inner, StandardInput):
                    inner.keep = target.format.raw
            archive = rebuild_sources(sources, options, log, processes=processes, progress=progress.show)
            progress.end()
            if target.format_name in _IN_BLOCKS and not wanted:
                separator, write = _IN_BLOCKS[target.format_name]
                write(archive.json_blocks(separator, processes=processes), file)
            else:
                threads = _threads(archive, wanted, hidden=target.format.every_id)
                write_threads(target, threads, file, archive.raw, handles=archive.handles)
        if not quiet:
            progress.say(f"weft: {archive.summary}")
    if log.skipped:
        return 3
    return 0 if archive.summary.messages else 1


def _threads(archive: Archive, wanted: list[str], *, hidden: bool) -> Iterable[Thread]:
    """The threads in which the wanted ids stand, each once; all threads if none is wanted."""
    if not wanted:
        return archive.threads(hidden=hidden)
    return each_once(archive.thread(name, hidden=hidden) for name in wanted)
