"""``python -m tests.bench.rebuild``: the cost of ``weft rebuild``, beside mutt opening the same mbox sorted by threads.

Prints CPU and wall seconds, peak memory, and ratios; the best of some runs each.  Peak memory is that of the largest
process; one that scans adds about 25 MB, one that writes shares all but what it touches (`tests.bench` sums up).
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from tests.bench.resource_usage import Usage, best, run, weft
from tests.generate import write_mboxes

_MUTTRC = "set sort=threads\nset strict_threads=yes\nset folder=/tmp\n"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "weft-bench")
    arguments = parser.parse_args()
    # What is installed has compiled bytecode; the first of some runs writes it here.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(arguments.folder / "bytecode")
    start = best([run(weft("--version")) for _ in range(5)])
    print(f"weft --version: {start.cpu:.3f} s of CPU (limit 0.15)")
    for messages in arguments.messages:
        [mbox] = write_mboxes(arguments.folder / f"mbox-{messages}", messages)
        _compare(mbox, messages, arguments.runs)
    for name, path in hostile(arguments.folder):
        ours = best([run(weft("rebuild", "--format", "jsonl", "-o", "/dev/null", str(path)))])
        size = path.stat().st_size
        print(f"{name}: {size / 1e6:.1f} MB, {ours.cpu:.2f} s, {ours.cpu / size * 1e9:.0f} ns a byte, exit {ours.code}")


def _compare(mbox: Path, messages: int, runs: int) -> None:
    """Print one size, with mutt's figures if it is installed."""
    command = weft("rebuild", "--format", "jsonl", "-o", "/dev/null", "--force", str(mbox))
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(run(command))
        if shutil.which("mutt"):
            theirs.append(_mutt(mbox))
    ours_best = best(ours)
    print(f"{messages} messages, {mbox.stat().st_size / 1e6:.0f} MB")
    _print("weft", ours_best, messages)
    if theirs:
        theirs_best = best(theirs)
        _print("mutt", theirs_best, messages)
        wall = min(usage.wall for usage in ours) / min(usage.wall for usage in theirs)
        print(f"  weft / mutt: CPU {ours_best.cpu / theirs_best.cpu:.2f} (limit 0.65), wall {wall:.2f} (limit 0.40)")
    print(f"  memory: {(ours_best.memory - 60e6) / messages:.0f} bytes a message above 60 MB (limit 450)")


def _print(name: str, usage: Usage, messages: int) -> None:
    print(
        f"  {name}: {usage.cpu:.2f} s of CPU ({usage.cpu / messages * 1e6:.1f} us a message), {usage.wall:.2f} s, "
        f"{usage.memory / 1e6:.0f} MB"
    )


def _mutt(mbox: Path) -> Usage:
    with tempfile.NamedTemporaryFile("w", suffix=".muttrc") as rc:
        rc.write(_MUTTRC)
        rc.flush()
        return run(["mutt", "-n", "-F", rc.name, "-R", "-f", str(mbox), "-e", "push <exit>"], terminal=True)


def hostile(folder: Path) -> list[tuple[str, Path]]:
    """Inputs that cost more than linear time in a careless program, each at two sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for scale in (1, 4):
        ids = " ".join(f"<{n}@many.example>" for n in range(2500 * scale))
        cases = {
            "References of many ids": [f"Message-ID: <a@x>\nReferences: {ids}\n\n"],
            "a subject of 4 MB": [f"Message-ID: <a@x>\nSubject: {'=?utf-8?q?x?= ' * 75_000 * scale}\n\n"],
            "a deep chain": [f"Message-ID: <{n}@x>\nIn-Reply-To: <{n - 1}@x>\n\n" for n in range(12_500 * scale)],
            "many children": [f"Message-ID: <{n}@x>\nIn-Reply-To: <root@x>\n\n" for n in range(12_500 * scale)],
            "many copies of one id": [f"Message-ID: <a@x>\nSubject: {n}\n\n" for n in range(12_500 * scale)],
            "quotes and comments": ["Message-ID: <a@x>\nReferences: " + '(\\"' * 20_000 * scale + "\n\n"] * 4,
        }
        for name, mails in cases.items():
            path = folder / f"hostile-{name.replace(' ', '-')}-{scale}.mbox"
            path.write_text("".join(f"From x Thu Jan  1 00:00:00 1970\n{mail}" for mail in mails))
            made.append((f"{name} (x{scale})", path))
    return sorted(made)


if __name__ == "__main__":
    main()
