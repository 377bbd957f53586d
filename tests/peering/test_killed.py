"""Two servers that are killed again and again while they mirror: equal in the end."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.command_runner import mail
from tests.cli.server_home import Home
from tests.peering.peer_harness import STORY, Served, admit, count, made, running, state

CLAIMS, KILLS = 50_000, 10
SECONDS = 300.0


def many(path: Path, claims: int) -> Path:
    """An mbox of so many mails, each with some references."""
    names = [f"{number}.{'x' * 20}@example.org" for number in range(claims)]
    with path.open("wb") as file:
        for at, name in enumerate(names):
            file.write(mail(name, names[max(0, at // 50 * 50) : at][-6:]))
    return path


def until(home: Home, held: int) -> int:
    """Wait until a server holds so many claims; how many it has then."""
    end = time.monotonic() + SECONDS
    while (found := count(home)) < held:
        assert time.monotonic() < end, f"there are only {found} claims"
        time.sleep(0.02)
    return found


def start(stack: ExitStack, home: Home, peers: str = "127.0.0.1:0") -> Served:
    return stack.enter_context(running(home, peers=peers))


@pytest.mark.slow
def test_whoever_is_killed_while_they_mirror_they_end_equal(tmp_path: Path, near: Home) -> None:
    big = made(tmp_path / "big", many(tmp_path / "many.mbox", CLAIMS))
    admit(big, near)
    with ExitStack() as stack:
        answerer = start(stack, big)
        admit(near, big, "--address", answerer.peers)
        caller = start(stack, near)
        held = STORY
        for kill in range(KILLS):
            held = until(near, held + CLAIMS // (2 * KILLS))
            assert held < CLAIMS + STORY, "it is in the middle"
            victim = (answerer, caller)[kill % 2]
            victim.process.kill()
            victim.process.wait()
            if victim is answerer:
                answerer = start(stack, big, answerer.peers)
            else:
                caller = start(stack, near)
        until(near, CLAIMS + STORY)
        until(big, CLAIMS + STORY)
    assert state(near) == state(big)
