"""The grammar of ids: which bytes give which id, that nothing raises, and that hostile headers cost linear time.

Hostile inputs here are a mebibyte: what is linear takes a fraction of a second, what is quadratic takes hours.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core import references as fields
from weft.core.message_id import key, marked, parse_message_id, tokenize, unfold

LONG = b"x" * 249 + b"@h"


def parse_references(values: list[bytes], own: bytes, people: bytes) -> tuple[bytes, ...]:
    """The ids that are not weak."""
    return tuple(fields.parse_references(values, own, people).counting(lambda _: False))


def parse_in_reply_to(values: list[bytes], own: bytes, people: bytes) -> tuple[tuple[bytes, ...], bool]:
    """The ids that are not weak, and whether the field is sane if only these count."""
    ids, sane = fields.parse_in_reply_to(values, own, people)
    sure = tuple(ids.counting(lambda _: False))
    return sure, sane and bool(sure)


MESSAGE_IDS = [
    ("plain", [b" <a@h>"], b"a@h"),
    ("a token with an at sign before one without", [b"<a> <b@h>"], b"b@h"),
    ("the first of several", [b"<a@h> <b@h>"], b"a@h"),
    ("a token without an at sign", [b"<a>"], b"a"),
    ("no token at all", [b"  a@h\t"], b"a@h"),
    ("an empty header gives way", [b" ", b"<a@h>"], b"a@h"),
    ("empty brackets give way", [b"<>", b"<a@h>"], b"a@h"),
    ("the first header that says anything", [b"<a@h>", b"<b@h>"], b"a@h"),
    ("nothing", [b"", b"\r\n "], None),
    ("folded between", [b"\r\n <a@h>"], b"a@h"),
    ("folded inside", [b"<a\r\n\t@h>"], b"a@h"),
    ("white space inside", [b"< a @ h >"], b"a@h"),
    ("white space inside quotes stays", [b'<"a b"@h>'], b'"a b"@h'),
    ("needless quotes go", [b'<"a.b"@h>'], b"a.b@h"),
    ("quotes that are needed stay", [b'<"a..b"@h>'], b'"a..b"@h'),
    ("an escaped quote stays", [b'<"a\\"b"@h>'], b'"a\\"b"@h'),
    ("a bracket in quotes is no bracket", [b'<"a>b"@h>'], key(b'"a>b"@h')),
    ("a quote that never closes is ordinary", [b'<a"b@h>'], b'a"b@h'),
    ("case stays", [b"<Ab@H>"], b"Ab@H"),
    ("encoded words stay", [b"<=?utf-8?q?a?=@h>"], b"=?utf-8?q?a?=@h"),
    ("eight-bit bytes stay", [b"<\xc3\xa9\xff@h>"], b"\xc3\xa9\xff@h"),
    ("NUL stays", [b"<a\0@h>"], b"a\0@h"),
    ("a comment before", [b"(of <x@h>) <a@h>"], b"a@h"),
    ("nested comments", [b"(a (b <x@h>) c) <a@h>"], b"a@h"),
    ("an escaped parenthesis in a comment", [b"(a \\) <x@h>) <a@h>"], b"a@h"),
    ("a parenthesis that never closes strips nothing", [b"(a <x@h> <a@h>"], b"x@h"),
    ("parentheses in brackets are no comment", [b"<a(b)@h>"], b"a(b)@h"),
    ("parentheses in quotes are no comment", [b'"(" <a@h> ")"'], b"a@h"),
    ("the innermost of nested brackets", [b"<a <b@h>"], b"b@h"),
    ("a bracket that never closes", [b"<a@h"], b"a@h"),
    ("250 bytes", [b"<" + LONG[1:] + b">"], LONG[1:]),
    ("251 bytes", [b"<" + LONG + b">"], b"sha256:" + sha256(LONG).hexdigest().encode()),
    ("what looks like a hash", [b"<sha256:00@h>"], b"sha256:" + sha256(b"sha256:00@h").hexdigest().encode()),
]

REFERENCES = [
    ("in order", b"<a@h> <b@h>", (b"a@h", b"b@h")),
    ("without space", b"<a@h><b@h>", (b"a@h", b"b@h")),
    ("folded", b"<a@h>\r\n\t<b@h>\n <c@h>", (b"a@h", b"b@h", b"c@h")),
    ("tokens without an at sign are none", b"<a> <b@h>", (b"b@h",)),
    ("words and commas between", b"see <a@h>, then <b@h>.", (b"a@h", b"b@h")),
    ("a comment", b"<a@h> (not <x@h>) <b@h>", (b"a@h", b"b@h")),
    ("a comment that never closes", b"<a@h> (garbage <b@h>", (b"a@h", b"b@h")),
    ("a repeated id stands at its last place", b"<a@h> <b@h> <a@h>", (b"b@h", b"a@h")),
    ("its own id", b"<a@h> <own@h> <b@h>", (b"a@h", b"b@h")),
    ("an address of From, To or Cc", b"<a@h> <Ann@Example.ORG>", (b"a@h",)),
    ("no more than a part of an address", b"<nn@example.org>", (b"nn@example.org",)),
    ("nothing that is an id", b"not-a-message-id", ()),
    ("a bracket that never closes", b"<a@h> <b@h", (b"a@h",)),
    ("ids that differ in case", b"<a@h> <A@h>", (b"a@h", b"A@h")),
    ("ids that are equal once quotes went", b'<"a"@h> <b@h> <a@h>', (b"b@h", b"a@h")),
]

PROSE = b'Message from Ann of "Sun, 09 Feb 2003 22:52:25 EST." '
IN_REPLY_TO = [
    ("one id", b" <a@h>\r\n", (b"a@h",), True),
    ("one id, folded inside", b"<a\r\n @h>", (b"a@h",), True),
    ("an id and a comment", b"<a@h> (Ann's message of (last) Monday)", (b"a@h",), True),
    ("an id and prose", PROSE + b"<a@h>", (b"a@h",), False),
    ("an id and what a mailer adds", b"<a@h>; from ann@example.org on Thu", (b"a@h",), False),
    ("an address in prose before the id", b"Message from Ann <ann@x.org> of Sun, 9 Feb 2003 <a@h>", (b"a@h",), False),
    ("the same, folded", b"Message from Ann\r\n\t<ann@x.org> of Sun\r\n <a@h> \r\n", (b"a@h",), False),
    ("an address in prose behind the id", b'<a@h> from "Ann" <ann@x.org>', (b"a@h",), False),
    ("a quoted date before the id", b'Message from <ann@x.org> of "<Sun>" <a@h>', (b"a@h",), False),
    ("prose about two ids", b"Your messages <a@h> and <b@h>.", (b"b@h",), False),
    ("prose, and own address last", b"Your message <a@h> to <ann@example.org>", (b"a@h",), False),
    ("a comment is no prose", b"(from Ann <ann@x.org>) <a@h> <b@h>", (b"a@h", b"b@h"), False),
    ("ids between commas", b"<a@h>, <b@h>; <c@h>", (b"a@h", b"b@h", b"c@h"), False),
    ("prose without an id", b"mumble", (), False),
    ("an address and an id", b"<ann@example.org> <a@h>", (b"a@h",), False),
    ("only an address", b"<ann@example.org>", (), False),
    ("several ids", b"<a@h> <b@h>", (b"a@h", b"b@h"), False),
    ("one id twice", b"<a@h> <a@h>", (b"a@h",), False),
    ("a token that is no id beside it", b"<a> <a@h>", (b"a@h",), False),
    ("itself", b"<own@h>", (), False),
    ("a comment that never closes", b"<a@h> (Ann", (b"a@h",), False),
    ("empty", b" \t ", (), False),
]


@pytest.mark.parametrize(("values", "expected"), [row[1:] for row in MESSAGE_IDS], ids=[row[0] for row in MESSAGE_IDS])
def test_message_id_is_read_as_the_grammar_says(values: list[bytes], expected: bytes | None) -> None:
    assert parse_message_id(values) == expected


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in REFERENCES], ids=[row[0] for row in REFERENCES])
def test_references_are_read_as_the_grammar_says(value: bytes, expected: tuple[bytes, ...]) -> None:
    people = b"Ann <ann@example.org>, Bob <bob@example.org>"
    assert parse_references([value], b"own@h", people) == expected


@pytest.mark.parametrize(
    ("value", "ids", "sane"), [row[1:] for row in IN_REPLY_TO], ids=[row[0] for row in IN_REPLY_TO]
)
def test_in_reply_to_is_read_as_the_grammar_says(value: bytes, ids: tuple[bytes, ...], sane: bool) -> None:
    assert parse_in_reply_to([value], b"own@h", b"Ann <ann@example.org>") == (ids, sane)


def test_several_headers_of_one_name_are_concatenated_in_order() -> None:
    assert parse_references([b"<a@h>", b"<b@h>"], b"", b"") == (b"a@h", b"b@h")
    assert parse_in_reply_to([b"<a@h>", b"<b@h>"], b"", b"") == ((b"a@h", b"b@h"), False)
    assert parse_in_reply_to([b"", b"<b@h>"], b"", b"") == ((b"b@h",), True)


def test_references_keep_the_first_id_and_the_last_99() -> None:
    ids = [b"%d@h" % i for i in range(10_000)]
    value = b" ".join(b"<" + name + b">" for name in ids)
    assert parse_references([value], b"", b"") == (ids[0], *ids[-99:])


def test_own_id_and_repeats_are_dropped_before_references_are_counted() -> None:
    ids = [b"%d@h" % i for i in range(100)]
    value = b" ".join(b"<" + name + b">" for name in [ids[0], b"own@h", *ids])
    assert parse_references([value], b"own@h", b"") == tuple(ids)


def test_in_reply_to_keeps_the_first_16_ids() -> None:
    value = b" ".join(b"<%d@h>" % i for i in range(40))
    assert parse_in_reply_to([value], b"", b"") == (tuple(b"%d@h" % i for i in range(16)), False)


def test_a_reference_to_a_long_id_meets_the_message_that_has_it() -> None:
    own = parse_message_id([b"<" + LONG + b">"])
    assert parse_references([b"<" + LONG + b">"], b"", b"") == (own,)


def test_white_space_beside_needless_quotes_does_not_make_another_id() -> None:
    assert parse_message_id([b'<"a" @h>']) == parse_message_id([b'<"a"@h>'])


pieces = st.lists(
    st.sampled_from([b"a", b"b@h", b"@", b"<", b">", b'"', b"\\", b"(", b")", b" ", b"\r\n ", b"\n\t", b",", b"\xff"])
)
header_values = st.one_of(st.binary(max_size=60), pieces.map(b"".join))


@given(st.lists(header_values, max_size=3), header_values, header_values)
@settings(max_examples=examples(1000), deadline=None)
def test_no_bytes_raise_and_every_id_keeps_the_caps(values: list[bytes], own: bytes, people: bytes) -> None:
    message_id = parse_message_id(values)
    references = parse_references(values, own, people)
    in_reply_to, sane = parse_in_reply_to(values, own, people)
    assert message_id is None or 0 < len(message_id) <= 250
    hashed = b"sha256:"  # an id that cannot stand for itself
    assert all((b"@" in name or name.startswith(hashed)) and len(name) <= 250 for name in (*references, *in_reply_to))
    assert len(set(references)) == len(references)
    assert own not in references
    assert own not in in_reply_to
    assert len(in_reply_to) == 1 or not sane


def test_no_short_value_raises() -> None:
    alphabet = [b"<", b">", b'"', b"\\", b"(", b")", b"a@b", b" ", b"=?"]
    for length in range(1, 5):
        for value in product(alphabet, repeat=length):
            parse_references([b"".join(value)], b"", b"")
            parse_in_reply_to([b"".join(value)], b"", b"")


def test_angle_brackets_in_quotes_are_no_ids() -> None:
    assert parse_references([b'"<>" <a@x>'], b"", b"") == (b"a@x",)
    assert parse_in_reply_to([b'"<b@x>" <a@x>'], b"", b"")[0] == (b"a@x",)


@given(pieces.map(lambda found: b"".join(piece for piece in found if not piece.isspace())))
@settings(max_examples=examples(1000), deadline=None)
@example(b'"a"@h')
@example(b'"a<b"@h')
@example(b'a"b@h')
def test_an_id_that_was_read_reads_as_itself(contents: bytes) -> None:
    for token in tokenize(b"<" + contents + b">").tokens:
        if b"@" in token:
            assert tokenize(b"<" + token + b">").tokens == [token]
            assert parse_references([b"<" + token + b">"], b"", b"") == (key(token),)


@given(header_values)
@settings(max_examples=examples(500), deadline=None)
def test_unfolding_twice_is_unfolding_once(value: bytes) -> None:
    assert unfold(unfold(value)) == unfold(value)


@given(
    st.lists(st.sampled_from([b"a@h", b"b@h", b"c", b'"d e"@h']), max_size=6), st.sampled_from([b" ", b"\r\n ", b""])
)
@settings(max_examples=examples(300), deadline=None)
def test_how_a_list_is_folded_does_not_matter(ids: list[bytes], between: bytes) -> None:
    folded = between.join(b"<" + name + b">" for name in ids)
    plain = b" ".join(b"<" + name + b">" for name in ids)
    assert parse_references([folded], b"", b"") == parse_references([plain], b"", b"")


whole_tokens = st.lists(
    st.sampled_from(
        [
            b"<" + LONG + b">",
            *b"<a@h>|<A@h>|<b>|<a @h>|<own@h>|<Ann@Example.org>|<sha256:1@h>|<>| |\r\n |,|word".split(b"|"),
        ]
    ),
    max_size=6,
).map(b"".join)


@given(whole_tokens)
@settings(max_examples=examples(500), deadline=None)
def test_an_empty_comment_at_the_end_changes_nothing(value: bytes) -> None:
    """The ordinary forms are read by shortcuts, and a comment takes the long way: both must agree."""
    commented, people = value + b" ()", b"ann@example.org"
    assert parse_message_id([value]) == parse_message_id([commented])
    assert parse_references([value], b"own@h", people) == parse_references([commented], b"own@h", people)
    assert parse_in_reply_to([value], b"own@h", people) == parse_in_reply_to([commented], b"own@h", people)


SIZE = 1 << 18
HOSTILE = {
    "quotes": b'"' * SIZE,
    "escaped quotes": b'"' + b'\\"' * (SIZE // 2),
    "opening parentheses": b"(" * SIZE,
    "empty comments": b"()" * (SIZE // 2),
    "opening brackets": b"<" * SIZE,
    "brackets and quotes": b'<"' * (SIZE // 2),
    "quotes and brackets": b'"<' * (SIZE // 2),
    "parentheses and brackets": b"(<" * (SIZE // 2),
    "a parenthesis before ids": b"(" + b"<a@h>" * (SIZE // 5),
    "quotes inside one id": b"<" + b'"' * (SIZE + 1) + b"@h>",
    "escaped quotes inside one id": b'<"' + b'\\"' * (SIZE // 2) + b"@h>",
    "a quoted atom that never ends": b'<"' + b"a." * (SIZE // 2) + b"@h>",
    "white space inside one id": b"<" + b" " * SIZE + b"a@h>",
    "backslashes": b"\\" * SIZE,
    "one word": b"a" * SIZE,
    "folds": b"\r\n " * (SIZE // 3),
    "ids that never close": b"<a@h " * (SIZE // 5),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_long_hostile_header_takes_linear_time(name: str) -> None:
    value = HOSTILE[name]
    parse_message_id([value])
    parse_references([value], b"own@h", b"")
    parse_in_reply_to([value], b"own@h", b"")


@pytest.mark.parametrize("name", HOSTILE)
def test_an_id_in_doubt_beside_a_long_hostile_field_of_addresses_takes_linear_time(name: str) -> None:
    for people in (HOSTILE[name], b"a" * SIZE):
        parse_references([b"<a@x"], b"own@h", people)
        parse_in_reply_to([b"<a@x"], b"own@h", people)


def test_many_ids_beside_many_addresses_take_linear_time() -> None:
    references = b" ".join(b"<a@a@%d>" % i for i in range(SIZE // 10))
    assert len(parse_references([references], b"own@h", b"a@" * (SIZE // 2))) == 100


@given(st.lists(st.sampled_from(["<", ">", "<>", "<a@x>", '"', "(", ")", "\\", " ", "a"]), max_size=12).map("".join))
@example('"<>" <a@x>')
@example(';a< 2"b&<> (c@x> (c) <"b')
def test_each_mark_stands_for_a_token_and_what_is_quoted_is_none(value: str) -> None:
    tokens, outside = marked(value.encode())
    assert outside.count(b"<>") == len(tokens)


def test_an_empty_pair_of_brackets_in_quotes_takes_no_id_away() -> None:
    assert parse_references([b'"<>" <b@x> <c@x>'], b"a@x", b"") == (b"b@x", b"c@x")
