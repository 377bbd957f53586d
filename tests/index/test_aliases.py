"""Other ids that mails state for themselves: look-ups follow them, and they join what the operator's rules say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.index.factories import mail, open_index, parents, write
from weft import Index
from weft.errors import NotFoundError
from weft.policy.files import load_policy
from weft.policy.rules import Mute, Policy

OLD, NEW = "old@gateway.example", "new@gateway.example"


def gateway(own: str, *aliases: str, references: tuple[str, ...] = ()) -> bytes:
    return mail(own, references, headers=[f"X-Mailman-Original-Message-ID: <{alias}>" for alias in aliases])


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """A message whose old id two replies name, one of them weakly; and a reply to its new id."""
    made = open_index(tmp_path)
    reply = mail("weak@x", headers=[f"In-Reply-To: {OLD}"])
    mails = gateway(NEW, OLD), mail("a@x", [OLD]), reply, mail("b@x", [NEW])
    made.ingest("one", write(tmp_path / "one.mbox", *mails))
    return made


def rule(index: Index, **rules: str) -> Policy:
    names = {"OLD": OLD, "NEW": NEW}
    aliases = {names.get(old, old).encode(): names.get(new, new).encode() for old, new in rules.items()}
    return replace(index.policy, aliases=aliases)


def test_an_alias_joins_nothing_by_itself(index: Index) -> None:
    assert parents(index) == {NEW: None, OLD: None, "a@x": OLD, "b@x": NEW, "weak@x": None}
    assert all(not message.aliases for thread in index.all_threads() for message in thread.messages)


def test_a_rule_of_the_policy_joins_and_its_end_parts_again(index: Index) -> None:
    before, common = parents(index), index.view_id(common=True)
    own = index.view_id()
    index.set_policy(rule(index, OLD="NEW"))
    assert parents(index) == {NEW: None, "a@x": NEW, "b@x": NEW, "weak@x": NEW}
    assert index.thread(OLD).root == NEW
    assert index.thread(NEW).messages[0].aliases == (OLD,)
    assert (index.explain("a@x").parent, index.explain(OLD).message_id) == (NEW, NEW)
    assert list(index.check()) == []
    assert index.view_id(common=True) == common
    assert index.view_id() != own
    index.set_policy(replace(index.policy, aliases={}))
    assert (parents(index), index.view_id()) == (before, own)
    assert list(index.check()) == []


def test_a_rule_counts_for_mail_that_comes_later_too(index: Index, tmp_path: Path) -> None:
    index.set_policy(rule(index, OLD="NEW"))
    index.ingest("one", write(tmp_path / "later.mbox", mail("c@x", [OLD, "a@x"]), mail("d@x", [OLD])))
    assert (parents(index)["c@x"], parents(index)["d@x"]) == ("a@x", NEW)
    assert list(index.check()) == []


def test_a_message_under_the_old_id_stays_one(index: Index, tmp_path: Path) -> None:
    index.set_policy(rule(index, OLD="NEW"))
    index.ingest("one", write(tmp_path / "old.mbox", mail(OLD, ["root@x"])))
    assert parents(index)[OLD] == "root@x"
    assert parents(index)["a@x"] == NEW
    assert index.thread(OLD).root == "root@x"


def test_a_rule_to_an_id_that_no_mail_has_gives_the_ghost_its_name(index: Index) -> None:
    index.set_policy(rule(index, OLD="ghost@x"))
    thread = index.thread("a@x")
    assert [(one.id, one.ghost, one.named, one.named_on) for one in thread.messages[:1]] == [
        ("ghost@x", True, 1, ("one",))
    ]
    assert list(index.check()) == []


def test_an_edge_that_was_muted_under_the_old_id_stays_muted(index: Index) -> None:
    index.set_policy(replace(rule(index, OLD="NEW"), mute=Mute(edges=frozenset([(b"a@x", OLD.encode())]))))
    assert parents(index)["a@x"] is None
    assert list(index.check()) == []


def test_a_look_up_follows_an_alias_that_nothing_else_names(index: Index, tmp_path: Path) -> None:
    index.ingest("one", write(tmp_path / "more.mbox", gateway("x@x", "was@x"), gateway("y@x", "both@x")))
    assert index.thread("was@x").root == "x@x"
    assert index.explain("was@x").message_id == "x@x"
    index.ingest("one", write(tmp_path / "again.mbox", gateway("z@x", "both@x")))
    with pytest.raises(NotFoundError, match=r"'both@x' is stated as another id of 2 messages.*'y@x', 'z@x'"):
        index.thread("both@x")
    index.retract(["z@x"])
    assert index.thread("both@x").root == "y@x"
    assert list(index.check()) == []


def test_an_id_that_is_named_keeps_its_thread_whatever_states_it(index: Index) -> None:
    """Any id that a thread ever had finds it for ever."""
    assert index.thread(OLD).root == OLD


def test_an_explanation_tells_who_states_an_alias(index: Index) -> None:
    told = index.explain(OLD)
    assert (told.ghost, told.alias_of, told.aliases) == (True, (NEW,), ())
    assert [one.aliases for one in index.explain(NEW).statements] == [(OLD,)]
    index.set_policy(rule(index, OLD="NEW"))
    assert index.explain(NEW).aliases == (OLD,)


def test_what_two_policies_make_of_it_can_be_compared(index: Index) -> None:
    found = {one.message_id: (one.first, one.second) for one in index.diff(index.policy, rule(index, OLD="NEW"))}
    assert found == {"a@x": (OLD, NEW), "weak@x": (None, NEW)}
    found = {one.message_id: (one.first, one.second) for one in index.diff(index.policy, rule(index, OLD="ghost@x"))}
    assert found == {}  # it is only called otherwise


def test_the_policy_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[alias]\n"a@x" = "b@x"\n"b@x" = "c@x"\n"hex:ff" = "c@x"\n')
    policy = load_policy(path, None)
    assert policy.aliases == {b"a@x": b"c@x", b"b@x": b"c@x", b"\xff": b"c@x"}
    assert policy.to_tables()["alias"] == {"a@x": "c@x", "b@x": "c@x", "hex:ff": "c@x"}
    assert policy.common().aliases == {}
    assert policy.without(b"").aliases == policy.aliases


BAD = [
    ('"a@x" = "a@x"', r"alias\.\"a@x\": these rules lead in a circle"),
    ('"a@x" = "b@x"\n"b@x" = "a@x"', "circle"),
    ('"a@x" = 1', r"alias\.\"a@x\": must be a text"),
    ('"a@x" = ""', "an id has 1 to 250 bytes"),
    ('"a@x" = "b@x"\n"hex:614078" = "c@x"', "has a rule already"),
]


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_a_rule_that_cannot_be_meant_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[alias]\n{text}\n")
    with pytest.raises(Exception, match=reason):
        load_policy(path, None)
