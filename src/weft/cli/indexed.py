"""What the commands on an index share: where it lies, how it is opened, and threads on their way out of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from weft.cli.output import write_threads
from weft.errors import NotFoundError, UsageError, WeftError
from weft.export.clean import clean

if TYPE_CHECKING:
    from weft.core.policy import Policy
    from weft.index.index import Index
    from weft.thread import Thread

Command = TypeVar("Command", bound=Callable[..., Any])

OWN = "this server"
"""What stands for our own origin where people read the name of one."""


def index_options(command: Command) -> Command:
    """``--index --config``."""
    for option in (
        click.option("--config", metavar="PATH", help="The policy of this server (else WEFT_CONFIG)."),
        click.option("--index", metavar="PATH", help="The index (else WEFT_INDEX)."),
    ):
        command = option(command)
    return command


def policy_option(command: Command) -> Command:
    """``--policy``."""
    return click.option("--policy", metavar="FILE", help="See it under another policy.")(command)


def open_index(index: str | None, config: str | None, policy: str | None = None, *, create: bool = False) -> Index:
    """The index that the options name; `weft.errors.NotFoundError` if there is none, unless ``create``."""
    from weft.index.config import index_path
    from weft.index.index import Index

    return Index.open(index_path(index), policy=policy or config, create=create)


def check_list(index: Index, name: str, *, own: bool = False) -> None:
    """`NotFoundError` unless there is such a list, with ``own`` one of our own."""
    if not any(feed.list == name and (feed.own or not own) for feed in index.lists()):
        raise NotFoundError(f"there is no list {name!r}{' of our own' if own else ''}; see them with: weft lists")


def origin_names(policy: Policy) -> dict[str, str]:
    """What people call each origin that the policy knows, by its fingerprint."""
    from weft.core.signing import fingerprint, short_fingerprint

    names = {fingerprint(key): row.name or short_fingerprint(key) for key, row in policy.origins.items()}
    if policy.own is not None:
        names[fingerprint(policy.own)] = OWN
    return names


def origin_name(names: dict[str, str], fingerprint: str) -> str:
    """Our own name for an origin, or else the short form of its fingerprint."""
    from weft.core.signing import SHORT_LENGTH

    return names.get(fingerprint) or fingerprint[:SHORT_LENGTH]


def all_names(policy: Policy) -> dict[str, str]:
    """The same, and what they call peers."""
    from weft.core.signing import fingerprint

    peers = {fingerprint(key): row.name for key, row in policy.peers.items() if row.name}
    said = {fingerprint(key): row.name for key, row in policy.origins.items() if row.name}
    return origin_names(policy) | peers | said


def print_threads(index: Index, format_name: str, threads: Iterable[Thread], file: BinaryIO, *, color: bool) -> int:
    """Write threads in a format; the exit code: 3 if mail that belongs into it is not here, each named on stderr."""
    lost: list[str] = []

    def missing(line: str) -> None:
        lost.append(line)
        say(line)

    write_threads(
        format_name,
        threads,
        file,
        lambda thread: index.octets(thread, missing),
        color=color,
        names=all_names(index.policy),
    )
    return 3 if lost else 0


def say(line: str) -> None:
    """A message on stderr."""
    click.echo(f"weft: {clean(line)}", err=True)


def count(number: int, one: str, more: str | None = None) -> str:
    """A number and its noun."""
    return f"{number} {one if number == 1 else more or one + 's'}"


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if the user says yes, by ``--yes`` or on a terminal."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("nobody is here to say yes; add --yes if it is meant")
    if not click.confirm(clean(question), err=True):
        raise WeftError("nothing was done")
