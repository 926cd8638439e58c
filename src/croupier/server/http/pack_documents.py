"""Packs as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from croupier.descriptors import Fault
from croupier.domain.pack import PackState, PackVersion
from croupier.packs.dependencies import Obstacle
from croupier.packs.differences import DescriptionDifference
from croupier.server.packs import Held, Outcome, Step


@dataclass(frozen=True, kw_only=True, slots=True)
class PackNeed:
    id: str
    version: str
    """A range of versions; empty: any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackEntry:
    name: str
    title: dict[str, str]
    version: str
    category: str
    description: dict[str, str]
    state: PackState
    origin: str
    """installed | folder: it lies in a folder of the server's settings and is changed there"""
    digest: str
    signed_by: str
    """Whose trusted key signed it; empty where nobody's did."""
    installed_by: str
    installed_ms: int
    functions: list[str]
    entities: list[str]
    dependencies: list[PackNeed]
    dependants: list[str]
    """Enabled packs that need this one."""
    problem: str
    """Why it cannot be read; empty when it can."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackVersionEntry:
    version: str
    digest: str
    signed_by: str
    installed_by: str
    installed_ms: int
    current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PackFileEntry:
    name: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PackFault:
    """One thing that is wrong with a pack, or with any other description."""

    file: str
    path: str
    """JSONPath"""
    message: dict[str, str]
    """By language: en, zh."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackDetail(PackEntry):
    manifest: Any
    """As it was written."""
    versions: list[PackVersionEntry]
    """Newest first."""
    files: list[PackFileEntry]
    notes: list[PackFault]
    """What is odd and does no harm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackCounts:
    packs: int
    enabled: int
    descriptors: int
    """Functions and entities of enabled packs; the next two are its parts."""
    functions: int
    entities: int
    ui_schema: int
    web_plugins: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PackList:
    manifest: Any
    """What the enabled packs hold together: `{functions: [{id, version, category, pack}], web_plugins: [path]}`."""
    counts: PackCounts
    etag: str
    export_auth_required: bool
    packs: list[PackEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackFileChange:
    name: str
    what: str
    """added | removed | changed"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackDescriptionChange:
    id: str
    what: str
    """added | removed | changed"""
    verdict: str
    """new | same | compatible | breaking"""
    changes: list[dict[str, Any]]
    """Of one that changed, the breaking ones first: {path, what, breaking, why: {en, zh}}"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackStep:
    name: str
    action: str
    """install | upgrade | unchanged | uninstall | enable | disable | rollback"""
    old_version: str
    new_version: str
    old_digest: str
    new_digest: str
    signed_by: str
    verdict: str
    """new | same | compatible | breaking"""
    files: list[PackFileChange]
    descriptions: list[PackDescriptionChange]
    notes: list[PackFault]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackObstacle:
    kind: str
    """missing | version | cycle | conflict | untrusted"""
    pack: str
    other: str
    subject: str
    message: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackChange:
    """What a change did, or would do."""

    dry_run: bool
    accepted: bool
    """Whether it was done; of a dry run: whether it would be."""
    etag: str
    packs: list[PackStep]
    obstacles: list[PackObstacle]
    faults: list[PackFault]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackReload:
    etag: str
    packs: int
    faults: list[PackFault]


def list_document(held: Sequence[Held], tag: str, dependants: Mapping[str, list[str]]) -> PackList:
    enabled = [each for each in held if each.enabled]
    packs = [each.pack for each in enabled if each.pack is not None]
    functions = [
        {"id": each.id, "version": each.version, "category": each.category, "labels": each.labels, "pack": pack.name}
        for pack in packs
        for each in pack.functions
    ]
    plugins = [f"{pack.name}/{plugin.path}" for pack in packs for plugin in pack.web_plugins]
    entities = sum(len(pack.entities) for pack in packs)
    return PackList(
        manifest={"functions": functions, "web_plugins": plugins},
        counts=PackCounts(
            packs=len(held),
            enabled=len(enabled),
            descriptors=len(functions) + entities,
            functions=len(functions),
            entities=entities,
            ui_schema=sum(len(pack.ui) for pack in packs),
            web_plugins=len(plugins),
        ),
        etag=tag,
        export_auth_required=True,
        packs=[PackEntry(**_fields(each, dependants.get(each.record.name, []))) for each in held],
    )


def detail_document(held: Held, dependants: list[str]) -> PackDetail:
    pack, record = held.pack, held.record
    current = record.current if record.installed else None
    return PackDetail(
        **_fields(held, dependants),
        manifest=pack.manifest.document() if pack else None,
        versions=[_version(each, current=each is current) for each in reversed(record.versions)],
        files=[PackFileEntry(name=name, bytes=len(content)) for name, content in (pack.files if pack else {}).items()],
        notes=fault_documents(pack.notes if pack else ()),
    )


def change_document(outcome: Outcome) -> PackChange:
    return PackChange(
        dry_run=outcome.dry_run,
        accepted=outcome.accepted,
        etag=outcome.tag,
        packs=[_step(each) for each in outcome.steps],
        obstacles=[_obstacle(each) for each in outcome.obstacles],
        faults=fault_documents(outcome.faults),
    )


def reload_document(held: Sequence[Held], tag: str, faults: Iterable[Fault]) -> PackReload:
    broken = [
        PackFault(file=each.record.name, path="$", message={"en": each.problem, "zh": each.problem})
        for each in held
        if each.problem
    ]
    return PackReload(etag=tag, packs=len(held), faults=[*broken, *fault_documents(faults)])


def fault_documents(faults: Iterable[Fault]) -> list[PackFault]:
    return [PackFault(file=each.file, path=each.path, message=each.message.document()) for each in faults]


def _fields(held: Held, dependants: list[str]) -> dict[str, Any]:
    pack, current = held.pack, held.record.current
    manifest = pack.manifest if pack else None
    needs = manifest.dependencies if manifest else ()
    return {
        "name": held.record.name,
        "title": manifest.name if manifest else {},
        "version": current.version,
        "category": current.category,
        "description": manifest.description if manifest else {},
        "state": held.record.state,
        "origin": "folder" if held.lying else "installed",
        "digest": current.digest,
        "signed_by": current.signed_by,
        "installed_by": current.installed_by,
        "installed_ms": current.installed_ms,
        "functions": [each.id for each in pack.functions] if pack else [],
        "entities": [each.id for each in pack.entities] if pack else [],
        "dependencies": [PackNeed(id=each.id, version=each.version) for each in needs],
        "dependants": dependants,
        "problem": held.problem,
    }


def _version(version: PackVersion, *, current: bool) -> PackVersionEntry:
    return PackVersionEntry(
        version=version.version,
        digest=version.digest,
        signed_by=version.signed_by,
        installed_by=version.installed_by,
        installed_ms=version.installed_ms,
        current=current,
    )


def _step(step: Step) -> PackStep:
    found = step.difference
    return PackStep(
        name=found.name,
        action=step.action,
        old_version=found.old_version,
        new_version=found.new_version,
        old_digest=found.old_digest,
        new_digest=found.new_digest,
        signed_by=step.signed_by,
        verdict=found.verdict,
        files=[PackFileChange(name=each.name, what=each.what) for each in found.files],
        descriptions=[_description(each) for each in found.descriptions],
        notes=fault_documents(step.notes),
    )


def _description(found: DescriptionDifference) -> PackDescriptionChange:
    verdict = "new" if found.what == "added" else "breaking" if found.breaking else "compatible"
    return PackDescriptionChange(
        id=found.name, what=found.what, verdict=verdict, changes=[change.document() for change in found.changes]
    )


def _obstacle(found: Obstacle) -> PackObstacle:
    return PackObstacle(
        kind=found.kind,
        pack=found.pack,
        other=found.other,
        subject=found.subject,
        message={"en": found.message, "zh": found.message_zh},
    )
