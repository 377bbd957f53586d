"""``weft help``: the documentation that ships with the package, by topic."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import groupby

import click

from weft.cli._output import message_options
from weft.cli._pager import pager, through
from weft.errors import NotFoundError, UsageError


@click.command("help")
@click.argument("topic", required=False)
@message_options
@click.pass_context
def command(ctx: click.Context, topic: str | None, quiet: bool) -> None:  # noqa: ARG001
    """A page of the documentation, or of a command; without TOPIC, the list of topics.

    TOPIC is as the list has it (howto/backup), the last part of that (backup), or the name of a command.

    \b
    weft help
    weft help threading
    weft help rebuild
    """
    if topic is None:
        _show("".join(_topics()))
    elif (of_command := _of_command(ctx, topic)) is not None:
        _show(of_command)
    else:
        _show(_page(topic))


def _topics() -> Iterator[str]:
    """The list of topics, by section."""
    from weft.docs import SECTIONS, pages

    every = pages()
    width = max(len(page.topic) for page in every)
    yield "weft help TOPIC shows one of these pages, weft help COMMAND what a command takes.\n"
    for section, found in groupby(every, lambda page: page.section):
        yield f"\n{SECTIONS[section]}\n"
        for page in found:
            yield f"  {page.topic:{width}}  {page.title}\n"


def _page(topic: str) -> str:
    from weft.docs import find, pages

    found = find(topic)
    if len(found) == 1:
        return found[0].readable
    if found:
        raise UsageError(f"{topic} names several pages: {', '.join(page.topic for page in found)}; name one of them")
    names = {name for page in pages() for name in (page.topic, page.topic.rpartition("/")[2])}
    close = get_close_matches(topic.lower(), names, n=3)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise NotFoundError(f"there is no page on {topic}; {hint}weft help lists all topics")


def _of_command(ctx: click.Context, name: str) -> str | None:
    """What ``weft NAME --help`` prints; None if there is no such command."""
    parent = ctx.parent
    assert parent is not None
    group = parent.command
    assert isinstance(group, click.Group)
    found = group.get_command(parent, name)
    if found is None:
        return None
    with click.Context(found, info_name=name, parent=parent) as context:
        return found.get_help(context) + "\n"


def _show(text: str) -> None:
    """Through the pager on a terminal, else as it is."""
    if chosen := pager():
        with through(chosen) as file:
            file.write(text.encode())
    else:
        click.echo(text, nl=False)
