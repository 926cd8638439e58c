"""What a pack of many files costs: read, checked, written, and imported by a server that keeps it on its disk.

    python benchmarks/packs.py [--files 1000] [--dir DIRECTORY]

The import is the use case as the HTTP side calls it, with a real store and real objects (both forced to the disk), until
the catalog has it.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from croupier.domain.principal import Principal
from croupier.objects.disk import DiskObjects
from croupier.packs.differences import difference
from croupier.packs.reading import read_packs
from croupier.packs.tar import read_archive, write_archive
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.guard import Guard
from croupier.server.catalog import Catalog
from croupier.server.catalog.pack_sources import PackSources
from croupier.server.packs import Packs, Trust
from croupier.store.sql import open_store, system_clock

T = TypeVar("T")

PARAMS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "player_id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z0-9]+$"},
        "reason": {"type": "string", "maxLength": 200},
        "days": {"type": "integer", "minimum": 1, "maximum": 3650},
        "evidence": {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": 10},
    },
    "required": ["player_id", "reason"],
    "additionalProperties": False,
}
ANN = Principal(name="ann", root=True)


def files(count: int, version: str) -> dict[str, bytes]:
    """Half of them descriptions, half of them forms."""
    made = {"manifest.json": json.dumps({"id": "bench", "version": version}).encode()}
    for number in range(count // 2):
        name = f"bench.f{number:05}"
        description = {
            "id": name,
            "version": version,
            "category": "bench",
            "display_name": {"en": f"Function {number}", "zh": f"函数 {number}"},
            "risk": "medium",
            "auth": {"permission": f"bench.f{number}", "two_person_rule": number % 2 == 0},
            "params": PARAMS,
            "semantics": {"mode": "command", "route": "lb", "timeout": "5s", "rate_limit": "10/s"},
            "outputs": {"views": [{"id": "json", "type": "json", "renderer": "json.view"}]},
        }
        made[f"descriptors/{name}.json"] = json.dumps(description).encode()
        made[f"ui/{name}.uischema.json"] = json.dumps({"fields": {"reason": {"widget": "textarea"}}}).encode()
    return made


def timed(what: str, work: Callable[[], T]) -> T:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    report(what, wall, cpu)
    return found


def report(what: str, wall: float, cpu: float) -> None:
    print(f"{what:44} {time.perf_counter() - wall:8.3f} s {time.process_time() - cpu:8.3f} s CPU")


async def imports(folder: Path, archives: list[bytes]) -> None:
    store = await open_store(folder / "croupier.db")
    packs = Packs(
        guard=Guard("token-of-a-benchmark"),
        audit=Audit(store.audit, Masker(b"key-of-a-benchmark")),
        store=store.packs,
        objects=DiskObjects(folder / "objects"),
        trust=Trust(allow_unsigned=True),
        changed=PackSources(Catalog()).use_installed,
        clock=system_clock,
    )
    await packs.begin()
    for what, archive in zip(("import", "import of the next version"), archives, strict=True):
        wall, cpu = time.perf_counter(), time.process_time()
        await packs.take(ANN, archive)
        report(what, wall, cpu)
    wall, cpu = time.perf_counter(), time.process_time()
    await packs.begin()
    report("start with it", wall, cpu)
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--dir", type=Path, help="where the server keeps its data")
    options = parser.parse_args()
    old, new = (files(options.files, version) for version in ("1.0.0", "2.0.0"))
    archive = timed(f"write an archive of {len(old)} files", lambda: write_archive(old))
    print(f"{'':44} {len(archive):8} bytes, {sum(map(len, old.values()))} unpacked")
    unpacked = timed("unpack it", lambda: read_archive(archive))
    (pack,) = timed("read and check it", lambda: read_packs(unpacked))
    (following,) = read_packs(new)
    timed("compare it with the next version", lambda: difference(pack, following))
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        asyncio.run(imports(Path(folder), [archive, following.archive()]))


if __name__ == "__main__":
    main()
