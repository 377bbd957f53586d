"""A file that is ingested while it grows gives what it gives when it is read whole, wherever it ended meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.index.factories import counted, open_index
from tests.sources.dialects import DIALECTS, message

INNER = b"From bob@example.org Tue Feb 11 10:00:00 2003\nMessage-ID: <inner@x>\nFrom: bob@example.org\n\ntext\n"
MAILS = [
    message(0, b"Foo: bar", None, [b"text", b"", b"From my side", b"Note: one", b"", INNER, b""]),
    message(1, b"Received: x", 0, [b"From -", b"Subject: none", b"", b"", b"-- "]),
    message(2, b"X-Foo: bar", 1, [b"text"], ends=False),
]


@pytest.mark.parametrize(
    "dialect",
    [
        "mboxcl2",
        "mutt, no empty line",
        "BOM before",
        "CR",
        "CRLF",
        "git format-patch",
        "an empty line behind",
    ],
)
def test_every_cut_of_a_growing_file_gives_the_same_claims(tmp_path: Path, dialect: str) -> None:
    data = DIALECTS[dialect](MAILS)
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "l.mbox").write_bytes(data)
    with open_index(whole) as index:
        index.ingest("l", whole / "l.mbox")
        wanted = set(counted(index))
    with open_index(tmp_path) as index:
        for cut in range(1, len(data), 23):
            path = tmp_path / f"{cut}.mbox"
            path.write_bytes(data[:cut])
            index.ingest(f"l{cut}", path)
            path.write_bytes(data[:cut])  # as it was
            with path.open("ab") as file:
                file.write(data[cut:])
            index.ingest(f"l{cut}", path)
            claims = counted(index).values()
            found = {claim.message_id for claim in claims if claim.list == f"l{cut}".encode()}
            assert len([claim for claim in claims if claim.list == f"l{cut}".encode()]) == len(wanted), cut
            assert found == {b"m0@x", b"m1@x", b"m2@x"}, cut
        assert list(index.check()) == []
