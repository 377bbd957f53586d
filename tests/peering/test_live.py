"""Servers that stay in touch: what comes into one of them is soon at the others, however they are connected."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, ROOT, mail, until
from tests.cli.server_home import Home
from tests.peering.peer_harness import STORY, Served, admit, count, introduce, is_live, made, running, state
from weft.wire.limits import DRAIN_SECONDS


def write(home: Home, name: str) -> Path:
    """An mbox with one mail."""
    path = home.path / f"{name}.mbox"
    path.write_bytes(mail(f"{name}@example.org"))
    return path


def ingest(home: Home, name: str) -> None:
    """One more mail, by a process of its own."""
    ran = home.process("ingest", "-q", f"{home.path.name}={write(home, name)}")
    assert ran.code == 0, ran.err


def test_what_comes_into_one_server_soon_is_at_its_peer_and_at_the_peers_of_that(
    tmp_path: Path, near: Home, far: Home
) -> None:
    third = made(tmp_path / "third", DRAFTS)
    admit(far, near)
    with running(far) as middle:
        admit(near, far, "--address", middle.peers)
        admit(third, far, "--address", middle.peers, "--may-feed", "*")
        introduce(third, near)
        admit(far, third)
        with running(near) as first, running(third) as last:
            until(lambda: count(third) == 3 * STORY and count(far) == 3 * STORY)
            until(lambda: is_live(first) and is_live(last))
            for name in ("one", "two"):
                ingest(near, name)
                began = time.monotonic()
                until(lambda: count(third) == count(near) + STORY)
                assert time.monotonic() - began < 10, "as news, not when the session begins anew"
            begins = 'claims_total{direction="out"'
            assert [value for name, value in first.measured().items() if name.startswith(begins)] == [STORY + 2]
    assert state(third)[0] >= state(near)[0]
    assert count(near) == 2 * STORY + 2, "the third one may not feed it"


def test_two_that_call_each_other_keep_one_live_session(near: Home, far: Home) -> None:
    admit(far, near)
    admit(near, far)
    with running(far) as one, running(near) as other:
        for home, served in ((near, one), (far, other)):
            text = home.config.read_text()
            home.config.write_text(text.replace('mode = "mirror"', f'mode = "mirror"\naddress = "{served.peers}"'))
        until(lambda: count(near) == count(far) == 2 * STORY)
        until(lambda: [sessions(served) for served in (one, other)] == [1, 1])
        time.sleep(1)
        assert [sessions(served) for served in (one, other)] == [1, 1]
        ingest(near, "one")
        ingest(far, "one")
        until(lambda: count(near) == count(far) == 2 * STORY + 2)
    assert state(near) == state(far)


def sessions(served: Served) -> float:
    return sum(value for name, value in served.measured().items() if name.startswith("sessions_running"))


@pytest.mark.parametrize("who", ["caller", "answerer"])
def test_a_server_that_stops_ends_its_live_sessions_and_says_so(near: Home, far: Home, who: str) -> None:
    admit(far, near)
    with running(far) as answerer:
        admit(near, far, "--address", answerer.peers)
        with running(near) as caller:
            until(lambda: is_live(caller) and is_live(answerer))
            stops, stays = (caller, answerer) if who == "caller" else (answerer, caller)
            began = time.monotonic()
            stops.process.terminate()
            assert stops.process.wait(10) == 0
            assert time.monotonic() - began < DRAIN_SECONDS / 2, "it waits for none of them"
            until(lambda: stays.said("the peer ended the session: the server stops"))
            [line] = [line for line in stays.lines() if "the server stops" in line["message"]]
            assert {"peer", "role", "outcome", "claims_in", "claims_out", "octets_in", "reason"} <= line.keys()
            assert (line["outcome"], line["claims_in"], line["claims_out"]) == ("peer", STORY, STORY)


def test_a_server_that_comes_back_is_found_again(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as answerer:
        admit(near, far, "--address", answerer.peers)
        address = answerer.peers
        with running(near) as caller:
            until(lambda: is_live(caller))
            answerer.process.kill()
            answerer.process.wait()
            ingest(near, "one")
            with running(far, peers=address):
                until(lambda: count(far) == 2 * STORY + 1)


def complete(home: Home, name: str) -> bool:
    """Whether all was asked about the thread of a message that is there."""
    ran = home.weft("show", "--json", name)
    return ran.code == 0 and json.loads(ran.text)[0]["coverage"]["complete"]


def test_both_know_soon_that_they_asked_about_what_came_while_they_were_live(near: Home, far: Home) -> None:
    admit(far, near, "--mode", "threads")
    with running(far) as answerer:
        admit(near, far, "--address", answerer.peers, "--mode", "threads")
        with running(near) as caller:
            until(lambda: is_live(caller) and is_live(answerer))
            reply = near.path / "reply.mbox"
            reply.write_bytes(mail("reply@example.org", [ROOT]))
            assert near.process("ingest", "-q", f"drafts={reply}").code == 0
            began = time.monotonic()
            until(lambda: complete(near, "reply@example.org") and complete(far, "reply@example.org"))
            until(lambda: answerer.said("1 claim in from "))
            assert not caller.said("search follows the log"), "that is no news"
            assert time.monotonic() - began < 15, "not when the session ends, nor at the latest time there is"
