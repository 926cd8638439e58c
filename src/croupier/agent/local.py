"""The gRPC services that game servers and callers on this machine use: requests in, values out, nothing decided here."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from croupier.agent.attachments import Attachments
from croupier.agent.instances import Instance, Instances
from croupier.agent.local_functions import LocalFunctions, Wish
from croupier.agent.registrar import Registrar
from croupier.domain.function import FunctionRef, Service
from croupier.domain.trace import trace_in
from croupier.rpc.gate import peer_of
from croupier.rpc.service import TRACE_ID, Context, metadata_value
from croupier_wire.agent.local.v1 import local_pb2 as local
from croupier_wire.attach.v1 import attach_pb2
from croupier_wire.function.v1 import function_pb2 as function
from croupier_wire.sdk.v1 import sdk_pb2

Services = Mapping[str, Mapping[str, Any]]


class LocalControl:
    """LocalControlService, and ClientService, its alias."""

    def __init__(self, registrar: Registrar, instances: Instances, functions: LocalFunctions) -> None:
        self._registrar = registrar
        self._instances = instances
        self._functions = functions

    async def register(self, request: local.RegisterLocalRequest, context: Context) -> local.RegisterLocalResponse:
        _check_name(context, request.service_id)
        service = Service(
            service_id=request.service_id,
            version=request.version,
            addr=request.rpc_addr,
            functions=tuple(FunctionRef(each.id, each.version) for each in request.functions),
            manifest_json=request.manifest_json,
        )
        return local.RegisterLocalResponse(session_id=await self._registrar.register(service, context.peer()))

    async def heartbeat(self, request: local.HeartbeatRequest, context: Context) -> local.HeartbeatResponse:
        _check_name(context, request.service_id)
        self._registrar.heartbeat(request.service_id)
        return local.HeartbeatResponse()

    async def list_local(self, _: local.ListLocalRequest, __: Context) -> local.ListLocalResponse:
        return local.ListLocalResponse(
            functions=[
                local.LocalFunction(id=function_id, instances=[_instance(each) for each in offering.values()])
                for function_id, offering in sorted(self._instances.functions().items())
            ]
        )

    async def job_result(self, request: local.GetJobResultRequest, _: Context) -> local.GetJobResultResponse:
        state, end = self._functions.result(request.job_id)
        return local.GetJobResultResponse(
            state=state,
            payload=end.payload if end is not None else b"",
            error=end.message if end is not None and end.type == "error" else "",
        )


def _check_name(context: Context, service_id: str) -> None:
    """Raises PermissionDenied for a name that the caller's certificate does not have."""
    peer = peer_of(context)
    if peer is not None:
        peer.require_id(service_id, "game server")


def _instance(instance: Instance) -> local.LocalInstance:
    return local.LocalInstance(
        service_id=instance.service.service_id,
        addr=instance.service.addr,
        version=instance.service.version,
        last_seen=datetime.fromtimestamp(instance.last_seen, UTC).isoformat(timespec="milliseconds"),
    )


class LocalCalls:
    """FunctionService."""

    def __init__(self, functions: LocalFunctions) -> None:
        self._functions = functions

    async def invoke(self, request: function.InvokeRequest, context: Context) -> function.InvokeResponse:
        return function.InvokeResponse(
            payload=await self._functions.invoke(_wish(request, context), context.time_remaining())
        )

    async def start_job(self, request: function.InvokeRequest, context: Context) -> function.StartJobResponse:
        return function.StartJobResponse(job_id=await self._functions.start_job(_wish(request, context)))

    async def stream_job(self, request: function.JobStreamRequest, _: Context) -> AsyncIterator[function.JobEvent]:
        async for event in self._functions.follow(request.job_id, request.after_seq):
            yield function.JobEvent(
                type=event.type,
                message=event.message,
                progress=event.progress,
                payload=event.payload,
                seq=event.seq,
            )

    async def cancel_job(self, request: function.CancelJobRequest, _: Context) -> function.StartJobResponse:
        self._functions.cancel_job(request.job_id)
        return function.StartJobResponse(job_id=request.job_id)


def _wish(request: function.InvokeRequest, context: Context) -> Wish:
    """What is asked for; every answer names the trace."""
    trace = trace_in(request.metadata, metadata_value(context, "traceparent"))
    context.set_trailing_metadata(((TRACE_ID, trace.trace_id),))
    return Wish(
        function_id=request.function_id,
        payload=request.payload,
        idempotency_key=request.idempotency_key,
        metadata=dict(request.metadata),
        trace=trace,
    )


def services(control: LocalControl, calls: LocalCalls, attachments: Attachments) -> Services:
    """Everything the agent serves on gRPC, by the services' full names."""
    functions = {
        "Invoke": calls.invoke,
        "StartJob": calls.start_job,
        "StreamJob": calls.stream_job,
        "CancelJob": calls.cancel_job,
    }
    local_package = local.DESCRIPTOR.package
    sdk_package = sdk_pb2.DESCRIPTOR.package
    return {
        f"{local_package}.LocalControlService": {
            "RegisterLocal": control.register,
            "Heartbeat": control.heartbeat,
            "ListLocal": control.list_local,
            "GetJobResult": control.job_result,
        },
        f"{sdk_package}.ClientService": {
            "RegisterClient": control.register,
            "Heartbeat": control.heartbeat,
            "ListClients": control.list_local,
            "GetJobResult": control.job_result,
        },
        f"{function.DESCRIPTOR.package}.FunctionService": functions,
        f"{sdk_package}.FunctionService": functions,
        f"{attach_pb2.DESCRIPTOR.package}.AttachService": {"Attach": attachments.attach},
    }
