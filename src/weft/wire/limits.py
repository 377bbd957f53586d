"""Limits of the service for clients, and the checks of what a request may hold.

A request is somebody else's bytes.  What breaks a limit is refused with the name of the field and its limit; sizes of
pages are clamped, because a smaller page is an answer too.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from weft.core.list_name import check_list_bytes
from weft.errors import InvalidRequestError

REQUEST_BYTES = (1 << 20) + (64 << 10)
"""What the transport takes; no request of this service needs more than some thousand."""
PAGE_BYTES = 1 << 20
"""What a page of a thread has at least before it ends."""
ANSWER_BYTES = 4 << 20
"""What the transport gives: a page and the largest thing that can end it."""
ID_BYTES = 8192
WORDS_BYTES = 1000
THREADS_PAGE = (20, 200)
"""(what 0 means, the most)."""
SEARCH_LIMIT = (20, 500)
EXPLAINED = 1000
"""Entries of each list of an explanation."""
CALL_SECONDS = 30.0
"""The longest that a call may take, if its caller does not say less."""
COMPARE_SECONDS = 600.0
"""The same for a stream that compares, which reads every claim first."""
COMPARERS = 16
"""Streams in flight that compare."""
DIGESTS_PAGE = 4000
TREES_IDS = 1000
IN_FLIGHT = 16
"""Requests of one stream for threads that are taken at a time."""
THREAD_STREAMS = 1024
"""Such streams in flight, idle ones among them."""
CALLS = 4096
"""Calls in flight, idle streams among them."""
WATCHERS = 2048
"""Streams of changes in flight."""
STREAMS = 1024
"""Calls in flight of one connection."""
DRAIN_SECONDS = 30.0
"""How long a server that stops waits for calls in flight."""

Request = TypeVar("Request", bound=Message)


def parse_request(kind: type[Request], data: bytes) -> Request:
    """The request that ``data`` are."""
    try:
        return kind.FromString(data)
    except DecodeError:
        raise InvalidRequestError("the request is not a message of the schema") from None


def check_id(data: bytes) -> bytes:
    """A message id as a client may name it."""
    if not data:
        raise InvalidRequestError("id: it is empty")
    if len(data) > ID_BYTES:
        raise InvalidRequestError(f"id: it has {len(data)} bytes, at most {ID_BYTES} are taken")
    return data


def check_words(data: bytes) -> str:
    """What is searched for."""
    if len(data) > WORDS_BYTES:
        raise InvalidRequestError(f"words: they have {len(data)} bytes, at most {WORDS_BYTES} are taken")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidRequestError("words: they are not UTF-8") from None


def check_list(data: bytes) -> str | None:
    """The list that is meant; None for all."""
    if not data:
        return None
    try:
        return check_list_bytes(data).decode()
    except ValueError as error:
        raise InvalidRequestError(f"list: {error}") from None


def clamp(asked: int, limits: tuple[int, int]) -> int:
    """A page size."""
    default, most = limits
    return min(asked, most) or default
