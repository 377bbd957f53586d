"""Deleting, while a server runs, the bytes of claims that were withdrawn, and of messages that were erased.

Every ten seconds it is looked whether something may be due, which costs two look-ups; only then the index is opened to
write (`weft.index.erasure`).  Whatever goes wrong is told in the log once, and tried again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from weft._text import count
from weft.errors import WeftError
from weft.index.erasure import Erasure
from weft.index.index import Index
from weft.policy.rules import Policy
from weft.store.sqlite import SqliteStore

LOOK_SECONDS = 10.0

log = logging.getLogger("weft.serve")


async def delete_withdrawn(path: Path, policy: Callable[[], Policy]) -> None:
    """Delete what is due, again and again, until cancelled."""
    said = ""
    while True:
        try:
            deleted = await asyncio.to_thread(delete_due, path, policy)
        except WeftError as error:
            if str(error) != said:
                log.warning("withdrawn claims are deleted later: %s", error)
            said = str(error)
        else:
            said = ""
            if deleted:
                log.info("%s deleted", count(deleted, "withdrawn claim"))
        await asyncio.sleep(LOOK_SECONDS)


def delete_due(path: Path, policy: Callable[[], Policy]) -> int:
    """Delete what is due now; how many claims.  Nothing of an index that cannot be written."""
    now = int(time.time())
    with SqliteStore(path, read_only=True) as store:
        if not Erasure.may_have_due(store, policy(), now):
            return 0
    with Index.open(path, policy=policy(), create=False, reading=True) as index:
        return 0 if index.store.read_only else index.erasure.delete(now)
