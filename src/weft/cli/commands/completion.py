"""``weft completion``: what makes a shell complete the names of commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from weft.cli._tables import print_lines

_SHELLS = ("bash", "fish", "zsh")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the script by which a shell completes commands and options.

    \b
    weft completion bash > ~/.local/share/bash-completion/completions/weft
    weft completion fish > ~/.config/fish/completions/weft.fish
    weft completion zsh > ~/.zfunc/_weft
    """
    from weft.cli.main import weft

    kind = get_completion_class(shell)
    assert kind is not None
    print_lines(kind(weft, {}, "weft", "_WEFT_COMPLETE").source().rstrip("\n").split("\n"))
