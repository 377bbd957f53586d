"""The founding story: two lists, one conversation, and no server that could have kept the master copy of it."""

from __future__ import annotations

from tests.factories import FIXTURES, Archive, messages, rebuild
from weft.model import Message

STORY = FIXTURES / "story"
INTRODUCTION = "20030210035225.GA1107@aldgate.example.com"
LISTS = ("drafts", "smtp-ops")


def archive_of(*names: str) -> Archive:
    archive = rebuild({name: STORY / f"{name}.mbox" for name in names})
    assert archive.notes == []
    return archive


def test_the_conversation_is_one_tree_of_both_lists() -> None:
    """Each line: how deep, whose (the author's first name), on which lists; ``-`` for what nobody has."""
    thread = archive_of(*LISTS).thread(INTRODUCTION)
    assert "".join(map(draw, thread.messages)) == STORY_TREE


def draw(message: Message) -> str:
    name = "-" if message.ghost else message.author.split()[0]
    return " ".join([*["."] * message.depth, f"{name}:", *message.lists]) + "\n"


STORY_TREE = """\
Ada: drafts
. Bruno: drafts
. Carol: drafts smtp-ops
. . Farid: drafts smtp-ops
. . . Greta: smtp-ops
. . . . Farid: smtp-ops
. . . . . Greta: smtp-ops
. . . . . Emi: drafts smtp-ops
. . . . . . Ada: drafts smtp-ops
. . . Ada: drafts
. . . . Carol: drafts
. . . . -:
. . . . . Ada: drafts
. . . . . . Bruno: drafts smtp-ops
. . -:
. . . Dmitri: drafts smtp-ops
. . . . Emi: smtp-ops
. . . . . Dmitri: smtp-ops
"""


def test_neither_list_has_the_whole_conversation_and_both_see_the_shape_of_what_they_have() -> None:
    together = archive_of(*LISTS)
    whole = {name: message.parent for name, message in messages(together).items()}
    for name in LISTS:
        alone = messages(archive_of(name))
        assert len(alone) < len(whole)
        assert {key: message.parent for key, message in alone.items()}.items() <= whole.items()
        missing = [key for key, message in alone.items() if message.ghost and not messages(together)[key].ghost]
        assert len(missing) == (2 if name == "drafts" else 3)


def test_sixteen_mails_six_of_them_on_both_lists_and_two_that_nobody_has() -> None:
    conversation = archive_of(*LISTS).thread(INTRODUCTION).messages
    assert sum(not message.ghost for message in conversation) == 16
    assert sum(message.lists == LISTS for message in conversation) == 6
    assert [message.id for message in conversation if message.ghost] == [
        "87smuvyw1c.fsf@okafor.example.net",
        "20030210214455.GB612@duarte.example.net",
    ]


def test_each_list_has_an_unrelated_thread_too() -> None:
    threads = [thread for thread in archive_of(*LISTS).threads() if thread.root != INTRODUCTION]
    assert [(thread.lists, len(thread.messages)) for thread in threads] == [(("drafts",), 2), (("smtp-ops",), 2)]


def test_what_lists_change_makes_no_copy_contested_or_a_variant() -> None:
    """Subject prefixes, a footer, and once the From."""
    found = messages(archive_of(*LISTS))
    assert not any(message.contested or message.variants > 1 for message in found.values())
    rewritten = found["20030211062031.GA30441@northmail.example.com"]
    assert [copy.author for copy in rewritten.copies] == [
        "Dmitri Halvorsen via drafts <drafts@lists.example.org>",
        "Dmitri Halvorsen <dh@northmail.example.com>",
    ]
    assert [copy.subject.startswith("Re: [drafts] ") for copy in rewritten.copies] == [True, False]
