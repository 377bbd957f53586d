"""Each hard case of threading is a named test, over a small file or (if it is big) over mail that is made here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import FIXTURES, Archive, mail, messages, parents, rebuild
from tests.index.factories import counted, open_index
from tests.index.factories import parents as index_parents
from tests.store.factories import Origin
from weft.model import Message
from weft.policy.rules import Origin as OriginRow
from weft.policy.rules import Policy

HARD = FIXTURES / "hard"


def archive_of(name: str) -> Archive:
    """The archive of one fixture: a file, or a folder with a file for each of two lists."""
    single = HARD / f"{name}.mbox"
    files = [single] if single.exists() else sorted((HARD / name).glob("*.mbox"))
    archive = rebuild({file.stem: file for file in files})
    assert archive.notes == []
    return archive


def parents_of(name: str) -> dict[str, str | None]:
    return local(parents(archive_of(name)))


def messages_of(name: str) -> dict[str, Message]:
    return {short(key): message for key, message in messages(archive_of(name)).items()}


def local(edges: dict[str, str | None]) -> dict[str, str | None]:
    """The same without ``@example.net``, which most fixtures' ids end in."""
    return {short(child): None if parent is None else short(parent) for child, parent in edges.items()}


def short(message_id: str) -> str:
    return message_id.removesuffix("@example.net")


def rebuild_bytes(tmp_path: Path, *mails: bytes) -> Archive:
    path = tmp_path / "made.mbox"
    path.write_bytes(b"".join(mails))
    return rebuild({"made": path})


def test_an_id_in_prose_is_the_parent_only_without_references() -> None:
    assert parents_of("in-reply-to-prose") == {"root": None, "middle": "root", "alone": "root", "both": "middle"}


def test_an_address_or_several_ids_in_in_reply_to_are_not_sane() -> None:
    assert parents_of("in-reply-to-several") == {
        "root": None,
        "middle": "root",
        "address-and-references": "middle",
        "address-alone": "middle",
        "several-and-references": "middle",
        "several-alone": "middle",
        "elsewhere": None,
    }


def test_a_sane_in_reply_to_wins_over_references_and_the_list_then_witnesses_nothing() -> None:
    assert parents_of("in-reply-to-contradicts-references") == {
        "root": None,
        "middle": "root",
        "reversed": "middle",
        "outside": "root",
        "ghost": None,
        "ghost-2": None,
        "ghost-3": None,
    }


def test_truncated_references_place_their_message_and_rank_low_across_the_gap() -> None:
    assert parents_of("references-truncated") == {
        "root": None,
        "g1": "root",
        "g2": "g1",
        "g3": "g2",
        "g4": "g3",
        "whole": "g4",
        "cut": "whole",
        "root-and-parent": "cut",
    }


def test_a_repeated_reference_counts_where_it_stands_last_and_a_self_reference_is_dropped() -> None:
    assert parents_of("references-repeated") == {
        "root": None,
        "middle": "root",
        "repeats": "middle",
        "ghost": None,
        "itself": "middle",
    }


def test_of_two_siblings_that_contradict_each_other_about_a_ghost_the_nearer_counts_or_neither() -> None:
    assert parents_of("siblings-contradict") == {
        "p": None,
        "q": None,
        "near-ghost": "p",
        "near": "near-ghost",
        "far-ghost": "near-ghost",
        "far": "far-ghost",
        "even-ghost": None,
        "left": "even-ghost",
        "right": "even-ghost",
    }


def test_a_message_without_references_is_a_root_whatever_others_say_of_it() -> None:
    assert parents_of("own-headers-win") == {
        "other": None,
        "quiet": None,
        "says-otherwise": "quiet",
        "says-so-too": "says-otherwise",
    }


def test_a_permanent_ghost_root_is_a_root_with_children() -> None:
    (thread,) = archive_of("permanent-ghost-root").threads()
    issue = "weaver/loom/issues/1@forge.example.org"
    comment = "weaver/loom/issues/1/comment-{}@forge.example.org"
    assert thread.root == issue
    assert [(message.id, message.depth, message.ghost) for message in thread.messages] == [
        (issue, 0, True),
        (comment.format(1), 1, False),
        (comment.format(2), 1, False),
        ("reply@bob.example.net", 2, False),
    ]


