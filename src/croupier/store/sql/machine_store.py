import orjson
from sqlalchemy import Connection, select

from croupier.domain.machine import Certificate, JoinToken, MachineRole
from croupier.store.sql import tables
from croupier.store.sql.bulk_store import Read
from croupier.store.sql.machine_writes import ForgetMachines, PutCertificate, PutToken, Redeem
from croupier.store.sql.writer import Writer


class SqlMachineStore:
    """`croupier.store.machines.MachineStore` on the writer and the readers of a `SqlStore`."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def put_certificate(self, certificate: Certificate) -> None:
        await self._writer.submit(PutCertificate(certificate))

    async def certificates(self) -> list[Certificate]:
        return await self._read(_certificates)

    async def put_token(self, token: JoinToken) -> None:
        await self._writer.submit(PutToken(token))

    async def tokens(self) -> list[JoinToken]:
        return await self._read(_tokens)

    async def redeem(self, token_id: str, certificate: Certificate, now_ms: int) -> bool:
        return bool(await self._writer.submit(Redeem(token_id, certificate, now_ms)))

    async def forget(self, before_ms: int) -> None:
        await self._writer.submit(ForgetMachines(before_ms))


def _certificates(connection: Connection) -> list[Certificate]:
    kept = tables.certificates
    rows = connection.execute(select(kept).order_by(kept.c.issued_ms, kept.c.serial))
    return [Certificate(**row) for row in rows.mappings()]


def _tokens(connection: Connection) -> list[JoinToken]:
    kept = tables.join_tokens
    rows = connection.execute(select(kept).order_by(kept.c.created_ms, kept.c.id))
    return [
        JoinToken(**{**row, "role": MachineRole(row["role"]), "hosts": tuple(orjson.loads(row["hosts"]))})
        for row in rows.mappings()
    ]
