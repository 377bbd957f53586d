"""``weft explain``: who says what, and which rule decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_runner import ROOT
from tests.cli.foreign_claims import FINGERPRINT, claim, receive
from tests.cli.server_home import Home
from tests.factories import FIXTURES, mail

HARD = FIXTURES / "hard"
REPLY = "20030211062031.GA30441@northmail.example.com"
"""It is on both lists, and one of them rewrote its From."""
GHOST = "20030210214455.GB612@duarte.example.net"
CAROL = "3E47821B.6050309@harbour.example.com"


def explained(home: Home, name: str, *options: str) -> dict[str, Any]:
    ran = home.weft("explain", "--json", *options, name)
    assert (ran.code, ran.err) == (0, [])
    found: dict[str, Any] = json.loads(ran.out)
    return found


def ingested(home: Home, *paths: Path) -> Home:
    assert home.weft("ingest", *paths).code == 0
    return home


def test_the_text_begins_with_the_edge_and_its_rule(story: Home) -> None:
    ran = story.weft("explain", REPLY)
    assert (ran.code, ran.err) == (0, [])
    lines = ran.text.splitlines()
    assert lines[0] == f"<{REPLY}>"
    assert lines[1].split() == ["parent", f"<{GHOST}>"]
    assert lines[2].split()[0] == "because"
    assert "own headers" in lines[2]
    assert f"<{ROOT}>" in lines[3]


def test_the_text_has_every_copy_with_what_that_list_saw(story: Home) -> None:
    text = story.weft("explain", REPLY).text
    assert "2 copies" in text
    assert "drafts, says this server (tier 0)" in text
    assert "smtp-ops, says this server (tier 0)" in text
    assert "Dmitri Halvorsen via drafts <drafts@lists.example.org>" in text
    assert "Dmitri Halvorsen <dh@northmail.example.com>" in text
    for said in explained(story, REPLY)["claims"]:
        assert said["claim"] in text
        assert said["batch"][:16] in text


def test_json_has_all_its_fields(story: Home) -> None:
    found = explained(story, REPLY)
    own = json.loads(story.weft("keys", "--json").out)["fingerprint"]
    [shown] = json.loads(story.weft("show", "--json", REPLY).out)
    assert (found["format"], found["id"], found["root"], found["parent"]) == (1, REPLY, ROOT, GHOST)
    assert (found["rule"], found["ghost"], found["rivals"], found["lookalikes"]) == ("own headers", False, [], [])
    assert found["children"] == ["20030211184726.2f0e9b10.emi@tanaka.example.net"]
    assert [claim["list"] for claim in found["claims"]] == ["drafts", "smtp-ops"]
    first = found["claims"][0]
    assert set(first) == {
        "claim", "origin", "name", "list", "tier", "parent", "rule", "date", "subject", "from", "archived_at", "batch",
        "aliases", "position", "hidden", "body", "weak",
    }  # fmt: skip
    assert (first["origin"], first["name"], first["tier"], first["parent"]) == (own, "this server", 0, GHOST)
    assert (len(first["claim"]), len(first["batch"]), first["hidden"]) == (64, 64, "")
    nobody = sorted(one["id"] for one in shown["messages"] if one["ghost"])
    assert found["coverage"] == {
        "complete": True, "carried": [f"{own}/drafts", f"{own}/smtp-ops"], "partly": [], "never_asked": [],
        "asked": [], "cut": [], "nobody_holds": nobody,
    }  # fmt: skip


def test_a_ghost_is_explained_by_its_witnesses_and_which_of_them_count(story: Home) -> None:
    found = explained(story, GHOST)
    assert (found["ghost"], found["rule"], found["parent"], found["claims"]) == (True, "witnesses", CAROL, [])
    assert {one["gap"] for one in found["witnesses"] if one["counts"]} == {0}
    assert {one["id"] for one in found["witnesses"] if one["counts"]} == {REPLY}
    assert {one["gap"] for one in found["witnesses"] if not one["counts"]} == {1, 2}
    text = story.weft("explain", GHOST).text
    assert "[not seen here]" in text
    assert "counts" in text
    assert "too weak" in text
    assert text.count("stands before it, gap") == len(found["witnesses"])


def test_a_contested_id_shows_its_rivals(home: Home) -> None:
    ingested(home, HARD / "contested-parents")
    threads = json.loads(home.weft("export", "--json").out)
    contested = [message for thread in threads for message in thread["messages"] if message["contested"]]
    assert contested
    for message in contested:
        found = explained(home, message["id"])
        assert (found["rule"], found["parent"]) == ("contested", None)
        assert found["rivals"] == message["rivals"]
        text = home.weft("explain", message["id"]).text
        assert "disagree" in text
        assert "rival parents:" in text


def test_a_cut_cycle_says_so(home: Home) -> None:
    ingested(home, HARD / "cycle-of-two.mbox")
    threads = json.loads(home.weft("export", "--json").out)
    [cut] = [message for thread in threads for message in thread["messages"] if message.get("cut")]
    assert explained(home, cut["id"])["rule"] == "cycle cut"
    assert explained(home, cut["id"])["rivals"] == [cut["cut"]]
    assert "closed a cycle" in home.weft("explain", cut["id"]).text


def test_ids_that_look_like_this_one_are_named(home: Home) -> None:
    ingested(home, HARD / "ids-that-differ-in-case.mbox")
    threads = json.loads(home.weft("export", "--json").out)
    ids = [message["id"] for thread in threads for message in thread["messages"]]
    hints = {name: explained(home, name)["lookalikes"] for name in ids}
    assert any(hints.values())
    for name, alike in hints.items():
        assert name not in alike
        assert all(name in hints[other] for other in alike)


def test_weak_ids_are_shown_and_whether_they_count(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    weak = b"In-Reply-To: Your message of noon. a@x.example or b@x.example\n"
    path.write_bytes(mail("a@x.example") + mail("r@x.example").replace(b"Subject:", weak + b"Subject:", 1))
    ingested(home, path)
    [claim] = explained(home, "r@x.example")["claims"]
    assert claim["weak"] == [{"id": "a@x.example", "counts": True}, {"id": "b@x.example", "counts": False}]


def test_what_does_not_count_is_shown_with_the_reason(story: Home) -> None:
    story.weft("retract", "--yes", "--list", "drafts", CAROL)
    found = explained(story, CAROL)
    assert ["withdrawn" in one["hidden"] for one in found["claims"]] == [
        claim["list"] == "drafts" for claim in found["claims"]
    ]
    assert "[does not count: withdrawn" in story.weft("explain", CAROL).text
    story.weft("mute", "--feed", "own/smtp-ops")
    assert "muted" in story.weft("explain", CAROL).text


def test_a_muted_edge_is_named_as_the_rule(story: Home, tmp_path: Path) -> None:
    policy = tmp_path / "other.toml"
    policy.write_text(f'[mute]\nedges = [["{REPLY}", "{GHOST}"]]\n')
    found = explained(story, REPLY, "--policy", str(policy))
    assert (found["rule"], found["parent"]) == ("muted", None)
    assert explained(story, REPLY)["parent"] == GHOST


def test_the_word_of_others_is_shown_with_their_name_and_tier_and_does_not_touch_what_we_saw(story: Home) -> None:
    receive(story, claim(CAROL, ["elsewhere@x.example"], subject="forged"))
    found = explained(story, CAROL)
    assert (found["rule"], found["parent"]) == ("own headers", ROOT)
    assert [(one["name"], one["tier"]) for one in found["claims"]] == [
        ("this server", 0), ("this server", 0), ("street", 2),
    ]  # fmt: skip
    assert "git, says street (tier 2)" in story.weft("explain", CAROL).text
    story.config.unlink()
    found = explained(story, CAROL)
    assert found["claims"][2]["tier"] is None
    assert found["claims"][2]["name"] == FINGERPRINT[:16]
    assert "does not admit" in found["claims"][2]["hidden"]


def test_no_witness_counts_for_an_id_with_headers_of_its_own(story: Home) -> None:
    found = explained(story, CAROL)
    assert len(found["witnesses"]) > 3
    assert not any(one["counts"] for one in found["witnesses"])
    assert "which its own headers silence" in story.weft("explain", CAROL).text


def test_many_witnesses_are_counted_and_not_all_shown(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(b"".join(mail(f"{number}@x.example", ["a@x.example", "g@x.example"]) for number in range(50)))
    ingested(home, path)
    text = home.weft("explain", "g@x.example").text
    assert "50 witnesses" in text
    assert text.count("and 30 more") == 2, "witnesses and replies"
    assert len(explained(home, "g@x.example")["witnesses"]) == 50


def test_a_subject_that_wants_to_look_like_an_explanation_does_not(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(mail("a\x07@x.example", ["\x1b[2Jg@x.example"], subject="a\r\n  parent    <b@x>\x1b[2J\u202e"))
    ingested(home, path)
    text = home.weft("explain", "a\x07@x.example").text
    assert text.count("\n  parent ") == 1
    assert not set("\x1b\u202e\x07\r") & set(text)


@pytest.mark.parametrize(("name", "code"), [("nobody@x.example", 1), ("", 2)])
def test_what_cannot_be_explained_is_one_line(story: Home, name: str, code: int) -> None:
    ran = story.weft("explain", name)
    assert (ran.code, ran.out, len(ran.err)) == (code, b"", 1)


def because(home: Home, name: str) -> str:
    return home.weft("explain", name).text.splitlines()[2]


def test_what_is_here_and_does_not_count_is_not_said_to_be_unseen(story: Home) -> None:
    story.weft("retract", "--yes", "--list", "drafts", CAROL)
    story.weft("mute", "--feed", "own/smtp-ops")
    found = explained(story, CAROL)
    assert (found["ghost"], found["rule"], len(found["claims"])) == (True, "witnesses", 2)
    text = story.weft("explain", CAROL).text
    assert text.splitlines()[0] == f"<{CAROL}>  [what is here of it does not count]"
    assert because(story, CAROL) == (
        "  because   the copies of it that are here do not count (withdrawn by its origin, the feed is muted); "
        "the nearest References that name it agree"
    )
    assert "seen" not in text.partition("coverage")[0]


def test_one_copy_that_is_muted_is_said_to_be_here_in_every_rule(home: Home, tmp_path: Path) -> None:
    """One reply names it, or two that do not agree."""
    said = "the copy of it that is here does not count (the message id is muted)"
    path = tmp_path / "l.mbox"
    path.write_bytes(mail("g@x.example", ["r@x.example"]))
    ingested(home, path)
    home.weft("mute", "--id", "g@x.example")
    for number, (parent, rest) in enumerate(
        [("r@x.example", "; the nearest References that name it agree"), ("s@x.example", ", and the nearest")]
    ):
        with path.open("ab") as file:
            file.write(mail(f"w{number}@x.example", [parent, "g@x.example"]))
        ingested(home, path)
        assert because(home, "g@x.example").startswith(f"  because   {said}{rest}")


def test_what_nobody_here_has_seen_is_still_said_so(story: Home) -> None:
    assert because(story, GHOST) == "  because   nobody here has seen it; the nearest References that name it agree"
