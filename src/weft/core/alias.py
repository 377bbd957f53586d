"""Aliases: other ids that a mail states for itself, and what it means that one id counts as another.

Theory of operation
-------------------
Some mail has two names.  A gateway gives it a new Message-ID and keeps the old one in a field of its own; a broken
program writes two Message-ID fields.  Some readers answer to one name, some to the other.  `parse_aliases` reads the
names beside the one that counts: further Message-ID fields, and ``Original-Message-ID`` with or without a prefix such
as ``X-Mailman-`` or ``X-Google-``.  A program that writes long ids as encoded words (RFC 2047) gives a mail two names
too: the words, which are its id, and what they mean.

Who can lie: the author, and an alias is no more than what he says.  If it counted by itself, one mail could put itself
above every thread whose first message is not here.  So an alias is a *hint*: a look-up follows it, an explanation tells
of it, and nothing is joined by it.  What joins is a **rule** "OLD counts as NEW", which is local: one of the operator's
policy, or one that a rebuild makes for itself (`joinable`).

A rule changes what claims say, each by itself, so that the forest stays a function of the set of claims and the rules:
wherever a claim states OLD as a parent, or its References witness something of OLD, it says so of NEW (`redirect`).
A claim about OLD stays about OLD.  Rules do not form chains (`resolve_rules`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from weft.core.message_id import MAX_ID_BYTES, ONE_CLEAN_TOKEN, addresses_in, key, tokenize, unfold
from weft.core.references import decode_id_words

MAX_ALIASES = 4
"""So many of one mail are kept, in the order of its fields."""

WORD_FRONT = b"=?"
"""What an id begins with that was written as encoded words."""
_AT = b"@"
_Id = TypeVar("_Id", bound=Hashable)
_Witness = tuple[_Id, _Id, int]


def parse_aliases(values: Iterable[bytes], own: bytes, people: bytes) -> tuple[bytes, ...]:
    """The ids in the Message-ID fields and their like ``values`` (raw, in order), each once, without ``own``.

    Of each field the first ``<...>`` with an ``@`` counts, of one that begins with an encoded word that of the decoded
    text.  ``people`` holds the raw values of the fields with
    addresses in lower case, joined by commas: an address of the mail is no alias.
    """
    found: dict[bytes, None] = {}
    for value in values:
        if (clean := ONE_CLEAN_TOKEN.fullmatch(value)) and len(token := clean[1]) <= MAX_ID_BYTES:
            found[token] = None
        elif literal := _first_id(unfold(value)):
            found[key(literal)] = None
    found.pop(own, None)
    addresses = addresses_in(people) if found else ()
    return tuple(name for name in found if name.lower() not in addresses)[:MAX_ALIASES]


def _first_id(value: bytes) -> bytes:
    text = decode_id_words(value) if value.startswith(WORD_FRONT) else value
    return next((token for token in tokenize(text).tokens if _AT in token), b"")


def redirect(
    node: _Id, stated: _Id, witnesses: Sequence[_Witness[_Id]], rules: Mapping[_Id, _Id], none: _Id
) -> tuple[_Id, Sequence[_Witness[_Id]]]:
    """What a claim about ``node`` says under some rules: the parent that it states, and what it witnesses.

    ``witnesses`` are (child, parent, gap); ``none`` stands for "no parent", and is what a claim states whose parent
    would be its own message.  An id that would stand above itself is witnessed by nobody.
    """
    parent = rules.get(stated, stated)
    if not any(child in rules or above in rules for child, above, _ in witnesses):
        return (none if parent == node else parent), witnesses
    moved = [(rules.get(child, child), rules.get(above, above), gap) for child, above, gap in witnesses]
    return (none if parent == node else parent), [said for said in moved if said[0] != said[1]]


def resolve_rules(rules: Mapping[_Id, _Id]) -> dict[_Id, _Id]:
    """The same rules, each to the end of its chain.  `ValueError` with an id if they lead in a circle."""
    found: dict[_Id, _Id] = {}
    for start in rules:
        path, name = [], start
        while name in rules and name not in found:
            path.append(name)
            name = rules[name]
            if len(path) > len(rules):
                raise ValueError(start)
        end = found.get(name, name)
        found.update(dict.fromkeys(path, end))
    return found


def joinable(stated: Iterable[tuple[_Id, _Id]], held: Iterable[_Id]) -> dict[_Id, _Id]:
    """The rules that a rebuild makes for itself out of ``stated``: (alias, the message that states it), in any order.

    An alias counts as its message only if no mail that was read has it as its own id (``held``: those of the aliases
    that one has), all mails that state it are copies of one message, and that message states no other such alias.
    So an alias never touches a message that is here, and one mail joins the thread of one missing message to its own:
    no more than a mail gains that takes the missing id for its own Message-ID.
    """
    present = set(held)
    messages: dict[_Id, set[_Id]] = {}
    aliases: dict[_Id, set[_Id]] = {}
    for alias, message in stated:
        if alias not in present:
            messages.setdefault(alias, set()).add(message)
            aliases.setdefault(message, set()).add(alias)
    rules = {}
    for alias, stating in messages.items():
        message = next(iter(stating))
        if len(stating) == 1 and len(aliases[message]) == 1:
            rules[alias] = message
    return rules
