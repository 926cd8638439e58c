"""PORT: what must be kept of machines' certificates and join tokens. The promises of `croupier.store` hold here too."""

from typing import Protocol

from croupier.domain.machine import Certificate, JoinToken


class MachineStore(Protocol):
    async def put_certificate(self, certificate: Certificate) -> None:
        """Keep it, in place of what was kept under its serial."""

    async def certificates(self) -> list[Certificate]:
        """In the order in which they were issued."""

    async def put_token(self, token: JoinToken) -> None:
        """Keep it, in place of what was kept under its id."""

    async def tokens(self) -> list[JoinToken]:
        """In the order in which they were made."""

    async def redeem(self, token_id: str, certificate: Certificate, now_ms: int) -> bool:
        """Mark a token as used and keep the certificate, both or none. False where it is used, revoked, expired or unknown."""

    async def forget(self, before_ms: int) -> None:
        """Forget certificates and tokens whose time was over before then."""
