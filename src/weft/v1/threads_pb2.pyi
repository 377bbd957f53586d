import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from weft.v1 import claim_pb2 as _claim_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ThreadView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    THREAD_VIEW_UNSPECIFIED: _ClassVar[ThreadView]
    THREAD_VIEW_ROWS: _ClassVar[ThreadView]
    THREAD_VIEW_COLUMNS: _ClassVar[ThreadView]

class Profile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_UNSPECIFIED: _ClassVar[Profile]
    PROFILE_WEFT: _ClassVar[Profile]
    PROFILE_RFC5256: _ClassVar[Profile]

class EdgeRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EDGE_RULE_UNSPECIFIED: _ClassVar[EdgeRule]
    EDGE_RULE_OWN_HEADERS: _ClassVar[EdgeRule]
    EDGE_RULE_CONTESTED: _ClassVar[EdgeRule]
    EDGE_RULE_WITNESSES: _ClassVar[EdgeRule]
    EDGE_RULE_WITNESSES_DISAGREE: _ClassVar[EdgeRule]
    EDGE_RULE_UNKNOWN_PARENT: _ClassVar[EdgeRule]
    EDGE_RULE_CYCLE_CUT: _ClassVar[EdgeRule]
    EDGE_RULE_MUTED: _ClassVar[EdgeRule]
THREAD_VIEW_UNSPECIFIED: ThreadView
THREAD_VIEW_ROWS: ThreadView
THREAD_VIEW_COLUMNS: ThreadView
PROFILE_UNSPECIFIED: Profile
PROFILE_WEFT: Profile
PROFILE_RFC5256: Profile
EDGE_RULE_UNSPECIFIED: EdgeRule
EDGE_RULE_OWN_HEADERS: EdgeRule
EDGE_RULE_CONTESTED: EdgeRule
EDGE_RULE_WITNESSES: EdgeRule
EDGE_RULE_WITNESSES_DISAGREE: EdgeRule
EDGE_RULE_UNKNOWN_PARENT: EdgeRule
EDGE_RULE_CYCLE_CUT: EdgeRule
EDGE_RULE_MUTED: EdgeRule

class StatedTime(_message.Message):
    __slots__ = ("time", "utc_offset_minutes")
    TIME_FIELD_NUMBER: _ClassVar[int]
    UTC_OFFSET_MINUTES_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    utc_offset_minutes: int
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., utc_offset_minutes: _Optional[int] = ...) -> None: ...

class GetThreadRequest(_message.Message):
    __slots__ = ("message_id", "view", "omit_empty_ghosts", "include_claims", "page_size", "page_token")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    OMIT_EMPTY_GHOSTS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    message_id: bytes
    view: ThreadView
    omit_empty_ghosts: bool
    include_claims: bool
    page_size: int
    page_token: str
    def __init__(self, message_id: _Optional[bytes] = ..., view: _Optional[_Union[ThreadView, str]] = ..., omit_empty_ghosts: _Optional[bool] = ..., include_claims: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetThreadResponse(_message.Message):
    __slots__ = ("messages", "columns", "total_size", "digest", "coverage", "parts", "ranks", "profile", "log_position", "next_page_token")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    LOG_POSITION_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[ThreadMessage]
    columns: ThreadColumns
    total_size: int
    digest: bytes
    coverage: Coverage
    parts: _containers.RepeatedCompositeFieldContainer[_claim_pb2.BatchPart]
    ranks: _containers.RepeatedCompositeFieldContainer[FeedRank]
    profile: Profile
    log_position: int
    next_page_token: str
    def __init__(self, messages: _Optional[_Iterable[_Union[ThreadMessage, _Mapping]]] = ..., columns: _Optional[_Union[ThreadColumns, _Mapping]] = ..., total_size: _Optional[int] = ..., digest: _Optional[bytes] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[_claim_pb2.BatchPart, _Mapping]]] = ..., ranks: _Optional[_Iterable[_Union[FeedRank, _Mapping]]] = ..., profile: _Optional[_Union[Profile, str]] = ..., log_position: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetThreadsRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: GetThreadRequest
    def __init__(self, request: _Optional[_Union[GetThreadRequest, _Mapping]] = ...) -> None: ...

