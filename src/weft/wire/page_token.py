"""Page tokens: where the next page begins, as text that means something to this server only.

A token holds the digest of the request that it goes on with, so that it is refused with any other one, and some values
of ours.  It is not signed: whoever makes one up begins in some other place of what they may read anyway, so whoever
uses the values checks them.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from google.protobuf.message import Message

from weft.errors import InvalidRequestError

_DIGEST_BYTES = 8
_MOST = 1024
"""Characters of a token; ids are the longest values."""


def page_token(request: Message, data: bytes) -> str:
    """The token by which ``request`` goes on, with ``data`` to know where."""
    return urlsafe_b64encode(_digest(request) + data).rstrip(b"=").decode()


def read_page_token(request: Any) -> bytes | None:  # noqa: ANN401 - any request that has pages
    """The data in the token of a request; None if it asks for the first page.  `InvalidRequestError`."""
    token: str = request.page_token
    if not token:
        return None
    try:
        if len(token) > _MOST:
            raise ValueError
        data = b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise bad_token() from None
    if data[:_DIGEST_BYTES] != _digest(request):
        raise bad_token()
    return data[_DIGEST_BYTES:]


def bad_token() -> InvalidRequestError:
    """That a token is not one of ours, or of another request."""
    return InvalidRequestError("not one that this server gave for this request, but for page_size", "page_token")


def _digest(request: Any) -> bytes:  # noqa: ANN401 - as above
    bare = type(request)()
    bare.CopyFrom(request)
    bare.page_token, bare.page_size = "", 0
    name = bare.DESCRIPTOR.full_name.encode()
    return sha256(name + b"\0" + bare.SerializeToString(deterministic=True)).digest()[:_DIGEST_BYTES]
