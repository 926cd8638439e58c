"""The published contract, number by number: foreign programs rely on every line of these tables."""

import importlib.resources
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

OURS_FROM = 100

SERVICES = """
croupier.function.v1.FunctionService Invoke InvokeRequest -> InvokeResponse
croupier.function.v1.FunctionService StartJob InvokeRequest -> StartJobResponse
croupier.function.v1.FunctionService StreamJob JobStreamRequest -> stream JobEvent
croupier.function.v1.FunctionService CancelJob CancelJobRequest -> StartJobResponse
croupier.agent.local.v1.LocalControlService RegisterLocal RegisterLocalRequest -> RegisterLocalResponse
croupier.agent.local.v1.LocalControlService Heartbeat HeartbeatRequest -> HeartbeatResponse
croupier.agent.local.v1.LocalControlService ListLocal ListLocalRequest -> ListLocalResponse
croupier.agent.local.v1.LocalControlService GetJobResult GetJobResultRequest -> GetJobResultResponse
croupier.control.v1.ControlService Register RegisterRequest -> RegisterResponse
croupier.control.v1.ControlService Heartbeat HeartbeatRequest -> HeartbeatResponse
croupier.control.v1.ControlService RegisterCapabilities RegisterCapabilitiesRequest -> RegisterCapabilitiesResponse
croupier.edge.job.v1.JobService GetJobResult GetJobResultRequest -> GetJobResultResponse
croupier.tunnel.v1.TunnelService Open stream TunnelMessage -> stream TunnelMessage
"""

ALIASES = """
croupier.server.v1.ControlService Register croupier.control.v1.RegisterRequest -> croupier.control.v1.RegisterResponse
croupier.server.v1.ControlService Heartbeat croupier.control.v1.HeartbeatRequest -> croupier.control.v1.HeartbeatResponse
croupier.server.v1.ControlService RegisterCapabilities croupier.control.v1.RegisterCapabilitiesRequest -> croupier.control.v1.RegisterCapabilitiesResponse
croupier.server.v1.TunnelService Open stream croupier.tunnel.v1.TunnelMessage -> stream croupier.tunnel.v1.TunnelMessage
croupier.sdk.v1.ClientService RegisterClient croupier.agent.local.v1.RegisterLocalRequest -> croupier.agent.local.v1.RegisterLocalResponse
croupier.sdk.v1.ClientService Heartbeat croupier.agent.local.v1.HeartbeatRequest -> croupier.agent.local.v1.HeartbeatResponse
croupier.sdk.v1.ClientService ListClients croupier.agent.local.v1.ListLocalRequest -> croupier.agent.local.v1.ListLocalResponse
croupier.sdk.v1.ClientService GetJobResult croupier.agent.local.v1.GetJobResultRequest -> croupier.agent.local.v1.GetJobResultResponse
croupier.sdk.v1.FunctionService Invoke croupier.function.v1.InvokeRequest -> croupier.function.v1.InvokeResponse
croupier.sdk.v1.FunctionService StartJob croupier.function.v1.InvokeRequest -> croupier.function.v1.StartJobResponse
croupier.sdk.v1.FunctionService StreamJob croupier.function.v1.JobStreamRequest -> stream croupier.function.v1.JobEvent
croupier.sdk.v1.FunctionService CancelJob croupier.function.v1.CancelJobRequest -> croupier.function.v1.StartJobResponse
"""

