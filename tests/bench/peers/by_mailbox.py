"""Threads an mbox with the standard library's ``mailbox``: ``by_mailbox.py dict|threadweave FILE``.

``dict`` is what one writes in ten lines: the parent is the last reference, else In-Reply-To.
"""

from __future__ import annotations

import importlib
import mailbox
import re
import sys
from collections.abc import Iterator

_ID = re.compile(r"<([^<>]+)>")


def headers(path: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Message-ID, In-Reply-To, References of each message."""
    for message in mailbox.mbox(path, create=False):
        own, replies, chain = (
            _ID.findall(str(message[name] or "")) for name in ("Message-ID", "In-Reply-To", "References")
        )
        yield own[0] if own else "", replies, chain


def by_dict(path: str) -> tuple[int, int]:
    """(messages, threads) by a dictionary of parents."""
    parents: dict[str, str] = {}
    children: dict[str, list[str]] = {}
    for own, replies, chain in headers(path):
        parents[own] = (chain or replies or [""])[-1]
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    return len(parents), sum(1 for parent in children if parent not in parents) + len(children.get("", ()))


def by_threadweave(path: str) -> tuple[int, int]:
    """(messages, threads) by the package."""
    threadweave = importlib.import_module("threadweave")
    messages = [
        threadweave.Message(message_id=own or None, in_reply_to=replies[0] if replies else None, references=chain)
        for own, replies, chain in headers(path)
    ]
    return len(messages), len(threadweave.thread_messages(messages))


if __name__ == "__main__":
    made = (by_dict if sys.argv[1] == "dict" else by_threadweave)(sys.argv[2])
    print(f"{made[0]} messages in {made[1]} threads")
