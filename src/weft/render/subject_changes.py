"""Where the subject changes in a thread: a reply that has the subject of what stands above it need not repeat it.

Subjects are compared as base subjects (RFC 5256, section 2.1) without regard to case: ``Re:``, the tags of lists and
white space do not count.  What stands above a message is the nearest one above it in the tree whose subject is shown:
one that was seen, or the node that joins equal subjects and says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from weft.core.subject import base_subject
from weft.model import Message


def new_subjects(messages: Iterable[Message]) -> list[bool]:
    """Of each message of a thread, in display order, whether its subject is not the one shown above it."""
    changes: list[bool] = []
    shown: dict[str, str | None] = {}
    bases: dict[str, str] = {}  # most messages of a thread have one of two subjects, and each costs a search
    for message in messages:
        above = None if message.parent is None else shown.get(message.parent)
        if message.ghost and not message.joined:
            own = above
        elif (own := bases.get(message.subject)) is None:
            own = bases[message.subject] = base_subject(message.subject)[0].casefold()
        changes.append(own != above)
        shown[message.id] = own
    return changes
