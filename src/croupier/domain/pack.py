"""What a server keeps of a pack: which of its versions counts, and which it had.

        install            disable
(none) ────────► enabled ◄─────────► disabled
                   │  ▲  ◄─┐ upgrade, roll back: the version changes, the state stays
         uninstall │  │ roll back
                   ▼  │
                uninstalled
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from croupier.errors import FailedPrecondition, NotFound

KEPT_VERSIONS = 10
"""So many of a pack's versions can be rolled back to; older ones are forgotten."""


class PackState(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackVersion:
    """One installation of a pack. Nothing of it changes."""

    digest: str
    """SHA-256 in hex of the content: the name under which the archive is kept."""
    version: str = ""
    category: str = ""
    signature: str = ""
    """As JSON; empty when it was taken unsigned."""
    signed_by: str = ""
    """Whose key it was, when it was installed."""
    installed_by: str
    installed_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPack:
    name: str
    state: PackState = PackState.ENABLED
    versions: tuple[PackVersion, ...]
    """Oldest first; the last is the one that counts. A version that was rolled back to stands there again."""
    changed_by: str
    changed_ms: int

    @property
    def current(self) -> PackVersion:
        return self.versions[-1]

    @property
    def installed(self) -> bool:
        return self.state is not PackState.UNINSTALLED


def install(known: InstalledPack | None, name: str, version: PackVersion) -> InstalledPack:
    """`version` is what counts from now on. A disabled pack stays so; one that was uninstalled is enabled."""
    earlier: Sequence[PackVersion] = known.versions if known else ()
    state = known.state if known and known.installed else PackState.ENABLED
    return InstalledPack(
        name=name,
        state=state,
        versions=(*earlier, version)[-KEPT_VERSIONS:],
        changed_by=version.installed_by,
        changed_ms=version.installed_ms,
    )


def earlier_version(known: InstalledPack, digest: str) -> PackVersion:
    """What to roll back to: the version with the digest that begins so, or, without one, the one before.

    An uninstalled pack rolls back to what it was. Raises FailedPrecondition or NotFound.
    """
    if not digest:
        if not known.installed:
            return known.current
        before = [each for each in known.versions if each.digest != known.current.digest]
        if not before:
            raise FailedPrecondition(f"pack {known.name} has no earlier version to roll back to")
        return before[-1]
    found = {each.digest: each for each in known.versions if each.digest.startswith(digest)}
    if len(found) != 1:
        many = "more than one version" if found else "no version"
        raise NotFound(f"pack {known.name} has {many} whose digest begins with {digest[:64]!a}: look at its versions")
    return next(iter(found.values()))


def change_state(known: InstalledPack, state: PackState, *, by: str, now_ms: int) -> InstalledPack:
    return replace(known, state=state, changed_by=by, changed_ms=now_ms)
