"""Runs the examples of a page of documentation and compares what they print with what the page shows.

* A ``console`` block: lines that begin with ``$ `` are commands, those that begin with ``> `` continue one; below
  each stands what it prints to stdout and stderr.  One shell runs a block, in an empty folder that has ``fixtures`` in
  it and is its home.  ``mutt`` is run in a pseudo-terminal, must show every message of its mbox, and is left again.
* A ``python`` block is run; what it prints stands in the ``text`` block after it, if there is one.
* ``<!-- continued -->`` before a block: it is run after the block before it, in the same folder.
* In what is shown, a line ``...`` stands for any lines, and ``...`` within a line for anything on it.
* ``<!-- not run: why -->`` before a block: it is not run.
* A block that needs a program of `OPTIONAL` that is not installed is skipped.

``python -m tests.documented_examples [PAGE...]`` writes what is printed now into README.md and the pages of
``src/weft/docs``, where nothing is left out with ``...``.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from tests.cli.command_runner import environment
from tests.factories import FIXTURES

README = FIXTURES.parent / "README.md"
DOCS = FIXTURES.parent / "src" / "weft" / "docs"
OPTIONAL = ("mutt", "dot", "git", "grpcurl")

_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>not run: [^\n]+|continued) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```\n"
    r"(?:\n```text\n(?P<printed>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_END = "--- end of a command ---"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a ``console`` block, or the whole of a ``python`` block, and what it should print."""

    kind: str
    program: str
    shown: str


@dataclass(frozen=True, slots=True)
class Example:
    """Blocks that are run together: where the first stands (``page``, ``line``), and their steps."""

    page: Path
    line: int
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def missing(self) -> str | None:
        """A program that it needs and that is not installed."""
        needed = (name for name in OPTIONAL for step in self.steps if re.search(rf"(^|\| ){name} ", step.program))
        return next((name for name in needed if not which(name)), None)


def documents() -> list[Path]:
    """The README and all pages."""
    return [README, *sorted(DOCS.rglob("*.md"))]


def examples(page: Path) -> list[Example]:
    """The blocks of a page that are run, continued ones with those that they continue."""
    text = page.read_text()
    found: list[Example] = []
    for block in _FENCE.finditer(text):
        mark = block["mark"] or ""
        if mark.startswith("not run") or block["kind"] not in ("console", "python"):
            continue
        if block["kind"] == "console":
            steps = tuple(Step("console", *step) for step in commands(block["text"]))
        else:
            steps = (Step("python", block["text"], block["printed"] or ""),)
        if mark == "continued":
            last = found.pop()
            found.append(Example(page, last.line, last.steps + steps))
        else:
            found.append(Example(page, text.count("\n", 0, block.start("text")), steps))
    return found


def not_run(page: Path) -> list[str]:
    """The blocks of a page that are marked as not run."""
    return [block["text"] for block in _FENCE.finditer(page.read_text()) if (block["mark"] or "").startswith("not run")]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a ``console`` block with what each should print."""
    assert text.startswith("$ "), f"a console block begins with a command: {text!r}"
    for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        first, *rest = step.splitlines(keepends=True)
        while rest and rest[0].startswith("> "):
            first += rest.pop(0)[2:]
        yield first, "".join(rest)


def run(example: Example, folder: Path) -> list[str]:
    """What each step of an example prints, run in ``folder``."""
    binaries = folder / ".bin"
    binaries.mkdir()
    (binaries / "mutt.py").write_text(_IN_MUTT)
    for name, arguments in (("weft", "-m weft"), ("python3", ""), ("mutt", f"'{binaries}/mutt.py' {which('mutt')}")):
        (binaries / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' {arguments} \"$@\"\n")
        (binaries / name).chmod(0o755)
    (folder / "fixtures").symlink_to(FIXTURES)
    script = ["bash", "-c", "".join(map(_in_shell, example.steps))]
    path = f"{binaries}:{environment()['PATH']}"
    done = subprocess.run(
        script, cwd=folder, env=environment(PATH=path, HOME=str(folder)), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.stdout.split(f"{_END}\n")[:-1]


def _in_shell(step: Step) -> str:
    """One step, and a mark that ends its output and leaves its exit code to the next."""
    program = step.program
    if step.kind == "python":
        program = f"python3 -c {shlex.quote(program)} || echo 'the program failed'\n"
    return f"{program}\n(code=$?; echo '{_END}'; exit $code)\n"


_IN_MUTT = """
import sys
import pexpect

messages = open(sys.argv[-1]).read().count("From mboxrd@z ")
arguments = ["-n", "-F", "/dev/null", "-e", "set folder=/", *sys.argv[2:]]
mutt = pexpect.spawn(sys.argv[1], arguments, dimensions=(40, 120), encoding="utf-8", timeout=30)
mutt.expect(r"Msgs:(\\d+)")
assert int(mutt.match[1]) == messages > 0
mutt.send("x")
mutt.expect(pexpect.EOF)
"""


def matches(shown: str, printed: str) -> bool:
    """Whether ``printed`` is what is ``shown``, with ``...`` for anything."""
    pattern = ""
    for line in shown.splitlines(keepends=True):
        pattern += r"(?:.*\n)*" if line == "...\n" else re.escape(line).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed) is not None


def main() -> None:
    """Write what the examples print now into the pages that are named, or into all."""
    for page in [Path(name).resolve() for name in sys.argv[1:]] or documents():
        _update(page)


def _update(page: Path) -> None:
    text = page.read_text()
    for example in examples(page):
        if example.missing:
            print(f"{example}: not run: {example.missing} is not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            printed = run(example, Path(folder))
        for step, now in zip(example.steps, printed, strict=True):
            if matches(step.shown, now):
                continue
            if step.kind == "console":
                prompt = "$ " + step.program.replace("\n", "\n> ")[:-2]
            else:
                prompt = step.program + "```\n\n```text\n"
            if "..." in step.shown or text.count(prompt + step.shown) != 1:
                print(f"{example}: change this by hand; {step.program}prints\n{now}")
            else:
                text = text.replace(prompt + step.shown, prompt + now)
    page.write_text(text)


if __name__ == "__main__":
    main()
