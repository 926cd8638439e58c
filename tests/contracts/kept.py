"""Run by test_store.py in a process that is killed: prints what a store has promised to keep, line by line, for ever."""

import asyncio
import sys
from pathlib import Path

from croupier.domain.call import Call, Result
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.scope import Scope
from croupier.store import Store
from croupier.store.sql import open_store


def tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def a_call() -> Call:
    return Call(id=new_id("c"), function_id="player.ban", scope=Scope("demo", "dev"), payload=b"{}", caller="child")


async def invoke(store: Store) -> None:
    while True:
        call = a_call()
        await store.begin(call)
        tell("running", call.id)
        await store.finish(call.id, Result(payload=b"{}"))
        tell("succeeded", call.id)


async def run_job(store: Store) -> None:
    call = a_call()
    await store.create(call)
    seq = 0
    while True:
        events = [JobEvent(job_id=call.id, seq=number, type="log") for number in range(seq + 1, seq + 11)]
        seq = (await store.append(events))[call.id]
        tell("event", call.id, seq)


async def main(path: Path) -> None:
    store = await open_store(path)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(invoke(store))
            tasks.create_task(run_job(store))


asyncio.run(main(Path(sys.argv[1])))
