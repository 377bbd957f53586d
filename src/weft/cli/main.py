"""``weft``: the group of commands, each imported only when it is called; errors as one line, and exit codes.

Exit codes: 0 fine; 1 not found or failed; 2 usage; 3 partly (something was skipped, each named on stderr); 130, 141
and 143 as a shell has them for a program that was interrupted, lost its reader or was terminated.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, NoReturn

import click

from weft import __version__
from weft.errors import WeftError

COMMANDS = {
    "rebuild": "Threads from mail files; nothing is kept.",
    "scan": "What would be read, on which list.",
    "ingest": "The same into an index, again and again.",
    "lmtp": "The same as a mail server hands it over.",
    "pipe": "One message from stdin into the index.",
    "show": "The whole thread in which an id stands.",
    "read": "The mail itself: text, or in a mail reader.",
    "explain": "Who says what about an id.",
    "threads": "The newest threads first.",
    "search": "Words of subjects and authors.",
    "crossposts": "What each list alone would lack.",
    "lists": "The lists in the index; rename or remove one.",
    "mute": "Hide something here, or show it again.",
    "retract": "Withdraw what this server said.",
    "erase": "Take back what this server said, and delete it.",
    "expunge": "Delete here what is known of a message.",
    "diff": "Which edges differ between two servers or views.",
    "export": "All threads, in any format.",
    "check": "Verify the index; repair what is derived.",
    "backup": "A folder to restore the index from.",
    "restore": "The index again, from a backup.",
    "serve": "Answer clients and peers over gRPC.",
    "sync": "Exchange claims with peers, now.",
    "peers": "Who may talk to this server.",
    "keys": "Our own fingerprint, and where the key lies.",
    "check-config": "Whether a policy can be used.",
    "completion": "What makes a shell complete commands.",
    "demo": "Three servers, one conversation, no master copy.",
    "help": "The documentation, by topic.",
}


class _Lazy(click.Group):
    """Looks a command up in its own module, so that start-up stays short."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"weft.cli.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - the exit code, as click passes it
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader has seen enough; click would call it a failure
            _forget(1, 2)
            ctx.exit(128 + signal.SIGPIPE)


@click.group(
    cls=_Lazy,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="weft", message="%(prog)s %(version)s")
@click.pass_context
def weft(ctx: click.Context) -> None:
    """Whole mail threads from the archives of several lists; no list is authoritative.

    \b
    weft rebuild ietf.mbox ietf-822.mbox.gz      read two archives, show their threads
    weft COMMAND --help                          what a command takes, with an example
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def main() -> None:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, _terminated)
    code = _run(debug="--debug" in sys.argv)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # it was said; Python would fail again, with a code of its own
        _forget(1)
        code = code or 1
    sys.exit(code)


def _run(*, debug: bool) -> int:
    """Run it; the exit code.  With ``debug``, errors that are not about usage are raised."""
    try:
        code = weft.main(prog_name="weft", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (click.Abort, KeyboardInterrupt):
        return 128 + signal.SIGINT
    except click.exceptions.NoArgsIsHelpError as error:  # a group without a command
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        _say(_usage(error))
        return error.exit_code
    except Exception as error:
        if debug:
            raise
        _say(_explain(error))
        return error.exit_code if isinstance(error, WeftError) else 1


def _usage(error: click.ClickException) -> str:
    """What click has to say, on one line."""
    text = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{text[:1].lower()}{text[1:]}" + (f"; see {context.command_path} --help" if context else "")


def _explain(error: Exception) -> str:
    if isinstance(error, WeftError):
        return error.advised
    if isinstance(error, OSError):
        # Sources name what they cannot read, so an error without a name is one of writing.
        return f"{os.fsdecode(error.filename or 'cannot write')}: {error.strerror or error}"
    if isinstance(error, MemoryError):
        return "out of memory; give it fewer files at a time"
    return f"a defect of weft: {type(error).__name__}: {error}; please report it with what --debug prints"


def _say(line: str) -> None:
    from weft.render.sanitize import clean

    if _logs_json(sys.argv[1:]):
        from logging import ERROR

        from weft.server.logging import json_line

        click.echo(json_line(line, ERROR), err=True)
        return
    click.echo(f"weft: {clean(line)}", err=True)


def _logs_json(arguments: Sequence[str]) -> bool:
    """Whether a command line is that of a server which logs JSON, be it one that can be used or not."""
    if "serve" not in arguments[:1]:
        return False
    return "--log-format=json" in arguments or ("--log-format", "json") in pairwise(arguments)


def _forget(*descriptors: int) -> None:
    """Let what is still to be written there, by us and by Python as it exits, go nowhere instead of fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)


def _terminated(*_: object) -> NoReturn:
    """End by way of all ``finally``, so that no half-written file stays."""
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
