from weft.v1 import claim_pb2 as _claim_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetThreadRequest(_message.Message):
    __slots__ = ("id", "prune", "with_claims", "cursor")
    ID_FIELD_NUMBER: _ClassVar[int]
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    WITH_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    prune: bool
    with_claims: bool
    cursor: Cursor
    def __init__(self, id: _Optional[bytes] = ..., prune: _Optional[bool] = ..., with_claims: _Optional[bool] = ..., cursor: _Optional[_Union[Cursor, _Mapping]] = ...) -> None: ...

class Cursor(_message.Message):
    __slots__ = ("messages", "copies", "facts", "claims", "version")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    messages: int
    copies: int
    facts: int
    claims: int
    version: bytes
    def __init__(self, messages: _Optional[int] = ..., copies: _Optional[int] = ..., facts: _Optional[int] = ..., claims: _Optional[int] = ..., version: _Optional[bytes] = ...) -> None: ...

class GetThreadResponse(_message.Message):
    __slots__ = ("page", "parts", "ranks", "next", "position", "profile", "coverage", "failure")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    page: ThreadPage
    parts: _containers.RepeatedCompositeFieldContainer[_claim_pb2.BatchPart]
    ranks: _containers.RepeatedCompositeFieldContainer[Rank]
    next: Cursor
    position: int
    profile: bytes
    coverage: Coverage
    failure: Failure
    def __init__(self, page: _Optional[_Union[ThreadPage, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[_claim_pb2.BatchPart, _Mapping]]] = ..., ranks: _Optional[_Iterable[_Union[Rank, _Mapping]]] = ..., next: _Optional[_Union[Cursor, _Mapping]] = ..., position: _Optional[int] = ..., profile: _Optional[bytes] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("code", "details")
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: int
    details: bytes
    def __init__(self, code: _Optional[int] = ..., details: _Optional[bytes] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("carried", "partly", "never_asked", "asked", "cut", "nobody_holds")
    class Asked(_message.Message):
        __slots__ = ("feeds", "of", "upto")
        FEEDS_FIELD_NUMBER: _ClassVar[int]
        OF_FIELD_NUMBER: _ClassVar[int]
        UPTO_FIELD_NUMBER: _ClassVar[int]
        feeds: _containers.RepeatedScalarFieldContainer[bytes]
        of: _containers.RepeatedScalarFieldContainer[bytes]
        upto: bytes
        def __init__(self, feeds: _Optional[_Iterable[bytes]] = ..., of: _Optional[_Iterable[bytes]] = ..., upto: _Optional[bytes] = ...) -> None: ...
    CARRIED_FIELD_NUMBER: _ClassVar[int]
    PARTLY_FIELD_NUMBER: _ClassVar[int]
    NEVER_ASKED_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    NOBODY_HOLDS_FIELD_NUMBER: _ClassVar[int]
    carried: _containers.RepeatedScalarFieldContainer[bytes]
    partly: _containers.RepeatedScalarFieldContainer[bytes]
    never_asked: _containers.RepeatedScalarFieldContainer[bytes]
    asked: _containers.RepeatedCompositeFieldContainer[Coverage.Asked]
    cut: _containers.RepeatedScalarFieldContainer[bytes]
    nobody_holds: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, carried: _Optional[_Iterable[bytes]] = ..., partly: _Optional[_Iterable[bytes]] = ..., never_asked: _Optional[_Iterable[bytes]] = ..., asked: _Optional[_Iterable[_Union[Coverage.Asked, _Mapping]]] = ..., cut: _Optional[_Iterable[bytes]] = ..., nobody_holds: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ThreadPage(_message.Message):
    __slots__ = ("digest", "strings", "messages", "copies", "facts")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STRINGS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    strings: _containers.RepeatedScalarFieldContainer[bytes]
    messages: Messages
    copies: Copies
    facts: Facts
    def __init__(self, digest: _Optional[bytes] = ..., strings: _Optional[_Iterable[bytes]] = ..., messages: _Optional[_Union[Messages, _Mapping]] = ..., copies: _Optional[_Union[Copies, _Mapping]] = ..., facts: _Optional[_Union[Facts, _Mapping]] = ...) -> None: ...

class Messages(_message.Message):
    __slots__ = ("id", "up", "flags", "count", "date", "author", "subject")
    ID_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    id: _containers.RepeatedScalarFieldContainer[bytes]
    up: _containers.RepeatedScalarFieldContainer[int]
    flags: _containers.RepeatedScalarFieldContainer[int]
    count: _containers.RepeatedScalarFieldContainer[int]
    date: _containers.RepeatedScalarFieldContainer[int]
    author: _containers.RepeatedScalarFieldContainer[int]
    subject: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[_Iterable[bytes]] = ..., up: _Optional[_Iterable[int]] = ..., flags: _Optional[_Iterable[int]] = ..., count: _Optional[_Iterable[int]] = ..., date: _Optional[_Iterable[int]] = ..., author: _Optional[_Iterable[int]] = ..., subject: _Optional[_Iterable[int]] = ...) -> None: ...

class Copies(_message.Message):
    __slots__ = ("message", "list", "subject", "author", "date", "origin")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    message: _containers.RepeatedScalarFieldContainer[int]
    list: _containers.RepeatedScalarFieldContainer[int]
    subject: _containers.RepeatedScalarFieldContainer[int]
    author: _containers.RepeatedScalarFieldContainer[int]
    date: _containers.RepeatedScalarFieldContainer[int]
    origin: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, message: _Optional[_Iterable[int]] = ..., list: _Optional[_Iterable[int]] = ..., subject: _Optional[_Iterable[int]] = ..., author: _Optional[_Iterable[int]] = ..., date: _Optional[_Iterable[int]] = ..., origin: _Optional[_Iterable[int]] = ...) -> None: ...

