"""Claims: what encode writes parse reads, limits are refused with their reason, and bytes are never changed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.vectors import (
    BARE,
    BROKEN,
    MANY,
    NOT_CANONICAL,
    PLAIN,
    SMALL_ORDER,
    WEAK,
    WITHDRAWAL,
    fields_of,
    refused,
    second_encodings,
    wired,
)
from weft.core.claim import MAX_CLAIM, MAX_EDITION, Claim, Scanned, Withdrawal, claim_id, claim_of, encode, parse
from weft.core.ed25519 import key_problem
from weft.core.header import scan
from weft.core.list_name import check_list_name
from weft.core.message_id import key
from weft.core.references import mask_of
from weft.errors import ClaimError
from weft.v1 import claim_pb2 as wire

HASHES = st.binary(min_size=32, max_size=32)
KEYS = HASHES.filter(lambda key: not key_problem(key))
IDS = st.binary(min_size=1, max_size=250).filter(lambda name: key(name) == name) | st.binary(min_size=251).map(key)
LISTS = st.sampled_from([b"git", "größe".encode(), b"l" * 127, b"l" * 128, b"l" * 200, b"a b"])
LARGEST = Claim(
    b"o" * 32,
    b"l" * 200,
    b"m" * 250,
    tuple(b"%03d" % n + b"i" * 247 for n in range(16)),
    False,
    tuple(b"%03d" % n + b"r" * 247 for n in range(100)),
    b"d" * 128,
    b"=?" + b"s" * 4094,
    b"=?" + b"f" * 1534,
    b"u" * 1024,
    b"b" * 32,
    b"\xff" * 2,
    b"\xff" * 12 + b"\x0f",
    tuple(b"%03d" % n + b"a" * 247 for n in range(4)),
    MAX_EDITION,
)


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    own = draw(IDS)
    others = IDS.filter(lambda other: other != own)
    replies = tuple(draw(st.lists(others, max_size=16, unique=True)))
    references = tuple(draw(st.lists(others, max_size=100, unique=True)))
    masks = [mask_of(draw(st.booleans()) for _ in ids[:9]) for ids in (replies, references)]
    return Claim(
        draw(KEYS),
        draw(LISTS),
        own,
        replies,
        len(replies) == 1 and draw(st.booleans()),
        references,
        draw(st.binary(max_size=128)),
        draw(st.binary(max_size=998)),
        draw(st.binary(max_size=320)),
        draw(st.binary(max_size=1024)),
        draw(st.sampled_from([b"", bytes(32)])),
        masks[0],
        masks[1],
        tuple(draw(st.lists(others, max_size=4, unique=True))),
        draw(st.integers(0, 300) | st.integers(0, MAX_EDITION)),
    )


@given(claims())
def test_parse_reads_what_encode_wrote(claim: Claim) -> None:
    data = encode(claim)
    assert len(data) <= MAX_CLAIM
    assert parse(data) == claim
    assert encode(claim) == data


def by_library(claim: Claim) -> bytes:
    return wire.AnyClaim(mail=wire.Claim(**claim._asdict())).SerializeToString(deterministic=True)


@given(claims())
@example(LARGEST)
@example(Claim(b"", b"", b"", (b"", b"x"), False, (b"",), b"", b"", b"", b"", b""))
@example(LARGEST._replace(subject=b"s" * 20_000))
def test_a_claim_is_written_as_the_library_of_protobuf_writes_it(claim: Claim) -> None:
    assert encode(claim) == by_library(claim)


@given(st.builds(Withdrawal, KEYS, LISTS, HASHES, IDS))
def test_parse_reads_the_withdrawal_that_encode_wrote(withdrawal: Withdrawal) -> None:
    assert parse(encode(withdrawal)) == withdrawal


def test_a_claim_with_every_field_at_its_limit_is_accepted_and_stays_below_40_kib() -> None:
    data = encode(LARGEST)
    assert parse(data) == LARGEST
    assert 32_000 < len(data) <= MAX_CLAIM - 3_000


@given(st.integers(0, 300), st.integers(0, 2000), st.booleans())
def test_whatever_the_header_scanner_reads_makes_an_acceptable_claim(length: int, count: int, own: bool) -> None:
    long = b"x" * length
    ids = b" ".join(b"<%d%s@h>" % (n, long) for n in range(count))
    header = b"\nSubject: %s\nFrom: %s\nDate: %s\nArchived-At: %s\nIn-Reply-To: %s\nReferences: %s\n" % (
        *(long * 10,) * 4,
        ids,
        ids,
    )
    header += b"Message-ID: <1%s@h>\n" % long if own else b""
    found = scan(header, 1, len(header))
    record: Scanned = (0, 0, found[0] or b"minted", *found[1:8], bytes(32), *found[9:])
    claim = claim_of(record, b"o" * 32, b"l" * 200)
    assert parse(encode(claim)) == claim
    assert claim.subject == found.subject


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_limit_is_refused_and_its_field_is_named(rule: str) -> None:
    field = rule.partition(":")[0].replace("withdrawal", "list")
    with pytest.raises(ClaimError, match=f"^claim refused: {field}: [^\n]+$"):
        parse(encode(BROKEN[rule]))


def test_more_than_40_kib_are_refused_before_they_are_read() -> None:
    with pytest.raises(ClaimError, match="40961 bytes, at most 40960"):
        parse(bytes(MAX_CLAIM + 1))


@pytest.mark.parametrize("way", second_encodings())
def test_a_second_encoding_of_a_claim_is_refused(way: str) -> None:
    with pytest.raises(ClaimError, match="not the one encoding"):
        parse(second_encodings()[way])


def mutated(data: bytes, changes: list[tuple[int, str, bytes]]) -> bytes:
    """Octets with some taken out, put in or replaced."""
    changed = bytearray(data)
    for place, how, new in changes:
        at = place % (len(changed) + 1)
        changed[at : at if how == "insert" else at + len(new)] = b"" if how == "cut" else new
    return bytes(changed)


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 4000),
        st.sampled_from(["insert", "cut", "replace"]),
        st.binary(min_size=1, max_size=3) | st.sampled_from([b"\x28\x01", b"\x32\x01x", b"\x3a\x00", b"\x80\x00"]),
    ),
    min_size=1,
    max_size=4,
)


def claim_within(data: bytes) -> bytes:
    """As ``data``, with the length of the claim in them corrected."""
    inner = data[2 if data[1:2] < b"\x80" else 3 :]
    return wired([inner], data[:1])


@settings(max_examples=examples(1500))
@given(st.sampled_from([encode(WEAK), encode(BARE), encode(MANY), encode(WITHDRAWAL)]), CHANGES, st.booleans())
def test_what_is_accepted_is_written_again_as_it_was(data: bytes, changes: object, corrected: bool) -> None:
    changed = mutated(data, changes)  # type: ignore[arg-type]
    if corrected:
        changed = claim_within(changed)
    with suppress(ClaimError):
        assert encode(parse(changed)) == changed


@given(st.lists(st.sampled_from(sorted({*fields_of(WEAK), *fields_of(BARE), b"\x28\x01", b"\x3a\x00"})), max_size=14))
def test_fields_in_any_order_and_number_are_the_one_encoding_or_refused(parts: list[bytes]) -> None:
    data = wired(parts)
    with suppress(ClaimError):
        assert encode(parse(data)) == data


@given(st.binary(min_size=32, max_size=32) | st.sampled_from([*SMALL_ORDER, *NOT_CANONICAL]))
def test_keys_are_refused_by_their_bytes(origin: bytes) -> None:
    y = int.from_bytes(origin, "little") % 2**255
    small = {int.from_bytes(point, "little") % 2**255 for point in SMALL_ORDER}
    assert bool(key_problem(origin)) == (y >= 2**255 - 19 or y in small)


@pytest.mark.parametrize("rule", ["no kind", "a kind that is not known"])
def test_a_kind_that_is_not_known_is_refused(rule: str) -> None:
    with pytest.raises(ClaimError, match="of a kind that is not known here"):
        parse(refused()[rule])


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: encode(PLAIN)[:-60] + tail))
def test_any_bytes_are_a_claim_or_refused_with_one_line(data: bytes) -> None:
    try:
        claim = parse(data)
    except ClaimError as error:
        message = str(error)
    else:
        assert encode(claim) == data
        message = "fine"
    assert "\n" not in message


def test_groups_nested_ten_thousand_deep_are_refused() -> None:
    with pytest.raises(ClaimError, match="not a message"):
        parse(b"\xbb\x3e" * 10_000)


def test_every_other_claim_has_another_id() -> None:
    variants: list[Claim | Withdrawal] = [
        PLAIN,
        PLAIN._replace(list=b"git2"),
        PLAIN._replace(sane=False),
        PLAIN._replace(references=PLAIN.references[::-1]),
        PLAIN._replace(in_reply_to=(), sane=False),
        PLAIN._replace(date=PLAIN.subject, subject=PLAIN.date),
        WITHDRAWAL,
    ]
    assert len({claim_id(encode(claim)) for claim in variants}) == len(variants)
    assert len(claim_id(b"")) == 32


def test_a_withdrawal_is_only_for_its_target_of_the_same_key_feed_and_message() -> None:
    target = WITHDRAWAL.target
    assert WITHDRAWAL.withdraws(target, PLAIN)
    assert not WITHDRAWAL.withdraws(bytes(32), PLAIN)
    for other in (
        PLAIN._replace(origin=b"other"),
        PLAIN._replace(list=b"other"),
        PLAIN._replace(message_id=b"other"),
    ):
        assert not WITHDRAWAL.withdraws(target, other)


def test_claims_and_withdrawals_say_their_feed_and_cannot_be_changed() -> None:
    assert PLAIN.feed == WITHDRAWAL.feed == (PLAIN.origin, b"git")
    with pytest.raises(AttributeError):
        PLAIN.subject = b""  # type: ignore[misc]


@pytest.mark.parametrize("name", ["git", "größe", "a b", "**", "own", "l" * 200, "日本語"])
def test_these_are_names_of_lists(name: str) -> None:
    assert check_list_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "l" * 201, "a/b", " a", "a ", "a\n", "\x85", "a\u00a0b", "a\u202eb", "\udc80", "*", "\u3164", "a\ufe0f"],
)
def test_these_are_not(name: str) -> None:
    with pytest.raises(ValueError, match=r"^it "):
        check_list_name(name)


@pytest.mark.parametrize("number", range(1, 16))
@pytest.mark.parametrize("wire_type", range(8))
def test_a_field_of_another_wire_type_is_refused_wherever_it_stands(number: int, wire_type: int) -> None:
    parts = fields_of(PLAIN)
    field = bytes((number << 3 | wire_type,)) + (b"\x01" if wire_type == 0 else b"\x01\x01")
    for place in range(len(parts) + 1):
        raw = wired([*parts[:place], field, *parts[place:]])
        with suppress(ClaimError):
            assert encode(parse(raw)) == raw
