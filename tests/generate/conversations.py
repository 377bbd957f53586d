"""Who answers whom, on which lists, and what each message says about it: conversations without their bytes.

Theory of operation
-------------------
A thread is made whole, message by message in order of time; each new one answers the root, the message before it,
another one, or one that nobody has.  Each thread has a temper: in some nearly all answer the root (a series of
patches and what is said of it), in others most answer the last word.  The lists of a thread are drawn once; a message
goes where its parent went, unless it begins a sub-thread that leaves a list out or takes one in.

Threads overlap in time, so the messages of the open ones wait in a heap for their time of arrival.  Only the open
threads are in memory.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from tests.generate.shape import ID_LENGTH, THREAD_SIZE, Shape

_WORDS = (  # noqa: SIM905 - lines of words read better than a list of sixty
    "the of a to in is for that this it and on with as be are not or by from if when patch driver server index "
    "thread message header queue lock page buffer commit review build test fails works please thanks kernel table "
    "value field state machine record stream socket client protocol list archive reply author change version"
).split()
_HOSTS = [f"{'mail.'[: n % 6]}h{n}.example" for n in range(50)]
_TEMPERS = ((0.30, 0.84, 0.05), (0.75, 0.23, 0.24), (0.985, 0.05, 0.40), (1.0, 0.02, 0.9))
"""(share of the threads up to here, how often the root is answered, how often the message before).

