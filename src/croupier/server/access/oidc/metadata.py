"""What a provider says of itself (OpenID Connect Discovery 1.0), as far as it is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from croupier.server.access.oidc.fetching import ProviderFailed, check_endpoint

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
)  # fmt: skip
"""The signatures that are taken. None that whoever knows the public key or the client secret could make, and not `none`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderMetadata:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    algorithms: tuple[str, ...]
    """Those of `ALGORITHMS` that the provider signs with."""
    names_itself: bool
    """Whether it says in the redirection who it is (RFC 9207)."""
    posts_secret: bool
    """Whether the client's secret goes into the form, because the provider takes it nowhere else."""


def metadata_url(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def read_metadata(document: Mapping[str, Any], issuer: str) -> ProviderMetadata:
    """Raises ProviderFailed where it is another's document, or says what cannot be used."""
    if document.get("issuer") != issuer:
        raise ProviderFailed(
            f"the identity provider calls itself {str(document.get('issuer'))[:200]!a}: write that as `issuer` if it is right"
        )
    methods = document.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise ProviderFailed("the identity provider takes no PKCE with S256: use one that does")
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=check_endpoint(document.get("authorization_endpoint"), issuer, "authorization_endpoint"),
        token_endpoint=check_endpoint(document.get("token_endpoint"), issuer, "token_endpoint"),
        jwks_uri=check_endpoint(document.get("jwks_uri"), issuer, "jwks_uri"),
        algorithms=_algorithms(document),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        posts_secret=_posts_secret(document),
    )


def _algorithms(document: Mapping[str, Any]) -> tuple[str, ...]:
    offered = document.get("id_token_signing_alg_values_supported")
    if not isinstance(offered, list):
        return ("RS256",)
    found = tuple(name for name in ALGORITHMS if name in offered)
    if not found:
        raise ProviderFailed(f"the identity provider signs with none of {', '.join(ALGORITHMS)}: change its signature")
    return found


def _posts_secret(document: Mapping[str, Any]) -> bool:
    methods = document.get("token_endpoint_auth_methods_supported")
    return isinstance(methods, list) and "client_secret_post" in methods and "client_secret_basic" not in methods
