"""Machines as JSON. A join token's secret is in one answer only, that to its making."""

import time
from dataclasses import dataclass
from typing import Any

from croupier.domain.machine import Certificate, JoinToken
from croupier.server.access.machines import Invitation, Issued


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorityDocument:
    deployment: str
    fingerprint: str
    """SHA-256 of the certificate; join tokens end with it."""
    ca: str
    """PEM"""


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateEntry:
    serial: str
    identity: str
    state: str
    """valid | expired | revoked"""
    not_before_ms: int
    not_after_ms: int
    issued_ms: int
    issued_by: str
    revoked_ms: int
    revoked_by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateList:
    certificates: list[CertificateEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedDocument:
    serial: str
    identity: str
    not_after_ms: int
    certificate: str
    """PEM"""
    ca: str
    """PEM"""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinTokenEntry:
    id: str
    state: str
    """open | used | expired | withdrawn"""
    role: str
    game_id: str
    env: str
    machine_id: str
    """Empty: the machine chooses."""
    hosts: list[str]
    created_ms: int
    created_by: str
    expires_ms: int
    used_ms: int
    serial: str
    """Of the certificate that was given for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinTokenList:
    join_tokens: list[JoinTokenEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationDocument:
    join_token: JoinTokenEntry
    token: str
    """For the machine; it is not shown again."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def certificate_document(certificate: Certificate, now: int) -> dict[str, Any]:
    state = "revoked" if certificate.revoked_ms else "valid"
    if state == "valid" and certificate.not_after_ms <= now:
        state = "expired"
    return {
        "serial": certificate.serial,
        "identity": certificate.identity,
        "state": state,
        "not_before_ms": certificate.not_before_ms,
        "not_after_ms": certificate.not_after_ms,
        "issued_ms": certificate.issued_ms,
        "issued_by": certificate.issued_by,
        "revoked_ms": certificate.revoked_ms,
        "revoked_by": certificate.revoked_by,
        "reason": certificate.reason,
    }


def issued_document(issued: Issued) -> dict[str, Any]:
    return {
        "serial": issued.certificate.serial,
        "identity": issued.certificate.identity,
        "not_after_ms": issued.certificate.not_after_ms,
        "certificate": issued.pem.decode(),
        "ca": issued.ca_pem.decode(),
    }


def token_document(token: JoinToken, now: int) -> dict[str, Any]:
    state = "expired" if token.expires_ms <= now else "open"
    if token.used_ms or token.revoked_ms:
        state = "used" if token.used_ms else "withdrawn"
    return {
        "id": token.id,
        "state": state,
        "role": token.role.value,
        "game_id": token.game_id,
        "env": token.env,
        "machine_id": token.machine_id,
        "hosts": list(token.hosts),
        "created_ms": token.created_ms,
        "created_by": token.created_by,
        "expires_ms": token.expires_ms,
        "used_ms": token.used_ms,
        "serial": token.serial,
    }


def invitation_document(invitation: Invitation, now: int) -> dict[str, Any]:
    return {"join_token": token_document(invitation.token, now), "token": invitation.text}
