"""``weft rebuild`` from a shell: what it prints in each format, and how it ends when something is wrong."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT, Ran, command, environment, mail, start, until, weft

A_LOT = 1 << 18
"""More bytes than a pipe holds."""


def threads(ran: Ran) -> list[dict[str, Any]]:
    """The threads of a ``--json`` output."""
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


def ids(ran: Ran) -> set[str]:
    """All ids of a ``--json`` output, ghosts too."""
    return {message["id"] for thread in threads(ran) for message in thread["messages"]}


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    """Two mails, the second an answer to the first."""
    path = tmp_path / "small.mbox"
    path.write_bytes(mail("a@x.example", subject="hello") + mail("b@x.example", ["a@x.example"], subject="Re: hello"))
    return path


# What it prints


def test_text_shows_one_tree_of_both_lists() -> None:
    ran = weft("rebuild", DRAFTS, OPS)
    assert ran.code == 0
    assert ran.text.startswith("drafts, smtp-ops  ")
    assert "├─ Bruno Okafor " in ran.text
    assert "[not seen here, hearsay] <87smuvyw1c.fsf@okafor.example.net>" in ran.text
    assert ran.err == [
        "weft: 26 messages read: 26 copies of 20 ids on 2 lists (drafts 13, smtp-ops 13); 2 ghosts, 0 skipped"
    ]


def test_json_is_one_array_and_jsonl_the_same_objects_one_a_line() -> None:
    array = threads(weft("rebuild", "--format", "json", DRAFTS, OPS))
    lines = weft("rebuild", "--format", "jsonl", DRAFTS, OPS).text.splitlines()
    assert [thread["format"] for thread in array] == [1, 1, 1]
    assert array[0]["root"] == ROOT
    assert array == [json.loads(line) for line in lines]


def test_json_for_short_is_the_same_option() -> None:
    assert weft("rebuild", "--json", DRAFTS).out == weft("rebuild", "--format", "json", DRAFTS).out != b""


def test_mboxrd_gives_the_messages_back_to_the_byte() -> None:
    ran = weft("rebuild", "--format", "mboxrd", OPS)
    again = weft("rebuild", "--format", "mboxrd", "smtp-ops=-", stdin=ran.out)
    assert ran.out == again.out
    assert sorted(bodies(ran.out)) == sorted(bodies(OPS.read_bytes()))


def bodies(mbox: bytes) -> list[bytes]:
    """The messages of an mboxrd, without their From_ lines."""
    return [one.split(b"\n", 1)[1] for one in re.split(rb"^(?=From )", mbox, flags=re.MULTILINE) if one]


def test_dot_is_one_digraph_with_a_node_for_each_message_and_ghost() -> None:
    ran = weft("rebuild", "--format", "dot", DRAFTS, OPS)
    assert ran.text.startswith("digraph weft {")
    assert ran.text.count("[label=") == 22
    assert ran.text.count(" -> ") == 19


def test_graphml_is_xml_with_a_node_for_each_message_and_ghost() -> None:
    root = ElementTree.fromstring(weft("rebuild", "--format", "graphml", DRAFTS, OPS).out)
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert (names.count("node"), names.count("edge")) == (22, 19)


def test_text_leaves_out_ghosts_that_nothing_hangs_on_and_json_has_them(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(mail("b@x.example", headers=["In-Reply-To: <a@x.example> <ghost@x.example>"]))
    assert "ghost@x.example" not in weft("rebuild", path).text
    assert "ghost@x.example" in ids(weft("rebuild", "--json", path))
    assert "ghost@x.example" not in ids(weft("rebuild", "--json", "--prune-ghosts", path))


def test_the_order_of_the_files_changes_no_byte() -> None:
    for name in ("text", "json", "mboxrd", "dot", "graphml"):
        assert weft("rebuild", "--format", name, DRAFTS, OPS).out == weft("rebuild", "--format", name, OPS, DRAFTS).out


def test_one_process_or_two_print_the_same() -> None:
    assert weft("rebuild", "--json", "--processes", "1", OPS) == weft("rebuild", "--json", "--processes", "2", OPS)


def test_equal_subjects_are_joined_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(mail("a@x.example", subject="hello") + mail("b@x.example", subject="Re: hello"))
    assert len(threads(weft("rebuild", "--json", path))) == 2
    [joined] = threads(weft("rebuild", "--json", "--join-subjects", path))
    assert joined["messages"][1]["joined"]


def test_the_profile_decides_whether_in_reply_to_wins_over_references(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    both = mail("c@x.example", ["b@x.example"], headers=["In-Reply-To: <a@x.example>"])
    path.write_bytes(mail("a@x.example") + mail("b@x.example") + both)
    parents = {}
    for profile in ("weft", "rfc5256"):
        found = threads(weft("rebuild", "--json", "--profile", profile, path))
        parents[profile] = {one["id"]: one["parent"] for thread in found for one in thread["messages"]}["c@x.example"]
    assert parents == {"weft": "a@x.example", "rfc5256": "b@x.example"}


# Which threads


@pytest.mark.parametrize(
    "name",
    [
        ROOT,
        f"<{ROOT}>",
        f"id:{ROOT}",
        "87smuvyw1c.fsf@okafor.example.net",
        f"https://lists.example.org/archive/drafts/{ROOT}/",
        "https://lists.example.org/r/20030210035225.GA1107%40aldgate.example.com/T/#u",
    ],
    ids=["bare", "brackets", "prefix", "a ghost", "url", "escaped url"],
)
def test_a_thread_is_found_by_any_way_to_name_any_of_its_ids(name: str) -> None:
    ran = weft("rebuild", "--json", "--thread", name, DRAFTS, OPS)
    assert [thread["root"] for thread in threads(ran)] == [ROOT]


def test_ids_may_come_from_stdin_one_a_line() -> None:
    other = "20030210171103.GA612@duarte.example.net"
    ran = weft("rebuild", "--json", "--thread", "-", DRAFTS, stdin=f"id:{other}\r\n\n<{ROOT}>\n".encode())
    assert [thread["root"] for thread in threads(ran)] == [other, ROOT]


def test_an_id_is_read_as_it_would_be_in_a_header(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(mail('"a"@x.example') + mail('"b b"@x.example') + mail("\udce4@x.example"))
    for name in (
        "a@x.example",
        '<"a"@x.example>',
        'id:"b b"@x.example',
        b"\xe4@x.example".decode("utf-8", "surrogateescape"),
    ):
        assert len(threads(weft("rebuild", "--json", "--thread", name, path))) == 1


def test_a_thread_that_is_asked_for_by_two_of_its_ids_is_printed_once(mbox: Path) -> None:
    ran = weft("rebuild", "--json", "--thread", "b@x.example", "--thread", "a@x.example", mbox)
    assert [thread["root"] for thread in threads(ran)] == ["a@x.example"]


def test_an_id_that_nobody_names_is_one_line_and_exit_1(mbox: Path) -> None:
    ran = weft("rebuild", "--thread", "nobody@x.example", mbox)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err == ["weft: no message has or names the id 'nobody@x.example'; look for it in other archives"]


# Where it goes


def test_an_output_file_holds_what_stdout_would(tmp_path: Path) -> None:
    ran = weft("rebuild", "--json", "-o", "out.json", DRAFTS, cwd=tmp_path)
    assert (ran.code, ran.out) == (0, b"")
    assert (tmp_path / "out.json").read_bytes() == weft("rebuild", "--json", DRAFTS).out
    assert os.listdir(tmp_path) == ["out.json"]


def test_an_output_file_is_overwritten_only_with_force(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("dear to somebody")
    ran = weft("rebuild", "-o", out, DRAFTS)
    assert (ran.code, len(ran.err)) == (2, 1)
    assert "--force" in ran.err[0]
    assert out.read_text() == "dear to somebody"
    assert weft("rebuild", "-o", out, "--force", DRAFTS).code == 0
    assert out.read_text().startswith("drafts  ")


def test_a_file_that_appears_during_the_run_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start("rebuild", "x=-", "-o", out)
    until(lambda: any(tmp_path.iterdir()))
    out.write_text("dear to somebody")
    assert b"--force" in process.communicate(mail("a@x.example"))[1]
    assert process.returncode == 2
    assert [path.read_text() for path in tmp_path.iterdir()] == ["dear to somebody"]


def test_force_through_a_link_overwrites_what_the_link_names(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    assert weft("rebuild", "-o", "link", "--force", DRAFTS, cwd=tmp_path).code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() != "old"


def test_a_mbox_may_be_replaced_by_its_own_threads(mbox: Path) -> None:
    assert weft("rebuild", "--format", "mboxrd", "-o", mbox, "--force", mbox).code == 0
    assert ids(weft("rebuild", "--json", mbox)) == {"a@x.example", "b@x.example"}


def test_a_failed_run_leaves_no_file_and_not_a_part_of_one(tmp_path: Path, mbox: Path) -> None:
    assert weft("rebuild", "--thread", "nobody@x.example", "-o", tmp_path / "out", mbox).code == 1
    assert list(tmp_path.iterdir()) == [mbox]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_no_part_of_a_file(tmp_path: Path, number: signal.Signals) -> None:
    process = start("rebuild", "x=-", "-o", "out", cwd=tmp_path)
    until(lambda: any(tmp_path.iterdir()))
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == 128 + number
    assert err.strip() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["missing/out", "file.txt/out"])
def test_an_output_that_cannot_be_made_is_one_line_before_anything_is_read(tmp_path: Path, place: str) -> None:
    (tmp_path / "file.txt").touch()
    ran = weft("rebuild", "-o", place, "missing.mbox", cwd=tmp_path)
    assert ran.code == 1
    assert len(ran.err) == 1
    assert ran.err[0].startswith(f"weft: {place} cannot be written: ")


def test_an_output_that_is_a_directory_is_an_error_of_usage(tmp_path: Path) -> None:
    ran = weft("rebuild", "-o", tmp_path, DRAFTS)
    assert (ran.code, len(ran.err)) == (2, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("how", ["-o", ">"])
def test_a_full_disk_is_one_line_and_exit_1(how: str) -> None:
    arguments = command("rebuild", "--json", DRAFTS, *(["-o", "/dev/full"] if how == "-o" else []))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, check=False, env=environment())
    assert done.returncode == 1
    assert done.stderr == b"weft: cannot write: No space left on device\n"


@pytest.mark.parametrize("messages", [1, 3000])
def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path, messages: int) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(b"".join(mail(f"{number}@x.example") for number in range(messages)))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("rebuild", "--json", path), stdout=writing, stderr=subprocess.PIPE, check=False, env=environment()
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_head_gets_its_line(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(b"".join(mail(f"{number}@x.example") for number in range(3000)))
    line = " ".join(f"'{word}'" for word in command("rebuild", path))
    done = subprocess.run(f"{line} | head -1", shell=True, capture_output=True, check=False, env=environment())
    assert done.stdout.decode().split() == ["l", "1", "message,", "1", "list"]
    assert done.stderr == b""


def test_a_closed_stdout_is_one_line(mbox: Path) -> None:
    line = " ".join(f"'{word}'" for word in command("rebuild", mbox))
    done = subprocess.run(f"{line} >&-", shell=True, capture_output=True, check=False, env=environment())
    assert (done.returncode, done.stderr) == (1, b"weft: standard output is closed; give a file with -o\n")


# What it reads


def test_stdin_may_be_compressed_or_not() -> None:
    named = weft("rebuild", "--json", DRAFTS)
    assert weft("rebuild", "--json", "drafts=-", stdin=DRAFTS.read_bytes()) == named
    assert weft("rebuild", "--json", "drafts=-", stdin=gzip.compress(DRAFTS.read_bytes())) == named


def test_messages_from_stdin_can_be_exported() -> None:
    ran = weft("rebuild", "--format", "mboxrd", "drafts=-", stdin=gzip.compress(DRAFTS.read_bytes()))
    assert ran.out == weft("rebuild", "--format", "mboxrd", DRAFTS).out


def test_the_same_file_twice_is_read_once_and_said(tmp_path: Path) -> None:
    twice = weft("rebuild", "--json", DRAFTS, DRAFTS)
    assert twice.code == 0
    assert twice.out == weft("rebuild", "--json", DRAFTS).out
    assert "already given" in twice.err[0]


def test_a_copy_of_a_file_on_the_same_list_adds_nothing(tmp_path: Path) -> None:
    (tmp_path / "copy.mbox").write_bytes(DRAFTS.read_bytes())
    both = weft("rebuild", "--json", DRAFTS, f"drafts={tmp_path / 'copy.mbox'}")
    assert both.out == weft("rebuild", "--json", DRAFTS).out
    assert both.err == ["weft: 26 messages read: 13 copies of 13 ids on 1 list (drafts 13); 4 ghosts, 0 skipped"]


def test_a_directory_with_both_lists_is_both_lists() -> None:
    assert weft("rebuild", "--json", DRAFTS.parent).out == weft("rebuild", "--json", DRAFTS, OPS).out


def test_a_name_before_the_path_names_the_list(mbox: Path) -> None:
    [thread] = threads(weft("rebuild", "--json", f"ietf={mbox}"))
    assert thread["messages"][0]["lists"] == ["ietf"]


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(mbox: Path) -> None:
    mbox.rename(mbox.with_name("a=b.mbox"))
    [thread] = threads(weft("rebuild", "--json", "a=b.mbox", cwd=mbox.parent))
    assert thread["messages"][0]["lists"] == ["a=b"]


# What is wrong with what it reads


def test_an_empty_file_has_no_threads_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.mbox").touch()
    ran = weft("rebuild", "--json", "empty.mbox", cwd=tmp_path)
    assert (ran.code, threads(ran)) == (1, [])
    assert ran.err[0] == "weft: empty.mbox: empty file, no messages"
    assert weft("rebuild", "-q", "empty.mbox", cwd=tmp_path) == Ran(1, b"", [])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"Dear diary,\n", "not an mbox"),
        (gzip.compress(mail("a@x.example") * 100)[:-20], "truncated gzip"),
        (gzip.compress(bytes(1 << 25)), "a bomb?"),
        (b"\x1f\x8b\x08" + bytes(100), "gzip"),
        (b"junk\n\n" + mail("b@x.example"), "not mail"),
    ],
    ids=["no mbox", "truncated", "bomb", "damaged", "junk before"],
)
def test_what_is_skipped_is_named_and_the_exit_code_is_3(tmp_path: Path, mbox: Path, data: bytes, why: str) -> None:
    (tmp_path / "bad.mbox").write_bytes(data)
    ran = weft("rebuild", "--json", "-q", "bad.mbox", mbox, cwd=tmp_path)
    assert ran.code == 3
    assert len(ran.err) == 1
    assert ran.err[0].startswith("weft: bad.mbox: ")
    assert why in ran.err[0]
    assert {"a@x.example", "b@x.example"} <= ids(ran), "the other file is there all the same"


def test_the_ratio_at_which_a_file_is_a_bomb_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(gzip.compress(mail("a@x.example", body="x" * (1 << 25))))
    assert weft("rebuild", path).code == 3
    assert weft("rebuild", "--max-ratio", "2000", path).code == 0


def test_a_file_that_is_not_there_is_named(mbox: Path) -> None:
    ran = weft("rebuild", "--json", "nothing.mbox", mbox, cwd=mbox.parent)
    assert ran.code == 3
    assert ran.err[0] == "weft: nothing.mbox: No such file or directory"
    assert ids(ran) == {"a@x.example", "b@x.example"}


def test_nothing_to_read_at_all_is_exit_1(tmp_path: Path) -> None:
    ran = weft("rebuild", "nothing.mbox", cwd=tmp_path)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err[0] == "weft: nothing.mbox: No such file or directory"
    assert ran.err[1].startswith("weft: nothing to read")


def test_a_file_that_vanishes_before_it_is_read_is_skipped_and_named(mbox: Path) -> None:
    process = start("rebuild", "--json", "first=-", f"second={mbox}")
    assert process.stdin is not None
    process.stdin.write(mail("z@x.example", body="x" * A_LOT))  # blocks until stdin is read, and that comes first
    mbox.unlink()
    out, err = process.communicate()
    assert process.returncode == 3
    assert f"weft: {mbox}: No such file or directory\n" in err.decode()
    assert [thread["root"] for thread in json.loads(out)] == ["z@x.example"]


def test_a_file_that_vanishes_before_its_messages_are_exported_fails_the_run(mbox: Path) -> None:
    process = start("rebuild", "--format", "mboxrd", "-o", "out", f"first={mbox}", "second=-", cwd=mbox.parent)
    assert process.stdin is not None
    process.stdin.write(mail("z@x.example", body="x" * A_LOT))
    mbox.unlink()
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.decode() == f"weft: {mbox}: No such file or directory\n"
    assert list(mbox.parent.iterdir()) == []


def test_a_file_whose_name_cannot_name_a_list_is_skipped_and_named(mbox: Path) -> None:
    mbox.rename(mbox.with_name("a\x1b[31m.mbox"))
    ran = weft("rebuild", "--json", ".", cwd=mbox.parent)
    assert ran.code == 1
    assert "<U+001B>" in ran.err[0]
    assert "give it as LIST=PATH" in ran.err[0]


# How it is asked


@pytest.mark.parametrize(
    "arguments",
    [
        ("rebuild",),
        ("rebuild", "--format", "yaml", "x.mbox"),
        ("rebuild", "--bogus", "x.mbox"),
        ("rebuild", "--max-ratio", "0", "x.mbox"),
        ("rebuild", "--processes", "9", "x.mbox"),
        ("rebuild", "--thread"),
        ("rebuild", "--thread", "", "x.mbox"),
        ("rebuild", "--thread", "https://[lists/a@x", "x.mbox"),
        ("rebuild", "--thread", "-", "x=-"),
        ("rebuild", "--thread", "-", "x.mbox"),
        ("rebuild", "-"),
        ("rebuild", "a=-", "b=-"),
        ("rebuild", "=x.mbox"),
        ("rebuild", "x="),
        ("rebuild", "x\t=x.mbox"),
        ("rebuild", ""),
        ("rebiuld",),
        ("--bogus",),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_one_line_and_exit_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ran = weft(*arguments, cwd=tmp_path)
    assert (ran.code, ran.out) == (2, b"")
    assert len(ran.err) == 1
    assert re.fullmatch("weft: [^A-Z].+[^.]", ran.err[0])


def test_a_slash_before_the_equals_sign_belongs_to_a_path(tmp_path: Path) -> None:
    ran = weft("rebuild", "a/b=x.mbox", cwd=tmp_path)
    assert ran.code == 1
    assert ran.err[0] == "weft: a/b=x.mbox: No such file or directory"


def test_quiet_says_nothing_when_nothing_is_wrong() -> None:
    assert weft("rebuild", "-q", DRAFTS, DRAFTS).err == []


def test_a_traceback_only_with_debug(mbox: Path) -> None:
    asked = ("rebuild", "--thread", "nobody@x.example", mbox)
    assert "Traceback" not in "\n".join(weft(*asked).err)
    with_debug = weft(*asked, "--debug")
    assert (with_debug.code, with_debug.err[0]) == (1, "Traceback (most recent call last):")
    assert with_debug.err[-1].startswith("weft.errors.NotFoundError: ")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("MemoryError()", "weft: out of memory; give it fewer files at a time"),
        ("ValueError('x\\x1b')", "weft: a defect of weft: ValueError: x<U+001B>; please report it with what --debug"),
    ],
)
def test_even_a_defect_is_one_line(error: str, line: str) -> None:
    program = f"""
import weft.cli.commands.rebuild
from weft.cli.main import main
def broken(*_, **__):
    raise {error}
weft.cli.commands.rebuild.rebuild_sources = broken
main()
"""
    arguments = [sys.executable, "-c", program, "rebuild", str(DRAFTS)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_the_locale_changes_no_byte() -> None:
    for locale in ("C", "POSIX", "C.UTF-8"):
        ran = weft("rebuild", DRAFTS, env={"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})
        assert ran.out == weft("rebuild", DRAFTS).out


def test_a_hostile_subject_author_and_id_reach_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    bad = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r"
    path.write_bytes(
        mail("a\x1b[2Jb@x.example", ["\x1b[31mghost@x.example"], subject=bad, headers=[f"From: {bad} <a@x.example>"])
    )
    ran = weft("rebuild", "--thread", "\x1b[31mghost@x.example", path)
    assert ran.code == 0
    assert "<U+001B>]0;owned<U+0007>" in ran.text
    assert not set("\x1b\x07\x9b\u202e\r") & set(ran.text)
    assert "\x1b" not in "".join(weft("rebuild", "--thread", "\x1b[31mnobody@x.example", path).err)
