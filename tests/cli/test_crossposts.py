"""``weft crossposts``: from files and from an index, for people and for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_runner import DRAFTS, OPS, ROOT, Ran
from tests.cli.server_home import Home
from tests.factories import mail
from weft.analysis.figures import FILES
from weft.render.sanitize import width

FOUR = ("threads", "on_several_lists", "not_the_same_on_all", "whole_on_none")


def report(ran: Ran) -> dict[str, Any]:
    assert (ran.code, ran.err) == (0, [])
    found = json.loads(ran.out)
    assert isinstance(found, dict)
    return found


def test_the_story_is_on_two_lists_and_whole_on_none(home: Home) -> None:
    ran = home.weft("crossposts", DRAFTS, OPS)
    assert (ran.code, ran.err) == (0, [])
    assert "* 3 threads; on two lists or more: 1." in ran.text
    rows = [line.split() for line in ran.text.splitlines()]
    assert ["together", "20", "3", "1", "1", "1"] in rows
    assert ["drafts", "1", "0", "5", "2", "3"] in rows
    assert max(map(width, ran.text.splitlines())) <= 100


def test_json_has_all_parts_of_format_1(home: Home) -> None:
    found = report(home.weft("crossposts", "--json", DRAFTS, OPS))
    assert found["format"] == 1
    assert [found[key] for key in FOUR] == [3, 1, 1, 1]
    assert found["components"] == dict(zip(FOUR, [3, 1, 1, 1], strict=True))
    assert {name: [one[key] for key in FOUR] for name, one in found["lists"].items()} == {
        "drafts": [2, 1, 1, 1],
        "smtp-ops": [2, 1, 1, 1],
    }
    assert found["lists"]["drafts"]["lacks"] == {
        "threads": 1, "in_pieces": 0, "messages": 5, "named": 2, "not_named": 3,
    }  # fmt: skip
    assert isinstance(found["models"], dict)
    assert isinstance(found["order_of_arrival"], dict)


def test_an_index_says_what_its_files_say(story: Home) -> None:
    assert report(story.weft("crossposts", "--json")) == report(story.weft("crossposts", "--json", OPS, DRAFTS))
    assert story.weft("crossposts").out == story.weft("crossposts", DRAFTS, OPS).out


def test_two_runs_print_equal_bytes_and_the_seed_is_told(home: Home) -> None:
    again = ("crossposts", "--json", "--orders", "2", "--seed", "7", DRAFTS, OPS)
    first = home.process(*again)
    assert home.process(*again).out == first.out
    order = report(first)["order_of_arrival"]
    assert (order["orders"], order["seed"]) == (2, 7)


def test_another_policy_shows_another_index(story: Home, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[mute]\nfeeds = ["own/smtp-ops"]\n')
    assert list(report(story.weft("crossposts", "--json", "--policy", policy))["lists"]) == ["drafts"]


def test_one_list_has_nothing_to_be_compared_with(home: Home) -> None:
    ran = home.weft("crossposts", DRAFTS)
    assert ran.code == 0
    assert "nothing to compare" in ran.text
    found = report(home.weft("crossposts", "--json", DRAFTS))
    assert [found[key] for key in FOUR] == [2, 0, 0, 0]


def test_an_empty_file_and_an_empty_index_are_reported_as_they_are(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty.mbox").write_bytes(b"")
    for arguments in (["ingest", "-q", DRAFTS], ["lists", "remove", "-q", "--yes", "drafts"]):
        assert home.weft(*arguments).code == 0
    for arguments, lists in (["-q", str(tmp_path / "empty.mbox")], ["empty"]), ([], []):
        found = report(home.weft("crossposts", "--json", *arguments))
        assert ([found[key] for key in FOUR], list(found["lists"])) == ([0, 0, 0, 0], lists)
        assert home.weft("crossposts", *arguments).code == 0


def test_what_was_skipped_is_named_and_is_exit_3(home: Home, tmp_path: Path) -> None:
    missing = tmp_path / "missing.mbox"
    for quiet in ([], ["-q"]):
        ran = home.weft("crossposts", *quiet, DRAFTS, OPS, missing)
        assert ran.code == 3
        assert len(ran.err) == 1
        assert str(missing) in ran.err[0]
        assert "together" in ran.text


def test_with_nothing_to_read_there_is_no_report(home: Home, tmp_path: Path) -> None:
    ran = home.weft("crossposts", tmp_path / "missing.mbox", "-o", tmp_path / "out")
    assert (ran.code, ran.out) == (1, b"")
    assert "nothing to read" in ran.err[-1]
    assert not (tmp_path / "out").exists()


def test_without_an_index_there_is_one_line_and_nothing_is_made(home: Home) -> None:
    ran = home.weft("crossposts")
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert ran.err[0].startswith(f"weft: {home.index}: there is no index; ")
    assert list(home.path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", [["--index", "x", DRAFTS], ["--policy", "x", DRAFTS], ["--orders", "0"], ["-"]], ids=lambda one: one[0]
)
def test_what_cannot_be_meant_is_one_line_and_exit_2(home: Home, wrong: list[str | Path]) -> None:
    ran = home.weft("crossposts", *wrong)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)


def test_an_output_file_is_written_whole_and_not_overwritten_unasked(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = home.weft("crossposts", DRAFTS, OPS).out
    assert home.weft("crossposts", "-o", out, DRAFTS, OPS).out == b""
    assert out.read_bytes() == printed
    assert home.weft("crossposts", "-o", out, DRAFTS).code == 2
    assert home.weft("crossposts", "--force", "-o", out, "--json", DRAFTS).code == 0
    assert json.loads(out.read_bytes())["format"] == 1


def test_a_list_from_standard_input_needs_a_name(home: Home) -> None:
    found = home.weft("crossposts", "--json", "drafts=-", OPS, stdin=DRAFTS.read_bytes())
    assert report(found) == report(home.weft("crossposts", "--json", DRAFTS, OPS))


def test_names_of_lists_are_cleaned_for_people_and_escaped_for_programs(home: Home, tmp_path: Path) -> None:
    for name, message in ("名前", "a@x"), ("e\u0301", "b@x"):
        (tmp_path / f"{name}.mbox").write_bytes(mail(message))
    ran = home.weft("crossposts", tmp_path)
    assert any(line.startswith("名前  ") for line in ran.text.splitlines())
    printed = home.weft("crossposts", "--json", tmp_path).out
    assert printed.isascii()
    assert set(json.loads(printed)["lists"]) == {"名前", "e\u0301"}


def test_pictures_and_a_page_are_written_beside_what_is_printed(home: Home, tmp_path: Path) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "new" / "pictures"
    printed = home.weft("crossposts", DRAFTS, OPS)
    ran = home.weft("crossposts", "--html", page, "--figures", folder, DRAFTS, OPS)
    assert (ran.code, ran.err, ran.out) == (0, [], printed.out)
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert {path.read_bytes()[:4] for path in folder.glob("*.png")} == {b"\x89PNG"}
    assert {path.read_bytes()[:4] for path in folder.glob("*.svg")} == {b"<svg"}


def test_two_processes_draw_equal_bytes(home: Home, tmp_path: Path) -> None:
    for name in "one", "two":
        arguments = ("--html", tmp_path / f"{name}.html", "--figures", tmp_path / name)
        assert home.process("crossposts", "-q", *arguments, DRAFTS, OPS).code == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_index_draws_what_its_files_draw(story: Home, tmp_path: Path) -> None:
    for name, paths in ("index", []), ("files", [DRAFTS, OPS]):
        assert story.weft("crossposts", "-q", "--html", tmp_path / name, *paths).code == 0
    assert (tmp_path / "index").read_bytes() == (tmp_path / "files").read_bytes()


def test_the_thread_that_is_drawn_can_be_chosen(home: Home, tmp_path: Path) -> None:
    for name, message in ("own", ROOT), ("unasked", None), ("other", "id:<20030210171103.GA612@duarte.example.net>"):
        chosen = [] if message is None else ["--thread", message]
        assert home.weft("crossposts", "--html", tmp_path / name, *chosen, DRAFTS, OPS).code == 0
    own, unasked, other = ((tmp_path / name).read_bytes() for name in ("own", "unasked", "other"))
    assert own == unasked != other


def test_a_thread_that_is_not_there_leaves_nothing_behind(home: Home, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ran = home.weft("crossposts", "--html", page, "--thread", "nobody@nowhere", DRAFTS, OPS)
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert "no message has or names the id 'nobody@nowhere'" in ran.err[0]
    assert not page.exists()


@pytest.mark.parametrize("there", ["page.html", "pictures/map.png"])
def test_no_picture_and_no_page_is_overwritten_unasked(home: Home, tmp_path: Path, there: str) -> None:
    arguments = ("--html", tmp_path / "page.html", "--figures", tmp_path / "pictures", DRAFTS, OPS)
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_bytes(b"mine")
    ran = home.weft("crossposts", *arguments)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
    assert ran.err[0].endswith(f"{there} exists; choose another name, or overwrite it with --force")
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"mine"]
    assert home.weft("crossposts", "--force", *arguments).code == 0
    assert (tmp_path / there).read_bytes() != b"mine"


def test_outputs_that_cannot_be_meant_or_made_are_one_line_before_anything_is_read(home: Home, tmp_path: Path) -> None:
    page, missing = tmp_path / "page.html", tmp_path / "missing.mbox"
    (tmp_path / "file").write_bytes(b"")
    for code, said, arguments in (
        (2, "--thread chooses what is drawn; give --html or --figures too", ["--thread", "a@x"]),
        (2, "two outputs are one file; choose another name for one of them", ["--html", page, "-o", page]),
        (1, "its folder is not there or is closed; choose another place", ["--html", tmp_path / "no" / "page.html"]),
        (1, "cannot be made a folder: Not a directory; choose another place", ["--figures", tmp_path / "file" / "in"]),
    ):
        ran = home.weft("crossposts", *arguments, missing)
        assert (ran.code, ran.out, len(ran.err)) == (code, b"", 1)
        assert ran.err[0].endswith(said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "home"]


def test_without_matplotlib_pictures_are_one_line_and_a_page_still_is_one(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.analysis.png.find_spec", lambda name: None)
    monkeypatch.setattr("weft.analysis.list_map.find_spec", lambda name: None)
    ran = home.weft("crossposts", "--figures", tmp_path / "pictures", DRAFTS, OPS)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err == ["weft: pictures need matplotlib, which is not installed; pip install 'mailweft[plot]'"]
    assert home.weft("crossposts", "--html", tmp_path / "page.html", DRAFTS, OPS).code == 0
    assert b"A map needs numpy" in (tmp_path / "page.html").read_bytes()


def test_a_report_without_pictures_loads_neither_matplotlib_nor_networkx(home: Home) -> None:
    program = (
        f"import sys; sys.argv = ['weft', 'crossposts', '-q', {str(DRAFTS)!r}, {str(OPS)!r}]\n"
        "from weft.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as stopped:\n    assert not stopped.code\n"
        "assert not {'matplotlib', 'numpy', 'networkx'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
