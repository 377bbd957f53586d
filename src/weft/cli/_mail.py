"""Threads on their way out of an index, with the mail itself where the format holds it, and what is missing of it.

What came from peers is not here, and that is how it should be: it is said once, with a count.  Mail that was in a file
of ours and is not found there any more is named line by line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

from weft._text import count, noun
from weft.cli._options import all_names, say
from weft.cli._output import Output, write_threads

if TYPE_CHECKING:
    from weft.index.index import Index
    from weft.index.raw_mail import MissingMail
    from weft.model import Thread

FEW = 3
"""So many messages that came from peers are named; with ``--debug`` all are."""


def print_mail(index: Index, target: Output, threads: Iterable[Thread], file: BinaryIO, max_ratio: int = 200) -> int:
    """Write threads as ``target`` says; the exit code: 3 if some mail is not here, which is said on stderr.

    ``max_ratio``: how far a compressed file of mail may unfold.
    """
    if not target.format.raw:
        write_threads(target, threads, file, lambda _: (), all_names(index.policy), index.handles)
        return 0
    absent: dict[str, list[str]] = {}
    lost = 0

    def missing(one: MissingMail) -> None:
        nonlocal lost
        lost += 1
        if one.gone:
            say(str(one))
        else:
            absent.setdefault(one.reason, []).append(one.id)

    with index.mail(missing, max_ratio=max_ratio) as mail:
        target.format.writer()(mail.raw(threads), file)
    for reason, ids in absent.items():
        say(_absent(reason, ids, every="--debug" in sys.argv))
    return 3 if lost else 0


def _absent(reason: str, ids: list[str], *, every: bool) -> str:
    """What is said of messages that never were in a file here."""
    from weft.index.raw_mail import FROM_PEER

    number = len(ids)
    if reason == FROM_PEER:
        reason = "it came from a peer" if number == 1 else "they came from peers"
    named = number <= FEW or every
    which = f": {' '.join(f'<{one}>' for one in ids)}" if named else " (--debug names them)"
    return f"{count(number, 'message')} {noun(number, 'is', 'are')} not in this mail, because {reason}{which}"
