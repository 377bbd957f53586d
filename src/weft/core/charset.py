"""Charsets by the labels that mail gives them: the table of the WHATWG Encoding Standard, and what mail has beside it.

Theory of operation
-------------------
A label is looked up in the WHATWG's table (by the library webencodings), because it says what labels mean in use:
``gb2312`` is GB 18030, ``ks_c_5601-1987`` is Windows-949, ``shift_jis`` Windows-31J, ``iso-8859-1`` Windows-1252.  The
table leaves out what browsers must not read, and spellings that only mail has; these stand here.  A label that is in
neither is unknown: Python's own names of codecs are never reached by what stands in mail (``rot13``, ``punycode``,
``unicode_escape`` and their like are no charsets).

Nothing that is hashed depends on any of this, and nothing here raises: bytes that a charset does not have become
U+FFFD, and so do halves of surrogate pairs.  Who can lie: the author, about the charset.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from weft._patterns import deferred

Decoder = Callable[[bytes], str]

_PYTHON_NAMES = {
    "big5": "cp950", "euc-kr": "cp949", "gb18030": "gb18030", "gbk": "gb18030", "ibm866": "cp866",
    "iso-8859-8-i": "iso8859_8", "macintosh": "mac_roman", "shift_jis": "cp932", "utf-16be": "utf_16_be",
    "utf-16le": "utf_16_le", "utf-8": "utf_8", "windows-874": "cp874", "x-mac-cyrillic": "mac_cyrillic",
}  # fmt: skip
"""Python's codecs for the names of the standard, where they are not the same but for their dashes."""

_ONLY_IN_MAIL = {
    "cp932": "shift_jis", "ms932": "shift_jis", "cp936": "gbk", "ms936": "gbk", "windows-936": "gbk",
    "cp949": "euc-kr", "ms949": "euc-kr", "uhc": "euc-kr", "ks-c-5601": "euc-kr", "ksc5601-1987": "euc-kr",
    "cp950": "big5", "ms950": "big5", "eucjp": "euc-jp", "euckr": "euc-kr", "cp51932": "euc-jp", "eucjp-ms": "euc-jp",
    "iso-2022-jp-ms": "iso-2022-jp", "iso-2022-jp-1": "iso-2022-jp", "iso-2022-jp-2": "iso-2022-jp",
    "iso-2022-jp-3": "iso-2022-jp", "iso-2022-jp-2004": "iso-2022-jp", "iso-2022-jp-ext": "iso-2022-jp",
    "cp50220": "iso-2022-jp", "cp50221": "iso-2022-jp", "cp50222": "iso-2022-jp", "jis": "iso-2022-jp",
    "iso-2022-kr": "iso2022_kr", "csiso2022kr": "iso2022_kr", "hz-gb-2312": "hz", "hz": "hz",
    "utf-7": "utf_7", "utf7": "utf_7", "unicode-1-1-utf-7": "utf_7", "x-unicode-2-0-utf-7": "utf_7",
    "gb18030-2000": "gb18030", "gb2312-80": "gbk", "cn-gb": "gbk", "euc-cn": "gbk", "euccn": "gbk",
    "big-5": "big5", "big5hkscs": "big5", "ujis": "euc-jp", "shiftjis": "shift_jis", "x-ms-cp932": "shift_jis",
    "johab": "johab", "koi8r": "koi8-r", "koi8u": "koi8-u", "tis620": "windows-874", "iso-latin-1": "windows-1252",
    "latin9": "iso-8859-15", "latin-9": "iso-8859-15", "hp-roman8": "hp_roman8", "roman8": "hp_roman8",
    "ibm00858": "cp858", "ptcp154": "ptcp154", "kz-1048": "kz1048", "mac-ce": "mac_latin2",
    "mac-centraleurroman": "mac_latin2", "mac-greek": "mac_greek", "mac-turkish": "mac_turkish",
    "mac-icelandic": "mac_iceland",
    "mac-roman": "macintosh", "macroman": "macintosh", "mac-cyrillic": "x-mac-cyrillic",
    **{f"{kind}{page}": f"cp{page}" for kind in ("cp", "ibm", "cp-", "ibm-")
       for page in (437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 869)},
}  # fmt: skip
"""Spellings of names of the standard, and codecs for charsets that it leaves out."""
_SPELLINGS = (
    (re.compile(r"(?:windows|win|cp|ms)[-_ ]?(125[0-8])"), r"windows-\1"),
    (re.compile(r"iso[-_ ]?8859[-_ ]?([0-9]{1,2})"), r"iso-8859-\1"),
    (re.compile(r"latin[-_ ]?([1-6])"), r"latin\1"),
)
NO_CHARSET = frozenset(
    {"", "ascii", "us-ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown", "default", "binary"}
)
"""Labels that say nothing about bytes beyond ASCII."""
_MANY_BYTES = frozenset({"cp932", "cp949", "cp950", "gb18030", "hz", "iso2022_kr", "johab", "utf_16_be", "utf_16_le"})
_SURROGATE = deferred("[\ud800-\udfff]")


def decode_charset(raw: bytes, label: str) -> str | None:
    """``raw`` as the charset of this label, what it does not have as U+FFFD; None if the label is unknown.

    A language behind the label (RFC 2231 section 5) is left out.
    """
    if len(label) > 80:
        return None
    decoder = _decoder(label)
    return None if decoder is None else decoder(raw)


def clean_label(label: str) -> str:
    """A label as it is looked up: lower case, without a language, quotes and white space."""
    return label.partition("*")[0].strip(" \t\"'").lower()


