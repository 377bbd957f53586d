"""The story on three lists: what none of them has alone, nor any two of them; and one forged mail."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from tests.factories import FIXTURES, Archive, messages, parents, rebuild
from tests.test_story import INTRODUCTION, STORY_TREE, draw
from weft.analysis.corpus_reader import corpus_of_sources
from weft.analysis.jwz import Containers, chains
from weft.model import Message
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

FILES = {
    "drafts": FIXTURES / "story" / "drafts.mbox",
    "keepers": FIXTURES / "story-continued" / "keepers.mbox",
    "smtp-ops": FIXTURES / "story" / "smtp-ops.mbox",
}
FORGED = FIXTURES / "story-forged" / "keepers.mbox"
FORGED_ID = "20030213031407.GG1107@aldgate.example.com"
OTHER_ROOT = "200302110830.00417.greta.olsen@fjord.example.com"


def archive_of(*names: str) -> Archive:
    archive = rebuild({name: FILES[name] for name in names})
    assert archive.notes == []
    return archive


def conversation(*names: str) -> Sequence[Message]:
    return archive_of(*names).thread(INTRODUCTION).messages


def test_the_conversation_is_one_tree_of_all_three_lists() -> None:
    assert "".join(map(draw, conversation(*FILES))) == TREE


TREE = """\
Ada: drafts
. Bruno: drafts
. Carol: drafts smtp-ops
. . Farid: drafts smtp-ops
. . . Greta: keepers smtp-ops
. . . . Farid: smtp-ops
. . . . . Greta: smtp-ops
. . . . . Emi: drafts smtp-ops
. . . . . . Ada: drafts smtp-ops
. . . . Inês: keepers
. . . . . Greta: keepers
. . . Ada: drafts
. . . . Carol: drafts
. . . . -:
. . . . . Ada: drafts
. . . . . . Bruno: drafts keepers smtp-ops
. . . . . . . Emi: keepers
. . . . . . . . Ada: keepers
. . -:
. . . Dmitri: drafts smtp-ops
. . . . Emi: smtp-ops
. . . . . Dmitri: smtp-ops
. . . . . . Carol: keepers
. . . . . . . Dmitri: keepers
"""


def test_without_the_third_list_it_is_the_story() -> None:
    shown = "".join(map(draw, conversation("drafts", "smtp-ops")))
    assert shown == STORY_TREE
    others = [line for line in TREE.splitlines() if not line.endswith(": keepers")]
    assert [line.replace(" keepers", "") for line in others] == shown.splitlines()


def test_no_list_has_it_and_no_two_of_them_and_all_three_do() -> None:
    held = {
        names: sum(not message.ghost for message in conversation(*names))
        for count in (1, 2, 3)
        for names in combinations(FILES, count)
    }
    assert held == {
        ("drafts",): 11,
        ("keepers",): 8,
        ("smtp-ops",): 11,
        ("drafts", "keepers"): 18,
        ("drafts", "smtp-ops"): 16,
        ("keepers", "smtp-ops"): 17,
        tuple(FILES): 22,
    }


def test_each_list_sees_the_shape_of_what_it_has_and_has_no_sign_of_the_rest() -> None:
    whole = {message.id: message.parent for message in conversation(*FILES)}
    unknown = {}
    for name in FILES:
        alone = {message.id: message.parent for message in conversation(name)}
        assert alone.items() <= whole.items()
        unknown[name] = len(whole) - len(alone)
    assert unknown == {"drafts": 9, "keepers": 6, "smtp-ops": 8}


def test_the_third_list_answers_a_mail_that_only_one_other_has_too() -> None:
    found = messages(archive_of(*FILES))
    own = [message for message in found.values() if message.lists == ("keepers",)]
    assert {found[message.parent].lists for message in own if message.parent} == {
        ("keepers", "smtp-ops"),
        ("smtp-ops",),
        ("drafts", "keepers", "smtp-ops"),
        ("keepers",),
    }


def test_a_blind_copy_and_a_resent_one_are_copies_and_no_variants() -> None:
    found = messages(archive_of(*FILES))
    assert not any(message.contested or message.variants > 1 for message in found.values())
    assert not any(name.startswith("20030211150231.") for name in found), "a Resent-Message-ID names no message"


def test_the_forged_mail_moves_nobody_and_stands_where_its_own_headers_say() -> None:
    before = parents(archive_of(*FILES))
    archive = rebuild({name: [path, FORGED] if name == "keepers" else path for name, path in FILES.items()})
    after = parents(archive)
    assert after == {**before, FORGED_ID: "87k7g6yu5e.fsf@okafor.example.net"}
    assert len(archive.thread(OTHER_ROOT).messages) == 2


def test_the_textbook_would_weld_two_threads() -> None:
    names = [f"{name}={path}" for name, path in FILES.items()]
    assert textbook_parent(names) is None
    assert textbook_parent([*names, f"keepers={FORGED}"]) == OTHER_ROOT


def textbook_parent(paths: Sequence[str]) -> str | None:
    """Below what the conversation hangs when mail is linked as JWZ does."""
    corpus = corpus_of_sources(discover(paths, NoteLog()), NoteLog())
    containers = Containers(len(corpus.forest.ids))
    for node, chain in zip(corpus.nodes, chains(corpus), strict=True):
        containers.add(node, chain)
    ids = [bytes(name).decode() for name in corpus.forest.ids]
    parent = containers.parents[ids.index(INTRODUCTION)]
    return None if parent < 0 else ids[parent]


def test_every_file_is_in_the_table_of_fixtures() -> None:
    table = (FIXTURES / "README.md").read_text()
    for path in (*FILES.values(), FORGED):
        assert f"`{path.relative_to(FIXTURES)}`" in table
