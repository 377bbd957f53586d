"""``weft demo``: three real servers on loopback, one conversation, no master copy.

``--json`` gives one object, which may only grow: ``format`` (1); ``who``, ``alone``, ``exchange``, ``together``,
``stopped`` and ``lie``: what the acts found out, with the fields of the classes of `weft.demo.results` (a session has
the keys of ``weft sync --json`` too); ``promises``: each with ``promise`` and ``kept``; ``kept`` (all of them came
true), and ``seconds``.  The exit code is 0 only then.

All is in a temporary folder, or with ``--keep`` in one that stays.  However it ends, no server goes on running.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from weft.cli._options import say
from weft.cli._output import make_folder, message_options, on_terminal, open_output, terminal_columns, wants_color
from weft.cli._tables import print_json
from weft.errors import UsageError, WeftError

if TYPE_CHECKING:
    from weft.demo.results import Promise
    from weft.demo.story import Stage

_LAST_SECONDS = 20
_NEEDS = "weft demo needs what weft serve needs; install it with: pip install 'mailweft[server]'"


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--keep", type=click.Path(file_okay=False), metavar="FOLDER", help="Put indexes, keys, policies and logs there."
)
@click.option("--no-color", is_flag=True, help="No colours (also: the environment variable NO_COLOR).")
@message_options
def command(as_json: bool, keep: str | None, no_color: bool, quiet: bool) -> int:  # noqa: ARG001
    """Three servers on this machine, one conversation that none of them has, and no master copy.

    Each server has the mail of one list.  They exchange what they lack of it; one is stopped; one passes on a lie.  It
    takes some seconds, needs no set-up and leaves nothing.  Exit code 1 says that something did not come true.

    \b
    weft demo
    weft demo --keep /tmp/three-servers
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # a server that is stopped on purpose is no news
    # A proxy for the web would be asked for servers on this machine.
    os.environ["no_grpc_proxy"] = "127.0.0.1"  # noqa: SIM112
    _check_packages()
    began = time.monotonic()
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _hung_up)
    with _folder(keep) as folder:
        from weft.demo.story import Stage

        with Stage(folder) as stage:
            promises = _tell_programs(stage, began) if as_json else _tell(stage, began, keep, no_color)
    broken = [promise for promise in promises if not promise.kept]
    for promise in broken:
        say(f"this did not come true: {promise.promise}")
    return 1 if broken else 0


def _tell(stage: Stage, began: float, keep: str | None, no_color: bool) -> list[Promise]:
    """Say what happens, while it does."""
    from weft.demo.narration import HEADINGS, Narrator

    promises: list[Promise] = []
    narrator = Narrator(terminal_columns(), wants_color(no_color) and on_terminal())
    with open_output(None, force=False) as file:

        def show(lines: Iterator[str]) -> None:
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()

        show(narrator.opening())
        show(narrator.heading(1))
        for number, act in enumerate(stage.acts(), 1):
            show(narrator.act(act))
            promises += act.promises
            if number < len(HEADINGS):
                show(narrator.heading(number + 1))
        show(narrator.closing(promises, time.monotonic() - began, keep))
    return promises


def _tell_programs(stage: Stage, began: float) -> list[Promise]:
    from weft.demo.results import KEYS, to_json

    acts = list(stage.acts())
    promises = [promise for act in acts for promise in act.promises]
    found = {
        "format": 1,
        **{KEYS[type(act)]: to_json(act) for act in acts},
        "promises": [to_json(promise) for promise in promises],
        "kept": all(promise.kept for promise in promises),
        "seconds": round(time.monotonic() - began, 3),
    }
    print_json(found)
    return promises


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    """Where the servers have their things."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="weft-demo-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    make_folder(keep, mode=0o700)
    path = Path(keep)
    if any(path.iterdir()):
        raise UsageError(f"{keep} is not empty; choose another folder")
    yield path.resolve()


def _check_packages() -> None:
    """Before anything is begun: is there what the servers need?"""
    try:
        from weft.server import metrics, server  # noqa: F401
    except ModuleNotFoundError as error:
        raise WeftError(f"{_NEEDS} ({error.name} is missing)") from None


def _hung_up(*_: object) -> NoReturn:
    """The terminal is gone: end by way of all ``finally``, as servers would go on for ever.

    What does not come to its end then says where it stands, and ends.
    """
    faulthandler.dump_traceback_later(_LAST_SECONDS, exit=True)
    sys.exit(128 + signal.SIGHUP)
