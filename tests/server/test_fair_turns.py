"""Whose turn it is, among clients that ask for different amounts."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from time import sleep

from tests.cli.server_home import Home
from weft.index.index import Index
from weft.server.client_limits import ClientLedger, ClientLimits
from weft.server.fair_turns import FairTurns
from weft.server.limited_client import CLIENT, LimitedClient
from weft.server.reader_pool import IndexReader, ReaderPool


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_client_has_half_of_the_threads_at_most_and_one_after_the_other_has_a_turn() -> None:
    order: list[str] = []

    async def ask() -> None:
        turns = FairTurns(4)

        async def call(client: str) -> None:
            await turns.acquire(client)
            order.append(client)

        tasks = [asyncio.create_task(call("greedy")) for _ in range(10)]
        await settle()
        assert order == ["greedy"] * 2
        tasks += [asyncio.create_task(call(client)) for client in ("b", "b", "b", "c")]
        await settle()
        assert order == ["greedy"] * 2 + ["b"] * 2
        for client in ("greedy", "b", "greedy", "c", "b"):
            turns.release(client)
            await settle()
        assert order[4:] == ["greedy", "b", "c", "greedy"], "the last turn stays free: it has two already"
        for task in tasks:
            task.cancel()

    asyncio.run(ask())


def test_turns_are_never_more_than_threads_and_none_is_lost_whoever_gives_up() -> None:
    async def ask(seed: int) -> None:
        random, turns = Random(seed), FairTurns(3)
        running: Counter[str] = Counter()

        async def call(client: str) -> None:
            await turns.acquire(client)
            running[client] += 1
            assert running.total() <= 3
            assert running[client] <= 1
            try:
                await asyncio.sleep(random.choice([0, 0, 0.001]))
            finally:
                running[client] -= 1
                turns.release(client)

        tasks = [asyncio.create_task(call(random.choice(["a", "a", "a", "b", "c", "d"]))) for _ in range(200)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            for task in random.sample(tasks, 3):
                if random.random() < 0.2:
                    task.cancel()
        assert not turns._waiting
        assert turns._total == 0
        assert not +turns._running

    for seed in range(20):
        asyncio.run(ask(seed))


def test_a_call_that_was_given_up_has_its_turn_until_the_thread_is_done_and_is_charged(ingested: Home) -> None:
    ended: list[str] = []

    def work(_reader: IndexReader) -> None:
        until = 0
        for _ in range(40):  # it looks at no clock, as a computation in Python does
            until += sum(range(40_000))
            sleep(0.005)
        ended.append("heavy")

    async def ask(path: Path) -> float:
        with Index.open(path, create=False) as index:
            pool = ReaderPool(path, index.policy, 2, "test")
        ledger = ClientLedger(ClientLimits(work_at_once=1e-9, work_per_second=1e-9))
        CLIENT.set(LimitedClient("a", ledger))
        heavy = asyncio.create_task(pool.call(work, 10))
        await asyncio.sleep(0.05)
        heavy.cancel()
        await asyncio.sleep(0)
        CLIENT.set(LimitedClient("b", ClientLedger(ClientLimits())))
        await pool.call(lambda _: ended.append("other"), 10)
        CLIENT.set(LimitedClient("a", ClientLedger(ClientLimits())))
        await pool.call(lambda _: ended.append("its next one"), 10)
        pool.close()
        await asyncio.sleep(0)
        return ledger.pause("a", 0.0)

    assert asyncio.run(ask(ingested.index)) > 0
    assert ended == ["other", "heavy", "its next one"]
