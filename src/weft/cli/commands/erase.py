"""``weft erase``: take back what this server said of messages, for all, and delete it.

``--json`` with ``--status`` gives one array of objects with the keys ``format`` (1), ``id``, ``lists``, ``erased``
(when, RFC 3339), ``deleted`` (whether its bytes are gone here) and ``peers``: for each peer that may read one of the
lists ``peer`` (a fingerprint), ``name`` (our name for it, or null), ``confirmed`` (since when it is known to have the
withdrawal, or null) and ``former`` (whether it has what was said, and may not read it any more).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from weft._text import count, noun
from weft.cli._ids import parse_ids
from weft.cli._options import all_names, confirm, index_options, open_index, origin_name, say
from weft.cli._output import message_options
from weft.cli._tables import print_json, print_table
from weft.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.index.erasure import Erasable, ErasedMessage, Erasure
    from weft.index.index import Index


@click.command("erase")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--author", "authors", multiple=True, metavar="ADDRESS", help="All messages with this address in From.")
@click.option("--now", is_flag=True, help="Delete here at once; do not wait until peers know.")
@click.option("--status", is_flag=True, help="Which messages were erased, and which peers have confirmed it.")
@click.option("--json", "as_json", is_flag=True, help="With --status, for programs.")
@click.option("--dry-run", is_flag=True, help="Show what would be erased.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_options
@message_options
def command(
    names: tuple[str, ...],
    authors: tuple[str, ...],
    now: bool,
    status: bool,
    as_json: bool,
    dry_run: bool,
    yes: bool,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Take back all that this server said of messages, and delete it.

    It is withdrawn at once, on all lists of ours, and shown no more.  Its bytes are deleted here as soon as every peer
    that may read it is known to have the withdrawal; weft serve and weft sync do that.  Peers delete theirs within the
    period of their policies (30 days, if they do not say otherwise).  It is final: no ingest says anything of these
    messages again.

    With --now the bytes are deleted here at once.  Peers learn of the withdrawal all the same, and not earlier.

    Other servers that saw the mail themselves state it themselves; only they can take that back.

    \b
    weft erase a@example.org
    weft erase --author somebody@example.org
    weft erase --status
    """
    if status or as_json:
        if names or authors or now or dry_run or not status:
            raise UsageError("--status stands alone, or with --json")
        with open_index(index, config, reading=True) as opened:
            _show_status(opened, as_json=as_json, quiet=quiet)
        return
    if not names and not authors:
        raise UsageError("name the messages to erase by their ids, or by --author ADDRESS")
    with open_index(index, config) as opened:
        found = _find(opened, names, authors)
        if dry_run:
            _show(opened, found)
            return
        question = f"Take back, for good, what we said of {count(len(found.ids), 'message')}, and delete it?"
        confirm(question, yes=yes)
        erasure, seconds = opened.erasure, int(time.time())
        withdrawn = erasure.erase(found.ids, seconds)
        deleted = erasure.delete(seconds, erased=now)
        if not quiet:
            _report(opened, erasure, found, withdrawn, deleted)


def _find(opened: Index, names: Sequence[str], authors: Sequence[str]) -> Erasable:
    """What is to be erased; `NotFoundError` if that is nothing."""
    erasure = opened.erasure
    ids = dict.fromkeys(erasure.message_ids(parse_ids(names)) if names else ())
    for author in authors:
        ids.update(dict.fromkeys(erasure.ids_by_author(_address(author))))
    found = erasure.find(list(ids))
    if found.ids:
        return found
    if found.others:
        raise NotFoundError(
            "only others state that, and only they can take it back; delete the copies here with: weft expunge ID"
        )
    raise NotFoundError("no claim here is about that; see what is with: weft search from:NAME")


def _address(text: str) -> bytes:
    from weft.policy.rows import addresses

    address = text.encode("utf-8", "surrogateescape").lower()
    if addresses(address) != {address}:
        raise UsageError(f"--author {text}: not an address; give one such as name@example.org")
    return address


def _show(opened: Index, found: Erasable) -> None:
    """What would be erased, one message a line."""
    rows = []
    for message_id in found.ids:
        name = message_id.decode("utf-8", "surrogateescape")
        own = [one for one in opened.explain(name).statements if one.origin == opened.fingerprint]
        rows.append((" ".join(sorted({one.list for one in own})), len(own), f"<{name}>"))
    print_table(("lists", "claims", "message"), rows, elastic=0)


def _report(opened: Index, erasure: Erasure, found: Erasable, withdrawn: int, deleted: int) -> None:
    names = all_names(opened.policy)
    lines = [
        f"{count(len(found.ids), 'message')} erased: {count(withdrawn, 'claim')} withdrawn, {deleted} deleted here"
    ]
    ids = {message_id.decode("utf-8", "surrogateescape") for message_id in found.ids}
    erased = [one for one in erasure.erased() if one.id in ids]
    waiting = sorted({one.peer for message in erased for one in message.peers if not one.confirmed and not one.former})
    if waiting:
        who = ", ".join(origin_name(names, peer) for peer in waiting)
        after = "" if all(one.deleted for one in erased) else "; then the rest is deleted here"
        has = noun(len(waiting), "has", "have")
        lines.append(f"{who} {has} to learn of it with the next exchange{after}; see: weft erase --status")
    if former := sorted({one.peer for message in erased for one in message.peers if one.former}):
        who = ", ".join(origin_name(names, peer) for peer in former)
        lines.append(f"{who} was given it and may not read it any more: tell them yourself")
    for origin, name in found.others:
        lines.append(f"{origin_name(names, origin)} states such a message itself, on {name}: ask them to erase it too")
    lines += (f"the mail itself still lies in {path}" for path in found.files)
    for line in lines:
        say(line)


def _show_status(opened: Index, *, as_json: bool, quiet: bool) -> None:
    names = all_names(opened.policy)
    with opened.snapshot():
        erased = opened.erasure.erased()
    if as_json:
        print_json([_object(one, names) for one in erased])
        return
    rows = [
        (
            one.when[:10],
            "deleted" if one.deleted else "waits",
            " ".join(one.lists),
            " ".join(sorted(origin_name(names, peer.peer) for peer in one.peers if peer.confirmed)) or "-",
            " ".join(sorted(origin_name(names, peer.peer) for peer in one.peers if not peer.confirmed)) or "-",
            f"<{one.id}>",
        )
        for one in erased
    ]
    print_table(("erased", "here", "lists", "confirmed", "not confirmed", "message"), rows, elastic=2)
    if not erased and not quiet:
        say("nothing was erased")


def _object(one: ErasedMessage, names: dict[str, str]) -> dict[str, object]:
    """A message for programs."""
    return {
        "format": 1,
        "id": one.id,
        "lists": list(one.lists),
        "erased": one.when,
        "deleted": one.deleted,
        "peers": [
            {"peer": peer.peer, "name": names.get(peer.peer), "confirmed": peer.confirmed, "former": peer.former}
            for peer in one.peers
        ],
    }