class GetThreadsResponse(_message.Message):
    __slots__ = ("thread", "error")
    THREAD_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    thread: GetThreadResponse
    error: RequestError
    def __init__(self, thread: _Optional[_Union[GetThreadResponse, _Mapping]] = ..., error: _Optional[_Union[RequestError, _Mapping]] = ...) -> None: ...

class RequestError(_message.Message):
    __slots__ = ("code", "message", "details")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    details: _containers.RepeatedCompositeFieldContainer[_any_pb2.Any]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., details: _Optional[_Iterable[_Union[_any_pb2.Any, _Mapping]]] = ...) -> None: ...

class ThreadMessage(_message.Message):
    __slots__ = ("message_id", "parent_id", "depth", "ghost", "contested", "date", "author", "subject", "guessed_text", "copies", "variant_count", "naming_count", "naming_lists", "muted", "rivals", "cut_parent_id", "muted_parent_ids", "rival_reply_ids", "alias_ids", "unreadable_date", "truncated", "date_ahead")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    GHOST_FIELD_NUMBER: _ClassVar[int]
    CONTESTED_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    GUESSED_TEXT_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    VARIANT_COUNT_FIELD_NUMBER: _ClassVar[int]
    NAMING_COUNT_FIELD_NUMBER: _ClassVar[int]
    NAMING_LISTS_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    RIVALS_FIELD_NUMBER: _ClassVar[int]
    CUT_PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    MUTED_PARENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RIVAL_REPLY_IDS_FIELD_NUMBER: _ClassVar[int]
    ALIAS_IDS_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_DATE_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    DATE_AHEAD_FIELD_NUMBER: _ClassVar[int]
    message_id: bytes
    parent_id: bytes
    depth: int
    ghost: bool
    contested: bool
    date: StatedTime
    author: str
    subject: str
    guessed_text: bool
    copies: _containers.RepeatedCompositeFieldContainer[MessageCopy]
    variant_count: int
    naming_count: int
    naming_lists: _containers.RepeatedScalarFieldContainer[str]
    muted: bool
    rivals: _containers.RepeatedCompositeFieldContainer[StatedParent]
    cut_parent_id: bytes
    muted_parent_ids: _containers.RepeatedScalarFieldContainer[bytes]
    rival_reply_ids: _containers.RepeatedScalarFieldContainer[bytes]
    alias_ids: _containers.RepeatedScalarFieldContainer[bytes]
    unreadable_date: str
    truncated: bool
    date_ahead: bool
    def __init__(self, message_id: _Optional[bytes] = ..., parent_id: _Optional[bytes] = ..., depth: _Optional[int] = ..., ghost: _Optional[bool] = ..., contested: _Optional[bool] = ..., date: _Optional[_Union[StatedTime, _Mapping]] = ..., author: _Optional[str] = ..., subject: _Optional[str] = ..., guessed_text: _Optional[bool] = ..., copies: _Optional[_Iterable[_Union[MessageCopy, _Mapping]]] = ..., variant_count: _Optional[int] = ..., naming_count: _Optional[int] = ..., naming_lists: _Optional[_Iterable[str]] = ..., muted: _Optional[bool] = ..., rivals: _Optional[_Iterable[_Union[StatedParent, _Mapping]]] = ..., cut_parent_id: _Optional[bytes] = ..., muted_parent_ids: _Optional[_Iterable[bytes]] = ..., rival_reply_ids: _Optional[_Iterable[bytes]] = ..., alias_ids: _Optional[_Iterable[bytes]] = ..., unreadable_date: _Optional[str] = ..., truncated: _Optional[bool] = ..., date_ahead: _Optional[bool] = ...) -> None: ...

class MessageCopy(_message.Message):
    __slots__ = ("list", "subject", "author", "date", "origin_fingerprint")
    LIST_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    list: str
    subject: str
    author: str
    date: StatedTime
    origin_fingerprint: str
    def __init__(self, list: _Optional[str] = ..., subject: _Optional[str] = ..., author: _Optional[str] = ..., date: _Optional[_Union[StatedTime, _Mapping]] = ..., origin_fingerprint: _Optional[str] = ...) -> None: ...

class StatedParent(_message.Message):
    __slots__ = ("message_id",)
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    message_id: bytes
    def __init__(self, message_id: _Optional[bytes] = ...) -> None: ...

