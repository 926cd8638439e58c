"""For any secret, however it is written and wherever a stream is cut: nothing of it gets out, and nothing else is touched."""

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import orjson
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from croupier.redaction import SHORTEST, Patterns, RedactingFormatter, Redactor

SECRETS = st.text(min_size=SHORTEST, max_size=80).filter(lambda text: len(text.encode(errors="ignore")) >= SHORTEST)
SECRETS = SECRETS.filter(lambda text: text.isprintable() and "*" not in text and text == text.strip())
BINARY = st.binary(min_size=SHORTEST, max_size=200)
AROUND = st.binary(max_size=40)

PLAIN_FORMS = {
    "raw": lambda text: text,
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "url": lambda text: quote(text, safe=""),
    "url path": quote,
    "url form": quote_plus,
    "url lower": lambda text: "".join(
        f"%{byte:02x}" if quote(chr(byte), safe="") != chr(byte) or byte > 127 else chr(byte) for byte in text.encode()
    ),
    "url all": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "json": lambda text: json.dumps(text)[1:-1],
    "json utf-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json in json": lambda text: json.dumps(json.dumps(text))[1:-1].replace('\\"', "", 1)[: -len('\\"')],
}


def redactor_of(*secrets: bytes | str) -> Redactor:
    return Redactor(Patterns(each.encode() if isinstance(each, str) else each for each in secrets))


@pytest.mark.parametrize("form", PLAIN_FORMS)
@given(secret=SECRETS, before=AROUND, after=AROUND)
@example(secret='pa"ss\\wo/rd é', before=b"", after=b"")
@example(secret="a/b+c d&e=f?<>", before=b"x", after=b"y")
def test_a_secret_is_masked_in_every_form(form, secret, before, after):
    written = PLAIN_FORMS[form](secret).encode()
    assume(written not in before + after)
    found = redactor_of(secret).data(before + written + after)
    assert written not in found
    assert b"***" in found


@given(secret=BINARY, before=AROUND, after=AROUND)
def test_a_secret_is_masked_in_base64_wherever_it_stands_in_what_was_encoded(secret, before, after):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + secret + after)
        found = redactor_of(secret).data(encoded)
        assert b"***" in found
        # Whatever is left, no whole byte of the secret can be read from it: only groups of before and after remain.
        left, _, right = found.partition(b"***")
        right = right.rpartition(b"***")[2]
        assert len(left) * 6 <= len(before) * 8 + 7
        assert len(right.rstrip(b"=")) * 6 <= len(after) * 8 + 7


@given(secrets=st.lists(BINARY, max_size=4), text=st.binary(max_size=400))
def test_what_is_no_secret_is_left_as_it_was(secrets, text):
    redactor = redactor_of(*secrets)
    assume(not redactor._patterns.spans(text))
    assert redactor.data(text) is text


@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_what_stands_round_a_secret_is_left_as_it_was(secret, before, after):
    redactor = redactor_of(secret)
    raw = secret.encode()
    whole = before + raw + after
    spans = redactor._patterns.spans(whole)
    assume(spans == [(len(before), len(before) + len(raw))])
    assert redactor.data(whole) == before + b"***" + after


@st.composite
def streams(draw):
    secrets = draw(st.lists(st.binary(min_size=6, max_size=150), min_size=1, max_size=3))
    # Secrets that overlap one another, and beginnings of them that come to nothing, among other things.
    piece = st.one_of(
        st.sampled_from(secrets),
        st.sampled_from([base64.b64encode(each) for each in secrets]),
        st.sampled_from([each[: len(each) // 2] for each in secrets]),
        st.sampled_from([each[len(each) // 2 :] for each in secrets]),
        st.binary(max_size=20),
    )
    text = b"".join(draw(st.lists(piece, max_size=8)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return secrets, text, cuts


@given(streams())
@example(([b"abcdefgh", b"ghijklmn"], b"--abcdefghijklmn--", [9, 12]))
@example(([b"x" * 500], b"y" * 10 + b"x" * 1200 + b"z", [5, 300, 700, 900]))
def test_a_stream_is_masked_as_if_it_had_come_at_once_wherever_it_is_cut(drawn):
    secrets, text, cuts = drawn
    redactor = redactor_of(*secrets)
    stream = redactor.stream()
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    told = b"".join(map(stream.feed, pieces)) + stream.flush()
    assert told == redactor.data(text)


@given(streams())
def test_at_no_moment_has_a_stream_told_what_it_would_not_tell_in_the_end(drawn):
    secrets, text, cuts = drawn
    redactor = redactor_of(*secrets)
    stream, told = redactor.stream(), b""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        told += stream.feed(text[start:end])
        assert redactor.data(text).startswith(told)


def test_a_stream_holds_back_a_few_bytes_only():
    stream = redactor_of(b"s" * 60_000).stream()
    told = stream.feed(b"a line of the log\n" * 1_000)
    assert len(told) > 17_000


@given(secret=SECRETS, cut=st.integers(1, 5))
def test_a_secret_that_is_cut_between_two_lines_is_masked_in_both(secret, cut):
    assume(secret not in f"<{secret[:-1]}" and secret not in f"{secret[1:]}>")
    first, second = redactor_of(secret).texts(["<" + secret[:cut], secret[cut:] + ">"])
    assert (first, second) == ("<***", "***>")


@given(st.dictionaries(st.text(max_size=5), st.integers(100_000, 999_999) | st.text(max_size=20), max_size=5))
def test_an_answer_that_is_json_stays_json(value):
    payload = orjson.dumps(value)
    found = redactor_of("123456", '":"', "false", *[str(each) for each in list(value.values())[:2]]).payload(payload)
    orjson.loads(found)


@pytest.mark.parametrize("payload", [b'{"gold":123456}', b'[123456,"123456"]', b'{"a":1234567}', b'{"123456":1}'])
def test_a_secret_that_looks_like_a_number_is_masked_in_json(payload):
    found = redactor_of("123456").payload(payload)
    assert b"123456" not in found
    orjson.loads(found)


def test_every_line_of_a_key_file_is_masked_by_itself_but_not_its_armour():
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nxyz0123456789abcdefghijk\n-----END PRIVATE KEY-----\n"
    redactor = redactor_of(key)
    assert redactor.text("line: xyz0123456789abcdefghijk.") == "line: ***."
    assert redactor.text(key) == "***"
    assert redactor.text(json.dumps({"key": key})) == '{"key": "***"}'
    assert redactor.text("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


def test_a_large_secret_is_masked_whole():
    secret = bytes(range(256)) * 256
    redactor = redactor_of(secret)
    assert redactor.data(b"<" + secret + b">") == b"<***>"
    assert redactor.data(base64.b64encode(secret)).strip(b"=") == b"***"


def test_what_is_too_short_is_not_looked_for():
    redactor = redactor_of("12345", "")
    assert not redactor.active
    assert redactor.text("12345") == "12345"


def test_without_secrets_a_redactor_is_not_active_and_becomes_so():
    redactor = Redactor()
    assert not redactor.active
    redactor.use(Patterns([b"hunter22"]))
    assert redactor.active
    assert redactor.text("is it hunter22?") == "is it ***?"


def test_a_line_of_the_log_and_its_traceback_are_without_secrets():
    formatter = RedactingFormatter(logging.Formatter("%(message)s"), redactor_of("hunter22"))
    try:
        raise ValueError("the token hunter22 is wrong")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed with %s", ("hunter22",), (type(error), error, error.__traceback__))  # fmt: skip
    line = formatter.format(record)
    assert "failed with ***" in line
    assert "ValueError: the token *** is wrong" in line
    assert "hunter22" not in line