class Facts(_message.Message):
    __slots__ = ("message", "kind", "text")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Facts.Kind]
        RIVAL: _ClassVar[Facts.Kind]
        CUT: _ClassVar[Facts.Kind]
        NAMED_ON: _ClassVar[Facts.Kind]
        STATED_DATE: _ClassVar[Facts.Kind]
        MUTED_PARENT: _ClassVar[Facts.Kind]
        RIVAL_REPLY: _ClassVar[Facts.Kind]
        ALIAS: _ClassVar[Facts.Kind]
    KIND_UNSPECIFIED: Facts.Kind
    RIVAL: Facts.Kind
    CUT: Facts.Kind
    NAMED_ON: Facts.Kind
    STATED_DATE: Facts.Kind
    MUTED_PARENT: Facts.Kind
    RIVAL_REPLY: Facts.Kind
    ALIAS: Facts.Kind
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    message: _containers.RepeatedScalarFieldContainer[int]
    kind: _containers.RepeatedScalarFieldContainer[Facts.Kind]
    text: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, message: _Optional[_Iterable[int]] = ..., kind: _Optional[_Iterable[_Union[Facts.Kind, str]]] = ..., text: _Optional[_Iterable[int]] = ...) -> None: ...

class Rank(_message.Message):
    __slots__ = ("origin", "list", "tier")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    origin: bytes
    list: bytes
    tier: int
    def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[bytes] = ..., tier: _Optional[int] = ...) -> None: ...

class ListThreadsRequest(_message.Message):
    __slots__ = ("list", "since", "missing", "page_size", "after")
    LIST_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    list: bytes
    since: int
    missing: bool
    page_size: int
    after: bytes
    def __init__(self, list: _Optional[bytes] = ..., since: _Optional[int] = ..., missing: _Optional[bool] = ..., page_size: _Optional[int] = ..., after: _Optional[bytes] = ...) -> None: ...

class ListThreadsResponse(_message.Message):
    __slots__ = ("threads", "next")
    THREADS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    threads: _containers.RepeatedCompositeFieldContainer[Summary]
    next: bytes
    def __init__(self, threads: _Optional[_Iterable[_Union[Summary, _Mapping]]] = ..., next: _Optional[bytes] = ...) -> None: ...

