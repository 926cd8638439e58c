"""The contract's JSON (section 2): every message of the contract, both ways, and what is wrong with a bad one."""

import base64
import json
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from croupier.errors import InvalidArgument
from croupier.rpc.codec import decode, encode, is_json
from croupier_wire.agent.local.v1 import local_pb2
from croupier_wire.control.v1 import control_pb2
from croupier_wire.edge.job.v1 import job_pb2
from croupier_wire.function.v1 import function_pb2
from croupier_wire.tunnel.v1 import tunnel_pb2

KINDS: dict[str, type[Message]] = {
    descriptor.full_name: message_factory.GetMessageClass(descriptor)
    for module in (function_pb2, local_pb2, control_pb2, job_pb2, tunnel_pb2)
    for descriptor in module.DESCRIPTOR.message_types_by_name.values()
}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
F = FieldDescriptor
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    F.TYPE_STRING: TEXT,
    F.TYPE_BYTES: st.binary(max_size=20),
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    F.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    F.TYPE_UINT32: st.integers(0, 2**32 - 1),
    F.TYPE_UINT64: st.integers(0, 2**64 - 1),
    F.TYPE_FIXED32: st.integers(0, 2**32 - 1),
}


def one_of_field(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    return SCALARS[field.type] if field.message_type is None else messages(field.message_type)


def field_values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return st.dictionaries(TEXT, TEXT, max_size=3)
    if field.is_repeated:
        return st.lists(one_of_field(field), max_size=3)
    return one_of_field(field)


def messages(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    kind = message_factory.GetMessageClass(descriptor)
    optional = {field.name: field_values(field) for field in descriptor.fields}
    return st.fixed_dictionaries({}, optional=optional).map(lambda fields: kind(**fields))


def contract_json(message: Message) -> dict[str, Any]:
    """What the contract says, written a second time and as plainly as can be."""
    written: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = dict(value)
        elif field.is_repeated:
            value = [contract_scalar(entry) for entry in value]
        elif field.message_type is not None:
            if message.HasField(field.name):
                written[field.name] = contract_json(value)
            continue
        else:
            value = contract_scalar(value)
        if value:
            written[field.name] = value
    return written


def contract_scalar(value: Any) -> Any:
    if isinstance(value, Message):
        return contract_json(value)
    return base64.standard_b64encode(value).decode("ascii") if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_a_message_reads_and_writes_as_the_contract_says(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    message = data.draw(messages(kind.DESCRIPTOR))

    as_json = encode(message, json=True)

    assert json.loads(as_json) == contract_json(message)
    assert is_json(as_json)
    assert decode(kind, as_json) == message
    as_protobuf = encode(message, json=False)
    assert not is_json(as_protobuf)
    assert decode(kind, as_protobuf) == message


@settings(max_examples=300)
@given(name=st.sampled_from(sorted(KINDS)), data=st.binary(max_size=40))
def test_rubbish_is_an_invalid_argument_and_nothing_else(name: str, data: bytes) -> None:
    for candidate in (data, b"{" + data, b"{}" + data):
        try:
            decode(KINDS[name], candidate)
        except InvalidArgument as error:
            said = error.message
        else:
            continue
        assert "protobuf" in said or "JSON" in said or "must be" in said


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=300)
@given(name=st.sampled_from(sorted(KINDS)), data=st.data())
def test_any_json_object_is_read_or_refused_with_the_path(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    names = [field.name for field in kind.DESCRIPTOR.fields]
    keys = st.sampled_from(names) if names else TEXT
    document = data.draw(st.dictionaries(keys, JSON_VALUES, max_size=3))
    try:
        message = decode(kind, json.dumps(document).encode())
    except InvalidArgument as error:
        said = error.message
    else:
        assert isinstance(message, kind)
        return
    assert said.startswith(kind.DESCRIPTOR.name + ".")


# ------------------------------------------------------------------------------------------------ by example

FULL = {
    "function_id": "player.ban",
    "idempotency_key": "k",
    "payload": "eyJpZCI6MX0=",
    "metadata": {"trace_id": "t"},
}


def test_the_contracts_example_reads_as_it_is_written() -> None:
    request = decode(function_pb2.InvokeRequest, json.dumps(FULL).encode())

    assert request.payload == b'{"id":1}'
    assert dict(request.metadata) == {"trace_id": "t"}
    assert json.loads(encode(request, json=True)) == FULL


def test_zero_values_are_left_out() -> None:
    event = function_pb2.JobEvent(type="", progress=0, payload=b"")
    assert encode(event, json=True) == b"{}"
    assert encode(control_pb2.FunctionDescriptor(enabled=False), json=True) == b"{}"


def test_a_large_integer_is_a_number_and_not_a_string() -> None:
    response = control_pb2.RegisterResponse(session_id="s", expire_at=2**53 + 1)
    assert encode(response, json=True) == b'{"session_id":"s","expire_at":9007199254740993}'
    assert decode(control_pb2.RegisterResponse, b'{"expire_at":9007199254740993}').expire_at == 2**53 + 1


def test_bytes_are_standard_base64_with_padding() -> None:
    assert encode(function_pb2.InvokeResponse(payload=b"\xfb\xff"), json=True) == b'{"payload":"+/8="}'


@pytest.mark.parametrize("text", ["+/8", "-_8=", "+/8=\n", "+ /8=", "+/8==", "é"])
def test_any_other_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"InvokeResponse\.payload"):
        decode(function_pb2.InvokeResponse, json.dumps({"payload": text}).encode())


def test_unknown_keys_and_nulls_are_ignored() -> None:
    request = decode(
        function_pb2.InvokeRequest,
        b'{"function_id":"f","payload":null,"metadata":null,"functionId":"x","$x":{"deep":[1,{"er":2}]}}',
    )
    assert request == function_pb2.InvokeRequest(function_id="f")


@pytest.mark.parametrize(
    ("kind", "document", "path"),
    [
        (function_pb2.InvokeRequest, {"function_id": 1}, "InvokeRequest.function_id must be a string"),
        (function_pb2.InvokeRequest, {"payload": [1]}, "InvokeRequest.payload must be a base64 string"),
        (function_pb2.InvokeRequest, {"metadata": ["a"]}, "InvokeRequest.metadata must be a JSON object"),
        (function_pb2.InvokeRequest, {"metadata": {"a": 1}}, "InvokeRequest.metadata.a must be a string"),
        (function_pb2.InvokeRequest, {"metadata": {"a": None}}, "InvokeRequest.metadata.a must be a string"),
        (function_pb2.JobEvent, {"progress": "50"}, "JobEvent.progress must be an integer"),
        (function_pb2.JobEvent, {"progress": 1.5}, "JobEvent.progress must be an integer"),
        (function_pb2.JobEvent, {"progress": True}, "JobEvent.progress must be an integer"),
        (function_pb2.JobEvent, {"progress": 2**31}, "JobEvent.progress must be between"),
        (control_pb2.RegisterResponse, {"expire_at": 2**63}, "RegisterResponse.expire_at must be between"),
        (control_pb2.RegisterResponse, {"expire_at": 2**64}, "RegisterResponse.expire_at must be an integer"),
        (control_pb2.RegisterRequest, {"functions": {}}, "RegisterRequest.functions must be a JSON array"),
        (control_pb2.RegisterRequest, {"functions": ["f"]}, "RegisterRequest.functions[0] must be a JSON object"),
        (
            control_pb2.RegisterRequest,
            {"functions": [{}, {"enabled": 1}]},
            "RegisterRequest.functions[1].enabled must be true or false",
        ),
        (tunnel_pb2.TunnelMessage, {"hello": "me"}, "TunnelMessage.hello must be a JSON object"),
        (tunnel_pb2.TunnelMessage, {"hello": {"env": 1}}, "TunnelMessage.hello.env must be a string"),
        (
            tunnel_pb2.TunnelMessage,
            {"list_res": {"service_ids": ["a", 2]}},
            "TunnelMessage.list_res.service_ids[1] must be a string",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_type_names_its_path(kind: type[Message], document: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        decode(kind, json.dumps(document).encode())
    assert caught.value.message.startswith(path)


@pytest.mark.parametrize(
    "data", [b"{", b'{"function_id":', b'{"function_id":"\\ud800"}', b"{}{}", b'{"a":NaN}', b"{" * 5000]
)
def test_broken_json_says_that_it_started_like_json(data: bytes) -> None:
    with pytest.raises(InvalidArgument, match="starts like JSON"):
        decode(function_pb2.InvokeRequest, data)


@pytest.mark.parametrize("data", [b'["a"]', b'"a"', b"null", b"\x00", b"\x0a\xff", b"\x0a\x02\xff\xfe"])
def test_what_is_neither_names_the_message_that_was_expected(data: bytes) -> None:
    with pytest.raises(InvalidArgument, match=r"croupier\.function\.v1\.InvokeRequest"):
        decode(function_pb2.InvokeRequest, data)


def test_nothing_is_an_empty_message() -> None:
    assert decode(local_pb2.ListLocalRequest, b"") == local_pb2.ListLocalRequest()
    assert decode(local_pb2.ListLocalRequest, b"{}") == local_pb2.ListLocalRequest()
