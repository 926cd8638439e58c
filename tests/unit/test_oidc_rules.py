"""What goes to the provider and what comes back, before any token is read."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.errors import CroupierError, InvalidArgument, PermissionDenied, Unauthenticated
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.oidc.attempt import (
    CLOCK_MS,
    LIFETIME_MS,
    authorization_url,
    checked_path,
    new_attempt,
    open_attempt,
    seal_attempt,
)
from croupier.server.access.oidc.claims import read_identity
from croupier.server.access.oidc.fetching import ProviderFailed
from croupier.server.access.oidc.metadata import metadata_url, read_metadata

ISSUER = "https://idp.example/realm"
SEAL = DeploymentKey(bytes(32)).seal_for("oidc.attempt")
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://idp.example/authorize",
    "token_endpoint": "https://idp.example/token",
    "jwks_uri": "https://idp.example/keys",
    "id_token_signing_alg_values_supported": ["HS256", "none", "ES256", "RS256"],
    "code_challenge_methods_supported": ["plain", "S256"],
}


def an_attempt(return_to="/players?id=1"):
    return new_attempt(issuer=ISSUER, redirect_uri="https://here.example/cb", return_to=return_to, now_ms=1_000_000)


def test_the_browser_is_sent_with_state_nonce_and_the_digest_of_the_verifier():
    attempt = an_attempt()
    url = authorization_url("https://idp.example/authorize?tenant=1", "croupier", ("openid", "email"), attempt)
    asked = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
    assert asked == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "croupier",
        "redirect_uri": "https://here.example/cb",
        "scope": "openid email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    assert attempt.verifier not in url


def test_the_challenge_is_that_of_rfc_7636_appendix_b():
    attempt = an_attempt()
    object.__setattr__(attempt, "verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert attempt.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_no_two_attempts_share_a_secret_and_none_shows_its_own():
    first, second = an_attempt(), an_attempt()
    secrets = [first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier]
    assert len(set(secrets)) == 6
    assert all(len(secret) >= 43 for secret in secrets)
    assert not any(secret in f"{first!r}{second!r}{seal_attempt(SEAL, first)}" for secret in secrets)


def test_the_cookie_brings_the_attempt_back_for_ten_minutes():
    attempt = an_attempt("/" + "a" * 999)
    cookie = seal_attempt(SEAL, attempt)
    assert len(cookie) < 4_000
    assert open_attempt(SEAL, cookie, 1_000_000 + LIFETIME_MS) == attempt
    assert open_attempt(SEAL, cookie, 1_000_000 - CLOCK_MS) == attempt
    for now_ms in (1_000_001 + LIFETIME_MS, 999_999 - CLOCK_MS):
        with pytest.raises(Unauthenticated, match="begin again"):
            open_attempt(SEAL, cookie, now_ms)


@given(st.text(max_size=100) | st.text("ABCdef-_123", min_size=30, max_size=9000))
def test_a_cookie_that_was_not_made_here_is_refused(cookie):
    with pytest.raises(Unauthenticated, match="begin again"):
        open_attempt(SEAL, cookie, 1_000_000)


def test_a_cookie_of_another_deployment_or_changed_is_refused():
    cookie = seal_attempt(DeploymentKey(b"\x01" * 32).seal_for("oidc.attempt"), an_attempt())
    own = seal_attempt(SEAL, an_attempt())
    for text in (cookie, own[:-6] + "AAAAAA", own[:40], own + "AAAA"):
        with pytest.raises(Unauthenticated):
            open_attempt(SEAL, text, 1_000_000)


@pytest.mark.parametrize("path", ["/", "/players?id=1&b=%20#top", "/a//b", "/@x", "/" + "a" * 999])
def test_the_browser_may_return_to_a_path_of_this_server(path):
    assert checked_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "players",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\tevil",
        "/\r\nSet-Cookie: a=b",
        "/é",
        "/\x00",
        " /",
        "/ ",
        "/" + "a" * 1000,
    ],
)
def test_the_browser_is_sent_nowhere_else(path):
    with pytest.raises(InvalidArgument, match="path of this server"):
        checked_path(path)


def test_a_provider_is_known_by_its_document():
    found = read_metadata(DOCUMENT, ISSUER)
    assert found.algorithms == ("RS256", "ES256")
    assert not found.names_itself
    assert not found.posts_secret
    assert metadata_url(ISSUER + "/") == f"{ISSUER}/.well-known/openid-configuration"


def test_what_a_provider_does_not_say_is_taken_as_the_standard_has_it():
    silent = {name: value for name, value in DOCUMENT.items() if not name.endswith("supported")}
    assert read_metadata(silent, ISSUER).algorithms == ("RS256",)
    posting = DOCUMENT | {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert read_metadata(posting, ISSUER).posts_secret


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": ISSUER + "/"},
        {"issuer": None},
        {"token_endpoint": "http://idp.example/token"},
        {"token_endpoint": "http://127.0.0.1/token"},
        {"token_endpoint": "ftp://idp.example/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "https://user:pw@idp.example/token"},
        {"token_endpoint": "https://[::1/token"},
        {"token_endpoint": "https://idp.example/\r\nX: y"},
        {"token_endpoint": "https://idp.example:port/"},
        {"token_endpoint": 7},
        {"jwks_uri": None},
        {"jwks_uri": "https://idp.example/" + "a" * 2000},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"code_challenge_methods_supported": ["plain"]},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
    ids=str,
)
def test_a_provider_that_cannot_be_trusted_is_refused(change):
    with pytest.raises(ProviderFailed):
        read_metadata(DOCUMENT | change, ISSUER)


def test_plain_text_stays_on_this_machine():
    here = {
        name: value.replace("https://idp.example", "http://127.0.0.1:99") if isinstance(value, str) else value
        for name, value in DOCUMENT.items()
    }
    assert read_metadata(here, here["issuer"]).token_endpoint == "http://127.0.0.1:99/token"
    with pytest.raises(ProviderFailed):
        read_metadata(here | {"token_endpoint": "http://10.0.0.1/token"}, here["issuer"])


def identity(claims, groups=None, domains=(), groups_claim="groups"):
    return read_identity(
        {"sub": "s1"} | claims, issuer=ISSUER, groups_claim=groups_claim, groups=groups or {}, domains=domains
    )


def test_people_are_told_apart_by_their_subject_and_called_as_they_are_there():
    found = identity({"preferred_username": "Ann", "name": "Ann Lee", "email": "ann@x.org", "email_verified": True})
    assert (found.subject, found.name, found.display_name, found.email) == ("s1", "Ann", "Ann Lee", "ann@x.org")
    assert identity({"email": "bob@x.org", "email_verified": "true"}).name == "bob"
    assert identity({"preferred_username": "a b", "nickname": "ab"}).name == "ab"
    assert identity({"preferred_username": 7, "name": "a\x00b", "email": ["x"]}).name == ""


@pytest.mark.parametrize("subject", [None, "", 7, "a" * 256, "a\nb"])
def test_nobody_is_let_in_without_a_subject(subject):
    with pytest.raises(Unauthenticated):
        identity({"sub": subject})


@pytest.mark.parametrize("verified", [None, False, "false", 1, "yes"])
def test_an_address_that_the_provider_did_not_verify_counts_for_nothing(verified):
    claims = {"email": "ann@x.org", "email_verified": verified}
    assert identity(claims).email == ""
    with pytest.raises(PermissionDenied):
        identity(claims, domains=("x.org",))


def test_only_people_of_the_allowed_domains_get_in():
    assert identity({"email": "ann@X.org", "email_verified": True}, domains=("x.ORG",)).email == "ann@X.org"
    for email in ("ann@evil-x.org", "ann@x.org.evil", "ann@x.org@evil.org", "x.org", "ann@evil.org, b@x.org"):
        with pytest.raises(PermissionDenied):
            identity({"email": email, "email_verified": True}, domains=("x.org",))


def test_groups_keep_their_names_or_get_those_of_the_settings():
    claims = {"groups": ["ops", "dev", 7, "ops", "a\x00b"]}
    assert identity(claims).groups == {"ops", "dev"}
    assert identity(claims, {"ops": ["operators", "callers"], "boss": ["admins"]}).groups == {"operators", "callers"}
    assert identity({"groups": "ops"}).groups == {"ops"}
    assert identity({"realm_access": {"roles": ["ops"]}}, groups_claim="realm_access.roles").groups == {"ops"}
    assert identity({"a.b": ["flat"], "a": {"b": ["deep"]}}, groups_claim="a.b").groups == {"flat"}
    for odd in ({"groups": {"a": 1}}, {"groups": None}, {"groups": 7}, {}):
        assert identity(odd).groups == frozenset()
    assert identity({"realm_access": 7}, groups_claim="realm_access.roles").groups == frozenset()


def test_more_groups_than_an_account_can_be_in_are_refused_and_not_cut():
    many = {"groups": [f"g{number}" for number in range(300)]}
    with pytest.raises(PermissionDenied, match="which of them count"):
        identity(many)
    assert identity(many, {"g7": ["seven"]}).groups == {"seven"}


@given(
    st.dictionaries(
        st.sampled_from(["sub", "email", "email_verified", "name", "preferred_username", "nickname", "groups"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=30),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_claims_of_any_shape_are_read_or_refused_in_words(claims):
    try:
        found = identity(claims)
    except CroupierError:
        return
    assert found.subject
    assert all(each.isprintable() for each in (found.name, found.display_name, found.email))
