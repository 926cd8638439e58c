"""Secrets as they are kept: sealed, in versions.

    a version:  enabled ◄──► disabled
                   └──► destroyed ◄──┘        (its value is gone)

The newest enabled version is the one that is used. Numbers are never given twice.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from croupier.codes import Code
from croupier.domain.limit import check_reach
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, InvalidArgument, NotFound

MOST_SECRETS = 1_000
VALUE_BYTES = 64 * 1024
MOST_VERSIONS = 20
"""That are not destroyed; destroyed ones beyond are forgotten."""
NOTE_CHARACTERS = 1_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class VersionState(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    DESTROYED = "destroyed"


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretVersion:
    number: int
    state: VersionState = VersionState.ENABLED
    key_id: str
    """Of the key-encryption key that its data key is wrapped with."""
    wrapped: bytes
    """Its data key, sealed by that one; empty once destroyed."""
    sealed: bytes
    """Its value, sealed by the data key; empty once destroyed."""
    created_by: str
    created_ms: int


@dataclass(frozen=True, slots=True, order=True)
class SecretPlace:
    """A name is its own in every game and env, each `*` for those that have none of their own."""

    name: str
    game_id: str = "*"
    env: str = "*"

    def __str__(self) -> str:
        return f"{self.name} of {self.game_id}|{self.env}"

    @property
    def scope(self) -> Scope | None:
        """None where it is not of one game and env alone. Raises InvalidArgument."""
        return check_reach(self.game_id, self.env)


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    place: SecretPlace
    versions: tuple[SecretVersion, ...] = ()
    """Oldest first."""
    last: int = 0
    """The highest number that was given."""
    note: str = ""
    changed_by: str
    changed_ms: int

    @property
    def current(self) -> SecretVersion | None:
        """What is used; None where no version is enabled."""
        return next((each for each in reversed(self.versions) if each.state is VersionState.ENABLED), None)

    def version(self, number: int) -> SecretVersion:
        """Raises NotFound."""
        for each in self.versions:
            if each.number == number:
                return each
        raise NotFound(f"secret {self.place} has no version {number}")


def check_place(place: SecretPlace) -> None:
    """Raises InvalidArgument."""
    if not _NAME.fullmatch(place.name):
        raise InvalidArgument(
            "a secret's name is 1 to 128 letters, digits, '.', '_' or '-', beginning with a letter or digit",
            {"field": "secret"},
            code=Code.NAME_WRONG,
        )
    if place.game_id == "*" and place.env != "*":
        raise InvalidArgument(
            "a secret is of a game and env, of a game, or of the platform: name the game of the env",
            {"field": "game_id"},
            code=Code.SCOPE_MISSING,
        )
    check_reach(place.game_id, place.env)


def check_value(value: bytes) -> None:
    """Raises InvalidArgument, which says nothing of the value."""
    if not value:
        raise InvalidArgument(
            "an empty value keeps no secret: send the value",
            code=Code.SECRET_EMPTY,
        )
    if len(value) > VALUE_BYTES:
        raise InvalidArgument(
            f"a secret has at most {VALUE_BYTES} bytes",
            {"most": str(VALUE_BYTES)},
            code=Code.SECRET_TOO_LARGE,
        )


def add(secret: Secret, version: SecretVersion) -> Secret:
    """Raises FailedPrecondition when there are too many versions."""
    kept = [each for each in secret.versions if each.state is not VersionState.DESTROYED]
    if len(kept) >= MOST_VERSIONS:
        raise FailedPrecondition(f"secret {secret.place} has {MOST_VERSIONS} versions: destroy some of them first")
    return replace(
        secret, versions=(*secret.versions[-2 * MOST_VERSIONS :], version), last=version.number,
        changed_by=version.created_by, changed_ms=version.created_ms,
    )  # fmt: skip


def move(secret: Secret, number: int, state: VersionState, *, by: str, now_ms: int) -> Secret:
    """The secret with that version in that state; destroyed, its value is gone. Raises NotFound, FailedPrecondition."""
    if secret.version(number).state is VersionState.DESTROYED and state is not VersionState.DESTROYED:
        raise FailedPrecondition(f"version {number} of secret {secret.place} is destroyed: set a new value")

    def moved(each: SecretVersion) -> SecretVersion:
        if state is VersionState.DESTROYED:
            return replace(each, state=state, wrapped=b"", sealed=b"")
        return replace(each, state=state)

    return replace(changed(secret, moved, number), changed_by=by, changed_ms=now_ms)


def changed(secret: Secret, change: Callable[[SecretVersion], SecretVersion], number: int | None = None) -> Secret:
    """With every version changed, or the one of that number."""
    versions = tuple(change(each) if number in (None, each.number) else each for each in secret.versions)
    return replace(secret, versions=versions)


def nearest(scope: Scope | None, name: str) -> list[SecretPlace]:
    """Where a name is looked for, in this order: the scope's own, its game's, the platform's."""
    own = [] if scope is None else [SecretPlace(name, scope.game_id, scope.env), SecretPlace(name, scope.game_id)]
    return [*own, SecretPlace(name)]
