"""What nobody may read later is masked: what descriptions say, and what names give away."""

import string

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from croupier.server.access.audit import NOTHING_SAID, Masker, Sensitive, sensitive_fields
from croupier.server.access.audit.masking import DETAILS_CHARS, OPENED_BYTES

MASKER = Masker(b"k" * 32)
SECRET = "hunter2-hunter2"

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def shown(value: object, sensitive: Sensitive = NOTHING_SAID) -> str:
    return MASKER.arguments(orjson.dumps(value), sensitive)


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "newPassword", "new_password", "user.password", "PASSWORD", "passwd", "pwd", "dbPwd",
        "passphrase", "token", "accessToken", "access_token", "api-token", "refreshTokens", "secret", "client_secret",
        "key", "apiKey", "api_key", "APIKey", "privateKey", "SSHKey", "authorization", "X-Authorization", "cookie",
        "Set-Cookie", "credentials", "pin", "userPin", "otp", "cvv", "signature", "密码", "新密码", "令牌",
    ],
)  # fmt: skip
def test_names_that_give_themselves_away_are_masked(name: str):
    for value in (
        {name: SECRET},
        {"a": {name: SECRET}},
        [{"b": [{name: SECRET}]}],
        {name: {"deep": [SECRET]}},
        {name: [SECRET]},
    ):
        found = shown(value)
        assert SECRET not in found
        assert "masked:" in found


@pytest.mark.parametrize(
    "name", ["player_id", "keyboard", "monkey", "hash_key", "idempotencyKey", "spin", "opinion", "tickets"]
)
def test_names_that_only_look_like_it_are_not(name: str):
    assert shown({name: "42"}) == f'{{"{name}":"42"}}'


def test_a_currency_that_is_called_token_is_shown_as_a_number():
    assert shown({"tokens": 100, "key": 7}) == '{"tokens":100,"key":7}'
    assert "1234" not in shown({"pin": 1234})


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"answer": {"writeOnly": True}}},
        {"properties": {"answer": {"format": "password"}}},
        {"properties": {"a": {"properties": {"answer": {"writeOnly": True}}}}},
        {"properties": {"list": {"items": {"properties": {"answer": {"format": "password"}}}}}},
        {"properties": {"answer": {"type": "array", "items": {"writeOnly": True}}}},
        {"properties": {"answer": {"$ref": "#/$defs/hidden"}}, "$defs": {"hidden": {"writeOnly": True}}},
        {"properties": {"answer": {"anyOf": [{"type": "null"}, {"writeOnly": True}]}}},
        {"$ref": "#/$defs/all", "$defs": {"all": {"properties": {"answer": {"format": "password"}}}}},
        {"allOf": [{"if": {}, "then": {"properties": {"answer": {"writeOnly": True}}}}]},
        {"properties": {"answer": {"$ref": "#hidden"}}, "$defs": {"x": {"$anchor": "hidden", "writeOnly": True}}},
    ],
)
def test_fields_that_a_schema_keeps_from_being_read_are_masked(schema):
    sensitive = sensitive_fields(schema, {})
    assert SECRET not in shown({"answer": SECRET, "list": [{"answer": [SECRET]}]}, sensitive)
    assert '"x":"y"' in shown({"x": "y"}, sensitive)


@pytest.mark.parametrize(
    "ui",
    [
        {"fields": {"answer": {"sensitive": True}}},
        {"ui:fields": {"answer": {"ui:sensitive": True}}},
        {"fields": {"a": {"fields": {"answer": {"widget": "password"}}}}},
        {"fields": {"a": {"items": {"fields": {"answer": {"sensitive": True}}}}}},
        {"fields": {"a[].answer": {"sensitive": True}}},
    ],
)
def test_fields_that_a_form_says_are_sensitive_are_masked(ui):
    assert SECRET not in shown({"answer": SECRET}, sensitive_fields(None, ui))


