"""What can be asked of the writer about machines. Applied in the order asked."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, update

from croupier.domain.machine import Certificate, JoinToken
from croupier.store.sql.tables import certificates, join_tokens
from croupier.store.sql.writes import Write

_INSERT_CERTIFICATE = insert(certificates)
_DELETE_CERTIFICATE = delete(certificates).where(certificates.c.serial == bindparam("known"))
_INSERT_TOKEN = insert(join_tokens)
_DELETE_TOKEN = delete(join_tokens).where(join_tokens.c.id == bindparam("known"))
_USE_TOKEN = (
    update(join_tokens)
    .where(join_tokens.c.id == bindparam("token"))
    .where(join_tokens.c.used_ms == 0)
    .where(join_tokens.c.revoked_ms == 0)
    .where(join_tokens.c.expires_ms > bindparam("now"))
    .values(used_ms=bindparam("now"), serial=bindparam("given"))
)
_FORGET_CERTIFICATES = delete(certificates).where(certificates.c.not_after_ms.between(1, bindparam("before")))
_FORGET_TOKENS = delete(join_tokens).where(join_tokens.c.expires_ms < bindparam("before"))


class MachineWrite(Write[Any]):
    __slots__ = ()

    @abstractmethod
    def run(self, connection: Connection) -> object: ...


@dataclass(frozen=True, slots=True, eq=False)
class PutCertificate(MachineWrite):
    certificate: Certificate

    def run(self, connection: Connection) -> None:
        _put_certificate(connection, self.certificate)


@dataclass(frozen=True, slots=True, eq=False)
class PutToken(MachineWrite):
    token: JoinToken

    def run(self, connection: Connection) -> None:
        row = asdict(self.token) | {
            "role": self.token.role.value,
            "hosts": orjson.dumps(self.token.hosts).decode(),
        }
        connection.execute(_DELETE_TOKEN, {"known": self.token.id})
        connection.execute(_INSERT_TOKEN, row)


@dataclass(frozen=True, slots=True, eq=False)
class Redeem(MachineWrite):
    token_id: str
    certificate: Certificate
    now_ms: int

    def run(self, connection: Connection) -> bool:
        values = {"token": self.token_id, "now": self.now_ms, "given": self.certificate.serial}
        if connection.execute(_USE_TOKEN, values).rowcount != 1:
            return False
        _put_certificate(connection, self.certificate)
        return True


@dataclass(frozen=True, slots=True, eq=False)
class ForgetMachines(MachineWrite):
    before_ms: int

    def run(self, connection: Connection) -> None:
        connection.execute(_FORGET_CERTIFICATES, {"before": self.before_ms})
        connection.execute(_FORGET_TOKENS, {"before": self.before_ms})


def _put_certificate(connection: Connection, certificate: Certificate) -> None:
    connection.execute(_DELETE_CERTIFICATE, {"known": certificate.serial})
    connection.execute(_INSERT_CERTIFICATE, asdict(certificate))


def apply_machines(connection: Connection, writes: Sequence[MachineWrite]) -> dict[Write[Any], object]:
    return {write: write.run(connection) for write in writes}
