"""``python -m tests.command_reference`` writes the reference of commands, and their manual pages, from the commands."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tests import man_pages
from tests.documented_examples import DOCS
from weft.cli.main import COMMANDS, weft

PAGE = DOCS / "reference" / "commands.md"
_WIDTH = 100


def reference() -> str:
    """The page: what ``--help`` prints for ``weft`` and each command, groups with their own commands."""
    parts = [
        "<!-- Written by `python -m tests.command_reference`; change the commands, not this page. -->\n",
        "# Commands\n\nWhat `weft COMMAND --help` prints. `weft help COMMAND` shows it too.\n",
        *_helps(weft, None, "weft"),
    ]
    return "\n".join(parts)


def _helps(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH)
    context.help_option_names = ["-h", "--help"]  # as the group sets it
    with context:
        yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
        if isinstance(command, click.Group):
            names = list(COMMANDS) if command is weft else command.list_commands(context)
            for each in names:
                found = command.get_command(context, each)
                assert found is not None
                yield from _helps(found, context, each)


def main() -> None:
    """Write the page, and the manual pages."""
    PAGE.write_text(reference())
    man_pages.main()


if __name__ == "__main__":
    main()
