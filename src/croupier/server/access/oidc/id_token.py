"""The one thing a provider says that counts: a signed ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from croupier.errors import Unauthenticated
from croupier.server.access.oidc.fetching import ProviderFailed

LEEWAY_SECONDS = 60
"""So far the provider's clock may be from ours."""

KEYS = 64
_MODULUS = range(256, 1025)
"""Bytes of an RSA key: from 2048 bits, to what is checked in a millisecond."""


class UnknownKey(Unauthenticated):
    """Signed by a key that the provider did not show, yet."""


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """The provider's public keys for signatures; what is of another kind or too weak is left out. Raises ProviderFailed."""
    given = document.get("keys")
    if not isinstance(given, list):
        raise ProviderFailed("the identity provider shows no keys at its jwks_uri")
    found: list[Key] = [key for key in map(_key, given[:KEYS]) if key is not None]
    if not found:
        raise ProviderFailed("the identity provider shows no key that can be used: RSA from 2048 bits, EC or Ed25519")
    return KeySet(found)


def _key(given: object) -> RSAKey | ECKey | OKPKey | None:
    kinds: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    if not isinstance(given, dict) or given.get("use", "sig") != "sig" or given.get("kty") not in kinds:
        return None
    modulus = given.get("n", "")
    if given["kty"] == "RSA" and not (isinstance(modulus, str) and len(modulus) * 3 // 4 in _MODULUS):
        return None
    # Public parts only: a provider that shows a private key by mistake gives us nothing to keep.
    public = {name: given[name] for name in ("kty", "kid", "use", "alg", "crv", "n", "e", "x", "y") if name in given}
    try:
        return kinds[given["kty"]].import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def read_id_token(
    text: str,
    keys: KeySet,
    *,
    algorithms: Sequence[str],
    issuer: str,
    client_id: str,
    nonce: str,
    began_ms: int,
    now_ms: int,
) -> dict[str, Any]:
    """Its claims, when every one that must be right is. Raises Unauthenticated, saying what was wrong with it."""
    claims = _verified(text, keys, algorithms)
    checks = jwt.JWTClaimsRegistry(
        now=now_ms // 1000,
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        checks.validate(claims)
    except ClaimError as error:
        raise _untrue(str(error.description) or error.error) from error
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _untrue("its claims cannot be read") from error
    _check_audience(claims, client_id)
    if not isinstance(claims["nonce"], str):
        raise _untrue("Invalid claim: 'nonce'")
    if claims["iat"] < began_ms // 1000 - LEEWAY_SECONDS:
        raise _untrue("it was issued before this login began")
    return claims


def _verified(text: str, keys: KeySet, algorithms: Sequence[str]) -> dict[str, Any]:
    # Headers that nobody knows are left alone, except those in `crit`.
    registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    try:
        return jwt.decode(text, keys, registry=registry).claims
    except (InvalidKeyIdError, BadSignatureError) as error:
        raise UnknownKey(_sentence("it is signed by none of its keys")) from error
    except JoseError as error:
        raise _untrue(error.error) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _untrue("it cannot be read") from error


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """A token for several needs to say that it was given to us."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise _untrue("it was given to somebody else")


def _untrue(why: str) -> Unauthenticated:
    return Unauthenticated(_sentence(why))


def _sentence(why: str) -> str:
    return f"the identity provider's token is refused ({why[:200]}): try again, or have an administrator look at the provider"
