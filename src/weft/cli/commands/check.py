"""``weft check``: every hash, signature and derived table; what is derived can be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._options import index_options, open_index, say
from weft.cli._output import message_options
from weft.cli._tables import print_lines
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.index.index import Index


@click.command("check")
@click.option("--repair", is_flag=True, help="Make what is derived again, and name what is lost.")
@index_options
@message_options
def command(repair: bool, index: str | None, config: str | None, quiet: bool) -> int:
    """Verify every hash, signature and derived table; one line for each problem.

    Exit code 1 says that there are problems; with --repair, that some are left, and 3 that something is lost, which
    only its origin or a peer can give back.

    \b
    weft check
    weft check --repair
    """
    with open_index(index, config, reading=not repair) as opened:
        return _repair(opened, quiet) if repair else _check(opened, quiet)


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


def _repair(index: Index, quiet: bool) -> int:
    found = index.repair()
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
