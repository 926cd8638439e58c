"""Secrets that the server needs for itself, by the names that its settings give. They are asked for at each use, which is on
record: a new version is used at once, and one that was taken back no more.
"""

from typing import Protocol


class OwnSecrets(Protocol):
    async def own(self, name: str, *, purpose: str) -> str:
        """Raises NotFound, FailedPrecondition where it cannot be used, Unavailable where its use cannot be recorded."""
