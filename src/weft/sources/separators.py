"""Which lines of an mbox begin a message: one rule for every writer of mboxes and for every server that reads them.

Theory of operation
-------------------
`judge` looks at one line that begins with ``From ``, at what stands before it and at the lines below it, and says what
it is (`Ground`).  It depends on the bytes of the file alone, at most `BEFORE` before the line and `AHEAD` from it on,
so it is the same wherever a file is cut; and what is taken stays taken when a file grows.

How much must stand below depends on the line.  With a date (asctime's in all its forms, RFC 5322's, with zones and
words behind it) a header field is enough; after ``From -``, a bare ``From `` or an empty line below it, a field that
mail is known to have; after anything else, fields that hardly stand together in prose.  What stands before the line
matters least: writers forget the empty line.

Who can lie: the author of a mail about everything, where the writer of the mbox did not escape its lines; then he can
make messages, but not hide one: a line that others would take for a separator is named, or counted at least.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from weft._patterns import deferred

BEFORE = 256
"""So many bytes before the line may be looked at."""
AHEAD = 16 * 1024
"""So many bytes from the line on."""

_LINE = 998
_GAP = 8
"""So many lines may stand between the line and the first field."""
_FIELDS = 64
_LF, _CR = 0x0A, 0x0D
BOM = b"\xef\xbb\xbf"

_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_GIT = rb"(?:[0-9a-f]{40}|[0-9a-f]{64}) Mon Sep 17 00:00:00 2001"
STRICT = re.compile(
    rb"From (?:mboxrd@z Thu Jan  1 00:00:00 1970\n"
    rb"|(?!%s|MAILER-DAEMON )[^ \r\n]{1,%d}+(?: at [^ \r\n]{1,%d}+)?  ?[MTWFS][a-z]{2} [JFMASOND][a-z]{2} [ \d]\d "
    rb"\d\d:\d\d:\d\d \d{4}\r?\n)[!-9;-~]{1,%d}+[ \t]{0,%d}+:(?!//)" % (_GIT, _LINE, _LINE, _LINE, _LINE)
)
"""What nearly all mboxes have below an empty line, those of Pipermail too; git's and the mail system's own lines need a
closer look."""

_TIME = rb"\d{1,2}[:.]\d\d(?:[:.]\d\d(?:[.,]\d{1,9})?)?(?: ?[AaPp][Mm])?"
_YEAR = rb"(?:\d{4}|\d{2,3}(?=[ \t]*\Z|[ \t]+remote ))(?!\d)"
_ZONE = rb"(?:[ \t]+[-+(A-Za-z][-+:()A-Za-z0-9/_]{0,31}){0,3}?"
_WORDS = rb"(?:%s[a-z]{0,6}[.,]{0,2}[ \t]+)?" % _DAY
_NAME = rb"%s[a-z]{0,6}\.?" % _MONTH
_DATE = deferred(
    rb"(?<![A-Za-z0-9])%(words)s(?:"
    rb"%(month)s[ \t]+\d{1,2},?[ \t]+(?:%(time)s%(zone)s[ \t]+%(year)s|\d{4},?[ \t]+%(time)s)"
    rb"|\d{1,2}[ \t-]%(month)s[ \t-]\d{2,4},?[ \t]+%(time)s)"
    % {b"words": _WORDS, b"month": _NAME, b"time": _TIME, b"zone": _ZONE, b"year": _YEAR},
    re.IGNORECASE,
)
_LOOSE_DATE = deferred(rb"\d\d?[:.]\d\d[:.]\d\d\b.{0,40}\b\d{4}\b|\b\d{4}-\d\d-\d\d(?!\d)")
_ANY_DATE = deferred(
    rb"\d:\d.{0,60}\b(?:19|20)\d\d\b|\b(?:19|20)\d\d\b.{0,60}\d:\d|%s,? (?:.{0,40}\d:\d|\s*(?:\d\d? )?%s)"
    % (_DAY, _MONTH),
    re.DOTALL,
)
_SENDER = deferred(rb'(?:"[^"]*"[^ ]*|[^ ]+ at [^ ]+|[^<]{0,99}<[^>]*>|[^ ]*)[ \t]*')
_BEHIND_DATE = deferred(rb"(?:[ \t]+[-+(A-Za-z][-+:()A-Za-z0-9/_]{0,31}){0,2}(?:[ \t]+remote from [^ \t]+)?[ \t]*")
_GIT_LINE = deferred(rb"From %s[ \t]*(?=[\r\n]|\Z)" % _GIT)
_FROM_LINE = deferred(rb"From ([^\r\n]{0,%d})(\r?\n|\r)" % _LINE)
_BROKEN_LINE = deferred(rb"From ([^\n]{0,%d})\n" % _LINE)
_LINE_END = deferred(rb"\r?\n|\r")
_GAP_LINE = deferred(rb"[ \t\f]{0,%d}(\r?\n|\r)|>+From [^\r\n]{0,%d}(?:\r?\n|\r)" % (_LINE, _LINE))
_FIELD = deferred(rb"([!-9;-~]{1,%d})[ \t]{0,%d}:" % (_LINE, _LINE))
_REST_OF_LINE = deferred(rb"[^\r\n]*+(?:\r?\n|\r)?")
_LAST_LINE = deferred(rb"[\r\n]([^\r\n]+)(?:\r\n|\n|\r)\Z")
_IN_HEADER = deferred(rb"[ \t]|[!-9;-~]+[ \t]*:")
_BLANK_BEFORE = deferred(rb"(?:(?:\r\n|\n|\r(?!\n))|\A)[ \t\f]*(?:\r\n|\n|\r)\Z|\A\Z")
_GLUED = deferred(
    rb"From (?!%s)[^ \r\n]{1,%d} {1,2}%s %s [ \d]\d \d\d:\d\d:\d\d \d{4}\r?\n" % (_GIT, _LINE, _DAY, _MONTH)
)
_QUOTATION = deferred(
    rb"(?:^|[\r\n])[ \t]*(?:-{2,}|begin )[^\r\n]{0,40}(?:forward|original|quoted|included)[^\r\n]{0,99}(?:\r?\n|\r)\Z",
    re.IGNORECASE,
)
_ESCAPES = frozenset(b"> \t")

_KNOWN = frozenset(
    b"from to cc bcc date subject message-id received return-path reply-to sender delivered-to mime-version references "
    b"in-reply-to status newsgroups path organization xref lines user-agent importance priority precedence errors-to "
    b"envelope-to delivery-date approved comments keywords authentication-results received-spf dkim-signature "
    b"domainkey-signature apparently-to mailing-list autocrypt posted-date mail-followup-to sensitivity expires "
    b"followup-to nntp-posting-host distribution encoding return-receipt-to dkim-filter bcc old-date".split()
)
_KNOWN_FRONTS = (b"x-", b"list-", b"resent-", b"content-", b"arc-", b"thread-", b"disposition-", b"original-")
_OF_DELIVERY = frozenset((b"message-id", b"received", b"return-path"))


MBOXRD = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
"""What stands before each message where whole messages are written as mboxrd (`weft.render.mbox`, public-inbox)."""


def is_mboxrd(front: bytes) -> bool:
    """Whether a file was written so: then each line in it that begins with ``From`` and a space begins a message.

    All others have a ``>``, but for header fields ``From : a@x``; and no Content-Length says where a message ends.
    """
    return front.startswith(MBOXRD)


class Ground(IntEnum):
    """What a line is taken for, and why."""

    TEXT = 0
    """Prose; not worth a word."""
    PASSED = 1
    """Not taken; it looks like a separator, but it is hardly one."""
    LOST = 2
    """Not taken, and a message was probably lost by it."""
    PATCH = 3
    """Not taken: git's own line, which begins a patch; whether one was lost depends on where it stands."""
    WEAK = 4
    """Taken, but not in the form that writers agree on."""
    SURE = 5
    """Taken."""


