from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TunnelMessage(_message.Message):
    __slots__ = ("type", "hello", "result", "start_r", "job_evt", "list_req", "list_res", "job_res_req", "job_res_res", "invoke", "start", "cancel", "batch", "seq", "ack", "welcome", "register", "cancel_call", "job_ack", "drain")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    START_R_FIELD_NUMBER: _ClassVar[int]
    JOB_EVT_FIELD_NUMBER: _ClassVar[int]
    LIST_REQ_FIELD_NUMBER: _ClassVar[int]
    LIST_RES_FIELD_NUMBER: _ClassVar[int]
    JOB_RES_REQ_FIELD_NUMBER: _ClassVar[int]
    JOB_RES_RES_FIELD_NUMBER: _ClassVar[int]
    INVOKE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    REGISTER_FIELD_NUMBER: _ClassVar[int]
    CANCEL_CALL_FIELD_NUMBER: _ClassVar[int]
    JOB_ACK_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    type: str
    hello: Hello
    result: ResultFrame
    start_r: StartJobResult
    job_evt: JobEventFrame
    list_req: ListLocalRequest
    list_res: ListLocalResponse
    job_res_req: GetJobResultRequest
    job_res_res: GetJobResultResponse
    invoke: InvokeFrame
    start: StartJobFrame
    cancel: CancelJobFrame
    batch: _containers.RepeatedScalarFieldContainer[bytes]
    seq: int
    ack: int
    welcome: Welcome
    register: Register
    cancel_call: CancelCallFrame
    job_ack: JobAckFrame
    drain: Drain
    def __init__(self, type: _Optional[str] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., result: _Optional[_Union[ResultFrame, _Mapping]] = ..., start_r: _Optional[_Union[StartJobResult, _Mapping]] = ..., job_evt: _Optional[_Union[JobEventFrame, _Mapping]] = ..., list_req: _Optional[_Union[ListLocalRequest, _Mapping]] = ..., list_res: _Optional[_Union[ListLocalResponse, _Mapping]] = ..., job_res_req: _Optional[_Union[GetJobResultRequest, _Mapping]] = ..., job_res_res: _Optional[_Union[GetJobResultResponse, _Mapping]] = ..., invoke: _Optional[_Union[InvokeFrame, _Mapping]] = ..., start: _Optional[_Union[StartJobFrame, _Mapping]] = ..., cancel: _Optional[_Union[CancelJobFrame, _Mapping]] = ..., batch: _Optional[_Iterable[bytes]] = ..., seq: _Optional[int] = ..., ack: _Optional[int] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., register: _Optional[_Union[Register, _Mapping]] = ..., cancel_call: _Optional[_Union[CancelCallFrame, _Mapping]] = ..., job_ack: _Optional[_Union[JobAckFrame, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("agent_id", "game_id", "env", "capabilities", "session_id", "received", "incarnation", "version", "region", "zone", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    GAME_ID_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    agent_id: str
    game_id: str
    env: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    session_id: str
    received: int
    incarnation: str
    version: str
    region: str
    zone: str
    labels: _containers.ScalarMap[str, str]
    def __init__(self, agent_id: _Optional[str] = ..., game_id: _Optional[str] = ..., env: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., session_id: _Optional[str] = ..., received: _Optional[int] = ..., incarnation: _Optional[str] = ..., version: _Optional[str] = ..., region: _Optional[str] = ..., zone: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("session_id", "resumed", "received", "capabilities", "incarnation", "heartbeat_ms", "job_window")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_MS_FIELD_NUMBER: _ClassVar[int]
    JOB_WINDOW_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    resumed: bool
    received: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    incarnation: str
    heartbeat_ms: int
    job_window: int
    def __init__(self, session_id: _Optional[str] = ..., resumed: _Optional[bool] = ..., received: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., incarnation: _Optional[str] = ..., heartbeat_ms: _Optional[int] = ..., job_window: _Optional[int] = ...) -> None: ...

class Register(_message.Message):
    __slots__ = ("services",)
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedCompositeFieldContainer[Service]
    def __init__(self, services: _Optional[_Iterable[_Union[Service, _Mapping]]] = ...) -> None: ...

class Service(_message.Message):
    __slots__ = ("service_id", "version", "addr", "healthy", "functions", "manifest_json")
    SERVICE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ADDR_FIELD_NUMBER: _ClassVar[int]
    HEALTHY_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_JSON_FIELD_NUMBER: _ClassVar[int]
    service_id: str
    version: str
    addr: str
    healthy: bool
    functions: _containers.RepeatedCompositeFieldContainer[FunctionRef]
    manifest_json: bytes
    def __init__(self, service_id: _Optional[str] = ..., version: _Optional[str] = ..., addr: _Optional[str] = ..., healthy: _Optional[bool] = ..., functions: _Optional[_Iterable[_Union[FunctionRef, _Mapping]]] = ..., manifest_json: _Optional[bytes] = ...) -> None: ...

class FunctionRef(_message.Message):
    __slots__ = ("id", "version")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("code", "reason", "message", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: int
    reason: str
    message: str
    details: _containers.ScalarMap[str, str]
    def __init__(self, code: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...

class InvokeFrame(_message.Message):
    __slots__ = ("request_id", "function_id", "idempotency_key", "payload", "metadata", "deadline_ms", "traceparent", "game_id", "env")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    GAME_ID_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    function_id: str
    idempotency_key: str
    payload: bytes
    metadata: _containers.ScalarMap[str, str]
    deadline_ms: int
    traceparent: str
    game_id: str
    env: str
    def __init__(self, request_id: _Optional[str] = ..., function_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., payload: _Optional[bytes] = ..., metadata: _Optional[_Mapping[str, str]] = ..., deadline_ms: _Optional[int] = ..., traceparent: _Optional[str] = ..., game_id: _Optional[str] = ..., env: _Optional[str] = ...) -> None: ...

class StartJobFrame(_message.Message):
    __slots__ = ("request_id", "function_id", "idempotency_key", "payload", "metadata", "deadline_ms", "traceparent", "game_id", "env", "job_id")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    GAME_ID_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    function_id: str
    idempotency_key: str
    payload: bytes
    metadata: _containers.ScalarMap[str, str]
    deadline_ms: int
    traceparent: str
    game_id: str
    env: str
    job_id: str
    def __init__(self, request_id: _Optional[str] = ..., function_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., payload: _Optional[bytes] = ..., metadata: _Optional[_Mapping[str, str]] = ..., deadline_ms: _Optional[int] = ..., traceparent: _Optional[str] = ..., game_id: _Optional[str] = ..., env: _Optional[str] = ..., job_id: _Optional[str] = ...) -> None: ...

class CancelJobFrame(_message.Message):
    __slots__ = ("job_id", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    reason: str
    def __init__(self, job_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelCallFrame(_message.Message):
    __slots__ = ("request_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResultFrame(_message.Message):
    __slots__ = ("request_id", "payload", "error", "status", "service_id", "handler_us", "agent_us")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_ID_FIELD_NUMBER: _ClassVar[int]
    HANDLER_US_FIELD_NUMBER: _ClassVar[int]
    AGENT_US_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    payload: bytes
    error: str
    status: Status
    service_id: str
    handler_us: int
    agent_us: int
    def __init__(self, request_id: _Optional[str] = ..., payload: _Optional[bytes] = ..., error: _Optional[str] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., service_id: _Optional[str] = ..., handler_us: _Optional[int] = ..., agent_us: _Optional[int] = ...) -> None: ...

class StartJobResult(_message.Message):
    __slots__ = ("request_id", "job_id", "error", "status", "service_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    job_id: str
    error: str
    status: Status
    service_id: str
    def __init__(self, request_id: _Optional[str] = ..., job_id: _Optional[str] = ..., error: _Optional[str] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., service_id: _Optional[str] = ...) -> None: ...

class JobEventFrame(_message.Message):
    __slots__ = ("job_id", "type", "message", "progress", "payload", "seq", "time_ms", "status")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    type: str
    message: str
    progress: int
    payload: bytes
    seq: int
    time_ms: int
    status: Status
    def __init__(self, job_id: _Optional[str] = ..., type: _Optional[str] = ..., message: _Optional[str] = ..., progress: _Optional[int] = ..., payload: _Optional[bytes] = ..., seq: _Optional[int] = ..., time_ms: _Optional[int] = ..., status: _Optional[_Union[Status, _Mapping]] = ...) -> None: ...

class JobAckFrame(_message.Message):
    __slots__ = ("job_id", "seq", "stop")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    seq: int
    stop: bool
    def __init__(self, job_id: _Optional[str] = ..., seq: _Optional[int] = ..., stop: _Optional[bool] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ListLocalRequest(_message.Message):
    __slots__ = ("request_id", "function_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    function_id: str
    def __init__(self, request_id: _Optional[str] = ..., function_id: _Optional[str] = ...) -> None: ...

class ListLocalResponse(_message.Message):
    __slots__ = ("request_id", "function_id", "service_ids", "error")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_IDS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    function_id: str
    service_ids: _containers.RepeatedScalarFieldContainer[str]
    error: str
    def __init__(self, request_id: _Optional[str] = ..., function_id: _Optional[str] = ..., service_ids: _Optional[_Iterable[str]] = ..., error: _Optional[str] = ...) -> None: ...

class GetJobResultRequest(_message.Message):
    __slots__ = ("request_id", "job_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    job_id: str
    def __init__(self, request_id: _Optional[str] = ..., job_id: _Optional[str] = ...) -> None: ...

class GetJobResultResponse(_message.Message):
    __slots__ = ("request_id", "state", "payload", "error")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    state: str
    payload: bytes
    error: str
    def __init__(self, request_id: _Optional[str] = ..., state: _Optional[str] = ..., payload: _Optional[bytes] = ..., error: _Optional[str] = ...) -> None: ...
