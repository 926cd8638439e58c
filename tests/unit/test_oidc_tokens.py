"""ID tokens: one that is right is taken, and each way of being wrong is refused."""

import base64
import hashlib
import hmac
import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from croupier.errors import CroupierError, Unauthenticated
from croupier.server.access.oidc.fetching import ProviderFailed
from croupier.server.access.oidc.id_token import UnknownKey, read_id_token, read_keys
from croupier.server.access.oidc.metadata import ALGORITHMS

NOW = 1_800_000_000
ISSUER = "https://idp.example"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
KEYS = read_keys({"keys": [key.as_dict(private=False) for key in (RSA, EC, ED)]})
GOOD = {"iss": ISSUER, "sub": "ann", "aud": "croupier", "exp": NOW + 300, "iat": NOW, "nonce": "n1"}
ANY = JWSRegistry(algorithms=[*ALGORITHMS, "HS256", "none"], strict_check_header=False)


def token(claims=None, key=RSA, alg="RS256", **header):
    return jwt.encode({"alg": alg, "kid": key.kid, **header}, GOOD if claims is None else claims, key, registry=ANY)


def encoded(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def read(text, keys=KEYS, **changes):
    expected = {
        "algorithms": ALGORITHMS,
        "issuer": ISSUER,
        "client_id": "croupier",
        "nonce": "n1",
        "began_ms": NOW * 1000,
        "now_ms": NOW * 1000,
    }
    return read_id_token(text, keys, **expected | changes)


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS512"), (EC, "ES256"), (ED, "Ed25519")])
def test_a_token_that_is_right_is_taken(key, alg):
    assert read(token(key=key, alg=alg)) == GOOD


def test_a_token_may_say_more_than_is_asked():
    claims = GOOD | {"aud": ["croupier"], "azp": "croupier", "groups": ["a"], "nbf": NOW - 1}
    assert read(token(claims, typ="JWT", x="unknown headers are nobody's harm"))["groups"] == ["a"]
    assert read(token(GOOD | {"aud": ["other", "croupier"], "azp": "croupier"}))["sub"] == "ann"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"sub": ""},
        {"sub": 7},
        {"sub": None},
        {"aud": "other"},
        {"aud": []},
        {"aud": ["other"]},
        {"aud": {"croupier": 1}},
        {"aud": ["croupier", "other"]},
        {"aud": ["croupier", "other"], "azp": "other"},
        {"azp": "other"},
        {"exp": NOW - 61},
        {"exp": "2099"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("-inf")},
        {"iat": NOW + 61},
        {"iat": NOW - 61},
        {"iat": "now"},
        {"nbf": NOW + 61},
        {"nonce": "n2"},
        {"nonce": ""},
        {"nonce": ["n1"]},
        {"nonce": {"n1": 1}},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_lets_nobody_in(change):
    with pytest.raises(Unauthenticated, match="token is refused"):
        read(token(GOOD | change))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat", "nonce"])
def test_a_claim_that_is_missing_lets_nobody_in(name):
    with pytest.raises(Unauthenticated, match="token is refused"):
        read(token({key: value for key, value in GOOD.items() if key != name}))


def test_clocks_may_disagree_by_a_minute():
    assert read(token(GOOD | {"exp": NOW - 59, "iat": NOW + 59, "nbf": NOW + 59}))
    assert read(token(GOOD | {"iat": NOW - 59}))


def test_a_token_without_a_signature_is_refused():
    head, body = encoded({"alg": "none", "kid": "rsa"}), encoded(GOOD)
    for text in (f"{head}.{body}.", f"{head}.{body}", f"{token().rpartition('.')[0]}."):
        with pytest.raises(Unauthenticated):
            read(text)


