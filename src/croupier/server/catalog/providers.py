"""Who describes functions that others call: registered by anyone, owned by whoever came first, kept over restarts."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from croupier.descriptors import Fault, FaultyDescriptor, Manifest, ProviderMeta, read_manifest
from croupier.domain.principal import Principal
from croupier.domain.provider import MANIFEST_BYTES, Provider, check_provider_id
from croupier.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.catalog.buckets import Buckets
from croupier.server.catalog.catalog import Catalog
from croupier.server.catalog.entry import Kind, LoadFault, Origin
from croupier.server.catalog.snapshot import Source, source_of
from croupier.server.catalog.unpacking import GZIP, gunzip
from croupier.store.catalog import CatalogStore

log = logging.getLogger(__name__)

MOST_PROVIDERS = 1_000
MOST_BYTES = 64_000_000
"""Of all manifests together."""
REGISTRATIONS = {"burst": 2_000.0, "rate": 20.0}
"""Of one owner, changed or not."""
CHANGED_BYTES = {"burst": 32_000_000.0, "rate": 500_000.0}
"""Of one owner's manifests that say something new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provided:
    """A provider, and what its manifest says."""

    provider: Provider
    source: Source
    faults: tuple[Fault, ...] = ()
    """Why something of a manifest that was accepted once is left out by this version."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    provided: Provided
    changed: bool
    """Whether it says anything that it did not say before."""


def owner_of(caller: Principal) -> str:
    return f"{caller.kind}:{caller.name}"


class Providers:
    """`clock` gives milliseconds since 1970. `begin` comes first."""

    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        catalog: Catalog,
        store: CatalogStore,
        clock: Callable[[], int],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._audit = audit
        self._catalog = catalog
        self._store = store
        self._clock = clock
        self._registrations = Buckets(**REGISTRATIONS, clock=steady)
        self._changes = Buckets(**CHANGED_BYTES, clock=steady)
        self._known: dict[str, Provided] = {}
        """In the order of their registration: what the first says goes before what later ones say."""
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        """From now on what is kept holds."""
        kept = await self._store.providers()
        self._known = {each.provider.id: each for each in await asyncio.to_thread(_all_read, kept)}
        for found in self.faults():
            log.warning("left out of what a provider says: %s", found.fault)
        self._publish()

    def _publish(self) -> None:
        self._catalog.use_sources(providers=[each.source for each in self._known.values()])

    def faults(self) -> list[LoadFault]:
        return [
            LoadFault(origin=each.source.origin, fault=fault) for each in self._known.values() for fault in each.faults
        ]

    # ------------------------------------------------------------------------------------------------ asking

    async def list(self, caller: Principal) -> Sequence[Provided]:
        await self._guard.require(caller, "providers.read", None)
        return list(self._known.values())

    # ------------------------------------------------------------------------------------------------ changing

    async def register(self, caller: Principal, content: bytes, meta: ProviderMeta | None = None) -> Registered:
        """Take a manifest, as JSON or that gzipped, in place of what the provider said before.

        What `meta` says of the provider goes before what the manifest says of it.
        Raises FaultyDescriptor with everything that is wrong, InvalidArgument, PayloadTooLarge, RateLimited, PermissionDenied
        (the id belongs to somebody else), FailedPrecondition (too many providers).
        """
        await self._guard.require(caller, "providers.register", None, meta.id if meta else "")
        self._registrations.take(owner_of(caller), 1, "registrations of providers")
        if meta is not None and meta.id:
            self._check_owner(caller, meta.id)
        async with self._changing:  # one manifest at a time in memory and on the processor
            raw = await asyncio.to_thread(_unpacked, content)
            if meta is not None and (same := self._same(caller, meta, raw)) is not None:
                return Registered(provided=same, changed=False)
            manifest = await asyncio.to_thread(_read, raw, meta.id if meta else "")
            named = _merged(manifest.provider, meta)
            check_provider_id(named.id)
            self._check_owner(caller, named.id)
            if (same := self._same(caller, named, raw)) is not None:
                return Registered(provided=same, changed=False)
            self._check_room(named.id, len(raw))
            self._changes.take(owner_of(caller), len(raw), "changed manifests")
            details = {"version": named.version, "sha256": _digest(raw)}
            async with self._audit.act(caller, "providers.register", target=named.id, details=details):
                return await self._keep(caller, named, raw, manifest)

    def _same(self, caller: Principal, meta: ProviderMeta, raw: bytes) -> Provided | None:
        """What is known already, where nothing of it changes."""
        known = self._known.get(meta.id)
        if known is None or known.provider.owner != owner_of(caller):
            return None
        said = (known.provider.version, known.provider.lang, known.provider.sdk)
        same = known.provider.sha256 == _digest(raw) and said == (meta.version, meta.lang, meta.sdk)
        return known if same else None

    async def _keep(self, caller: Principal, meta: ProviderMeta, raw: bytes, manifest: Manifest) -> Registered:
        known, now = self._known.get(meta.id), self._clock()
        provider = Provider(
            id=meta.id,
            version=meta.version,
            lang=meta.lang,
            sdk=meta.sdk,
            owner=owner_of(caller),
            manifest=raw,
            sha256=_digest(raw),
            registered_ms=known.provider.registered_ms if known else now,
            updated_ms=now,
        )
        provided = await asyncio.to_thread(_provided, provider, manifest, known.source if known else None)
        await self._store.put_provider(provider)
        self._known[meta.id] = provided
        self._publish()
        log.info("provider %s describes %d functions", provider.id, len(manifest.functions))
        return Registered(provided=provided, changed=True)

    async def remove(self, caller: Principal, provider_id: str) -> None:
        """Forget it, and whose it was. Raises NotFound."""
        await self._guard.require(caller, "providers.manage", None, provider_id)
        async with self._audit.act(caller, "providers.remove", target=provider_id), self._changing:
            self._require_known(provider_id)
            await self._store.remove_provider(provider_id)
            del self._known[provider_id]
            self._publish()

    async def transfer(self, caller: Principal, provider_id: str, owner: str) -> Provided:
        """From now on it is `owner`'s, such as `token:developer`. Raises NotFound, InvalidArgument."""
        await self._guard.require(caller, "providers.manage", None, provider_id)
        kind, _, name = owner.partition(":")
        if not kind or not name or len(owner) > 256 or not owner.isprintable():
            raise InvalidArgument("owner is written kind:name, such as token:developer or machine:local")
        details = {"owner": owner}
        async with self._audit.act(caller, "providers.transfer", target=provider_id, details=details), self._changing:
            known = self._require_known(provider_id)
            given = replace(known.provider, owner=owner)
            await self._store.put_provider(given)
            self._known[provider_id] = replace(known, provider=given)
            self._publish()
            return self._known[provider_id]

    # ------------------------------------------------------------------------------------------------ rules

    def _require_known(self, provider_id: str) -> Provided:
        known = self._known.get(provider_id)
        if known is None:
            raise NotFound(f"unknown provider {provider_id[:200]}: GET /api/providers/descriptors lists them")
        return known

    def _check_owner(self, caller: Principal, provider_id: str) -> None:
        known = self._known.get(provider_id)
        if known is not None and known.provider.owner != owner_of(caller):
            raise PermissionDenied(
                f"provider {provider_id} belongs to {known.provider.owner}, and you are {owner_of(caller)}: register under "
                f"another id, or ask an administrator to hand it over (POST /api/providers/{provider_id}/transfer) "
                f"or to remove it (DELETE /api/providers/{provider_id})"
            )

    def _check_room(self, provider_id: str, size: int) -> None:
        others = [each.provider for name, each in self._known.items() if name != provider_id]
        if len(others) >= MOST_PROVIDERS:
            raise FailedPrecondition(f"{MOST_PROVIDERS} providers are registered already: remove one that is gone")
        if sum(len(other.manifest) for other in others) + size > MOST_BYTES:
            raise FailedPrecondition(f"all manifests together would pass {MOST_BYTES} bytes: remove one that is gone")


