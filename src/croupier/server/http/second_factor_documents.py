"""Second factors as JSON."""

from dataclasses import dataclass

import msgspec

from croupier.server.access.second_factors import Standing
from croupier.server.access.totp import Enrolment


class FactorEnrolBody(msgspec.Struct, kw_only=True):
    password: str = ""
    """Yours; empty where you have none and signed in by an identity provider in the last ten minutes."""


class CodeBody(msgspec.Struct, kw_only=True):
    code: str
    """Six digits of the authenticator app, or a recovery code."""


BODIES: tuple[type, ...] = (FactorEnrolBody, CodeBody)


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFactorStanding:
    enrolled: bool
    confirmed_ms: int
    """Since when it is asked for; 0 where there is none."""
    recovery_codes: int
    """How many are left."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFactorEnrolment:
    secret: str
    """Base32, to be typed into an app."""
    uri: str
    """otpauth://…"""
    qr_svg: str
    """The URI as a picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryCodes:
    recovery_codes: list[str]
    """Shown this once. Each is good once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFactorProof:
    proved_ms: int
    """When this session last proved its second factor."""


def standing_document(standing: Standing | None) -> SecondFactorStanding:
    if standing is None:
        return SecondFactorStanding(enrolled=False, confirmed_ms=0, recovery_codes=0)
    return SecondFactorStanding(
        enrolled=True, confirmed_ms=standing.confirmed_ms, recovery_codes=standing.recovery_codes
    )


def enrolment_document(enrolment: Enrolment) -> SecondFactorEnrolment:
    return SecondFactorEnrolment(secret=enrolment.secret, uri=enrolment.uri, qr_svg=enrolment.qr_svg)
