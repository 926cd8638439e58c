"""The bytes of frames. Nothing above this file sees a `TunnelMessage`.

`decode` goes by the populated field, so both spellings of `type` that are in the wild are understood; `encode` writes the
contract's spelling.
"""

import struct
from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError

from croupier.domain.function import FunctionRef, Service
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, InternalError, InvalidArgument, OutcomeUnknown
from croupier.tunnel.frames import (
    SESSION,
    CallResult,
    CancelCall,
    CancelJob,
    Drain,
    Frame,
    Heartbeat,
    Hello,
    Invoke,
    JobAck,
    JobAnswer,
    JobEvents,
    JobQuery,
    JobStarted,
    ListLocal,
    LocalList,
    Register,
    StartJob,
    Welcome,
)
from croupier.tunnel.status import from_status, from_text, to_status
from croupier_wire.tunnel.v1 import tunnel_pb2 as wire


def parse(data: bytes) -> wire.TunnelMessage:
    """Raises InvalidArgument when `data` is no TunnelMessage."""
    try:
        return wire.TunnelMessage.FromString(data)
    except DecodeError as error:
        raise InvalidArgument("bad frame: the bytes are not a TunnelMessage") from error


# ------------------------------------------------------------------------------------------------ frames to bytes


def _service(value: Service) -> wire.Service:
    return wire.Service(
        service_id=value.service_id,
        version=value.version,
        addr=value.addr,
        healthy=value.healthy,
        functions=[wire.FunctionRef(id=ref.id, version=ref.version) for ref in value.functions],
        manifest_json=value.manifest_json,
    )


# The frames of calls and job events are filled field by field: that takes half the time of a constructor with keywords.


def _fill_request(target: wire.InvokeFrame | wire.StartJobFrame, frame: Invoke) -> None:
    target.request_id = frame.request_id
    target.function_id = frame.function_id
    target.payload = frame.payload
    target.deadline_ms = frame.deadline_ms
    target.traceparent = frame.traceparent
    target.game_id = frame.game_id
    target.env = frame.env
    if frame.idempotency_key:
        target.idempotency_key = frame.idempotency_key
    metadata = target.metadata
    for key, value in frame.metadata.items():
        metadata[key] = value


def _invoke(frame: Invoke) -> wire.TunnelMessage:
    message = wire.TunnelMessage()
    message.type = "invoke"
    _fill_request(message.invoke, frame)
    return message


def _start_job(frame: StartJob) -> wire.TunnelMessage:
    message = wire.TunnelMessage()
    message.type = "start_job"
    _fill_request(message.start, frame)
    message.start.job_id = frame.job_id
    return message


def _result(frame: CallResult) -> wire.TunnelMessage:
    message = wire.TunnelMessage()
    message.type = "result"
    result = message.result
    result.request_id = frame.request_id
    result.payload = frame.payload
    result.service_id = frame.service_id
    if frame.handler_us:
        result.handler_us = frame.handler_us
    if frame.agent_us:
        result.agent_us = frame.agent_us
    if frame.error is not None:
        result.error = frame.error.message or frame.error.reason
        result.status.CopyFrom(to_status(frame.error))
    return message


def _failure_fields(error: CroupierError | None) -> dict[str, Any]:
    return {} if error is None else {"error": error.message or error.reason, "status": to_status(error)}


def _hello(frame: Hello) -> wire.TunnelMessage:
    return wire.TunnelMessage(
        type="hello",
        hello=wire.Hello(
            agent_id=frame.agent_id,
            game_id=frame.game_id,
            env=frame.env,
            capabilities=frame.capabilities,
            session_id=frame.session_id,
            received=frame.received,
            incarnation=frame.incarnation,
            version=frame.version,
            region=frame.region,
            zone=frame.zone,
            labels=frame.labels,
        ),
    )


def _welcome(frame: Welcome) -> wire.TunnelMessage:
    return wire.TunnelMessage(
        type="welcome",
        welcome=wire.Welcome(
            session_id=frame.session_id,
            resumed=frame.resumed,
            received=frame.received,
            capabilities=[SESSION],
            incarnation=frame.incarnation,
            heartbeat_ms=frame.heartbeat_ms,
            job_window=frame.job_window,
        ),
    )


def _job_event(frame: JobEvents) -> wire.TunnelMessage:
    event = frame.event
    message = wire.TunnelMessage()
    message.type = "job_event"
    target = message.job_evt
    target.job_id = event.job_id
    target.type = event.type
    target.message = event.message
    target.progress = event.progress
    target.payload = event.payload
    target.seq = event.seq
    target.time_ms = event.time_ms
    if event.type == "error":
        target.status.CopyFrom(_event_status(event))
    return message


