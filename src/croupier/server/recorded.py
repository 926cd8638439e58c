"""What is kept of what happened: the audit record, and for how long calls and jobs stay."""

from dataclasses import dataclass

from croupier.audit.signing import Signer
from croupier.objects import Objects
from croupier.server.access.audit import CHAIN_PURPOSE, SIGN_PURPOSE, Audit, Checkpoints
from croupier.server.access.audit_record import AuditRecord, Keys
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey
from croupier.server.archive import Archive
from croupier.server.retention import Kept, Retention
from croupier.settings import ServerSettings
from croupier.store import Store
from croupier.store.sql import system_clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """The audit record, and what signs it from time to time."""

    record: AuditRecord
    checkpoints: Checkpoints


def audit_record(key: DeploymentKey, guard: Guard, store: Store, objects: Objects, audit: Audit) -> Record:
    signer = Signer(key.derive(SIGN_PURPOSE))
    checkpoints = Checkpoints(store.audit, objects, signer, system_clock)
    record = AuditRecord(
        guard=guard,
        store=store.audit,
        audit=audit,
        checkpoints=checkpoints,
        keys=Keys(chain=key.derive(CHAIN_PURPOSE), signer=signer),
        clock=system_clock,
    )
    return Record(record=record, checkpoints=checkpoints)


def retention_of(settings: ServerSettings, store: Store, archive: Archive) -> Retention:
    kept = Kept(calls=settings.retention_calls, jobs=settings.retention_jobs)
    return Retention(
        store=store, archive=archive if settings.retention_archive else None, clock=system_clock, kept=kept
    )
