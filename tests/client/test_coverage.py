"""A client is told the coverage that the index has, of each thread its own."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.index.factories import mail, open_index, write
from tests.store.factories import Origin
from weft import Index
from weft.core.feed import ALL_LISTS
from weft.core.id_digest import id_digest
from weft.model import AskedFeed, Coverage
from weft.policy.rules import Origin as Row
from weft.policy.rules import Peer, Policy
from weft.server import handlers, thread_pages
from weft.server.reader_pool import IndexReader
from weft.v1 import threads_pb2 as wire
from weft.wire.coverage import coverage_from_message, coverage_to_message
from weft.wire.limits import COVERED

BOB = Origin("bob").public

texts = st.text(st.characters(codec="utf-8"), max_size=9)
many = st.lists(texts, max_size=4).map(tuple)
asked = st.lists(
    st.builds(AskedFeed, texts, many, st.sampled_from(["2026-11-18T11:06:40Z", "2027-01-01T00:00:00Z"])), max_size=5
)
coverages = st.builds(Coverage, many, many, many, asked.map(lambda some: tuple(sorted(some))), many, many)


@given(coverages)
def test_coverage_comes_back_as_it_was(coverage: Coverage) -> None:
    data = coverage_to_message(coverage).SerializeToString()
    assert coverage_from_message(wire.Coverage.FromString(data)) == coverage


def test_what_is_endless_is_cut() -> None:
    names = tuple(f"{number:06}" for number in range(COVERED + 1))
    whole = Coverage(
        names, names, names, tuple(AskedFeed(name, ("p",), "2026-11-18T11:06:40Z") for name in names), names, names
    )
    message = coverage_to_message(whole)
    assert message.truncated
    found = coverage_from_message(message)
    lists = (found.carried, found.partly, found.never_asked, found.asked, found.cut, found.nobody_holds)
    assert {len(some) for some in lists} == {COVERED}


def test_each_answer_has_the_coverage_of_its_thread_as_of_now(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        leaf = mail("leaf@x", ["root@x", "ghost@x"])
        index.ingest("ours", write(tmp_path / "l.mbox", mail("root@x"), leaf, mail("other@x")))
        index.set_policy(Policy(index.origin, {BOB: Row(1, None)}, {BOB: Peer()}))
        reading = IndexReader(tmp_path / "index.db", index.policy)
        for about in (["other@x"], ["root@x", "ghost@x", "leaf@x"]):
            digests = [id_digest(name.encode()) for name in about]
            index.record_covered(BOB, {BOB: ALL_LISTS}, digests, [], 1_795_000_000)
            for name in ("leaf@x", "other@x", "leaf@x"):
                assert got(reading, name) == index.thread(name).coverage
                assert got(reading, name).complete == (name in about)
                assert explained(reading, index, name).complete == (name in about)
        assert got(reading, "leaf@x").nobody_holds == ("ghost@x",)
        reading.close()


def got(reading: IndexReader, name: str) -> Coverage:
    """Of the answer to GetThread."""
    request = wire.GetThreadRequest(message_id=name.encode()).SerializeToString()
    answer = wire.GetThreadResponse.FromString(thread_pages.get_thread(reading, request))
    return coverage_from_message(answer.coverage)


def explained(reading: IndexReader, index: Index, name: str) -> Coverage:
    """Of the answer to ExplainMessage."""
    request = wire.ExplainMessageRequest(message_id=name.encode()).SerializeToString()
    found = coverage_from_message(wire.ExplainMessageResponse.FromString(handlers.explain(reading, request)).coverage)
    assert found == index.explain(name).coverage
    return found
