"""``weft crossposts``: what each list alone would show, against what all of them together show.

``--json`` gives one object: ``format`` (1); ``lists``, an object by name; ``threads``, ``on_several_lists``,
``not_the_same_on_all`` and ``whole_on_none`` of the trees of all lists together, the same four of ``components``, and
what else `weft.analysis.crossposts.CrosspostCounts` holds; ``models`` (`weft.analysis.authority_models`) and
``order_of_arrival`` (`weft.analysis.arrival_order`).  It may only grow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft.cli._options import index_options, policy_option
from weft.cli._output import (
    Progress,
    check_absent,
    make_folder,
    message_options,
    open_output,
    source_options,
    terminal_columns,
)
from weft.errors import UsageError, WeftError

if TYPE_CHECKING:
    from weft.analysis.arrival_order import Arrival
    from weft.analysis.authority_models import Models
    from weft.analysis.corpus import Corpus
    from weft.analysis.crossposts import Crossposts
    from weft.analysis.figures import Figures
    from weft.sources.interface import NoteLog

_INTO_A_FILE = 100


@dataclass(frozen=True, slots=True)
class CrosspostReport:
    """All that is reported of a corpus; pictures of it are drawn from this too."""

    corpus: Corpus
    crossposts: Crossposts
    models: Models
    arrival: Arrival

    def as_json(self) -> dict[str, object]:
        """The object of ``--json``."""
        return {
            "format": 1,
            **self.crossposts.as_json(),
            "models": self.models.as_json(),
            "order_of_arrival": self.arrival.as_json(),
        }

    def lines(self, columns: int) -> Iterator[str]:
        """The three parts for people."""
        yield from self.crossposts.lines(columns)
        if len(self.corpus.names) > 1:
            yield from ("", "If one server kept the thread:")
            yield from self.models.lines(columns)
        yield from ("", "The same mail in other orders of arrival:")
        yield from self.arrival.lines(columns)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where pictures are written: a folder of them, a page, or neither; which thread is drawn over lanes."""

    folder: str | None
    page: str | None
    thread: str | None
    force: bool

    def check(self, output: str | None) -> None:
        """Before anything is read: say at once what cannot be drawn or written."""
        if self.folder is None and self.page is None:
            if self.thread is not None:
                raise UsageError("--thread chooses what is drawn; give --html or --figures too")
            return
        targets = [*self._files(), *([self.page] if self.page is not None else [])]
        if self.folder is not None:
            from weft.analysis.png import need_plot

            need_plot()
            make_folder(self.folder)
        places = [os.path.realpath(path) for path in (*targets, *([output] if output is not None else []))]
        if len(set(places)) < len(places):
            raise UsageError("two outputs are one file; choose another name for one of them")
        for path in targets:
            check_absent(path, force=self.force)
            if not os.access(Path(os.path.realpath(path)).parent, os.W_OK):
                raise WeftError(f"{path} cannot be written: its folder is not there or is closed; choose another place")

    def draw(self, report: CrosspostReport) -> Figures | None:
        """All pictures, if any are wanted."""
        if self.folder is None and self.page is None:
            return None
        from weft.analysis.figures import figures
        from weft.cli._ids import parse_id

        thread = None if self.thread is None else parse_id(self.thread)
        return figures(report.corpus, report.crossposts, thread)

    def write(self, report: CrosspostReport, drawn: Figures) -> None:
        """Write them, each whole or not at all."""
        if self.folder is not None:
            for path, (_, data) in zip(self._files(), drawn.files(), strict=True):
                with open_output(path, force=self.force) as file:
                    file.write(data)
        if self.page is not None:
            from weft.analysis.report_html import write_page

            with open_output(self.page, force=self.force) as file:
                write_page(report.corpus, report.crossposts, report.models, report.arrival, drawn, file)

    def _files(self) -> list[str]:
        if self.folder is None:
            return []
        from weft.analysis.figures import FILES

        return [str(Path(self.folder) / name) for name in FILES]