class Verdict(NamedTuple):
    """``begin`` is where the first header field stands, if the line is taken; ``reason`` says what was seen."""

    ground: Ground
    begin: int = 0
    reason: str = ""


_TEXT = Verdict(Ground.TEXT)
_TAKEN = "taken for the beginning of a message: "
_NOT = "not taken for the beginning of a message: "


class _Below(NamedTuple):
    """What stands below the line: where the first field is, names of fields in lower case, and what else there was."""

    begin: int
    names: frozenset[bytes]
    gap: bool = False
    """An empty line or a byte order mark stands before the first field."""
    ended: bool = False
    """There is nothing else, or only another such line."""


def judge(buffer: bytes | bytearray, at: int, end: int, *, at_end: bool, series: bool, mboxrd: bool = False) -> Verdict:
    """What the line ``From ...`` at ``buffer[at]`` is.

    ``end`` is where what may be looked at ends, at most `AHEAD` on; ``at_end``: the file ends there.  ``series``: the
    file is made of git's patches (`is_patch_series`); ``mboxrd``: it was written as that (`is_mboxrd`).
    """
    before = bytes(buffer[max(0, at - BEFORE) : at])
    if not _begins_line(before):
        return _in_a_line(buffer, at, end, before)
    line = _FROM_LINE.match(buffer, at, end)
    if line is None:
        return Verdict(Ground.PASSED, 0, f"{_NOT}the file ends in it") if at_end else _TEXT
    blank = _BLANK_BEFORE.search(before.rstrip(b"\0").removesuffix(BOM)) is not None
    text = line[1].strip()
    below = _look_below(buffer, line.end(), end, at_end=at_end)
    if text.startswith(b":"):  # a header field, as RFC 5322 section 4.5 lets people write it, if it stands among others
        lost = _is_header(below.names) and _is_lost_field(before, text, below, blank=blank, mboxrd=mboxrd)
        return Verdict(Ground.LOST, 0, f"{_NOT}it is written as a header field") if lost else _TEXT
    if mboxrd and blank and line[0] == MBOXRD:
        return Verdict(Ground.SURE, line.end())
    if _GIT_LINE.match(buffer, at, end) and not series:
        return Verdict(Ground.PATCH, 0, f"{_NOT}it begins a patch of git") if below.names else _TEXT
    date = _DATE.search(text)
    if line[2] == b"\r" and not (date and below.names) and _is_broken(buffer, at, end):
        return Verdict(Ground.LOST, 0, f"{_NOT}a carriage return stands in it")
    if not (below.names or below.ended) and _is_torn(buffer, text, below.begin, end, blank=blank):
        return Verdict(Ground.LOST, 0, f"{_NOT}a line that is not a header field follows")
    if date:
        plain = _SENDER.fullmatch(text, 0, date.start()) and _BEHIND_DATE.fullmatch(text, date.end())
        return _dated(before, below, plain=plain is not None, blank=blank)
    if text in (b"", b"-"):
        return _bare(below, text, blank=blank)
    return _undated(below, text, blank=blank)