@lru_cache(maxsize=512)
def _decoder(label: str) -> Decoder | None:
    name = _standard_name(clean_label(label))
    if name is None:
        return None
    if name == "iso-2022-jp":
        return _decode_iso_2022_jp
    if name == "euc-jp":
        return _decode_euc_jp
    codec = _PYTHON_NAMES.get(name, name)
    if codec == "utf_8":
        return lambda raw: raw.decode("utf-8", "replace").removeprefix("\ufeff")
    if codec == "utf_7":
        return lambda raw: _SURROGATE.sub("\ufffd", raw.decode("utf_7", "replace"))
    if codec == "cp950":
        return _decode_big5
    if codec in _MANY_BYTES:
        return lambda raw: raw.decode(codec, "replace").removeprefix("\ufeff")
    table = _table(codec)
    return lambda raw: raw.decode("latin-1").translate(table)


def _standard_name(label: str) -> str | None:
    """The standard's name, or one of Python's for what it leaves out; None for an unknown label."""
    from webencodings.labels import LABELS  # few headers need it

    for spelling in (label, label.replace("_", "-"), label.removeprefix("x-")):
        if spelling in _ONLY_IN_MAIL:
            return _ONLY_IN_MAIL[spelling]
        if spelling in LABELS:
            name = str(LABELS[spelling])
            return None if name in {"replacement", "x-user-defined"} else name
    for pattern, plain in _SPELLINGS:
        found = pattern.fullmatch(label)
        if found:
            standard = LABELS.get(found.expand(plain))
            return None if standard is None else str(standard)
    return None


def _table(codec: str) -> dict[int, str]:
    """What the bytes from 128 on are in a charset of single bytes; holes below 160 are control characters."""
    table = {}
    for byte in range(128, 256):
        text = bytes([byte]).decode(codec, "replace")
        table[byte] = chr(byte) if text == "\ufffd" and byte < 160 else text
    return table


def _decode_big5(raw: bytes) -> str:
    """Windows' Big5, or else that of Hong Kong."""
    text = raw.decode("cp950", "replace")
    return raw.decode("big5hkscs", "replace") if "\ufffd" in text else text


_ESCAPE = deferred(rb"\x1b(\([BJIH]|\$[@AB]|\$\([@BCDOPQ]|&@\x1b\$B)|([\x0e\x0f])")
_SETS = {
    b"(B": "ascii", b"(H": "ascii", b"(J": "roman", b"(I": "kana", b"$@": "kanji", b"$B": "kanji", b"$(@": "kanji",
    b"$(B": "kanji", b"&@\x1b$B": "kanji", b"$A": "gb2312", b"$(C": "euc_kr", b"$(D": "more", b"$(O": "x0213",
    b"$(P": "x0213_2", b"$(Q": "x0213",
}  # fmt: skip
_ROMAN = {0x5C: "¥", 0x7E: "‾"}


def _decode_iso_2022_jp(raw: bytes) -> str:
    """ISO-2022-JP with the extensions of Windows (CP50220 to CP50222) and the other sets that RFC 1554 allows."""
    pieces, active, position, shifted = [], "ascii", 0, False
    for escape in _ESCAPE.finditer(raw):
        pieces.append(_decode_set(raw[position : escape.start()], "kana" if shifted else active))
        if escape[2]:
            shifted = escape[2] == b"\x0e"
        else:
            active, shifted = _SETS[escape[1]], False
        position = escape.end()
    pieces.append(_decode_set(raw[position:], "kana" if shifted else active))
    return "".join(pieces)


def _decode_set(raw: bytes, active: str) -> str:
    if active in {"ascii", "roman"}:  # a kana may stand among them with its eighth bit set
        text = raw.decode("cp932", "replace")
        return text.translate(_ROMAN) if active == "roman" else text
    high = bytes(byte | 0x80 for byte in raw)
    if active == "kana":
        return high.decode("cp932", "replace")
    if active == "kanji":
        return _decode_jis(high)
    if active == "more":
        return b"".join(b"\x8f" + high[place : place + 2] for place in range(0, len(high), 2)).decode(
            "euc_jp", "replace"
        )
    if active == "x0213_2":
        high = b"".join(b"\x8f" + high[place : place + 2] for place in range(0, len(high), 2))
    return high.decode("euc_jis_2004" if active.startswith("x0213") else active, "replace")


_EUC_JP = deferred(
    rb"([\xa1-\xfe][\xa1-\xfe])|\x8e([\xa1-\xdf])|(\x8f[\xa1-\xfe][\xa1-\xfe])|([\x00-\x7f]+)|(.)", re.DOTALL
)


def _decode_euc_jp(raw: bytes) -> str:
    return "".join(
        _decode_jis(found[1]) if found[1]
        else found[2].decode("cp932") if found[2]
        else found[3].decode("euc_jp", "replace") if found[3]
        else found[4].decode("ascii") if found[4]
        else "\ufffd"
        for found in _EUC_JP.finditer(raw)
    )  # fmt: skip


def _decode_jis(high: bytes) -> str:
    """JIS X 0208 with the rows that NEC and IBM added, both bytes with their eighth bits set, as Windows reads it."""
    shifted = bytearray()
    for place in range(0, len(high) - 1, 2):
        row, cell = high[place] - 0xA1, high[place + 1] - 0x80
        if not (0 <= row < 94 and 0x21 <= cell <= 0x7E):
            shifted += b"\xff"  # no character has it
            continue
        shifted.append((row >> 1) + (0x81 if row < 62 else 0xC1))
        shifted.append(cell + (0x7E if row & 1 else 0x1F if cell < 0x60 else 0x20))
    text = shifted.decode("cp932", "replace").replace("\uf8f3", "\ufffd")
    return text + "\ufffd" if len(high) % 2 else text
