"""``weft ingest``: what it takes, what it says, and ``--watch``."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS, command, environment, until
from tests.cli.server_home import Home
from tests.factories import mail
from weft.model import Ingested

_MAIL = b"From a@x Thu Jan  1 00:00:00 2020\nMessage-ID: <%s@x>\nFrom: a@x\n\ntext\n\n"


def ids(home: Home) -> set[str]:
    """The ids of all messages in the index of ``home``, without ghosts."""
    threads = json.loads(home.weft("export", "--json").out)
    return {message["id"] for thread in threads for message in thread["messages"] if not message["ghost"]}


def append(path: Path, *messages: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(messages))


def test_the_summary_is_on_stderr_and_the_index_and_its_key_are_made(home: Home) -> None:
    ran = home.weft("ingest", DRAFTS, OPS)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == ["weft: 26 messages read (drafts 13, smtp-ops 13), 26 new claims"]
    assert (home.path / "index.db.key").stat().st_mode & 0o777 == 0o600


def test_a_second_time_nothing_is_read_again(story: Home) -> None:
    ran = story.weft("ingest", DRAFTS, OPS)
    assert ran.err == ["weft: 0 messages read, 0 new claims; 2 files unchanged"]


def test_the_threads_are_those_that_rebuild_shows(story: Home) -> None:
    assert story.weft("export").out == story.weft("rebuild", DRAFTS, OPS).out


def test_a_file_that_grew_is_read_from_where_it_grew(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    append(path, mail("a@x.example"), mail("b@x.example"))
    home.weft("ingest", path)
    append(path, mail("c@x.example"))
    ran = home.weft("ingest", path)
    assert ran.err == ["weft: 2 messages read (l 2), 1 new claim; 1 grown (only its end was read)"]
    assert ids(home) == {"a@x.example", "b@x.example", "c@x.example"}


def test_lists_are_named_as_for_rebuild(home: Home) -> None:
    assert home.weft("ingest", f"ops={OPS}", "d=-", stdin=DRAFTS.read_bytes()).code == 0
    assert [feed["list"] for feed in json.loads(home.weft("lists", "--json").out)] == ["d", "ops"]


def test_an_archive_that_would_get_the_list_of_another_one_is_refused_unless_the_list_is_named(
    home: Home, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one, other = tmp_path / "a/dev.mbox", tmp_path / "b/dev.mbox"
    append(one, mail("a@x.example"))
    append(other, mail("b@x.example"))
    assert home.weft("ingest", one).code == 0
    ran = home.weft("ingest", other)
    assert ran.code == 3
    assert ran.err[0].startswith(f"weft: {other}: would be the list dev, as {one} is, which was ingested before; ")
    assert ids(home) == {"a@x.example"}
    assert home.weft("ingest", f"dev={other}").code == 0
    assert ids(home) == {"a@x.example", "b@x.example"}
    assert home.weft("ingest", other).code == 0, "it is known now"


def test_months_of_one_list_and_a_file_that_was_moved_are_one_archive(home: Home, tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    for number, month in enumerate(("January", "February")):
        path = tmp_path / f"dev/2003-{month}.txt"
        append(path, mail(f"{number}@x.example"))
        assert home.weft("ingest", path).code == 0
    append(tmp_path / "ops.mbox", mail("2@x.example"))
    assert home.weft("ingest", tmp_path / "ops.mbox").code == 0
    (tmp_path / "ops.mbox").rename(tmp_path / "dev/ops.mbox")
    assert home.weft("ingest", tmp_path / "dev/ops.mbox").code == 0
    assert ids(home) == {"0@x.example", "1@x.example", "2@x.example"}


def test_what_is_skipped_is_named_and_the_exit_code_is_3(home: Home, tmp_path: Path) -> None:
    (tmp_path / "bad.mbox").write_bytes(b"Dear diary,\n")
    ran = home.weft("ingest", "-q", tmp_path / "bad.mbox", tmp_path / "missing.mbox", DRAFTS)
    assert ran.code == 3
    assert len(ran.err) == 2
    assert len(ids(home)) == 13, "the other file is there all the same"


def test_nothing_to_read_is_exit_1(home: Home, tmp_path: Path) -> None:
    ran = home.weft("ingest", tmp_path / "missing.mbox")
    assert ran.code == 1
    assert ran.err[-1].startswith("weft: nothing to read")


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("-",), ("x\t=x.mbox",), ("--watch", "x=-"), ("--interval", "0", "x"), ("--interval", "nan", "x"),
        ("--max-ratio", "0", "x"), ("--processes", "3", "x"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line_and_exit_2(home: Home, arguments: tuple[str, ...]) -> None:
    ran = home.weft("ingest", *arguments)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
    assert not home.index.exists()


def test_an_index_that_is_none_is_one_line(home: Home) -> None:
    home.index.write_bytes(b"this is no database, but a letter" * 100)
    ran = home.weft("ingest", DRAFTS)
    assert (ran.code, len(ran.err)) == (1, 1)
    assert "defect" not in ran.err[0]


class Watch:
    """``weft ingest --watch`` in a process of its own."""

    def __init__(self, home: Home, *arguments: str | Path) -> None:
        self.log = home.path / "log"
        line = command("ingest", "--watch", "--interval", "0.05", *arguments)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(line, stdout=log, stderr=log, env=environment(**home.env))

    def said(self) -> list[str]:
        return self.log.read_text().splitlines()

    def until(self, lines: int) -> list[str]:
        """What it said, once that is so many lines."""
        until(lambda: len(self.said()) >= lines or self.process.poll() is not None)
        return self.said()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watching_takes_what_is_appended_and_ends_cleanly(home: Home, tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "l.mbox"
    append(path, mail("a@x.example"))
    watch = Watch(home, path)
    try:
        assert len(watch.until(1)) == 1
        append(path, mail("b@x.example"), mail("c@x.example"))
        assert " 2 new claims" in watch.until(2)[1]
        time.sleep(0.3)
        assert len(watch.said()) == 2, "a round without news says nothing"
        assert watch.end(number) == 0
    finally:
        watch.process.kill()
    assert len(watch.said()) == 2
    assert ids(home) == {"a@x.example", "b@x.example", "c@x.example"}
    assert home.weft("check").code == 0


def test_watching_waits_for_a_file_that_is_not_there_yet_and_names_it_once(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    watch = Watch(home, path)
    try:
        assert watch.until(1) == [f"weft: {path}: No such file or directory"]
        time.sleep(0.3)
        assert len(watch.said()) == 1
        append(path, mail("a@x.example"))
        assert " 1 new claim" in watch.until(2)[1]
        assert watch.end() == 0
    finally:
        watch.process.kill()


def test_watching_stopped_in_the_middle_of_a_file_leaves_a_sound_index(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    append(path, *(mail(f"{number}@x.example") for number in range(20_000)))
    watch = Watch(home, path)
    try:
        until(home.index.exists)
        time.sleep(0.3)
        assert watch.end() == 0
    finally:
        watch.process.kill()
    assert watch.said() in ([], watch.said()[:1])
    assert home.weft("check").code == 0
    assert home.weft("ingest", path).code == 0
    assert len(ids(home)) == 20_000


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Ingested(0, 0, 0, 0, 0), "0 messages read, 0 new claims"),
        (Ingested(1, 1, 1, 0, 0), "1 message read, 1 new claim; 1 file unchanged"),
        (Ingested(9, 2, 0, 2, 0), "9 messages read, 2 new claims; 2 grown (only their ends were read)"),
        (
            Ingested(5, 5, 3, 1, 4),
            "5 messages read, 5 new claims; 3 files unchanged, 1 grown (only its end was read), 4 skipped",
        ),
    ],
)
def test_the_summary_counts_as_people_do_and_leaves_out_what_there_is_none_of(done: Ingested, said: str) -> None:
    assert str(done) == said


def test_mail_of_a_renamed_list_under_its_old_name_is_told_what_to_do(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "drafts.mbox"
    path.write_bytes(DRAFTS.read_bytes())
    home.weft("ingest", path, OPS)
    home.weft("lists", "rename", "--yes", "drafts", "drafts2")
    ran = home.weft("ingest", path)
    assert len(ran.err) == 2
    assert "13 messages were withdrawn, and are not stated again" in ran.err[0]
    assert ran.err[0].endswith("if it was renamed, ingest with: drafts2=PATH")
    append(path, mail("new@x.example"))
    assert "1 message was withdrawn, and is not stated again" in home.weft("ingest", path).err[0]
    assert len(home.weft("ingest", f"drafts2={path}").err) == 1, "under the new name nothing was withdrawn"


def test_a_rename_is_told_even_if_some_was_retracted_since(home: Home) -> None:
    home.weft("ingest", DRAFTS)
    home.weft("lists", "rename", "--yes", "drafts", "drafts2")
    home.weft("retract", "--yes", "3E47821B.6050309@harbour.example.com")
    assert "drafts2=PATH" in home.weft("ingest", DRAFTS).err[0]


def test_mail_that_was_withdrawn_otherwise_is_not_taken_for_renamed(story: Home, tmp_path: Path) -> None:
    story.weft("retract", "--yes", "--list", "drafts", "3E47821B.6050309@harbour.example.com")
    [withdrawn, _] = story.weft("ingest", "drafts=-", stdin=DRAFTS.read_bytes()).err
    assert "1 message was withdrawn" in withdrawn
    assert "smtp-ops" not in withdrawn
    assert withdrawn.endswith("to state one again: weft retract --undo --list drafts ID")


def test_an_index_that_all_users_could_read_is_closed_to_them_and_one_line_says_so(home: Home) -> None:
    assert home.weft("ingest", "-q", DRAFTS).code == 0
    home.index.chmod(0o644)
    ran = home.process("ingest", "-q", DRAFTS)
    assert ran.err == [f"weft: {home.index}: all users of this machine could read this file; now only its owner can"]
    assert home.index.stat().st_mode & 0o777 == 0o600


def test_watching_waits_for_a_lock_and_for_a_broken_policy_and_says_it_once(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(_MAIL % b"a")
    monkeypatch.setattr("weft.store.connection.BUSY_SECONDS", 0.01)
    assert home.weft("ingest", "-q", f"l={path}").code == 0
    pauses: list[float] = []
    holder = sqlite3.connect(home.index, isolation_level=None, check_same_thread=False)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        match len(pauses):
            case 1:
                with path.open("ab") as file:
                    file.write(_MAIL % b"b")
                holder.execute("BEGIN IMMEDIATE")
            case 4:
                holder.execute("ROLLBACK")
            case 5:
                home.config.write_text("[broken")
            case 7:
                home.config.write_text("")
            case 9:
                raise KeyboardInterrupt

    monkeypatch.setattr("weft.cli.commands.ingest.time.sleep", sleep)
    ran = home.weft("ingest", "--watch", "--interval", "1", f"l={path}")
    holder.close()
    assert ran.code == 0
    assert pauses == [1, 1, 2, 4, 1, 1, 2, 1, 1]
    said = [line for line in ran.err if "it is tried again" in line]
    assert len(said) == 2
    assert "locked" in said[0]
    assert str(home.config) in said[1]
    assert [line for line in ran.err if "new claim" in line][-1].count("1 new claim")
    assert {one["claims"] for one in json.loads(home.weft("lists", "--json").out)} == {2}
