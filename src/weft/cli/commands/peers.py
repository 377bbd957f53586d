"""``weft peers``: the rows ``[peer."FINGERPRINT"]`` of the policy file, whose comments and order stay.

``list --json`` gives one array of objects with the keys ``format`` (1), ``peer`` (a fingerprint), ``name``,
``address``, ``mode``, ``may_feed``, ``may_read`` and ``mirror_of``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft._text import count
from weft.cli._options import confirm, hand_down, index_options, open_index, own_origin, say
from weft.cli._output import message_options
from weft.cli._tables import print_json, print_table
from weft.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

    from weft.policy.rows import Peer
    from weft.policy.rules import Policy


@click.group("peers", subcommand_metavar="[add FINGERPRINT | list | remove FINGERPRINT]")
@index_options
@message_options
@click.pass_context
def command(context: click.Context, index: str | None, config: str | None, quiet: bool) -> None:
    """Who may talk to this server, feed it and read it.

    \b
    weft peers list
    weft peers add FINGERPRINT --address 10.0.0.2:7431 --may-read own --tier known
    """
    hand_down(context, index, config, quiet)


@command.command("add")
@click.argument("fingerprint")
@click.option("--address", metavar="HOST:PORT", help="Where it exchanges; without it, only it calls us.")
@click.option("--name", metavar="NAME", help="Our own name for it.")
@click.option(
    "--mode",
    type=click.Choice(["threads", "mirror"]),
    default="threads",
    show_default=True,
    help="What we fetch from it: the rest of our own threads, or all that it may hand us.",
)
@click.option("--may-feed", multiple=True, metavar="FEED", help="What it may hand us; default: its own feeds.")
@click.option("--may-read", multiple=True, metavar="FEED", help="What it may read here; default: nothing.")
@click.option(
    "--mirror-of", multiple=True, metavar="FEED", help="What we believe that it carries whole, as a hub does."
)
@click.option("--tier", type=click.Choice(["trusted", "known"]), help="Also admit all lists of it as an origin.")
@index_options
@message_options
@click.pass_context
def add(
    context: click.Context,
    fingerprint: str,
    address: str | None,
    name: str | None,
    mode: str,
    may_feed: tuple[str, ...],
    may_read: tuple[str, ...],
    mirror_of: tuple[str, ...],
    tier: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> None:
    """Let a server talk to this one.  FINGERPRINT is what its weft keys prints.

    FEED is ORIGIN, ORIGIN/LIST, own, own/LIST, or '*' for all.  A claim counts only if the policy admits its origin,
    whoever hands it over; --tier says so of the peer's own claims.

    To a peer that is there, --address and --name alone give these.

    \b
    weft peers add FINGERPRINT --address 10.0.0.2:7431 --may-read own --tier known
    """
    from weft.core.signing import fingerprint as name_of
    from weft.policy.edit import read_text, write_text

    path, policy = _read(index, config)
    document = read_text(path)
    said = {**({"name": name} if name else {}), **({"address": address} if address else {})}
    if fingerprint in document.get("peer", {}):
        if not said or not _given(context) <= {"address", "name"}:
            raise UsageError(f"{fingerprint} is a peer already; remove it first, or edit {path}")
        _table(document, "peer")[fingerprint].update(said)
        write_text(path, document, policy.own)
        if not quiet:
            say(f"{fingerprint} is a peer already; now it has the {' and the '.join(map(' '.join, said.items()))}")
        return
    row: dict[str, Any] = {
        **said,
        "mode": mode,
        "may_feed": _feeds(may_feed or (fingerprint,)),
        "may_read": _feeds(may_read),
        **({"mirror_of": _feeds(mirror_of)} if mirror_of else {}),
    }
    _table(document, "peer")[fingerprint] = row
    if tier is not None and fingerprint not in document.get("origin", {}):
        named = {"name": name} if name else {}
        _table(document, "origin")[fingerprint] = {**named, "tier": tier, "lists": "*"}
    write_text(path, document, policy.own)
    if not quiet:
        say(f"{fingerprint} is a peer now")
        if policy.own is not None:
            say(f"it must add us too: weft peers add {name_of(policy.own)} ...")


@command.command("remove")
@click.argument("fingerprint")
@click.option("--origin", is_flag=True, help="Also let what it said count no more.")
@click.option("--purge", is_flag=True, help="Also delete what it said, for good; with --origin.")
@click.option("--yes", is_flag=True, help="Do not ask, with --purge.")
@index_options
@message_options
def remove(
    fingerprint: str, origin: bool, purge: bool, yes: bool, index: str | None, config: str | None, quiet: bool
) -> None:
    """Let a peer, named by its fingerprint or our name for it, talk to this server no more.

    What it said stays as long as the policy admits its origin; with --origin it does so no more, also of an origin that
    is no peer.  With --purge its bytes are deleted here: the ids of its claims stay, so nothing of it comes back, also
    not if the policy admits the origin again.

    \b
    weft peers remove alice
    weft peers remove --origin alice
    weft peers remove --origin --purge alice
    """
    if purge and not origin:
        raise UsageError("--purge deletes what an origin said, so it goes with --origin")
    from weft.core.signing import fingerprint as name_of
    from weft.policy.edit import read_text, write_text

    path, policy = _read(index, config)
    document = read_text(path)
    rows = [*policy.peers.items(), *(policy.origins.items() if origin else ())]
    meant = next((name_of(key) for key, row in rows if row.name and row.name == fingerprint), fingerprint)
    gone = [table for table in ("peer", "origin")[: 1 + origin] if meant in document.get(table, {})]
    if purge and not gone:
        _purge(meant, yes=yes, index=index, config=config, quiet=quiet)
        return
    if not gone:
        raise NotFoundError(f"{fingerprint} is not a peer; weft peers list shows them")
    if purge:
        confirm(f"Delete here, for good, all that {meant} said?", yes=yes)
    for table in gone:
        del _table(document, table)[meant]
    write_text(path, document, policy.own)
    if purge:
        _purge(meant, yes=True, index=index, config=config, quiet=quiet)
    if quiet:
        return
    tiers = {name_of(key): row.tier for key, row in policy.origins.items()}
    if "peer" in gone:
        say(f"{meant} is not a peer any more" + _still(meant, None if origin else tiers.get(meant)))
    if "origin" in gone:
        say(f"what {meant} said counts no more")


def _purge(name: str, *, yes: bool, index: str | None, config: str | None, quiet: bool) -> None:
    """Delete all that an origin said, which may be one that the policy does not name any more."""
    from weft.core.signing import parse_fingerprint

    try:
        origin = parse_fingerprint(name)
    except ValueError:
        raise NotFoundError(f"{name} is neither a peer nor an origin; weft peers list shows them") from None
    confirm(f"Delete here, for good, all that {name} said?", yes=yes)
    with open_index(index, config) as opened:
        deleted = opened.erasure.purge(origin)
    if not quiet:
        say(f"{count(deleted, 'claim')} of {name} deleted here")


def _still(name: str, tier: int | None) -> str:
    """What removing a peer does not change."""
    if tier is None:
        return ""
    return f"; what it said still counts (tier {tier}), unless you run: weft peers remove --origin {name}"


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@index_options
@message_options
def list_peers(as_json: bool, index: str | None, config: str | None, quiet: bool) -> None:
    """The peers of this server.

    \b
    weft peers list --json
    """
    from weft.core.signing import fingerprint

    _, policy = _read(index, config)
    rows = [(row, fingerprint(key)) for key, row in policy.peers.items()]
    if as_json:
        print_json([_object(row, key, policy.own) for row, key in rows])
        return
    shown = [
        (
            row.name,
            row.address,
            row.mode,
            *(" ".join(some.written(policy.own)) for some in (row.may_feed, row.may_read)),
            key,
        )
        for row, key in rows
    ]
    print_table(("name", "address", "mode", "may feed", "may read", "peer"), shown, elastic=3)
    if not rows and not quiet:
        say("no peers yet; see: weft peers add --help")


def _object(row: Peer, key: str, own: bytes | None) -> dict[str, object]:
    """A row for programs."""
    return {
        "format": 1,
        "peer": key,
        "name": row.name,
        "address": row.address,
        "mode": row.mode,
        **{name: getattr(row, name).written(own) for name in ("may_feed", "may_read", "mirror_of")},
    }


def _read(index: str | None, config: str | None) -> tuple[Path, Policy]:
    """Where the policy lies, and what it says."""
    from weft.policy.files import config_path, index_path, load_policy

    path = config_path(config)
    return path, load_policy(path, own_origin(index_path(index)))


def _table(document: TOMLDocument, name: str) -> Any:  # noqa: ANN401 - tomlkit's tables
    """A table of rows, made if need be; each row stands under a head of its own."""
    import tomlkit

    if name not in document:
        document[name] = tomlkit.table(is_super_table=True)
    return document[name]


def _given(context: click.Context) -> set[str]:
    """Which options say something of a row, and stand on the command line."""
    said = set(context.params) - {"fingerprint", "index", "config", "quiet"}
    return {name for name in said if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}


def _feeds(written: tuple[str, ...]) -> str | list[str]:
    return "*" if "*" in written else list(written)