@pytest.mark.parametrize("der", [False, True])
def test_the_public_key_is_no_secret_to_sign_with(der):
    public = RSA.as_der(private=False) if der else RSA.as_pem(private=False)
    signed = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(GOOD)}"
    signature = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    with pytest.raises(Unauthenticated, match="unsupported_algorithm"):
        read(f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


def test_a_shared_key_that_the_provider_shows_is_not_taken():
    key = OctKey.generate_key(256, {"kid": "shared"})
    with pytest.raises(ProviderFailed):
        read_keys({"keys": [key.as_dict(private=True)]})


def test_an_algorithm_that_the_provider_does_not_announce_is_refused():
    with pytest.raises(Unauthenticated, match="unsupported_algorithm"):
        read(token(key=EC, alg="ES256"), algorithms=("RS256",))


def test_a_key_is_not_used_for_another_kind_of_signature():
    with pytest.raises(Unauthenticated):
        read(token(key=ECKey.import_key(EC.as_dict(private=True), {"kid": "rsa"}), alg="ES256"))


def test_another_key_under_the_same_name_or_an_unknown_name_is_told_apart():
    with pytest.raises(UnknownKey):
        read(token(key=OTHER))
    with pytest.raises(UnknownKey):
        read(token(kid="new"))


def test_a_key_that_the_token_brings_along_is_not_believed():
    for header in ({"jwk": OTHER.as_dict(private=False)}, {"jku": "https://evil.example/keys"}):
        with pytest.raises(Unauthenticated):
            read(token(key=OTHER, **header))


def test_a_critical_header_that_nobody_knows_is_refused():
    forged = token().split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"rsa","crit":["x"],"x":1}').rstrip(b"=").decode()
    with pytest.raises(Unauthenticated):
        read(".".join([head, *forged[1:]]))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_part_is_noticed(part):
    parts = token().split(".")
    middle = len(parts[part]) // 2
    changed = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1 :]
    with pytest.raises(Unauthenticated):
        read(".".join([*parts[:part], changed, *parts[part + 1 :]]))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "....", "a.b.c", "é.é.é", "\x00", "e30.e30.e30", "W10.W10.W10", "x" * 300_000]
)
def test_what_is_no_token_is_refused_in_words(text):
    with pytest.raises(Unauthenticated, match="token is refused"):
        read(text)


def test_a_payload_nested_without_end_is_refused():
    body = base64.urlsafe_b64encode(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}").rstrip(b"=").decode()
    head = token().split(".")[0]
    with pytest.raises(Unauthenticated):
        read(f"{head}.{body}.AAAA")


@settings(max_examples=200)
@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_rubbish_is_refused_in_words(head, body, signature):
    def part(text):
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    for text in (f"{part(head)}.{part(body)}.{part(signature)}", f"{head}.{body}.{signature}"):
        with pytest.raises(Unauthenticated):
            read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from([*GOOD, "azp", "nbf"]), JSON, min_size=1))
def test_claims_of_any_shape_let_nobody_in_unless_they_are_right(change):
    try:
        claims = read(token(GOOD | change, key=ED, alg="Ed25519"))
    except Unauthenticated:
        return
    assert (claims["iss"], claims["nonce"]) == (ISSUER, "n1")
    assert "croupier" in (claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]])
    assert claims["sub"]
    assert isinstance(claims["sub"], str)


@settings(max_examples=200)
@given(
    JSON
    | st.fixed_dictionaries(
        {
            "keys": st.lists(
                JSON
                | st.fixed_dictionaries(
                    {
                        "kty": st.sampled_from(["RSA", "EC", "OKP"]),
                        "n": JSON,
                        "e": JSON,
                        "crv": JSON,
                        "x": JSON,
                        "y": JSON,
                    }
                )
            )
        }
    )
)
def test_keys_of_any_shape_are_refused_in_words(document):
    with pytest.raises(CroupierError):
        read_keys(document if isinstance(document, dict) else {})


def test_keys_that_are_too_weak_or_too_large_or_for_something_else_are_left_out():
    weak = RSA.as_dict(private=False)
    enormous = deepcopy(weak)
    enormous["n"] = "AQ" * 100_000
    weak["n"] = weak["n"][:170]
    for keys in ([weak], [enormous], [RSA.as_dict(private=False) | {"use": "enc"}], [], "x", None):
        with pytest.raises(ProviderFailed):
            read_keys({"keys": keys})
    assert len(list(read_keys({"keys": [weak, {"kty": "ML-DSA"}, 7, EC.as_dict(private=False)]}))) == 1


def test_a_private_key_that_a_provider_shows_by_mistake_is_not_kept():
    (key,) = read_keys({"keys": [EC.as_dict(private=True)]})
    assert not key.is_private
