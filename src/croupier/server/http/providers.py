"""Providers over HTTP."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from croupier.domain.limits import KEY_BYTES
from croupier.server.catalog.providers import Providers, Registered
from croupier.server.catalog.view import CatalogView
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.catalog_documents import (
    EntityList,
    ProviderDocument,
    ProviderList,
    RegisteredDocument,
    conflict_document,
    origin_document,
    provider_documents,
)
from croupier.server.http.late import LateRoute
from croupier.server.http.openapi import reference
from croupier.server.http.requests import parse_body


class TransferBody(msgspec.Struct, kw_only=True):
    """The body of `/api/providers/{provider_id}/transfer`."""

    owner: str
    """kind:name, as an answer names the owner: token:developer, machine:local, edge:ID."""


_decoder = msgspec.json.Decoder(TransferBody)
_TRANSFER = {"requestBody": {"required": True, "content": {"application/json": {"schema": reference("TransferBody")}}}}
_MANIFEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "description": "A provider manifest."}},
            "application/gzip": {},
        },
    }
}


def provider_routes(providers: Providers, catalog: CatalogView) -> APIRouter:
    routes = APIRouter(tags=["catalog"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.post("/api/providers/capabilities", response_model=RegisteredDocument, openapi_extra=_MANIFEST)
    async def register(asking: Asking, request: Request) -> Response:
        """Describe functions that others call, in place of what this provider said before. Everything wrong is told at once."""
        registered = await providers.register(asking.caller, await request.body())
        return json_answer(_registered(registered, catalog))

    @routes.get("/api/providers/descriptors", response_model=ProviderList)
    async def descriptors(
        asking: Asking, provider_id: Annotated[str, Query(alias="id", max_length=KEY_BYTES)] = ""
    ) -> Response:
        """Every provider with what it describes, or the one that is named."""
        found = await providers.list(asking.caller)
        wanted = [each for each in found if provider_id in {"", each.provider.id}]
        return await asyncio.to_thread(lambda: json_answer({"providers": provider_documents(wanted)}))

    @routes.get("/api/providers/entities", response_model=EntityList)
    async def entities(asking: Asking) -> Response:
        """The kinds of objects that providers describe; of two of one id the first counts."""
        found = [entity for each in await providers.list(asking.caller) for entity in each.source.entities.values()]
        documents = [each.descriptor.document() | {"origin": origin_document(each.origin)} for each in found]
        return json_answer({"entities": documents})

    @routes.post("/api/providers/{provider_id}/transfer", response_model=ProviderDocument, openapi_extra=_TRANSFER)
    async def transfer(asking: Asking, provider_id: str, request: Request) -> Response:
        """Give a provider's id to somebody else, who may register it from now on."""
        owner = parse_body(_decoder, await request.body()).owner
        given = await providers.transfer(asking.caller, provider_id, owner)
        return json_answer(provider_documents([given])[0])

    @routes.delete("/api/providers/{provider_id}", status_code=204)
    async def remove(asking: Asking, provider_id: str) -> Response:
        """Forget a provider, what it describes, and whose it was."""
        await providers.remove(asking.caller, provider_id)
        return Response(status_code=204)

    return routes


def _registered(registered: Registered, catalog: CatalogView) -> dict[str, Any]:
    source = registered.provided.source
    return {
        "provider": provider_documents([registered.provided])[0] | {"manifest": None},
        "changed": registered.changed,
        "conflicts": [conflict_document(each) for each in catalog.conflicts_of(source)],
    }
