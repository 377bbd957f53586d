"""What all commands that print threads share: options, the output file, and messages on stderr."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar

import click

from weft._files import replace_durably
from weft.errors import UsageError, WeftError
from weft.model import Thread
from weft.render import FORMATS, Format
from weft.render.sanitize import clean, shorten

if TYPE_CHECKING:
    from weft.sources.interface import Note

Handles = Callable[[Iterable[str]], Mapping[str, str]]
Command = TypeVar("Command", bound=Callable[..., Any])

_PAUSE = 0.1
_NO_TERMINAL = 100
"""The columns of lines that go elsewhere, unless ``COLUMNS`` says how many."""
_LEAST, _MOST = 20, 1000
"""What ``COLUMNS`` may say of lines that go elsewhere."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where threads go, and how: what the `output_options` say."""

    format_name: str
    path: str | None
    force: bool
    color: bool
    """Whether colours are allowed on a terminal."""

    @property
    def format(self) -> Format:
        """What the format needs."""
        return FORMATS[self.format_name]

    def open(self) -> AbstractContextManager[BinaryIO]:
        """As `open_output` does."""
        return open_output(self.path, force=self.force)


def output_options(command: Callable[..., int], formats: Sequence[str] = tuple(FORMATS)) -> Callable[..., int]:
    """``--format --json -o --force --no-color``, which the command takes as one ``target``.

    ``formats``: those that can be asked for; if they are more than `weft.render.FORMATS`, ``-o`` may be a folder.
    """
    folders = len(formats) > len(FORMATS)
    target = (
        "Write to a file (site: to a folder) instead of stdout." if folders else "Write to a file instead of stdout."
    )

    @wraps(command)
    def with_target(
        *, format_name: str, as_json: bool, output: str | None, force: bool, no_color: bool, **others: object
    ) -> int:
        chosen = "json" if as_json else format_name
        return command(target=Output(chosen, output, force, wants_color(no_color)), **others)

    wrapped: Callable[..., int] = with_target
    for option in (
        click.option("--no-color", is_flag=True, help="No colours (also: the environment variable NO_COLOR)."),
        click.option("--force", is_flag=True, help="Overwrite the output file."),
        click.option("-o", "--output", type=click.Path(dir_okay=folders), help=target),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option(
            "--format",
            "format_name",
            type=click.Choice(list(formats)),
            default="text",
            show_default=True,
            help="How to print threads.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def message_options(command: Command) -> Command:
    """``-q --debug``."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show where an error comes from."),
        click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr."),
    ):
        command = option(command)
    return command


def ratio_option(command: Command) -> Command:
    """``--max-ratio``."""
    return click.option(
        "--max-ratio", type=click.IntRange(1), default=200, show_default=True, metavar="N",
        help="Refuse a compressed file that unfolds to more than N times its size.",
    )(command)  # fmt: skip


def source_options(command: Command) -> Command:
    """``--by --max-ratio -v``, for what reads mail."""
    verbose = click.option("-v", "--verbose", is_flag=True, help="Name each doubtful line 'From ...' of an mbox.")
    by = click.option(
        "--by", type=click.Choice(["list-id"]), default=None,
        help="Each message is of the list that its List-Id names, if it does; else of LIST.",
    )  # fmt: skip
    return by(ratio_option(verbose(command)))


@contextmanager
def open_output(path: str | None, *, force: bool) -> Iterator[BinaryIO]:
    """Stdout, or a file, which appears only when it is whole and is never overwritten unless ``force``.

    Enter it before the work begins: it says at once if the file cannot be made.
    """
    if path is None:
        if sys.stdout is None:
            raise WeftError("standard output is closed; give a file with -o")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; give the name of a file")
    target = Path(os.path.realpath(path))  # a link stays one; Path.resolve raises where links lead in a circle
    if target.exists() and not target.is_file():  # a device or a pipe
        with target.open("wb") as device:
            yield device
        return
    check_absent(path, force=force)
    part = target.with_name(f".weft-{os.getpid()}.part")
    try:  # before the file is made: a signal may come at any time
        with _create(part, path) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_absent(path, force=force)
        replace_durably(part, target)
    finally:
        with suppress(OSError):
            part.unlink()


def check_absent(path: str, *, force: bool) -> None:
    """`UsageError` if there is a file already that may not be overwritten."""
    if Path(path).exists() and not force:
        raise UsageError(f"{path} exists; choose another name, or overwrite it with --force")


def _create(part: Path, path: str) -> BinaryIO:
    try:
        return part.open("xb")
    except OSError as error:
        raise WeftError(f"{path} cannot be written: {error.strerror}; choose another place") from error


def make_folder(folder: str, mode: int = 0o777) -> None:
    """Make a folder, and those above it, unless it is there."""
    try:
        Path(folder).mkdir(mode, parents=True, exist_ok=True)
    except OSError as error:
        raise WeftError(f"{folder} cannot be made a folder: {error.strerror}; choose another place") from error


def write_threads(
    target: Output,
    threads: Iterable[Thread],
    file: BinaryIO,
    data: Callable[[Thread], Iterable[tuple[bytes, bool]]],
    names: Mapping[str, str] = {},
    handles: Handles | None = None,
) -> None:
    """Write threads to what ``target`` opened; ``data`` finds the messages of a thread for formats that hold them.

    ``names``: what people here call origins and peers, by fingerprint; ``handles`` gives those of ids.
    """
    chosen = target.format
    if chosen.raw:
        chosen.writer()((message for thread in threads for message in data(thread)), file)
        return
    options: dict[str, Any] = {"names": names} if chosen.named else {}
    if chosen.for_people:
        seen = target.path is None and on_terminal()
        options |= text_options(color=target.color, seen=seen)
        if handles is not None:
            options["handles"] = handles
    chosen.writer()(threads, file, **options)


def text_options(*, color: bool, seen: bool) -> dict[str, Any]:
    """How text is laid out; ``seen``: on a terminal."""
    columns = terminal_columns() if seen else columns_elsewhere()
    return {"columns": columns, "color": color and seen, "now": int(time.time()) if seen else None}


def wants_color(no_color: bool) -> bool:
    """Whether the user lets us print colours on a terminal."""
    return not no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def on_terminal() -> bool:
    """Whether stdout is one."""
    return sys.stdout is not None and sys.stdout.isatty()


def terminal_columns() -> int:
    """The width of the terminal, or that of `columns_elsewhere` where stdout is none."""
    return shutil.get_terminal_size((_NO_TERMINAL, 24)).columns if on_terminal() else columns_elsewhere()


def columns_elsewhere() -> int:
    """The width of lines that go into a pipe or a file: ``COLUMNS`` from 20 to 1000, for whoever pipes to a pager."""
    stated = os.environ.get("COLUMNS", "")
    columns = int(stated) if re.fullmatch("[0-9]{1,4}", stated) else _NO_TERMINAL
    return columns if _LEAST <= columns <= _MOST else _NO_TERMINAL


def each_once(threads: Iterable[Thread]) -> list[Thread]:
    """Threads, of which some may be the same."""
    return list({thread.root: thread for thread in threads}.values())


class Progress:
    """A line on stderr while something long runs, as a context; nothing where stderr is no terminal."""

    def __init__(self, *, quiet: bool, verbose: bool = False) -> None:
        """``quiet``: say nothing; ``verbose``: also what is to be said only to those who want to know."""
        self._quiet = quiet
        self._verbose = verbose
        self._shown = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._last = time.monotonic()
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def show(self, text: str) -> None:
        """Draw the line again, at most ten times a second."""
        now = time.monotonic()
        if self._shown and now - self._last > _PAUSE:
            self._last, self._drawn = now, True
            room = (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1
            click.echo(f"\r\x1b[K{shorten(clean(text), room)}", err=True, nl=False)

    def say(self, line: str) -> None:
        """A line that stays."""
        self.end()
        click.echo(clean(line), err=True)

    def note(self, note: Note) -> None:
        """What is to be said of what is read; if quiet, only that something was skipped."""
        if self._verbose or (not note.quiet and (note.skipped or not self._quiet)):
            self.say(f"weft: {note}")

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._drawn = False
