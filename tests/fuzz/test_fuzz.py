"""A short form of the fuzzing of every way in, and faults that it has to find."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain

import pytest

from tests.fuzz import check_frame
from tests.fuzz.mutating import mutations
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS
from weft.core import charset, claim, claim_encoding, header, merkle, obsolete_date, references
from weft.exchange import claim_proofs, session
from weft.index import search_query
from weft.mail_text import text_lines
from weft.policy import rules
from weft.render import mbox as mboxrd
from weft.sources import mbox

COUNTS = {"mbox": 250, "frame": 150, "query": 700, "message": 300}
"""Mutations in the short form, of what costs more than others."""


@pytest.mark.parametrize("name", TARGETS)
def test_no_mutation_of_an_input_is_dealt_with_wrongly(name: str) -> None:
    fuzz(name, COUNTS.get(name, 1500))


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_no_mutation_of_many(name: str) -> None:
    fuzz(name, 100 * COUNTS.get(name, 3000))


Plant = Callable[[pytest.MonkeyPatch], None]
_to_tables = rules.Policy.to_tables
_split = merkle._split
FAULTS: list[tuple[str, Plant]] = [
    ("header", lambda patch: patch.setattr(header, "keep_subject", lambda value, *_: value)),
    ("ids", lambda patch: patch.setattr(references, "_without", lambda ids, *_: ids)),
    ("mbox", lambda patch: patch.setattr(mbox, "is_after_lone_cr", lambda _: False)),
    ("mbox", lambda patch: patch.setattr(mbox, "_FROM_IN_A_LINE", re.compile(b"(?!)"))),
    ("mbox", lambda patch: patch.setattr(mboxrd, "_BARE_FROM", re.compile(b"(?!)"))),
    ("date", lambda patch: patch.setattr(obsolete_date, "_NOTHING", 0)),
    ("text", lambda patch: patch.setattr(charset, "_SURROGATE", re.compile("(?!)"))),
    ("message", lambda patch: patch.setattr(text_lines, "visible", str)),
    (
        "claim",
        lambda patch: patch.setattr(
            claim, "encode_mail", lambda one: claim_encoding.encode_mail(one._replace(archived_at=b""))
        ),
    ),
    ("proof", lambda patch: patch.setattr(merkle, "_split", lambda data: _split(data[: len(data) // 32 * 32]))),
    ("proof", lambda patch: patch.setattr(claim_proofs, "verify_root", lambda _: None)),
    ("frame", lambda patch: patch.setattr(session, "DecodeError", KeyError)),
    ("frame", lambda patch: patch.setattr(session.Session, "_responding", lambda one: one._responder)),
    ("frame", lambda patch: patch.setattr(claim_proofs, "check_wanted", lambda *_: None)),
    ("query", lambda patch: patch.setattr(search_query, "pairs", lambda run: [f'{run}"'])),
    (
        "policy",
        lambda patch: patch.setattr(
            rules.Policy,
            "to_tables",
            lambda one: {key: table for key, table in _to_tables(one).items() if key != "mute"},
        ),
    ),
]
"""For each way in, faults that somebody could make."""


def fuzz(name: str, count: int) -> None:
    """Check a target with its seeds and ``count`` mutations of them, and frames out of turn."""
    check, seeds = TARGETS[name]
    others = check_frame.out_of_turn(seeds, count) if name == "frame" else ()
    for raw in chain(mutations(seeds, count, name), others):
        check(raw)


@pytest.mark.parametrize(("name", "plant"), FAULTS, ids=[name for name, _ in FAULTS])
def test_a_planted_fault_is_found(name: str, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    charset._decoder.cache_clear()
    plant(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the fault leads to
        fuzz(name, COUNTS.get(name, 1500))
    charset._decoder.cache_clear()


def test_each_target_has_a_planted_fault() -> None:
    assert {name for name, _ in FAULTS} == set(TARGETS)


@pytest.mark.parametrize("scene", check_frame.scenes(), ids=[scene.name for scene in check_frame.scenes()])
def test_recorded_frames_are_those_of_a_whole_session(scene: check_frame.Scene) -> None:
    ended = check_frame.play(scene, 0, scene.frames[0])
    assert ended.synced
    assert ended.ended is not None
    assert ended.ended.error is None


def test_seeds_of_frames_are_frames_of_recorded_sessions() -> None:
    scenes = check_frame.scenes()
    recorded = {
        bytes((number, place)) + frame
        for number, scene in enumerate(scenes)
        for place, frame in enumerate(scene.frames)
    }
    whole = {path.name: path.read_bytes() for path in (SEEDS / "frame").iterdir() if "crash-" not in path.name}
    assert not [name for name, raw in whole.items() if raw not in recorded], "python -m tests.fuzz.check_frame"


def test_the_same_seed_gives_the_same_mutations() -> None:
    one, other = (list(mutations([b"abc"], 50, "x")) for _ in range(2))
    assert one == other
    assert len(set(one)) > 25
