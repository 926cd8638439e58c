"""Sessions in browsers: the cookie, and how a request shows that the user's own page sent it.

__Host-croupier_session    Secure; HttpOnly; SameSite=Lax; Path=/
croupier_session           the same without Secure, under loopback names, where there is no TLS
"""

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from croupier.codes import Code
from croupier.domain.credential import csrf_token
from croupier.errors import PermissionDenied, Unauthenticated
from croupier.server.access.addresses import is_loopback

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

SECURE_COOKIE = b"__Host-croupier_session"
LOOPBACK_COOKIE = b"croupier_session"
_COOKIE_BYTES = 16_384

Headers = Mapping[bytes, bytes]


def session_cookie(headers: Headers) -> bytes | None:
    """The session that the browser sends, if it sends one. Raises Unauthenticated when there are two."""
    cookies = headers.get(b"cookie")
    if cookies is None:
        return None
    if len(cookies) > _COOKIE_BYTES:
        raise Unauthenticated("too many cookies: remove those of this site, then sign in again")
    wanted = _name(headers)
    found: bytes | None = None
    for pair in cookies.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == wanted:
            if found is not None and found != value:
                raise Unauthenticated("two session cookies: remove those of this site, then sign in again")
            found = value
    return found


def check_own_page(headers: Headers, method: str, session: bytes) -> None:
    """Raises PermissionDenied unless a request with the cookie `session` comes from a page of this server, as far as one
    can tell: whatever changes something must carry the session's CSRF token.
    """
    if method in SAFE:
        return
    check_origin(headers)
    if not hmac.compare_digest(headers.get(b"x-csrf-token", b""), csrf_token(session).encode()):
        raise PermissionDenied(
            "the header X-CSRF-Token is missing or not this session's: send the csrf_token that /api/login and /api/me answer",
            code=Code.FOREIGN_PAGE,
        )


def check_origin(headers: Headers) -> None:
    """Raises PermissionDenied for a request that a browser says another site's page sent."""
    origin = headers.get(b"origin")
    if origin is None:
        if headers.get(b"sec-fetch-site", b"same-origin") in {b"same-origin", b"none"}:
            return
    elif _netloc(origin) == headers.get(b"host", b"").strip().lower():
        return
    raise PermissionDenied(
        "this request came from a page of another site: use the page of this server", code=Code.FOREIGN_PAGE
    )


def set_cookie(headers: Headers, session: str, seconds: int) -> tuple[bytes, bytes]:
    """The header that gives `session` to the browser which sent `headers`, for so long."""
    return _cookie(headers, session.encode(), seconds)


def clear_cookie(headers: Headers) -> tuple[bytes, bytes]:
    return _cookie(headers, b"", 0)


def _cookie(headers: Headers, value: bytes, seconds: int) -> tuple[bytes, bytes]:
    name = _name(headers)
    secure = b"; Secure" if name == SECURE_COOKIE else b""
    return b"set-cookie", b"%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s" % (name, value, seconds, secure)


def _name(headers: Headers) -> bytes:
    return LOOPBACK_COOKIE if is_loopback(headers.get(b"host", b"")) else SECURE_COOKIE


def _netloc(origin: bytes) -> bytes:
    try:
        return urlsplit(origin.strip().lower()).netloc
    except ValueError:
        return b""
