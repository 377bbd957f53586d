"""What the commands on an index share: where it lies, how it is opened, and threads on their way out of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from weft.errors import NotFoundError, UsageError, WeftError
from weft.policy.names import OWN, all_names, origin_name, origin_names
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.index.index import Index

__all__ = [
    "OWN", "all_names", "check_list", "confirm", "hand_down", "index_options", "open_index", "origin_name",
    "origin_names", "own_origin", "policy_option", "say",
]  # fmt: skip

Command = TypeVar("Command", bound=Callable[..., Any])


def index_options(command: Command) -> Command:
    """``--index --config``."""
    for option in (
        click.option("--config", metavar="PATH", help="The policy of this server (else WEFT_CONFIG)."),
        click.option("--index", metavar="PATH", help="The index (else WEFT_INDEX)."),
    ):
        command = option(command)
    return command


def hand_down(context: click.Context, index: str | None, config: str | None, quiet: bool) -> None:
    """Let options that stand before the name of a command in a group be as if they stood behind it."""
    assert isinstance(context.command, click.Group)
    given = {"index": index, "config": config, "quiet": quiet}
    context.default_map = dict.fromkeys(context.command.commands, given)


def policy_option(command: Command) -> Command:
    """``--policy``."""
    return click.option("--policy", metavar="FILE", help="See it under another policy.")(command)


def open_index(
    index: str | None, config: str | None, policy: str | None = None, *, create: bool = False, reading: bool = False
) -> Index:
    """The index that the options name; `weft.errors.NotFoundError` if there is none, unless ``create``.

    ``reading``: for a command that says nothing in our name (`weft.index.index.Index.open`).
    ``policy``: see it under another one (`weft.index.index.Index.under`), to read only.
    """
    import logging

    from weft.index.index import Index
    from weft.policy.files import index_path

    if logging.lastResort is not None:  # where no log is set up, warnings are messages like all others
        logging.lastResort.setFormatter(logging.Formatter("weft: %(message)s"))
    if policy:
        return Index.under(index_path(index), policy)
    return Index.open(index_path(index), policy=config, create=create, reading=reading)


def own_origin(index: Path) -> bytes | None:
    """The public key that belongs to an index; None if there is none yet."""
    from weft.core.signing import public_key
    from weft.key_file import load_key
    from weft.policy.files import key_path

    try:
        return public_key(load_key(key_path(index)))
    except FileNotFoundError:
        return None


def check_list(index: Index, name: str, *, own: bool = False) -> None:
    """`NotFoundError` unless there is such a list, with ``own`` one of our own."""
    if not any(feed.list == name and (feed.own or not own) for feed in index.lists()):
        raise NotFoundError(f"there is no list {name!r}{' of our own' if own else ''}; see them with: weft lists")


def say(line: str) -> None:
    """A message on stderr."""
    click.echo(f"weft: {clean(line)}", err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if the user says yes, by ``--yes`` or on a terminal."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("not a terminal, so the question cannot be asked; add --yes if it is meant")
    if not click.confirm(clean(question), err=True):
        raise WeftError("nothing was done")
