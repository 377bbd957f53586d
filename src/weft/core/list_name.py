"""The names of lists: one rule, for sources, claims and policies.

A name is chosen by whoever configures an origin, and travels in every claim: it is text that others choose.  It is
never used as a path.  The rule names code points, because what Python calls printable differs between its versions,
and servers must agree on which claims are admissible.
"""

from __future__ import annotations

import re

MAX_LIST_OCTETS = 200

_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Controls, characters that cannot be seen or that turn the direction of text, and white space except a space."""


def check_list_name(name: str) -> str:
    """``name`` if it can name a list, else `ValueError` saying why.

    A list name is 1-200 octets of UTF-8 without control or invisible characters, slash or white space at its ends.
    """
    try:
        octets = name.encode()
    except UnicodeEncodeError:
        raise ValueError("it is not UTF-8") from None
    if not 0 < len(octets) <= MAX_LIST_OCTETS:
        raise ValueError(f"it must have 1 to {MAX_LIST_OCTETS} octets")
    if "/" in name:
        raise ValueError("it holds a slash")
    if name.strip(" ") != name or _FORBIDDEN.search(name):
        raise ValueError("it holds control characters, or white space at an end")
    return name


def check_list_octets(octets: bytes) -> bytes:
    """The same for a name as octets."""
    try:
        check_list_name(octets.decode())
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    return octets