def test_a_cross_post_is_one_node_with_two_copies_and_neither_contested_nor_a_variant() -> None:
    (thread,) = archive_of("cross-post").threads()
    assert thread.lists == ("list-a", "list-b")
    for message in thread.messages:
        assert [copy.list for copy in message.copies] == ["list-a", "list-b"]
        assert (message.contested, message.variants) == (False, 1)
    root, reply = thread.messages
    assert (short(root.id), short(reply.id), reply.parent) == ("root", "reply", root.id)
    assert [copy.subject for copy in root.copies] == ["[list-a] a question", "a question"]
    assert [copy.author for copy in reply.copies] == [
        "Bob via list-a <list-a@lists.example.org>",
        "Bob <bob@example.net>",
    ]


def test_copies_with_different_parents_or_one_with_none_make_a_contested_root_with_its_rivals() -> None:
    found = messages_of("contested-parents")
    assert local({name: message.parent for name, message in found.items()}) == {
        "p": None,
        "q": None,
        "torn": None,
        "half": None,
        "below": "torn",
    }
    assert {name for name, message in found.items() if message.contested} == {"torn", "half"}
    assert found["torn"].rivals == ("p@example.net", "q@example.net")
    assert found["half"].rivals == (None, "p@example.net")


def test_one_id_with_unrelated_contents_is_one_node_with_variants() -> None:
    found = messages_of("one-id-unrelated-contents")
    shared = found["shared"]
    assert (shared.variants, shared.contested, shared.parent) == (2, False, "root@example.net")
    assert [copy.subject for copy in shared.copies] == ["Re: a question", "Offer of the month"]
    assert found["same-body"].variants == 1


def test_a_parent_that_only_another_list_has_is_a_ghost_and_the_tree_has_its_shape_already() -> None:
    folder = HARD / "parent-only-on-another-list"
    alone, together = rebuild({"list-a": folder / "list-a.mbox"}), archive_of("parent-only-on-another-list")
    expected = {"root": None, "child": "root", "grandchild": "child", "sibling": "child"}
    assert local(parents(alone)) == local(parents(together)) == expected
    assert alone.thread("child@example.net").digest == together.thread("child@example.net").digest
    ghost = messages(alone)["child@example.net"]
    assert (ghost.ghost, ghost.named, ghost.named_on) == (True, 2, ("list-a",))
    assert not messages(together)["child@example.net"].ghost


def test_a_sub_thread_that_only_another_list_has_is_found_below_the_shared_message() -> None:
    folder = HARD / "subthread-only-on-another-list"
    alone = rebuild({"list-a": folder / "list-a.mbox"})
    assert local(parents(alone)) == {"root": None, "here": "root"}
    together = archive_of("subthread-only-on-another-list")
    assert local(parents(together)) == {"root": None, "here": "root", "there": "root", "there-below": "there"}
    assert messages(together)["there-below@example.net"].lists == ("list-b",)


def test_two_mails_that_cite_each_other_are_cut_once_at_the_smaller_id() -> None:
    found = messages_of("cycle-of-two")
    assert {name: message.parent for name, message in found.items()} == {
        "a": None,
        "b": "a@example.net",
        "c": "b@example.net",
    }
    assert {name: message.cut for name, message in found.items() if message.cut} == {"a": "b@example.net"}


def test_a_cycle_through_a_ghost_is_cut_at_the_ghost() -> None:
    found = messages_of("cycle-through-a-ghost")
    assert local({name: message.parent for name, message in found.items()}) == {
        "ghost": None,
        "b": "ghost",
        "a": "b",
        "c": "ghost",
    }
    assert {name: message.cut for name, message in found.items() if message.cut} == {"ghost": "a@example.net"}


def test_a_message_that_names_two_threads_moves_only_itself() -> None:
    assert parents_of("joins-two-threads") == {"a": None, "a2": "a", "b": None, "b2": "b", "both": "b2"}


def test_a_forged_copy_on_a_list_that_is_read_here_contests_one_edge_and_moves_nothing_else() -> None:
    found = messages_of("forged-copy")
    assert local({name: message.parent for name, message in found.items()}) == {
        "root": None,
        "reply": None,
        "below": "reply",
        "bait": None,
    }
    assert found["reply"].contested
    assert found["reply"].rivals == ("bait@example.net", "root@example.net")
    assert found["reply"].variants == 2
    assert [copy.author for copy in found["reply"].copies] == ["Bob <bob@example.net>", "Dan <dan@example.net>"]


