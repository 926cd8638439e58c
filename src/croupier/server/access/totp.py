"""Time-based codes as authenticator apps make them (RFC 6238: SHA-1, 30 s, 6 digits), and the codes for the day the app is lost."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyotp
import segno

SECRET_BYTES = 20
"""As long as the hash, which RFC 4226 recommends."""
STEP_SECONDS = 30
DRIFT_STEPS = 1
"""So many steps earlier and later are taken, for clocks that disagree and people who type slowly."""

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
"""80 bits: nobody guesses one."""

_CODE = re.compile(r"[0-9]{6}")
_RECOVERY_CODE = re.compile(r"[A-Z2-7]{16}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolment:
    """What a person needs once, to put the secret into an app."""

    secret: str = field(repr=False)
    """Base32, to be typed where no picture can be taken."""
    uri: str = field(repr=False)
    """otpauth://…"""
    qr_svg: str = field(repr=False)
    """The URI as a picture."""


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def enrolment(secret: bytes, account: str, issuer: str = "Croupier") -> Enrolment:
    text = base64.b32encode(secret).decode()
    uri = pyotp.TOTP(text).provisioning_uri(name=account, issuer_name=issuer)
    return Enrolment(secret=text, uri=uri, qr_svg=segno.make_qr(uri, error="m").svg_inline(scale=4))


def matching_step(secret: bytes, code: str, now_ms: int) -> int | None:
    """The time step, of those around now, whose code this is; None where it is of none."""
    totp = pyotp.TOTP(base64.b32encode(secret).decode(), interval=STEP_SECONDS)
    try:
        return totp.verify_and_get_timecode(code, for_time=now_ms // 1000, valid_window=DRIFT_STEPS)
    except pyotp.OTPVerificationError:
        return None


def is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


# ------------------------------------------------------------------------------------------------ recovery codes


def new_recovery_codes() -> list[str]:
    """`ABCD-EFGH-IJKL-MNOP`, ten of them."""
    return [_grouped(base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()) for _ in range(RECOVERY_CODES)]


def recovery_code(text: str) -> str:
    """As it was given out, however it was typed; empty where it is none."""
    bare = text.replace("-", "").replace(" ", "").upper()
    return _grouped(bare) if _RECOVERY_CODE.fullmatch(bare) else ""


def recovery_digest(key: bytes, user_id: str, code: str) -> str:
    return hmac.new(key, f"{user_id}\n{code}".encode(), hashlib.sha256).hexdigest()


def without(digests: Sequence[str], digest: str) -> tuple[str, ...]:
    """What is left when `digest` is used, in a time that says nothing of which it was."""
    return tuple(each for each in digests if not hmac.compare_digest(each, digest))


def _grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
