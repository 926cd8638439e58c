"""From an HTTP request to a `Call`: names, scope, options, all checked and bounded."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl

import msgspec

from croupier.codes import Code
from croupier.domain.call import Call, Route
from croupier.domain.durations import seconds_of
from croupier.domain.limits import CALL_TIMEOUT_MAX, KEY_BYTES, METADATA_BYTES, METADATA_ENTRIES
from croupier.domain.principal import Principal
from croupier.domain.routing import wait_seconds
from croupier.domain.scope import Scope, parse_scope
from croupier.errors import InvalidArgument
from croupier.server.http.payloads import too_deep, why_not_json

_SINGLE = (
    b"authorization",
    b"cookie",
    b"x-csrf-token",
    b"origin",
    b"x-reason",
    b"x-ticket",
    b"x-break-glass",
    b"host",
    b"x-game-id",
    b"x-env",
    b"x-see-as",
    b"idempotency-key",
    b"content-length",
)
OPTIONS = frozenset(
    {
        "game_id",
        "env",
        "function_id",
        "idempotency_key",
        "route",
        "target_service_id",
        "hash_key",
        "version",
        "timeout",
        "wait_for",
    }
)
"""Query parameters that say where or how a call goes."""
_QUERY_FIELDS = 64

_SAID = frozenset({"reason", "ticket", "break_glass"})
"""In a call's metadata: what its caller said about it, which a repetition says anew."""

_NO_ARGUMENTS = msgspec.Raw(b"{}")


class CallBody(msgspec.Struct, kw_only=True, gc=False):
    """The body of `/api/invoke` and `/api/start_job`. Fields it does not know are ignored."""

    function_id: str
    payload: msgspec.Raw = msgspec.field(default_factory=lambda: _NO_ARGUMENTS)
    idempotency_key: str = ""
    game_id: str = ""
    env: str = ""
    route: str = ""
    target_service_id: str = ""
    hash_key: str = ""
    version: str = ""
    metadata: dict[str, str] = {}
    timeout: float | str | None = None
    wait_for: float | str | None = None
    reason: str = ""
    ticket: str = ""
    break_glass: bool = False
    """Run it although somebody else should approve it first; a review follows."""


class AgainBody(msgspec.Struct, kw_only=True):
    """The body of `/api/calls/{call_id}/replay`, which may be left out."""

    idempotency_key: str = ""
    timeout: float | str | None = None
    """Instead of the first call's."""
    reason: str = ""
    ticket: str = ""
    break_glass: bool = False


class CancelBody(msgspec.Struct, kw_only=True):
    """The body of `/api/cancel_job`."""

    job_id: str
    reason: str = ""


_Body = TypeVar("_Body")

call_decoder = msgspec.json.Decoder(CallBody)
again_decoder = msgspec.json.Decoder(AgainBody)
cancel_decoder = msgspec.json.Decoder(CancelBody)


def parse_body(decoder: msgspec.json.Decoder[_Body], body: bytes) -> _Body:
    """Raises InvalidArgument, saying which field is wrong and where."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"the request body is wrong: {error}") from None
    except RecursionError:
        raise too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not body.strip():
            raise InvalidArgument("the request body is empty: send a JSON object") from None
        raise InvalidArgument(f"the request body is not JSON in UTF-8: {why_not_json(body, error)}") from None


def check_single(raw: Sequence[tuple[bytes, bytes]], headers: Mapping[bytes, bytes]) -> None:
    """Those of the `raw` headers that decide who, where or what must not come twice with two values.

    Raises InvalidArgument.
    """
    if len(headers) != len(raw):
        for name, value in raw:
            if name in _SINGLE and headers[name] != value:
                raise InvalidArgument(f"header {name.decode()} came twice with different values: send it once")


def parse_query(query: bytes) -> dict[str, str]:
    """The query's parameters. One that says where or how a call goes must not come twice with two values.

    Raises InvalidArgument.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_QUERY_FIELDS, errors="strict")
    except ValueError:
        raise InvalidArgument(f"the query is not at most {_QUERY_FIELDS} parameters in UTF-8") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value and name in OPTIONS:
            raise InvalidArgument(f"query parameter {name} came twice with different values: send it once")
    return found


def one_of(name: str, *values: str) -> str:
    """The one value that is given, however often.

    Raises InvalidArgument when two disagree.
    """
    found = ""
    for value in values:
        if value and found and value != found:
            raise InvalidArgument(f"{name} is given twice and differs: {found[:64]!r} and {value[:64]!r}; send it once")
        found = found or value
    return found


