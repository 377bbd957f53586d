"""Coverage in words: what is held, who was asked about a thread and up to when, and what was never asked.

Whoever is meant is named as the reader's own policy names them (``names``, by fingerprint), never as they call
themselves; who has no name there is the front of a fingerprint.  No clause says that a thread is complete: it says who
was asked.  Texts are clean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from weft._text import some_of
from weft.model import AskedFeed, Coverage
from weft.render.sanitize import clean, shorten, width

MAX_FEEDS = 8
"""So many feeds stand in one clause; programs get all."""
_SHORT = 16
_MINUTE = 16


def clauses(coverage: Coverage, names: Mapping[str, str]) -> Iterator[str]:
    """What is to be said of the feeds of others; nothing if the policy admits none."""
    if coverage.asked:
        yield f"asked: {', '.join(asked_words(coverage, names))}"
    yield from gaps(coverage, names)


def gaps(coverage: Coverage, names: Mapping[str, str]) -> Iterator[str]:
    """What was not asked about all of it."""
    whole = coverage.origins_named
    if coverage.partly:
        yield f"in part: {feed_words(coverage.partly, names, whole)}"
    if coverage.never_asked:
        yield f"never asked: {feed_words(coverage.never_asked, names, whole)}"
    if coverage.cut:
        some = _some([_name(peer, names) for peer in coverage.cut])
        yield f"cut: {some} {'was' if len(coverage.cut) == 1 else 'were'} not asked about all of it"


def sentence(coverage: Coverage, names: Mapping[str, str], admitted: str) -> str:
    """How complete a thread can be; ``admitted``: what the lists are called that may be seen, as a subject."""
    said = "; ".join(clauses(coverage, names))
    if not coverage.complete:
        return f"There may be more: {said}."
    if not coverage.asked:
        return f"{admitted} is held whole."
    return f"{admitted} is held whole or was asked about: {said}."


def fold(clauses: Iterable[str], columns: int) -> Iterator[str]:
    """Clauses on as few lines as they fit; one that fits on none is cut, with a mark."""
    line = ""
    for clause in clauses:
        longer = f"{line}; {clause}" if line else clause
        if line and width(longer) > columns:
            yield shorten(line, columns)
            longer = clause
        line = longer
    if line:
        yield shorten(line, columns)


def asked_words(coverage: Coverage, names: Mapping[str, str]) -> Iterator[str]:
    """Who was asked, a phrase for each time, the latest first."""
    latest = sorted(coverage.asked, key=lambda one: one.upto[:_MINUTE], reverse=True)
    for minute, group in groupby(latest, key=lambda one: one.upto[:_MINUTE]):
        asked = [(one.feed, _via(one, names)) for one in group]
        yield f"{_some(_phrases(asked, names, coverage.origins_named))}, up to {clean(minute.replace('T', ' '))}"


def feed_words(feeds: Sequence[str], names: Mapping[str, str], named: frozenset[str]) -> str:
    """Feeds as people say them; ``named``: the origins of which single lists are spoken of."""
    return _some(_phrases([(feed, "") for feed in feeds], names, named))


def _via(one: AskedFeed, names: Mapping[str, str]) -> str:
    """Of whom a feed was asked, but for its own origin."""
    via = [_name(peer, names) for peer in one.of if peer != one.feed.partition("/")[0]]
    return f" via {_and(via)}" if via else ""


def _phrases(feeds: Sequence[tuple[str, str]], names: Mapping[str, str], named: frozenset[str]) -> list[str]:
    """Feeds, each with what is to be said behind it; origins all of whose lists are meant stand together."""
    whole: dict[str, list[str]] = {}
    single = []
    for feed, behind in feeds:
        origin, _, name = feed.partition("/")
        if name == "*" and origin not in named:
            whole.setdefault(behind, []).append(_name(origin, names))
        else:
            single.append(_feed(feed, names, named) + behind)
    return [*sorted(f"all lists of {_and(origins)}{behind}" for behind, origins in whole.items()), *sorted(single)]


def _and(words: Sequence[str]) -> str:
    *most, last = sorted(words) or [""]
    if len(most) >= MAX_FEEDS:
        return f"{', '.join(most[:MAX_FEEDS])} and {len(words) - MAX_FEEDS} more"
    return f"{', '.join(most)} and {last}" if most else last


def _feed(feed: str, names: Mapping[str, str], named: frozenset[str]) -> str:
    origin, _, name = feed.partition("/")
    if name == "*":
        who = _name(origin, names)
        return clean(f"lists of {who} that are not named here" if origin in named else f"all lists of {who}")
    return clean(f"{name} of {_name(origin, names)}")


def _name(fingerprint: str, names: Mapping[str, str]) -> str:
    return clean(names.get(fingerprint) or fingerprint[:_SHORT])


def _some(phrases: Sequence[str]) -> str:
    return some_of(phrases, MAX_FEEDS)