_LOST = "lost"
"""The verdict on a job whose game server is gone. No call ends so, hence it is none of the errors; it travels as code 2."""


def _event_status(event: JobEvent) -> wire.Status:
    if event.reason == _LOST:
        return wire.Status(code=2, reason=_LOST, message=event.message)
    return to_status(event_error(event))


def event_error(event: JobEvent) -> CroupierError:
    """The error that an `error` event stands for."""
    return from_status(wire.Status(code=2, reason=event.reason or "handler_failed", message=event.message))


_ENCODERS: dict[type, Callable[[Any], wire.TunnelMessage]] = {
    Hello: _hello,
    Welcome: _welcome,
    Register: lambda f: wire.TunnelMessage(
        type="register", register=wire.Register(services=[_service(service) for service in f.services])
    ),
    Invoke: _invoke,
    StartJob: _start_job,
    CallResult: _result,
    JobStarted: lambda f: wire.TunnelMessage(
        type="start_job_result",
        start_r=wire.StartJobResult(
            request_id=f.request_id, job_id=f.job_id, service_id=f.service_id, **_failure_fields(f.error)
        ),
    ),
    CancelCall: lambda f: wire.TunnelMessage(
        type="cancel_call", cancel_call=wire.CancelCallFrame(request_id=f.request_id, reason=f.reason)
    ),
    CancelJob: lambda f: wire.TunnelMessage(
        type="cancel_job", cancel=wire.CancelJobFrame(job_id=f.job_id, reason=f.reason)
    ),
    JobEvents: _job_event,
    JobAck: lambda f: wire.TunnelMessage(
        type="job_ack", job_ack=wire.JobAckFrame(job_id=f.job_id, seq=f.seq, stop=f.stop)
    ),
    Drain: lambda f: wire.TunnelMessage(type="drain", drain=wire.Drain(reason=f.reason)),
    ListLocal: lambda f: wire.TunnelMessage(
        type="list_local_req", list_req=wire.ListLocalRequest(request_id=f.request_id, function_id=f.function_id)
    ),
    LocalList: lambda f: wire.TunnelMessage(
        type="list_local_res",
        list_res=wire.ListLocalResponse(
            request_id=f.request_id,
            function_id=f.function_id,
            service_ids=f.service_ids,
            error=(f.error.message or f.error.reason) if f.error else "",
        ),
    ),
    JobQuery: lambda f: wire.TunnelMessage(
        type="get_job_result_req", job_res_req=wire.GetJobResultRequest(request_id=f.request_id, job_id=f.job_id)
    ),
    JobAnswer: lambda f: wire.TunnelMessage(
        type="get_job_result_res",
        job_res_res=wire.GetJobResultResponse(request_id=f.request_id, state=f.state, payload=f.payload, error=f.error),
    ),
    Heartbeat: lambda _: wire.TunnelMessage(type="heartbeat"),
}


def encode(frame: Frame) -> bytes:
    """The frame alone in a TunnelMessage."""
    return _ENCODERS[type(frame)](frame).SerializeToString()


_AGENT_US = struct.Struct("<4sI").pack
_AGENT_US_HEAD = b"\x1a\x06\xbd\x06"
"""TunnelMessage.result of 6 bytes, in it ResultFrame.agent_us (a test holds them to the proto)."""


def agent_time(seconds: float) -> bytes:
    """Appended to the bytes of a call's answer it adds the agent's time: protobuf joins the parts of a message."""
    return _AGENT_US(_AGENT_US_HEAD, min(int(seconds * 1e6), 0xFFFF_FFFF))


# ------------------------------------------------------------------------------------------------ bytes to frames


def _read_hello(value: wire.Hello) -> Hello:
    return Hello(
        agent_id=value.agent_id,
        game_id=value.game_id,
        env=value.env,
        capabilities=tuple(value.capabilities),
        session_id=value.session_id,
        received=value.received,
        incarnation=value.incarnation,
        version=value.version,
        region=value.region,
        zone=value.zone,
        labels=dict(value.labels),
    )


def _read_register(value: wire.Register) -> Register:
    return Register(
        tuple(
            Service(
                service_id=service.service_id,
                version=service.version,
                addr=service.addr,
                healthy=service.healthy,
                functions=tuple(FunctionRef(ref.id, ref.version) for ref in service.functions),
                manifest_json=service.manifest_json,
            )
            for service in value.services
        )
    )


