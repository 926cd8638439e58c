"""What descriptions cost: reading a folder of them, keeping them, and holding a payload against one.

    python benchmarks/descriptors.py [--count 10000]

Limits of issue 4: 10 000 read in 3 s, kept in 150 MB; a check takes 60 µs at the median.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from croupier.cli.collector import settle_collector
from croupier.descriptors import FunctionDescriptor, compile_schema, load_directory

CHECKS = 20_000


def descriptor(number: int) -> dict[str, Any]:
    """A function as packs have them: seven parameters, two views, texts in two languages."""
    return {
        "id": f"game{number % 20}.action{number}",
        "version": "1.2.0",
        "category": f"game{number % 20}",
        "risk": ("low", "medium", "high")[number % 3],
        "display_name": {"en": f"Action {number}", "zh": f"操作 {number}"},
        "summary": {"en": "Does something to a player", "zh": "对玩家执行操作"},
        "tags": ["player", "gm"],
        "auth": {"permission": f"game{number % 20}.action{number}", "two_person_rule": number % 3 == 2},
        "params": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "player_id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"},
                "days": {"type": "integer", "minimum": 1, "maximum": 365 + number % 7},
                "reason": {"type": "string", "enum": ["cheat", "abuse", "fraud", f"r{number % 100}"]},
                "note": {"type": "string", "maxLength": 500},
                "until": {"type": "string", "format": "date-time"},
                "items": {
                    "type": "array",
                    "maxItems": 50,
                    "items": {
                        "type": "object",
                        "properties": {"id": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
                        "required": ["id", "count"],
                    },
                },
                "notify": {"type": "boolean", "default": True},
            },
            "required": ["player_id", "reason"],
            "additionalProperties": False,
        },
        "semantics": {"mode": "command", "route": "lb", "timeout": "30s", "rate_limit": "10/m", "idempotent": True},
        "outputs": {
            "views": [
                {"id": "json", "type": "json", "renderer": "json.view"},
                {"id": "t", "type": "table", "renderer": "table.basic", "transform": {"expr": "$.items"}},
            ]
        },
        "ui": {"fields": {"note": {"widget": "textarea"}, "days": {"label": {"en": "Days", "zh": "天数"}}}},
    }


PAYLOAD = {
    "player_id": "p-1001",
    "days": 7,
    "reason": "cheat",
    "note": "third time",
    "until": "2026-12-01T00:00:00Z",
    "items": [{"id": "gold", "count": 5}, {"id": "gem", "count": 1}],
}


def resident() -> float:
    """Megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def write(folder: Path, count: int) -> None:
    for number in range(count):
        made = descriptor(number)
        place = folder / made["category"]
        place.mkdir(exist_ok=True)
        (place / f"{made['id']}.json").write_text(json.dumps(made, ensure_ascii=False, indent=2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, count)
        settle_collector()  # as the server does before it reads anything
        before, began, used = resident(), time.perf_counter(), time.process_time()
        loaded = load_directory(folder)
        took, used = time.perf_counter() - began, time.process_time() - used
        gc.collect()
        kept = resident() - before
    functions = [each for each in loaded.descriptors if isinstance(each, FunctionDescriptor)]
    print(f"read {len(functions)} with {len(loaded.faults)} faults: {took:.2f} s ({used:.2f} s CPU), {kept:.0f} MB")
    began = time.perf_counter()
    compiled = [compile_schema(each.params or {}) for each in functions[:1000]]
    print(f"compile one schema: {(time.perf_counter() - began) / len(compiled) * 1e6:.0f} µs")
    before = resident()
    more = [compile_schema(each.params or {}) for each in functions[1000:3000]]
    print(f"keep one compiled schema: {(resident() - before) / max(len(more), 1) * 1e3:.1f} KB")
    schema, by_id, checks = compiled[0], {each.id: each for each in functions}, []
    for _ in range(CHECKS):
        at = time.perf_counter_ns()
        _ = by_id["game0.action0"]
        schema.is_valid(PAYLOAD)
        checks.append(time.perf_counter_ns() - at)
    print(f"look up and check: {statistics.median(checks) / 1000:.1f} µs at the median")


if __name__ == "__main__":
    main()
