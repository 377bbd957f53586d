"""One authoritative server against many that tell each other: what each knows, counted and argued."""

from __future__ import annotations

import json
from dataclasses import asdict
from random import Random

import pytest
from hypothesis import given, settings

from tests.analysis.factories import Arrival, arrivals, in_order, reply
from tests.analysis.plain_models import KEYS, plain_models, plain_replay
from tests.core.plain_forest import Claim
from tests.examples import examples
from weft.analysis.authority_models import Model, Models, models
from weft.analysis.authority_models_text import NAMES
from weft.analysis.crossposts import report as crossposts
from weft.analysis.single_master import Replay
from weft.render.sanitize import width

STORY: list[Arrival] = [
    ("a", reply("root")),
    ("a", reply("answer", "root")),
    ("a", reply("crossed", "root")),
    ("b", reply("crossed", "root")),
    ("b", reply("over there", "root", "crossed")),
    ("b", reply("deeper", "root", "crossed", "over there")),
    ("a", reply("back", "root", "crossed", "over there", "deeper")),
    ("b", reply("aside", "root", "crossed")),
    ("b", reply("short", "root", "answer")),
    ("b", reply("elsewhere")),
]
"""A thread that begins on a, goes on on b, comes back to a once; and one message on b that is a thread of its own."""


def row(report: Models, model: str, name: str | None = None) -> Model:
    [found] = [one for one in report.models if one.model == model and one.list == name]
    return found


def known(report: Models, model: str, name: str | None = None) -> tuple[float, float, float]:
    tally = row(report, model, name).on_several_lists
    return tally.messages, tally.threads_whole, tally.parents_right


@pytest.fixture(name="story")
def _story() -> Models:
    return models(in_order(STORY))


def test_the_server_where_it_began_lacks_what_was_said_elsewhere(story: Models) -> None:
    assert story.on_several_lists.messages == 8
    assert known(story, "master_best") == (4, 0, 6), "its References name two more, and place them"
    assert known(story, "list", "a") == known(story, "master_worst") == known(story, "master_best")


def test_no_choice_of_one_server_has_it_all(story: Models) -> None:
    assert known(story, "list", "b") == (5, 0, 7)
    assert known(story, "best_list") == (5, 0, 7), "b is the better choice, and lacks root, answer and back"


def test_every_server_of_the_thread_has_it_all_after_an_exchange(story: Models) -> None:
    assert known(story, "weft") == (8, 1, 8)
    everything = row(story, "weft").all
    assert (everything.messages, everything.threads_whole, everything.parents_right) == (9, 2, 9)


def test_a_master_that_is_told_by_all_who_can_tell_has_it_all_too(story: Models) -> None:
    """The honest half: what Weft adds to that is that it needs nobody to be in charge."""
    assert known(story, "master_told_by_mail") == known(story, "master_told_by_id") == known(story, "weft")


def test_who_shares_no_mail_with_the_master_cannot_tell_whose_thread_it_is() -> None:
    report = models(in_order([("a", reply("root")), ("b", reply("only there", "root"))]))
    assert known(report, "master_told_by_mail") == (1, 0, 1)
    assert known(report, "master_told_by_id") == (2, 1, 2)


def test_not_even_an_id_in_common_need_be_there() -> None:
    """c answers what only b has, without naming the root."""
    copies = [("a", reply("root")), ("b", reply("mid", "root")), ("c", reply("leaf", "mid"))]
    report = models(in_order(copies))
    assert known(report, "master_told_by_id") == (2, 0, 2)
    assert known(report, "weft") == (3, 1, 3)


def test_the_replay_tells_what_happens_under_a_master(story: Models) -> None:
    replay = story.replay
    assert (replay.threads, replay.messages, replay.threads_lacking) == (1, 8, 1)
    assert replay.never_reach_master == 4
    assert replay.sub_threads == 3, "over there with deeper, aside, short"
    assert (replay.sub_threads_never_learned_of, replay.messages_never_learned_of) == (2, 2), "aside, short"
    assert replay.replies_elsewhere == 5, "all on b"
    assert (replay.parent_never_comes, replay.parent_comes_later) == (2, 0), "root and answer are not on b"
    assert replay.thread_not_there == 1, "crossed is the first that b gets"
    assert replay.master_cannot_help == 1, "short: b lacks what it answers, and a lacks it"
    assert replay.incomplete_while_away == 5
    assert replay.only_master_has == 3, "root, answer, back"


def test_a_parent_that_comes_later_is_told_from_one_that_never_comes() -> None:
    copies = [("a", reply("root")), ("b", reply("child", "root")), ("b", reply("root"))]
    assert models(in_order(copies)).replay.parent_comes_later == 0, "b has the root, and more of the thread than a"
    copies += [("a", reply("other", "root")), ("a", reply("third", "root")), ("b", reply("third", "root"))]
    replay = models(in_order(copies)).replay
    assert (replay.parent_comes_later, replay.parent_never_comes) == (1, 0)


def test_a_second_copy_of_an_id_on_a_list_is_no_second_reply() -> None:
    copies = [("a", reply("root")), ("b", reply("1", "root")), ("b", Claim("1", ("other", "root")))]
    replay = models(in_order(copies)).replay
    assert (replay.threads, replay.replies_elsewhere) == (1, 1)


def test_the_master_is_the_list_of_the_root_that_has_most_and_the_first_by_name_of_equals() -> None:
    root: list[Arrival] = [("b", reply("root")), ("a", reply("root"))]
    equal = models(in_order([*root, ("a", reply("1", "root")), ("b", reply("2", "root"))]))
    assert (equal.replay.never_reach_master, equal.replay.replies_elsewhere) == (1, 1)
    most = models(in_order([*root, ("b", reply("1", "root")), ("b", reply("2", "root")), ("a", reply("3", "root"))]))
    assert (most.replay.never_reach_master, most.replay.replies_elsewhere) == (1, 1), "b, which lacks 3"


