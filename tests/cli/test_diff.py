"""``weft diff``: two views of one index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.foreign_claims import FINGERPRINT, POLICY, claim, receive
from tests.cli.server_home import Home

CHILD, PARENT = "20030211100258.GB30441@northmail.example.com", "20030211184726.2f0e9b10.emi@tanaka.example.net"


GHOST = "87smuvyw1c.fsf@okafor.example.net"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A policy that mutes one edge."""
    path = tmp_path / "other.toml"
    path.write_text(f'[mute]\nedges = [["{CHILD}", "{PARENT}"]]\n')
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A policy that says nothing."""
    path = tmp_path / "empty.toml"
    path.touch()
    return path


def test_equal_policies_differ_in_no_edge(story: Home, other: Path, empty: Path) -> None:
    for file in (other, empty):
        ran = story.weft("diff", "--policy", file, "--policy", file)
        assert (ran.code, ran.out, ran.err) == (0, b"", ["weft: no edge differs"])
    assert json.loads(story.weft("diff", "--json", "--policy", empty, "--policy", empty).out) == []


def test_an_edge_that_differs_is_shown_with_both_parents_and_why(story: Home, other: Path, empty: Path) -> None:
    ran = story.weft("diff", "--policy", empty, "--policy", other)
    assert (ran.code, ran.err) == (0, ["weft: 1 edge differs"])
    head, first, second, reason = ran.text.splitlines()
    assert head == f"<{CHILD}>"
    assert first.split() == [str(empty), f"<{PARENT}>"]
    assert second.split() == [str(other), "no", "parent"]
    assert reason.strip()


def test_json_has_both_parents_and_why(story: Home, other: Path, empty: Path) -> None:
    [one] = json.loads(story.weft("diff", "--json", "--policy", other, "--policy", empty).out)
    assert one.pop("reason")
    assert one == {"format": 1, "id": CHILD, "first": None, "second": PARENT}


def test_the_common_view_mutes_nothing(story: Home, other: Path) -> None:
    assert story.weft("diff", "--common").err == ["weft: no edge differs"]
    other.rename(story.config)
    assert f"common view  <{PARENT}>" in story.weft("diff", "--common").text


def test_without_our_own_word_no_edge_is_left(story: Home) -> None:
    own = json.loads(story.weft("keys", "--json").out)["fingerprint"]
    threads = json.loads(story.weft("export", "--json").out)
    edges = {message["id"] for thread in threads for message in thread["messages"] if message["parent"]}
    for name in ("own", own):
        found = json.loads(story.weft("diff", "--json", "--without", name).out)
        assert {one["id"] for one in found} == edges
        assert {one["second"] for one in found} == {None}


def test_without_another_origin_what_only_it_said_is_gone(story: Home) -> None:
    receive(story, claim(GHOST, ["elsewhere@x.example"]), claim(CHILD, [GHOST]))
    for name in ("street", FINGERPRINT):
        [one] = json.loads(story.weft("diff", "--json", "--without", name).out)
        assert one["id"] == GHOST
        assert one["first"] == "elsewhere@x.example"
        assert one["second"] == "20030210132140.GB1107@aldgate.example.com"
    [one] = json.loads(story.weft("diff", "--json", "--common").out)
    assert (one["id"], one["first"], one["second"]) == (CHILD, PARENT, None), "in one tier with ours it contests"


def test_an_origin_that_the_policy_does_not_know_is_an_error_of_usage(story: Home) -> None:
    story.config.write_text(POLICY)
    assert story.weft("diff", "--without", "street").err == ["weft: no edge differs"]
    ran = story.weft("diff", "--without", "strete")
    assert (ran.code, len(ran.err)) == (2, 1)
    assert "street" in ran.err[0]


def test_a_diff_changes_nothing(story: Home, other: Path, empty: Path) -> None:
    before = story.weft("export", "--json").out
    story.weft("diff", "--policy", other, "--policy", empty)
    story.weft("diff", "--without", "own")
    assert story.weft("export", "--json").out == before
    assert story.weft("check").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("--policy", "a.toml"), ("--policy", "a.toml", "--common"), ("--common", "--without", "own"),
        ("--policy", "a", "--policy", "b", "--policy", "c"), ("--policy", "a", "--policy", "b", "--common"),
        ("--policy", "none.toml", "--policy", "none.toml"), ("a", "b"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line_and_exit_2(story: Home, arguments: tuple[str, ...]) -> None:
    ran = story.weft("diff", *arguments)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
