from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FunctionDescriptor(_message.Message):
    __slots__ = ("id", "version", "category", "risk", "entity", "operation", "enabled")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    category: str
    risk: str
    entity: str
    operation: str
    enabled: bool
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ..., category: _Optional[str] = ..., risk: _Optional[str] = ..., entity: _Optional[str] = ..., operation: _Optional[str] = ..., enabled: _Optional[bool] = ...) -> None: ...

class RegisterRequest(_message.Message):
    __slots__ = ("agent_id", "version", "functions", "rpc_addr", "game_id", "env")
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    RPC_ADDR_FIELD_NUMBER: _ClassVar[int]
    GAME_ID_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    agent_id: str
    version: str
    functions: _containers.RepeatedCompositeFieldContainer[FunctionDescriptor]
    rpc_addr: str
    game_id: str
    env: str
    def __init__(self, agent_id: _Optional[str] = ..., version: _Optional[str] = ..., functions: _Optional[_Iterable[_Union[FunctionDescriptor, _Mapping]]] = ..., rpc_addr: _Optional[str] = ..., game_id: _Optional[str] = ..., env: _Optional[str] = ...) -> None: ...

class RegisterResponse(_message.Message):
    __slots__ = ("session_id", "expire_at")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_AT_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    expire_at: int
    def __init__(self, session_id: _Optional[str] = ..., expire_at: _Optional[int] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("agent_id", "session_id")
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    agent_id: str
    session_id: str
    def __init__(self, agent_id: _Optional[str] = ..., session_id: _Optional[str] = ...) -> None: ...

class HeartbeatResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProviderMeta(_message.Message):
    __slots__ = ("id", "version", "lang", "sdk")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANG_FIELD_NUMBER: _ClassVar[int]
    SDK_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    lang: str
    sdk: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ..., lang: _Optional[str] = ..., sdk: _Optional[str] = ...) -> None: ...

class RegisterCapabilitiesRequest(_message.Message):
    __slots__ = ("provider", "manifest_json_gz")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_JSON_GZ_FIELD_NUMBER: _ClassVar[int]
    provider: ProviderMeta
    manifest_json_gz: bytes
    def __init__(self, provider: _Optional[_Union[ProviderMeta, _Mapping]] = ..., manifest_json_gz: _Optional[bytes] = ...) -> None: ...

class RegisterCapabilitiesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
