"""The scan of a header block: which fields are read, how far, and what stands in for an id that is missing."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core.header import _FIELD, MAX_BLOCK, MAX_DATE, MAX_URL, Fields, mint, scan
from weft.core.header_value import MAX_AUTHOR, MAX_SUBJECT


def read(block: bytes) -> Fields:
    return scan(b"\n" + block, 1, len(block) + 1)


def test_the_wanted_fields_are_read_unfolded_and_trimmed() -> None:
    block = (
        b"Received: from a by b;\n\tSun, 9 Feb 2003 22:52:25 -0500\n"
        b"From: Ann\n <ann@example.org>\nDate:  Sun, 9 Feb 2003 22:52:25 -0500 \n"
        b"Subject: one\n\ttwo\nMessage-ID: <c@h>\nIn-Reply-To: <b@h>\nReferences: <a@h>\n <b@h>\n"
        b"Archived-At: <https://example.org/c>\n"
    )
    assert read(block) == Fields(
        b"c@h", (b"b@h",), True, (b"a@h", b"b@h"), b"Sun, 9 Feb 2003 22:52:25 -0500", b"one\ttwo",
        b"Ann <ann@example.org>", b"<https://example.org/c>", (), b"", b"",
    )  # fmt: skip


def test_field_names_have_no_case_and_may_be_followed_by_white_space() -> None:
    assert read(b"MESSAGE-id \t: <a@h>\nreferences:<b@h>\n")[:4] == (b"a@h", (), False, (b"b@h",))


def test_a_field_inside_the_value_of_another_is_none() -> None:
    fields = read(b"Subject: x\n Message-ID: <b@h>\nX-Message-ID: <c@h>\nMessage-ID: <a@h>\n")
    assert (fields.message_id, fields.subject) == (b"a@h", b"x Message-ID: <b@h>")


def test_crlf_and_lf_read_alike() -> None:
    block = b"Message-ID: <a@h>\nReferences: <b@h>\n <c@h>\nSubject: one\n two\nDate: today\n"
    assert read(block.replace(b"\n", b"\r\n")) == read(block)


def test_the_first_subject_date_and_author_count_and_all_references() -> None:
    block = b"Subject: 1\nSubject: 2\nDate: 1\nDate: 2\nFrom: 1\nFrom: 2\nReferences: <a@h>\nReferences: <b@h>\n"
    fields = read(block)
    assert (fields.subject, fields.date, fields.author, fields.references) == (b"1", b"1", b"1", (b"a@h", b"b@h"))


def test_an_address_of_any_from_to_or_cc_is_no_reference() -> None:
    block = b"In-Reply-To: <Ann@Example.org> <a@h>\nReferences: <bob@example.org> <b@h>\nCc: bob@example.org\n"
    fields = read(block + b"From: x@h\nTo: Ann <ann@example.org>\n")
    assert (fields.in_reply_to, fields.sane, fields.references) == ((b"a@h",), False, (b"b@h",))


def test_long_values_are_cut_at_their_caps() -> None:
    long = b"x" * 5000
    fields = read(b"Subject: %s\nFrom: %s\nDate: %s\nArchived-At: %s\n" % (long, long, long, long))
    caps = (MAX_DATE, MAX_SUBJECT, MAX_AUTHOR, MAX_URL)
    assert tuple(map(len, (fields.date, fields.subject, fields.author, fields.archived_at))) == caps


def test_nothing_after_the_first_256_kibibytes_of_a_block_is_read() -> None:
    inside = b"Message-ID: <a@h>\n"
    padding = b"X: " + b"y" * (MAX_BLOCK - len(inside) - 4) + b"\n"
    assert read(padding + inside).message_id == b"a@h"
    assert read(b"X: " + b"y" * len(inside) + b"\n" + padding + inside).message_id == b""


def test_only_the_part_between_start_and_end_is_read() -> None:
    buffer = b"Message-ID: <before@h>\n\nSubject: x\n\nMessage-ID: <after@h>\n"
    start = buffer.index(b"Subject")
    assert scan(bytearray(buffer), start, start + 11)[:6] == (b"", (), False, (), b"", b"x")


def test_what_an_id_is_minted_from_is_kept_only_if_there_is_none() -> None:
    assert read(b"Message-ID: <a@h>\nFrom: x\n").minting == ()
    assert read(b"From: x\n y\nSubject: s\nIn-Reply-To: <a@h>\n").minting == (b"x y", b"", b"s", b"<a@h>", b"")


def test_a_minted_id_differs_wherever_one_of_its_parts_does() -> None:
    parts = (b"from", b"date", b"subject", b"irt", b"refs")
    changed = [tuple(part + b"!" if i == j else part for j, part in enumerate(parts)) for i in range(5)]
    moved = (b"fro", b"mdate", *parts[2:])
    ids = {mint(minting, b"body") for minting in [parts, moved, *changed]} | {mint(parts, b"other")}
    assert len(ids) == 8
    assert mint(parts, b"body") == mint(parts, b"body")
    assert all(name.endswith(b"@missing.invalid") and len(name) == 64 + 16 for name in ids)


lines = st.lists(
    st.sampled_from(
        b'Message-ID:|References:|In-Reply-To: |from:|Subject:|<a@h>| |\n|\r\n|:|\n |"|(|=?utf-8?q?|\0|\xff'.split(b"|")
    ),
    max_size=30,
)


@given(st.one_of(st.binary(max_size=200), lines.map(b"".join)))
@settings(max_examples=examples(1000), deadline=None)
def test_no_bytes_raise(block: bytes) -> None:
    fields = read(block)
    assert bool(fields.message_id) != bool(fields.minting)


def test_a_mebibyte_of_hostile_header_takes_linear_time() -> None:
    mib = 1 << 20
    for piece in (
        b"\n",
        b"\n ",
        b"Message-ID",
        b"References \t",
        b"References:\n",
        b"References:<a@h>\n",
        b"From:a@h\n",
    ):
        read(piece * (mib // len(piece)))
    assert read(b"Subject: " + b"s" * 4 * mib + b"\n").subject == b"s" * MAX_SUBJECT


WANTED = re.compile(
    rb"message-id|in-reply-to|references|from|date|subject|to|cc|archived-at|reply-to|sender|original-message-id"
    rb"|x-(?:[a-z0-9]+-)*original-message-id",
    re.IGNORECASE,
)
NAMES = (
    "Message-ID", "In-Reply-To", "References", "From", "Date", "Subject", "To", "Cc", "Archived-At", "Reply-To",
    "Sender", "Original-Message-ID", "X-Original-Message-ID", "X-Mailman-Original-Message-ID", "Received",
    "Content-Type", "MIME-Version", "DKIM-Signature", "X-A", "Return-Path", "Reception", "Consent", "Images", "Kcc",
    "Mime", "Message", "Senders", "Too", "X-Original-Message-IDs",
)  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([str, str.upper, str.lower, str.title, str.swapcase])))
)
def test_the_wanted_fields_are_found_in_every_spelling_among_others(
    fields: list[tuple[str, Callable[[str], str]]],
) -> None:
    lines = [f"{spell(name)}: {place}\n".encode() for place, (name, spell) in enumerate(fields)]
    wanted = [
        (line.partition(b":")[0], b" %d" % place)
        for place, line in enumerate(lines)
        if WANTED.fullmatch(line.partition(b":")[0])
    ]
    assert _FIELD.findall(b"\n" + b"".join(lines)) == wanted
