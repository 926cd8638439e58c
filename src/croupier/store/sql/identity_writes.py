"""What can be asked of the writer about people of identity providers. Applied in the order asked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, delete, insert

from croupier.domain.identity import IdentityLink
from croupier.store.sql.tables import identities
from croupier.store.sql.writes import Write

_INSERT = insert(identities)
_DELETE = delete(identities).where(
    identities.c.issuer == bindparam("known_issuer"), identities.c.subject == bindparam("known_subject")
)


@dataclass(frozen=True, slots=True, eq=False)
class LinkIdentity(Write[None]):
    link: IdentityLink


def link_identities(connection: Connection, writes: Sequence[LinkIdentity]) -> None:
    for write in writes:
        connection.execute(_DELETE, {"known_issuer": write.link.issuer, "known_subject": write.link.subject})
        connection.execute(_INSERT, asdict(write.link))
