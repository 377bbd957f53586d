"""What many tests ask of an archive, and mail for them to ask it about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from weft.archive import Archive, rebuild
from weft.model import Message

__all__ = ["FIXTURES", "Archive", "mail", "messages", "nearest_held", "parents", "rebuild"]

FIXTURES = Path(__file__).parent.parent / "fixtures"


def mail(
    message_id: str | None,
    references: Iterable[str] = (),
    *,
    subject: str = "a subject",
    body: str = "A body.",
    headers: Iterable[str] = (),
) -> bytes:
    """One message of an mbox.  Ids are without angle brackets; ``headers`` are whole lines, and come first."""
    lines = ["From mboxrd@z Thu Jan  1 00:00:00 1970", *headers]
    if message_id is not None:
        lines.append(f"Message-ID: <{message_id}>")
    chain = [f"<{reference}>" for reference in references]
    if chain:
        lines.append("References: " + "\n\t".join(chain))
    lines += [f"Subject: {subject}", "", body, "", ""]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def messages(archive: Archive) -> dict[str, Message]:
    """Every message of the archive by its id; fails if one is shown twice."""
    found: dict[str, Message] = {}
    for thread in archive.threads():
        for message in thread.messages:
            assert message.id not in found, f"{message.id} is shown twice"
            found[message.id] = message
    return found


def parents(archive: Archive) -> dict[str, str | None]:
    """The parent of every id."""
    return {name: message.parent for name, message in messages(archive).items()}


def nearest_held(archive: Archive) -> dict[str, str | None]:
    """The nearest ancestor, of those that are not ghosts, of every id that is not a ghost."""
    found = messages(archive)
    nearest = {}
    for name, message in found.items():
        if not message.ghost:
            above = message.parent
            while above is not None and found[above].ghost:
                above = found[above].parent
            nearest[name] = above
    return nearest
