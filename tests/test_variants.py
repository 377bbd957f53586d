"""One mail never hides another: the copy that is shown, and the marks and exports of the others."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest

import weft
from tests.factories import mail
from tests.index.factories import open_index, write
from weft.model import Thread
from weft.render.dot import write_dot
from weft.render.graphml import write_graphml
from weft.render.html import write_html
from weft.render.json import encode_thread, write_jsonl
from weft.render.mbox import write_mboxrd
from weft.render.text import write_text

ALICE, FORGER = "From: Alice <alice@x.example>", 'From: "Alice L." <alice@evil.example>'


def copy(author: str, body: str, second: int = 0, parent: str = "root@x", subject: str = "Re: plan") -> bytes:
    date = f"Date: Mon, 1 Jan 2001 00:00:{second:02} +0000"
    return mail("real@x", [parent] if parent else [], subject=subject, body=body, headers=[date, author])


HIDING = {
    "other From and body": copy(FORGER, "I object."),
    "other From": copy(FORGER, "I agree."),
    "other body": copy(ALICE, "I object."),
    "an earlier date": copy(FORGER, "I object.", second=1),
    "a parent that is older in the file": copy(FORGER, "I object.", parent="older@x"),
}
"""Second copies under the id of the first, which has the date 00:00:30."""


def printed(threads: list[Thread]) -> dict[str, str]:
    """Some threads in all formats that hold no mail."""
    found = {}
    for write_threads in (write_text, write_html, write_jsonl, write_dot, write_graphml):
        file = BytesIO()
        write_threads(threads, file)
        found[write_threads.__name__] = file.getvalue().decode()
    return found


@pytest.mark.parametrize("name", HIDING)
@pytest.mark.parametrize("attempt", range(4))
def test_of_copies_on_one_list_the_first_in_the_archive_is_shown_and_the_others_are_marked_and_exported(
    tmp_path: Path, name: str, attempt: int
) -> None:
    """Each attempt has another body, as of somebody who tries until a digest is small."""
    real, forged = copy(ALICE, "I agree.", second=30), HIDING[name].replace(b"\n\nI", f"\n\n{attempt} I".encode())
    older = mail("older@x", subject="long ago"), mail("older2@x", ["older@x"], subject="long ago")
    path = write(tmp_path / "l.mbox", *older, mail("root@x", subject="plan"), real, forged)
    archive = weft.rebuild({"l": path})
    with open_index(tmp_path) as index:
        index.ingest("l", path)
        for threads, data in (
            (archive.threads(), archive.raw),
            (index.all_threads(), lambda thread: index.raw(thread, pytest.fail)),
        ):
            [thread] = [one for one in threads if "real@x" in {message.id for message in one.messages}]
            [shown] = [message for message in thread.messages if message.id == "real@x"]
            assert shown.author == "Alice <alice@x.example>"
            assert shown.variants == 2
            formats = printed([thread])
            assert "[2 variants]" in formats["write_text"]
            assert "2 different contents" in formats["write_html"]
            assert "[2 variants]" in formats["write_dot"]
            assert '"variants":2' in formats["write_jsonl"]
            assert ">2</data>" in formats["write_graphml"]
            file = BytesIO()
            write_mboxrd(data(thread), file)
            found = file.getvalue()
            assert found.count(b"I agree.") + found.count(b"I object.") == 2
            assert found.index(b"I agree.") < found.rindex(b"%d I" % attempt)


def test_the_text_says_who_wrote_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "l.mbox", copy(ALICE, "I agree."), copy(FORGER, "I object."), copy(ALICE, "Perhaps."))
    [thread] = weft.rebuild({"l": path}).threads()
    text = printed([thread])["write_text"]
    assert "[3 variants] Re: plan" in text
    assert "other copies under this id: Alice L., Re: plan (l)" in text


def test_a_search_that_finds_a_copy_says_that_there_are_others(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("l", write(tmp_path / "l.mbox", copy(ALICE, "I agree."), copy(FORGER, "I object.")))
        assert [one.variants for one in index.search("plan")] == [2]
        explained = index.explain("real@x")
    assert len({one.body for one in explained.statements}) == 2
    assert next(one.author for one in explained.statements) == "Alice <alice@x.example>"


LIST_FOOTER = "\n_______________________________________________\nb mailing list\nb@lists.example.org\n"
EDITED = {
    "a footer": ("I agree." + LIST_FOOTER, ALICE, "Re: plan", ()),
    "a prefix and a footer": ("I agree." + LIST_FOOTER, ALICE, "[b] Re: plan", ()),
    "a rewritten sender": ("I agree." + LIST_FOOTER, "From: Alice via b <b@lists.example.org>", "Re: plan", ()),
    "base64": ("SSBhZ3JlZS4=", ALICE, "Re: plan", ("Content-Transfer-Encoding: base64",)),
    "quoted-printable": ("I agree=2E=\n", ALICE, "Re: plan", ("Content-Transfer-Encoding: quoted-printable",)),
    "another list with white space": ("  I \nagree.  ", ALICE, "Re: plan", ()),
}


@pytest.mark.parametrize("name", EDITED)
def test_what_a_list_does_to_mail_makes_no_variant_and_is_exported_once(tmp_path: Path, name: str) -> None:
    body, author, subject, headers = EDITED[name]
    edited = mail("real@x", ["root@x"], subject=subject, body=body, headers=[*headers, author])
    paths = {"a": write(tmp_path / "a.mbox", copy(ALICE, "I agree.")), "b": write(tmp_path / "b.mbox", edited)}
    archive = weft.rebuild(paths)
    with open_index(tmp_path) as index:
        for name, path in paths.items():
            index.ingest(name, path)
        for thread, data in (
            (archive.thread("real@x"), archive.raw),
            (index.thread("real@x"), lambda thread: index.raw(thread, pytest.fail)),
        ):
            assert thread.messages[-1].variants == 1
            assert len(list(data(thread))) == 1


def test_another_text_on_another_list_is_exported_though_nothing_but_the_mail_tells_it_from_a_footer(
    tmp_path: Path,
) -> None:
    paths = {
        "a": write(tmp_path / "a.mbox", copy(ALICE, "I object.")),
        "b": write(tmp_path / "b.mbox", copy(ALICE, "I agree." + LIST_FOOTER)),
    }
    archive = weft.rebuild(paths)
    assert len(list(archive.raw(archive.thread("real@x")))) == 2


def test_copies_that_state_other_references_are_exported_so_that_the_forest_stays_the_same(tmp_path: Path) -> None:
    path = write(
        tmp_path / "l.mbox",
        mail("a@x", ["p@x"]), mail("a@x", ["q@x"]), mail("b@x", ["g@x", "p@x"]), mail("b@x", ["h@x", "p@x"]),
    )  # fmt: skip
    archive = weft.rebuild({"l": path})
    with (tmp_path / "again.mbox").open("wb") as file:
        write_mboxrd((one for thread in archive.threads() for one in archive.raw(thread)), file)
    again = weft.rebuild({"l": tmp_path / "again.mbox"})
    assert [thread.digest for thread in again.threads()] == [thread.digest for thread in archive.threads()]


def test_a_copy_whose_claim_is_muted_is_neither_counted_nor_exported(tmp_path: Path) -> None:
    with open_index(tmp_path) as index:
        index.ingest("l", write(tmp_path / "l.mbox", copy(ALICE, "I agree."), copy(FORGER, "I object.")))
        forged = next(one.claim for one in index.explain("real@x").statements if "evil" in one.author)
        mute = weft.policy.rows.Mute(claims=frozenset([bytes.fromhex(forged)]))
        index.set_policy(weft.policy.rules.Policy(index.origin, mute=mute))
        thread = index.thread("real@x")
        assert thread.messages[-1].variants == 1
        [(data, _)] = index.raw(thread, pytest.fail)
        assert b"I agree." in data


def test_json_keeps_its_keys(tmp_path: Path) -> None:
    [thread] = weft.rebuild({"l": write(tmp_path / "l.mbox", copy(ALICE, "x"), copy(FORGER, "y"))}).threads()
    shown = json.loads(encode_thread(thread))["messages"][-1]
    assert shown["copies"] == [{"list": "l"}, {"list": "l", "from": '"Alice L." <alice@evil.example>'}]
