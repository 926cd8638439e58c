"""Every address of the server: what it needs, and of which scope.

A new address needs a line here, and the tests of this folder then ask for it as nobody, as somebody of another game, as
somebody of the game without the permission, with it, and as an administrator.

    open_("POST /api/login")                        nobody needs to be known
    own("GET /api/me")                              anybody who is known, for what is his own
    platform("GET /api/packs/list", "packs:read")   the permission for all games and environments
    scoped("POST /api/bulk?…", "bulk:upload")       the permission in the scope that is named (here demo|dev, by headers)
    lists("GET /api/jobs", "jobs:read")             the permission anywhere; the rest is left out, or not there
    thing("GET /jobs/{job_id}", "jobs:read")        the permission where the thing is; for others it is not there
    mine("POST /api/approvals/{approval_id}/withdraw")   as before, but the permission is not enough

`{call_id}`, `{job_id}`, `{bulk_id}`, `{approval_id}`, `{seq}` stand for things of demo|dev; any other name in braces for `x`.
"""

import re
from dataclasses import dataclass
from typing import Any

CALL = "function:thing.read"
INVOKE = {"function_id": "thing.read", "payload": {"thing_id": "p1"}}
DAY = "2030-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Rule:
    method: str
    path: str
    kind: str
    """open | own | platform | scoped | lists | thing | mine"""
    permission: str = ""
    """Several, apart by spaces, where one is not enough."""
    query: str = ""
    body: Any = None
    content_type: str = "application/json"

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path

    def address(self, **names: str) -> str:
        path = re.sub(r"\{([^}]+)\}", lambda found: names.get(found[1], "x"), self.path)
        query = re.sub(r"\{([^}]+)\}", lambda found: names.get(found[1], "x"), self.query)
        return f"{path}?{query}" if query else path


def _rule(kind: str, what: str, permission: str = "", **fields: Any) -> Rule:
    method, _, address = what.partition(" ")
    path, _, query = address.partition("?")
    return Rule(kind=kind, method=method, path=path, query=query, permission=permission, **fields)


def open_(what: str) -> Rule:
    return _rule("open", what)


def own(what: str, body: Any = None) -> Rule:
    return _rule("own", what, body=body)


def platform(what: str, permission: str, body: Any = None, **fields: Any) -> Rule:
    return _rule("platform", what, permission, body=body, **fields)


def scoped(what: str, permission: str, body: Any = None, **fields: Any) -> Rule:
    return _rule("scoped", what, permission, body=body, **fields)


def lists(what: str, permission: str) -> Rule:
    return _rule("lists", what, permission)


def mine(what: str, body: Any = None) -> Rule:
    return _rule("mine", what, body=body)


def thing(what: str, permission: str, body: Any = None) -> Rule:
    return _rule("thing", what, permission, body=body)


