from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_OPEN: _ClassVar[Kind]
    KIND_MESSAGE: _ClassVar[Kind]
    KIND_HALF_CLOSE: _ClassVar[Kind]
    KIND_STATUS: _ClassVar[Kind]
    KIND_CREDIT: _ClassVar[Kind]
KIND_UNSPECIFIED: Kind
KIND_OPEN: Kind
KIND_MESSAGE: Kind
KIND_HALF_CLOSE: Kind
KIND_STATUS: Kind
KIND_CREDIT: Kind

class LinkMessage(_message.Message):
    __slots__ = ("hello", "proof", "frames", "signature")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    hello: bytes
    proof: bytes
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    signature: bytes
    def __init__(self, hello: _Optional[bytes] = ..., proof: _Optional[bytes] = ..., frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("role", "id", "version", "nonce", "certificate")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    role: str
    id: str
    version: str
    nonce: bytes
    certificate: bytes
    def __init__(self, role: _Optional[str] = ..., id: _Optional[str] = ..., version: _Optional[str] = ..., nonce: _Optional[bytes] = ..., certificate: _Optional[bytes] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("stream", "kind", "message", "credit", "open", "status")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    stream: int
    kind: Kind
    message: bytes
    credit: int
    open: Open
    status: Status
    def __init__(self, stream: _Optional[int] = ..., kind: _Optional[_Union[Kind, str]] = ..., message: _Optional[bytes] = ..., credit: _Optional[int] = ..., open: _Optional[_Union[Open, _Mapping]] = ..., status: _Optional[_Union[Status, _Mapping]] = ...) -> None: ...

class Open(_message.Message):
    __slots__ = ("method", "metadata", "peer", "deadline_ms", "certificate")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    method: str
    metadata: _containers.RepeatedCompositeFieldContainer[Metadata]
    peer: str
    deadline_ms: int
    certificate: bytes
    def __init__(self, method: _Optional[str] = ..., metadata: _Optional[_Iterable[_Union[Metadata, _Mapping]]] = ..., peer: _Optional[str] = ..., deadline_ms: _Optional[int] = ..., certificate: _Optional[bytes] = ...) -> None: ...

class Metadata(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: bytes
    def __init__(self, name: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("code", "message", "trailing")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRAILING_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    trailing: _containers.RepeatedCompositeFieldContainer[Metadata]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., trailing: _Optional[_Iterable[_Union[Metadata, _Mapping]]] = ...) -> None: ...
