"""An archive is a function of the set of messages that was read."""

from __future__ import annotations

from pathlib import Path

import weft

MAIL = "From x Thu Jan  1 00:00:00 1970\nMessage-ID: <a@x>\nSubject: s\nFrom: me\n\n{}\n\n"


def test_of_copies_that_differ_only_in_their_bodies_the_same_one_is_exported_whatever_the_files_are_called(
    tmp_path: Path,
) -> None:
    exported = []
    for names in (("1.mbox", "2.mbox"), ("2.mbox", "1.mbox")):
        for name, body in zip(names, ("one", "two"), strict=True):
            (tmp_path / name).write_text(MAIL.format(body))
        archive = weft.rebuild({"l": [tmp_path / "1.mbox", tmp_path / "2.mbox"]})
        exported.append(list(archive.octets(archive.thread("a@x"))))
    assert exported[0] == exported[1]
    assert len(exported[0]) == 1


def test_the_summary_says_one_message_and_two_messages(tmp_path: Path) -> None:
    (tmp_path / "l.mbox").write_text(MAIL.format("one"))
    assert str(weft.rebuild({"l": tmp_path / "l.mbox"}).summary) == (
        "1 message read: 1 copy of 1 id on 1 list; 0 ghosts, 0 skipped"
    )


def test_an_id_that_is_too_long_is_found_as_it_is_and_as_it_is_shown(tmp_path: Path) -> None:
    long = "x" * 300 + "@y"
    (tmp_path / "l.mbox").write_text(MAIL.replace("a@x", long).format("one"))
    archive = weft.rebuild({"l": tmp_path / "l.mbox"})
    assert archive.thread(long).root == archive.thread(archive.thread(long).root).root
