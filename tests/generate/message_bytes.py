"""A message as bytes, one copy for each list: what each list adds, and headers and a body of the size of real ones.

Nothing here decides a thread: who is answered and how headers say it was drawn before (`tests.generate.conversations`).
Most text is cut from a few pools made in advance, so that a million messages are made in seconds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

from tests.generate.conversations import Mail, words
from tests.generate.shape import MAIL_SIZE

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = date(1970, 1, 1).toordinal()
_PAGE = 1 << 18
_REST = 350
"""Octets of the fields that are different on each list, about."""


def list_name(number: int) -> str:
    """The name of a list."""
    return f"list-{number}"


def rewrites(number: int) -> tuple[bool, bool]:
    """What a list does to messages: whether it adds a Subject prefix and a footer, and whether it rewrites From."""
    return number % 2 == 1, number % 4 == 3


class Printer:
    """Makes bytes of messages."""

    def __init__(self, lists: int, seed: int) -> None:
        self._rng = rng = random.Random(f"weft-octets-{seed}-{lists}")
        self._page = _page(rng)
        self._traces = [_trace(rng) for _ in range(256)]
        self._copied = [*[""] * 100, *(_copied(rng) for _ in range(156))]
        self._clocks: dict[int, str] = {}

    def copies(self, mail: Mail) -> Iterator[tuple[int, bytes]]:
        """(number of the list, bytes with LF line ends) of each copy."""
        rng = self._rng
        bits = rng.getrandbits(80)
        when = self._date(mail.seconds)
        head = self._head(mail, bits, when)
        trace = f"{self._traces[bits >> 8 & 255]}{when}\n{self._traces[bits >> 16 & 255]}{when}\n"
        body = self._body(MAIL_SIZE.at(rng.random()) - len(head) - len(trace) - _REST, bits >> 60)
        for number in mail.lists:
            subject, author, footer = mail.subject, mail.author, b""
            if number % 2:
                subject, author, footer = self._rewritten(number, mail)
            front = (
                f"Return-Path: <bounce-{bits & 0xFFFFFF:x}@{list_name(number)}.example>\n"
                f"{trace}From: {author}\nTo: list@lists.example\nSubject: {subject}\n{head}"
                f"Precedence: list\nList-Id: <{list_name(number)}.lists.example>\n"
                f"List-Post: <mailto:{list_name(number)}@lists.example>\n\n"
            )
            yield number, b"".join((front.encode(), body, b"\n", footer))

    def _head(self, mail: Mail, bits: int, when: str) -> str:
        """The fields that are the same on all lists."""
        reply = f"In-Reply-To: <{mail.in_reply_to}>\n" if mail.in_reply_to else ""
        return (
            f"{self._copied[bits >> 24 & 255]}Date: {when}\nMessage-ID: <{mail.id}>\n{reply}{_references(mail)}"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
            f"X-Mailer: Example Mailer {bits >> 32 & 7}.{bits >> 36 & 63}\n"
            f"DKIM-Signature: v=1; a=rsa-sha256; b={self._rng.getrandbits(1024):0256x}\n"
        )

    def _body(self, size: int, bits: int) -> bytes:
        start = bits & 0xFFFF
        if size <= _PAGE - 0xFFFF:
            return self._page[start : start + max(size, 1)]
        return (self._page * (size // _PAGE + 2))[start : start + size]

    def _rewritten(self, number: int, mail: Mail) -> tuple[str, str, bytes]:
        """Subject, From and footer, as a list makes them of a message."""
        name = list_name(number)
        author, footer = mail.author, f"-- \n{name} mailing list\nhttps://lists.example/{name}\n"
        if rewrites(number)[1]:
            author = f"{author.partition(' <')[0]} via {name} <{name}@lists.example>"
        return f"[{name}] {mail.subject}", author, footer.encode()

    def _date(self, seconds: int) -> str:
        days, rest = divmod(seconds, 86400)
        day = self._clocks.get(days)
        if day is None:
            when = date.fromordinal(days + _EPOCH)
            day = f"{_DAYS[when.weekday()]}, {when.day} {_MONTHS[when.month - 1]} {when.year}"
            self._clocks[days] = day
        return f"{day} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d} +0000"


def _references(mail: Mail) -> str:
    """The field References, or nothing."""
    if not mail.references:
        return ""
    if mail.quirk == "garbage":
        return f"References: {' and in message '.join(f'<{name}>' for name in mail.references)}\n"
    if mail.quirk == "spaced":
        name = mail.references[-1]
        above = "".join(f"<{other}>\n " for other in mail.references[:-1])
        return f"References: {above}<{name[:6]}\n {name[6:]}>\n"
    return f"References: <{('>' + chr(10) + ' <').join(mail.references)}>\n"


def _trace(rng: random.Random) -> str:
    """Some Received fields, the last without its date."""
    hops = [
        f"Received: from relay{rng.randrange(900)}.example (relay.example [192.0.2.{rng.randrange(250)}])\n"
        f"\tby mx{hop}.example (Postfix) with ESMTPS id {rng.getrandbits(48):012X}\n"
        f"\tfor <list@lists.example>; "
        for hop in range(rng.randint(1, 4))
    ]
    return "Thu, 1 Jan 2004 00:00:00 +0000\n".join(hops)


def _copied(rng: random.Random) -> str:
    others = (f"Somebody Else {n} <else{rng.randrange(2000)}@host.example>" for n in range(rng.randint(1, 8)))
    return "Cc: " + ",\n\t".join(others) + "\n"


def _page(rng: random.Random) -> bytes:
    """Text to cut bodies from."""
    lines: list[str] = []
    size = 0
    while size < _PAGE:
        lines.append("> " * rng.choice((0, 0, 0, 1, 1, 2)) + words(rng, 4, 12))
        size += len(lines[-1]) + 1
    return "\n".join(lines).encode()[:_PAGE]
