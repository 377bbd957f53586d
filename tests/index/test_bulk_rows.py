"""Rows that are made of many claims at once are those that the claims give one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from tests.factories import mail
from tests.index.factories import placed, write
from weft import Index
from weft.core.cycle_cutting import CUT, DISAGREED, OFF, ON, WITNESS_RANK
from weft.index.ingest import Ingest
from weft.index.recency import AHEAD
from weft.index.view import View
from weft.policy.rules import Mute, Policy
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

IDS = [f"{letter}@x" for letter in "abcdefghij"]
FORMS = ("<{}>", "<{}>", "<{}>", "{}", "<{}", "<{}> from <x@h>")
TABLES = ("nodes", "rivals", "recent", "lists", "weak", "aliases", "withdrawals")


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.index.ingest._TRANSACTION", 6)
    monkeypatch.setattr("weft.sources.parallel_scan._BATCH", 3)
    monkeypatch.setattr("weft.index.view.time.time", lambda: 1_046_000_000)  # February 2003


def a_mail(random: Random, own: str | None) -> bytes:
    choose = random.choice
    date = choose(("6 Feb 2003", "7 Feb 2003", "8 Feb 2003", "1 Jan 1969", "1 Jan 2009", ""))
    headers = [f"Date: {date} 12:00:00 +0000"] if date else []
    if random.random() < 0.5:
        headers.append("In-Reply-To: " + choose(FORMS).format(choose(IDS)))
    if random.random() < 0.1:
        headers.append(f"X-Mailman-Original-Message-ID: <{choose(IDS)}>")
    references = [choose(IDS) for _ in range(random.randint(0, 5))]
    return mail(own, references, subject=choose("st"), headers=headers, body=choose("uv"))


def rows(index: Index) -> dict[str, list[Any]]:
    found = {table: sorted(index.store.connection.execute(f"SELECT * FROM {table}")) for table in TABLES}
    view = "SELECT key, value FROM view WHERE key IN ('position', 'horizon')"
    return found | {"view": sorted(index.store.connection.execute(view))}


def archives(folder: Path, seed: int) -> dict[str, Path]:
    random = Random(seed)
    # With one copy of each, hardly any is contested, and there are cycles.
    owns = random.choices([*IDS, None], k=30) if seed % 3 else random.sample(IDS, len(IDS))
    mails = [a_mail(random, own) for own in owns]
    return {name: write(folder / f"{name}-{seed}.mbox", *mails[n::3]) for n, name in enumerate(("one", "two", "three"))}


def policies() -> Iterator[Policy]:
    yield Policy()
    yield Policy(mute=Mute(ids=frozenset({b"c@x"})))
    yield Policy(mute=Mute(edges=frozenset({(b"a@x", b"b@x"), (b"d@x", b"a@x")})))
    yield Policy(aliases={b"a@x": b"b@x", b"h@x": b"i@x"})


def opened(path: Path, policy: Policy) -> Index:
    """An index under a policy by which its own claims count."""
    with Index.open(path, policy=policy) as index:
        own = index.origin
    return Index.open(path, policy=replace(policy, own=own))


def ingest(index: Index, files: dict[str, Path]) -> None:
    log = NoteLog()
    index.ingest_sources(discover([f"{name}={path}" for name, path in files.items()], log), log)


def one_by_one(index: Index, files: dict[str, Path]) -> None:
    with patch.object(View, "_has_rows", lambda _: True):
        ingest(index, files)


def test_the_rows_are_those_that_claims_give_one_by_one(tmp_path: Path) -> None:
    seen: set[str] = set()
    for seed in range(16):
        policy = list(policies())[seed % 4]
        files = archives(tmp_path, seed)
        with opened(tmp_path / f"once-{seed}.db", policy) as index:
            ingest(index, files)
            at_once = rows(index)
            assert index._view.follow(), "nothing has to be made again"
            assert not list(index.check())
        with opened(tmp_path / f"again-{seed}.db", policy) as index:
            one_by_one(index, files)
            assert rows(index) == at_once
            index._view.remake()
            assert rows(index) == at_once
        seen |= {table for table in TABLES if at_once[table]}
        seen |= {f"cycle {loop}" for _, _, _, _, loop, _ in at_once["nodes"]}
        disagreed = [rank for _, rank, said, *_ in at_once["nodes"] if said == DISAGREED]
        seen |= {"contested" if rank < WITNESS_RANK else "disputed ghost" for rank in disagreed}
        seen |= {"ahead" for _, name, *_ in at_once["recent"] if name == AHEAD}
    assert seen == {*TABLES, f"cycle {OFF}", f"cycle {ON}", f"cycle {CUT}", "contested", "disputed ghost", "ahead"} - {
        "withdrawals"
    }


def test_an_ingest_that_ends_in_the_middle_is_finished_by_whoever_opens_the_index(tmp_path: Path) -> None:
    files = archives(tmp_path, 1)
    with opened(tmp_path / "whole.db", Policy()) as index:
        ingest(index, files)
        whole = placed(index.all_threads())
    commit, commits = Ingest._commit, iter(range(9))

    def cut_short(self: Ingest, *arguments: object) -> None:
        if next(commits) == 2:
            raise InterruptedError
        commit(self, *arguments)  # type: ignore[arg-type]

    with opened(tmp_path / "index.db", Policy()) as index:
        with patch.object(Ingest, "_commit", cut_short), pytest.raises(InterruptedError):
            ingest(index, files)
        assert index.store.position() > 0
        assert not index._view.follow()
    with opened(tmp_path / "index.db", Policy()) as index:
        assert index._view.position() == index.store.position() > 0
        assert not list(index.check())
        ingest(index, files)
        assert placed(index.all_threads()) == whole


def test_the_rows_are_right_if_somebody_else_writes_meanwhile(tmp_path: Path) -> None:
    files = archives(tmp_path, 1)
    with opened(tmp_path / "whole.db", Policy()) as index:
        for name, path in files.items():
            ingest(index, {name: path})
        whole = rows(index)
    with opened(tmp_path / "index.db", Policy()) as index:
        with index._view.loading():
            for number, (name, path) in enumerate(files.items()):
                ingest(index, {name: path})
                if number == 1:
                    assert not rows(index)["nodes"]
                    with opened(tmp_path / "index.db", Policy()) as other:
                        assert rows(other)["nodes"]
        assert rows(index) == whole


def test_a_withdrawal_while_the_first_claims_are_loaded_counts(tmp_path: Path) -> None:
    files = archives(tmp_path, 1)
    found = []
    for load in (True, False):
        with opened(tmp_path / f"{load}.db", Policy()) as index:
            with index._view.loading() if load else nullcontext():
                for name, path in files.items():
                    ingest(index, {name: path})
                    if name == "two":
                        index.rename_list("one", "renamed")
            assert not list(index.check())
            found.append({table: some for table, some in rows(index).items() if table not in ("withdrawals", "lists")})
            assert rows(index)["withdrawals"]
    assert found[0] == found[1]