MESSAGES = """
croupier.function.v1.InvokeRequest: function_id=1 string, idempotency_key=2 string, payload=3 bytes, metadata=4 map
croupier.function.v1.InvokeResponse: payload=1 bytes
croupier.function.v1.StartJobResponse: job_id=1 string
croupier.function.v1.JobStreamRequest: job_id=1 string
croupier.function.v1.CancelJobRequest: job_id=1 string
croupier.function.v1.JobEvent: type=1 string, message=2 string, progress=3 int32, payload=4 bytes
croupier.agent.local.v1.LocalFunctionDescriptor: id=1 string, version=2 string
croupier.agent.local.v1.RegisterLocalRequest: service_id=1 string, version=2 string, rpc_addr=3 string, functions=4 rep LocalFunctionDescriptor
croupier.agent.local.v1.RegisterLocalResponse: session_id=1 string
croupier.agent.local.v1.HeartbeatRequest: service_id=1 string, session_id=2 string
croupier.agent.local.v1.HeartbeatResponse:
croupier.agent.local.v1.ListLocalRequest:
croupier.agent.local.v1.ListLocalResponse: functions=1 rep LocalFunction
croupier.agent.local.v1.LocalFunction: id=1 string, instances=2 rep LocalInstance
croupier.agent.local.v1.LocalInstance: service_id=1 string, addr=2 string, version=3 string, last_seen=4 string
croupier.agent.local.v1.GetJobResultRequest: job_id=1 string
croupier.agent.local.v1.GetJobResultResponse: state=1 string, payload=2 bytes, error=3 string
croupier.control.v1.FunctionDescriptor: id=1 string, version=2 string, category=3 string, risk=4 string, entity=5 string, operation=6 string, enabled=7 bool
croupier.control.v1.RegisterRequest: agent_id=1 string, version=2 string, functions=3 rep FunctionDescriptor, rpc_addr=4 string, game_id=5 string, env=6 string
croupier.control.v1.RegisterResponse: session_id=1 string, expire_at=2 int64
croupier.control.v1.HeartbeatRequest: agent_id=1 string, session_id=2 string
croupier.control.v1.HeartbeatResponse:
croupier.control.v1.ProviderMeta: id=1 string, version=2 string, lang=3 string, sdk=4 string
croupier.control.v1.RegisterCapabilitiesRequest: provider=1 ProviderMeta, manifest_json_gz=2 bytes
croupier.control.v1.RegisterCapabilitiesResponse:
croupier.edge.job.v1.GetJobResultRequest: job_id=1 string
croupier.edge.job.v1.GetJobResultResponse: state=1 string, payload=2 bytes, error=3 string
croupier.tunnel.v1.TunnelMessage: type=1 string, hello=2 Hello, result=3 ResultFrame, start_r=4 StartJobResult, job_evt=5 JobEventFrame, list_req=6 ListLocalRequest, list_res=7 ListLocalResponse, job_res_req=8 GetJobResultRequest, job_res_res=9 GetJobResultResponse, invoke=10 InvokeFrame, start=11 StartJobFrame, cancel=12 CancelJobFrame
croupier.tunnel.v1.Hello: agent_id=1 string, game_id=2 string, env=3 string
croupier.tunnel.v1.InvokeFrame: request_id=1 string, function_id=2 string, idempotency_key=3 string, payload=4 bytes, metadata=5 map
croupier.tunnel.v1.StartJobFrame: request_id=1 string, function_id=2 string, idempotency_key=3 string, payload=4 bytes, metadata=5 map
croupier.tunnel.v1.CancelJobFrame: job_id=1 string
croupier.tunnel.v1.ResultFrame: request_id=1 string, payload=2 bytes, error=3 string
croupier.tunnel.v1.StartJobResult: request_id=1 string, job_id=2 string, error=3 string
croupier.tunnel.v1.JobEventFrame: job_id=1 string, type=2 string, message=3 string, progress=4 int32, payload=5 bytes
croupier.tunnel.v1.ListLocalRequest: request_id=1 string, function_id=2 string
croupier.tunnel.v1.ListLocalResponse: request_id=1 string, function_id=2 string, service_ids=3 rep string, error=4 string
croupier.tunnel.v1.GetJobResultRequest: request_id=1 string, job_id=2 string
croupier.tunnel.v1.GetJobResultResponse: request_id=1 string, state=2 string, payload=3 bytes, error=4 string
croupier.options.v1.FunctionOptions: function_id=1 string, version=2 string, category=3 string, risk=4 string, route=5 string, timeout=6 string, two_person_rule=7 bool, placement=8 string, labels=9 map, mode=10 string, idempotency_key=11 bool, display_name=12 croupier.common.v1.I18nText, summary=13 croupier.common.v1.I18nText, tags=14 rep string, menu=15 croupier.common.v1.Menu, permissions=16 croupier.common.v1.PermissionSpec
croupier.options.v1.UiOptions: widget=1 string, label=2 string, placeholder=3 string, sensitive=4 bool, enum_map=5 map, show_if=6 string, required_if=7 string
croupier.common.v1.I18nText: en=1 string, zh=2 string
croupier.common.v1.Menu: section=1 string, group=2 string, path=3 string, order=4 int32, icon=5 string, badge=6 string, hidden=7 bool
croupier.common.v1.RoleBinding: role=1 string, verbs=2 rep string
croupier.common.v1.PermissionSpec: verbs=1 rep string, scopes=2 rep string, defaults=3 rep RoleBinding, i18n_zh=4 map
"""

OPTIONS = {
    "croupier.options.v1.function": (51001, ".google.protobuf.MethodOptions", ".croupier.options.v1.FunctionOptions"),
    "croupier.options.v1.ui": (52001, ".google.protobuf.FieldOptions", ".croupier.options.v1.UiOptions"),
}

F = FieldDescriptorProto
SCALARS = {
    F.TYPE_STRING: "string",
    F.TYPE_BYTES: "bytes",
    F.TYPE_INT32: "int32",
    F.TYPE_INT64: "int64",
    F.TYPE_BOOL: "bool",
}


def read_set() -> FileDescriptorSet:
    return FileDescriptorSet.FromString(
        importlib.resources.files("croupier_wire").joinpath("descriptors.pb").read_bytes()
    )


FILES = [file for file in read_set().file if file.package.startswith("croupier.")]


def messages() -> dict[str, DescriptorProto]:
    return {f"{file.package}.{message.name}": message for file in FILES for message in file.message_type}


def qualified(name: str, package: str) -> str:
    return name if "." in name else f"{package}.{name}"