class ThreadColumns(_message.Message):
    __slots__ = ("strings", "messages", "copies", "facts")
    STRINGS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    strings: _containers.RepeatedScalarFieldContainer[bytes]
    messages: MessageColumns
    copies: CopyColumns
    facts: FactColumns
    def __init__(self, strings: _Optional[_Iterable[bytes]] = ..., messages: _Optional[_Union[MessageColumns, _Mapping]] = ..., copies: _Optional[_Union[CopyColumns, _Mapping]] = ..., facts: _Optional[_Union[FactColumns, _Mapping]] = ...) -> None: ...

class MessageColumns(_message.Message):
    __slots__ = ("message_ids", "parent_distances", "flags", "counts", "dates", "authors", "subjects")
    MESSAGE_IDS_FIELD_NUMBER: _ClassVar[int]
    PARENT_DISTANCES_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    DATES_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    message_ids: _containers.RepeatedScalarFieldContainer[bytes]
    parent_distances: _containers.RepeatedScalarFieldContainer[int]
    flags: _containers.RepeatedScalarFieldContainer[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    dates: _containers.RepeatedScalarFieldContainer[int]
    authors: _containers.RepeatedScalarFieldContainer[int]
    subjects: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, message_ids: _Optional[_Iterable[bytes]] = ..., parent_distances: _Optional[_Iterable[int]] = ..., flags: _Optional[_Iterable[int]] = ..., counts: _Optional[_Iterable[int]] = ..., dates: _Optional[_Iterable[int]] = ..., authors: _Optional[_Iterable[int]] = ..., subjects: _Optional[_Iterable[int]] = ...) -> None: ...

class CopyColumns(_message.Message):
    __slots__ = ("places", "lists", "subjects", "authors", "dates", "origin_fingerprints")
    PLACES_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    DATES_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FINGERPRINTS_FIELD_NUMBER: _ClassVar[int]
    places: _containers.RepeatedScalarFieldContainer[int]
    lists: _containers.RepeatedScalarFieldContainer[int]
    subjects: _containers.RepeatedScalarFieldContainer[int]
    authors: _containers.RepeatedScalarFieldContainer[int]
    dates: _containers.RepeatedScalarFieldContainer[int]
    origin_fingerprints: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, places: _Optional[_Iterable[int]] = ..., lists: _Optional[_Iterable[int]] = ..., subjects: _Optional[_Iterable[int]] = ..., authors: _Optional[_Iterable[int]] = ..., dates: _Optional[_Iterable[int]] = ..., origin_fingerprints: _Optional[_Iterable[int]] = ...) -> None: ...

class FactColumns(_message.Message):
    __slots__ = ("places", "kinds", "texts")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[FactColumns.Kind]
        KIND_RIVAL: _ClassVar[FactColumns.Kind]
        KIND_CUT_PARENT: _ClassVar[FactColumns.Kind]
        KIND_NAMING_LIST: _ClassVar[FactColumns.Kind]
        KIND_UNREADABLE_DATE: _ClassVar[FactColumns.Kind]
        KIND_MUTED_PARENT: _ClassVar[FactColumns.Kind]
        KIND_RIVAL_REPLY: _ClassVar[FactColumns.Kind]
        KIND_ALIAS: _ClassVar[FactColumns.Kind]
    KIND_UNSPECIFIED: FactColumns.Kind
    KIND_RIVAL: FactColumns.Kind
    KIND_CUT_PARENT: FactColumns.Kind
    KIND_NAMING_LIST: FactColumns.Kind
    KIND_UNREADABLE_DATE: FactColumns.Kind
    KIND_MUTED_PARENT: FactColumns.Kind
    KIND_RIVAL_REPLY: FactColumns.Kind
    KIND_ALIAS: FactColumns.Kind
    PLACES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    places: _containers.RepeatedScalarFieldContainer[int]
    kinds: _containers.RepeatedScalarFieldContainer[FactColumns.Kind]
    texts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, places: _Optional[_Iterable[int]] = ..., kinds: _Optional[_Iterable[_Union[FactColumns.Kind, str]]] = ..., texts: _Optional[_Iterable[int]] = ...) -> None: ...

