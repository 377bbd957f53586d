from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_MIRROR: _ClassVar[Mode]
    MODE_THREADS: _ClassVar[Mode]

class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCOPE_BOTH: _ClassVar[Scope]
    SCOPE_TO_CALLER: _ClassVar[Scope]
    SCOPE_TO_ANSWERER: _ClassVar[Scope]
MODE_UNSPECIFIED: Mode
MODE_MIRROR: Mode
MODE_THREADS: Mode
SCOPE_BOTH: Scope
SCOPE_TO_CALLER: Scope
SCOPE_TO_ANSWERER: Scope

class Frame(_message.Message):
    __slots__ = ("hello", "agreement", "symbols", "need", "listing", "settled", "offer", "want", "claims", "gone", "ack", "done", "error", "ask", "answer", "news")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    LISTING_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    NEWS_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    agreement: Agreement
    symbols: Symbols
    need: Need
    listing: Listing
    settled: Settled
    offer: Offer
    want: Want
    claims: Claims
    gone: Gone
    ack: Ack
    done: Done
    error: Error
    ask: Ask
    answer: Answer
    news: News
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., agreement: _Optional[_Union[Agreement, _Mapping]] = ..., symbols: _Optional[_Union[Symbols, _Mapping]] = ..., need: _Optional[_Union[Need, _Mapping]] = ..., listing: _Optional[_Union[Listing, _Mapping]] = ..., settled: _Optional[_Union[Settled, _Mapping]] = ..., offer: _Optional[_Union[Offer, _Mapping]] = ..., want: _Optional[_Union[Want, _Mapping]] = ..., claims: _Optional[_Union[Claims, _Mapping]] = ..., gone: _Optional[_Union[Gone, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., ask: _Optional[_Union[Ask, _Mapping]] = ..., answer: _Optional[_Union[Answer, _Mapping]] = ..., news: _Optional[_Union[News, _Mapping]] = ...) -> None: ...

class Feeds(_message.Message):
    __slots__ = ("origins", "ranges")
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    RANGES_FIELD_NUMBER: _ClassVar[int]
    origins: bytes
    ranges: _containers.RepeatedCompositeFieldContainer[FeedRange]
    def __init__(self, origins: _Optional[bytes] = ..., ranges: _Optional[_Iterable[_Union[FeedRange, _Mapping]]] = ...) -> None: ...

class FeedRange(_message.Message):
    __slots__ = ("origin", "lists", "all_but")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    ALL_BUT_FIELD_NUMBER: _ClassVar[int]
    origin: bytes
    lists: _containers.RepeatedScalarFieldContainer[bytes]
    all_but: bool
    def __init__(self, origin: _Optional[bytes] = ..., lists: _Optional[_Iterable[bytes]] = ..., all_but: _Optional[bool] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("frame_octets", "frame_ids", "open_offers", "open_claims", "open_wants")
    FRAME_OCTETS_FIELD_NUMBER: _ClassVar[int]
    FRAME_IDS_FIELD_NUMBER: _ClassVar[int]
    OPEN_OFFERS_FIELD_NUMBER: _ClassVar[int]
    OPEN_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    OPEN_WANTS_FIELD_NUMBER: _ClassVar[int]
    frame_octets: int
    frame_ids: int
    open_offers: int
    open_claims: int
    open_wants: int
    def __init__(self, frame_octets: _Optional[int] = ..., frame_ids: _Optional[int] = ..., open_offers: _Optional[int] = ..., open_claims: _Optional[int] = ..., open_wants: _Optional[int] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("version", "limits", "serves", "admits", "takes", "kept", "live", "cursor", "next", "carries")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    SERVES_FIELD_NUMBER: _ClassVar[int]
    ADMITS_FIELD_NUMBER: _ClassVar[int]
    TAKES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    CARRIES_FIELD_NUMBER: _ClassVar[int]
    version: int
    limits: Limits
    serves: Feeds
    admits: Feeds
    takes: Mode
    kept: bytes
    live: bool
    cursor: bytes
    next: bytes
    carries: Feeds
    def __init__(self, version: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., serves: _Optional[_Union[Feeds, _Mapping]] = ..., admits: _Optional[_Union[Feeds, _Mapping]] = ..., takes: _Optional[_Union[Mode, str]] = ..., kept: _Optional[bytes] = ..., live: _Optional[bool] = ..., cursor: _Optional[bytes] = ..., next: _Optional[bytes] = ..., carries: _Optional[_Union[Feeds, _Mapping]] = ...) -> None: ...

class Agreement(_message.Message):
    __slots__ = ("digest", "key", "listing")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LISTING_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    key: bytes
    listing: bool
    def __init__(self, digest: _Optional[bytes] = ..., key: _Optional[bytes] = ..., listing: _Optional[bool] = ...) -> None: ...

class Symbols(_message.Message):
    __slots__ = ("scope", "first", "size", "symbols")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    scope: Scope
    first: int
    size: int
    symbols: bytes
    def __init__(self, scope: _Optional[_Union[Scope, str]] = ..., first: _Optional[int] = ..., size: _Optional[int] = ..., symbols: _Optional[bytes] = ...) -> None: ...

class Need(_message.Message):
    __slots__ = ("scope", "count")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    scope: Scope
    count: int
    def __init__(self, scope: _Optional[_Union[Scope, str]] = ..., count: _Optional[int] = ...) -> None: ...

class Listing(_message.Message):
    __slots__ = ("scope", "ids", "last")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    scope: Scope
    ids: bytes
    last: bool
    def __init__(self, scope: _Optional[_Union[Scope, str]] = ..., ids: _Optional[bytes] = ..., last: _Optional[bool] = ...) -> None: ...

class Settled(_message.Message):
    __slots__ = ("scope", "all")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    scope: Scope
    all: bool
    def __init__(self, scope: _Optional[_Union[Scope, str]] = ..., all: _Optional[bool] = ...) -> None: ...

class Ask(_message.Message):
    __slots__ = ("ids", "after", "all")
    IDS_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    ids: bytes
    after: bytes
    all: bool
    def __init__(self, ids: _Optional[bytes] = ..., after: _Optional[bytes] = ..., all: _Optional[bool] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("ids", "done", "after")
    IDS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ids: bytes
    done: int
    after: bytes
    def __init__(self, ids: _Optional[bytes] = ..., done: _Optional[int] = ..., after: _Optional[bytes] = ...) -> None: ...

class News(_message.Message):
    __slots__ = ("ids", "anew", "last")
    IDS_FIELD_NUMBER: _ClassVar[int]
    ANEW_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    ids: bytes
    anew: bool
    last: bool
    def __init__(self, ids: _Optional[bytes] = ..., anew: _Optional[bool] = ..., last: _Optional[bool] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: bytes
    def __init__(self, ids: _Optional[bytes] = ...) -> None: ...

class Want(_message.Message):
    __slots__ = ("offer", "bits", "ids")
    OFFER_FIELD_NUMBER: _ClassVar[int]
    BITS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    offer: int
    bits: bytes
    ids: bytes
    def __init__(self, offer: _Optional[int] = ..., bits: _Optional[bytes] = ..., ids: _Optional[bytes] = ...) -> None: ...

class Claims(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, parts: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Gone(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: bytes
    def __init__(self, ids: _Optional[bytes] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("frames", "refused")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    frames: int
    refused: bytes
    def __init__(self, frames: _Optional[int] = ..., refused: _Optional[bytes] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Error(_message.Message):
    __slots__ = ("reason", "limit")
    REASON_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    reason: bytes
    limit: bytes
    def __init__(self, reason: _Optional[bytes] = ..., limit: _Optional[bytes] = ...) -> None: ...
