from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Claim(_message.Message):
    __slots__ = ("origin", "list", "message_id", "in_reply_to", "sane", "references", "date", "subject", "author", "archived_at", "body", "weak_in_reply_to", "weak_references", "aliases", "edition")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    SANE_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_AT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    WEAK_IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    WEAK_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    origin: bytes
    list: bytes
    message_id: bytes
    in_reply_to: _containers.RepeatedScalarFieldContainer[bytes]
    sane: bool
    references: _containers.RepeatedScalarFieldContainer[bytes]
    date: bytes
    subject: bytes
    author: bytes
    archived_at: bytes
    body: bytes
    weak_in_reply_to: bytes
    weak_references: bytes
    aliases: _containers.RepeatedScalarFieldContainer[bytes]
    edition: int
    def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[bytes] = ..., message_id: _Optional[bytes] = ..., in_reply_to: _Optional[_Iterable[bytes]] = ..., sane: _Optional[bool] = ..., references: _Optional[_Iterable[bytes]] = ..., date: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., author: _Optional[bytes] = ..., archived_at: _Optional[bytes] = ..., body: _Optional[bytes] = ..., weak_in_reply_to: _Optional[bytes] = ..., weak_references: _Optional[bytes] = ..., aliases: _Optional[_Iterable[bytes]] = ..., edition: _Optional[int] = ...) -> None: ...

class Withdrawal(_message.Message):
    __slots__ = ("origin", "list", "target", "message_id")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    origin: bytes
    list: bytes
    target: bytes
    message_id: bytes
    def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[bytes] = ..., target: _Optional[bytes] = ..., message_id: _Optional[bytes] = ...) -> None: ...

class AnyClaim(_message.Message):
    __slots__ = ("mail", "withdrawal")
    MAIL_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWAL_FIELD_NUMBER: _ClassVar[int]
    mail: Claim
    withdrawal: Withdrawal
    def __init__(self, mail: _Optional[_Union[Claim, _Mapping]] = ..., withdrawal: _Optional[_Union[Withdrawal, _Mapping]] = ...) -> None: ...

class SignedRoot(_message.Message):
    __slots__ = ("origin", "list", "leaf_count", "root", "signature")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    LEAF_COUNT_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    origin: bytes
    list: bytes
    leaf_count: int
    root: bytes
    signature: bytes
    def __init__(self, origin: _Optional[bytes] = ..., list: _Optional[bytes] = ..., leaf_count: _Optional[int] = ..., root: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Multiproof(_message.Message):
    __slots__ = ("held", "hashes")
    HELD_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    held: bytes
    hashes: bytes
    def __init__(self, held: _Optional[bytes] = ..., hashes: _Optional[bytes] = ...) -> None: ...

class BatchPart(_message.Message):
    __slots__ = ("batch", "proof", "claims")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    batch: SignedRoot
    proof: Multiproof
    claims: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, batch: _Optional[_Union[SignedRoot, _Mapping]] = ..., proof: _Optional[_Union[Multiproof, _Mapping]] = ..., claims: _Optional[_Iterable[bytes]] = ...) -> None: ...
