"""A seeded generator of realistic mailing-list archives, for benchmarks and large tests.

The shape is that of 25 public lists (1.43 million copies): thread size p50/p90/p99 = 3/15/47, a new message
answers the root in 45 %, the message before it in 23 %, another one in 29 %, a message that nobody holds in 1.9 %;
References repeat the parent's chain in 95.8 %; In-Reply-To stands alone in 1.1 %, References alone in 0.6 %;
a reversed list in 0.38 %.  Header blocks are 1-3 KB, References at most 20 ids, bodies log-normal with a median of
2 KB.  The lists of a message are drawn for each thread and sub-thread, never for each message.

The same ``(messages, lists, seed)`` gives the same bytes on every machine.  Nothing in it is anybody's mail.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_WORDS = (  # noqa: SIM905 - lines of words read better than a list of sixty
    "the of a to in is for that this it and on with as be are not or by from if when patch driver server index "
    "thread message header queue lock page buffer commit review build test fails works please thanks kernel table "
    "value field state machine record stream socket client protocol list archive reply author change version"
).split()
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MAX_REFERENCES = 20


@dataclass(slots=True)
class Mail:
    """One generated message: ``lists`` are indexes of the lists it was posted to."""

    message_id: str
    chain: list[str]
    parent: str | None
    subject: str
    author: str
    seconds: int
    lists: tuple[int, ...]
    style: str = "both"
    children: int = field(default=0)


def generate(messages: int, lists: int = 1, seed: int = 1) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield ``messages`` pairs (indexes of lists, the message's bytes with LF line ends), oldest thread first."""
    rng = random.Random(f"weft-bench-{seed}-{lists}")
    authors = [f"{_name(rng)} {_name(rng)} <{_name(rng).lower()}{n}@host{n % 97}.example>" for n in range(2000)]
    page = _page(rng)
    made = 0
    while made < messages:
        thread: list[Mail] = []
        home = _draw_lists(rng, lists)
        size = min(_thread_size(rng), messages - made)
        start = 1_000_000_000 + made * 37 + rng.randrange(3600)
        for position in range(size):
            mail = _next_mail(rng, thread, position, start, home, authors, made, lists)
            thread.append(mail)
            made += 1
            yield mail.lists, _render(rng, mail, page)


