"""An archiver for Mailman 3: every post goes into a Maildir that Weft reads, and has a link to its page.

Theory of operation
-------------------
Mailman calls this in its own process, once for each post, and does not call again: a post for which it raises is lost
to the archive.  So nothing here talks to Weft.  A post is a file in a Maildir, on disk before the call returns, and
``weft ingest --watch`` or ``weft serve --ingest`` reads it from there, now or when it runs again.  If the Maildir
cannot be written, or the configuration cannot be used, the post goes into Mailman's own folder for archives, and from
there into the Maildir with the next post to the list.

The name of a file is the digest of its content, so a post that is handed over twice is there once.  Mailman says which
list a post belongs to; no header does.
"""

from __future__ import annotations

import logging
import os
from email.message import Message
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

from mailman.config import config
from mailman.config.config import external_configuration
from mailman.interfaces.archiver import IArchiver
from zope.interface import implementer

from weft._files import sync_folder
from weft.core.message_id import parse_message_id
from weft.web.links import Links

log = logging.getLogger("mailman.archiver")

_FOLDER, _FILE = 0o2750, 0o640
"""Whoever is of the group of the folder may read: Weft runs as another user."""
_SUBFOLDERS = ("cur", "new", "tmp")
_NAMES = ("list-id", "list-name")


class MailingList(Protocol):
    """What is used of a list of Mailman."""

    list_id: str
    """``drafts.lists.example.org``."""
    list_name: str
    """``drafts``."""


class Settings(NamedTuple):
    """What the file says that ``configuration`` names."""

    maildir: Path
    """The folder in which each list has a Maildir."""
    url: str
    """Where ``weft serve --http`` shows its pages; empty: nowhere."""
    names: str
    """What the lists are called: `_NAMES`."""


@implementer(IArchiver)
class Archiver:
    """``class: weft.mailman_archiver.Archiver`` in the section ``[archiver.weft]`` of ``mailman.cfg``."""

    name = "weft"
    is_enabled = False  # Mailman sets it, as its configuration says

    def list_url(self, mlist: MailingList) -> str | None:
        """The page of a list; None if there are no pages."""
        settings = _settings()
        return None if not settings.url else _links(settings).list(_list_name(settings, mlist))

    def permalink(self, mlist: MailingList, msg: Message) -> str | None:  # noqa: ARG002
        """The page of a message; None if there are no pages, or it has no Message-ID."""
        settings = _settings()
        values = [str(value).encode("utf-8", "surrogateescape") for value in msg.get_all("message-id", [])]
        own = parse_message_id(values)
        if not settings.url or own is None:
            return None
        return _links(settings).message(own.decode("utf-8", "surrogateescape"))

    def archive_message(self, mlist: MailingList, msg: Message) -> str | None:
        """Put a post into the Maildir of its list; its page.  `OSError` if it could be written nowhere."""
        data, spool = _bytes(msg), Path(config.ARCHIVE_DIR) / "weft" / _file_name(mlist.list_id)
        try:
            settings = _settings()
            folder = settings.maildir / _file_name(_list_name(settings, mlist))
            _store(folder, data)
        except Exception as error:
            _store(spool, data)
            log.error("weft: a post to %s waits in %s: %s", mlist.list_id, spool, error)
            return None
        _move_all(spool, folder)
        return self.permalink(mlist, msg)


def _settings() -> Settings:
    """As they are now.  Whatever is raised says what is wrong with the configuration."""
    parser = external_configuration(config.archiver.weft.configuration)
    maildir = Path(parser.get("general", "maildir"))
    names = parser.get("general", "names", fallback=_NAMES[0])
    if not maildir.is_absolute():
        raise ValueError(f"[general] maildir: {maildir} is not an absolute path")
    if names not in _NAMES:
        raise ValueError(f"[general] names: must be {' or '.join(_NAMES)}, not {names}")
    return Settings(maildir, parser.get("general", "url", fallback=""), names)


def _list_name(settings: Settings, mlist: MailingList) -> str:
    return mlist.list_id if settings.names == _NAMES[0] else mlist.list_name


def _links(settings: Settings) -> Links:
    return Links(settings.url.rstrip("/") + "/")


def _file_name(name: str) -> str:
    quoted = quote(name, safe="@+=,~")
    return "%2E" + quoted[1:] if quoted.startswith(".") else quoted


def _bytes(msg: Message) -> bytes:
    """A message as Mailman would send it."""
    try:
        return msg.as_bytes()
    except (
        UnicodeError,
        LookupError,
        AttributeError,
        TypeError,
    ):  # headers of which the email package can make nothing
        return msg.as_string().encode("utf-8", "surrogateescape")


def _store(folder: Path, data: bytes) -> None:
    """Put a message into a Maildir, on disk, unless it is there.  `OSError`."""
    name = f"{sha256(data).hexdigest()[:40]}.weft"
    target, draft = folder / "new" / name, folder / "tmp" / f"{name}.{os.getpid()}"
    if target.exists():
        return
    for one in (folder, *(folder / sub for sub in _SUBFOLDERS)):
        if not one.is_dir():
            one.mkdir(parents=True, exist_ok=True)
            one.chmod(_FOLDER)
            sync_folder(one.parent)
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), _FILE)
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def _move_all(spool: Path, folder: Path) -> None:
    """Put what waits into its Maildir; what cannot be put there waits on."""
    try:
        waiting = sorted((spool / "new").iterdir())
    except OSError:
        return
    for file in waiting:
        try:
            _store(folder, file.read_bytes())
            file.unlink()
        except OSError as error:
            log.error("weft: %s waits on: %s", file, error)
