"""What was erased is gone at every server when the periods are over, whatever they did before; and all agree."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.exchange.session_harness import ALL
from tests.factories import mail
from tests.peering import index_meetings
from tests.peering.index_meetings import INDEX, Cost, Folder, Server
from weft import Index
from weft.core.claim import Withdrawal
from weft.policy.rows import Origin, Peer, Retention
from weft.policy.rules import Policy
from weft.server.retention import delete_due
from weft.store.interface import read_claim

NAMES = ("a", "b", "c")
DAY = 86_400
PERIOD = 30 * DAY


def word(number: int) -> str:
    """What stands in one mail and nowhere else."""
    return f"personal{number:04}"


@dataclass
class Servers:
    """Three servers that mirror each other, as they are on disk, and their clock."""

    folder: Folder
    random: Random
    now: int = 1_800_000_000
    written: int = 0
    backups: dict[str, Path] = field(default_factory=dict)
    erased: dict[str, str] = field(default_factory=dict)
    """The words of what was erased, with the server that did; of those that were not restored since."""

    def policy(self, name: str) -> Policy:
        origins = {key: Origin(1, None, other) for other, key in self.folder.keys.items() if other != name}
        row = Peer(mode="mirror", may_feed=ALL, may_read=ALL)
        return Policy(self.folder.keys[name], origins, dict.fromkeys(origins, row))

    def path(self, name: str) -> Path:
        return self.folder.path / name

    @contextmanager
    def index(self, name: str) -> Iterator[Index]:
        with Index.open(self.path(name) / INDEX, policy=self.policy(name)) as index:
            yield index

    def ingest(self, name: str) -> None:
        """One or two mails, the second one a reply."""
        mails = []
        for _ in range(self.random.randint(1, 2)):
            before = [f"m{number}@x" for number in range(self.written)]
            chain = self.random.sample(before, min(2, len(before)))
            text, self.written = word(self.written), self.written + 1
            sender = [f"From: {text} <{text}@example.org>"]
            mails.append(mail(f"m{self.written - 1}@x", chain, subject=f"on {text}", body=text, headers=sender))
        file = self.folder.path / f"{name}.mbox"
        file.write_bytes((file.read_bytes() if file.exists() else b"") + b"".join(mails))
        with self.index(name) as index:
            index.ingest(name, file)

    def erase(self, name: str, *, at_once: bool = False) -> None:
        """One message of its own, if there is one; deleted when its peers know, or at once."""
        with self.index(name) as index:
            own = [
                claim.message_id
                for held in index.store.log(0, 1 << 20)
                if (claim := read_claim(held)) and claim.origin == index.origin
            ]
            if own:
                chosen = self.random.choice(own)
                index.erasure.erase([chosen], self.now)
                index.erasure.delete(self.now, erased=at_once)
                self.erased[word(int(chosen[1:].partition(b"@")[0]))] = name

    def meet(self, one: str, other: str) -> None:
        caller, answerer = (Server.open(name, self.path(name) / INDEX, self.policy(name)) for name in (one, other))
        try:
            index_meetings.meet(caller, answerer, Cost(sessions=self.random.getrandbits(30)))
        finally:
            caller.backend.close()
            answerer.backend.close()

    def back_up(self, name: str) -> None:
        self.backups[name] = self.folder.path / f"{name}-backup-{self.random.getrandbits(60)}"
        shutil.copytree(self.path(name), self.backups[name])

    def restore(self, name: str) -> None:
        """With what was kept of peers then; what it erased since is forgotten, unless a peer knows of it."""
        if name in self.backups:
            shutil.rmtree(self.path(name))
            shutil.copytree(self.backups[name], self.path(name))
            self.erased = {text: who for text, who in self.erased.items() if who != name}

    def wait(self, seconds: int) -> None:
        self.now += seconds
        for name in NAMES:
            with self.index(name) as index:
                index.erasure.delete(self.now)

    def step(self) -> None:
        act: Callable[..., None] = self.random.choices(
            (
                self.ingest,
                self.erase,
                partial(self.erase, at_once=True),
                self.back_up,
                self.restore,
                self.meet,
                self.wait,
            ),
            (3, 3, 1, 1, 1, 5, 1),
        )[0]
        if act == self.wait:
            self.wait(self.random.randint(0, 40 * DAY))
        elif act == self.meet:
            self.meet(*self.random.sample(NAMES, 2))
        else:
            act(self.random.choice(NAMES))

    def come_to_rest(self) -> None:
        """Everybody learns everything, and all periods are over."""
        for _ in range(2):
            for _ in range(2):
                for one, other in (("a", "b"), ("b", "c"), ("c", "a")):
                    self.meet(one, other)
            self.wait(0)
            self.wait(PERIOD)

    def check(self) -> None:
        views, standing, withdrawn = [], [], []
        for name in NAMES:
            with self.index(name) as index:
                assert list(index.check()) == []
                views.append(index.view_id(common=True))
                log = index.store.log(0, 1 << 20)
                claims = {held.identity: read_claim(held) for held in log}
                withdrawn.append({one.target for one in claims.values() if isinstance(one, Withdrawal)})
                standing.append({identity for identity, claim in claims.items() if claim is not None})
                assert not withdrawn[-1] & standing[-1], f"{name} has the bytes of what is withdrawn"
                for text in self.erased:
                    assert list(index.search(text)) == []
            for file in self.path(name).rglob("*"):
                data = file.read_bytes() if file.is_file() else b""
                assert not [text for text in self.erased if text.encode() in data], file
        assert len(set(views)) == 1
        assert standing[0] == standing[1] == standing[2]
        assert withdrawn[0] == withdrawn[1] == withdrawn[2]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder.make(tmp_path_factory.mktemp("empty"), NAMES)


def history(empty: Folder, path: Path, seed: int, steps: int) -> None:
    servers = Servers(empty.copy_to(path / "servers"), Random(seed))
    for name in NAMES:
        servers.ingest(name)
    for _ in range(steps):
        servers.step()
    servers.come_to_rest()
    servers.check()


@pytest.mark.parametrize("seed", range(4))
def test_nobody_holds_what_was_erased_when_the_period_is_over(empty: Folder, tmp_path: Path, seed: int) -> None:
    history(empty, tmp_path, seed, 14)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 150))
def test_nobody_holds_what_was_erased_in_more_histories(empty: Folder, tmp_path: Path, seed: int) -> None:
    history(empty, tmp_path, seed, 30)


def test_what_is_erased_stays_here_until_all_peers_know_of_it(empty: Folder, tmp_path: Path) -> None:
    servers = Servers(empty.copy_to(tmp_path / "servers"), Random(1))
    servers.ingest("a")
    servers.meet("a", "b")
    servers.erase("a")

    def deleted() -> tuple[bool, int]:
        with servers.index("a") as index:
            [message] = index.erasure.erased()
            return message.deleted, sum(one.confirmed is not None for one in message.peers)

    assert deleted() == (False, 0)
    servers.wait(0)
    servers.meet("a", "b")
    servers.wait(0)
    assert deleted() == (False, 1)
    servers.meet("c", "a")
    assert deleted() == (False, 2)
    servers.wait(0)
    assert deleted() == (True, 2)


def test_a_server_deletes_what_is_due_and_opens_the_index_only_then(empty: Folder, tmp_path: Path) -> None:
    servers = Servers(empty.copy_to(tmp_path / "servers"), Random(1), int(time.time()) - PERIOD - 1)
    servers.ingest("a")
    servers.meet("a", "b")
    servers.erase("a")
    path, policy = servers.path("b") / INDEX, servers.policy("b")
    assert delete_due(path, lambda: policy) == 0
    servers.meet("a", "b")
    with servers.index("b") as index:
        assert index.erasure.delete(servers.now) == 0
    assert delete_due(path, lambda: policy) == 1
    state = path.stat()
    assert delete_due(path, lambda: policy) == 0
    assert path.stat() == state


def test_what_a_policy_keeps_for_ever_is_not_deleted(empty: Folder, tmp_path: Path) -> None:
    servers = Servers(empty.copy_to(tmp_path / "servers"), Random(1))
    servers.ingest("a")
    servers.meet("a", "b")
    servers.erase("a")
    servers.meet("a", "b")
    keeping = replace(servers.policy("b"), retention=Retention(None))
    with Index.open(servers.path("b") / INDEX, policy=keeping) as index:
        assert index.erasure.delete(1 << 40) == 0
        assert index.erasure.delete(servers.now, every=True) == 1
