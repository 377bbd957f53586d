"""The counts of a report on generated mail are those that its generator kept of it."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tests.generate import Shape, Truth, mails, write_mboxes
from tests.generate.crosspost_counts import Threads
from tests.generate.shape import ODD
from weft.analysis.corpus_reader import corpus_of_sources
from weft.analysis.crossposts import CrosspostCounts, Crossposts, report
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

CULTURES = {
    "few replies drop a list": (4000, 5, Shape()),
    "most replies drop a list": (2000, 2, Shape(cross=0.9, drop=0.68, add=0.086)),
    "all that is rare is met often": (3000, 6, ODD),
    "one list": (500, 1, Shape()),
}


@pytest.fixture(scope="module", params=list(CULTURES))
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Crossposts, Truth]:
    """The report, and the truth."""
    messages, lists, shape = CULTURES[request.param]
    paths = write_mboxes(tmp_path_factory.mktemp("mail"), messages, lists, 1, shape)
    log = NoteLog()
    found = report(corpus_of_sources(discover(list(map(str, paths)), log), log))
    assert log.entries == []
    return found, Truth.of(mails(messages, lists, 1, shape))


def spreads(found: Crossposts, threads: str) -> dict[str, object]:
    return {name: asdict(getattr(counts, threads)) for name, counts in rows(found).items()}


def rows(found: Crossposts) -> dict[str, CrosspostCounts]:
    """All that is counted: of each list, and under "" of all together."""
    return {**found.lists, "": found.together}


def expected_spreads(threads: Threads) -> dict[str, object]:
    return {name: asdict(spread) for name, spread in {**threads.lists, "": threads.together}.items()}


def test_threads_are_on_as_many_lists_as_they_are_in_truth(both: tuple[Crossposts, Truth]) -> None:
    found, truth = both
    assert spreads(found, "trees") == expected_spreads(truth.trees)
    assert spreads(found, "components") == expected_spreads(truth.components)


def test_each_list_lacks_what_it_lacks_in_truth(both: tuple[Crossposts, Truth]) -> None:
    found, truth = both
    for name, counts in found.lists.items():
        for lacks, threads in ((counts.lacks, truth.trees), (counts.lacks_of_components, truth.components)):
            expected = threads.lacks[name]
            assert asdict(lacks) == {**asdict(expected), "not_named": expected.messages - expected.named}


def test_what_dangles_on_a_list_does_so_in_truth(both: tuple[Crossposts, Truth]) -> None:
    found, truth = both
    for name, counts in found.lists.items():
        assert asdict(counts.references) == asdict(truth.references[name])
        assert asdict(counts.parents) == asdict(truth.parents[name])


def test_replies_drop_and_add_lists_as_they_do_in_truth(both: tuple[Crossposts, Truth]) -> None:
    found, truth = both
    assert {name: asdict(counts.replies) for name, counts in rows(found).items()} == {
        name: asdict(replies) for name, replies in truth.replies.items()
    }


def test_messages_and_ghosts_are_as_many_as_in_truth(both: tuple[Crossposts, Truth]) -> None:
    found, truth = both
    named = [message for message in truth.messages.values() if message.tree is not None]
    assert found.ghosts == sum(message.ghost for message in named)
    held = [message for message in named if not message.ghost]
    assert found.together.messages == len(held)
    assert found.together.copies == sum(len(message.lists) for message in held)
    for name, counts in found.lists.items():
        assert counts.messages == counts.copies == sum(name in message.lists for message in held)
