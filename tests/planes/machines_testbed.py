"""Machines without a disk: an authority, certificates of every sort, and what is kept of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from tests.planes.audit_testbed import audit_in_memory

from croupier.domain.machine import Certificate, JoinToken, make_identity
from croupier.pki.authority import Authority, make_authority
from croupier.pki.identity import MachineFiles
from croupier.pki.request import make_request, read_request
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.access.machines import Machines

WIDE = {"server", "edge", "client"}


class MachinesInMemory:
    """`croupier.store.machines.MachineStore` for as long as a test lasts."""

    def __init__(self) -> None:
        self._certificates: dict[str, Certificate] = {}
        self._tokens: dict[str, JoinToken] = {}

    async def put_certificate(self, certificate: Certificate) -> None:
        self._certificates[certificate.serial] = certificate

    async def certificates(self) -> list[Certificate]:
        return list(self._certificates.values())

    async def put_token(self, token: JoinToken) -> None:
        self._tokens[token.id] = token

    async def tokens(self) -> list[JoinToken]:
        return list(self._tokens.values())

    async def redeem(self, token_id: str, certificate: Certificate, now_ms: int) -> bool:
        token = self._tokens.get(token_id)
        if token is None or token.used_ms or token.revoked_ms or token.expires_ms <= now_ms:
            return False
        self._tokens[token_id] = replace(token, used_ms=now_ms, serial=certificate.serial)
        self._certificates[certificate.serial] = certificate
        return True

    async def forget(self, before_ms: int) -> None:
        self._certificates = {
            serial: each for serial, each in self._certificates.items() if not 0 < each.not_after_ms < before_ms
        }


def machines_in_memory(guard: Guard, clock: Any, audit: Audit | None = None) -> Machines:
    authority = make_authority("studio")
    return Machines(
        guard=guard, audit=audit or audit_in_memory(), store=MachinesInMemory(), authority=authority, clock=clock
    )


def certified(authority: Authority, folder: Path, role: str, name: str = "", **changes: Any) -> MachineFiles:
    """The files of a machine with a certificate of `authority`, in a folder of its own."""
    wide = "*" if role in WIDE else ""
    identity = make_identity(
        deployment=authority.deployment,
        role=role,
        game_id=changes.pop("game_id", wide or "demo"),
        env=changes.pop("env", wide or "dev"),
        id=name or f"{role}-1",
    )
    hosts = changes.pop("hosts", ())
    files = MachineFiles.of_folder(folder)
    request = read_request(make_request(files.begin(), identity, hosts))
    certificate = authority.issue(identity, hosts, request, **changes)
    files.replace(certificate.public_bytes(serialization.Encoding.PEM), authority.certificate_pem)
    return files


def named(files: MachineFiles) -> dict[str, Any]:
    """As settings."""
    return {"ca": files.ca_path, "cert": files.cert_path, "key": files.key_path}
