"""Who somebody is at an identity provider, and which account that is here."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What a provider said of the person that it let in."""

    issuer: str
    subject: str
    """The only thing that tells people apart: names and addresses change, and are given to others."""
    name: str = ""
    """What the person is called there; a wish for a name here."""
    display_name: str = ""
    email: str = ""
    """Empty unless the provider says that it was verified."""
    groups: frozenset[str] = frozenset()
    """As they are called here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityLink:
    """One person of a provider is one account here. Nothing of it changes."""

    issuer: str
    subject: str
    user_id: str
    linked_ms: int
