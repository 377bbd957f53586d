"""Puts messages that are handed over into the index, each for its list, and says what became of each.

Theory of operation
-------------------
A message is first written to the Maildir of its list (`weft.delivery.delivered_mail`), if mail is kept, then ingested;
only when the claims are on disk is it said to be delivered.  Whoever is killed in between is handed it again, which
changes nothing: the same bytes are the same file and the same claim.  Mail that was written and never ingested is read
when the next process starts.

Several messages cost one transaction a list.  What goes wrong with one list does not touch the others.  Whatever is not
the fault of the message is temporary: a full disk, a locked index, a policy that is broken or does not take the list.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from weft._files import FileMark, mark_of
from weft.delivery.delivered_mail import DeliveredFiles, DeliveredMessages, keep, mail_folder
from weft.errors import WeftError
from weft.index.index import Index
from weft.policy.files import config_path
from weft.sources.compressed import reason
from weft.sources.evidence import make_evidence
from weft.sources.interface import NoteLog, Source
from weft.sources.maildir import Maildir
from weft.sources.single_message import scan_single

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Status(Enum):
    """What became of a message."""

    DELIVERED = "delivered"
    """Its claim is on disk."""
    REFUSED = "refused"
    """It is not a message, and will never be."""
    FULL = "full"
    """There is no room now."""
    LATER = "later"
    """It cannot be taken now."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One message for one list, with lines that end in LF or CRLF."""

    list: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one, and why."""

    status: Status
    reason: str = ""


class Deliverer:
    """Delivers to one index; for one thread."""

    def __init__(self, index: Path, config: str | None, *, keep_mail: bool = True) -> None:
        self._index = index
        self._config = config
        self._keep = keep_mail
        self._opened: tuple[Index, FileMark] | None = None

    def close(self) -> None:
        """Close the index; it is opened again when needed."""
        opened, self._opened = self._opened, None
        if opened:
            opened[0].close()

    def catch_up(self, lists: Sequence[str]) -> int:
        """Ingest kept mail that was never ingested; how many claims are new.  `weft.errors.WeftError`."""
        folders = {name: mail_folder(self._index, name) for name in lists}
        sources: list[Source] = [Maildir(str(path), name) for name, path in folders.items() if path.is_dir()]
        index = self._open()
        return index.ingest_sources(sources, NoteLog(), processes=1).claims if sources else 0

    def deliver(self, messages: Sequence[HandedOver]) -> list[Outcome]:
        """Deliver some; what became of each, in their order."""
        outcomes: dict[int, Outcome] = {}
        waiting: dict[str, list[int]] = {}
        for number, message in enumerate(messages):
            log = NoteLog()
            if scan_single(message.data, "it", (0, len(message.data)), log, make_evidence) is None:
                outcomes[number] = Outcome(Status.REFUSED, log.entries[0].reason)
            else:
                waiting.setdefault(message.list, []).append(number)
        for name, numbers in waiting.items():
            outcome = self._deliver_to(name, [messages[number].data for number in numbers])
            outcomes.update(dict.fromkeys(numbers, outcome))
        return [outcomes[number] for number in range(len(messages))]

    def _deliver_to(self, name: str, messages: Sequence[bytes]) -> Outcome:
        data = [one.replace(b"\r\n", b"\n") for one in messages]
        try:
            source: Source = DeliveredMessages(name, data)
            if self._keep:
                folder = mail_folder(self._index, name)
                source = DeliveredFiles(str(folder), name, [keep(folder, one) for one in data])
            self._open().ingest_sources([source], NoteLog(), processes=1)
        except OSError as error:
            self._close_failed()
            return Outcome(Status.FULL if error.errno in _FULL else Status.LATER, reason(error))
        except (WeftError, sqlite3.Error) as error:
            self._close_failed()
            return Outcome(Status.FULL if _is_full(error) else Status.LATER, str(error))
        return Outcome(Status.DELIVERED)

    def _open(self) -> Index:
        """The index, under the policy as it is now."""
        mark = mark_of(config_path(self._config))
        if self._opened and self._opened[1] != mark:
            self.close()
        if not self._opened:
            self._opened = Index.open(self._index, policy=self._config), mark
        return self._opened[0]

    def _close_failed(self) -> None:
        """Begin anew with the next one."""
        try:
            self.close()
        except (OSError, WeftError, sqlite3.Error):
            self._opened = None


def _is_full(error: BaseException | None) -> bool:
    """Whether an error came of a disk that is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
