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
MESSAGES_PAGE = 50_000
"""Messages of a page of a thread; bytes end most pages before."""
THREADS_PAGE = 200
SEARCH_PAGE = 500
DEFAULT_PAGE = 20
"""Entries of a page of threads or of messages that were found, if the request does not say."""
EXPLAINED = 1000
"""Entries of all lists of an explanation together."""
COVERED = 1000
"""Entries of each list of a coverage."""
FEEDS_PAGE = 1000
"""Feeds of a page."""
ROW_ENTRIES = 100
"""Entries of each list of a message in a row."""
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


def check_id(data: bytes, field: str = "message_id") -> bytes:
    """A message id as a client may name it, in this field."""
    if not data:
        raise InvalidRequestError("it is empty", field)
    if len(data) > ID_BYTES:
        raise InvalidRequestError(f"it has {len(data)} bytes, at most {ID_BYTES} are taken", field)
    return data


def check_query(text: str) -> str:
    """What is searched for."""
    size = len(text.encode())
    if size > WORDS_BYTES:
        raise InvalidRequestError(f"it has {size} bytes, at most {WORDS_BYTES} are taken", "query")
    return text


def check_list(name: str) -> str | None:
    """The list that is meant; None for all."""
    if not name:
        return None
    try:
        check_list_bytes(name.encode())
    except ValueError as error:
        raise InvalidRequestError(str(error), "list") from None
    return name


def check_page_size(asked: int, most: int, default: int = 0) -> int:
    """How many entries a page has: as asked, at most ``most``; by default ``default``, or the most."""
    if asked < 0:
        raise InvalidRequestError("it is less than 0", "page_size")
    return min(asked, most) or default or most
