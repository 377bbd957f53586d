"""A policy that changes while a server runs: who is cut, who is called, what is admitted and shown."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

import weft
from tests.cli.command_runner import ROOT, until
from tests.cli.server_home import Home
from tests.peering.peer_harness import STORY, admit, count, fingerprint, frames, introduce, is_live, running, sync
from weft._files import mark_of
from weft.policy.rules import Policy
from weft.server.policy_watcher import PolicyWatcher
from weft.tls.identity import load_or_make_identity
from weft.tls.transport import introduced


def lists(address: str) -> set[str]:
    with weft.connect(address, verify=True) as peer:
        return {name for message in peer.thread(ROOT).messages for name in message.lists}


def test_a_peer_that_is_added_is_called_and_one_that_is_removed_is_cut(near: Home, far: Home) -> None:
    admit(far, near, "--name", "near")
    with running(far) as answerer, running(near) as caller:
        assert lists(caller.clients) == {"drafts"}
        admit(near, far, "--name", "far", "--address", answerer.peers)
        until(lambda: count(near) == count(far) == 2 * STORY)
        until(lambda: lists(caller.clients) == {"drafts", "smtp-ops"})
        until(lambda: is_live(caller))
        assert far.weft("peers", "remove", "near").code == 0
        until(lambda: caller.said("the peer ended the session: the policy changed"))
        assert near.weft("peers", "remove", "far").code == 0
        until(lambda: caller.said("0 peers"))
        time.sleep(0.5)
        assert not [name for name in caller.measured() if name.startswith(("lag", "since", "key"))]
        said = [(line["outcome"], line["name"], line["level"]) for line in answerer.lines() if "outcome" in line]
        assert said == [("policy", "near", "info")], "the change was ours"
        until(lambda: answerer.measured()['sessions_running{peer="near",role="answerer"}'] == 0)
        until(lambda: answerer.measured()['sessions_total{outcome="policy",peer="near",role="answerer"}'] == 1)


def test_an_origin_that_is_admitted_later_is_fetched_and_shown(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as answerer, running(near) as caller:
        row = f'[peer."{fingerprint(far)}"]\naddress = "{answerer.peers}"\nmay_feed = "*"\nmay_read = "*"\n'
        near.config.write_text(row + 'mode = "mirror"\n')
        caller.process.send_signal(signal.SIGHUP)
        until(lambda: count(far) == 2 * STORY)
        assert count(near) == STORY
        introduce(near, far)
        caller.process.send_signal(signal.SIGHUP)
        until(lambda: count(near) == 2 * STORY)
        until(lambda: lists(caller.clients) == {"drafts", "smtp-ops"})
        near.config.write_text(row + 'mode = "mirror"\n')
        caller.process.send_signal(signal.SIGHUP)
        until(lambda: lists(caller.clients) == {"drafts"})


def test_a_change_that_is_not_about_a_peer_does_not_cut_it(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as answerer:
        admit(near, far, "--address", answerer.peers)
        with running(near) as caller:
            until(lambda: is_live(caller) and is_live(answerer))
            far.config.write_text(far.config.read_text() + '\n[mute]\nauthors = ["a@example.org"]\n')
            until(lambda: answerer.said("the policy changed"))
            time.sleep(0.3)
            assert not [line for line in answerer.lines() if "outcome" in line]


def test_a_policy_that_is_broken_meanwhile_is_told_and_the_old_one_stays(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as answerer:
        admit(near, far, "--address", answerer.peers)
        good = far.config.read_text()
        for broken in ("secret = !", "[view]\nsubject_join = true\n"):
            far.config.write_text(good + broken)
            assert sync(near, answerer.peers)["error"] is None
            assert frames(answerer.peers, far, introduced(load_or_make_identity(near.index)), b"\xff")[1]
        far.config.unlink()
        assert sync(near, answerer.peers)["error"] is None
        told = [line["message"] for line in answerer.lines() if line["level"] == "error"]
        assert [text.partition(":")[0] for text in told] == ["the policy stays as it was"] * 3


def test_sighup_has_a_file_read_that_seems_the_same(near: Home, far: Home) -> None:
    admit(far, near, "--name", "one")
    with running(far) as server:
        before = far.config.stat()
        far.config.write_text(far.config.read_text().replace('"one"', '"two"'))
        os.utime(far.config, ns=(before.st_atime_ns, before.st_mtime_ns))
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.said("the policy changed"))
        until(lambda: any('peer="two"' in name for name in server.measured()))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text("[view]\n")
    return path


def test_those_who_follow_are_told_once_of_each_other_policy(file: Path) -> None:
    told: list[Policy] = []

    async def tell(policy: Policy) -> None:
        told.append(policy)
        if len(told) == 1:
            raise RuntimeError("a defect of one of them")

    async def run() -> None:
        policies = PolicyWatcher(file, Policy(), mark_of(file))
        policies.follow(tell)
        policies.follow(tell)
        muted = "[mute]\nids = ['a@x']\n"
        for text in ("[view]\n\n", muted, muted + "#\n", "[mute", muted + "##"):
            file.write_text(text)
            await asyncio.gather(policies.look(), policies.look())
        assert policies.current.mute.ids == {b"a@x"}

    asyncio.run(run())
    assert [policy.mute.ids for policy in told] == [{b"a@x"}] * 2


@pytest.mark.parametrize("text", ["[mute]\nids = ['b@x']\n", "[mute"])
def test_a_file_that_is_just_being_written_is_read_when_it_lies_still(
    file: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    told: list[Policy] = []

    async def tell(policy: Policy) -> None:
        told.append(policy)

    async def write() -> None:
        for size in range(0, len(text) + 1, 5):
            file.write_text(text[:size])
            await asyncio.sleep(0.01)
        file.write_text(text)

    async def run() -> Policy:
        policies = PolicyWatcher(file, Policy(), mark_of(file))
        policies.follow(tell)
        writing = asyncio.create_task(write())
        for _ in range(50):
            await policies.look()
            await asyncio.sleep(0.003)
        await writing
        await policies.look()
        return policies.current

    file.write_text("[mute]\nids = ['a@x']\n")
    current = asyncio.run(run())
    whole = text.endswith("\n")
    assert [policy.mute.ids for policy in told] == ([{b"b@x"}] if whole else [])
    assert current.mute.ids == ({b"b@x"} if whole else frozenset())
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == (0 if whole else 1)
