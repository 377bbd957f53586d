"""``weft check-config``: whether a policy can be used, before a server is told of it."""

from __future__ import annotations

import click

from weft._text import count
from weft.cli._options import own_origin
from weft.cli._tables import print_lines
from weft.policy.files import config_path, index_path, load_index_policy
from weft.policy.rules import Policy
from weft.render.sanitize import clean


@click.command("check-config")
@click.argument("file", required=False)
@click.option("--index", metavar="PATH", help="The index whose key is meant by own (else WEFT_INDEX).")
def command(file: str | None, index: str | None) -> None:
    """Whether a policy can be used, and what it says in short.

    FILE is by default the policy of this server (WEFT_CONFIG).  Exit code 2 says that it cannot be used, with what is
    wrong; a server that runs keeps the policy that it has then.

    \b
    weft check-config
    weft check-config weft.toml.new && mv weft.toml.new weft.toml
    """
    path = config_path(file)
    policy = load_index_policy(path, own_origin(index_path(index)))
    print_lines([f"{clean(str(path))}: {_summary(policy)}"])


def _summary(policy: Policy) -> str:
    mute = policy.mute
    muted = len(mute.claims) + len(mute.ids) + len(mute.authors) + len(mute.edges)
    public = "" if policy.public is None else "; its lists may be read by all"
    rules = f"{count(muted, 'mute')}, {count(len(policy.aliases), 'alias', 'aliases')}"
    return f"{count(len(policy.origins), 'origin')}, {count(len(policy.peers), 'peer')}, {rules}{public}"
