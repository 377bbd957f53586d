"""Real archives: the counts of cross-posts that an independent program found in the same headers.

The archives are not part of this repository: the environment variable ``WEFT_CORPORA`` names their folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from weft.analysis.corpus import Corpus
from weft.analysis.corpus_reader import corpus_of_sources
from weft.analysis.crossposts import Crossposts, Dangling, ThreadSpread, report
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

CORPORA = os.environ.get("WEFT_CORPORA")
pytestmark = pytest.mark.skipif(CORPORA is None, reason="WEFT_CORPORA does not name the folder of archives")


def read(name: str) -> Corpus:
    log = NoteLog()
    found = corpus_of_sources(discover([str(Path(CORPORA or "") / name)], log), log)
    assert log.entries == []
    return found


@pytest.fixture(scope="module")
def kernel() -> Crossposts:
    return report(read("kernel"))


@pytest.fixture(scope="module")
def twisted() -> Crossposts:
    return report(read("twisted"))


def test_kernel_has_so_many_components_on_several_lists_and_some_that_are_whole_on_none(kernel: Crossposts) -> None:
    assert kernel.together.components == ThreadSpread(11850, 2392, 281, 48)
    assert kernel.together.trees == ThreadSpread(11858, 2396, 281, 48)


def test_kernel_has_so_many_messages_and_ghosts(kernel: Crossposts) -> None:
    assert (kernel.together.messages, kernel.ghosts) == (85239, 2104)
    # 259 of the 118,698 mails stand in the file of their list twice.
    assert kernel.together.copies == 118698 - 259


def test_most_of_what_kernel_lists_lack_they_cannot_name_and_hardly_a_thread_falls_apart(kernel: Crossposts) -> None:
    lacks = kernel.together.lacks
    assert (lacks.messages, lacks.named, lacks.in_pieces, lacks.threads) == (4149, 318, 4, 402)


def test_twisted_is_always_on_both_lists_and_mostly_not_the_same(twisted: Crossposts) -> None:
    assert twisted.together.components == twisted.together.trees == ThreadSpread(146, 146, 102, 40)
    assert (twisted.together.messages, twisted.together.copies) == (727, 919)


def test_what_twisted_refers_to_and_lacks_is_mostly_on_the_other_list(twisted: Crossposts) -> None:
    assert twisted.together.references == Dangling(294, 264, 30)
    assert twisted.together.parents == Dangling(58, 50, 8)


def test_replies_on_twisted_drop_a_list_in_two_of_three_cases_and_on_kernel_hardly_ever(
    twisted: Crossposts, kernel: Crossposts
) -> None:
    shares = [
        one.together.replies.drop_one_of_several / one.together.replies.to_several_lists for one in (twisted, kernel)
    ]
    assert [round(100 * share, 1) for share in shares] == [68.2, 1.4]
