"""``weft search``: messages by the words of their subjects and authors.

``--format json`` gives one array of objects, ``jsonl`` an object on each line, ``csv`` and ``tsv`` a row each, with the
keys ``format`` (1, in JSON only), ``id``, ``root`` (of its thread), ``list``, ``date`` (RFC 3339 or null), ``from`` and
``subject`` of the copy that has the words, and ``variants``: how many different contents stand under the id.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from weft.cli._options import check_list, index_options, open_index, policy_option, say
from weft.cli._output import message_options, on_terminal, terminal_columns
from weft.cli._tables import print_lines, print_rows, print_table, row_options
from weft.render.labels import author_of, in_utc, variant_tag
from weft.render.sanitize import clean, shorten

if TYPE_CHECKING:
    from weft.model import Found

_WIDE = 100
_MOST, _MOST_NARROW = 24, 14
"""The columns of authors and lists, with `_WIDE` columns in all and with fewer."""
_HEADS = ("handle", "date", "from", "list", "subject")
_KEYS = ("id", "root", "list", "date", "from", "subject", "variants")


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--list", "list_name", metavar="LIST", help="Only messages on this list.")
@click.option("--since", metavar="DATE", help="Only messages since then (2003-02-10, RFC 3339, 7d).")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most.")
@click.option("--after", metavar="ID", help="Go on after this message, the last one of the page before.")
@click.option("--ids", is_flag=True, help="The same as --format ids: one id a line.")
@row_options("ids", default=None)
@policy_option
@index_options
@message_options
def command(
    words: tuple[str, ...],
    list_name: str | None,
    since: str | None,
    limit: int,
    after: str | None,
    ids: bool,
    format_name: str | None,
    as_json: bool,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """Messages by the words of their subject and author, the newest first.

    All of the WORDS must be there, each in the subject or in the author: whole words, in any case, with or without
    accents; thread* is any word that begins so, and words in double quotes follow each other.  subject: or from: says
    where a word has to stand, -word or NOT word that it must not, and OR stands between alternatives.  list: date:
    since: until: thread: id: and has:missing narrow all of it down (weft help reference/search).

    Into a pipe, ids are printed, one a line, unless --format says otherwise.  Exit code 1 says that there is nothing.

    \b
    weft search thread index
    weft search thread index | weft show -
    weft search 'subject:"thread index" date:2003-01..2003-06 -test'
    """
    from weft.cli._ids import parse_id, written_id
    from weft.core.moment import parse_since

    moment = None if since is None else parse_since(since, time.time())
    last = None if after is None else parse_id(after)
    with open_index(index, config, policy, reading=True) as opened:
        if list_name is not None:
            check_list(opened, list_name)
        found = opened.search(" ".join(words), limit=limit + 1, list_name=list_name, since=moment, after=last)
        more = len(found) > limit
        del found[limit:]
        handles = opened.handles(one.message_id for one in found)
    if found.incomplete:
        say("the newest messages cannot be searched yet, as the index may only be read here")
    chosen = "json" if as_json else "ids" if ids else format_name or ("table" if on_terminal() else "ids")
    if chosen == "ids":
        print_lines(written_id(one.message_id) for one in found)
    elif chosen == "table":
        most = _MOST if terminal_columns() >= _WIDE else _MOST_NARROW
        print_table(_HEADS, [_row(one, handles[one.message_id], most) for one in found], elastic=4)
    else:
        print_rows(chosen, list(map(_object, found)), _KEYS)
    if not quiet and not found:
        say("no message has all of these words" if after is None else "no more messages have all of these words")
    if not quiet and more:
        say(f"there are more; go on with: --after {handles[found[-1].message_id]}")
    return 0 if found else 1


def _row(one: Found, handle: str, most: int) -> tuple[str, ...]:
    author, name = (shorten(clean(text), most) for text in (author_of(one.author), one.list))
    return handle, in_utc(one.date or "no date")[:10], author, name, variant_tag(one.variants) + one.subject


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
