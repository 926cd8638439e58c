"""Descriptions of functions, over HTTP."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from croupier.domain.limits import KEY_BYTES
from croupier.domain.policy import Within
from croupier.domain.scope import Scope
from croupier.server.access.guard import Guard
from croupier.server.catalog.entry import Kind, LoadFault
from croupier.server.catalog.providers import Provided, Providers
from croupier.server.catalog.view import CatalogView, Conflict, Listed, Which, described
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.catalog_documents import (
    DetailedCatalog,
    DifferenceDocument,
    FaultList,
    FormDocument,
    FunctionDocument,
    conflict_document,
    description_document,
    difference_document,
    fault_document,
    listed_document,
    origin_document,
    provider_documents,
    version_document,
)
from croupier.server.http.late import LateRoute
from croupier.server.http.requests import optional_scope, parse_query
from croupier.server.http.tags import unchanged, with_tag


async def _scope(asking: Asking, request: Request) -> Scope | None:
    return optional_scope(asking.headers, parse_query(request.scope["query_string"]))


AnyScope = Annotated[Scope | None, Depends(_scope)]
FunctionId = Annotated[str, Query(alias="id", max_length=KEY_BYTES)]


def catalog_routes(catalog: CatalogView, providers: Providers, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["catalog"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/descriptors", response_model=list[dict[str, Any]] | DetailedCatalog)
    async def descriptors(
        asking: Asking,
        request: Request,
        scope: AnyScope,
        function_id: FunctionId = "",
        category: Annotated[str, Query(max_length=KEY_BYTES)] = "",
        detailed: bool = False,
    ) -> Response:
        """Every function's description, with its origin; of a scope that is named, what that may use. `id` may end with `*`.

        With `detailed=true`, also what every pack and provider says, what more than one says, and what is wrong.
        """
        within = await guard.where(asking.caller, "catalog.read", scope)
        if detailed:
            await guard.require(asking.caller, "catalog.read", None)
        query = hashlib.sha256(request.scope["query_string"] + f"{scope} {_told(within)}".encode()).hexdigest()
        tag = f"{catalog.tag}-{query[:12]}"
        if (known := unchanged(request, tag)) is not None:
            return known
        listed = catalog.listed(Which(scope=scope, id=function_id, category=category, within=within))
        if detailed:
            provided = await providers.list(asking.caller)
            found = (listed, provided, catalog.conflicts(), catalog.faults())
            return with_tag(await asyncio.to_thread(_detailed, *found), tag)
        return with_tag(await asyncio.to_thread(_array, listed), tag)

    @routes.get("/api/descriptors/{function_id}", response_model=FunctionDocument)
    async def descriptor(asking: Asking, function_id: str, scope: AnyScope) -> Response:
        """One function: the description that counts, and everybody else's."""
        within = await guard.where(asking.caller, "catalog.read", scope)
        entry = catalog.entry(scope, function_id, within)
        return json_answer(
            {
                "id": entry.function.id,
                "descriptor": described(entry),
                "origin": origin_document(entry.origin),
                "origins": [description_document(each) for each in catalog.entries(scope, function_id, within)],
                "versions": [version_document(each) for each in catalog.versions(scope, function_id, within)],
            }
        )

    @routes.get("/api/descriptors/{function_id}/diff", response_model=DifferenceDocument)
    async def difference(
        asking: Asking,
        function_id: str,
        scope: AnyScope,
        old: Annotated[str, Query(alias="from", max_length=KEY_BYTES)] = "",
        new: Annotated[str, Query(alias="to", max_length=KEY_BYTES)] = "",
    ) -> Response:
        """What is different between two versions, and whether callers of the old one can call the new one.

        Each is named by its digest or its version; without names, what counts now and what it was before.
        """
        within = await guard.where(asking.caller, "catalog.read", scope)
        if within is not None:
            await guard.require(asking.caller, "catalog.read", None)
        return json_answer(difference_document(function_id, catalog.difference(scope, function_id, old, new)))

    @routes.get("/api/ui_schema", response_model=FormDocument)
    async def ui_schema(asking: Asking, function_id: FunctionId, scope: AnyScope) -> Response:
        """What a function's form is made of, and how it looks."""
        within = await guard.where(asking.caller, "catalog.read", scope)
        entry = catalog.entry(scope, function_id, within)
        return json_answer({"id": entry.function.id, "schema": entry.form_schema, "uischema": entry.uischema})

    @routes.get("/api/catalog/faults", response_model=FaultList)
    async def faults(asking: Asking) -> Response:
        """What is left out of packs, provider manifests and game servers' own descriptions, and why."""
        await guard.require(asking.caller, "catalog.read", None)
        return json_answer({"faults": [fault_document(each) for each in catalog.faults()]})

    return routes


def _told(within: Within | None) -> str:
    return "" if within is None else " ".join(sorted(f"{game_id}|{env}" for game_id, env in within.places))


def _array(listed: Sequence[Listed]) -> Response:
    return json_answer([listed_document(each) for each in listed])


def _detailed(
    listed: Sequence[Listed],
    provided: Sequence[Provided],
    conflicts: Sequence[Conflict],
    faults: Sequence[LoadFault],
) -> Response:
    by_kind = {kind: [each for each in listed if each.entry.origin.kind is kind] for kind in Kind}
    return json_answer(
        {
            "descriptors": [listed_document(each) for each in listed],
            "legacy_descriptors": [listed_document(each) for each in by_kind[Kind.PACK]],
            "provider_manifests": provider_documents(provided),
            "registered": [listed_document(each) for each in by_kind[Kind.AGENT]],
            "conflicts": [conflict_document(each) for each in conflicts],
            "faults": [fault_document(each) for each in faults],
        }
    )
