"""Descriptions, conflicts and faults as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from croupier.domain.provider import Provider
from croupier.server.catalog.entry import Entry, LoadFault, Origin
from croupier.server.catalog.providers import Provided
from croupier.server.catalog.versions import Version
from croupier.server.catalog.view import Conflict, Difference, Listed, described


@dataclass(frozen=True, kw_only=True, slots=True)
class OriginDocument:
    kind: str
    """pack, provider, game_server, or agent where nobody describes the function."""
    name: str
    version: str
    file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DescriptionDocument:
    origin: OriginDocument
    descriptor: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionDocument:
    digest: str
    """12 hex digits of the description's SHA-256."""
    version: str
    origin: OriginDocument
    replaced_ms: int
    """When it was replaced or taken away, milliseconds since 1970; 0 while it stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionDocument:
    id: str
    descriptor: dict[str, Any]
    """The one that counts."""
    origin: OriginDocument
    origins: list[DescriptionDocument]
    """Everybody's, that one first."""
    versions: list[VersionDocument]
    """Those, and what was said before since the server was started."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeDocument:
    path: str
    """JSONPath"""
    what: str
    """added, removed, changed, …"""
    breaking: bool
    why: dict[str, str]
    """en, zh"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceDocument:
    id: str
    old: VersionDocument
    new: VersionDocument
    verdict: str
    """same, compatible or breaking"""
    changes: list[ChangeDocument]
    """Breaking ones first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FormDocument:
    id: str
    schema: dict[str, Any]
    """JSON Schema 2020-12; empty where nobody said."""
    uischema: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConflictDocument:
    id: str
    kind: str
    """function or entity"""
    origins: list[OriginDocument]
    """The first counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultDocument:
    origin: OriginDocument
    scope: str
    """`game|env` of a game server's own description; else empty."""
    file: str
    path: str
    """JSONPath"""
    message: dict[str, str]
    """en, zh"""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultList:
    faults: list[FaultDocument]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderDocument:
    id: str
    version: str
    lang: str
    sdk: str
    owner: str
    """Who may register it again, as kind:name."""
    registered_ms: int
    updated_ms: int
    functions: list[str]
    entities: list[str]
    manifest: Any = None
    """As it was registered; null where all of them together are too much for one answer: ask for one by `id`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderList:
    providers: list[ProviderDocument]


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredDocument:
    provider: ProviderDocument
    """Without its manifest."""
    changed: bool
    """Whether it said anything new."""
    conflicts: list[ConflictDocument]
    """What others describe too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityList:
    entities: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailedCatalog:
    descriptors: list[dict[str, Any]]
    """As without `detailed`."""
    legacy_descriptors: list[dict[str, Any]]
    """Of packs."""
    provider_manifests: list[ProviderDocument]
    registered: list[dict[str, Any]]
    """Functions that agents registered and nobody describes."""
    conflicts: list[ConflictDocument]
    faults: list[FaultDocument]


MANIFESTS_BYTES = 16_000_000
"""So much of manifests goes into one answer."""


def origin_document(origin: Origin) -> dict[str, str]:
    return {"kind": origin.kind.value, "name": origin.name, "version": origin.version, "file": origin.file}


def listed_document(listed: Listed) -> dict[str, Any]:
    where = {"origin": origin_document(listed.entry.origin), "scopes": [str(scope) for scope in listed.scopes]}
    return described(listed.entry) | where


def description_document(entry: Entry) -> dict[str, Any]:
    return {"origin": origin_document(entry.origin), "descriptor": described(entry)}


def version_document(version: Version) -> dict[str, Any]:
    return {
        "digest": version.digest,
        "version": version.descriptor.version,
        "origin": origin_document(version.origin),
        "replaced_ms": version.replaced_ms,
    }


def difference_document(function_id: str, found: Difference) -> dict[str, Any]:
    return {
        "id": function_id,
        "old": version_document(found.old),
        "new": version_document(found.new),
        "verdict": found.comparison.verdict,
        "changes": [
            {"path": each.path, "what": each.what, "breaking": each.breaking, "why": each.why.document()}
            for each in found.comparison.changes
        ],
    }


def conflict_document(conflict: Conflict) -> dict[str, Any]:
    return {"id": conflict.id, "kind": conflict.kind, "origins": [origin_document(each) for each in conflict.origins]}


def fault_document(found: LoadFault) -> dict[str, Any]:
    scope = str(found.scope) if found.scope is not None else ""
    return {"origin": origin_document(found.origin), "scope": scope, **found.fault.document()}


def provider_documents(provided: Sequence[Provided]) -> list[dict[str, Any]]:
    fits = sum(len(each.provider.manifest) for each in provided) <= MANIFESTS_BYTES
    return [_provider(each.provider, each, with_manifest=fits) for each in provided]


def _provider(provider: Provider, provided: Provided, *, with_manifest: bool) -> dict[str, Any]:
    return {
        "id": provider.id,
        "version": provider.version,
        "lang": provider.lang,
        "sdk": provider.sdk,
        "owner": provider.owner,
        "registered_ms": provider.registered_ms,
        "updated_ms": provider.updated_ms,
        "functions": sorted(provided.source.entries),
        "entities": sorted(provided.source.entities),
        "manifest": orjson.Fragment(provider.manifest) if with_manifest else None,
    }
