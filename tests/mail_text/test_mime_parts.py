"""The parts of messages: as `email` reads them where a message is sound, and an outcome where it is not."""

from __future__ import annotations

from base64 import b64encode
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.mail_text.mime_parts import MAX_DEPTH, MAX_PARTS, MimePart, read_parts

LEAF = st.sampled_from(
    [
        b"Content-Type: text/plain\n\nhello\n--not a boundary\n",
        b"\nno fields at all\n",
        b'Content-Type: text/html; charset="utf-8"\nContent-Transfer-Encoding: base64\n\n' + b64encode(b"<p>x" * 40),
        b"Content-Type: image/png; name=a.png\nContent-Disposition: attachment;\n filename=b.png\n\nx",
        b"Content-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n",
        b"Content-Type: text/plain; name*0*=utf-8''caf%C3; name*1*=%A9.txt\n\n\n",
        b"Content-Type: message/rfc822\n\nSubject: inner\n\nthe inner text",
        b"Content-Type: nonsense\n\nx",
        b"\n",
    ]
)


def multipart(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(wrap, st.sampled_from([b"mixed", b"alternative"]), st.lists(inner, min_size=1, max_size=4))


def wrap(kind: bytes, parts: list[bytes]) -> bytes:
    boundary = sha256(b"".join(parts)).hexdigest()[:20].encode()  # no part has the same
    inner = b"".join(b"--%s\n%s\n" % (boundary, part) for part in parts)
    head = b"Content-Type: multipart/%s; boundary=%s\n\npreamble\n" % (kind, boundary)
    return head + inner + b"--%s--\nepilogue" % boundary


TREES = st.recursive(LEAF, multipart, max_leaves=10)


def leaves(part: MimePart) -> list[MimePart]:
    return [leaf for inner in part.parts for leaf in leaves(inner)] if part.parts else [part]


def as_email_reads(message: Message) -> list[tuple[str, bytes, str | None]]:
    found = []
    for part in message.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            found.append((part.get_content_type(), payload.strip(), part.get_filename()))
    return found


@settings(max_examples=60)
@given(TREES, st.booleans())
def test_sound_messages_have_the_parts_that_the_standard_library_reads(raw: bytes, dos: bool) -> None:
    raw = raw.replace(b"\n", b"\r\n") if dos else raw
    tree, left_out = read_parts(raw)
    ours = [(leaf.type, leaf.content(1 << 20).strip(), leaf.name or None) for leaf in leaves(tree)]
    assert ours == as_email_reads(message_from_bytes(raw, policy=compat32))
    assert not left_out


@given(st.binary(max_size=300) | TREES.flatmap(lambda raw: st.integers(0, len(raw)).map(lambda cut: raw[:cut])))
def test_whatever_the_bytes_are_there_is_a_tree_within_them(raw: bytes) -> None:
    tree, _ = read_parts(raw)
    for part in leaves(tree):
        assert 0 <= part.start <= part.end <= len(part.buffer)
        assert len(part.content(1 << 20)) <= 2 * len(part.buffer)
        assert part.size >= 0


def test_the_parts_of_a_digest_are_messages() -> None:
    tree, _ = read_parts(
        b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\none\n--b\n\ntwo\n"
        b"--b\nContent-Transfer-Encoding: quoted-printable\n\nA: b\n\n=3D\n--b--"
    )
    assert [part.type for part in tree.parts] == ["message/rfc822"] * 3
    assert [leaf.content(99) for leaf in leaves(tree)] == [b"one", b"two", b"="]


def nested(levels: int) -> bytes:
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(levels))
    return head + b"\nthe text\n"


def test_levels_beyond_the_limit_are_one_part_that_is_not_read() -> None:
    tree, left_out = read_parts(nested(MAX_DEPTH))
    assert not left_out
    assert [leaf.content(99) for leaf in leaves(tree)] == [b"the text\n"]
    for levels in (MAX_DEPTH + 1, 10_000):
        tree, left_out = read_parts(nested(levels))
        assert left_out
        assert [leaf.type for leaf in leaves(tree)] == ["application/octet-stream"]


def test_parts_beyond_the_limit_are_left_out() -> None:
    tree, left_out = read_parts(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000)
    assert left_out
    assert len(leaves(tree)) == MAX_PARTS - 1


def test_messages_in_messages_count_as_levels() -> None:
    tree, left_out = read_parts(b"Content-Type: message/rfc822\n\n" * 5000 + b"Subject: x\n\ny")
    assert left_out
    assert len(leaves(tree)) == 1


@pytest.mark.parametrize(
    ("raw", "kinds"),
    [
        (b"Content-Type: multipart/mixed\n\n--x\n\na", ["text/plain"]),
        (b"Content-Type: multipart/mixed; boundary=x\n\nnone of it", ["text/plain"]),
        (b'Content-Type: multipart/mixed; boundary="x\n\n--x\n\na', ["text/plain"]),
        (b"Content-Type: multipart/mixed; boundary=x\n\n--xy\n\na\n--x \nContent-Type: a/b\n\nc", ["a/b"]),
        (b"Content-Type: multipart/mixed; boundary=x\n\n--x", ["text/plain"]),
        (b"Content-Type: multipart/mixed; boundary=x\n\n--x--\n--x\n\nbehind the end", ["text/plain"]),
    ],
)
def test_broken_multiparts_have_an_outcome(raw: bytes, kinds: list[str]) -> None:
    assert [leaf.type for leaf in leaves(read_parts(raw)[0])] == kinds


def body(encoding: bytes, text: bytes) -> bytes:
    return read_parts(b"Content-Transfer-Encoding: %s\n\n%s" % (encoding, text))[0].content(1 << 20)


def test_base64_is_decoded_as_far_as_it_goes() -> None:
    assert body(b"Base64", b"aGVs\nbG8=\n") == b"hello"
    assert body(b"base64", b"aGVsbG8") == b"hello"
    assert body(b"base64", b"aGVsb") == b"hel"
    assert body(b"base64", b"aGVs*bG8=") == b"hello"
    assert body(b"base64", b"aGVsbG8=aGVsbG8=") == b"hellohello"
    assert body(b"base64", b"====!!") == b""


def test_a_footer_behind_base64_stays_text() -> None:
    assert body(b"base64", b"aGVsbG8K\n" + b"_" * 40 + b"\na list\n") == b"hello\n" + b"_" * 40 + b"\na list\n"


def test_a_name_is_decoded_by_either_rfc() -> None:
    def name(value: bytes) -> str:
        return read_parts(b"Content-Disposition: attachment; " + value + b"\n\n")[0].name

    assert name(b"filename*=iso-8859-1'de'%E4.txt") == "ä.txt"
    assert name(b'filename="=?utf-8?q?=C3=A4=2Etxt?="') == "ä.txt"
    assert name(b'filename="a\\"b.txt"') == 'a"b.txt'
    assert name(b"filename*=no-such-charset''%E4") == "ä"
    assert name(b"filename*" + b"9" * 4000 + b"=x") == "x"
    assert name(b"filename*0=a; filename*1=b") == "ab"


def test_the_size_of_an_attachment_is_that_of_its_content() -> None:
    content = bytes(range(256)) * 5
    raw = b"Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n" + b64encode(content)
    assert read_parts(raw)[0].size in range(len(content) - 2, len(content) + 1)