In the last ones two people answer each other, with programs that keep all References.
"""
_SECONDS = 37
"""Of them, so many pass for each message."""


@dataclass(slots=True, eq=False)
class Mail:
    """One message: the truth about it (who it answers, where it was filed), and what its headers say.

    ``lists``        numbers of the lists that hold it; none if it is one that nobody has
    ``where``        numbers of the lists that it was sent to, so where answers to it go
    ``references``   its References, in the order in which they are written
    ``in_reply_to``  its In-Reply-To, if it has one
    ``quirk``        how References are written: "", "garbage" between them, or "spaced", white space inside one
    ``seconds``      its Date; ``arrival``: when the lists file it, the order of all mail
    ``answered``     whether anybody has answered it so far
    """

    number: int
    id: str
    parent: Mail | None
    lists: tuple[int, ...]
    where: tuple[int, ...]
    subject: str
    author: str
    seconds: int
    arrival: int
    references: tuple[str, ...] = ()
    in_reply_to: str | None = None
    quirk: str = ""
    answered: bool = False


def words(rng: random.Random, least: int, most: int) -> str:
    """Some words in a row."""
    return " ".join(rng.choices(_WORDS, k=rng.randint(least, most)))


class Conversations:
    """Conversations on ``lists`` lists; `mails` gives the messages of all of them in order of arrival."""

    def __init__(self, lists: int, seed: int, shape: Shape) -> None:
        self._rng = rng = random.Random(f"weft-conversations-{seed}-{lists}")
        self._lists = lists
        self._shape = shape
        self._authors = [
            f"{_name(rng)} {_name(rng)} <{_name(rng).lower()}{n}@host{n % 97}.example>" for n in range(2000)
        ]
        self._roots: deque[str] = deque(maxlen=50)
        self._made = 0
        self._cuts = True

    def mails(self, messages: int) -> Iterator[Mail]:
        """So many messages, in order of arrival; those that nobody has come as parents only, and are not counted."""
        waiting: list[tuple[int, int, Mail]] = []
        left = messages
        while left:
            start = 1_000_000_000 + (messages - left) * _SECONDS
            while waiting and waiting[0][0] < start:
                yield heapq.heappop(waiting)[2]
            thread = self._thread(min(THREAD_SIZE.at(self._rng.random()), left), start)
            for mail in thread:
                heapq.heappush(waiting, (mail.arrival, mail.number, mail))
            left -= len(thread)
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _thread(self, size: int, start: int) -> list[Mail]:
        """The ``size`` messages of one thread that somebody has, in order of time."""
        rng, shape = self._rng, self._shape
        draw = rng.random()
        _, root_share, last_share = next(temper for temper in _TEMPERS if draw < temper[0])
        self._cuts = draw < _TEMPERS[-2][0]
        first = self._mail(None, self._begin(), _subject(rng), start)
        said = [first]
        thread: list[Mail] = []
        if rng.random() < shape.lost_root:
            first.lists = ()
            said = [self._reply(first, first.subject, start)]
        thread += said
        while len(thread) < size:
            seconds = thread[-1].seconds + 60 + int(rng.expovariate(1 / 4000))
            parent = self._answered(said, root_share, root_share + last_share)
            if rng.random() < shape.lost:
                parent = self._reply(parent, first.subject, seconds - 30)
                parent.lists = ()
                said.append(parent)
            reply = self._reply(parent, first.subject, seconds)
            said.append(reply)
            thread.append(reply)
        if rng.random() < shape.cycles and size > 1 and thread[1].parent is first:
            first.references, first.in_reply_to = (thread[1].id,), thread[1].id
        self._roots.append(thread[0].id)
        return thread

    def _answered(self, said: list[Mail], root: float, last: float) -> Mail:
        """Whom the next message answers."""
        draw, count = self._rng.random(), len(said)
        if draw < root or count == 1:
            return said[0]
        if draw < last or count == 2:
            return said[-1]
        return said[1 + int(self._rng.random() ** 0.33 * (count - 2))]

    def _mail(self, parent: Mail | None, where: tuple[int, ...], subject: str, seconds: int) -> Mail:
        rng = self._rng
        author = self._authors[min(int(rng.paretovariate(0.6)), len(self._authors)) - 1]
        self._made += 1
        arrival = seconds + 1 + int(rng.random() * 20)
        return Mail(self._made, self._id(), parent, where, where, subject, author, seconds, arrival)

    def _reply(self, parent: Mail, subject: str, seconds: int) -> Mail:
        """A reply, where its parent went or a little elsewhere, with what it says about its parent."""
        rng, shape = self._rng, self._shape
        draw, replied = rng.random(), f"Re: {subject}"
        mail = self._mail(parent, self._onward(parent.where), replied if draw < 0.97 else subject, seconds)
        mail.in_reply_to = parent.id
        mail.references = self._chain(parent)
        if not parent.answered and rng.random() < shape.early:
            # The parent is held up on its way.
            parent.arrival = max(parent.arrival, mail.arrival + 1)
        parent.answered = True
        self._mangle(mail)
        return mail

    def _chain(self, parent: Mail) -> tuple[str, ...]:
        """The References of a reply: those of its parent and the parent, or what its author's program keeps of them."""
        shape, draw = self._shape, self._rng.random()
        above = parent.references or ((parent.in_reply_to,) if parent.in_reply_to else ())
        chain = (*above, parent.id)
        if draw > 1 - shape.joins and self._roots:
            return (self._roots[0], *chain)
        if len(chain) == 1 or not self._cuts or draw > shape.parent_only + shape.root_and_parent + shape.cut:
            return chain
        if draw < shape.parent_only:
            return chain[-1:]
        return (chain[0], *chain[1:][-3 if draw < shape.parent_only + shape.cut else -1 :])

    def _mangle(self, mail: Mail) -> None:
        """Write the headers as one in a hundred programs does."""
        shape, draw = self._shape, self._rng.random()
        several = len(mail.references) > 1
        if draw < shape.in_reply_to:
            mail.references = ()
        elif (draw := draw - shape.in_reply_to) < shape.references:
            mail.in_reply_to = None
        elif (draw := draw - shape.references) < shape.silent:
            mail.references, mail.in_reply_to = (), None
        elif (draw := draw - shape.silent) < shape.spaced:
            mail.quirk = "spaced"
        elif several and (draw := draw - shape.spaced) < shape.reversed:
            mail.references = mail.references[::-1]
        elif several and draw - shape.reversed < shape.garbage:
            mail.quirk = "garbage"

    def _begin(self) -> tuple[int, ...]:
        """The lists on which a thread begins."""
        draw, several = self._rng.random(), self._shape.cross
        count = 1 if draw >= several else 2 if draw >= several * 0.25 else 3 if draw >= several * 0.1 else 4
        return tuple(sorted(self._rng.sample(range(self._lists), min(count, self._lists))))

    def _onward(self, where: tuple[int, ...]) -> tuple[int, ...]:
        """The lists of a reply to what went to ``where``."""
        rng, shape = self._rng, self._shape
        if self._lists == 1:
            return where
        if len(where) > 1 and rng.random() < shape.drop:
            gone = rng.choice(where)
            return tuple(number for number in where if number != gone)
        draw = rng.random()
        if draw < shape.elsewhere:
            return self._begin()
        if draw < shape.elsewhere + shape.add and len(where) < self._lists:
            others = [number for number in range(self._lists) if number not in where]
            return tuple(sorted((*where, rng.choice(others))))
        return where

    def _id(self) -> str:
        """A Message-ID that no other message has: its number is in it."""
        rng = self._rng
        length = ID_LENGTH.at(rng.random())
        host = _HOSTS[int(rng.random() * 50)]
        front = f"{self._made:x}."
        digits = max(length - len(front) - len(host) - 1, 3)
        return f"{front}{rng.getrandbits(4 * digits):0{digits}x}@{host}"


def _name(rng: random.Random) -> str:
    return "".join(rng.choice("aeiou") + rng.choice("bdklmnrst") for _ in range(rng.randint(2, 4))).capitalize()


def _subject(rng: random.Random) -> str:
    text = words(rng, 3, 9)
    return f"[PATCH {rng.randrange(9)}/9] {text}" if rng.random() < 0.4 else text
