"""Archives of mail that nobody wrote, with the shape of real ones and the truth about them.

    python -m tests.generate FOLDER --messages 10000 --lists 5 --seed 1 --drop 0.68 --truth

The same arguments give the same bytes on every machine.  `tests.generate.shape` says what was measured, and how often
what happens; `tests.generate.conversations` makes threads, `tests.generate.message_bytes` makes mail of them, and
`tests.generate.truth` says what a report of it has to find.  None of it uses Weft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.generate.conversations import Conversations, Mail
from tests.generate.message_bytes import Printer, list_name
from tests.generate.shape import Shape
from tests.generate.truth import Truth, write_truth

__all__ = ["Mail", "Shape", "Truth", "generate", "mails", "write_mboxes"]

_RELEASE = 2
"""Counted up when the same arguments give other bytes."""
_LINE = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
_AS_MEASURED = Shape()


def mails(messages: int, lists: int = 1, seed: int = 1, shape: Shape = _AS_MEASURED) -> Iterator[Mail]:
    """The messages without their bytes, in order of arrival: what `Truth.of` wants."""
    return Conversations(lists, seed, shape).mails(messages)


def generate(
    messages: int,
    lists: int = 1,
    seed: int = 1,
    shape: Shape = _AS_MEASURED,
    record: Callable[[Mail], object] | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the list, bytes with LF line ends) of each copy of ``messages`` messages, as they arrive.

    ``record`` is called with each message before its copies come.
    """
    printer = Printer(lists, seed)
    for mail in mails(messages, lists, seed, shape):
        if record:
            record(mail)
        yield from printer.copies(mail)


def write_mboxes(
    folder: Path, messages: int, lists: int = 1, seed: int = 1, shape: Shape = _AS_MEASURED, *, truth: bool = False
) -> list[Path]:
    """Write ``list-0.mbox`` ... into ``folder``; return their paths.  Files that are already complete are kept.

    ``truth``: write ``truth.json`` too, which takes memory for all of the messages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{list_name(number)}.mbox" for number in range(lists)]
    stamp, answers = folder / "complete", folder / "truth.json"
    made = f"{_RELEASE} {messages} {lists} {seed} {shape}\n"
    if stamp.exists() and stamp.read_text() == made and (answers.exists() or not truth):
        return paths
    stamp.unlink(missing_ok=True)
    answers.unlink(missing_ok=True)
    recorded: list[Mail] = []
    files = [path.open("wb", buffering=1 << 20) for path in paths]
    for number, data in generate(messages, lists, seed, shape, recorded.append if truth else None):
        files[number].writelines((_LINE, data, b"\n"))
    for file in files:
        file.close()
    if truth:
        write_truth(Truth.of(recorded), answers)
    stamp.write_text(made)
    return paths
