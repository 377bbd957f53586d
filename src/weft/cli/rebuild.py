"""``weft rebuild``: threads from mail files; nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable

import click

from weft.archive import Archive, Options, rebuild_sources
from weft.cli.ids import parse_ids
from weft.cli.output import Progress, message_options, open_output, output_options, wants_color, write_threads
from weft.errors import UsageError
from weft.export import FORMATS
from weft.export.json import encode_items, encode_lines, write_json_blocks, write_jsonl_blocks
from weft.sources.base import NoteLog
from weft.sources.discover import discover
from weft.sources.mbox import MboxStdin
from weft.thread import Thread

_IN_BLOCKS = {"json": (encode_items, write_json_blocks), "jsonl": (encode_lines, write_jsonl_blocks)}
"""The formats that can be made in several processes."""


@click.command("rebuild")
@click.argument("paths", nargs=-1, required=True, metavar="[LIST=]PATH...")
@click.option("--thread", "ids", multiple=True, metavar="ID", help="Only the thread in which ID stands (repeatable).")
@click.option("--join-subjects", is_flag=True, help="Join threads with equal subjects (RFC 5256, step 5); it guesses.")
@click.option("--prune-ghosts", is_flag=True, help="Leave out ghosts, as RFC 5256, step 3, does.")
@click.option(
    "--profile", type=click.Choice(["weft", "rfc5256"]), default="weft", show_default=True,
    help="rfc5256: In-Reply-To counts only without References.",
)  # fmt: skip
@click.option(
    "--max-ratio", type=click.IntRange(1), default=200, show_default=True, metavar="N",
    help="Refuse a compressed file that unfolds to more than N times its size.",
)  # fmt: skip
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
    if "-" in ids and any(path == "-" or path.endswith("=-") for path in paths):
        raise UsageError("the ids and the mail cannot both come from stdin; give one of them in another way")
    wanted = parse_ids(ids)
    format_name = "json" if as_json else format_name
    options = Options("rfc5256" if profile == "rfc5256" else "weft", join_subjects, prune_ghosts)
    with Progress(quiet=quiet) as progress:
        log = NoteLog(lambda note: progress.say(f"weft: {note}") if note.skipped or not quiet else None)
        with open_output(output, force=force) as file:
            sources = discover(paths, log, max_ratio=max_ratio)
            for source in sources:
                if isinstance(source, MboxStdin):
                    source.keep = FORMATS[format_name].octets
            archive = rebuild_sources(sources, options, log, processes=processes, progress=progress.show)
            progress.end()
            if format_name in _IN_BLOCKS and not wanted:
                encode, write = _IN_BLOCKS[format_name]
                write(archive.blocks(encode, processes=processes), file)
            else:
                threads = _threads(archive, wanted, hidden=FORMATS[format_name].every_id)
                write_threads(format_name, threads, file, archive.octets, color=wants_color(no_color))
        if not quiet:
            progress.say(f"weft: {archive.summary}")
    return 3 if log.skipped else 0


def _threads(archive: Archive, wanted: list[str], *, hidden: bool) -> Iterable[Thread]:
    """The threads in which the wanted ids stand, each once; all threads if none is wanted."""
    if not wanted:
        return archive.threads(hidden=hidden)
    threads = [archive.thread(name, hidden=hidden) for name in wanted]
    return {thread.root: thread for thread in threads}.values()
