"""Mail is filed by its List-Id only where the operator says so, and what has none has a list too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command_runner import weft
from tests.cli.server_home import Home
from weft.sources.list_id import list_id


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"List-Id: <dev.example.org>\n", "dev.example.org"),
        (b"Subject: x\nLIST-ID : A list, for all <Dev.Example.ORG>\nFrom: a\n", "dev.example.org"),
        (b"List-ID: folded\n <dev.\n example.org>\n", "dev.example.org"),
        (b"List-Id: <x> <dev.example.org>\n", "dev.example.org"),
        (b"List-Id: dev.example.org\n", "dev.example.org"),
        (b"List-Id: <dev.example.org>\nList-Id: again <DEV.example.org>\n", "dev.example.org"),
        (b"List-Id: <dev.example.org>\nList-Id: <users.example.org>\n", None),
        (b"List-Id: <dev.example.org>\nList-Id: words that are none\n", None),
        (b"List-Id: some words\n", None),
        (b"List-Id: <>\n", None),
        (b"List-Id: <a/b>\n", None),
        (b"List-Id: <\xff\xfe>\n", None),
        (b"List-Id: <a\x1b[2Jb>\n", None),
        (b"List-Id: <" + b"x" * 300 + b">\n", None),
        (b"X-List-Id: <dev.example.org>\n", None),
        (b"", None),
    ],
)
def test_the_list_of_a_header(header: bytes, name: str | None) -> None:
    assert list_id(header) == name


@given(st.binary(max_size=300))
def test_any_value_names_a_list_or_none(value: bytes) -> None:
    found = list_id(b"List-Id: " + value + b"\n")
    assert found is None or "/" not in found


def message(name: str, field: str = "") -> bytes:
    return f"From: ann@example.org\nMessage-ID: <{name}@example.org>\n{field}Subject: {name}\n\n{name}\n".encode()


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A folder, an mbox and an archive with the mail of two lists and of none."""
    folder = tmp_path / "mail"
    for part in ("cur", "new"):
        (folder / part).mkdir(parents=True)
    (folder / "cur/1.M1.h:2,").write_bytes(message("m1", "List-Id: Dev <dev.example.org>\n"))
    (folder / "cur/2.M2.h:2,").write_bytes(message("m2", "List-Id: <users.example.org>\n"))
    (folder / "new/3.M3.h").write_bytes(message("m3"))
    line = b"From ann@example.org Tue Feb 11 10:00:00 2003\n"
    more = (
        message("m4", "List-Id: <dev.example.org>\n"),
        message("m5"),
        message("m6", "List-Id: <users.example.org>\n"),
    )
    (tmp_path / "more.mbox").write_bytes(b"".join(line + one + b"\n" for one in more))
    return tmp_path


EXPECTED = {
    "m1": ["dev.example.org"], "m2": ["users.example.org"], "m3": ["rest"],
    "m4": ["dev.example.org"], "m5": ["rest"], "m6": ["users.example.org"],
}  # fmt: skip


def lists(lines: list[str]) -> dict[str, list[str]]:
    messages = [message for line in lines for message in json.loads(line)["messages"]]
    return {message["id"].partition("@")[0]: message["lists"] for message in messages}


def test_a_rebuild_files_a_mixed_folder_by_list_id(mail: Path) -> None:
    arguments = ["--by", "list-id", f"rest={mail / 'mail'}", f"rest={mail / 'more.mbox'}"]
    ran = weft("rebuild", "--format", "jsonl", *arguments)
    assert ran.code == 0
    assert lists(ran.text.splitlines()) == EXPECTED
    assert "(dev.example.org 2, rest 2, users.example.org 2)" in ran.err[-1]
    data = weft("rebuild", "--format", "mboxrd", *arguments).text
    assert data.count("\nMessage-ID: <m") == 6
    assert weft("rebuild", "--format", "jsonl", "--processes", "4", *arguments).out == ran.out


def test_without_a_name_for_the_rest_it_is_a_usage_error(mail: Path) -> None:
    ran = weft("rebuild", "--by", "list-id", mail / "more.mbox")
    assert (ran.code, len(ran.err)) == (2, 1)
    assert "LIST=PATH" in ran.err[0]


def test_an_index_is_filed_by_list_id_and_again(mail: Path, home: Home) -> None:
    arguments = ("ingest", "--by", "list-id", f"rest={mail / 'mail'}", f"rest={mail / 'more.mbox'}")
    assert home.weft(*arguments).err == [
        "weft: 6 messages read (dev.example.org 2, rest 2, users.example.org 2), 6 new claims"
    ]
    assert home.weft(*arguments).err == ["weft: 0 messages read, 0 new claims; 2 files unchanged"]
    (mail / "mail/new/4.M4.h").write_bytes(message("m7", "List-Id: <dev.example.org>\n"))
    with (mail / "more.mbox").open("ab") as file:
        file.write(b"From ann@example.org Tue Feb 11 10:00:00 2003\n" + message("m8") + b"\n")
    assert home.weft(*arguments).err[0].endswith(", 2 new claims; 1 grown (only its end was read)")
    assert lists(home.weft("export", "--format", "jsonl").text.splitlines()) == {
        **EXPECTED,
        "m7": ["dev.example.org"],
        "m8": ["rest"],
    }
    assert home.weft("export", "--format", "mboxrd").text.count("\nMessage-ID: <m") == 8
