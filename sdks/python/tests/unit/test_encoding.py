import json
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

import pytest

from croupier_sdk.errors import BadArgument
from croupier_sdk.functions.encoding import Unserializable, from_payload, to_payload


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [None, True, 7, 1.5, 'ü\n"\u2028', "", [], {}, [1, [2, {"a": None}]], {"a": {"b": ["c"]}, "1": 2}],
)
def test_a_value_comes_back_as_it_went(value):
    assert from_payload(to_payload(value)) == value
    assert to_payload(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def test_what_json_has_no_word_for_is_written_plainly():
    value = [Colour.RED, datetime(2026, 1, 2, tzinfo=UTC), UUID(int=1)]
    assert from_payload(to_payload(value)) == ["red", "2026-01-02T00:00:00+00:00", str(UUID(int=1))]


def test_an_answer_inside_itself_is_refused():
    inside: list = []
    inside.append(inside)
    with pytest.raises(Unserializable, match="it is not JSON"):
        to_payload(inside)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {("a",): 1}])
def test_what_is_not_json_is_refused(value):
    with pytest.raises(Unserializable):
        to_payload(value)


@pytest.mark.parametrize("payload", [b' {"a": 1} ', b'\n{"a": 1}', b'{"a": 1}\r\n'])
def test_white_space_around_a_payload_is_allowed(payload):
    assert from_payload(payload) == {"a": 1}


@pytest.mark.parametrize("payload", [b"{} {}", b"[1]]", b"{", b'{"a":NaN}', b'"', b"{]", b"[1] x]", b"  "])
def test_rubbish_is_refused_with_its_place(payload):
    with pytest.raises(BadArgument, match="the payload is not JSON: "):
        from_payload(payload)
