"""Providers: how many, how often, and whose."""

import gzip
from typing import Any

import orjson
import pytest
from tests.planes.audit_testbed import audit_in_memory
from tests.planes.http_testbed import KeptInMemory

from croupier.descriptors import ProviderMeta
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition, InvalidArgument, PayloadTooLarge, PermissionDenied, RateLimited
from croupier.server.access.guard import Guard
from croupier.server.catalog import Catalog
from croupier.server.catalog import providers as bounds
from croupier.server.catalog.buckets import Buckets
from croupier.server.catalog.providers import Providers
from croupier.server.catalog.unpacking import gunzip

ANN, BOB = Principal(name="ann", root=True), Principal(name="bob", root=True)


def manifest(provider_id: str = "p", **function: Any) -> bytes:
    functions = [{"id": "f", **function}]
    return orjson.dumps({"provider": {"id": provider_id, "version": "1"}, "functions": functions})


class Bed:
    def __init__(self) -> None:
        self.now = 0.0
        self.catalog = Catalog()
        self.store = KeptInMemory()
        self.providers = Providers(
            guard=Guard("token"),
            audit=audit_in_memory(),
            catalog=self.catalog,
            store=self.store,
            clock=lambda: int(self.now * 1000),
            steady=lambda: self.now,
        )


@pytest.fixture
def bed() -> Bed:
    return Bed()


async def test_what_did_not_change_is_not_written_again(bed: Bed) -> None:
    first = await bed.providers.register(ANN, manifest())
    bed.now = 10.0
    again = await bed.providers.register(ANN, manifest())
    packed = await bed.providers.register(ANN, gzip.compress(manifest()))
    named = await bed.providers.register(ANN, manifest(), ProviderMeta(id="p", version="1"))
    assert [first.changed, again.changed, packed.changed, named.changed] == [True, False, False, False]
    (kept,) = await bed.store.providers()
    assert (kept.registered_ms, kept.updated_ms) == (0, 0)
    changed = await bed.providers.register(ANN, manifest(risk="high"))
    assert changed.changed
    (kept,) = await bed.store.providers()
    assert (kept.registered_ms, kept.updated_ms) == (0, 10_000)


async def test_a_description_that_stays_keeps_its_entry_and_one_that_changes_its_past(bed: Bed) -> None:
    functions = [{"id": "f"}, {"id": "g"}]
    await bed.providers.register(ANN, orjson.dumps({"provider": {"id": "p"}, "functions": functions}))
    before = {entry.function.id: entry for entry in bed.catalog.snapshot}
    functions[0]["risk"] = "high"
    await bed.providers.register(ANN, orjson.dumps({"provider": {"id": "p"}, "functions": functions}))
    assert bed.catalog.snapshot.entry("g") is before["g"]
    assert bed.catalog.snapshot.entry("f") is not before["f"]
    assert [version.descriptor.risk for version in bed.catalog.versions.past("f")] == ["low"]
    assert not bed.catalog.versions.past("g")


async def test_an_id_belongs_to_whoever_registered_it_first(bed: Bed) -> None:
    await bed.providers.register(ANN, manifest())
    for meta in (None, ProviderMeta(id="p")):
        with pytest.raises(PermissionDenied, match="belongs to token:ann, and you are token:bob"):
            await bed.providers.register(BOB, manifest(risk="high"), meta)
    assert bed.catalog.snapshot.entry("f").function.risk == "low"
    await bed.providers.remove(ANN, "p")
    await bed.providers.register(BOB, manifest())


async def test_providers_and_their_bytes_are_bounded(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_PROVIDERS", 2)
    for name in ("p", "q"):
        await bed.providers.register(ANN, manifest(name))
    with pytest.raises(FailedPrecondition, match="2 providers are registered already"):
        await bed.providers.register(ANN, manifest("r"))
    await bed.providers.register(ANN, manifest("q", risk="high"))
    monkeypatch.setattr(bounds, "MOST_BYTES", 200)
    with pytest.raises(FailedPrecondition, match="would pass 200 bytes"):
        await bed.providers.register(ANN, manifest("q", summary="x" * 200))


async def test_who_floods_waits_and_others_do_not(bed: Bed) -> None:
    for _ in range(2_000):
        with pytest.raises(InvalidArgument):
            await bed.providers.register(ANN, b"x")
    with pytest.raises(RateLimited, match="too many registrations of providers"):
        await bed.providers.register(ANN, manifest())
    await bed.providers.register(BOB, manifest())
    bed.now += 1.0
    await bed.providers.register(ANN, manifest("q"))


async def test_manifests_that_change_all_the_time_are_slowed_down(bed: Bed) -> None:
    large = [manifest(summary="x" * 19_000, tags=[str(number)]) for number in range(2)]
    bed.providers._changes = Buckets(burst=60_000, rate=1_000, clock=lambda: bed.now)
    for number in range(3):
        await bed.providers.register(ANN, large[number % 2])
    with pytest.raises(RateLimited, match="changed manifests"):
        await bed.providers.register(ANN, large[1])
    assert not (await bed.providers.register(ANN, large[0])).changed
    bed.now += 60.0
    assert (await bed.providers.register(ANN, large[1])).changed


async def test_a_manifest_that_this_version_cannot_read_is_told_and_kept(bed: Bed) -> None:
    await bed.providers.register(ANN, manifest())
    (kept,) = await bed.store.providers()
    for raw in (b'{"functions": [{"id": "f"}, {"id": "g", "risk": "?"}]}', b"{"):
        await bed.store.put_provider(type(kept)(**{**_fields(kept), "manifest": raw}))
        await bed.providers.begin()
        assert len(bed.providers.faults()) == 1
        assert len(await bed.providers.list(ANN)) == 1
    assert await bed.store.providers()


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


# ------------------------------------------------------------------------------------------------ bounds


def test_a_bucket_fills_up_again_to_its_brim() -> None:
    now = [0.0]
    bucket = Buckets(burst=10, rate=2, clock=lambda: now[0])
    bucket.take("a", 10, "things")
    with pytest.raises(RateLimited, match="too many things at once; send it again in 2 seconds"):
        bucket.take("a", 4, "things")
    bucket.take("b", 10, "things")
    now[0] = 2.0
    bucket.take("a", 4, "things")
    now[0] = 1_000.0
    with pytest.raises(RateLimited):
        bucket.take("a", 11, "things")
    bucket.take("a", 10, "things")


@pytest.mark.parametrize("cut", range(1, 40))
def test_gzip_that_is_cut_off_anywhere_is_refused(cut: int) -> None:
    packed = gzip.compress(b'{"functions": [1, 2, 3, 4, 5, 6, 7]}', mtime=0)
    assert gunzip(packed, 100) == b'{"functions": [1, 2, 3, 4, 5, 6, 7]}'
    with pytest.raises(InvalidArgument):
        gunzip(packed[:-cut], 100)


def test_gzip_is_bounded_by_size_and_ratio() -> None:
    assert len(gunzip(gzip.compress(b"0" * 1_000_000), 4_000_000)) == 1_000_000
    with pytest.raises(PayloadTooLarge, match="200 times"):
        gunzip(gzip.compress(b"0" * 1_500_000), 4_000_000)
    with pytest.raises(PayloadTooLarge, match="more than 4000000 bytes"):
        gunzip(gzip.compress(bytes(range(256)) * 20_000, compresslevel=0), 4_000_000)
