"""Types of things and timelines as HTTP shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from croupier.domain.call import Outcome
from croupier.domain.entity import SubjectKey
from croupier.domain.registry import FunctionHealth
from croupier.errors import CroupierError
from croupier.server.catalog.entry import Origin
from croupier.server.catalog.merged_entities import Act
from croupier.server.entities import EntityState
from croupier.store import Deed

_NONE = FunctionHealth(healthy=0, total=0)

Texts = Mapping[str, str]
"""By language: en, zh."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityOperation:
    """A function as an operation of an entity."""

    function_id: str
    key: str
    """The argument that is the entity's id, as a JSONPath; empty where it is about no one."""
    label: Texts
    icon: str
    danger: bool
    title: Texts
    description: Texts
    display_name: Texts
    summary: Texts
    risk: str
    mode: str
    returns: str
    origin: Origin
    """Who says that it is an operation."""
    healthy: int
    """Game servers that answer, in the scope asked for."""
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RelatedFunction:
    """A function that is about an entity without being one of its operations."""

    function_id: str
    key: str
    display_name: Texts
    healthy: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityConflict:
    """Two who say different things; what the first says counts."""

    field: str
    kept: Origin
    left_out: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityDocument:
    """A type of thing, from everyone who describes it."""

    type: str
    id: str
    kind: str
    """entity | resource"""
    version: str
    category: str
    title: Texts
    summary: Texts
    description: Texts
    color: str
    key: str
    labels: Mapping[str, str]
    tags: list[str]
    menu: Mapping[str, Any] | None
    schema: Mapping[str, Any] | None
    ui: Mapping[str, Any]
    relationships: Mapping[str, Mapping[str, Any]]
    operations: Mapping[str, list[EntityOperation]]
    """By verb."""
    related: list[RelatedFunction]
    origins: list[Origin]
    conflicts: list[EntityConflict]


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityList:
    entities: list[EntityDocument]


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineEntry:
    """A call or job that was about the entity."""

    call_id: str
    """Of a job this is its id too."""
    kind: str
    """invoke | job"""
    function_id: str
    caller: str
    state: str
    """Of a call or of a job, by its kind."""
    reason: str
    error: str
    progress: int
    service_id: str
    trace_id: str
    started_ms: int
    finished_ms: int
    permalink: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    entries: list[TimelineEntry]
    next: str
    """`before` of the next page; empty when there is none."""


def entity_document(state: EntityState) -> EntityDocument:
    entity, said = state.entity, state.entity.fields
    return EntityDocument(
        type=entity.type,
        id=entity.id,
        kind=said.get("type", "entity"),
        version=said.get("version", ""),
        category=said.get("category", ""),
        title=said.get("title") or said.get("display_name", {}),
        summary=said.get("summary", {}),
        description=said.get("description", {}),
        color=said.get("color", ""),
        key=said.get("key", ""),
        labels=said.get("labels", {}),
        tags=said.get("tags", []),
        menu=said.get("menu"),
        schema=said.get("object_schema"),
        ui=said.get("ui", {}),
        relationships=entity.relationships,
        operations={
            verb: [_operation(entity.type, act, state.health.get(act.function_id, _NONE)) for act in acts]
            for verb, acts in entity.operations.items()
        },
        related=[
            RelatedFunction(
                function_id=each.function_id,
                key=str(each.key),
                display_name=each.entry.function.display_name,
                healthy=(health := state.health.get(each.function_id, _NONE)).healthy,
                total=health.total,
            )
            for each in entity.related
        ],
        origins=list(entity.origins),
        conflicts=[
            EntityConflict(field=each.field, kept=each.kept, left_out=each.left_out) for each in entity.conflicts
        ],
    )


def _operation(entity: str, act: Act, health: FunctionHealth) -> EntityOperation:
    function = act.entry.function if act.entry is not None else None
    return EntityOperation(
        function_id=act.function_id,
        key="" if act.key is None else str(SubjectKey(entity, act.key)),
        label=act.operation.label,
        icon=act.operation.icon,
        danger=act.operation.danger,
        title=act.operation.title,
        description=act.operation.description,
        display_name=function.display_name if function else {},
        summary=function.summary if function else {},
        risk=function.risk if function else "",
        mode=function.mode if function else "",
        returns=function.returns if function else "",
        origin=act.origin,
        healthy=health.healthy,
        total=health.total,
    )


def timeline_entry(deed: Deed) -> TimelineEntry:
    """A job is told as it stands; before it began, and where it did not, as its call."""
    record, job = deed.record, deed.job
    call = record.call
    reason, error = _failure(record.outcome)
    return TimelineEntry(
        call_id=call.id,
        kind=record.kind,
        function_id=call.function_id,
        caller=call.caller,
        state=job.state if job is not None else record.state,
        reason=job.reason if job is not None else reason,
        error=job.error if job is not None else error,
        progress=job.progress if job is not None else 0,
        service_id=record.trail.service_id,
        trace_id=call.traceparent[3:35],
        started_ms=record.started_ms,
        finished_ms=job.finished_ms if job is not None else record.finished_ms,
        permalink=f"/jobs/{call.id}" if job is not None else f"/api/calls/{call.id}",
    )


def _failure(outcome: Outcome | None) -> tuple[str, str]:
    return (outcome.reason, outcome.message) if isinstance(outcome, CroupierError) else ("", "")