@click.command("crossposts")
@click.argument("paths", nargs=-1, metavar="[[LIST=]PATH]...")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--orders", type=click.IntRange(1), default=6, show_default=True, metavar="K",
    help="Link the mail in K orders of arrival.",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="From which the orders are drawn.")
@source_options
@click.option("--html", "page", type=click.Path(dir_okay=False), help="Write a page too, with pictures and tables.")
@click.option(
    "--figures", "folder", type=click.Path(file_okay=False), help="Write pictures too, as SVG and PNG, into a folder."
)
@click.option("--thread", metavar="ID", help="The thread that is drawn; without it, one that tells much.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a file instead of stdout.")
@click.option("--force", is_flag=True, help="Overwrite output files.")
@policy_option
@index_options
@message_options
def command(
    paths: tuple[str, ...],
    as_json: bool,
    orders: int,
    seed: int,
    by: str | None,
    max_ratio: int,
    page: str | None,
    folder: str | None,
    thread: str | None,
    output: str | None,
    force: bool,
    policy: str | None,
    index: str | None,
    config: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """What each list alone would show, and what all of them show together.

    Each list is taken as a server of its own.  The mail is read from PATHs, as by weft rebuild; without one, from the
    index.  Exit code 3 says that something was skipped.

    \b
    weft crossposts ietf.mbox ietf-822=archive/2003.mbox.gz
    weft crossposts --html report.html --figures pictures/ lists/
    weft crossposts --json
    """
    from weft.sources.interface import NoteLog

    if paths and (index is not None or config is not None or policy is not None):
        raise UsageError("the mail comes from files or from an index; give PATHs, or --index, --config and --policy")
    pictures = Pictures(folder, page, thread, force)
    pictures.check(output)
    with Progress(quiet=quiet, verbose=verbose) as progress:
        log = NoteLog(progress.note)
        with open_output(output, force=force) as file:
            corpus = (
                _read(paths, max_ratio, by is not None, log, progress)
                if paths
                else _counted(index, config, policy, progress)
            )
            made = _report(corpus, orders, seed, progress)
            progress.show("pictures")
            drawn = pictures.draw(made)
            progress.end()
            for line in _lines(made, as_json=as_json, whole=output is not None):
                file.write(f"{line}\n".encode())
        if drawn is not None:
            progress.show("writing pictures")
            pictures.write(made, drawn)
        if log.doubts and not quiet:
            progress.say(f"weft: {log.doubts}")
    return 3 if log.skipped else 0


def _read(paths: Sequence[str], max_ratio: int, by_list_id: bool, log: NoteLog, progress: Progress) -> Corpus:
    from weft.analysis.corpus_reader import corpus_of_sources
    from weft.sources.discover import discover

    return corpus_of_sources(
        discover(paths, log, max_ratio=max_ratio, by_list_id=by_list_id), log, progress=progress.show
    )


def _counted(index: str | None, config: str | None, policy: str | None, progress: Progress) -> Corpus:
    from weft.analysis.corpus_reader import corpus_of_index
    from weft.index.index import Index
    from weft.policy.files import index_path

    # The claims are counted by the policy itself, so no view is made.
    with Index.open(index_path(index), policy=policy or config, create=False, read_only=True, reading=True) as opened:
        return corpus_of_index(opened, progress=progress.show)


def _report(corpus: Corpus, orders: int, seed: int, progress: Progress) -> CrosspostReport:
    from weft.analysis.arrival_order import arrival
    from weft.analysis.authority_models import models
    from weft.analysis.crossposts import report

    progress.show("counting")
    crossposts = report(corpus)
    progress.show("one server instead of all")
    compared = models(corpus)
    progress.show("other orders of arrival")
    return CrosspostReport(corpus, crossposts, compared, arrival(corpus, orders, seed))


def _lines(report: CrosspostReport, *, as_json: bool, whole: bool) -> Iterator[str]:
    """What is printed; ``whole``: it goes to a file, where no terminal wraps it."""
    if as_json:
        yield json.dumps(report.as_json())
    else:
        yield from report.lines(_INTO_A_FILE if whole else terminal_columns())
