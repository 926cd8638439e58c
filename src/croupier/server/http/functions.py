"""The functions of a scope as a page lists them, and all that a page needs to show the form of one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from croupier.domain.principal import Principal
from croupier.domain.registry import FunctionHealth
from croupier.domain.scope import Scope
from croupier.errors import NotFound
from croupier.server.access.guard import Guard
from croupier.server.access.policy.policy import Verdict
from croupier.server.catalog.entry import Entry
from croupier.server.catalog.view import CatalogView, Listed, Which, described
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.catalog_documents import OriginDocument, origin_document
from croupier.server.http.late import LateRoute
from croupier.server.http.pack_documents import PackFault, fault_documents
from croupier.server.http.ports import Directory
from croupier.server.http.requests import parse_query, scope_of

SHOWN_FAULTS = 20
DECIDED_AT_ONCE = 500
"""Functions whose permission is looked at before others get their turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionEntry:
    """A function in a list."""

    id: str
    version: str
    display_name: dict[str, str]
    """en, zh"""
    summary: dict[str, str]
    category: str
    tags: list[str]
    risk: str
    mode: str
    """query | command"""
    returns: str
    """`job` where it is long work."""
    enabled: bool
    healthy: int
    total: int
    may: bool
    """Whether the caller may call it; a condition of its description may still say no to some arguments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionList:
    functions: list[FunctionEntry]
    """By id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionSheet:
    """What a page needs of a function before it is called."""

    function: FunctionEntry
    descriptor: dict[str, Any]
    schema: dict[str, Any]
    """JSON Schema 2020-12 of the arguments; empty where nobody said."""
    uischema: dict[str, Any]
    origin: OriginDocument
    faults: list[PackFault]
    """Why a description of it is left out, or denies every call; at most 20."""


async def _scope(asking: Asking, request: Request) -> Scope:
    return scope_of(asking.headers, parse_query(request.scope["query_string"]))


OneScope = Annotated[Scope, Depends(_scope)]


def function_routes(catalog: CatalogView, directory: Directory, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["catalog"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)
    shown = _Shown(catalog, directory, guard)

    @routes.get("/api/functions", response_model=FunctionList)
    async def list_functions(asking: Asking, scope: OneScope) -> Response:
        """The functions of a scope: all of them for who may look at the catalog, for others those that they may call."""
        found = await shown.all(asking.caller, scope)
        return await asyncio.to_thread(json_answer, FunctionList(functions=found))

    @routes.get("/api/functions/{function_id}", response_model=FunctionSheet)
    async def read_function(asking: Asking, function_id: str, scope: OneScope) -> Response:
        """One function of a scope with its description and form, for who may look at the catalog or call it."""
        entry = catalog.entry(scope, function_id) if guard.policy.belongs(asking.caller, scope) else None
        known = None if entry is None else shown.one(asking.caller, scope, entry)
        if entry is None or known is None:
            raise NotFound(
                f"unknown function {function_id[:200]}: GET /api/functions lists what you may use in {scope}"
            )
        sheet = {
            "function": known,
            "descriptor": described(entry),
            "schema": entry.form_schema,
            "uischema": entry.uischema,
            "origin": origin_document(entry.origin),
            "faults": fault_documents(catalog.faults_of(scope, entry)[:SHOWN_FAULTS]),
        }
        return json_answer(sheet)

    return routes


class _Shown:
    def __init__(self, catalog: CatalogView, directory: Directory, guard: Guard) -> None:
        self._catalog = catalog
        self._directory = directory
        self._policy = guard.policy

    async def all(self, caller: Principal, scope: Scope) -> list[FunctionEntry]:
        if not self._policy.belongs(caller, scope):
            return []
        listed = self._catalog.listed(Which(scope=scope))
        looks = self._looks(caller, scope)
        found: list[FunctionEntry] = []
        for first in range(0, len(listed), DECIDED_AT_ONCE):
            part = listed[first : first + DECIDED_AT_ONCE]
            found += self._part(caller, scope, part, looks=looks)
            await asyncio.sleep(0)
        return found

    def one(self, caller: Principal, scope: Scope, entry: Entry) -> FunctionEntry | None:
        """None where it is none of the caller's business."""
        found = self._part(caller, scope, [Listed(entry=entry)], looks=self._looks(caller, scope))
        return found[0] if found else None

    def _part(self, caller: Principal, scope: Scope, listed: Sequence[Listed], *, looks: bool) -> list[FunctionEntry]:
        health = self._directory.health(scope, [each.entry.function.id for each in listed])
        decided = ((each.entry, self._decide(caller, scope, each.entry).allowed) for each in listed)
        return [_entry(entry, health[entry.function.id], may=may) for entry, may in decided if may or looks]

    def _looks(self, caller: Principal, scope: Scope) -> bool:
        return caller.root or self._policy.decide(caller, "catalog.read", scope).allowed

    def _decide(self, caller: Principal, scope: Scope, entry: Entry) -> Verdict:
        stated = entry.descriptor.auth.permission if entry.descriptor is not None else ""
        return self._policy.decide_function(caller, entry.function.id, stated, scope)


def _entry(entry: Entry, health: FunctionHealth, *, may: bool) -> FunctionEntry:
    function, said = entry.function, entry.descriptor
    return FunctionEntry(
        id=function.id,
        version=function.version,
        display_name=dict(function.display_name),
        summary=dict(function.summary),
        category=function.category,
        tags=list(said.tags) if said is not None else [],
        risk=function.risk,
        mode=function.mode,
        returns=function.returns,
        enabled=entry.enabled,
        healthy=health.healthy,
        total=health.total,
        may=may,
    )
