"""What is kept of a person's second factor: one secret for time-based codes (RFC 6238), and codes for the day it is lost."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFactor:
    """A confirmed one. Neither the secret nor a recovery code can be read from it without the deployment's key."""

    user_id: str
    sealed: bytes = field(repr=False)
    """The secret, encrypted."""
    confirmed_ms: int
    last_step: int = 0
    """The time step of the last code that was taken: it and all before it are refused."""
    recovery: tuple[str, ...] = field(default=(), repr=False)
    """Keyed digests of the recovery codes that were not used yet."""
