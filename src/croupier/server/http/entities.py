"""Types of things, and what was done to one, over HTTP. What is done to one is in `entity_orders.py`."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from croupier.domain.entity import Subject
from croupier.domain.limits import KEY_BYTES
from croupier.server.entities import EntityState
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.entity_documents import EntityDocument, EntityList, Timeline, entity_document, timeline_entry
from croupier.server.http.filters import Before, Limit, NamedScope, cursor_text
from croupier.server.http.late import LateRoute
from croupier.server.http.ports import Entities
from croupier.server.http.requests import parse_query, scope_of

EntityType = Annotated[str, Path(max_length=KEY_BYTES)]
Queries = Annotated[bool, Query(description="Also what changes nothing.")]


def entity_routes(entities: Entities) -> APIRouter:
    routes = APIRouter(tags=["entities"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/entities", response_model=EntityList)
    async def list_entities(asking: Asking, scope: NamedScope) -> Response:
        """Every type of thing, put together from everyone who describes it: of one scope, or of all."""
        found = await entities.list(asking.caller, scope)
        return await asyncio.to_thread(_entity_list, found)

    @routes.get("/api/entities/{entity}", response_model=EntityDocument)
    async def read_entity(asking: Asking, scope: NamedScope, entity: EntityType) -> Response:
        """One type: schema, operations with who serves them, relationships, and where all of it comes from."""
        return json_answer(entity_document(await entities.get(asking.caller, scope, entity)))

    @routes.get("/api/entities/{entity}/items/{entity_id:path}/timeline", response_model=Timeline)
    async def read_timeline(
        asking: Asking,
        request: Request,
        entity: EntityType,
        entity_id: str,
        before: Before,
        limit: Limit = 100,
        queries: Queries = True,
    ) -> Response:
        """The calls and jobs that were about one thing, newest first."""
        scope = scope_of(asking.headers, parse_query(request.scope["query_string"]))
        subject = Subject(entity, entity_id)
        page = await entities.timeline(asking.caller, scope, subject, limit, before, queries=queries)
        return json_answer(Timeline(entries=[timeline_entry(each) for each in page.items], next=cursor_text(page.next)))

    return routes


def _entity_list(found: Iterable[EntityState]) -> Response:
    """Takes long where there are many functions."""
    return json_answer(EntityList(entities=[entity_document(each) for each in found]))
