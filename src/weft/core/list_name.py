"""The names of lists: one rule, for sources, claims and policies.

A name is chosen by whoever configures an origin, and travels in every claim: it is text that others choose.  It is
never used as a path.  Servers must agree on which claims are admissible, so the rule is a table of code points and
asks no Unicode database: what is called white space or printable differs between versions.
"""

from __future__ import annotations

from weft._patterns import deferred

MAX_LIST_BYTES = 200
ALL_LISTS = "*"
"""What a policy writes for all lists, so it cannot be the name of one."""

FORBIDDEN = (
    (0x0000, 0x001F), (0x007F, 0x00A0), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160),
    (0x1680, 0x1680), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F),
    (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164), (0xD800, 0xDFFF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""First and last of each range of code points that no name holds: controls, white space except U+0020, and what cannot
be seen or turns the direction of text.  PROTOCOL.md has the same table."""

_FORBIDDEN = deferred("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in FORBIDDEN) + "]")


def check_list_name(name: str) -> str:
    """``name`` if it can name a list, else `ValueError` saying why.

    A list name is 1-200 bytes of UTF-8 without slash, space at an end, or a code point of `FORBIDDEN`; and not ``*``.
    """
    try:
        data = name.encode()
    except UnicodeEncodeError:
        raise ValueError("it is not UTF-8") from None
    if not 0 < len(data) <= MAX_LIST_BYTES:
        raise ValueError(f"it must have 1 to {MAX_LIST_BYTES} bytes")
    if "/" in name:
        raise ValueError("it holds a slash")
    if name == ALL_LISTS:
        raise ValueError('it is "*", which stands for all lists')
    if name.strip(" ") != name:
        raise ValueError("it has a space at an end")
    if found := _FORBIDDEN.search(name):
        raise ValueError(f"it holds U+{ord(found[0]):04X}: no control, invisible or other white-space character may")
    return name


def check_list_bytes(data: bytes) -> bytes:
    """The same for a name as bytes."""
    try:
        check_list_name(data.decode())
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    return data
