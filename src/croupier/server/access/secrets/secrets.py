import asyncio
import builtins
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from pydantic import SecretBytes

from croupier.codes import Code
from croupier.domain.audit import SYSTEM as CROUPIER
from croupier.domain.limit import meets
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.domain.secret import (
    MOST_SECRETS,
    NOTE_CHARACTERS,
    Secret,
    SecretPlace,
    SecretVersion,
    VersionState,
    add,
    changed,
    check_place,
    check_value,
    move,
    nearest,
)
from croupier.errors import FailedPrecondition, InvalidArgument, NotFound
from croupier.redaction import Patterns, Redactor
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.access.secrets.envelope import Envelope
from croupier.store.secrets import SecretStore

log = logging.getLogger(__name__)

SYSTEM = "system"
"""The kind of those who act for the server itself; no request makes one."""


class Secrets:
    """`begin` comes first. What is set is looked for, from then on, in all that flows out (`redactor`)."""

    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        store: SecretStore,
        envelope: Envelope,
        redactor: Redactor,
        clock: Callable[[], int],
    ) -> None:
        self._guard = guard
        self._audit = audit
        self._store = store
        self._envelope = envelope
        self._redactor = redactor
        self._clock = clock
        self._known: dict[SecretPlace, Secret] = {}
        self._plain: dict[tuple[SecretPlace, int], bytes] = {}
        """Of all versions that are not destroyed, for the redactor."""
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        """Wrap anew what an earlier key wraps. What no key here opens stays as it is, and cannot be used."""
        self._known = {each.place: each for each in await self._store.all()}
        stale = [each for each in self._known.values() if any(map(self._envelope.is_stale, each.versions))]
        renewed = [found for each in stale if (found := self._rewrapped(each)) is not None]
        if renewed:
            await self._store.put(renewed)
            self._known.update((each.place, each) for each in renewed)
            log.info("%d secrets are wrapped with key %s now", len(renewed), self._envelope.key_id)
        self._plain = await asyncio.to_thread(self._opened, self._known.values())
        await self._look_for()

    # ------------------------------------------------------------------------------------------------ use

    async def resolve(self, name: str, *, purpose: str, caller: Principal, scope: Scope | None = None) -> SecretBytes:
        """The value that is used now: the scope's own, else its game's, else the platform's. `purpose` says in the audit record
        what for.

        Only for use inside the server: whoever calls this must not show it. Raises NotFound, PermissionDenied, and
        FailedPrecondition where no version can be used.
        """
        if caller.kind != SYSTEM:
            await self._guard.require(caller, "secrets.use", scope, name)
        secret = next((self._known[place] for place in nearest(scope, name) if place in self._known), None)
        if secret is None:
            raise NotFound(
                f"there is no secret {name[:128]!a} for {scope or 'the platform'}: `croupier secret set` makes one"
            )
        current = secret.current
        if current is None:
            raise FailedPrecondition(f"secret {secret.place} has no enabled version: enable one, or set it anew")
        value = self._envelope.open(secret.place, current)
        details = {"place": str(secret.place), "version": current.number, "purpose": purpose}
        await self._audit.event(caller, "secrets.use", scope=scope, target=name, details=details)
        return SecretBytes(value)

    async def own(self, name: str, *, purpose: str) -> str:
        """A secret of the platform that the server's settings name, as text without white space around it.

        Raises NotFound, and FailedPrecondition where it is no text or cannot be used.
        """
        value = await self.resolve(name, purpose=purpose, caller=CROUPIER)
        try:
            text = value.get_secret_value().decode().strip()
        except UnicodeDecodeError:
            text = ""
        if not text:
            raise FailedPrecondition(f"secret {name} is no text: set it anew")
        return text

    # ------------------------------------------------------------------------------------------------ administration

    async def list(self, caller: Principal) -> builtins.list[Secret]:
        """Those of where the caller may see them, by place; nobody gets to see a value."""
        within = await self._guard.where(caller, "secrets.read", None)
        found = [secret for _, secret in sorted(self._known.items())]
        return [each for each in found if meets(within, each.place.game_id, each.place.env)]

    async def get(self, caller: Principal, place: SecretPlace) -> Secret:
        """Raises NotFound."""
        await self._guard.require(caller, "secrets.read", _scope(place), place.name)
        return self._secret(place)

    async def set(self, caller: Principal, place: SecretPlace, value: bytes, note: str | None = None) -> Secret:
        """Make it, or give it a new version, which is used from now on. Raises InvalidArgument."""
        check_place(place)
        await self._guard.require(caller, "secrets.manage", place.scope, place.name)
        check_value(value)
        if note is not None and len(note) > NOTE_CHARACTERS:
            raise InvalidArgument(
                f"a note has at most {NOTE_CHARACTERS} characters",
                {"field": "note", "most": str(NOTE_CHARACTERS)},
                code=Code.FIELD_TOO_LONG,
            )
        async with self._changing:
            if place not in self._known and len(self._known) >= MOST_SECRETS:
                raise FailedPrecondition(f"there are {MOST_SECRETS} secrets: remove some of them first")
            now_ms = self._clock()
            secret = self._known.get(place) or Secret(place=place, changed_by=caller.name, changed_ms=now_ms)
            number = secret.last + 1
            wrapped, sealed = self._envelope.close(place, number, value)
            version = SecretVersion(
                number=number,
                key_id=self._envelope.key_id,
                wrapped=wrapped,
                sealed=sealed,
                created_by=caller.name,
                created_ms=now_ms,
            )
            secret = add(secret, version)
            if note is not None:
                secret = replace(secret, note=note)
            # Looked for before it is kept: from the moment that it can be used, it is masked.
            self._plain[place, number] = value
            await self._look_for()
            try:
                return await self._keep(caller, "secrets.set", secret, number)
            except BaseException:
                await self._forget([(place, number)])
                raise

    async def move(self, caller: Principal, place: SecretPlace, number: int, state: VersionState) -> Secret:
        """Enable, disable or destroy a version. Raises NotFound, FailedPrecondition."""
        await self._guard.require(caller, "secrets.manage", _scope(place), place.name)
        async with self._changing:
            secret = move(self._secret(place), number, state, by=caller.name, now_ms=self._clock())
            kept = await self._keep(caller, f"secrets.{_DEEDS[state]}", secret, number)
            if state is VersionState.DESTROYED:
                await self._forget([(place, number)])
            return kept

    async def rotate(self, caller: Principal, place: SecretPlace) -> Secret:
        """Seal every version with a new data key, under the key-encryption key of now. The values stay."""
        await self._guard.require(caller, "secrets.manage", _scope(place), place.name)
        async with self._changing:
            secret = changed(self._secret(place), lambda each: self._envelope.renew(place, each))
            return await self._keep(caller, "secrets.rotate", secret, secret.last)

    async def remove(self, caller: Principal, place: SecretPlace) -> None:
        """Forget it with all its versions. Raises NotFound."""
        await self._guard.require(caller, "secrets.manage", _scope(place), place.name)
        async with self._changing:
            secret = self._secret(place)
            async with self._audit.act(caller, "secrets.remove", scope=place.scope, target=str(place)):
                await self._store.remove(place)
                del self._known[place]
            await self._forget([(place, each.number) for each in secret.versions])

    async def _keep(self, caller: Principal, action: str, secret: Secret, number: int) -> Secret:
        details = {"version": number}
        place = secret.place
        async with self._audit.act(caller, action, scope=place.scope, target=str(place), details=details):
            await self._store.put([secret])
            self._known[place] = secret
        return secret

    def _secret(self, place: SecretPlace) -> Secret:
        secret = self._known.get(place)
        if secret is None:
            raise NotFound(f"there is no secret {place.name[:128]!a} of {place.game_id[:64]}|{place.env[:64]}")
        return secret

    def _rewrapped(self, secret: Secret) -> Secret | None:
        if not all(map(self._envelope.knows, secret.versions)):
            log.error("secret %s is sealed with a key that this server was not given: it cannot be used", secret.place)
            return None
        try:
            return changed(secret, lambda each: self._envelope.rewrap(secret.place, each))
        except FailedPrecondition as error:
            log.error("%s", error.message)  # noqa: TRY400 — its message says it all
            return None

    def _opened(self, secrets: Iterable[Secret]) -> dict[tuple[SecretPlace, int], bytes]:
        found = {}
        for secret in secrets:
            for version in secret.versions:
                if version.state is not VersionState.DESTROYED and self._envelope.knows(version):
                    try:
                        found[secret.place, version.number] = self._envelope.open(secret.place, version)
                    except FailedPrecondition as error:
                        log.error("%s", error.message)  # noqa: TRY400 — its message says it all
        return found

    async def _forget(self, versions: Iterable[tuple[SecretPlace, int]]) -> None:
        for each in versions:
            self._plain.pop(each, None)
        await self._look_for()

    async def _look_for(self) -> None:
        values = tuple(self._plain.values())
        self._redactor.use(await asyncio.to_thread(Patterns, values))


_DEEDS = {VersionState.ENABLED: "enable", VersionState.DISABLED: "disable", VersionState.DESTROYED: "destroy"}


def _scope(place: SecretPlace) -> Scope | None:
    """Of a place that a request named, which may be none at all: then nothing is there."""
    try:
        return place.scope
    except InvalidArgument:
        return None
