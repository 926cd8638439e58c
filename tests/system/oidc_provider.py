"""An identity provider that lets everybody in at once, and misbehaves when it is told to.

`POST /control` sets what it does from now on:

    claims      put into the ID token, over those that would be right; null leaves one out
    misbehave   "" or one of MISBEHAVIOURS
    rotate      true: sign with a new key, and show that one only
    metadata    put into its configuration

`GET /asked` says how often each address was asked.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from aiohttp import encode_basic_auth, web
from joserfc import jwt
from joserfc.jwk import ECKey

MISBEHAVIOURS = (
    "alg_none", "hs256_with_public_key", "other_key", "key_in_header", "no_id_token", "not_json", "a_list", "huge",
    "gzip_bomb", "hang", "half", "redirect", "error_500", "refuse_client", "huge_keys", "hang_keys", "hang_configuration",
    "other_issuer", "plain_endpoint",
)  # fmt: skip


def _new_key() -> ECKey:
    """Of a curve: a key of RSA takes up to seconds to make (`tests/unit/test_oidc_tokens.py` has those)."""
    return ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig"})


def _part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@dataclass
class Login:
    redirect_uri: str
    nonce: str
    challenge: str
    subject: str


@dataclass
class Provider:
    issuer: str
    client_id: str
    secret: str
    key: ECKey = field(default_factory=_new_key)
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    misbehave: str = ""
    logins: dict[str, Login] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody is kept waiting."""
    never: asyncio.Event = field(default_factory=asyncio.Event)

    async def control(self, request: web.Request) -> web.Response:
        order = await request.json()
        self.claims = order.get("claims", {})
        self.metadata = order.get("metadata", {})
        self.misbehave = order.get("misbehave", "")
        assert self.misbehave in {"", *MISBEHAVIOURS}
        if order.get("rotate"):
            self.key = _new_key()
        return web.json_response({})

    async def tell_asked(self, request: web.Request) -> web.Response:
        return web.json_response(self.asked)

    async def configuration(self, request: web.Request) -> web.StreamResponse:
        self.asked["configuration"] += 1
        if self.misbehave == "hang_configuration":
            await self.never.wait()
        plain = self.misbehave == "plain_endpoint"
        return web.json_response(
            {
                "issuer": "https://evil.example" if self.misbehave == "other_issuer" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": "http://idp.example/token" if plain else f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
                "code_challenge_methods_supported": ["S256"],
            }
            | self.metadata
        )

    async def keys(self, request: web.Request) -> web.StreamResponse:
        self.asked["keys"] += 1
        if self.misbehave == "huge_keys":
            return web.json_response({"keys": [], "padding": "x" * 10_000_000})
        if self.misbehave == "hang_keys":
            await self.never.wait()
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: web.Request) -> web.Response:
        """Lets in whom `login_as` names, without a word; with `deny` nobody."""
        self.asked["authorize"] += 1
        query = request.query
        assert query["response_type"] == "code"
        assert query["client_id"] == self.client_id
        assert query["code_challenge_method"] == "S256"
        answer = {"state": query["state"]}
        if "deny" in query:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.logins[answer["code"]] = Login(
                query["redirect_uri"], query["nonce"], query["code_challenge"], query.get("login_as", "ann")
            )
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode(answer)}")

    async def token(self, request: web.Request) -> web.StreamResponse:
        self.asked["token"] += 1
        form = await request.post()
        login = self.logins.pop(str(form.get("code")), None)
        if (odd := await self._odd(request)) is not None:
            return odd
        shown = encode_basic_auth(quote_plus(self.client_id), quote_plus(self.secret))
        if request.headers.get("Authorization") != shown:
            return web.json_response({"error": "invalid_client"}, status=401)
        digest = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if login is None or login.challenge != challenge or login.redirect_uri != form.get("redirect_uri"):
            return web.json_response({"error": "invalid_grant"}, status=400)
        answer = {"access_token": "at", "token_type": "Bearer", "id_token": self._id_token(login)}
        if self.misbehave == "no_id_token":
            del answer["id_token"]
        return web.json_response(answer)

    async def _odd(self, request: web.Request) -> web.StreamResponse | None:
        match self.misbehave:
            case "hang":
                self.hanging.set()
                await self.never.wait()
            case "not_json":
                return web.Response(text="<html>It works!</html>")
            case "a_list":
                return web.json_response([1])
            case "huge":
                return web.json_response({"id_token": "x" * 10_000_000})
            case "gzip_bomb":
                response = web.json_response({"id_token": "x" * 100_000_000})
                response.enable_compression(web.ContentCoding.gzip)
                return response
            case "half":
                half = web.StreamResponse(headers={"Content-Length": "1000"})
                await half.prepare(request)
                await half.write(b'{"id_token":')
                assert request.transport is not None
                request.transport.close()
                return half
            case "redirect":
                raise web.HTTPTemporaryRedirect(f"{self.issuer}/elsewhere")
            case "error_500":
                return web.Response(status=500, text="secret stack trace")
            case "refuse_client":
                return web.json_response({"error": "invalid_client"}, status=401)
        return None

    def _id_token(self, login: Login) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": login.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": login.nonce,
            "preferred_username": login.subject,
            "name": f"{login.subject.title()} Lee",
            "email": f"{login.subject}@example.org",
            "email_verified": True,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        for name in ("iat", "exp", "nbf"):
            if isinstance(claims.get(name), str) and claims[name][:1] in {"+", "-"}:
                claims[name] = now + int(claims[name])
        return self._signed(claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        match self.misbehave:
            case "alg_none":
                return f"{_part({'alg': 'none', 'kid': self.key.kid})}.{_part(claims)}."
            case "hs256_with_public_key":
                signed = f"{_part({'alg': 'HS256', 'kid': self.key.kid})}.{_part(claims)}"
                digest = hmac.new(self.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
                return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
            case "other_key":
                return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, _new_key())
            case "key_in_header":
                other = _new_key()
                return jwt.encode({"alg": "ES256", "jwk": other.as_dict(private=False)}, claims, other)
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/control", self.control),
                web.get("/asked", self.tell_asked),
                web.get("/.well-known/openid-configuration", self.configuration),
                web.get("/keys", self.keys),
                web.get("/authorize", self.authorize),
                web.post("/token", self.token),
            ]
        )
        return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--client-id", default="croupier")
    parser.add_argument("--secret", default="s3cret+/=-of-the-client")
    options = parser.parse_args()
    provider = Provider(f"http://127.0.0.1:{options.port}", options.client_id, options.secret)
    web.run_app(provider.app(), host="127.0.0.1", port=options.port, print=None, handle_signals=True)


if __name__ == "__main__":
    main()
