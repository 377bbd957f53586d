"""Limits of the service for clients, and the checks of what a request may hold.

A request is somebody else's octets.  What breaks a limit is refused with the name of the field and its limit; sizes of
pages are clamped, because a smaller page is an answer too.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from weft.core.list_name import check_list_octets
from weft.rpc.failures import InvalidRequestError

REQUEST_OCTETS = (1 << 20) + (64 << 10)
"""What the transport takes; no request of this service needs more than some thousand."""
PAGE_OCTETS = 1 << 20
"""What a page of a thread has at least before it ends."""
ANSWER_OCTETS = 4 << 20
"""What the transport gives: a page and the largest thing that can end it."""
ID_OCTETS = 8192
WORDS_OCTETS = 1000
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


def parse_request(kind: type[Request], octets: bytes) -> Request:
    """The request that ``octets`` are."""
    try:
        return kind.FromString(octets)
    except DecodeError:
        raise InvalidRequestError("the request is not a message of the schema") from None


def check_id(octets: bytes) -> bytes:
    """A message id as a client may name it."""
    if not octets:
        raise InvalidRequestError("id: it is empty")
    if len(octets) > ID_OCTETS:
        raise InvalidRequestError(f"id: it has {len(octets)} octets, at most {ID_OCTETS} are taken")
    return octets


def check_words(octets: bytes) -> str:
    """What is searched for."""
    if len(octets) > WORDS_OCTETS:
        raise InvalidRequestError(f"words: they have {len(octets)} octets, at most {WORDS_OCTETS} are taken")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise InvalidRequestError("words: they are not UTF-8") from None


def check_list(octets: bytes) -> str | None:
    """The list that is meant; None for all."""
    if not octets:
        return None
    try:
        return check_list_octets(octets).decode()
    except ValueError as error:
        raise InvalidRequestError(f"list: {error}") from None


def clamp(asked: int, limits: tuple[int, int]) -> int:
    """A page size."""
    default, most = limits
    return min(asked, most) or default
