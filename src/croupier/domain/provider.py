"""Who describes functions that others call, and what was said."""

from dataclasses import dataclass

from croupier.domain.limits import KEY_BYTES
from croupier.errors import InvalidArgument

MANIFEST_BYTES = 4_000_000
"""The largest manifest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """A provider and its manifest, as it was accepted."""

    id: str
    version: str = ""
    lang: str = ""
    sdk: str = ""
    owner: str
    """Who registered the id first, or was given it since: only they may register it again."""
    manifest: bytes
    """JSON"""
    sha256: str
    """Of the manifest, as hex digits."""
    registered_ms: int
    updated_ms: int


def check_provider_id(provider_id: str) -> None:
    """Raises InvalidArgument."""
    if not 0 < len(provider_id.encode(errors="replace")) <= KEY_BYTES or not provider_id.isprintable():
        raise InvalidArgument(f"provider.id must have 1 to {KEY_BYTES} bytes, without control characters")
