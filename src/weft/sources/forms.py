"""What a file is, by its first bytes: a form of mail, or something else that has a name.

Mail that Weft reads has a `Form`.  What holds mail in a form that Weft does not read, or is compressed in a way that
it cannot undo, is `Foreign`: what it is called, and what makes mail of it that can be read.

Who can lie: whoever made the file.  A wrong form costs a note that says what was not found; nothing is run on its word.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple
from zlib import adler32

from weft._patterns import deferred

HEAD = 4096
"""So many first bytes are looked at."""
BOM = b"\xef\xbb\xbf"
_TAR_BLOCK = 512


class Form(Enum):
    """A form of mail; the value is its name for people."""

    EMPTY = "empty file"
    MBOX = "mbox"
    MESSAGE = "message"
    MMDF = "MMDF"
    BABYL = "Babyl"
    LISTSERV = "LISTSERV log"
    TAR = "tar"
    ZIP = "zip"


class Foreign(NamedTuple):
    """Something that is not read: what it is, and what to do with it."""

    what: str
    advice: str
    companion: bool = False
    """It lies beside mail, and holds none."""

    def __str__(self) -> str:
        return f"{self.what}, which Weft does not read; {self.advice}" if self.advice else f"{self.what}, not mail"


_MAGIC = (
    (b"!BDN", Foreign("an Outlook folder file (.pst, .ost)", "convert it: readpst -r")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign("an Outlook message (.msg), or other OLE", "convert it: msgconvert")),
    (b"\xcf\xad\x12\xfe", Foreign("an Outlook Express folder (.dbx)", "convert it: readdbx or undbx")),
    (b"*mbx*\r\n", Foreign("a folder in the MBX format of UW IMAP", "convert it: mailutil copy")),
    (b"\x78\x9f\x3e\x22", Foreign("a TNEF attachment (winmail.dat)", "unpack it: tnef")),
    (b"#! rnews", Foreign("an rnews batch of news", "unpack it into a spool with rnews, and give the spool")),
    (b"#! cunbatch", Foreign("a compressed rnews batch", "unpack it into a spool with rnews, and give the spool")),
    (b"7z\xbc\xaf\x27\x1c", Foreign("a 7z archive", "unpack it: 7z x")),
    (b"\x04\x22\x4d\x18", Foreign("lz4", "decompress it: lz4 -d")),
    (b"\x02\x21\x4c\x18", Foreign("lz4", "decompress it: lz4 -d")),
    (b"\x1f\x9d", Foreign("compress (.Z)", "decompress it: uncompress")),
    (b"\x1f\x1e", Foreign("pack (.z)", "decompress it: gzip -d")),
    (b"\x1f\xa0", Foreign("compress -H (.Z)", "decompress it: gzip -d")),
    (b"LZIP", Foreign("lzip", "decompress it: lzip -d")),
    (b"\x89LZO\0\r\n\x1a\n", Foreign("lzop", "decompress it: lzop -d")),
    (b"\x5d\0\0", Foreign("lzma", "decompress it: xz -d --format=lzma")),
    (b"Rar!\x1a\x07", Foreign("a RAR archive", "unpack it: unar")),
    (b"MSCF", Foreign("a cabinet file", "unpack it: cabextract")),
    (b"070701", Foreign("a cpio archive", "unpack it: cpio -i")),
    (b"070702", Foreign("a cpio archive", "unpack it: cpio -i")),
    (b"070707", Foreign("a cpio archive", "unpack it: cpio -i")),
    (b"\xc7\x71", Foreign("a cpio archive", "unpack it: cpio -i")),
    (b"!<arch>\n", Foreign("an ar archive", "unpack it: ar x")),
    (b"# This is a shell archive", Foreign("a shell archive", "unpack it: unshar")),
    (b"-----BEGIN PGP MESSAGE-----", Foreign("a message encrypted with PGP", "decrypt it: gpg -d")),
    (b"\xff\xfe\0\0", Foreign("text in UTF-32", "convert it: iconv -f UTF-32 -t UTF-8")),
    (b"\0\0\xfe\xff", Foreign("text in UTF-32", "convert it: iconv -f UTF-32 -t UTF-8")),
    (b"\xff\xfe", Foreign("text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8")),
    (b"\xfe\xff", Foreign("text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8")),
    (b"SQLite format 3\0", Foreign("an SQLite database", "", companion=True)),
    (b"// <!-- <mdb:mork", Foreign("an index of Mozilla (Mork)", "", companion=True)),
    (b"\x89PNG\r\n\x1a\n", Foreign("a PNG picture", "", companion=True)),
    (b"GIF8", Foreign("a GIF picture", "", companion=True)),
    (b"\xff\xd8\xff", Foreign("a JPEG picture", "", companion=True)),
    (b"\0\0\1\0", Foreign("an icon", "", companion=True)),
    (b"%PDF-", Foreign("a PDF document", "", companion=True)),
)  # fmt: skip
_UTF_16 = (
    (re.compile(rb"(?:[\t\n\r -~]\0){8}"), Foreign("text in UTF-16LE", "convert it: iconv -f UTF-16LE -t UTF-8")),
    (re.compile(rb"(?:\0[\t\n\r -~]){8}"), Foreign("text in UTF-16BE", "convert it: iconv -f UTF-16BE -t UTF-8")),
)
_DBOX = deferred(rb"2 M[0-9a-fA-F]+ C[0-9a-fA-F]+\n")
_DOVECOT = Foreign("a file of Dovecot's dbox", "convert it: doveadm sync maildir:FOLDER")
_PAGE = deferred(rb"\s*(?:<!--.{0,400}?-->\s*)?<(?:!doctype\s+html|html|head|\?xml)", re.IGNORECASE | re.DOTALL)
_XML = Foreign("a page of HTML or XML", "", companion=True)

_JUNK = deferred(rb"[\s>]*")
_MMDF = deferred(rb"\x01{4}\r?\n")
_LISTSERV = deferred(rb"={73}[ \t]*\r?\n[!-9;-~]{1,76}[ \t]*:")
_COUNT = deferred(rb"[0-9]{1,12}[ \t]*\r?\n")
_SEPARATOR = deferred(rb"\r?\nFrom [^\n]*[0-9]{1,2}:[0-9]{2}[^\n]*\n[!-9;-~]{1,76}[ \t]*:")
_FIELD = deferred(rb"([!-9;-~]{1,76})[ \t]*:|[ \t]|>?From ")
_KNOWN = frozenset(
    b"from to cc subject date message-id references in-reply-to received return-path delivered-to mime-version sender "
    b"reply-to newsgroups path content-type list-id xref organization user-agent x-mailer envelope-to dkim-signature "
    b"x-original-to lines precedence errors-to importance return-receipt-to".split()
)
_ENOUGH = 2
_PLAIN_MESSAGE = deferred(
    rb"(?:return-path|received|delivered-to|from|to|date|message-id|path|subject|mime-version|dkim-signature)[ \t]*:"
    rb"[^\0\n]*\n(?:[ \t]|[!-9;-~]+:)",
    re.IGNORECASE,
)


def is_plain_message(head: bytes) -> bool:
    """Whether a file is a message whose first field is one that nearly all mail begins with."""
    return _PLAIN_MESSAGE.match(head) is not None


def form_of(head: bytes, *, asked: bool = False) -> Form | Foreign | None:
    """What a file is whose first `HEAD` bytes these are, unpacked; None if nothing is known of it.

    ``asked``: the user says that it is mail, so one header field of any name is enough.
    """
    if _PLAIN_MESSAGE.match(head):
        return Form.MESSAGE
    if not head:
        return Form.EMPTY
    if b"\n" not in head:
        head = head.replace(b"\r", b"\n")
    found = next((foreign for magic, foreign in _MAGIC if head.startswith(magic)), None)
    found = found or next((foreign for pattern, foreign in _UTF_16 if pattern.match(head)), None)
    return found or _packed(head) or _text(head.removeprefix(BOM), asked=asked)


def _packed(head: bytes) -> Form | None:
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08PK\3\4")):
        return Form.ZIP
    return Form.TAR if is_tar_header(head[:_TAR_BLOCK]) else None


def is_tar_header(block: bytes) -> bool:
    """Whether 512 bytes are the header of a member of a tar: their checksum says so (POSIX.1-1988, ustar)."""
    stated = block[148:156].strip(b" \0")
    if len(block) < _TAR_BLOCK or not stated.isdigit():
        return False
    try:
        return int(stated, 8) == _sum(block) - sum(block[148:156]) + 8 * 0x20
    except ValueError:
        return False


def _sum(block: bytes) -> int:
    """The sum of the bytes of a header: Adler-32 (RFC 1950) begins with one, and has no overflow in half of them."""
    return (adler32(block[: _TAR_BLOCK // 2]) & 0xFFFF) + (adler32(block[_TAR_BLOCK // 2 :]) & 0xFFFF) - 2


def _text(head: bytes, *, asked: bool) -> Form | Foreign | None:
    start = _JUNK.match(head)
    assert start is not None
    text = head[start.end() :]
    if _MMDF.match(head):
        return Form.MMDF
    if _DBOX.match(head):
        return _DOVECOT
    if text.startswith(b"From "):
        return Form.MBOX
    if text.startswith(b"BABYL OPTIONS"):
        return Form.BABYL
    if _LISTSERV.match(text):
        return Form.LISTSERV
    count = _COUNT.match(text)
    if _fields(text[count.end() :].removeprefix(BOM) if count else text) >= (1 if asked or count else _ENOUGH):
        return Form.MESSAGE
    if _PAGE.match(head):
        return _XML
    return Form.MBOX if _SEPARATOR.search(head) else None


def _fields(text: bytes) -> int:
    """How many header fields of mail stand at the front of a text; 1 if there are only fields of other names."""
    known = lines = 0
    for line in text.splitlines():
        found = _FIELD.match(line)
        if found is None:
            break
        lines += found[1] is not None
        known += found[1] is not None and found[1].lower() in _KNOWN
        if known >= _ENOUGH:
            return known
    return known or min(lines, 1)
