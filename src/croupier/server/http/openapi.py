"""The OpenAPI 3.1 description: the framework's routes, and by hand those in front of it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from croupier.domain.routing import Preview
from croupier.server.access.browser import LOOPBACK_COOKIE, SAFE, SECURE_COOKIE
from croupier.server.http.cancel_bodies import CancelJobsBody
from croupier.server.http.entity_orders import ITEM_PATH, ITEMS_PATH, VERB_PATH
from croupier.server.http.problems import STATUS
from croupier.server.http.requests import AgainBody, CallBody, CancelBody

_REFERENCE = "#/components/schemas/{name}"

_TEXT = {"type": "string"}
_ANYTHING: dict[str, Any] = {"description": "Any JSON value."}
_STATE = {"type": "string", "enum": ["pending", "running", "succeeded", "failed", "canceled", "lost"]}
_BASE64 = {"type": "string", "contentEncoding": "base64", "description": "Stands for `payload` when that is not JSON."}

_JOB_ID = {"type": "object", "required": ["job_id"], "properties": {"job_id": _TEXT}}


def reference(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=name)}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


_PROBLEM = _object(
    ("type", "title", "status", "detail", "reason"),
    type={"type": "string", "description": "urn:croupier:error: and the reason."},
    title=_TEXT,
    status={"type": "integer"},
    detail={"type": "string", "description": "What happened and what to do."},
    reason={"type": "string", "enum": list(STATUS), "description": "The kind; stable, for programs."},
    code={
        "allOf": [reference("Code")],
        "description": "Which of them it is, where it has a name (docs/reference/refusals.md); its parameters are the details.",
    },
    trace_id=_TEXT,
    call_id=_TEXT,
    details={"type": "object", "additionalProperties": _TEXT},
    second_factor={
        "type": "boolean",
        "description": "A code of the second factor is needed, or the one sent is wrong.",
    },
    errors={"type": "array", "items": _object(("path", "message"), path=_TEXT, message=_TEXT)},
    faults={
        "type": "array",
        "items": _object(
            ("path", "keyword", "message"),
            path={"type": "string", "description": "JSON pointer into the payload."},
            keyword={"type": "string", "description": "Of JSON Schema, which is not kept."},
            message=_object(("en", "zh"), en=_TEXT, zh=_TEXT),
        ),
        "description": "Why a payload does not fit its function.",
    },
    problems={"type": "array", "items": _TEXT, "description": "Only of /readyz."},
)

_RESULT_PROPERTIES: dict[str, Any] = {
    "job_id": _TEXT,
    "state": _STATE,
    "payload": _ANYTHING,
    "payload_base64": _BASE64,
    "error": _TEXT,
    "reason": _TEXT,
}

_CALL_PROPERTIES: dict[str, Any] = {
    "payload": {"description": "The arguments: any JSON value."},
    "payload_base64": _BASE64,
    "metadata": {"type": "object", "additionalProperties": _TEXT},
    "timeout": {"type": ["number", "null"], "description": "Seconds that the caller asked for."},
    "route": _object(
        ("route", "decision", "choice"),
        route=_TEXT,
        target_service_id=_TEXT,
        hash_key=_TEXT,
        version=_TEXT,
        decision={"type": "string", "description": "Who received the call, and why."},
        choice=reference("CauseEntry"),
    ),
    "result": {
        "type": ["object", "null"],
        "properties": {"payload": _ANYTHING, "payload_base64": _BASE64},
        "description": "What the function answered.",
    },
    "code": {
        "anyOf": [reference("Code"), {"type": "null"}],
        "description": "Which error it is, where it has a name (docs/reference/refusals.md); its parameters are the details.",
    },
    "details": {"type": "object", "additionalProperties": _TEXT, "description": "Of the error."},
}

_LIVE_MESSAGE = _object(
    ("topic", "type", "data"),
    topic={"type": "string", "description": "As it was asked for: jobs, job:<id> …"},
    type={"type": "string", "description": "What of the topic this tells."},
    data={"type": "object", "description": "docs/reference/events.md says what each type holds."},
)
_JOB_EVENT = _object(
    ("type", "message", "progress"),
    type={"type": "string", "enum": ["progress", "log", "done", "error"]},
    message=_TEXT,
    progress={"type": "integer", "minimum": 0, "maximum": 100},
    payload=_ANYTHING,
    payload_base64=_BASE64,
    reason=_TEXT,
)

_PROBLEM_ANSWER = {
    "description": "Any failure.",
    "content": {"application/problem+json": {"schema": reference("Problem")}},
}

_ANSWER_HEADERS = {
    "X-Call-Id": {"schema": _TEXT},
    "X-Trace-Id": {"schema": _TEXT},
    "X-Service-Id": {"schema": _TEXT, "description": "The game server that answered."},
    "X-Agent-Id": {"schema": _TEXT},
    "X-Duration-Ms": {"schema": {"type": "number"}},
    "X-Replayed": {"schema": {"const": "true"}, "description": "The answer of an earlier call with the same key."},
}

_INVOKED = {
    "description": "The function's answer, as the game server gave it.",
    "headers": _ANSWER_HEADERS,
    "content": {"application/json": {"schema": _ANYTHING}, "application/octet-stream": {}},
}

_PREVIEW = {
    "description": "Who would receive the call now. Nothing was sent.",
    "content": {"application/json": {"schema": reference("Preview")}},
}

_STARTED = {"description": "The job was accepted.", "content": {"application/json": {"schema": _JOB_ID}}}

_LOCATED = _STARTED | {"headers": {"Location": {"schema": _TEXT, "description": "/jobs/{job_id}"}}}


_WAITS = {
    "description": "Somebody else has to approve it first; it keeps the id of its call.",
    "headers": {"Location": {"schema": _TEXT, "description": "/api/approvals/{approval_id}"}},
    "content": {"application/json": {"schema": reference("Waiting")}},
}

_WAITS_OR_LOCATED = {
    "description": "The job was accepted; or somebody else has to approve it first, and it keeps the id of its call.",
    "headers": {"Location": {"schema": _TEXT, "description": "/jobs/{job_id} or /api/approvals/{approval_id}"}},
    "content": {"application/json": {"schema": {"anyOf": [_JOB_ID, reference("Waiting")]}}},
}

_WAITING = _object(
    ("approval_id", "call_id", "state", "message"),
    approval_id=_TEXT,
    call_id={"type": "string", "description": "Of the call or job, or of the bulk run."},
    state={"type": "string", "description": "pending, or what became of it when a key is repeated."},
    message=_TEXT,
)


def _parameter(name: str, place: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "description": description, "schema": _TEXT}


_GAME = _parameter("X-Game-ID", "header", "The game; or `game_id` in query or body. Two that differ are refused.")
_ENV = _parameter("X-Env", "header", "The environment; or `env` in query or body.")
_ABOUT = (
    _parameter("X-Reason", "header", "Why, for whoever has to approve it; or `reason` in the body."),
    _parameter("X-Ticket", "header", "The ticket that it belongs to; or `ticket` in the body."),
    _parameter("X-Break-Glass", "header", "`true` runs it without the approval it needs; it is reviewed afterwards."),
)
_KEY = _parameter("Idempotency-Key", "header", "A repeated key returns the first answer.")
_TRACE = _parameter("traceparent", "header", "W3C trace context.")

_OPTIONS = [
    _parameter("idempotency_key", "query", "A repeated key returns the first answer."),
    _parameter("route", "query", "lb, broadcast, targeted or hash."),
    _parameter("target_service_id", "query", "The game server, for route=targeted."),
    _parameter("hash_key", "query", "For route=hash."),
    _parameter("version", "query", "The function's version."),
    _parameter("timeout", "query", 'Seconds, or like "30s", "500ms", "2m".'),
    _parameter("wait_for", "query", "How long to wait for somebody who can take the call; like timeout."),
]


_CHOICE = _parameter("function_id", "query", "Which function, where several do it.")
_ARGUMENTS = {"type": "object", "description": "The function's arguments; the id is taken from the address."}


def _operation(
    summary: str, body: dict[str, Any], answers: dict[str, Any], *parameters: dict[str, Any]
) -> dict[str, Any]:
    return {
        "post": {
            "tags": ["calls"],
            "summary": summary,
            "parameters": [*parameters, _GAME, _ENV, _KEY, *_ABOUT, _TRACE],
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": answers | {"default": _PROBLEM_ANSWER},
        }
    }


def _lean_paths() -> dict[str, Any]:
    invoke = _operation(
        "Run a function and wait for its answer.", reference("CallBody"), {"200": _INVOKED, "202": _WAITS}
    )
    start = _operation("Start a job.", reference("CallBody"), {"200": _LOCATED, "202": _WAITS})
    run = _operation(
        "Run a function, its payload being the whole body; a job is started.",
        _ANYTHING,
        {"200": _INVOKED, "202": _WAITS_OR_LOCATED},
        _parameter("game_id", "path", "The game.", required=True),
        _parameter("function_id", "path", "The function.", required=True),
        *_OPTIONS,
    )
    preview = _operation("Who would receive this call, and why?", reference("CallBody"), {"200": _PREVIEW})
    again = _operation(
        "Call again with the arguments of a recorded call; a job is started anew.",
        reference("AgainBody"),
        {"200": _INVOKED, "202": _WAITS},
        _parameter("call_id", "path", "The recorded call.", required=True),
    )
    again["post"]["requestBody"]["required"] = False
    return {
        "/api/calls/{call_id}/replay": again,
        "/api/invoke": invoke,
        "/api/route_preview": preview,
        "/invoke": invoke,
        "/api/start_job": start,
        "/start-job": start,
        "/games/{game_id}/functions/{function_id}": run,
    }


def _entity_operation(summary: str, *parameters: dict[str, Any], body: bool = False) -> dict[str, Any]:
    found = {
        "tags": ["entities"],
        "summary": summary,
        "parameters": [*parameters, *_OPTIONS, _CHOICE, _GAME, _ENV, _KEY, *_ABOUT, _TRACE],
        "responses": {"200": _INVOKED, "202": _WAITS_OR_LOCATED, "default": _PROBLEM_ANSWER},
    }
    if body:
        found["requestBody"] = {"content": {"application/json": {"schema": _ARGUMENTS}}}
    return found


def _entity_paths() -> dict[str, Any]:
    """What can be done to things: calls of functions, so everything said of a call holds here."""
    entity = _parameter("entity", "path", "The type, such as `player`.", required=True)
    item = _parameter("entity_id", "path", "Which one; percent-encoded.", required=True)
    verb = _parameter("verb", "path", "The operation, such as `ban`.", required=True)
    return {
        ITEMS_PATH: {
            "get": _entity_operation(
                "List them: the function of `list`. Other query parameters are its arguments.", entity
            ),
            "post": _entity_operation("Make one: the function of `create`.", entity, body=True),
        },
        ITEM_PATH: {
            "get": _entity_operation("Read one: the function of `read`.", entity, item),
            "put": _entity_operation("Change one: the function of `update`.", entity, item, body=True),
            "patch": _entity_operation("Change one: the function of `patch`, else `update`.", entity, item, body=True),
            "delete": _entity_operation("Delete one: the function of `delete`.", entity, item),
        },
        VERB_PATH: {"post": _entity_operation("Do something else to one.", entity, item, verb, body=True)},
    }


_SCHEMES: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, or the token of the settings."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SECURE_COOKIE.decode(),
        "description": "Of a browser that signed in (`POST /api/login`).",
    },
    "loopback_session": {
        "type": "apiKey",
        "in": "cookie",
        "name": LOOPBACK_COOKIE.decode(),
        "description": "The same under a loopback name, where there is no TLS.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "`csrf_token` of `POST /api/login` or `GET /api/me`: with a cookie, whatever may change something needs it.",
    },
}
_READING: list[dict[str, list[str]]] = [{"token": []}, {"session": []}, {"loopback_session": []}]
_CHANGING: list[dict[str, list[str]]] = [
    {"token": []},
    {"session": [], "csrf": []},
    {"loopback_session": [], "csrf": []},
]


def complete(framework: dict[str, Any], open_paths: frozenset[str], more: Sequence[type]) -> dict[str, Any]:
    """`framework`, the description that the framework makes of its own routes, with everything it does not know.

    `more` are the bodies that its routes refer to.
    """
    _, bodies = msgspec.json.schema_components(
        [AgainBody, CallBody, CancelJobsBody, CancelBody, Preview, *more], ref_template=_REFERENCE
    )
    entry: dict[str, Any] = framework["components"]["schemas"]["JobEntry"]
    call: dict[str, Any] = framework["components"]["schemas"]["CallEntry"]
    schemas = {
        **framework["components"]["schemas"],
        **bodies,
        "Problem": _PROBLEM,
        "Waiting": _WAITING,
        "JobEvent": _JOB_EVENT,
        "LiveMessage": _LIVE_MESSAGE,
        "JobResult": _object(("job_id", "state", "error"), **_RESULT_PROPERTIES),
        "RecordedCall": _object(tuple(call["required"]), **(call["properties"] | _CALL_PROPERTIES)),
        "Job": _object(tuple(entry["required"]), **(entry["properties"] | _RESULT_PROPERTIES)),
    }
    paths = framework["paths"] | _lean_paths() | _entity_paths()
    _secure(paths, open_paths)
    return framework | {
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": _SCHEMES,
        },
        "security": _READING,
    }


def _secure(paths: dict[str, Any], open_paths: frozenset[str]) -> None:
    """Say of each operation how whoever asks is known, where that is not as for all."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            if path in open_paths:
                operation["security"] = []
            elif method.upper() not in SAFE:
                operation["security"] = _CHANGING