class Summary(_message.Message):
    __slots__ = ("root", "digest", "messages", "ghosts", "lists", "subject", "author", "newest")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    GHOSTS_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    root: bytes
    digest: bytes
    messages: int
    ghosts: int
    lists: _containers.RepeatedScalarFieldContainer[bytes]
    subject: bytes
    author: bytes
    newest: bytes
    def __init__(self, root: _Optional[bytes] = ..., digest: _Optional[bytes] = ..., messages: _Optional[int] = ..., ghosts: _Optional[int] = ..., lists: _Optional[_Iterable[bytes]] = ..., subject: _Optional[bytes] = ..., author: _Optional[bytes] = ..., newest: _Optional[bytes] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("words", "limit")
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    words: bytes
    limit: int
    def __init__(self, words: _Optional[bytes] = ..., limit: _Optional[int] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("found",)
    class Found(_message.Message):
        __slots__ = ("id", "root", "list", "date", "author", "subject", "variants")
        ID_FIELD_NUMBER: _ClassVar[int]
        ROOT_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        DATE_FIELD_NUMBER: _ClassVar[int]
        AUTHOR_FIELD_NUMBER: _ClassVar[int]
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        VARIANTS_FIELD_NUMBER: _ClassVar[int]
        id: bytes
        root: bytes
        list: bytes
        date: bytes
        author: bytes
        subject: bytes
        variants: int
        def __init__(self, id: _Optional[bytes] = ..., root: _Optional[bytes] = ..., list: _Optional[bytes] = ..., date: _Optional[bytes] = ..., author: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., variants: _Optional[int] = ...) -> None: ...
    FOUND_FIELD_NUMBER: _ClassVar[int]
    found: _containers.RepeatedCompositeFieldContainer[SearchResponse.Found]
    def __init__(self, found: _Optional[_Iterable[_Union[SearchResponse.Found, _Mapping]]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    def __init__(self, id: _Optional[bytes] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("id", "root", "parent", "rule", "ghost", "statements", "witnesses", "rivals", "children", "lookalikes", "coverage", "truncated", "alias_of", "aliases")
    class Parent(_message.Message):
        __slots__ = ("id",)
        ID_FIELD_NUMBER: _ClassVar[int]
        id: bytes
        def __init__(self, id: _Optional[bytes] = ...) -> None: ...
    class Statement(_message.Message):
        __slots__ = ("claim", "origin", "list", "tier", "id", "parent", "rule", "date", "subject", "author", "archived_at", "batch", "position", "hidden", "body", "weak", "aliases")
        CLAIM_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        TIER_FIELD_NUMBER: _ClassVar[int]
        ID_FIELD_NUMBER: _ClassVar[int]
        PARENT_FIELD_NUMBER: _ClassVar[int]
        RULE_FIELD_NUMBER: _ClassVar[int]
        DATE_FIELD_NUMBER: _ClassVar[int]
        SUBJECT_FIELD_NUMBER: _ClassVar[int]
        AUTHOR_FIELD_NUMBER: _ClassVar[int]
        ARCHIVED_AT_FIELD_NUMBER: _ClassVar[int]
        BATCH_FIELD_NUMBER: _ClassVar[int]
        POSITION_FIELD_NUMBER: _ClassVar[int]
        HIDDEN_FIELD_NUMBER: _ClassVar[int]
        BODY_FIELD_NUMBER: _ClassVar[int]
        WEAK_FIELD_NUMBER: _ClassVar[int]
        ALIASES_FIELD_NUMBER: _ClassVar[int]
        claim: bytes
        origin: bytes
        list: bytes
        tier: int
        id: bytes
        parent: ExplainResponse.Parent
        rule: bytes
        date: bytes
        subject: bytes
        author: bytes
        archived_at: bytes
        batch: bytes
        position: int
        hidden: bytes
        body: bytes
        weak: _containers.RepeatedCompositeFieldContainer[ExplainResponse.WeakId]
        aliases: _containers.RepeatedScalarFieldContainer[bytes]
        def __init__(self, claim: _Optional[bytes] = ..., origin: _Optional[bytes] = ..., list: _Optional[bytes] = ..., tier: _Optional[int] = ..., id: _Optional[bytes] = ..., parent: _Optional[_Union[ExplainResponse.Parent, _Mapping]] = ..., rule: _Optional[bytes] = ..., date: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., author: _Optional[bytes] = ..., archived_at: _Optional[bytes] = ..., batch: _Optional[bytes] = ..., position: _Optional[int] = ..., hidden: _Optional[bytes] = ..., body: _Optional[bytes] = ..., weak: _Optional[_Iterable[_Union[ExplainResponse.WeakId, _Mapping]]] = ..., aliases: _Optional[_Iterable[bytes]] = ...) -> None: ...
    class WeakId(_message.Message):
        __slots__ = ("id", "counts")
        ID_FIELD_NUMBER: _ClassVar[int]
        COUNTS_FIELD_NUMBER: _ClassVar[int]
        id: bytes
        counts: bool
        def __init__(self, id: _Optional[bytes] = ..., counts: _Optional[bool] = ...) -> None: ...
    class Witness(_message.Message):
        __slots__ = ("claim", "origin", "list", "tier", "id", "parent", "gap", "counts")
        CLAIM_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        TIER_FIELD_NUMBER: _ClassVar[int]
        ID_FIELD_NUMBER: _ClassVar[int]
        PARENT_FIELD_NUMBER: _ClassVar[int]
        GAP_FIELD_NUMBER: _ClassVar[int]
        COUNTS_FIELD_NUMBER: _ClassVar[int]
        claim: bytes
        origin: bytes
        list: bytes
        tier: int
        id: bytes
        parent: ExplainResponse.Parent
        gap: int
        counts: bool
        def __init__(self, claim: _Optional[bytes] = ..., origin: _Optional[bytes] = ..., list: _Optional[bytes] = ..., tier: _Optional[int] = ..., id: _Optional[bytes] = ..., parent: _Optional[_Union[ExplainResponse.Parent, _Mapping]] = ..., gap: _Optional[int] = ..., counts: _Optional[bool] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    GHOST_FIELD_NUMBER: _ClassVar[int]
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    WITNESSES_FIELD_NUMBER: _ClassVar[int]
    RIVALS_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    LOOKALIKES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    ALIAS_OF_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    root: bytes
    parent: ExplainResponse.Parent
    rule: bytes
    ghost: bool
    statements: _containers.RepeatedCompositeFieldContainer[ExplainResponse.Statement]
    witnesses: _containers.RepeatedCompositeFieldContainer[ExplainResponse.Witness]
    rivals: _containers.RepeatedCompositeFieldContainer[ExplainResponse.Parent]
    children: _containers.RepeatedScalarFieldContainer[bytes]
    lookalikes: _containers.RepeatedScalarFieldContainer[bytes]
    coverage: Coverage
    truncated: bool
    alias_of: _containers.RepeatedScalarFieldContainer[bytes]
    aliases: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, id: _Optional[bytes] = ..., root: _Optional[bytes] = ..., parent: _Optional[_Union[ExplainResponse.Parent, _Mapping]] = ..., rule: _Optional[bytes] = ..., ghost: _Optional[bool] = ..., statements: _Optional[_Iterable[_Union[ExplainResponse.Statement, _Mapping]]] = ..., witnesses: _Optional[_Iterable[_Union[ExplainResponse.Witness, _Mapping]]] = ..., rivals: _Optional[_Iterable[_Union[ExplainResponse.Parent, _Mapping]]] = ..., children: _Optional[_Iterable[bytes]] = ..., lookalikes: _Optional[_Iterable[bytes]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., truncated: _Optional[bool] = ..., alias_of: _Optional[_Iterable[bytes]] = ..., aliases: _Optional[_Iterable[bytes]] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("after", "list")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    after: int
    list: bytes
    def __init__(self, after: _Optional[int] = ..., list: _Optional[bytes] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("changes", "position")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    position: int
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., position: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("position", "causes", "id", "root", "claim", "origin", "list")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[Change.Cause]
        NEW_CLAIM: _ClassVar[Change.Cause]
        GHOST_FILLED: _ClassVar[Change.Cause]
        CONTESTED: _ClassVar[Change.Cause]
        CYCLE: _ClassVar[Change.Cause]
        WITHDRAWAL: _ClassVar[Change.Cause]
    CAUSE_UNSPECIFIED: Change.Cause
    NEW_CLAIM: Change.Cause
    GHOST_FILLED: Change.Cause
    CONTESTED: Change.Cause
    CYCLE: Change.Cause
    WITHDRAWAL: Change.Cause
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    position: int
    causes: _containers.RepeatedScalarFieldContainer[Change.Cause]
    id: bytes
    root: bytes
    claim: bytes
    origin: bytes
    list: bytes
    def __init__(self, position: _Optional[int] = ..., causes: _Optional[_Iterable[_Union[Change.Cause, str]]] = ..., id: _Optional[bytes] = ..., root: _Optional[bytes] = ..., claim: _Optional[bytes] = ..., origin: _Optional[bytes] = ..., list: _Optional[bytes] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ("with_digest",)
    WITH_DIGEST_FIELD_NUMBER: _ClassVar[int]
    with_digest: bool
    def __init__(self, with_digest: _Optional[bool] = ...) -> None: ...

class StatusResponse(_message.Message):
    __slots__ = ("version", "origin", "feeds", "position", "viewed", "digest")
    class Feed(_message.Message):
        __slots__ = ("origin", "list", "claims", "tier")
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        CLAIMS_FIELD_NUMBER: _ClassVar[int]
        TIER_FIELD_NUMBER: _ClassVar[int]
        origin: bytes
        list: bytes
        claims: int
        tier: int
        def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[bytes] = ..., claims: _Optional[int] = ..., tier: _Optional[int] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    VIEWED_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    version: bytes
    origin: bytes
    feeds: _containers.RepeatedCompositeFieldContainer[StatusResponse.Feed]
    position: int
    viewed: int
    digest: bytes
    def __init__(self, version: _Optional[bytes] = ..., origin: _Optional[bytes] = ..., feeds: _Optional[_Iterable[_Union[StatusResponse.Feed, _Mapping]]] = ..., position: _Optional[int] = ..., viewed: _Optional[int] = ..., digest: _Optional[bytes] = ...) -> None: ...

class DigestsRequest(_message.Message):
    __slots__ = ("summary",)
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    summary: bool
    def __init__(self, summary: _Optional[bool] = ...) -> None: ...

class DigestsResponse(_message.Message):
    __slots__ = ("common_view", "threads", "version", "position", "roots", "digests")
    COMMON_VIEW_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    common_view: bytes
    threads: int
    version: bytes
    position: int
    roots: _containers.RepeatedScalarFieldContainer[bytes]
    digests: bytes
    def __init__(self, common_view: _Optional[bytes] = ..., threads: _Optional[int] = ..., version: _Optional[bytes] = ..., position: _Optional[int] = ..., roots: _Optional[_Iterable[bytes]] = ..., digests: _Optional[bytes] = ...) -> None: ...

class TreesRequest(_message.Message):
    __slots__ = ("version", "ids")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    version: bytes
    ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, version: _Optional[bytes] = ..., ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class TreesResponse(_message.Message):
    __slots__ = ("feeds", "standings")
    class Feed(_message.Message):
        __slots__ = ("origin", "list")
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        LIST_FIELD_NUMBER: _ClassVar[int]
        origin: bytes
        list: bytes
        def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[bytes] = ...) -> None: ...
    class Said(_message.Message):
        __slots__ = ("claim", "feed", "parent", "by")
        CLAIM_FIELD_NUMBER: _ClassVar[int]
        FEED_FIELD_NUMBER: _ClassVar[int]
        PARENT_FIELD_NUMBER: _ClassVar[int]
        BY_FIELD_NUMBER: _ClassVar[int]
        claim: bytes
        feed: int
        parent: bytes
        by: bytes
        def __init__(self, claim: _Optional[bytes] = ..., feed: _Optional[int] = ..., parent: _Optional[bytes] = ..., by: _Optional[bytes] = ...) -> None: ...
    class Standing(_message.Message):
        __slots__ = ("id", "up", "seen", "rule", "said", "continued")
        ID_FIELD_NUMBER: _ClassVar[int]
        UP_FIELD_NUMBER: _ClassVar[int]
        SEEN_FIELD_NUMBER: _ClassVar[int]
        RULE_FIELD_NUMBER: _ClassVar[int]
        SAID_FIELD_NUMBER: _ClassVar[int]
        CONTINUED_FIELD_NUMBER: _ClassVar[int]
        id: bytes
        up: int
        seen: bool
        rule: bytes
        said: _containers.RepeatedCompositeFieldContainer[TreesResponse.Said]
        continued: bool
        def __init__(self, id: _Optional[bytes] = ..., up: _Optional[int] = ..., seen: _Optional[bool] = ..., rule: _Optional[bytes] = ..., said: _Optional[_Iterable[_Union[TreesResponse.Said, _Mapping]]] = ..., continued: _Optional[bool] = ...) -> None: ...
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    STANDINGS_FIELD_NUMBER: _ClassVar[int]
    feeds: _containers.RepeatedCompositeFieldContainer[TreesResponse.Feed]
    standings: _containers.RepeatedCompositeFieldContainer[TreesResponse.Standing]
    def __init__(self, feeds: _Optional[_Iterable[_Union[TreesResponse.Feed, _Mapping]]] = ..., standings: _Optional[_Iterable[_Union[TreesResponse.Standing, _Mapping]]] = ...) -> None: ...
