"""Who is measured: Weft, what a user would take instead, and the limits of the machine.

Each module here knows how one kind of peer is run, and gives `Contender` objects; `everyone` lists them.  What a peer
needs is made in a folder of its own, without touching anything of the system or of the user.
"""

from __future__ import annotations

from tests.bench.peers import dovecot, limits, notmuch, public_inbox, readers, scripts, weft
from tests.bench.peers.contender import TASKS, Contender

__all__ = ["TASKS", "Contender", "everyone"]


def everyone() -> list[Contender]:
    """All contenders, in the order of the table."""
    modules = (weft, limits, readers, scripts, dovecot, public_inbox, notmuch)
    found = [contender for module in modules for contender in module.CONTENDERS]
    return sorted(found, key=lambda contender: list(TASKS).index(contender.task))