def _metadata(value: wire.InvokeFrame | wire.StartJobFrame) -> dict[str, str]:
    entries = value.metadata
    return {key: entries[key] for key in entries}


def _read_invoke(value: wire.InvokeFrame) -> Invoke:
    return Invoke(
        request_id=value.request_id,
        function_id=value.function_id,
        payload=value.payload,
        idempotency_key=value.idempotency_key,
        metadata=_metadata(value),
        deadline_ms=value.deadline_ms,
        traceparent=value.traceparent,
        game_id=value.game_id,
        env=value.env,
    )


def _read_start(value: wire.StartJobFrame) -> StartJob:
    return StartJob(
        request_id=value.request_id,
        function_id=value.function_id,
        payload=value.payload,
        idempotency_key=value.idempotency_key,
        metadata=_metadata(value),
        deadline_ms=value.deadline_ms,
        traceparent=value.traceparent,
        game_id=value.game_id,
        env=value.env,
        job_id=value.job_id,
    )


def _read_failure(value: wire.ResultFrame | wire.StartJobResult) -> CroupierError | None:
    if value.HasField("status"):
        error = from_status(value.status, value.error)
        # A fault inside the peer, whose log has it. What it leaves open is the same; as a fault of ours its words would be hidden.
        return OutcomeUnknown(error.message, error.details) if isinstance(error, InternalError) else error
    return from_text(value.error) if value.error else None


def _event_reason(value: wire.JobEventFrame, status: CroupierError | None) -> str:
    if value.status.reason == _LOST:
        return _LOST
    return status.reason if status else "handler_failed"


def _read_event(value: wire.JobEventFrame) -> JobEvents:
    failed = value.type == "error"
    status = from_status(value.status) if failed and value.HasField("status") else None
    return JobEvents(
        JobEvent(
            job_id=value.job_id,
            seq=value.seq,
            type=value.type,
            message=(status.message if status and status.message else value.message),
            progress=value.progress,
            payload=value.payload,
            reason=_event_reason(value, status) if failed else "",
            time_ms=value.time_ms,
        )
    )


def _read_welcome(value: wire.Welcome) -> Welcome:
    return Welcome(
        session_id=value.session_id,
        resumed=value.resumed,
        received=value.received,
        incarnation=value.incarnation,
        heartbeat_ms=value.heartbeat_ms,
        job_window=value.job_window,
    )


_DECODERS: tuple[tuple[str, Callable[[Any], Frame]], ...] = (
    # The frames of a call come first: `decode` asks in this order.
    ("invoke", _read_invoke),
    (
        "result",
        lambda v: CallResult(
            request_id=v.request_id,
            payload=v.payload,
            error=_read_failure(v),
            service_id=v.service_id,
            handler_us=v.handler_us,
            agent_us=v.agent_us,
        ),
    ),
    ("job_evt", _read_event),
    ("job_ack", lambda v: JobAck(v.job_id, v.seq, v.stop)),
    ("start", _read_start),
    (
        "start_r",
        lambda v: JobStarted(request_id=v.request_id, job_id=v.job_id, error=_read_failure(v), service_id=v.service_id),
    ),
    ("cancel_call", lambda v: CancelCall(v.request_id, v.reason)),
    ("cancel", lambda v: CancelJob(v.job_id, v.reason)),
    ("register", _read_register),
    ("hello", _read_hello),
    ("welcome", _read_welcome),
    ("drain", lambda v: Drain(v.reason)),
    ("list_req", lambda v: ListLocal(v.request_id, v.function_id)),
    (
        "list_res",
        lambda v: LocalList(
            request_id=v.request_id,
            function_id=v.function_id,
            service_ids=tuple(v.service_ids),
            error=from_text(v.error) if v.error else None,
        ),
    ),
    ("job_res_req", lambda v: JobQuery(v.request_id, v.job_id)),
    (
        "job_res_res",
        lambda v: JobAnswer(request_id=v.request_id, state=v.state, payload=v.payload, error=v.error),
    ),
)


_BY_TYPE = {
    "invoke": _DECODERS[0],
    "result": _DECODERS[1],
    "job_event": _DECODERS[2],
    "job_ack": _DECODERS[3],
}


def decode(message: wire.TunnelMessage) -> Frame:
    """The frame that `message` carries; one without any is a heartbeat (or a frame that a newer peer knows)."""
    likely = _BY_TYPE.get(message.type)
    if likely is not None and message.HasField(likely[0]):
        return likely[1](getattr(message, likely[0]))
    for name, read in _DECODERS:
        if message.HasField(name):
            return read(getattr(message, name))
    return Heartbeat()
