"""``weft show``: one thread, in every format, and through the pager."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT, command, environment
from tests.cli.foreign_claims import claim, receive
from tests.cli.server_home import Home
from tests.factories import mail

REPLY = "20030211100258.GB30441@northmail.example.com"
GHOST = "87smuvyw1c.fsf@okafor.example.net"


@pytest.mark.parametrize("name", [ROOT, f"<{REPLY}>", f"id:{GHOST}", f"https://lists.example.org/drafts/{REPLY}/"])
def test_any_id_in_a_thread_names_it(story: Home, name: str) -> None:
    ran = story.weft("show", name)
    assert (ran.code, ran.err) == (0, [])
    assert ran.text == story.weft("rebuild", "--thread", ROOT, DRAFTS, OPS).text


def test_ids_may_come_from_stdin_and_a_thread_is_shown_once(story: Home) -> None:
    ran = story.weft("show", "--json", "-", stdin=f"{ROOT}\n<{REPLY}>\n".encode())
    assert [thread["root"] for thread in json.loads(ran.out)] == [ROOT]


def test_json_says_who_says_so(story: Home) -> None:
    [thread] = json.loads(story.weft("show", "--json", ROOT).out)
    own = json.loads(story.weft("keys", "--json").out)["fingerprint"]
    assert thread["format"] == 1
    assert len(thread["messages"]) == 18
    origins = {copy["origin"] for message in thread["messages"] for copy in message["copies"]}
    assert origins == {own}


def test_jsonl_dot_and_graphml(story: Home) -> None:
    assert json.loads(story.weft("show", "--format", "jsonl", ROOT).out)["root"] == ROOT
    assert story.weft("show", "--format", "dot", ROOT).text.count(" -> ") == 17
    names = [
        one.tag.rpartition("}")[2]
        for one in ElementTree.fromstring(story.weft("show", "--format", "graphml", ROOT).out).iter()
    ]
    assert (names.count("node"), names.count("edge")) == (18, 17)


def test_mboxrd_is_the_mail_itself(story: Home) -> None:
    ran = story.process("show", "--format", "mboxrd", ROOT)
    assert (ran.code, ran.err) == (0, [])
    assert ran.out == story.process("rebuild", "--format", "mboxrd", "--thread", ROOT, DRAFTS, OPS).out


def test_mail_that_is_gone_is_named_and_the_rest_is_there(home: Home, tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(mail("a@x.example"))
    (tmp_path / "b.mbox").write_bytes(mail("b@x.example", ["a@x.example"]))
    home.weft("ingest", tmp_path / "a.mbox", tmp_path / "b.mbox")
    (tmp_path / "a.mbox").unlink()
    ran = home.process("show", "-q", "--format", "mboxrd", "b@x.example")
    assert ran.code == 3
    assert len(ran.err) == 1
    assert ran.err[0].startswith("weft: a@x.example: the mail is not here: ")
    assert ran.out.count(b"\nMessage-ID: ") == ran.out.count(b"<b@x.example>") == 1


def test_mail_that_came_from_a_peer_is_named(story: Home) -> None:
    receive(story, claim("new@x.example", [REPLY]))
    ran = story.process("show", "--format", "mboxrd", "new@x.example")
    told = "weft: 1 message is not in this mail, because it came from a peer: <new@x.example>"
    assert (ran.code, ran.err) == (3, [told])
    assert ran.out.count(b"\nMessage-ID: ") == 16


def test_a_file_that_holds_something_else_by_now_does_not_pass_for_the_mail(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(mail("a@x.example", body="A body."))
    home.weft("ingest", path)
    path.write_bytes(mail("a@x.example", body="B body."))
    ran = home.process("show", "--format", "mboxrd", "a@x.example")
    assert (ran.code, ran.out, len(ran.err)) == (3, b"", 1)


def test_an_id_that_nobody_names_is_one_line_and_exit_1(story: Home) -> None:
    ran = story.weft("show", "nobody@x.example")
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert ran.err[0].endswith("the id 'nobody@x.example'; try: weft search WORDS")


def test_an_id_that_is_too_long_is_found_as_it_is_and_as_it_is_shown(home: Home, tmp_path: Path) -> None:
    long = "a" * 300 + "@x.example"
    (tmp_path / "l.mbox").write_bytes(mail(long))
    home.weft("ingest", tmp_path / "l.mbox")
    [thread] = json.loads(home.weft("show", "--json", long).out)
    assert thread["root"].startswith("sha256:")
    assert json.loads(home.weft("show", "--json", thread["root"]).out) == [thread]


def test_an_id_that_is_not_utf_8_is_looked_for_as_it_is(home: Home, tmp_path: Path) -> None:
    (tmp_path / "l.mbox").write_bytes(mail("\udce4@x.example"))
    home.weft("ingest", tmp_path / "l.mbox")
    assert home.weft("show", "\udce4@x.example").code == 0
    assert home.weft("show", "\udce5@x.example").code == 1


def test_an_output_file_is_overwritten_only_with_force(story: Home, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert story.weft("show", "-o", out, ROOT).code == 0
    assert out.read_text() == story.weft("show", ROOT).text
    assert story.weft("show", "-o", out, ROOT).code == 2
    assert story.weft("show", "--force", "--json", "-o", out, ROOT).code == 0
    assert json.loads(out.read_bytes())[0]["root"] == ROOT


def test_another_policy_shows_another_view_and_how_it_differs(story: Home, tmp_path: Path) -> None:
    policy = tmp_path / "other.toml"
    policy.write_text(f'[mute]\nedges = [["{REPLY}", "20030211184726.2f0e9b10.emi@tanaka.example.net"]]\n')
    ran = story.weft("show", "--policy", policy, REPLY)
    assert ran.text.count("\n") == 2
    assert ran.err == ["weft: differs from the common view in 1 edge"]
    assert story.weft("show", "-q", "--policy", policy, REPLY).err == []
    assert story.weft("show", REPLY).text.count("\n") > 10


def test_a_policy_that_is_not_there_is_an_error_of_usage(story: Home, tmp_path: Path) -> None:
    for option in ("--policy", "--config"):
        ran = story.weft("show", option, tmp_path / "none.toml", ROOT)
        assert (ran.code, len(ran.err)) == (2, 1)
        assert "none.toml" in ran.err[0]


@pytest.mark.parametrize(
    ("stated", "columns"),
    [("160", 160), ("20", 20), *((bad, 100) for bad in ("19", "1001", "0", "wide", "-80", "1e2", ""))],
)
def test_columns_says_how_wide_lines_are_that_go_into_a_pipe(story: Home, stated: str, columns: int) -> None:
    head = story.weft("show", ROOT, env={"COLUMNS": stated}).text.splitlines()[0]
    assert len(head) == columns


def test_lines_are_no_wider_than_subjects_need(story: Home) -> None:
    assert max(map(len, story.weft("show", ROOT, env={"COLUMNS": "1000"}).text.splitlines())) < 180


def test_columns_counts_for_tables_and_files_too(story: Home, tmp_path: Path) -> None:
    assert story.weft("show", "-o", tmp_path / "out", ROOT, env={"COLUMNS": "120"}).code == 0
    assert len((tmp_path / "out").read_text().splitlines()[0]) == 120
    wide, narrow = (story.weft("threads", env={"COLUMNS": columns}).text for columns in ("160", "100"))
    assert "[drafts] Introduction, and a thread index for the server" in wide
    assert "[drafts] Introduction, and a thread index for the server" not in narrow


class TestOnATerminal:
    """The pager."""

    def shown(self, home: Home, *arguments: str, **env: str) -> str:
        pexpect = pytest.importorskip("pexpect")
        first, *rest = command("show", *arguments, ROOT)
        child = pexpect.spawn(
            first, rest, env=environment(**{**home.env, **env}), dimensions=(50, 80), encoding="utf-8", timeout=60
        )
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        return str(child.before).replace("\r\n", "\n")

    def test_text_goes_through_the_pager_in_colour_and_as_wide_as_the_terminal(self, story: Home) -> None:
        text = self.shown(story, PAGER="tr A-Z '#'")
        assert "\x1b[1m" in text
        assert "###" not in text
        assert "#da" in text
        plain = self.shown(story, "--no-color", PAGER="cat")
        assert max(map(len, plain.splitlines())) == 80

    @pytest.mark.parametrize("pager", ["", "no-such-pager", "'"])
    def test_without_a_pager_that_can_run_text_goes_to_the_terminal(self, story: Home, pager: str) -> None:
        assert "Introduction" in self.shown(story, PAGER=pager)

    def test_what_is_for_programs_does_not_go_through_the_pager(self, story: Home) -> None:
        assert json.loads(self.shown(story, "--json", PAGER="tr a-z '#'"))[0]["root"] == ROOT

    def test_a_pager_that_is_left_early_is_no_error(self, story: Home) -> None:
        assert self.shown(story, PAGER="true") == ""
        assert self.shown(story, "--no-color", PAGER="head -n1").startswith("drafts, smtp-ops")
