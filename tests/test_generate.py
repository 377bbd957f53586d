"""The generator makes what was measured, the same each time, and knows the truth about it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pytest

from tests.factories import Archive, messages, parents, rebuild
from tests.generate import Mail, Shape, Truth, conversations, generate, mails, write_mboxes
from tests.generate.crosspost_counts import Dangling, Lacks, Replies, Spread
from tests.generate.shape import MAIL_SIZE, ODD, THREAD_SIZE, Quantiles
from tests.generate.truth import key

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def measured() -> list[Mail]:
    return list(mails(60_000, 25, 1))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, Truth]:
    return archive_and_truth(tmp_path_factory.mktemp("odd"), 3000, 5, ODD)


def archive_and_truth(folder: Path, count: int, lists: int, shape: Shape) -> tuple[Archive, Truth]:
    paths = write_mboxes(folder, count, lists, 1, shape)
    archive = rebuild({path.stem: path for path in paths})
    assert archive.notes == []
    return archive, Truth.of(mails(count, lists, 1, shape))


def digest(count: int, lists: int, seed: int) -> str:
    data = sha256()
    for number, mail in generate(count, lists, seed):
        data.update(b"%d " % number + mail)
    return data.hexdigest()


def test_the_same_arguments_give_the_same_bytes_and_others_give_others() -> None:
    """If the first of these is another one now, what is cached is of no use: count ``tests.generate._RELEASE`` up."""
    assert digest(100, 3, 1).startswith("25df2ae90703180f")
    assert len({digest(100, 3, 1), digest(100, 3, 1), digest(100, 3, 2), digest(100, 2, 1), digest(101, 3, 1)}) == 4


def near(found: Iterable[int], at: Sequence[float], expected: Sequence[int], share: float) -> None:
    """The quantiles of a sample are the expected ones, give or take a share of them."""
    ordered = sorted(found)
    quantiles = [ordered[int(len(ordered) * one)] for one in at]
    assert quantiles == [pytest.approx(number, rel=share, abs=0) for number in expected]


MIDDLE, MOST, TAIL = 0.5, 0.9, 0.99


def test_threads_have_the_measured_size_and_depth(measured: list[Mail]) -> None:
    size, depths = Counter(map(root_of, measured)), depths_of(measured)
    deepest: Counter[int] = Counter()
    for mail in measured:
        deepest[root_of(mail)] = max(deepest[root_of(mail)], depths[mail.number])
    near(size.values(), (MIDDLE, MOST, TAIL), (3, 15, 47), 0.2)
    near(deepest.values(), (MIDDLE, MOST, TAIL), (1, 5, 13), 0.2)
    assert 0.22 < sum(count == 1 for count in size.values()) / len(size) < 0.28
    assert 6 < len(measured) / len(size) < 7
    assert (THREAD_SIZE.at(0), THREAD_SIZE.at(1 - 1e-9)) == (1, 834)


def test_messages_have_the_measured_children_references_and_ids(measured: list[Mail]) -> None:
    children = Counter(mail.parent.number for mail in measured if mail.parent)
    near(children.values(), (MIDDLE, MOST, TAIL), (1, 3, 13), 0.2)
    near((len(mail.references) for mail in measured), (MIDDLE, MOST, TAIL), (1, 5, 11), 0.2)
    near((len(mail.id) for mail in measured), (MIDDLE, MOST, TAIL), (46, 66, 80), 0.03)
    assert len({mail.id for mail in measured}) == len(measured)


def test_messages_have_the_measured_size() -> None:
    near((len(mail) for _, mail in generate(5000)), (MIDDLE, MOST, TAIL), (7200, 15_600, 46_700), 0.2)
    assert MAIL_SIZE.at(1 - 1e-9) > 4_100_000


def test_a_new_message_answers_whom_it_does_in_real_threads(measured: list[Mail]) -> None:
    found: Counter[str] = Counter()
    first: dict[int, Mail] = {}
    last: dict[int, Mail] = {}
    for mail in sorted(measured, key=lambda mail: mail.seconds):
        root, above = root_of(mail), mail.parent
        if above:
            of_root, of_last = above is first.get(root), above is last.get(root)
            found["ghost" if not above.lists else "root" if of_root else "last" if of_last else "another"] += 1
        first.setdefault(root, mail)
        last[root] = mail
    assert shares(found) == {
        "root": pytest.approx(0.45, abs=0.03),
        "last": pytest.approx(0.23, abs=0.03),
        "another": pytest.approx(0.29, abs=0.03),
        "ghost": pytest.approx(0.019, abs=0.004),
    }


def test_replies_have_the_quirks_that_were_measured_as_often_as_they_were(measured: list[Mail]) -> None:
    replies = [mail for mail in measured if mail.parent]
    place = {mail.number: number for number, mail in enumerate(measured)}
    only_reply = sum(mail.in_reply_to is not None and not mail.references for mail in replies)
    only_references = sum(mail.in_reply_to is None and bool(mail.references) for mail in replies)
    backwards = sum(len(mail.references) > 1 and mail.in_reply_to == mail.references[0] for mail in replies)
    early = sum(place[mail.number] < place.get(mail.parent.number, 0) for mail in replies if mail.parent)
    assert only_reply / len(replies) == pytest.approx(0.011, abs=0.0025)
    assert only_references / len(replies) == pytest.approx(0.006, abs=0.0025)
    assert backwards / len(measured) == pytest.approx(0.0038, abs=0.0015)
    assert sum(mail.quirk == "garbage" for mail in measured) / len(measured) == pytest.approx(0.0009, abs=0.0004)
    assert sum(mail.quirk == "spaced" for mail in measured) / len(measured) == pytest.approx(0.00012, abs=0.0001)
    assert 0.006 < early / len(replies) < 0.029
    answers = [(mail, mail.parent) for mail in replies if mail.parent and mail.parent.lists and mail.references]
    whole = sum(mail.references == (*parent.references, parent.id) for mail, parent in answers)
    assert whole / len(answers) == pytest.approx(0.958, abs=0.01)


def test_messages_are_on_as_many_lists_as_real_ones(measured: list[Mail]) -> None:
    found = shares(Counter(len(mail.lists) for mail in measured))
    assert found[1] == pytest.approx(0.898, abs=0.02)
    assert found[2] == pytest.approx(0.077, abs=0.02)
    assert found[3] == pytest.approx(0.015, abs=0.008)


@pytest.mark.parametrize("drop", [0.015, 0.68])
def test_replies_to_several_lists_leave_one_out_as_often_as_asked(drop: float) -> None:
    several = [
        mail for mail in mails(20_000, 8, 1, Shape(drop=drop, cross=0.5)) if mail.parent and mail.parent.where[1:]
    ]
    dropped = sum(not {*mail.parent.where} <= {*mail.lists} for mail in several if mail.parent)
    assert dropped / len(several) == pytest.approx(drop, abs=0.015)


def test_lists_are_those_of_the_sub_thread_and_not_drawn_for_each_message(measured: list[Mail]) -> None:
    replies = [(mail, mail.parent) for mail in measured if mail.parent]
    assert sum(mail.lists == parent.where for mail, parent in replies) / len(replies) > 0.98
    left = [(mail, parent) for mail, parent in replies if mail.parent and mail.parent.parent]
    moved = [(mail, parent) for mail, parent in left if parent.parent and parent.where != parent.parent.where]
    assert len(moved) > 20
    assert sum(mail.lists == parent.where for mail, parent in moved) / len(moved) > 0.9


def test_the_headers_of_replies_name_the_true_parent_or_nobody() -> None:
    truth = Truth.of(mails(3000, 5, 1, ODD))
    of_id = {key(mail.id): mail for mail in mails(3000, 5, 1, ODD)}
    replies = {name: mail for name, mail in of_id.items() if mail.parent}
    silent = {name for name, mail in replies.items() if not mail.references and mail.in_reply_to is None}
    cut = {name for name in replies if truth.messages[name].stated is None} - silent
    for name in replies.keys() - silent - cut:
        assert truth.messages[name].stated == truth.messages[name].parent
    assert 20 < len(silent) < 100
    assert all(truth.messages[name].parent == truth.messages[name].tree or name in cut for name in cut)
    assert {truth.messages[name].stated for name in silent} == {None}


def test_a_rebuild_finds_the_stated_parents_and_the_trees(odd: tuple[Archive, Truth]) -> None:
    archive, truth = odd
    stated = {name: one.stated for name, one in truth.messages.items() if one.tree is not None}
    assert parents(archive) == stated
    for thread in archive.threads():
        assert {truth.messages[message.id].tree for message in thread.messages} == {thread.root}


def test_a_rebuild_finds_the_ghosts_and_the_lists_and_all_copies_are_of_one_content(
    odd: tuple[Archive, Truth],
) -> None:
    archive, truth = odd
    found = messages(archive)
    for name, message in found.items():
        assert (message.ghost, message.lists) == (truth.messages[name].ghost, truth.messages[name].lists)
        assert (message.contested, message.variants) == (False, 0 if message.ghost else 1)
    assert archive.summary.cycles > 10
    assert len(truth.messages) - len(found) == sum(one.tree is None for one in truth.messages.values())


def test_a_rebuild_of_the_measured_shape_finds_the_true_parents(tmp_path: Path) -> None:
    archive, truth = archive_and_truth(tmp_path, 3000, 5, Shape())
    found = messages(archive)
    assert {name: message.parent for name, message in found.items() if not message.ghost} == {
        name: one.parent for name, one in truth.messages.items() if not one.ghost
    }


def test_a_digest_stands_for_an_id_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "ID_LENGTH", Quantiles((0, 230), (1, 270)))
    archive, truth = archive_and_truth(tmp_path, 300, 2, ODD)
    assert 50 < sum(name.startswith("sha256:") for name in truth.messages) < len(truth.messages) - 50
    assert parents(archive) == {name: one.stated for name, one in truth.messages.items() if one.tree is not None}


def test_of_more_than_a_hundred_references_the_first_and_the_last_99_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "THREAD_SIZE", Quantiles((0, 300), (1, 301)))
    monkeypatch.setattr(conversations, "_TEMPERS", ((0, 0, 0), (1, 0, 1)))
    archive, truth = archive_and_truth(tmp_path, 900, 2, Shape(lost=0.05, lost_root=0.9))
    assert max(len(mail.references) for mail in mails(900, 2, 1, Shape(lost=0.05, lost_root=0.9))) > 150
    assert parents(archive) == {name: one.stated for name, one in truth.messages.items() if one.tree is not None}


def test_copies_have_the_prefix_and_the_footer_of_lists_that_add_them(odd: tuple[Archive, Truth]) -> None:
    archive, _ = odd
    seen = set()
    for message in messages(archive).values():
        for copy in message.copies:
            number = int(copy.list.removeprefix("list-"))
            assert copy.subject.startswith(f"[{copy.list}] ") == (number % 2 == 1)
            assert copy.author.endswith(f" via {copy.list} <{copy.list}@lists.example>") == (number == 3)
            seen.add(number)
    assert seen == {0, 1, 2, 3, 4}
    footer = b"list-1 mailing list\n"
    assert {number for number, mail in generate(50, 2, 1) if footer in mail} == {1}


def conversation(*rows: tuple[str, str | None, str]) -> Truth:
    """The truth about messages: (id, whom it answers, names of its lists); those of no list come before the others."""
    made: dict[str, Mail] = {}
    for number, (name, above, lists) in enumerate(rows):
        parent, where = made.get(above or ""), tuple(map(int, lists))
        chain = (*parent.references, parent.id) if parent else ()
        made[name] = Mail(number, name, parent, where, where, "", "", 0, number, chain, parent.id if parent else None)
    return Truth.of(mail for mail in made.values() if mail.lists)


def test_what_lists_lack_of_a_small_conversation_is_counted_right() -> None:
    truth = conversation(
        ("root", None, "01"),
        ("left", "root", "0"),
        ("right", "root", "1"),
        ("back", "right", "0"),
        ("lost", "root", ""),
        ("below", "lost", "01"),
        ("alone", None, "2"),
    )
    assert truth.trees == truth.components == truth.conversations
    assert truth.trees.together == Spread(2, 1, 1, 1)
    assert truth.trees.lists == {"list-0": Spread(1, 1, 1, 1), "list-1": Spread(1, 1, 1, 1), "list-2": Spread(1)}
    assert truth.trees.lacks == {"list-0": Lacks(1, 0, 1, 1), "list-1": Lacks(1, 0, 2, 0), "list-2": Lacks()}
    assert truth.parents == {"list-0": Dangling(2, 1, 1), "list-1": Dangling(1, 0, 1), "list-2": Dangling()}
    assert truth.references == truth.parents
    assert truth.replies == {
        "list-0": Replies(2, 2, 1, 1, 1),
        "list-1": Replies(3, 2, 2, 1, 0),
        "list-2": Replies(),
        "": Replies(3, 2, 3, 2, 1),
    }
    assert truth.messages["lost"].ghost
    assert (truth.messages["below"].tree, truth.messages["below"].component) == ("root", "back")


def test_trees_are_what_headers_tell_and_conversations_what_happened() -> None:
    silent, joined = (Truth.of(mails(5000, 5, 1, shape)) for shape in (Shape(silent=0.1), Shape(joins=0.05)))
    assert silent.trees.together.threads > silent.conversations.together.threads * 1.2
    assert joined.components.together.threads < joined.conversations.together.threads * 0.9
    assert silent.conversations.together.threads == len(
        {one.conversation for one in silent.messages.values() if one.lists}
    )


def test_complete_files_are_kept_and_others_are_made_again(tmp_path: Path) -> None:
    def made(count: int, lists: int, seed: int, *, truth: bool = False) -> list[int]:
        return [path.stat().st_mtime_ns for path in write_mboxes(tmp_path, count, lists, seed, truth=truth)]

    first = made(50, 2, 1)
    assert made(50, 2, 1) == first
    assert made(60, 2, 1) != first
    data = (tmp_path / "list-0.mbox").read_bytes()
    (tmp_path / "list-0.mbox").write_bytes(b"")
    made(60, 2, 1, truth=True)
    assert (tmp_path / "list-0.mbox").read_bytes() == data
    (tmp_path / "complete").unlink()
    (tmp_path / "list-0.mbox").write_bytes(b"")
    made(60, 2, 1)
    assert (tmp_path / "list-0.mbox").read_bytes() == data
    assert not (tmp_path / "truth.json").exists()


def test_the_command_writes_files_and_the_truth_and_uses_nothing_of_weft(tmp_path: Path) -> None:
    program = (
        "import runpy, sys; runpy.run_module('tests.generate', run_name='__main__');"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'weft']"
    )
    options = ["--messages", "200", "--lists", "3", "--seed", "7", "--drop", "0.68", "--truth"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), *options],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        str(tmp_path / f"list-{n}.mbox") for n in range(3)
    ]
    truth = Truth.of(mails(200, 3, 7, Shape(drop=0.68)))
    assert json.loads((tmp_path / "truth.json").read_text()) == {"format": 1, **json.loads(json.dumps(asdict(truth)))}


def shares(counts: Counter[str] | Counter[int]) -> dict[object, float]:
    return {name: count / counts.total() for name, count in counts.items()}


def root_of(mail: Mail) -> int:
    while mail.parent is not None:
        mail = mail.parent
    return mail.number


def depths_of(made: list[Mail]) -> dict[int, int]:
    depths = {}
    for mail in made:
        above, depth = mail.parent, 0
        while above is not None:
            above, depth = above.parent, depth + 1
        depths[mail.number] = depth
    return depths
