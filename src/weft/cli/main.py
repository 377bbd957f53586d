"""``weft``: the group of commands, each imported only when it is called; errors as one line, and exit codes.

Exit codes: 0 fine; 1 not found or failed; 2 usage; 3 partly (something was skipped, each named on stderr).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from weft import __version__
from weft.errors import WeftError

COMMANDS = {
    "rebuild": "Threads from mail files; nothing is kept.",
}


class _Lazy(click.Group):
    """Looks a command up in its own module, so that start-up stays short."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"weft.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="weft", message="%(prog)s %(version)s")
def weft() -> None:
    """Whole mail threads from the archives of several lists; no list is authoritative.

    \b
    weft rebuild ietf.mbox ietf-822.mbox.gz      read two archives, show their threads
    weft COMMAND --help                          what a command takes, with an example
    """


def main() -> None:
    """Run the command line and exit."""
    debug = "--debug" in sys.argv
    try:
        code = weft.main(standalone_mode=False)
    except WeftError as error:
        if debug:
            raise
        _say(str(error))
        code = error.exit_code
    except click.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except OSError as error:
        if debug:
            raise
        _say(f"{error.filename or 'input or output'}: {error.strerror or error}")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _say(line: str) -> None:
    from weft.export.clean import clean

    click.echo(f"weft: {clean(line)}", err=True)


if __name__ == "__main__":
    main()
