"""A client that verifies catches a server that alters what follows from claims, and believes an honest one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import weft
from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.server.lying_server import Lie, answer, lying
from tests.store.factories import Origin, mail
from weft.errors import AnswerError, ClaimError, WeftError
from weft.index.index import Index
from weft.model import Thread
from weft.policy.rows import Origin as Row
from weft.policy.rules import Mute, Policy
from weft.v1 import claim_pb2
from weft.v1 import threads_pb2 as wire

Response = wire.GetThreadResponse


def held(response: Response) -> int:
    """The place of a message that is held and no root."""
    return next(place for place, flags in enumerate(response.columns.messages.flags) if place > 1 and not flags & 1)


def another_parent(response: Response) -> None:
    place = next(place for place, up in enumerate(response.columns.messages.parent_distances) if up > 1)
    response.columns.messages.parent_distances[place] -= 1


def ghost_of_a_message(response: Response) -> None:
    response.columns.messages.flags[held(response)] ^= 1


def contested(response: Response) -> None:
    response.columns.messages.flags[held(response)] ^= 2


def another_text(response: Response) -> None:
    response.columns.strings[response.columns.messages.subjects[0]] = b"Buy this"


def another_subject_shown(response: Response) -> None:
    subjects = response.columns.messages.subjects
    subjects[0] = next(one for one in subjects if one not in (0, subjects[0]))


def another_date_shown(response: Response) -> None:
    response.columns.messages.dates[0] = response.columns.messages.dates[3]


def more_variants(response: Response) -> None:
    response.columns.messages.counts[0] += 1


def one_copy_less(response: Response) -> None:
    for column in ("places", "lists", "subjects", "authors", "dates", "origin_fingerprints"):
        del getattr(response.columns.copies, column)[-1]


def a_rival(response: Response) -> None:
    response.columns.facts.places.append(0)
    response.columns.facts.kinds.append(wire.FactColumns.KIND_RIVAL)
    response.columns.facts.texts.append(response.columns.messages.subjects[0])


def a_cut(response: Response) -> None:
    a_rival(response)
    response.columns.facts.kinds[-1] = wire.FactColumns.KIND_CUT_PARENT


def an_edge_said_to_be_muted(response: Response) -> None:
    messages, place = response.columns.messages, held(response)
    response.columns.strings.append(messages.message_ids[place - messages.parent_distances[place]])
    response.columns.facts.places.append(place)
    response.columns.facts.kinds.append(wire.FactColumns.KIND_MUTED_PARENT)
    response.columns.facts.texts.append(len(response.columns.strings) - 1)


def another_digest(response: Response) -> None:
    response.digest = bytes(32)


def another_id(response: Response) -> None:
    response.columns.messages.message_ids[held(response)] = b"made@up"


def a_message_that_nobody_names(response: Response) -> None:
    messages = response.columns.messages
    messages.message_ids.append(b"made@up")
    for column, value in (
        ("parent_distances", 1),
        ("flags", 1),
        ("counts", 1),
        ("dates", 0),
        ("authors", 0),
        ("subjects", 0),
    ):
        getattr(messages, column).append(value)


def a_claim_less(response: Response) -> None:
    del response.parts[-1:]


EDGES: list[Lie] = [
    another_parent, ghost_of_a_message, contested, another_text, another_subject_shown, another_date_shown,
    more_variants, one_copy_less, a_rival, a_cut, an_edge_said_to_be_muted, another_digest, another_id,
    a_message_that_nobody_names, a_claim_less,
]  # fmt: skip


@pytest.mark.parametrize("lie", EDGES, ids=lambda lie: lie.__name__)
def test_what_does_not_follow_from_the_claims_is_refused(ingested: Home, lie: Lie) -> None:
    with lying(ingested.index, lie) as address:
        with weft.connect(address) as credulous:
            credulous.thread(ROOT)  # the columns themselves are sound
        with weft.connect(address, verify=True) as peer, pytest.raises(AnswerError):
            peer.thread(ROOT)


def altered_claim(part: claim_pb2.BatchPart) -> None:
    claim = claim_pb2.AnyClaim.FromString(part.claims[0])
    claim.mail.subject = b"Buy this"
    part.claims[0] = claim.SerializeToString()


def unknown_field(part: claim_pb2.BatchPart) -> None:
    part.claims[0] += b"\xf8\x7f\x01"


def altered_proof(part: claim_pb2.BatchPart) -> None:
    part.proof.hashes = bytes(len(part.proof.hashes)) + bytes(32)


def altered_place(part: claim_pb2.BatchPart) -> None:
    part.proof.held = b"\xff" * 32


def altered_signature(part: claim_pb2.BatchPart) -> None:
    part.batch.signature = bytes(64)


def altered_root(part: claim_pb2.BatchPart) -> None:
    part.batch.root = bytes(32)


def altered_list(part: claim_pb2.BatchPart) -> None:
    part.batch.list = b"another"


def altered_origin(part: claim_pb2.BatchPart) -> None:
    part.batch.origin = Origin("mallory").public


def altered_count(part: claim_pb2.BatchPart) -> None:
    part.batch.leaf_count = 2**32 - 1


def no_claims(part: claim_pb2.BatchPart) -> None:
    del part.claims[:]


@pytest.mark.parametrize(
    "lie",
    [
        altered_claim, unknown_field, altered_proof, altered_place, altered_signature, altered_root, altered_list,
        altered_origin, altered_count, no_claims,
    ],
    ids=lambda lie: lie.__name__,
)  # fmt: skip
def test_claims_that_their_origin_did_not_sign_are_refused(
    ingested: Home, lie: Callable[[claim_pb2.BatchPart], None]
) -> None:
    with (
        lying(ingested.index, lambda response: lie(response.parts[0])) as address,
        weft.connect(address, verify=True) as peer,
        pytest.raises(ClaimError),
    ):
        peer.thread(ROOT)


def test_the_claims_of_an_origin_that_signs_them_itself_do_not_pass_as_those_of_another_feed(ingested: Home) -> None:
    mallory = Origin("mallory")

    def lie(response: Response) -> None:
        part = mallory.batch("drafts", mail(ROOT, "x@y"))
        signed = response.parts.add(batch=part.signed.to_message(), proof=part.tree.prove([0]).to_message())
        signed.claims.append(part.claims[0].data)

    with (
        lying(ingested.index, lie) as address,
        weft.connect(address, verify=True) as peer,
        pytest.raises(AnswerError, match="whose rank it does not state"),
    ):
        peer.thread(ROOT)


def test_another_thread_than_the_one_that_was_asked_for_is_refused(ingested: Home) -> None:
    with Index.open(ingested.index) as index:
        other = next(thread.root for thread in index.threads() if thread.root != ROOT)

    def lie(response: Response) -> None:
        response.CopyFrom(answers_for(ingested, other))

    with (
        lying(ingested.index, lie) as address,
        weft.connect(address, verify=True) as peer,
        pytest.raises(AnswerError, match="does not hold"),
    ):
        peer.thread(ROOT)


def answers_for(home: Home, message_id: str) -> Response:
    with Index.open(home.index) as index:
        policy = index.policy
    request = wire.GetThreadRequest(message_id=message_id.encode(), view=wire.THREAD_VIEW_COLUMNS, include_claims=True)
    return answer(home.index, policy, request.SerializeToString())


HARD = {
    "contested by copies": [("l", mail("m", "a")), ("k", mail("m", "b")), ("l", mail("a")), ("l", mail("r", "m"))],
    "a ghost placed by witnesses": [("l", mail("m", "a", "g")), ("l", mail("n", "a", "g")), ("l", mail("a"))],
    "witnesses that disagree": [("l", mail("m", "a", "g")), ("l", mail("n", "b", "g")), ("l", mail("a"))],
    "a cycle of two": [("l", mail("m", "n")), ("l", mail("n", "m")), ("l", mail("o", "m"))],
    "a cycle through a ghost": [("l", mail("m", "g")), ("l", mail("n", "m", "g"))],
    "a cycle of three with a tail": [("l", mail("m", "o")), ("l", mail("n", "m")), ("l", mail("o", "n", "m"))],
    "variants": [("l", mail("m", subject="one")), ("k", mail("m", subject="another"))],
    "octets": [
        ("l", mail("m")._replace(message_id=b"m\xff", subject=b"\xff =?utf-7?q?+2AA-?=")),
        ("l", mail("n")._replace(references=(b"m\xff",))),
    ],
    "no message": [("l", mail("m", "g"))],
}


@pytest.fixture
def others(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, Policy]:
    """An index with claims of two others, one in each tier."""
    path = tmp_path / "index.db"
    near, far = Origin("near"), Origin("far")
    policy = Policy(origins={near.public: Row(1, None), far.public: Row(2, None)})
    with Index.open(path) as index:
        policy = replace(policy, own=index.origin)
        index.set_policy(policy)
        for name, claim in HARD[request.param]:
            index.admit([near.batch(name, claim._replace(body=claim.subject.ljust(32, b".")))])
        index.admit([far.batch("far", mail("m", "elsewhere"), mail("a", "far", "g", "q"))])
    return path, policy


def every_thread(path: Path, policy: Policy) -> list[Thread]:
    with Index.open(path, policy=policy) as index:
        return list(index.all_threads())


@pytest.mark.parametrize("others", HARD, indirect=True)
def test_every_hard_case_verifies_under_the_ranks_that_the_server_states(others: tuple[Path, Policy]) -> None:
    path, policy = others
    threads = every_thread(path, policy)
    assert threads
    with lying(path, lambda _: None, policy) as address, weft.connect(address, verify=True) as peer:
        for thread in threads:
            for message in thread.messages:
                got = peer.thread(message.id)
                assert [one.id for one in got.messages] == [one.id for one in thread.messages]
                assert got.digest == thread.digest


@pytest.mark.parametrize("others", ["contested by copies", "a cycle of two"], indirect=True)
def test_a_policy_of_the_callers_decides_if_there_is_one(others: tuple[Path, Policy]) -> None:
    path, policy = others
    flat = Policy(origins={key: replace(row, tier=1) for key, row in policy.origins.items()})
    with lying(path, lambda _: None, policy) as address:
        with weft.connect(address, policy=policy) as peer:
            assert peer.thread("m").messages
        with weft.connect(address, policy=flat) as peer, pytest.raises(AnswerError):
            peer.thread("m")  # the far origin has a say in it now
        with weft.connect(address, policy=Policy()) as peer, pytest.raises(AnswerError):
            peer.thread("m")  # nobody has


@pytest.mark.parametrize("others", ["a ghost placed by witnesses"], indirect=True)
def test_edges_that_the_server_mutes_are_stated_and_checked(others: tuple[Path, Policy]) -> None:
    path, policy = others
    muted = replace(policy, mute=Mute(edges=frozenset({(b"m", b"g"), (b"g", b"a")})))
    [thread] = [one for one in every_thread(path, muted) if one.root == "m"]
    assert len(thread.messages) == 1
    with lying(path, lambda _: None, muted) as address:
        with weft.connect(address, verify=True) as peer:
            assert peer.thread("m").digest == thread.digest
            assert {"g", "n"} <= {one.id for one in peer.thread("n").messages} <= {"g", "n", "q", "far"}
        with weft.connect(address, policy=muted) as peer:
            assert peer.thread("m").digest == thread.digest


def test_a_page_that_leads_to_itself_or_has_no_end_is_refused(ingested: Home) -> None:
    def lie(response: Response) -> None:
        response.next_page_token = "again"

    with lying(ingested.index, lie) as address, weft.connect(address) as peer, pytest.raises(WeftError):
        peer.thread(ROOT)


def test_claims_are_bytes_as_their_origin_wrote_them(ingested: Home) -> None:
    response = answers_for(ingested, ROOT)
    data = [one for part in response.parts for one in part.claims]
    with Index.open(ingested.index) as index:
        held = {one.data for one in index.store.log(0, 100)}
    assert set(data) <= held
