"""The counts of cross-posts: against plain sets on small corpora, and on cases that can be told in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given, settings

from tests.analysis.factories import Letter, corpus_of, letter_boxes
from tests.core.plain_forest import Claim, component, plain_forest
from tests.examples import examples
from tests.factories import FIXTURES
from weft.analysis.corpus_reader import corpus_of_sources
from weft.analysis.crossposts import Crossposts, report
from weft.render.sanitize import width
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

Group = frozenset[str]
Numbers = dict[str, object]


class Plain:
    """The same counts, as plainly as they can be said, over sets of ids."""

    def __init__(self, box: Sequence[Letter]) -> None:
        self.box = box
        self.names = sorted({letter.list for letter in box})
        self.claims = [letter.claim for letter in box]
        self.held = {name: {one.claim.mid for one in box if one.list == name} for name in self.names}
        self.everything = set().union(*self.held.values())
        self.parents = plain_forest(self.claims).parents

    def lists_of(self, mid: str | None) -> set[str]:
        return {name for name in self.names if mid in self.held[name]}

    def named_on(self, name: str) -> set[str]:
        return {mid for one in self.box if one.list == name for mid in one.claim.named - {one.claim.mid}}

    def trees(self) -> set[Group]:
        return self.groups(self.root)

    def components(self) -> set[Group]:
        return self.groups(lambda mid: min(component(self.claims, mid)))

    def groups(self, label: Callable[[str], str]) -> set[Group]:
        """What is held of each group."""
        found = {frozenset(other for other in self.everything if label(other) == label(mid)) for mid in self.everything}
        return {group for group in found if group}

    def root(self, mid: str) -> str:
        while (parent := self.parents[mid]) is not None:
            mid = parent
        return mid

    def spread(self, groups: Iterable[Group], name: str | None) -> Numbers:
        groups = [group for group in groups if name is None or group & self.held[name]]
        own = {group: [self.held[one] & group for one in self.names if self.held[one] & group] for group in groups}
        return {
            "threads": len(groups),
            "on_several_lists": sum(len(parts) > 1 for parts in own.values()),
            "not_the_same_on_all": sum(any(part != parts[0] for part in parts) for parts in own.values()),
            "whole_on_none": sum(group not in parts for group, parts in own.items()),
        }

    def lacks(self, groups: Iterable[Group], name: str) -> dict[str, int]:
        lacking = [group for group in groups if group & self.held[name] and group - self.held[name]]
        missing = [mid for group in lacking for mid in group - self.held[name]]
        named = [mid for mid in missing if mid in self.named_on(name)]
        own = [one.claim for one in self.box if one.list == name]
        broken = [
            group
            for group in groups
            if len({min(component(own, mid)) for mid in group & self.held[name]}) > 1
        ]  # fmt: skip
        return {
            "threads": len(lacking),
            "in_pieces": len(broken),
            "messages": len(missing),
            "named": len(named),
            "not_named": len(missing) - len(named),
        }

    def dangling(self, name: str, edges: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Of distinct (message, what it refers to)."""
        lacked = [other for mid, other in set(edges) if mid in self.held[name] and other not in self.held[name]]
        found = sum(other in self.everything for other in lacked)
        return {"dangling": len(lacked), "found_elsewhere": found, "held_by_nobody": len(lacked) - found}

    def references(self, name: str) -> dict[str, int]:
        own = [one.claim for one in self.box if one.list == name]
        return self.dangling(name, ((one.mid, other) for one in own for other in one.named - {one.mid}))

    def edges(self, name: str) -> dict[str, int]:
        return self.dangling(name, ((mid, above) for mid, above in self.parents.items() if above is not None))

    def replies(self, name: str | None) -> dict[str, int]:
        counts = dict.fromkeys(
            ("replies", "to_several_lists", "drop_a_list", "drop_one_of_several", "add_a_list"), 0
        )  # fmt: skip
        for mid in self.everything:
            own, above = self.lists_of(mid), self.lists_of(self.parents[mid])
            dropped, added = above - own, own - above
            if above and (name is None or name in above):
                drops = bool(dropped) if name is None else name in dropped
                counts["replies"] += 1
                counts["to_several_lists"] += len(above) > 1
                counts["drop_a_list"] += drops
                counts["drop_one_of_several"] += drops and len(above) > 1
            if above:
                counts["add_a_list"] += bool(added) if name is None else name in added
        return counts

    def counts(self, name: str | None) -> Numbers:
        """Of one list, or of all together."""
        names = self.names if name is None else [name]
        trees, components = self.trees(), self.components()
        return {
            **self.spread(trees, name),
            "components": self.spread(components, name),
            "messages": len(self.everything if name is None else self.held[name]),
            "copies": sum(one.list in names for one in self.box),
            "lacks": total(self.lacks(trees, one) for one in names),
            "lacks_of_components": total(self.lacks(components, one) for one in names),
            "references": total(map(self.references, names)),
            "parents": total(map(self.edges, names)),
            "replies": self.replies(name),
        }

    def as_json(self) -> Numbers:
        ghosts = {mid for one in self.claims for mid in one.named} - self.everything
        return {"lists": {name: self.counts(name) for name in self.names}, **self.counts(None), "ghosts": len(ghosts)}


def total(rows: Iterable[dict[str, int]]) -> dict[str, int]:
    found = list(rows)
    return {key: sum(row[key] for row in found) for row in found for key in row}


