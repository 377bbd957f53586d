"""The examples of README.md do what it says: each is run, and what it prints is compared with what the README shows.

* A ``console`` block: lines that begin with ``$ `` are commands, those that begin with ``> `` go on with one; below
  each stands what it prints to stdout and stderr.  One shell runs a block, in an empty folder that has ``fixtures`` in
  it.  ``mutt`` is run in a pseudo-terminal, must show every message of its mbox, and is left again.
* A ``python`` block is run; what it prints stands in the ``text`` block after it, if there is one.
* In what is shown, a line ``...`` stands for any lines, and ``...`` within a line for anything on it.
* ``<!-- not run: why -->`` before a block: it is not run.  Only the set-up is marked so, and .ci/run does that.
* A block that needs a program of `OPTIONAL` that is not installed is skipped.

``python -m tests.test_readme`` writes what is printed now into the README, where nothing is left out with ``...``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

from tests.archives import FIXTURES
from tests.cli.running import environment

README = FIXTURES.parent / "README.md"
OPTIONAL = ("mutt", "dot")

_FENCE = re.compile(
    r"^(?P<mark><!-- not run: [^\n]+ -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```\n"
    r"(?:\n```text\n(?P<printed>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_END = "--- end of a command ---"


@dataclass(frozen=True, slots=True)
class Example:
    """A block that is run: where it stands in the README, its ``kind``, and steps (program, what it should print)."""

    line: int
    kind: str
    steps: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.kind} in line {self.line}"


def examples(readme: str) -> Iterator[Example]:
    """The blocks of the README that are run."""
    for found in _FENCE.finditer(readme):
        line = readme.count("\n", 0, found.start("text"))
        if found["mark"]:
            continue
        if found["kind"] == "console":
            yield Example(line, "console", tuple(commands(found["text"])))
        elif found["kind"] == "python":
            yield Example(line, "python", ((found["text"], found["printed"] or ""),))


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
    if example.kind == "python":
        script = ["python3", "-c", example.steps[0][0]]
    else:
        script = ["bash", "-c", "".join(map(step_of_shell, example.steps))]
    path = f"{binaries}:{environment()['PATH']}"
    done = subprocess.run(
        script, cwd=folder, env=environment(PATH=path, HOME=str(folder)), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
    )  # fmt: skip
    if example.kind == "python":
        assert done.returncode == 0, done.stdout
        return [done.stdout]
    return done.stdout.split(f"{_END}\n")[:-1]


def step_of_shell(step: tuple[str, str]) -> str:
    """One command, and a mark that ends its output and leaves its exit code to the next."""
    return f"{step[0]}\n(code=$?; echo '{_END}'; exit $code)\n"


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


EXAMPLES = list(examples(README.read_text()))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_prints_what_the_readme_shows(example: Example, tmp_path: Path) -> None:
    for program in OPTIONAL:
        if any(re.search(rf"(^|\| ){program} ", step[0]) for step in example.steps) and not which(program):
            pytest.skip(f"{program} is not installed")
    printed = run(example, tmp_path)
    assert len(printed) == len(example.steps)
    for (program, shown), text in zip(example.steps, printed, strict=True):
        assert matches(shown, text), f"{program}prints\n{text}"


def test_the_readme_has_examples_of_both_kinds_and_only_set_up_is_not_run() -> None:
    assert {example.kind for example in EXAMPLES} == {"console", "python"}
    not_run = [found["text"] for found in _FENCE.finditer(README.read_text()) if found["mark"]]
    assert not_run
    assert all("pip install" in text or "_WEFT_COMPLETE" in text for text in not_run)


def test_the_readme_shows_both_commands_that_do_all_the_set_up() -> None:
    start = "\npython3 -m venv .venv && .venv/bin/pip install -q "
    assert README.read_text().count(f"{start}. && .venv/bin/weft rebuild fixtures/story/*.mbox\n") == 1
    assert README.read_text().count(f"{start}-e '.[test]' && .venv/bin/pytest -n 2\n") == 1


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\n", "b\nc\n", False),
        ("a ... d\n", "a b c d\n", True),
        ("a ... d\n", "a b\nc d\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_dots_stand_for_what_is_left_out(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) == same


def main() -> None:
    """Write what the examples print now into the README."""
    readme = README.read_text()
    for example in examples(readme):
        with tempfile.TemporaryDirectory() as folder:
            printed = run(example, Path(folder))
        for (program, shown), text in zip(example.steps, printed, strict=True):
            if matches(shown, text):
                continue
            if example.kind == "console":
                prompt = "$ " + program.replace("\n", "\n> ")[:-2]
            else:
                prompt = program + "```\n\n```text\n"
            if "..." in shown or readme.count(prompt + shown) != 1:
                print(f"{README.name}:{example.line}: change this by hand; {program}prints\n{text}")
            else:
                readme = readme.replace(prompt + shown, prompt + text)
    README.write_text(readme)


if __name__ == "__main__":
    main()
