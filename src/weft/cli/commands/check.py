"""``weft check``: every hash, signature and derived table; what is derived can be made again."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._options import index_options, open_index, say
from weft.cli._output import message_options
from weft.cli._tables import print_lines
from weft.errors import DamagedStoreError, StoreError
from weft.model import Problem
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.index.index import Index


@click.command("check")
@click.option("--repair", is_flag=True, help="Make what is derived again, and name what is lost.")
@index_options
@message_options
def command(repair: bool, index: str | None, config: str | None, quiet: bool) -> int:
    """Verify every hash, signature and derived table; one line for each problem.

    Exit code 1 says that there are problems; with --repair, that some are left, and 3 that something is lost: ingest
    the mail again, and exchange with peers.  If the file itself is damaged, --repair makes a new one of what can be
    read.

    \b
    weft check
    weft check --repair
    """
    if repair:
        return _repair(index, config, quiet)
    with open_index(index, config, reading=True) as opened:
        return _check(opened, quiet)


def _check(index: Index, quiet: bool) -> int:
    problems = derived = 0
    for problem in index.check():
        problems += 1
        derived += problem.derived
        print_lines([clean(problem.what)])
    if not quiet:
        hint = "; weft check --repair mends what is derived" if derived else ""
        say(f"{count(problems, 'problem')}{hint}" if problems else "nothing is wrong")
    return 1 if problems else 0


def _repair(index: str | None, config: str | None, quiet: bool) -> int:
    """Repair the index; if its file is damaged, make a new one of what can be read."""
    try:
        with open_index(index, config) as opened:
            return _mend(opened, [], quiet)
    except (DamagedStoreError, TypeError, ValueError, OverflowError) as error:
        damage = error  # values in a derived table that nothing writes there are damage too
    from weft.policy.files import index_path
    from weft.store.salvage import salvage

    place = index_path(index)
    try:
        aside, lost = salvage(place)
    except DamagedStoreError as error:
        raise StoreError(f"{error}; {_anew(place)}") from None
    if not quiet:
        if isinstance(damage, DamagedStoreError):
            say(f"{damage}".partition(";")[0])
        say(f"a new index was made of what can be read; the damaged one is {aside}")
    with open_index(index, config) as opened:
        return _mend(opened, [Problem(str(one), False) for one in lost], quiet)


def _anew(place: Path) -> str:
    """What does help where nothing can be read."""
    name = quote(str(place))
    moved = f"mv {name} {name}.damaged && rm -f {name}-wal {name}-shm"
    return (
        f"restore a backup (weft restore), or begin anew with the same key: {moved}; then run weft ingest for all mail "
        "again, and weft sync for what peers have"
    )


def _mend(index: Index, before: list[Problem], quiet: bool) -> int:
    found = [*before, *index.repair()]
    lost = [problem for problem in found if not problem.derived]
    print_lines(f"{'mended' if problem.derived else 'lost'}: {clean(problem.what)}" for problem in found)
    left = [problem for problem in index.check() if problem.derived]
    print_lines(f"not mended: {clean(problem.what)}" for problem in left)
    if not quiet:
        say(
            f"{len(found) - len(lost)} mended, {len(lost)} lost, {len(left)} left"
            if found or left
            else "nothing is wrong"
        )
    return 1 if left else 3 if lost else 0
