import io
import json
import sys

import click
import pytest

from croupier.cli.payload import parse_pairs, read_payload


class Input:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_without_arguments_the_payload_is_an_empty_object():
    assert read_payload(()) == b"{}"


def test_json_goes_on_byte_for_byte():
    text = '{"big": 12345678901234567890.10,  "x": [1, null]}'
    assert read_payload((text,)) == text.encode()


def test_pairs_become_an_object_whose_values_are_json_or_else_text():
    payload = read_payload(
        ("player_id=p1", "days=3", "tags=[1,2]", "note=a=b", "empty=", "on=true", 'id="42"', "x=NaN")
    )
    assert json.loads(payload) == {
        "player_id": "p1",
        "days": 3,
        "tags": [1, 2],
        "note": "a=b",
        "empty": "",
        "on": True,
        "id": "42",
        "x": "NaN",
    }


def test_a_file_and_standard_input_can_hold_the_payload(tmp_path, monkeypatch):
    file = tmp_path / "payload.json"
    file.write_text("[1]")
    assert read_payload((f"@{file}",)) == b"[1]"
    monkeypatch.setattr(sys, "stdin", Input(b'{"a": 1}'))
    assert read_payload(("-",)) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{",), "not JSON"),
        (("[NaN]",), "NaN is not JSON"),
        (("player",), "not JSON"),
        (("a=1", "b"), "'b' is not key=value"),
        (("{}", "a=1"), "'{}' is not key=value"),
        (("a=1", "a=2"), "a is given twice"),
        (("@missing/file",), "cannot be read: No such file"),
        (("[" * 100_000,), "too deep"),
        (("x" * 10_000_001,), "larger than 10000000 bytes"),
    ],
)
def test_what_is_no_payload_is_a_usage_error_that_says_why(arguments, message):
    with pytest.raises(click.UsageError, match=message) as caught:
        read_payload(arguments)
    assert len(caught.value.message) < 300


def test_more_than_the_limit_is_not_read_from_a_file_or_standard_input(tmp_path, monkeypatch):
    file = tmp_path / "payload.json"
    file.write_bytes(b" " * 10_000_001)
    with pytest.raises(click.UsageError, match="larger than"):
        read_payload((f"@{file}",))
    endless = Input(b" " * 10_000_100)
    monkeypatch.setattr(sys, "stdin", endless)
    with pytest.raises(click.UsageError, match="larger than"):
        read_payload(("-",))
    assert endless.buffer.tell() == 10_000_001


def test_metadata_keeps_everything_after_the_first_equals_sign_as_text():
    assert parse_pairs("--metadata", ("a=1", "b=x=y", "c=")) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("pairs", [("a",), ("=1",), ("a=1", "a=2")])
def test_metadata_that_is_no_pair_or_given_twice_is_a_usage_error(pairs):
    with pytest.raises(click.UsageError, match="--metadata"):
        parse_pairs("--metadata", pairs)