@settings(max_examples=examples(300), deadline=None)
@given(letter_boxes.filter(bool))
def test_every_count_is_that_of_plain_sets(box: list[Letter]) -> None:
    assert report(corpus_of(box)).as_json() == Plain(box).as_json()


def count(*box: Letter) -> Crossposts:
    return report(corpus_of(box))


ROOT, REPLY = Claim("a"), Claim("b", ("a",))


def test_no_mail_is_no_thread() -> None:
    nothing = count()
    assert (nothing.lists, nothing.together.trees.threads, nothing.together.messages) == ({}, 0, 0)
    assert list(nothing.lines(80))


def test_a_cross_posted_thread_is_the_same_on_both_lists() -> None:
    found = count(*(Letter(name, claim) for name in ("one", "two") for claim in (ROOT, REPLY)))
    assert found.together.trees == found.together.components
    assert found.together.trees.on_several_lists == 1
    assert found.together.trees.not_the_same_on_all == 0
    assert found.together.lacks.messages == 0


def test_a_reply_that_drops_a_list_leaves_the_thread_whole_on_the_other() -> None:
    found = count(Letter("one", ROOT), Letter("two", ROOT), Letter("one", REPLY))
    assert found.together.trees.not_the_same_on_all == 1
    assert found.together.trees.whole_on_none == 0
    assert (found.lists["two"].lacks.messages, found.lists["two"].lacks.named) == (1, 0)
    assert found.lists["one"].lacks.messages == 0
    assert found.together.replies.drop_one_of_several == 1


def test_a_thread_whose_two_replies_part_is_whole_on_none() -> None:
    other = Claim("c", ("a",))
    found = count(Letter("one", ROOT), Letter("two", ROOT), Letter("one", REPLY), Letter("two", other))
    assert found.together.trees.whole_on_none == 1
    assert found.together.lacks.in_pieces == 0


def test_a_parent_that_is_only_on_the_other_list_can_be_named() -> None:
    found = count(Letter("one", ROOT), Letter("two", REPLY))
    assert (found.lists["two"].lacks.named, found.lists["one"].lacks.not_named) == (1, 1)
    assert found.lists["two"].parents.found_elsewhere == 1
    assert found.together.replies.add_a_list == 1


def test_replies_that_nothing_on_their_list_connects_are_in_pieces_there() -> None:
    middle, leaf = Claim("b", ("a",)), Claim("c", ("b",))
    found = count(Letter("one", ROOT), Letter("two", middle), Letter("one", leaf))
    assert found.lists["one"].lacks.in_pieces == 1
    assert found.lists["two"].lacks.in_pieces == 0


def test_a_thread_of_ghosts_only_does_not_count_and_a_ghost_root_does() -> None:
    found = count(Letter("one", Claim("b", ("x",))), Letter("one", Claim("c", ("x",))))
    assert found.together.trees.threads == 1
    assert found.ghosts == 1
    assert found.together.parents.held_by_nobody == 2


def test_a_reference_that_two_copies_of_a_list_make_dangles_once() -> None:
    found = count(Letter("one", Claim("b", ("x",))), Letter("one", Claim("b", ("x",), ("x",), sane=True)))
    assert found.lists["one"].references.dangling == 1


def test_ids_that_a_mail_names_side_by_side_are_one_component_and_two_trees() -> None:
    joining = Claim("c", ("a", "b"), ("b",), sane=True)
    found = count(Letter("one", Claim("a")), Letter("one", Claim("b")), Letter("one", joining))
    assert found.together.trees.threads == 2
    assert found.together.components.threads == 1


def story() -> Crossposts:
    return report(corpus_of_sources(discover([str(FIXTURES / "story")], NoteLog()), NoteLog()))


def test_the_story_is_whole_on_no_list() -> None:
    found = story()
    assert found.together.trees.threads == 3
    assert found.together.trees.whole_on_none == 1
    assert {name: (one.lacks.messages, one.lacks.named) for name, one in found.lists.items()} == {
        "drafts": (5, 2),
        "smtp-ops": (5, 3),
    }
    assert found.together.lacks.in_pieces == 0


@pytest.mark.parametrize("columns", [72, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    assert max(map(width, story().lines(columns))) <= columns


def test_long_and_wide_and_hostile_names_of_lists_are_cut_and_cleaned() -> None:
    names = ("l" * 190, "名" * 60, "\N{RIGHT-TO-LEFT OVERRIDE}turned")
    lines = list(count(*(Letter(name, ROOT) for name in names)).lines(80))
    assert max(map(width, lines)) <= 80
    assert any("…" in line for line in lines)
    assert any(line.startswith("<U+202E>turned") for line in lines)


def test_it_says_lacks_messages_and_falls_apart_only_where_it_does() -> None:
    part = "No thread falls apart"
    assert part in " ".join(" ".join(story().lines(200)).split())
    broken = count(Letter("one", ROOT), Letter("two", Claim("b", ("a",))), Letter("one", Claim("c", ("b",))))
    text = " ".join(" ".join(broken.lines(200)).split())
    assert part not in text
    assert "1 time a thread falls apart on a list" in text


def test_with_one_list_it_says_that_there_is_nothing_to_compare() -> None:
    text = list(count(Letter("one", ROOT)).lines(80))
    assert any("nothing to compare" in line for line in text)
    assert not any(line.startswith("together") for line in text)