class FeedRank(_message.Message):
    __slots__ = ("origin", "list", "tier")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    origin: bytes
    list: str
    tier: int
    def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[str] = ..., tier: _Optional[int] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("carried_feeds", "partly_asked_feeds", "never_asked_feeds", "asked", "cut_peer_fingerprints", "unheld_message_ids", "truncated")
    class Asked(_message.Message):
        __slots__ = ("feeds", "peer_fingerprints", "complete_time")
        FEEDS_FIELD_NUMBER: _ClassVar[int]
        PEER_FINGERPRINTS_FIELD_NUMBER: _ClassVar[int]
        COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
        feeds: _containers.RepeatedScalarFieldContainer[str]
        peer_fingerprints: _containers.RepeatedScalarFieldContainer[str]
        complete_time: _timestamp_pb2.Timestamp
        def __init__(self, feeds: _Optional[_Iterable[str]] = ..., peer_fingerprints: _Optional[_Iterable[str]] = ..., complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    CARRIED_FEEDS_FIELD_NUMBER: _ClassVar[int]
    PARTLY_ASKED_FEEDS_FIELD_NUMBER: _ClassVar[int]
    NEVER_ASKED_FEEDS_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    CUT_PEER_FINGERPRINTS_FIELD_NUMBER: _ClassVar[int]
    UNHELD_MESSAGE_IDS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    carried_feeds: _containers.RepeatedScalarFieldContainer[str]
    partly_asked_feeds: _containers.RepeatedScalarFieldContainer[str]
    never_asked_feeds: _containers.RepeatedScalarFieldContainer[str]
    asked: _containers.RepeatedCompositeFieldContainer[Coverage.Asked]
    cut_peer_fingerprints: _containers.RepeatedScalarFieldContainer[str]
    unheld_message_ids: _containers.RepeatedScalarFieldContainer[bytes]
    truncated: bool
    def __init__(self, carried_feeds: _Optional[_Iterable[str]] = ..., partly_asked_feeds: _Optional[_Iterable[str]] = ..., never_asked_feeds: _Optional[_Iterable[str]] = ..., asked: _Optional[_Iterable[_Union[Coverage.Asked, _Mapping]]] = ..., cut_peer_fingerprints: _Optional[_Iterable[str]] = ..., unheld_message_ids: _Optional[_Iterable[bytes]] = ..., truncated: _Optional[bool] = ...) -> None: ...

class ListThreadsRequest(_message.Message):
    __slots__ = ("list", "since_time", "only_incomplete", "page_size", "page_token")
    LIST_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    ONLY_INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    list: str
    since_time: _timestamp_pb2.Timestamp
    only_incomplete: bool
    page_size: int
    page_token: str
    def __init__(self, list: _Optional[str] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., only_incomplete: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListThreadsResponse(_message.Message):
    __slots__ = ("threads", "next_page_token")
    THREADS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    threads: _containers.RepeatedCompositeFieldContainer[ThreadSummary]
    next_page_token: str
    def __init__(self, threads: _Optional[_Iterable[_Union[ThreadSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ThreadSummary(_message.Message):
    __slots__ = ("root_id", "digest", "message_count", "ghost_count", "lists", "subject", "author", "newest_date")
    ROOT_ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    GHOST_COUNT_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NEWEST_DATE_FIELD_NUMBER: _ClassVar[int]
    root_id: bytes
    digest: bytes
    message_count: int
    ghost_count: int
    lists: _containers.RepeatedScalarFieldContainer[str]
    subject: str
    author: str
    newest_date: StatedTime
    def __init__(self, root_id: _Optional[bytes] = ..., digest: _Optional[bytes] = ..., message_count: _Optional[int] = ..., ghost_count: _Optional[int] = ..., lists: _Optional[_Iterable[str]] = ..., subject: _Optional[str] = ..., author: _Optional[str] = ..., newest_date: _Optional[_Union[StatedTime, _Mapping]] = ...) -> None: ...

class SearchMessagesRequest(_message.Message):
    __slots__ = ("query", "list", "since_time", "until_time", "page_size", "page_token")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    query: str
    list: str
    since_time: _timestamp_pb2.Timestamp
    until_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, query: _Optional[str] = ..., list: _Optional[str] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SearchMessagesResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "incomplete")
    class Result(_message.Message):
        __slots__ = ("message_id", "root_id", "list", "date", "author", "subject", "variant_count")
        MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
        ROOT_ID_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        DATE_FIELD_NUMBER: _ClassVar[int]
        AUTHOR_FIELD_NUMBER: _ClassVar[int]
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        VARIANT_COUNT_FIELD_NUMBER: _ClassVar[int]
        message_id: bytes
        root_id: bytes
        list: str
        date: StatedTime
        author: str
        subject: str
        variant_count: int
        def __init__(self, message_id: _Optional[bytes] = ..., root_id: _Optional[bytes] = ..., list: _Optional[str] = ..., date: _Optional[_Union[StatedTime, _Mapping]] = ..., author: _Optional[str] = ..., subject: _Optional[str] = ..., variant_count: _Optional[int] = ...) -> None: ...
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SearchMessagesResponse.Result]
    next_page_token: str
    incomplete: bool
    def __init__(self, results: _Optional[_Iterable[_Union[SearchMessagesResponse.Result, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., incomplete: _Optional[bool] = ...) -> None: ...

class ExplainMessageRequest(_message.Message):
    __slots__ = ("message_id", "page_size", "page_token")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    message_id: bytes
    page_size: int
    page_token: str
    def __init__(self, message_id: _Optional[bytes] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExplainMessageResponse(_message.Message):
    __slots__ = ("message_id", "root_id", "parent", "rule", "ghost", "statements", "witnesses", "rivals", "child_ids", "lookalike_ids", "alias_of_ids", "alias_ids", "coverage", "next_page_token")
    class ParentHeader(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PARENT_HEADER_UNSPECIFIED: _ClassVar[ExplainMessageResponse.ParentHeader]
        PARENT_HEADER_NONE: _ClassVar[ExplainMessageResponse.ParentHeader]
        PARENT_HEADER_IN_REPLY_TO: _ClassVar[ExplainMessageResponse.ParentHeader]
        PARENT_HEADER_REFERENCES: _ClassVar[ExplainMessageResponse.ParentHeader]
        PARENT_HEADER_IN_REPLY_TO_AND_REFERENCES: _ClassVar[ExplainMessageResponse.ParentHeader]
    PARENT_HEADER_UNSPECIFIED: ExplainMessageResponse.ParentHeader
    PARENT_HEADER_NONE: ExplainMessageResponse.ParentHeader
    PARENT_HEADER_IN_REPLY_TO: ExplainMessageResponse.ParentHeader
    PARENT_HEADER_REFERENCES: ExplainMessageResponse.ParentHeader
    PARENT_HEADER_IN_REPLY_TO_AND_REFERENCES: ExplainMessageResponse.ParentHeader
    class HiddenReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        HIDDEN_REASON_UNSPECIFIED: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_NOT_ADMITTED: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_WITHDRAWN: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_CLAIM_MUTED: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_FEED_MUTED: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_MESSAGE_ID_MUTED: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_AUTHOR_MUTED: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_DELETED: _ClassVar[ExplainMessageResponse.HiddenReason]
        HIDDEN_REASON_DAMAGED: _ClassVar[ExplainMessageResponse.HiddenReason]
    HIDDEN_REASON_UNSPECIFIED: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_NOT_ADMITTED: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_WITHDRAWN: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_CLAIM_MUTED: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_FEED_MUTED: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_MESSAGE_ID_MUTED: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_AUTHOR_MUTED: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_DELETED: ExplainMessageResponse.HiddenReason
    HIDDEN_REASON_DAMAGED: ExplainMessageResponse.HiddenReason
    class Statement(_message.Message):
        __slots__ = ("claim_id", "origin", "list", "tier", "message_id", "parent", "header", "date", "subject", "author", "archived_at", "batch_root", "log_position", "hidden_reason", "body_digest", "weak_ids", "alias_ids")
        CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        TIER_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
        PARENT_FIELD_NUMBER: _ClassVar[int]
        HEADER_FIELD_NUMBER: _ClassVar[int]
        DATE_FIELD_NUMBER: _ClassVar[int]
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        AUTHOR_FIELD_NUMBER: _ClassVar[int]
        ARCHIVED_AT_FIELD_NUMBER: _ClassVar[int]
        BATCH_ROOT_FIELD_NUMBER: _ClassVar[int]
        LOG_POSITION_FIELD_NUMBER: _ClassVar[int]
        HIDDEN_REASON_FIELD_NUMBER: _ClassVar[int]
        BODY_DIGEST_FIELD_NUMBER: _ClassVar[int]
        WEAK_IDS_FIELD_NUMBER: _ClassVar[int]
        ALIAS_IDS_FIELD_NUMBER: _ClassVar[int]
        claim_id: bytes
        origin: bytes
        list: str
        tier: int
        message_id: bytes
        parent: StatedParent
        header: ExplainMessageResponse.ParentHeader
        date: str
        subject: str
        author: str
        archived_at: str
        batch_root: bytes
        log_position: int
        hidden_reason: ExplainMessageResponse.HiddenReason
        body_digest: bytes
        weak_ids: _containers.RepeatedCompositeFieldContainer[ExplainMessageResponse.WeakId]
        alias_ids: _containers.RepeatedScalarFieldContainer[bytes]
        def __init__(self, claim_id: _Optional[bytes] = ..., origin: _Optional[bytes] = ..., list: _Optional[str] = ..., tier: _Optional[int] = ..., message_id: _Optional[bytes] = ..., parent: _Optional[_Union[StatedParent, _Mapping]] = ..., header: _Optional[_Union[ExplainMessageResponse.ParentHeader, str]] = ..., date: _Optional[str] = ..., subject: _Optional[str] = ..., author: _Optional[str] = ..., archived_at: _Optional[str] = ..., batch_root: _Optional[bytes] = ..., log_position: _Optional[int] = ..., hidden_reason: _Optional[_Union[ExplainMessageResponse.HiddenReason, str]] = ..., body_digest: _Optional[bytes] = ..., weak_ids: _Optional[_Iterable[_Union[ExplainMessageResponse.WeakId, _Mapping]]] = ..., alias_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...
    class WeakId(_message.Message):
        __slots__ = ("message_id", "counts")
        MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
        COUNTS_FIELD_NUMBER: _ClassVar[int]
        message_id: bytes
        counts: bool
        def __init__(self, message_id: _Optional[bytes] = ..., counts: _Optional[bool] = ...) -> None: ...
    class Witness(_message.Message):
        __slots__ = ("claim_id", "origin", "list", "tier", "message_id", "parent", "gap", "counts")
        CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        TIER_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
        PARENT_FIELD_NUMBER: _ClassVar[int]
        GAP_FIELD_NUMBER: _ClassVar[int]
        COUNTS_FIELD_NUMBER: _ClassVar[int]
        claim_id: bytes
        origin: bytes
        list: str
        tier: int
        message_id: bytes
        parent: StatedParent
        gap: int
        counts: bool
        def __init__(self, claim_id: _Optional[bytes] = ..., origin: _Optional[bytes] = ..., list: _Optional[str] = ..., tier: _Optional[int] = ..., message_id: _Optional[bytes] = ..., parent: _Optional[_Union[StatedParent, _Mapping]] = ..., gap: _Optional[int] = ..., counts: _Optional[bool] = ...) -> None: ...
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    GHOST_FIELD_NUMBER: _ClassVar[int]
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    WITNESSES_FIELD_NUMBER: _ClassVar[int]
    RIVALS_FIELD_NUMBER: _ClassVar[int]
    CHILD_IDS_FIELD_NUMBER: _ClassVar[int]
    LOOKALIKE_IDS_FIELD_NUMBER: _ClassVar[int]
    ALIAS_OF_IDS_FIELD_NUMBER: _ClassVar[int]
    ALIAS_IDS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    message_id: bytes
    root_id: bytes
    parent: StatedParent
    rule: EdgeRule
    ghost: bool
    statements: _containers.RepeatedCompositeFieldContainer[ExplainMessageResponse.Statement]
    witnesses: _containers.RepeatedCompositeFieldContainer[ExplainMessageResponse.Witness]
    rivals: _containers.RepeatedCompositeFieldContainer[StatedParent]
    child_ids: _containers.RepeatedScalarFieldContainer[bytes]
    lookalike_ids: _containers.RepeatedScalarFieldContainer[bytes]
    alias_of_ids: _containers.RepeatedScalarFieldContainer[bytes]
    alias_ids: _containers.RepeatedScalarFieldContainer[bytes]
    coverage: Coverage
    next_page_token: str
    def __init__(self, message_id: _Optional[bytes] = ..., root_id: _Optional[bytes] = ..., parent: _Optional[_Union[StatedParent, _Mapping]] = ..., rule: _Optional[_Union[EdgeRule, str]] = ..., ghost: _Optional[bool] = ..., statements: _Optional[_Iterable[_Union[ExplainMessageResponse.Statement, _Mapping]]] = ..., witnesses: _Optional[_Iterable[_Union[ExplainMessageResponse.Witness, _Mapping]]] = ..., rivals: _Optional[_Iterable[_Union[StatedParent, _Mapping]]] = ..., child_ids: _Optional[_Iterable[bytes]] = ..., lookalike_ids: _Optional[_Iterable[bytes]] = ..., alias_of_ids: _Optional[_Iterable[bytes]] = ..., alias_ids: _Optional[_Iterable[bytes]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchChangesRequest(_message.Message):
    __slots__ = ("after_position", "list")
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    after_position: int
    list: str
    def __init__(self, after_position: _Optional[int] = ..., list: _Optional[str] = ...) -> None: ...

class WatchChangesResponse(_message.Message):
    __slots__ = ("changes", "log_position")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    LOG_POSITION_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    log_position: int
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., log_position: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("log_position", "causes", "message_id", "root_id", "claim_id", "origin", "list")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[Change.Cause]
        CAUSE_NEW_CLAIM: _ClassVar[Change.Cause]
        CAUSE_GHOST_FILLED: _ClassVar[Change.Cause]
        CAUSE_CONTESTED: _ClassVar[Change.Cause]
        CAUSE_CYCLE: _ClassVar[Change.Cause]
        CAUSE_WITHDRAWAL: _ClassVar[Change.Cause]
    CAUSE_UNSPECIFIED: Change.Cause
    CAUSE_NEW_CLAIM: Change.Cause
    CAUSE_GHOST_FILLED: Change.Cause
    CAUSE_CONTESTED: Change.Cause
    CAUSE_CYCLE: Change.Cause
    CAUSE_WITHDRAWAL: Change.Cause
    LOG_POSITION_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    log_position: int
    causes: _containers.RepeatedScalarFieldContainer[Change.Cause]
    message_id: bytes
    root_id: bytes
    claim_id: bytes
    origin: bytes
    list: str
    def __init__(self, log_position: _Optional[int] = ..., causes: _Optional[_Iterable[_Union[Change.Cause, str]]] = ..., message_id: _Optional[bytes] = ..., root_id: _Optional[bytes] = ..., claim_id: _Optional[bytes] = ..., origin: _Optional[bytes] = ..., list: _Optional[str] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ("include_view_digest",)
    INCLUDE_VIEW_DIGEST_FIELD_NUMBER: _ClassVar[int]
    include_view_digest: bool
    def __init__(self, include_view_digest: _Optional[bool] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "origin", "origin_fingerprint", "log_position", "view_position", "view_digest")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    LOG_POSITION_FIELD_NUMBER: _ClassVar[int]
    VIEW_POSITION_FIELD_NUMBER: _ClassVar[int]
    VIEW_DIGEST_FIELD_NUMBER: _ClassVar[int]
    version: str
    origin: bytes
    origin_fingerprint: str
    log_position: int
    view_position: int
    view_digest: bytes
    def __init__(self, version: _Optional[str] = ..., origin: _Optional[bytes] = ..., origin_fingerprint: _Optional[str] = ..., log_position: _Optional[int] = ..., view_position: _Optional[int] = ..., view_digest: _Optional[bytes] = ...) -> None: ...

class ListFeedsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFeedsResponse(_message.Message):
    __slots__ = ("feeds", "next_page_token")
    class Feed(_message.Message):
        __slots__ = ("origin", "list", "claim_count", "tier")
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        CLAIM_COUNT_FIELD_NUMBER: _ClassVar[int]
        TIER_FIELD_NUMBER: _ClassVar[int]
        origin: bytes
        list: str
        claim_count: int
        tier: int
        def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[str] = ..., claim_count: _Optional[int] = ..., tier: _Optional[int] = ...) -> None: ...
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    feeds: _containers.RepeatedCompositeFieldContainer[ListFeedsResponse.Feed]
    next_page_token: str
    def __init__(self, feeds: _Optional[_Iterable[_Union[ListFeedsResponse.Feed, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamDigestsRequest(_message.Message):
    __slots__ = ("summary_only",)
    SUMMARY_ONLY_FIELD_NUMBER: _ClassVar[int]
    summary_only: bool
    def __init__(self, summary_only: _Optional[bool] = ...) -> None: ...

class StreamDigestsResponse(_message.Message):
    __slots__ = ("common_view", "thread_count", "view_version", "log_position", "root_ids", "digests")
    COMMON_VIEW_FIELD_NUMBER: _ClassVar[int]
    THREAD_COUNT_FIELD_NUMBER: _ClassVar[int]
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOG_POSITION_FIELD_NUMBER: _ClassVar[int]
    ROOT_IDS_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    common_view: bytes
    thread_count: int
    view_version: bytes
    log_position: int
    root_ids: _containers.RepeatedScalarFieldContainer[bytes]
    digests: bytes
    def __init__(self, common_view: _Optional[bytes] = ..., thread_count: _Optional[int] = ..., view_version: _Optional[bytes] = ..., log_position: _Optional[int] = ..., root_ids: _Optional[_Iterable[bytes]] = ..., digests: _Optional[bytes] = ...) -> None: ...

class StreamTreesRequest(_message.Message):
    __slots__ = ("view_version", "message_ids")
    VIEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_IDS_FIELD_NUMBER: _ClassVar[int]
    view_version: bytes
    message_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, view_version: _Optional[bytes] = ..., message_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class StreamTreesResponse(_message.Message):
    __slots__ = ("feeds", "ids")
    class Feed(_message.Message):
        __slots__ = ("origin", "list")
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        origin: bytes
        list: str
        def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[str] = ...) -> None: ...
    class PlacingClaim(_message.Message):
        __slots__ = ("claim_id", "feed_index", "parent_id", "witness_id")
        CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
        FEED_INDEX_FIELD_NUMBER: _ClassVar[int]
        PARENT_ID_FIELD_NUMBER: _ClassVar[int]
        WITNESS_ID_FIELD_NUMBER: _ClassVar[int]
        claim_id: bytes
        feed_index: int
        parent_id: bytes
        witness_id: bytes
        def __init__(self, claim_id: _Optional[bytes] = ..., feed_index: _Optional[int] = ..., parent_id: _Optional[bytes] = ..., witness_id: _Optional[bytes] = ...) -> None: ...
    class PlacedId(_message.Message):
        __slots__ = ("message_id", "parent_distance", "seen", "rule", "claims", "continued")
        MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
        PARENT_DISTANCE_FIELD_NUMBER: _ClassVar[int]
        SEEN_FIELD_NUMBER: _ClassVar[int]
        RULE_FIELD_NUMBER: _ClassVar[int]
        CLAIMS_FIELD_NUMBER: _ClassVar[int]
        CONTINUED_FIELD_NUMBER: _ClassVar[int]
        message_id: bytes
        parent_distance: int
        seen: bool
        rule: EdgeRule
        claims: _containers.RepeatedCompositeFieldContainer[StreamTreesResponse.PlacingClaim]
        continued: bool
        def __init__(self, message_id: _Optional[bytes] = ..., parent_distance: _Optional[int] = ..., seen: _Optional[bool] = ..., rule: _Optional[_Union[EdgeRule, str]] = ..., claims: _Optional[_Iterable[_Union[StreamTreesResponse.PlacingClaim, _Mapping]]] = ..., continued: _Optional[bool] = ...) -> None: ...
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    feeds: _containers.RepeatedCompositeFieldContainer[StreamTreesResponse.Feed]
    ids: _containers.RepeatedCompositeFieldContainer[StreamTreesResponse.PlacedId]
    def __init__(self, feeds: _Optional[_Iterable[_Union[StreamTreesResponse.Feed, _Mapping]]] = ..., ids: _Optional[_Iterable[_Union[StreamTreesResponse.PlacedId, _Mapping]]] = ...) -> None: ...
