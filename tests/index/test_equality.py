"""An index shows what a rebuild of the same mail shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.factories import FIXTURES
from tests.index.factories import expected, open_index, placed, plain
from weft import Index, rebuild

CORPORA = os.environ.get("WEFT_CORPORA")
Lists = dict[str, Path]


def lists_of(*paths: Path) -> Lists:
    return {path.name.partition(".")[0]: path for path in paths}


def hard_cases() -> list[Lists]:
    """Each fixture: a file, or a folder with a file for each of some lists."""
    found = sorted((FIXTURES / "hard").iterdir())
    return [lists_of(path) if path.is_file() else lists_of(*sorted(path.glob("*.mbox"))) for path in found]


def ingest(folder: Path, lists: Lists) -> Index:
    index = open_index(folder)
    for name, path in lists.items():
        index.ingest(name, path)
    return index


def assert_equal(index: Index, lists: Lists) -> None:
    archive = rebuild(lists)
    for hidden in (True, False):
        shown = list(index.all_threads(hidden=hidden))
        assert [plain(thread) for thread in shown] == [plain(thread) for thread in archive.threads(hidden=hidden)]
    assert placed(index.all_threads()) == expected(index)
    assert list(index.check()) == []


@pytest.mark.parametrize("lists", hard_cases(), ids=lambda lists: "+".join(lists))
def test_every_hard_case_is_shown_as_a_rebuild_shows_it(tmp_path: Path, lists: Lists) -> None:
    with ingest(tmp_path, lists) as index:
        assert_equal(index, lists)


def test_the_story_is_shown_as_a_rebuild_shows_it_in_either_order(tmp_path: Path) -> None:
    lists = lists_of(*sorted((FIXTURES / "story").glob("*.mbox")))
    for number, order in enumerate((lists, dict(reversed(lists.items())))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with ingest(folder, order) as index:
            assert_equal(index, lists)


def test_each_thread_is_found_by_any_id_in_it_and_listed_once(tmp_path: Path) -> None:
    lists = lists_of(*sorted((FIXTURES / "story").glob("*.mbox")))
    with ingest(tmp_path, lists) as index:
        threads = list(index.all_threads())
        held = {thread.root for thread in index.all_threads(hidden=False)}
        assert {thread.root for thread in index.threads()} == held
        for thread in threads:
            assert all(index.thread(message.id) == thread for message in thread.messages)


@pytest.mark.skipif(CORPORA is None, reason="WEFT_CORPORA does not name the folder of archives")
def test_two_real_lists_are_shown_as_a_rebuild_shows_them(tmp_path: Path) -> None:
    lists = lists_of(*sorted(Path(CORPORA or "", "twisted").iterdir()))
    with ingest(tmp_path, lists) as index:
        assert_equal(index, lists)


@pytest.mark.slow
@pytest.mark.skipif(CORPORA is None, reason="WEFT_CORPORA does not name the folder of archives")
def test_five_kernel_lists_are_shown_as_a_rebuild_shows_them(tmp_path: Path) -> None:
    lists = lists_of(*sorted(Path(CORPORA or "", "kernel").iterdir()))
    with ingest(tmp_path, lists) as index:
        assert_equal(index, lists)