def test_a_root_on_several_lists_gives_each_of_them_its_turn() -> None:
    copies = [("a", reply("root")), ("b", reply("root")), ("b", reply("1", "root")), ("b", reply("2", "root"))]
    report = models(in_order(copies))
    assert report.root_on_several_lists == 1
    assert known(report, "master_worst") == (1, 0, 1)
    assert known(report, "master_mean") == (2.0, 0.5, 2.0)
    assert known(report, "master_best") == (3, 1, 3)


def test_a_root_that_nobody_holds_has_no_master_and_is_stated_as_such() -> None:
    report = models(in_order([("a", reply("1", "unseen")), ("b", reply("2", "unseen")), ("b", reply("3", "unseen"))]))
    assert (report.on_several_lists.root_unseen, report.on_several_lists.messages_root_unseen) == (1, 3)
    assert known(report, "master_best") == (0, 0, 0)
    assert known(report, "master_or_first") == (1, 0, 1), "the first message came to a"
    assert report.replay.threads == 0
    text = "\n".join(report.lines(100))
    assert "Nobody holds the root of 1 thread (3 messages), 1 of them on several lists" in text
    assert "nothing to replay" in text


def test_an_id_that_was_never_heard_of_is_not_right_even_if_it_is_a_root() -> None:
    report = models(in_order([("a", reply("root")), ("b", Claim("reply", (), ("root",), sane=True))]))
    assert row(report, "list", "a").all.parents_right == 1, "the reply is unknown to it"
    assert row(report, "list", "b").all.parents_right == 2, "b knows of the root by name, and that it is one"


def test_no_mail_at_all_is_a_report_of_noughts() -> None:
    report = models(in_order([]))
    assert report.all.threads == 0
    assert list(report.lines(100))


@given(arrivals)
@settings(max_examples=examples(100), deadline=None)
def test_the_models_are_what_their_definitions_say(copies: list[Arrival]) -> None:
    found = models(in_order(copies)).as_json()
    replay = found.pop("replay")
    assert found == plain_models(copies)
    assert replay == plain_replay(copies)


def test_the_random_copies_reach_every_number_of_the_replay_and_tell_all_models_apart() -> None:
    """Or the property above would say little."""
    chance = Random(1)
    reached = dict.fromkeys(KEYS, 0)
    apart = set()
    for _ in range(300):
        copies = []
        for _ in range(10):
            message, *others = chance.sample("abcdefg", 4)
            copies.append((chance.choice("xyz"), reply(message, *others[: chance.randrange(chance.choice((2, 4)))])))
        report = models(in_order(copies))
        for key, value in asdict(report.replay).items():
            reached[key] += value
        found = {one.model: one.all for one in report.models if one.model != "list"}
        apart |= {(one, other) for one in found for other in found if found[one] != found[other]}
    assert all(reached.values())
    rows = [name for name in NAMES if name != "list"]
    assert apart == {(one, other) for one in rows for other in rows if one != other}


@given(arrivals)
@settings(max_examples=examples(100), deadline=None)
def test_the_models_are_in_the_order_that_their_definitions_imply(copies: list[Arrival]) -> None:
    report = models(in_order(copies))
    found = [row(report, model).all for model in NAMES if model.startswith("master")]
    best, weft = row(report, "best_list").all, row(report, "weft").all
    assert [one.messages for one in found] == sorted(one.messages for one in found)
    assert [one.threads_whole for one in found] == sorted(one.threads_whole for one in found)
    or_first = row(report, "master_or_first").all
    assert or_first.messages <= best.messages <= weft.messages == report.all.messages
    assert or_first.threads_whole <= best.threads_whole <= weft.threads_whole == report.all.threads
    assert or_first.parents_right <= best.parents_right <= weft.parents_right == report.all.messages


@given(arrivals)
@settings(max_examples=examples(50), deadline=None)
def test_threads_that_no_choice_of_a_list_makes_whole_are_those_that_are_whole_on_none(copies: list[Arrival]) -> None:
    corpus = in_order(copies)
    report, trees = models(corpus), crossposts(corpus).together.trees
    assert (report.all.threads, report.on_several_lists.threads) == (trees.threads, trees.on_several_lists)
    assert trees.threads - row(report, "best_list").all.threads_whole == trees.whole_on_none


@pytest.mark.parametrize("columns", [100, 80])
def test_the_report_keeps_to_the_width(story: Models, columns: int) -> None:
    assert max(map(width, story.lines(columns))) <= columns


@pytest.mark.parametrize("columns", [100, 80, 1])
def test_a_narrow_table_loses_no_word_of_a_name(story: Models, columns: int) -> None:
    words = " ".join(story.lines(columns)).split()
    for name in NAMES.values():
        assert set(name.format("a").split()) <= set(words)


def test_the_name_of_a_list_is_cleaned() -> None:
    copies = [("evil\x1b[31m", reply("1")), ("other", reply("2", "1"))]
    assert "\x1b" not in "".join(models(in_order(copies)).lines(100))


def test_the_json_is_plain_data(story: Models) -> None:
    found = json.loads(json.dumps(story.as_json()))
    assert found == story.as_json()
    assert found["replay"] == asdict(story.replay)
    assert [entry["list"] for entry in found["models"] if entry["model"] == "list"] == ["a", "b"]


def test_one_of_a_thing_is_not_many() -> None:
    lines = " ".join(Replay(1, 2, *[1] * 13).lines(100))
    assert "1 thread on" in lines
    assert "1 reply came" in lines
    assert "1 messages" not in lines
