"""JSON that two readers could understand in two ways is refused."""

import json

import pytest

from croupier.descriptors import FaultyDescriptor, read_descriptor


def faults(raw: bytes) -> dict[str, str]:
    with pytest.raises(FaultyDescriptor) as caught:
        read_descriptor(raw, "f.json")
    return {fault.path: fault.message.en for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("raw", "path", "why"),
    [
        (b"", "$", "not JSON at line 1, column 1"),
        (b'{"id": "a",}', "$", "not JSON at line 1"),
        (b"\xff\xfe", "$", "not UTF-8 at byte 0"),
        (b'{"id": "a", "x": NaN}', "$", "NaN is not JSON"),
        (b'{"id": "a", "x": -Infinity}', "$", "-Infinity is not JSON"),
        (b'{"id": "a", "x": 1e999}', "$.x", "beyond 64 bits"),
        (b'{"id": "a", "x": [18446744073709551616]}', "$.x[0]", "beyond 64 bits"),
        (b'{"id": "a", "x": ' + b"9" * 5_000 + b"}", "$", "beyond 64 bits"),
        (b'{"id": "a", "x": {"b": 1, "b": 1}}', "$.x.b", "stands twice"),
        (b'{"id": "a", "x": {"b c\'": 1, "b c\'": 1}}', "$.x['b c\\'']", "stands twice"),
        (b'{"id": "a", "x": "\\ud800"}', "$.x", "half of a surrogate pair"),
        (b'{"id": "a", "x": {"\\udc00": 1}}', "$.x", "half of a surrogate pair"),
        (b'{"id": "a", "x": ' + b"[" * 70 + b"]" * 70 + b"}", "$.x" + "[0]" * 63, "nested deeper than 64"),
        (b"[" * 200_000, "$", "nested deeper than 64"),
        (b'{"a":' * 200_000, "$", "nested deeper than 64"),
        (b'{"id": "a", "x": "' + b"x" * 1_000_000 + b'"}', "$", "larger than 1000000 bytes"),
    ],
    ids=range(16),
)
def test_what_is_no_clear_json_is_refused(raw: bytes, path: str, why: str) -> None:
    found = faults(raw)
    assert why in found[path]


def test_what_is_clear_json_is_taken() -> None:
    read_descriptor(
        b'\xef\xbb\xbf{"id": "a", "x": [1.5, -9223372036854775808, "\\ud83d\\ude00", null, true]}', "f.json"
    )
    read_descriptor(b'{"id": "a", "x": ' + b"[" * 63 + b"]" * 63 + b"}", "f.json")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_sixty_four_levels_are_taken_and_no_more(opening: str, closing: str) -> None:
    def nested(levels: int) -> bytes:
        inner = opening * (levels - 1) + "1" + closing * (levels - 1)
        return f'{{"id": "a", "text": "[[{{{{", "x": {inner}}}'.encode()

    assert read_descriptor(nested(64), "f.json").id == "a"
    assert list(faults(nested(65)).values()) == ["nested deeper than 64"]


def test_a_schema_of_ten_megabytes_is_refused_by_its_size() -> None:
    schema = {"enum": [f"value {number}" for number in range(700_000)]}
    raw = json.dumps({"id": "a", "params": schema}).encode()
    assert len(raw) > 10_000_000
    assert faults(raw) == {"$": "larger than 1000000 bytes: split it"}


def test_other_faults_are_told_beside_those_of_the_json() -> None:
    assert faults(b'{"x": "\\ud800", "risk": "awful"}').keys() == {"$.x", "$.id", "$.risk"}
    assert faults(b'{"x": {"a": 1, "a": 2}, "semantics": {"mode": 3}}').keys() == {"$.x.a", "$.id", "$.semantics.mode"}
