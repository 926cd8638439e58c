"""Measure Croupier against what the machine can do: `make bench`, described in docs/reference/benchmarks.md.

Exits 1 when the run is broken (a process died, a call failed), not when a target is missed.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import report
from figures import Figure
from processes import HERE, Broken, Stage
from scenarios import alone, broadcast, call, edge, foreign, idle, jobs, large, page, reconnect, start, tunnel

SCENARIOS: Mapping[str, Callable[[Stage], Awaitable[list[Figure]]]] = {
    "call": call.run,
    "alone": alone.run,
    "foreign": foreign.run,
    "large": large.run,
    "tunnel": tunnel.run,
    "broadcast": broadcast.run,
    "edge": edge.run,
    "idle": idle.run,
    "reconnect": reconnect.run,
    "jobs": jobs.run,
    "start": start.run,
    "page": page.run,
}
RECORDED = HERE / "recorded.json"
TOTAL_SECONDS = 840.0
QUICK_SECONDS = 240.0
BUSY = 0.5
"""The load average from which on others take too much of the machine."""


@dataclass(kw_only=True, slots=True)
class Outcome:
    figures: list[Figure] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)


async def play(names: list[str], *, quick: bool, scratch: Path) -> Outcome:
    """One scenario after the other; one that breaks does not keep the rest from running."""
    outcome = Outcome()
    end = time.monotonic() + (QUICK_SECONDS if quick else TOTAL_SECONDS)
    for name in names:
        began = time.monotonic()
        try:
            async with asyncio.timeout(end - began):
                with tempfile.TemporaryDirectory(dir=scratch, prefix=f"bench-{name}-") as folder:
                    async with Stage(scratch=Path(folder), quick=quick) as stage:
                        outcome.figures += await SCENARIOS[name](stage)
        except Broken as error:
            outcome.broken[name] = str(error)
        except TimeoutError:
            outcome.broken[name] = "the time of the whole run was used up"
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return outcome


def show(outcome: Outcome, recorded: Mapping[str, float]) -> None:
    print(report.table(outcome.figures, recorded))
    if missed := report.missed(outcome.figures):
        print(f"\nTARGETS NOT MET: {', '.join(missed)}")
    for name, why in outcome.broken.items():
        print(f"\nBROKEN: {name}: {why}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds; at most four minutes")
    parser.add_argument("--only", action="append", choices=[*SCENARIOS], help="this scenario; may be repeated")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "latest.json", metavar="FILE")
    parser.add_argument("--record", action="store_true", help="keep the ratios as those to be held against")
    parser.add_argument("--dir", type=Path, help="where the databases are written; the disk matters")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    outcome = asyncio.run(play(options.only or [*SCENARIOS], quick=options.quick, scratch=options.dir))
    show(outcome, report.read_recorded(RECORDED))
    if busy > BUSY:
        print(f"\nThe machine was busy before the run (load {busy:.1f}): these figures are rough.")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(
        report.as_json(outcome.figures, broken=outcome.broken, quick=options.quick, busy=busy), encoding="utf-8"
    )
    if options.record and not outcome.broken:
        report.write_recorded(RECORDED, outcome.figures)
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
