"""Finding ids by their handles in an index."""

from __future__ import annotations

from pathlib import Path

from tests.core.test_handle import alike
from tests.store.factories import Origin, mail
from weft.core.handle import LEAST, HandleSet, handle_letters
from weft.store.sqlite import SqliteStore


def test_an_index_has_the_handles_that_its_ids_have_and_finds_them(tmp_path: Path) -> None:
    ids = [b"%d@x.example" % number for number in range(300)] + alike(2)
    ids = list(dict.fromkeys(ids))
    with SqliteStore(tmp_path / "i.db") as store:
        with store.transaction():
            store.put([Origin("a").batch("l", *(mail(one.decode()) for one in ids[:200]))])
        store.note_handles()
        with store.transaction():
            store.put([Origin("a").batch("l", *(mail(one.decode()) for one in ids[200:]))])
        assert store.unnoted_handles() > 0
        assert all(one in store.ids_of_handle(handle_letters(one)[:LEAST], 9) for one in ids), "also those not noted"
        store.note_handles()
        assert store.unnoted_handles() == 0
        every = HandleSet(ids)
        handles = {one: every.handle(place) for place, one in enumerate(ids)}
        assert store.handles(ids) == handles
        assert [store.ids_of_handle(handles[one][1:], 9) for one in ids] == [[one] for one in ids]
        assert list(store.check()) == []
        store.connection.execute("UPDATE handles SET digest = digest + 1 WHERE node = 5")
        assert ["handle" in problem.what for problem in store.check()] == [True]
        store.repair()
        assert list(store.check()) == []


def test_where_nothing_may_be_written_handles_are_found_all_the_same(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "i.db") as store, store.transaction():
        store.put([Origin("a").batch("l", mail("a@x.example"))])
    with SqliteStore(tmp_path / "i.db", read_only=True) as store:
        store.note_handles()
        assert store.ids_of_handle(handle_letters(b"a@x.example"), 9) == [b"a@x.example"]


def test_a_claim_is_found_by_what_it_says_of_its_archive(tmp_path: Path) -> None:
    url = b"https://archive.example/arch/msg/l/x1/"
    one = mail("a@x.example")._replace(archived_at=b"<" + url + b">")
    longer = mail("b@x.example")._replace(archived_at=url + b"more")
    with SqliteStore(tmp_path / "i.db") as store:
        with store.transaction():
            store.put([Origin("a").batch("l", one, longer, mail("c@x.example"))])
        assert store.archived_at(url) == [b"a@x.example"]
        assert store.archived_at(b"https://archive.example/") == []
