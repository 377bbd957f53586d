"""One set of messages as an mbox in every dialect that programs write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

__all__ = ["BOM", "DIALECTS", "FORMS", "Dialect", "message", "messages"]

BOM = b"\xef\xbb\xbf"
STRICT = b"From ann@example.org Tue Feb 11 10:00:00 2003"
COMMIT = b"0123456789abcdef0123456789abcdef01234567"

FORMS = {
    "mboxrd": b"From mboxrd@z Thu Jan  1 00:00:00 1970",
    "mutt": STRICT,
    "Thunderbird": b"From - Tue Feb 11 10:00:00 2003",
    "Netscape": b"From -",
    "Eudora": b"From ???@??? Tue Feb 11 10:00:00 2003",
    "pipermail": b"From ann at example.org  Tue Feb 11 10:00:00 2003",
    "Exchange": b"From ann@example.org Tue, 11 Feb 2003 10:00:00 +0000",
    "UUCP": b"From ann Tue Feb 11 10:00:00 2003 remote from uunet",
    "zone": b"From ann@example.org Tue Feb 11 10:00:00 MET DST 2003",
    "bare": b"From ",
}
"""From_ lines."""

Dialect = Callable[[Sequence[bytes]], bytes]


def _escaped(mail: bytes, pattern: bytes = rb"^(>*From )") -> bytes:
    head, _, body = mail.partition(b"\n\n")
    return head + b"\n\n" + re.sub(pattern, rb">\1", body, flags=re.MULTILINE)


def _whole_lines(mail: bytes) -> bytes:
    return mail if mail.endswith(b"\n") else mail + b"\n"


def _mboxrd(line: bytes, between: bytes = b"\n", gap: bytes = b"") -> Dialect:
    def write(mails: Sequence[bytes]) -> bytes:
        return b"".join(line + b"\n" + gap + _whole_lines(_escaped(mail)) + between for mail in mails)

    return write


def _mboxo(mails: Sequence[bytes]) -> bytes:
    return b"".join(STRICT + b"\n" + _whole_lines(_escaped(mail, rb"^(From )")) + b"\n" for mail in mails)


def _with_length(mails: Sequence[bytes], *, escape: bool, extra: bytes = b"") -> bytes:
    """``extra`` is counted for each line, as if it ended with more than LF."""
    whole = b""
    for mail in mails:
        head, _, body = _whole_lines(_escaped(mail) if escape else mail).partition(b"\n\n")
        body = body.replace(b"\n", extra + b"\n")
        whole += STRICT + b"\n" + head + b"\nContent-Length: %d\n\n" % len(body) + body + b"\n"
    return whole


def _patches(mails: Sequence[bytes]) -> bytes:
    return _mboxrd(b"From " + COMMIT + b" Mon Sep 17 00:00:00 2001")(mails)


def _ends(write: Dialect, ends: bytes) -> Dialect:
    return lambda mails: write(mails).replace(b"\n", ends)


DIALECTS: dict[str, Dialect] = {
    **{name: _mboxrd(line) for name, line in FORMS.items()},
    **{f"{name}, no empty line": _mboxrd(line, b"") for name, line in FORMS.items()},
    "a line of white space": _mboxrd(STRICT, b" \t\n"),
    "two empty lines": _mboxrd(STRICT, b"\n\n"),
    "NULs": _mboxrd(STRICT, b"\n\0\0\0"),
    "an empty line behind": _mboxrd(STRICT, gap=b"\n"),
    "an empty line behind, none before": _mboxrd(STRICT, b"", b"\n"),
    "BOM behind": _mboxrd(STRICT, gap=BOM),
    "BOM before": _mboxrd(BOM + STRICT),
    "UUCP's second line": _mboxrd(STRICT, gap=b">From ann Tue Feb 11 10:00:00 2003 remote from uunet\n"),
    "mboxo": _mboxo,
    "mboxcl": lambda mails: _with_length(mails, escape=True),
    "mboxcl2": lambda mails: _with_length(mails, escape=False),
    "mboxcl2, CRLF": lambda mails: re.sub(rb"\r*\n", b"\r\n", _with_length(mails, escape=False, extra=b"\r")),
    "git format-patch": _patches,
    "CRLF": _ends(_mboxrd(STRICT), b"\r\n"),
    "CRLF, no empty line": _ends(_mboxrd(STRICT, b""), b"\r\n"),
    "CR": _ends(_mboxrd(STRICT), b"\r"),
    "CR, no empty line": _ends(_mboxrd(STRICT, b""), b"\r"),
    "BOM at the start": lambda mails: BOM + _mboxrd(STRICT)(mails),
    "each message by another program": lambda mails: b"".join(
        _mboxrd([*FORMS.values()][number % len(FORMS)])([mail]) for number, mail in enumerate(mails)
    ),
}
"""Those of git, the escaping ones and those with Content-Length write nothing that two messages could be read from."""

_LINES = st.sampled_from(
    [
        b"text", b"", b"", b" ", b"From my side", b"From", b"From ", b"From -", b"Note: one", b"Subject: other",
        b"From: bob@example.org", b"Message-ID: <inner@x>", b">From the start", b">>From the start", STRICT,
        b"> " + STRICT, FORMS["Thunderbird"], b"From bob@example.org", b"From " + COMMIT + b" Mon Sep 17 00:00:00 2001",
        b"----- Forwarded message -----", b"--b", b"--b--", b"-- ", b"Content-Length: 3", b"\xe4\xf6", b"x" * 300,
    ]
)  # fmt: skip
_FIRST = [
    b"Received: from a by b",
    b"Return-Path: <a@x>",
    b"Foo: bar",
    b"X-Foo: bar\n\tbaz",
    b"Subject: s",
    b"Status: RO",
]


def message(number: int, first: bytes, parent: int | None, body: Sequence[bytes], *, ends: bool = True) -> bytes:
    """A message with LF."""
    lines = [first, b"From: Ann <ann@example.org>", b"Message-ID: <m%d@x>" % number]
    lines += [b"In-Reply-To: <m%d@x>" % parent] if parent is not None else []
    return b"\n".join([*lines, b"Date: Tue, 11 Feb 2003 10:00:00 +0000", b"", *body]) + b"\n" * ends


@st.composite
def messages(draw: st.DrawFn, most: int = 5) -> list[bytes]:
    """Some messages that answer each other, with bodies that look like anything."""
    return [
        message(
            number,
            draw(st.sampled_from(_FIRST)),
            draw(st.none() | st.integers(0, number)),
            draw(st.lists(_LINES, min_size=1, max_size=8)),
            ends=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, most)))
    ]