def _unpacked(content: bytes) -> bytes:
    if content.startswith(GZIP):
        return gunzip(content, MANIFEST_BYTES)
    return content


def _read(raw: bytes, name: str) -> Manifest:
    """Raises FaultyDescriptor with all that is wrong."""
    manifest = read_manifest(raw, f"manifest of {name}" if name else "manifest")
    if manifest.faults:
        raise FaultyDescriptor(manifest.faults)
    return manifest


def _merged(said: ProviderMeta, meta: ProviderMeta | None) -> ProviderMeta:
    if meta is None:
        return said
    if meta.id and said.id and meta.id != said.id:
        raise InvalidArgument(
            f"the manifest is of provider {said.id[:100]!r}, registered as {meta.id[:100]!r}: say one id"
        )
    return ProviderMeta(
        id=meta.id or said.id,
        version=meta.version or said.version,
        lang=meta.lang or said.lang,
        sdk=meta.sdk or said.sdk,
        description=said.description,
    )


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _provided(provider: Provider, manifest: Manifest, known: Source | None = None) -> Provided:
    origin = Origin(kind=Kind.PROVIDER, name=provider.id, version=provider.version)
    source = source_of(origin, [*manifest.functions, *manifest.rules, *manifest.entities], known=known)
    return Provided(provider=provider, source=source, faults=manifest.faults)


def _all_read(kept: Sequence[Provider]) -> list[Provided]:
    return [_kept(provider) for provider in kept]


def _kept(provider: Provider) -> Provided:
    """What was accepted by an earlier version is not thrown away by this one: what it cannot read is left out and told."""
    try:
        return _provided(provider, read_manifest(provider.manifest, f"manifest of {provider.id}"))
    except FaultyDescriptor as error:
        origin = Origin(kind=Kind.PROVIDER, name=provider.id, version=provider.version)
        return Provided(provider=provider, source=Source(origin=origin), faults=error.faults)
