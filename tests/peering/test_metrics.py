"""What a server tells of its exchanges: numbers for Prometheus, and fields in the log for programs."""

from __future__ import annotations

import math

import pytest

from tests.cli.command_runner import until
from tests.cli.server_home import Home
from tests.peering.peer_harness import STORY, admit, fingerprint, is_live, running, sync
from tests.store.factories import Origin, mail
from weft.core.claim import encode, parse
from weft.errors import ClaimError
from weft.peering.metrics import kind


def test_sessions_are_counted_by_the_names_that_our_policy_gives(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as answerer:
        admit(near, far, "--address", answerer.peers, "--name", "far away")
        with running(near) as caller:
            until(lambda: is_live(caller) and is_live(answerer))
            name, peer = 'peer="far away"', f'peer="{fingerprint(near)[:16]}"'
            ways = (("in", "out"), ("out", "in"))
            sent = [f'octets_total{{direction="{way}",{name}}}' for way, _ in ways]
            came = [f'octets_total{{direction="{way}",{peer}}}' for _, way in ways]

            def alike() -> bool:  # the last frames are counted a moment later on the other side
                here, there = caller.measured(), answerer.measured()
                return [here[one] for one in sent] == [there[one] for one in came] and here[sent[0]] > 1000

            until(alike)
            here, there = caller.measured(), answerer.measured()
            assert here[f'sessions_running{{{name},role="caller"}}'] == 1
            assert there[f'sessions_running{{{peer},role="answerer"}}'] == 1
            for way, _ in ways:
                assert here[f'claims_total{{direction="{way}",{name}}}'] == STORY
            assert here[f"since_sync_seconds{{{name}}}"] < 10
            until(lambda: caller.measured().get(f"key_age_seconds{{{name}}}", 99) < 10)
            until(lambda: caller.measured().get(f"lag_claims{{{name}}}") == 0)
            [line] = [line for line in caller.lines() if line["message"] == "in sync with far away"]
            fields = {"role": "caller", "live": True, "name": "far away", "claims_in": STORY, "claims_out": STORY}
            assert fields.items() <= line.items()
            assert line["octets_in"] > line["claims_in"]


def test_how_calls_ended_is_counted_and_strangers_have_no_name(near: Home, far: Home) -> None:
    admit(near, far, "--address", "127.0.0.1:1", "--name", "far")
    with running(near) as server, running(far) as other:
        until(lambda: 'sessions_total{outcome="unreachable",peer="far",role="caller"}' in server.measured())
        assert math.isinf(server.measured()['since_sync_seconds{peer="far"}'])
        near.config.write_text(near.config.read_text().replace("127.0.0.1:1", other.peers))
        until(lambda: 'sessions_total{outcome="denied",peer="far",role="caller"}' in server.measured())
        assert other.measured()['sessions_total{outcome="denied",peer="unknown",role="answerer"}'] >= 1
        labels = {name for name in other.measured() if "peer=" in name}
        assert all('peer="unknown"' in name for name in labels)


def test_the_reason_of_a_refusal_is_one_of_a_few_words() -> None:
    assert kind("claim refused: its bytes are not a message of the schema") == "schema"
    assert kind("claim refused: it is of a kind that is not known here") == "kind"
    assert kind("claim refused: it has 99999 bytes, at most 40960 are taken") == "size"
    assert kind("claim refused: subject: it has 1200 bytes, at most 998 are taken") == "subject"
    assert kind('claim refused: evil_label"} 1: x') == "other"
    assert kind("something else") == "other"


@pytest.mark.parametrize("field", ["subject", "author", "date", "archived_at", "message_id", "body"])
def test_the_field_for_which_the_core_refuses_a_claim_is_such_a_word(field: str) -> None:
    claim = mail("a@x")._replace(origin=Origin("o").public, list=b"git", **{field: b"x" * 20_000})  # type: ignore[arg-type]
    with pytest.raises(ClaimError) as refused:
        parse(encode(claim))
    assert kind(str(refused.value)) == field


def test_a_sync_is_counted_where_it_is_answered(near: Home, far: Home) -> None:
    admit(far, near, "--name", "near")
    with running(far) as server:
        admit(near, far, "--address", server.peers)
        sync(near, server.peers)
        until(lambda: server.said("exchanged with near"))
        assert server.measured()['sessions_total{outcome="well",peer="near",role="answerer"}'] == 1
        assert server.measured()['sessions_running{peer="near",role="answerer"}'] == 0