def date_in_line(line: bytes) -> bytes:
    """The date of a line ``From ...``; empty if it has none that says when a message came."""
    if not line.startswith(b"From ") or is_patch(line):
        return b""
    found = _DATE.search(line)
    return found[0] if found else b""


def is_patch(line: bytes) -> bool:
    """Whether a line ``From ...`` is that of a patch of git."""
    return b"Mon Sep 17 00:00:00 2001" in line and _GIT_LINE.match(line) is not None


def is_patch_series(front: bytes) -> bool:
    """Whether the first From_ line in the first bytes of a file is git's, as ``git format-patch --stdout`` writes."""
    for line in _ANY_FROM_LINE.finditer(front):
        if _GIT_LINE.match(front, line.start(1)):
            return True
        if _DATE.search(line[1]):
            return False
    return False


_ANY_FROM_LINE = deferred(rb"(?:\A|[\r\n\0]|\xef\xbb\xbf)(From [^\r\n]{0,%d})(?=[\r\n])" % _LINE)


def _begins_line(before: bytes) -> bool:
    return not before or before[-1] in b"\n\r\0" or before.endswith(BOM)


def _in_a_line(buffer: bytes | bytearray, at: int, end: int, before: bytes) -> Verdict:
    """A separator that was written behind a body without a line feed at its end."""
    if before[-1] in _ESCAPES or not (line := _GLUED.match(buffer, at, end)):
        return _TEXT
    below = _look_below(buffer, line.end(), end, at_end=False)
    if not _is_header(below.names) or below.gap:
        return _TEXT
    return Verdict(Ground.LOST, 0, f"{_NOT}it stands in the middle of a line")


def _dated(before: bytes, below: _Below, *, plain: bool, blank: bool) -> Verdict:
    """``plain``: a sender, a date, and what may follow a date; otherwise it may be prose."""
    if not below.names:
        ground = Ground.LOST if plain and not below.ended else Ground.PASSED
        return Verdict(ground, 0, f"{_NOT}no header field follows")
    if (below.gap or not plain) and not any(map(_is_known, below.names)):
        return Verdict(Ground.LOST if plain else Ground.PASSED, 0, f"{_NOT}no field of a mail follows")
    if not blank and _QUOTATION.search(before):
        return Verdict(Ground.LOST, 0, f"{_NOT}it stands in a quotation")
    if not blank:
        return Verdict(Ground.WEAK, below.begin, f"{_TAKEN}no empty line before it")
    if below.gap:
        return Verdict(Ground.WEAK, below.begin, f"{_TAKEN}an empty line or a byte order mark follows")
    return Verdict(Ground.SURE, below.begin)


