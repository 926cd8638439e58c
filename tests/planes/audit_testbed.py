"""The audit record without a disk."""

from tests.planes.objects_testbed import ObjectsInMemory

from croupier.audit.chain import Chain
from croupier.audit.macs import Macs
from croupier.audit.signing import Signer
from croupier.domain.audit import AuditFilter, AuditPage, Checkpoint, Cut, Head, Note, SealedRow
from croupier.server.access.audit import Audit, Checkpoints, Masker
from croupier.server.access.audit.cutting import Cuts
from croupier.server.access.audit.reader import ChainReader, Keys
from croupier.server.access.audit_record import AuditRecord
from croupier.server.access.guard import Guard

KEY = b"k" * 32


class AuditInMemory:
    """`croupier.store.audit.AuditStore` for as long as a test lasts; it finds everything, whatever is looked for."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.kept: list[SealedRow] = []
        self.marks: list[Checkpoint] = []
        self.cut_off: list[Cut] = []
        self._chain = Chain(Macs(KEY))

    unwritten = 0

    async def record(self, *notes: Note, durable: bool = True) -> None:
        self.notes += notes
        self.kept += [self._chain.add(note, 7) for note in notes]

    async def head(self) -> Head:
        return self._chain.head

    async def rows(self, after: int, limit: int) -> list[SealedRow]:
        return [each for each in self.kept if each.seq > after][:limit]

    async def row(self, seq: int) -> SealedRow | None:
        return next((each for each in self.kept if each.seq == seq), None)

    async def misfiled(self, after: int, up_to: int, limit: int) -> list[int]:
        return []

    async def search(self, which: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
        return AuditPage(self.kept[::-1][:limit])

    async def old(self, before_ms: int, most: int | None = None) -> SealedRow | None:
        return self.kept[:most][-1] if self.kept else None

    async def put_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.marks.append(checkpoint)

    async def checkpoints(self, after: int, limit: int) -> list[Checkpoint]:
        return [each for each in self.marks if each.seq > after][:limit]

    async def cut(self, cut: Cut) -> None:
        self.cut_off.append(cut)
        self.kept = [each for each in self.kept if each.seq > cut.up_to]
        self.marks = [each for each in self.marks if each.seq > cut.up_to]

    async def cuts(self) -> list[Cut]:
        return self.cut_off


def audit_in_memory(store: AuditInMemory | None = None) -> Audit:
    return Audit(store or AuditInMemory(), Masker(KEY))


def record_in_memory(guard: Guard, store: AuditInMemory | None = None) -> AuditRecord:
    store, signer = store or AuditInMemory(), Signer(KEY)
    audit, checkpoints = audit_in_memory(store), Checkpoints(store, ObjectsInMemory(), signer, lambda: 7)
    reader = ChainReader(store=store, checkpoints=checkpoints, keys=Keys(chain=KEY, signer=signer), clock=lambda: 7)
    return AuditRecord(
        guard=guard,
        store=store,
        audit=audit,
        checkpoints=checkpoints,
        reader=reader,
        cuts=Cuts(store=store, reader=reader, checkpoints=checkpoints, audit=audit, signer=signer, clock=lambda: 7),
        witness=signer.witness,
    )