RULES = (
    # ------------------------------------------------------------------ open: they say nothing, or what is sent decides
    open_("GET /healthz"),
    open_("HEAD /healthz"),
    open_("GET /readyz"),
    open_("HEAD /readyz"),
    open_("POST /api/setup"),
    open_("POST /api/setup/password"),
    open_("POST /api/login"),
    open_("POST /api/login/ticket"),
    open_("GET /api/login/methods"),
    open_("GET /api/login/oidc"),
    open_("GET /api/login/oidc/callback"),
    open_("GET /api/machines/ca"),
    open_("POST /api/machines/enrol"),
    # ------------------------------------------------------------------ one's own
    own("GET /api/me"),
    own("GET /api/games"),
    own("POST /api/logout"),
    own("POST /api/me/password", {"current": "x", "password": "y"}),
    own("POST /api/me/prove", {"code": "1"}),
    own("GET /api/me/second_factor"),
    own("POST /api/me/second_factor", {}),
    own("POST /api/me/second_factor/confirm", {"code": "1"}),
    own("POST /api/me/second_factor/recovery_codes", {"code": "1"}),
    own("POST /api/me/second_factor/remove", {"code": "1"}),
    own("GET /api/sessions"),
    own("DELETE /api/sessions/{session_id}"),
    own("GET /api/tokens"),
    own("POST /api/tokens", {"name": "x", "expires_in": "1h"}),
    own("DELETE /api/tokens/{token_id}"),
    own("GET /api/openapi.json"),
    own("GET /api/version"),
    own("GET /api/plugins"),
    own("GET /api/events?topics=health"),
    own("POST /api/access/explain", {"permission": "packs:read"}),
    scoped("GET /api/access/matrix", "roles:read"),
    # ------------------------------------------------------------------ calls
    scoped("POST /api/invoke", CALL, INVOKE),
    scoped("POST /invoke", CALL, INVOKE),
    scoped("POST /api/start_job", CALL, INVOKE),
    scoped("POST /start-job", CALL, INVOKE),
    scoped("POST /games/{game_id}/functions/{function_id}", CALL, {"thing_id": "p1"}),
    scoped("POST /api/route_preview", "routes:preview", INVOKE),
    lists("GET /api/calls", "calls:read"),
    thing("GET /api/calls/{call_id}", "calls:read"),
    mine("POST /api/calls/{call_id}/replay", {}),
    lists("GET /api/jobs", "jobs:read"),
    thing("GET /jobs/{job_id}", "jobs:read"),
    thing("GET /api/job_result?id={job_id}", "jobs:read"),
    thing("GET /api/stream_job?id={job_id}", "jobs:read"),
    thing("GET /jobs/{job_id}/stream", "jobs:read"),
    thing("POST /api/cancel_job", "jobs:cancel", {"job_id": "{job_id}"}),
    thing("DELETE /jobs/{job_id}", "jobs:cancel"),
    own("POST /api/jobs/cancel", {"job_ids": ["{job_id}"]}),
    scoped("POST /api/bulk?function_id=thing.read", "bulk:upload", b"thing_id\np1\n", content_type="text/csv"),
    lists("GET /api/bulk", "bulk:read"),
    thing("GET /api/bulk/{bulk_id}", "bulk:read"),
    thing("GET /api/bulk/{bulk_id}/rows", "bulk:read"),
    thing("GET /api/bulk/{bulk_id}/rows.csv", "bulk:read"),
    thing("GET /api/bulk/{bulk_id}/stream", "bulk:read"),
    thing("POST /api/bulk/{bulk_id}/start", "bulk:run", {"expected_sha256": "0"}),
    thing("POST /api/bulk/{bulk_id}/confirm", "bulk:run"),
    thing("POST /api/bulk/{bulk_id}/pause", "bulk:run"),
    thing("POST /api/bulk/{bulk_id}/resume", "bulk:run"),
    thing("POST /api/bulk/{bulk_id}/rerun", "bulk:run", {}),
    thing("POST /api/bulk/{bulk_id}/cancel", "bulk:run"),
    # ------------------------------------------------------------------ what there is
    lists("GET /api/entities", "entities:read"),
    scoped("GET /api/entities/{entity}", "entities:read"),
    scoped("GET /api/entities/{entity}/items", "function:thing.list"),
    scoped("POST /api/entities/{entity}/items", "function:thing.create", {}),
    scoped("GET /api/entities/{entity}/items/{entity_id}", CALL),
    scoped("PUT /api/entities/{entity}/items/{entity_id}", "function:thing.update", {}),
    scoped("PATCH /api/entities/{entity}/items/{entity_id}", "function:thing.update", {}),
    scoped("DELETE /api/entities/{entity}/items/{entity_id}", "function:thing.delete"),
    scoped("POST /api/entities/{entity}/items/{entity_id}/{verb}", "function:thing.mend", {}),
    scoped("GET /api/entities/{entity}/items/{entity_id}/timeline", "entities:read"),
    lists("GET /api/registry", "registry:read"),
    lists("GET /api/function_instances", "registry:read"),
    own("GET /api/functions"),
    own("GET /api/functions/{function_id}"),
    lists("GET /api/descriptors", "catalog:read"),
    scoped("GET /api/descriptors/{function_id}", "catalog:read"),
    scoped("GET /api/descriptors/{function_id}/diff", "catalog:read"),
    scoped("GET /api/ui_schema?id=thing.read", "catalog:read"),
    platform("GET /api/catalog/faults", "catalog:read"),
    platform("POST /api/providers/capabilities", "providers:register", {"provider": {"id": "x"}, "functions": [5]}),
    platform("GET /api/providers/descriptors", "providers:read"),
    platform("GET /api/providers/entities", "providers:read"),
    platform("POST /api/providers/{provider_id}/transfer", "providers:manage", {"owner": "token:x"}),
    platform("DELETE /api/providers/{provider_id}", "providers:manage"),
    platform("GET /api/assignments", "assignments:read"),
    platform("PUT /api/assignments", "assignments:write", {}),
    platform("GET /api/packs/list", "packs:read"),
    platform("POST /api/packs/import", "packs:import", b"x", content_type="application/gzip"),
    platform("GET /api/packs/export", "packs:export"),
    platform("POST /api/packs/reload", "packs:reload"),
    platform("GET /api/packs/{name}", "packs:read"),
    platform("DELETE /api/packs/{name}", "packs:change"),
    platform("POST /api/packs/{name}/enable", "packs:change"),
    platform("POST /api/packs/{name}/disable", "packs:change"),
    platform("POST /api/packs/{name}/rollback", "packs:change"),
    # ------------------------------------------------------------------ access
    platform("GET /api/users", "users:read"),
    platform("POST /api/users", "users:manage", {"name": "somebody"}),
    platform("GET /api/users/{user_id}", "users:read"),
    platform("PATCH /api/users/{user_id}", "users:manage", {}),
    platform("POST /api/users/{user_id}/disable", "users:manage"),
    platform("POST /api/users/{user_id}/enable", "users:manage"),
    platform("POST /api/users/{user_id}/password", "users:manage", {}),
    platform("POST /api/users/{user_id}/revoke", "users:manage"),
    platform("DELETE /api/users/{user_id}/second_factor", "users:manage"),
    lists("GET /api/roles", "roles:read"),
    lists("GET /api/roles/{name}", "roles:read"),
    platform("PUT /api/roles/{name}", "roles:manage", {"permissions": []}),
    platform("DELETE /api/roles/{name}", "roles:manage"),
    lists("GET /api/bindings", "roles:read"),
    scoped(
        "POST /api/bindings",
        "roles:manage",
        {"subject": "user:x", "role": "holds-roles-manage", "game_id": "demo", "env": "dev"},
    ),
    own("DELETE /api/bindings/{binding_id}"),
    lists("GET /api/policy", "roles:read"),
    platform("PUT /api/policy?dry_run=true", "roles:manage", {}),
    platform("GET /api/machines/certificates", "machines:read"),
    platform("POST /api/machines/certificates", "machines:manage", {"role": "edge", "id": "e1", "request": "x"}),
    platform("POST /api/machines/certificates/{serial}/revoke", "machines:manage", {}),
    platform("GET /api/machines/join_tokens", "machines:read"),
    platform("POST /api/machines/join_tokens", "machines:manage", {"role": "edge"}),
    platform("DELETE /api/machines/join_tokens/{token_id}", "machines:manage"),
    scoped("GET /api/audit", "audit:read"),
    scoped("GET /api/audit/export", "audit:export"),
    platform("POST /api/audit/verify", "audit:verify"),
    platform("GET /api/audit/checkpoints", "audit:read"),
    platform("POST /api/audit/checkpoints", "audit:verify"),
    platform("POST /api/audit/cut", "retention:cut", {"before": "2020-01-01T00:00:00Z"}),
    thing("GET /api/audit/{seq}", "audit:read"),
    lists("GET /api/limits", "limits:read"),
    lists("GET /api/limits/{name}", "limits:read"),
    platform("PUT /api/limits/{name}", "limits:manage", {"functions": "mail.*", "rate": "5rps"}),
    platform("DELETE /api/limits/{name}", "limits:manage"),
    lists("GET /api/maintenance", "maintenance:read"),
    platform("POST /api/maintenance", "maintenance:manage", {"reason": "x", "starts": DAY, "lasts": "1h"}),
    lists("POST /api/maintenance/{window_id}/end", "maintenance:manage"),
    lists("GET /api/secrets", "secrets:read"),
    platform("POST /api/secrets", "secrets:manage", {"name": "x", "value": "y"}),
    platform("GET /api/secrets/{name}", "secrets:read"),
    platform("DELETE /api/secrets/{name}", "secrets:manage"),
    platform("POST /api/secrets/{name}/rotate", "secrets:manage"),
    platform("POST /api/secrets/{name}/versions/{version}/{deed}", "secrets:manage"),
    lists("GET /api/approvals", "approvals:read"),
    thing("GET /api/approvals/{approval_id}", "approvals:read"),
    thing("POST /api/approvals/{approval_id}/approve", "approvals:*", {"comment": "x"}),
    thing("POST /api/approvals/{approval_id}/reject", "approvals:*", {"comment": "x"}),
    thing("POST /api/approvals/{approval_id}/review", "approvals:*", {"comment": "x"}),
    mine("POST /api/approvals/{approval_id}/withdraw", {"comment": "x"}),
    thing("POST /api/approvals/{approval_id}/comment", "approvals:*", {"comment": "x"}),
    platform("GET /metrics", "metrics:read"),
)

OPEN_TO_ALL = {rule.key for rule in RULES if rule.kind == "open"}
NEEDS_TOKEN = {rule.key for rule in RULES if rule.kind != "open"}
