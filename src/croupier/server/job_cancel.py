"""Jobs that were asked to stop: the wish is kept, told to the agent when there is a way to it, and seen to its end.

    cancel ─► store ─► told to the agent, now or when it is back ─┬─► the job's own last event
                                                                  └─► nothing for `grace` seconds: canceled, and said how

An agent of ours stops waiting for a game server long before; `grace` is for agents that do not.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from croupier.domain.job import UNFINISHED, Job
from croupier.domain.listing import Cursor, JobFilter
from croupier.errors import CroupierError
from croupier.server.dispatch.agents import Agents
from croupier.server.job_events import JobIntake
from croupier.store import JobStore

log = logging.getLogger(__name__)

PAGE = 1_000


@dataclass(kw_only=True, slots=True, eq=False)
class _Asked:
    job: Job
    reason: str
    told: bool = False
    timer: asyncio.TimerHandle | None = None


class JobCancels:
    def __init__(self, *, agents: Agents, store: JobStore, intake: JobIntake, grace: float) -> None:
        self._agents = agents
        self._store = store
        self._intake = intake
        self._grace = grace
        self._asked: dict[str, _Asked] = {}
        self._checks: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def begin(self) -> None:
        """At start: what was asked of jobs that have not ended is asked still."""
        after: Cursor | None = None
        while True:
            page = await self._store.jobs(JobFilter(states=UNFINISHED), PAGE, after)
            for job in page.items:
                if job.cancel_reason:
                    self._see_to(job, job.cancel_reason)
            if page.next is None:
                return
            after = page.next

    async def ask(self, job: Job, reason: str) -> None:
        """Keep the wish that `job` stops, and tell its agent as soon as there is a way to it. Raises Unavailable."""
        reason = reason or "nobody said why"
        await self._store.ask_to_stop(job.id, reason)
        self._see_to(job, reason)

    def _see_to(self, job: Job, reason: str) -> None:
        asked = self._asked.setdefault(job.id, _Asked(job=job, reason=reason))
        asked.job = job
        self._tell(asked)
        if asked.timer is None and not self._stopped:
            asked.timer = asyncio.get_running_loop().call_later(self._grace, self._check_soon, asked)

    def placed(self, job_id: str, agent_id: str) -> None:
        """An agent has the job: if it was asked to stop before, now it can be told."""
        asked = self._asked.get(job_id)
        if asked is not None:
            asked.job = replace(asked.job, agent_id=agent_id)
            self._tell(asked)

    def reached(self, agent_id: str) -> None:
        """There is a way to this agent again."""
        if self._asked:
            asyncio.get_running_loop().call_soon(self._tell_all, agent_id)  # once the way is open

    def _tell_all(self, agent_id: str) -> None:
        for asked in self._asked.values():
            if asked.job.agent_id == agent_id:
                self._tell(asked)

    def _tell(self, asked: _Asked) -> None:
        link = self._agents.way_to(asked.job.agent_id, asked.job.scope)
        if link is not None:
            link.cancel_job(asked.job.id, asked.reason)
            asked.told = True

    def _check_soon(self, asked: _Asked) -> None:
        task = asyncio.ensure_future(self._check(asked))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _check(self, asked: _Asked) -> None:
        asked.timer = None
        try:
            if await self._settled(asked):
                del self._asked[asked.job.id]
                return
        except CroupierError as error:
            log.warning("the end of job %s could not be seen to, trying again: %s", asked.job.id, error.message)
        self._see_to(asked.job, asked.reason)

    async def _settled(self, asked: _Asked) -> bool:
        """The job has ended, or is ended now. False while its agent has not been told for all of the grace."""
        job = await self._store.job(asked.job.id)
        if job is None or job.ended:
            return True
        told, asked.told, asked.job = asked.told, False, job
        if not told or self._agents.way_to(job.agent_id, job.scope) is None:
            return False
        message = (
            f"canceled: {asked.reason}; it had not ended {self._grace:g} s after it was asked to: stopped waiting; "
            "the handler may still run"
        )
        await self._intake.conclude(job.id, reason="canceled", message=message)
        return True

    async def stop(self) -> None:
        self._stopped = True
        for asked in self._asked.values():
            if asked.timer is not None:
                asked.timer.cancel()
        for task in self._checks:
            task.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)