def header_text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """Raises InvalidArgument when the header is not UTF-8."""
    value = headers.get(name)
    if value is None:
        return ""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidArgument(f"header {name.decode()} is not UTF-8") from None


def scope_of(headers: Mapping[bytes, bytes], *sources: Mapping[str, str]) -> Scope:
    """Game and environment by `X-Game-ID` and `X-Env` and by `game_id` and `env` of every source.

    Raises InvalidArgument when one is missing, malformed, or given twice with different values.
    """
    return _known_scope(
        one_of("game_id", header_text(headers, b"x-game-id"), *(source.get("game_id", "") for source in sources)),
        one_of("env", header_text(headers, b"x-env"), *(source.get("env", "") for source in sources)),
    )


def optional_scope(headers: Mapping[bytes, bytes], query: Mapping[str, str]) -> Scope | None:
    """Like `scope_of`; None when neither game nor environment is named."""
    if not (b"x-game-id" in headers or b"x-env" in headers or query.get("game_id") or query.get("env")):
        return None
    return scope_of(headers, query)


_SAYING = frozenset({b"x-reason", b"x-ticket", b"x-break-glass"})


class Saying(Protocol):
    """What a caller says about a call, besides the call."""

    reason: str
    ticket: str
    break_glass: bool


def said_of(body: Saying, headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """Reason, ticket and break-glass by body and header, as they stand in a call's metadata; mostly nothing.

    Raises InvalidArgument where the two disagree.
    """
    if not (body.reason or body.ticket or body.break_glass) and _SAYING.isdisjoint(headers):
        return {}
    found = {}
    for name, header, value in (
        ("reason", b"x-reason", body.reason),
        ("ticket", b"x-ticket", body.ticket),
        ("break_glass", b"x-break-glass", "true" if body.break_glass else ""),
    ):
        if value or header in headers:
            found[name] = one_of(name, value, header_text(headers, header))
    if found.get("break_glass", "true") != "true":
        raise InvalidArgument("break_glass must be true, or left out")
    return found


def options_body(function_id: str, payload: bytes, query: Mapping[str, str], game_id: str = "") -> CallBody:
    """Where the payload is the whole body, the options of the call stand in the query."""
    return CallBody(
        function_id=function_id,
        payload=msgspec.Raw(payload),
        game_id=game_id,
        idempotency_key=query.get("idempotency_key", ""),
        route=query.get("route", ""),
        target_service_id=query.get("target_service_id", ""),
        hash_key=query.get("hash_key", ""),
        version=query.get("version", ""),
        timeout=query.get("timeout"),
        wait_for=query.get("wait_for"),
    )


def build_call(
    body: CallBody,
    *,
    call_id: str,
    caller: Principal,
    headers: Mapping[bytes, bytes],
    query: Mapping[str, str],
    traceparent: str,
    timeout_max: float = CALL_TIMEOUT_MAX,
) -> Call:
    """The call that a request asks for; its payload has been checked.

    Routing named in the metadata (as gRPC callers do) counts like the fields. Raises InvalidArgument.
    """
    metadata = body.metadata
    if said := said_of(body, headers):
        metadata = {**metadata, **{name: one_of(name, value, metadata.get(name, "")) for name, value in said.items()}}
    if metadata:
        _check_metadata(metadata)
    if not body.function_id:
        raise InvalidArgument("function_id is empty: name the function to run")
    return Call(
        id=call_id,
        function_id=_key("function_id", body.function_id),
        scope=_call_scope(body, headers, query),
        payload=bytes(body.payload),
        caller=caller.name,
        idempotency_key=_idempotency_key(body, headers),
        route=_route_of(body, metadata),
        target_service_id=_option("target_service_id", body.target_service_id, metadata),
        hash_key=_option("hash_key", body.hash_key, metadata),
        version=_option("version", body.version, metadata),
        metadata=metadata,
        timeout=None if body.timeout is None else parse_timeout(body.timeout, timeout_max),
        traceparent=traceparent,
        wait_for=_wait_for(body) if body.wait_for is not None or metadata else 0.0,
    )


def _route_of(body: CallBody, metadata: Mapping[str, str]) -> Route:
    """Whoever names a game server means it. Raises InvalidArgument for one that would not be looked at."""
    if not body.target_service_id:
        return _route(body.route, metadata) if body.route or metadata else Route.LB
    if not (body.route or metadata.get("route")):
        return Route.TARGETED
    route = _route(body.route, metadata)
    if route is not Route.TARGETED:
        raise InvalidArgument(
            f"target_service_id names a game server, and route={route} may reach another: leave one of them out"
        )
    return route


def build_again(
    first: Call,
    body: AgainBody,
    *,
    call_id: str,
    caller: Principal,
    headers: Mapping[bytes, bytes],
    query: Mapping[str, str],
    traceparent: str,
    timeout_max: float = CALL_TIMEOUT_MAX,
) -> Call:
    """A new call with the arguments and the route of `first`; a scope that the request names must be the same.

    Raises InvalidArgument.
    """
    scope_of(headers, query, {"game_id": first.scope.game_id, "env": first.scope.env})
    metadata = {name: value for name, value in first.metadata.items() if name not in _SAID} | said_of(body, headers)
    _check_metadata(metadata)
    return replace(
        first,
        metadata=metadata,
        id=call_id,
        caller=caller.name,
        idempotency_key=_idempotency_key(body, headers),
        timeout=first.timeout if body.timeout is None else parse_timeout(body.timeout, timeout_max),
        traceparent=traceparent,
        replay_of=first.id,
    )


def parse_timeout(value: float | str, most: float) -> float:
    """Seconds, from a number of seconds or "30s", "500ms", "2m".

    Raises InvalidArgument.
    """
    if isinstance(value, str):
        seconds = seconds_of(value)
        if seconds is None:
            raise InvalidArgument(
                'timeout must be a number of seconds or like "30s", "500ms", "2m"',
                code=Code.DURATION_WRONG,
            )
        value = seconds
    if not math.isfinite(value) or not 0 < value <= most:
        raise InvalidArgument(
            f"timeout must be more than 0 and at most {most:g} seconds",
            {"field": "timeout", "least": "0", "most": f"{most:g}"},
            code=Code.OUT_OF_RANGE,
        )
    return float(value)


def parse_lifetime(value: float | str) -> float:
    """Seconds, from a number of seconds or "12h", "90d". Raises InvalidArgument."""
    seconds = seconds_of(value) if isinstance(value, str) else value
    if seconds is None or not math.isfinite(seconds):
        raise InvalidArgument(
            'expires_in must be a number of seconds or like "12h", "90d"',
            code=Code.DURATION_WRONG,
        )
    return float(seconds)


_known_scope = lru_cache(maxsize=4096)(parse_scope)


def _call_scope(body: CallBody, headers: Mapping[bytes, bytes], query: Mapping[str, str]) -> Scope:
    if query or body.metadata or b"x-game-id" in headers or b"x-env" in headers:
        return scope_of(headers, query, {"game_id": body.game_id, "env": body.env}, body.metadata)
    return _known_scope(body.game_id, body.env)


def _idempotency_key(body: CallBody | AgainBody, headers: Mapping[bytes, bytes]) -> str:
    key = body.idempotency_key
    if b"idempotency-key" in headers:
        key = one_of("idempotency_key", key, header_text(headers, b"idempotency-key"))
    return _key("idempotency_key", key) if key else key


def _route(name: str, metadata: Mapping[str, str]) -> Route:
    name = one_of("route", name, metadata.get("route", ""))
    try:
        return Route(name) if name else Route.LB
    except ValueError:
        raise InvalidArgument(f"route must be one of {', '.join(Route)}") from None


def _wait_for(body: CallBody) -> float:
    given = "" if body.wait_for is None else str(body.wait_for)
    return wait_seconds(one_of("wait_for", given, body.metadata.get("wait_for", "")))


def _option(name: str, value: str, metadata: Mapping[str, str]) -> str:
    if metadata:
        value = one_of(name, value, metadata.get(name, ""))
    return _key(name, value) if value else value


def _key(name: str, value: str) -> str:
    if len(value.encode()) > KEY_BYTES or not value.isprintable():
        raise InvalidArgument(f"{name} must be at most {KEY_BYTES} bytes of printable text")
    return value


def _check_metadata(metadata: Mapping[str, str]) -> None:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())
    if len(metadata) > METADATA_ENTRIES or size > METADATA_BYTES:
        raise InvalidArgument(f"metadata may hold {METADATA_ENTRIES} entries and {METADATA_BYTES} bytes")
