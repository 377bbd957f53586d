"""``python -m tests.man_pages`` writes a manual page for ``weft`` and each of its commands, from the commands.

They lie in ``src/weft/docs/man`` and are installed where ``man`` looks for those of the same program (``share/man``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc

import click

from tests.documented_examples import DOCS
from weft import __version__
from weft.cli.main import COMMANDS, weft

FOLDER = DOCS / "man"
_EXIT = """\
.SH EXIT STATUS
0: all is well; 1: not found, or failed; 2: wrong usage, or a policy that cannot be used; 3: done in part, and what was
left out is named on stderr.
"""
_ENVIRONMENT = """\
.SH ENVIRONMENT
.TP
.B WEFT_INDEX
The index, if \\fB\\-\\-index\\fR does not name it; else \\fI$XDG_DATA_HOME/weft/index.db\\fR.
.TP
.B WEFT_CONFIG
The policy, if \\fB\\-\\-config\\fR does not name it; else \\fI$XDG_CONFIG_HOME/weft/config.toml\\fR.
"""


def pages() -> dict[str, str]:
    """The pages, by the names of their files."""
    return {f"{'-'.join(names)}.1": _page(names, context) for names, context in _commands(weft, None, ("weft",))}


def _commands(
    command: click.Command, parent: click.Context | None, names: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    context = click.Context(command, info_name=names[-1], parent=parent)
    context.help_option_names = ["-h", "--help"]  # as the group sets it
    yield names, context
    if isinstance(command, click.Group):
        for each in list(COMMANDS) if command is weft else command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _commands(found, context, (*names, each))


def _page(names: tuple[str, ...], context: click.Context) -> str:
    command, title = context.command, "-".join(names)
    first, *paragraphs = cleandoc(command.help or "").split("\n\n")
    parts = [
        f'.TH "{title.upper()}" "1" "" "weft {__version__}" "Weft"\n',
        f".SH NAME\n{_text(title)} \\- {_text(_line(first).rstrip('.'))}\n",
        f".SH SYNOPSIS\n.B {_text(' '.join(names))}\n{_text(' '.join(command.collect_usage_pieces(context)))}\n",
        ".SH DESCRIPTION\n" + ".PP\n".join(map(_paragraph, [first, *paragraphs])),
        _options(context),
    ]
    if isinstance(command, click.Group):
        parts.append(_subcommands(command, context, title))
    parts += [_EXIT, _ENVIRONMENT, f".SH SEE ALSO\n{_others(names)}"]
    return "".join(parts)


def _paragraph(text: str) -> str:
    """A paragraph of a help text; one that begins with a form feed or a backspace keeps its lines."""
    if text.startswith("\b"):
        lines = text.removeprefix("\b").strip("\n").split("\n")
        return ".nf\n.RS 4\n" + "".join(f"{_text(line)}\n" for line in lines) + ".RE\n.fi\n"
    return f"{_text(_line(text))}\n"


def _options(context: click.Context) -> str:
    rows = [record for one in context.command.get_params(context) if (record := one.get_help_record(context))]
    return ".SH OPTIONS\n" + "".join(f".TP\n.B {_text(names)}\n{_text(_line(text))}\n" for names, text in rows)


def _subcommands(group: click.Group, context: click.Context, title: str) -> str:
    rows = []
    for name in list(COMMANDS) if group is weft else group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        short = COMMANDS[name] if group is weft else found.get_short_help_str(200)
        rows.append(f".TP\n.BR {_text(f'{title}-{name}')} (1)\n{_text(short)}\n")
    return ".SH COMMANDS\n" + "".join(rows)


def _others(names: tuple[str, ...]) -> str:
    above = "" if len(names) == 1 else f".BR {_text('-'.join(names[:-1]))} (1),\n"
    return f"{above}\\fBweft help\\fR lists the pages about everything else, and \\fBweft help TOPIC\\fR shows one.\n"


def _line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    """Text as troff takes it: hyphens are those of options, and no line begins with a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return re.sub(r"^([.'])", r"\\&\1", escaped)


def main() -> None:
    """Write the pages, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for path in FOLDER.glob("*.1"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