def test_a_schema_that_hides_everything_hides_everything():
    assert SECRET not in shown({"x": SECRET}, sensitive_fields({"writeOnly": True}, {}))


def test_a_schema_that_refers_to_itself_is_read_to_its_end():
    schema = {"$ref": "#", "properties": {"child": {"$ref": "#"}, "answer": {"writeOnly": True}}}
    assert sensitive_fields(schema, {}).names == {"answer"}


@pytest.mark.parametrize("rubbish", [{"properties": 7}, {"$ref": 7}, {"allOf": {}}, {"items": "x"}, {"$ref": "#/a/b"}])
def test_rubbish_in_a_schema_hides_nothing_and_breaks_nothing(rubbish):
    assert sensitive_fields(rubbish, {"fields": [1]}) == NOTHING_SAID


def test_the_same_value_has_the_same_mask_and_another_key_gives_another():
    assert MASKER.mask("a") == MASKER.mask("a") != MASKER.mask("b")
    assert MASKER.mask("42") == MASKER.mask(42)
    assert Masker(b"x").mask("a") != MASKER.mask("a")
    assert shown({"pin": "1234"}) == '{"pin":"%s"}' % MASKER.mask("1234")  # noqa: UP031 — braces


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"{", b'{"a":', b"x" * 100])
def test_what_is_no_json_is_kept_as_its_size_and_hash(payload: bytes):
    assert orjson.loads(MASKER.arguments(payload)) == {
        "$omitted": {"bytes": len(payload), "hash": MASKER._mask(payload)}
    }


def test_a_long_text_is_cut_and_can_be_found_by_its_hash():
    found = shown({"note": "x" * 10_000})
    assert len(found) < 200
    assert MASKER.mask("x" * 10_000) in found


def test_a_large_payload_is_not_opened_and_much_is_cut():
    assert "$omitted" in MASKER.arguments(b'"' + b"x" * OPENED_BYTES + b'"')
    assert '"$omitted":{"items":968}' in shown(list(range(1_000)))
    assert len(shown({str(number): "x" * 200 for number in range(1_000)})) <= DETAILS_CHARS


def test_numbers_of_any_size_stay_as_they_are():
    large = b'{"id":123456789012345678901234567890,"pin":"1"}'
    assert "123456789012345678901234567890" in MASKER.arguments(large)
    assert "123456789012345678901234567890" in MASKER.arguments(b'{"id":123456789012345678901234567890}')


def test_a_field_that_is_told_twice_hides_nothing_behind_the_second():
    assert SECRET not in MASKER.arguments(b'{"a":{"password":"%s"},"a":1}' % SECRET.encode())
    assert SECRET not in MASKER.arguments(b'{"\\u0070assword":"%s"}' % SECRET.encode())


def test_metadata_is_masked_by_its_names():
    assert MASKER.texts({"authorization": SECRET, "game_id": "demo"})["authorization"].startswith("masked:")
    assert MASKER.texts({"game_id": "demo"}) == {"game_id": "demo"}


@given(json_values)
def test_whatever_is_kept_is_json(value):
    found = shown(value)
    assert len(found) <= DETAILS_CHARS
    orjson.loads(found)


@given(
    json_values,
    st.sampled_from(["password", "apiKey", "token"]),
    st.text(string.ascii_letters, min_size=12, max_size=20),
)
def test_no_secret_is_left_anywhere(value, name: str, secret: str):
    assume(secret.encode() not in orjson.dumps(value))
    assert secret not in shown({"a": [value, {name: secret}], "b": {name: [{"x": secret}]}})
    assert secret not in MASKER.shown(orjson.dumps([value, {name: secret}])).decode()


@given(json_values)
def test_what_holds_nothing_sensitive_is_shown_as_it_was(value):
    payload = orjson.dumps({"value": value})
    if "masked:" not in MASKER.shown(payload).decode():
        assert MASKER.shown(payload) == payload
