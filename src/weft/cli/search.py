"""``weft search``: messages by the words of their subjects and authors.

``--json`` gives one array of objects with the keys ``format`` (1), ``id``, ``root`` (of its thread), ``list``,
``date`` (RFC 3339 or null), ``from`` and ``subject``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weft.cli.indexed import index_options, open_index, policy_option, say
from weft.cli.output import message_options
from weft.cli.table import print_json, print_table

if TYPE_CHECKING:
    from weft.index.model import Found


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@policy_option
@index_options
@message_options
def command(
    words: tuple[str, ...],
    limit: int,
    as_json: bool,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """Messages whose subject and author have all of the WORDS.

    Exit code 1 says that there is none.

    \b
    weft search thread index
    weft search --json --limit 100 lindqvist
    """
    with open_index(index, config, policy) as opened:
        found = opened.search(" ".join(words), limit=limit + 1)
        more = len(found) > limit
        del found[limit:]
    if as_json:
        print_json(list(map(_object, found)))
    else:
        heads = ("date", "from", "list", "subject", "id")
        rows = [
            ((one.date or "no date")[:10], _name(one), one.list, one.subject, f"<{one.message_id}>") for one in found
        ]
        print_table(heads, rows, elastic=3)
    if not quiet and not found:
        say("no subject or author has all of these words")
    if not quiet and more:
        say(f"these are the first {limit}; --limit gives more")
    return 0 if found else 1


def _name(found: Found) -> str:
    """The author without the address, where there is something else."""
    return (found.author.partition("<")[0].strip(' "') or found.author)[:24]


def _object(found: Found) -> dict[str, object]:
    return {
        "format": 1,
        "id": found.message_id,
        "root": found.root,
        "list": found.list,
        "date": found.date,
        "from": found.author,
        "subject": found.subject,
    }
