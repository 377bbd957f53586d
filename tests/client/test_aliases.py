"""A client that verifies follows the rules that a server states, and its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import weft
from tests.index.factories import mail, open_index, write
from tests.server.lying_server import lying
from weft.errors import AnswerError
from weft.policy.rules import Policy
from weft.v1 import threads_pb2 as wire

MAILS = (
    mail("new@x", headers=["X-Mailman-Original-Message-ID: <old@x>", "Original-Message-ID: <lost@x>"]),
    mail("a@x", ["old@x"]),
    mail("b@x", headers=["In-Reply-To: old@x"]),
    mail("c@x", ["ghost@x", "older@x", "b@x"]),
)
RULES = {b"old@x": b"new@x", b"older@x": b"new@x"}


def ingested(folder: Path) -> Policy:
    with open_index(folder) as index:
        index.ingest("one", write(folder / "one.mbox", *MAILS))
        return replace(index.policy, aliases=RULES)


def test_the_rules_that_a_server_states_are_followed(tmp_path: Path) -> None:
    policy = ingested(tmp_path)
    with lying(tmp_path / "index.db", lambda _: None, policy) as address:
        with weft.connect(address, verify=True) as peer:
            thread = peer.thread("old@x")
            assert {one.id: one.parent for one in thread.messages} == {
                "new@x": None, "a@x": "new@x", "b@x": "new@x", "c@x": "b@x"
            }  # fmt: skip
            assert thread.messages[0].aliases == ("old@x", "older@x")
        with weft.connect(address, verify=True, policy=policy) as peer:
            assert peer.thread("a@x") == thread
        other = replace(policy, aliases={})
        with weft.connect(address, verify=True, policy=other) as peer, pytest.raises(AnswerError):
            peer.thread("a@x")


def test_a_look_up_that_follows_an_alias_is_believed_because_a_claim_states_it(tmp_path: Path) -> None:
    policy = ingested(tmp_path)

    def lie(response: wire.GetThreadResponse) -> None:
        del response.parts[:]

    with lying(tmp_path / "index.db", lambda _: None, policy) as address, weft.connect(address, verify=True) as peer:
        assert peer.thread("lost@x").root == "new@x"
    with (
        lying(tmp_path / "index.db", lie, policy) as address,
        weft.connect(address, verify=True) as peer,
        pytest.raises(AnswerError, match="does not hold 'lost@x'"),
    ):
        peer.thread("lost@x")


def test_a_rule_that_is_not_the_servers_is_refused(tmp_path: Path) -> None:
    policy = ingested(tmp_path)

    def lie(response: wire.GetThreadResponse) -> None:
        response.columns.strings.append(b"ghost@x")
        response.columns.facts.places.append(0)
        response.columns.facts.kinds.append(wire.FactColumns.KIND_ALIAS)
        response.columns.facts.texts.append(len(response.columns.strings) - 1)

    with (
        lying(tmp_path / "index.db", lie, policy) as address,
        weft.connect(address, verify=True, policy=policy) as peer,
        pytest.raises(AnswerError, match="by no rule"),
    ):
        peer.thread("a@x")
