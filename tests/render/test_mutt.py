"""What mutt makes of an exported thread."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from weft.model import Copy, Message, Thread
from weft.render.mbox import write_mboxrd
from weft.render.text import draw_thread

pexpect = pytest.importorskip("pexpect")

# name: (parent, depth), in display order
TREE: dict[str, tuple[str | None, int]] = {
    "a": (None, 0),
    "b": ("a", 1),
    "c": ("b", 2),
    "d": ("c", 3),
    "e": ("b", 2),
    "f": ("a", 1),
    "g": ("f", 2),
    "h": (None, 0),
}
ROWS, COLUMNS = 40, 160
SETTINGS = """set sort=threads strict_threads=yes ascii_chars=yes quit=yes help=no folder=/ header_cache=""
set index_format="%4C %s"
set read_inc=0
"""


def mail(name: str, minute: int) -> bytes:
    """One message; bodies and headers try to look like the beginning of another."""
    references: list[str] = []
    parent = TREE[name][0]
    while parent is not None:
        references.insert(0, f"<{parent}@x.example>")
        parent = TREE[parent][0]
    fields = [
        f"Message-ID: <{name}@x.example>",
        f"Date: Mon, 10 Feb 2003 00:{minute:02d}:00 +0000",
        "From: Ann Other <ann@x.example>",
        f"Subject: subject {name}",
    ]
    if references:
        fields += [f"References: {' '.join(references)}", f"In-Reply-To: {references[-1]}"]
    body = "\nFrom mboxrd@z Thu Jan  1 00:00:00 1970\nSubject: not a message\n\n>From here\n\n\n"
    return ("\n".join(fields) + "\n" + body).encode()


def screen(output: str) -> list[str]:
    """The rows of the terminal after ``output``: positioning, erasing and repeating, as curses writes for xterm."""
    rows = [[" "] * COLUMNS for _ in range(ROWS + 1)]
    row = column = 0
    token = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[()=>].?|([\r\n\b])|([^\x1b\r\n\b])", re.DOTALL)
    for arguments, command, control, character in token.findall(output):
        numbers = [int(one) if one.isdigit() else 0 for one in arguments.split(";")]
        first = max(1, numbers[0])
        if command == "H":
            row, column = first - 1, max(1, numbers[1] if len(numbers) > 1 else 1) - 1
        elif command == "d":
            row = first - 1
        elif command == "G":
            column = first - 1
        elif command == "C":
            column += first
        elif command == "K" and numbers[0] == 0:
            rows[row][column:] = [" "] * (COLUMNS - column)
        elif command == "J":
            rows[row:] = [[" "] * COLUMNS for _ in rows[row:]]
        elif command == "b":
            rows[row][column : column + first] = [rows[row][column - 1]] * first
            column += first
        elif control:
            row, column = (row + 1, column) if control == "\n" else (row, 0 if control == "\r" else column - 1)
        elif character:
            rows[row][min(column, COLUMNS - 1)] = character
            column += 1
    return ["".join(cells).rstrip() for cells in rows]


def parents_in_mutt(folder: Path) -> dict[str, str | None]:
    """The parent of each message, as mutt's index draws it."""
    (folder / "muttrc").write_text(SETTINGS)
    arguments = ["-n", "-F", str(folder / "muttrc"), "-R", "-f", str(folder / "thread.mbox")]
    environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    mutt = pexpect.spawn("mutt", arguments, env=environment, dimensions=(ROWS, COLUMNS), encoding="utf-8", timeout=20)
    try:
        mutt.expect(r"Msgs:(\d+).*\(all\)---")
        assert mutt.match[1] == str(len(TREE))
        rows = screen(mutt.before + mutt.after)
        mutt.send("x")
        mutt.expect(pexpect.EOF)
    finally:
        mutt.close(force=True)
    parents: dict[str, str | None] = {}
    above: dict[int, str] = {}
    for row in rows:
        if line := re.match(r" *\d+ ((?:[| ] )*[|`]->)?subject (\w)$", row):
            depth = (len(line[1] or "") - 1) // 2 if line[1] else 0
            parents[line[2]] = above[depth - 1] if depth else None
            above[depth] = line[2]
    return parents


@pytest.mark.skipif(shutil.which("mutt") is None, reason="mutt is not installed")
@pytest.mark.parametrize("escaped", [False, True], ids=["unescaped", "escaped"])
def test_mutt_opens_an_exported_thread_as_the_same_tree(tmp_path: Path, escaped: bool) -> None:
    mails = [mail(name, minute) for minute, name in enumerate(TREE)]
    if escaped:
        mails = [re.sub(rb"^(>*From )", rb">\1", raw, flags=re.MULTILINE) for raw in mails]
    with (tmp_path / "thread.mbox").open("wb") as file:
        write_mboxrd(((raw, escaped) for raw in reversed(mails)), file)
    assert parents_in_mutt(tmp_path) == {name: parent for name, (parent, _) in TREE.items()}


def test_the_text_tree_draws_these_messages_at_the_same_depths() -> None:
    messages = [
        Message(name, parent, depth, False, False, 1, None, "Ann", f"subject {name}", (Copy("l", "", "", None),))
        for name, (parent, depth) in TREE.items()
    ]
    drawn = [line for part in (messages[:-1], messages[-1:]) for line in list(draw_thread(Thread(tuple(part), "")))[1:]]
    assert [(line.index("subject") - 2) // 3 for line in drawn] == [depth for _, depth in TREE.values()]
