"""Names of nodes in formats that cannot hold every message id.

XML has no NUL, DOT no control characters, and neither has bytes that are not UTF-8.  `weft.render.sanitize.clean` would
give two ids one name, and so make two nodes one.  So a name is the id with such characters percent-encoded, byte by
byte, as a ``mid:`` URL has them (RFC 2392), and nothing else: `urllib.parse.unquote_to_bytes` gives the id back.
"""

from __future__ import annotations

import re

from weft.render.sanitize import visible

_ENCODED = re.compile(r"%(?=[0-9A-Fa-f]{2})")


def node_name(message_id: str) -> str:
    """The name of an id: the id itself wherever that can be.  Different ids have different names."""
    if "%" in message_id:
        message_id = _ENCODED.sub("%25", message_id)
    if message_id.isprintable():
        return message_id
    return "".join(one if visible(one) == one else _encode(one) for one in message_id)


def _encode(character: str) -> str:
    data = character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in data)
