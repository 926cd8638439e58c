"""Secrets over HTTP: set, listed and put away; no value ever comes out."""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from croupier.domain.secret import Secret, SecretPlace, VersionState
from croupier.errors import InvalidArgument, NotFound
from croupier.server.access.secrets import Secrets
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.openapi import reference
from croupier.server.http.requests import parse_body

Name = Annotated[str, Query(max_length=64)]


class SecretBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/secrets`. It has `value` or `value_base64`."""

    name: str
    value: str | None = None
    value_base64: str | None = None
    """In place of `value`, for what is no text."""
    game_id: str = "*"
    env: str = "*"
    note: str | None = None
    """What it is for; without it, an earlier note stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretVersionEntry:
    version: int
    state: VersionState
    created_by: str
    created_ms: int
    key_id: str
    """Of the key-encryption key that seals it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretEntry:
    name: str
    game_id: str
    env: str
    note: str
    current: int
    """The version that is used; 0 where none is enabled."""
    versions: list[SecretVersionEntry]
    """The newest first."""
    changed_by: str
    changed_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretList:
    secrets: list[SecretEntry]


_decoder = msgspec.json.Decoder(SecretBody)
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": reference("SecretBody")}}}
}
_DEEDS = {
    "enable": VersionState.ENABLED,
    "disable": VersionState.DISABLED,
    "destroy": VersionState.DESTROYED,
}


def secret_routes(secrets: Secrets) -> APIRouter:
    routes = APIRouter(tags=["secrets"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/secrets", response_model=SecretList)
    async def list_secrets(asking: Asking) -> Response:
        """Names, versions and notes of all secrets. No value is ever shown."""
        return json_answer(SecretList(secrets=[_entry(each) for each in await secrets.list(asking.caller)]))

    @routes.post("/api/secrets", response_model=SecretEntry, openapi_extra=_BODY)
    async def set_secret(asking: Asking, request: Request) -> Response:
        """Keep a secret of a game and env, a game, or the platform; where there is one, this is its new version."""
        body = parse_body(_decoder, await request.body())
        place = SecretPlace(body.name, body.game_id, body.env)
        return json_answer(_entry(await secrets.set(asking.caller, place, _value(body), body.note)))

    @routes.get("/api/secrets/{name}", response_model=SecretEntry)
    async def read_secret(asking: Asking, name: str, game_id: Name = "*", env: Name = "*") -> Response:
        """One secret, without its value."""
        return json_answer(_entry(await secrets.get(asking.caller, SecretPlace(name, game_id, env))))

    @routes.delete("/api/secrets/{name}", response_model=SecretList)
    async def remove_secret(asking: Asking, name: str, game_id: Name = "*", env: Name = "*") -> Response:
        """Forget a secret with all its versions. The answer lists those that are left."""
        await secrets.remove(asking.caller, SecretPlace(name, game_id, env))
        return await list_secrets(asking)

    @routes.post("/api/secrets/{name}/rotate", response_model=SecretEntry)
    async def rotate_secret(asking: Asking, name: str, game_id: Name = "*", env: Name = "*") -> Response:
        """Seal every version with a new data key. The values stay."""
        return json_answer(_entry(await secrets.rotate(asking.caller, SecretPlace(name, game_id, env))))

    @routes.post("/api/secrets/{name}/versions/{version}/{deed}", response_model=SecretEntry)
    async def move_version(
        asking: Asking, name: str, version: int, deed: str, game_id: Name = "*", env: Name = "*"
    ) -> Response:
        """`enable`, `disable` or `destroy` a version; a destroyed one's value is gone."""
        state = _DEEDS.get(deed)
        if state is None:
            raise NotFound(f"nothing is called {deed[:32]!a} here: enable, disable or destroy")
        return json_answer(_entry(await secrets.move(asking.caller, SecretPlace(name, game_id, env), version, state)))

    return routes


def _value(body: SecretBody) -> bytes:
    if (body.value is None) == (body.value_base64 is None):
        raise InvalidArgument("send the secret as value, or as value_base64 where it is no text")
    if body.value is not None:
        return body.value.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body.value_base64 or "", validate=True)
    except (ValueError, binascii.Error):
        raise InvalidArgument("value_base64 is not base64") from None


def _entry(secret: Secret) -> SecretEntry:
    current = secret.current
    return SecretEntry(
        name=secret.place.name,
        game_id=secret.place.game_id,
        env=secret.place.env,
        note=secret.note,
        current=0 if current is None else current.number,
        versions=[
            SecretVersionEntry(
                version=each.number,
                state=each.state,
                created_by=each.created_by,
                created_ms=each.created_ms,
                key_id=each.key_id,
            )
            for each in reversed(secret.versions)
        ],
        changed_by=secret.changed_by,
        changed_ms=secret.changed_ms,
    )
