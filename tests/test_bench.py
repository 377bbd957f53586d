"""The benchmark suite at a size that proves nothing about speed: every peer that is there runs, and the tables hold."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import weft
from tests.bench import client_shares, corpora, growth, lower_bound, plot
from tests.bench.__main__ import main
from tests.bench.command_runner import Work, run
from tests.bench.comparison import Bench, Row
from tests.bench.figures import shares
from tests.bench.machine import Machine
from tests.bench.paths import PathRow
from tests.bench.peers import TASKS, Contender, everyone
from tests.bench.table import Missing, Results, as_json, as_markdown, as_text
from tests.factories import FIXTURES, mail

MESSAGES = 200
COMPILER = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A folder that Dovecot's other user may look into, as pytest's are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def corpus(place: Path) -> corpora.Corpus:
    return corpora.generated(place, MESSAGES)


def counted(*paths: Path) -> lower_bound.Counts:
    """What Weft finds in some files."""
    archive = weft.rebuild({"bench": [str(path) for path in paths]})
    found = [one for thread in archive.threads() for one in thread.messages]
    ghosts, edges = sum(one.ghost for one in found), sum(one.parent is not None for one in found)
    return lower_bound.Counts(archive.summary.messages, archive.summary.ids, ghosts, edges)


@COMPILER
def test_the_c_program_counts_the_messages_ids_and_ghosts_that_weft_counts(
    corpus: corpora.Corpus, tmp_path: Path
) -> None:
    assert corpus.messages == lower_bound.count(tmp_path, corpus.mbox).messages
    for paths in ([corpus.mbox], sorted((FIXTURES / "story").glob("*.mbox"))):
        assert paths
        assert lower_bound.count(tmp_path, *paths)[:3] == counted(*paths)[:3]


@COMPILER
def test_the_c_program_splits_folds_and_links_as_weft_does(tmp_path: Path) -> None:
    path = tmp_path / "some.mbox"
    path.write_bytes(
        mail("a@x", body="From the body\nnot a field\n\nFrom here on\nno field, either")
        + mail("b@x", ["gone@x", "a@x"], body="text\n>From x Thu Jan  1 00:00:00 1970\nno: it is escaped")
        + mail("c@x", ["a@x", "b@x"], headers=["In-Reply-To:\n\t<b@x>"])
        + mail("d@x", headers=["in-reply-to : <c@x>"])
        + b"From crlf\r\nMessage-ID: <e@\r\n x>\r\nReferences: <d@x>\r\n\r\nbody\r\n"
    )
    assert lower_bound.count(tmp_path, path) == counted(path) == (5, 5, 1, 4)


def test_the_splitter_of_the_suite_cuts_where_weft_cuts(corpus: corpora.Corpus, tmp_path: Path) -> None:
    path = tmp_path / "some.mbox"
    path.write_bytes(mail("a@x", body="one\n\nFrom here\nno field") + mail("b@x"))
    found = list(corpora.messages(path))
    assert [one.count(b"Message-ID") for one in found] == [1, 1]
    assert found[0].endswith(b"one\n\nFrom here\nno field\n")
    whole = b"".join(b"From mboxrd@z Thu Jan  1 00:00:00 1970\n%b\n" % one for one in corpora.messages(corpus.mbox))
    assert whole == corpus.mbox.read_bytes()


def cases() -> list[object]:
    """Every contender, skipped by name where it is not there."""
    return [
        pytest.param(
            one,
            id=f"{one.task}: {one.title}",
            marks=pytest.mark.skipif(bool(one.missing()), reason=f"{one.name} is missing: {one.install}"),
        )
        for one in everyone()
    ]


@pytest.mark.parametrize("contender", cases())
def test_a_contender_runs_and_leaves_the_archive_as_it_was(
    contender: Contender, corpus: corpora.Corpus, place: Path, tmp_path: Path
) -> None:
    before = corpus.mbox.read_bytes()
    folder = place / "work" / f"{contender.task}-{contender.name}"
    folder.mkdir(parents=True, exist_ok=True)
    work = contender.prepare(corpus, folder)
    work.clean()
    made = run(work, 60)
    assert made.failure == ""
    assert made.wall > 0
    assert corpus.mbox.read_bytes() == before
    if work.size is not None:
        assert work.size() > 10 * MESSAGES


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    made = run(Work(["sh", "-c", "sleep 60 & sleep 60"], tmp_path), 0.2)
    assert made.failure == "ended after 0 s"
    assert made.wall < 10


def test_what_a_command_leaves_behind_is_waited_for_and_counted(tmp_path: Path) -> None:
    busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; touch done"
    made = run(Work(["sh", "-c", f"({busy}) & exit 0"], tmp_path), 30)
    assert made.failure == ""
    assert (tmp_path / "done").exists()
    assert made.cpu > 0.01


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    assert run(Work(["sh", "-c", "echo no such mail >&2; exit 3"], tmp_path)).failure == "exit code 3: no such mail"
    silent = run(Work(["true"], tmp_path, expect=b"threads"))
    assert silent.failure == "did not print 'threads'"


def test_a_peer_that_fails_or_would_take_too_long_has_no_figures(corpus: corpora.Corpus, tmp_path: Path) -> None:
    def contender(name: str, *command: str) -> Contender:
        return Contender(name, name, "threads", (), "", lambda _, folder: Work(command, folder))

    ours, broken = contender("weft", "true"), contender("broken", "false")
    known = [row(name="slow", messages=10, wall=1000.0)]
    rows = Bench(tmp_path, 1, 60).task(corpus, [ours, broken, contender("slow", "true")], known)
    assert [(one.name, one.failure) for one in rows] == [
        ("weft", ""), ("broken", "exit code 1"), ("slow", "not tried: about 20000 s by 10 messages"),
    ]  # fmt: skip
    assert rows[1].times_cpu is None


def row(**changes: object) -> Row:
    """A row of a table."""
    known = Row("200 generated", 200, 10**6, "threads", "mutt", "mutt, sort=threads", "", False, 1.0, 2.0, 10**7)
    return replace(known, **changes)  # type: ignore[arg-type]


def results() -> Results:
    """Of all kinds."""
    rows = [
        row(name="weft", title="weft rebuild", cpu=0.5),
        row(times_cpu=2.0, times_wall=1.0, times_memory=0.05),
        row(task="index", name="notmuch", title="notmuch new", more="also full text", index=4000, times_index=10.0),
        row(name="mblaze", title="mlist | mthread", cpu=0.0001, times_cpu=0.0002, times_wall=0.05, times_memory=1.0),
        row(name="neomutt", title="neomutt", failure="exit code 1"),
    ]
    paths = [
        PathRow("add", "add 1,000 messages", 200, 0.4, "s of CPU", 0.2),
        PathRow("streamed", "streamed", 200, None, "µs", 250.0, "not there"),
    ]
    grown = [growth.series("rebuild", "µs a message", [(10_000, 10.0), (100_000, 30.0)])]
    machine = Machine("2026-01-01", 2, "some family", 8 << 30, "Linux", "Python 3.11.7", "python -m tests.bench")
    missing = [Missing("mblaze", ("mthread",), "apt-get install mblaze")]
    return Results(machine, rows, [*shares(rows), *paths], grown, missing)


def test_the_text_has_one_line_for_each_figure_and_says_what_is_missing() -> None:
    text = as_text(results())
    assert text.startswith(
        "2026-01-01: 2 cores (some family), 8 GiB of memory, Linux, Python 3.11.7; python -m tests.bench\n"
    )
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "200 generated (200 messages, 1 MB), threads of one mbox, nothing kept" in lines
    assert "weft rebuild 0.500 2500.0 2.000 10" in lines
    assert "mutt, sort=threads 1.000 5000.0 2.000 10 2.00 1.00 0.050" in lines
    assert "mlist | mthread 0.000 0.50 2.000 10 < 0.001 0.050 1.00" in lines
    assert "neomutt exit code 1" in lines
    assert "notmuch new 1.000 5000.0 2.000 10 20 10.00 also full text" in lines
    assert "add 1,000 messages 200 0.4 0.2 s of CPU 2.00 times the limit" in lines
    assert "rebuild, CPU / mutt's 200 0.5 times 200 generated" in lines
    assert "streamed 200 250 µs not there" in lines
    assert "rebuild, µs a message 10 30 grows faster than n log n (by 2.40)" in lines
    assert "mblaze: mthread missing; apt-get install mblaze" in lines


def test_the_markdown_has_as_many_cells_in_each_line_of_a_table() -> None:
    tables = [part for part in as_markdown(results()).split("\n\n") if part.startswith("|")]
    assert len(tables) == 4
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1
        assert "---:" in table.splitlines()[1]


def test_the_json_holds_all_that_the_tables_hold() -> None:
    value = json.loads(as_json(results()))
    assert [one["microseconds_a_message"] for one in value["rows"]] == [2500.0, 5000.0, 5000.0, 0.5, None]
    assert value["machine"]["cores"] == 2
    assert value["growth"][0]["verdict"].startswith("grows faster")
    assert value["missing"] == [{"name": "mblaze", "needs": ["mthread"], "install": "apt-get install mblaze"}]


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([(10_000, 10.0)], "one size only"),
        ([(10_000, 10.0), (100_000, 12.5), (1_000_000, 15.0)], "within n log n (1.00)"),
        ([(1_000_000, 15.0), (10_000, 10.0)], "within n log n (1.00)"),
        ([(10_000, 10.0), (100_000, 13.0), (1_000_000, 22.0)], "grows faster than n log n (by 1.47)"),
        ([(10_000, 10.0), (1_000_000, 1000.0)], "grows faster than n log n (by 66.67)"),
    ],
)
def test_growth_beyond_n_log_n_is_named(points: list[tuple[int, float]], verdict: str) -> None:
    assert growth.series("a path", "µs", points).verdict == verdict


def test_the_forest_alone_is_measured_on_as_many_ids_as_are_asked_for() -> None:
    assert growth.forest(MESSAGES) > 0


@pytest.mark.skipif(bool(plot.missing()), reason=f"matplotlib is missing: {plot.missing()}")
def test_the_plot_is_drawn_twice_in_equal_bytes(tmp_path: Path) -> None:
    svg, png = plot.draw(results(), tmp_path / "plot.svg")
    before = svg.read_bytes()
    assert b"mutt, sort=threads" in before or b"<svg" in before
    assert png.read_bytes().startswith(b"\x89PNG")
    plot.draw(results(), tmp_path / "plot")
    assert svg.read_bytes() == before


def test_the_command_measures_what_is_asked_for_and_writes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "results.json"
    asked = ["--messages", str(MESSAGES), "--rounds", "1", "--only", "mailbox", "--folder", str(tmp_path / "folder")]
    main([*asked, "--json", str(target), "--markdown", str(tmp_path / "results.md")])
    value = json.loads(target.read_text())
    assert {(one["task"], one["name"], one["failure"]) for one in value["rows"]} == {
        ("threads", "weft", ""), ("threads", "mailbox", ""), *((task, "weft", "") for task in TASKS),
    }  # fmt: skip
    assert all(one["times_cpu"] > 0 for one in value["rows"] if one["name"] == "mailbox")
    assert "python: mailbox" in capsys.readouterr().out
    assert "| python: mailbox" in (tmp_path / "results.md").read_text()


@pytest.mark.slow
def test_light_calls_are_answered_beside_heavy_ones(tmp_path: Path) -> None:
    ids, large = client_shares.fill(tmp_path / "index.db", 1000)
    server, address = client_shares.serve(tmp_path / "index.db", "--trusted-proxy", "127.0.0.1")
    try:
        load = client_shares.Load(address, ids, large, 3.0)
        asyncio.run(load.run())
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert set(load.heavy) <= {"OK", "RESOURCE_EXHAUSTED"}
    assert load.heavy["OK"] > 0
    assert len(load.light) >= client_shares.LIGHT
    assert float("inf") not in load.light
    assert " light calls within 1 s" in client_shares.shown(load)
