"""No job runs for ever on paper: when its agent was lost and does not come back knowing it, it ends as `lost`.

An agent that lost its session gets `grace` seconds. Then each of its unfinished jobs is asked for: a job that the agent
still knows goes on, any other is lost, with the reason.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

from croupier.domain.job import UNFINISHED, Job
from croupier.domain.listing import Cursor, JobFilter
from croupier.errors import CroupierError, NotFound, Unimplemented
from croupier.server.dispatch.agents import Agents
from croupier.server.dispatch.link import Link
from croupier.server.job_events import JobIntake
from croupier.store import JobStore

log = logging.getLogger(__name__)

ASK_TIMEOUT = 5.0
PAGE = 1_000


class JobWatch:
    def __init__(self, *, agents: Agents, store: JobStore, intake: JobIntake, grace: float) -> None:
        self._agents = agents
        self._store = store
        self._intake = intake
        self._grace = grace
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._lost_at: dict[str, float] = {}
        """When each agent that is due to be asked lost its session the last time."""
        self._checks: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def begin(self) -> None:
        """At start: jobs that were never handed to an agent are lost; the agents of the others get their grace."""
        async for job in self._unfinished(JobFilter(states=UNFINISHED)):
            if job.agent_id:
                self.session_lost(job.agent_id)
            else:
                await self._lose(job, "the server was restarted while the job was handed to a game server")

    async def _unfinished(self, which: JobFilter) -> AsyncIterator[Job]:
        """All of them, however many, a page at a time."""
        after: Cursor | None = None
        while True:
            page = await self._store.jobs(which, PAGE, after)
            for job in page.items:
                yield job
            if page.next is None:
                return
            after = page.next

    def session_lost(self, agent_id: str) -> None:
        """The agent's session is over; what ran through it is in doubt."""
        loop = asyncio.get_running_loop()
        self._lost_at[agent_id] = loop.time()
        self._ask_in(agent_id, self._grace)

    def _ask_in(self, agent_id: str, seconds: float) -> None:
        if agent_id not in self._due and not self._stopped:
            self._due[agent_id] = asyncio.get_running_loop().call_later(seconds, self._check_soon, agent_id)

    async def stop(self) -> None:
        self._stopped = True
        for handle in self._due.values():
            handle.cancel()
        for task in self._checks:
            task.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    def _check_soon(self, agent_id: str) -> None:
        del self._due[agent_id]
        task = asyncio.ensure_future(self._check(agent_id))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _check(self, agent_id: str) -> None:
        try:
            async for job in self._unfinished(JobFilter(states=UNFINISHED, agent_id=agent_id)):
                why = await self._doubt(job)
                if why:
                    await self._lose(job, why)
        except CroupierError as error:
            log.warning("jobs of agent %s could not be checked, trying again: %s", agent_id, error.message)
            self._ask_in(agent_id, self._grace)
        if agent_id not in self._due:
            self._lost_at.pop(agent_id, None)

    async def _doubt(self, job: Job) -> str:
        """Why the job must be given up; nothing when its agent still knows it, or could not say for now."""
        agent = self._agents.get(job.agent_id)
        if agent is not None and agent.link is not None and agent.scope == job.scope:
            return await self._asked(agent.link, job)
        loop = asyncio.get_running_loop()
        left = self._lost_at.get(job.agent_id, 0.0) + self._grace - loop.time()
        if left > 0:  # it was back for a while, and has this long to come again
            self._ask_in(job.agent_id, left)
            return ""
        return f"agent {job.agent_id} has been away for {self._grace:g} s"

    async def _asked(self, link: Link, job: Job) -> str:
        try:
            answer = await link.ask(job.id, ASK_TIMEOUT)
        except NotFound:
            return f"agent {job.agent_id} came back and does not know the job"
        except Unimplemented:
            return f"agent {job.agent_id} cannot say what became of the job"
        except CroupierError:
            self._ask_in(job.agent_id, self._grace)
            return ""
        if answer.state in {"", "unknown", "lost"}:
            return f"agent {job.agent_id} came back and does not know the job ({answer.error or 'no state'})"
        return ""

    async def _lose(self, job: Job, why: str) -> None:
        log.warning("job %s is lost: %s", job.id, why)
        await self._intake.conclude(
            job.id, reason="lost", message=f"lost: {why}; check what it did before starting it again"
        )
