"""Who wrote a copy of a message, as far as lists and archives leave it to be seen in From.

Lists rewrite From so that the checks of DMARC (RFC 7489) do not fail: ``Ann via git <git@lists.example.org>``,
``'Ann' via Group <group@...>``, ``Ann <git@lists.example.org>``, ``Ann <ann=40example.org@dmarc.example.net>``.
Archives write ``ann at example.org (Ann)``.  `read_sender` undoes what can be undone and says what cannot.

Who can lie: whoever posts can write any From, also one that looks rewritten.  That gains nothing over writing the
address of somebody else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from weft._patterns import deferred

_ANGLE = deferred(r"([^<]*)<([^<>]*)>?\s*")
_VIA = deferred(r"(.*?)\s*\(?\bvia\s.*", re.DOTALL)
_OBSCURED = deferred(r"(\S+)\s+\(?at\)?\s+(\S+)")
_ENCODED = deferred(r"(?:[^@=]*\+)?([^@=+]+)=(?:40)?([^@=]+\.[^@=]+)@.+")
_SPACE = deferred(r"\s+")


class Sender(NamedTuple):
    """A sender; both texts without regard to case.

    ``address``   empty where a list replaced it by its own
    ``name``      empty if there is none beside the address
    ``rendered``  the archive wrote ``at`` for ``@``: then it did so in the body too
    """

    address: str
    name: str
    rendered: bool


def read_sender(author: str, list_name: str) -> Sender:
    """The sender that a decoded From states, on the list of that name.  Linear in its length."""
    if whole := _ANGLE.fullmatch(author):
        name, address = whole[1], whole[2]
    else:
        address, _, comment = author.partition("(")
        name = comment.rpartition(")")[0] or comment
    address, rendered = _plain_address(address)
    name = _SPACE.sub(" ", name.replace("\\", "").strip("\"' \t")).casefold()
    if _plain_address(name)[0] == address:
        name = ""
    if via := _VIA.fullmatch(name):
        name, replaced = via[1].strip("\"' "), True
    else:
        replaced = address.partition("@")[0] in {list_name.casefold(), list_name.casefold().rpartition(".")[2]}
    if encoded := _ENCODED.fullmatch(address):
        return Sender(f"{encoded[1]}@{encoded[2]}", name, rendered)
    return Sender("" if replaced and name else address, name, rendered)


def _plain_address(text: str) -> tuple[str, bool]:
    """An address in lower case, and whether it was written with ``at``."""
    text = text.strip().casefold()
    obscured = _OBSCURED.fullmatch(text)
    return (f"{obscured[1]}@{obscured[2]}", True) if obscured else (text, False)
