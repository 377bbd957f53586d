"""What text, pictures, pages and commands say alike, of messages and of numbers.

``show`` makes what was in mail clean, and as short as whoever asks wants it.
"""

from __future__ import annotations

from collections.abc import Callable

from weft.thread import Message

NO_SUBJECT = "(no subject)"
_MAX_RIVALS = 5
"""So many rival parents are shown of a contested message."""


def noun(number: int, one: str, more: str = "") -> str:
    """The noun for so many; ``more`` for words that do not take an ``s``."""
    return one if number == 1 else more or f"{one}s"


def count(number: int, one: str, more: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{number} {noun(number, one, more)}"


def name_before(address: str) -> str:
    """The name in front of an address, where there is one."""
    return address.partition("<")[0].strip().strip('"').strip()


def tags(message: Message) -> str:
    """What is unusual about a message, as marks that end in a space."""
    marks = [
        "[contested] " if message.contested else "",
        f"[{message.variants} variants] " if message.variants > 1 else "",
        "[cycle cut] " if message.cut is not None else "",
        "[joined by subject] " if message.joined and not message.ghost else "",
    ]
    return "".join(marks)


def rival_words(message: Message, show: Callable[[str], str]) -> str:
    """The parents that the copies of a contested message state."""
    rivals = ["no parent" if rival is None else f"<{show(rival)}>" for rival in message.rivals[:_MAX_RIVALS]]
    more = len(message.rivals) - _MAX_RIVALS
    return f"rival parents: {' or '.join(rivals)}" + (f" and {more} more" if more > 0 else "")


def cut_words(parent: str, show: Callable[[str], str]) -> str:
    """Of a message whose edge was cut."""
    return f"cut to end a cycle; its parent was <{show(parent)}>"