def _bare(below: _Below, text: bytes, *, blank: bool) -> Verdict:
    if any(map(_is_known, below.names)):
        ground = Ground.SURE if text and blank and not below.gap else Ground.WEAK
        return Verdict(ground, below.begin, f"{_TAKEN}it has no date")
    return Verdict(Ground.PASSED, 0, f"{_NOT}no field of a mail follows") if below.names else _TEXT


def _undated(below: _Below, text: bytes, *, blank: bool) -> Verdict:
    """A line with anything but a date behind ``From ``: prose, unless what follows can be nothing but a header."""
    names = below.names
    likely = _LOOSE_DATE.search(text) is not None or b" " not in text
    if _is_header(names):
        sure = bool(names & _OF_DELIVERY)
        if (likely and (blank or sure)) or (blank and sure and not below.gap):
            return Verdict(Ground.WEAK, below.begin, f"{_TAKEN}its date is missing or cannot be read")
        return Verdict(Ground.LOST, 0, f"{_NOT}it has no date")
    if likely and b"@" in text and any(map(_is_known, names)):
        return Verdict(Ground.LOST, 0, f"{_NOT}it has no date")
    return Verdict(Ground.PASSED, 0, f"{_NOT}it has no date") if names and blank and not below.gap else _TEXT


def _is_known(name: bytes) -> bool:
    """Whether mail is known to have such a field."""
    return name in _KNOWN or name.startswith(_KNOWN_FRONTS)


def _is_header(names: frozenset[bytes]) -> bool:
    """Whether these fields hardly stand together in prose."""
    return bool(names & _OF_DELIVERY) or (b"from" in names and (b"date" in names or b"subject" in names))


def _look_below(buffer: bytes | bytearray, at: int, end: int, *, at_end: bool) -> _Below:
    gap = False
    for _ in range(_GAP):
        if buffer[at : at + 3] == BOM:
            at, gap = at + 3, True
        line = _GAP_LINE.match(buffer, at, end)
        if line is None:
            break
        gap |= line[1] is not None
        at = line.end()
    names = _field_names(buffer, at, end)
    if names:
        return _Below(at, names, gap)
    rest = buffer[at : min(end, at + _LINE)]
    ended = (at_end and not _LINE_END.search(rest)) or rest.startswith(b"From ")
    return _Below(at, names, gap, ended)


def _is_lost_field(before: bytes, text: bytes, below: _Below, *, blank: bool, mboxrd: bool) -> bool:
    """Whether a line ``From :`` above a header stands where no header field of the message before it can be.

    Or it has a date, as no header field of this name has.
    """
    if mboxrd:
        return before.endswith((b"\n\n", b"\n\r\n"))
    if blank or (b"@" not in text and not below.gap) or _DATE.search(text):
        return True
    above = _LAST_LINE.search(before)
    return above is not None and not _IN_HEADER.match(above[1])


def _is_broken(buffer: bytes | bytearray, at: int, end: int) -> bool:
    """Whether a line that ends with LF, and has a CR in the middle, stands above a header."""
    line = _BROKEN_LINE.match(buffer, at, end)
    return line is not None and _is_header(_look_below(buffer, line.end(), end, at_end=False).names)


def _is_torn(buffer: bytes | bytearray, text: bytes, at: int, end: int, *, blank: bool) -> bool:
    """Whether there is a header below one line that is none, as when the line ``From ...`` itself was torn in two."""
    line = _REST_OF_LINE.match(buffer, at, end)
    assert line is not None
    if not blank and not _ANY_DATE.search(text + b" " + line[0]):
        return False
    return _is_header(_look_below(buffer, line.end(), end, at_end=False).names)


def _field_names(buffer: bytes | bytearray, at: int, end: int) -> frozenset[bytes]:
    """The names of the fields from ``at`` on, up to the first line that belongs to none."""
    names: set[bytes] = set()
    for _ in range(_FIELDS):
        field = _FIELD.match(buffer, at, end)
        if field:
            if buffer[field.end() : field.end() + 2] == b"//":  # a URL
                break
            names.add(bytes(field[1]).lower())
        elif not names or buffer[at : at + 1] not in (b" ", b"\t"):
            break
        line = _REST_OF_LINE.match(buffer, at, end)
        assert line is not None
        at = line.end()
    return frozenset(names)
