"""The shape of mailing-list mail, in numbers: what was measured on 25 public lists (1.43 million copies).

A quantity is given by its quantiles and drawn from the curve through them, so that what is generated has the median,
the long tail and the greatest value of what was measured.  A habit is given by how often it is met.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

_STEPS = 4096


class Quantiles:
    """A distribution by its quantiles; between two of them it is even on a logarithmic scale."""

    def __init__(self, *points: tuple[float, float]) -> None:
        """``points``: (share of the draws that are at most so large, how large), from share 0 to share 1."""
        self._points = points
        self._table = [self._exact(step / _STEPS) for step in range(_STEPS)]

    def at(self, share: float) -> int:
        """The value below which ``share`` (from 0, less than 1) of the draws are."""
        step = int(share * _STEPS)
        # The last step holds the tail, over which the value grows manifold.
        return self._table[step] if step < _STEPS - 1 else self._exact(share)

    def _exact(self, share: float) -> int:
        above = bisect_right(self._points, share, key=lambda point: point[0])
        (low, least), (high, most) = self._points[above - 1], self._points[above]
        return int(math.exp(math.log(least) + (share - low) / (high - low) * math.log(most / least)))


# Half a message is added where small whole numbers would be rounded down to a smaller one.
THREAD_SIZE = Quantiles(
    (0, 1), (0.26, 1.99), (0.5, 3.4), (0.75, 7.2), (0.9, 15.5), (0.97, 28), (0.99, 47.5), (0.999, 110), (0.9999, 300),
    (1, 835),
)  # fmt: skip
"""Messages in a thread: 3 / 15 / 47 / 834; the mean is 6.5, and a quarter of the threads is one message."""
ID_LENGTH = Quantiles((0, 20), (0.02, 28), (0.5, 46.5), (0.9, 66.5), (0.99, 80.5), (0.9999, 120), (1, 335))
"""Octets of a Message-ID: 46 / 66 / 80 / 334."""
MAIL_SIZE = Quantiles(
    (0, 2500), (0.05, 3600), (0.5, 7200), (0.9, 15_600), (0.99, 46_700), (0.999, 150_000), (1, 4_150_000)
)  # fmt: skip
"""Octets of a message: 7.2k / 15.6k / 46.7k / 4.15M."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How often what happens.

    Of lists; all of it is decided for a thread or for a sub-thread, whose messages then go where their parents went:
    ``cross``      of threads: begin on several lists
    ``drop``       of replies to a message on several lists: leave one out (with those that go elsewhere, 0.015 on
                   kernel lists, 0.68 in another culture)
    ``add``        of replies: go to one more list
    ``elsewhere``  of replies: go to lists that are drawn anew, as the patches of a series do

    Of messages that no list has:
    ``lost``       of replies: answer a message that nobody has, which itself answers one of the thread
    ``lost_root``  of threads: the message that began it is one that nobody has

    Of what a reply says about its parent:
    ``parent_only``      of those with several References: they are the parent alone
    ``root_and_parent``  of those with several References: they are the first and the last of what they should be
    ``cut``              of those with several References: they lack what was in the middle
    ``reversed``         of those with several References: they are in reverse
    ``garbage``          of those with several References: there are words between them
    ``spaced``           there is white space inside an id
    ``in_reply_to``      it has no References
    ``references``       it has no In-Reply-To
    ``joins``            its References begin with an id of another thread
    ``silent``           it names nobody; this is not seen in real mail, where it looks like a new thread

    ``early``   of first replies to a message: filed before it
    ``cycles``  of threads: the first message answers its own first reply
    """

    cross: float = 0.098
    drop: float = 0.0115
    add: float = 0.001
    elsewhere: float = 0.0036
    lost: float = 0.008
    lost_root: float = 0.05
    parent_only: float = 0.045
    root_and_parent: float = 0.004
    cut: float = 0.016
    reversed: float = 0.008
    garbage: float = 0.002
    spaced: float = 0.00014
    in_reply_to: float = 0.011
    references: float = 0.006
    joins: float = 0.0001
    silent: float = 0.0
    early: float = 0.028
    cycles: float = 0.00001


ODD = Shape(
    cross=0.4, drop=0.2, add=0.05, elsewhere=0.05, lost=0.05, lost_root=0.1, parent_only=0.1, root_and_parent=0.05,
    cut=0.1, reversed=0.1, garbage=0.05, spaced=0.05, in_reply_to=0.05, references=0.05, joins=0.02, silent=0.02,
    early=0.1, cycles=0.2,
)  # fmt: skip
"""All that is rare, often: to test what happens then."""
