"""Who has what, and which replies each list cannot see: small threads whose picture can be drawn by hand."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.factories import FIXTURES, rebuild
from tests.render.samples import chain, ghost, message, odd, star, thread, threads
from weft.model import Thread
from weft.render.lanes.layout import EdgeKind, Lanes, lay_out

STORY = FIXTURES / "story"


def cells(lanes: Lanes) -> list[str]:
    """A line for each message: of each lane ``o`` held, ``-`` named, ``x`` left, ``*`` both of these, ``.`` nothing."""
    return [
        "".join(cell(lane, row.held, row.named, row.left) for lane in range(len(lanes.lanes))) for row in lanes.rows
    ]


def cell(lane: int, held: tuple[int, ...], named: tuple[int, ...], left: tuple[int, ...]) -> str:
    assert not (lane in held and (lane in named or lane in left))
    return "o" if lane in held else ".x-*"[(lane in left) + 2 * (lane in named)]


def edges(lanes: Lanes, kind: EdgeKind) -> set[tuple[int, int, int]]:
    """(lane, parent, child)."""
    found = set()
    for rail in lanes.rails:
        children = (*rail.bent, *(() if rail.straight is None else (rail.straight,)))
        assert len(children) == len(set(children)) > 0
        found |= {(rail.lane, rail.parent, child) for child in children if rail.kind is kind}
    return found


def test_a_reply_on_both_lists_is_seen_by_both() -> None:
    lanes = lay_out(thread(message("a", None, 0, "p", "q"), message("b", "a", 1, "p", "q")))
    assert cells(lanes) == ["oo", "oo"]
    assert edges(lanes, EdgeKind.SEEN) == {(0, 0, 1), (1, 0, 1)}
    assert not edges(lanes, EdgeKind.NAMED)
    assert [(lane.name, lane.has, lane.lacks, lane.seen) for lane in lanes.lanes] == [("p", 2, 0, 1), ("q", 2, 0, 1)]


def test_a_reply_that_drops_a_list_has_left_it_and_the_list_cannot_see_the_edge() -> None:
    lanes = lay_out(thread(message("a", None, 0, "p", "q"), message("b", "a", 1, "p"), message("c", "b", 2, "p")))
    assert cells(lanes) == ["oo", "ox", "o."]
    assert edges(lanes, EdgeKind.SEEN) == {(0, 0, 1), (0, 1, 2)}
    assert [(lane.has, lane.lacks, lane.seen) for lane in lanes.lanes] == [(3, 0, 2), (1, 2, 0)]


def test_a_reply_that_adds_a_list_only_names_its_parent_there() -> None:
    lanes = lay_out(thread(message("a", None, 0, "p"), message("b", "a", 1, "p", "q")))
    assert cells(lanes) == ["o-", "oo"]
    assert edges(lanes, EdgeKind.SEEN) == {(0, 0, 1)}
    assert edges(lanes, EdgeKind.NAMED) == {(1, 0, 1)}


def test_a_sub_thread_that_leaves_and_comes_back_is_a_hole() -> None:
    lanes = lay_out(thread(message("a", None, 0, "p"), message("b", "a", 1, "q"), message("c", "b", 2, "p")))
    assert cells(lanes) == ["o-", "*o", "ox"]
    assert edges(lanes, EdgeKind.NAMED) == {(1, 0, 1), (0, 1, 2)}
    assert not edges(lanes, EdgeKind.SEEN)


def test_a_ghost_is_named_where_replies_or_references_name_it_and_nobody_left_for_it() -> None:
    lanes = lay_out(thread(message("a", None, 0, "p", "q", "r"), ghost("g", "a", 1, "q"), message("b", "g", 2, "p")))
    assert cells(lanes) == ["ooo", "--.", "o.."]
    assert edges(lanes, EdgeKind.NAMED) == {(0, 0, 1), (1, 0, 1), (0, 1, 2)}
    assert (lanes.messages, lanes.replies, lanes.unseen) == (2, 1, 1)


def test_ghosts_pass_on_who_names_them() -> None:
    lanes = lay_out(thread(ghost("g", named=1), ghost("h", "g", 1), message("b", "h", 2, "p")))
    assert cells(lanes) == ["-", "-", "o"]
    assert edges(lanes, EdgeKind.NAMED) == {(0, 0, 1), (0, 1, 2)}


def test_an_edge_by_equal_subjects_names_nobody() -> None:
    lanes = lay_out(thread(message("a", None, 0, "p"), message("b", "a", 1, "p", "q")._replace(joined=True)))
    assert cells(lanes) == ["o.", "oo"]
    assert edges(lanes, EdgeKind.JOINED) == {(0, 0, 1)}
    assert lanes.replies == 0


def test_lanes_stand_in_the_order_in_which_lists_come_into_the_conversation() -> None:
    one = thread(message("a", None, 0, "z", "y"), message("b", "a", 1, "a", "y"), message("c", "a", 1, "y"))
    assert [lane.name for lane in lay_out(one).lanes] == ["y", "z", "a"]


def test_a_line_is_straight_where_nothing_stands_between_and_else_goes_around_it() -> None:
    lanes = lay_out(
        thread(
            message("a", None, 0, "p", "q"),
            message("b", "a", 1, "p"),
            message("c", "b", 2, "p"),
            message("d", "a", 1, "p"),
            message("e", "a", 1, "q"),
        )
    )
    rails = {(rail.lane, rail.parent): rail for rail in lanes.rails}
    assert (rails[0, 0].straight, rails[0, 0].bent, rails[0, 0].level) == (1, (3,), 1)
    assert (rails[0, 1].straight, rails[0, 1].bent, rails[0, 1].level) == (2, (), 0)
    assert (rails[1, 0].straight, rails[1, 0].bent) == (None, (4,)), "b and d have left q and stand in its lane"


def test_a_rail_lies_around_those_within_it() -> None:
    lanes = lay_out(
        thread(
            message("a", None, 0),
            message("b", "a", 1),
            message("c", "b", 2),
            message("d", "b", 2),
            message("e", "a", 1),
            message("f", "e", 2),
            message("g", "a", 1),
        )
    )
    assert {rail.parent: rail.level for rail in lanes.rails if rail.bent} == {0: 2, 1: 1}


def test_a_subject_is_new_if_its_base_differs_from_that_of_the_nearest_seen_message_above() -> None:
    lanes = lay_out(
        thread(
            message("a", None, 0, subject="[p] Tabs"),
            ghost("g", "a", 1),
            message("b", "g", 2, subject="Re: TABS"),
            message("c", "b", 3, subject="Spaces (was: Tabs)"),
            message("d", "c", 4, subject="Re: Spaces (was: Tabs)"),
        )
    )
    assert [row.new_subject for row in lanes.rows] == [True, False, False, True, False]


def test_a_node_that_joins_equal_subjects_shows_theirs() -> None:
    made_up = ghost("subject:tabs", named=0)._replace(joined=True, subject="tabs")
    lanes = lay_out(thread(made_up, message("a", "subject:tabs", 1, subject="Re: [p] Tabs")._replace(joined=True)))
    assert [row.new_subject for row in lanes.rows] == [True, False]


def test_the_story_is_drawn_as_it_was_written() -> None:
    archive = rebuild({name: STORY / f"{name}.mbox" for name in ("drafts", "smtp-ops")})
    lanes = lay_out(archive.thread("20030210035225.GA1107@aldgate.example.com"))
    assert cells(lanes) == [
        "o-", "o.", "oo", "oo", "xo", "-o", ".o", "oo", "oo", "o*", "o.", "--", "o-", "oo", "--", "oo", "xo", ".o",
    ]  # fmt: skip
    assert [(lane.name, lane.has, lane.lacks, lane.seen) for lane in lanes.lanes] == [
        ("drafts", 11, 5, 7),
        ("smtp-ops", 11, 5, 8),
    ]


@given(threads())
def test_every_copy_is_a_dot_and_every_edge_of_a_copy_stands_in_its_lane(one: Thread) -> None:
    lanes = lay_out(one)
    names = [lane.name for lane in lanes.lanes]
    seen, named, joined = (edges(lanes, kind) for kind in (EdgeKind.SEEN, EdgeKind.NAMED, EdgeKind.JOINED))
    for place, row in enumerate(lanes.rows):
        assert {names[lane] for lane in row.held} == set(row.message.lists)
        cell_of = [cell(lane, row.held, row.named, row.left) for lane in range(len(names))]
        assert len(cell_of) == len(names)
        if row.parent is None or row.message.joined:
            continue
        above = lanes.rows[row.parent]
        assert above.message.id == row.message.parent
        for lane in row.held:
            assert ((lane, row.parent, place) in seen) == (lane in above.held)
            assert ((lane, row.parent, place) in named) == (lane in above.named)
        if not row.message.ghost:
            assert set(row.left) == set(above.held) - set(row.held)
    for lane, one_lane in enumerate(lanes.lanes):
        assert one_lane.has + one_lane.lacks >= lanes.messages
        assert one_lane.seen <= lanes.replies
        assert all(lanes.rows[child].message.joined for where, _, child in joined if where == lane)


@given(threads())
def test_rails_of_one_lane_never_cross(one: Thread) -> None:
    """Two rails lie apart, or one within the other and then nearer to the dots."""
    rails = [rail for rail in lay_out(one).rails if rail.bent]
    for inner in rails:
        for outer in rails:
            if inner.lane == outer.lane and outer.parent < inner.parent < outer.bent[-1]:
                assert inner.bent[-1] <= outer.bent[-1]
                assert inner.level < outer.level


def test_one_of_each_is_counted() -> None:
    lanes = lay_out(odd())
    assert (lanes.messages, lanes.replies, lanes.unseen) == (6, 4, 1)


@pytest.mark.parametrize("big", [chain(50_000), star(50_000)], ids=["deep", "broad"])
def test_fifty_thousand_messages_have_as_many_edges(big: Thread) -> None:
    lanes = lay_out(big)
    assert len(edges(lanes, EdgeKind.SEEN)) == len(big.messages) - 1
    assert max(rail.level for rail in lanes.rails) <= 1
