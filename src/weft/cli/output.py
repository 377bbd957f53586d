"""What all commands that print threads share: options, the output file, and messages on stderr."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from weft.errors import UsageError
from weft.export import FORMATS
from weft.export.clean import clean
from weft.thread import Thread

Command = TypeVar("Command", bound=Callable[..., Any])


def output_options(command: Command) -> Command:
    """``--format --json -o --force --no-color``."""
    for option in (
        click.option("--no-color", is_flag=True, help="No colours (also: the environment variable NO_COLOR)."),
        click.option("--force", is_flag=True, help="Overwrite the output file."),
        click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a file instead of stdout."),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option(
            "--format",
            "format_name",
            type=click.Choice(list(FORMATS)),
            default="text",
            show_default=True,
            help="How to print threads.",
        ),
    ):
        command = option(command)
    return command


def message_options(command: Command) -> Command:
    """``-q --debug``."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show where an error comes from."),
        click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr."),
    ):
        command = option(command)
    return command


@contextmanager
def open_output(path: str | None, *, force: bool) -> Iterator[BinaryIO]:
    """Stdout, or a file, which appears only when it is whole and is never overwritten unless ``force``."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    if target.exists() and not target.is_file():  # a device or a pipe
        with target.open("wb") as file:
            yield file
        return
    if target.exists() and not force:
        raise UsageError(f"{path} exists; choose another name, or overwrite it with --force")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_threads(
    format_name: str,
    threads: Iterable[Thread],
    file: BinaryIO,
    octets: Callable[[Thread], Iterable[tuple[bytes, bool]]],
    *,
    color: bool,
) -> None:
    """Write threads in one of `FORMATS`; ``octets`` finds the messages of a thread for formats that hold them."""
    chosen = FORMATS[format_name]
    if chosen.octets:
        chosen.writer()((message for thread in threads for message in octets(thread)), file)
    elif chosen.for_people:
        chosen.writer()(threads, file, columns=terminal_columns(), color=color)
    else:
        chosen.writer()(threads, file)


def terminal_columns() -> int:
    """The width of the terminal; 100 where stdout is none."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def use_color(no_color: bool, path: str | None) -> bool:
    """Whether to print colours: only on a terminal, and not against the user's wish."""
    return path is None and sys.stdout.isatty() and not no_color and not os.environ.get("NO_COLOR")


class Progress:
    """A line on stderr while something long runs; nothing where stderr is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        """``quiet``: say nothing."""
        self._shown = not quiet and sys.stderr.isatty()
        self._last = time.monotonic()
        self._drawn = False

    def show(self, text: str) -> None:
        """Draw the line again, at most ten times a second."""
        now = time.monotonic()
        if self._shown and now - self._last > 0.1:
            self._last, self._drawn = now, True
            click.echo(f"\r\x1b[K{clean(text)}", err=True, nl=False)

    def say(self, line: str) -> None:
        """A line that stays."""
        self.end()
        click.echo(clean(line), err=True)

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._drawn = False
