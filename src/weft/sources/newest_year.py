"""The year of the newest mail of an archive, by which dates in the future are known without a clock.

Theory of operation
-------------------
Everybody can write any Date.  When a message was delivered is said by the archive itself, in the line ``From`` of an
mbox, and by the server that delivered it, in the first Received field; the later of the two counts, since many
programs write a line that says nothing.  A message shows that there was mail in the year of its Date or in that of its
delivery, whichever is earlier; the greatest of these years is the newest one.  A date is plausible up to the end of the
year behind it.

So the newest year depends on the set of messages alone.  A message can only raise it if its Date is later, so that few
are looked at: one for each year, and those whose Date is later than they were delivered.

Who can lie: the author about Date, and about Received where the archive adds none (news); then no date is marked that
should be.  No mail can make that of another look implausible that was delivered in the year of its own Date.
"""

from __future__ import annotations

import re

from weft._patterns import deferred
from weft.core.byte_search import find
from weft.core.date import MISSING, parse_date, start_of_year, year_of
from weft.core.message_id import unfold
from weft.sources.separators import MBOXRD, date_in_line, is_patch

FIRST_YEAR = 1970
"""Lines that say nothing are dated to its first day, or before."""
MBOXRD_LENGTH = len(MBOXRD)
RECEIVED = b"\nReceived:"
"""Without this in its header, and below a line `MBOXRD`, nothing says when a message came."""
_LINE = 1100
"""So many bytes before a message hold the line above it."""
_RECEIVED = deferred(rb"\nReceived[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE)


class NewestYear:
    """Finds the newest year while messages are scanned."""

    __slots__ = ("limit", "year", "years")

    def __init__(self, year: int = 0) -> None:
        """``year``: what is known already; 0: nothing."""
        self.year = 0
        self.limit = 0
        """A date before this, in seconds, says nothing new: the beginning of the next year."""
        self.years: set[bytes] = set()
        """The years of which a Date says nothing new."""
        self.raise_to(year)

    @property
    def plausible_before(self) -> int | None:
        """Dates from then on, in seconds, are in the future; None: nothing says when any mail was delivered."""
        return plausible_before(self.year)

    def raise_to(self, year: int) -> None:
        """There is mail of that year."""
        if year > self.year:
            self.year, self.limit = year, start_of_year(year + 1)
            self.years = {b"%d" % one for one in range(FIRST_YEAR, year + 1)}

    def look(self, buffer: bytes | bytearray, start: int, header_end: int, seconds: int) -> None:
        """See a message, whose Date is ``seconds``; the arguments are those of `weft.sources.interface.make_record`."""
        if seconds < self.limit:
            return
        line = 0 if buffer.startswith(MBOXRD, start - MBOXRD_LENGTH) else _by_line(buffer, start)
        delivered = max(line, _by_received(buffer, start, header_end))
        if delivered > FIRST_YEAR:
            self.raise_to(min(delivered, year_of(seconds)))


def plausible_before(year: int) -> int | None:
    """As `NewestYear.plausible_before`, of a newest year."""
    return start_of_year(year + 2) if year else None


def _by_line(buffer: bytes | bytearray, start: int) -> int:
    """The year when the archive got a message, by the line ``From`` just before it; 0 if there is none."""
    front = buffer.rfind(b"\n", max(0, start - _LINE), max(0, start - 1)) + 1
    line = bytes(buffer[front : start - 1]) if front or start <= _LINE else b""
    if (
        line[-8:-7] == b":"
        and line[-5:-4] == b" "
        and line[-4:].isdigit()
        and line.startswith(b"From ")
        and not is_patch(line)
    ):
        return int(line[-4:])
    return _year(date_in_line(line))


def _by_received(buffer: bytes | bytearray, start: int, header_end: int) -> int:
    """The year when the last server got a message; 0 if there is none."""
    if find(buffer, RECEIVED, start - 1, header_end) < 0:
        return 0
    found = _RECEIVED.search(buffer, start - 1, header_end)
    return _year(unfold(found[1].rpartition(b";")[2])) if found else 0


def _year(date: bytes) -> int:
    seconds = parse_date(date)[0]
    return 0 if seconds == MISSING else year_of(seconds)
