"""What ``show``, ``explain`` and ``threads --missing`` say about who was asked, in words and in JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.server_home import Home
from tests.factories import mail
from tests.store.factories import Origin
from tests.store.factories import mail as claim
from weft import Index
from weft.core.feed import ALL_LISTS
from weft.core.id_digest import id_digest
from weft.core.signing import fingerprint

BOB, CAROL, HUB = Origin("bob"), Origin("carol"), Origin("hub")
IDS = ["root@x.example", "ghost@x.example", "leaf@x.example"]
WHEN = 1_795_000_000
NAMES = {fingerprint(one.public): name for one, name in ((BOB, "bob"), (CAROL, "carol"), (HUB, "hub"))}
ALL = "*"


def origin(one: Origin, name: str = "", lists: Sequence[str] | str = ALL) -> str:
    row = f'[origin."{fingerprint(one.public)}"]\ntier = 1\nlists = {json.dumps(lists)}\n'
    return row + (f'name = "{name}"\n' if name else "")


def peer(one: Origin, name: str = "", mirror: str = "") -> str:
    row = f'[peer."{fingerprint(one.public)}"]\n' + (f'name = "{name}"\n' if name else "")
    return row + (f'mirror_of = "{mirror}"\n' if mirror else "")


def record(
    home: Home, one: Origin, *others: Origin, asked: Sequence[str] | None = IDS, cut: Sequence[str] = ()
) -> None:
    """One was asked for all lists of itself, and of others, about some ids."""
    with Index.open(home.index, policy=home.config) as index:
        lists = dict.fromkeys([other.public for other in (one, *others)], ALL_LISTS)
        about = None if asked is None else [id_digest(name.encode()) for name in asked]
        index.record_covered(one.public, lists, about, [root.encode() for root in cut], WHEN)


@pytest.fixture
def near(home: Home, tmp_path: Path) -> Home:
    """A server with a thread of three ids, one of them a ghost, which admits all lists of bob and of carol."""
    (tmp_path / "l.mbox").write_bytes(mail(IDS[0]) + mail(IDS[2], [IDS[0], IDS[1]]))
    home.config.write_text(origin(BOB, "bob") + peer(BOB) + origin(CAROL, "carol"))
    assert home.weft("ingest", tmp_path / "l.mbox").code == 0
    return home


def below(home: Home, *arguments: str) -> list[str]:
    """The lines of a thread that do not belong to its tree."""
    ran = home.weft("show", *arguments, IDS[0])
    assert ran.code == 0
    return [line.strip() for line in ran.text.splitlines()[4:]]


def test_show_says_who_was_asked_up_to_when_and_who_was_not(near: Home) -> None:
    assert below(near) == ["never asked: all lists of bob and carol"]
    record(near, BOB)
    assert below(near) == ["asked: all lists of bob, up to 2026-11-18 11:06; never asked: all lists of carol"]


def test_show_says_whose_claims_are_held_in_part_and_whose_other_lists_were_never_asked(near: Home) -> None:
    with Index.open(near.index, policy=near.config) as index:
        index.admit([BOB.batch("git", claim("far@x.example"))])
    assert below(near) == ["in part: git of bob; never asked: all lists of carol, lists of bob that are not named here"]


def test_show_names_the_peer_through_which_a_feed_was_asked(near: Home) -> None:
    near.config.write_text(near.config.read_text() + peer(HUB, "hub", ALL))
    record(near, HUB, BOB, CAROL)
    assert below(near) == [
        "asked: all lists of bob and carol via hub, up to 2026-11-18 11:06",
        "nobody holds what is not seen here",
    ]


def test_show_says_that_a_thread_was_cut(near: Home) -> None:
    record(near, BOB, cut=[IDS[0]])
    assert below(near) == [
        "in part: all lists of bob; never asked: all lists of carol; cut: bob was not asked about all of it"
    ]


def test_a_server_that_admits_nobody_says_nothing_of_others(near: Home) -> None:
    near.config.write_text("")
    assert below(near) == []


def test_lines_are_no_wider_than_the_terminal_and_a_name_cannot_break_them(near: Home) -> None:
    near.config.write_text("".join(origin(Origin(f"o{n}"), f"a name that is long {n}") for n in range(20)))
    lines = below(near)
    assert [len(line) <= 98 for line in lines] == [True]
    assert lines[0].endswith("…")


def test_explain_has_the_same_line_by_line(near: Home) -> None:
    record(near, BOB, cut=["another@x.example"])
    lines = near.weft("explain", IDS[1]).text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("  coverage"))
    assert lines[start : start + 3] == [
        "  coverage  held whole: l of this server",
        "            asked: all lists of bob, up to 2026-11-18 11:06",
        "            never asked: all lists of carol",
    ]
    record(near, BOB, CAROL, asked=None)
    near.config.write_text(origin(BOB) + peer(BOB, "bobby"))
    lines = near.weft("explain", IDS[1]).text.splitlines()
    assert lines[start + 1 : start + 3] == [
        "            asked: all lists of bobby, up to 2026-11-18 11:06",
        "            nobody holds it",
    ]
    assert "nobody holds it" not in near.weft("explain", IDS[0]).text


def missing(home: Home) -> list[str]:
    """The lines below the one row of the table."""
    ran = home.weft("threads", "--missing")
    assert ran.code == 0
    return ran.text.splitlines()[2:]


def test_missing_names_each_ghost_and_whether_anybody_can_have_it(near: Home) -> None:
    assert missing(near) == [
        f"  <{IDS[1]}>  not asked about everywhere",
        "  never asked: all lists of bob and carol",
    ]
    near.config.write_text(origin(BOB, "bob") + peer(BOB))
    record(near, BOB)
    assert missing(near) == [
        f"  <{IDS[1]}>  nobody holds it",
        "  asked: all lists of bob, up to 2026-11-18 11:06",
    ]
    near.config.write_text("")
    assert missing(near) == [f"  <{IDS[1]}>  on none of our own lists"]
    near.config.write_text(f'[mute]\nids = ["{IDS[0]}"]\n')
    assert missing(near) == [
        f"  <{IDS[0]}>  what is here of it does not count",
        f"  <{IDS[1]}>  on none of our own lists",
    ]
    assert len(near.weft("threads").text.splitlines()) == 2


def test_json_has_feeds_peers_times_and_ids(near: Home) -> None:
    near.config.write_text(origin(BOB, "bob") + peer(BOB))
    record(near, BOB, cut=["another@x.example"])
    bob, own = fingerprint(BOB.public), json.loads(near.weft("keys", "--json").out)["fingerprint"]
    expected = {
        "complete": True,
        "carried": [f"{own}/l"],
        "partly": [],
        "never_asked": [],
        "asked": [{"feed": f"{bob}/*", "of": [bob], "upto": "2026-11-18T11:06:40Z"}],
        "cut": [],
        "nobody_holds": [IDS[1]],
    }
    for command in (["show", "--json", IDS[0]], ["threads", "--json", "--missing"]):
        [thread] = json.loads(near.weft(*command).out)
        assert list(thread["coverage"].items()) == list(expected.items())
    assert json.loads(near.weft("explain", "--json", IDS[2]).out)["coverage"] == expected
    record(near, BOB, cut=[IDS[2]])
    [thread] = json.loads(near.weft("show", "--json", IDS[0]).out)
    assert (thread["coverage"]["cut"], thread["coverage"]["complete"]) == ([bob], False)


def test_a_page_calls_others_by_our_names_for_them(near: Home) -> None:
    record(near, BOB)
    page = near.weft("show", "--format", "html", IDS[0]).text
    said = "asked: all lists of bob, up to 2026-11-18 11:06; never asked: all lists of carol"
    assert f"<p>There may be more: {said}.</p>" in page
    near.config.write_text(origin(BOB, "b&b") + peer(BOB))
    said = "asked: all lists of b&amp;b, up to 2026-11-18 11:06"
    whole = "Every list that the policy of this server admits is held whole or was asked about"
    assert f"<p>{whole}: {said}.</p>" in near.weft("show", "--format", "html", IDS[0]).text
