import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.errors import InvalidArgument
from croupier.server.http.payloads import check_payload, depth_exceeds
from croupier.server.http.requests import call_decoder, parse_body
from croupier.server.payload_json import is_json, payload_fields

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.sampled_from('a"\\[]{},:\n\u00e9')),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from('"\\[{')), inner, max_size=3),
    max_leaves=30,
)


def depth(value):
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


@given(VALUES, st.integers(0, 8))
def test_the_depth_is_counted_exactly_whatever_the_strings_hold(value, limit):
    assert depth_exceeds(orjson.dumps(value), limit) == (depth(value) > limit)


@given(VALUES)
def test_what_an_encoder_writes_is_json(value):
    assert is_json(orjson.dumps(value))


@given(st.binary(max_size=40))
def test_whatever_passes_as_json_can_be_decoded(payload):
    if is_json(payload):
        json.loads(payload.decode())


@pytest.mark.parametrize("payload", [b"", b" ", b"NaN", b"[1,]", b"{'a':1}", b"01", b'"\xff"', b"1 2", b"[" * 10_000])
def test_what_is_not_json_is_told(payload):
    assert not is_json(payload)
    with pytest.raises(InvalidArgument):
        check_payload(payload)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (rb'"\ud800"', 1),
        (rb'"\uDC00"', 1),
        (rb'"\ud800 and more"', 1),
        (rb'"\ud83d\ude00\ud83d\u0041"', 13),
        (rb'"\ud83d\\ude00"', 1),
        (rb'"\\\ude00"', 3),
    ],
)
def test_half_a_character_is_named_and_not_called_a_cut_body(text, at):
    with pytest.raises(InvalidArgument, match=rf"half a character .* at byte {at}:"):
        check_payload(text)
    body = b'{"payload":' + text + b',"function_id":"f"}'
    with pytest.raises(InvalidArgument, match=rf"half a character .* at byte {at + 11}:"):
        parse_body(call_decoder, body)


@pytest.mark.parametrize("text", [rb'"\ud83d\ude00', rb'"\\ud800', rb'{"a":1'])
def test_a_cut_body_is_told_as_one(text):
    with pytest.raises(InvalidArgument, match="truncated"):
        check_payload(text)
    with pytest.raises(InvalidArgument, match="truncated"):
        parse_body(call_decoder, b'{"payload":' + text)


def test_a_payload_in_a_document_keeps_its_bytes_but_not_its_line_breaks():
    told = orjson.dumps(payload_fields(b'{"n":\r\n1.0000000000000000001}'))
    assert told == b'{"payload":{"n":  1.0000000000000000001}}'