def test_a_forged_copy_on_a_list_of_another_origin_cannot_touch_what_this_server_saw_itself(tmp_path: Path) -> None:
    (tmp_path / "liar").mkdir()
    liar = Origin("liar")
    with open_index(tmp_path) as index, open_index(tmp_path / "liar") as other:
        index.ingest("list-a", HARD / "forged-copy" / "list-a.mbox")
        other.ingest("list-b", HARD / "forged-copy" / "list-b.mbox")
        index.set_policy(Policy(index.origin, {liar.public: OriginRow(2, frozenset([b"list-b"]))}))
        assert len(index.admit([liar.batch("list-b", *counted(other).values())])) == 1
        assert local(index_parents(index)) == {"root": None, "reply": "root", "below": "reply", "bait": None}
        [reply] = [one for one in index.thread("root@example.net").messages if short(one.id) == "reply"]
        assert (reply.contested, reply.lists, reply.author) == (False, ("list-a", "list-b"), "Bob <bob@example.net>")


def test_when_the_claim_that_held_a_tree_together_is_withdrawn_the_forest_of_the_rest_remains(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("list-a", HARD / "withdrawn.mbox")
        assert local(index_parents(index)) == {"root": None, "middle": "root", "below": "middle"}
        assert index.retract(["middle@example.net"]) == 1
        assert local(index_parents(index)) == {"root": None, "middle": None, "below": "middle"}
        [middle, _] = index.thread("below@example.net").messages
        assert (short(middle.id), middle.ghost) == ("middle", True)
        [cause] = index.explain("middle@example.net").statements
        assert (cause.parent, cause.hidden) == ("root@example.net", "withdrawn by its origin")


def test_digests_gateways_resent_mail_and_stale_forwards_are_nodes_like_any_other() -> None:
    assert parents_of("odd-origins") == {
        "root": None,
        "digest-7@lists.example.org": None,
        "1003$7a@news.example.org": "root",
        "resent": "root",
        "forward": "1003$7a@news.example.org",
    }


def test_odd_dates_are_shown_as_stated_and_decide_only_the_order() -> None:
    (thread,) = archive_of("dates").threads()
    assert [(short(message.id), message.depth, message.date) for message in thread.messages] == [
        ("root", 0, "2003-02-10T09:00:00+00:00"),
        ("epoch", 1, "1970-01-01T00:00:00+00:00"),
        ("before-its-parent", 1, "2003-02-09T09:00:00+00:00"),
        ("no-zone", 1, "2003-02-10T09:30:00-00:00"),
        ("overflow", 1, "2038-01-19T03:14:08+00:00"),
        ("future", 1, "2100-01-01T00:00:00+00:00"),
        ("missing", 1, None),
        ("unreadable", 1, None),
    ]
    assert [message.stated_date for message in thread.messages[-2:]] == ["", "yesterday, after lunch"]


def test_mail_without_an_id_gets_one_of_its_bytes_the_same_on_every_server() -> None:
    folder = HARD / "no-message-id"
    one, other, together = (
        {name: message for name, message in messages(archive).items() if name.endswith("@missing.invalid")}
        for archive in (
            rebuild({"list-a": folder / "list-a.mbox"}),
            rebuild({"list-b": folder / "list-b.mbox"}),
            archive_of("no-message-id"),
        )
    )
    assert (len(one), len(other), len(together)) == (1, 2, 2)
    (shared,) = one.keys() & other.keys()
    assert together.keys() == other.keys()
    assert together[shared].lists == ("list-a", "list-b")
    assert {message.parent for message in together.values()} == {"root@example.net"}


def test_mail_without_an_id_has_one_id_in_both_line_ends(tmp_path: Path) -> None:
    unix = mail(None, ["a@x"], headers=["From: ann@x", "Date: today"], body="one\n>From two")
    dos = unix.replace(b"\n", b"\r\n")
    first, second = (rebuild_bytes(tmp_path, data) for data in (unix, dos))
    assert parents(first) == parents(second)


@pytest.mark.parametrize("change", ["From: bob@x", "Date: tomorrow", "In-Reply-To: <b@x>"])
def test_mail_without_an_id_that_differs_anywhere_gets_another_id(tmp_path: Path, change: str) -> None:
    fields = {"From": "From: ann@x", "Date": "Date: today"}
    changed = fields | {change.partition(":")[0]: change}
    mails = [mail(None, headers=fields.values()), mail(None, headers=changed.values())]
    assert rebuild_bytes(tmp_path, *mails, mails[0]).summary.ids == 2


def test_ids_that_differ_in_case_or_punctuation_are_nodes_of_their_own() -> None:
    assert parents_of("ids-that-differ-in-case") == {
        "Loom.1": None,
        "loom.1": None,
        "loom1": None,
        "LOOM.1@EXAMPLE.NET": None,
        "reply": "LOOM.1@EXAMPLE.NET",
        "quoted": "Loom.1",
    }


def test_a_reference_that_is_never_seen_is_a_ghost() -> None:
    found = messages_of("reference-never-seen")
    assert {name: (message.parent, message.ghost) for name, message in found.items()} == {
        "never-seen": (None, True),
        "reply": ("never-seen@example.net", False),
    }
    assert archive_of("reference-never-seen").summary.ghosts == 1


def test_ten_thousand_references_are_capped_to_the_first_and_the_last_99(tmp_path: Path) -> None:
    ids = [f"{number}@x" for number in range(10_000)]
    archive = rebuild_bytes(tmp_path, mail("a@x", ids))
    assert archive.notes == []
    assert archive.thread("a@x").root == ids[0]
    assert parents(archive) == dict(zip([*ids[:1], *ids[-99:], "a@x"], [None, ids[0], *ids[-99:]], strict=True))


def test_a_header_of_64_kibibytes_is_read_whole(tmp_path: Path) -> None:
    garbage = " ".join(["garbage"] * 8192)
    archive = rebuild_bytes(tmp_path, mail("a@x", headers=[f"X: {garbage}", f"References: <b@x> {garbage} <c@x>"]))
    assert archive.notes == []
    assert parents(archive) == {"b@x": None, "c@x": "b@x", "a@x": "c@x"}


def test_a_subject_of_four_megabytes_is_cut_and_what_follows_it_is_noted_as_unread(tmp_path: Path) -> None:
    subject = "long " * 800_000
    archive = rebuild_bytes(
        tmp_path,
        mail("a@x", ["r@x"], subject=subject),
        mail("b@x", ["r@x"], headers=[f"Subject: {subject}"]),
        mail("c@x", ["r@x"]),
    )
    found = messages(archive)
    assert len(archive.notes) == 2
    assert all("256 KiB" in note.reason and note.skipped == 0 for note in archive.notes)
    assert {name for name, message in found.items() if message.parent == "r@x"} == {"a@x", "c@x"}
    assert archive.summary.ids == 3
    assert len(found["a@x"].subject) <= 998
    assert "b@x" not in found


@pytest.mark.parametrize("deep", [True, False], ids=["a chain", "one root"])
def test_fifty_thousand_messages_in_one_thread_need_no_recursion(tmp_path: Path, deep: bool) -> None:
    count = 50_000
    mails = [mail("0@x")]
    mails += [mail(f"{number}@x", ["0@x", f"{number - 1}@x" if deep else "0@x"]) for number in range(1, count)]
    archive = rebuild_bytes(tmp_path, *reversed(mails))
    thread = archive.thread(f"{count - 1}@x")
    assert (thread.root, len(thread.messages)) == ("0@x", count)
    assert max(message.depth for message in thread.messages) == (count - 1 if deep else 1)
    assert [thread.digest] == [other.digest for other in archive.threads()]
    assert thread.graph.number_of_edges() == count - 1


def test_every_fixture_gives_one_result_in_either_order_of_its_files() -> None:
    for folder in (path for path in HARD.iterdir() if path.is_dir()):
        files = sorted(folder.glob("*.mbox"))
        one, other = (rebuild({file.stem: file for file in order}) for order in (files, reversed(files)))
        assert list(one.threads()) == list(other.threads())


def test_every_fixture_is_in_the_table_of_fixtures() -> None:
    table = (FIXTURES / "README.md").read_text()
    for path in HARD.iterdir():
        assert f"`{path.relative_to(FIXTURES)}" in table


def test_weft_rebuild_is_the_function_whatever_was_used_before_it() -> None:
    program = "import weft; weft.Archive; assert callable(weft.rebuild)"
    subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL)
