"""What is kept of what happened: the audit record, and for how long its rows, calls and jobs stay."""

from dataclasses import dataclass

from croupier.audit.signing import Signer
from croupier.objects import Objects
from croupier.server.access.audit import CHAIN_PURPOSE, SIGN_PURPOSE, Audit, Checkpoints
from croupier.server.access.audit.cutting import Cuts
from croupier.server.access.audit.reader import ChainReader, Keys
from croupier.server.access.audit_record import AuditRecord
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey
from croupier.server.archive import Archive
from croupier.server.audit_retention import AuditRetention
from croupier.server.retention import Kept, Retention
from croupier.settings import ServerSettings
from croupier.store import Store
from croupier.store.sql import system_clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """The audit record, what signs it from time to time, and what takes its beginning away."""

    record: AuditRecord
    checkpoints: Checkpoints
    cuts: Cuts


def audit_record(key: DeploymentKey, guard: Guard, store: Store, objects: Objects, audit: Audit) -> Record:
    signer = Signer(key.derive(SIGN_PURPOSE))
    checkpoints = Checkpoints(store.audit, objects, signer, system_clock)
    keys = Keys(chain=key.derive(CHAIN_PURPOSE), signer=signer)
    reader = ChainReader(store=store.audit, checkpoints=checkpoints, keys=keys, clock=system_clock)
    cuts = Cuts(
        store=store.audit, reader=reader, checkpoints=checkpoints, audit=audit, signer=signer, clock=system_clock
    )
    record = AuditRecord(
        guard=guard,
        store=store.audit,
        audit=audit,
        checkpoints=checkpoints,
        reader=reader,
        cuts=cuts,
        witness=signer.witness,
    )
    return Record(record=record, checkpoints=checkpoints, cuts=cuts)


def audit_retention_of(settings: ServerSettings, store: Store, archive: Archive, cuts: Cuts) -> AuditRetention | None:
    """None where the record is kept for ever."""
    if settings.retention_audit is None:
        return None
    kept_in = archive if settings.retention_archive else None
    return AuditRetention(
        store=store.audit, cuts=cuts, archive=kept_in, clock=system_clock, keep=settings.retention_audit
    )


def retention_of(settings: ServerSettings, store: Store, archive: Archive) -> Retention:
    kept = Kept(calls=settings.retention_calls, jobs=settings.retention_jobs)
    return Retention(
        store=store, archive=archive if settings.retention_archive else None, clock=system_clock, kept=kept
    )