def write_mboxes(folder: Path, messages: int, lists: int = 1, seed: int = 1) -> list[Path]:
    """Write ``list-0.mbox`` ... into ``folder``; return their paths.  Files that are already complete are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"list-{n}.mbox" for n in range(lists)]
    stamp = folder / f"complete-{messages}-{lists}-{seed}"
    if stamp.exists():
        return paths
    files = [path.open("wb", buffering=1 << 20) for path in paths]
    for where, mail in generate(messages, lists, seed):
        for index in where:
            files[index].write(b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + mail + b"\n")
    for file in files:
        file.close()
    stamp.touch()
    return paths


def _next_mail(
    rng: random.Random,
    thread: list[Mail],
    position: int,
    start: int,
    home: tuple[int, ...],
    authors: list[str],
    made: int,
    lists: int,
) -> Mail:
    author = authors[min(int(rng.paretovariate(0.6)), len(authors)) - 1]
    message_id = f"{start + made:x}.{rng.getrandbits(64):016x}.{made}@mail{rng.randrange(50)}.host.example"
    seconds = start + int(rng.expovariate(1 / 9000.0)) * (1 if position else 0) + position * 300
    if not thread:
        return Mail(message_id, [], None, _subject(rng), author, seconds, home)
    draw = rng.random()
    if draw < 0.45:
        parent = thread[0]
    elif draw < 0.68:
        parent = thread[-1]
    else:
        parent = thread[rng.randrange(len(thread))]
    where = parent.lists
    if lists > 1 and rng.random() < 0.02:
        where = _draw_lists(rng, lists)
    chain, parent_id = [*parent.chain, parent.message_id], parent.message_id
    if 0.97 < draw < 0.989:
        parent_id = f"{rng.getrandbits(64):016x}.{made}@lost.example"
        chain = [*chain, parent_id]
    if len(chain) > _MAX_REFERENCES:
        chain = [chain[0], *chain[-(_MAX_REFERENCES - 1) :]]
    style_draw = rng.random()
    style = "both"
    if style_draw < 0.011:
        style = "in-reply-to"
    elif style_draw < 0.017:
        style = "references"
    elif style_draw < 0.0208:
        style = "reversed"
    subject = thread[0].subject if rng.random() < 0.03 else f"Re: {thread[0].subject}"
    return Mail(message_id, chain, parent_id, subject, author, seconds, where, style)


def _render(rng: random.Random, mail: Mail, page: bytes) -> bytes:
    lines = [f"Return-Path: <bounce-{rng.getrandbits(32):x}@lists.example>"]
    for hop in range(rng.randint(2, 7)):
        lines.append(
            f"Received: from relay{rng.randrange(900)}.example (relay.example [192.0.2.{rng.randrange(250)}])\n"
            f"\tby mx{hop}.example (Postfix) with ESMTPS id {rng.getrandbits(48):012X}\n"
            f"\tfor <list@lists.example>; {_date(mail.seconds + hop)}"
        )
    lines.append(f"From: {mail.author}")
    lines.append("To: list@lists.example")
    if rng.random() < 0.6:
        copied = ",\n\t".join(
            f"Somebody Else {n} <else{rng.randrange(2000)}@host.example>" for n in range(rng.randint(1, 8))
        )
        lines.append(f"Cc: {copied}")
    lines.append(f"Subject: {mail.subject}")
    lines.append(f"Date: {_date(mail.seconds)}")
    lines.append(f"Message-ID: <{mail.message_id}>")
    if mail.parent is not None:
        if mail.style != "references":
            lines.append(f"In-Reply-To: <{mail.parent}>")
        if mail.style != "in-reply-to":
            chain = mail.chain[::-1] if mail.style == "reversed" else mail.chain
            lines.append("References: " + "\n ".join(f"<{reference}>" for reference in chain))
    lines.append("MIME-Version: 1.0")
    lines.append("Content-Type: text/plain; charset=utf-8")
    lines.append("Content-Transfer-Encoding: 8bit")
    lines.append(f"X-Mailer: Example Mailer {rng.randrange(9)}.{rng.randrange(99)}")
    lines.append("Precedence: list\nList-Id: <list.lists.example>\nList-Post: <mailto:list@lists.example>")
    lines.append(f"DKIM-Signature: v=1; a=rsa-sha256; b={rng.getrandbits(1024):0256x}")
    size = min(int(rng.lognormvariate(math.log(2048), 1.2)), 4_000_000)
    body = bytearray()
    while len(body) < size:
        offset = rng.randrange(len(page) // 2)
        body += page[offset : offset + size - len(body)]
    return "\n".join(lines).encode() + b"\n\n" + bytes(body) + b"\n"


def _date(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    year, month, day = _civil(days)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{_DAYS[(days + 3) % 7]}, {day} {_MONTHS[month - 1]} {year} {clock} +0000"


def _civil(days: int) -> tuple[int, int, int]:
    """Days since 1970-01-01 to (year, month, day), without the locale of ``strftime``."""
    import datetime

    date = datetime.date.fromordinal(days + 719163)
    return date.year, date.month, date.day


def _thread_size(rng: random.Random) -> int:
    """p50 / p90 / p99 / max = 3 / 15 / 47 / 834, a quarter of them single."""
    if rng.random() < 0.25:
        return 1
    return max(1, min(834, int(rng.lognormvariate(math.log(4.2), 1.05))))


def _draw_lists(rng: random.Random, lists: int) -> tuple[int, ...]:
    draw = rng.random()
    count = 1 if draw < 0.898 else 2 if draw < 0.975 else 3
    return tuple(sorted(rng.sample(range(lists), min(count, lists))))


def _name(rng: random.Random) -> str:
    return "".join(rng.choice("aeiou") + rng.choice("bdklmnrst") for _ in range(rng.randint(2, 4))).capitalize()


def _subject(rng: random.Random) -> str:
    words = " ".join(rng.choice(_WORDS) for _ in range(rng.randint(3, 9)))
    return f"[PATCH {rng.randrange(9)}/9] {words}" if rng.random() < 0.4 else words


def _page(rng: random.Random) -> bytes:
    lines = []
    for _ in range(4000):
        quote = "> " * rng.choice((0, 0, 0, 1, 1, 2))
        lines.append(quote + " ".join(rng.choice(_WORDS) for _ in range(rng.randint(4, 12))))
    return "\n".join(lines).encode()


def main() -> None:
    """Write archives to a folder: ``python -m tests.bench.generate FOLDER --messages 100000 --lists 1``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--lists", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for path in write_mboxes(arguments.folder, arguments.messages, arguments.lists, arguments.seed):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
