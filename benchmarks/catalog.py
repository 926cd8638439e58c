"""The catalog with 10 000 descriptions: how long it takes to load them, to take up one that changed, to check a call, and what
they take of memory.

    python -m benchmarks.catalog [--packs 10] [--functions 1000]

Runs in one process and needs no server. Times are of the machine; docs/reference/catalog.md names what they must stay under.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from croupier.domain.call import Call
from croupier.domain.scope import Scope
from croupier.server.catalog import Catalog
from croupier.server.catalog.directories import Directories
from croupier.server.catalog.pack_sources import PackSources

SCOPE = Scope("demo", "dev")
PAYLOAD = b'{"player_id":"p-4711","days":3,"reason":"cheating","notify":true}'
ROUNDS = 20


def description(name: str, risk: str = "low") -> dict[str, Any]:
    return {
        "id": name,
        "version": "1.2.0",
        "category": "player",
        "risk": risk,
        "auth": {"permission": "player.ban", "two_person_rule": False},
        "params": {
            "type": "object",
            "required": ["player_id", "days"],
            "additionalProperties": False,
            "properties": {
                "player_id": {"type": "string", "minLength": 1, "maxLength": 64},
                "days": {"type": "integer", "minimum": 1, "maximum": 3650},
                "reason": {"type": "string", "maxLength": 500},
                "notify": {"type": "boolean", "default": False},
            },
        },
        "semantics": {"mode": "command", "timeout": "10s", "idempotent": True},
        "outputs": {"views": [{"id": "json", "type": "json", "renderer": "json.view"}]},
        "display_name": {"en": "Ban a player", "zh": "封禁玩家"},
    }


def write(root: Path, packs: int, functions: int) -> None:
    for pack in range(packs):
        folder = root / f"pack{pack}"
        (folder / "descriptors").mkdir(parents=True)
        (folder / "manifest.json").write_text('{"functions": []}')
        for function in range(functions):
            name = f"p{pack}.f{function}"
            (folder / "descriptors" / f"{name}.json").write_text(json.dumps(description(name)))


def resident() -> float:
    """MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def reload_one(directories: Directories, catalog: Catalog, root: Path) -> list[float]:
    """Seconds from the news of a change to a catalog that has it."""
    place = root / "pack0" / "descriptors" / "p0.f0.json"
    found = []
    for number in range(ROUNDS):
        risk = ("low", "high")[number % 2]
        place.write_text(json.dumps(description("p0.f0", risk)))
        began = perf_counter()
        await directories.look([place])
        found.append(perf_counter() - began)
        if (function := catalog.function(SCOPE, "p0.f0")) is None or function.risk != risk:
            raise SystemExit("the change was not taken up")
    return found


def microseconds(work: Callable[[], object], times: int = 20_000) -> float:
    found = []
    for _ in range(times):
        began = perf_counter()
        work()
        found.append(perf_counter() - began)
    return statistics.median(found) * 1e6


async def measure(packs: int, functions: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, packs, functions)
        catalog = Catalog()
        directories = Directories([root], PackSources(catalog))
        empty = resident()
        began = perf_counter()
        await directories.look(None)
        loaded = perf_counter() - began
        held = resident() - empty
        reloads = await reload_one(directories, catalog, root)
        call = Call(id="c", function_id="p1.f7", scope=SCOPE, payload=PAYLOAD, caller="bench")
        began = perf_counter()
        await directories.look(None)
        again = perf_counter() - began
        return {
            "functions": len(catalog.snapshot),
            "load_s": round(loaded, 3),
            "memory_mb": round(held, 1),
            "reload_one_ms": round(statistics.median(reloads) * 1e3, 2),
            "reload_one_worst_ms": round(max(reloads) * 1e3, 2),
            "look_at_all_ms": round(again * 1e3, 1),
            "check_us": round(microseconds(lambda: catalog.check(call)), 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=int, default=10)
    parser.add_argument("--functions", type=int, default=990, help="of each pack")
    chosen = parser.parse_args()
    found = asyncio.run(measure(chosen.packs, chosen.functions))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
