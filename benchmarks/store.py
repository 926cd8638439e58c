"""What the store costs: durable begin + finish with 64 calls in flight, and job events appended by 8 agents at once.

    python benchmarks/store.py [--seconds 3] [--payload 100] [--dir DIRECTORY]

CPU is of the whole process: the event loop, the writer and the tasks that ask.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import uvloop

from croupier.domain.call import Call, Result
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.scope import Scope
from croupier.store.sql import SqlStore, open_store

IN_FLIGHT = 64
AGENTS = 8
TEMPLATE = Call(id="", function_id="player.ban", scope=Scope("demo", "dev"), payload=b"", caller="bench")


async def invoke(store: SqlStore, stop: float, payload: bytes, *, keyed: bool = False, durable_end: bool = True) -> int:
    done = 0
    while time.perf_counter() < stop:
        call_id = new_id("c")
        key = call_id if keyed else ""
        await store.begin(replace(TEMPLATE, id=call_id, idempotency_key=key, payload=payload))
        result = Result(payload=payload, service_id="game-1", agent_id="agent-1")
        await store.finish(call_id, result, durable=durable_end)
        done += 1
    return done


async def append(store: SqlStore, stop: float, size: int) -> int:
    job_id = new_id("j")
    await store.create(replace(TEMPLATE, id=job_id))
    seq = 0
    while time.perf_counter() < stop:
        events = [
            JobEvent(
                job_id=job_id, seq=number, type="log" if number % 2 else "progress", message="sent 100 of 5000 mails"
            )
            for number in range(seq + 1, seq + size + 1)
        ]
        seq = (await store.append(events))[job_id]
    return seq


async def measure(name: str, tasks: int, work: Callable[[float], Awaitable[int]], seconds: float) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    done = sum(await asyncio.gather(*(work(wall + seconds) for _ in range(tasks))))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:44} {done / wall:10.0f} /s {cpu / done * 1e6:8.1f} µs CPU each")


async def main(directory: Path, seconds: float, payload: bytes) -> None:
    store = await open_store(directory / "bench.db")

    async def calls(name: str, tasks: int = IN_FLIGHT, seconds: float = seconds, **how: bool) -> None:
        await measure(name, tasks, lambda stop: invoke(store, stop, payload, **how), seconds)

    await calls("warm up", seconds=0.5)
    await calls("begin + finish, both waited for")
    await calls("begin + finish, both waited for, keyed", keyed=True)
    await calls("begin waited for, finish not", durable_end=False)
    await calls("one call alone, both waited for", 1)
    await calls("one call alone, finish not waited for", 1, durable_end=False)
    for size in (100, 500):
        await measure(f"events, {AGENTS} x {size}", AGENTS, lambda stop, size=size: append(store, stop, size), seconds)
    await store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--payload", type=int, default=100, help="bytes of each call's payload and of its result")
    parser.add_argument("--dir", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as scratch:
        uvloop.run(main(Path(scratch), options.seconds, b"x" * options.payload))
