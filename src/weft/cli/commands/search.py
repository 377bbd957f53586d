"""``weft search``: messages by the words of their subjects and authors.

``--json`` gives one array of objects with the keys ``format`` (1), ``id``, ``root`` (of its thread), ``list``,
``date`` (RFC 3339 or null), ``from`` and ``subject`` of the copy that has the words, and ``variants``: how many
different contents stand under the id.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from weft.cli._options import check_list, index_options, open_index, policy_option, say
from weft.cli._output import message_options
from weft.cli._tables import print_json, print_table
from weft.render.labels import author_of, in_utc, variant_tag

if TYPE_CHECKING:
    from weft.model import Found


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--list", "list_name", metavar="LIST", help="Only messages on this list.")
@click.option("--since", metavar="DATE", help="Only messages since then (2003-02-10, RFC 3339, 7d).")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most.")
@click.option("--after", metavar="ID", help="Go on after this message, the last one of the page before.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@policy_option
@index_options
@message_options
def command(
    words: tuple[str, ...],
    list_name: str | None,
    since: str | None,
    limit: int,
    after: str | None,
    as_json: bool,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """Messages by the words of their subject and author, the newest first.

    All of the WORDS must be there, each in the subject or in the author.  They are whole words: case and accents do not
    matter, and there are no wildcards.  Words in double quotes must follow each other; subject: or from: before a word
    or a quotation says where it must stand.  Exit code 1 says that there is nothing.

    \b
    weft search thread index
    weft search --list git --since 30d 'subject:"thread index"' from:lindqvist
    """
    from weft.cli._ids import parse_id
    from weft.cli._since import parse_since

    moment = None if since is None else parse_since(since, time.time())
    last = None if after is None else parse_id(after)
    with open_index(index, config, policy, reading=True) as opened:
        if list_name is not None:
            check_list(opened, list_name)
        found = opened.search(" ".join(words), limit=limit + 1, list_name=list_name, since=moment, after=last)
        more = len(found) > limit
        del found[limit:]
    if found.incomplete:
        say("the newest messages cannot be searched yet, as the index may only be read here")
    if as_json:
        print_json(list(map(_object, found)))
    else:
        heads = ("date", "from", "list", "subject", "id")
        rows = [
            (_day(one), author_of(one.author)[:24], one.list, variant_tag(one.variants) + one.subject, _id(one))
            for one in found
        ]
        print_table(heads, rows, elastic=3)
    if not quiet and not found:
        say("no message has all of these words" if after is None else "no more messages have all of these words")
    if not quiet and more:
        say(f"there are more; go on with: --after '{found[-1].message_id}'")
    return 0 if found else 1


def _day(found: Found) -> str:
    return in_utc(found.date or "no date")[:10]


def _id(found: Found) -> str:
    return f"<{found.message_id}>"


def _object(found: Found) -> dict[str, object]:
    return {
        "format": 1,
        "id": found.message_id,
        "root": found.root,
        "list": found.list,
        "date": found.date,
        "from": found.author,
        "subject": found.subject,
        "variants": found.variants,
    }
