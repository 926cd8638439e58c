"""What can be asked of the writer about second factors. Applied in the order asked."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, bindparam, delete, insert

from croupier.domain.second_factor import SecondFactor
from croupier.store.sql.tables import second_factors
from croupier.store.sql.writes import Write

_INSERT = insert(second_factors)
_DELETE = delete(second_factors).where(second_factors.c.user_id == bindparam("known"))


@dataclass(frozen=True, slots=True, eq=False)
class ReplaceSecondFactor(Write[None]):
    user_id: str
    factor: SecondFactor | None


def replace_second_factors(connection: Connection, writes: Sequence[ReplaceSecondFactor]) -> None:
    for write in writes:
        connection.execute(_DELETE, {"known": write.user_id})
        if write.factor is not None:
            connection.execute(_INSERT, _row(write.factor))


def _row(factor: SecondFactor) -> dict[str, object]:
    return {
        "user_id": factor.user_id,
        "sealed": factor.sealed,
        "confirmed_ms": factor.confirmed_ms,
        "last_step": factor.last_step,
        "recovery": orjson.dumps(factor.recovery).decode(),
    }