def written_fields(message: str, fields: str) -> Iterator[tuple[str, int, str]]:
    """(name, number, kind) of the table's line; the kind of a message is its full name."""
    package = message.rpartition(".")[0]
    for entry in filter(None, (part.strip() for part in fields.split(","))):
        declaration, _, kind = entry.partition(" ")
        name, _, number = declaration.partition("=")
        repeated, _, single = kind.rpartition(" ")
        known = single in {*SCALARS.values(), "map"}
        single = single if known else qualified(single, package)
        yield name, int(number), f"{repeated} {single}".strip()


def kind_of(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    if field.type != F.TYPE_MESSAGE:
        single = SCALARS[field.type]
    else:
        name = field.type_name.rpartition(".")[2]
        nested = next((entry for entry in message.nested_type if entry.name == name and entry.options.map_entry), None)
        if nested is not None:
            assert field.label == F.LABEL_REPEATED
            assert [(part.name, part.number, part.type) for part in nested.field] == [
                ("key", 1, F.TYPE_STRING),
                ("value", 2, F.TYPE_STRING),
            ]
            return "map"
        single = field.type_name.removeprefix(".")
    return f"rep {single}" if field.label == F.LABEL_REPEATED else single


def lines(table: str) -> list[str]:
    return table.strip().splitlines()


@pytest.mark.parametrize("line", lines(MESSAGES), ids=lambda line: line.partition(":")[0])
def test_a_contract_message_has_exactly_its_fields_below_100(line: str) -> None:
    name, _, fields = line.partition(":")
    message = messages()[name]

    below = {(field.name, field.number, kind_of(message, field)) for field in message.field if field.number < OURS_FROM}

    assert below == set(written_fields(name, fields))


def test_every_contract_message_is_in_the_table_or_only_ours_uses_it() -> None:
    contract = {line.partition(":")[0] for line in lines(MESSAGES)}
    ours = set(messages()) - contract

    assert ours == {
        f"croupier.tunnel.v1.{name}"
        for name in (
            "Welcome",
            "Register",
            "Service",
            "FunctionRef",
            "Status",
            "CancelCallFrame",
            "JobAckFrame",
            "Drain",
        )
    } | {f"croupier.relay.v1.{name}" for name in ("LinkMessage", "Hello", "Frame", "Open", "Metadata", "Status")} | {
        f"croupier.machine.v1.{name}"
        for name in ("RenewRequest", "RenewResponse", "WatchRevocationsRequest", "RevocationList")
    }
    for name in contract:
        for field in messages()[name].field:
            assert field.number >= OURS_FROM or field.type_name.removeprefix(".") not in ours


def test_a_field_is_no_oneof_member_has_no_presence_mark_and_no_old_syntax() -> None:
    assert {file.syntax for file in FILES} == {"proto3"}
    for message in messages().values():
        assert not message.oneof_decl
        assert not any(field.proto3_optional for field in message.field)


@pytest.mark.parametrize("line", [*lines(SERVICES), *lines(ALIASES)], ids=lambda line: " ".join(line.split()[:2]))
def test_a_method_has_its_types_and_streams_as_the_contract_says(line: str) -> None:
    service, method, signature = line.split(" ", 2)
    package, _, short = service.rpartition(".")
    request, _, response = signature.partition(" -> ")

    file = next(file for file in FILES if file.package == package)
    found = next(
        entry for offered in file.service if offered.name == short for entry in offered.method if entry.name == method
    )

    assert found.client_streaming == request.startswith("stream ")
    assert found.server_streaming == response.startswith("stream ")
    assert found.input_type == "." + qualified(request.removeprefix("stream "), package)
    assert found.output_type == "." + qualified(response.removeprefix("stream "), package)


def test_the_only_services_besides_the_contract_are_attach_relay_and_machines() -> None:
    contract = {line.split(" ", 1)[0] for line in [*lines(SERVICES), *lines(ALIASES)]}
    methods = {" ".join(line.split()[:2]) for line in [*lines(SERVICES), *lines(ALIASES)]}

    offered = {f"{file.package}.{service.name}" for file in FILES for service in file.service}

    assert offered - contract == {
        "croupier.attach.v1.AttachService",
        "croupier.machine.v1.MachineService",
        "croupier.relay.v1.RelayService",
    }
    for file in FILES:
        for service in file.service:
            name = f"{file.package}.{service.name}"
            if name in contract:
                assert {f"{name} {method.name}" for method in service.method} <= methods


def test_attach_speaks_the_tunnels_messages_both_ways() -> None:
    (service,) = next(file for file in FILES if file.package == "croupier.attach.v1").service
    (method,) = service.method

    assert method.name == "Attach"
    assert method.client_streaming
    assert method.server_streaming
    assert method.input_type == method.output_type == ".croupier.tunnel.v1.TunnelMessage"


def test_the_proto_options_extend_methods_and_fields_under_their_numbers() -> None:
    found = {
        f"{file.package}.{extension.name}": (extension.number, extension.extendee, extension.type_name)
        for file in FILES
        for extension in file.extension
    }

    assert found == OPTIONS


def test_a_proto_file_lies_where_its_python_module_does() -> None:
    for file in FILES:
        assert file.name.startswith("croupier_wire/" + file.package.removeprefix("croupier.").replace(".", "/") + "/")
