"""``weft threads``: the newest threads first, a page at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import click

from weft.cli._mail import print_mail
from weft.cli._options import all_names, check_list, index_options, open_index, policy_option, say
from weft.cli._output import Output, message_options, output_options, terminal_columns
from weft.render.labels import NO_SUBJECT, in_utc
from weft.render.sanitize import clean, shorten

if TYPE_CHECKING:
    from weft.model import Thread

_HEADS = ("handle", "newest", "messages", "not seen", "lists", "subject")
_SUBJECT = 5


@click.command("threads")
@click.option("--list", "list_name", metavar="LIST", help="Only threads with a message on this list.")
@click.option("--since", metavar="DATE", help="Only threads with a message since then (2003-02-10, RFC 3339, 7d).")
@click.option("--missing", is_flag=True, help="Only threads that lack a message which others answer.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@click.option("--after", metavar="ID", help="Go on after this thread, the last one of the page before.")
@output_options
@policy_option
@index_options
@message_options
def command(
    list_name: str | None,
    since: str | None,
    missing: bool,
    limit: int,
    after: str | None,
    target: Output,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """Threads, the one with the newest message first.

    Text is a table; the other formats hold the whole threads.  Dates without a zone are in UTC.  With --missing, the
    ids that nobody here has seen stand below each thread, and whether anybody can have them, by what was asked of whom.

    \b
    weft threads --list git --since 7d
    weft threads --missing --json
    """
    from weft.cli._ids import parse_id
    from weft.core.moment import parse_since

    moment = None if since is None else parse_since(since, time.time())
    root = None if after is None else parse_id(after)
    with open_index(index, config, policy, reading=True) as opened, target.open() as file:
        if list_name is not None:
            check_list(opened, list_name)
        page = opened.threads(
            list_name=list_name, since=moment, missing=missing, hidden=target.format.every_id, after=root
        )
        # One more says whether there are more; the one behind that may be far away and is not looked for.
        threads = [thread for _, thread in zip(range(limit + 1), page, strict=False)]
        more = threads[limit:]
        del threads[limit:]
        code = 0
        if target.format_name == "text":
            names = all_names(opened.policy) if missing else None
            handles = opened.handles(thread.root for thread in threads)
            file.write("".join(_lines(threads, names, handles, whole=target.path is not None)).encode())
        else:
            code = print_mail(opened, target, threads, file)
        file.flush()
        last = opened.handles([threads[-1].root])[threads[-1].root] if more else ""
    if not quiet and not threads:
        say("no thread")
    if not quiet and more:
        say(f"there are more; go on with: --after {last}")
    return code


def _lines(
    threads: list[Thread], names: Mapping[str, str] | None, handles: Mapping[str, str], *, whole: bool
) -> Iterator[str]:
    """The table of threads; ``whole``: it goes to a file, where no terminal cuts it.

    ``names``: what people here call others; with them, what each thread lacks stands below it.
    """
    from weft.cli._tables import draw_table

    if not threads:
        return
    columns = 200 if whole else terminal_columns()
    head, *lines = draw_table(
        _HEADS,
        [_row(thread, handles[thread.root], columns // 5) for thread in threads],
        elastic=_SUBJECT,
        columns=columns,
    )
    yield f"{head}\n"
    for thread, line in zip(threads, lines, strict=True):
        yield f"{line}\n"
        for below in _missing(thread, names, columns) if names is not None else ():
            yield f"  {below}\n"


def _missing(thread: Thread, names: Mapping[str, str], columns: int) -> Iterator[str]:
    """What is known of each ghost, and who was asked.  An id is never cut."""
    from weft.render.coverage import clauses, fold

    coverage = thread.coverage
    unheld = frozenset(coverage.nobody_holds if coverage else ())
    for message in thread.messages:
        if not message.ghost or message.joined or coverage is None:
            continue
        if message.id in unheld:
            known = "nobody holds it" if coverage.asked else "on none of our own lists"
        else:
            known = "what is here of it does not count" if coverage.complete else "not asked about everywhere"
        yield f"<{clean(message.id)}>  {known}"
    yield from fold(clauses(coverage, names) if coverage else (), columns - 2)


def _row(thread: Thread, handle: str, most: int) -> tuple[str | int, ...]:
    held = [message for message in thread.messages if not message.ghost]
    ghosts = sum(message.ghost and not message.joined for message in thread.messages)
    newest = max((message.date for message in held if message.date), key=_moment, default="no date")
    subject = next((message.subject for message in held), "") or NO_SUBJECT
    return handle, in_utc(newest)[:10], len(held), ghosts, shorten(clean(" ".join(thread.lists)), most), subject


def _moment(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()
