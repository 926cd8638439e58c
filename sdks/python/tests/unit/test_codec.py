import pytest
from google.protobuf.message import DecodeError

from croupier_sdk.errors import CODES, CallError, Failure, Rejected, call_error_of, failure_of
from croupier_sdk.limits import cut
from croupier_sdk.rpc.backoff import Backoff
from croupier_sdk.rpc.channel import Tls, is_loopback
from croupier_sdk.rpc.codec import decoder, encode, from_json, to_json
from croupier_wire.agent.local.v1 import local_pb2
from croupier_wire.function.v1 import function_pb2
from croupier_wire.tunnel.v1 import tunnel_pb2


def test_json_is_the_contracts_and_not_protojson():
    request = function_pb2.InvokeRequest(function_id="f", payload=b"\xff\x00", metadata={"a": "b"})
    assert to_json(request) == {"function_id": "f", "payload": "/wA=", "metadata": {"a": "b"}}
    assert to_json(function_pb2.JobEvent(seq=2**40, progress=0)) == {"seq": 2**40}


def test_messages_come_back_from_their_json():
    request = local_pb2.RegisterLocalRequest(
        service_id="s", functions=[local_pb2.LocalFunctionDescriptor(id="f", version="1")], manifest_json=b"[]"
    )
    assert from_json(local_pb2.RegisterLocalRequest, {**to_json(request), "unknown": 1, "version": None}) == request


def test_the_first_byte_tells_the_codec_and_the_answer_follows():
    decode = decoder(function_pb2.JobStreamRequest)
    message, as_json = decode(b'{"job_id":"j"}')
    assert (message.job_id, as_json) == ("j", True)
    assert encode((function_pb2.StartJobResponse(job_id="j"), True)) == b'{"job_id":"j"}'
    message, as_json = decode(function_pb2.JobStreamRequest(job_id="k").SerializeToString())
    assert (message.job_id, as_json) == ("k", False)
    assert encode((function_pb2.StartJobResponse(job_id="j"), False)) == b"\n\x01j"


@pytest.mark.parametrize(
    "garbage", [b"{", b'{"function_id":1}', b'{"payload":"?"}', b'{"metadata":[]}', b'{"metadata":{"a":1}}', b"\xff"]
)
def test_garbage_is_refused(garbage):
    with pytest.raises((ValueError, DecodeError)):
        decoder(function_pb2.InvokeRequest)(garbage)


def test_an_exception_becomes_a_failure_without_its_traceback():
    assert failure_of(KeyError("x")) == Failure(reason="handler_failed", message="KeyError: 'x'")
    assert failure_of(ValueError()) == Failure(reason="handler_failed", message="ValueError")
    assert failure_of(Rejected("no", details={"n": 1})) == Failure(
        reason="function_rejected", message="no", details={"n": "1"}
    )
    assert len(failure_of(ValueError("x" * 100_000)).message) < 9_000


def test_a_status_becomes_an_error_and_its_absence_none():
    assert call_error_of(tunnel_pb2.Status(), "") is None
    error = call_error_of(Failure(reason="not_found", message="m").to_status(), "m")
    assert isinstance(error, CallError)
    assert (error.code, error.reason, error.message) == (5, "not_found", "m")
    assert call_error_of(tunnel_pb2.Status(), "old peer").message == "old peer"
    assert all(0 < code < 17 for code in CODES.values())


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("unix:/run/x", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        (":1", False),
        ("10.0.0.1:1", False),
        ("localhost.evil.example:1", False),
    ],
)
def test_only_loopback_is_loopback(address, local):
    assert is_loopback(address) is local


def test_a_certificate_needs_its_key(tmp_path):
    with pytest.raises(ValueError, match="go together"):
        Tls(ca_file="ca", cert_file="c")
    with pytest.raises(ValueError, match="a listener needs"):
        Tls(ca_file="ca").server_credentials()
    with pytest.raises(FileNotFoundError):
        Tls(ca_file=tmp_path / "none").channel_credentials()


def test_waits_double_from_a_tenth_of_a_second_to_five_give_or_take_a_fifth():
    backoff = Backoff()
    expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]
    for want in expected:
        assert want * 0.8 <= backoff.delay() <= want * 1.2
    backoff.reset()
    assert backoff.delay() <= 0.12


def test_text_is_cut_between_characters():
    assert cut("abc", 10) == "abc"
    assert cut("玩" * 10, 10) == "玩玩玩… [20 bytes cut]"
    assert cut("\ud800", 10) == "?"


def test_the_files_of_a_certificate_are_named_by_the_environment(monkeypatch):
    for name in ("CA", "CERT", "KEY"):
        monkeypatch.delenv(f"CROUPIER_{name}", raising=False)
    monkeypatch.setenv("CROUPIER_CA", "ca.pem")  # which the command line reads, too
    assert Tls.from_environment() is None
    monkeypatch.setenv("CROUPIER_CERT", "cert.pem")
    with pytest.raises(ValueError, match="CROUPIER_KEY"):
        Tls.from_environment()
    monkeypatch.setenv("CROUPIER_KEY", "key.pem")
    assert Tls.from_environment() == Tls(ca_file="ca.pem", cert_file="cert.pem", key_file="key.pem")
